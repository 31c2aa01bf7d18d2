//! Who writes: shared phones, parents, numbers that changed hands, and strangers who learn nothing.

#![cfg(test)]

use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::phi::Phi;
use anteroom::domain::record::{
    Appointment, AppointmentStatus, Clinical, ClinicalKind, Guardian, Patient, RecordSet,
};
use anteroom::policy::words::Language;
use anteroom::store::Store;

use super::{on_postgres, on_sqlite};
use crate::support::app::{App, JAMES, MARIA, NOBODY, TOM};
use crate::support::transcript::play;

stories! {
    two_people_on_one_phone_agree_each_for_themselves => shared;
    stop_on_a_shared_phone_is_of_the_phone => shared_stop;
    a_parent_writes_for_a_small_child => small_child;
    health_details_of_a_teenager_go_to_nobody_by_text => teenager;
    a_wrong_number_ends_texts_and_the_next_owner_learns_nothing => wrong_number;
    a_number_that_the_carrier_calls_gone_is_asked_again => gone_number;
    a_number_silent_for_half_a_year_is_asked_again => silent;
    a_term_that_is_over_is_asked_again => term;
    whoever_is_on_file_the_answers_are_the_same => enumeration;
    wrong_birth_dates_end_with_staff => guesses;
}

/// A patient at Tom's number (or a guardian's), with a visit on December 4 at 2 PM and a result.
fn at_phone(born: &str, own: Option<&str>, guardian: Option<&str>) -> RecordSet {
    let id = PatientId::new("p-900");
    let lab = Clinical {
        kind: ClinicalKind::Lab,
        name: Phi::from("Strep test"),
        value: Phi::from("negative"),
        on: None,
        released: true,
    };
    RecordSet {
        patients: vec![Patient {
            id: id.clone(),
            first_name: Phi::from("Lily"),
            last_name: Phi::from("Nguyen"),
            birth_date: Some(Phi::new(born.parse().unwrap())),
            phones: own.into_iter().map(|it| it.parse().unwrap()).collect(),
            guardians: guardian
                .into_iter()
                .map(|it| Guardian {
                    name: Phi::from("Tom Nguyen"),
                    phone: it.parse().unwrap(),
                })
                .collect(),
            language: Some(Language::En),
            state: "CA".parse().unwrap(),
            mrn: None,
            email: None,
            address: None,
        }],
        appointments: vec![Appointment {
            id: AppointmentId::new("a-900"),
            patient: id.clone(),
            start: "2026-12-04T22:00:00Z".parse().unwrap(),
            end: "2026-12-04T22:20:00Z".parse().unwrap(),
            provider: "Dr. Ana Reyes".to_owned(),
            location: "120 Shore Road".to_owned(),
            reason: Phi::from("Sore throat"),
            preparation: Phi::default(),
            status: AppointmentStatus::Booked,
            slot: None,
        }],
        clinical: vec![(id, lab)],
        ..RecordSet::default()
    }
}

async fn shared(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("1980-03-05", Some(TOM), None)).await;
    play(
        &app,
        TOM,
        "patient: When is my appointment?
         practice: Reply YES & !Tom & !Lily & !Dec
         patient: YES
         practice: date of birth & !Tom & !Lily & !Dec
         patient: It's 7/4/1978
         practice: Dec 1 & !Dec 4 & !Lily
         (45 minutes pass)
         patient: When is my appointment?
         practice: date of birth & !Dec
         patient: 3/5/1980
         practice: Reply YES & !Dec
         patient: YES
         practice: Dec 4 & !Dec 1
         (45 minutes pass)
         patient: when is my appointment
         practice: date of birth
         patient: 07/04/1978
         practice: Dec 1 & !Dec 4",
    )
    .await;
    let it = app.conversation(TOM).await;
    let proof = it.consent.proof.unwrap();
    assert_eq!(proof.patient, Some(PatientId::new("p-004")));
    let others: Vec<_> = it
        .speaker
        .others
        .iter()
        .map(|it| (it.patient.as_str(), it.consent.state.as_str()))
        .collect();
    assert_eq!(others, [("p-900", "granted")]);
}

async fn shared_stop(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("1980-03-05", Some(TOM), None)).await;
    play(
        &app,
        TOM,
        "patient: When is my appointment?
         practice: Reply YES
         patient: YES
         practice: date of birth
         patient: 7/4/1978
         practice: Dec 1
         (45 minutes pass)
         patient: STOP
         practice: no more texts
         patient: START
         practice: Reply YES
         patient: YES
         practice: all set",
    )
    .await;
    let it = app.conversation(TOM).await;
    for other in &it.speaker.others {
        assert!(
            other.consent.proof.is_none(),
            "STOP dropped every proof: {other:?}"
        );
    }
}

async fn small_child(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("2020-03-05", None, Some(NOBODY))).await;
    play(
        &app,
        NOBODY,
        "patient: When is the appointment?
         practice: Reply YES & !Lily
         patient: YES
         practice: Dec 4 & 2:00 & !Lily
         patient: Are the strep test results in?
         practice: /p/ & !strep & !negative & !Lily",
    )
    .await;
}

async fn teenager(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("2012-03-05", Some(MARIA), Some(NOBODY)))
        .await;
    play(
        &app,
        NOBODY,
        "patient: When is the appointment?
         practice: Reply YES
         patient: YES
         practice: Dec 4
         patient: Are the strep test results in?
         practice: staff & !/p/ & !negative
         (staff: health details of a minor, or to one who acts for the patient)",
    )
    .await;
}

async fn wrong_number(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "patient: You have the wrong number
         practice: no more texts
         (consent: opted_out)
         (staff: wrong number)
         patient: START
         practice: Reply YES
         patient: YES
         practice: all set
         patient: When is my appointment?
         practice: date of birth & !Dec & !Tom
         patient: 1/1/1990
         practice: date of birth & !Dec
         patient: 7/4/1978
         practice: Dec 1",
    )
    .await;
}

async fn gone_number(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "patient: When is my appointment?
         practice: Dec 1
         (reported: undelivered 30005)
         (consent: reassigned)
         patient: When is my appointment?
         practice: Reply YES & !Dec
         patient: YES
         practice: date of birth & !Dec",
    )
    .await;
    let ledger = app.conversation(TOM).await;
    let ledger = app.house.store().consent_ledger(ledger.id).await.unwrap();
    let report = ledger.iter().find(|it| it.event == "reassigned").unwrap();
    assert_eq!(report.evidence.who.as_str(), "carrier");
    assert_eq!(report.evidence.reason.as_deref(), Some("30005"));
}

async fn silent(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    play(
        &app,
        TOM,
        "(179 days pass)
         (consent: granted)
         (1 days pass)
         (consent: reassigned)
         patient: When are you open?
         practice: Reply YES
         patient: YES
         practice: 8:00",
    )
    .await;
}

async fn term(store: Store) {
    let app = App::new(store).await;
    app.agreed(TOM).await;
    for _ in 0..3 {
        app.wait(jiff::SignedDuration::from_hours(24 * 120));
        app.text(TOM, "What are your hours?").await;
    }
    play(
        &app,
        TOM,
        "(consent: granted)
         (6 days pass)
         (consent: expired)
         patient: What are your hours?
         practice: Reply YES",
    )
    .await;
}

async fn enumeration(store: Store) {
    let app = App::new(store).await;
    app.file(&at_phone("1980-03-05", Some(JAMES), None)).await;
    let mut told = Vec::new();
    // Nobody on file, two people on file.
    for number in [NOBODY, JAMES] {
        for text in ["When is my appointment?", "YES", "1/1/1990", "5/5/1995"] {
            app.text(number, text).await;
        }
        told.push(app.received_by(number));
    }
    assert_eq!(told[0], told[1], "byte for byte");
    assert_eq!(told[0].len(), 4);
    let mut work = Vec::new();
    for number in [NOBODY, JAMES] {
        let it = app.conversation(number).await;
        let turns = app.house.store().turns(it.id, 99).await.unwrap().len();
        let ledger = app.house.store().consent_ledger(it.id).await.unwrap().len();
        let glass = app.house.store().glass(it.id, 99).await.unwrap().len();
        work.push((turns, ledger, glass, it.epoch));
    }
    assert_eq!(work[0], work[1], "the same rows are written");
}

async fn guesses(store: Store) {
    let app = App::new(store).await;
    play(
        &app,
        NOBODY,
        "patient: When is my appointment?
         practice: Reply YES
         patient: YES
         practice: date of birth
         patient: 1/1/1990
         practice: date of birth
         patient: no idea
         practice: date of birth
         patient: 2/2/1990
         practice: staff & !date of birth
         (staff: who writes is not known)
         patient: When is my appointment?
         practice: !date of birth",
    )
    .await;
}
