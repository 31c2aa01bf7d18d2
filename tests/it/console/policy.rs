//! The policy and the agreements on the console: what a version would change, and who may look.

use std::collections::BTreeMap;

use anteroom::domain::clock::Clock as _;
use anteroom::domain::publication::{Content, NewVersion, Published};
use anteroom::domain::staff::Role;
use jiff::Timestamp;

use crate::console::hand::Lab;
use crate::support::app::MARIA;

/// A word list of the practice's own, with a medicine that no built-in list has.
const WORDS: &str = "[medication certain any]\nquillonol\n";
const DRAFT: &str = "We keep quillonol at the front desk.";

async fn published(lab: &Lab, place: &str, text: &str) -> i64 {
    let version = NewVersion {
        kind: Published::Policy,
        author: "Dana Whitfield".to_owned(),
        digest: "0".repeat(64),
        report: "1".repeat(64),
        trial: None,
        content: Content {
            files: BTreeMap::from([(place.to_owned(), text.to_owned())]),
            note: "a medicine of our own".to_owned(),
        },
    };
    let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
    let store = lab.app.house.store();
    store.publish(lab.practice(), &version, now).await.unwrap()
}

/// A house where staff have sent one text that names the medicine.
async fn told() -> Lab {
    let lab = Lab::new().await;
    lab.app.agreed(MARIA).await;
    let id = lab.app.conversation(MARIA).await.id;
    let mut desk = lab.staff(Role::FrontDesk).await;
    let sent = desk
        .post(&format!("/console/answer/{id}"), &[("text", DRAFT)])
        .await;
    assert_eq!(sent.json()["outcome"], "sent", "{}", sent.text());
    lab
}

#[tokio::test]
async fn a_version_is_tried_on_stored_drafts_and_each_opens_for_whoever_may_read() {
    let lab = told().await;
    let id = published(&lab, "lexicons/house.txt", WORDS).await;
    let path = format!("/console/policy/{id}");

    let mut officer = lab.staff(Role::Compliance).await;
    let list = officer.get("/console/policy").await.text().to_owned();
    assert!(
        list.contains("Dana Whitfield") && list.contains(&path),
        "{list}"
    );
    let page = officer.get(&path).await.text().to_owned();
    assert!(
        page.contains("<strong>1</strong> would be decided otherwise"),
        "{page}"
    );
    assert!(page.contains("0 of them so that more leaves"), "{page}");
    assert!(
        !page.contains("quillonol"),
        "no text before it is asked for"
    );
    let (_, from) = page.split_once("&amp;review=").unwrap();
    let review: String = from.chars().take_while(char::is_ascii_digit).collect();
    let open = officer
        .get(&format!("{path}?review={review}"))
        .await
        .text()
        .to_owned();
    assert!(
        open.contains(DRAFT) && open.contains(&format!("Draft {review}")),
        "{open}"
    );
    let store = lab.app.house.store();
    store.sequence_audit(lab.app.clock.now()).await.unwrap();
    let log = officer
        .get("/console/audit?action=policy.simulated")
        .await
        .text()
        .to_owned();
    assert!(
        log.contains("&quot;review&quot;:") && log.contains("texts_shown"),
        "{log}"
    );

    // Who tunes prompts sees how many decisions change, and no patient.
    let mut editor = lab.staff(Role::PromptEditor).await;
    let page = editor.get(&path).await.text().to_owned();
    assert!(
        page.contains("<strong>1</strong> would be") && !page.contains("review="),
        "{page}"
    );
    let open = editor.get(&format!("{path}?review={review}")).await;
    assert_eq!(open.status, 404);
}

#[tokio::test]
async fn a_version_that_does_not_compile_any_more_says_why() {
    let lab = told().await;
    let id = published(&lab, "house.toml", "schema = 1\nnonsense = 2\n").await;
    let mut owner = lab.staff(Role::Owner).await;
    let told = owner.get(&format!("/console/policy/{id}")).await;
    assert_eq!(told.status, 200);
    let page = told.text().to_owned();
    assert!(
        page.contains("does not compile") && page.contains("house.toml:"),
        "{page}"
    );
    assert_eq!(owner.get("/console/policy/999").await.status, 404);
}

#[tokio::test]
async fn the_empty_pages_say_what_to_do() {
    let lab = Lab::new().await;
    let mut owner = lab.staff(Role::Owner).await;
    let page = owner.get("/console/policy").await.text().to_owned();
    assert!(
        page.contains("Nothing was published yet") && page.contains("policy publish"),
        "{page}"
    );
    let page = owner.get("/console/agreements").await.text().to_owned();
    assert!(page.contains("anteroom agreement add"), "{page}");
}
