//! Who writes in the chat of a practice's web site, and which answers wait there.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::ConversationId;
use crate::domain::ids::OutboxId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::domain::phone::E164;
use crate::policy::words::Language;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;

const BEGIN: &str = "INSERT INTO chat_session (token_hash, practice, number_hash, code_hash, \
    code_until, coded, tries_left, whole, began, seen, said, said_since, ended, told, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0, $9, NULL, NULL, $10)";
const FIND: &str = "SELECT * FROM chat_session WHERE token_hash = $1";
const CODED: &str = "SELECT count(*) AS n FROM chat_session \
    WHERE practice = $1 AND number_hash = $2 AND began > $3 AND coded = 1";
const BEGUN: &str = "SELECT count(*) AS n FROM chat_session \
    WHERE practice = $1 AND began > $2 AND whole = 0";
/// Spent before the code is compared, so that two answers at once cannot both have the last try.
const SPEND: &str = "UPDATE chat_session SET tries_left = tries_left - 1 \
    WHERE token_hash = $1 AND practice = $2 AND whole = 0 AND ended IS NULL AND tries_left > 0 \
    RETURNING tries_left";
/// A code opens once.
const USE_CODE: &str = "UPDATE chat_session SET code_hash = NULL, code_until = NULL, ended = $3 \
    WHERE token_hash = $1 AND code_hash = $2 AND code_until > $3 AND ended IS NULL";
const END: &str =
    "UPDATE chat_session SET ended = $2 WHERE token_hash = $1 AND ended IS NULL AND whole = 1";
const SEE: &str = "UPDATE chat_session SET seen = $2 WHERE token_hash = $1 AND ended IS NULL";
const SAY: &str = "UPDATE chat_session SET seen = $2, \
    said = CASE WHEN said_since <= $3 THEN 1 ELSE said + 1 END, \
    said_since = CASE WHEN said_since <= $3 THEN $2 ELSE said_since END \
    WHERE token_hash = $1 AND ended IS NULL AND (said_since <= $3 OR said < $4)";
const UNREAD: &str = "SELECT id, turn FROM outbox WHERE conversation = $1 AND delivery = 'sent' \
    ORDER BY id";
/// Answers that no page has taken for a while, to whoever wrote in the chat since.
const UNTOLD: &str = "SELECT s.*, c.id AS conversation FROM chat_session s \
    JOIN conversation c ON c.practice = s.practice AND c.number_hash = s.number_hash \
    AND c.carrier = 'web' WHERE s.whole = 1 AND s.told IS NULL AND EXISTS (SELECT 1 FROM outbox o \
    WHERE o.conversation = c.id AND o.delivery = 'sent' AND o.at >= s.began AND o.at <= $1) \
    ORDER BY s.began LIMIT $2";
/// One text is enough, however often somebody came back.
const TELL: &str = "UPDATE chat_session SET told = $3 \
    WHERE practice = $1 AND number_hash = $2 AND whole = 1 AND told IS NULL";
/// A conversation in which nobody has written yet is out of the way of staff until somebody does.
const ASIDE: &str = "UPDATE conversation SET done = last_in WHERE id = $1 AND last_in = 0";
/// Sessions that nobody used for so long have ended long since.
pub(super) const ENDED: &str = "DELETE FROM chat_session WHERE seen <= $1";

/// A session of the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatSession {
    /// Whose chat.
    pub practice: PracticeId,
    /// The number that was given.
    pub number: E164,
    /// The language of the page.
    pub language: Language,
    /// Whether the code was given too.
    pub whole: bool,
    /// Wrong codes left.
    pub tries_left: i64,
    /// When it began.
    pub began: Timestamp,
    /// When something was last done in it.
    pub seen: Timestamp,
    /// Whether it was ended.
    pub ended: bool,
}

/// A chat in which an answer waits that no page has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The session.
    pub session: ChatSession,
    /// The conversation.
    pub conversation: ConversationId,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    number: E164,
    language: Language,
}

impl Tx {
    /// How many codes left for a number since then.
    pub async fn chat_codes(
        &mut self,
        (practice, number): (&PracticeId, &E164),
        since: Timestamp,
    ) -> Result<i64, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup_number(number);
        let row = self.row(CODED, args![practice.as_str(), &hash, since]);
        row.await?.map_or(Ok(0), |row| row.int("n"))
    }

    /// How many numbers were given to a practice since then.
    pub async fn chats_begun(
        &mut self,
        practice: &PracticeId,
        since: Timestamp,
    ) -> Result<i64, StoreError> {
        let row = self.row(BEGUN, args![practice.as_str(), since]).await?;
        row.map_or(Ok(0), |row| row.int("n"))
    }

    /// Begins a session; a whole one has no code.
    pub async fn begin_chat(
        &mut self,
        token: &[u8; 32],
        session: &ChatSession,
        code: Option<(&str, Timestamp)>,
    ) -> Result<(), StoreError> {
        let practice = session.practice.as_str();
        let key = self.key(&session.practice).await?;
        let spelled = hex::encode(token);
        let content = Sealed {
            number: session.number.clone(),
            language: session.language,
        };
        let place = place(practice, "chat_session", "sealed", &spelled);
        let sealed = seal_json(&key, &place, &content)?;
        let hash = code.map(|(code, _)| key.lookup("chat_code", code.as_bytes()).to_vec());
        let row = args![
            token,
            practice,
            &key.lookup_number(&session.number),
            hash,
            code.map(|(_, until)| until),
            code.is_some(),
            session.tries_left,
            session.whole,
            session.began,
            sealed,
        ];
        self.run(BEGIN, row).await.map(drop)
    }

    /// Spends a try; how many are left after it, -1 when there was none to spend.
    pub async fn spend_chat_try(
        &mut self,
        token: &[u8; 32],
        practice: &PracticeId,
    ) -> Result<i64, StoreError> {
        match self.row(SPEND, args![token, practice.as_str()]).await? {
            Some(row) => row.int("tries_left"),
            None => Ok(-1),
        }
    }

    /// Uses the code of a session, which ends by it; false when it is another or too old.
    pub async fn use_chat_code(
        &mut self,
        token: &[u8; 32],
        (practice, code): (&PracticeId, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup("chat_code", code.as_bytes());
        Ok(self.run(USE_CODE, args![token, &hash, now]).await? == 1)
    }

    /// Ends a session; false when it had ended.
    pub async fn end_chat(&mut self, token: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.run(END, args![token, now]).await? == 1)
    }

    /// Puts a conversation aside in which only codes were sent: it is no work for staff.
    pub async fn set_unheard_aside(
        &mut self,
        conversation: ConversationId,
    ) -> Result<(), StoreError> {
        self.run(ASIDE, args![conversation.0]).await.map(drop)
    }

    /// Takes note that whoever wrote in a chat was told by text of what waits there.
    pub async fn tell_chat(
        &mut self,
        practice: &PracticeId,
        number: &E164,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup_number(number);
        let told = self.run(TELL, args![practice.as_str(), &hash, now]).await?;
        Ok(told > 0)
    }

    async fn chat_of(&mut self, row: &Row) -> Result<ChatSession, StoreError> {
        let damage = |column| Inconsistency::on("chat_session").column(column);
        let practice = row.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        let spelled = hex::encode(row.blob("token_hash")?);
        let place = place(&practice, "chat_session", "sealed", &spelled);
        let content: Sealed = open_json(&key, &place, &row.blob("sealed")?, damage("sealed"))?;
        Ok(ChatSession {
            practice: PracticeId::new(practice),
            number: content.number,
            language: content.language,
            whole: row.int("whole")? == 1,
            tries_left: row.int("tries_left")?,
            began: instant(row.int("began")?, damage("began"))?,
            seen: instant(row.int("seen")?, damage("seen"))?,
            ended: row.int_opt("ended")?.is_some(),
        })
    }
}

impl Store {
    /// The session of a token.
    pub async fn chat_session(&self, token: &[u8; 32]) -> Result<Option<ChatSession>, StoreError> {
        let mut tx = self.read().await?;
        match tx.row(FIND, args![token]).await? {
            Some(row) => tx.chat_of(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Takes note that something was done in a session.
    pub async fn see_chat(&self, token: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        let token = *token;
        self.write(move |tx| {
            Box::pin(async move { tx.run(SEE, args![&token, now]).await.map(drop) })
        })
        .await
    }

    /// Takes note that something is said in a session; false when it was ended, or when `most` were
    /// said since `since`.
    pub async fn say_in_chat(
        &self,
        token: &[u8; 32],
        now: Timestamp,
        (since, most): (Timestamp, i64),
    ) -> Result<bool, StoreError> {
        let token = *token;
        let said = self.write(move |tx| {
            Box::pin(async move { tx.run(SAY, args![&token, now, since, most]).await })
        });
        Ok(said.await? == 1)
    }

    /// The texts of a conversation that no page has taken, oldest first.
    pub async fn chat_untaken(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<(OutboxId, TurnId)>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(UNREAD, args![conversation.0]).await?;
        let both = |row: &Row| Ok((OutboxId(row.int("id")?), TurnId(row.int("turn")?)));
        rows.iter().map(both).collect()
    }

    /// Chats in which an answer waits since before then, of which nobody was told.
    pub async fn chats_untold(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Unread>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx.rows(UNTOLD, args![before, i64::from(limit)]).await? {
            all.push(Unread {
                session: tx.chat_of(&row).await?,
                conversation: ConversationId(row.int("conversation")?),
            });
        }
        Ok(all)
    }
}
