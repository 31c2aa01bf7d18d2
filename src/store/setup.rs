//! The answers of the set-up: kept as they are given, so that it can be left and gone on with.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::ids::PracticeId;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;

/// The row of the practice itself comes before one that was begun under another name for it.
const FIND: &str = "SELECT practice, sealed FROM setup_answer WHERE practice = $1 OR target = $1 \
    ORDER BY CASE WHEN practice = $1 THEN 0 ELSE 1 END, at DESC LIMIT 1";
const KEEP: &str = "INSERT INTO setup_answer (practice, target, at, sealed) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (practice) DO UPDATE SET target = excluded.target, at = excluded.at, \
    sealed = excluded.sealed";

impl Store {
    /// What was answered so far, by field; also what was begun at the sample practice for this one.
    pub async fn setup_answers(
        &self,
        practice: &PracticeId,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = tx.row(FIND, args![practice.as_str()]).await? else {
            return Ok(BTreeMap::new());
        };
        let owner = row.text("practice")?;
        let key = tx.key_for_row(&owner).await?;
        let damage = Inconsistency::on("setup_answer").column("sealed");
        let place = place(&owner, "setup_answer", "sealed", "");
        open_json(&key, &place, &row.blob("sealed")?, damage)
    }

    /// Keeps the answers, with who gave them in the audit log.
    pub async fn keep_setup_answers(
        &self,
        (practice, by): (&PracticeId, &str),
        (target, answers): (&str, &BTreeMap<String, String>),
        step: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let subject = "setup".to_owned();
        let detail = serde_json::json!({ "step": step });
        let entry = Entry::new(practice, now, by, "setup.answered", &subject, &detail);
        let work = (practice.clone(), target.to_owned(), answers.clone(), entry);
        self.write(move |tx| {
            let (practice, target, answers, entry) = work.clone();
            Box::pin(async move {
                let key = tx.key(&practice).await?;
                let place = place(practice.as_str(), "setup_answer", "sealed", "");
                let sealed = seal_json(&key, &place, &answers)?;
                let row = args![practice.as_str(), target.as_str(), now, sealed];
                tx.run(KEEP, row).await?;
                tx.append_audit(&entry).await
            })
        })
        .await
    }
}
