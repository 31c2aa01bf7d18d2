//! The phone simulator: its JSON, its stream, and its page in a real browser.

#![cfg(test)]

pub(crate) mod fake;
mod script;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use anteroom::domain::message::INBOUND_CHARS_MAX;
use anteroom::web::router::router;

use crate::support::browser;
use crate::webhook::served;
use fake::{Fake, Told, ask, get};

async fn post(router: &Router, kind: &str, body: impl Into<Body>) -> Told {
    let request = Request::post("/simulator/messages").header("content-type", kind);
    ask(router, request.body(body.into()).unwrap()).await
}

fn text(body: &str) -> String {
    serde_json::json!({"from": "+14155550142", "to": "+14155550102", "body": body}).to_string()
}

#[tokio::test]
async fn a_posted_text_is_accepted_and_shows_in_the_thread() {
    let fake = Fake::new();
    let router = fake.router();
    let told = post(&router, "application/json", text("When is my appointment?")).await;
    assert_eq!(told.status, 202);
    let posted = told.json();
    let id = posted["id"].as_str().unwrap();
    assert_eq!(posted, serde_json::json!({"id": id}));
    for with in ["%2B14155550142", "+14155550142"] {
        let thread = get(&router, &format!("/simulator/messages?with={with}"))
            .await
            .json();
        assert_eq!(
            thread[0],
            serde_json::json!({"id": id, "direction": "inbound", "from": "+14155550142", "to": "+14155550102",
                "body": "When is my appointment?", "at": "2026-12-01T18:00:00Z", "status": "received"})
        );
        assert_eq!(thread[1]["direction"], "outbound");
        assert_eq!(thread[1]["status"], "delivered");
        assert_eq!(thread[1]["segments"], 1);
    }
    let other = get(&router, "/simulator/messages?with=%2B14155550143")
        .await
        .json();
    assert_eq!(other, serde_json::json!([]));
    let glass = get(&router, "/simulator/glass?with=%2B14155550142")
        .await
        .json();
    assert_eq!(glass[0]["verdict"], "pass");
    let people = get(&router, "/simulator/people").await.json();
    assert_eq!(people[0]["practice_number"], "+14155550102");
}

#[tokio::test]
async fn odd_texts_are_taken() {
    let long = "é".repeat(100_000);
    let cut: String = long.chars().take(INBOUND_CHARS_MAX).collect();
    let raw =
        |body: &str| format!(r#"{{"from":"+14155550142","to":"+14155550102","body":"{body}"}}"#);
    for (json, read) in [
        (raw(""), ""),
        (raw("😀"), "😀"),
        (raw(r"\u0000"), "\0"),
        (raw(r"\ud83d alone"), "\u{fffd} alone"),
        (raw("שלום"), "שלום"),
        (raw(&long), cut.as_str()),
    ] {
        let fake = Fake::new();
        let told = post(&fake.router(), "application/json; charset=utf-8", json).await;
        assert_eq!(told.status, 202, "{}", told.text());
        assert_eq!(fake.state().received[0].body.as_str(), read);
    }
}

#[tokio::test]
async fn each_fault_says_what_to_mend() {
    let good = text("hi");
    let json = "application/json";
    for (kind, body, status, detail) in [
        ("text/plain", good.clone(), 415, "send application/json"),
        (
            json,
            String::new(),
            400,
            "the body is not JSON (line 1, column 0)",
        ),
        (json, "[]".to_owned(), 400, "the body is not a JSON object"),
        (json, "{}".to_owned(), 400, "`from` is missing"),
        (
            json,
            good.replace("\"hi\"", "7"),
            400,
            "`body` is not a string",
        ),
        (
            json,
            good.replace("+14155550142", "415-555-0142"),
            400,
            "`from` is not a phone number in E.164 form; write it as +14155550100",
        ),
        (
            json,
            good.replace("5550102", "5550101"),
            400,
            "`to` is not a number that a practice texts from by the simulator",
        ),
        (
            json,
            good.replace("5550142", "5550102"),
            400,
            "`from` and `to` are the same number",
        ),
        (
            json,
            good.replace("\"body\"", "\"x\":1,\"body\""),
            400,
            "only the keys `from`, `to` and `body` are known",
        ),
        (
            json,
            text(&"x".repeat(2 << 20)),
            413,
            "the body is larger than 1 MiB",
        ),
    ] {
        let fake = Fake::new();
        let told = post(&fake.router(), kind, body).await;
        assert_eq!(
            (told.status.as_u16(), told.json()["detail"].as_str()),
            (status, Some(detail))
        );
        assert_eq!(told.header("content-type"), "application/problem+json");
        assert!(fake.state().received.is_empty(), "{detail}");
    }
}

#[tokio::test]
async fn a_phone_is_switched_off_and_on_and_each_fault_says_what_to_mend() {
    let fake = Fake::new();
    let router = fake.router();
    let state = "/simulator/phone?with=%2B14155550142";
    let switch = |body: &str| {
        let request = Request::post("/simulator/phone").header("content-type", "application/json");
        request.body(Body::from(body.to_owned())).unwrap()
    };
    for to in ["off", "blocked", "on"] {
        let body = format!(r#"{{"number":"+14155550142","state":"{to}"}}"#);
        assert_eq!(ask(&router, switch(&body)).await.status, 204);
        assert_eq!(get(&router, state).await.json()["state"], to);
        let other = get(&router, "/simulator/phone?with=%2B14155550143").await;
        assert_eq!(other.json()["state"], "on");
    }
    for (body, detail) in [
        ("[]", "the body is not a JSON object"),
        (r#"{"number":"+14155550142"}"#, "`state` is missing"),
        (
            r#"{"number":"+14155550142","state":"broken"}"#,
            "`state`: unknown reach of a phone; use one of on, off, blocked",
        ),
        (
            r#"{"number":"+14155550142","state":"on","x":1}"#,
            "only the keys `number` and `state` are known",
        ),
    ] {
        let told = ask(&router, switch(body)).await;
        assert_eq!(
            (told.status.as_u16(), told.json()["detail"].as_str()),
            (400, Some(detail))
        );
    }
}

#[tokio::test]
async fn a_question_about_nobody_is_refused() {
    let router = Fake::new().router();
    for (path, detail) in [
        (
            "/simulator/messages",
            "say whose thread: ?with=%2B14155550142 (`+` must be written %2B)",
        ),
        (
            "/simulator/glass?with=me",
            "`with` is not a phone number in E.164 form; write it as +14155550100",
        ),
    ] {
        let told = get(&router, path).await;
        assert_eq!(
            (told.status.as_u16(), told.json()["detail"].as_str()),
            (400, Some(detail))
        );
    }
}

#[tokio::test]
async fn everything_says_so_when_the_store_is_gone() {
    let fake = Fake::new();
    fake.state().down = true;
    let router = fake.router();
    assert_eq!(
        post(&router, "application/json", text("hi")).await.status,
        503
    );
    for path in [
        "/simulator/messages?with=%2B14155550142",
        "/simulator/glass?with=%2B14155550142",
        "/simulator/people",
        "/readyz",
    ] {
        assert_eq!(get(&router, path).await.status, 503, "{path}");
    }
    assert_eq!(get(&router, "/livez").await.status, 200);
}

#[tokio::test]
async fn without_the_simulator_there_is_no_phone() {
    let fake = Fake::new();
    let mut settings = fake.settings();
    settings.phone = None;
    let router = router(Arc::clone(&fake) as _, settings);
    let nowhere = get(&router, "/nowhere").await;
    for path in [
        "",
        "/messages?with=%2B14155550142",
        "/people",
        "/phone?with=%2B14155550142",
        "/glass",
        "/events",
    ] {
        let told = get(&router, &format!("/simulator{path}")).await;
        assert_eq!(
            (told.status, told.text()),
            (nowhere.status, nowhere.text()),
            "{path}"
        );
    }
    assert_eq!(
        post(&router, "application/json", text("hi")).await.status,
        404
    );
}

#[tokio::test]
async fn watchers_are_told() {
    let router = Fake::new().router();
    assert_eq!(
        get(&router, "/livez").await.json(),
        serde_json::json!({"status": "alive"})
    );
    assert_eq!(
        get(&router, "/readyz").await.json(),
        serde_json::json!({"store": "answers"})
    );
    let metrics = get(&router, "/metrics").await;
    assert_eq!(
        metrics.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(metrics.text().contains("anteroom_up 1"));
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let router = Fake::new().router();
    for path in [
        "/simulator",
        "/livez",
        "/nowhere",
        "/simulator/people",
        "/p/x",
    ] {
        let told = get(&router, path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("x-robots-tag", "noindex, nofollow, noarchive"),
            ("strict-transport-security", "max-age=63072000"),
        ] {
            assert_eq!(told.header(name), value, "{path} {name}");
        }
        let policy = told.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(told.header("x-request-id").len(), 16);
    }
}

#[tokio::test]
async fn the_page_brings_its_own_files_and_asks_nobody_else() {
    let router = Fake::new().router();
    let page = get(&router, "/simulator").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let html = page.text();
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("style="));
    let files: Vec<&str> = html
        .split(['"', ' '])
        .filter(|part| part.starts_with("assets/"))
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let told = get(&router, &format!("/{file}")).await;
        assert_eq!(told.status, 200, "{file}");
        assert_eq!(
            told.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert!(!told.text().contains("innerHTML"), "{file}");
    }
    assert_eq!(get(&router, "/assets/0/simulator.js").await.status, 404);
}

#[tokio::test]
async fn a_change_is_told_without_content_and_shutdown_ends_the_stream() {
    let fake = Fake::new();
    let settings = fake.settings();
    let shutdown = settings.shutdown.clone();
    let router = router(Arc::clone(&fake) as _, settings);
    let request = Request::get("/simulator/events")
        .body(Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(router.clone(), request)
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first, "event: change\ndata: 0\n\n");
    post(&router, "application/json", text("hi")).await;
    let second = stream.next().await.unwrap().unwrap();
    assert_eq!(second, "event: change\ndata: 1\n\n");
    shutdown.cancel();
    assert!(stream.next().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_lets_an_open_request_end() {
    let fake = Fake::new();
    let served = served(&fake).await;
    let address = served.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = text("hi");
    let (head, tail) = body.split_at(10);
    let request = format!(
        "POST /simulator/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut told = vec![0; 25];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    served.shutdown.cancel();
    stream.write_all(tail.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    served.tasks.wait().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_works_in_a_browser_on_a_small_and_a_large_screen() {
    let fake = Fake::new();
    let served = served(&fake).await;
    browser::played("phone", &[&served.address, &browser::shots("phone")]);
    served.shutdown.cancel();
    served.tasks.wait().await;
}
