//! The inbox: conversations in the order of their last text, by queue and by page.

use crate::domain::alarm::AlarmKind;
use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::phone::E164;
use crate::policy::words::vocabulary;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::word;

vocabulary! {
    /// A part of the inbox.
    Queue, "queue" {
        /// Everything.
        All = "all",
        /// What staff have not looked at.
        Unread = "unread",
        /// What waits for a decision of staff.
        Held = "held",
        /// Alarms that nobody has.
        Emergency = "emergency",
        /// What a person has taken over.
        Taken = "taken",
    }
}

/// One line of the inbox, without the words.
#[derive(Clone, Debug)]
pub struct Line {
    /// The conversation.
    pub conversation: Conversation,
    /// Its last text; 0 when there is none. Pages continue below it.
    pub last_turn: i64,
    /// Whether staff have not seen its last text of the patient.
    pub unread: bool,
    /// Drafts and questions that wait for staff.
    pub holds: i64,
    /// The alarm that nobody has.
    pub alarm: Option<AlarmKind>,
    /// Who has taken it over.
    pub taken_by: Option<StaffId>,
}

/// How many wait in each queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// See [`Queue::Unread`].
    pub unread: i64,
    /// See [`Queue::Held`].
    pub held: i64,
    /// See [`Queue::Emergency`].
    pub emergency: i64,
    /// See [`Queue::Taken`].
    pub taken: i64,
}

/// The columns of a line; counted per line shown, never over the whole table.
macro_rules! lines {
    ($where:literal) => {
        concat!(
            "SELECT c.*, (SELECT count(*) FROM opt_out o WHERE o.practice = c.practice \
             AND o.number_hash = c.number_hash) AS closed, \
             (SELECT count(*) FROM hold h WHERE h.conversation = c.id AND h.settled IS NULL) AS holds, \
             (SELECT min(a.kind) FROM alarm a WHERE a.conversation = c.id AND a.due IS NOT NULL) AS alarm \
             FROM conversation c WHERE c.practice = $1 AND c.last_turn > 0 AND c.last_turn < $2 ",
            $where,
            " ORDER BY c.last_turn DESC LIMIT $3"
        )
    };
}
const ALL: &str = lines!("");
const UNREAD: &str = lines!("AND c.last_in > c.seen");
const HELD: &str = lines!(
    "AND c.id IN (SELECT h.conversation FROM hold h WHERE h.practice = $1 AND h.settled IS NULL)"
);
const EMERGENCY: &str = lines!(
    "AND c.id IN (SELECT a.conversation FROM alarm a WHERE a.practice = $1 AND a.due IS NOT NULL)"
);
const TAKEN: &str = lines!("AND c.human = 1");
const ONE: &str = lines!("AND c.id = $4");
const WITH: &str = lines!("AND c.number_hash = $4");

const COUNTS: &str = "SELECT \
    (SELECT count(*) FROM conversation WHERE practice = $1 AND last_in > seen) AS unread, \
    (SELECT count(DISTINCT conversation) FROM hold WHERE practice = $1 AND settled IS NULL) AS held, \
    (SELECT count(DISTINCT conversation) FROM alarm WHERE practice = $1 AND due IS NOT NULL) AS emergency, \
    (SELECT count(*) FROM conversation WHERE practice = $1 AND human = 1) AS taken";
const SEE: &str = "UPDATE conversation SET seen = $2 WHERE id = $1 AND seen < $2";
const UNSEE: &str = "UPDATE conversation SET seen = 0 WHERE id = $1";
const TAKE: &str = "UPDATE conversation SET taken_by = $2 WHERE id = $1";

impl Store {
    /// A page of a queue: at most `limit` conversations whose last text is older than `before`,
    /// newest first.
    pub async fn inbox(
        &self,
        practice: &PracticeId,
        queue: Queue,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError> {
        let sql = match queue {
            Queue::All => ALL,
            Queue::Unread => UNREAD,
            Queue::Held => HELD,
            Queue::Emergency => EMERGENCY,
            Queue::Taken => TAKEN,
        };
        let before = before.unwrap_or(i64::MAX);
        let mut tx = self.read().await?;
        let rows = tx
            .rows(sql, args![practice.as_str(), before, i64::from(limit)])
            .await?;
        tx.lines(rows).await
    }

    /// The conversations with one number, newest first.
    pub async fn inbox_with(
        &self,
        practice: &PracticeId,
        number: &E164,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let hash = key.lookup_number(number);
        let find = args![practice.as_str(), i64::MAX, i64::from(limit), &hash];
        let rows = tx.rows(WITH, find).await?;
        tx.lines(rows).await
    }

    /// One conversation as a line.
    pub async fn inbox_line(
        &self,
        practice: &PracticeId,
        id: ConversationId,
    ) -> Result<Option<Line>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .rows(ONE, args![practice.as_str(), i64::MAX, 1_i64, id.0])
            .await?;
        Ok(tx.lines(rows).await?.into_iter().next())
    }

    /// How many wait in each queue.
    pub async fn inbox_counts(&self, practice: &PracticeId) -> Result<Counts, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = tx.row(COUNTS, args![practice.as_str()]).await? else {
            return Ok(Counts::default());
        };
        Ok(Counts {
            unread: row.int("unread")?,
            held: row.int("held")?,
            emergency: row.int("emergency")?,
            taken: row.int("taken")?,
        })
    }

    /// The drafts of a conversation that wait for staff, oldest first.
    pub async fn holds_of(
        &self,
        id: ConversationId,
    ) -> Result<Vec<crate::store::Hold>, StoreError> {
        self.read().await?.holds_of(id).await
    }
}

impl Tx {
    /// Staff have seen a conversation up to this text.
    pub async fn see(&mut self, id: ConversationId, turn: i64) -> Result<(), StoreError> {
        self.run(SEE, args![id.0, turn]).await.map(drop)
    }

    /// A conversation counts as unread again.
    pub async fn unsee(&mut self, id: ConversationId) -> Result<(), StoreError> {
        self.run(UNSEE, args![id.0]).await.map(drop)
    }

    /// Notes who has taken a conversation over.
    pub async fn taken_by(
        &mut self,
        id: ConversationId,
        staff: Option<StaffId>,
    ) -> Result<(), StoreError> {
        let staff = staff.map(|it| it.0);
        self.run(TAKE, args![id.0, staff]).await.map(drop)
    }

    async fn lines(&mut self, rows: Vec<Row>) -> Result<Vec<Line>, StoreError> {
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.int("id")?;
            let (last_turn, last_in, seen) =
                (row.int("last_turn")?, row.int("last_in")?, row.int("seen")?);
            let (holds, taken_by) = (row.int("holds")?, row.int_opt("taken_by")?);
            let damage = Inconsistency::on("alarm").column("kind").row(id);
            let alarm = match row.text_opt("alarm")? {
                Some(kind) => Some(word(&kind, damage)?),
                None => None,
            };
            let Some(conversation) = self.conversation_from(Some(row)).await? else {
                continue;
            };
            lines.push(Line {
                conversation,
                last_turn,
                unread: last_in > seen,
                holds,
                alarm,
                taken_by: taken_by.map(StaffId),
            });
        }
        Ok(lines)
    }
}
