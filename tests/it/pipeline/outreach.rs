//! Reminders by the practice's schedule.

#![cfg(test)]

use anteroom::domain::practice::Outreach;
use anteroom::store::Store;
use jiff::SignedDuration;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, MARIA};

stories! {
    a_visit_is_reminded_of_by_schedule => three_days_and_one_day_before;
    r_after_a_reminder_offers_other_times => r_reschedules;
    a_reminder_waits_for_the_morning_and_for_nothing_that_is_gone => night_and_gone;
}

fn twice() -> Outreach {
    Outreach {
        before_h: vec![72, 24],
        daily_max: 1,
        skip_confirmed: false,
        missed_after_h: None,
        waitlist_answer_min: None,
        ..Outreach::default()
    }
}

async fn app(store: Store) -> App {
    App::with_practice(store, |practice| practice.outreach = Some(twice())).await
}

fn reminders(app: &App) -> Vec<String> {
    let all = app.received_by(MARIA);
    all.into_iter()
        .filter(|it| it.contains("recordatorio") || it.contains("reminder"))
        .collect()
}

/// Maria's visit is on the Wednesday at 3 PM; the app begins on the Sunday at 10 AM.
async fn three_days_and_one_day_before(store: Store) {
    let app = app(store).await;
    app.agreed(MARIA).await;
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    assert!(reminders(&app).is_empty(), "77 hours before: not yet");
    app.wait(SignedDuration::from_hours(6));
    assert!(app.house.outreach_once().await.unwrap() > 0);
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    assert_eq!(
        reminders(&app).len(),
        1,
        "once, however often it is looked for"
    );
    app.wait(SignedDuration::from_hours(48));
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    assert_eq!(reminders(&app).len(), 2, "a day before");
    let done = app.one(MARIA, "C").await;
    assert!(done.contains("is confirmed"), "{done}");
}

async fn r_reschedules(store: Store) {
    let app = app(store).await;
    app.agreed(MARIA).await;
    app.wait(SignedDuration::from_hours(6));
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    assert_eq!(reminders(&app).len(), 1);
    let offer = app.one(MARIA, "R").await;
    assert!(offer.contains("1)"), "{offer}");
}

async fn night_and_gone(store: Store) {
    let app = app(store).await;
    app.agreed(MARIA).await;
    app.wait(SignedDuration::from_hours(12));
    assert_eq!(
        app.house.outreach_once().await.unwrap(),
        0,
        "10 PM at the practice"
    );
    app.text(MARIA, "Quiero cancelar mi cita").await;
    app.text(MARIA, "SI").await;
    app.wait(SignedDuration::from_hours(12));
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    assert!(reminders(&app).is_empty(), "{:?}", reminders(&app));
}
