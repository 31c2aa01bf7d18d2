//! The practice's own words and rules: published in the console once the suites let them pass, taken
//! back with one click, only ever tighter.

use anteroom::domain::publication::Published;
use anteroom::domain::staff::Role;
use anteroom::eval::load::Files;

use crate::console::hand::{Hand, Lab, between};
use crate::support::app::MARIA;

const PATH: &str = "/console/policy/overlay";
const WORDS: &str = "[medication certain any]\nquillonol\n";
const DRAFT: &str = "We keep quillonol at the front desk.";

/// Maria asks for her visit; its day is told whatever words the practice adds.
const STORY: &str = r#"
description: d
level: conversation
tests:
  - id: visit
    why: the day of the visit is told
    vars:
      agreed: true
      turns:
        - says: When is my appointment?
          assert: [{type: contains, value: "Dec 1"}]
"#;

/// The words of [`DRAFT`] may leave as they are.
const DESK: &str = r#"
description: d
level: guardrail
tests:
  - id: desk
    why: the front desk is nobody's secret
    vars:
      draft: We keep quillonol at the front desk.
      context: {practice: {name: Lakeside Family Medicine, phone: "+14155550100", type: primary_care, portal_url: "https://portal.example.com"}, channel: sms, consent: granted, state: CA, language: en, timezone: America/Los_Angeles, now: "2026-12-01T10:00:00-08:00", purpose: reply, facts: []}
    assert: [{type: verdict, value: pass}]
"#;

async fn lab(suite: &'static str) -> Lab {
    let files: Files = [("s.yaml".to_owned(), suite.into())].into();
    Lab::with_suites(Some(files)).await
}

async fn saves(hand: &mut Hand<'_>, words: &str, seen: &str) -> (u16, String) {
    let fields = [
        ("words", words),
        ("seen_words", seen),
        ("rules", ""),
        ("seen_rules", ""),
    ];
    let told = hand.post(PATH, &fields).await;
    (told.status.as_u16(), told.text().to_owned())
}

async fn tried(lab: &Lab, hand: &mut Hand<'_>) -> String {
    let mut changes = lab.app.house.changes();
    changes.mark_unchanged();
    let gate = format!("{PATH}/gate");
    let told = hand.post(&gate, &[]).await;
    assert_eq!(told.header("location"), "/console/policy/overlay#gate");
    while !hand.get(&gate).await.json().is_null() {
        changes.changed().await.unwrap();
    }
    hand.get(PATH).await.text().to_owned()
}

fn digest(page: &str) -> String {
    let found = between(page, "name=\"digest\" value=\"", "\"");
    found.unwrap_or_default().to_owned()
}

/// What becomes of the medicine in a text of staff.
async fn verdict(lab: &Lab, desk: &mut Hand<'_>) -> String {
    let id = lab.app.conversation(MARIA).await.id;
    let path = format!("/console/review/{id}");
    let told = desk.post(&path, &[("text", DRAFT)]).await;
    told.json()["verdict"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn words_of_our_own_are_published_behind_the_suites_and_taken_back() {
    let lab = lab(STORY).await;
    lab.app.agreed(MARIA).await;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let id = lab.app.conversation(MARIA).await.id;
    let sent = desk
        .post(&format!("/console/answer/{id}"), &[("text", DRAFT)])
        .await;
    assert_eq!(sent.json()["outcome"], "sent", "{}", sent.text());
    let mut officer = lab.staff(Role::Compliance).await;
    let page = officer.get(PATH).await.text().to_owned();
    assert!(page.contains("Nothing was published yet"), "{page}");
    assert_eq!(saves(&mut officer, WORDS, "").await.0, 303);
    let page = officer.get(PATH).await.text().to_owned();
    assert!(page.contains("id=\"publish\" disabled"), "{page}");
    let shown = digest(&page);
    let publish = format!("{PATH}/publish");
    let told = officer.post(&publish, &[("digest", &shown)]).await;
    assert_eq!(told.status, 409, "closed before the suites have run");
    assert_eq!(verdict(&lab, &mut desk).await, "pass");

    let page = tried(&lab, &mut officer).await;
    assert!(page.contains("1 of 1 cases hold"), "{page}");
    // The stored text names the medicine: its decision is in the table.
    assert!(
        page.contains("<strong>1</strong> would be decided otherwise"),
        "{page}"
    );
    let mut owner = lab.staff(Role::Owner).await;
    let fields = [("digest", shown.as_str()), ("note", "a medicine of ours")];
    let told = owner.post(&publish, &fields).await;
    assert_eq!(
        told.header("location"),
        "/console/policy/overlay?done=published"
    );
    // Two publish at once: the second is told.
    let told = officer.post(&publish, &fields).await;
    assert_eq!(told.status, 409);
    assert!(
        told.text().contains("nothing to publish"),
        "{}",
        told.text()
    );
    assert_ne!(verdict(&lab, &mut desk).await, "pass");

    let told = officer.post(&format!("{PATH}/back"), &[("to", "0")]).await;
    assert_eq!(told.header("location"), "/console/policy/overlay?done=back");
    assert_eq!(verdict(&lab, &mut desk).await, "pass");
    let log = lab.app.audited().await;
    for action in [
        "overlay.edited",
        "overlay.gated",
        "overlay.published",
        "overlay.rolled_back",
    ] {
        assert!(log.iter().any(|it| it == action), "{action} in {log:?}");
    }
}

#[tokio::test]
async fn what_loosens_or_breaks_a_case_never_opens_publish_and_nothing_typed_is_lost() {
    let lab = lab(DESK).await;
    let mut officer = lab.staff(Role::Compliance).await;
    let (status, page) = saves(&mut officer, "[harmless]\nbiopsy\n", "").await;
    assert_eq!(status, 422);
    assert!(
        page.contains("lexicons/console.txt:2") && page.contains("would hide"),
        "{page}"
    );
    assert!(page.contains("[harmless]\nbiopsy"), "{page}");
    let (status, page) = saves(&mut officer, &"x\n".repeat(11_000), "").await;
    assert_eq!(status, 422);
    assert!(page.contains("at most 20000"), "{page}");

    // A word that is in the draft of a case.
    assert_eq!(saves(&mut officer, WORDS, "").await.0, 303);
    let page = tried(&lab, &mut officer).await;
    assert!(
        page.contains("s/desk") && page.contains("id=\"publish\" disabled"),
        "{page}"
    );
    let told = officer
        .post(&format!("{PATH}/publish"), &[("digest", &digest(&page))])
        .await;
    assert_eq!(told.status, 409);

    // A colleague writes meanwhile: neither's words are lost.
    let mut owner = lab.staff(Role::Owner).await;
    let (status, page) = saves(&mut owner, "[lab certain any]\nplovendor\n", "").await;
    assert_eq!(status, 409);
    assert!(
        page.contains("quillonol") && page.contains("plovendor"),
        "{page}"
    );
    let store = lab.app.house.store();
    let versions = store.versions(lab.practice(), Published::Overlay).await;
    assert!(versions.unwrap().is_empty());
}

#[tokio::test]
async fn a_template_is_tried_on_recent_texts_and_what_changed_is_compared() {
    let lab = lab(STORY).await;
    lab.app.agreed(MARIA).await;
    lab.app.one(MARIA, "When is my appointment?").await;
    let path = "/console/prompts/recent/en/visit";
    let words = [("text", "You come to us on {{ when }}.")];
    let mut owner = lab.staff(Role::Owner).await;
    let told = owner.post(path, &words).await.json();
    assert_eq!(told["reads"], true);
    let changed = told["changed"].as_array().unwrap();
    assert_eq!(changed.len(), 1, "{told}");
    assert_eq!(changed[0]["asked"], "When is my appointment?");
    assert_eq!(changed[0]["after"]["verdict"], "pass");
    assert!(
        changed[0]["after"]["segments"].as_u64().unwrap() > 0,
        "{told}"
    );
    assert!(changed[0]["after"]["micros"].is_u64(), "{told}");
    assert!(
        changed[0]["after"]["pieces"]
            .to_string()
            .contains("You come to us on")
    );
    let told = owner.post(path, &[("text", "{{ nobody }}")]).await.json();
    assert!(
        told["fault"].as_str().unwrap().contains("unknown name"),
        "{told}"
    );
    // Who sees no patient gets the figures and no words.
    let mut editor = lab.staff(Role::PromptEditor).await;
    let told = editor.post(path, &words).await.json();
    assert_eq!(told["changed"].as_array().unwrap().len(), 1, "{told}");
    assert!(!told.to_string().contains("appointment?"), "{told}");
    assert!(!told.to_string().contains("Dec 1"), "{told}");

    let page = owner.get("/console/overview/changes").await;
    assert!(
        page.text().contains("Nothing was published yet"),
        "{}",
        page.text()
    );
}
