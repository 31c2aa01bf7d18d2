//! Who was last seen long ago is asked once to come again.

#![cfg(test)]

use std::collections::BTreeMap;

use anteroom::domain::ids::{AppointmentId, PatientId, SlotId};
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::{Outreach, Recall};
use anteroom::domain::record::{Appointment, AppointmentStatus, NewVisit, Patient, RecordSet};
use anteroom::policy::words::Language;
use anteroom::store::Store;
use jiff::{SignedDuration, Timestamp};

use super::{on_postgres, on_sqlite};
use crate::support::app::App;

stories! {
    who_was_seen_a_year_ago_is_asked_once_and_yes_leads_to_a_visit => once_and_books;
    every_way_to_answer_is_understood => ways_to_answer;
    it_is_said_in_the_patients_language => spanish;
    only_who_is_due_is_asked => who_is_due;
    the_visit_is_called_by_words_that_tell_nothing => called;
    what_is_booked_before_yes_withdraws_it => booked_meanwhile;
    stop_no_and_the_night_are_kept => kept_back;
    two_rules_share_the_days_cap => cap;
    a_childs_protected_visit_calls_nobody_back => protected;
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const NORA: &str = "+14155550166";

fn rule(name: &str, visit_type: &str, after_months: u32) -> Recall {
    Recall {
        name: name.to_owned(),
        visit_type: visit_type.to_owned(),
        after_months,
        visit: BTreeMap::new(),
    }
}

async fn app_with(store: Store, recall: Vec<Recall>) -> App {
    App::with_practice(store, |it| {
        it.outreach = Some(Outreach {
            before_h: Vec::new(),
            recall,
            ..Outreach::default()
        });
    })
    .await
}

async fn app(store: Store) -> App {
    app_with(store, vec![rule("yearly", "annual", 12)]).await
}

fn nora(born: &str, language: Language) -> Patient {
    Patient {
        id: PatientId::new("p-900"),
        first_name: Phi::from("Nora"),
        last_name: Phi::from("Quill"),
        birth_date: Some(Phi::new(born.parse().unwrap())),
        phones: vec![NORA.parse().unwrap()],
        guardians: Vec::new(),
        language: Some(language),
        state: "CA".parse().unwrap(),
        mrn: None,
        email: None,
        address: None,
    }
}

/// A visit of half an hour so many days before (or, below nought, after) now.
fn visit(app: &App, id: &str, days: i64, reason: &str, status: AppointmentStatus) -> Appointment {
    let start: Timestamp = app.clock_now() - DAY * i32::try_from(days).unwrap();
    Appointment {
        id: AppointmentId::new(id),
        patient: PatientId::new("p-900"),
        start,
        end: start + SignedDuration::from_mins(30),
        provider: "Dr. Ana Reyes".to_owned(),
        location: "Lakeside Family Medicine".to_owned(),
        reason: Phi::from(reason),
        preparation: Phi::default(),
        status,
        slot: None,
    }
}

/// Days ago, why, what came of it.
type Seen = (i64, &'static str, AppointmentStatus);

async fn file(app: &App, visits: Vec<Appointment>) {
    app.file(&RecordSet {
        patients: vec![nora("1980-04-04", Language::En)],
        appointments: visits,
        ..RecordSet::default()
    })
    .await;
}

/// Seen for the yearly visit so many days ago.
async fn seen(app: &App, id: &str, days: i64) {
    let it = visit(
        app,
        id,
        days,
        "Annual physical",
        AppointmentStatus::Fulfilled,
    );
    file(app, vec![it]).await;
}

/// What Nora gets of the practice's own accord.
async fn begun(app: &App) -> Vec<String> {
    let before = app.received_by(NORA).len();
    app.house.outreach_once().await.unwrap();
    app.drain().await;
    app.received_by(NORA).split_off(before)
}

async fn once_and_books(store: Store) {
    let app = app(store).await;
    seen(&app, "y", 367).await;
    app.agreed(NORA).await;
    let said = begun(&app).await;
    assert_eq!(
        said,
        [
            "Lakeside Family Medicine: it is time for your yearly visit. Reply YES to see free \
             times, or call 415-555-0100. STOP ends texts."
        ]
    );
    let offer = app.one(NORA, "YES").await;
    assert!(
        offer.contains("new visit") && offer.contains("1)"),
        "{offer}"
    );
    let done = app.one(NORA, "2").await;
    assert!(done.starts_with("Done. Your visit is booked"), "{done}");
    for _ in 0..20 {
        app.wait(DAY);
        assert!(begun(&app).await.is_empty(), "once");
    }
}

async fn ways_to_answer(store: Store) {
    let app = app(store).await;
    file(&app, Vec::new()).await;
    app.agreed(NORA).await;
    // (what is answered, what the answer to it holds)
    let answers = [
        ("R", "1)"),
        ("yes please", "1)"),
        ("sure, what do you have next week?", "1)"),
        ("Can I come on Friday morning?", "1)"),
        ("no thanks", "did not change anything"),
        ("NO", "did not change anything"),
        ("not now, maybe in spring", "did not change anything"),
        ("how much is it?", "staff"),
        ("Where do I park?", "Parking"),
    ];
    for (at, (answer, wanted)) in answers.into_iter().enumerate() {
        app.wait(DAY);
        // Each day another person's year: the last one is put far back.
        let id = format!("y-{at}");
        let before = (0..at).map(|it| {
            let id = format!("y-{it}");
            visit(
                &app,
                &id,
                900,
                "Annual physical",
                AppointmentStatus::Fulfilled,
            )
        });
        let now = visit(
            &app,
            &id,
            366,
            "Annual physical",
            AppointmentStatus::Fulfilled,
        );
        file(&app, before.chain([now]).collect()).await;
        assert_eq!(begun(&app).await.len(), 1, "before {answer:?}");
        let said = app.one(NORA, answer).await;
        assert!(said.contains(wanted), "{answer:?}: {said}");
        app.text(NORA, "never mind").await;
    }
}

async fn spanish(store: Store) {
    let app = app(store).await;
    seen(&app, "y", 367).await;
    app.file(&RecordSet {
        patients: vec![nora("1980-04-04", Language::Es)],
        ..RecordSet::default()
    })
    .await;
    app.text(NORA, "Hola").await;
    app.text(NORA, "SI").await;
    let said = begun(&app).await;
    assert_eq!(
        said,
        [
            "Lakeside Family Medicine: ya es tiempo de su cita anual. Responda SI para ver horas \
             libres o llame al 415-555-0100. STOP para no recibir mensajes."
        ]
    );
    let offer = app.one(NORA, "SI").await;
    assert!(
        offer.contains("nueva cita") && offer.contains("1)"),
        "{offer}"
    );
}

async fn who_is_due(store: Store) {
    use AppointmentStatus::{Booked, Cancelled, Confirmed, Fulfilled, Missed};
    let app = app(store).await;
    file(&app, Vec::new()).await;
    app.agreed(NORA).await;
    // (what the record has, whether Nora is asked)
    let cases: &[(&[Seen], bool)] = &[
        (&[(367, "Annual physical", Fulfilled)], true),
        (&[(367, "ANNUAL wellness", Fulfilled)], true),
        // A desk that closes no visits has them booked for ever.
        (&[(367, "Annual physical", Booked)], true),
        (&[(367, "Annual physical", Confirmed)], true),
        (&[(360, "Annual physical", Fulfilled)], false),
        (&[(367, "Sore throat", Fulfilled)], false),
        (&[(367, "Annual physical", Cancelled)], false),
        (&[(367, "Annual physical", Missed)], false),
        // Further back than a rule reaches when it is new.
        (&[(380, "Annual physical", Fulfilled)], false),
        // Seen since, or expected.
        (
            &[
                (367, "Annual physical", Fulfilled),
                (100, "Annual physical", Fulfilled),
            ],
            false,
        ),
        (
            &[
                (367, "Annual physical", Fulfilled),
                (100, "Annual physical", Missed),
            ],
            true,
        ),
        (
            &[
                (367, "Annual physical", Fulfilled),
                (100, "Sore throat", Fulfilled),
            ],
            true,
        ),
        (
            &[
                (367, "Annual physical", Fulfilled),
                (-9, "Sore throat", Booked),
            ],
            false,
        ),
        (
            &[
                (367, "Annual physical", Fulfilled),
                (-9, "Annual physical", Cancelled),
            ],
            true,
        ),
    ];
    for (at, (seen, asked)) in cases.iter().enumerate() {
        app.wait(DAY * 30);
        let visits = seen.iter().zip(0..);
        let mut visits: Vec<Appointment> = visits
            .map(|((days, reason, status), it)| {
                visit(&app, &format!("c{at}-{it}"), *days, reason, *status)
            })
            .collect();
        file(&app, visits.clone()).await;
        let said = begun(&app).await;
        assert_eq!(said.len(), usize::from(*asked), "{seen:?}: {said:?}");
        app.text(NORA, "no thanks").await;
        // Out of the way of the next case.
        for it in &mut visits {
            it.status = Cancelled;
        }
        file(&app, visits).await;
    }
}

async fn called(store: Store) {
    // (what the practice calls it, in which type of practice, what the text says)
    let cases = [
        ("your yearly visit", "primary_care", "your yearly visit"),
        ("your checkup", "primary_care", "your checkup"),
        ("your diabetes check", "primary_care", "your next visit"),
        ("your mammogram", "primary_care", "your next visit"),
        ("your HIV test", "hiv_sti", "your next visit"),
        (
            "your therapy session",
            "behavioral_health",
            "your next visit",
        ),
    ];
    let rules = cases.iter().enumerate().map(|(at, (words, ..))| {
        let mut it = rule(&format!("r{at}"), &format!("kind {at}."), 12);
        it.visit = BTreeMap::from([(Language::En, (*words).to_owned())]);
        it
    });
    let app = app_with(store, rules.collect()).await;
    file(&app, Vec::new()).await;
    app.agreed(NORA).await;
    for (at, (words, _, wanted)) in cases.iter().enumerate() {
        app.wait(DAY * 20);
        let reason = format!("kind {at}.");
        let it = visit(
            &app,
            &format!("v{at}"),
            367,
            &reason,
            AppointmentStatus::Fulfilled,
        );
        file(&app, vec![it]).await;
        let said = begun(&app).await.concat();
        assert!(
            said.contains(&format!("it is time for {wanted}.")),
            "{words}: {said:?}"
        );
        app.text(NORA, "no thanks").await;
    }
    assert!(app.held().await.is_empty(), "{:?}", app.held().await);
}

async fn booked_meanwhile(store: Store) {
    let app = app(store).await;
    seen(&app, "y", 367).await;
    // Nora has never written: the notice comes first, and says nothing of a visit.
    let notice = begun(&app).await;
    assert_eq!(notice.len(), 1, "{notice:?}");
    assert!(
        notice[0].contains("Reply YES") && !notice[0].contains("visit."),
        "{notice:?}"
    );
    let booking = NewVisit {
        slot: SlotId::new("s-040"),
        kind: String::new(),
        reason: Phi::default(),
    };
    let who = PatientId::new("p-900");
    let records = app.house.records();
    let free = records
        .slots(
            app.practice(),
            app.clock_now(),
            app.clock_now() + DAY * 20,
            400,
        )
        .await
        .unwrap();
    let booking = NewVisit {
        slot: free.last().unwrap().id.clone(),
        ..booking
    };
    records
        .book(app.practice(), &who, &booking, "desk")
        .await
        .unwrap();
    let said = app.text(NORA, "YES").await.concat();
    assert!(!said.contains("it is time for"), "{said}");
    for _ in 0..3 {
        app.wait(DAY);
        assert!(begun(&app).await.is_empty());
    }
    assert!(app.held().await.is_empty(), "no card for staff");
}

async fn kept_back(store: Store) {
    let app = app(store).await;
    seen(&app, "y", 367).await;
    app.agreed(NORA).await;
    app.wait(HOUR * 12);
    assert!(begun(&app).await.is_empty(), "10 PM at the practice");
    app.text(NORA, "STOP").await;
    app.wait(HOUR * 12);
    assert!(begun(&app).await.is_empty(), "after STOP");
}

async fn cap(store: Store) {
    let rules = vec![rule("yearly", "annual", 12), rule("half", "cleaning", 6)];
    let app = app_with(store, rules).await;
    let now = [
        visit(&app, "y", 367, "annual", AppointmentStatus::Fulfilled),
        visit(&app, "h", 186, "cleaning", AppointmentStatus::Fulfilled),
    ];
    file(&app, now.to_vec()).await;
    app.agreed(NORA).await;
    assert_eq!(begun(&app).await.len(), 1, "one a day");
    app.text(NORA, "no thanks").await;
    assert!(begun(&app).await.is_empty(), "the same day");
    app.wait(DAY);
    let said = begun(&app).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("your next visit"), "{said:?}");
}

async fn protected(store: Store) {
    let app = app_with(store, vec![rule("any", "", 12)]).await;
    let reason = "Depression follow-up";
    app.file(&RecordSet {
        patients: vec![nora("2011-04-04", Language::En)],
        appointments: vec![visit(&app, "y", 367, reason, AppointmentStatus::Fulfilled)],
        ..RecordSet::default()
    })
    .await;
    app.agreed(NORA).await;
    assert!(begun(&app).await.is_empty());
}
