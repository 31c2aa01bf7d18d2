//! A FHIR server that fails in every way that they do: recorded answers, and what is made of them.

#![cfg(test)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anteroom::agent::ports::{Records as _, RecordsError};
use anteroom::domain::ids::{AppointmentId, PatientId, PracticeId, SlotId};
use anteroom::domain::phi::Phi;
use anteroom::domain::record::{AppointmentStatus, NewVisit};
use anteroom::fhir::records::FhirRecords;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Respond, ResponseTemplate};

use crate::fhir::server::{settings, sunday};
use crate::support::app::SUNDAY;

fn searchset(resources: &[Value]) -> Value {
    let entries: Vec<Value> = resources
        .iter()
        .map(|it| json!({ "resource": it }))
        .collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries })
}

fn slot(id: &str, status: &str) -> Value {
    json!({ "resourceType": "Slot", "id": id, "status": status, "meta": { "versionId": "7" },
        "schedule": { "reference": "Schedule/s" },
        "start": "2026-11-30T09:00:00-08:00", "end": "2026-11-30T09:30:00-08:00" })
}

fn visit(start: &str) -> Value {
    json!({ "resourceType": "Appointment", "id": "a-1", "status": "booked",
        "meta": { "versionId": "3" }, "start": start, "end": "2026-12-02T15:30:00-08:00",
        "participant": [{ "actor": { "reference": "Patient/p-1" }, "status": "accepted" }] })
}

/// A server with a schedule and a `CapabilityStatement` that names little.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    let statement = json!({ "resourceType": "CapabilityStatement", "fhirVersion": "4.0.1" });
    let schedule = json!({ "resourceType": "Schedule", "id": "s", "actor": [] });
    for (place, answer) in [
        ("/metadata", statement),
        ("/Schedule/_search", searchset(&[schedule])),
    ] {
        Mock::given(path(place))
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
            .with_priority(9)
            .mount(&server)
            .await;
    }
    server
}

fn records(server: &MockServer) -> FhirRecords {
    FhirRecords::new(&settings(&server.uri()), sunday()).unwrap()
}

fn practice() -> PracticeId {
    PracticeId::new("lakeside")
}

fn patient() -> PatientId {
    PatientId::new("p-1")
}

async fn visits(records: &FhirRecords) -> Result<usize, RecordsError> {
    let from = SUNDAY.parse().unwrap();
    let found = records.appointments(&practice(), &patient(), from).await;
    found.map(|it| it.len())
}

fn told(answer: Result<usize, RecordsError>) -> String {
    match answer {
        Err(RecordsError::Failed(cause)) => cause.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_told_to_staff_and_never_taken_for_no_visit() {
    let outcome = |text: &str| {
        json!({ "resourceType": "OperationOutcome",
            "issue": [{ "severity": "error", "code": "processing", "details": { "text": text } }] })
    };
    let json = |status, body: Value| ResponseTemplate::new(status).set_body_json(body);
    let cases = [
        (
            json(200, outcome("index is rebuilding")),
            "status 200: index is rebuilding",
        ),
        (
            json(400, outcome("unknown parameter")),
            "status 400: unknown parameter",
        ),
        (json(403, outcome("no")), "its scopes do not cover"),
        (
            ResponseTemplate::new(200).set_body_string("<html>"),
            "not JSON",
        ),
        (
            // An error among the hits: what it stands for is missing, not absent.
            json(200, searchset(&[outcome("one shard is down")])),
            "status 200: one shard is down",
        ),
        (
            json(200, json!({ "resourceType": "Patient" })),
            "Bundle was asked for",
        ),
        (
            json(200, searchset(&[visit("2026-12-02T15:00:00")])),
            "Appointment/a-1: start: an instant with offset",
        ),
        (
            json(
                200,
                json!({ "resourceType": "Bundle", "link": [
                { "relation": "next", "url": "https://elsewhere.example.com/page" }] }),
            ),
            "set base_url",
        ),
    ];
    for (answer, cause) in cases {
        let server = server().await;
        Mock::given(path("/Appointment/_search"))
            .respond_with(answer)
            .mount(&server)
            .await;
        let said = told(visits(&records(&server)).await);
        assert!(said.contains(cause), "{said:?} for {cause:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_or_slow_fails_within_its_time() {
    let mut nowhere = settings("http://127.0.0.1:9/fhir");
    let down = FhirRecords::new(&nowhere, sunday()).unwrap();
    assert!(told(visits(&down).await).contains("cannot be reached"));

    let server = server().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(path("/Appointment/_search"))
        .respond_with(late)
        .mount(&server)
        .await;
    nowhere.base_url = server.uri();
    nowhere.timeout_s = 1;
    let slow = FhirRecords::new(&nowhere, sunday()).unwrap();
    let began = Instant::now();
    assert!(told(visits(&slow).await).contains("did not answer in time"));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "asked once, and not again"
    );
}

/// Gives the first answer once, the second ever after.
struct Then(AtomicUsize, ResponseTemplate, ResponseTemplate);

impl Respond for Then {
    fn respond(&self, _: &wiremock::Request) -> ResponseTemplate {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => self.1.clone(),
            _ => self.2.clone(),
        }
    }
}

#[tokio::test]
async fn retry_after_is_sat_out_when_short_and_kept_to_when_long() {
    let fine = || ResponseTemplate::new(200).set_body_json(searchset(&[]));
    let busy = |after: &str| ResponseTemplate::new(429).insert_header("Retry-After", after);
    let server = server().await;
    let then = Then(AtomicUsize::new(0), busy("1"), fine());
    Mock::given(path("/Appointment/_search"))
        .respond_with(then)
        .mount(&server)
        .await;
    let began = Instant::now();
    assert_eq!(visits(&records(&server)).await, Ok(0));
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "not sooner than asked"
    );

    // By the records' clock the date is ten minutes away.
    for after in ["120", "Sun, 29 Nov 2026 18:10:00 GMT"] {
        let server = self::server().await;
        let then = Then(AtomicUsize::new(0), busy(after), fine());
        Mock::given(path("/Appointment/_search"))
            .respond_with(then)
            .mount(&server)
            .await;
        let records = records(&server);
        assert!(
            told(visits(&records).await).contains("asks to wait"),
            "{after}"
        );
        let asked = server.received_requests().await.unwrap().len();
        assert!(told(visits(&records).await).contains("asks to wait"));
        let asked_again = server.received_requests().await.unwrap().len();
        assert_eq!(asked, asked_again, "it is left alone until then: {after}");
    }
}

#[tokio::test]
async fn a_thousand_slots_are_read_by_pages_and_no_further_than_needed() {
    let server = server().await;
    let base = server.uri();
    let page = move |number: usize| {
        let slots: Vec<Value> = (0..100)
            .map(|n| slot(&format!("s-{}", number * 100 + n), "free"))
            .collect();
        let mut bundle = searchset(&slots);
        bundle["link"] =
            json!([{ "relation": "next", "url": format!("{base}/page/{}", number + 1) }]);
        ResponseTemplate::new(200).set_body_json(bundle)
    };
    let first = page(0);
    Mock::given(path("/Slot/_search"))
        .respond_with(first)
        .mount(&server)
        .await;
    Mock::given(path_regex("^/page/[0-9]+$"))
        .respond_with(move |request: &wiremock::Request| {
            let number = request.url.path().rsplit('/').next().unwrap();
            page(number.parse().unwrap())
        })
        .mount(&server)
        .await;
    let records = records(&server);
    let (from, to) = (
        SUNDAY.parse().unwrap(),
        "2026-12-20T00:00:00Z".parse().unwrap(),
    );
    let slots = records.slots(&practice(), from, to, 250).await.unwrap();
    assert_eq!(slots.len(), 250);
    let asked = server.received_requests().await.unwrap();
    let pages = asked
        .iter()
        .filter(|it| it.url.path() != "/Schedule/_search")
        .count();
    assert_eq!(pages, 3, "not all ten");
    // A server that gives a next page for ever is read to a bound.
    let slots = records.slots(&practice(), from, to, 100_000).await.unwrap();
    assert_eq!(slots.len(), 5_000);
}

#[tokio::test]
async fn a_slot_that_is_listed_and_not_free_is_neither_offered_nor_taken() {
    let server = server().await;
    let mut unclear = slot("s-3", "free");
    unclear["start"] = json!("2026-11-30T09:00:00");
    let listed = [
        slot("s-1", "free"),
        slot("s-2", "entered-in-error"),
        unclear,
    ];
    let answer = ResponseTemplate::new(200).set_body_json(searchset(&listed));
    Mock::given(path("/Slot/_search"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let gone = ResponseTemplate::new(200).set_body_json(slot("s-2", "entered-in-error"));
    Mock::given(path("/Slot/s-2"))
        .respond_with(gone)
        .mount(&server)
        .await;
    let none = ResponseTemplate::new(200).set_body_json(searchset(&[]));
    Mock::given(path("/Appointment/_search"))
        .respond_with(none)
        .mount(&server)
        .await;
    let records = records(&server);
    let (from, to) = (
        SUNDAY.parse().unwrap(),
        "2026-12-20T00:00:00Z".parse().unwrap(),
    );
    let slots = records.slots(&practice(), from, to, 10).await.unwrap();
    let ids: Vec<&str> = slots.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["s-1"], "a time without a zone is offered to nobody");
    let wanted = booking("s-2");
    let refused = records.book(&practice(), &patient(), &wanted, "k").await;
    assert_eq!(refused, Err(RecordsError::Conflict));
    let wrote = server.received_requests().await.unwrap();
    assert!(
        wrote.iter().all(|it| it.method != "PUT"),
        "nothing was written"
    );
}

fn booking(slot: &str) -> NewVisit {
    NewVisit {
        slot: SlotId::new(slot),
        kind: String::new(),
        reason: Phi::default(),
    }
}

/// A slot as a server keeps it: replaced by what is put.
struct Kept(std::sync::Mutex<Value>);

impl Respond for Kept {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let mut kept = self.0.lock().unwrap();
        if request.method == "PUT" {
            let wanted = format!("W/\"{}\"", kept["meta"]["versionId"].as_str().unwrap());
            if request.headers.get("If-Match").unwrap() != wanted.as_str() {
                return ResponseTemplate::new(412);
            }
            let mut next: Value = request.body_json().unwrap();
            next["meta"]["versionId"] = json!(format!("{wanted}+").replace(['W', '/', '"'], ""));
            *kept = next;
        }
        ResponseTemplate::new(200).set_body_json(&*kept)
    }
}

/// A server with one free slot that it keeps, and no visit.
async fn with_a_free_slot() -> (MockServer, std::sync::Arc<Kept>) {
    let server = server().await;
    let kept = std::sync::Arc::new(Kept(std::sync::Mutex::new(slot("s-1", "free"))));
    let answers = std::sync::Arc::clone(&kept);
    Mock::given(path("/Slot/s-1"))
        .respond_with(move |request: &wiremock::Request| answers.respond(request))
        .mount(&server)
        .await;
    let none = ResponseTemplate::new(200).set_body_json(searchset(&[]));
    Mock::given(path("/Appointment/_search"))
        .respond_with(none)
        .mount(&server)
        .await;
    (server, kept)
}

#[tokio::test]
async fn a_calendar_that_cannot_be_read_after_a_claim_leaves_its_slot_free() {
    let (server, kept) = with_a_free_slot().await;
    // Whose calendar it is cannot be told: the directory is down.
    Mock::given(path("/Schedule/_search"))
        .respond_with(ResponseTemplate::new(500))
        .mount(&server)
        .await;
    let booked = records(&server)
        .book(&practice(), &patient(), &booking("s-1"), "k")
        .await;
    assert!(booked.is_err());
    assert_eq!(kept.0.lock().unwrap()["status"], "free");
}

#[tokio::test]
async fn a_visit_that_cannot_be_written_leaves_its_slot_free() {
    let (server, kept) = with_a_free_slot().await;
    let refused = json!({ "resourceType": "OperationOutcome", "issue": [
        { "severity": "error", "code": "business-rule", "diagnostics": "new visits need a referral" }] });
    Mock::given(method("POST"))
        .and(path("/Appointment"))
        .respond_with(ResponseTemplate::new(422).set_body_json(refused))
        .mount(&server)
        .await;
    let booked = records(&server)
        .book(&practice(), &patient(), &booking("s-1"), "k")
        .await;
    let said = told(booked.map(|_| 0));
    assert!(said.contains("new visits need a referral"), "{said}");
    assert_eq!(
        kept.0.lock().unwrap()["status"],
        "free",
        "nothing is half booked"
    );
}

#[tokio::test]
async fn a_visit_that_changed_meanwhile_is_read_again_and_an_unversioned_one_is_left_alone() {
    let server = server().await;
    let mine = "2026-12-02T15:00:00-08:00";
    let read = ResponseTemplate::new(200).set_body_json(visit(mine));
    Mock::given(method("GET"))
        .and(path("/Appointment/a-1"))
        .respond_with(read)
        .mount(&server)
        .await;
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(412))
        .mount(&server)
        .await;
    let change = async |server: &MockServer| {
        let (who, id) = (patient(), AppointmentId::new("a-1"));
        let status = AppointmentStatus::Cancelled;
        records(server)
            .set_status(&practice(), &who, &id, status, "k")
            .await
    };
    assert_eq!(change(&server).await, Err(RecordsError::Conflict));
    let tries = server.received_requests().await.unwrap();
    assert_eq!(tries.iter().filter(|it| it.method == "PUT").count(), 3);

    let server = self::server().await;
    let mut bare = visit(mine);
    bare.as_object_mut().unwrap().remove("meta");
    let read = ResponseTemplate::new(200).set_body_json(bare);
    Mock::given(path("/Appointment/a-1"))
        .respond_with(read)
        .mount(&server)
        .await;
    let said = told(change(&server).await.map(|_| 0));
    assert!(said.contains("meta.versionId"), "{said}");
    let wrote = server.received_requests().await.unwrap();
    assert!(
        wrote.iter().all(|it| it.method != "PUT"),
        "nothing was written"
    );
}

#[tokio::test]
async fn no_number_and_no_name_stands_in_an_address() {
    let server = server().await;
    let none = ResponseTemplate::new(200).set_body_json(searchset(&[]));
    Mock::given(path("/Patient/_search"))
        .respond_with(none)
        .mount(&server)
        .await;
    let number = "+14155550142".parse().unwrap();
    records(&server)
        .patients_by_phone(&practice(), &number)
        .await
        .unwrap();
    for request in server.received_requests().await.unwrap() {
        assert!(!request.url.as_str().contains("5550142"), "{}", request.url);
    }
    // What is no id of FHIR is asked of nobody.
    let odd = PatientId::new("../Patient?name=Ana");
    let found = records(&server).patient(&practice(), &odd).await.unwrap();
    assert_eq!(found, None);
}
