//! Retention: what must not be destroyed while a dispute lasts.

use jiff::Timestamp;

use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::staff::Staff;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::record_writes::patient_hash;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;

const HOLDS: &str =
    "SELECT * FROM legal_hold WHERE practice = $1 AND patient_hash = $2 ORDER BY id";
const OPEN: &str = "SELECT * FROM legal_hold WHERE practice = $1 AND ended IS NULL ORDER BY id";
const STANDS: &str = "SELECT id FROM legal_hold WHERE practice = $1 AND patient_hash = $2 \
    AND ended IS NULL LIMIT 1";
const PLACE: &str = "INSERT INTO legal_hold (id, practice, patient_hash, at, staff, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const END: &str = "UPDATE legal_hold SET ended = $3, ended_by = $4 WHERE practice = $1 \
    AND patient_hash = $2 AND ended IS NULL";

/// A hold on everything that is kept of a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub patient: PatientId,
    /// Since when.
    pub at: Timestamp,
    /// Who placed it.
    pub staff: StaffId,
    /// For which dispute.
    pub why: String,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl Store {
    /// The holds of a patient, the ended ones too, oldest first.
    pub async fn legal_holds(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<Vec<LegalHold>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let find = args![practice.as_str(), &patient_hash(&key, patient)];
        let rows = tx.rows(HOLDS, find).await?;
        rows.iter()
            .map(|row| hold(row, practice.as_str(), &key))
            .collect()
    }

    /// The holds of a practice that stand, oldest first.
    pub async fn standing_holds(
        &self,
        practice: &PracticeId,
    ) -> Result<Vec<LegalHold>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let rows = tx.rows(OPEN, args![practice.as_str()]).await?;
        rows.iter()
            .map(|row| hold(row, practice.as_str(), &key))
            .collect()
    }

    /// Holds everything that is kept of a patient; one that is held already stays so.
    pub async fn place_legal_hold(
        &self,
        staff: &Staff,
        patient: &PatientId,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let work = (staff.clone(), patient.clone(), why.to_owned());
        self.write(move |tx| {
            let (staff, patient, why) = work.clone();
            Box::pin(async move {
                let practice = staff.practice.as_str();
                let key = tx.key(&staff.practice).await?;
                let whose = patient_hash(&key, &patient);
                if tx.row(STANDS, args![practice, &whose]).await?.is_some() {
                    return Ok(());
                }
                // Numbered in the series of turns, as notes are.
                let id = tx.serial("turn").await?;
                let spelled = id.to_string();
                let place = place(practice, "legal_hold", "sealed", &spelled);
                let sealed = seal_json(&key, &place, &(&patient, &why))?;
                let row = args![id, practice, &whose, now, staff.id.0, sealed];
                tx.run(PLACE, row).await?;
                let detail = serde_json::json!({ "number": id });
                tx.note_patient(&staff, &whose, "retention.held", &detail, now)
                    .await
            })
        })
        .await
    }

    /// Ends the hold of a patient; false where none stands.
    pub async fn end_legal_hold(
        &self,
        staff: &Staff,
        patient: &PatientId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let work = (staff.clone(), patient.clone());
        self.write(move |tx| {
            let (staff, patient) = work.clone();
            Box::pin(async move {
                let practice = staff.practice.as_str();
                let key = tx.key(&staff.practice).await?;
                let whose = patient_hash(&key, &patient);
                let row = args![practice, &whose, now, staff.id.0];
                if tx.run(END, row).await? == 0 {
                    return Ok(false);
                }
                let detail = serde_json::json!({});
                tx.note_patient(&staff, &whose, "retention.released", &detail, now)
                    .await?;
                Ok(true)
            })
        })
        .await
    }
}

fn hold(row: &Row, practice: &str, key: &DataKey) -> Result<LegalHold, StoreError> {
    let id = row.int("id")?;
    let damage = |column| Inconsistency::on("legal_hold").column(column).row(id);
    let spelled = id.to_string();
    let place = place(practice, "legal_hold", "sealed", &spelled);
    let (patient, why): (PatientId, String) =
        open_json(key, &place, &row.blob("sealed")?, damage("sealed"))?;
    let ended = match row.int_opt("ended")? {
        Some(micros) => Some(instant(micros, damage("ended"))?),
        None => None,
    };
    Ok(LegalHold {
        id,
        patient,
        at: instant(row.int("at")?, damage("at"))?,
        staff: StaffId(row.int("staff")?),
        why,
        ended,
    })
}
