//! The embedded record, what patients ask of staff: requests, the waitlist, a visit of their own
//! booking, their language.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::agent::ports::RecordsError;
use crate::audit::Entry;
use crate::domain::ids::AppointmentId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::RequestId;
use crate::domain::phi::Phi;
use crate::domain::record::Appointment;
use crate::domain::record::AppointmentStatus;
use crate::domain::record::Filed;
use crate::domain::record::NewVisit;
use crate::domain::record::Request;
use crate::domain::record::RequestKind;
use crate::domain::record::Suits;
use crate::policy::words::Language;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::error::Inconsistency;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::record_rows::AppointmentRow;
use crate::store::record_rows::PatientRow;
use crate::store::record_writes::patient_hash;
use crate::store::records::EmbeddedRecords;
use crate::store::records::unavailable;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

pub(super) const ADD: &str = "INSERT INTO request (practice, id, patient_hash, kind, at, due, open, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT (practice, id) DO NOTHING";
const ONE: &str = "SELECT * FROM request WHERE practice = $1 AND id = $2";
const OPEN: &str = "SELECT * FROM request WHERE practice = $1 AND patient_hash = $2 AND kind = $3 \
    AND open = 1 ORDER BY at, id";
const OPEN_ALL: &str = "SELECT * FROM request WHERE practice = $1 AND open = 1 ORDER BY at, id";
const CLOSE: &str = "UPDATE request SET open = 0 WHERE practice = $1 AND id = $2 \
    AND patient_hash = $3 AND open = 1";
const VISITS: &str = "SELECT id_hash, sealed FROM appointment WHERE practice = $1 \
    AND start_at >= $2 AND start_at < $3 AND status <> 'cancelled' \
    ORDER BY start_at, id_hash";
const PATIENT: Sql = locking!("SELECT sealed FROM patient WHERE practice = $1 AND id_hash = $2");
const SET_PATIENT: &str = "UPDATE patient SET sealed = $3 WHERE practice = $1 AND id_hash = $2";

/// A request inside its sealed column.
#[derive(Serialize, Deserialize)]
pub(super) struct RequestRow {
    pub(super) patient: PatientId,
    pub(super) words: String,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    #[serde(default)]
    pub(super) suits: Suits,
}

/// A request with whose it is, for staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// Whose.
    pub patient: PatientId,
    /// What is asked.
    pub filed: Filed,
}

impl Store {
    /// Everything that patients of a practice ask and nobody has answered, oldest first.
    pub async fn open_requests(
        &self,
        practice: &PracticeId,
    ) -> Result<Vec<OpenRequest>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let rows = tx.rows(OPEN_ALL, args![practice.as_str()]).await?;
        rows.iter()
            .map(|row| read(row, practice.as_str(), &key))
            .collect()
    }

    /// When the patient's open access case is due, if one is.
    pub async fn access_due(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(None);
        };
        let whose = patient_hash(&key, patient);
        let find = args![practice.as_str(), &whose, RequestKind::Records.as_str()];
        match tx.row(OPEN, find).await? {
            Some(row) => Ok(read(&row, practice.as_str(), &key)?.filed.request.due),
            None => Ok(None),
        }
    }
}

impl EmbeddedRecords {
    pub(super) async fn all_visits(
        &self,
        practice: &PracticeId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Appointment>, StoreError> {
        let mut tx = self.store.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let rows = tx.rows(VISITS, args![practice.as_str(), from, to]).await?;
        rows.iter()
            .map(|row| {
                let id = hex::encode(row.blob("id_hash")?);
                let damage = Inconsistency::on("appointment").column("sealed").row(&id);
                let place = place(practice.as_str(), "appointment", "sealed", &id);
                let visit: AppointmentRow = open_json(&key, &place, &row.blob("sealed")?, damage)?;
                Ok(Appointment::from(visit))
            })
            .collect()
    }

    pub(super) async fn book_visit(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        visit: &NewVisit,
        key: &str,
    ) -> Result<Appointment, RecordsError> {
        let wanted = (
            practice.clone(),
            patient.clone(),
            visit.clone(),
            key.to_owned(),
        );
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                let (practice, patient, visit, key) = wanted.clone();
                Box::pin(async move { tx.book_once(&practice, &patient, &visit, &key, now).await })
            })
            .await
            .map_err(|error| unavailable(&error))?
    }

    pub(super) async fn file_request(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        request: &Request,
        key: &str,
    ) -> Result<Filed, RecordsError> {
        let wanted = (
            practice.clone(),
            patient.clone(),
            request.clone(),
            key.to_owned(),
        );
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                let (practice, patient, request, key) = wanted.clone();
                Box::pin(
                    async move { tx.file_once(&practice, &patient, &request, &key, now).await },
                )
            })
            .await
            .map_err(|error| unavailable(&error))?
    }

    pub(super) async fn open_requests(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        kind: RequestKind,
    ) -> Result<Vec<Filed>, StoreError> {
        let mut tx = self.store.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let whose = patient_hash(&key, patient);
        let rows = tx
            .rows(OPEN, args![practice.as_str(), &whose, kind.as_str()])
            .await?;
        rows.iter()
            .map(|row| Ok(read(row, practice.as_str(), &key)?.filed))
            .collect()
    }

    pub(super) async fn withdraw_request(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        request: &RequestId,
    ) -> Result<(), RecordsError> {
        let wanted = (practice.clone(), patient.clone(), request.clone());
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                let (practice, patient, request) = wanted.clone();
                Box::pin(async move { tx.close_request(&practice, &patient, &request, now).await })
            })
            .await
            .map_err(|error| unavailable(&error))?
    }

    pub(super) async fn set_language(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        language: Language,
    ) -> Result<(), RecordsError> {
        let wanted = (practice.clone(), patient.clone());
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                let (practice, patient) = wanted.clone();
                Box::pin(async move { tx.set_language(&practice, &patient, language, now).await })
            })
            .await
            .map_err(|error| unavailable(&error))?
    }
}

/// An audit entry of the record; its subject is a hash that names nobody.
fn entry(
    practice: &PracticeId,
    now: Timestamp,
    what: (&str, &str),
    change: &serde_json::Value,
) -> Entry {
    let (table, id) = what;
    let short = id.get(..16).unwrap_or(id);
    Entry::new(
        practice,
        now,
        "agent",
        "record.changed",
        &format!("{table}/{short}"),
        change,
    )
}

pub(super) fn read(row: &Row, practice: &str, key: &DataKey) -> Result<OpenRequest, StoreError> {
    let id = row.text("id")?;
    let damage = |column| Inconsistency::on("request").column(column).row(&id);
    let place = place(practice, "request", "sealed", &id);
    let it: RequestRow = open_json(key, &place, &row.blob("sealed")?, damage("sealed"))?;
    let due = row.int_opt("due")?;
    let due = due
        .map(|micros| instant(micros, damage("due")))
        .transpose()?;
    Ok(OpenRequest {
        patient: it.patient,
        filed: Filed {
            id: RequestId::new(id.as_str()),
            request: Request {
                kind: word(&row.text("kind")?, damage("kind"))?,
                words: Phi::new(it.words),
                due,
                from: it.from,
                to: it.to,
                suits: it.suits,
            },
            at: instant(row.int("at")?, damage("at"))?,
        },
    })
}

impl Tx {
    /// Takes a free slot for a new visit; each key once.
    async fn book_once(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
        visit: &NewVisit,
        used: &str,
        now: Timestamp,
    ) -> Result<Result<Appointment, RecordsError>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(Err(RecordsError::NotFound));
        };
        let used = key.lookup("receipt", used.as_bytes());
        if let Some(then) = self.receipt(practice, &key, &used).await? {
            return Ok(if then.patient == *patient {
                Ok(then)
            } else {
                Err(RecordsError::Conflict)
            });
        }
        let mut booked = Appointment {
            // The key's hash: the same booking gets the same id, whatever happens to its answer.
            id: AppointmentId::new(format!(
                "here-{}",
                hex::encode(used.get(..12).unwrap_or(&used))
            )),
            patient: patient.clone(),
            start: now,
            end: now,
            provider: String::new(),
            location: String::new(),
            reason: visit.reason.clone(),
            preparation: Phi::default(),
            status: AppointmentStatus::Booked,
            slot: None,
        };
        if let Err(refusal) = self
            .move_visit(practice.as_str(), &mut booked, &visit.slot)
            .await?
        {
            return Ok(Err(refusal));
        }
        self.add_visit(practice.as_str(), &booked, &key).await?;
        self.keep_receipt(practice, &key, &used, &booked).await?;
        let change = serde_json::json!({ "change": "booked", "kind": visit.kind });
        let id = hex::encode(used);
        self.append_audit(&entry(practice, now, ("appointment", &id), &change))
            .await?;
        Ok(Ok(booked))
    }

    /// Opens an access case for a copy of the record (45 CFR 164.524), where none of the patient's is
    /// open, whatever system keeps the record: its day is watched here.
    pub(crate) async fn open_access_case(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
        request: &Request,
        used: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = self.key_for_row(practice.as_str()).await?;
        let whose = patient_hash(&key, patient);
        let find = args![practice.as_str(), &whose, request.kind.as_str()];
        if self.row(OPEN, find).await?.is_none() {
            // Another patient's by the same key is theirs, and there can be none.
            let _filed = self
                .file_once(practice, patient, request, used, now)
                .await?;
        }
        Ok(())
    }

    async fn file_once(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
        request: &Request,
        used: &str,
        now: Timestamp,
    ) -> Result<Result<Filed, RecordsError>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(Err(RecordsError::NotFound));
        };
        let id = hex::encode(key.lookup("request", used.as_bytes()));
        let content = RequestRow {
            patient: patient.clone(),
            words: request.words.as_str().to_owned(),
            from: request.from,
            to: request.to,
            suits: request.suits.clone(),
        };
        let name = practice.as_str();
        let sealed = seal_json(&key, &place(name, "request", "sealed", &id), &content)?;
        let row = args![
            name,
            id.as_str(),
            &patient_hash(&key, patient),
            request.kind.as_str(),
            now,
            request.due,
            sealed,
        ];
        if self.run(ADD, row).await? == 0 {
            let row = self.row(ONE, args![name, id.as_str()]).await?;
            let row = row.ok_or_else(|| Inconsistency::on("request").row(&id))?;
            let then = read(&row, name, &key)?;
            return Ok(if then.patient == *patient {
                Ok(then.filed)
            } else {
                Err(RecordsError::Conflict)
            });
        }
        let change = serde_json::json!({ "change": "filed", "kind": request.kind.as_str() });
        self.append_audit(&entry(practice, now, ("request", &id), &change))
            .await?;
        Ok(Ok(Filed {
            id: RequestId::new(id),
            request: request.clone(),
            at: now,
        }))
    }

    /// Closes an open request; one that is closed already, or another's, is not found.
    async fn close_request(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
        request: &RequestId,
        now: Timestamp,
    ) -> Result<Result<(), RecordsError>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(Err(RecordsError::NotFound));
        };
        let whose = patient_hash(&key, patient);
        let id = request.as_str();
        if self
            .run(CLOSE, args![practice.as_str(), id, &whose])
            .await?
            == 0
        {
            return Ok(Err(RecordsError::NotFound));
        }
        let change = serde_json::json!({ "change": "withdrawn" });
        self.append_audit(&entry(practice, now, ("request", id), &change))
            .await?;
        Ok(Ok(()))
    }

    async fn set_language(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
        language: Language,
        now: Timestamp,
    ) -> Result<Result<(), RecordsError>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(Err(RecordsError::NotFound));
        };
        let id = patient_hash(&key, patient);
        let name = practice.as_str();
        let Some(row) = self.row(PATIENT, args![name, &id]).await? else {
            return Ok(Err(RecordsError::NotFound));
        };
        let spelled = hex::encode(id);
        let damage = Inconsistency::on("patient").column("sealed").row(&spelled);
        let place = place(name, "patient", "sealed", &spelled);
        let mut content: PatientRow = open_json(&key, &place, &row.blob("sealed")?, damage)?;
        if content.choose(language) {
            let sealed = seal_json(&key, &place, &content)?;
            self.run(SET_PATIENT, args![name, &id, sealed]).await?;
            let change = serde_json::json!({ "change": "language", "to": language.as_str() });
            self.append_audit(&entry(practice, now, ("patient", &spelled), &change))
                .await?;
        }
        Ok(Ok(()))
    }
}
