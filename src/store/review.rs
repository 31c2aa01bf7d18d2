//! Drafts that wait for staff, and the review reports behind the glass.

use jiff::Timestamp;

use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::HoldId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::phi::Phi;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;

const ADD_HOLD: &str = "INSERT INTO hold (id, practice, conversation, at, reason, draft, report) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7)";
const HOLDS: &str = "SELECT * FROM hold WHERE practice = $1 AND settled IS NULL ORDER BY id";
const HOLDS_OF: &str = "SELECT * FROM hold WHERE conversation = $1 AND settled IS NULL ORDER BY id";
const SETTLE: &str = "UPDATE hold SET settled = $3, settled_by = $4, settled_how = $5 \
                      WHERE id = $1 AND conversation = $2 AND settled IS NULL";
const REOPEN: &str = "UPDATE hold SET settled = NULL, settled_by = NULL, settled_how = NULL \
                      WHERE conversation = $1 AND ($2 = 0 OR id = $2) AND settled_by = $3 \
                      AND settled_how = $4 AND settled >= $5";
const ADD_GLASS: &str = "INSERT INTO glass (id, practice, conversation, at, sealed) \
                         VALUES ($1, $2, $3, $4, $5)";
const GLASS: &str = "SELECT * FROM glass WHERE conversation = $1 ORDER BY id DESC LIMIT $2";

/// A draft that waits for staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Row id.
    pub id: HoldId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Since when.
    pub at: Timestamp,
    /// Why, as a code without PHI.
    pub reason: String,
    /// What would have been sent.
    pub draft: Phi<String>,
    /// The review, as JSON.
    pub report: Phi<String>,
}

impl Tx {
    /// Holds a draft for staff. `reason` is a code and holds no PHI.
    pub async fn hold(
        &mut self,
        conversation: &Conversation,
        draft: &Phi<String>,
        report: &Phi<String>,
        reason: &str,
        now: Timestamp,
    ) -> Result<HoldId, StoreError> {
        let practice = conversation.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let id = self.serial("hold").await?;
        let spelled = id.to_string();
        let seal = |column, text: &Phi<String>| {
            key.seal(
                &place(practice, "hold", column, &spelled),
                text.as_str().as_bytes(),
            )
        };
        let row = args![
            id,
            practice,
            conversation.id.0,
            now,
            reason,
            seal("draft", draft)?,
            seal("report", report)?,
        ];
        self.run(ADD_HOLD, row).await?;
        Ok(HoldId(id))
    }

    /// Keeps a review report, as JSON, for the glass.
    pub async fn keep_glass(
        &mut self,
        conversation: &Conversation,
        report: &Phi<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = conversation.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let id = self.serial("glass").await?;
        let spelled = id.to_string();
        let place = place(practice, "glass", "sealed", &spelled);
        let sealed = key.seal(&place, report.as_str().as_bytes())?;
        let row = args![id, practice, conversation.id.0, now, sealed];
        self.run(ADD_GLASS, row).await.map(drop)
    }
}

impl Tx {
    /// Says what became of a hold of this conversation; false when somebody was first.
    pub async fn settle_hold(
        &mut self,
        conversation: ConversationId,
        id: HoldId,
        by: StaffId,
        how: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = args![id.0, conversation.0, now, by.0, how];
        Ok(self.run(SETTLE, row).await? == 1)
    }

    /// Opens what somebody settled in this way since then: one hold, or all of the conversation; how
    /// many.
    pub async fn reopen_holds(
        &mut self,
        conversation: ConversationId,
        hold: Option<HoldId>,
        (by, how): (StaffId, &str),
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let hold = hold.map_or(0, |it| it.0);
        let find = args![conversation.0, hold, by.0, how, since];
        self.run(REOPEN, find).await
    }

    /// The drafts of a conversation that wait for staff, oldest first.
    pub async fn holds_of(&mut self, id: ConversationId) -> Result<Vec<Hold>, StoreError> {
        let rows = self.rows(HOLDS_OF, args![id.0]).await?;
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let practice = first.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        rows.iter().map(|row| hold(row, &practice, &key)).collect()
    }
}

fn hold(row: &Row, practice: &str, key: &DataKey) -> Result<Hold, StoreError> {
    let id = row.int("id")?;
    let damage = |column| Inconsistency::on("hold").column(column).row(id);
    let spelled = id.to_string();
    let open = |column| {
        let place = place(practice, "hold", column, &spelled);
        open_text(key, &place, &row.blob(column)?, damage(column)).map(Phi::new)
    };
    Ok(Hold {
        id: HoldId(id),
        conversation: ConversationId(row.int("conversation")?),
        at: instant(row.int("at")?, damage("at"))?,
        reason: row.text("reason")?,
        draft: open("draft")?,
        report: open("report")?,
    })
}

impl Store {
    /// As [`Tx::holds_of`], of what is committed.
    pub async fn open_holds(&self, id: ConversationId) -> Result<Vec<Hold>, StoreError> {
        self.read().await?.holds_of(id).await
    }
}

impl Store {
    /// The drafts of a practice that wait for staff, oldest first.
    pub async fn holds(&self, practice: &PracticeId) -> Result<Vec<Hold>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let rows = tx.rows(HOLDS, args![practice.as_str()]).await?;
        let practice = practice.as_str();
        rows.iter().map(|row| hold(row, practice, &key)).collect()
    }

    /// The newest `limit` review reports of a conversation as JSON, oldest first.
    pub async fn glass(
        &self,
        conversation: ConversationId,
        limit: u32,
    ) -> Result<Vec<Phi<String>>, StoreError> {
        let mut tx = self.read().await?;
        let mut rows = tx
            .rows(GLASS, args![conversation.0, i64::from(limit)])
            .await?;
        rows.reverse();
        let mut reports = Vec::new();
        for row in rows {
            let id = row.int("id")?;
            let practice = row.text("practice")?;
            let key = tx.key_for_row(&practice).await?;
            let spelled = id.to_string();
            let place = place(&practice, "glass", "sealed", &spelled);
            let damage = Inconsistency::on("glass").column("sealed").row(id);
            reports.push(Phi::new(open_text(
                &key,
                &place,
                &row.blob("sealed")?,
                damage,
            )?));
        }
        Ok(reports)
    }
}
