//! Texts that the practice begins, from the record of a FHIR server.

#![cfg(test)]

use std::collections::BTreeMap;

use anteroom::agent::ports::Records as _;
use anteroom::domain::ids::{AppointmentId, PatientId, PracticeId};
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::{FhirServer, Outreach, Practice, Recall};
use anteroom::domain::record::{AppointmentStatus, Request, RequestKind, Suits};
use anteroom::fhir::records::FhirRecords;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::fhir::server::{Server, settings};
use crate::support::app::{App, JAMES, sample_practice};
use crate::support::stores;

fn practice() -> Practice {
    let mut practice = sample_practice();
    practice.outreach = Some(Outreach {
        before_h: Vec::new(),
        daily_max: 2,
        skip_confirmed: false,
        missed_after_h: Some(2),
        waitlist_answer_min: Some(30),
        recall: vec![Recall {
            name: "yearly".to_owned(),
            visit_type: "annual".to_owned(),
            after_months: 12,
            visit: BTreeMap::new(),
        }],
    });
    practice
}

async fn app(server: &Server, kept: &stores::Kept) -> App {
    let app = reminding(kept, practice(), &server.settings());
    app.agreed(JAMES).await;
    app
}

fn reminding(kept: &stores::Kept, practice: Practice, server: &FhirServer) -> App {
    App::kept_by(kept.store.clone(), practice, |clock| {
        FhirRecords::new(server, clock).unwrap()
    })
}

async fn begun(app: &App) -> Vec<String> {
    begun_to(app, JAMES).await
}

async fn begun_to(app: &App, number: &str) -> Vec<String> {
    let before = app.received_by(number).len();
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    app.received_by(number).split_off(before)
}

#[tokio::test]
async fn who_was_seen_a_year_ago_by_the_server_is_asked_back_by_type_and_books() {
    let nora = json!({ "resourceType": "Patient", "id": "p-900", "birthDate": "1980-04-04",
        "name": [{ "given": ["Nora"], "family": "Quill" }],
        "telecom": [{ "system": "phone", "value": "+14155550166" }] });
    let seen = |id: &str, day: &str, status: &str, kind: &str| {
        json!({ "resourceType": "Appointment", "id": id, "status": status,
            "start": format!("{day}T10:00:00-08:00"), "end": format!("{day}T10:30:00-08:00"),
            "appointmentType": { "text": kind },
            "participant": [{ "actor": { "reference": "Patient/p-900" }, "status": "accepted" }] })
    };
    let yearly = seen("y", "2025-11-26", "fulfilled", "Annual physical");
    let sick = seen("s", "2025-11-26", "fulfilled", "Sick visit");
    let server = Server::start(&[nora, yearly, sick], &[]);
    let kept = stores::sqlite().await;
    let app = app(&server, &kept).await;
    let number = "+14155550166";
    app.agreed(number).await;
    let said = begun_to(&app, number).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("it is time for your yearly visit"),
        "{said:?}"
    );
    app.one(number, "yes").await;
    let done = app.one(number, "1").await;
    assert!(done.contains("Your visit is booked"), "{done}");
    let all = server.all("Appointment").await;
    let own = |it: &&Value| it.to_string().contains("Patient/p-900") && it["status"] == "booked";
    assert_eq!(all.iter().filter(own).count(), 1);
}

#[tokio::test]
async fn a_visit_that_the_server_has_as_missed_is_followed_by_an_offer_that_books() {
    let missed = json!({ "resourceType": "Appointment", "id": "a-missed", "status": "noshow",
        "start": "2026-11-29T06:00:00-08:00", "end": "2026-11-29T06:30:00-08:00",
        "reasonCode": [{ "text": "Diabetes follow-up" }],
        "participant": [{ "actor": { "reference": "Patient/p-002" }, "status": "accepted" }] });
    let server = Server::start(&[missed], &[]);
    let kept = stores::sqlite().await;
    let app = app(&server, &kept).await;
    let said = begun(&app).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("sorry we missed you"), "{said:?}");
    assert!(!said[0].contains("iabetes"), "{said:?}");
    app.one(JAMES, "R").await;
    let done = app.one(JAMES, "2").await;
    assert!(done.contains("Your visit is booked"), "{done}");
    let all = server.all("Appointment").await;
    let own = |it: &&Value| it.to_string().contains("Patient/p-002") && it["status"] == "booked";
    assert_eq!(all.iter().filter(own).count(), 2);
}

#[tokio::test]
async fn a_visit_that_another_system_cancels_frees_a_time_for_the_waitlist() {
    let server = Server::start(&[], &[]);
    let kept = stores::sqlite().await;
    let app = app(&server, &kept).await;
    let practice: PracticeId = app.practice().clone();
    let suits = Suits {
        provider: Some("Reyes".to_owned()),
        not_before: Some(jiff::civil::time(12, 0, 0, 0)),
        ..Suits::default()
    };
    let wish = Request {
        kind: RequestKind::Waitlist,
        words: Phi::from("afternoons with Dr. Reyes"),
        due: None,
        from: None,
        to: None,
        suits: suits.clone(),
    };
    let (james, maria) = (PatientId::new("p-002"), PatientId::new("p-001"));
    let records = app.house.records();
    records
        .file(&practice, &james, &wish, "wish")
        .await
        .unwrap();
    let places = records.waitlist(&practice).await.unwrap();
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].filed.request.suits, suits, "as it was asked");
    assert!(begun(&app).await.is_empty());
    app.wait(SignedDuration::from_mins(10));
    // The desk, in its own system.
    let visit = AppointmentId::new("a-001");
    let status = AppointmentStatus::Cancelled;
    let desk = server.records();
    desk.set_status(&practice, &maria, &visit, status, "desk")
        .await
        .unwrap();
    let said = begun(&app).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("Wed, Dec 2 at 3:00 PM"), "{said:?}");
    let done = app.one(JAMES, "YES").await;
    assert!(done.contains("booked for Wed, Dec 2 at 3:00 PM"), "{done}");
    assert_eq!(server.stored("Slot/s-033").await["status"], "busy");
    app.house.outreach_once().await.unwrap();
    let left = records.waitlist(&practice).await.unwrap();
    assert!(left.is_empty(), "the place is given back: {left:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_told_to_staff_until_it_is_mended() {
    let unclear = |id: &str, start: &str| {
        json!({ "resourceType": "Appointment", "id": id, "status": "booked",
            "start": start, "end": "2026-12-01T15:30:00-08:00",
            "participant": [{ "actor": { "reference": "Patient/p-002" }, "status": "accepted" }] })
    };
    let server = Server::start(&[unclear("a-zoneless", "2026-12-01T15:00:00")], &[]);
    let kept = stores::sqlite().await;
    let mut reminds = practice();
    reminds.outreach.as_mut().unwrap().before_h = vec![72];
    let app = reminding(&kept, reminds.clone(), &server.settings());
    let practice = app.practice().clone();
    assert!(app.house.to_mend(&practice).await.is_empty());
    begun(&app).await;
    let told = app.house.to_mend(&practice).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let words = told[0].as_str();
    assert!(
        words.contains("Nobody is told of this entry")
            && words.contains("Appointment/a-zoneless: start"),
        "{words}"
    );
    server
        .put(&unclear("a-zoneless", "2026-12-01T15:00:00-08:00"))
        .await;
    begun(&app).await;
    assert!(app.house.to_mend(&practice).await.is_empty(), "mended");
    // A server that is gone: reminders wait, and staff know why.
    let gone = settings("http://127.0.0.1:9/");
    let lost = reminding(&kept, reminds, &gone);
    begun(&lost).await;
    let told = lost.house.to_mend(&practice).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0]
            .as_str()
            .starts_with("No reminder is begun until this is mended: FHIR:"),
        "{told:?}"
    );
}
