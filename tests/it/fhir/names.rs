//! The search of the inbox where the record, and so every name, is on a FHIR server.

#![cfg(test)]

use anteroom::domain::staff::Role;
use anteroom::fhir::records::FhirRecords;
use serde_json::{Value, json};

use crate::console::hand::{Hand, Lab};
use crate::fhir::server::Server;
use crate::support::app::{App, JAMES, MARIA, TOM};
use crate::support::stores;

/// The number of the person who comes last of many that are called alike.
const LAST: &str = "+13195550100";

fn called(family: &str, count: usize) -> Vec<Value> {
    let person = |at: usize| {
        json!({
            "resourceType": "Patient", "id": format!("{family}-{at:03}"), "active": true,
            "name": [{ "given": ["Ines"], "family": family }], "birthDate": "1970-01-02",
            "telecom": [{ "system": "phone", "value": format!("+1{}5550100", 200 + at) }],
        })
    };
    (0..count).map(person).collect()
}

/// The conversations that a search shows, and its page.
async fn found(hand: &mut Hand<'_>, typed: &str) -> (Vec<i64>, String) {
    let told = hand.post("/console/inbox/all", &[("q", typed)]).await;
    let page = hand.get(told.header("location")).await;
    assert_eq!(page.status, 200, "{typed}: {}", page.text());
    let lines = page.text().split("data-id=\"").skip(1);
    let ids = lines.filter_map(|it| it.split('"').next()?.parse().ok());
    (ids.collect(), page.text().to_owned())
}

#[tokio::test]
async fn people_are_found_by_name_on_the_record_system_and_its_silence_is_told() {
    // More than one page of a search, and more than one search looks at.
    let mut more = called("Zamora", 120);
    more.extend(called("Quillfeather", 205));
    let server = Server::start(&more, &[]);
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&server.settings(), clock).unwrap()
    });
    let lab = Lab::of(kept, app);
    for number in [MARIA, TOM, JAMES, LAST] {
        lab.app.text(number, "Hello").await;
    }
    let mut hand = lab.staff(Role::FrontDesk).await;
    let of = async |number| lab.app.conversation(number).await.id.0;
    for (typed, number) in [
        ("maria", MARIA),
        ("GONZ", MARIA),
        ("gon mar", MARIA),
        ("Nguyen, Tom", TOM),
        ("zamora", LAST),
        ("ines zam", LAST),
    ] {
        let (ids, page) = found(&mut hand, typed).await;
        assert_eq!(ids, [of(number).await], "{typed}: {page}");
        assert!(!page.contains("record system"), "{typed}");
    }
    for typed in ["maria xyzzy", "aria", "Q,u|i$l\\"] {
        let (ids, _) = found(&mut hand, typed).await;
        assert_eq!(ids, [0_i64; 0], "{typed}");
    }
    let (_, page) = found(&mut hand, "quillf").await;
    assert!(page.contains("Type more of the name"), "{page}");

    // Without its record system nobody is found by name, and staff are told so; by number they are.
    drop(server);
    let (ids, page) = found(&mut hand, "maria").await;
    assert_eq!(ids, [0_i64; 0]);
    assert!(
        page.contains("people cannot be found by name now"),
        "{page}"
    );
    assert!(!page.contains("Nobody found"), "{page}");
    let (ids, page) = found(&mut hand, MARIA).await;
    assert_eq!(ids, [of(MARIA).await], "{page}");
    assert!(!page.contains("record system"), "{page}");
}
