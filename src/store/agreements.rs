//! Agreements on file: recorded by the practice's officer, ended, never erased.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::audit::Entry;
use crate::domain::agreement::Agreement;
use crate::domain::ids::PracticeId;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;

const ADD: &str = "INSERT INTO agreement (id, practice, at, counterparty, product, \
    document_sha256, signer, since, until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const OF: &str = "SELECT * FROM agreement WHERE practice = $1 ORDER BY id";
const END: &str = "UPDATE agreement SET until = $3 WHERE practice = $1 AND id = $2 \
                   AND (until IS NULL OR until > $3)";

/// An agreement with its number in the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub id: i64,
    /// The agreement.
    pub agreement: Agreement,
}

impl Store {
    /// Records an agreement, with its audit entry.
    pub async fn add_agreement(
        &self,
        practice: &PracticeId,
        agreement: &Agreement,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let work = (practice.clone(), agreement.clone());
        self.write(move |tx| {
            let (practice, it) = work.clone();
            Box::pin(async move {
                let id = tx.serial("agreement").await?;
                let row = args![
                    id,
                    practice.as_str(),
                    now,
                    it.counterparty.as_str(),
                    it.product.as_str(),
                    it.document_sha256.as_str(),
                    it.signer.as_str(),
                    it.from.to_string(),
                    it.until.map(|until| until.to_string()),
                ];
                tx.run(ADD, row).await?;
                let detail = serde_json::json!({
                    "counterparty": it.counterparty, "product": it.product,
                    "document_sha256": it.document_sha256, "signer": it.signer,
                    "from": it.from.to_string(), "until": it.until.map(|it| it.to_string()),
                });
                let subject = format!("agreement/{id}");
                let entry = Entry::new(
                    &practice,
                    now,
                    "operator",
                    "agreement.added",
                    &subject,
                    &detail,
                );
                tx.append_audit(&entry).await?;
                Ok(id)
            })
        })
        .await
    }

    /// Ends an agreement with its last day; false when there is none by that number that runs longer.
    pub async fn end_agreement(
        &self,
        practice: &PracticeId,
        id: i64,
        last: Date,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let practice = practice.clone();
        self.write(move |tx| {
            let practice = practice.clone();
            Box::pin(async move {
                let last = last.to_string();
                let ended = tx
                    .run(END, args![practice.as_str(), id, last.as_str()])
                    .await?;
                if ended == 0 {
                    return Ok(false);
                }
                let detail = serde_json::json!({ "until": last });
                let subject = format!("agreement/{id}");
                let entry = Entry::new(
                    &practice,
                    now,
                    "operator",
                    "agreement.ended",
                    &subject,
                    &detail,
                );
                tx.append_audit(&entry).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Every agreement of a practice, in the order in which they were recorded.
    pub async fn agreements(&self, practice: &PracticeId) -> Result<Vec<Recorded>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(OF, args![practice.as_str()]).await?;
        rows.iter().map(recorded).collect()
    }
}

fn recorded(row: &Row) -> Result<Recorded, StoreError> {
    let id = row.int("id")?;
    let day = |text: &str, column| {
        text.parse::<Date>()
            .map_err(|_malformed| Inconsistency::on("agreement").column(column).row(id))
    };
    let until = match row.text_opt("until")? {
        Some(until) => Some(day(&until, "until")?),
        None => None,
    };
    Ok(Recorded {
        id,
        agreement: Agreement {
            counterparty: row.text("counterparty")?,
            product: row.text("product")?,
            document_sha256: row.text("document_sha256")?,
            signer: row.text("signer")?,
            from: day(&row.text("since")?, "since")?,
            until,
        },
    })
}
