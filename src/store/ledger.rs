//! The consent ledger: every event that moved consent, with its evidence, sealed and never changed.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::consent::ConsentEvent;
use crate::domain::consent::ConsentProof;
use crate::domain::consent::ConsentState;
use crate::domain::consent::Evidence;
use crate::domain::consent::Notice;
use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PatientId;
use crate::domain::message::Delivery;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const ADD: &str = "INSERT INTO consent_event (id, practice, conversation, at, event, sealed) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
const LEDGER: &str = "SELECT * FROM consent_event WHERE conversation = $1 ORDER BY id";
const DUE: &str = "SELECT id FROM conversation WHERE consent_until <= $1 \
    OR (consent = 'granted' AND consent_until IS NULL) ORDER BY id LIMIT $2";

const DISCLOSED: &str = "SELECT id, practice, at, delivery, proof, state, policy FROM outbox \
    WHERE conversation = $1 AND phi = 1 ORDER BY id DESC LIMIT $2";

/// A text that left, or was to leave, with health details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosed {
    /// When it was cleared.
    pub at: Timestamp,
    /// Where it stands.
    pub delivery: Delivery,
    /// The digest of the proof that let it go.
    pub proof: Option<String>,
    /// By the law of which state it was cleared.
    pub state: Option<String>,
    /// Under which policy.
    pub policy: Option<String>,
}

/// Where the three purposes stood after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purposes {
    /// Being texted at all.
    pub contact: ConsentState,
    /// Health details by text.
    pub phi: ConsentState,
    /// Reminders and confirmations of visits.
    pub confirmations: ConsentState,
}

impl Purposes {
    fn of(it: &Conversation) -> Self {
        Self {
            contact: it.consent.contact.state,
            phi: it.consent.state,
            confirmations: it.consent.confirmations.state,
        }
    }
}

/// One row of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its name: `notice_sent`, `yes`, `stop`, ...
    pub event: String,
    /// How it is known.
    pub evidence: Evidence,
    /// Whose consent, when it was known who wrote.
    pub patient: Option<PatientId>,
    /// The notice that was open or sent.
    pub notice: Option<Notice>,
    /// The digest of the proof that stood afterwards.
    pub proof: Option<String>,
    /// Where the purposes stood afterwards.
    pub purposes: Purposes,
}

impl Tx {
    /// Keeps an event that moved the consent of this conversation, which is as it is after it.
    /// `notice` is what was asked: a YES closes the question that it answers.
    pub async fn record_consent(
        &mut self,
        after: &Conversation,
        event: &ConsentEvent,
        notice: Option<&Notice>,
        patient: Option<&PatientId>,
    ) -> Result<(), StoreError> {
        let practice = after.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let id = self.serial("consent_event").await?;
        let spelled = id.to_string();
        let entry = LedgerEntry {
            event: event.as_str().to_owned(),
            evidence: event.evidence.clone(),
            patient: patient.cloned(),
            notice: notice.cloned(),
            proof: after.consent.proof.as_ref().map(ConsentProof::digest),
            purposes: Purposes::of(after),
        };
        let place = place(practice, "consent_event", "sealed", &spelled);
        let sealed = seal_json(&key, &place, &entry)?;
        let row = args![id, practice, after.id.0, event.at(), event.as_str(), sealed];
        self.run(ADD, row).await.map(drop)
    }

    /// Conversations whose proof must be looked at: its term is over, the number was silent for
    /// long, or the row is older than this ledger.
    pub async fn consents_due(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let rows = self.rows(DUE, args![now, i64::from(limit)]).await?;
        rows.iter()
            .map(|row| row.int("id").map(ConversationId))
            .collect()
    }
}

impl Store {
    /// The newest texts of a conversation with health details, newest first.
    pub async fn disclosed(
        &self,
        conversation: ConversationId,
        limit: u32,
    ) -> Result<Vec<Disclosed>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        let look = args![conversation.0, i64::from(limit)];
        for row in tx.rows(DISCLOSED, look).await? {
            let id = row.int("id")?;
            let damage = |column| Inconsistency::on("outbox").column(column).row(id);
            let practice = row.text("practice")?;
            let proof = match row.blob_opt("proof")? {
                Some(sealed) => {
                    let key = tx.key_for_row(&practice).await?;
                    let spelled = id.to_string();
                    let place = place(&practice, "outbox", "proof", &spelled);
                    let proof: ConsentProof = open_json(&key, &place, &sealed, damage("proof"))?;
                    Some(proof.digest())
                }
                None => None,
            };
            all.push(Disclosed {
                at: instant(row.int("at")?, damage("at"))?,
                delivery: word(&row.text("delivery")?, damage("delivery"))?,
                proof,
                state: row.text_opt("state")?,
                policy: row.text_opt("policy")?,
            });
        }
        Ok(all)
    }

    /// Every event that moved the consent of a conversation, oldest first.
    pub async fn consent_ledger(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut tx = self.read().await?;
        let mut entries = Vec::new();
        for row in tx.rows(LEDGER, args![conversation.0]).await? {
            let id = row.int("id")?;
            let practice = row.text("practice")?;
            let key = tx.key_for_row(&practice).await?;
            let spelled = id.to_string();
            let place = place(&practice, "consent_event", "sealed", &spelled);
            let damage = Inconsistency::on("consent_event").column("sealed").row(id);
            entries.push(open_json(&key, &place, &row.blob("sealed")?, damage)?);
        }
        Ok(entries)
    }
}
