//! The set-up: nothing lost on a wrong answer, left and gone on with, and a light for signed requests.

use anteroom::domain::staff::Role;
use jiff::SignedDuration;

use crate::console::hand::{Hand, Lab, between};
use crate::support::app::{MARIA, NOBODY};

const PRACTICE: &[(&str, &str)] = &[
    ("name", "Harbor Pediatrics & Söhne 🙂"),
    ("id", ""),
    ("type", "primary_care"),
    ("phone", "(415) 555-0160"),
    ("state", "or"),
    ("timezone", "America/Los_Angeles"),
    ("address", ""),
    ("hours", "Mon-Fri 8-5"),
    ("hours_es", ""),
];
const NUMBER: &[(&str, &str)] = &[
    ("carrier", "twilio"),
    ("channel", "sms"),
    ("number", "415-555-0161"),
    ("number_type", "long_code"),
    ("sites", "https://www.example.com/"),
];
const CARRIER: &[(&str, &str)] = &[
    ("public_url", "https://text.example.com"),
    ("account_sid", "AC00000000000000000000000000000000"),
];
const MODEL: &[(&str, &str)] = &[
    ("llm_kind", "openai"),
    ("llm_base_url", "https://llm.example.com/v1"),
    ("llm_model", "small"),
];

fn with<'v>(fields: &[(&'v str, &'v str)], field: &str, value: &'v str) -> Vec<(&'v str, &'v str)> {
    let own = fields.iter().copied();
    own.map(|(name, old)| (name, if name == field { value } else { old }))
        .collect()
}

async fn answered(hand: &mut Hand<'_>, step: &str, fields: &[(&str, &str)], next: &str) {
    let told = hand.post(&format!("/console/setup/{step}"), fields).await;
    assert_eq!(told.status, 303, "{step}: {}", told.text());
    assert_eq!(told.header("location"), format!("/console/setup/{next}"));
}

#[tokio::test]
async fn a_wrong_answer_is_kept_and_told_at_its_field() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    let wrong = with(PRACTICE, "phone", "555-0160<b>");
    let told = owner.post("/console/setup/practice", &wrong).await;
    assert_eq!(told.status, 422);
    let html = told.text();
    assert!(html.contains("One answer needs a change"), "{html}");
    assert!(html.contains("aria-describedby=\"w-phone\""), "{html}");
    assert!(html.contains("with its area code, such as 415-555-0100"));
    for kept in [
        "555-0160&lt;b&gt;",
        "Harbor Pediatrics &amp; Söhne 🙂",
        "value=\"harbor\"",
    ] {
        assert!(html.contains(kept), "{kept} is lost: {html}");
    }
    // Left and gone on with: another look, and another browser of the same owner, have it all.
    let mut later = lab.browser();
    later.cookie.clone_from(&owner.cookie);
    let html = later.get("/console/setup/practice").await;
    assert!(html.text().contains("555-0160&lt;b&gt;"), "{}", html.text());
    let begin = later.get("/console/setup").await;
    assert_eq!(begin.header("location"), "/console/setup/practice");
    answered(&mut later, "practice", PRACTICE, "number").await;
    let begin = later.get("/console/setup").await;
    assert_eq!(begin.header("location"), "/console/setup/number");
}

#[tokio::test]
async fn the_answers_become_a_file_that_a_start_accepts() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    answered(&mut owner, "practice", PRACTICE, "number").await;
    answered(&mut owner, "number", NUMBER, "carrier").await;
    answered(&mut owner, "carrier", CARRIER, "agreement").await;
    answered(&mut owner, "model", MODEL, "notice").await;

    let carrier = owner.get("/console/setup/carrier").await;
    let address = "https://text.example.com/webhooks/twilio/harbor";
    assert!(carrier.text().contains(address), "{}", carrier.text());
    assert!(
        carrier
            .text()
            .contains("ANTEROOM_TWILIO__HARBOR__AUTH_TOKENS")
    );
    assert!(
        carrier
            .text()
            .contains("does not run with this practice yet")
    );

    // Both languages of the notice, in the name of the practice.
    let notice = owner.get("/console/setup/notice").await;
    assert!(
        notice.text().matches("Harbor Pediatrics").count() >= 2,
        "{}",
        notice.text()
    );
    assert!(notice.text().contains("lang=\"es\""));

    let page = owner.get("/console/setup/file").await;
    assert!(
        page.text().contains("A start with it would be accepted"),
        "{}",
        page.text()
    );
    // The line for the web site, as it is pasted.
    let line = between(
        page.text(),
        "<pre class=\"key script\" tabindex=\"0\">",
        "</pre>",
    )
    .unwrap();
    let line = line
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#x2F;", "/");
    let script = "https://text.example.com/chat/harbor/widget.js";
    assert_eq!(line, format!("<script src=\"{script}\" async></script>"));
    let told = owner.post("/console/setup/file", &[("do", "write")]).await;
    assert_eq!(told.header("location"), "/console/setup/file?done=file");
    let written = lab.file.0.lock().unwrap().clone().unwrap();
    anteroom::config::check_text(&written).unwrap();
    for line in [
        "phone = \"+14155550160\"",
        "state = \"OR\"",
        "[twilio.harbor]",
        "[practice.webchat]",
        "origins = [\"https://www.example.com\"]",
        "kind = \"openai\"",
    ] {
        assert!(written.contains(line), "{line}: {written}");
    }
    assert!(
        !written.contains("auth_tokens"),
        "a secret has no place in it: {written}"
    );
    let again = owner.get("/console/setup/file").await;
    assert!(
        again.text().contains("it is not overwritten"),
        "{}",
        again.text()
    );
}

#[tokio::test]
async fn an_agreement_is_recorded_where_one_is_missing() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    answered(&mut owner, "practice", PRACTICE, "number").await;
    answered(&mut owner, "number", NUMBER, "carrier").await;
    answered(&mut owner, "carrier", CARRIER, "agreement").await;
    let page = owner.get("/console/setup/agreement").await;
    let counterparty = between(page.text(), "name=\"counterparty\" value=\"", "\"").unwrap();
    let product = between(page.text(), "name=\"product\" value=\"", "\"").unwrap();
    let hash = "ab".repeat(32);
    let paper = [
        ("do", "record"),
        ("counterparty", counterparty),
        ("product", product),
        ("signer", "Dr. Ana Reyes"),
        ("from", "2026-01-01"),
        ("until", ""),
        ("document", hash.as_str()),
    ];
    for (field, value, says) in [
        ("signer", "", "who signed"),
        ("document", "abc", "SHA-256"),
        ("from", "soon", "from which day"),
        ("until", "2025-01-01", "before the first"),
    ] {
        let told = owner
            .post("/console/setup/agreement", &with(&paper, field, value))
            .await;
        assert!(told.text().contains(says), "{field}: {}", told.text());
    }
    let told = owner.post("/console/setup/agreement", &paper).await;
    assert_eq!(
        told.header("location"),
        "/console/setup/agreement?done=agreement"
    );
    let recorded = lab.app.house.store();
    let recorded = recorded
        .agreements(&anteroom::domain::ids::PracticeId::new("harbor"))
        .await;
    assert_eq!(recorded.unwrap().len(), 1);
}

/// The practice of the lab, as its owner would answer it: this server runs with it.
async fn set_up_as_it_runs(owner: &mut Hand<'_>) {
    answered(
        owner,
        "practice",
        &with(PRACTICE, "id", "lakeside"),
        "number",
    )
    .await;
    answered(owner, "number", NUMBER, "carrier").await;
}

#[tokio::test]
async fn the_light_tells_of_signed_requests_and_of_refused_ones() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    set_up_as_it_runs(&mut owner).await;
    let light = owner.get("/console/setup/light").await.json();
    assert_eq!(light["light"]["tone"], "wait", "{light}");
    let post = owner
        .send(
            "POST",
            "/webhooks/twilio/lakeside",
            &[],
            "From=x".to_owned(),
        )
        .await;
    assert_eq!(post.status, 403);
    let light = owner.get("/console/setup/light").await.json();
    let words = light["light"]["words"].as_str().unwrap();
    assert_eq!(light["light"]["tone"], "stop", "{light}");
    assert!(
        words.contains("was refused (no_signature)") && words.contains("public_url"),
        "{words}"
    );
    lab.app.wait(SignedDuration::from_secs(1));
}

#[tokio::test]
async fn findings_put_first_what_must_be_mended() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    let page = owner.get("/console/findings").await;
    let html = page.text();
    assert!(html.contains("One thing has to be mended"), "{html}");
    let (bad, good) = (
        html.find("set &lt;public_url&gt;").unwrap(),
        html.find("2026-12-01").unwrap(),
    );
    assert!(bad < good);
}

#[tokio::test]
async fn whoever_sets_up_texts_a_test_to_a_phone_of_their_own_and_watches_it() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    let address = "/console/setup/test";
    for (typed, told) in [("555-0190", "area code"), (MARIA, "patient&#x27;s number")] {
        let answer = owner.post(address, &[("number", typed)]).await;
        let html = answer.text().replace("&#39;", "&#x27;");
        assert!(
            html.contains(told) && html.contains("Nothing was sent"),
            "{typed}: {html}"
        );
    }
    assert!(lab.app.received_by(MARIA).is_empty());
    for _ in 0..2 {
        // A double click is one text.
        let answer = owner.post(address, &[("number", NOBODY)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        lab.app.drain().await;
    }
    let texts = lab.app.received_by(NOBODY);
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("this is a test") && texts[0].contains("STOP"));
    let page = owner.get(address).await;
    assert!(
        page.text().contains("ends in 90 is with the carrier"),
        "{}",
        page.text()
    );
    let light = owner.get("/console/setup/light").await;
    assert_eq!(light.json()["own"]["tone"], "wait");
    // Whoever said STOP gets none.
    lab.app.text(NOBODY, "STOP").await;
    let before = lab.app.received_by(NOBODY).len();
    let answer = owner.post(address, &[("number", NOBODY)]).await;
    assert!(answer.text().contains("said STOP"), "{}", answer.text());
    lab.app.drain().await;
    assert_eq!(lab.app.received_by(NOBODY).len(), before);
    let log = lab.app.audited().await;
    assert!(log.iter().any(|it| it == "setup.tested"), "{log:?}");
}
