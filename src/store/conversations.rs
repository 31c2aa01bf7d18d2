//! Conversations: found by number, locked, saved with their consent.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::consent::Consent;
use crate::domain::consent::ConsentState;
use crate::domain::consent::SILENT_DAYS;
use crate::domain::conversation::Conversation;
use crate::domain::conversation::PendingQuestion;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::TurnId;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::domain::speaker::Speaker;
use crate::policy::words::Channel;
use crate::policy::words::Language;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::search;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

/// A conversation, and whether its number has opted out on any line of the practice.
macro_rules! conversation_where {
    ($condition:literal) => {
        concat!(
            "SELECT c.*, (SELECT count(*) FROM opt_out o WHERE o.practice = c.practice \
             AND o.number_hash = c.number_hash) AS closed FROM conversation c WHERE ",
            $condition
        )
    };
}

const BY_ID: &str = conversation_where!("c.id = $1");
const BY_ID_LOCKED: Sql = Sql {
    lite: conversation_where!("c.id = $1"),
    pg: conversation_where!("c.id = $1 FOR UPDATE"),
};
const BY_KEY_LOCKED: Sql = Sql {
    lite: conversation_where!(
        "c.practice = $1 AND c.number_hash = $2 AND c.sender_hash = $3 AND c.carrier = $4 \
         AND c.channel = $5"
    ),
    pg: conversation_where!(
        "c.practice = $1 AND c.number_hash = $2 AND c.sender_hash = $3 AND c.carrier = $4 \
         AND c.channel = $5 FOR UPDATE"
    ),
};
const BY_NUMBER: &str = conversation_where!("c.practice = $1 AND c.number_hash = $2 ORDER BY c.id");
/// In one order, so that two who close the same lines do not wait for each other for ever.
const OTHERS_LOCKED: Sql = Sql {
    lite: conversation_where!(
        "c.practice = $1 AND c.number_hash = $2 AND c.id <> $3 ORDER BY c.id"
    ),
    pg: conversation_where!(
        "c.practice = $1 AND c.number_hash = $2 AND c.id <> $3 ORDER BY c.id FOR UPDATE"
    ),
};
const CLOSE: &str = "INSERT INTO opt_out (practice, number_hash, conversation, at) \
    VALUES ($1, $2, $3, $4) ON CONFLICT (practice, number_hash) \
    DO UPDATE SET conversation = excluded.conversation, at = excluded.at";
const REOPEN: &str = "DELETE FROM opt_out WHERE practice = $1 AND number_hash = $2";
const INSERT: &str = "INSERT INTO conversation (id, practice, carrier, channel, sender_hash, \
    number_hash, epoch, language, consent, human, last_inbound, sealed, ends) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
    ON CONFLICT (practice, number_hash, sender_hash, carrier, channel) DO NOTHING";
const UPDATE: &str = "UPDATE conversation SET epoch = $2, language = $3, consent = $4, \
    human = $5, last_inbound = $6, sealed = $7, consent_until = $8, \
    last_turn = COALESCE($9, last_turn), last_in = COALESCE($9, last_in), \
    human_until = $10 WHERE id = $1";
const HANDED_OVER: &str = "SELECT id FROM conversation WHERE human_until <= $1 \
    ORDER BY human_until LIMIT $2";

/// What a conversation is found by, and begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConversation {
    /// Whose patient.
    pub practice: PracticeId,
    /// Who carries it.
    pub carrier: CarrierKind,
    /// How.
    pub channel: Channel,
    /// The practice's number.
    pub sender: E164,
    /// The patient's number.
    pub number: E164,
    /// The language that a new one begins in; an existing one keeps its own.
    pub language: Language,
}

/// What is sealed of a conversation.
#[derive(Serialize, Deserialize)]
struct Sealed {
    sender: E164,
    number: E164,
    patient: Option<PatientId>,
    #[serde(default)]
    speaker: Speaker,
    consent: Consent,
    pending: Option<PendingQuestion>,
}

impl Tx {
    /// The conversation with this number, begun now if there is none; nobody else changes it until
    /// this transaction ends.
    pub async fn conversation_for(
        &mut self,
        wanted: &NewConversation,
        now: Timestamp,
    ) -> Result<Conversation, StoreError> {
        let key = self.key(&wanted.practice).await?;
        let find = || {
            args![
                wanted.practice.as_str(),
                &key.lookup_number(&wanted.number),
                &key.lookup_number(&wanted.sender),
                wanted.carrier.as_str(),
                wanted.channel.as_str(),
            ]
        };
        if let Some(row) = self.row(BY_KEY_LOCKED, find()).await? {
            return from_row(&row, &key);
        }
        let fresh = Conversation {
            id: ConversationId(self.serial("conversation").await?),
            practice: wanted.practice.clone(),
            carrier: wanted.carrier,
            channel: wanted.channel,
            sender: wanted.sender.clone(),
            number: wanted.number.clone(),
            patient: None,
            speaker: Speaker::default(),
            epoch: 0,
            language: wanted.language,
            consent: Consent::unknown(now),
            pending: None,
            human: false,
            human_until: None,
            last_inbound: None,
            closed: false,
        };
        let row = args![
            fresh.id.0,
            fresh.practice.as_str(),
            fresh.carrier.as_str(),
            fresh.channel.as_str(),
            &key.lookup_number(&fresh.sender),
            &key.lookup_number(&fresh.number),
            fresh.epoch,
            fresh.language.as_str(),
            fresh.consent.state.as_str(),
            fresh.human,
            fresh.last_inbound,
            sealed(&fresh, &key)?,
            &search::ending(&key, &fresh.number),
        ];
        self.run(INSERT, row).await?;
        // Somebody else may have been first; the row decides.
        match self.row(BY_KEY_LOCKED, find()).await? {
            Some(row) => from_row(&row, &key),
            None => Err(Inconsistency::on("conversation").row(fresh.id).into()),
        }
    }

    /// The conversation; nobody else changes it until this transaction ends.
    pub async fn lock_conversation(
        &mut self,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let row = self.row(BY_ID_LOCKED, args![id.0]).await?;
        self.conversation_from(row).await
    }

    /// Keeps what has changed of a conversation that this transaction has locked.
    pub async fn save_conversation(&mut self, it: &Conversation) -> Result<(), StoreError> {
        self.save_heard(it, None).await
    }

    /// As [`Tx::save_conversation`], and that this text of the patient's is its newest.
    pub async fn save_heard(
        &mut self,
        it: &Conversation,
        heard: Option<TurnId>,
    ) -> Result<(), StoreError> {
        let key = self.key_for_row(it.practice.as_str()).await?;
        let row = args![
            it.id.0,
            it.epoch,
            it.language.as_str(),
            it.consent.state.as_str(),
            it.human,
            it.last_inbound,
            sealed(it, &key)?,
            until(it),
            heard.map(|it| it.0),
            it.human_until,
        ];
        match self.run(UPDATE, row).await? {
            0 => Err(StoreError::NoConversation(it.id.0)),
            _ => Ok(()),
        }
    }

    /// The other conversations of this practice with the same number, oldest first; nobody else
    /// changes them until this transaction ends.
    pub async fn other_lines(
        &mut self,
        it: &Conversation,
    ) -> Result<Vec<Conversation>, StoreError> {
        let key = self.key_for_row(it.practice.as_str()).await?;
        let find = args![
            it.practice.as_str(),
            &key.lookup_number(&it.number),
            it.id.0
        ];
        let rows = self.rows(OTHERS_LOCKED, find).await?;
        rows.iter().map(|row| from_row(row, &key)).collect()
    }

    /// Closes every line of the practice to the number of this conversation, also lines on which
    /// nothing was said yet.
    pub async fn close_lines(
        &mut self,
        it: &Conversation,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let key = self.key_for_row(it.practice.as_str()).await?;
        let hash = key.lookup_number(&it.number);
        let row = args![it.practice.as_str(), &hash, it.id.0, at];
        self.run(CLOSE, row).await.map(drop)
    }

    /// Lines on which nothing was said yet are open to the number again.
    pub async fn reopen_lines(&mut self, it: &Conversation) -> Result<(), StoreError> {
        let key = self.key_for_row(it.practice.as_str()).await?;
        let hash = key.lookup_number(&it.number);
        let row = args![it.practice.as_str(), &hash];
        self.run(REOPEN, row).await.map(drop)
    }

    pub(super) async fn conversation_from(
        &mut self,
        row: Option<Row>,
    ) -> Result<Option<Conversation>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let key = self.key_for_row(&row.text("practice")?).await?;
        from_row(&row, &key).map(Some)
    }

    /// The practice that a conversation belongs to, also where nothing else of it can be opened.
    pub async fn practice_id_of(&mut self, id: ConversationId) -> Result<PracticeId, StoreError> {
        self.practice_of(id).await.map(PracticeId::new)
    }

    /// The practice that a conversation belongs to.
    pub(super) async fn practice_of(&mut self, id: ConversationId) -> Result<String, StoreError> {
        match self.row(BY_ID, args![id.0]).await? {
            Some(row) => row.text("practice"),
            None => Err(StoreError::NoConversation(id.0)),
        }
    }
}

impl Store {
    /// The conversations whose time with a person is over, longest first.
    pub async fn handed_over_until(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ConversationId>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(HANDED_OVER, args![now, i64::from(limit)]).await?;
        rows.iter()
            .map(|row| row.int("id").map(ConversationId))
            .collect()
    }
}

impl Store {
    /// The conversation as last committed.
    pub async fn conversation(
        &self,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.row(BY_ID, args![id.0]).await?;
        tx.conversation_from(row).await
    }

    /// Every conversation of this practice with this number, oldest first.
    pub async fn conversations_with(
        &self,
        practice: &PracticeId,
        number: &E164,
    ) -> Result<Vec<Conversation>, StoreError> {
        let mut tx = self.read().await?;
        let Some(key) = tx.known_key(practice).await? else {
            return Ok(Vec::new());
        };
        let find = args![practice.as_str(), &key.lookup_number(number)];
        let rows = tx.rows(BY_NUMBER, find).await?;
        rows.iter().map(|row| from_row(row, &key)).collect()
    }
}

/// When the consent must be looked at again without anybody having written: the end of the term of
/// a proof, or of the silence after which the number may be another's.
fn until(it: &Conversation) -> Option<Timestamp> {
    let mut ends = it
        .speaker
        .others
        .iter()
        .map(|it| &it.consent)
        .chain([&it.consent]);
    let end = ends
        .by_ref()
        .filter_map(|it| Some(it.proof.as_ref()?.expires))
        .min()?;
    let silent = it.last_inbound.and_then(|last| {
        last.checked_add(SignedDuration::from_hours(24 * SILENT_DAYS))
            .ok()
    });
    Some(silent.map_or(end, |silent| silent.min(end)))
}

fn sealed(it: &Conversation, key: &DataKey) -> Result<Vec<u8>, StoreError> {
    let content = Sealed {
        sender: it.sender.clone(),
        number: it.number.clone(),
        patient: it.patient.clone(),
        speaker: it.speaker.clone(),
        consent: it.consent.clone(),
        pending: it.pending.clone(),
    };
    let row = it.id.to_string();
    seal_json(
        key,
        &place(it.practice.as_str(), "conversation", "sealed", &row),
        &content,
    )
}

fn from_row(row: &Row, key: &DataKey) -> Result<Conversation, StoreError> {
    let id = ConversationId(row.int("id")?);
    let practice = PracticeId::new(row.text("practice")?);
    let damage = |column| Inconsistency::on("conversation").column(column).row(id);
    let spelled = id.to_string();
    let content: Sealed = open_json(
        key,
        &place(practice.as_str(), "conversation", "sealed", &spelled),
        &row.blob("sealed")?,
        damage("sealed"),
    )?;
    // The plain column is for counting; the sealed state decides and must agree.
    let state: ConsentState = word(&row.text("consent")?, damage("consent"))?;
    if state != content.consent.state {
        return Err(damage("consent").into());
    }
    let last_inbound = match row.int_opt("last_inbound")? {
        Some(micros) => Some(instant(micros, damage("last_inbound"))?),
        None => None,
    };
    let channel: Channel = word(&row.text("channel")?, damage("channel"))?;
    Ok(Conversation {
        id,
        carrier: word(&row.text("carrier")?, damage("carrier"))?,
        // Who opens a chat asks to be answered there; the opt-out is of texts.
        closed: channel != Channel::Webchat && row.int("closed")? > 0,
        channel,
        sender: content.sender,
        number: content.number,
        patient: content.patient,
        speaker: content.speaker,
        epoch: row.int("epoch")?,
        language: word(&row.text("language")?, damage("language"))?,
        consent: content.consent,
        pending: content.pending,
        human: row.int("human")? != 0,
        human_until: match row.int_opt("human_until")? {
            Some(micros) => Some(instant(micros, damage("human_until"))?),
            None => None,
        },
        last_inbound,
        practice,
    })
}
