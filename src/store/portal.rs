//! Messages behind portal links, found by the hash of their token only.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::conversation::PortalMessage;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::phi::Phi;
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
use crate::store::tx::word;
use crate::store::webchat;

const INSERT: &str = "INSERT INTO portal_message (token_hash, practice, conversation, language, \
    tries_left, expires, opened, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const FIND: &str = "SELECT * FROM portal_message WHERE token_hash = $1";
const SPEND: &str = "UPDATE portal_message SET tries_left = tries_left - 1 \
    WHERE token_hash = $1 AND tries_left > 0 RETURNING tries_left";
const OPEN: &str = "UPDATE portal_message SET opened = $2 \
    WHERE token_hash = $1 AND opened IS NULL";
/// Closed before its time; whoever reads is sent out.
const REVOKE: &str = "UPDATE portal_message SET revoked = $2, revoked_by = $3 \
    WHERE token_hash = $1 AND conversation = $4 AND revoked IS NULL AND expires > $2";
/// Sessions that nobody used for so long have ended long since.
const ENDED: &str = "DELETE FROM portal_session WHERE seen <= $1";
const SESSION_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// How long it is known what became of an e-mail, beside the audit log.
const LETTERS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 90);
/// Reports have no time of their own: their wait is counted from the first look.
const STAMP_REPORTS: &str = "UPDATE early_report SET at = $1 WHERE at = 0";
const STALE_REPORTS: &str = "DELETE FROM early_report WHERE at <= $1 AND at > 0";
/// How long a report waits for the text it is about.
const REPORT_WAIT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 7);

/// What is sealed of a message.
#[derive(Serialize, Deserialize)]
struct Sealed {
    patient: PatientId,
    body: String,
}

impl Tx {
    /// Keeps a message behind the link whose token has this hash.
    pub async fn create_portal_message(
        &mut self,
        token_hash: &[u8; 32],
        message: &PortalMessage,
        conversation: ConversationId,
    ) -> Result<(), StoreError> {
        let key = self.key(&message.practice).await?;
        let spelled = hex::encode(token_hash);
        let content = Sealed {
            patient: message.patient.clone(),
            body: message.body.as_str().to_owned(),
        };
        let place = place(
            message.practice.as_str(),
            "portal_message",
            "sealed",
            &spelled,
        );
        let row = args![
            token_hash,
            message.practice.as_str(),
            conversation.0,
            message.language.as_str(),
            message.tries_left,
            message.expires,
            message.opened,
            seal_json(&key, &place, &content)?,
        ];
        self.run(INSERT, row).await.map(drop)
    }

    /// Spends one try before an answer is compared, so that parallel guesses do not share one.
    /// Gives the tries that are left after this one; -1 when there was none to spend.
    pub async fn spend_portal_try(&mut self, token_hash: &[u8; 32]) -> Result<i64, StoreError> {
        match self.row(SPEND, args![token_hash]).await? {
            Some(row) => row.int("tries_left"),
            None => Ok(-1),
        }
    }

    /// Closes a link of a conversation before its time and ends every session at it; false when it was
    /// closed, or has ended.
    pub async fn revoke_portal_message(
        &mut self,
        token_hash: &[u8; 32],
        conversation: ConversationId,
        staff: StaffId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = args![token_hash, now, staff.0, conversation.0];
        if self.run(REVOKE, row).await? == 0 {
            return Ok(false);
        }
        self.end_portal_sessions(token_hash).await?;
        Ok(true)
    }

    /// Takes note that a message was read; only the first time counts. False when it was not.
    pub async fn open_portal_message(
        &mut self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.run(OPEN, args![token_hash, now]).await? == 1)
    }
}

impl Store {
    /// The message behind the link whose token has this hash.
    pub async fn portal_message(
        &self,
        token_hash: &[u8; 32],
    ) -> Result<Option<PortalMessage>, StoreError> {
        let mut tx = self.read().await?;
        match tx.row(FIND, args![token_hash]).await? {
            Some(row) => message(&mut tx, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Erases letters and sessions that are over, and reports that never met their text; how many rows.
    /// What was said behind a link that has ended is kept as long as the conversation is.
    pub async fn erase_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        let stale = now.saturating_sub(REPORT_WAIT).unwrap_or(Timestamp::MIN);
        let letters = now.saturating_sub(LETTERS_KEPT).unwrap_or(Timestamp::MIN);
        let over = now.saturating_sub(SESSION_KEPT).unwrap_or(Timestamp::MIN);
        self.write(move |tx| {
            Box::pin(async move {
                let dead = tx.forget_letters(letters).await?;
                tx.run(ENDED, args![over]).await?;
                tx.run(webchat::ENDED, args![over]).await?;
                tx.run(STAMP_REPORTS, args![now]).await?;
                Ok(dead + tx.run(STALE_REPORTS, args![stale]).await?)
            })
        })
        .await
    }
}

/// A message from its row.
pub(super) async fn message(tx: &mut Tx, row: &Row) -> Result<PortalMessage, StoreError> {
    let spelled = hex::encode(row.blob("token_hash")?);
    let damage = |column| Inconsistency::on("portal_message").column(column);
    let practice = row.text("practice")?;
    let key = tx.key_for_row(&practice).await?;
    let content: Sealed = open_json(
        &key,
        &place(&practice, "portal_message", "sealed", &spelled),
        &row.blob("sealed")?,
        damage("sealed"),
    )?;
    let opened = match row.int_opt("opened")? {
        Some(micros) => Some(instant(micros, damage("opened"))?),
        None => None,
    };
    let revoked = match row.int_opt("revoked")? {
        Some(micros) => Some(instant(micros, damage("revoked"))?),
        None => None,
    };
    Ok(PortalMessage {
        practice: PracticeId::new(practice),
        patient: content.patient,
        body: Phi::new(content.body),
        language: word(&row.text("language")?, damage("language"))?,
        tries_left: row.int("tries_left")?,
        expires: instant(row.int("expires")?, damage("expires"))?,
        opened,
        revoked,
    })
}
