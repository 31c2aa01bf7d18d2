//! Another portal in the place of ours: nothing can be put there from here, so what belongs behind a link
//! reaches staff whole, and the patient hears what is true.

#![cfg(test)]

use anteroom::domain::ids::PatientId;
use anteroom::domain::waiting::Errand;
use anteroom::pipeline::wish::Wish;
use anteroom::store::Store;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, TOM};

stories! {
    an_answer_for_behind_the_link_reaches_staff_whole => answer;
    a_question_that_waited_for_yes_does_so_too => question;
    words_that_the_practice_asked_to_be_sent_do_so_too => words;
    what_may_be_texted_is_texted => texted;
}

const OTHER: &str = "https://portal.example.com/lakeside";

async fn elsewhere(store: Store) -> App {
    App::with_practice(store, |it| OTHER.clone_into(&mut it.portal_url)).await
}

/// What staff are shown of the text that waits last.
async fn meant(app: &App) -> String {
    let holds = app.house.store().holds(app.practice()).await.unwrap();
    holds.last().unwrap().draft.as_str().to_owned()
}

/// The same practice with our portal: what stands behind the link.
async fn behind_ours() -> String {
    let kept = crate::support::stores::sqlite().await;
    let app = App::new(kept.store.clone()).await;
    app.agreed(TOM).await;
    app.one(TOM, "Are my biopsy results in?").await;
    let report: serde_json::Value = serde_json::from_str(
        app.house
            .store()
            .glass(app.conversation(TOM).await.id, 1)
            .await
            .unwrap()[0]
            .as_str(),
    )
    .unwrap();
    report["portal"].as_str().unwrap().to_owned()
}

fn true_to_the_patient(said: &str) {
    assert!(said.contains("passed this to our staff"), "{said}");
    for not in ["http", OTHER, "biopsy", "secure", "portal"] {
        assert!(!said.contains(not), "{not}: {said}");
    }
}

async fn answer(store: Store) {
    let app = elsewhere(store).await;
    app.agreed(TOM).await;
    let said = app.one(TOM, "Are my biopsy results in?").await;
    true_to_the_patient(&said);
    assert_eq!(app.held().await, ["meant for your own portal"]);
    let (ours, meant) = (behind_ours().await, meant(&app).await);
    assert!(
        meant.contains("benign") && ours.ends_with(&meant),
        "{meant} / {ours}"
    );
    let log = app.audited().await;
    assert!(!log.iter().any(|it| it == "portal.opened"), "{log:?}");
}

async fn question(store: Store) {
    let app = elsewhere(store).await;
    app.one(TOM, "Are my biopsy results in?").await;
    let said = app.text(TOM, "YES").await.join("\n");
    true_to_the_patient(&said);
    assert_eq!(app.held().await, ["meant for your own portal"]);
    let (ours, meant) = (behind_ours().await, meant(&app).await);
    assert!(
        meant.contains("benign") && ours.ends_with(&meant),
        "{meant} / {ours}"
    );
}

async fn words(store: Store) {
    let app = elsewhere(store).await;
    app.agreed(TOM).await;
    let before = app.received_by(TOM).len();
    let text = "Tom, your skin biopsy was benign.";
    let wish = Wish {
        practice: app.practice().clone(),
        request: "r-1".to_owned(),
        number: Some(TOM.parse().unwrap()),
        errand: Errand::Words {
            patient: PatientId::new("p-004"),
            text: text.to_owned(),
        },
    };
    app.house.wish(wish).await.unwrap();
    app.drain().await;
    assert_eq!(
        app.received_by(TOM).len(),
        before,
        "nothing true is left to say"
    );
    assert_eq!(app.held().await, ["meant for your own portal"]);
    assert_eq!(meant(&app).await, text);
}

async fn texted(store: Store) {
    let app = elsewhere(store).await;
    app.agreed(TOM).await;
    let said = app.one(TOM, "What time is my appointment?").await;
    assert!(said.contains("Dec"), "{said}");
    assert!(app.held().await.is_empty(), "{:?}", app.held().await);
}
