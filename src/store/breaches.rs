//! Breach worksheets: each save is a version of its own, so that what was computed then stays.

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::staff::Staff;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;

const ADD: &str = "INSERT INTO breach (id, practice, worksheet, at, staff, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const NEWEST: &str = "SELECT * FROM breach b WHERE practice = $1 AND id = \
    (SELECT max(o.id) FROM breach o WHERE o.practice = $1 AND o.worksheet = b.worksheet) \
    ORDER BY id DESC LIMIT 100";
const KNOWN: &str = "SELECT id FROM breach WHERE practice = $1 AND worksheet = $2 LIMIT 1";

/// The newest version of a worksheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worksheet {
    /// Its number.
    pub id: i64,
    /// When it was saved.
    pub at: Timestamp,
    /// By whom.
    pub staff: StaffId,
    /// What it says, as JSON.
    pub json: String,
}

impl Store {
    /// The newest version of every worksheet, the one saved last first.
    pub async fn worksheets(&self, practice: &PracticeId) -> Result<Vec<Worksheet>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx.rows(NEWEST, args![practice.as_str()]).await? {
            let id = row.int("id")?;
            let damage = |column| Inconsistency::on("breach").column(column).row(id);
            let key = tx.key_for_row(practice.as_str()).await?;
            let spelled = id.to_string();
            let place = place(practice.as_str(), "breach", "sealed", &spelled);
            all.push(Worksheet {
                id: row.int("worksheet")?,
                at: instant(row.int("at")?, damage("at"))?,
                staff: StaffId(row.int("staff")?),
                json: open_text(&key, &place, &row.blob("sealed")?, damage("sealed"))?,
            });
        }
        Ok(all)
    }

    /// Saves a version of a worksheet, or of a new one; its number, or none where the practice has no
    /// such worksheet.
    pub async fn save_worksheet(
        &self,
        staff: &Staff,
        worksheet: Option<i64>,
        json: String,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let work = (staff.clone(), json);
        self.write(move |tx| {
            let (staff, json) = work.clone();
            Box::pin(async move {
                let practice = &staff.practice;
                if let Some(number) = worksheet
                    && tx
                        .row(KNOWN, args![practice.as_str(), number])
                        .await?
                        .is_none()
                {
                    return Ok(None);
                }
                // Numbered in the series of turns, as notes are.
                let id = tx.serial("turn").await?;
                let number = worksheet.unwrap_or(id);
                let key = tx.key(practice).await?;
                let spelled = id.to_string();
                let place = place(practice.as_str(), "breach", "sealed", &spelled);
                let sealed = key.seal(&place, json.as_bytes())?;
                let row = args![id, practice.as_str(), number, now, staff.id.0, sealed];
                tx.run(ADD, row).await?;
                let detail = serde_json::json!({ "version": id });
                let subject = format!("breach/{number}");
                let actor = staff.actor();
                let entry = Entry::new(practice, now, &actor, "breach.saved", &subject, &detail);
                tx.append_audit(&entry).await?;
                Ok(Some(number))
            })
        })
        .await
    }
}
