//! Reply jobs: one per conversation, leased, finished only by whoever holds the lease.

use jiff::Timestamp;

use crate::domain::conversation::OutboxRow;
use crate::domain::conversation::ReplyJob;
use crate::domain::ids::ConversationId;
use crate::store::Engine;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::taking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;

/// A newer text makes a new attempt worth while, also where older ones failed.
const WANT: &str = "INSERT INTO reply_job (conversation, practice, generation, due, attempts, \
    lease, leased_until, parked) \
    SELECT c.id, c.practice, 1, $2, 0, 0, 0, 0 FROM conversation c WHERE c.id = $1 \
    ON CONFLICT (conversation) DO UPDATE SET generation = reply_job.generation + 1, \
    due = excluded.due, parked = 0, \
    attempts = CASE WHEN reply_job.due IS NULL THEN 0 ELSE reply_job.attempts END";
const LEASE: Sql = taking!(
    "UPDATE reply_job SET lease = lease + 1, attempts = attempts + 1, leased_until = $2, \
     begun = COALESCE(begun, $1) \
     WHERE conversation = (SELECT j.conversation FROM reply_job j \
     WHERE j.due <= $1 AND j.leased_until <= $1 ORDER BY j.due LIMIT 1",
    "j",
    ") RETURNING conversation, generation, attempts, lease, begun"
);
/// What was told of waiting is forgotten when nothing waits any more.
const FINISH: &str = "UPDATE reply_job SET leased_until = 0, attempts = 0, \
    begun = CASE WHEN generation = $3 THEN NULL ELSE begun END, \
    interim = CASE WHEN generation = $3 THEN 0 ELSE interim END, \
    due = CASE WHEN generation = $3 THEN NULL ELSE due END \
    WHERE conversation = $1 AND lease = $2";
const POSTPONE: &str = "UPDATE reply_job SET leased_until = 0, \
    due = CASE WHEN generation = $3 THEN $4 ELSE due END \
    WHERE conversation = $1 AND lease = $2";
const PARK: &str = "UPDATE reply_job SET leased_until = 0, due = NULL, parked = 1 \
    WHERE conversation = $1 AND lease = $2";
const RELEASE_REPLIES: &str = "UPDATE reply_job SET leased_until = 0 WHERE leased_until > 0";
const RELEASE_OUTBOX: &str =
    "UPDATE outbox SET leased_until = 0, in_doubt = 1 WHERE leased_until > 0";
const RENEW: &str = "UPDATE reply_job SET leased_until = $3 \
    WHERE conversation = $1 AND lease = $2 AND leased_until > 0";
const RENEW_OUTBOX: &str = "UPDATE outbox SET leased_until = $3 \
    WHERE id = $1 AND lease = $2 AND leased_until > 0";
const CURRENT: &str = "SELECT generation, interim FROM reply_job \
    WHERE conversation = $1 AND lease = $2 AND due IS NOT NULL";
const OVERTAKEN: &str = "SELECT j.conversation FROM reply_job j \
    JOIN conversation c ON c.id = j.conversation WHERE j.conversation = $1 \
    AND j.lease = $2 AND j.generation = $3 AND j.due IS NOT NULL AND c.epoch = $4";
const INTERIM: &str = "UPDATE reply_job SET interim = 1 WHERE conversation = $1 AND lease = $2 \
    AND leased_until > 0 AND due IS NOT NULL AND interim = 0";

impl Store {
    /// Takes the job that is due longest, for nobody else until `until`. Whoever does not finish
    /// it by then has lost it.
    pub async fn lease_reply(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<ReplyJob>, StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move {
                let Some(row) = tx.row(LEASE, args![now, until]).await? else {
                    return Ok(None);
                };
                Ok(Some(ReplyJob {
                    conversation: ConversationId(row.int("conversation")?),
                    generation: row.int("generation")?,
                    attempts: row.int("attempts")?,
                    lease: row.int("lease")?,
                    begun: instant(row.int("begun")?, Inconsistency::on("reply_job"))?,
                }))
            })
        })
        .await
    }
}

impl Store {
    /// Gives back every lease at the start of the only process on an SQLite database: whoever held
    /// one is gone. What was being handed to a carrier stays in doubt. Does nothing on PostgreSQL,
    /// where other replicas live.
    pub async fn release_leases(&self) -> Result<u64, StoreError> {
        if matches!(self.inner.engine, Engine::Pg { .. }) {
            return Ok(0);
        }
        self.write(|tx| {
            Box::pin(async move {
                let replies = tx.run(RELEASE_REPLIES, args![]).await?;
                Ok(replies + tx.run(RELEASE_OUTBOX, args![]).await?)
            })
        })
        .await
    }
}

impl Store {
    /// Keeps a job for longer, while it is worked on. False when the lease is lost already.
    pub async fn renew_reply(&self, job: &ReplyJob, until: Timestamp) -> Result<bool, StoreError> {
        self.renew(RENEW, job.conversation.0, job.lease, until)
            .await
    }

    /// Keeps a text for longer, while it is handed over. False when the lease is lost already.
    pub async fn renew_outbox(
        &self,
        row: &OutboxRow,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.renew(RENEW_OUTBOX, row.id.0, row.lease, until).await
    }

    /// Whether a newer text has come, or the epoch has risen, or the lease is lost.
    pub async fn reply_is_overtaken(&self, job: &ReplyJob, epoch: i64) -> Result<bool, StoreError> {
        let find = args![job.conversation.0, job.lease, job.generation, epoch];
        let found = self.read().await?.row(OVERTAKEN, find).await?;
        Ok(found.is_none())
    }

    async fn renew(
        &self,
        sql: &'static str,
        id: i64,
        lease: i64,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_one(move |tx| {
            Box::pin(async move { Ok(tx.run(sql, args![id, lease, until]).await? == 1) })
        })
        .await
    }
}

impl Tx {
    /// Asks for an answer in this conversation at `due`; a draft in the making is out of date.
    pub async fn want_reply(
        &mut self,
        conversation: ConversationId,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        match self.run(WANT, args![conversation.0, due]).await? {
            0 => Err(StoreError::NoConversation(conversation.0)),
            _ => Ok(()),
        }
    }

    /// Whether the lease is held and no newer text has come since; and whether the patient was told
    /// that the answer takes a moment.
    pub async fn reply_is_current(&mut self, job: &ReplyJob) -> Result<(bool, bool), StoreError> {
        let find = args![job.conversation.0, job.lease];
        match self.row(CURRENT, find).await? {
            Some(row) => Ok((
                row.int("generation")? == job.generation,
                row.int("interim")? != 0,
            )),
            None => Ok((false, false)),
        }
    }

    /// Takes the one right to tell the patient that the answer takes a moment; false when it was
    /// told, or the lease is lost.
    pub async fn take_interim(&mut self, job: &ReplyJob) -> Result<bool, StoreError> {
        let find = args![job.conversation.0, job.lease];
        Ok(self.run(INTERIM, find).await? == 1)
    }

    /// Ends a job; when a newer text has come since the lease, it is due again. False when the
    /// lease is lost: then the caller must give an error, so that nothing of its work is kept.
    pub async fn finish_reply(&mut self, job: &ReplyJob) -> Result<bool, StoreError> {
        let ended = args![job.conversation.0, job.lease, job.generation];
        Ok(self.run(FINISH, ended).await? == 1)
    }

    /// Gives a job back until `due`, its attempts counted. False when the lease is lost.
    pub async fn postpone_reply(
        &mut self,
        job: &ReplyJob,
        due: Timestamp,
    ) -> Result<bool, StoreError> {
        let later = args![job.conversation.0, job.lease, job.generation, due];
        Ok(self.run(POSTPONE, later).await? == 1)
    }

    /// Sets a job aside that failed too often; only a new text revives it. False when the lease
    /// is lost.
    pub async fn park_reply(&mut self, job: &ReplyJob) -> Result<bool, StoreError> {
        Ok(self.run(PARK, args![job.conversation.0, job.lease]).await? == 1)
    }
}
