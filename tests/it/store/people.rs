//! The embedded record: imported, read, changed once per key.

#![cfg(test)]

use anteroom::agent::ports::Records as _;
use anteroom::agent::ports::RecordsError;
use anteroom::domain::ids::AppointmentId;
use anteroom::domain::ids::PatientId;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::ids::SlotId;
use anteroom::domain::phi::Phi;
use anteroom::domain::record::Appointment;
use anteroom::domain::record::AppointmentStatus;
use anteroom::domain::record::Clinical;
use anteroom::domain::record::ClinicalKind;
use anteroom::domain::record::Patient;
use anteroom::domain::record::Provider;
use anteroom::domain::record::RecordSet;
use anteroom::domain::record::Slot;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::store::records::EmbeddedRecords;
use futures_util::future::join_all;

use super::lab::Lab;
use super::lab::at;
use super::lab::number;
use super::lab::practice;

fn patient(n: usize, mark: &str) -> Patient {
    let text = |kind: &str| Phi::new(format!("{kind}{n} {mark}"));
    Patient {
        id: PatientId::new(format!("pat-{n}-{mark}")),
        first_name: text("Ana"),
        last_name: text("Invented"),
        birth_date: Some(Phi::new(jiff::civil::date(1980, 1, 2))),
        phones: vec![number(&format!("+1415555014{n}")), number("+14155550149")],
        guardians: Vec::new(),
        language: Some(Language::Es),
        state: Jurisdiction::UNKNOWN,
        mrn: Some(text("mrn")),
        email: Some(Phi::new(format!("ana{n}.{mark}@example.com"))),
        address: Some(text("Elm Street")),
    }
}

fn appointment(n: usize, mark: &str) -> Appointment {
    let hour = i64::try_from(n).unwrap() * 3_600;
    Appointment {
        id: AppointmentId::new(format!("apt-{n}-{mark}")),
        patient: PatientId::new(format!("pat-{n}-{mark}")),
        start: at(hour),
        end: at(hour + 900),
        provider: "Dr. Ana Reyes".to_owned(),
        location: "2 Oak Street".to_owned(),
        reason: Phi::new(format!("rash {mark}")),
        preparation: Phi::default(),
        status: AppointmentStatus::Booked,
        slot: Some(SlotId::new(format!("slot-{n}"))),
    }
}

fn slot(n: usize) -> Slot {
    let hour = i64::try_from(n).unwrap() * 3_600;
    Slot {
        id: SlotId::new(format!("slot-{n}")),
        start: at(hour),
        end: at(hour + 900),
        provider: "Dr. Bo Chen".to_owned(),
        location: "2 Oak Street".to_owned(),
        kind: String::new(),
    }
}

/// Two patients with a visit each (slots 1 and 2), and free slots 5 and 6.
fn record(mark: &str) -> RecordSet {
    RecordSet {
        patients: vec![patient(1, mark), patient(2, mark)],
        providers: vec![Provider {
            id: "prov-1".to_owned(),
            name: "Dr. Ana Reyes".to_owned(),
            specialty: "family medicine".to_owned(),
        }],
        appointments: vec![appointment(1, mark), appointment(2, mark)],
        slots: vec![slot(5), slot(6)],
        clinical: vec![(
            PatientId::new(format!("pat-1-{mark}")),
            Clinical {
                kind: ClinicalKind::Lab,
                name: Phi::new(format!("A1c {mark}")),
                value: Phi::from("7.2 %"),
                on: Some(jiff::civil::date(2026, 1, 2)),
                released: true,
            },
        )],
    }
}

pub(super) async fn fill(lab: &Lab, mark: &str) {
    EmbeddedRecords::new(lab.store.clone())
        .import(&practice(), &record(mark))
        .await
        .unwrap();
}

async fn records(lab: &Lab) -> EmbeddedRecords {
    fill(lab, "x").await;
    EmbeddedRecords::new(lab.store.clone())
}

fn id(n: usize) -> (PatientId, AppointmentId) {
    (
        PatientId::new(format!("pat-{n}-x")),
        AppointmentId::new(format!("apt-{n}-x")),
    )
}

async fn free(it: &EmbeddedRecords) -> Vec<String> {
    let slots = it
        .slots(&practice(), at(0), at(1_000_000), 99)
        .await
        .unwrap();
    slots.into_iter().map(|slot| slot.id.to_string()).collect()
}

pub(super) async fn an_import_repeated_changes_nothing(lab: Lab) {
    let it = records(&lab).await;
    let (ana, visit) = id(1);
    for _ in 0..2 {
        let counts = it.import(&practice(), &record("x")).await.unwrap();
        assert_eq!(
            (counts.patients, counts.appointments, counts.slots),
            (2, 2, 2)
        );
        let here = it
            .patients_by_phone(&practice(), &number("+14155550141"))
            .await
            .unwrap();
        assert_eq!(here, vec![patient(1, "x")]);
        let shared = it
            .patients_by_phone(&practice(), &number("+14155550149"))
            .await
            .unwrap();
        assert_eq!(shared.len(), 2);
        assert_eq!(
            it.patient(&practice(), &ana).await.unwrap(),
            Some(patient(1, "x"))
        );
        let visits = it.appointments(&practice(), &ana, at(0)).await.unwrap();
        assert_eq!(visits, vec![appointment(1, "x")]);
        assert_eq!(
            it.appointments(&practice(), &ana, at(3_601)).await.unwrap(),
            vec![]
        );
        assert_eq!(it.clinical(&practice(), &ana).await.unwrap().len(), 1);
        assert_eq!(
            it.providers(&practice()).await.unwrap(),
            record("x").providers
        );
        assert_eq!(free(&it).await, ["slot-5", "slot-6"]);
        let one = it
            .slots(&practice(), at(0), at(6 * 3_600), 99)
            .await
            .unwrap();
        assert_eq!(one, vec![slot(5)], "the end is not in the range");
    }
    let cancelled = AppointmentStatus::Cancelled;
    it.set_status(&practice(), &ana, &visit, cancelled, "k")
        .await
        .unwrap();
    it.import(&practice(), &record("x")).await.unwrap();
    assert_eq!(
        it.appointments(&practice(), &ana, at(0)).await.unwrap(),
        vec![],
        "stays cancelled"
    );
}

pub(super) async fn a_visit_is_changed_once_per_key(lab: Lab) {
    let it = records(&lab).await;
    let (ana, visit) = id(1);
    let set = |status, key: &'static str| {
        let (it, ana, visit) = (it.clone(), ana.clone(), visit.clone());
        async move { it.set_status(&practice(), &ana, &visit, status, key).await }
    };
    let confirmed = set(AppointmentStatus::Confirmed, "k1").await.unwrap();
    assert_eq!(confirmed.status, AppointmentStatus::Confirmed);
    let cancelled = set(AppointmentStatus::Cancelled, "k2").await.unwrap();
    assert_eq!(
        (cancelled.status, cancelled.slot),
        (AppointmentStatus::Cancelled, None)
    );
    assert_eq!(
        free(&it).await,
        ["slot-1", "slot-5", "slot-6"],
        "cancelling frees its slot"
    );
    assert_eq!(
        set(AppointmentStatus::Confirmed, "k1").await,
        Ok(confirmed),
        "as it was then"
    );
    for (status, key) in [
        (AppointmentStatus::Confirmed, "k3"),
        (AppointmentStatus::Booked, "k4"),
        (AppointmentStatus::Fulfilled, "k5"),
    ] {
        assert_eq!(
            set(status, key).await,
            Err(RecordsError::Conflict),
            "{status}"
        );
    }
    assert_eq!(
        it.appointments(&practice(), &ana, at(0)).await.unwrap(),
        vec![]
    );
}

pub(super) async fn a_taken_slot_is_a_conflict_and_a_freed_one_is_not(lab: Lab) {
    let it = records(&lab).await;
    let go = |n: usize, to: &'static str, key: &'static str| {
        let (it, (who, visit)) = (it.clone(), id(n));
        async move {
            it.reschedule(&practice(), &who, &visit, &SlotId::new(to), key)
                .await
        }
    };
    let mut both = join_all([go(1, "slot-5", "a"), go(2, "slot-5", "b")]).await;
    both.sort_by_key(Result::is_err);
    let moved = both[0].clone().unwrap();
    assert_eq!(
        (moved.start, moved.provider.as_str()),
        (slot(5).start, "Dr. Bo Chen")
    );
    assert_eq!(both[1], Err(RecordsError::Conflict), "one slot, one visit");
    assert_eq!(go(1, "slot-9", "c").await, Err(RecordsError::NotFound));
    let (first, second) = if moved.id == id(1).1 { (1, 2) } else { (2, 1) };
    let freed = if first == 1 { "slot-1" } else { "slot-2" };
    assert_eq!(free(&it).await, [freed, "slot-6"]);
    go(second, freed, "d").await.unwrap();
    assert_eq!(go(second, freed, "e").await, Err(RecordsError::Conflict));
}

pub(super) async fn nobody_reaches_the_visit_of_another(lab: Lab) {
    let it = records(&lab).await;
    let ((ana, _), (_, of_bo)) = (id(1), id(2));
    let confirm = AppointmentStatus::Confirmed;
    let refused = it.set_status(&practice(), &ana, &of_bo, confirm, "k").await;
    assert_eq!(refused, Err(RecordsError::NotFound));
    let refused = it
        .reschedule(&practice(), &ana, &of_bo, &SlotId::new("slot-5"), "k")
        .await;
    assert_eq!(refused, Err(RecordsError::NotFound));
    let elsewhere = PracticeId::new("hillside");
    assert_eq!(it.patient(&elsewhere, &ana).await, Ok(None));
    assert_eq!(it.clinical(&elsewhere, &ana).await, Ok(vec![]));
    assert_eq!(
        it.slots(&elsewhere, at(0), at(1_000_000), 9).await,
        Ok(vec![])
    );
    let (bo, own) = id(2);
    it.set_status(&practice(), &bo, &own, confirm, "k1")
        .await
        .unwrap();
    let (ana, hers) = id(1);
    let reused = it.set_status(&practice(), &ana, &hers, confirm, "k1").await;
    assert_eq!(
        reused,
        Err(RecordsError::Conflict),
        "a key of another's change"
    );
}
