//! Prompts on the console: a wording is tried before it is published, by exactly one at a time, and
//! taken back with one click.

use anteroom::domain::publication::Published;
use anteroom::domain::staff::Role;
use anteroom::eval::load::Files;
use anteroom::pipeline::work::Step;
use axum::http::StatusCode;

use crate::console::hand::{Hand, Lab, between};
use crate::support::app::{JAMES, MARIA};

/// Maria asks for her visit; its words are told, and its reason is not.
const STORY: &str = r#"
description: d
level: conversation
tests:
  - id: visit
    why: the visit is told, and its reason is not
    vars:
      agreed: true
      turns:
        - says: When is my appointment?
          assert: [{type: contains, value: "Dec 1"}, {type: not-icontains, value: biopsy}]
"#;

const WORDS: &str = "You come to us on {{ when }}.";

async fn lab() -> Lab {
    let files: Files = [("s.yaml".to_owned(), STORY.into())].into();
    Lab::with_suites(Some(files)).await
}

async fn saves(hand: &mut Hand<'_>, place: &str, text: &str) -> StatusCode {
    let path = format!("/console/prompts/edit/{place}");
    let page = hand.get(&path).await.text().to_owned();
    let seen =
        unescaped(between(&page, "<textarea name=\"seen\" hidden>\n", "</textarea>").unwrap());
    let told = hand.post(&path, &[("text", text), ("seen", &seen)]).await;
    told.status
}

fn unescaped(text: &str) -> String {
    let signs = [
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let mut text = text.to_owned();
    for (escaped, sign) in signs {
        text = text.replace(escaped, sign);
    }
    text
}

/// Runs the gate and waits until it has an answer.
async fn tried(lab: &Lab, hand: &mut Hand<'_>) {
    let mut changes = lab.app.house.changes();
    changes.mark_unchanged();
    let told = hand.post("/console/prompts/gate", &[]).await;
    assert_eq!(told.header("location"), "/console/prompts#gate");
    loop {
        let run = hand.get("/console/prompts/gate").await.json();
        if run.is_null() {
            return;
        }
        changes.changed().await.unwrap();
    }
}

/// The gate's yes to the wording in work, where the gate itself is not what is looked at.
async fn passed(lab: &Lab, hand: &mut Hand<'_>) -> String {
    let digest = digest(hand).await;
    let store = lab.app.house.store();
    let draft = store
        .draft(lab.practice(), Published::Prompt)
        .await
        .unwrap()
        .unwrap();
    let report = r#"{"refusal":null,"sha256":"abc","held":1,"of":1,"texts":0,"set_aside":0}"#;
    let (revision, now) = (draft.revision, lab.app.clock_now());
    let found = (digest.as_str(), report);
    let kept = store.draft_gated(
        (lab.practice(), Published::Prompt),
        revision,
        found,
        ("test", true),
        now,
    );
    assert!(kept.await.unwrap());
    digest
}

async fn digest(hand: &mut Hand<'_>) -> String {
    let page = hand.get("/console/prompts").await.text().to_owned();
    between(&page, "name=\"digest\" value=\"", "\"")
        .unwrap_or_default()
        .to_owned()
}

async fn publishes(hand: &mut Hand<'_>, digest: &str) -> (u16, String) {
    let told = hand
        .post(
            "/console/prompts/publish",
            &[("digest", digest), ("note", "warmer")],
        )
        .await;
    let to = told.header("location").to_owned();
    (told.status.as_u16(), to + told.text())
}

/// The figures since the publish stand beside those before.
async fn compared(hand: &mut Hand<'_>) {
    let page = hand.get("/console/overview/changes").await;
    let page = page.text();
    assert!(
        page.contains("Answered by the agent") && page.contains("Texts from patients"),
        "{page}"
    );
}

#[tokio::test]
async fn a_wording_is_published_only_when_the_suites_pass_and_taken_back_with_one_click() {
    let lab = lab().await;
    lab.app.agreed(MARIA).await;
    let mut editor = lab.staff(Role::PromptEditor).await;
    let told = editor.get("/console").await;
    assert_eq!(told.header("location"), "/console/prompts");
    let page = editor.get("/console/prompts").await.text().to_owned();
    assert!(page.contains("Nothing is in work") && page.contains("Your next visit is"));

    // Before the suites have run, Publish is closed, whatever a form says.
    assert_eq!(saves(&mut editor, "en/visit", WORDS).await, 303);
    let page = editor.get("/console/prompts").await.text().to_owned();
    assert!(
        page.contains("not tried yet") && page.contains("id=\"publish\" disabled"),
        "{page}"
    );
    assert!(page.contains("<del>") && page.contains("<ins>"), "{page}");
    let first = digest(&mut editor).await;
    let (status, page) = publishes(&mut editor, &first).await;
    assert_eq!(status, 409);
    assert!(page.contains("closed until the suites pass"), "{page}");
    assert!(
        lab.app
            .one(MARIA, "When is my appointment?")
            .await
            .starts_with("Your next visit")
    );

    tried(&lab, &mut editor).await;
    let page = editor.get("/console/prompts").await.text().to_owned();
    assert!(page.contains("1 of 1 cases hold"), "{page}");
    assert!(
        page.contains("ready to publish") && !page.contains("id=\"publish\" disabled"),
        "{page}"
    );
    let (status, to) = publishes(&mut editor, &first).await;
    assert_eq!(
        (status, to.as_str()),
        (303, "/console/prompts?done=published")
    );
    let said = lab.app.one(MARIA, "When is my appointment?").await;
    assert!(said.starts_with("You come to us on"), "{said}");

    compared(&mut editor).await;

    // One click takes it back.
    let told = editor.post("/console/prompts/back", &[("to", "0")]).await;
    assert_eq!(told.header("location"), "/console/prompts?done=back");
    let said = lab.app.one(MARIA, "When is my appointment?").await;
    assert!(said.starts_with("Your next visit"), "{said}");
    let page = editor.get("/console/prompts").await.text().to_owned();
    assert!(
        page.contains("taken back") && page.contains("Dana Whitfield"),
        "{page}"
    );
    let page = editor
        .get("/console/prompts/version/1")
        .await
        .text()
        .to_owned();
    assert!(
        page.contains("warmer") && page.contains("<ins>You come to us on</ins>"),
        "{page}"
    );
    let log = lab.app.audited().await;
    for action in [
        "prompt.edited",
        "prompt.gated",
        "prompt.published",
        "prompt.rolled_back",
    ] {
        assert!(log.iter().any(|it| it == action), "{action} in {log:?}");
    }
}

#[tokio::test]
async fn a_wording_that_fails_a_case_stays_closed_and_the_case_is_named() {
    let lab = lab().await;
    let mut owner = lab.staff(Role::Owner).await;
    assert_eq!(saves(&mut owner, "en/visit", "Come soon.").await, 303);
    tried(&lab, &mut owner).await;
    let page = owner.get("/console/prompts").await.text().to_owned();
    assert!(
        page.contains("s/visit") && page.contains("s.yaml:"),
        "{page}"
    );
    assert!(page.contains("id=\"publish\" disabled"), "{page}");
    let shown = digest(&mut owner).await;
    assert_eq!(publishes(&mut owner, &shown).await.0, 409);
    // A wording that passes, and is changed afterwards, is another wording.
    saves(&mut owner, "en/visit", WORDS).await;
    let passed = passed(&lab, &mut owner).await;
    saves(&mut owner, "en/thanks", "With pleasure.").await;
    let (status, page) = publishes(&mut owner, &passed).await;
    assert_eq!(status, 409);
    assert!(page.contains("changed after you opened"), "{page}");
    let now = digest(&mut owner).await;
    assert_eq!(publishes(&mut owner, &now).await.0, 409);
    let store = lab.app.house.store();
    let kind = Published::Prompt;
    assert!(
        store
            .versions(lab.practice(), kind)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn two_at_once_lose_nothing_and_publish_once() {
    let lab = lab().await;
    let mut one = lab.staff(Role::Owner).await;
    let mut other = lab.staff(Role::PromptEditor).await;
    let path = "/console/prompts/edit/en/visit";
    let page = other.get(path).await.text().to_owned();
    let seen =
        unescaped(between(&page, "<textarea name=\"seen\" hidden>\n", "</textarea>").unwrap());
    saves(&mut one, "en/visit", WORDS).await;
    let mine = "See you on {{ when }}.";
    let told = other.post(path, &[("text", mine), ("seen", &seen)]).await;
    assert_eq!(told.status, 409);
    let page = told.text();
    assert!(
        page.contains("changed this template while you wrote"),
        "{page}"
    );
    assert!(
        page.contains("See you on") && page.contains("You come to us on"),
        "{page}"
    );
    // Another template of the same wording is nobody's matter.
    assert_eq!(
        saves(&mut other, "es/thanks", "De nada. Escríbanos cuando guste.").await,
        303
    );
    let shown = passed(&lab, &mut one).await;
    assert_eq!(publishes(&mut one, &shown).await.0, 303);
    let (status, page) = publishes(&mut other, &shown).await;
    assert_eq!(status, 409);
    assert!(page.contains("nothing to publish"), "{page}");
}

#[tokio::test]
async fn what_may_never_be_published_is_refused_where_it_is_written() {
    let lab = lab().await;
    let mut editor = lab.staff(Role::PromptEditor).await;
    let long = "a".repeat(641);
    for (text, wanted) in [
        ("", "write its words"),
        ("On {{ when", "Line 1: a tag is not closed"),
        ("Hello.\nOn {{ ssn }}", "Line 2: unknown name"),
        ("{% set a = 1 %}", "only if, elif, else, endif and one for"),
        (
            "{% if when %}On {{ when }}",
            "Check that every if has an endif",
        ),
        (long.as_str(), "gives more than 640 characters"),
    ] {
        let told = editor
            .post("/console/prompts/edit/en/visit", &[("text", text)])
            .await;
        assert_eq!(told.status, 422, "{text}");
        let page = told.text();
        assert!(page.contains(wanted), "{wanted}: {page}");
        assert!(
            unescaped(page).contains(&format!(">\n{text}")),
            "the words are still in the box"
        );
    }
    for path in [
        "/console/prompts/edit/fr/visit",
        "/console/prompts/edit/en/nothing",
    ] {
        assert_eq!(editor.get(path).await.status, 404, "{path}");
    }
    let kept = lab
        .app
        .house
        .store()
        .draft(lab.practice(), Published::Prompt)
        .await
        .unwrap();
    assert_eq!(kept, None);
}

#[tokio::test]
async fn the_phone_shows_the_verdict_of_what_is_being_written() {
    let lab = lab().await;
    let mut editor = lab.staff(Role::PromptEditor).await;
    let mut shown = async |name: &str, fields: &[(&str, &str)]| {
        let path = format!("/console/prompts/try/en/{name}");
        editor.post(&path, fields).await.json()
    };
    let told = shown("visit", &[("text", WORDS)]).await;
    assert_eq!(told["verdict"], "pass");
    assert_eq!(told["text"], "You come to us on Wed, Dec 2 at 3:00 PM.");
    assert_eq!(
        (&told["segments"], &told["price"]),
        (&1.into(), &"0.0128".into())
    );
    let told = shown("visit", &[("text", "Your biopsy is on {{ when }}.")]).await;
    assert_eq!(told["verdict"], "rewrite");
    assert!(
        told["pieces"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["text"] == "biopsy"),
        "{told}"
    );
    let own = "{% if provider %}With {{ provider }}{% else %}With us{% endif %}.";
    let told = shown("visit", &[("text", own), ("v.provider", "\"\"")]).await;
    assert_eq!(told["said"], "With us.");
    let told = shown("visit", &[("text", "{{ nobody }}")]).await;
    assert!(
        told["fault"].as_str().unwrap().contains("unknown name"),
        "{told}"
    );
    let told = shown("system", &[("text", "You speak for {{ practice }}.")]).await;
    assert_eq!(told["said"], "You speak for Lakeside Family Medicine.");
}

#[tokio::test]
async fn a_reply_in_the_making_is_made_anew_and_a_text_that_waits_still_leaves() {
    let lab = lab().await;
    lab.app.agreed(MARIA).await;
    let mut owner = lab.staff(Role::Owner).await;
    saves(&mut owner, "en/visit", WORDS).await;
    let shown = passed(&lab, &mut owner).await;

    // One asks at this moment; another has an answer that waits for its carrier.
    lab.app.agreed(JAMES).await;
    lab.app
        .receive(lab.app.inbound(JAMES, "What are your hours?"))
        .await;
    assert_eq!(lab.app.house.reply_once().await.unwrap(), Step::Worked);
    lab.app
        .receive(lab.app.inbound(MARIA, "When is my appointment?"))
        .await;
    let (maria, waits) = (
        lab.app.conversation(MARIA).await,
        lab.app.conversation(JAMES).await,
    );
    assert_eq!(publishes(&mut owner, &shown).await.0, 303);
    assert_eq!(lab.app.conversation(MARIA).await.epoch, maria.epoch + 1);
    assert_eq!(lab.app.conversation(JAMES).await.epoch, waits.epoch);
    let (before, then) = (
        lab.app.received_by(MARIA).len(),
        lab.app.received_by(JAMES).len(),
    );
    lab.app.drain().await;
    let said = lab.app.received_by(MARIA).split_off(before);
    assert!(said[0].starts_with("You come to us on"), "{said:?}");
    assert_eq!(lab.app.received_by(JAMES).len(), then + 1);
}
