//! Disclosures that staff record by hand, for the accounting that a patient may ask for
//! (45 CFR 164.528); struck where they were recorded by mistake, never erased.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::rights::Disclosure;
use crate::domain::rights::DisclosureKind;
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
use crate::store::tx::open_text;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const ADD: &str = "INSERT INTO disclosure (id, practice, patient_hash, at, recorded, staff, kind, \
    sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const DISCLOSURES: &str = "SELECT * FROM disclosure WHERE practice = $1 AND patient_hash = $2 \
    AND at >= $3 ORDER BY at, id";
const STRIKE: &str = "UPDATE disclosure SET struck = $4, struck_by = $5, struck_why = $6 \
    WHERE practice = $1 AND patient_hash = $2 AND id = $3 AND struck IS NULL";

/// A disclosure as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub id: i64,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// By whom.
    pub staff: StaffId,
    /// Under which paragraph.
    pub kind: DisclosureKind,
    /// What the accounting says.
    pub disclosure: Disclosure,
    /// When, by whom and why it was struck as a mistake.
    pub struck: Option<(Timestamp, StaffId, String)>,
}

#[derive(Serialize, Deserialize)]
struct DisclosureRow {
    patient: PatientId,
    disclosure: Disclosure,
}

impl Store {
    /// Records that somebody was told of a patient; its number.
    pub async fn record_disclosure(
        &self,
        staff: &Staff,
        patient: &PatientId,
        (kind, disclosure): (DisclosureKind, &Disclosure),
        on: Timestamp,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let row = DisclosureRow {
            patient: patient.clone(),
            disclosure: disclosure.clone(),
        };
        let work = std::sync::Arc::new((staff.clone(), row));
        self.write(move |tx| {
            let work = std::sync::Arc::clone(&work);
            Box::pin(async move {
                let (staff, content) = &*work;
                let practice = &staff.practice;
                let key = tx.key(practice).await?;
                // Numbered in the series of turns, as notes are.
                let id = tx.serial("turn").await?;
                let spelled = id.to_string();
                let place = place(practice.as_str(), "disclosure", "sealed", &spelled);
                let sealed = seal_json(&key, &place, content)?;
                let whose = patient_hash(&key, &content.patient);
                let row = args![
                    id,
                    practice.as_str(),
                    &whose,
                    on,
                    now,
                    staff.id.0,
                    kind.as_str(),
                    sealed,
                ];
                tx.run(ADD, row).await?;
                let detail = serde_json::json!({ "kind": kind.as_str(), "number": id });
                tx.note_patient(staff, &whose, "disclosure.recorded", &detail, now)
                    .await?;
                Ok(id)
            })
        })
        .await
    }

    /// Strikes a disclosure that was recorded by mistake; false when there is none that stands.
    pub async fn strike_disclosure(
        &self,
        staff: &Staff,
        patient: &PatientId,
        (id, why): (i64, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let work = (staff.clone(), patient.clone(), why.to_owned());
        self.write(move |tx| {
            let (staff, patient, why) = work.clone();
            Box::pin(async move {
                let practice = &staff.practice;
                let key = tx.key(practice).await?;
                let whose = patient_hash(&key, &patient);
                let spelled = id.to_string();
                let place = place(practice.as_str(), "disclosure", "struck_why", &spelled);
                let why = key.seal(&place, why.as_bytes())?;
                let row = args![practice.as_str(), &whose, id, now, staff.id.0, why];
                if tx.run(STRIKE, row).await? == 0 {
                    return Ok(false);
                }
                let detail = serde_json::json!({ "number": id });
                tx.note_patient(&staff, &whose, "disclosure.struck", &detail, now)
                    .await?;
                Ok(true)
            })
        })
        .await
    }

    /// Who was told of a patient since then, oldest first; those that were struck too.
    pub async fn disclosures(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
        since: Timestamp,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let find = args![practice.as_str(), &patient_hash(&key, patient), since];
        let rows = tx.rows(DISCLOSURES, find).await?;
        rows.iter()
            .map(|row| recorded(row, practice.as_str(), &key))
            .collect()
    }
}

fn recorded(row: &Row, practice: &str, key: &DataKey) -> Result<Recorded, StoreError> {
    let id = row.int("id")?;
    let damage = |column| Inconsistency::on("disclosure").column(column).row(id);
    let spelled = id.to_string();
    let at = |column| place(practice, "disclosure", column, &spelled);
    let content: DisclosureRow =
        open_json(key, &at("sealed"), &row.blob("sealed")?, damage("sealed"))?;
    let struck = match (row.int_opt("struck")?, row.blob_opt("struck_why")?) {
        (Some(when), Some(why)) => Some((
            instant(when, damage("struck"))?,
            StaffId(row.int_opt("struck_by")?.unwrap_or(0)),
            open_text(key, &at("struck_why"), &why, damage("struck_why"))?,
        )),
        _ => None,
    };
    Ok(Recorded {
        id,
        recorded: instant(row.int("recorded")?, damage("recorded"))?,
        staff: StaffId(row.int("staff")?),
        kind: word(&row.text("kind")?, damage("kind"))?,
        disclosure: content.disclosure,
        struck,
    })
}
