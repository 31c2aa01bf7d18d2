//! Patients text a practice whose record is a FHIR server.

#![cfg(test)]

use anteroom::agent::ports::Records as _;
use anteroom::fhir::records::FhirRecords;
use serde_json::json;

use crate::fhir::server::{Server, settings};
use crate::support::app::{App, MARIA};
use crate::support::stores;

#[tokio::test]
async fn a_visit_is_moved_and_cancelled_on_the_server_and_told_as_it_is_there() {
    let server = Server::start(&[], &[]);
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&server.settings(), clock).unwrap()
    });
    app.agreed(MARIA).await;
    let consents = server.all("Consent").await;
    assert_eq!(consents.len(), 1, "the record keeps a copy of the YES");
    assert_eq!(consents[0]["patient"]["reference"], "Patient/p-001");
    let visit = app.one(MARIA, "¿Cuándo es mi cita?").await;
    assert!(visit.contains("mié 2 dic"), "{visit}");
    let offer = app.one(MARIA, "¿La puede cambiar al jueves?").await;
    assert!(offer.contains("1)"), "{offer}");
    let moved = app.one(MARIA, "1").await;
    let stored = server.stored("Appointment/a-001").await;
    assert!(
        stored["start"].as_str().unwrap().starts_with("2026-12-03"),
        "{moved}: {stored}"
    );
    let slot = stored["slot"][0]["reference"].as_str().unwrap();
    assert_eq!(server.stored(slot).await["status"], "busy");
    app.one(MARIA, "Quiero cancelar mi cita").await;
    let done = app.one(MARIA, "SI").await;
    assert!(done.contains("cancelada"), "{done}");
    assert_eq!(
        server.stored("Appointment/a-001").await["status"],
        "cancelled"
    );
    assert_eq!(server.stored(slot).await["status"], "free");
}

#[tokio::test]
async fn a_record_that_is_down_gives_a_calm_sentence_and_staff_the_cause() {
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&settings("http://127.0.0.1:9/"), clock).unwrap()
    });
    app.agreed(MARIA).await;
    let answer = app.one(MARIA, "When is my appointment?").await;
    assert!(answer.contains("415-555-0100"), "{answer}");
    assert!(
        !answer.contains("birth"),
        "nobody is asked who they are: {answer}"
    );
    assert_eq!(app.held().await, ["record_down"]);
    let report = app.last_report().await;
    assert!(report.contains("cannot be reached"), "{report}");
    let hours = app.one(MARIA, "What are your hours?").await;
    assert!(
        hours.contains("8:00 AM"),
        "what needs no record is answered: {hours}"
    );
}

#[tokio::test]
async fn a_visit_whose_time_is_not_clear_is_not_guessed() {
    let unclear = json!({ "resourceType": "Appointment", "id": "a-x", "status": "booked",
        "start": "2026-12-02T15:00:00", "end": "2026-12-02T15:30:00",
        "participant": [{ "actor": { "reference": "Patient/p-002" }, "status": "accepted" }] });
    let server = Server::start(&[unclear], &[]);
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&server.settings(), clock).unwrap()
    });
    let james = crate::support::app::JAMES;
    app.agreed(james).await;
    let answer = app.one(james, "When is my appointment?").await;
    assert!(!answer.contains("3:00"), "{answer}");
    assert_eq!(app.held().await, ["record_down"]);
    let report = app.last_report().await;
    assert!(report.contains("Appointment/a-x: start"), "{report}");
}

#[tokio::test]
async fn one_person_on_file_twice_goes_to_staff_and_is_told_nothing_of_either() {
    let twin = json!({ "resourceType": "Patient", "id": "p-twin", "active": true,
        "name": [{ "given": ["Maria"], "family": "Gonzalez" }], "birthDate": "1984-04-12",
        "telecom": [{ "system": "phone", "value": "415-555-0111" }] });
    let server = Server::start(&[twin], &[]);
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&server.settings(), clock).unwrap()
    });
    app.agreed(MARIA).await;
    app.text(MARIA, "When is my appointment?").await;
    let answer = app.one(MARIA, "4/12/1984").await;
    assert!(
        !answer.contains("Dec 2") && !answer.contains("2 dic"),
        "{answer}"
    );
    assert_eq!(app.held().await, ["on file twice"]);
}

#[tokio::test]
async fn of_two_who_want_the_last_time_on_the_server_one_gets_it_and_the_other_the_next() {
    let server = Server::start(&[], &[]);
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&server.settings(), clock).unwrap()
    });
    let both = [crate::support::app::JAMES, crate::support::app::TOM];
    for number in both {
        app.agreed(number).await;
        app.one(number, "I want to book an appointment on Thursday")
            .await;
    }
    for number in both {
        app.receive(app.inbound(number, "1")).await;
    }
    let (one, other) = tokio::join!(app.house.reply_once(), app.house.reply_once());
    assert!(one.is_ok() && other.is_ok());
    app.drain().await;
    let answers = both.map(|number| app.received_by(number).pop().unwrap());
    let won = answers.iter().filter(|it| it.contains("is booked for"));
    let lost = answers
        .iter()
        .filter(|it| it.contains("was just taken") && it.contains("1)"));
    assert_eq!((won.count(), lost.count()), (1, 1), "{answers:?}");
    let stored = server.all("Appointment").await;
    let new = stored
        .iter()
        .filter(|it| it["identifier"][0]["system"] == "urn:anteroom:write");
    assert_eq!(new.count(), 1, "one visit for one time");
}

#[tokio::test]
async fn a_copy_of_the_record_is_a_case_here_and_a_task_there_whatever_the_server_does() {
    let server = Server::start(&[], &[]);
    let down = settings("http://127.0.0.1:9/");
    for (up, settings) in [(true, server.settings()), (false, down)] {
        let kept = stores::sqlite().await;
        let app = App::with_records(kept.store.clone(), |clock| {
            FhirRecords::new(&settings, clock).unwrap()
        });
        app.agreed(MARIA).await;
        let asked = "I need a copy of my medical records";
        let answer = app.one(MARIA, asked).await;
        let open = app.house.store().open_cases(app.practice()).await.unwrap();
        let tasks = server.all("Task").await;
        if !up {
            // Nobody knows who asks while the record is down: staff have the text.
            assert!(answer.contains("passed your request"), "{answer}");
            assert_eq!(
                (app.held().await, open.len()),
                (vec!["records".to_owned()], 0)
            );
            continue;
        }
        assert!(
            answer.contains("passed your request for a copy"),
            "{answer}"
        );
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].filed.request.words.as_str(), asked);
        assert_eq!(open[0].patient.as_str(), "p-001");
        let due = open[0].filed.request.due.unwrap();
        assert_eq!(due.duration_since(app.clock_now()).as_hours(), 720);
        assert_eq!(tasks.len(), 1);
        assert_eq!(tasks[0]["for"]["reference"], "Patient/p-001");
        // Asked again while one is open, it stays one case.
        app.one(MARIA, asked).await;
        let again = app.house.store().open_cases(app.practice()).await.unwrap();
        assert_eq!(again.len(), 1);
    }
}

/// What a server writes into `display` and `text` is data like any other: it names a clinic or a reason,
/// and leaves only as a field of the record may.
#[tokio::test]
async fn a_clinic_and_a_reason_in_display_texts_are_told_no_more_than_any_other() {
    let visit = json!({ "resourceType": "Appointment", "id": "a-d", "status": "booked",
        "start": "2026-12-01T15:00:00-08:00", "end": "2026-12-01T15:30:00-08:00",
        "serviceType": [{ "coding": [{ "display": "HIV follow-up" }] }],
        "participant": [
            { "actor": { "reference": "Patient/p-002", "display": "James Whitfield" }, "status": "accepted" },
            { "actor": { "reference": "Practitioner/nobody-here", "display": "Dr. Paul Okoye" }, "status": "accepted" },
            { "actor": { "reference": "Location/nowhere", "display": "Oakland HIV Clinic" }, "status": "accepted" }] });
    let server = Server::start(&[visit], &[]);
    let kept = stores::sqlite().await;
    let app = App::with_records(kept.store.clone(), |clock| {
        FhirRecords::new(&server.settings(), clock).unwrap()
    });
    let james = crate::support::app::JAMES;
    app.agreed(james).await;
    for ask in [
        "When is my appointment?",
        "Where is my visit?",
        "Who is my visit with?",
    ] {
        for text in app.text(james, ask).await {
            assert!(!text.contains("HIV"), "{ask}: {text}");
        }
    }
    let all = app.received_by(james).join("\n");
    assert!(all.contains("Dec 1"), "the time is told: {all}");
}

#[tokio::test]
async fn a_free_time_says_its_kind_by_the_display_of_a_code_too() {
    let coded = json!({ "resourceType": "Slot", "id": "s-coded", "status": "free",
        "schedule": { "reference": "Schedule/sched-dr-reyes" },
        "start": "2026-12-01T08:00:00-08:00", "end": "2026-12-01T08:30:00-08:00",
        "serviceType": [{ "coding": [{ "system": "urn:x", "code": "annual", "display": "Annual physical" }] }] });
    let server = Server::start(&[coded], &[]);
    let records = server.records();
    let (from, to) = ("2026-12-01T15:00:00Z", "2026-12-01T17:00:00Z");
    let practice = anteroom::domain::ids::PracticeId::new("lakeside");
    let free = records
        .slots(&practice, from.parse().unwrap(), to.parse().unwrap(), 50)
        .await
        .unwrap();
    let coded = free.iter().find(|it| it.id.as_str() == "s-coded").unwrap();
    assert_eq!(coded.kind, "Annual physical");
}

#[test]
fn doctor_signs_in_to_the_server_and_says_what_it_found() {
    let server = Server::start(&[], &[]);
    for (base, code, want) in [
        (&*server.base, 0, "the FHIR server answers; "),
        (
            "http://127.0.0.1:9/",
            1,
            "the server cannot be reached; check base_url and the network",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file = format!(
            "[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"+14155550100\"\n\
             timezone = \"America/Chicago\"\n[[practice.sender]]\ncarrier = \"simulator\"\n\
             number = \"+14155550101\"\n[practice.fhir]\nbase_url = \"{base}\"\n"
        );
        std::fs::write(dir.path().join("anteroom.toml"), file).unwrap();
        let told = crate::support::server::anteroom(dir.path())
            .arg("doctor")
            .output()
            .unwrap();
        let out = String::from_utf8(told.stdout).unwrap();
        assert!(out.contains(want), "{out}");
        assert_eq!(told.status.code(), Some(code), "{out}");
    }
}
