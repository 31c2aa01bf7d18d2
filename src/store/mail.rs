//! E-mail: where patients want to be told of secure messages, and the letters that wait or left.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::phi::Phi;
use crate::policy::words::Language;
use crate::policy::words::vocabulary;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::dialect::taking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::record_writes::patient_hash;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const CHOICE: &str = "SELECT * FROM mail_choice WHERE practice = $1 AND patient_hash = $2";
const CHOICE_LOCKED: Sql =
    locking!("SELECT * FROM mail_choice WHERE practice = $1 AND patient_hash = $2");
const SET_CHOICE: &str = "INSERT INTO mail_choice (practice, patient_hash, code_hash, code_until, tries, \
    codes, codes_since, bounced, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
    ON CONFLICT (practice, patient_hash) DO UPDATE SET code_hash = excluded.code_hash, \
    code_until = excluded.code_until, tries = excluded.tries, codes = excluded.codes, \
    codes_since = excluded.codes_since, bounced = excluded.bounced, sealed = excluded.sealed";
const FORGET: &str = "DELETE FROM mail_choice WHERE practice = $1 AND patient_hash = $2";
const BOUNCED: &str =
    "UPDATE mail_choice SET bounced = $3 WHERE practice = $1 AND patient_hash = $2";
const ADD: &str = "INSERT INTO mail_notice (id, practice, conversation, patient_hash, kind, at, due, \
    attempts, lease, leased_until, state, code, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6, $6, 0, 0, 0, 'waiting', '', $7)";
const LEASE: Sql = taking!(
    "UPDATE mail_notice SET lease = lease + 1, attempts = attempts + 1, leased_until = $2 \
     WHERE id = (SELECT m.id FROM mail_notice m WHERE m.due <= $1 AND m.leased_until <= $1 \
     ORDER BY m.due, m.id LIMIT 1",
    "m",
    ") RETURNING *"
);
const LATER: &str = "UPDATE mail_notice SET leased_until = 0, due = $3, code = $4 \
    WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
const DONE: &str = "UPDATE mail_notice SET leased_until = 0, due = NULL, sealed = NULL, state = $3, \
    code = $4 WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
const FIND: Sql = locking!("SELECT * FROM mail_notice WHERE id = $1");
const CAME_BACK: &str =
    "UPDATE mail_notice SET state = 'bounced', code = $2 WHERE id = $1 AND state = 'sent'";
const LAST: &str = "SELECT * FROM mail_notice WHERE conversation = $1 ORDER BY at DESC LIMIT $2";
const OLD: &str = "DELETE FROM mail_notice WHERE at <= $1 AND due IS NULL";

vocabulary! {
    /// What a letter is.
    LetterKind, "letter" {
        /// A secure message is there.
        Notice = "notice",
        /// The code that shows whose an address is.
        Confirm = "confirm",
        /// The code that a portal link asks for.
        Code = "code",
    }
}

/// What of a choice is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The address that was shown to be theirs.
    pub confirmed: Option<String>,
    /// The address that a code was sent to.
    pub wanted: Option<String>,
}

/// Where a patient wants to be told by e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailChoice {
    /// The addresses.
    pub addresses: Phi<Addresses>,
    /// The keyed hash of the code that was sent, while it counts.
    pub code: Option<(Vec<u8>, Timestamp)>,
    /// Wrong codes that may still be given.
    pub tries: i64,
    /// Codes that were sent, and since when they are counted.
    pub codes: (i64, Timestamp),
    /// Since when mail to the confirmed address comes back.
    pub bounced: Option<Timestamp>,
}

/// What of a letter is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterBody {
    /// To whom.
    pub to: String,
    /// For whom.
    pub patient: PatientId,
    /// In which language.
    pub language: Language,
    /// The link, or the code.
    pub word: String,
}

/// A letter that is due.
#[derive(Clone, Debug)]
pub struct LetterJob {
    /// Which one.
    pub id: [u8; 16],
    /// Whose.
    pub practice: PracticeId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// What it is.
    pub kind: LetterKind,
    /// To whom and what.
    pub body: Phi<LetterBody>,
    /// Tries so far, this one included.
    pub attempts: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Rises with each lease.
    pub lease: i64,
}

/// A letter as staff see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterState {
    /// What it is.
    pub kind: LetterKind,
    /// `waiting`, `sent`, `bounced`, `refused`, `failed` or `dropped`.
    pub state: String,
    /// The code that goes with it.
    pub code: String,
    /// When it was written.
    pub at: Timestamp,
}

impl Tx {
    /// Where a patient wants to be told by e-mail, locked.
    pub async fn mail_choice(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<Option<MailChoice>, StoreError> {
        self.choice_by(CHOICE_LOCKED, practice, patient).await
    }

    async fn choice_by(
        &mut self,
        sql: impl Into<Sql>,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<Option<MailChoice>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(None);
        };
        let whose = patient_hash(&key, patient);
        let row = self.row(sql, args![practice.as_str(), &whose]).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let damage = |column| Inconsistency::on("mail_choice").column(column);
        let spelled = hex::encode(whose);
        let place = place(practice.as_str(), "mail_choice", "sealed", &spelled);
        let addresses = open_json(&key, &place, &row.blob("sealed")?, damage("sealed"))?;
        let code = match (row.blob_opt("code_hash")?, row.int_opt("code_until")?) {
            (Some(hash), Some(until)) => Some((hash, instant(until, damage("code_until"))?)),
            _ => None,
        };
        let bounced = row.int_opt("bounced")?;
        Ok(Some(MailChoice {
            addresses: Phi::new(addresses),
            code,
            tries: row.int("tries")?,
            codes: (
                row.int("codes")?,
                instant(row.int("codes_since")?, damage("codes_since"))?,
            ),
            bounced: bounced
                .map(|it| instant(it, damage("bounced")))
                .transpose()?,
        }))
    }

    /// Keeps a choice.
    pub async fn set_mail_choice(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
        choice: &MailChoice,
    ) -> Result<(), StoreError> {
        let key = self.key(practice).await?;
        let whose = patient_hash(&key, patient);
        let spelled = hex::encode(whose);
        let place = place(practice.as_str(), "mail_choice", "sealed", &spelled);
        let sealed = seal_json(&key, &place, choice.addresses.expose())?;
        let (hash, until) = choice.code.clone().unzip();
        let row = args![
            practice.as_str(),
            &whose,
            hash,
            until,
            choice.tries,
            choice.codes.0,
            choice.codes.1,
            choice.bounced,
            sealed,
        ];
        self.run(SET_CHOICE, row).await.map(drop)
    }

    /// The keyed hash of a code.
    pub async fn mail_code(
        &mut self,
        practice: &PracticeId,
        code: &str,
    ) -> Result<[u8; 32], StoreError> {
        let key = self.key(practice).await?;
        Ok(key.lookup("mail_code", code.as_bytes()))
    }

    /// Forgets where a patient wanted to be told; false when there was nothing.
    pub async fn forget_mail_choice(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<bool, StoreError> {
        let key = self.key(practice).await?;
        let whose = patient_hash(&key, patient);
        Ok(self.run(FORGET, args![practice.as_str(), &whose]).await? == 1)
    }

    /// Mail to the patient's address comes back.
    pub async fn mail_comes_back(
        &mut self,
        practice: &PracticeId,
        patient: &PatientId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = self.key(practice).await?;
        let whose = patient_hash(&key, patient);
        let row = args![practice.as_str(), &whose, now];
        self.run(BOUNCED, row).await.map(drop)
    }

    /// Keeps a letter; it is due at once.
    pub async fn add_letter(
        &mut self,
        id: &[u8; 16],
        conversation: &Conversation,
        kind: LetterKind,
        body: &LetterBody,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = &conversation.practice;
        let key = self.key(practice).await?;
        let spelled = hex::encode(id);
        let place = place(practice.as_str(), "mail_notice", "sealed", &spelled);
        let row = args![
            id,
            practice.as_str(),
            conversation.id.0,
            &patient_hash(&key, &body.patient),
            kind.as_str(),
            now,
            seal_json(&key, &place, body)?,
        ];
        self.run(ADD, row).await.map(drop)
    }

    /// Tries a letter again later. False when the lease is lost.
    pub async fn letter_later(
        &mut self,
        job: &LetterJob,
        due: Timestamp,
        code: &str,
    ) -> Result<bool, StoreError> {
        let row = args![&job.id, job.lease, due, code];
        Ok(self.run(LATER, row).await? == 1)
    }

    /// Nothing is left to be done for a letter; its words are forgotten.
    pub async fn letter_done(
        &mut self,
        job: &LetterJob,
        state: &str,
        code: &str,
    ) -> Result<bool, StoreError> {
        let row = args![&job.id, job.lease, state, code];
        Ok(self.run(DONE, row).await? == 1)
    }

    /// A letter came back: whose it was. None when it is not known, or came back before.
    pub async fn letter_came_back(
        &mut self,
        id: &[u8; 16],
        status: &str,
        now: Timestamp,
    ) -> Result<Option<(PracticeId, ConversationId, LetterKind)>, StoreError> {
        let Some(row) = self.row(FIND, args![id]).await? else {
            return Ok(None);
        };
        if self.run(CAME_BACK, args![id, status]).await? == 0 {
            return Ok(None);
        }
        let practice = row.text("practice")?;
        let whose = row.blob("patient_hash")?;
        self.run(BOUNCED, args![practice.as_str(), whose, now])
            .await?;
        let damage = Inconsistency::on("mail_notice").column("kind");
        let kind = word(&row.text("kind")?, damage)?;
        let conversation = ConversationId(row.int("conversation")?);
        Ok(Some((PracticeId::new(practice), conversation, kind)))
    }

    async fn letter_job(&mut self, row: &Row) -> Result<LetterJob, StoreError> {
        let damage = |column| Inconsistency::on("mail_notice").column(column);
        let id = <[u8; 16]>::try_from(row.blob("id")?).map_err(|_length| damage("id"))?;
        let practice = row.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        let spelled = hex::encode(id);
        let place = place(&practice, "mail_notice", "sealed", &spelled);
        let sealed = row.blob_opt("sealed")?.unwrap_or_default();
        Ok(LetterJob {
            id,
            conversation: ConversationId(row.int("conversation")?),
            kind: word(&row.text("kind")?, damage("kind"))?,
            body: Phi::new(open_json(&key, &place, &sealed, damage("sealed"))?),
            attempts: row.int("attempts")?,
            at: instant(row.int("at")?, damage("at"))?,
            lease: row.int("lease")?,
            practice: PracticeId::new(practice),
        })
    }

    /// Forgets letters of long ago.
    pub(super) async fn forget_letters(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        self.run(OLD, args![before]).await
    }
}

impl Store {
    /// Where a patient wants to be told by e-mail.
    pub async fn mail_choice(
        &self,
        practice: &PracticeId,
        patient: &PatientId,
    ) -> Result<Option<MailChoice>, StoreError> {
        let mut tx = self.read().await?;
        tx.choice_by(CHOICE, practice, patient).await
    }

    /// Takes the next letter that is due, for nobody else until `until`.
    pub async fn lease_letter(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LetterJob>, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                match tx.row(LEASE, args![now, until]).await? {
                    Some(row) => tx.letter_job(&row).await.map(Some),
                    None => Ok(None),
                }
            })
        })
        .await
    }

    /// The last letters of a conversation, newest first.
    pub async fn letters(
        &self,
        conversation: ConversationId,
        limit: u32,
    ) -> Result<Vec<LetterState>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .rows(LAST, args![conversation.0, i64::from(limit)])
            .await?;
        let damage = |column| Inconsistency::on("mail_notice").column(column);
        rows.iter()
            .map(|row| {
                Ok(LetterState {
                    kind: word(&row.text("kind")?, damage("kind"))?,
                    state: row.text("state")?,
                    code: row.text("code")?,
                    at: instant(row.int("at")?, damage("at"))?,
                })
            })
            .collect()
    }
}
