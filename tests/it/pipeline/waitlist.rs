//! A time that becomes free is offered along the waitlist until somebody takes it.

#![cfg(test)]

use anteroom::domain::ids::{AppointmentId, PatientId, SlotId};
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::Outreach;
use anteroom::domain::record::{
    Appointment, AppointmentStatus, NewVisit, Request, RequestKind, Suits,
};
use anteroom::store::Store;
use jiff::SignedDuration;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA, TOM};

stories! {
    the_longest_waiting_is_asked_first_and_yes_books => yes_books;
    silence_and_no_pass_on_and_keep_the_place => silence_and_no;
    only_whom_it_suits_is_asked => suits;
    the_desk_takes_the_slot_meanwhile => at_the_desk;
    two_who_say_yes_get_one_visit_between_them => two_yes;
    a_late_yes_to_a_time_that_is_still_free_takes_it => late_but_free;
    who_gives_a_time_up_is_not_offered_it => own_time;
    the_days_cap_passes_an_offer_on => capped;
    take_me_off_after_joining_leaves_the_list_and_stop_ends_texts => taken_off;
    take_me_off_an_offer_is_asked_about_once => off_an_offer;
    a_visit_with_the_same_provider_moves => moves;
    nobody_is_asked_at_night_or_after_stop => not_asked;
    what_was_free_before_is_no_news => no_news;
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

async fn app(store: Store) -> App {
    App::with_practice(store, |it| {
        it.outreach = Some(Outreach {
            before_h: Vec::new(),
            daily_max: 2,
            skip_confirmed: false,
            missed_after_h: None,
            waitlist_answer_min: Some(30),
            ..Outreach::default()
        });
    })
    .await
}

async fn wait_for(app: &App, patient: &str, suits: Suits) {
    let request = Request {
        kind: RequestKind::Waitlist,
        words: Phi::from("the waitlist please"),
        due: None,
        from: None,
        to: None,
        suits,
    };
    let (practice, patient) = (app.practice(), PatientId::new(patient));
    let key = format!("wait/{patient}");
    app.house
        .records()
        .file(practice, &patient, &request, &key)
        .await
        .unwrap();
    app.wait(MINUTE);
}

/// Somebody else's visit with Dr. Reyes on the Wednesday at 3 PM (`a-001`, slot `s-033`) is cancelled.
async fn free(app: &App) -> SlotId {
    let (maria, visit) = (PatientId::new("p-001"), AppointmentId::new("a-001"));
    app.house.outreach_once().await.unwrap();
    let status = AppointmentStatus::Cancelled;
    let records = app.house.records();
    records
        .set_status(app.practice(), &maria, &visit, status, "desk")
        .await
        .unwrap();
    SlotId::new("s-033")
}

/// What a number gets when the waitlist is looked at.
async fn asked(app: &App, number: &str) -> Vec<String> {
    let before = app.received_by(number).len();
    for _ in 0..3 {
        app.house.outreach_once().await.unwrap();
        app.drain().await;
    }
    app.received_by(number).split_off(before)
}

async fn visits(app: &App, patient: &str) -> Vec<Appointment> {
    let patient = PatientId::new(patient);
    let now = app.clock_now();
    let records = app.house.records();
    records
        .appointments(app.practice(), &patient, now)
        .await
        .unwrap()
}

async fn places(app: &App) -> usize {
    let places = app.house.records().waitlist(app.practice()).await;
    places.unwrap().len()
}

async fn yes_books(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    app.agreed(TOM).await;
    wait_for(&app, "p-002", Suits::default()).await;
    wait_for(&app, "p-004", Suits::default()).await;
    free(&app).await;
    let said = asked(&app, JAMES).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("a time opened up on Wed, Dec 2 at 3:00 PM with Dr. Ana Reyes"),
        "{said:?}"
    );
    assert!(said[0].contains("Reply YES by"), "{said:?}");
    assert!(asked(&app, TOM).await.is_empty(), "one at a time");
    let done = app.one(JAMES, "YES").await;
    assert!(done.contains("booked for Wed, Dec 2 at 3:00 PM"), "{done}");
    assert_eq!(visits(&app, "p-002").await.len(), 2);
    assert!(asked(&app, TOM).await.is_empty(), "it is taken");
    assert_eq!(places(&app).await, 1, "who has their time waits no more");
    let again = app.text(JAMES, "YES").await.concat();
    assert!(!again.contains("booked"), "{again}");
    assert_eq!(visits(&app, "p-002").await.len(), 2);
}

async fn silence_and_no(store: Store) {
    let app = app(store).await;
    for number in [JAMES, TOM] {
        app.agreed(number).await;
    }
    app.text("+14155550119", "Hola").await;
    app.text("+14155550119", "SI").await;
    for patient in ["p-002", "p-004", "p-009"] {
        wait_for(&app, patient, Suits::default()).await;
    }
    free(&app).await;
    assert_eq!(asked(&app, JAMES).await.len(), 1);
    app.wait(MINUTE * 29);
    assert!(asked(&app, TOM).await.is_empty(), "James may still answer");
    app.wait(MINUTE * 2);
    assert_eq!(asked(&app, TOM).await.len(), 1, "silence");
    let no = app.one(TOM, "NO").await;
    assert!(no.contains("you keep your place"), "{no}");
    let said = asked(&app, "+14155550119").await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("hay una hora libre"), "{said:?}");
    assert_eq!(places(&app).await, 3);
    app.wait(MINUTE * 40);
    for number in [JAMES, TOM, "+14155550119"] {
        assert!(asked(&app, number).await.is_empty(), "once for one time");
    }
}

async fn suits(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    app.agreed(TOM).await;
    let named = |provider: &str| Suits {
        provider: Some(provider.to_owned()),
        ..Suits::default()
    };
    wait_for(&app, "p-002", named("patel")).await;
    let mornings = Suits {
        before: Some(jiff::civil::time(12, 0, 0, 0)),
        ..named("Reyes")
    };
    wait_for(&app, "p-002", mornings).await;
    let said = app
        .one(
            TOM,
            "put me on the waitlist for the afternoon with Dr. Reyes",
        )
        .await;
    assert!(said.contains("You are on our waitlist"), "{said}");
    free(&app).await;
    assert!(asked(&app, JAMES).await.is_empty());
    assert!(app.received_by(TOM).concat().contains("a time opened up"));
}

async fn at_the_desk(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    wait_for(&app, "p-002", Suits::default()).await;
    let slot = free(&app).await;
    assert_eq!(asked(&app, JAMES).await.len(), 1);
    let visit = NewVisit {
        slot,
        kind: String::new(),
        reason: Phi::from("cough"),
    };
    let other = PatientId::new("p-005");
    let records = app.house.records();
    records
        .book(app.practice(), &other, &visit, "desk-2")
        .await
        .unwrap();
    let said = app.one(JAMES, "YES").await;
    assert!(said.contains("that time was just taken"), "{said}");
    assert_eq!(visits(&app, "p-002").await.len(), 1, "the one of before");
}

async fn two_yes(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    app.agreed(TOM).await;
    wait_for(&app, "p-002", Suits::default()).await;
    wait_for(&app, "p-004", Suits::default()).await;
    free(&app).await;
    assert_eq!(asked(&app, JAMES).await.len(), 1);
    app.wait(MINUTE * 31);
    assert_eq!(asked(&app, TOM).await.len(), 1);
    // James answers late, a moment before Tom, whose time it is now.
    let late = app.one(JAMES, "YES").await;
    assert_eq!(
        late,
        "Sorry, the time to answer was over and we have offered it to someone else. You keep your \
         place on our waitlist."
    );
    assert_eq!(visits(&app, "p-002").await.len(), 1, "the one of before");
    let done = app.one(TOM, "YES").await;
    assert!(done.contains("booked for Wed, Dec 2 at 3:00 PM"), "{done}");
    assert_eq!(visits(&app, "p-004").await.len(), 2);
    asked(&app, TOM).await;
    assert_eq!(places(&app).await, 1, "James keeps his");
    assert!(app.held().await.is_empty(), "{:?}", app.held().await);
}

async fn late_but_free(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    wait_for(&app, "p-002", Suits::default()).await;
    free(&app).await;
    assert_eq!(asked(&app, JAMES).await.len(), 1);
    app.wait(MINUTE * 45);
    assert!(
        asked(&app, JAMES).await.is_empty(),
        "it is over, and nobody else waits"
    );
    let done = app.one(JAMES, "YES").await;
    assert!(done.contains("booked for Wed, Dec 2 at 3:00 PM"), "{done}");
    asked(&app, JAMES).await;
    assert_eq!(places(&app).await, 0);
}

async fn own_time(store: Store) {
    let app = app(store).await;
    // Maria waits for any time and has the one that becomes free: she gives it up herself, or the desk
    // does it for her.
    app.text(MARIA, "Hola").await;
    app.text(MARIA, "SI").await;
    app.agreed(JAMES).await;
    wait_for(&app, "p-001", Suits::default()).await;
    wait_for(&app, "p-002", Suits::default()).await;
    app.house.outreach_once().await.unwrap();
    app.text(MARIA, "Quiero cancelar mi cita").await;
    app.text(MARIA, "SI").await;
    assert!(asked(&app, MARIA).await.is_empty(), "her own time");
    let said = app.received_by(JAMES).pop().unwrap();
    assert!(
        said.contains("a time opened up on Wed, Dec 2 at 3:00 PM"),
        "{said}"
    );
}

async fn capped(store: Store) {
    let app = App::with_practice(store, |it| {
        it.outreach = Some(Outreach {
            before_h: vec![96],
            daily_max: 1,
            waitlist_answer_min: Some(30),
            ..Outreach::default()
        });
    })
    .await;
    app.agreed(JAMES).await;
    app.agreed(TOM).await;
    // James has had his text of the day, the reminder of his own visit.
    assert_eq!(asked(&app, JAMES).await.len(), 1);
    wait_for(&app, "p-002", Suits::default()).await;
    free(&app).await;
    assert!(asked(&app, JAMES).await.is_empty(), "one a day");
    app.wait(HOUR * 24);
    assert!(
        asked(&app, JAMES).await.is_empty(),
        "he was passed over, and is not asked late"
    );
}

async fn taken_off(store: Store) {
    let app = app(store).await;
    // (what is said after joining, whether texts end, whether it is asked what is meant)
    let cases = [
        ("Actually take me off", false),
        ("take me off the list please", false),
        ("oh never mind, remove me", false),
        ("STOP", true),
        ("take me off your texts", true),
        ("remove me and stop texting me", true),
    ];
    app.agreed(JAMES).await;
    for (text, ends) in cases {
        app.wait(HOUR);
        let joined = app.one(JAMES, "put me on the waitlist").await;
        assert!(
            joined.contains("You are on our waitlist"),
            "{text}: {joined}"
        );
        let said = app.one(JAMES, text).await;
        let open = app.conversation(JAMES).await.allows_texts();
        assert_eq!(open, !ends, "{text}: {said}");
        if ends {
            assert!(said.contains("START"), "{text}: {said}");
            app.text(JAMES, "START").await;
            app.text(JAMES, "YES").await;
            app.text(JAMES, "take me off the waitlist").await;
        } else {
            assert_eq!(
                said, "You are off our waitlist. To end our texts as well, reply STOP.",
                "{text}"
            );
            assert_eq!(places(&app).await, 0, "{text}");
        }
    }
    // Later, or after another text of ours, the same words end texts.
    app.one(JAMES, "put me on the waitlist").await;
    app.one(JAMES, "what are your hours?").await;
    let said = app.one(JAMES, "Actually take me off").await;
    assert!(said.contains("START"), "{said}");
}

async fn off_an_offer(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    wait_for(&app, "p-002", Suits::default()).await;
    free(&app).await;
    assert_eq!(asked(&app, JAMES).await.len(), 1);
    let said = app.one(JAMES, "take me off").await;
    assert!(said.contains('?'), "asked once what is meant: {said}");
    assert!(app.conversation(JAMES).await.allows_texts());
    let said = app.one(JAMES, "YES").await;
    assert!(said.contains("START"), "{said}");
    assert!(!app.conversation(JAMES).await.allows_texts());
}

async fn moves(store: Store) {
    let app = app(store).await;
    // Rosa sees Dr. Reyes on the Friday.
    let rosa = "+14155550116";
    app.agreed(rosa).await;
    wait_for(&app, "p-006", Suits::default()).await;
    free(&app).await;
    let said = asked(&app, rosa).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("It would replace your visit on Fri, Dec 4"),
        "{said:?}"
    );
    let done = app.one(rosa, "yes please").await;
    assert!(done.contains("Wed, Dec 2 at 3:00 PM"), "{done}");
    let visits = visits(&app, "p-006").await;
    assert_eq!(visits.len(), 1, "moved, not doubled");
}

async fn not_asked(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    app.agreed(MARIA).await;
    wait_for(&app, "p-002", Suits::default()).await;
    free(&app).await;
    app.wait(HOUR * 12);
    assert!(asked(&app, JAMES).await.is_empty(), "10 PM at the practice");
    app.text(JAMES, "STOP").await;
    app.wait(HOUR * 12);
    assert!(asked(&app, JAMES).await.is_empty());
}

async fn no_news(store: Store) {
    let app = app(store).await;
    app.agreed(JAMES).await;
    wait_for(&app, "p-002", Suits::default()).await;
    assert!(asked(&app, JAMES).await.is_empty());
    app.wait(HOUR * 24);
    assert!(asked(&app, JAMES).await.is_empty(), "nothing became free");
}
