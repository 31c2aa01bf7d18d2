//! What staff do with a conversation as a whole: who looks after it, which labels it bears, whether it
//! is out of the way, and whom a note names.

use jiff::Timestamp;

use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::policy::words::vocabulary;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;
use crate::store::tx::word;

vocabulary! {
    /// The colour of a label. It never stands alone: a label is always its name too.
    Color, "color" {
        /// Grey.
        Slate = "slate",
        /// Red.
        Red = "red",
        /// Amber.
        Amber = "amber",
        /// Green.
        Green = "green",
        /// Blue.
        Blue = "blue",
        /// Violet.
        Violet = "violet",
    }
}

/// One of a practice's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its colour.
    pub color: Color,
}

/// How a conversation stands with staff.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triage {
    /// Who looks after it.
    pub assigned: Option<StaffId>,
    /// Whether it is done: nothing of the patient came since.
    pub done: bool,
    /// Until when it is out of the way; none when it is not, or when the patient wrote since.
    pub snoozed: Option<Timestamp>,
}

const ASSIGN: &str = "UPDATE conversation SET assigned = $2 WHERE id = $1";
const DONE: &str = "UPDATE conversation SET done = last_in, snoozed_until = NULL, \
    snoozed_upto = NULL WHERE id = $1";
const UNDONE: &str = "UPDATE conversation SET done = NULL WHERE id = $1";
const SNOOZE: &str = "UPDATE conversation SET snoozed_until = $2, \
    snoozed_upto = CASE WHEN $2 IS NULL THEN NULL ELSE last_in END WHERE id = $1";
const WAKING: &str = "SELECT id, practice FROM conversation WHERE snoozed_until IS NOT NULL \
    AND snoozed_until <= $1 ORDER BY id LIMIT 100";
const WAKE: &str = "UPDATE conversation SET \
    seen = CASE WHEN snoozed_upto >= last_in AND seen >= last_in THEN last_in - 1 ELSE seen END, \
    snoozed_until = NULL, snoozed_upto = NULL WHERE id = $1 AND snoozed_until <= $2";
const LABELS: &str = "SELECT * FROM label WHERE practice = $1 ORDER BY id";
const ADD_LABEL: &str = "INSERT INTO label (id, practice, color, sealed) VALUES ($1, $2, $3, $4)";
const SET_LABEL: &str = "UPDATE label SET color = $3, sealed = $4 WHERE id = $1 AND practice = $2";
const UNUSE_LABEL: &str = "DELETE FROM conversation_label WHERE label = $1";
const DROP_LABEL: &str = "DELETE FROM label WHERE id = $1 AND practice = $2";
const PUT: &str = "INSERT INTO conversation_label (conversation, label) VALUES ($1, $2) \
    ON CONFLICT (conversation, label) DO NOTHING";
const TAKE_OFF: &str = "DELETE FROM conversation_label WHERE conversation = $1 AND label = $2";
const BORNE: &str = "SELECT label FROM conversation_label WHERE conversation = $1 ORDER BY label";
const MENTION: &str = "INSERT INTO mention (note, staff, practice, conversation, seen) \
    VALUES ($1, $2, $3, $4, 0) ON CONFLICT (note, staff) DO NOTHING";
const LOOKED: &str =
    "UPDATE mention SET seen = 1 WHERE staff = $1 AND conversation = $2 AND seen = 0";

impl Tx {
    /// Says who looks after a conversation.
    pub async fn assign(
        &mut self,
        id: ConversationId,
        staff: Option<StaffId>,
    ) -> Result<(), StoreError> {
        let staff = staff.map(|it| it.0);
        self.run(ASSIGN, args![id.0, staff]).await.map(drop)
    }

    /// Puts a conversation out of the way until the patient writes, or back.
    pub async fn set_done(&mut self, id: ConversationId, done: bool) -> Result<(), StoreError> {
        let sql = if done { DONE } else { UNDONE };
        self.run(sql, args![id.0]).await.map(drop)
    }

    /// Puts a conversation out of the way until then, or back.
    pub async fn snooze(
        &mut self,
        id: ConversationId,
        until: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.run(SNOOZE, args![id.0, until]).await.map(drop)
    }

    /// Brings a conversation back whose time has come; false when somebody was first.
    pub async fn wake(&mut self, id: ConversationId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.run(WAKE, args![id.0, now]).await? == 1)
    }

    /// Puts a label on a conversation, or takes it off.
    pub async fn put_label(
        &mut self,
        id: ConversationId,
        label: i64,
        on: bool,
    ) -> Result<bool, StoreError> {
        let sql = if on { PUT } else { TAKE_OFF };
        Ok(self.run(sql, args![id.0, label]).await? == 1)
    }

    /// The practice's labels.
    pub async fn labels(&mut self, practice: &PracticeId) -> Result<Vec<Label>, StoreError> {
        let mut all = Vec::new();
        for row in self.rows(LABELS, args![practice.as_str()]).await? {
            let id = row.int("id")?;
            let damage = |column| Inconsistency::on("label").column(column).row(id);
            let key = self.key_for_row(practice.as_str()).await?;
            let spelled = id.to_string();
            let place = place(practice.as_str(), "label", "sealed", &spelled);
            all.push(Label {
                id,
                name: open_text(&key, &place, &row.blob("sealed")?, damage("sealed"))?,
                color: word(&row.text("color")?, damage("color"))?,
            });
        }
        all.sort_by_key(|it| it.name.to_lowercase());
        Ok(all)
    }

    /// Keeps a label: a new one where `id` is none.
    pub async fn keep_label(
        &mut self,
        practice: &PracticeId,
        id: Option<i64>,
        (name, color): (&str, Color),
    ) -> Result<i64, StoreError> {
        let key = self.key(practice).await?;
        let fresh = id.is_none();
        let id = match id {
            Some(id) => id,
            // Numbered in the series of turns, as notes are.
            None => self.serial("turn").await?,
        };
        let spelled = id.to_string();
        let place = place(practice.as_str(), "label", "sealed", &spelled);
        let sealed = key.seal(&place, name.as_bytes())?;
        let (practice, color) = (practice.as_str(), color.as_str());
        let sql = if fresh { ADD_LABEL } else { SET_LABEL };
        self.run(sql, args![id, practice, color, sealed]).await?;
        Ok(id)
    }

    /// Takes a label away, from every conversation too.
    pub async fn drop_label(&mut self, practice: &PracticeId, id: i64) -> Result<(), StoreError> {
        self.run(UNUSE_LABEL, args![id]).await?;
        self.run(DROP_LABEL, args![id, practice.as_str()])
            .await
            .map(drop)
    }

    /// Keeps that a note names somebody.
    pub async fn mention(
        &mut self,
        practice: &PracticeId,
        (conversation, note): (ConversationId, i64),
        staff: StaffId,
    ) -> Result<(), StoreError> {
        let row = args![note, staff.0, practice.as_str(), conversation.0];
        self.run(MENTION, row).await.map(drop)
    }

    /// Somebody has looked at the notes that name them.
    pub async fn looked_at_mentions(
        &mut self,
        staff: StaffId,
        id: ConversationId,
    ) -> Result<(), StoreError> {
        self.run(LOOKED, args![staff.0, id.0]).await.map(drop)
    }

    pub(super) async fn labels_on(&mut self, id: ConversationId) -> Result<Vec<i64>, StoreError> {
        let rows = self.rows(BORNE, args![id.0]).await?;
        rows.iter().map(|row| row.int("label")).collect()
    }
}

impl Store {
    /// The practice's labels, by their names.
    pub async fn labels(&self, practice: &PracticeId) -> Result<Vec<Label>, StoreError> {
        self.read().await?.labels(practice).await
    }

    /// The conversations whose snooze is over.
    pub async fn waking(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(PracticeId, ConversationId)>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(WAKING, args![now]).await?;
        rows.iter()
            .map(|row| {
                let practice = PracticeId::new(row.text("practice")?);
                Ok((practice, ConversationId(row.int("id")?)))
            })
            .collect()
    }
}

/// How the conversation of a row stands.
pub(super) fn triage(row: &Row, id: i64) -> Result<Triage, StoreError> {
    let last_in = row.int("last_in")?;
    let upto = row.int_opt("snoozed_upto")?;
    let until = row.int_opt("snoozed_until")?;
    let damage = Inconsistency::on("conversation")
        .column("snoozed_until")
        .row(id);
    let snoozed = match (until, upto) {
        (Some(until), Some(upto)) if upto >= last_in => Some(instant(until, damage)?),
        _ => None,
    };
    Ok(Triage {
        assigned: row.int_opt("assigned")?.map(StaffId),
        done: row.int_opt("done")?.is_some_and(|done| done >= last_in),
        snoozed,
    })
}
