//! Alarms for staff: raised with the text, repeated while nobody has them, taken by a named person.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::alarm::Alarm;
use crate::domain::alarm::AlarmKind;
use crate::domain::alarm::due_after;
use crate::domain::conversation::Conversation;
use crate::domain::ids::AlarmId;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::word;

const OPEN_ALREADY: &str =
    "SELECT id FROM alarm WHERE conversation = $1 AND kind = $2 AND due IS NOT NULL";
const RAISE: &str = "INSERT INTO alarm (id, practice, conversation, turn, kind, raised, due, \
    repeated, acknowledged_at, acknowledged_by) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, NULL, '')";
const DUE: &str = "SELECT * FROM alarm WHERE due <= $1 ORDER BY due LIMIT $2";
const REPEAT: &str =
    "UPDATE alarm SET repeated = repeated + 1, due = $3 WHERE id = $1 AND due = $2";
const OPEN: &str = "SELECT * FROM alarm WHERE due IS NOT NULL ORDER BY id";
const ONE: &str = "SELECT * FROM alarm WHERE id = $1";
const TAKE: &str = "UPDATE alarm SET due = NULL, acknowledged_at = $2, acknowledged_by = $3 \
    WHERE id = $1 AND due IS NOT NULL";

/// Where a command leaves word for the server that has the embedded database, in its data folder.
const LEFT_WORD: &str = "acknowledged";
/// Longest name of whoever acknowledges.
const NAME_CHARS_MAX: usize = 80;

/// What became of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// It stands; the clock has stopped.
    Now,
    /// Somebody had it already.
    Before,
    /// There is no alarm of this number.
    Unknown,
}

fn alarm(row: &Row) -> Result<Alarm, StoreError> {
    let id = row.int("id")?;
    let damage = |column| Inconsistency::on("alarm").column(column).row(id);
    let due = row.int_opt("due")?;
    let by = row.text("acknowledged_by")?;
    Ok(Alarm {
        id: AlarmId(id),
        practice: PracticeId::new(row.text("practice")?),
        conversation: ConversationId(row.int("conversation")?),
        turn: TurnId(row.int("turn")?),
        kind: word(&row.text("kind")?, damage("kind"))?,
        raised: instant(row.int("raised")?, damage("raised"))?,
        due: due.map(|due| instant(due, damage("due"))).transpose()?,
        repeated: u32::try_from(row.int("repeated")?).unwrap_or(u32::MAX),
        acknowledged_by: Some(by).filter(|by| !by.is_empty()),
    })
}

impl Tx {
    /// Raises an alarm; none when one of its kind is open in the conversation already.
    pub async fn raise_alarm(
        &mut self,
        conversation: &Conversation,
        turn: TurnId,
        kind: AlarmKind,
        now: Timestamp,
    ) -> Result<Option<AlarmId>, StoreError> {
        let (of, word) = (conversation.id.0, kind.as_str());
        if self.row(OPEN_ALREADY, args![of, word]).await?.is_some() {
            return Ok(None);
        }
        let id = self.serial("alarm").await?;
        let practice = conversation.practice.as_str();
        let row = args![id, practice, of, turn.0, word, now, due_after(now, 0)];
        self.run(RAISE, row).await?;
        Ok(Some(AlarmId(id)))
    }

    /// The alarms whose clock has run out, the longest first.
    pub async fn due_alarms(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Alarm>, StoreError> {
        let rows = self.rows(DUE, args![now, i64::from(limit)]).await?;
        rows.iter().map(alarm).collect()
    }

    /// Winds the clock of an alarm again; false when another replica has, or a person took it.
    pub async fn repeat_alarm(
        &mut self,
        alarm: &Alarm,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(due) = alarm.due else {
            return Ok(false);
        };
        let next = due_after(now, alarm.repeated.saturating_add(1));
        Ok(self.run(REPEAT, args![alarm.id.0, due, next]).await? == 1)
    }
}

impl Store {
    /// The alarms that nobody has, oldest first.
    pub async fn open_alarms(&self) -> Result<Vec<Alarm>, StoreError> {
        let mut tx = self.read().await?;
        tx.rows(OPEN, args![]).await?.iter().map(alarm).collect()
    }

    /// Says that a person has an alarm: its clock stops, and the audit log keeps who it was. `by`
    /// is a name of staff, cut to 80 characters.
    pub async fn acknowledge_alarm(
        &self,
        id: AlarmId,
        by: &str,
        now: Timestamp,
    ) -> Result<Acknowledged, StoreError> {
        let by: String = by.trim().chars().take(NAME_CHARS_MAX).collect();
        self.write(move |tx| {
            let by = by.clone();
            Box::pin(async move {
                let Some(row) = tx.row(ONE, args![id.0]).await? else {
                    return Ok(Acknowledged::Unknown);
                };
                let alarm = alarm(&row)?;
                if tx.run(TAKE, args![id.0, now, by.as_str()]).await? == 0 {
                    return Ok(Acknowledged::Before);
                }
                let waited = now.duration_since(alarm.raised).as_secs();
                tx.append_audit(&Entry::new(
                    &alarm.practice,
                    now,
                    &format!("staff/{by}"),
                    "alarm.acknowledged",
                    &format!("conversation/{}", alarm.conversation),
                    &serde_json::json!({
                        "alarm": id.0, "kind": alarm.kind.as_str(), "turn": alarm.turn.0,
                        "seconds": waited, "repeated": alarm.repeated,
                    }),
                ))
                .await?;
                Ok(Acknowledged::Now)
            })
        })
        .await
    }

    /// Leaves word of an acknowledgement in the data folder, for the server that has the embedded
    /// database locked; it finds it within a second.
    pub fn leave_word(data_dir: &std::path::Path, id: AlarmId, by: &str) -> Result<(), StoreError> {
        let folder = data_dir.join(LEFT_WORD);
        let file = folder.join(id.to_string());
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&file, by))
            .map_err(|cause| StoreError::Folder { path: file, cause })
    }

    /// Takes the acknowledgements that were left, those of no alarm too.
    pub async fn take_left_word(&self, now: Timestamp) -> Result<u64, StoreError> {
        let folder = self.inner.data_dir.join(LEFT_WORD);
        let mut taken = 0;
        for (id, by, path) in left_in(&folder) {
            if self.acknowledge_alarm(id, &by, now).await? == Acknowledged::Now {
                taken += 1;
            }
            std::fs::remove_file(&path).map_err(|cause| StoreError::Folder { path, cause })?;
        }
        Ok(taken)
    }
}

/// The files of the folder that are named by an alarm's number and hold a name.
fn left_in(folder: &std::path::Path) -> Vec<(AlarmId, String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let word = |path: PathBuf| {
        let id = path.file_name()?.to_str()?.parse().ok()?;
        let by = std::fs::read_to_string(&path).ok()?;
        Some((AlarmId(id), by, path))
    };
    let files = entries.filter_map(Result::ok).map(|entry| entry.path());
    files.filter_map(word).collect()
}
