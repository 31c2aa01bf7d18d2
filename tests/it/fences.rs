//! Cookies and framing: what every cookie says, and that no page of ours stands in another's frame or runs
//! what is not ours.

#![cfg(test)]

use std::collections::BTreeSet;

use anteroom::domain::practice::PortalFactor;
use anteroom::domain::staff::Role;
use anteroom::web::console::TABLE;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use regex::Regex;

use crate::console::hand::{Lab, PASSWORD};
use crate::simulator::fake::{Told, ask};
use crate::support::app::{App, TOM};
use crate::support::front::{front, posted};
use crate::support::stores;

/// A cookie: its name, and what it says of itself, in the order of the alphabet.
fn cookie(told: &Told) -> (String, BTreeSet<String>) {
    let header = told.header("set-cookie");
    let mut parts = header.split("; ");
    let (name, value) = parts.next().unwrap().split_once('=').unwrap();
    assert!(!value.contains('%') && !value.contains('@'), "{header}");
    (name.to_owned(), parts.map(str::to_owned).collect())
}

fn says(said: &[&str]) -> BTreeSet<String> {
    said.iter().map(|it| (*it).to_owned()).collect()
}

/// The same house at an address with and without TLS, and below a path.
const ADDRESSES: &[(&str, bool, &str)] = &[
    ("https://text.example.com/", true, ""),
    ("https://text.example.com/chat/", true, "/chat"),
    ("http://127.0.0.1:8080/", false, ""),
];

#[tokio::test]
async fn a_cookie_of_the_console_goes_to_the_console_alone_and_no_script_reads_it() {
    let lab = Lab::new().await;
    lab.staff(Role::FrontDesk).await;
    for (address, secure, _) in ADDRESSES {
        let router = front(&lab.app, |it| it.public_url = address.parse().unwrap());
        let fields = [
            ("practice", "lakeside"),
            ("email", "front_desk@example.com"),
            ("password", PASSWORD),
        ];
        let told = posted(&router, "/console/sign-in", &fields).await;
        assert_eq!(told.status, 303, "{}", told.text());
        let mut wanted = says(&[
            "Path=/console",
            "HttpOnly",
            "SameSite=Strict",
            "Max-Age=43200",
        ]);
        if *secure {
            wanted.insert("Secure".to_owned());
        }
        let (name, said) = cookie(&told);
        assert_eq!(
            (name.as_str(), &said),
            ("anteroom_console", &wanted),
            "{address}"
        );

        // Whoever signs out takes it away, where it was.
        let session = told
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let page = with(&router, "GET", "/console/second", &session, "").await;
        let told = (page.status, page.header("location"), page.text());
        assert_eq!(page.status, 200, "{address}: {told:?}");
        let csrf = page.text().split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap();
        let form = format!("csrf={csrf}");
        let told = with(&router, "POST", "/console/sign-out", &session, &form).await;
        wanted.remove("Max-Age=43200");
        wanted.insert("Max-Age=0".to_owned());
        let (name, said) = cookie(&told);
        assert_eq!(
            (name.as_str(), said),
            ("anteroom_console", wanted),
            "{address}"
        );
        let door = with(&router, "GET", "/console/second", &session, "").await;
        assert_eq!(door.status, 303, "the session is over: {}", door.text());
    }
}

async fn with(router: &Router, method: &str, path: &str, cookie: &str, form: &str) -> Told {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", cookie)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    ask(router, request.body(Body::from(form.to_owned())).unwrap()).await
}

/// A house in which Tom has a link; its token.
async fn linked() -> (App, String, stores::Kept) {
    let kept = stores::sqlite().await;
    let factor = PortalFactor::None;
    let app = App::with_practice(kept.store.clone(), |it| it.portal_factor = factor).await;
    app.agreed(TOM).await;
    let text = app.one(TOM, "Are my biopsy results in?").await;
    let (_, token) = text.split_once("/p/").unwrap();
    let token = token
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c));
    let token = token.collect();
    (app, token, kept)
}

const BORN: &[(&str, &str)] = &[("month", "7"), ("day", "4"), ("year", "1978")];

#[tokio::test]
async fn a_cookie_of_the_portal_goes_to_its_one_link_and_ends_with_the_browser() {
    for (address, secure, below) in ADDRESSES {
        let (app, token, _kept) = linked().await;
        let router = front(&app, |it| it.public_url = address.parse().unwrap());
        let path = format!("/p/{token}");
        let asked = with(&router, "GET", &path, "", "").await;
        assert_eq!(
            asked.header("set-cookie"),
            "",
            "nothing before the birth date"
        );
        let told = posted(&router, &path, BORN).await;
        assert!(told.text().contains("benign"), "{}", told.text());
        let place = format!("Path={below}/p/{token}");
        let mut wanted = says(&[place.as_str(), "HttpOnly", "SameSite=Strict"]);
        if *secure {
            wanted.insert("Secure".to_owned());
        }
        let (name, said) = cookie(&told);
        assert!(name.starts_with("anteroom_"), "{name}");
        assert_eq!(said, wanted, "{address}");
        // It opens this link, and no other address knows it.
        let session = told
            .header("set-cookie")
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let again = with(&router, "GET", &path, &session, "").await;
        assert!(again.text().contains("benign"), "{}", again.text());
        let other = with(
            &router,
            "GET",
            "/p/a-link-that-nobody-was-ever-sent",
            &session,
            "",
        )
        .await;
        assert!(!other.text().contains("benign"));
    }
}

/// What an address is asked for, with its blanks filled in.
fn filled(route: &str, token: &str, conversation: i64) -> String {
    let id = if route.starts_with("/console/prompts/") || route.starts_with("/console/policy/") {
        "1".to_owned()
    } else {
        conversation.to_string()
    };
    let token = if route.starts_with("/p/") {
        token
    } else {
        "nobodys-invitation"
    };
    route
        .replace("{queue}", &format!("all?c={conversation}"))
        .replace("{step}", "practice")
        .replace("{language}", "en")
        .replace("{name}", "visit")
        .replace("{token}", token)
        .replace("{practice}", "lakeside")
        .replace("{carrier}", "simulator")
        .replace("{version}", "0")
        .replace("{id}", &id)
}

/// Every address outside of the console that is asked for by GET.
fn outside() -> Vec<String> {
    let route = Regex::new(r#"\.route\(\s*"(/[^"]*)",\s*get\("#).unwrap();
    let mut all = Vec::new();
    for file in ["src/web/router.rs", "src/web/widget.rs"] {
        let text = std::fs::read_to_string(file).unwrap();
        for found in route.captures_iter(&text) {
            if !found[1].ends_with("/events") {
                all.push(found[1].to_owned());
            }
        }
    }
    all
}

/// What is wrong with the headers of a page.
fn faults(path: &str, told: &Told, script: bool) -> Vec<String> {
    let policy = told.header("content-security-policy");
    let directives: BTreeSet<&str> = policy.split("; ").collect();
    let mut wrong = Vec::new();
    for wanted in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        if !directives.contains(wanted) {
            wrong.push(format!("{path}: no {wanted}: {policy}"));
        }
    }
    if !policy.contains("form-action 'self'") && !policy.contains("form-action 'none'") {
        wrong.push(format!("{path}: forms go anywhere: {policy}"));
    }
    for never in ["unsafe", "*", "http:", "https:", "data: 'self'", "blob:"] {
        if policy.contains(never) {
            wrong.push(format!("{path}: {never}: {policy}"));
        }
    }
    if !script && policy.contains("script-src") {
        wrong.push(format!(
            "{path}: a page without scripts may run some: {policy}"
        ));
    }
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        if told.header(name) != value {
            wrong.push(format!("{path}: {name}: {}", told.header(name)));
        }
    }
    wrong
}

fn is_page(told: &Told) -> bool {
    told.header("content-type").starts_with("text/html")
}

#[tokio::test]
async fn every_page_is_framed_by_nobody_and_runs_only_what_is_ours() {
    let lab = Lab::changed(|it| it.portal_factor = PortalFactor::None).await;
    lab.app.agreed(TOM).await;
    let text = lab.app.one(TOM, "Are my biopsy results in?").await;
    let token = text
        .split_once("/p/")
        .unwrap()
        .1
        .split_whitespace()
        .next()
        .unwrap();
    let token = token.trim_end_matches(['.', ')']).to_owned();
    let id = lab.app.conversation(TOM).await.id.0;
    let router = front(&lab.app, |_| ());
    let owner = lab.signed_in(Role::Owner).await;
    let (mut pages, mut wrong) = (BTreeSet::new(), Vec::new());
    let console = TABLE.iter().filter(|(method, route, _)| {
        *method == "GET" && !matches!(*route, "/console/events" | "/console/sign-out")
    });
    let routes = console.map(|(_, route, _)| (*route).to_owned());
    let outside = outside();
    assert!(
        outside.len() > 12,
        "the addresses are written otherwise now: {outside:?}"
    );
    for route in routes.chain(outside) {
        let path = filled(&route, &token, id);
        // By the owner, and by somebody whom nobody knows.
        for cookie in [owner.cookie.as_str(), ""] {
            let told = with(&router, "GET", &path, cookie, "").await;
            if is_page(&told) {
                let portal = route.starts_with("/p/");
                wrong.extend(faults(&route, &told, !portal));
                pages.insert(route.clone());
            }
        }
    }
    // What is shown behind the birth date, and what refuses it.
    for fields in [BORN, &[("month", "7"), ("day", "5"), ("year", "1978")]] {
        let told = posted(&router, &format!("/p/{token}"), fields).await;
        assert!(is_page(&told));
        wrong.extend(faults("the portal", &told, false));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for page in [
        "/",
        "/p/{token}",
        "/simulator",
        "/console/sign-in",
        "/console/audit",
    ] {
        assert!(pages.contains(page), "{page}: {pages:?}");
    }
    assert!(pages.len() > 20, "{}: {pages:?}", pages.len());
}
