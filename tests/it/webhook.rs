//! Webhooks: who is believed, what is read, and what the carrier is told.

#![cfg(test)]

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use metrics_exporter_prometheus::PrometheusBuilder;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use anteroom::carrier::twilio::HOOK_BYTES_MAX as WEBHOOK_BYTES_MAX;
use anteroom::domain::message::Delivery;
use anteroom::web::json::without_lone_surrogates;
use anteroom::web::router::router;
use anteroom::web::serve::serve;

use crate::simulator::fake::{ACCOUNT, Fake, PUBLIC_URL, TOKEN, Told, ask};

const SID: &str = "SM00000000000000000000000000000042";
const INBOUND: &str = "/webhooks/twilio/lakeside";
const STATUS: &str = "/webhooks/twilio/lakeside/status";
const FORM: &str = "application/x-www-form-urlencoded";

fn sign(token: &str, path: &str, suffix: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(PUBLIC_URL.trim_end_matches('/').as_bytes());
    mac.update(path.as_bytes());
    mac.update(suffix.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn sign_form(path: &str, body: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    pairs.sort();
    pairs.dedup();
    let suffix: String = pairs
        .into_iter()
        .map(|(name, value)| name + &value)
        .collect();
    sign(TOKEN, path, &suffix)
}

fn text(body: &str) -> String {
    let fields = [
        ("AccountSid", ACCOUNT),
        ("MessageSid", SID),
        ("From", "+14155550142"),
        ("To", "+14155550101"),
        ("Body", body),
    ];
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

async fn post(
    fake: &Arc<Fake>,
    path: &str,
    kind: &str,
    signature: &str,
    body: impl Into<Body>,
) -> Told {
    let request = Request::post(path)
        .header("host", "evil.example")
        .header("content-type", kind)
        .header("x-twilio-signature", signature)
        .body(body.into())
        .unwrap();
    ask(&fake.router(), request).await
}

async fn signed(fake: &Arc<Fake>, path: &str, body: &str) -> Told {
    post(fake, path, FORM, &sign_form(path, body), body.to_owned()).await
}

#[tokio::test]
async fn a_signed_text_is_received_and_answered_with_silence() {
    let fake = Fake::new();
    let told = signed(&fake, INBOUND, &text("When is my visit?")).await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("content-type"), "text/xml");
    assert_eq!(
        told.text(),
        r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#
    );
    let again = signed(&fake, INBOUND, &text("When is my visit?")).await;
    assert_eq!((again.status, again.text()), (told.status, told.text()));
    let state = fake.state();
    assert_eq!(state.received.len(), 1);
    assert_eq!(state.received[0].body.as_str(), "When is my visit?");
    assert_eq!(state.received[0].carrier_id, SID);
}

#[tokio::test]
async fn odd_texts_are_received() {
    for body in [
        "",
        "😀😀😀",
        "שלום \u{202e}abc",
        "a\0b",
        "  STOP \r\n",
        "50% + 50 = 100 & more",
    ] {
        let fake = Fake::new();
        assert_eq!(
            signed(&fake, INBOUND, &text(body)).await.status,
            200,
            "{body:?}"
        );
        assert_eq!(fake.state().received[0].body.as_str(), body);
    }
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_leaves_nothing() {
    let body = text("hi");
    let good = sign_form(INBOUND, &body);
    let wrong_account = body.replace(ACCOUNT, "AC00000000000000000000000000000009");
    for (name, signature, sent) in [
        ("no signature", String::new(), body.clone()),
        ("another body", good.clone(), text("hi!")),
        ("another token", sign("guess", INBOUND, ""), body.clone()),
        ("another path", sign_form(STATUS, &body), body.clone()),
        (
            "another account",
            sign_form(INBOUND, &wrong_account),
            wrong_account,
        ),
        ("missing fields too", good, "Body=hi".to_owned()),
    ] {
        let fake = Fake::new();
        let told = post(&fake, INBOUND, FORM, &signature, sent).await;
        assert_eq!(told.status, 403, "{name}");
        assert_eq!(
            told.header("content-type"),
            "application/problem+json",
            "{name}"
        );
        assert!(fake.state().received.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_refusal_is_counted_by_its_reason() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let fake = Fake::new();
    let body = text("hi");
    post(&fake, INBOUND, FORM, "", body.clone()).await;
    post(
        &fake,
        INBOUND,
        FORM,
        &sign("guess", INBOUND, ""),
        body.clone(),
    )
    .await;
    post(&fake, INBOUND, "text/plain", "", body.clone()).await;
    signed(&fake, INBOUND, &body.replace("MessageSid", "Sid")).await;
    signed(&fake, "/webhooks/twilio/elsewhere", &body).await;
    let told = recorder.handle().render();
    for reason in [
        "wrong_signature",
        "content_type",
        "unreadable",
        "unknown_practice",
    ] {
        let count = if reason == "wrong_signature" { 2 } else { 1 };
        let line = format!("anteroom_webhook_rejected_total{{reason=\"{reason}\"}} {count}");
        assert!(told.contains(&line), "{line} in {told}");
    }
    assert!(
        told.contains("route=\"/webhooks/{carrier}/{practice}\""),
        "{told}"
    );
    assert!(
        !told.contains("elsewhere") && !told.contains("lakeside"),
        "{told}"
    );
}

#[tokio::test]
async fn an_unknown_practice_looks_like_any_wrong_address() {
    let fake = Fake::new();
    let nowhere = ask(
        &fake.router(),
        Request::post("/nowhere").body(Body::empty()).unwrap(),
    )
    .await;
    let body = text("hi");
    let path = "/webhooks/twilio/elsewhere";
    let elsewhere = signed(&fake, path, &body).await;
    let unsigned = post(
        &fake,
        path,
        "text/plain",
        "",
        vec![b'x'; WEBHOOK_BYTES_MAX + 1],
    )
    .await;
    let not_ours = signed(&fake, INBOUND, &body.replace("5550101", "5550109")).await;
    let of_the_simulator = signed(&fake, INBOUND, &body.replace("5550101", "5550102")).await;
    for told in [elsewhere, unsigned, not_ours, of_the_simulator] {
        assert_eq!((told.status, told.text()), (nowhere.status, nowhere.text()));
    }
    assert_eq!(
        nowhere.json(),
        serde_json::json!({"type": "about:blank", "title": "Not Found", "status": 404})
    );
    assert!(fake.state().received.is_empty());
}

#[tokio::test]
async fn a_sender_takes_only_its_own_kind_of_text() {
    for (from, to, expected) in [
        ("whatsapp:+14155550142", "whatsapp:+14155550103", 200),
        ("whatsapp:+14155550142", "whatsapp:+14155550101", 404),
        ("+14155550142", "+14155550103", 404),
    ] {
        let fake = Fake::new();
        let fields = [
            ("AccountSid", ACCOUNT),
            ("MessageSid", SID),
            ("From", from),
            ("To", to),
            ("Body", "x"),
        ];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        assert_eq!(
            signed(&fake, INBOUND, &body).await.status,
            expected,
            "{from} {to}"
        );
    }
}

#[tokio::test]
async fn each_fault_has_its_status_and_says_what_is_wrong() {
    let fake = Fake::new();
    let no_sid = text("hi").replace("MessageSid", "Sid");
    let missing = signed(&fake, INBOUND, &no_sid).await;
    assert_eq!(missing.status, 400);
    assert_eq!(
        missing.json()["detail"],
        "the field `MessageSid` is missing"
    );

    let body = text("hi");
    for kind in ["text/plain", "application/json", "multipart/form-data", ""] {
        let told = post(
            &fake,
            INBOUND,
            kind,
            &sign_form(INBOUND, &body),
            body.clone(),
        )
        .await;
        assert_eq!(told.status, 415, "{kind}");
    }
    let charset = format!("{FORM}; charset=UTF-8");
    let told = post(
        &fake,
        INBOUND,
        &charset,
        &sign_form(INBOUND, &body),
        body.clone(),
    )
    .await;
    assert_eq!(told.status, 200);

    let large = text(&"x".repeat(WEBHOOK_BYTES_MAX));
    assert_eq!(signed(&fake, INBOUND, &large).await.status, 413);

    let request = Request::get(INBOUND).body(Body::empty()).unwrap();
    let told = ask(&fake.router(), request).await;
    assert_eq!(told.status, 405);
    assert_eq!(told.header("content-type"), "application/problem+json");

    fake.state().down = true;
    let told = signed(&fake, INBOUND, &body).await;
    assert_eq!(told.status, 503);
    assert_eq!(
        told.json()["detail"],
        "the store does not answer; try again"
    );
}

#[tokio::test]
async fn no_answer_repeats_what_was_sent() {
    let fake = Fake::new();
    let body = text("metformin").replace("MessageSid=SM", "MessageSid=metformin");
    let told = signed(&fake, INBOUND, &body).await;
    assert_eq!(told.status, 400);
    assert!(
        !told.text().contains("metformin") && !told.text().contains("5550142"),
        "{}",
        told.text()
    );
}

#[tokio::test]
async fn a_json_webhook_is_bound_by_the_digest_in_its_address() {
    let object = |body: &str| {
        format!(
            r#"{{"AccountSid":"{ACCOUNT}","MessageSid":"{SID}","From":"+14155550142","To":"+14155550101","NumMedia":0,"Body":"{body}"}}"#
        )
    };
    for (body, read) in [
        ("hi", "hi"),
        (r"half \ud83d pair", "half \u{fffd} pair"),
        (r"\u0000", "\0"),
    ] {
        let fake = Fake::new();
        let json = object(body);
        let path = format!(
            "{INBOUND}?bodySHA256={}",
            hex::encode(Sha256::digest(&json))
        );
        let told = post(
            &fake,
            &path,
            "application/json",
            &sign(TOKEN, &path, ""),
            json,
        )
        .await;
        assert_eq!(told.status, 200, "{}", told.text());
        assert_eq!(fake.state().received[0].body.as_str(), read);
        let told = post(
            &fake,
            &path,
            "application/json",
            &sign(TOKEN, &path, ""),
            object("other"),
        )
        .await;
        assert_eq!(told.status, 403);
    }
    let fake = Fake::new();
    let path = format!("{INBOUND}?bodySHA256={}", hex::encode(Sha256::digest("[]")));
    let told = post(
        &fake,
        &path,
        "application/json",
        &sign(TOKEN, &path, ""),
        "[]",
    )
    .await;
    assert_eq!(told.status, 400);
}

#[test]
fn only_lone_surrogates_are_mended() {
    for (json, mended) in [
        (r#"{"a":"plain"}"#, r#"{"a":"plain"}"#),
        (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
        (r#""\uD83D\uDE00 \ud83d""#, r#""\uD83D\uDE00 \ufffd""#),
        (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
        (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
        (r#""\\ud83d""#, r#""\\ud83d""#),
        (r#""\ud8"#, r#""\ud8"#),
        (r#""\ud83d\"#, r#""\ufffd\"#),
    ] {
        assert_eq!(
            String::from_utf8_lossy(&without_lone_surrogates(json.as_bytes())),
            mended,
            "{json}"
        );
    }
}

#[tokio::test]
async fn a_report_reaches_the_text_it_is_about() {
    let fake = Fake::new();
    let report = |sid: &str, rest: &str| format!("AccountSid={ACCOUNT}&MessageSid={sid}&{rest}");
    let told = signed(
        &fake,
        STATUS,
        &report(SID, "MessageStatus=undelivered&ErrorCode=30003"),
    )
    .await;
    assert_eq!((told.status.as_u16(), told.text()), (204, ""));
    let expected = (
        SID.to_owned(),
        Delivery::Undelivered,
        Some("30003".to_owned()),
    );
    assert_eq!(fake.state().reports, [expected]);

    let early = "SM00000000000000000000000000000043";
    let told = signed(&fake, STATUS, &report(early, "MessageStatus=sent")).await;
    assert_eq!(
        told.status, 404,
        "a report that overtook our commit is asked for again"
    );
    let told = signed(&fake, STATUS, &report(SID, "MessageStatus=lost")).await;
    assert_eq!(told.status, 400);
    let told = post(&fake, STATUS, FORM, "", report(SID, "MessageStatus=sent")).await;
    assert_eq!(told.status, 403);
    fake.state().down = true;
    let told = signed(&fake, STATUS, &report(SID, "MessageStatus=sent")).await;
    assert_eq!(told.status, 503);
}

/// A server on a free port, and what ends it.
pub(crate) struct Served {
    pub(crate) address: String,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

pub(crate) async fn served(fake: &Arc<Fake>) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let settings = fake.settings();
    let shutdown = settings.shutdown.clone();
    let tasks = TaskTracker::new();
    tasks.spawn(serve(
        listener,
        router(Arc::clone(fake) as _, settings),
        shutdown.clone(),
    ));
    tasks.close();
    Served {
        address,
        shutdown,
        tasks,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_is_believed_and_its_forgeries_are_not() {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/.venv/bin/python");
    assert!(
        std::path::Path::new(&python).exists(),
        "the `twilio` package is not installed: run tests/install.sh"
    );
    let fake = Fake::new();
    let served = served(&fake).await;
    let output = std::process::Command::new(python)
        .arg(format!("{root}/tests/python/twilio_client.py"))
        .args([&served.address, PUBLIC_URL, TOKEN, ACCOUNT])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            "text 200 text/xml",
            "text again 200 text/xml",
            "unicode 200 text/xml",
            "whatsapp 200 text/xml",
            "query 200 text/xml",
            "json 200 text/xml",
            "report 204",
            "forged 403 application/problem+json",
            "unsigned 403 application/problem+json",
        ]
    );
    {
        let state = fake.state();
        let bodies: Vec<_> = state
            .received
            .iter()
            .map(|inbound| inbound.body.as_str())
            .collect();
        assert_eq!(
            bodies,
            [
                "Can I move my visit to Friday?",
                "Gracias 😀 señora + 100 %",
                "Confirm",
                "con consulta",
                "from JSON"
            ]
        );
    }
    served.shutdown.cancel();
    served.tasks.wait().await;
}

mod carriers;
