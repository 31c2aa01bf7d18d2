//! Children on file, their parents' phones, and what a minor decides on alone.

#![cfg(test)]

use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::Practice;
use anteroom::domain::record::{Appointment, RecordSet};
use anteroom::llm::offline::{Spoken, speaks_of};
use anteroom::pipeline::wish::Wished;
use anteroom::store::Store;

use super::lawful::remind_of;
use super::writers::at_phone;
use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, NOBODY, TOM};
use crate::support::stores;
use crate::support::transcript::play;

stories! {
    a_parent_asks_for_a_child_on_a_phone_of_the_childs_record => parent_alone;
    a_parent_who_is_a_patient_is_asked_whose_record_it_is => parent_and_child;
    a_parent_without_the_child_on_file_is_left_to_staff => child_elsewhere;
    a_protected_visit_of_a_minor_is_told_to_nobody_by_text => protected;
    of_two_visits_of_a_minor_only_the_open_one_is_told => one_of_two;
    a_minor_on_a_parents_phone_is_told_no_more_than_the_parent => minor_on_parents_phone;
    no_reminder_of_a_protected_visit_leaves => no_reminder;
}

const SHELTERED: &str =
    "visits of a minor, or to one who acts for the patient, of a protected kind: staff tell them";

/// The child of [`at_phone`] with this reason for the visit, in this state.
fn child(
    born: &str,
    (own, guardian): (Option<&str>, Option<&str>),
    (reason, state): (&str, &str),
) -> RecordSet {
    let mut set = at_phone(born, own, guardian);
    set.patients[0].state = state.parse().unwrap();
    set.appointments[0].reason = Phi::from(reason);
    set
}

async fn parent_alone(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("2020-03-05", None, Some(NOBODY))).await;
    play(
        &app,
        NOBODY,
        "patient: When is my daughter's appointment?
         practice: Reply YES & !Lily
         patient: YES
         practice: Dec 4 & 2:00 & !Lily
         patient: what time is her visit?
         practice: 2:00
         patient: Cuándo es la cita de mi hija?
         practice: 4 dic
         patient: When is Lily's appointment?
         practice: Dec 4
         patient: When is Tom's appointment?
         practice: staff & !Dec 4
         patient: I need to cancel my daughter's appointment
         practice: Dec 4 & Reply YES",
    )
    .await;
}

async fn parent_and_child(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("2020-03-05", None, Some(TOM))).await;
    play(
        &app,
        TOM,
        "patient: when is my daughter's appointment?
         practice: Reply YES & !Lily & !Dec
         patient: YES
         practice: date of birth & !Lily & !Dec
         patient: 3/5/2020
         practice: Dec 4 & !Dec 1
         (45 minutes pass)
         patient: When is my appointment?
         practice: date of birth
         patient: 7/4/1978
         practice: Reply YES
         patient: YES
         practice: Dec 1 & !Dec 4
         patient: and my daughter's appointment?
         practice: date of birth & !Dec
         patient: 3/5/2020
         practice: Dec 4 & !Dec 1",
    )
    .await;
}

async fn child_elsewhere(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("2020-03-05", None, Some(NOBODY))).await;
    app.agreed(TOM).await;
    for text in [
        "when is my daughter's appointment?",
        "¿Cuándo es la cita de mi hija?",
        "can you move my son's visit to Thursday?",
        "my kid needs to cancel her appointment",
    ] {
        let said = app.one(TOM, text).await;
        assert!(
            !said.contains("Dec ") && !said.contains("1) "),
            "{text}: {said}"
        );
    }
    assert!(app.held().await.len() >= 4);
}

/// Age, reason, state, and whether the parent is told of the visit.
const VISITS: &[(&str, &str, &str, bool)] = &[
    ("2010-03-05", "Sore throat", "CA", true),
    ("2010-03-05", "Sports physical", "CA", true),
    ("2010-03-05", "Depression follow-up", "CA", false),
    ("2010-03-05", "STI screening", "CA", false),
    ("2010-03-05", "Birth control consult", "CA", false),
    ("2010-03-05", "Prueba de embarazo", "CA", false),
    ("2010-03-05", "Substance use counseling", "TX", false),
    ("2010-03-05", "", "CA", false),
    // Twelve in Washington, at a practice there: mental health from thirteen, infections from fourteen.
    ("2014-03-05", "Anxiety", "WA", true),
    ("2013-03-05", "Anxiety", "WA", false),
    ("2013-03-05", "STI screening", "WA", true),
    ("2012-03-05", "STI screening", "WA", false),
    // What no file says is read as the youngest age anywhere; no state as every state.
    ("2014-03-05", "Anxiety", "WY", false),
    ("2014-03-05", "Anxiety", "US", false),
    ("2015-03-05", "Anxiety", "WY", true),
    ("2015-03-05", "Contraception", "WY", false),
    ("2018-03-05", "", "CA", true),
];

async fn protected(store: Store) {
    let app = App::new(store).await;
    app.file(&child(
        "2010-03-05",
        (None, Some(NOBODY)),
        ("STI screening", "CA"),
    ))
    .await;
    play(
        &app,
        NOBODY,
        "patient: when is my daughter's appointment?
         practice: Reply YES
         patient: YES
         practice: staff & !Dec & !Reyes & !STI & !Lily",
    )
    .await;
    assert_eq!(app.held().await, [SHELTERED]);
}

/// The practice lies in California, whose ages hold beside those of where the patient lives; what
/// Washington says alone is seen at a practice there.
fn settle(practice: &mut Practice, state: &str) {
    if state == "WA" {
        practice.state = state.parse().unwrap();
    }
}

#[tokio::test]
async fn whether_a_parent_is_told_depends_on_age_kind_of_care_and_state() {
    for (born, reason, state, told) in VISITS {
        let kept = stores::sqlite().await;
        let app = App::with_practice(kept.store.clone(), |it| settle(it, state)).await;
        app.file(&child(born, (None, Some(NOBODY)), (reason, state)))
            .await;
        app.agreed(NOBODY).await;
        let said = app.one(NOBODY, "When is my son's appointment?").await;
        let case = format!("born {born}, `{reason}` in {state}: {said}");
        assert_eq!(said.contains("Dec 4"), *told, "{case}");
        let staff = app.held().await.iter().any(|why| why == SHELTERED);
        assert_eq!(staff, !told, "{case}");
        // A visit that does not exist is answered like one that is not told.
        if !told {
            let kept = stores::sqlite().await;
            let empty = App::with_practice(kept.store.clone(), |it| settle(it, state)).await;
            let mut set = child(born, (None, Some(NOBODY)), (reason, state));
            set.appointments.clear();
            empty.file(&set).await;
            empty.agreed(NOBODY).await;
            let none = empty.one(NOBODY, "When is my son's appointment?").await;
            assert_eq!(said, none, "{case}");
        }
    }
}

async fn one_of_two(store: Store) {
    let app = App::new(store).await;
    let mut set = child("2010-03-05", (None, Some(NOBODY)), ("Anxiety", "CA"));
    let open = Appointment {
        id: AppointmentId::new("a-901"),
        start: "2026-12-08T18:00:00Z".parse().unwrap(),
        end: "2026-12-08T18:20:00Z".parse().unwrap(),
        reason: Phi::from("Sports physical"),
        ..set.appointments[0].clone()
    };
    set.appointments.push(open);
    app.file(&set).await;
    app.agreed(NOBODY).await;
    play(
        &app,
        NOBODY,
        "patient: when are my daughter's appointments?
         practice: Dec 8 & !Dec 4
         patient: please cancel her appointment
         practice: Dec 8 & !Dec 4 & Reply YES",
    )
    .await;
    assert!(app.held().await.contains(&SHELTERED.to_owned()));
}

async fn minor_on_parents_phone(store: Store) {
    let app = App::new(store).await;
    let set = child(
        "2010-03-05",
        (Some(JAMES), Some(JAMES)),
        ("Contraception", "CA"),
    );
    app.file(&set).await;
    play(
        &app,
        JAMES,
        "patient: When is my appointment?
         practice: Reply YES
         patient: YES
         practice: date of birth
         patient: 3/5/2010
         practice: staff & !Dec
         patient: I'm 16 and it is my own appointment, when is it?
         practice: staff & !Dec",
    )
    .await;
}

async fn no_reminder(store: Store) {
    let app = App::new(store).await;
    app.file(&child(
        "2010-03-05",
        (None, Some(NOBODY)),
        ("Anxiety", "CA"),
    ))
    .await;
    let wished = remind_of(&app, "r-1", NOBODY, ("p-900", "a-900")).await;
    assert!(matches!(wished, Wished::Taken(_)), "{wished:?}");
    assert_eq!(app.received_by(NOBODY), Vec::<String>::new());
    assert_eq!(app.held().await, [SHELTERED]);
    // Nor of a visit at the front desk's own wish when the child is known already.
    let patient = PatientId::new("p-900");
    assert_eq!(
        app.house.store().holds(app.practice()).await.unwrap().len(),
        1,
        "{patient:?}"
    );
}

#[test]
fn of_whom_a_text_speaks() {
    let named = |name: &str| Some(Spoken::Named(name.to_owned()));
    for (text, want) in [
        ("When is my appointment?", None),
        ("are you open on my daughter's birthday", None),
        ("my daughter told me to text you. when is my visit", None),
        ("when is my daughter's appointment", Some(Spoken::Child)),
        ("When is my daughters appt?", Some(Spoken::Child)),
        ("I need an appointment for my son", Some(Spoken::Child)),
        (
            "my kid needs to cancel tomorrow's visit",
            Some(Spoken::Child),
        ),
        ("la cita de mi hijo, ¿a qué hora es?", Some(Spoken::Child)),
        ("quiero cambiar la cita para mi bebé", Some(Spoken::Child)),
        ("when is my teenager's checkup?", Some(Spoken::Child)),
        ("when is my mom's appointment", Some(Spoken::Kin)),
        ("are the results of my husband in?", Some(Spoken::Kin)),
        ("la cita de mi abuela", Some(Spoken::Kin)),
        ("when is her appointment?", Some(Spoken::Someone)),
        ("When is Lily's appointment?", named("Lily")),
        ("Tomorrow's visit, what time?", None),
    ] {
        assert_eq!(speaks_of(text), want, "{text}");
    }
}
