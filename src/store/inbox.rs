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
use crate::store::triage::Triage;
use crate::store::triage::triage;
use crate::store::tx::Tx;
use crate::store::tx::word;

vocabulary! {
    /// A part of the inbox.
    Queue, "queue" {
        /// Everything that is neither done nor snoozed.
        All = "all",
        /// What somebody looks after, has taken over, or is named in by a note.
        Mine = "mine",
        /// What names somebody in a note.
        Mentions = "mentions",
        /// What waits for a person and is nobody's.
        Unassigned = "unassigned",
        /// What staff have not looked at.
        Unread = "unread",
        /// What waits for a decision of staff.
        Held = "held",
        /// Alarms that nobody has.
        Emergency = "emergency",
        /// What a person has taken over.
        Taken = "taken",
        /// What is out of the way until a time, or until the patient writes.
        Snoozed = "snoozed",
        /// What is out of the way until the patient writes.
        Done = "done",
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
    /// Who looks after it, and whether it is out of the way.
    pub triage: Triage,
    /// The labels on it, by number.
    pub labels: Vec<i64>,
    /// Whether a note names whoever asks, who has not looked since.
    pub named: bool,
}

/// What a page of the inbox is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Which part.
    pub queue: Queue,
    /// Who asks: "mine" is theirs.
    pub staff: StaffId,
    /// Only what bears this label.
    pub label: Option<i64>,
    /// Only what is older than this text.
    pub before: Option<i64>,
    /// How many at most.
    pub limit: u32,
}

impl Wanted {
    /// The beginning of a queue, for nobody in particular.
    pub const fn first(queue: Queue, limit: u32) -> Self {
        Self {
            queue,
            staff: StaffId(0),
            label: None,
            before: None,
            limit,
        }
    }
}

/// How many wait in each queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// See [`Queue::Mine`].
    pub mine: i64,
    /// Conversations with a note that names them and that they have not looked at.
    pub mentions: i64,
    /// See [`Queue::Unassigned`].
    pub unassigned: i64,
    /// See [`Queue::Snoozed`].
    pub snoozed: i64,
    /// See [`Queue::Unread`].
    pub unread: i64,
    /// See [`Queue::Held`].
    pub held: i64,
    /// See [`Queue::Emergency`].
    pub emergency: i64,
    /// See [`Queue::Taken`].
    pub taken: i64,
}

/// What is neither done nor snoozed, as the index of it says.
macro_rules! open {
    () => {
        "(c.done IS NULL OR c.done < c.last_in) \
         AND (c.snoozed_until IS NULL OR c.snoozed_upto < c.last_in)"
    };
}
/// What is the staff member's, whose number is a parameter.
macro_rules! mine {
    ($staff:literal) => {
        concat!(
            "c.id IN (SELECT id FROM conversation WHERE practice = $1 AND assigned = ",
            $staff,
            " UNION SELECT id FROM conversation WHERE practice = $1 AND human = 1 AND taken_by = ",
            $staff,
            " UNION SELECT conversation FROM mention WHERE seen = 0 AND staff = ",
            $staff,
            ")"
        )
    };
}
/// What waits for a person.
macro_rules! waits {
    () => {
        "c.id IN (SELECT id FROM conversation WHERE practice = $1 AND human = 1 \
         UNION SELECT h.conversation FROM hold h WHERE h.practice = $1 AND h.settled IS NULL)"
    };
}
/// The columns of a line; counted per line shown, never over the whole table.
macro_rules! lines {
    ($($where:expr),+) => {
        concat!(
            "SELECT c.*, (SELECT count(*) FROM opt_out o WHERE o.practice = c.practice \
             AND o.number_hash = c.number_hash) AS closed, \
             (SELECT count(*) FROM hold h WHERE h.conversation = c.id AND h.settled IS NULL) AS holds, \
             (SELECT min(a.kind) FROM alarm a WHERE a.conversation = c.id AND a.due IS NOT NULL) AS alarm, \
             (SELECT count(*) FROM mention m WHERE m.conversation = c.id AND m.staff = $4 AND m.seen = 0) AS named \
             FROM conversation c WHERE c.practice = $1 AND c.last_turn > 0 AND c.last_turn < $2 ",
            $($where,)+
            " ORDER BY c.last_turn DESC LIMIT $3"
        )
    };
}
pub(super) use lines;
/// A part of the inbox, all of it or what bears the label `$5`.
macro_rules! queue {
    ($($where:expr),+) => {
        lines!($($where,)+ " AND ($5 = 0 OR c.id IN \
            (SELECT l.conversation FROM conversation_label l WHERE l.label = $5))")
    };
}
const ALL: &str = queue!("AND ", open!());
const MINE: &str = queue!("AND ", mine!("$4"), " AND ", open!());
const MENTIONS: &str =
    queue!("AND c.id IN (SELECT conversation FROM mention WHERE staff = $4 AND practice = $1)");
const UNASSIGNED: &str = queue!("AND c.assigned IS NULL AND ", waits!(), " AND ", open!());
const UNREAD: &str = queue!("AND c.last_in > c.seen");
const HELD: &str = queue!(
    "AND c.id IN (SELECT h.conversation FROM hold h WHERE h.practice = $1 AND h.settled IS NULL)"
);
const EMERGENCY: &str = queue!(
    "AND c.id IN (SELECT a.conversation FROM alarm a WHERE a.practice = $1 AND a.due IS NOT NULL)"
);
const TAKEN: &str = queue!("AND c.human = 1");
const SNOOZED: &str = queue!("AND c.snoozed_until IS NOT NULL AND c.snoozed_upto >= c.last_in");
const DONE: &str = queue!("AND c.done >= c.last_in");
const ONE: &str = lines!("AND c.id = $5");
const WITH: &str = lines!("AND c.number_hash = $5");

const COUNTS: &str = concat!(
    "SELECT \
    (SELECT count(*) FROM conversation WHERE practice = $1 AND last_in > seen) AS unread, \
    (SELECT count(DISTINCT conversation) FROM hold WHERE practice = $1 AND settled IS NULL) AS held, \
    (SELECT count(DISTINCT conversation) FROM alarm WHERE practice = $1 AND due IS NOT NULL) AS emergency, \
    (SELECT count(*) FROM conversation WHERE practice = $1 AND human = 1) AS taken, \
    (SELECT count(*) FROM conversation WHERE practice = $1 AND snoozed_until IS NOT NULL \
      AND snoozed_upto >= last_in) AS snoozed, \
    (SELECT count(DISTINCT conversation) FROM mention WHERE staff = $2 AND seen = 0) AS mentions, \
    (SELECT count(*) FROM conversation c WHERE c.practice = $1 AND ",
    mine!("$2"),
    " AND ",
    open!(),
    ") AS mine, (SELECT count(*) FROM conversation c WHERE c.practice = $1 AND c.assigned IS NULL AND ",
    waits!(),
    " AND ",
    open!(),
    ") AS unassigned"
);
const SEE: &str = "UPDATE conversation SET seen = $2 WHERE id = $1 AND seen < $2";
const UNSEE: &str = "UPDATE conversation SET seen = 0 WHERE id = $1";
const TAKE: &str = "UPDATE conversation SET taken_by = $2 WHERE id = $1";

impl Store {
    /// A page of a queue, newest first.
    pub async fn inbox(
        &self,
        practice: &PracticeId,
        wanted: Wanted,
    ) -> Result<Vec<Line>, StoreError> {
        let sql = match wanted.queue {
            Queue::All => ALL,
            Queue::Mine => MINE,
            Queue::Mentions => MENTIONS,
            Queue::Unassigned => UNASSIGNED,
            Queue::Unread => UNREAD,
            Queue::Held => HELD,
            Queue::Emergency => EMERGENCY,
            Queue::Taken => TAKEN,
            Queue::Snoozed => SNOOZED,
            Queue::Done => DONE,
        };
        let before = wanted.before.unwrap_or(i64::MAX);
        let mut tx = self.read().await?;
        let find = args![
            practice.as_str(),
            before,
            i64::from(wanted.limit),
            wanted.staff.0,
            wanted.label.unwrap_or(0),
        ];
        let rows = tx.rows(sql, find).await?;
        tx.lines(rows).await
    }

    /// The conversations with one number, newest first, also those that are done or snoozed.
    pub async fn inbox_with(
        &self,
        practice: &PracticeId,
        number: &E164,
        (staff, limit): (StaffId, u32),
    ) -> Result<Vec<Line>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let hash = key.lookup_number(number);
        let find = args![
            practice.as_str(),
            i64::MAX,
            i64::from(limit),
            staff.0,
            &hash
        ];
        let rows = tx.rows(WITH, find).await?;
        tx.lines(rows).await
    }

    /// One conversation as a line.
    pub async fn inbox_line(
        &self,
        practice: &PracticeId,
        id: ConversationId,
        staff: StaffId,
    ) -> Result<Option<Line>, StoreError> {
        let mut tx = self.read().await?;
        let find = args![practice.as_str(), i64::MAX, 1_i64, staff.0, id.0];
        let rows = tx.rows(ONE, find).await?;
        Ok(tx.lines(rows).await?.into_iter().next())
    }

    /// How many wait in each queue of somebody.
    pub async fn inbox_counts(
        &self,
        practice: &PracticeId,
        staff: StaffId,
    ) -> Result<Counts, StoreError> {
        let mut tx = self.read().await?;
        let find = args![practice.as_str(), staff.0];
        let Some(row) = tx.row(COUNTS, find).await? else {
            return Ok(Counts::default());
        };
        Ok(Counts {
            mine: row.int("mine")?,
            mentions: row.int("mentions")?,
            unassigned: row.int("unassigned")?,
            snoozed: row.int("snoozed")?,
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

    pub(super) async fn lines(&mut self, rows: Vec<Row>) -> Result<Vec<Line>, StoreError> {
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.int("id")?;
            let (last_turn, last_in, seen) =
                (row.int("last_turn")?, row.int("last_in")?, row.int("seen")?);
            let (holds, taken_by) = (row.int("holds")?, row.int_opt("taken_by")?);
            let (triage, named) = (triage(&row, id)?, row.int("named")? > 0);
            let labels = self.labels_on(ConversationId(id)).await?;
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
                triage,
                labels,
                named,
            });
        }
        Ok(lines)
    }
}
