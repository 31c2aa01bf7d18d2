//! Destroying: the words of a conversation, once the law wants them kept no longer. Its rows stay, so
//! that the audit log and the consent ledger still point somewhere; nothing that was said is left.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::place;

/// The conversations that rested longest, with the time of their last text.
const RESTED: &str = "SELECT c.id, c.last_turn, t.at FROM conversation c \
    JOIN turn t ON t.id = c.last_turn WHERE c.practice = $1 AND c.last_turn > 0 \
    AND (c.destroyed IS NULL OR c.destroyed < c.last_turn) ORDER BY c.last_turn LIMIT $2";
/// The same, whole, up to a last text.
const RESTED_WHOLE: &str = "SELECT c.*, (SELECT count(*) FROM opt_out o WHERE o.practice = c.practice \
    AND o.number_hash = c.number_hash) AS closed FROM conversation c WHERE c.practice = $1 \
    AND c.last_turn > 0 AND c.last_turn <= $2 \
    AND (c.destroyed IS NULL OR c.destroyed < c.last_turn) ORDER BY c.last_turn LIMIT $3";
const OPEN_WORK: &str = "SELECT (SELECT count(*) FROM reply_job j WHERE j.conversation = $1 \
    AND j.due IS NOT NULL) + (SELECT count(*) FROM outbox o WHERE o.conversation = $1 \
    AND o.due IS NOT NULL) AS n";
const LAST: &str = "SELECT last_turn FROM conversation WHERE id = $1";
const TURNS: &str = "SELECT id FROM turn WHERE conversation = $1 AND id <= $2 ORDER BY id";
const BLANK: &str = "UPDATE turn SET sealed = $2, carrier_ref = NULL WHERE id = $1";
const MARK: &str = "UPDATE conversation SET destroyed = $2 WHERE id = $1";
/// Everything else that holds words of the conversation, children before parents.
const GONE: &[&str] = &[
    "DELETE FROM glass WHERE conversation = $1",
    "DELETE FROM hold WHERE conversation = $1",
    "DELETE FROM mention WHERE conversation = $1",
    "DELETE FROM note WHERE conversation = $1",
    "DELETE FROM waiting WHERE conversation = $1",
    "DELETE FROM recording WHERE conversation = $1",
    "DELETE FROM media WHERE conversation = $1",
    "DELETE FROM attachment WHERE conversation = $1",
    "DELETE FROM portal_reply WHERE conversation = $1",
    "DELETE FROM portal_session WHERE link_hash IN \
     (SELECT p.token_hash FROM portal_message p WHERE p.conversation = $1)",
    "DELETE FROM portal_message WHERE conversation = $1",
    "DELETE FROM conversation_label WHERE conversation = $1",
    "UPDATE outbox SET carrier_ref = NULL WHERE conversation = $1",
];

/// A conversation that has rested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rested {
    /// The conversation.
    pub conversation: Conversation,
    /// Its last text.
    pub last_turn: i64,
    /// When that was.
    pub at: Timestamp,
}

impl Store {
    /// The conversations of a practice whose last text is oldest, and whose words are still kept, up to
    /// the first that somebody wrote in since `before`.
    pub async fn rested(
        &self,
        practice: &PracticeId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Rested>, StoreError> {
        let mut tx = self.read().await?;
        let limit = i64::from(limit);
        let rows = tx.rows(RESTED, args![practice.as_str(), limit]).await?;
        let (mut last, mut found) = (0, BTreeMap::new());
        for row in rows {
            let id = row.int("id")?;
            let damage = Inconsistency::on("turn").column("at").row(id);
            let at = instant(row.int("at")?, damage)?;
            if at >= before {
                break;
            }
            last = row.int("last_turn")?;
            found.insert(id, (last, at));
        }
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let find = args![practice.as_str(), last, limit];
        let mut all = Vec::with_capacity(found.len());
        for row in tx.rows(RESTED_WHOLE, find).await? {
            let Some(conversation) = tx.conversation_from(Some(row)).await? else {
                continue;
            };
            // One that came in between the two looks waits for the next.
            if let Some((last_turn, at)) = found.remove(&conversation.id.0) {
                all.push(Rested {
                    conversation,
                    last_turn,
                    at,
                });
            }
        }
        Ok(all)
    }

    /// Destroys the words of a conversation up to this text; false where somebody has written since, or
    /// something of it still waits to leave.
    pub async fn destroy_texts(
        &self,
        (practice, by): (&PracticeId, &str),
        conversation: ConversationId,
        upto: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let work = (practice.clone(), by.to_owned());
        self.write(move |tx| {
            let (practice, by) = work.clone();
            Box::pin(async move {
                let Some(own) = tx.lock_conversation(conversation).await? else {
                    return Ok(false);
                };
                let id = conversation.0;
                let last = tx.row(LAST, args![id]).await?;
                let last = last.map(|row| row.int("last_turn")).transpose()?;
                let waits = tx.row(OPEN_WORK, args![id]).await?;
                let waits = waits.map(|row| row.int("n")).transpose()?;
                if own.practice != practice || last != Some(upto) || waits != Some(0) {
                    return Ok(false);
                }
                let texts = tx.blank(&practice, id, upto).await?;
                for sql in GONE {
                    tx.run(*sql, args![id]).await?;
                }
                tx.run(MARK, args![id, upto]).await?;
                let detail = serde_json::json!({ "texts": texts, "upto": upto });
                let subject = format!("conversation/{id}");
                let action = "retention.destroyed";
                let entry = Entry::new(&practice, now, &by, action, &subject, &detail);
                tx.append_audit(&entry).await?;
                Ok(true)
            })
        })
        .await
    }
}

impl Tx {
    /// Seals nothing in place of the words of every text; how many there were.
    async fn blank(
        &mut self,
        practice: &PracticeId,
        conversation: i64,
        upto: i64,
    ) -> Result<usize, StoreError> {
        let key = self.key(practice).await?;
        let rows = self.rows(TURNS, args![conversation, upto]).await?;
        for row in &rows {
            let id = row.int("id")?;
            let spelled = id.to_string();
            let empty = key.seal(&place(practice.as_str(), "turn", "body", &spelled), b"")?;
            self.run(BLANK, args![id, empty]).await?;
        }
        Ok(rows.len())
    }
}
