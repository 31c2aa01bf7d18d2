//! Paging: an alarm is told to whoever is on call at once, again while nobody has it, and never with a
//! word of the patient.

#![cfg(test)]

use anteroom::carrier::pager::{BadPager, Pager};
use anteroom::store::{Acknowledged, Store};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use sha2::Sha256;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers};

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, TOM};

const SECRET: &str = "whsec_QW4gaW52ZW50ZWQgc2VjcmV0IG9mIDMyIGJ5dGVzISE=";

async fn receiver(status: u16) -> MockServer {
    let server = MockServer::start().await;
    answering(&server, status).await;
    server
}

async fn answering(server: &MockServer, status: u16) {
    server.reset().await;
    Mock::given(matchers::method("POST"))
        .respond_with(ResponseTemplate::new(status))
        .mount(server)
        .await;
}

fn pager(server: &MockServer) -> Pager {
    Pager::new(
        &format!("{}/oncall", server.uri()),
        &SECRET.to_owned().into(),
    )
    .unwrap()
}

/// The pages that came, each checked for its signature: its id and its body.
async fn pages(server: &MockServer) -> Vec<(String, serde_json::Value)> {
    let requests = server.received_requests().await.unwrap();
    let read = |request: &wiremock::Request| {
        let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
        let key = STANDARD
            .decode(SECRET.trim_start_matches("whsec_"))
            .unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
        mac.update(format!("{id}.{at}.").as_bytes());
        mac.update(&request.body);
        let signed = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        assert_eq!(header("webhook-signature"), signed);
        (id, request.body_json().unwrap())
    };
    requests.iter().map(read).collect()
}

#[tokio::test]
async fn on_call_is_told_at_once_and_again_until_somebody_has_it() {
    on_sqlite(told).await;
}

#[tokio::test]
async fn on_call_is_told_at_once_and_again_until_somebody_has_it_on_postgres() {
    on_postgres(told).await;
}

async fn told(store: Store) {
    let server = receiver(204).await;
    let app = App::with_pager(store, pager(&server)).await;
    app.one(TOM, "I have crushing chest pain, this is Tom")
        .await;
    assert_eq!(app.house.page_once().await.unwrap(), 1);
    assert_eq!(app.house.page_once().await.unwrap(), 0, "told once");
    let came = pages(&server).await;
    let [(id, body)] = &came[..] else {
        panic!("one page, not {}", came.len());
    };
    let alarm = app.house.store().open_alarms().await.unwrap()[0].id;
    assert_eq!(*id, format!("alarm-{alarm}-0"));
    assert_eq!(body["type"], "alarm.raised");
    assert_eq!(body["data"]["kind"], "emergency");
    let whole = body.to_string();
    for secret in ["Tom", "chest", TOM, "5550114"] {
        assert!(!whole.contains(secret), "{whole}");
    }
    app.clock.advance(SignedDuration::from_mins(5));
    app.house.repeat_alarms_once().await.unwrap();
    assert_eq!(app.house.page_once().await.unwrap(), 1);
    let came = pages(&server).await;
    assert_eq!(came[1].0, format!("alarm-{alarm}-1"));
    assert_eq!(came[1].1["type"], "alarm.repeated");
    assert_eq!(came[1].1["data"]["minutes_open"], 5);
    let now = app.house.clock().now();
    let taken = app.house.store().acknowledge_alarm(alarm, "Ana", now).await;
    assert_eq!(taken.unwrap(), Acknowledged::Now);
    app.clock.advance(SignedDuration::from_hours(3));
    app.house.repeat_alarms_once().await.unwrap();
    assert_eq!(app.house.page_once().await.unwrap(), 0, "somebody has it");
}

#[tokio::test]
async fn a_page_that_is_refused_is_tried_again() {
    on_sqlite(refused).await;
}

async fn refused(store: Store) {
    let server = receiver(503).await;
    let app = App::with_pager(store, pager(&server)).await;
    app.one(TOM, "quiero morirme").await;
    assert_eq!(app.house.page_once().await.unwrap(), 0);
    assert_eq!(app.house.page_once().await.unwrap(), 0, "not at once");
    assert_eq!(pages(&server).await.len(), 1);
    answering(&server, 200).await;
    app.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(app.house.page_once().await.unwrap(), 1);
    assert_eq!(pages(&server).await[0].1["data"]["kind"], "crisis");
}

#[tokio::test]
async fn a_calm_text_pages_nobody() {
    on_sqlite(calm).await;
}

async fn calm(store: Store) {
    let server = receiver(200).await;
    let app = App::with_pager(store, pager(&server)).await;
    app.one(TOM, "this wait is killing me").await;
    assert_eq!(app.house.page_once().await.unwrap(), 0);
    assert!(pages(&server).await.is_empty());
}

#[test]
fn a_page_goes_nowhere_unsigned_or_in_the_clear() {
    let made =
        |address: &str, secret: &str| Pager::new(address, &secret.to_owned().into()).map(drop);
    assert_eq!(made("https://oncall.example.com/x", SECRET), Ok(()));
    assert_eq!(made("http://127.0.0.1:9/x", SECRET), Ok(()));
    for address in ["http://oncall.example.com/x", "ftp://example.com", "oncall"] {
        assert_eq!(made(address, SECRET), Err(BadPager::Address), "{address}");
    }
    for secret in ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%"] {
        let bad = made("https://oncall.example.com/x", secret);
        assert_eq!(bad, Err(BadPager::Secret), "{secret}");
    }
}
