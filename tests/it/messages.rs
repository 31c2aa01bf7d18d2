//! `POST /v1/messages` as a practice's own system uses it, against the built server.

#![cfg(test)]

use serde_json::{Value, json};

use crate::support::server::Server;

const TOM: &str = "+14155550114";

struct Told {
    status: u16,
    replayed: bool,
    kind: String,
    body: Value,
}

async fn ask(server: &Server, key: Option<&str>, body: &Value) -> Told {
    ask_with(server, key, body, None).await
}

async fn ask_with(server: &Server, key: Option<&str>, body: &Value, bearer: Option<&str>) -> Told {
    let url = format!("{}/v1/messages", server.base);
    let mut request = server.http().post(url).json(body);
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    let answer = request.send().await.unwrap();
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    Told {
        status: answer.status().as_u16(),
        replayed: header("idempotency-replayed") == "true",
        kind: header("content-type"),
        body: answer.json().await.unwrap(),
    }
}

/// How many reminders of Tom's visit are on their way or with him, once one is.
async fn calls(server: &Server) -> usize {
    let url = format!("{}/simulator/events", server.base);
    let mut events = server.http().get(url).send().await.unwrap();
    loop {
        let thread = server.thread(TOM).await;
        let body = |turn: &Value| turn["body"].as_str().unwrap().contains("Please call us");
        let found = thread.iter().filter(|turn| body(turn)).count();
        if found > 0 {
            return found;
        }
        assert!(events.chunk().await.unwrap().is_some(), "the server ended");
    }
}

fn reminder() -> Value {
    json!({ "practice": "lakeside", "patient": "p-004", "appointment": "a-004" })
}

/// The body of the example in the documentation.
fn documented() -> Value {
    let page = std::fs::read_to_string("docs/messages.md").unwrap();
    let body = page.split("-d '").nth(1).unwrap().split('\'').next();
    serde_json::from_str(body.unwrap()).unwrap()
}

#[tokio::test]
async fn a_message_is_asked_for_once_and_is_known_after_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/a.db", folder.path().display());
    let server = Server::start(folder.path(), &database);
    // Words are written at once, whatever the hour, and wait for theirs in the outbox; a reminder is
    // made from the record when an hour is open.
    server.text(TOM, "Hello").await;
    server.answers(TOM, 1).await;
    server.text(TOM, "YES").await;
    server.answers(TOM, 2).await;
    assert_eq!(documented(), reminder());
    let call = json!({ "practice": "lakeside", "patient": "p-004", "text": "Please call us." });
    let first = ask(&server, Some("k-1"), &call).await;
    assert_eq!(first.status, 202, "{}", first.body);
    assert_eq!(first.body["status"], "accepted");
    assert!(!first.replayed);
    for key in ["k-1", "\"k-1\""] {
        let again = ask(&server, Some(key), &call).await;
        assert_eq!((again.status, &again.body), (202, &first.body), "{key}");
        assert!(again.replayed, "{key}");
    }
    assert_eq!(calls(&server).await, 1);
    // Power off and on: it is still known.
    server.kill();
    let server = Server::start(folder.path(), &database);
    let again = ask(&server, Some("k-1"), &call).await;
    assert_eq!((again.status, &again.body), (202, &first.body));
    assert_eq!(calls(&server).await, 1);
    let clash = ask(&server, Some("k-1"), &reminder()).await;
    assert_eq!(clash.status, 422);
    assert_eq!(clash.body["reason"], "idempotency_key_reused");
    assert_eq!(clash.kind, "application/problem+json");
}

/// What is changed about the request (null takes a key away), the status, the reason or the detail.
const BROKEN: &str = r#"
{"practice": "elsewhere"}                       | 404 | unknown_practice
{"patient": "p-999"}                            | 404 | unknown_patient
{"appointment": "a-001"}                        | 404 | unknown_appointment
{"to": "+14155550190"}                          | 422 | number_not_on_file
{"to": "555-0114"}                              | 422 | `to`
{"to": 4155550114}                              | 422 | `to`
{"appointment": null}                           | 422 | one of `appointment`
{"text": "Please call us."}                     | 422 | not both
{"appointment": null, "text": "  "}             | 422 | `text` is empty
{"practice": null}                              | 422 | `practice`
{"patient": null}                               | 422 | `patient`
{"channel": "sms"}                              | 422 | unknown key `channel`
"#;

#[tokio::test]
async fn what_cannot_be_sent_is_told_by_its_key_and_never_by_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/a.db", folder.path().display());
    let server = Server::start(folder.path(), &database);
    for (at, line) in BROKEN.trim().lines().enumerate() {
        let [change, status, want] = line.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let change: Value = serde_json::from_str(change.trim()).unwrap();
        let mut body = reminder();
        for (name, value) in change.as_object().unwrap() {
            let body = body.as_object_mut().unwrap();
            if value.is_null() {
                body.remove(name);
            } else {
                body.insert(name.clone(), value.clone());
            }
        }
        let told = ask(&server, Some(&format!("bad-{at}")), &body).await;
        assert_eq!(
            told.status.to_string(),
            status.trim(),
            "{line}: {}",
            told.body
        );
        assert_eq!(told.kind, "application/problem+json", "{line}");
        let reason = told.body["reason"].as_str().unwrap_or_default();
        let detail = told.body["detail"].as_str().unwrap();
        let said = reason == want.trim() || detail.contains(want.trim());
        assert!(said, "{line}: {}", told.body);
        for value in [
            "p-999",
            "elsewhere",
            "555-0114",
            "4155550114",
            "Please call",
        ] {
            assert!(!detail.contains(value), "{line}: {detail}");
        }
    }
    let long = "x".repeat(256);
    for key in [None, Some(""), Some("\"\""), Some(long.as_str())] {
        let told = ask(&server, key, &reminder()).await;
        assert_eq!(told.status, 400, "{key:?}");
        assert_eq!(told.body["reason"], "idempotency_key_missing", "{key:?}");
    }
    // A request that was broken took no key: mended, it is taken under the same one.
    assert_eq!(ask(&server, Some("bad-0"), &reminder()).await.status, 202);
    let log = server.log();
    assert!(!log.contains("p-004") && !log.contains("bad-0"), "{log}");
}

#[tokio::test]
async fn stop_and_no_are_told_to_the_practices_system() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/a.db", folder.path().display());
    let server = Server::start(folder.path(), &database);
    server.text(TOM, "STOP").await;
    server.answers(TOM, 1).await;
    for _ in 0..2 {
        let told = ask(&server, Some("k-1"), &reminder()).await;
        assert_eq!(told.status, 409, "{}", told.body);
        assert_eq!(told.body["reason"], "opted_out");
    }
    assert_eq!(server.answers(TOM, 1).await.len(), 1);
}

#[tokio::test]
async fn only_bearers_of_a_key_may_ask() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/a.db", folder.path().display());
    let key = "a-key-of-the-practice-0123456789";
    let keys = format!("[\"{key}\"]");
    let server = Server::start_with(
        folder.path(),
        &[
            ("ANTEROOM_DATABASE_URL", database.as_str()),
            ("ANTEROOM_GUARD__API_KEYS", keys.as_str()),
        ],
    );
    for (bearer, status) in [(None, 401), (Some("a-guess"), 401), (Some(key), 202)] {
        let told = ask_with(&server, Some("k-1"), &reminder(), bearer).await;
        assert_eq!(told.status, status, "{bearer:?}: {}", told.body);
    }
}
