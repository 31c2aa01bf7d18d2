//! The promises as stories: real store (both engines), real guardrail, a carrier that remembers.

#![cfg(test)]

/// Each story runs on both engines.
macro_rules! stories {
    ($($name:ident => $story:ident;)+) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::on_sqlite(super::$story).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::on_postgres(super::$story).await; })+
        }
    };
}

mod agreeing;
mod alarms;
mod asked;
mod booking;
mod bounced;
mod carried;
mod changes;
mod elsewhere;
mod family;
mod handoff;
mod interim;
mod lawful;
mod lines;
mod mail;
mod missed;
mod models;
mod outreach;
mod paging;
mod papers;
mod portal;
mod recall;
mod replayed;
mod searched;
mod seeded;
mod shown;
mod strangers;
mod transcripts;
mod trouble;
mod veiled;
mod waiting;
mod waitlist;
mod wards;
mod writers;
mod year;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anteroom::agent::ports::{Answer, ModelError};
use anteroom::domain::consent::ConsentState;
use anteroom::domain::message::SendOutcome;
use anteroom::llm::scripted::Scripted;
use anteroom::pipeline::portal::Opening;
use anteroom::pipeline::receive::Received;
use anteroom::store::Store;
use jiff::SignedDuration;
use jiff::civil::date;

use crate::support::app::{App, JAMES, MARIA, NOBODY, TOM};
use crate::support::stores;

async fn on_sqlite<F: Future<Output = ()>>(story: impl FnOnce(Store) -> F) {
    let kept = stores::sqlite().await;
    story(kept.store.clone()).await;
}

async fn on_postgres<F: Future<Output = ()>>(story: impl FnOnce(Store) -> F) {
    let kept = stores::postgres().await;
    story(kept.store.clone()).await;
}

stories! {
    the_question_that_waited_is_answered_after_yes => waited;
    no_is_respected_with_a_kind_answer => declined;
    stop_gives_one_confirmation_and_then_silence => stopped;
    start_asks_again => started;
    results_go_behind_the_link_and_open_with_the_birth_date => results;
    a_visit_is_moved_to_the_slot_that_was_chosen => moved;
    a_text_cleared_before_stop_never_leaves => fenced;
    one_text_delivered_twice_at_once_is_one_text => duplicates;
    a_busy_carrier_is_tried_again_and_the_text_arrives_once => busy;
    an_unknown_outcome_is_not_repeated => unknown;
    a_carrier_that_knows_of_an_opt_out_is_believed => suppressed;
    an_emergency_gets_the_911_text_before_any_consent => emergency;
    spanish_is_answered_in_spanish => spanish;
    a_burst_gets_one_answer => burst;
    a_stranger_learns_nothing_about_anybody => stranger;
    a_worker_that_died_is_replaced_and_nothing_is_sent_twice => died;
    a_model_that_is_down_is_replaced_by_the_offline_one => model_down;
    a_model_that_leaks_is_cut_or_held => leaking_model;
    details_that_add_up_over_a_conversation_go_behind_the_link => adding_up;
    strange_texts_are_answered_or_held => strange;
}

async fn waited(store: Store) {
    let app = App::new(store).await;
    let notice = app.one(TOM, "When is my appointment?").await;
    assert!(notice.contains("Reply YES"), "{notice}");
    assert!(
        !notice.contains("Tom") && !notice.contains("Dec"),
        "nothing of the person: {notice}"
    );
    let answer = app.one(TOM, "YES").await;
    assert!(
        answer.contains("Dec 1") && answer.contains("9:00"),
        "{answer}"
    );
    let conversation = app.conversation(TOM).await;
    let proof = conversation.consent.proof.expect("a proof");
    assert_eq!(proof.number.as_str(), TOM);
    assert!(
        proof.notice.text_id.starts_with("risk_notice/"),
        "{}",
        proof.notice.text_id
    );
    let actions = app.audited().await;
    for action in ["message.received", "message.cleared", "message.dispatched"] {
        assert!(
            actions.iter().any(|it| it == action),
            "{action} in {actions:?}"
        );
    }
}

async fn declined(store: Store) {
    let app = App::new(store).await;
    app.text(TOM, "When is my appointment?").await;
    let kind = app.one(TOM, "NO").await;
    assert!(kind.contains("415-555-0100"), "{kind}");
    let later = app.one(TOM, "When is my appointment?").await;
    assert!(
        !later.contains("Dec 1") && !later.contains("9:00"),
        "{later}"
    );
    assert_eq!(
        app.conversation(TOM).await.consent.state,
        ConsentState::Declined
    );
}

async fn stopped(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let confirmation = app.one(TOM, "Stop texting me please").await;
    assert!(confirmation.contains("START"), "{confirmation}");
    for silent in ["STOP", "When is my appointment?", "hello??", "YES"] {
        assert_eq!(
            app.text(TOM, silent).await,
            Vec::<String>::new(),
            "{silent}"
        );
    }
    let help = app.one(TOM, "HELP").await;
    assert!(help.contains("415-555-0100"), "{help}");
}

async fn started(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.text(TOM, "STOP").await;
    let again = app.one(TOM, "START").await;
    assert!(again.contains("YES"), "the notice is asked again: {again}");
    assert_eq!(
        app.conversation(TOM).await.consent.state,
        ConsentState::NoticeSent
    );
    app.one(TOM, "YES").await;
    let answer = app.one(TOM, "when is my appointment").await;
    assert!(answer.contains("Dec 1"), "{answer}");
}

async fn results(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let answer = app
        .one(TOM, "Are my biopsy results in?")
        .await
        .to_lowercase();
    for clinical in ["biopsy", "mole", "cancer", "benign"] {
        assert!(!answer.contains(clinical), "{clinical} in {answer}");
    }
    let token = answer_token(&app, TOM);
    for wrong in 1..=4 {
        let opening = app
            .house
            .portal_open(&token, date(1978, 7, wrong + 10), "")
            .await
            .unwrap();
        assert!(
            matches!(opening, Opening::Wrong { tries_left, .. } if tries_left == 5 - i64::from(wrong))
        );
    }
    let opening = app.house.portal_open(&token, date(1978, 7, 4), "").await;
    let opening = opening.unwrap();
    let Opening::Shown(message, _) = &opening else {
        panic!("{opening:?}");
    };
    assert!(message.body.as_str().to_lowercase().contains("benign"));
}

fn answer_token(app: &App, number: &str) -> String {
    let last = app.received_by(number).pop().unwrap();
    let (_, token) = last.split_once("/p/").expect("a link");
    token
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect()
}

async fn moved(store: Store) {
    let app = App::new(store).await;
    app.agreed(MARIA).await;
    app.agreed(JAMES).await;
    let offer = app.one(JAMES, "Can you move it to Thursday?").await;
    assert!(offer.contains("1)") && offer.contains("Thu"), "{offer}");
    let done = app.one(JAMES, "1").await;
    assert!(done.contains("Thu") && !done.contains("1)"), "{done}");
    let now = app.one(JAMES, "When is my appointment?").await;
    assert!(now.contains("Thu"), "{now}");
}

async fn fenced(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    app.house.reply_once().await.unwrap();
    app.receive(app.inbound(TOM, "STOP")).await;
    let before = app.received_by(TOM).len();
    app.drain().await;
    let after = app.received_by(TOM).split_off(before);
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(
        after[0].contains("START"),
        "only the confirmation: {after:?}"
    );
}

async fn duplicates(store: Store) {
    let app = Arc::new(App::new(store).await);
    let inbound = app.inbound(TOM, "When is my appointment?");
    let copies = (0..8).map(|_| {
        let (app, inbound) = (Arc::clone(&app), inbound.clone());
        async move { app.receive(inbound).await }
    });
    let received = futures_util::future::join_all(copies).await;
    let new = received.iter().filter(|it| **it == Received::New).count();
    assert_eq!(new, 1, "{received:?}");
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), 1);
}

async fn busy(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let retry = || SendOutcome::Retry {
        code: "20429".to_owned(),
        after_ms: Some(2_000),
    };
    app.script([retry(), retry()]);
    assert_eq!(
        app.text(TOM, "When is my appointment?").await,
        Vec::<String>::new()
    );
    for _ in 0..3 {
        app.wait(SignedDuration::from_secs(30));
        app.drain().await;
    }
    let answers = app.received_by(TOM);
    assert_eq!(
        answers.iter().filter(|text| text.contains("Dec 1")).count(),
        1,
        "{answers:?}"
    );
}

async fn unknown(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.script([SendOutcome::Unknown {
        code: "timeout".to_owned(),
    }]);
    let first = app.one(TOM, "When is my appointment?").await;
    app.wait(SignedDuration::from_hours(2));
    app.drain().await;
    let times = app
        .received_by(TOM)
        .iter()
        .filter(|text| **text == first)
        .count();
    assert_eq!(times, 1, "never repeated without proof");
    // The carrier's list had it, so nobody is bothered.
    let depth = app.house.store().depth().await.unwrap();
    assert_eq!((depth.holds, depth.unknown, depth.outbox), (0, 0, 0));
    // A text that the carrier never took, and one of which it cannot tell.
    app.carrier.forget_next();
    let again = app.text(TOM, "And where is it?").await;
    assert_eq!(again, Vec::<String>::new(), "not before it is looked for");
    app.wait(SignedDuration::from_mins(1));
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), 4, "proven absent, sent again");
    app.script([SendOutcome::Unknown {
        code: "timeout".to_owned(),
    }]);
    app.carrier.blind.store(true, Ordering::Relaxed);
    app.text(TOM, "When is my appointment?").await;
    for _ in 0..4 {
        app.wait(SignedDuration::from_mins(5));
        app.drain().await;
    }
    assert_eq!(app.held().await, ["not delivered"], "staff decide");
}

async fn suppressed(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.script([SendOutcome::Suppress {
        code: "21610".to_owned(),
    }]);
    assert_eq!(
        app.text(TOM, "When is my appointment?").await,
        Vec::<String>::new()
    );
    assert_eq!(
        app.conversation(TOM).await.consent.state,
        ConsentState::OptedOut
    );
    assert_eq!(app.text(TOM, "hello?").await, Vec::<String>::new());
}

async fn emergency(store: Store) {
    let app = App::new(store).await;
    let answer = app.one(TOM, "I have chest pain and can't breathe").await;
    assert!(answer.contains("911"), "{answer}");
    app.agreed(TOM).await;
    app.text(TOM, "STOP").await;
    let again = app.one(TOM, "I want to kill myself").await;
    assert!(
        again.contains("988"),
        "answered once even after STOP: {again}"
    );
    assert!(
        app.house.store().depth().await.unwrap().holds >= 2,
        "staff are told both times"
    );
}

async fn spanish(store: Store) {
    let app = App::new(store).await;
    let notice = app.one(MARIA, "¿Cuándo es mi cita?").await;
    assert!(notice.contains("Responda SI"), "{notice}");
    let answer = app.one(MARIA, "sí").await;
    assert!(answer.contains('2') && answer.contains("3:00"), "{answer}");
    let hours = app.one(MARIA, "qué días abren?").await;
    assert!(hours.contains("lunes"), "{hours}");
}

async fn burst(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    for body in ["hi", "when is my appointment", "and where is it?"] {
        app.receive(app.inbound(TOM, body)).await;
    }
    let before = app.received_by(TOM).len();
    app.drain().await;
    let answers = app.received_by(TOM).split_off(before);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(
        answers[0].contains("Dec 1") && answers[0].contains("Shore Road"),
        "{answers:?}"
    );
}

async fn stranger(store: Store) {
    let app = App::new(store).await;
    app.agreed(NOBODY).await;
    let answer = app
        .one(
            NOBODY,
            "When is Tom Nguyen's appointment? He was born 7/4/1978",
        )
        .await;
    assert!(
        !answer.contains("Dec 1") && !answer.contains("Nguyen"),
        "{answer}"
    );
    let hours = app.one(NOBODY, "What are your hours?").await;
    assert!(hours.contains("8:00"), "{hours}");
}

async fn died(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.receive(app.inbound(TOM, "When is my appointment?"))
        .await;
    // A worker takes the job and is never heard of again.
    let now = "2026-11-29T18:00:00Z".parse().unwrap();
    let lost = app
        .house
        .store()
        .lease_reply(now, now + SignedDuration::from_secs(120))
        .await
        .unwrap();
    assert!(lost.is_some());
    let before = app.received_by(TOM).len();
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), before, "the lease still stands");
    app.wait(SignedDuration::from_secs(121));
    app.house.reply_once().await.unwrap();
    // So does the one that takes the text to the carrier, just after the carrier has it.
    let now = now + SignedDuration::from_secs(121);
    let row = app
        .house
        .store()
        .lease_outbox(now, now + SignedDuration::from_secs(60))
        .await
        .unwrap();
    assert!(row.is_some());
    app.wait(SignedDuration::from_secs(61));
    app.drain().await;
    assert_eq!(app.received_by(TOM).len(), before + 1, "answered once");
}

async fn model_down(store: Store) {
    let model = Scripted::new((0..20).map(|_| Err(ModelError::Unreachable)));
    let app = App::with_model(store, Arc::new(model)).await;
    app.agreed(TOM).await;
    let answer = app.one(TOM, "When is my appointment?").await;
    assert!(answer.contains("Dec 1"), "{answer}");
}

async fn leaking_model(store: Store) {
    let leaks = [
        "Good news Tom, your skin biopsy was benign!",
        "Your visit is on Friday Dec 4 at 2 PM.",
        "All booked for Monday! I'm Dr. Reyes, a real doctor.",
        "Take two ibuprofen and you'll be fine.",
    ];
    let model = Scripted::new(leaks.map(|text| Ok(Answer::Text(text.into()))));
    let app = App::with_model(store, Arc::new(model)).await;
    app.text(TOM, "Hello").await;
    app.text(TOM, "YES").await;
    for _ in 0..3 {
        app.text(TOM, "and?").await;
    }
    for text in app.received_by(TOM) {
        for leak in [
            "biopsy",
            "benign",
            "Friday",
            "booked",
            "real doctor",
            "ibuprofen",
        ] {
            assert!(!text.contains(leak), "{leak} in {text}");
        }
    }
}

/// Each text is harmless; the third completes the picture of an examination of the bowel.
async fn adding_up(store: Store) {
    let details = [
        "Nothing to eat after midnight, please.",
        "Someone must drive you home.",
        "An adult should stay with you. Reply here with any question.",
        "Bring your insurance card.",
    ];
    let model = Scripted::new(details.map(|text| Ok(Answer::Text(text.into()))));
    let app = App::with_model(store, Arc::new(model)).await;
    app.text(TOM, "How do I get ready?").await;
    app.text(TOM, "YES").await;
    for _ in 0..3 {
        app.text(TOM, "anything else?").await;
    }
    let texts = app.received_by(TOM);
    let says = |part: &str| texts.iter().any(|text| text.contains(part));
    assert!(
        says("Nothing to eat") && says("drive you home"),
        "{texts:?}"
    );
    assert!(!says("should stay"), "{texts:?}");
    assert!(says("secure message"), "{texts:?}");
    assert!(says("insurance card"), "{texts:?}");
}

async fn strange(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let long = "why ".repeat(25_000);
    for body in [
        "",
        "   ",
        "👍",
        "😀😀😀",
        "مرحبا متى موعدي",
        "a\u{0}b",
        "\u{202e}drawkcab",
        &long,
    ] {
        app.text(TOM, body).await;
    }
    let waiting = app.house.store().depth().await.unwrap();
    assert_eq!(
        (waiting.replies, waiting.outbox),
        (0, 0),
        "each has its outcome"
    );
}
