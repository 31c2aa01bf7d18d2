//! A FHIR R4 server as the record of a practice: the port's questions as searches and reads.

use std::sync::Arc;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::agent::ports::{BoxFuture, Records, RecordsError};
use crate::domain::clock::Clock;
use crate::domain::ids::{AppointmentId, PatientId, PracticeId, RequestId, SlotId};
use crate::domain::phone::E164;
use crate::domain::practice::FhirServer;
use crate::domain::record::{
    Appointment, AppointmentStatus, Clinical, ClinicalKind, Filed, NewVisit, Note, Patient, Place,
    Provider, Request, RequestKind, Slot,
};
use crate::fhir::capability::Capability;
use crate::fhir::client::Client;
use crate::fhir::directory::{Directory, Kept};
use crate::fhir::fault::Fault;
use crate::fhir::resource::{At, appointment, clinical, patient, referred, slot};
use crate::fhir::sign_in::KeyError;
use crate::policy::words::Language;

/// Visits of one patient that are read.
const VISITS_MAX: usize = 100;
/// Visits of some days that are read for reminders: a large practice has a few hundred a day.
const DAYS_VISITS_MAX: usize = 5_000;
/// Clinical entries of one kind that are read.
const ENTRIES_MAX: usize = 1_000;

/// Where visits stand, as a server is asked and as they are read.
type Standing = (&'static str, &'static [AppointmentStatus]);

/// Visits that are to come.
const AHEAD: Standing = (
    "booked,pending,arrived,checked-in",
    &[AppointmentStatus::Booked, AppointmentStatus::Confirmed],
);

/// Visits that were not cancelled, over or not.
const STOOD: Standing = (
    "booked,pending,arrived,checked-in,fulfilled,noshow",
    &[
        AppointmentStatus::Booked,
        AppointmentStatus::Confirmed,
        AppointmentStatus::Fulfilled,
        AppointmentStatus::Missed,
    ],
);

/// The kind of resource, what it is here, and a narrower search.
type Entries = (
    &'static str,
    ClinicalKind,
    Option<(&'static str, &'static str)>,
);

/// Clinical entries that a server keeps.
const CLINICAL: &[Entries] = &[
    ("Condition", ClinicalKind::Condition, None),
    ("MedicationRequest", ClinicalKind::Medication, None),
    (
        "Observation",
        ClinicalKind::Lab,
        Some(("category", "laboratory")),
    ),
    ("Procedure", ClinicalKind::Procedure, None),
    ("AllergyIntolerance", ClinicalKind::Allergy, None),
];

/// The record of a practice on a FHIR server.
#[derive(Debug)]
pub struct FhirRecords {
    pub(super) client: Client,
    pub(super) directory: Kept,
    capability: OnceCell<Capability>,
}

impl FhirRecords {
    /// As configured. Nothing is asked yet.
    pub fn new(server: &FhirServer, clock: Arc<dyn Clock>) -> Result<Self, KeyError> {
        Ok(Self {
            client: Client::new(server, clock)?,
            directory: Kept::default(),
            capability: OnceCell::new(),
        })
    }

    /// What the server can do; asked once.
    pub async fn capability(&self) -> Result<&Capability, Fault> {
        self.capability
            .get_or_try_init(|| async { self.client.metadata().await.map(Capability::new) })
            .await
    }

    /// Signs in and reads the directory, as the first patient's text would: how many providers.
    pub async fn try_out(&self) -> Result<usize, Fault> {
        Ok(self.directory.get(&self.client).await?.providers.len())
    }

    pub(super) async fn names(&self) -> Result<Arc<Directory>, Fault> {
        self.directory.get(&self.client).await
    }

    async fn visits(
        &self,
        who: &PatientId,
        from: Timestamp,
        (statuses, wanted): (&str, &[AppointmentStatus]),
    ) -> Result<Vec<Appointment>, Fault> {
        let asked = [
            ("patient", format!("Patient/{who}")),
            ("status", statuses.to_owned()),
            ("date", format!("ge{from:.0}")),
            ("_sort", "date".to_owned()),
        ];
        let found = self
            .client
            .search("Appointment", &asked, VISITS_MAX)
            .await?;
        let directory = self.names().await?;
        let mut visits = Vec::new();
        for resource in &found {
            // One that cannot be read would be a visit that the patient is told not to have.
            let visit = appointment(&At::alone(resource), &directory.names)?;
            visits.extend(visit.filter(|it| {
                wanted.contains(&it.status) && it.start >= from && it.patient == *who
            }));
        }
        visits.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        Ok(visits)
    }

    async fn all_visits(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Appointment>, Fault> {
        let wanted = [
            ("status", STOOD.0.to_owned()),
            ("date", format!("ge{from:.0}")),
            ("date", format!("lt{to:.0}")),
            ("_sort", "date".to_owned()),
        ];
        let found = self
            .client
            .search("Appointment", &wanted, DAYS_VISITS_MAX)
            .await?;
        let directory = self.names().await?;
        let read = found.iter().filter_map(|resource| {
            // Nobody is reminded of a visit that is not clear; the others are.
            appointment(&At::alone(resource), &directory.names)
                .ok()
                .flatten()
        });
        let mut visits: Vec<Appointment> = read
            .filter(|it| STOOD.1.contains(&it.status) && it.start >= from && it.start < to)
            .collect();
        visits.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        Ok(visits)
    }

    async fn free(&self, from: Timestamp, to: Timestamp, most: usize) -> Result<Vec<Slot>, Fault> {
        let wanted = [
            ("status", "free".to_owned()),
            ("start", format!("ge{from:.0}")),
            ("start", format!("lt{to:.0}")),
            ("_sort", "start".to_owned()),
        ];
        let found = self.client.search("Slot", &wanted, most).await?;
        let mut directory = self.names().await?;
        let known = |directory: &Directory, it: &Value| {
            let schedule = it.get("schedule").and_then(|it| referred(it, "Schedule"));
            schedule.is_some_and(|id| directory.names.of_schedule(id).is_some())
        };
        if found.iter().any(|it| !known(&directory, it)) {
            // A schedule that is new since the directory was read.
            self.directory.forget().await;
            directory = self.names().await?;
        }
        let mut slots = Vec::new();
        let mut unreadable = None;
        for resource in &found {
            match slot(&At::alone(resource), &directory.names) {
                // A slot that is listed as free and is not stays out.
                Ok(slot) => slots.extend(slot.filter(|it| it.start >= from && it.start < to)),
                // Nobody is offered a time that is not clear; others are.
                Err(error) => unreadable = Some(error),
            }
        }
        if let (true, Some(error)) = (slots.is_empty(), unreadable) {
            return Err(error.into());
        }
        slots.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        Ok(slots)
    }

    async fn entries(&self, who: &PatientId) -> Result<Vec<Clinical>, Fault> {
        let capability = self.capability().await?;
        let searches = CLINICAL
            .iter()
            .filter(|(resource, ..)| capability.can(resource, "search-type"))
            .map(|(resource, kind, narrower)| async move {
                let mut wanted = vec![("patient", format!("Patient/{who}"))];
                wanted.extend(narrower.map(|(name, value)| (name, value.to_owned())));
                let found = self.client.search(resource, &wanted, ENTRIES_MAX).await?;
                let of_them = found.iter().filter(|it| in_force(it));
                // An entry without a name says nothing that could leave.
                let entries = of_them.filter_map(|it| clinical(&At::alone(it), *kind).ok());
                let own = entries.filter(|(whose, _)| whose == who);
                Ok::<Vec<Clinical>, Fault>(own.map(|(_, entry)| entry).collect())
            });
        let found = try_join_all(searches).await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// Whether an entry was not made in error.
fn in_force(resource: &Value) -> bool {
    let at = At::alone(resource);
    let status = at.text("/status") == Some("entered-in-error");
    let verified = at.text("/verificationStatus/coding/0/code") == Some("entered-in-error");
    !status && !verified
}

/// A future of this adapter as the port wants it.
fn asked<'a, T: Send + 'a>(
    answer: impl Future<Output = Result<T, Fault>> + Send + 'a,
) -> BoxFuture<'a, Result<T, RecordsError>> {
    Box::pin(async move { answer.await.map_err(RecordsError::from) })
}

impl Records for FhirRecords {
    fn patients_by_phone<'a>(
        &'a self,
        _practice: &'a PracticeId,
        number: &'a E164,
    ) -> BoxFuture<'a, Result<Vec<Patient>, RecordsError>> {
        asked(self.by_phone(number))
    }

    fn patients_named<'a>(
        &'a self,
        _practice: &'a PracticeId,
        words: &'a [String],
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Patient>, RecordsError>> {
        asked(self.by_name(words, limit))
    }

    fn patient<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
    ) -> BoxFuture<'a, Result<Option<Patient>, RecordsError>> {
        asked(async move {
            match self.client.read("Patient", who.as_str()).await {
                Ok(found) => Ok(Some(patient(&At::alone(&found.resource))?)),
                Err(Fault::Gone) => Ok(None),
                Err(fault) => Err(fault),
            }
        })
    }

    fn appointments<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        asked(self.visits(who, from, AHEAD))
    }

    fn visits_of<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        asked(self.visits(who, from, STOOD))
    }

    fn visits_between<'a>(
        &'a self,
        _practice: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        asked(self.all_visits(from, to))
    }

    fn slots<'a>(
        &'a self,
        _practice: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Slot>, RecordsError>> {
        asked(self.free(from, to, limit))
    }

    fn set_status<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        appointment: &'a AppointmentId,
        status: AppointmentStatus,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        asked(self.change_status(who, appointment, status, key))
    }

    fn reschedule<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        appointment: &'a AppointmentId,
        slot: &'a SlotId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        asked(self.move_visit(who, appointment, slot, key))
    }

    fn book<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        visit: &'a NewVisit,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        asked(self.book_visit(who, visit, key))
    }

    fn file<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        request: &'a Request,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Filed, RecordsError>> {
        asked(self.file_request(who, request, key))
    }

    fn filed<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        kind: RequestKind,
    ) -> BoxFuture<'a, Result<Vec<Filed>, RecordsError>> {
        asked(self.open_requests(who, kind))
    }

    fn waitlist<'a>(
        &'a self,
        _practice: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Place>, RecordsError>> {
        asked(self.all_places())
    }

    fn withdraw<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        request: &'a RequestId,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        asked(self.withdraw_request(who, request))
    }

    fn prefer_language<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        language: Language,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        asked(self.set_language(who, language))
    }

    fn note<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
        note: &'a Note,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        asked(self.keep_note(who, note, key))
    }

    fn clinical<'a>(
        &'a self,
        _practice: &'a PracticeId,
        who: &'a PatientId,
    ) -> BoxFuture<'a, Result<Vec<Clinical>, RecordsError>> {
        asked(self.entries(who))
    }

    fn providers<'a>(
        &'a self,
        _practice: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Provider>, RecordsError>> {
        asked(async move { Ok(self.names().await?.providers.clone()) })
    }
}
