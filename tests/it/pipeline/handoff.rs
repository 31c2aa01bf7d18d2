//! The agent steps aside for a person, and comes back when staff say so or after the practice's time.

#![cfg(test)]

use std::sync::Arc;

use anteroom::agent::opening::answering;
use anteroom::domain::ids::PatientId;
use anteroom::domain::record::RequestKind;
use anteroom::llm::scripted::Scripted;
use anteroom::policy::words::Language;
use anteroom::store::Store;
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::lawful::offline;
use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, SUNDAY, TOM};
use crate::support::stores;
use crate::support::transcript::give_back;

stories! {
    a_patient_who_asks_for_a_person_gets_one_and_is_told_when => person;
    staff_give_the_conversation_back => given_back;
    a_draft_that_waits_to_leave_never_crosses_to_a_person => fenced;
    stop_and_help_work_while_a_person_has_it => keywords;
    a_call_that_is_asked_for_is_filed_as_a_callback => callback;
    advice_of_a_model_ends_its_part => conduct;
    the_second_failure_in_a_row_ends_the_agents_part => failing;
    a_practice_may_want_staff_to_bring_the_agent_back => only_staff;
}

const WHEN: &str = "When is my appointment?";

async fn person(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let before = app.conversation(TOM).await.epoch;
    app.text(TOM, "Do I have a visit this week?").await;
    let told = app.one(TOM, "I want to talk to a person").await;
    assert!(told.contains("Mon, Nov 30 at 8:00 AM"), "{told}");
    let conversation = app.conversation(TOM).await;
    assert!(conversation.human && conversation.epoch > before);
    assert_eq!(app.text(TOM, WHEN).await, Vec::<String>::new());
    assert_eq!(app.held().await, ["asked for a person", "taken over"]);
    let report: serde_json::Value = serde_json::from_str(&app.last_report().await).unwrap();
    let summary = &report["summary"];
    assert_eq!(summary["who"], "Tom Nguyen");
    let asked = summary["asked"].to_string();
    assert!(asked.contains("this week") && asked.contains("person") && asked.contains(WHEN));
    app.wait(SignedDuration::from_hours(25));
    let answer = app.one(TOM, WHEN).await;
    assert!(answer.contains("Dec 1"), "the agent is back: {answer}");
    let actions = app.audited().await;
    for action in ["conversation.handed_over", "conversation.given_back"] {
        assert!(actions.iter().any(|it| it == action), "{action}");
    }
}

async fn given_back(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.one(TOM, "PERSON").await;
    give_back(&app, TOM).await;
    assert!(app.one(TOM, WHEN).await.contains("Dec 1"));
}

async fn fenced(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let before = app.received_by(TOM).len();
    app.receive(app.inbound(TOM, WHEN)).await;
    app.house.reply_once().await.unwrap();
    let told = app.text(TOM, "PERSON").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("our staff"), "{told:?}");
    assert_eq!(app.received_by(TOM).len(), before + 1);
}

async fn keywords(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    app.one(TOM, "PERSON").await;
    assert!(app.one(TOM, "HELP").await.contains("for help call"));
    assert!(app.one(TOM, "STOP").await.contains("unsubscribed"));
    assert_eq!(app.text(TOM, WHEN).await, Vec::<String>::new());
}

async fn callback(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let told = app.one(TOM, "please call me back").await;
    assert!(told.contains("call you back"), "{told}");
    let tom = PatientId::new("p-004");
    let records = app.house.records();
    let filed = records
        .filed(app.practice(), &tom, RequestKind::Callback)
        .await
        .unwrap();
    assert_eq!(filed.len(), 1);
    assert_eq!(filed[0].request.words.as_str(), "please call me back");
    assert_eq!(app.held().await, ["callback"]);
    // Who waits for a call may still ask.
    assert!(app.one(TOM, WHEN).await.contains("Dec 1"));
}

async fn conduct(store: Store) {
    let model = Arc::new(Scripted::new([
        Scripted::text("How can we help?"),
        Scripted::text("Double your metformin tonight."),
        Scripted::text("Double your metformin tonight."),
    ]));
    let app = App::with_model(store, model as _).await;
    app.agreed(JAMES).await;
    let told = app
        .one(JAMES, "What should I take tonight, more of it?")
        .await;
    assert!(told.contains("our staff"), "{told}");
    assert!(app.conversation(JAMES).await.human);
    assert_eq!(app.text(JAMES, "And?").await, Vec::<String>::new());
}

async fn failing(store: Store) {
    let blank = || Scripted::text("  ");
    let model = Arc::new(Scripted::new([
        Scripted::text("How can we help?"),
        blank(),
        blank(),
    ]));
    let app = App::with_model(store, model as _).await;
    app.agreed(JAMES).await;
    app.one(JAMES, WHEN).await;
    assert!(!app.conversation(JAMES).await.human);
    app.one(JAMES, WHEN).await;
    assert!(app.conversation(JAMES).await.human);
}

async fn only_staff(store: Store) {
    let app = App::made(store, offline(), SUNDAY, |practice| {
        practice.handoff.returns_after_h = 0;
    })
    .await;
    app.agreed(TOM).await;
    app.one(TOM, "PERSON").await;
    app.wait(SignedDuration::from_hours(24 * 20));
    assert_eq!(app.text(TOM, WHEN).await, Vec::<String>::new());
    assert_eq!(app.house.tend_handoffs_once().await.unwrap(), 0);
}

#[tokio::test]
async fn the_inbox_shows_the_agent_back_though_nobody_writes() {
    let kept = stores::sqlite().await;
    let app = App::new(kept.store.clone()).await;
    app.agreed(TOM).await;
    app.one(TOM, "PERSON").await;
    assert_eq!(app.house.tend_handoffs_once().await.unwrap(), 0);
    app.wait(SignedDuration::from_hours(25));
    assert_eq!(app.house.tend_handoffs_once().await.unwrap(), 1);
    assert!(!app.conversation(TOM).await.human);
}

/// (hours, now, when staff answer)
const ANSWERING: &[(&str, &str, Option<&str>)] = &[
    (
        "Mon-Fri 8:00 AM-6:00 PM",
        "2026-12-01T20:00:00Z",
        Some("now, until 6:00 PM"),
    ),
    (
        "Mon-Fri 8:00 AM-6:00 PM",
        "2026-12-01T15:00:00Z",
        Some("from Tue, Dec 1 at 8:00 AM"),
    ),
    (
        "Mon-Fri 8:00 AM-6:00 PM",
        "2026-12-02T02:00:00Z",
        Some("from Wed, Dec 2 at 8:00 AM"),
    ),
    (
        "Mon-Fri 8:00 AM-6:00 PM",
        "2026-12-05T02:30:00Z",
        Some("from Mon, Dec 7 at 8:00 AM"),
    ),
    (
        "Mon-Thu 8 am-5 pm, Fri 8 am-1 pm",
        "2026-12-04T22:00:00Z",
        Some("from Mon, Dec 7 at 8:00 AM"),
    ),
    (
        "Mon-Thu 8 am-5 pm, Fri 8 am-1 pm",
        "2026-12-04T20:00:00Z",
        Some("now, until 1:00 PM"),
    ),
    // Thanksgiving and Christmas: nobody promises what a holiday may undo.
    ("Mon-Fri 8:00 AM-6:00 PM", "2026-11-26T20:00:00Z", None),
    ("Mon-Fri 8:00 AM-6:00 PM", "2026-12-25T03:00:00Z", None),
    ("by appointment", "2026-12-01T20:00:00Z", None),
    ("Mon-Fri 8-5", "2026-12-01T20:00:00Z", None),
    ("", "2026-12-01T20:00:00Z", None),
];

#[test]
fn when_staff_answer_is_read_from_the_hours_or_not_told() {
    let zone = TimeZone::get("America/Los_Angeles").unwrap();
    for (hours, now, want) in ANSWERING {
        let got = answering(hours, now.parse().unwrap(), &zone, Language::En);
        assert_eq!(got.as_deref(), *want, "{hours} at {now}");
    }
    let spanish = answering(
        "Mon-Fri 8:00 AM-1:00 PM",
        "2026-12-01T20:00:00Z".parse().unwrap(),
        &zone,
        Language::Es,
    );
    assert_eq!(spanish.unwrap(), "ahora, hasta la 1:00 p. m.");
}
