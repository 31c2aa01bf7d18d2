//! Who has shown at a portal link who they are, and what they wrote there.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::Direction;
use crate::domain::conversation::PortalMessage;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::domain::phi::Phi;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Value;
use crate::store::link::args;
use crate::store::portal;
use crate::store::turns::NewTurn;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;

const BEGIN: &str = "INSERT INTO portal_session (token_hash, link_hash, practice, whole, began, seen) \
    VALUES ($1, $2, $3, $4, $5, $5)";
const FIND: &str = "SELECT * FROM portal_session WHERE token_hash = $1";
const SEE: &str = "UPDATE portal_session SET seen = $2 WHERE token_hash = $1";
const END: &str = "DELETE FROM portal_session WHERE token_hash = $1";
const END_OF_LINK: &str = "DELETE FROM portal_session WHERE link_hash = $1";
const CONVERSATION: &str = "SELECT conversation FROM portal_message WHERE token_hash = $1";
const OF_CONVERSATION: &str = "SELECT * FROM portal_message WHERE conversation = $1 \
    AND revoked IS NULL ORDER BY expires";
const LATELY: &str = "SELECT * FROM portal_message WHERE conversation = $1 AND expires > $2 \
    AND revoked IS NULL";
const LINKS: &str =
    "SELECT * FROM portal_message WHERE conversation = $1 ORDER BY expires DESC LIMIT $2";
/// A code more for a link, if it may have one.
const CODE: &str = "UPDATE portal_message SET code_hash = $2, code_until = $3, codes = codes + 1 \
    WHERE token_hash = $1 AND codes < $4";
/// A code opens once.
const USE_CODE: &str = "UPDATE portal_message SET code_hash = NULL, code_until = NULL \
    WHERE token_hash = $1 AND code_hash = $2 AND code_until > $3";
/// Whoever has shown who they are is no guesser: a link that is opened often never locks by it.
const RESTORE: &str = "UPDATE portal_message SET tries_left = $2, codes = 0 WHERE token_hash = $1";
const ADD_REPLY: &str =
    "INSERT INTO portal_reply (turn, conversation, practice, sealed) VALUES ($1, $2, $3, $4)";
const REPLIES: &str = "SELECT p.*, t.at FROM portal_reply p JOIN turn t ON t.id = p.turn \
    WHERE p.conversation = $1 ORDER BY p.turn DESC LIMIT $2";

/// A session of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalSession {
    /// The link that it belongs to, by the hash of its token.
    pub link: Vec<u8>,
    /// Whether the second factor was given too.
    pub whole: bool,
    /// When it began.
    pub began: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
}

/// A message and the hash of the token of its link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentLink {
    /// The hash.
    pub hash: [u8; 32],
    /// The message.
    pub message: PortalMessage,
}

/// What a patient wrote in the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecureReply {
    /// Which turn of the conversation it is.
    pub turn: TurnId,
    /// Who.
    pub patient: PatientId,
    /// What.
    pub body: Phi<String>,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    patient: PatientId,
    body: String,
}

impl Tx {
    /// Whether these words stand behind a link of the conversation that ends after this.
    pub async fn kept_behind(
        &mut self,
        conversation: ConversationId,
        body: &str,
        ends: Timestamp,
    ) -> Result<bool, StoreError> {
        for row in self.rows(LATELY, args![conversation.0, ends]).await? {
            if portal::message(self, &row).await?.body.as_str() == body {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Begins a session at a link.
    pub async fn begin_portal_session(
        &mut self,
        token: &[u8; 32],
        (link, practice): (&[u8; 32], &PracticeId),
        whole: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = args![token, link, practice.as_str(), whole, now];
        self.run(BEGIN, row).await.map(drop)
    }

    /// The conversation that a link was sent in.
    pub async fn portal_conversation(
        &mut self,
        link: &[u8; 32],
    ) -> Result<Option<ConversationId>, StoreError> {
        let row = self.row(CONVERSATION, args![link]).await?;
        row.map(|row| row.int("conversation").map(ConversationId))
            .transpose()
    }

    /// Ends every session at a link.
    pub async fn end_portal_sessions(&mut self, link: &[u8; 32]) -> Result<(), StoreError> {
        self.run(END_OF_LINK, args![link]).await.map(drop)
    }

    /// Keeps the code of a link until then; false when it had as many as it may have.
    pub async fn set_portal_code(
        &mut self,
        link: &[u8; 32],
        (practice, code): (&PracticeId, &str),
        until: Timestamp,
        most: i64,
    ) -> Result<bool, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup("portal_code", code.as_bytes());
        let set = self.run(CODE, args![link, &hash, until, most]).await?;
        Ok(set == 1)
    }

    /// Uses the code of a link, which opens once; false when it is another or too old.
    pub async fn use_portal_code(
        &mut self,
        link: &[u8; 32],
        (practice, code): (&PracticeId, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup("portal_code", code.as_bytes());
        Ok(self.run(USE_CODE, args![link, &hash, now]).await? == 1)
    }

    /// Gives a link its tries back.
    pub async fn restore_portal_tries(
        &mut self,
        link: &[u8; 32],
        tries: i64,
    ) -> Result<(), StoreError> {
        self.run(RESTORE, args![link, tries]).await.map(drop)
    }

    /// Keeps what a patient wrote in the portal as a turn of the conversation. Whoever calls saves the
    /// conversation with it.
    pub async fn append_secure(
        &mut self,
        conversation: &Conversation,
        (patient, body): (&PatientId, &str),
        intent: &str,
        now: Timestamp,
    ) -> Result<TurnId, StoreError> {
        let turn = NewTurn {
            direction: Direction::Inbound,
            body,
            intent,
            segments: None,
            carrier_id: None,
        };
        let turn = self.append_turn(conversation, &turn, now).await?;
        let practice = conversation.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let spelled = turn.0.to_string();
        let place = place(practice, "portal_reply", "sealed", &spelled);
        let content = Sealed {
            patient: patient.clone(),
            body: body.to_owned(),
        };
        let sealed = seal_json(&key, &place, &content)?;
        let row = args![turn.0, conversation.id.0, practice, sealed];
        self.run(ADD_REPLY, row).await?;
        Ok(turn)
    }
}

impl Store {
    /// The session of a cookie.
    pub async fn portal_session(
        &self,
        token: &[u8; 32],
    ) -> Result<Option<PortalSession>, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = tx.row(FIND, args![token]).await? else {
            return Ok(None);
        };
        let damage = |column| Inconsistency::on("portal_session").column(column);
        Ok(Some(PortalSession {
            link: row.blob("link_hash")?,
            whole: row.int("whole")? == 1,
            began: instant(row.int("began")?, damage("began"))?,
            seen: instant(row.int("seen")?, damage("seen"))?,
        }))
    }

    /// Takes note that a session is used.
    pub async fn see_portal_session(
        &self,
        token: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let token = *token;
        self.write(move |tx| {
            Box::pin(async move { tx.run(SEE, args![&token, now]).await.map(drop) })
        })
        .await
    }

    /// Ends a session.
    pub async fn end_portal_session(&self, token: &[u8; 32]) -> Result<(), StoreError> {
        let token = *token;
        self.write(move |tx| Box::pin(async move { tx.run(END, args![&token]).await.map(drop) }))
            .await
    }

    /// The conversation that a link was sent in.
    pub async fn portal_conversation(
        &self,
        link: &[u8; 32],
    ) -> Result<Option<ConversationId>, StoreError> {
        self.read().await?.portal_conversation(link).await
    }

    /// The messages behind the links of a conversation that have not expired, oldest first.
    pub async fn portal_messages(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<SentLink>, StoreError> {
        self.links(OF_CONVERSATION, args![conversation.0]).await
    }

    /// The newest links of a conversation, whatever became of them, newest first.
    pub async fn portal_links(
        &self,
        conversation: ConversationId,
        limit: u32,
    ) -> Result<Vec<SentLink>, StoreError> {
        self.links(LINKS, args![conversation.0, i64::from(limit)])
            .await
    }

    async fn links(
        &self,
        sql: &'static str,
        find: Vec<Value>,
    ) -> Result<Vec<SentLink>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx.rows(sql, find).await? {
            let damage = Inconsistency::on("portal_message").column("token_hash");
            let hash = row.blob("token_hash")?;
            let hash = <[u8; 32]>::try_from(hash).map_err(|_length| damage)?;
            let message = portal::message(&mut tx, &row).await?;
            all.push(SentLink { hash, message });
        }
        Ok(all)
    }

    /// The newest of what patients wrote in the portal in a conversation, newest first.
    pub async fn secure_replies(
        &self,
        conversation: ConversationId,
        limit: u32,
    ) -> Result<Vec<SecureReply>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx
            .rows(REPLIES, args![conversation.0, i64::from(limit)])
            .await?
        {
            let turn = row.int("turn")?;
            let practice = row.text("practice")?;
            let key = tx.key_for_row(&practice).await?;
            let spelled = turn.to_string();
            let damage = |column| Inconsistency::on("portal_reply").column(column).row(turn);
            let place = place(&practice, "portal_reply", "sealed", &spelled);
            let content: Sealed = open_json(&key, &place, &row.blob("sealed")?, damage("sealed"))?;
            all.push(SecureReply {
                turn: TurnId(turn),
                patient: content.patient,
                body: Phi::new(content.body),
                at: instant(row.int("at")?, damage("at"))?,
            });
        }
        Ok(all)
    }
}
