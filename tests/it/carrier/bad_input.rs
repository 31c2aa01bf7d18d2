//! What a carrier, or somebody in its name, may send: what it is answered, what the audit log says
//! of it, what is counted, and that nothing is lost. The table stands in `docs/carriers.md`.

#![cfg(test)]

use anteroom::carrier::fake::{Post, Sending};
use anteroom::domain::clock::Clock as _;
use anteroom::domain::practice::CarrierKind;
use anteroom::pipeline::work::Step;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::json;
use sha1::Sha1;

use crate::support::stores;
use crate::support::town::{ACCOUNT, SMS, TOKEN, Town, sending};

const DOCS: &str = include_str!("../../../docs/carriers.md");
const FORM: &str = "application/x-www-form-urlencoded";
const PATIENT: &str = "+14155550142";

/// A webhook as Twilio signs it; the body may be anything.
fn twilio(town: &Town, path: &str, body: &[u8]) -> Post {
    let url = format!("{}/webhooks/twilio/lakeside{path}", town.public);
    let mut pairs = anteroom::carrier::twilio::signature::decode_form(body);
    pairs.sort();
    pairs.dedup();
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in pairs {
        mac.update(&name);
        mac.update(&value);
    }
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Post {
        method: http::Method::POST,
        url,
        headers: vec![
            ("content-type", FORM.to_owned()),
            ("x-twilio-signature", signature),
        ],
        body: body.to_vec(),
    }
}

/// The fields of a form; each case has an id of its own.
fn form(id: char, more: &[(&str, &str)]) -> Vec<u8> {
    let sid = format!("SM{}{id}", "0".repeat(31));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("AccountSid", ACCOUNT), ("MessageSid", &sid)])
        .extend_pairs(more)
        .finish()
        .into_bytes()
}

fn bandwidth(town: &Town, authorization: &str, body: Vec<u8>) -> Post {
    Post {
        method: http::Method::POST,
        url: format!("{}/webhooks/bandwidth/lakeside", town.public),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("authorization", authorization.to_owned()),
        ],
        body,
    }
}

const EVENTS: usize = 1_000;

/// An invented patient's number.
fn stranger(number: usize) -> String {
    format!("+1{}55501{:02}", 201 + number / 100, number % 100)
}

fn thousand() -> Vec<u8> {
    let events: Vec<_> = (0..EVENTS)
        .map(|number| {
            json!({
                "type": "message-received", "time": "2026-11-29T18:00:00.000Z",
                "to": "+14155550104", "description": "Incoming message received",
                "message": {
                    "id": format!("fake{number:024}"), "owner": "+14155550104", "direction": "in",
                    "applicationId": "fake", "segmentCount": 1,
                    "time": "2026-11-29T18:00:00.000Z", "to": ["+14155550104"],
                    "from": stranger(number),
                    "text": "hi",
                },
            })
        })
        .collect();
    serde_json::to_vec(&events).unwrap()
}

/// The reasons that the audit log has of refused webhooks, oldest first.
async fn audited(town: &Town) -> Vec<String> {
    let store = town.app.house.store();
    store.sequence_audit(town.app.clock.now()).await.unwrap();
    let entries = store.audit_entries(town.app.practice()).await.unwrap();
    let refused = entries
        .iter()
        .filter(|it| it.entry.action == "webhook.refused");
    refused
        .map(|it| {
            let detail: serde_json::Value = serde_json::from_str(&it.entry.detail).unwrap();
            detail["reason"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// The reasons that were counted.
fn counted(metrics: &str) -> Vec<String> {
    let name = "anteroom_webhook_rejected_total{reason=\"";
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
    lines
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// How many texts these patients have written.
async fn texts(town: &Town, patients: impl Iterator<Item = String>) -> usize {
    let mut texts = 0;
    let store = town.app.house.store();
    for number in patients {
        let number = number.parse().unwrap();
        let with = store
            .conversations_with(town.app.practice(), &number)
            .await
            .unwrap();
        for conversation in with {
            texts += store.turns(conversation.id, 10).await.unwrap().len();
        }
    }
    texts
}

type Case = (&'static str, fn(&Town) -> Post, u16, &'static str, usize);

/// What comes, what it is answered, the reason that is counted and audited, the texts kept.
const CASES: &[Case] = &[
    (
        "Twilio: a report on a text that was never sent",
        |town| {
            twilio(
                town,
                "/status",
                &form('1', &[("MessageStatus", "delivered")]),
            )
        },
        404,
        "unknown_message",
        0,
    ),
    (
        "Twilio: a status that does not exist",
        |town| {
            twilio(
                town,
                "/status",
                &form('2', &[("MessageStatus", "teleported")]),
            )
        },
        400,
        "unreadable",
        0,
    ),
    (
        "Twilio: a body that is not UTF-8",
        |town| {
            let mut body = form('3', &[("From", PATIENT), ("To", SMS)]);
            body.extend_from_slice(b"&Body=caf%E9+\xff");
            twilio(town, "", &body)
        },
        200,
        "",
        1,
    ),
    (
        "Twilio: a form key that comes twice",
        |town| {
            let fields = [
                ("From", PATIENT),
                ("To", SMS),
                ("Body", "first"),
                ("Body", "second"),
            ];
            twilio(town, "", &form('4', &fields))
        },
        200,
        "",
        1,
    ),
    (
        "Twilio: JSON without the digest of its body",
        |town| {
            let mut post = twilio(town, "", b"{}");
            post.headers[0].1 = "application/json".to_owned();
            post
        },
        415,
        "content_type",
        0,
    ),
    (
        "Bandwidth: a body that is not UTF-8",
        |town| bandwidth(town, &basic(), b"[\"\xff\"]".to_vec()),
        400,
        "unreadable",
        0,
    ),
    (
        "Bandwidth: an array of 1,000 events",
        |town| bandwidth(town, &basic(), thousand()),
        204,
        "",
        EVENTS,
    ),
    (
        "Bandwidth: a Bearer token",
        |town| bandwidth(town, "Bearer x", thousand()),
        401,
        "wrong_credentials",
        0,
    ),
    (
        "MessageBird: the older signature",
        |town| {
            let (_, mut post) = written(town, CarrierKind::Messagebird);
            post.headers = vec![
                ("messagebird-signature", "x".to_owned()),
                ("messagebird-request-timestamp", "1796061600".to_owned()),
            ];
            post
        },
        403,
        "wrong_scheme",
        0,
    ),
    (
        "MessageBird: a clock five minutes off",
        |town| {
            let (_, post) = written(town, CarrierKind::Messagebird);
            town.app.wait(SignedDuration::from_secs(301));
            post
        },
        403,
        "wrong_time",
        0,
    ),
    (
        "Bird: a clock five minutes off",
        |town| {
            let (_, post) = written(town, CarrierKind::Bird);
            town.app.wait(SignedDuration::from_secs(301));
            post
        },
        403,
        "wrong_signature",
        0,
    ),
];

fn basic() -> String {
    format!("Basic {}", STANDARD.encode("hook:FAKE"))
}

fn written(town: &Town, kind: CarrierKind) -> (String, Post) {
    let number = if kind == CarrierKind::Bird {
        "+14155550106"
    } else {
        "+14155550105"
    };
    town.written(kind, sending(PATIENT, number, "hi", None), Vec::new())
}

#[tokio::test]
async fn whatever_comes_is_answered_counted_and_written_down() {
    let store = stores::sqlite().await;
    let town = Town::new(store.store.clone()).await;
    let mut rows = Vec::new();
    let (mut marks, mut kept_before) = (0, 0);
    for (what, post, status, reason, kept) in CASES {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let told = town.post(&post(&town)).await;
        assert_eq!(told.status, *status, "{what}: {}", told.text());
        let expected: &[&str] = if reason.is_empty() { &[] } else { &[*reason] };
        assert_eq!(counted(&recorder.handle().render()), expected, "{what}");
        let audit = audited(&town).await;
        assert_eq!(&audit[marks..], expected, "{what}");
        marks = audit.len();
        if *kept == EVENTS {
            let all = (0..EVENTS).map(stranger);
            assert_eq!(texts(&town, all).await, EVENTS, "{what}");
        } else {
            let all = texts(&town, [PATIENT.to_owned()].into_iter()).await;
            assert_eq!(all - kept_before, *kept, "{what}");
            kept_before = all;
        }
        let reason = if reason.is_empty() {
            String::new()
        } else {
            format!("`{reason}`")
        };
        rows.push(format!("| {what} | {status} | {reason} | {kept} |"));
    }
    let missing: Vec<&String> = rows
        .iter()
        .filter(|row| !DOCS.contains(row.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in docs/carriers.md:\n{missing:#?}");
}

/// A text with one file: bytes at the carrier, or an address elsewhere.
async fn with_file(town: &Town, bytes: Vec<u8>, elsewhere: Option<&str>) {
    let post = match elsewhere {
        None => {
            let sending = Sending {
                from: PATIENT.to_owned(),
                to: SMS.to_owned(),
                body: "see this".to_owned(),
                ..Sending::default()
            };
            town.written(CarrierKind::Twilio, sending, vec![bytes]).1
        }
        Some(address) => {
            let fields = [
                ("From", PATIENT),
                ("To", SMS),
                ("Body", "see this"),
                ("NumMedia", "1"),
                ("MediaUrl0", address),
                ("MediaContentType0", "image/jpeg"),
            ];
            twilio(town, "", &form('5', &fields))
        }
    };
    assert_eq!(town.post(&post).await.status, 200);
}

#[tokio::test]
async fn a_file_that_is_none_is_not_kept_staff_are_told_and_the_text_is_answered() {
    let mut rows = Vec::new();
    for (what, bytes, elsewhere, outcome, told) in [
        (
            "an HTML page",
            b"<!DOCTYPE html><html>".to_vec(),
            None,
            "unknown_kind",
            "it is no JPEG, PNG, GIF, WebP or PDF",
        ),
        (
            "60 MB",
            vec![0xff; 60 * 1024 * 1024],
            None,
            "too_large",
            "it is larger than 16 MB",
        ),
        (
            "a private address",
            Vec::new(),
            Some("http://169.254.169.254/latest/meta-data/"),
            "wrong_address",
            "its address is not the carrier's",
        ),
    ] {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _recording = metrics::set_default_local_recorder(&recorder);
        let store = stores::sqlite().await;
        let town = Town::new(store.store.clone()).await;
        with_file(&town, bytes, elsewhere).await;
        town.settle().await;
        assert_eq!(town.app.house.media_once().await.unwrap(), Step::Idle);
        let reason = format!("a file from the patient was not kept: {told}");
        assert_eq!(town.app.held().await, [reason], "{what}");
        assert_eq!(town.phone(PATIENT).len(), 1, "{what}: the text is answered");
        let counted = format!("anteroom_media_total{{outcome=\"{outcome}\"}} 1");
        assert!(recorder.handle().render().contains(&counted), "{what}");
        let audited = town.app.audited().await;
        assert!(
            audited.contains(&"media.fetched".to_owned()),
            "{what}: {audited:?}"
        );
        rows.push(format!("| A file: {what} | 200 | `{outcome}` | 1 |"));
    }
    let missing: Vec<&String> = rows
        .iter()
        .filter(|row| !DOCS.contains(row.as_str()))
        .collect();
    assert!(missing.is_empty(), "not in docs/carriers.md:\n{missing:#?}");
}
