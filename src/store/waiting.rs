//! What waits for a YES, sealed: leased when its time has come, gone when it has its end.

use jiff::Timestamp;

use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::ids::PracticeId;
use crate::domain::waiting::Errand;
use crate::domain::waiting::Refusal;
use crate::domain::waiting::Waiting;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::taking;
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

const ASK: &str = "INSERT INTO asked_for (practice, request_hash, at, body_hash) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT (practice, request_hash) DO NOTHING";
const ASKED: &str = "SELECT * FROM asked_for WHERE practice = $1 AND request_hash = $2";
const TOLD: &str = "UPDATE asked_for SET waiting = $3, refused = $4 \
                    WHERE practice = $1 AND request_hash = $2";
const ADD: &str = "INSERT INTO waiting (id, practice, conversation, at, due, expires, lease, \
    leased_until, sealed) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)";
const WAKE: &str = "UPDATE waiting SET due = $2 WHERE conversation = $1 AND due > $2";
const LEASE: Sql = taking!(
    "UPDATE waiting SET lease = lease + 1, leased_until = $2 \
     WHERE id = (SELECT w.id FROM waiting w WHERE w.due <= $1 AND w.leased_until <= $1 \
     ORDER BY w.due, w.id LIMIT 1",
    "w",
    ") RETURNING *"
);
const ANY_DUE: &str = "SELECT id FROM waiting WHERE due <= $1 AND leased_until <= $1 LIMIT 1";
const END: &str = "DELETE FROM waiting WHERE id = $1 AND lease = $2";
const PUT_BACK: &str = "UPDATE waiting SET leased_until = 0, due = $3, expires = $4 \
                        WHERE id = $1 AND lease = $2";
const COUNT: &str = "SELECT COUNT(*) AS waiting FROM waiting";
const OF: &str = "SELECT * FROM waiting WHERE conversation = $1 ORDER BY id";

/// What a request of a practice's system came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// Whether it asked for the same as the one that it is compared with.
    pub same: bool,
    /// What waits for it; none where it was refused.
    pub waiting: Option<i64>,
    /// Why it was refused.
    pub refused: Option<Refusal>,
}

impl Tx {
    /// Takes note of a request of the practice's system, by its own id and its content; false when
    /// one with this id was taken before.
    pub async fn take_request(
        &mut self,
        practice: &PracticeId,
        request: &str,
        content: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup("request", request.as_bytes());
        let body = key.lookup("request-body", content);
        let row = args![practice.as_str(), &hash, now, &body];
        Ok(self.run(ASK, row).await? == 1)
    }

    /// What the request with this id came to, if one was taken.
    pub async fn request(
        &mut self,
        practice: &PracticeId,
        request: &str,
        content: &[u8],
    ) -> Result<Option<Requested>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(None);
        };
        let hash = key.lookup("request", request.as_bytes());
        let body = key.lookup("request-body", content);
        let Some(row) = self.row(ASKED, args![practice.as_str(), &hash]).await? else {
            return Ok(None);
        };
        let damage = Inconsistency::on("asked_for")
            .column("refused")
            .row(practice);
        let refused = match row.text_opt("refused")? {
            Some(refused) => Some(word(&refused, damage)?),
            None => None,
        };
        // A row from before contents were kept is believed to be the same.
        let known = row.blob_opt("body_hash")?;
        Ok(Some(Requested {
            same: known.is_none_or(|known| known == body),
            waiting: row.int_opt("waiting")?,
            refused,
        }))
    }

    /// Keeps what a request was told.
    pub async fn tell_request(
        &mut self,
        practice: &PracticeId,
        request: &str,
        told: Result<i64, Refusal>,
    ) -> Result<(), StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup("request", request.as_bytes());
        let refused = told.err().map(|it| it.as_str().to_owned());
        let row = args![practice.as_str(), &hash, told.ok(), refused];
        self.run(TOLD, row).await.map(drop)
    }

    /// Keeps something until its conversation says YES, or it is too late.
    pub async fn wait_for_yes(
        &mut self,
        conversation: &Conversation,
        errand: &Errand,
        due: Timestamp,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let practice = conversation.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let id = self.serial("waiting").await?;
        let spelled = id.to_string();
        let place = place(practice, "waiting", "sealed", &spelled);
        let sealed = seal_json(&key, &place, errand)?;
        let row = args![id, practice, conversation.id.0, now, due, expires, sealed];
        self.run(ADD, row).await?;
        Ok(id)
    }

    /// What waits in this conversation is to be looked at now; how much does.
    pub async fn wake_waiting(
        &mut self,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.run(WAKE, args![conversation.0, now]).await
    }

    /// Ends a waiting; false when the lease is lost.
    pub async fn end_waiting(&mut self, it: &Waiting) -> Result<bool, StoreError> {
        Ok(self.run(END, args![it.id, it.lease]).await? == 1)
    }

    /// Puts it back until `due`; false when the lease is lost.
    pub async fn put_back(
        &mut self,
        it: &Waiting,
        due: Timestamp,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let row = args![it.id, it.lease, due, expires];
        Ok(self.run(PUT_BACK, row).await? == 1)
    }

    async fn waiting_from(&mut self, row: &Row) -> Result<Waiting, StoreError> {
        let id = row.int("id")?;
        let damage = |column| Inconsistency::on("waiting").column(column).row(id);
        let practice = row.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        let spelled = id.to_string();
        let place = place(&practice, "waiting", "sealed", &spelled);
        Ok(Waiting {
            id,
            conversation: ConversationId(row.int("conversation")?),
            at: instant(row.int("at")?, damage("at"))?,
            expires: instant(row.int("expires")?, damage("expires"))?,
            errand: open_json(&key, &place, &row.blob("sealed")?, damage("sealed"))?,
            lease: row.int("lease")?,
            practice: PracticeId::new(practice),
        })
    }
}

impl Store {
    /// As [`Tx::request`], of what is committed.
    pub async fn request(
        &self,
        practice: &PracticeId,
        request: &str,
        content: &[u8],
    ) -> Result<Option<Requested>, StoreError> {
        self.read().await?.request(practice, request, content).await
    }

    /// Takes the waiting thing that is due longest, for nobody else until `until`.
    pub async fn lease_waiting(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Waiting>, StoreError> {
        // Mostly nothing is due, and then nothing needs to be written.
        if self.read().await?.row(ANY_DUE, args![now]).await?.is_none() {
            return Ok(None);
        }
        self.write(move |tx| {
            Box::pin(async move {
                match tx.row(LEASE, args![now, until]).await? {
                    Some(row) => tx.waiting_from(&row).await.map(Some),
                    None => Ok(None),
                }
            })
        })
        .await
    }

    /// What waits in a conversation, oldest first.
    pub async fn waiting_in(&self, id: ConversationId) -> Result<Vec<Waiting>, StoreError> {
        let mut tx = self.read().await?;
        let mut found = Vec::new();
        for row in tx.rows(OF, args![id.0]).await? {
            found.push(tx.waiting_from(&row).await?);
        }
        Ok(found)
    }

    /// How much waits for a YES.
    pub async fn waiting_count(&self) -> Result<i64, StoreError> {
        let mut tx = self.read().await?;
        match tx.row(COUNT, args![]).await? {
            Some(row) => row.int("waiting"),
            None => Ok(0),
        }
    }
}
