//! The webhooks of the other carriers through the same door.

#![cfg(test)]

use std::sync::Arc;

use anteroom::domain::message::Delivery;
use anteroom::domain::practice::CarrierKind;
use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::simulator::fake::{Fake, Told, ask};

const BANDWIDTH: &str = "/webhooks/bandwidth/lakeside";

async fn bandwidth(fake: &Arc<Fake>, path: &str, password: Option<&str>, body: &Value) -> Told {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(password) = password {
        let pair = STANDARD.encode(format!("fakehook:{password}"));
        request = request.header("authorization", format!("Basic {pair}"));
    }
    let request = request.body(Body::from(body.to_string())).unwrap();
    ask(&fake.router(), request).await
}

fn received(number: usize, body: &str) -> Value {
    json!({
        "type": "message-received", "time": "2026-12-01T18:00:00.000Z", "to": "+14155550104",
        "description": "Incoming message received",
        "message": {
            "id": format!("fake{number:024}"), "owner": "+14155550104", "direction": "in",
            "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2", "segmentCount": 1,
            "time": "2026-12-01T18:00:00.000Z", "to": ["+14155550104"],
            "from": format!("+1{}555014{}", 201 + number / 10, number % 10), "text": body,
        },
    })
}

fn reported(id: &str, kind: &str, code: Option<u32>) -> Value {
    json!({
        "type": kind, "time": "2026-12-01T18:00:00.000Z", "to": "+14155550142",
        "description": "told", "errorCode": code,
        "message": {"id": id, "owner": "+14155550104", "tag": "lakeside-7", "text": ""},
    })
}

#[tokio::test]
async fn bandwidths_webhooks_need_their_credentials_and_are_asked_for_them() {
    let body = json!([received(1, "hi")]);
    for (password, status) in [
        (Some("fake:pass:ü"), 204),
        (Some("an older one"), 204),
        (Some("guess"), 401),
        (Some(""), 401),
        (None, 401),
    ] {
        let fake = Fake::new();
        let told = bandwidth(&fake, BANDWIDTH, password, &body).await;
        assert_eq!(told.status, status, "{password:?}");
        if status == 401 {
            assert!(told.header("www-authenticate").starts_with("Basic"));
            assert!(fake.state().received.is_empty());
            assert_eq!(fake.state().refused.len(), 1);
        }
    }
}

#[tokio::test]
async fn a_thousand_events_are_each_taken_once_and_in_order_and_a_broken_one_takes_none_along() {
    let fake = Fake::new();
    let mut events: Vec<Value> = (0..990).map(|number| received(number, "hi")).collect();
    // Two of one phone keep their order.
    let mut later = received(3, "second");
    later["message"]["id"] = json!("fakelater");
    events.push(later);
    events.push(json!({"type": "message-received", "message": {"id": "x"}}));
    events.push(json!({"type": "message-teleported", "message": {"id": "x"}}));
    events.push(json!("not an event"));
    events.push(json!({"type": "suggestion-response", "message": {"id": "x"}}));
    events.push(reported(
        "SM00000000000000000000000000000042",
        "message-delivered",
        None,
    ));
    events.push(reported("never-sent", "message-delivered", None));
    let mut elsewhere = received(1, "hi");
    elsewhere["message"]["owner"] = json!("+14155550109");
    events.push(elsewhere);
    events.extend((0..2).map(|_| json!({"type": 5})));
    assert_eq!(events.len(), 1_000);
    let body = Value::Array(events);
    let told = bandwidth(&fake, BANDWIDTH, Some("fake:pass:ü"), &body).await;
    assert_eq!(told.status, 204, "{}", told.text());
    let state = fake.state();
    assert_eq!(state.received.len(), 991);
    let one: Vec<&str> = state
        .received
        .iter()
        .filter(|it| it.from.as_str() == "+12015550143")
        .map(|it| it.body.as_str())
        .collect();
    assert_eq!(one, ["hi", "second"]);
    assert_eq!(state.reports.len(), 2);
    let refused = |why| state.refused.iter().filter(|(_, it)| *it == why).count();
    assert_eq!(refused("unreadable"), 5);
    assert_eq!(
        (refused("unknown_message"), refused("not_our_number")),
        (1, 1)
    );
}

#[tokio::test]
async fn an_array_whose_texts_cannot_be_kept_now_is_asked_for_again() {
    let fake = Fake::new();
    fake.state().down = true;
    let body = json!([received(1, "hi"), received(2, "hi")]);
    let told = bandwidth(&fake, BANDWIDTH, Some("fake:pass:ü"), &body).await;
    assert_eq!(told.status, 503);
}

#[tokio::test]
async fn bandwidths_reports_come_by_either_address_with_their_code() {
    for path in [BANDWIDTH, "/webhooks/bandwidth/lakeside/status"] {
        let fake = Fake::new();
        let id = "SM00000000000000000000000000000042";
        for (kind, delivery) in [
            ("message-sending", Delivery::Sending),
            ("message-sent", Delivery::Sent),
            ("message-failed", Delivery::Failed),
        ] {
            let code = (delivery == Delivery::Failed).then_some(4775);
            let event = reported(id, kind, code);
            // The description shows a bare object; the wire has an array. Both are read.
            let body = if delivery == Delivery::Sent {
                event
            } else {
                json!([event])
            };
            let told = bandwidth(&fake, path, Some("fake:pass:ü"), &body).await;
            assert_eq!(told.status, 204);
            let expected = (id.to_owned(), delivery, code.map(|code| code.to_string()));
            assert_eq!(fake.state().reports.last(), Some(&expected));
        }
    }
}

#[tokio::test]
async fn what_is_no_json_and_what_is_too_large_is_refused_with_a_line_in_the_audit_log() {
    let fake = Fake::new();
    let pair = STANDARD.encode("fakehook:fake:pass:ü");
    for (body, status, reason) in [
        (b"\xff\xfe not utf-8".to_vec(), 400, "unreadable"),
        (b"{".to_vec(), 400, "unreadable"),
        (b"5".to_vec(), 400, "unreadable"),
        (vec![b' '; 3 * 1024 * 1024], 413, "too_large"),
    ] {
        let request = Request::post(BANDWIDTH)
            .header("authorization", format!("Basic {pair}"))
            .body(Body::from(body))
            .unwrap();
        let told = ask(&fake.router(), request).await;
        assert_eq!(told.status, status);
        let expected = (CarrierKind::Bandwidth, reason);
        assert_eq!(fake.state().refused.last(), Some(&expected));
    }
}

#[tokio::test]
async fn a_text_of_the_simulators_is_signed_as_any_carriers() {
    let fake = Fake::new();
    let request = Request::post("/webhooks/simulator/lakeside")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .body(Body::from("From=%2B14155550142&To=%2B14155550102&Body=Hi"))
        .unwrap();
    assert_eq!(ask(&fake.router(), request).await.status, 403);
    let refused = (CarrierKind::Simulator, "wrong_signature");
    assert_eq!(fake.state().refused, [refused]);
    assert!(fake.state().received.is_empty());
}

#[tokio::test]
async fn an_address_of_no_carrier_looks_like_any_wrong_address() {
    let fake = Fake::new();
    for path in [
        "/webhooks/pigeon/lakeside",
        "/webhooks/bandwidth/elsewhere",
        "/webhooks/bandwidth/lakeside/other",
    ] {
        let told = bandwidth(&fake, path, Some("fake:pass:ü"), &json!([])).await;
        assert_eq!(told.status, 404, "{path}");
    }
    assert!(fake.state().refused.is_empty());
}
