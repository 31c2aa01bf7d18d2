//! The portal: nothing before the date of birth, and no way around it.

#![cfg(test)]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::Request;

use anteroom::domain::birth::{BirthDateError, read};
use anteroom::policy::words::Language;
use anteroom::web::serve::serve;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::simulator::fake::{BIRTH_DATE, Fake, PORTAL_TOKEN, Portal, Told, ask, get};
use crate::support::browser::{self, played};
use crate::support::exim::{self, Exim};
use crate::support::server::Server;

fn address() -> String {
    format!("/p/{PORTAL_TOKEN}")
}

async fn post(router: &Router, path: &str, month: &str, day: &str, year: &str) -> Told {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("month", month), ("day", day), ("year", year)])
        .finish();
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    ask(router, request.body(Body::from(body)).unwrap()).await
}

#[test]
fn a_date_of_birth_is_read_however_it_is_typed() {
    for (month, day, year) in [
        ("4", "12", "1961"),
        ("04", " 12 ", "1961"),
        ("April", "12th", "1961"),
        ("abril", "12", "1961"),
        ("4/12/1961", "", ""),
        ("4-12-1961", "", ""),
        ("", "", "4.12.1961"),
        ("1961-04-12", "", ""),
        ("04121961", "", ""),
        ("19610412", "", ""),
        ("April 12, 1961", "", ""),
        ("12 de abril de 1961", "", ""),
        ("12 Apr 1961", "", ""),
    ] {
        assert_eq!(
            read(month, day, year),
            Ok(BIRTH_DATE),
            "{month} {day} {year}"
        );
    }
    assert_eq!(
        read("23/4/1961", "", ""),
        Ok(jiff::civil::date(1961, 4, 23))
    );
    for (month, day, year, error) in [
        ("", "", "", BirthDateError::Missing),
        ("4", "", "1961", BirthDateError::Missing),
        ("4", "12", "61", BirthDateError::ShortYear),
        ("4/12/61", "", "", BirthDateError::ShortYear),
        ("13", "12", "1961", BirthDateError::NoSuchDate),
        ("2", "30", "1961", BirthDateError::NoSuchDate),
        ("4", "x", "1961", BirthDateError::NoSuchDate),
        ("4", "12", "19610", BirthDateError::NoSuchDate),
        ("4", "-12", "0061", BirthDateError::ShortYear),
        (
            "99999999999999999999",
            "1",
            "1961",
            BirthDateError::NoSuchDate,
        ),
        ("٤", "١٢", "١٩٦١", BirthDateError::NoSuchDate),
    ] {
        assert_eq!(read(month, day, year), Err(error), "{month} {day} {year}");
    }
}

#[tokio::test]
async fn the_page_asks_who_they_are_and_shows_nothing_else() {
    let fake = Fake::new();
    let router = fake.router();
    for _ in 0..3 {
        let told = get(&router, &address()).await;
        assert_eq!(told.status, 200);
        assert_eq!(told.header("cache-control"), "no-store");
        assert_eq!(told.header("referrer-policy"), "no-referrer");
        let html = told.text();
        assert!(html.contains("<title>Secure message</title>") && html.contains("Date of birth"));
        assert!(html.contains("Lakeside Family Medicine") && html.contains("415-555-0100"));
        assert!(!html.contains("A1c") && !html.contains("<script") && !html.contains(PORTAL_TOKEN));
        for field in ["month", "day", "year"] {
            assert!(
                html.contains(&format!("<label for=\"{field}\">")),
                "{field}"
            );
        }
    }
    let state = fake.state();
    assert_eq!(
        state.portal_asked,
        (3, 0),
        "looking at a link never uses it up"
    );
    assert_eq!(
        state.portal,
        Portal::Open {
            tries_left: 5,
            language: Language::En
        }
    );
}

#[tokio::test]
async fn the_right_date_shows_the_message_and_escapes_it() {
    let router = Fake::new().router();
    let told = post(&router, &address(), "4", "12", "1961").await;
    assert_eq!(told.status, 200);
    let html = told.text();
    assert!(
        html.contains("Your A1c was 7.2.\n&lt;b&gt;Next step"),
        "{html}"
    );
    assert!(html.contains("<title>Secure message</title>"));
    let head = html.split("</head>").next().unwrap();
    assert!(!head.contains("A1c"));
    assert_eq!(told.header("cache-control"), "no-store");
}

#[tokio::test]
async fn five_wrong_dates_close_the_link() {
    let router = Fake::new().router();
    for left in ["4 tries", "3 tries", "2 tries", "1 try"] {
        let told = post(&router, &address(), "4", "13", "1961").await;
        assert_eq!(told.status, 403);
        assert!(
            told.text().contains(&format!("You have {left} left.")),
            "{left}"
        );
        assert!(!told.text().contains("A1c"));
    }
    let told = post(&router, &address(), "4", "13", "1961").await;
    assert_eq!(told.status, 423);
    assert!(told.text().contains("too many tries") && told.text().contains("tel:+14155550100"));
    let told = post(&router, &address(), "4", "12", "1961").await;
    assert_eq!(told.status, 423);
    assert_eq!(get(&router, &address()).await.status, 423);
}

#[tokio::test]
async fn a_slip_of_the_finger_costs_no_try() {
    let fake = Fake::new();
    let router = fake.router();
    for (month, day, year, said) in [
        ("", "", "", "fill in the month"),
        ("4", "12", "61", "four digits"),
        ("2", "30", "1961", "no such date"),
    ] {
        let told = post(&router, &address(), month, day, year).await;
        assert_eq!(told.status, 422);
        assert!(told.text().contains(said), "{said}");
        assert!(told.text().contains("role=\"alert\""));
    }
    assert_eq!(fake.state().portal_asked.1, 0);
}

#[tokio::test]
async fn expired_and_unknown_links_say_so_kindly() {
    let fake = Fake::new();
    let router = fake.router();
    fake.state().portal = Portal::Expired;
    let told = get(&router, &address()).await;
    assert_eq!(told.status, 410);
    assert!(told.text().contains("has expired"));
    assert_eq!(
        post(&router, &address(), "4", "12", "1961").await.status,
        410
    );
    fake.state().portal = Portal::Revoked;
    let told = get(&router, &address()).await;
    assert_eq!(told.status, 410);
    assert!(
        told.text().contains("staff closed this link") && told.text().contains("tel:+14155550100")
    );
    let asked = fake.state().portal_asked;
    for path in [
        "/p/short",
        "/p/%00%ff%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/p/spaces%20in%20a%20long%20token%20here",
    ] {
        let told = get(&router, path).await;
        assert_eq!(told.status, 404, "{path}");
        assert!(
            told.text().contains("does not work") && !told.text().contains("<script"),
            "{path}"
        );
    }
    assert_eq!(
        fake.state().portal_asked,
        asked,
        "a malformed token never reaches the house"
    );
    fake.state().down = true;
    let told = get(&router, &address()).await;
    assert_eq!(told.status, 503);
}

#[tokio::test]
async fn the_page_speaks_the_language_of_the_message_or_the_chosen_one() {
    let fake = Fake::new();
    let router = fake.router();
    fake.state().portal = Portal::Open {
        tries_left: 5,
        language: Language::Es,
    };
    let spanish = get(&router, &address()).await;
    assert!(
        spanish.text().contains("<html lang=\"es\">")
            && spanish.text().contains("Fecha de nacimiento")
    );
    assert!(spanish.text().contains("<title>Mensaje seguro</title>"));
    assert!(spanish.text().contains("href=\"?lang=en\""));
    let english = get(&router, &format!("{}?lang=en", address())).await;
    assert!(
        english.text().contains("Date of birth") && english.text().contains("href=\"?lang=es\"")
    );
    let odd = get(&router, &format!("{}?lang=%3Cb%3E", address())).await;
    assert!(odd.text().contains("<html lang=\"es\">"));
    let wrong = post(&router, &address(), "4", "13", "1961").await;
    assert!(
        wrong.text().contains("Le quedan 4 intentos."),
        "{}",
        wrong.text()
    );
}

#[tokio::test]
async fn an_oversized_form_is_refused() {
    let router = Fake::new().router();
    let told = post(&router, &address(), &"4".repeat(10_000), "12", "1961").await;
    assert_eq!(told.status, 413);
}

/// Log lines as they are written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_token_a_number_or_a_message() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    let router = Fake::new().router();
    get(&router, &address()).await;
    post(&router, &address(), "4", "12", "1961").await;
    get(&router, "/simulator/messages?with=%2B14155550142").await;
    get(&router, "/nowhere/metformin").await;
    drop(logging);
    let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for route in ["/p/{token}", "/simulator/messages", "unmatched"] {
        assert!(
            told.contains(&format!("http.route=\"{route}\"")),
            "{route} in {told}"
        );
    }
    for secret in [PORTAL_TOKEN, "5550142", "1961", "A1c", "metformin"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

#[tokio::test]
async fn the_page_that_help_names_says_whom_to_call_in_both_languages() {
    let fake = Fake::new();
    let router = fake.router();
    let told = get(&router, "/").await;
    assert_eq!(told.status, 200, "{}", told.text());
    for words in [
        "Lakeside Family Medicine",
        "415-555-0100",
        "AI",
        "STOP",
        "911",
    ] {
        assert!(told.text().contains(words), "{words}: {}", told.text());
    }
    let spanish = get(&router, "/?lang=es").await;
    assert!(spanish.text().contains("Responda") && spanish.text().contains("AYUDA"));
    let request = Request::get("/").header("accept-language", "es-MX,es;q=0.9,en;q=0.5");
    let told = ask(&router, request.body(Body::empty()).unwrap()).await;
    assert!(
        told.text().contains("inteligencia artificial"),
        "{}",
        told.text()
    );
}

fn shots() -> String {
    browser::shots("portal")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_goes_through_a_link_in_a_browser_and_it_is_painted_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("anteroom.db").display());
    let exim = Exim::start();
    let (port, ca) = (exim.port.to_string(), exim.ca());
    let server = Server::start_with(
        folder.path(),
        &[
            ("ANTEROOM_DATABASE_URL", &database),
            ("ANTEROOM_MAIL__RELAY", "localhost"),
            ("ANTEROOM_MAIL__PORT", &port),
            ("ANTEROOM_MAIL__USERNAME", "anteroom"),
            ("ANTEROOM_MAIL__PASSWORD", exim::PASSWORD),
            ("ANTEROOM_MAIL__FROM", "no-reply@lakeside.example.com"),
            ("ANTEROOM_MAIL__CA_FILE", ca.to_str().unwrap()),
        ],
    );
    let mailbox = exim.mailbox();
    let told = played(
        "portal",
        &[&server.base, &shots(), mailbox.to_str().unwrap()],
    );
    println!("{told}");
    let log = server.log();
    for secret in [
        "Nguyen",
        "chest pain",
        "repeat the test",
        "the rash",
        "tom@",
        "Ruiz",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    // As a word: a part of a second may be spelled so as well.
    let mut words = log.split(|c: char| !c.is_ascii_alphanumeric());
    assert!(!words.any(|it| it == "1978"), "a birth date is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_end_a_way_are_sound_in_a_browser() {
    let fake = Fake::new();
    fake.state().portal = Portal::Expired;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = TaskTracker::new().spawn(serve(listener, fake.router(), stop.clone()));
    let expired = format!("portal-expired={}", address());
    let spanish = format!("portal-expired-es={}?lang=es", address());
    let home = "home=/".to_owned();
    tokio::task::spawn_blocking(move || {
        played("look", &[&origin, &shots(), &expired, &spanish, &home]);
    })
    .await
    .unwrap();
    stop.cancel();
    serving.await.unwrap();
}
