//! Several visits of a day at one number: one text that names nobody, one YES for all of them.

#![cfg(test)]

use anteroom::domain::ids::{AppointmentId, PatientId};
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::Outreach;
use anteroom::domain::record::{Appointment, AppointmentStatus, Guardian, Patient, RecordSet};
use anteroom::policy::words::Language;
use anteroom::store::Store;
use jiff::{SignedDuration, Timestamp};

use super::{on_postgres, on_sqlite};
use crate::support::app::App;

stories! {
    three_visits_of_a_family_become_one_text_that_names_nobody => one_text;
    before_yes_only_the_notice_goes_out_once => notice_first;
    yes_confirms_all_with_a_receipt_each => yes_for_all;
    every_answer_is_understood_or_read_by_a_person => answers;
    it_is_said_in_spanish => spanish;
    what_was_cancelled_or_moved_is_put_right => put_right;
    what_changed_after_the_text_is_confirmed_by_nobody => changed_after;
    a_visit_that_is_booked_later_is_told_alone => booked_later;
    two_visits_of_one_person_are_one_text => one_person;
    grown_ups_agree_each_for_themselves => adults;
    one_childs_visit_is_confirmed_from_the_parents_phone => one_child;
    visits_of_other_days_and_numbers_stay_apart => apart;
    a_protected_visit_is_not_told_with_the_others => protected;
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The parent's phone, and the number of another household.
const HOME: &str = "+14155550166";
const AWAY: &str = "+14155550167";

async fn app(store: Store) -> App {
    App::with_practice(store, |it| {
        it.outreach = Some(Outreach {
            before_h: vec![24],
            ..Outreach::default()
        });
    })
    .await
}

/// Somebody at the number: `born` decides whether they are a child, who is reached by a parent's phone.
fn person(id: &str, first: &str, born: &str, number: &str) -> Patient {
    let child = born > "2008";
    let number = number.parse().unwrap();
    let guardian = Guardian {
        name: Phi::from("Dana Quill"),
        phone: number,
    };
    Patient {
        id: PatientId::new(id),
        first_name: Phi::from(first),
        last_name: Phi::from("Quill"),
        birth_date: Some(Phi::new(born.parse().unwrap())),
        phones: if child {
            Vec::new()
        } else {
            vec![guardian.phone.clone()]
        },
        guardians: if child { vec![guardian] } else { Vec::new() },
        language: Some(Language::En),
        state: "CA".parse().unwrap(),
        mrn: None,
        email: None,
        address: None,
    }
}

/// A visit so many minutes after Monday, 3 PM: the house begins on the Sunday at 10 AM.
fn visit(id: &str, patient: &str, minutes: i64, reason: &str) -> Appointment {
    let monday: Timestamp = "2026-11-30T15:00:00-08:00".parse().unwrap();
    let start = monday + SignedDuration::from_mins(minutes);
    Appointment {
        id: AppointmentId::new(id),
        patient: PatientId::new(patient),
        start,
        end: start + SignedDuration::from_mins(20),
        provider: "Dr. Ana Reyes".to_owned(),
        location: "120 Shore Road".to_owned(),
        reason: Phi::from(reason),
        preparation: Phi::default(),
        status: AppointmentStatus::Booked,
        slot: None,
    }
}

fn family() -> RecordSet {
    RecordSet {
        patients: vec![
            person("f-1", "Dana", "1985-03-05", HOME),
            person("f-2", "Ana", "2016-05-06", HOME),
            person("f-3", "Ben", "2019-07-08", HOME),
        ],
        appointments: vec![
            visit("v-1", "f-1", 0, "Sore throat"),
            visit("v-2", "f-2", 30, "Sports physical"),
            visit("v-3", "f-3", 60, "Ear pain"),
        ],
        ..RecordSet::default()
    }
}

/// Dana has agreed, and shown who she is.
async fn at_home(store: Store, set: &RecordSet) -> App {
    let app = app(store).await;
    app.file(set).await;
    app.text(HOME, "When is my appointment?").await;
    app.text(HOME, "YES").await;
    app.text(HOME, "3/5/1985").await;
    // She has written about herself; a while later it may be anybody of them.
    app.text(HOME, "YES").await;
    app.wait(HOUR * 6);
    app
}

/// What a number gets of the practice's own accord over the hours in which reminders are due.
async fn begun(app: &App, number: &str) -> Vec<String> {
    let before = app.received_by(number).len();
    for _ in 0..6 {
        app.house.outreach_once().await.unwrap();
        app.drain().await;
        app.wait(SignedDuration::from_mins(20));
    }
    app.received_by(number).split_off(before)
}

async fn status(app: &App, patient: &str, visit: &str) -> AppointmentStatus {
    let records = app.house.records();
    let visits = records
        .visits_of(
            app.practice(),
            &PatientId::new(patient),
            Timestamp::UNIX_EPOCH,
        )
        .await
        .unwrap();
    let visit = visits.into_iter().find(|it| it.id.as_str() == visit);
    visit.map_or(AppointmentStatus::Cancelled, |it| it.status)
}

const ALL_THREE: &str = "Lakeside Family Medicine: reminder of visits on Mon, Nov 30 at 3:00 PM, Mon, \
    Nov 30 at 3:30 PM and Mon, Nov 30 at 4:00 PM. Reply YES to confirm all or MOVE for another time. \
    Questions? Call 415-555-0100. STOP ends texts.";

async fn one_text(store: Store) {
    let app = at_home(store, &family()).await;
    let said = begun(&app, HOME).await;
    assert_eq!(said, [ALL_THREE]);
    // Nothing of it comes again, that day or the next morning.
    app.wait(HOUR * 10);
    assert!(begun(&app, HOME).await.is_empty());
    assert!(app.held().await.is_empty(), "{:?}", app.held().await);
}

async fn notice_first(store: Store) {
    let app = app(store).await;
    app.file(&family()).await;
    app.wait(HOUR * 6);
    let said = begun(&app, HOME).await;
    assert_eq!(said.len(), 1, "one notice: {said:?}");
    for word in ["Dana", "Ana ", "Ben", "Nov 30", "3:00", "visits"] {
        assert!(!said[0].contains(word), "{word}: {said:?}");
    }
    let said = app.text(HOME, "YES").await;
    let told = said.iter().filter(|it| it.contains("reminder of")).count();
    assert!(told <= 1, "{said:?}");
    for name in ["Dana", "Ana ", "Ben"] {
        assert!(!said.concat().contains(name), "{name}: {said:?}");
    }
}

async fn yes_for_all(store: Store) {
    let app = at_home(store, &family()).await;
    begun(&app, HOME).await;
    let done = app.one(HOME, "C").await;
    let all = "Thank you. Confirmed: Mon, Nov 30 at 3:00 PM, Mon, Nov 30 at 3:30 PM and Mon, Nov 30 \
               at 4:00 PM.";
    assert!(done.ends_with(all), "{done}");
    for (patient, visit) in [("f-1", "v-1"), ("f-2", "v-2"), ("f-3", "v-3")] {
        assert_eq!(
            status(&app, patient, visit).await,
            AppointmentStatus::Confirmed
        );
    }
    let changed = app.audited().await;
    let changed = changed.iter().filter(|it| *it == "record.changed").count();
    assert_eq!(changed, 3, "an entry each");
    assert!(app.held().await.is_empty(), "{:?}", app.held().await);
}

async fn answers(store: Store) {
    let people = RecordSet {
        appointments: Vec::new(),
        ..family()
    };
    let app = at_home(store, &people).await;
    // (answer, what the answer to it holds, whether all are confirmed, whether a person reads it)
    let cases = [
        ("yes please", "Confirmed:", true, false),
        ("We will be there, thank you!", "Confirmed:", true, false),
        ("all of them", "Confirmed:", true, false),
        ("R", "staff", false, true),
        ("MOVE", "staff", false, true),
        ("only Ana's", "staff", false, true),
        ("yes but only the first one", "staff", false, true),
        ("yes for Ben, not Ana", "staff", false, true),
        ("we can't make the second one", "staff", false, true),
        ("NO", "staff", false, true),
        ("Where do I park?", "Parking", false, false),
    ];
    for (at, (answer, wanted, all, staff)) in cases.into_iter().enumerate() {
        if at > 0 {
            // The same hour of the next day.
            app.wait(HOUR * 22);
        }
        let now = app.clock_now();
        let mut set = family();
        let monday = set.appointments[0].start;
        for it in &mut set.appointments {
            let since = it.start.duration_since(monday);
            it.id = AppointmentId::new(format!("{}-{at}", it.id));
            it.start = now + DAY + since;
            it.end = it.start + SignedDuration::from_mins(20);
        }
        app.file(&set).await;
        let said = begun(&app, HOME).await;
        assert_eq!(said.len(), 1, "before {answer:?}: {said:?}");
        let held = app.held().await.len();
        let said = app.one(HOME, answer).await;
        assert!(said.contains(wanted), "{answer:?}: {said}");
        for (patient, visit) in [("f-1", "v-1"), ("f-2", "v-2"), ("f-3", "v-3")] {
            let status = status(&app, patient, &format!("{visit}-{at}")).await;
            let confirmed = status == AppointmentStatus::Confirmed;
            assert_eq!(confirmed, all, "{answer:?}: {visit}");
        }
        let held = app.held().await.len() - held;
        assert_eq!(held > 0, staff, "{answer:?}: {:?}", app.held().await);
        for it in &mut set.appointments {
            it.status = AppointmentStatus::Cancelled;
        }
        app.file(&set).await;
    }
}

async fn spanish(store: Store) {
    let mut set = family();
    for it in &mut set.patients {
        it.language = Some(Language::Es);
    }
    let app = app(store).await;
    app.file(&set).await;
    app.text(HOME, "Hola, ¿cuándo es mi cita?").await;
    app.text(HOME, "SI").await;
    app.text(HOME, "5 de marzo de 1985").await;
    app.text(HOME, "SI").await;
    app.wait(HOUR * 6);
    let said = begun(&app, HOME).await.concat();
    assert!(
        said.contains("recordatorio de citas el lun 30 nov"),
        "{said}"
    );
    let done = app.one(HOME, "Sí, gracias").await;
    assert!(done.contains("Gracias. Confirmado: "), "{done}");
}

async fn put_right(store: Store) {
    use AppointmentStatus::{Booked, Cancelled, Confirmed};
    let app = at_home(store, &family()).await;
    // Before it leaves, the desk cancels one and moves another to the next day.
    let mut changed = family();
    changed.patients.clear();
    changed.appointments.remove(0);
    changed.appointments[0].status = Cancelled;
    changed.appointments[1].start += DAY;
    app.house.outreach_once().await.unwrap();
    app.file(&changed).await;
    let said = begun(&app, HOME).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("reminder of a visit on Mon, Nov 30 at 3:00 PM."),
        "{said:?}"
    );
    app.one(HOME, "YES").await;
    assert_eq!(status(&app, "f-1", "v-1").await, Confirmed);
    assert_eq!(status(&app, "f-3", "v-3").await, Booked);
}

async fn changed_after(store: Store) {
    use AppointmentStatus::{Booked, Confirmed};
    let app = at_home(store, &family()).await;
    begun(&app, HOME).await;
    let mut changed = family();
    changed.appointments.remove(0);
    changed.appointments[1].start += HOUR;
    app.file(&changed).await;
    let said = app.one(HOME, "YES").await;
    let wanted = "Thank you. Confirmed: Mon, Nov 30 at 3:00 PM and Mon, Nov 30 at 3:30 PM. We could not \
         confirm the rest, so we passed your message to our staff.";
    assert!(said.ends_with(wanted), "{said}");
    assert_eq!(status(&app, "f-2", "v-2").await, Confirmed);
    assert_eq!(status(&app, "f-3", "v-3").await, Booked);
    assert_eq!(app.held().await.len(), 1);
}

async fn booked_later(store: Store) {
    let mut set = family();
    let late = set.appointments.remove(2);
    let app = at_home(store, &set).await;
    assert_eq!(begun(&app, HOME).await.len(), 1);
    app.text(HOME, "YES").await;
    app.file(&RecordSet {
        appointments: vec![late],
        ..RecordSet::default()
    })
    .await;
    app.wait(HOUR * 16);
    let said = begun(&app, HOME).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("a visit on Mon, Nov 30 at 4:00 PM."),
        "what was told is not told again: {said:?}"
    );
}

async fn one_person(store: Store) {
    let mut set = family();
    set.patients.truncate(1);
    for it in &mut set.appointments {
        it.patient = PatientId::new("f-1");
    }
    let app = app(store).await;
    app.file(&set).await;
    app.agreed(HOME).await;
    app.wait(HOUR * 6);
    assert_eq!(begun(&app, HOME).await, [ALL_THREE]);
    let done = app.one(HOME, "YES").await;
    assert!(done.contains("Thank you. Confirmed: "), "{done}");
    assert_eq!(
        status(&app, "f-1", "v-3").await,
        AppointmentStatus::Confirmed
    );
}

async fn adults(store: Store) {
    let mut set = family();
    set.patients[1] = person("f-2", "Ana", "1986-05-06", HOME);
    let app = at_home(store, &set).await;
    let said = begun(&app, HOME).await.concat();
    assert!(
        said.contains("3:00 PM and Mon, Nov 30 at 4:00 PM"),
        "Dana and the child: {said}"
    );
    assert!(!said.contains("3:30"), "Ana has not agreed: {said}");
}

async fn one_child(store: Store) {
    let mut set = family();
    set.appointments.truncate(2);
    set.appointments.remove(0);
    let app = at_home(store, &set).await;
    let said = begun(&app, HOME).await;
    assert_eq!(said.len(), 1, "under the parent's YES: {said:?}");
    assert!(
        said[0].contains("reminder of a visit on Mon, Nov 30 at 3:30 PM. Reply YES"),
        "{said:?}"
    );
    let done = app.one(HOME, "YES").await;
    assert!(
        done.ends_with("Thank you. Confirmed: Mon, Nov 30 at 3:30 PM."),
        "{done}"
    );
    assert_eq!(
        status(&app, "f-2", "v-2").await,
        AppointmentStatus::Confirmed
    );
}

async fn apart(store: Store) {
    let mut set = family();
    set.patients[1] = person("f-2", "Ana", "2016-05-06", AWAY);
    set.appointments[2].start += DAY;
    set.appointments[2].end += DAY;
    let app = at_home(store, &set).await;
    let said = begun(&app, HOME).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("a visit on Mon, Nov 30 at 3:00 PM."),
        "{said:?}"
    );
    let away = app.received_by(AWAY);
    assert_eq!(away.len(), 1, "the notice: {away:?}");
    app.text(HOME, "YES").await;
    app.wait(HOUR * 22);
    let said = begun(&app, HOME).await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("a visit on Tue, Dec 1 at 4:00 PM."),
        "{said:?}"
    );
}

async fn protected(store: Store) {
    let mut set = family();
    set.patients[1] = person("f-2", "Ana", "2011-05-06", HOME);
    set.appointments[1].reason = Phi::from("Depression follow-up");
    let app = at_home(store, &set).await;
    let said = begun(&app, HOME).await.concat();
    assert!(
        said.contains("3:00 PM and Mon, Nov 30 at 4:00 PM"),
        "{said}"
    );
    assert!(!said.contains("3:30"), "{said}");
}
