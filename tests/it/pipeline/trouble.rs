//! Trouble: panics, texts that cross each other, workers and practices that are gone.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anteroom::agent::ports::{Answer, BoxFuture, Model, ModelError, Request};
use anteroom::carrier::hear::Report;
use anteroom::domain::consent::ConsentState;
use anteroom::domain::conversation::Direction;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::message::{Delivery, SendOutcome};
use anteroom::domain::practice::CarrierKind;
use anteroom::llm::offline::Offline;
use anteroom::pipeline::portal::LinkState;
use anteroom::store::Store;
use jiff::SignedDuration;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA, TOM};

stories! {
    a_model_that_panics_leaves_one_text_to_staff_and_stops_nobody => panicking_model;
    a_carrier_that_panics_sends_once_when_it_has_recovered => panicking_carrier;
    a_carrier_that_always_panics_is_given_up_for_this_text => hopeless_carrier;
    a_text_of_which_nobody_can_tell_is_left_to_staff => blind_carrier;
    a_practice_that_is_gone_leaves_its_texts_to_staff => practice_gone;
    a_text_after_stop_does_not_take_the_confirmation_away => crossed_stop;
    a_yes_to_a_notice_that_never_left_is_no_consent => early_yes;
    start_where_nothing_was_stopped_closes_no_question => idle_start;
    a_notice_that_failed_is_sent_again => failed_notice;
    help_and_a_question_at_once_are_both_answered => help_and_question;
    more_texts_than_are_read_are_left_to_staff => flood;
    a_text_withdrawn_at_the_last_moment_is_left_to_staff => withdrawn;
    a_report_to_another_practice_moves_nothing => foreign_report;
    texts_of_the_simulator_are_settled_at_the_next_start => settled;
    a_dead_link_says_so_as_long_as_its_conversation_is_kept => erased;
    a_changed_visit_is_in_the_audit_log => audited_change;
}

/// The offline model with a fuse.
#[derive(Debug)]
struct Bomb {
    armed: AtomicBool,
    offline: Offline,
}

impl Model for Bomb {
    fn name(&self) -> &'static str {
        "bomb"
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        assert!(!self.armed.load(Ordering::Relaxed), "a model that panics");
        self.offline.complete(request)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.offline.count_tokens(text)
    }
}

async fn panicking_model(store: Store) {
    let bomb = Arc::new(Bomb {
        armed: AtomicBool::new(false),
        offline: Offline::new(),
    });
    let app = App::with_model(store, Arc::clone(&bomb) as _).await;
    app.agreed(TOM).await;
    app.agreed(JAMES).await;
    bomb.armed.store(true, Ordering::Relaxed);
    let silence = Vec::<String>::new();
    assert_eq!(app.text(TOM, "When is my appointment?").await, silence);
    let notice = app.one(MARIA, "Hello").await;
    assert!(notice.contains("YES"), "others are answered: {notice}");
    for _ in 0..6 {
        app.wait(SignedDuration::from_hours(1));
        app.drain().await;
    }
    assert_eq!(app.held().await, ["parked"]);
    let actions = app.audited().await;
    assert!(actions.iter().any(|it| it == "message.held"), "{actions:?}");
    assert_eq!(app.house.store().depth().await.unwrap().replies, 0);
    bomb.armed.store(false, Ordering::Relaxed);
    let answer = app.one(TOM, "When is my appointment?").await;
    assert!(answer.contains("Dec 1"), "the next text is: {answer}");
}

async fn panicking_carrier(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.carrier.panics.store(1, Ordering::Relaxed);
    let silence = Vec::<String>::new();
    assert_eq!(app.text(TOM, "When is my appointment?").await, silence);
    let before = app.received_by(TOM).len();
    app.wait(SignedDuration::from_secs(11));
    app.drain().await;
    let after = app.received_by(TOM).split_off(before);
    assert_eq!(after.len(), 1, "{after:?}");
}

async fn hopeless_carrier(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.carrier.panics.store(6, Ordering::Relaxed);
    app.text(TOM, "When is my appointment?").await;
    for _ in 0..8 {
        app.wait(SignedDuration::from_secs(11));
        app.drain().await;
    }
    assert_eq!(app.held().await, ["not delivered"]);
    let answer = app.one(TOM, "When is my appointment?").await;
    assert!(answer.contains("Dec 1"), "the next text leaves: {answer}");
}

async fn blind_carrier(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    // A worker takes the text to the carrier and is never heard of again.
    let now = app.house.clock().now();
    let lost = app
        .house
        .store()
        .lease_outbox(now, now + SignedDuration::from_secs(10));
    assert!(lost.await.unwrap().is_some());
    app.carrier.blind.store(true, Ordering::Relaxed);
    let before = app.received_by(TOM).len();
    for _ in 0..4 {
        app.wait(SignedDuration::from_hours(1));
        app.drain().await;
    }
    assert_eq!(app.received_by(TOM).len(), before, "never repeated");
    assert_eq!(app.held().await, ["not delivered"]);
    assert_eq!(app.house.store().depth().await.unwrap().unknown, 1);
}

async fn practice_gone(store: Store) {
    let app = App::new(store.clone()).await;
    app.agreed(TOM).await;
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    app.receive(app.inbound(TOM, "And where is it?")).await;
    let closed = App::closed(store).await;
    closed.drain().await;
    let mut held = closed.held().await;
    held.sort();
    assert_eq!(
        held,
        [
            "practice not configured",
            "withdrawn: practice not configured"
        ]
    );
    let depth = closed.house.store().depth().await.unwrap();
    assert_eq!((depth.replies, depth.outbox), (0, 0));
    assert_eq!(closed.received_by(TOM), Vec::<String>::new());
}

async fn crossed_stop(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.receive(app.inbound(TOM, "STOP")).await;
    app.house.reply_once().await.unwrap();
    app.receive(app.inbound(TOM, "wait, what?")).await;
    app.receive(app.inbound(TOM, "STOP")).await;
    let before = app.received_by(TOM).len();
    app.drain().await;
    let after = app.received_by(TOM).split_off(before);
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].contains("START"), "{after:?}");
}

async fn early_yes(store: Store) {
    let app = App::new(store).await;
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    app.receive(app.inbound(TOM, "YES")).await;
    app.drain().await;
    let sent = app.received_by(TOM);
    assert_eq!(sent.len(), 1, "only the notice: {sent:?}");
    let state = app.conversation(TOM).await.consent.state;
    assert_eq!(state, ConsentState::NoticeSent);
    let answer = app.one(TOM, "YES").await;
    assert!(answer.contains("Dec 1"), "{answer}");
}

async fn idle_start(store: Store) {
    let app = App::new(store).await;
    app.text(TOM, "When is my appointment?").await;
    app.text(TOM, "START").await;
    let answer = app.one(TOM, "YES").await;
    assert!(answer.contains("Dec 1"), "{answer}");
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    let answers = app.text(TOM, "START").await;
    assert!(answers[0].contains("Dec 1"), "not overtaken: {answers:?}");
}

async fn failed_notice(store: Store) {
    let app = App::new(store).await;
    let code = "30007".to_owned();
    app.script([SendOutcome::Fail { code }]);
    let silence = Vec::<String>::new();
    assert_eq!(app.text(TOM, "When is my appointment?").await, silence);
    let told = "not delivered: the carrier filtered it or suspended the number: act there (30007)";
    assert_eq!(app.held().await, [told]);
    let notice = app.one(TOM, "YES").await;
    assert!(
        notice.contains("Reply YES"),
        "asked for the first time: {notice}"
    );
    let answer = app.one(TOM, "YES").await;
    assert!(answer.contains("Dec 1"), "{answer}");
}

async fn help_and_question(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.receive(app.inbound(TOM, "HELP")).await;
    let answers = app.text(TOM, "When is my appointment?").await;
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers[0].contains("415-555-0100"), "{answers:?}");
    assert!(answers[1].contains("Dec 1"), "{answers:?}");
}

async fn flood(store: Store) {
    let app = App::new(store).await;
    app.text(TOM, "Hello").await;
    for number in 1..=60 {
        let question = format!("When is my appointment? I ask {number}");
        app.receive(app.inbound(TOM, &question)).await;
    }
    app.text(TOM, "YES").await;
    assert!(
        app.held()
            .await
            .contains(&"too many texts at once".to_owned())
    );
    let id = app.conversation(TOM).await.id;
    let turns = app.house.store().turns(id, 200).await.unwrap();
    let waiting = turns
        .iter()
        .filter(|turn| turn.direction == Direction::Inbound && !turn.answered)
        .count();
    assert_eq!(waiting, 0, "each has its outcome");
}

async fn withdrawn(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    let id = app.conversation(TOM).await.id;
    let taken_over = app.house.store().write(move |tx| {
        Box::pin(async move {
            let mut it = tx.lock_conversation(id).await?.expect("a conversation");
            it.human = true;
            it.epoch += 1;
            tx.save_conversation(&it).await
        })
    });
    taken_over.await.unwrap();
    let before = app.received_by(TOM).len();
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), before);
    assert_eq!(app.held().await, ["withdrawn: fence"]);
}

async fn last_delivery(app: &App) -> Option<Delivery> {
    let id = app.conversation(TOM).await.id;
    let turns = app.house.store().turns(id, 1).await.unwrap();
    turns.last().and_then(|turn| turn.delivery)
}

async fn foreign_report(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let reference = app.carrier.last_reference();
    let id = format!("LB-{reference}");
    let (carrier, failed) = (CarrierKind::Simulator, Delivery::Failed);
    let other = PracticeId::new("harbour");
    let told = |delivery| Report {
        carrier_id: id.clone(),
        delivery,
        code: None,
        reference: None,
    };
    let known = app.house.delivery(&other, carrier, &told(failed)).await;
    assert!(!known.unwrap());
    assert_eq!(last_delivery(&app).await, Some(Delivery::Queued));
    let known = app
        .house
        .delivery(app.practice(), carrier, &told(Delivery::Delivered))
        .await;
    assert!(known.unwrap());
    assert_eq!(last_delivery(&app).await, Some(Delivery::Delivered));
}

async fn settled(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    assert_eq!(last_delivery(&app).await, Some(Delivery::Queued));
    app.house.settle_simulated().await.unwrap();
    assert_eq!(last_delivery(&app).await, Some(Delivery::Delivered));
    let actions = app.audited().await;
    assert_eq!(actions.last().unwrap(), "delivery.reported");
}

async fn audited_change(store: Store) {
    let app = App::new(store).await;
    app.agreed(JAMES).await;
    app.one(JAMES, "Can you move it to Thursday?").await;
    let before = app.audited().await;
    app.one(JAMES, "1").await;
    let after = app.audited().await.split_off(before.len());
    let changes = after.iter().filter(|it| *it == "record.changed").count();
    assert_eq!(changes, 1, "{after:?}");
}

async fn erased(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.one(TOM, "Are my biopsy results in?").await;
    let token = super::answer_token(&app, TOM);
    app.wait(SignedDuration::from_hours(24 * 8));
    app.house.erase_once().await.unwrap();
    let state = app.house.portal_state(&token).await.unwrap();
    assert!(matches!(state, LinkState::Expired(_)), "{state:?}");
    app.wait(SignedDuration::from_hours(24 * 30));
    app.house.erase_once().await.unwrap();
    let state = app.house.portal_state(&token).await.unwrap();
    assert!(matches!(state, LinkState::Expired(_)), "{state:?}");
}
