//! A session at the portal that ends while a patient writes, and messages that wait there.

use anteroom::domain::conversation::PortalMessage;
use anteroom::domain::staff::Role;
use anteroom::pipeline::portal::Opening;
use axum::body::Body;
use axum::http::Request;
use jiff::SignedDuration;
use jiff::civil::date;
use sha2::{Digest as _, Sha256};

use crate::console::hand::{Lab, between, form};
use crate::console::secure::{PDF, fetched, multipart, sent};
use crate::simulator::fake::{PORTAL_TOKEN, Told, ask};
use crate::support::app::TOM;

/// A form of the portal without files.
async fn given(lab: &Lab, cookie: &str, fields: &[(&str, &str)]) -> Told {
    let request = Request::post(format!("/p/{PORTAL_TOKEN}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie);
    ask(&lab.router, request.body(Body::from(form(fields))).unwrap()).await
}

/// A session of Tom's behind the link that both the page before the room and the room know, with the secret
/// of its forms.
async fn session(lab: &Lab) -> (String, String) {
    let born = date(1978, 7, 4);
    let opening = lab.app.house.portal_open(PORTAL_TOKEN, born, "").await;
    let Opening::Shown(_, Some(session)) = opening.unwrap() else {
        panic!("the link opens");
    };
    let cookie = format!("anteroom_portal={session}");
    let page = fetched(lab, &cookie, &format!("/p/{PORTAL_TOKEN}")).await;
    let tag = between(page.text(), "name=\"tag\" value=\"", "\"").unwrap();
    (cookie, tag.to_owned())
}

/// Keeps a message for Tom behind that link.
async fn behind_the_link(lab: &Lab) {
    lab.app.agreed(TOM).await;
    let conversation = lab.app.conversation(TOM).await;
    let hash: [u8; 32] = Sha256::digest(PORTAL_TOKEN).into();
    let message = PortalMessage {
        practice: conversation.practice.clone(),
        patient: conversation.patient.clone().unwrap(),
        body: "Your letter is ready.".into(),
        language: conversation.language,
        tries_left: 5,
        expires: lab.app.clock_now() + SignedDuration::from_hours(48),
        opened: None,
        revoked: None,
    };
    let kept = lab.app.house.store().write(move |tx| {
        let message = message.clone();
        Box::pin(async move {
            tx.create_portal_message(&hash, &message, conversation.id)
                .await
        })
    });
    kept.await.unwrap();
}

#[tokio::test]
async fn words_of_a_session_that_ended_are_carried_through_the_birth_date_and_sent_once() {
    let lab = Lab::new().await;
    behind_the_link(&lab).await;
    let (link, replies) = (
        format!("/p/{PORTAL_TOKEN}"),
        format!("/p/{PORTAL_TOKEN}/reply"),
    );
    let (cookie, tag) = session(&lab).await;
    let words = "My \"rash\" <b>itches</b> &\nit spread.";

    lab.app.wait(SignedDuration::from_mins(16));
    let reply = [("do", "reply"), ("tag", &*tag), ("text", words)];
    let told = sent(
        &lab,
        &cookie,
        &replies,
        multipart(&reply, &[("letter.pdf", PDF)]),
    )
    .await;
    assert_eq!(told.status, 403);
    let page = told.text();
    assert!(
        page.contains("Nothing was sent. We kept what you wrote"),
        "{page}"
    );
    assert!(page.contains("attach your files again") && page.contains("Date of birth"));
    assert!(
        page.contains(&format!("action=\"{link}?lang=en\"")),
        "{page}"
    );
    assert!(!page.contains("<b>itches") && !page.contains("letter is ready"));
    let carried = between(page, "name=\"unsent_text\" value=\"", "\">").unwrap();
    let escaped = "My &quot;rash&quot; &lt;b&gt;itches&lt;";
    assert!(
        carried.starts_with(escaped) && carried.ends_with("\nit spread."),
        "{carried}"
    );

    // A wrong date keeps them.
    let wrong = [
        ("month", "7"),
        ("day", "5"),
        ("year", "1978"),
        ("unsent", "reply"),
        ("unsent_text", words),
        ("unsent_files", "1"),
    ];
    let told = given(&lab, "", &wrong).await;
    assert!(
        told.text().contains("4 tries left") && told.text().contains(carried),
        "{}",
        told.text()
    );

    // Signed in again, it is sent, and kept once whoever clicks twice.
    let (cookie, tag) = session(&lab).await;
    let reply = [("do", "reply"), ("tag", &*tag), ("text", words)];
    for _ in 0..2 {
        let told = sent(&lab, &cookie, &replies, multipart(&reply, &[])).await;
        assert_eq!(
            told.header("location"),
            format!("../{PORTAL_TOKEN}?done=reply")
        );
    }
    let page = fetched(&lab, &cookie, &link).await;
    assert_eq!(
        page.text().matches("it spread.").count(),
        1,
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn every_address_of_a_session_that_ended_leads_back_to_its_link() {
    let lab = Lab::new().await;
    behind_the_link(&lab).await;
    let (link, replies) = (
        format!("/p/{PORTAL_TOKEN}"),
        format!("/p/{PORTAL_TOKEN}/reply"),
    );
    let (cookie, tag) = session(&lab).await;
    // What the other forms and a file's address were asked with an ended session leads back too.
    lab.app.wait(SignedDuration::from_mins(16));
    let records = [
        ("do", "records"),
        ("tag", &*tag),
        ("text", "All of 2025, on paper"),
    ];
    let told = given(&lab, &cookie, &records).await;
    assert!(
        told.text().contains("value=\"All of 2025, on paper\""),
        "{}",
        told.text()
    );
    let told = fetched(&lab, &cookie, &format!("{link}/file/{}", "0".repeat(32))).await;
    assert!(
        told.text().contains(&format!("action=\"{link}?lang=en\"")),
        "{}",
        told.text()
    );
    // A stranger's words are carried no further than a text goes.
    let much = "x".repeat(70_000);
    let told = sent(&lab, "", &replies, multipart(&[("text", &much)], &[])).await;
    assert!(told.status == 403 && told.text().len() < 20_000);
}

#[tokio::test]
async fn a_secure_message_to_whoever_opted_out_waits_in_the_portal_and_nothing_is_texted() {
    let lab = Lab::new().await;
    behind_the_link(&lab).await;
    lab.app.text(TOM, "STOP").await;
    let id = lab.app.conversation(TOM).await.id;
    let before = lab.app.received_by(TOM);
    let mut hand = lab.staff(Role::FrontDesk).await;
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(
        page.text().contains("A secure message waits in the portal"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("id=\"portal\"") && !page.text().contains("id=\"send\""));
    let words = [("text", "Your biopsy was benign.")];
    let told = hand.post(&format!("/console/answer/{id}"), &words).await;
    assert_eq!(told.status, 422, "by text nothing goes: {}", told.text());
    for _ in 0..2 {
        let told = hand.post(&format!("/console/portal/{id}"), &words).await;
        assert_eq!(told.json()["outcome"], "sent", "{}", told.text());
    }
    lab.app.drain().await;
    assert_eq!(lab.app.received_by(TOM), before, "no text, no link");
    let page = hand.get(&format!("/console/inbox/all?c={id}")).await;
    assert!(
        page.text().contains("Your biopsy was benign.</p>"),
        "{}",
        page.text()
    );
    // They sign in by a link that they have, and find it once.
    let (cookie, _) = session(&lab).await;
    let page = fetched(&lab, &cookie, &format!("/p/{PORTAL_TOKEN}")).await;
    assert_eq!(
        page.text().matches("Your biopsy was benign.").count(),
        1,
        "{}",
        page.text()
    );
    let log = lab.app.audited().await;
    assert!(log.contains(&"message.cleared".to_owned()), "{log:?}");
}
