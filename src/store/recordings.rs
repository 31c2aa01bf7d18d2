//! Recordings: what the models of a turn were sent, sealed, beside the digests of what made it.

use jiff::Timestamp;

use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::domain::phi::Phi;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;

const KEEP: &str = "INSERT INTO recording \
    (turn, practice, conversation, outbox, at, prompt, policy, model, tools, sealed) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (turn) DO UPDATE SET \
    outbox = excluded.outbox, at = excluded.at, prompt = excluded.prompt, \
    policy = excluded.policy, model = excluded.model, tools = excluded.tools, \
    sealed = excluded.sealed";
const OF_TURN: &str = "SELECT r.* FROM recording r WHERE r.turn = $1 UNION ALL \
    SELECT r.* FROM outbox o JOIN recording r ON r.outbox = o.id WHERE o.turn = $1";
const EXISTS: &str = "SELECT conversation FROM turn WHERE id = $1";

/// What an answer was made by, as SHA-256 digests in hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// Every template.
    pub prompt: String,
    /// Every rule.
    pub policy: String,
    /// The name of the model, and its host where it is not this machine.
    pub model: String,
    /// Names, descriptions and parameters of the tools.
    pub tools: String,
}

/// What the models of one turn were sent.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The last text that was answered.
    pub turn: TurnId,
    /// Whose patient.
    pub practice: PracticeId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// When it was answered.
    pub at: Timestamp,
    /// What the answer was made by.
    pub digests: Digests,
    /// The questions, as JSON.
    pub sent: Phi<String>,
}

/// What is known of a turn's answer.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// There is no such turn.
    NoTurn,
    /// No model was asked, or it was before recordings were kept.
    NoModel,
    /// This was sent.
    Sent(Box<Recording>),
}

impl Tx {
    /// Keeps what was sent for a turn; what was kept of an earlier try gives way.
    pub async fn keep_recording(
        &mut self,
        conversation: &Conversation,
        (turn, outbox): (TurnId, Option<i64>),
        (digests, sent): (&Digests, &Phi<String>),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = conversation.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let spelled = turn.0.to_string();
        let place = place(practice, "recording", "sealed", &spelled);
        let sealed = key.seal(&place, sent.as_str().as_bytes())?;
        let row = args![
            turn.0,
            practice,
            conversation.id.0,
            outbox,
            now,
            digests.prompt.as_str(),
            digests.policy.as_str(),
            digests.model.as_str(),
            digests.tools.as_str(),
            sealed
        ];
        self.run(KEEP, row).await.map(drop)
    }
}

impl Store {
    /// What was sent for a turn: that of a patient's text, or of the answer to it.
    pub async fn recording(&self, turn: TurnId) -> Result<Recorded, StoreError> {
        let mut tx = self.read().await?;
        if tx.row(EXISTS, args![turn.0]).await?.is_none() {
            return Ok(Recorded::NoTurn);
        }
        let Some(row) = tx.row(OF_TURN, args![turn.0]).await? else {
            return Ok(Recorded::NoModel);
        };
        let of = row.int("turn")?;
        let damage = |column| Inconsistency::on("recording").column(column).row(of);
        let practice = row.text("practice")?;
        let key = tx.key_for_row(&practice).await?;
        let spelled = of.to_string();
        let place = place(&practice, "recording", "sealed", &spelled);
        let sealed = row.blob("sealed")?;
        Ok(Recorded::Sent(Box::new(Recording {
            turn: TurnId(of),
            conversation: ConversationId(row.int("conversation")?),
            at: instant(row.int("at")?, damage("at"))?,
            digests: Digests {
                prompt: row.text("prompt")?,
                policy: row.text("policy")?,
                model: row.text("model")?,
                tools: row.text("tools")?,
            },
            sent: open_text(&key, &place, &sealed, damage("sealed"))?.into(),
            practice: PracticeId::new(practice),
        })))
    }
}
