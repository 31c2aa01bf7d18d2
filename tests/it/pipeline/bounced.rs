//! Bounces over HTTP, as a mail server passes them on: with its key, in any shape, about anybody's mail.

use anteroom::domain::practice::PortalFactor;
use anteroom::mail::BOUNCE_BYTES_MAX;
use axum::Router;
use axum::body::Body;
use axum::http::Request;

use super::mail::{chosen, last_letter, linked, post};
use crate::simulator::fake::{Told, ask};
use crate::support::app::TOM;
use crate::support::exim::Exim;
use crate::support::front::front;

/// How the numbers of our e-mails begin.
const OURS: &str = "anteroom-";

const KEY: &str = "a-key-of-the-practice-0123456789";

/// What a mail server gets for a message.
async fn passed_on(router: &Router, key: Option<&str>, message: &[u8]) -> Told {
    let mut request = Request::post("/v1/mail/bounces").header("content-type", "message/rfc822");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    ask(router, request.body(Body::from(message.to_vec())).unwrap()).await
}

fn recorded(told: &Told) -> bool {
    assert_eq!(told.status, 200, "{}", told.text());
    told.json()["recorded"].as_bool().unwrap()
}

#[tokio::test]
async fn a_bounce_counts_once_with_the_key_and_nothing_else_changes_anything() {
    let exim = Exim::start();
    let (app, token, _kept) = linked(&exim, PortalFactor::None).await;
    let room = chosen(&exim, &app, &token).await;
    exim.set("back", true);
    app.one(TOM, "Are my biopsy results in?").await;
    post(&app).await;
    let bounce = exim.letters("bounces@lakeside.example.com", 1).remove(0);
    let router = front(&app, |it| it.guard.api_keys = vec![KEY.into()]);
    let before = app.audited().await.len();

    // Unsigned, or by a key that is none of ours: not even read.
    for key in [None, Some(""), Some("another-key-of-somebody-else-0123")] {
        let told = passed_on(&router, key, bounce.as_bytes()).await;
        assert_eq!(told.status, 401, "{key:?}: {}", told.text());
        assert_eq!(told.header("content-type"), "application/problem+json");
    }
    // Malformed: nothing, too much, and what is no e-mail at all.
    let told = passed_on(&router, Some(KEY), b"").await;
    assert_eq!(told.status, 400, "{}", told.text());
    assert!(
        told.text().contains("one message as it came"),
        "{}",
        told.text()
    );
    let long = vec![b'x'; BOUNCE_BYTES_MAX + 1];
    assert_eq!(passed_on(&router, Some(KEY), &long).await.status, 413);
    // Cut off before it names the e-mail; and about an e-mail that we never wrote.
    let (head, rest) = bounce.split_once(OURS).unwrap();
    let id = rest.get(..32).unwrap();
    let cut = head.to_owned();
    let unknown = bounce.replace(id, &"0".repeat(32));
    for (what, message) in [
        ("bytes", &b"\x00\xff\xfe\r\n\r\n\x80"[..]),
        (
            "a letter",
            b"From: tom@example.com\r\nSubject: Hi\r\n\r\nHello.\r\n",
        ),
        (
            "no parts",
            b"Content-Type: multipart/report; boundary=b\r\n\r\n--c\r\n",
        ),
        ("half of one", cut.as_bytes()),
        ("another's e-mail", unknown.as_bytes()),
    ] {
        let told = passed_on(&router, Some(KEY), message).await;
        assert!(!recorded(&told), "{what}");
    }
    assert_eq!(last_letter(&app).await.0, "sent");
    assert_eq!(
        app.audited().await.len(),
        before,
        "no entry for what is none of ours"
    );
    assert!(!app.house.portal_mail(&room).await.unwrap().bounced);

    // The real one, once.
    assert!(recorded(
        &passed_on(&router, Some(KEY), bounce.as_bytes()).await
    ));
    assert_eq!(last_letter(&app).await, ("bounced".into(), "5.0.0".into()));
    assert!(app.held().await.iter().any(|it| it.contains("e-mail")));
    assert!(app.house.portal_mail(&room).await.unwrap().bounced);
    let told = passed_on(&router, Some(KEY), bounce.as_bytes()).await;
    assert!(!recorded(&told), "told once");
    let log = app.audited().await;
    assert_eq!(
        log.iter().filter(|it| *it == "mail.bounced").count(),
        1,
        "{log:?}"
    );
}
