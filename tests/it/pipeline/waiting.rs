//! Waiting for YES: reminders, words of the staff and questions, sent if still true, else told to staff.

#![cfg(test)]

use anteroom::domain::ids::{AppointmentId, PatientId, SlotId};
use anteroom::domain::record::AppointmentStatus;
use anteroom::domain::waiting::{Errand, Refusal};
use anteroom::pipeline::wish::{Wish, Wished};
use anteroom::store::Store;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, TOM};
use crate::support::transcript::play;

stories! {
    a_reminder_waits_for_yes_and_can_be_confirmed => reminder;
    a_held_reminder_whose_visit_was_moved_tells_the_new_time => moved;
    a_held_reminder_whose_visit_was_cancelled_never_leaves => cancelled;
    a_reminder_that_no_yes_came_for_is_told_to_staff => expired;
    a_reminder_is_not_sent_after_no_or_stop => refused;
    a_question_that_no_yes_came_for_is_told_to_staff => question;
    a_request_repeated_is_one_text => repeated;
    a_wish_that_cannot_be_says_why => impossible;
    words_of_the_staff_are_kept_sealed_and_reviewed_when_they_leave => words;
    two_questions_are_never_open_at_once => one_question;
}

fn tom() -> PatientId {
    PatientId::new("p-004")
}

fn visit() -> Errand {
    Errand::Visit {
        patient: tom(),
        appointment: AppointmentId::new("a-004"),
        start: None,
        before_h: None,
    }
}

const fn taken(wished: Wished) -> bool {
    matches!(wished, Wished::Taken(_))
}

async fn wish(app: &App, request: &str, errand: Errand) -> Wished {
    let wish = Wish {
        practice: app.practice().clone(),
        request: request.to_owned(),
        number: Some(TOM.parse().unwrap()),
        errand,
    };
    let wished = app.house.wish(wish).await.unwrap();
    app.drain().await;
    wished
}

async fn reminder(store: Store) {
    let app = App::new(store).await;
    assert!(taken(wish(&app, "r-1", visit()).await));
    play(
        &app,
        TOM,
        "(consent: notice_sent)
         (2 hours pass)
         patient: YES
         (consent: granted)",
    )
    .await;
    let texts = app.received_by(TOM);
    assert!(
        texts[0].contains("Reply YES") && !texts[0].contains("Dec"),
        "{texts:?}"
    );
    let reminder = texts.iter().find(|it| it.contains("Dec 1")).unwrap();
    assert!(
        reminder.contains("9:00 AM") && reminder.contains("YES") && !reminder.contains("Tom"),
        "{reminder}"
    );
    play(&app, TOM, "patient: YES\npractice: Dec 1 & confirmed").await;
    let actions = app.audited().await;
    for action in ["message.requested", "message.cleared"] {
        assert!(
            actions.iter().any(|it| it == action),
            "{action}: {actions:?}"
        );
    }
}

async fn moved(store: Store) {
    let app = App::new(store).await;
    wish(&app, "r-1", visit()).await;
    let records = app.house.records();
    let now = app.house.clock().now();
    let week = now + jiff::SignedDuration::from_hours(24 * 7);
    let slots = records.slots(app.practice(), now, week, 100).await.unwrap();
    let later = slots.last().unwrap();
    let moved = records
        .reschedule(
            app.practice(),
            &tom(),
            &AppointmentId::new("a-004"),
            &later.id,
            "desk-1",
        )
        .await
        .unwrap();
    let day = moved
        .start
        .to_zoned(jiff::tz::TimeZone::get("America/Los_Angeles").unwrap());
    let day = day.strftime("%b %-d").to_string();
    app.text(TOM, "YES").await;
    let told = app.received_by(TOM).join("\n");
    assert!(told.contains(&day), "{day} in {told}");
    assert!(
        !told.contains("Dec 1 at"),
        "the old time is told to nobody: {told}"
    );
    let _: &SlotId = &later.id;
}

async fn cancelled(store: Store) {
    let app = App::new(store).await;
    wish(&app, "r-1", visit()).await;
    let status = AppointmentStatus::Cancelled;
    let id = AppointmentId::new("a-004");
    app.house
        .records()
        .set_status(app.practice(), &tom(), &id, status, "desk-1")
        .await
        .unwrap();
    app.text(TOM, "YES").await;
    let told = app.received_by(TOM).join("\n");
    assert!(!told.contains("Dec 1"), "{told}");
    assert!(app.audited().await.iter().any(|it| it == "waiting.ended"));
}

async fn expired(store: Store) {
    let app = App::new(store).await;
    wish(&app, "r-1", visit()).await;
    play(
        &app,
        TOM,
        "(48 hours pass)
         (staff: no YES came)
         (consent: notice_sent)
         patient: YES",
    )
    .await;
    assert!(!app.received_by(TOM).join("\n").contains("Dec 1"));
    assert!(app.audited().await.iter().any(|it| it == "waiting.ended"));
}

async fn refused(store: Store) {
    let app = App::new(store).await;
    app.text(TOM, "When is my appointment?").await;
    app.text(TOM, "NO").await;
    assert_eq!(
        wish(&app, "r-1", visit()).await,
        Wished::Refused(Refusal::Declined)
    );
    app.text(TOM, "STOP").await;
    assert_eq!(
        wish(&app, "r-2", visit()).await,
        Wished::Refused(Refusal::OptedOut)
    );
    app.text(TOM, "START").await;
    let before = app.received_by(TOM).len();
    assert!(taken(wish(&app, "r-3", visit()).await));
    app.text(TOM, "STOP").await;
    let after = app.received_by(TOM).split_off(before);
    assert_eq!(after.len(), 1, "only the confirmation: {after:?}");
    let waiting = app.conversation(TOM).await;
    app.wait(jiff::SignedDuration::from_hours(72));
    app.drain().await;
    let left = app.house.store().waiting_in(waiting.id).await.unwrap();
    assert_eq!(left, vec![], "nothing waits for ever");
    assert_eq!(app.received_by(TOM).len(), before + 1);
}

async fn question(store: Store) {
    let app = App::new(store).await;
    play(
        &app,
        TOM,
        "patient: When is my appointment?
         practice: Reply YES
         (25 hours pass)
         (silence)
         (staff: no YES came)
         patient: YES
         practice: all set & !Dec 1
         patient: When is my appointment?
         practice: Dec 1",
    )
    .await;
}

async fn repeated(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    let before = app.received_by(TOM).len();
    let Wished::Taken(id) = wish(&app, "r-1", visit()).await else {
        panic!("it was not taken");
    };
    assert_eq!(wish(&app, "r-1", visit()).await, Wished::Repeated(id));
    let other = Errand::Words {
        patient: tom(),
        text: "Please call us.".to_owned(),
    };
    assert_eq!(wish(&app, "r-1", other).await, Wished::Clash);
    // Two at once, and neither knows of the other.
    let (one, two) = tokio::join!(wish(&app, "r-2", visit()), wish(&app, "r-2", visit()));
    assert!(taken(one) != taken(two), "{one:?} {two:?}");
    let told = app.received_by(TOM).split_off(before);
    assert_eq!(
        told.len(),
        1,
        "the second waits: a question is open: {told:?}"
    );
    assert!(told[0].contains("Dec 1"), "{told:?}");
    // What was refused stays so under its id; a new request is looked at anew.
    app.text(TOM, "STOP").await;
    let refused = Wished::Refused(Refusal::OptedOut);
    assert_eq!(wish(&app, "r-3", visit()).await, refused);
    app.text(TOM, "START").await;
    assert_eq!(wish(&app, "r-3", visit()).await, refused);
    assert!(taken(wish(&app, "r-4", visit()).await));
    // And what was taken before STOP is told the same as then.
    assert_eq!(wish(&app, "r-1", visit()).await, Wished::Repeated(id));
}

async fn impossible(store: Store) {
    let app = App::new(store).await;
    let nobody = Errand::Visit {
        patient: PatientId::new("p-000"),
        appointment: AppointmentId::new("a-004"),
        start: None,
        before_h: None,
    };
    let others = Errand::Visit {
        patient: PatientId::new("p-001"),
        appointment: AppointmentId::new("a-001"),
        start: None,
        before_h: None,
    };
    let gone = Errand::Visit {
        patient: tom(),
        appointment: AppointmentId::new("a-000"),
        start: None,
        before_h: None,
    };
    for (errand, why) in [
        (nobody, Refusal::UnknownPatient),
        (others, Refusal::NumberNotOnFile),
        (gone, Refusal::UnknownAppointment),
        (Errand::Question, Refusal::Question),
    ] {
        assert_eq!(wish(&app, why.as_str(), errand).await, Wished::Refused(why));
    }
    assert_eq!(app.received_by(TOM), Vec::<String>::new());
}

async fn words(store: Store) {
    let app = App::new(store).await;
    let errand = |text: &str| Errand::Words {
        patient: tom(),
        text: text.to_owned(),
    };
    wish(
        &app,
        "r-1",
        errand("Lakeside Family Medicine: please call us at 415-555-0100."),
    )
    .await;
    assert!(!app.received_by(TOM).join("\n").contains("please call"));
    app.text(TOM, "YES").await;
    let told = app.received_by(TOM).join("\n");
    assert!(told.contains("please call us"), "{told}");
    wish(&app, "r-2", errand("Tom, your skin biopsy was benign.")).await;
    let last = app.received_by(TOM).pop().unwrap();
    assert!(!last.contains("biopsy"), "reviewed like any text: {last}");
}

async fn one_question(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "patient: Can you move it to Thursday?\npractice: 1)",
    )
    .await;
    let before = app.received_by(TOM).len();
    wish(&app, "r-1", visit()).await;
    assert_eq!(app.received_by(TOM).len(), before, "a choice is open");
    play(
        &app,
        TOM,
        "patient: 1
         practice: Thu & !1)
         (40 minutes pass)
         practice: reminder & Dec 3",
    )
    .await;
}
