//! After a visit to which a patient did not come: one kind text, and a new time where it is wanted.

#![cfg(test)]

use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::practice::Outreach;
use anteroom::domain::record::{Appointment, AppointmentStatus, RecordSet};
use anteroom::store::Store;
use jiff::{SignedDuration, Timestamp};

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA};

stories! {
    a_missed_visit_is_followed_by_one_offer_of_a_new_time => once_in_her_language;
    r_after_it_leads_to_a_new_visit => r_books;
    every_way_to_say_yes_or_no_to_it_is_understood => ways_to_answer;
    who_stopped_refused_or_was_not_missed_hears_nothing => not_wanted;
    it_waits_for_the_practice_delay_the_morning_and_the_daily_cap => delay_and_cap;
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn outreach(missed_after_h: Option<u32>) -> Outreach {
    Outreach {
        before_h: Vec::new(),
        daily_max: 1,
        skip_confirmed: false,
        missed_after_h,
        waitlist_answer_min: None,
        ..Outreach::default()
    }
}

async fn app(store: Store) -> App {
    App::with_practice(store, |it| it.outreach = Some(outreach(Some(2)))).await
}

/// A visit of half an hour that began so long ago.
fn visit(patient: &str, app: &App, ago: SignedDuration, status: AppointmentStatus) -> RecordSet {
    let start: Timestamp = app.clock_now() - ago;
    let visit = Appointment {
        id: AppointmentId::new(format!("past-{patient}")),
        patient: PatientId::new(patient),
        start,
        end: start + SignedDuration::from_mins(30),
        provider: "Tess Larsen, NP".to_owned(),
        location: "Lakeside Family Medicine".to_owned(),
        reason: "Diabetes follow-up".into(),
        preparation: "".into(),
        status,
        slot: None,
    };
    RecordSet {
        appointments: vec![visit],
        ..RecordSet::default()
    }
}

async fn missed(app: &App, patient: &str, ago: SignedDuration) {
    let set = visit(patient, app, ago, AppointmentStatus::Missed);
    app.file(&set).await;
}

/// What a number got of the practice's own accord since it was last looked.
async fn begun(app: &App, number: &str) -> Vec<String> {
    let before = app.received_by(number).len();
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    app.received_by(number).split_off(before)
}

async fn once_in_her_language(store: Store) {
    let app = app(store).await;
    app.text(MARIA, "Hola").await;
    app.text(MARIA, "SI").await;
    app.agreed(JAMES).await;
    missed(&app, "p-001", HOUR * 4).await;
    missed(&app, "p-002", HOUR * 4).await;
    let said = begun(&app, MARIA).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("sentimos que no pudiera venir"),
        "{said:?}"
    );
    assert!(said[0].contains("Responda R"), "{said:?}");
    let said = app.received_by(JAMES).pop().unwrap();
    assert!(said.contains("sorry we missed you"), "{said}");
    for word in ["iabetes", "ollow", "Larsen", "James", "Whitfield"] {
        assert!(!said.contains(word), "{said}");
    }
    for _ in 0..30 {
        app.wait(HOUR * 5);
        assert!(
            begun(&app, JAMES)
                .await
                .iter()
                .all(|it| !it.contains("missed you"))
        );
    }
}

async fn r_books(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    missed(&app, "p-002", HOUR * 4).await;
    assert_eq!(begun(&app, JAMES).await.len(), 1);
    let offer = app.one(JAMES, "R").await;
    assert!(offer.contains("1)"), "{offer}");
    let done = app.one(JAMES, "1").await;
    assert!(done.starts_with("Done. Your visit is booked"), "{done}");
}

async fn ways_to_answer(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    // (what is answered, what the answer to it holds)
    let answers = [
        ("YES", "1)"),
        ("yes please", "1)"),
        ("sure, a new time would be great", "1)"),
        ("another time please", "1)"),
        ("I'd like a new appointment", "1)"),
        ("Sorry! Can I reschedule?", "1)"),
        ("ok Thursday morning works", "1)"),
        ("what do you have on Friday?", "1)"),
        ("no thanks", "did not change anything"),
        ("No, thank you", "did not change anything"),
        ("not right now", "did not change anything"),
        ("NO", "did not change anything"),
    ];
    for (at, (answer, wanted)) in answers.into_iter().enumerate() {
        app.wait(HOUR * 24);
        let mut set = visit("p-002", &app, HOUR * 4, AppointmentStatus::Missed);
        set.appointments[0].id = AppointmentId::new(format!("past-{at}"));
        app.file(&set).await;
        assert_eq!(begun(&app, JAMES).await.len(), 1, "before {answer:?}");
        let said = app.one(JAMES, answer).await;
        assert!(said.contains(wanted), "{answer:?}: {said}");
        app.text(JAMES, "never mind").await;
    }
}

async fn not_wanted(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    // The desk corrects itself before it has left.
    missed(&app, "p-002", HOUR * 4).await;
    app.house.outreach_once().await.unwrap();
    app.file(&visit(
        "p-002",
        &app,
        HOUR * 4,
        AppointmentStatus::Fulfilled,
    ))
    .await;
    app.drain().await;
    assert!(!app.received_by(JAMES).concat().contains("missed you"));
    app.text(MARIA, "STOP").await;
    missed(&app, "p-001", HOUR * 4).await;
    assert!(begun(&app, MARIA).await.is_empty());
}

async fn delay_and_cap(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    missed(&app, "p-002", HOUR).await;
    assert!(
        begun(&app, JAMES).await.is_empty(),
        "two hours after its end"
    );
    app.wait(HOUR * 12);
    assert!(begun(&app, JAMES).await.is_empty(), "10 PM at the practice");
    app.wait(HOUR * 12);
    assert_eq!(begun(&app, JAMES).await.len(), 1, "in the morning");
}
