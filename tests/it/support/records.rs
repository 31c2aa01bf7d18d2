//! A record in memory with invented people, for every test that needs one.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use anteroom::agent::ports::{BoxFuture, Records, RecordsError};
use anteroom::domain::ids::{AppointmentId, PatientId, PracticeId, RequestId, SlotId};
use anteroom::domain::phi::Phi;
use anteroom::domain::phone::E164;
use anteroom::domain::practice::Practice;
use anteroom::domain::record::{
    Appointment, AppointmentStatus, Clinical, ClinicalKind, Filed, NewVisit, Patient, Place,
    Provider, RecordSet, Request, RequestKind, Slot,
};
use anteroom::policy::words::{Jurisdiction, Language};
use jiff::{SignedDuration, Timestamp};

/// Tuesday, 10:00 at the practice.
pub(crate) const NOW: &str = "2026-12-01T10:00:00-08:00";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// A family practice in California.
pub(crate) fn practice() -> Practice {
    toml::from_str(
        r#"
        id = "lakeside"
        name = "Lakeside Family Medicine"
        phone = "+14155550100"
        state = "CA"
        timezone = "America/Los_Angeles"
        address = "12 Lake Street, Oakland, CA"
        hours = "Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM"
        hours_es = "lun-jue 8:00 a. m.-5:00 p. m., vie 8:00 a. m.-1:00 p. m."
        [facts]
        parking = "free behind the building"
        insurance_networks = "Aetna, Blue Shield, Medicare"
        "#,
    )
    .expect("a practice")
}

/// The whole record: one patient with a visit tomorrow, one other patient.
pub(crate) fn sample() -> RecordSet {
    let visit = |id: &str, patient: &str, start: &str, reason: &str| Appointment {
        id: AppointmentId::new(id),
        patient: PatientId::new(patient),
        start: at(start),
        end: at(start) + SignedDuration::from_mins(30),
        provider: "Dr. Ana Reyes".to_owned(),
        location: "12 Lake Street, Suite 4".to_owned(),
        reason: Phi::from(reason),
        preparation: Phi::default(),
        status: AppointmentStatus::Booked,
        slot: Some(SlotId::new(format!("slot-of-{id}"))),
    };
    let slot = |id: &str, start: &str| Slot {
        id: SlotId::new(id),
        start: at(start),
        end: at(start) + SignedDuration::from_mins(30),
        provider: "Dr. Ana Reyes".to_owned(),
        location: "12 Lake Street, Suite 4".to_owned(),
        kind: String::new(),
    };
    RecordSet {
        patients: vec![
            patient("maria", "Maria", "Lopez", "+14155550142"),
            patient("otto", "Otto", "Brandt", "+14155550177"),
        ],
        providers: vec![Provider {
            id: "reyes".to_owned(),
            name: "Dr. Ana Reyes".to_owned(),
            specialty: "family medicine".to_owned(),
        }],
        appointments: vec![
            visit(
                "visit-1",
                "maria",
                "2026-12-02T15:00:00-08:00",
                "diabetes check",
            ),
            visit("visit-9", "otto", "2026-12-02T16:00:00-08:00", "knee pain"),
        ],
        slots: vec![
            slot("thu-9", "2026-12-03T09:00:00-08:00"),
            slot("thu-1030", "2026-12-03T10:30:00-08:00"),
            slot("thu-14", "2026-12-03T14:00:00-08:00"),
            slot("thu-15", "2026-12-03T15:00:00-08:00"),
            slot("fri-9", "2026-12-04T09:00:00-08:00"),
            slot("mon-8", "2026-12-07T08:00:00-08:00"),
            slot("thu10-9", "2026-12-10T09:00:00-08:00"),
            slot("thu10-15", "2026-12-10T15:00:00-08:00"),
        ],
        clinical: clinical(),
    }
}

fn clinical() -> Vec<(PatientId, Clinical)> {
    let entry = |kind, name: &str, value: &str, released| Clinical {
        kind,
        name: Phi::from(name),
        value: Phi::from(value),
        on: Some("2026-11-20".parse().expect("a date")),
        released,
    };
    let maria = PatientId::new("maria");
    vec![
        (
            maria.clone(),
            entry(ClinicalKind::Condition, "Type 2 diabetes", "", true),
        ),
        (
            maria.clone(),
            entry(
                ClinicalKind::Medication,
                "metformin",
                "500 mg twice a day",
                true,
            ),
        ),
        (
            maria.clone(),
            entry(ClinicalKind::Lab, "Skin biopsy", "benign", true),
        ),
        (
            maria,
            entry(ClinicalKind::Lab, "HIV test", "negative", false),
        ),
    ]
}

fn patient(id: &str, first: &str, last: &str, phone: &str) -> Patient {
    Patient {
        id: PatientId::new(id),
        first_name: Phi::from(first),
        last_name: Phi::from(last),
        birth_date: Some(Phi::new("1980-05-04".parse().expect("a date"))),
        phones: vec![phone.parse().expect("a number")],
        guardians: Vec::new(),
        language: Some(Language::En),
        state: "CA".parse::<Jurisdiction>().expect("a state"),
        mrn: Some(Phi::from("MRN-000142")),
        email: None,
        address: None,
    }
}

#[derive(Debug, Default)]
struct Book {
    set: RecordSet,
    done: BTreeMap<String, Appointment>,
    snatched: BTreeSet<SlotId>,
    filed: Vec<(PatientId, Filed)>,
    down: bool,
    left: Option<usize>,
    writes: usize,
}

/// The record, for one practice.
#[derive(Debug, Default)]
pub(crate) struct MemoryRecords(Mutex<Book>);

impl MemoryRecords {
    pub(crate) fn new(set: RecordSet) -> Self {
        let book = Book {
            set,
            ..Book::default()
        };
        Self(Mutex::new(book))
    }

    pub(crate) fn sample() -> Self {
        Self::new(sample())
    }

    /// Somebody else takes this slot at the last moment.
    pub(crate) fn snatch(&self, slot: &str) {
        self.book().snatched.insert(SlotId::new(slot));
    }

    /// The record system stops answering.
    pub(crate) fn go_down(&self) {
        self.book().down = true;
    }

    /// It answers so many questions more, and then no longer.
    pub(crate) fn go_down_after(&self, answers: usize) {
        self.book().left = Some(answers);
    }

    /// How many writes changed something.
    pub(crate) fn writes(&self) -> usize {
        self.book().writes
    }

    pub(crate) fn visit(&self, id: &str) -> Appointment {
        let book = self.book();
        let mut visits = book.set.appointments.iter();
        visits
            .find(|visit| visit.id.as_str() == id)
            .cloned()
            .expect("a visit")
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().expect("no panic while held")
    }

    fn ask<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&mut Book) -> Result<T, RecordsError>,
    ) -> BoxFuture<'_, Result<T, RecordsError>> {
        let mut book = self.book();
        let left = book.left;
        book.left = left.map(|left| left.saturating_sub(1));
        let answer = if book.down || left == Some(0) {
            Err(RecordsError::Unavailable)
        } else {
            answer(&mut book)
        };
        Box::pin(std::future::ready(answer))
    }
}

impl Book {
    fn own(
        &mut self,
        patient: &PatientId,
        id: &AppointmentId,
    ) -> Result<&mut Appointment, RecordsError> {
        let mut visits = self.set.appointments.iter_mut();
        visits
            .find(|visit| visit.id == *id && visit.patient == *patient)
            .ok_or(RecordsError::NotFound)
    }
}

impl Records for MemoryRecords {
    fn patients_by_phone<'a>(
        &'a self,
        _: &'a PracticeId,
        number: &'a E164,
    ) -> BoxFuture<'a, Result<Vec<Patient>, RecordsError>> {
        self.ask(|book| {
            let all = book.set.patients.iter();
            Ok(all
                .filter(|one| one.phones.contains(number))
                .cloned()
                .collect())
        })
    }

    fn patient<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
    ) -> BoxFuture<'a, Result<Option<Patient>, RecordsError>> {
        self.ask(|book| {
            Ok(book
                .set
                .patients
                .iter()
                .find(|one| one.id == *patient)
                .cloned())
        })
    }

    fn appointments<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        self.ask(|book| {
            let open = [AppointmentStatus::Booked, AppointmentStatus::Confirmed];
            let mut visits: Vec<_> = book
                .set
                .appointments
                .iter()
                .filter(|visit| visit.patient == *patient && visit.start >= from)
                .filter(|visit| open.contains(&visit.status))
                .cloned()
                .collect();
            visits.sort_by_key(|visit| visit.start);
            Ok(visits)
        })
    }

    fn visits_of<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        self.ask(|book| {
            let stood = |it: &&Appointment| {
                it.patient == *patient
                    && it.start >= from
                    && it.status != AppointmentStatus::Cancelled
            };
            let mut visits: Vec<_> = book
                .set
                .appointments
                .iter()
                .filter(stood)
                .cloned()
                .collect();
            visits.sort_by_key(|visit| visit.start);
            Ok(visits)
        })
    }

    fn visits_between<'a>(
        &'a self,
        _: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        self.ask(|book| {
            let all = book.set.appointments.iter();
            let near = all.filter(|visit| from <= visit.start && visit.start < to);
            Ok(near.cloned().collect())
        })
    }

    fn slots<'a>(
        &'a self,
        _: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Slot>, RecordsError>> {
        self.ask(|book| {
            let free = |slot: &&Slot| {
                from <= slot.start && slot.start < to && !book.snatched.contains(&slot.id)
            };
            let mut slots: Vec<_> = book.set.slots.iter().filter(free).cloned().collect();
            slots.sort_by_key(|slot| slot.start);
            slots.truncate(limit);
            Ok(slots)
        })
    }

    fn set_status<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        status: AppointmentStatus,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        self.ask(|book| {
            if let Some(before) = book.done.get(key) {
                return Ok(before.clone());
            }
            let visit = book.own(patient, appointment)?;
            visit.status = status;
            let visit = visit.clone();
            book.writes += 1;
            book.done.insert(key.to_owned(), visit.clone());
            Ok(visit)
        })
    }

    fn reschedule<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        slot: &'a SlotId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        self.ask(|book| {
            if let Some(before) = book.done.get(key) {
                return Ok(before.clone());
            }
            if book.snatched.contains(slot) {
                return Err(RecordsError::Conflict);
            }
            let place = book.set.slots.iter().position(|one| one.id == *slot);
            let free = book.set.slots.remove(place.ok_or(RecordsError::Conflict)?);
            let visit = book.own(patient, appointment)?;
            visit.start = free.start;
            visit.end = free.end;
            visit.provider = free.provider;
            visit.location = free.location;
            visit.slot = Some(free.id);
            let visit = visit.clone();
            book.writes += 1;
            book.done.insert(key.to_owned(), visit.clone());
            Ok(visit)
        })
    }

    fn book<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        visit: &'a NewVisit,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        self.ask(|book| {
            if let Some(before) = book.done.get(key) {
                return Ok(before.clone());
            }
            if book.snatched.contains(&visit.slot) {
                return Err(RecordsError::Conflict);
            }
            let place = book.set.slots.iter().position(|one| one.id == visit.slot);
            let free = book.set.slots.remove(place.ok_or(RecordsError::Conflict)?);
            let visit = Appointment {
                id: AppointmentId::new(format!("new-{}", book.writes)),
                patient: patient.clone(),
                start: free.start,
                end: free.end,
                provider: free.provider,
                location: free.location,
                reason: visit.reason.clone(),
                preparation: Phi::default(),
                status: AppointmentStatus::Booked,
                slot: Some(free.id),
            };
            book.writes += 1;
            book.set.appointments.push(visit.clone());
            book.done.insert(key.to_owned(), visit.clone());
            Ok(visit)
        })
    }

    fn file<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        request: &'a Request,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Filed, RecordsError>> {
        self.ask(|book| {
            let filed = Filed {
                id: RequestId::new(key),
                request: request.clone(),
                at: Timestamp::UNIX_EPOCH,
            };
            let twice = book.filed.iter().any(|(_, it)| it.id == filed.id);
            if !twice {
                book.writes += 1;
                book.filed.push((patient.clone(), filed.clone()));
            }
            Ok(filed)
        })
    }

    fn filed<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        kind: RequestKind,
    ) -> BoxFuture<'a, Result<Vec<Filed>, RecordsError>> {
        self.ask(|book| {
            let own = book.filed.iter().filter(|(whose, _)| whose == patient);
            let own = own.map(|(_, it)| it.clone());
            Ok(own.filter(|it| it.request.kind == kind).collect())
        })
    }

    fn waitlist<'a>(
        &'a self,
        _: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Place>, RecordsError>> {
        self.ask(|book| {
            let places = book.filed.iter().map(|(patient, filed)| Place {
                patient: patient.clone(),
                filed: filed.clone(),
            });
            Ok(places
                .filter(|it| it.filed.request.kind == RequestKind::Waitlist)
                .collect())
        })
    }

    fn withdraw<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        request: &'a RequestId,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        self.ask(|book| {
            let before = book.filed.len();
            book.filed
                .retain(|(whose, it)| whose != patient || it.id != *request);
            if book.filed.len() == before {
                return Err(RecordsError::NotFound);
            }
            book.writes += 1;
            Ok(())
        })
    }

    fn prefer_language<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
        language: Language,
        _: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        self.ask(|book| {
            let mut all = book.set.patients.iter_mut();
            let one = all.find(|one| one.id == *patient);
            one.ok_or(RecordsError::NotFound)?.language = Some(language);
            book.writes += 1;
            Ok(())
        })
    }

    fn clinical<'a>(
        &'a self,
        _: &'a PracticeId,
        patient: &'a PatientId,
    ) -> BoxFuture<'a, Result<Vec<Clinical>, RecordsError>> {
        self.ask(|book| {
            let own = book
                .set
                .clinical
                .iter()
                .filter(|(whose, _)| whose == patient);
            Ok(own.map(|(_, entry)| entry.clone()).collect())
        })
    }

    fn providers<'a>(
        &'a self,
        _: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Provider>, RecordsError>> {
        self.ask(|book| Ok(book.set.providers.clone()))
    }
}
