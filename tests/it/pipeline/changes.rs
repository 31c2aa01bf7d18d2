//! What the record says when a reminder leaves is what the reminder says: changes between asking for it
//! and its leaving change or withdraw it.

#![cfg(test)]

use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::practice::Outreach;
use anteroom::domain::record::{Appointment, AppointmentStatus, RecordSet};
use anteroom::store::Store;
use jiff::SignedDuration;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES};

stories! {
    a_visit_that_moved_is_told_once_at_its_new_time => moved;
    a_visit_that_was_cancelled_is_told_to_nobody => cancelled;
    who_stopped_or_refused_meanwhile_hears_nothing => opted_out;
    another_provider_is_no_reason_for_another_reminder => another_provider;
    the_language_that_was_chosen_since_is_the_one_of_the_reminder => another_language;
    who_confirmed_meanwhile_is_spared_where_the_practice_says_so => confirmed;
    nothing_lies_overnight => overnight;
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// James has no visit but the one that each story files: the sample's own is cancelled.
async fn app(store: Store) -> App {
    let app = App::with_practice(store, |it| {
        it.outreach = Some(Outreach {
            before_h: vec![24],
            daily_max: 1,
            skip_confirmed: true,
            missed_after_h: None,
            waitlist_answer_min: None,
            ..Outreach::default()
        });
    })
    .await;
    app.agreed(JAMES).await;
    let (james, visit) = (PatientId::new("p-002"), AppointmentId::new("a-002"));
    let cancel = AppointmentStatus::Cancelled;
    let records = app.house.records();
    records
        .set_status(app.practice(), &james, &visit, cancel, "desk")
        .await
        .unwrap();
    app
}

/// James's visit so long after the beginning of the story, changed.
async fn file(app: &App, after: SignedDuration, change: impl FnOnce(&mut Appointment)) {
    let start = "2026-11-29T18:00:00Z".parse::<jiff::Timestamp>().unwrap() + after;
    let mut visit = Appointment {
        id: AppointmentId::new("changes-1"),
        patient: PatientId::new("p-002"),
        start,
        end: start + HOUR,
        provider: "Dr. Samir Patel".to_owned(),
        location: "Lakeside Family Medicine".to_owned(),
        reason: "check-up".into(),
        preparation: "".into(),
        status: AppointmentStatus::Booked,
        slot: None,
    };
    change(&mut visit);
    app.file(&RecordSet {
        appointments: vec![visit],
        ..RecordSet::default()
    })
    .await;
}

/// The reminders that James has got.
fn reminders(app: &App) -> Vec<String> {
    let all = app.received_by(JAMES).into_iter();
    all.filter(|it| it.contains("reminder of") || it.contains("recordatorio"))
        .collect()
}

async fn moved(store: Store) {
    let app = app(store).await;
    file(&app, HOUR * 23, |_| ()).await;
    app.house.outreach_once().await.unwrap();
    // Moved within the day, then looked at again and again.
    file(&app, HOUR * 22, |_| ()).await;
    for _ in 0..6 {
        app.house.outreach_once().await.unwrap();
        app.drain().await;
        app.wait(HOUR * 3);
    }
    let said = reminders(&app);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("Mon, Nov 30 at 8:00 AM"), "{said:?}");
}

async fn cancelled(store: Store) {
    let app = app(store).await;
    file(&app, HOUR * 23, |_| ()).await;
    app.house.outreach_once().await.unwrap();
    file(&app, HOUR * 23, |it| {
        it.status = AppointmentStatus::Cancelled;
    })
    .await;
    app.drain().await;
    assert!(reminders(&app).is_empty());
    assert!(app.held().await.is_empty(), "nobody has to look");
}

async fn opted_out(store: Store) {
    let app = app(store).await;
    file(&app, HOUR * 23, |_| ()).await;
    app.house.outreach_once().await.unwrap();
    app.text(JAMES, "STOP").await;
    app.drain().await;
    assert!(reminders(&app).is_empty());
}

async fn another_provider(store: Store) {
    let app = app(store).await;
    file(&app, HOUR * 23, |_| ()).await;
    app.house.outreach_once().await.unwrap();
    file(&app, HOUR * 23, |it| {
        it.provider = "Tess Larsen, NP".to_owned();
    })
    .await;
    app.drain().await;
    file(&app, HOUR * 23, |it| {
        it.provider = "Dr. Ana Reyes".to_owned();
    })
    .await;
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    let said = reminders(&app);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(!said[0].contains("Patel"), "{said:?}");
    let done = app.one(JAMES, "With whom is my visit?").await;
    assert!(done.contains("Reyes"), "{done}");
}

async fn another_language(store: Store) {
    let app = app(store).await;
    file(&app, HOUR * 23, |_| ()).await;
    app.house.outreach_once().await.unwrap();
    app.text(JAMES, "Please text me in Spanish").await;
    app.drain().await;
    let said = reminders(&app);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("recordatorio de una cita"), "{said:?}");
}

async fn confirmed(store: Store) {
    let app = app(store).await;
    file(&app, HOUR * 23, |_| ()).await;
    app.house.outreach_once().await.unwrap();
    file(&app, HOUR * 23, |it| {
        it.status = AppointmentStatus::Confirmed;
    })
    .await;
    app.drain().await;
    assert!(reminders(&app).is_empty());
}

async fn overnight(store: Store) {
    let app = app(store).await;
    // Due in the late evening, asked for at the last moment of the day, and cancelled in the night.
    app.wait(HOUR * 8 + HOUR / 2);
    file(&app, HOUR * 30, |_| ()).await;
    app.house.outreach_once().await.unwrap();
    app.wait(HOUR * 4);
    app.drain().await;
    file(&app, HOUR * 30, |it| {
        it.status = AppointmentStatus::Cancelled;
    })
    .await;
    app.wait(HOUR * 10);
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    assert!(reminders(&app).is_empty(), "{:?}", reminders(&app));
}
