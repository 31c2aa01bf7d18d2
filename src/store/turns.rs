//! Turns: inbound texts admitted once, and what was said, oldest first.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::conversation::Conversation;
use crate::domain::conversation::Direction;
use crate::domain::conversation::Turn;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::domain::message::Inbound;
use crate::domain::phi::Phi;
use crate::domain::practice::CarrierKind;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_text;
use crate::store::tx::place;
use crate::store::tx::word;

const ADMIT: &str = "INSERT INTO admitted (practice, hash) VALUES ($1, $2) \
                     ON CONFLICT (practice, hash) DO NOTHING";
const ADMITTED: &str = "SELECT practice FROM admitted WHERE practice = $1 AND hash = $2";
const INSERT: &str = "INSERT INTO turn (id, practice, conversation, direction, intent, segments, \
                      at, sealed, carrier_ref) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const TOUCH: &str = "UPDATE conversation SET last_turn = $2 WHERE id = $1";
const ANSWERED: &str = "INSERT INTO answered (turn, conversation) SELECT t.id, t.conversation \
    FROM turn t WHERE t.id = $1 AND t.conversation = $2 AND t.direction = 'inbound' \
    ON CONFLICT (turn) DO NOTHING";
const ANSWERED_OLDER: &str = "INSERT INTO answered (turn, conversation) \
    SELECT t.id, t.conversation FROM turn t LEFT JOIN answered a ON a.turn = t.id \
    WHERE t.conversation = $1 AND t.id < $2 AND t.direction = 'inbound' AND a.turn IS NULL";
const NEWEST: &str = "SELECT t.*, a.turn AS answered, o.delivery, o.code FROM turn t \
    LEFT JOIN answered a ON a.turn = t.id LEFT JOIN outbox o ON o.turn = t.id \
    WHERE t.conversation = $1 ORDER BY t.id DESC LIMIT $2";

const BEFORE_CONSENT: &str = "SELECT t.id FROM turn t \
    JOIN conversation c ON c.id = t.conversation LEFT JOIN answered a ON a.turn = t.id \
    WHERE c.practice = $1 AND c.consent = 'notice_sent' AND t.direction = 'inbound' \
    AND a.turn IS NULL";

/// A text about to be kept.
pub(super) struct NewTurn<'a> {
    pub(super) direction: Direction,
    pub(super) body: &'a str,
    pub(super) intent: &'a str,
    pub(super) segments: Option<i64>,
    pub(super) carrier_id: Option<&'a str>,
}

impl Tx {
    /// Takes note of a carrier's id; false when it was seen before, so that a repeated delivery
    /// has no second outcome. Of two at the same instant, one is told true.
    pub async fn admit(
        &mut self,
        practice: &PracticeId,
        carrier: CarrierKind,
        carrier_id: &str,
    ) -> Result<bool, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup(carrier.as_str(), carrier_id.as_bytes());
        // Half of the hash: the index stays narrow, and 128 bits do not collide by chance.
        let (narrow, _) = hash.split_at(16);
        let added = self.run(ADMIT, args![practice.as_str(), narrow]).await?;
        Ok(added == 1)
    }

    /// Keeps a text from the patient, and takes note of its files. Whoever calls saves the conversation
    /// with it ([`Tx::save_heard`]).
    pub async fn append_inbound(
        &mut self,
        conversation: &Conversation,
        inbound: &Inbound,
        intent: &str,
        now: Timestamp,
    ) -> Result<TurnId, StoreError> {
        let turn = NewTurn {
            direction: Direction::Inbound,
            body: inbound.body.as_str(),
            intent,
            segments: None,
            carrier_id: Some(&inbound.carrier_id),
        };
        let turn = self.append_turn(conversation, &turn, now).await?;
        self.add_media(conversation, turn, &inbound.media, now)
            .await?;
        Ok(turn)
    }

    pub(super) async fn append_turn(
        &mut self,
        conversation: &Conversation,
        turn: &NewTurn<'_>,
        now: Timestamp,
    ) -> Result<TurnId, StoreError> {
        let practice = conversation.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let id = self.serial("turn").await?;
        let spelled = id.to_string();
        let body = key.seal(
            &place(practice, "turn", "body", &spelled),
            turn.body.as_bytes(),
        )?;
        let carrier_ref = match turn.carrier_id {
            Some(text) => {
                let place = place(practice, "turn", "carrier_ref", &spelled);
                Some(key.seal(&place, text.as_bytes())?)
            }
            None => None,
        };
        let row = args![
            id,
            practice,
            conversation.id.0,
            turn.direction.as_str(),
            turn.intent,
            turn.segments,
            now,
            body,
            carrier_ref,
        ];
        self.run(INSERT, row).await?;
        if turn.direction == Direction::Outbound {
            self.run(TOUCH, args![conversation.id.0, id]).await?;
        }
        Ok(TurnId(id))
    }

    /// Gives inbound texts their one outcome; how many had none before.
    pub async fn mark_answered(
        &mut self,
        conversation: ConversationId,
        turns: &[TurnId],
    ) -> Result<u64, StoreError> {
        let mut marked = 0;
        for turn in turns {
            marked += self.run(ANSWERED, args![turn.0, conversation.0]).await?;
        }
        Ok(marked)
    }

    /// Gives the inbound texts before this one their outcome; how many had none.
    pub async fn mark_older(
        &mut self,
        conversation: ConversationId,
        than: TurnId,
    ) -> Result<u64, StoreError> {
        self.run(ANSWERED_OLDER, args![conversation.0, than.0])
            .await
    }
}

impl Store {
    /// The inbound texts of a practice that wait for the answer to the risk notice.
    pub async fn unanswered_before_consent(
        &self,
        practice: &PracticeId,
    ) -> Result<BTreeSet<i64>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(BEFORE_CONSENT, args![practice.as_str()]).await?;
        rows.iter().map(|row| row.int("id")).collect()
    }
}

impl Store {
    /// Whether a carrier's id was seen before. Only [`Tx::admit`] decides; this spares a write where
    /// a whole list of known texts is looked through.
    pub async fn was_admitted(
        &self,
        practice: &PracticeId,
        carrier: CarrierKind,
        carrier_id: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(false);
        };
        let hash = key.lookup(carrier.as_str(), carrier_id.as_bytes());
        let (narrow, _) = hash.split_at(16);
        let found = tx.row(ADMITTED, args![practice.as_str(), narrow]).await?;
        Ok(found.is_some())
    }

    /// The newest `limit` texts of a conversation, oldest first.
    pub async fn turns(&self, id: ConversationId, limit: u32) -> Result<Vec<Turn>, StoreError> {
        let mut tx = self.read().await?;
        tx.turns(id, limit).await
    }
}

impl Tx {
    /// The newest `limit` texts of a conversation, oldest first, as this transaction sees them.
    pub async fn turns(&mut self, id: ConversationId, limit: u32) -> Result<Vec<Turn>, StoreError> {
        let mut rows = self.rows(NEWEST, args![id.0, i64::from(limit)]).await?;
        rows.reverse();
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let key = self.key_for_row(&first.text("practice")?).await?;
        rows.iter().map(|row| from_row(row, &key)).collect()
    }
}

fn from_row(row: &Row, key: &DataKey) -> Result<Turn, StoreError> {
    let id = row.int("id")?;
    let damage = |column| Inconsistency::on("turn").column(column).row(id);
    let direction: Direction = word(&row.text("direction")?, damage("direction"))?;
    let delivery = match row.text_opt("delivery")? {
        Some(text) => Some(word(&text, damage("delivery"))?),
        None => None,
    };
    let body = body_of(row, key, id)?;
    let carrier_id = match row.blob_opt("carrier_ref")? {
        Some(sealed) => {
            let (practice, spelled) = (row.text("practice")?, id.to_string());
            let place = place(&practice, "turn", "carrier_ref", &spelled);
            Some(open_text(key, &place, &sealed, damage("carrier_ref"))?)
        }
        None => None,
    };
    Ok(Turn {
        id: TurnId(id),
        direction,
        body,
        intent: row.text("intent")?,
        at: instant(row.int("at")?, damage("at"))?,
        answered: direction == Direction::Inbound && row.int_opt("answered")?.is_some(),
        delivery,
        code: row.text_opt("code")?.filter(|code| !code.is_empty()),
        segments: row.int_opt("segments")?,
        carrier_id,
    })
}

/// The text of a turn, from a row that has its `practice` and `sealed`.
pub(super) fn body_of(row: &Row, key: &DataKey, turn: i64) -> Result<Phi<String>, StoreError> {
    let practice = row.text("practice")?;
    let spelled = turn.to_string();
    let damage = Inconsistency::on("turn").column("sealed").row(turn);
    let place = place(&practice, "turn", "body", &spelled);
    open_text(key, &place, &row.blob("sealed")?, damage).map(Phi::new)
}
