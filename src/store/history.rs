//! History: what was drafted and asked, newest first, to be judged again.

use jiff::Timestamp;

use crate::domain::ids::{ConversationId, PracticeId, TurnId};
use crate::domain::phi::Phi;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;

const REPORTS: &str = "SELECT * FROM glass WHERE practice = $1 AND at >= $2 AND id < $3 \
                       ORDER BY id DESC LIMIT $4";
const ASKED: &str = "SELECT id, conversation FROM turn WHERE practice = $1 \
    AND direction = 'inbound' AND intent IN ('question', 'other', 'confirm', 'cancel_appointment', \
    'reschedule', 'refill') ORDER BY id DESC LIMIT $2";

/// The review of one draft, as it was kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its number.
    pub id: i64,
    /// In which conversation.
    pub conversation: ConversationId,
    /// When.
    pub at: Timestamp,
    /// The report, as JSON.
    pub report: Phi<String>,
}

impl Store {
    /// The newest `limit` reviews of a practice since then and before the number `below`, newest
    /// first.
    pub async fn reports(
        &self,
        practice: &PracticeId,
        since: Timestamp,
        below: i64,
        limit: u32,
    ) -> Result<Vec<Kept>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let find = args![practice.as_str(), since, below, i64::from(limit)];
        let mut kept = Vec::new();
        for row in tx.rows(REPORTS, find).await? {
            let id = row.int("id")?;
            let damage = |column| Inconsistency::on("glass").column(column).row(id);
            let spelled = id.to_string();
            let place = place(practice.as_str(), "glass", "sealed", &spelled);
            let report = open_text(&key, &place, &row.blob("sealed")?, damage("sealed"))?;
            kept.push(Kept {
                id,
                conversation: ConversationId(row.int("conversation")?),
                at: instant(row.int("at")?, damage("at"))?,
                report: Phi::new(report),
            });
        }
        Ok(kept)
    }

    /// The newest `limit` texts of a practice's patients that the agent is for, newest first.
    pub async fn recently_asked(
        &self,
        practice: &PracticeId,
        limit: u32,
    ) -> Result<Vec<(TurnId, ConversationId)>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .rows(ASKED, args![practice.as_str(), i64::from(limit)])
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    TurnId(row.int("id")?),
                    ConversationId(row.int("conversation")?),
                ))
            })
            .collect()
    }
}
