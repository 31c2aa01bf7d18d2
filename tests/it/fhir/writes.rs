//! The record on a real FHIR server: what is read, what is written, and what is left when two want
//! the same.

#![cfg(test)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anteroom::agent::ports::{Records as _, RecordsError};
use anteroom::domain::clock::SystemClock;
use anteroom::domain::ids::{AppointmentId, PatientId, PracticeId, SlotId};
use anteroom::domain::phi::Phi;
use anteroom::domain::record::{
    AppointmentStatus, ClinicalKind, NewVisit, Note, Request, RequestKind, Suits,
};
use anteroom::fhir::capability::Weight;
use anteroom::fhir::records::FhirRecords;
use anteroom::policy::words::Language;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fhir::server::Server;
use crate::support::app::SUNDAY;

fn practice() -> PracticeId {
    PracticeId::new("lakeside")
}

fn maria() -> PatientId {
    PatientId::new("p-001")
}

fn james() -> PatientId {
    PatientId::new("p-002")
}

fn visit_in(slot: &str) -> NewVisit {
    NewVisit {
        slot: SlotId::new(slot),
        kind: "follow-up".to_owned(),
        reason: Phi::from("my knee again"),
    }
}

fn now() -> Timestamp {
    SUNDAY.parse().unwrap()
}

/// A parent of p-001 who is nobody's patient, a duplicate that was replaced, a retired entry, and a
/// schedule that a role keeps.
fn people() -> Vec<Value> {
    let phone = |value: &str| json!([{ "system": "phone", "value": value }]);
    vec![
        json!({ "resourceType": "RelatedPerson", "id": "rel-1", "active": true,
            "patient": { "reference": "Patient/p-001" },
            "relationship": [{ "coding": [{ "code": "MTH" }] }],
            "name": [{ "given": ["Carmen"], "family": "Invented" }],
            "telecom": phone("(415) 555-0177") }),
        json!({ "resourceType": "RelatedPerson", "id": "rel-2", "active": true,
            "patient": { "reference": "Patient/p-002" },
            "relationship": [{ "coding": [{ "code": "C" }] }],
            "telecom": phone("(415) 555-0177") }),
        json!({ "resourceType": "Patient", "id": "p-new", "active": true,
            "name": [{ "text": "Nora Invented" }], "telecom": phone("415-555-0178") }),
        json!({ "resourceType": "Patient", "id": "p-old", "active": true,
            "link": [{ "other": { "reference": "Patient/p-new" }, "type": "replaced-by" }],
            "name": [{ "text": "Nora Invented" }], "telecom": phone("415-555-0178") }),
        json!({ "resourceType": "Patient", "id": "p-gone", "active": false,
            "name": [{ "text": "Nora Invented" }], "telecom": phone("+1 415 555 0178") }),
        json!({ "resourceType": "PractitionerRole", "id": "role-1",
            "practitioner": { "reference": "Practitioner/dr-reyes" },
            "location": [{ "reference": "Location/loc-main" }] }),
        json!({ "resourceType": "Schedule", "id": "sched-role", "active": true,
            "actor": [{ "reference": "PractitionerRole/role-1" }] }),
        json!({ "resourceType": "Slot", "id": "s-role", "status": "free",
            "schedule": { "reference": "Schedule/sched-role" },
            "start": "2026-11-30T07:00:00-08:00", "end": "2026-11-30T07:20:00-08:00" }),
    ]
}

#[tokio::test]
async fn people_visits_times_and_entries_are_read_from_a_real_server() {
    let server = Server::start(&people(), &[]);
    let records = server.records();
    let practice = practice();
    let at = async |number: &str| {
        let number = number.parse().unwrap();
        let found = records.patients_by_phone(&practice, &number).await.unwrap();
        found.iter().map(|it| it.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(at("+14155550111").await, ["p-001"]);
    assert_eq!(
        at("+14155550177").await,
        ["p-001"],
        "a mother speaks, a contact does not"
    );
    assert_eq!(
        at("+14155550178").await,
        ["p-new"],
        "replaced and retired entries are nobody"
    );
    assert_eq!(at("+14155550199").await, Vec::<String>::new());
    let ward = records
        .patients_by_phone(&practice, &"+14155550177".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(ward[0].guardians[0].name.as_str(), "Carmen Invented");

    let visits = records
        .appointments(&practice, &maria(), now())
        .await
        .unwrap();
    assert_eq!(visits[0].provider, "Dr. Ana Reyes");
    assert!(visits[0].location.contains("120 Shore Road"));
    assert_eq!(visits[0].reason.as_str(), "Diabetes follow-up");

    let end = "2026-12-20T00:00:00Z".parse().unwrap();
    let slots = records.slots(&practice, now(), end, 150).await.unwrap();
    assert_eq!(
        slots.len(),
        120,
        "more than one page, and only what is free"
    );
    assert!(slots.is_sorted_by_key(|it| it.start));
    assert_eq!(slots[0].id.as_str(), "s-role");
    assert_eq!(
        slots[0].provider, "Dr. Ana Reyes",
        "by the role that keeps the schedule"
    );

    let entries = records.clinical(&practice, &maria()).await.unwrap();
    let kinds: Vec<ClinicalKind> = entries.iter().map(|it| it.kind).collect();
    for kind in [
        ClinicalKind::Condition,
        ClinicalKind::Medication,
        ClinicalKind::Lab,
    ] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let providers = records.providers(&practice).await.unwrap();
    assert!(providers.iter().any(|it| it.name == "Dr. Ana Reyes"));
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one visit's whole life, in order")]
async fn a_visit_is_confirmed_moved_and_cancelled_once_for_each_key() {
    let server = Server::start(&[], &[]);
    let records = server.records();
    let (practice, visit) = (practice(), AppointmentId::new("a-001"));
    let set = async |who: &PatientId, status, key: &str| {
        records
            .set_status(&practice, who, &visit, status, key)
            .await
    };
    let (confirmed, cancelled) = (AppointmentStatus::Confirmed, AppointmentStatus::Cancelled);
    assert_eq!(
        set(&james(), confirmed, "k0").await,
        Err(RecordsError::NotFound),
        "not his"
    );
    assert_eq!(
        set(&maria(), confirmed, "k1").await.unwrap().status,
        confirmed
    );
    let listed = records
        .appointments(&practice, &maria(), now())
        .await
        .unwrap();
    assert_eq!(listed[0].status, confirmed);

    let to = SlotId::new("s-001");
    let moved = records
        .reschedule(&practice, &maria(), &visit, &to, "k2")
        .await
        .unwrap();
    assert_eq!(moved.start, "2026-11-30T09:00:00-08:00".parse().unwrap());
    assert_eq!(
        moved.status,
        AppointmentStatus::Booked,
        "a new time is not confirmed yet"
    );
    assert_eq!(server.stored("Slot/s-001").await["status"], "busy");
    assert_eq!(server.stored("Slot/s-033").await["status"], "free");
    let version = server.stored("Appointment/a-001").await["meta"]["versionId"].clone();
    let again = records
        .reschedule(&practice, &maria(), &visit, &to, "k2")
        .await
        .unwrap();
    assert_eq!(again, moved, "the same key gives the same");
    assert_eq!(
        server.stored("Appointment/a-001").await["meta"]["versionId"],
        version
    );

    assert_eq!(
        set(&maria(), cancelled, "k3").await.unwrap().status,
        cancelled
    );
    let stored = server.stored("Appointment/a-001").await;
    assert_eq!(stored["status"], "cancelled");
    assert_eq!(stored["cancelationReason"]["coding"][0]["code"], "pat");
    assert_eq!(server.stored("Slot/s-001").await["status"], "free");
    // Taken by another since: cancelling once more with the same key frees nothing of theirs.
    records
        .book(&practice, &james(), &visit_in("s-001"), "k4")
        .await
        .unwrap();
    assert_eq!(
        set(&maria(), cancelled, "k3").await.unwrap().status,
        cancelled
    );
    assert_eq!(server.stored("Slot/s-001").await["status"], "busy");
    assert_eq!(
        set(&maria(), confirmed, "k5").await,
        Err(RecordsError::Conflict)
    );
    let gone = records
        .reschedule(&practice, &maria(), &AppointmentId::new("a-9"), &to, "k6")
        .await;
    assert_eq!(gone, Err(RecordsError::NotFound));
    let audited = server.all("AuditEvent").await;
    assert!(audited.len() >= 4, "{} AuditEvents", audited.len());
}

#[tokio::test]
async fn of_two_who_want_the_last_slot_one_gets_it() {
    let server = Server::start(&[], &[]);
    // Two replicas, which share nothing but the server.
    let (one, two) = (server.records(), server.records());
    let practice = practice();
    let (maria, james, visit) = (maria(), james(), visit_in("s-001"));
    let (hers, his) = tokio::join!(
        one.book(&practice, &maria, &visit, "a"),
        two.book(&practice, &james, &visit, "b")
    );
    let won = [&hers, &his].into_iter().filter(|it| it.is_ok()).count();
    assert_eq!(won, 1, "{hers:?} {his:?}");
    let lost = if hers.is_err() { hers } else { his };
    assert_eq!(lost, Err(RecordsError::Conflict));
    let holding = server.all("Appointment").await;
    let holding = holding
        .iter()
        .filter(|it| it["slot"][0]["reference"] == "Slot/s-001");
    assert_eq!(holding.count(), 1, "one visit in the slot");
    let end = "2026-12-20T00:00:00Z".parse().unwrap();
    let free = one.slots(&practice, now(), end, 500).await.unwrap();
    assert!(free.iter().all(|it| it.id.as_str() != "s-001"));
}

#[tokio::test]
async fn a_booking_is_repeated_by_its_key_and_keeps_whose_it_is() {
    let server = Server::start(&[], &[]);
    let records = server.records();
    let practice = practice();
    let booked = records
        .book(&practice, &maria(), &visit_in("s-002"), "k")
        .await
        .unwrap();
    let again = records
        .book(&practice, &maria(), &visit_in("s-002"), "k")
        .await
        .unwrap();
    assert_eq!(booked.id, again.id);
    let stored = server.stored(&format!("Appointment/{}", booked.id)).await;
    assert_eq!(stored["status"], "booked");
    assert_eq!(stored["reasonCode"][0]["text"], "my knee again");
    let actors: Vec<&str> = stored["participant"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["actor"]["reference"].as_str().unwrap())
        .collect();
    assert_eq!(
        actors,
        [
            "Patient/p-001",
            "Practitioner/dr-reyes",
            "Location/loc-main"
        ]
    );
    assert_eq!(server.stored("Slot/s-002").await["status"], "busy");
    let gone = records
        .book(&practice, &maria(), &visit_in("s-nowhere"), "k2")
        .await;
    assert_eq!(gone, Err(RecordsError::NotFound));
}

#[tokio::test]
async fn what_patients_ask_of_staff_becomes_tasks_messages_and_the_waitlist() {
    let server = Server::start(&[], &[]);
    let records = server.records();
    let practice = practice();
    let ask = |kind| Request {
        kind,
        words: Phi::from("please"),
        due: (kind == RequestKind::Records).then(|| "2026-12-29T18:00:00Z".parse().unwrap()),
        from: None,
        to: (kind == RequestKind::Waitlist).then(|| "2026-12-10T18:00:00Z".parse().unwrap()),
        suits: Suits::default(),
    };
    for kind in RequestKind::ALL {
        let key = format!("turn/{kind}");
        let first = records
            .file(&practice, &maria(), &ask(*kind), &key)
            .await
            .unwrap();
        let again = records
            .file(&practice, &maria(), &ask(*kind), &key)
            .await
            .unwrap();
        assert_eq!(first.id, again.id, "{kind}");
        let open = records.filed(&practice, &maria(), *kind).await.unwrap();
        // A message is told, not open.
        let expected = usize::from(*kind != RequestKind::Message);
        assert_eq!(open.len(), expected, "{kind}");
        assert!(
            records
                .filed(&practice, &james(), *kind)
                .await
                .unwrap()
                .is_empty()
        );
    }
    let tasks = server.all("Task").await;
    assert_eq!(tasks.len(), 5);
    let records_task = tasks
        .iter()
        .find(|it| it["code"]["coding"][0]["code"] == "records")
        .unwrap();
    assert_eq!(
        records_task["restriction"]["period"]["end"],
        "2026-12-29T18:00:00Z"
    );
    let messages = server.all("Communication").await;
    assert_eq!(messages[0]["payload"][0]["contentString"], "please");
}

#[tokio::test]
async fn a_place_on_the_waitlist_is_given_back_by_its_owner_only() {
    let server = Server::start(&[], &[]);
    let records = server.records();
    let practice = practice();
    let wish = Request {
        kind: RequestKind::Waitlist,
        words: Phi::from("sooner"),
        due: None,
        from: None,
        to: None,
        suits: Suits::default(),
    };
    records.file(&practice, &maria(), &wish, "w").await.unwrap();
    let waiting = records
        .filed(&practice, &maria(), RequestKind::Waitlist)
        .await
        .unwrap();
    let id = &waiting[0].id;
    assert_eq!(
        records.withdraw(&practice, &james(), id, "k").await,
        Err(RecordsError::NotFound)
    );
    records
        .withdraw(&practice, &maria(), id, "k")
        .await
        .unwrap();
    assert_eq!(server.stored(id.as_str()).await["status"], "cancelled");
    assert!(
        records
            .filed(&practice, &maria(), RequestKind::Waitlist)
            .await
            .unwrap()
            .is_empty()
    );

    records
        .prefer_language(&practice, &james(), Language::Es, "k")
        .await
        .unwrap();
    let him = records.patient(&practice, &james()).await.unwrap().unwrap();
    assert_eq!(him.language, Some(Language::Es));

    let note = Note::Consent {
        agreed: true,
        at: now(),
    };
    records
        .note(&practice, &maria(), &note, "consent/1")
        .await
        .unwrap();
    records
        .note(&practice, &maria(), &note, "consent/1")
        .await
        .unwrap();
    let consents = server.all("Consent").await;
    assert_eq!(consents.len(), 1);
    assert_eq!(consents[0]["provision"]["type"], "permit");
}

/// A key pair as an operator makes it; the private half's file and the public half's.
fn key_pair(folder: &Path, kind: &[&str]) -> (std::path::PathBuf, String) {
    let private = folder.join("private.pem");
    let public = folder.join("public.pem").display().to_string();
    let mut make = Command::new("openssl");
    make.args(["genpkey", "-out", &private.display().to_string()]);
    assert!(
        make.args(kind).output().unwrap().status.success(),
        "openssl genpkey"
    );
    let mut show = Command::new("openssl");
    show.args([
        "pkey",
        "-pubout",
        "-in",
        &private.display().to_string(),
        "-out",
        &public,
    ]);
    assert!(show.output().unwrap().status.success(), "openssl pkey");
    (private, public)
}

#[tokio::test]
async fn backend_services_sign_in_by_either_algorithm_and_with_no_other_key() {
    for kind in [
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..],
        &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (private, public) = key_pair(folder.path(), kind);
        let server = Server::start(&[], &[("FHIR_PUBLIC_KEY", &public)]);
        let mut settings = server.settings();
        settings.client_id = "anteroom-test".to_owned();
        settings.private_key_file = private;
        let clock = Arc::new(SystemClock);
        let records = FhirRecords::new(&settings, Arc::clone(&clock) as _).unwrap();
        assert_eq!(records.try_out().await.unwrap(), 3, "{kind:?}");

        let other = tempfile::tempdir().unwrap();
        settings.private_key_file = key_pair(other.path(), kind).0;
        let stranger = FhirRecords::new(&settings, clock).unwrap();
        let refused = stranger.try_out().await.unwrap_err();
        assert!(refused.to_string().contains("invalid_client"), "{refused}");
    }
}

#[tokio::test]
async fn what_a_server_lacks_is_told_with_what_follows() {
    let server = Server::start(&[], &[("FHIR_LACKS", "RelatedPerson,Task")]);
    let records = server.records();
    let lacks = records.capability().await.unwrap().lacks();
    let told: Vec<(Weight, &str)> = lacks
        .iter()
        .map(|it| (it.weight, it.words.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Weight::Essential, "Task (requests to staff)"),
            (Weight::Useful, "RelatedPerson (parents and guardians)"),
        ]
    );
    // A parent's number is then nobody's, and nothing else breaks.
    let number = "+14155550111".parse().unwrap();
    assert_eq!(
        records
            .patients_by_phone(&practice(), &number)
            .await
            .unwrap()
            .len(),
        1
    );
}
