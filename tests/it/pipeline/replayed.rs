//! Replay: what a model was sent is made again byte for byte, and what moved since is named.

#![cfg(test)]

use std::sync::Arc;

use anteroom::agent::ports::Model;
use anteroom::agent::prompts::{Prompts, Sources, Wording};
use anteroom::agent::recording;
use anteroom::domain::conversation::{Direction, Turn};
use anteroom::llm::offline::Offline;
use anteroom::llm::scripted::Scripted;
use anteroom::pipeline::replay::{again, asked, compared, digests, name};
use anteroom::store::Store;
use anteroom::store::recordings::{Recorded, Recording};

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, TOM};

stories! {
    an_answer_is_made_again_byte_for_byte => same_bytes;
    what_no_model_was_asked_for_has_no_recording => no_model;
}

async fn turns(app: &App) -> Vec<Turn> {
    let conversation = app.conversation(TOM).await;
    app.house.store().turns(conversation.id, 20).await.unwrap()
}

async fn kept(app: &App, turn: &Turn) -> Box<Recording> {
    match app.house.store().recording(turn.id).await.unwrap() {
        Recorded::Sent(kept) => kept,
        other @ (Recorded::NoTurn | Recorded::NoModel) => panic!("{other:?}"),
    }
}

/// What has moved from the digests of a recording.
fn moved(kept: &Recording, wording: &Wording, policy: &str, models: &[&str]) -> Vec<&'static str> {
    let names: Vec<String> = models.iter().map(|it| (*it).to_owned()).collect();
    let now = digests(wording, policy, &names);
    let all = compared(&kept.digests, &now);
    let moved = all.iter().filter(|it| it.moved());
    moved.map(|it| it.what).collect()
}

async fn same_bytes(store: Store) {
    let script = [
        Scripted::text("Hello! How can we help?"),
        Scripted::tool("list_appointments", "{}"),
        Scripted::text("Your next visit is Tue, Dec 1 at 9:00 AM. See you then!"),
    ];
    let model = Arc::new(Scripted::new(script));
    let app = App::with_model(store, Arc::clone(&model) as _).await;
    app.agreed(TOM).await;
    app.one(TOM, "When is my appointment?").await;
    let turns = turns(&app).await;
    let text = turns.iter().rfind(|it| it.direction == Direction::Inbound);
    let kept_of = kept(&app, text.unwrap()).await;
    // The answer leads to the same recording.
    let answer = kept(&app, turns.last().unwrap()).await;
    assert_eq!(answer.turn, kept_of.turn);
    let models: Vec<Arc<dyn Model>> = vec![Arc::clone(&model) as _, Arc::new(Offline::new())];
    let rounds = again(&kept_of, &models).unwrap();
    assert_eq!(rounds.len(), 2, "it asked for a tool, then wrote");
    for (round, sent) in rounds.iter().zip(model.asked().iter().rev().take(2).rev()) {
        assert!(round.is_same());
        let bytes = model.body(sent).unwrap();
        assert_eq!(round.bytes.as_ref().unwrap().as_str(), bytes.as_str());
        assert!(bytes.as_str().contains("When is my appointment?"));
    }
    // Without the model nothing can be made, and nothing is called the same.
    let without = again(&kept_of, &[Arc::new(Offline::new())]).unwrap();
    assert!(without.iter().all(|it| it.bytes.is_none() && !it.is_same()));
    // Digests: as they are, and each moved alone.
    let used = asked(&recording::read(&kept_of.sent).unwrap());
    assert_eq!(used, [name(&*model)]);
    let own = Wording::default();
    let policy = app.house.policy_digest();
    let [used] = used.as_slice() else {
        panic!("{used:?}")
    };
    assert_eq!(moved(&kept_of, &own, &policy, &[used]), [""; 0]);
    assert_eq!(moved(&kept_of, &own, "other", &[used]), ["policy"]);
    assert_eq!(moved(&kept_of, &own, &policy, &[]), ["model"]);
    let change = ("en/thanks".to_owned(), "Any time!".to_owned());
    let other = Wording::published(Prompts::with(&Sources::from([change])).unwrap());
    assert_eq!(moved(&kept_of, &other, &policy, &[used]), ["prompt"]);
    // The audit log knows them too, and nothing of the words.
    app.audited().await;
    let entries = app
        .house
        .store()
        .audit_entries(app.practice())
        .await
        .unwrap();
    let audited: Vec<String> = entries.into_iter().map(|it| it.entry.detail).collect();
    let entry = audited.iter().rfind(|it| it.contains("tools_digest"));
    let entry = entry.unwrap();
    assert!(entry.contains(&kept_of.digests.prompt), "{entry}");
    assert!(entry.contains(&kept_of.digests.tools), "{entry}");
    assert!(!audited.iter().any(|it| it.contains("my appointment")));
}

async fn no_model(store: Store) {
    let app = App::new(store).await;
    app.text(TOM, "HELP").await;
    let help = turns(&app).await;
    let found = app.house.store().recording(help[0].id).await.unwrap();
    assert!(matches!(found, Recorded::NoModel), "{found:?}");
    let nowhere = anteroom::domain::ids::TurnId(999_999);
    let found = app.house.store().recording(nowhere).await.unwrap();
    assert!(matches!(found, Recorded::NoTurn), "{found:?}");
}
