//! The table of roles and addresses: every address, asked by everybody.

use anteroom::domain::staff::{Right, Role};
use anteroom::web::console::{Need, TABLE};

use crate::console::hand::{Hand, Lab, form};

/// An address with its blanks filled in by what is not there.
fn filled(route: &str) -> String {
    route
        .replace("{queue}", "all")
        .replace("{id}", "999")
        .replace("{step}", "practice")
        .replace("{language}", "en")
        .replace("{name}", "visit")
        .replace("{token}", "nobodys-invitation-of-any-length")
}

/// What somebody gets: in, to the door, to the second factor, or no.
async fn outcome(hand: &mut Hand<'_>, method: &str, route: &str) -> &'static str {
    let path = filled(route);
    let told = match method {
        "POST" => hand.post(&path, &[]).await,
        _ => hand.get(&path).await,
    };
    let to = told.header("location");
    match told.status.as_u16() {
        303 if to.starts_with("/console/sign-in") => "door",
        // A script is told so, and the stream of changes ends.
        401 | 204 => "door",
        303 if to == "/console/second" => "second",
        403 if told.text().contains("Your role does not open this page") => "no",
        // The stream of changes has no end.
        _ => "in",
    }
}

fn wanted(need: Need, role: Role) -> &'static str {
    match need {
        Need::Nothing | Need::Session | Need::SignedIn => "in",
        Need::May(right) if role.may(right) => "in",
        Need::May(_) => "no",
    }
}

#[tokio::test]
async fn every_address_opens_to_whom_the_table_says() {
    let lab = Lab::new().await;
    let mut wrong = Vec::new();
    for role in Role::ALL {
        for (method, route, need) in TABLE {
            if *route == "/console/sign-out" || *route == "/console/events" {
                continue;
            }
            let mut hand = lab.signed_in(*role).await;
            let got = outcome(&mut hand, method, route).await;
            if got != wanted(*need, *role) {
                wrong.push(format!("{role}: {method} {route}: {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_stands_at_the_door() {
    let lab = Lab::new().await;
    let link = lab.invited(Role::Owner).await;
    let mut half = lab.browser();
    half.join(&link).await;
    for (method, route, need) in TABLE {
        if *route == "/console/sign-out" {
            continue;
        }
        let got = outcome(&mut lab.browser(), method, route).await;
        let door = if *need == Need::Nothing { "in" } else { "door" };
        // A form without a session is no form of the console's.
        assert_eq!(got, door, "nobody: {method} {route}");
        let got = outcome(&mut half, method, route).await;
        let second = match need {
            Need::Nothing | Need::Session => "in",
            Need::SignedIn | Need::May(_) => "second",
        };
        assert_eq!(got, second, "one factor: {method} {route}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    for (method, route, need) in TABLE {
        if *method != "POST" || *need == Need::Nothing {
            continue;
        }
        let told = owner.bare(&filled(route), &[("csrf", "made-up")]).await;
        assert_eq!(told.status, 403, "{route}");
        let crossed = [("sec-fetch-site", "cross-site")];
        let told = owner
            .send("POST", &filled(route), &crossed, form(&[]))
            .await;
        assert_eq!(told.status, 403, "{route} from elsewhere");
    }
    assert_eq!(owner.get("/console/inbox/all").await.status, 200);
}

#[tokio::test]
async fn what_the_table_does_not_name_does_not_open() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    for path in [
        "/console/",
        "/console/inbox",
        "/console/inbox/nothing",
        "/console/x",
    ] {
        assert_eq!(owner.get(path).await.status, 404, "{path}");
    }
    let put = owner.send("PUT", "/console/team", &[], String::new()).await;
    assert!(put.status == 404 || put.status == 405, "{}", put.status);
}

/// The table as people read it; `docs/console.md` shows it.
#[test]
fn the_page_shows_the_table_as_it_is() {
    let mut lines = vec!["| address |".to_owned(), "|---|".to_owned()];
    for role in Role::ALL {
        lines[0].push(' ');
        lines[0].push_str(role.title());
        lines[0].push_str(" |");
        lines[1].push_str("---|");
    }
    for (method, route, need) in TABLE {
        let mut line = format!("| `{method} {route}` |");
        for role in Role::ALL {
            line.push_str(match (need, wanted(*need, *role)) {
                (Need::Nothing, _) => " anybody |",
                (_, "in") => " yes |",
                _ => " |",
            });
        }
        lines.push(line);
    }
    let page = include_str!("../../../docs/console.md");
    let table = lines.join("\n");
    assert!(
        page.contains(&table),
        "docs/console.md needs this table:\n{table}"
    );
    assert!(Right::ALL.iter().all(|right| Role::Owner.may(*right)));
}
