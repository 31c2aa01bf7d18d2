//! Changes of the embedded record: a visit confirmed, cancelled or moved, each key once; the import.

use jiff::Timestamp;

use crate::agent::ports::RecordsError;
use crate::audit::Entry;
use crate::domain::ids::AppointmentId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::SlotId;
use crate::domain::record::Appointment;
use crate::domain::record::AppointmentStatus;
use crate::domain::record::Patient;
use crate::domain::record::RecordSet;
use crate::seal::DataKey;
use crate::store::StoreError;
use crate::store::Tx;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::error::Inconsistency;
use crate::store::link::args;
use crate::store::record_rows::AppointmentRow;
use crate::store::record_rows::ClinicalRow;
use crate::store::record_rows::PatientRow;
use crate::store::records::EmbeddedRecords;
use crate::store::records::unavailable;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;

const RECEIPT: &str = "SELECT sealed FROM write_receipt WHERE practice = $1 AND key_hash = $2";
const KEEP_RECEIPT: &str =
    "INSERT INTO write_receipt (practice, key_hash, sealed) VALUES ($1, $2, $3)";
const VISIT: Sql = locking!(
    "SELECT sealed FROM appointment WHERE practice = $1 AND id_hash = $2 AND patient_hash = $3"
);
const SET_VISIT: &str = "UPDATE appointment SET start_at = $3, status = $4, changed_here = 1, \
    sealed = $5 WHERE practice = $1 AND id_hash = $2";
const TAKE_SLOT: &str = "UPDATE slot SET taken = 1 WHERE practice = $1 AND id = $2 AND taken = 0 \
    RETURNING start_at, end_at, provider, location";
const SLOT_EXISTS: &str = "SELECT id FROM slot WHERE practice = $1 AND id = $2";
const FREE_SLOT: &str = "UPDATE slot SET taken = 0 WHERE practice = $1 AND id = $2";
const ADD_PATIENT: &str = "INSERT INTO patient (practice, id_hash, sealed) VALUES ($1, $2, $3) \
    ON CONFLICT (practice, id_hash) DO UPDATE SET sealed = excluded.sealed";
const OWN_PATIENT: &str = "SELECT sealed FROM patient WHERE practice = $1 AND id_hash = $2";
const DROP_PHONES: &str = "DELETE FROM patient_phone WHERE practice = $1 AND patient_hash = $2";
const ADD_PHONE: &str = "INSERT INTO patient_phone (practice, number_hash, patient_hash) \
    VALUES ($1, $2, $3) ON CONFLICT (practice, number_hash, patient_hash) DO NOTHING";
const ADD_PROVIDER: &str = "INSERT INTO provider (practice, id, name, specialty) \
    VALUES ($1, $2, $3, $4) ON CONFLICT (practice, id) \
    DO UPDATE SET name = excluded.name, specialty = excluded.specialty";
/// A visit that the patient has changed here keeps the change; what the desk alone can know, whether
/// the patient came, is taken all the same.
const ADD_VISIT: &str = "INSERT INTO appointment (practice, id_hash, patient_hash, start_at, \
    status, changed_here, sealed) VALUES ($1, $2, $3, $4, $5, 0, $6) \
    ON CONFLICT (practice, id_hash) DO UPDATE SET patient_hash = excluded.patient_hash, \
    start_at = excluded.start_at, status = excluded.status, sealed = excluded.sealed \
    WHERE appointment.changed_here = 0 OR (excluded.status IN ('fulfilled', 'noshow') \
    AND appointment.status IN ('booked', 'confirmed') \
    AND appointment.start_at = excluded.start_at)";
const ADD_OWN_VISIT: &str = "INSERT INTO appointment (practice, id_hash, patient_hash, start_at, \
    status, changed_here, sealed) VALUES ($1, $2, $3, $4, $5, 1, $6)";
/// A slot that was taken stays taken.
const ADD_SLOT: &str = "INSERT INTO slot (practice, id, start_at, end_at, provider, location, \
    taken, kind) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (practice, id) DO UPDATE SET \
    start_at = excluded.start_at, end_at = excluded.end_at, provider = excluded.provider, \
    location = excluded.location, kind = excluded.kind";
const ADD_CLINICAL: &str = "INSERT INTO clinical (practice, id_hash, patient_hash, sealed) \
    VALUES ($1, $2, $3, $4) ON CONFLICT (practice, id_hash) DO UPDATE SET \
    patient_hash = excluded.patient_hash, sealed = excluded.sealed";

/// How many rows an import read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// People.
    pub patients: usize,
    /// Whom they see.
    pub providers: usize,
    /// Visits.
    pub appointments: usize,
    /// Free times.
    pub slots: usize,
    /// Clinical entries.
    pub clinical: usize,
}

/// A change of one visit.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Status(AppointmentStatus),
    Slot(SlotId),
}

impl EmbeddedRecords {
    /// Loads a record. The same set again changes nothing; a visit that was confirmed, cancelled
    /// or moved here since keeps that change, a slot that was taken stays taken, and a language that
    /// the patient chose by text stays chosen.
    pub async fn import(
        &self,
        practice: &PracticeId,
        set: &RecordSet,
    ) -> Result<Counts, StoreError> {
        let counts = Counts {
            patients: set.patients.len(),
            providers: set.providers.len(),
            appointments: set.appointments.len(),
            slots: set.slots.len(),
            clinical: set.clinical.len(),
        };
        let detail = serde_json::json!({
            "patients": counts.patients,
            "providers": counts.providers,
            "appointments": counts.appointments,
            "slots": counts.slots,
            "clinical": counts.clinical,
        });
        let now = self.clock.now();
        let entry = Entry::new(
            practice,
            now,
            "operator",
            "record.imported",
            "record",
            &detail,
        );
        let (practice, shared) = (practice.clone(), std::sync::Arc::new((set.clone(), entry)));
        self.store
            .write(move |tx| {
                let (practice, shared) = (practice.clone(), std::sync::Arc::clone(&shared));
                Box::pin(async move {
                    let (set, entry) = &*shared;
                    tx.import(&practice, set).await?;
                    tx.append_audit(entry).await
                })
            })
            .await?;
        Ok(counts)
    }

    pub(super) async fn change(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        appointment: &AppointmentId,
        change: Change,
        key: &str,
    ) -> Result<Appointment, RecordsError> {
        let (practice, patient) = (practice.clone(), patient.clone());
        let (appointment, key) = (appointment.clone(), key.to_owned());
        let now = self.clock.now();
        self.store
            .write(move |tx| {
                let visit = Visit::new(&practice, &patient, &appointment);
                let (change, key) = (change.clone(), key.clone());
                Box::pin(async move { tx.change_once(&visit, &change, &key, now).await })
            })
            .await
            .map_err(|error| unavailable(&error))?
    }
}

/// Which visit of whom.
struct Visit {
    practice: PracticeId,
    patient: PatientId,
    id: AppointmentId,
}

impl Visit {
    fn new(practice: &PracticeId, patient: &PatientId, id: &AppointmentId) -> Self {
        Self {
            practice: practice.clone(),
            patient: patient.clone(),
            id: id.clone(),
        }
    }
}

impl Visit {
    /// The audit entry of a change; the visit's own id could name the patient, its keyed hash
    /// cannot.
    fn changed(&self, change: &Change, key: &DataKey, now: Timestamp) -> Entry {
        let change = match change {
            Change::Status(status) => status.as_str(),
            Change::Slot(_) => "moved",
        };
        let hash = hex::encode(visit_hash(key, &self.id).get(..8).unwrap_or_default());
        let subject = format!("appointment/{hash}");
        let detail = serde_json::json!({ "change": change });
        Entry::new(
            &self.practice,
            now,
            "agent",
            "record.changed",
            &subject,
            &detail,
        )
    }
}

pub(super) fn patient_hash(key: &DataKey, patient: &PatientId) -> [u8; 32] {
    key.lookup("patient", patient.as_str().as_bytes())
}

fn visit_hash(key: &DataKey, visit: &AppointmentId) -> [u8; 32] {
    key.lookup("appointment", visit.as_str().as_bytes())
}

impl Tx {
    /// Makes a change unless its key was used before; then gives what it gave then.
    async fn change_once(
        &mut self,
        visit: &Visit,
        change: &Change,
        used: &str,
        now: Timestamp,
    ) -> Result<Result<Appointment, RecordsError>, StoreError> {
        let Some(key) = self.known_key(&visit.practice).await? else {
            return Ok(Err(RecordsError::NotFound));
        };
        let used = key.lookup("receipt", used.as_bytes());
        if let Some(then) = self.receipt(&visit.practice, &key, &used).await? {
            let same = then.id == visit.id && then.patient == visit.patient;
            return Ok(if same {
                Ok(then)
            } else {
                Err(RecordsError::Conflict)
            });
        }
        let changed = match self.change_visit(visit, change, &key).await? {
            Ok(changed) => changed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.keep_receipt(&visit.practice, &key, &used, &changed)
            .await?;
        self.append_audit(&visit.changed(change, &key, now)).await?;
        Ok(Ok(changed))
    }

    /// What a key gave when it was used first.
    pub(super) async fn receipt(
        &mut self,
        practice: &PracticeId,
        key: &DataKey,
        used: &[u8; 32],
    ) -> Result<Option<Appointment>, StoreError> {
        let practice = practice.as_str();
        let Some(row) = self.row(RECEIPT, args![practice, used]).await? else {
            return Ok(None);
        };
        let spelled = hex::encode(used);
        let damage = Inconsistency::on("write_receipt")
            .column("sealed")
            .row(&spelled);
        let place = place(practice, "write_receipt", "sealed", &spelled);
        let then: AppointmentRow = open_json(key, &place, &row.blob("sealed")?, damage)?;
        Ok(Some(Appointment::from(then)))
    }

    /// Keeps what a key gave.
    pub(super) async fn keep_receipt(
        &mut self,
        practice: &PracticeId,
        key: &DataKey,
        used: &[u8; 32],
        gave: &Appointment,
    ) -> Result<(), StoreError> {
        let practice = practice.as_str();
        let spelled = hex::encode(used);
        let place = place(practice, "write_receipt", "sealed", &spelled);
        let sealed = seal_json(key, &place, &AppointmentRow::from(gave))?;
        self.run(KEEP_RECEIPT, args![practice, used, sealed])
            .await
            .map(drop)
    }

    /// A visit that was booked here.
    pub(super) async fn add_visit(
        &mut self,
        practice: &str,
        it: &Appointment,
        key: &DataKey,
    ) -> Result<(), StoreError> {
        let id = visit_hash(key, &it.id);
        let spelled = hex::encode(id);
        let place = place(practice, "appointment", "sealed", &spelled);
        let sealed = seal_json(key, &place, &AppointmentRow::from(it))?;
        let whose = patient_hash(key, &it.patient);
        let row = args![practice, &id, &whose, it.start, it.status.as_str(), sealed];
        self.run(ADD_OWN_VISIT, row).await.map(drop)
    }

    /// Changes a visit from a state that allows it. A refusal comes before anything is written.
    async fn change_visit(
        &mut self,
        visit: &Visit,
        change: &Change,
        key: &DataKey,
    ) -> Result<Result<Appointment, RecordsError>, StoreError> {
        use AppointmentStatus::{Booked, Cancelled, Confirmed, Fulfilled, Missed};
        let practice = visit.practice.as_str();
        let id = visit_hash(key, &visit.id);
        let find = args![practice, &id, &patient_hash(key, &visit.patient)];
        let Some(row) = self.row(VISIT, find).await? else {
            return Ok(Err(RecordsError::NotFound));
        };
        let spelled = hex::encode(id);
        let place = place(practice, "appointment", "sealed", &spelled);
        let damage = Inconsistency::on("appointment")
            .column("sealed")
            .row(&spelled);
        let before: AppointmentRow = open_json(key, &place, &row.blob("sealed")?, damage)?;
        let mut it = Appointment::from(before);
        match (change, it.status) {
            (Change::Status(Confirmed), Booked | Confirmed) => it.status = Confirmed,
            (Change::Status(Cancelled), Booked | Confirmed | Cancelled) => {
                it.status = Cancelled;
                if let Some(slot) = it.slot.take() {
                    self.run(FREE_SLOT, args![practice, slot.as_str()]).await?;
                }
            }
            (Change::Slot(slot), Booked | Confirmed) => {
                if let Err(refusal) = self.move_visit(practice, &mut it, slot).await? {
                    return Ok(Err(refusal));
                }
            }
            (Change::Status(Booked | Confirmed | Fulfilled | Missed), _)
            | (Change::Status(Cancelled), Fulfilled | Missed)
            | (Change::Slot(_), Cancelled | Fulfilled | Missed) => {
                return Ok(Err(RecordsError::Conflict));
            }
        }
        let sealed = seal_json(key, &place, &AppointmentRow::from(&it))?;
        let row = args![practice, &id, it.start, it.status.as_str(), sealed];
        self.run(SET_VISIT, row).await?;
        Ok(Ok(it))
    }

    pub(super) async fn move_visit(
        &mut self,
        practice: &str,
        it: &mut Appointment,
        slot: &SlotId,
    ) -> Result<Result<(), RecordsError>, StoreError> {
        let name = slot.as_str();
        let Some(row) = self.row(TAKE_SLOT, args![practice, name]).await? else {
            let exists = self
                .row(SLOT_EXISTS, args![practice, name])
                .await?
                .is_some();
            let refusal = if exists {
                RecordsError::Conflict
            } else {
                RecordsError::NotFound
            };
            return Ok(Err(refusal));
        };
        let damage = |column| Inconsistency::on("slot").column(column).row(name);
        if let Some(old) = it.slot.replace(slot.clone()) {
            self.run(FREE_SLOT, args![practice, old.as_str()]).await?;
        }
        it.start = instant(row.int("start_at")?, damage("start_at"))?;
        it.end = instant(row.int("end_at")?, damage("end_at"))?;
        it.provider = row.text("provider")?;
        it.location = row.text("location")?;
        it.status = AppointmentStatus::Booked;
        Ok(Ok(()))
    }

    async fn import(&mut self, practice: &PracticeId, set: &RecordSet) -> Result<(), StoreError> {
        let key = self.key(practice).await?;
        let name = practice.as_str();
        for it in &set.patients {
            self.import_patient(name, it, &key).await?;
        }
        for it in &set.providers {
            let row = args![
                name,
                it.id.as_str(),
                it.name.as_str(),
                it.specialty.as_str()
            ];
            self.run(ADD_PROVIDER, row).await?;
        }
        for it in &set.appointments {
            self.import_visit(name, it, &key).await?;
        }
        for it in &set.slots {
            let free = false;
            let row = args![
                name,
                it.id.as_str(),
                it.start,
                it.end,
                it.provider.as_str(),
                it.location.as_str(),
                free,
                it.kind.as_str(),
            ];
            self.run(ADD_SLOT, row).await?;
        }
        for (patient, it) in &set.clinical {
            let content = ClinicalRow::from(it);
            let id = key.lookup("clinical", content.identity(patient).as_bytes());
            let spelled = hex::encode(id);
            let sealed = seal_json(&key, &place(name, "clinical", "sealed", &spelled), &content)?;
            let row = args![name, &id, &patient_hash(&key, patient), sealed];
            self.run(ADD_CLINICAL, row).await?;
        }
        Ok(())
    }

    async fn import_patient(
        &mut self,
        practice: &str,
        it: &Patient,
        key: &DataKey,
    ) -> Result<(), StoreError> {
        let id = patient_hash(key, &it.id);
        let spelled = hex::encode(id);
        let place = place(practice, "patient", "sealed", &spelled);
        let mut content = PatientRow::from(it);
        if let Some(row) = self.row(OWN_PATIENT, args![practice, &id]).await? {
            let damage = Inconsistency::on("patient").column("sealed").row(&spelled);
            let before: PatientRow = open_json(key, &place, &row.blob("sealed")?, damage)?;
            content.keep_choices(&before);
        }
        let sealed = seal_json(key, &place, &content)?;
        self.run(ADD_PATIENT, args![practice, &id, sealed]).await?;
        self.index_names(practice, (&id, content.names()), key)
            .await?;
        self.run(DROP_PHONES, args![practice, &id]).await?;
        let acting = it.guardians.iter().map(|it| &it.phone);
        for phone in it.phones.iter().chain(acting) {
            let row = args![practice, &key.lookup_number(phone), &id];
            self.run(ADD_PHONE, row).await?;
        }
        Ok(())
    }

    async fn import_visit(
        &mut self,
        practice: &str,
        it: &Appointment,
        key: &DataKey,
    ) -> Result<(), StoreError> {
        let id = visit_hash(key, &it.id);
        let spelled = hex::encode(id);
        let place = place(practice, "appointment", "sealed", &spelled);
        let sealed = seal_json(key, &place, &AppointmentRow::from(it))?;
        let row = args![
            practice,
            &id,
            &patient_hash(key, &it.patient),
            it.start,
            it.status.as_str(),
            sealed,
        ];
        let imported = self.run(ADD_VISIT, row).await? == 1;
        let held = matches!(
            it.status,
            AppointmentStatus::Booked | AppointmentStatus::Confirmed
        );
        if let Some(slot) = it.slot.as_ref().filter(|_| imported && held) {
            let taken = true;
            let row = args![
                practice,
                slot.as_str(),
                it.start,
                it.end,
                it.provider.as_str(),
                it.location.as_str(),
                taken,
                "",
            ];
            self.run(ADD_SLOT, row).await?;
        }
        Ok(())
    }
}
