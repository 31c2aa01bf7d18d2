//! The embedded record: people, visits, free times and clinical entries in the store's own tables.

use std::sync::Arc;

use jiff::Timestamp;

use crate::agent::ports::BoxFuture;
use crate::agent::ports::Records;
use crate::agent::ports::RecordsError;
use crate::domain::clock::Clock;
use crate::domain::clock::SystemClock;
use crate::domain::ids::AppointmentId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::RequestId;
use crate::domain::ids::SlotId;
use crate::domain::phone::E164;
use crate::domain::record::Appointment;
use crate::domain::record::AppointmentStatus;
use crate::domain::record::Clinical;
use crate::domain::record::Filed;
use crate::domain::record::NewVisit;
use crate::domain::record::Patient;
use crate::domain::record::Place;
use crate::domain::record::Provider;
use crate::domain::record::Request;
use crate::domain::record::RequestKind;
use crate::domain::record::Slot;
use crate::policy::words::Language;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::record_rows::AppointmentRow;
use crate::store::record_rows::ClinicalRow;
use crate::store::record_rows::PatientRow;
use crate::store::record_writes::Change;
use crate::store::requests::OpenRequest;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;

const PATIENTS_AT: &str = "SELECT p.id_hash, p.sealed FROM patient_phone f \
    JOIN patient p ON p.practice = f.practice AND p.id_hash = f.patient_hash \
    WHERE f.practice = $1 AND f.number_hash = $2 ORDER BY p.id_hash";
const PATIENT: &str = "SELECT id_hash, sealed FROM patient WHERE practice = $1 AND id_hash = $2";
const VISITS: &str = "SELECT id_hash, sealed FROM appointment \
    WHERE practice = $1 AND patient_hash = $2 AND start_at >= $3 \
    AND status IN ('booked', 'confirmed') ORDER BY start_at, id_hash";
const VISITS_OF: &str = "SELECT id_hash, sealed FROM appointment \
    WHERE practice = $1 AND patient_hash = $2 AND start_at >= $3 \
    AND status <> 'cancelled' ORDER BY start_at, id_hash";
const FREE: &str = "SELECT * FROM slot WHERE practice = $1 AND taken = 0 \
    AND start_at >= $2 AND start_at < $3 ORDER BY start_at, id LIMIT $4";
const CLINICAL: &str = "SELECT id_hash, sealed FROM clinical \
    WHERE practice = $1 AND patient_hash = $2 ORDER BY id_hash";
const PROVIDERS: &str =
    "SELECT id, name, specialty FROM provider WHERE practice = $1 ORDER BY name, id";

/// The record of a practice that has no other record system.
#[derive(Clone, Debug)]
pub struct EmbeddedRecords {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
}

impl EmbeddedRecords {
    /// The record kept in this store.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            clock: Arc::new(SystemClock),
        }
    }

    /// With another clock for the audit entries of changes.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The visits that a statement finds.
    async fn visits(
        &self,
        sql: &'static str,
        practice: &PracticeId,
        find: Find<'_>,
    ) -> Result<Vec<Appointment>, RecordsError> {
        let rows = self.opened::<AppointmentRow>("appointment", sql, practice, find);
        let rows = rows.await.map_err(|error| unavailable(&error))?;
        Ok(rows.into_iter().map(Appointment::from).collect())
    }

    /// Everything of one table that a statement with practice and a keyed hash finds.
    async fn opened<T: serde::de::DeserializeOwned>(
        &self,
        table: &'static str,
        sql: &'static str,
        practice: &PracticeId,
        find: Find<'_>,
    ) -> Result<Vec<T>, StoreError> {
        let mut tx = self.store.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let mut args = args![
            practice.as_str(),
            &match find {
                Find::Number(number) => key.lookup_number(number),
                Find::Patient(patient) | Find::Visits(patient, _) =>
                    key.lookup("patient", patient.as_str().as_bytes()),
            },
        ];
        if let Find::Visits(_, from) = find {
            args.push(from.into());
        }
        let mut found = Vec::new();
        for row in tx.rows(sql, args).await? {
            let id = hex::encode(row.blob("id_hash")?);
            let damage = Inconsistency::on(table).column("sealed").row(&id);
            let place = place(practice.as_str(), table, "sealed", &id);
            found.push(open_json(&key, &place, &row.blob("sealed")?, damage)?);
        }
        Ok(found)
    }

    async fn free(
        &self,
        practice: &PracticeId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<Slot>, StoreError> {
        let mut tx = self.store.read().await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = tx
            .rows(FREE, args![practice.as_str(), from, to, limit])
            .await?;
        let mut slots = Vec::new();
        for row in rows {
            let id = row.text("id")?;
            let damage = |column| Inconsistency::on("slot").column(column).row(&id);
            slots.push(Slot {
                start: instant(row.int("start_at")?, damage("start_at"))?,
                end: instant(row.int("end_at")?, damage("end_at"))?,
                provider: row.text("provider")?,
                location: row.text("location")?,
                kind: row.text("kind")?,
                id: SlotId::new(id.as_str()),
            });
        }
        Ok(slots)
    }

    async fn everybody_seen(&self, practice: &PracticeId) -> Result<Vec<Provider>, StoreError> {
        let mut tx = self.store.read().await?;
        let rows = tx.rows(PROVIDERS, args![practice.as_str()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Provider {
                    id: row.text("id")?,
                    name: row.text("name")?,
                    specialty: row.text("specialty")?,
                })
            })
            .collect()
    }
}

/// What rows are found by.
#[derive(Clone, Copy)]
enum Find<'a> {
    Number(&'a E164),
    Patient(&'a PatientId),
    Visits(&'a PatientId, Timestamp),
}

/// To the agent every failure of the store is the same; the operator sees which one it was.
pub(super) fn unavailable(error: &StoreError) -> RecordsError {
    tracing::warn!(error = %error, "the embedded record failed");
    RecordsError::Unavailable
}

impl Records for EmbeddedRecords {
    fn patients_by_phone<'a>(
        &'a self,
        practice: &'a PracticeId,
        number: &'a E164,
    ) -> BoxFuture<'a, Result<Vec<Patient>, RecordsError>> {
        Box::pin(async move {
            let find = Find::Number(number);
            let rows = self.opened::<PatientRow>("patient", PATIENTS_AT, practice, find);
            let rows = rows.await.map_err(|error| unavailable(&error))?;
            Ok(rows.into_iter().map(Patient::from).collect())
        })
    }

    fn patient<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
    ) -> BoxFuture<'a, Result<Option<Patient>, RecordsError>> {
        Box::pin(async move {
            let find = Find::Patient(patient);
            let rows = self.opened::<PatientRow>("patient", PATIENT, practice, find);
            let rows = rows.await.map_err(|error| unavailable(&error))?;
            Ok(rows.into_iter().map(Patient::from).next())
        })
    }

    fn appointments<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        Box::pin(self.visits(VISITS, practice, Find::Visits(patient, from)))
    }

    fn visits_of<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        Box::pin(self.visits(VISITS_OF, practice, Find::Visits(patient, from)))
    }

    fn visits_between<'a>(
        &'a self,
        practice: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>> {
        Box::pin(async move {
            self.all_visits(practice, from, to)
                .await
                .map_err(|error| unavailable(&error))
        })
    }

    fn slots<'a>(
        &'a self,
        practice: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Slot>, RecordsError>> {
        Box::pin(async move {
            self.free(practice, from, to, limit)
                .await
                .map_err(|error| unavailable(&error))
        })
    }

    fn set_status<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        status: AppointmentStatus,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        let change = Change::Status(status);
        Box::pin(self.change(practice, patient, appointment, change, key))
    }

    fn reschedule<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        slot: &'a SlotId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        let change = Change::Slot(slot.clone());
        Box::pin(self.change(practice, patient, appointment, change, key))
    }

    fn book<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        visit: &'a NewVisit,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>> {
        Box::pin(self.book_visit(practice, patient, visit, key))
    }

    fn file<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        request: &'a Request,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Filed, RecordsError>> {
        Box::pin(self.file_request(practice, patient, request, key))
    }

    fn filed<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        kind: RequestKind,
    ) -> BoxFuture<'a, Result<Vec<Filed>, RecordsError>> {
        Box::pin(async move {
            self.open_requests(practice, patient, kind)
                .await
                .map_err(|error| unavailable(&error))
        })
    }

    fn waitlist<'a>(
        &'a self,
        practice: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Place>, RecordsError>> {
        Box::pin(async move {
            let open = self.store.open_requests(practice).await;
            let open = open.map_err(|error| unavailable(&error))?;
            let waits = |it: &OpenRequest| it.filed.request.kind == RequestKind::Waitlist;
            let places = open.into_iter().filter(waits).map(|it| Place {
                patient: it.patient,
                filed: it.filed,
            });
            Ok(places.collect())
        })
    }

    fn withdraw<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        request: &'a RequestId,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        Box::pin(self.withdraw_request(practice, patient, request))
    }

    fn prefer_language<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        language: Language,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        Box::pin(self.set_language(practice, patient, language))
    }

    fn clinical<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
    ) -> BoxFuture<'a, Result<Vec<Clinical>, RecordsError>> {
        Box::pin(async move {
            let find = Find::Patient(patient);
            let rows = self.opened::<ClinicalRow>("clinical", CLINICAL, practice, find);
            let rows = rows.await.map_err(|error| unavailable(&error))?;
            Ok(rows.into_iter().map(Clinical::from).collect())
        })
    }

    fn providers<'a>(
        &'a self,
        practice: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Provider>, RecordsError>> {
        Box::pin(async move {
            self.everybody_seen(practice)
                .await
                .map_err(|error| unavailable(&error))
        })
    }
}
