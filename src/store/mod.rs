//! The memory of the house: conversations, work that waits, consent, audit, the embedded record.
//!
//! One interface over SQLite (one machine) and PostgreSQL (many). Whoever changes something does
//! so in one unit of work ([`Store::write`]) that is kept together or not at all; texts, names and
//! numbers are sealed before they reach the database.

pub mod agreements;
mod alarms;
mod attachments;
pub mod audit_log;
pub mod audit_pages;
mod audit_rules;
pub mod breaches;
mod conversations;
pub mod destroying;
mod dialect;
pub mod disclosures;
mod drafts;
pub mod error;
pub mod figures;
pub mod history;
pub mod inbox;
mod jobs;
mod keys;
mod ledger;
mod link;
mod mail;
mod media;
mod notes;
mod opening;
pub mod outbox;
mod pace;
mod portal;
mod portal_sessions;
mod publications;
mod record_rows;
mod record_writes;
pub mod recordings;
pub mod records;
mod reports;
mod requests;
pub mod retention;
mod review;
pub mod rights;
pub mod search;
mod seed;
mod settling;
mod setup;
mod spend;
pub mod staff;
mod templates;
pub mod triage;
mod turns;
mod tx;
mod waiting;
pub mod waitlist;
mod webchat;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::PgPool;
use sqlx::SqlitePool;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::agent::ports::BoxFuture;
use crate::store::keys::KeyRing;
use crate::store::link::Link;
use crate::store::link::args;
use crate::store::writer::Given;
use crate::store::writer::Job;

pub use crate::store::alarms::Acknowledged;
pub use crate::store::attachments::{Attached, Bearer, NewAttachment};
pub use crate::store::conversations::NewConversation;
pub use crate::store::drafts::{Draft, Edit, Edited};
pub use crate::store::error::StoreError;
pub use crate::store::ledger::{Disclosed, LedgerEntry, Purposes};
pub use crate::store::mail::{
    Addresses, LetterBody, LetterJob, LetterKind, LetterState, MailChoice,
};
pub use crate::store::media::Media;
pub use crate::store::media::MediaJob;
pub use crate::store::notes::{Canned, Note};
pub use crate::store::pace::Slot;
pub use crate::store::portal_sessions::{PortalSession, SecureReply, SentLink};
pub use crate::store::publications::RolledBack;
pub use crate::store::record_writes::Counts;
pub use crate::store::reports::Reported;
pub use crate::store::requests::OpenRequest;
pub use crate::store::review::Hold;
pub use crate::store::settling::Redactable;
pub use crate::store::settling::Standing;
pub use crate::store::tx::Tx;
pub use crate::store::waiting::Requested;
pub use crate::store::webchat::{ChatSession, Unread};

/// How often a transaction is begun anew when PostgreSQL asks for it.
const RETRIES_MAX: u32 = 5;

/// The store. Cheap to clone; closes when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    keys: Arc<KeyRing>,
    data_dir: PathBuf,
}

#[derive(Debug)]
enum Engine {
    Lite {
        readers: SqlitePool,
        writer: mpsc::Sender<Job>,
    },
    Pg {
        pool: PgPool,
    },
}

/// How much work waits, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Conversations that wait for an answer.
    pub replies: i64,
    /// Conversations whose answer failed too often; staff decide.
    pub parked: i64,
    /// Cleared texts that have not left.
    pub outbox: i64,
    /// Texts of which nobody knows whether the carrier has them.
    pub unknown: i64,
    /// Drafts that wait for staff.
    pub holds: i64,
    /// Units of work that wait for the writer; always 0 on PostgreSQL.
    pub writer: i64,
}

const DEPTH: &str = "SELECT \
    (SELECT count(*) FROM reply_job WHERE due IS NOT NULL) AS replies, \
    (SELECT count(*) FROM reply_job WHERE parked = 1) AS parked, \
    (SELECT count(*) FROM outbox WHERE due IS NOT NULL) AS outbox, \
    (SELECT count(*) FROM outbox WHERE delivery = 'unknown') AS unknown, \
    (SELECT count(*) FROM hold WHERE settled IS NULL) AS holds";

/// Waits for nobody, and nobody waits for it.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(PASSIVE)";

const NEXT_DUE: &str = "SELECT CAST(min(due) AS BIGINT) AS due FROM \
    (SELECT due FROM outbox WHERE due IS NOT NULL \
    UNION ALL SELECT due FROM reply_job WHERE due IS NOT NULL) waiting";

impl Store {
    /// Does one unit of work in one transaction and gives its result once that is durable. An
    /// error undoes the unit. The work may run more than once (PostgreSQL may ask for it), each
    /// time from the beginning, so it must have no effect but on the transaction.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        match &self.inner.engine {
            Engine::Lite { writer, .. } => write_lite(writer, work).await,
            Engine::Pg { pool } => {
                let mut tries = 0;
                loop {
                    tries += 1;
                    match self.write_pg(pool, &work).await {
                        Err(StoreError::Conflict) if tries < RETRIES_MAX => {}
                        ended => return ended,
                    }
                }
            }
        }
    }

    async fn write_pg<T, F>(&self, pool: &PgPool, work: &F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>>,
    {
        let link = Link::PgWriter(pool.begin().await?);
        let mut tx = Tx::new(link, Arc::clone(&self.inner.keys));
        let given = work(&mut tx).await;
        let Link::PgWriter(transaction) = std::mem::replace(&mut tx.link, Link::Gone) else {
            return Err(StoreError::Closed);
        };
        match given {
            Ok(value) => {
                transaction.commit().await?;
                tx.publish_keys();
                Ok(value)
            }
            Err(refusal) => {
                transaction.rollback().await?;
                Err(refusal)
            }
        }
    }

    /// As [`Store::write`], for work that changes something by one statement and then only reads: on
    /// PostgreSQL that statement commits itself, which spares two round trips.
    async fn write_one<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
        T: Send + 'static,
    {
        let Engine::Pg { pool } = &self.inner.engine else {
            return self.write(work).await;
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let link = Link::Pg(pool.acquire().await?);
            let mut tx = Tx::new(link, Arc::clone(&self.inner.keys));
            match work(&mut tx).await {
                Err(StoreError::Conflict) if tries < RETRIES_MAX => {}
                Ok(value) => {
                    tx.publish_keys();
                    return Ok(value);
                }
                Err(refusal) => return Err(refusal),
            }
        }
    }

    /// A connection for reading what is committed.
    async fn read(&self) -> Result<Tx, StoreError> {
        let link = match &self.inner.engine {
            Engine::Lite { readers, .. } => Link::LiteReader(readers.acquire().await?),
            Engine::Pg { pool } => Link::Pg(pool.acquire().await?),
        };
        Ok(Tx::new(link, Arc::clone(&self.inner.keys)))
    }

    /// The folder with the lock, the copies of audit checkpoints and what commands leave.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.inner.data_dir
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        tx.row(dialect::ENGINE_VERSION, args![]).await.map(drop)
    }

    /// Moves what is committed from the write-ahead log of SQLite into its file, beside the writer: by
    /// itself it would do so in the midst of somebody's commit. Meant to be called every second.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        if matches!(self.inner.engine, Engine::Pg { .. }) {
            return Ok(());
        }
        let mut tx = self.read().await?;
        tx.row(CHECKPOINT, args![]).await.map(drop)
    }

    /// How much work waits.
    pub async fn depth(&self) -> Result<Depth, StoreError> {
        let mut tx = self.read().await?;
        let Some(row) = tx.row(DEPTH, args![]).await? else {
            return Ok(Depth::default());
        };
        let writer = match &self.inner.engine {
            Engine::Lite { writer, .. } => writer.max_capacity() - writer.capacity(),
            Engine::Pg { .. } => 0,
        };
        Ok(Depth {
            replies: row.int("replies")?,
            parked: row.int("parked")?,
            outbox: row.int("outbox")?,
            unknown: row.int("unknown")?,
            holds: row.int("holds")?,
            writer: i64::try_from(writer).unwrap_or(i64::MAX),
        })
    }

    /// When the next text or answer is due; none when nothing waits.
    pub async fn next_due(&self) -> Result<Option<jiff::Timestamp>, StoreError> {
        let mut tx = self.read().await?;
        let row = tx.row(NEXT_DUE, args![]).await?;
        let due = match row {
            Some(row) => row.int_opt("due")?,
            None => None,
        };
        let damage = error::Inconsistency::on("outbox").column("due");
        due.map(|due| tx::instant(due, damage)).transpose()
    }

    /// The key that checkpoints of this store's audit log are checked with.
    pub fn audit_public_key(&self) -> [u8; 32] {
        self.inner.keys.signer.public_key()
    }
}

/// Passes a unit of work to the writer and waits until its group is committed.
async fn write_lite<T, F>(writer: &mpsc::Sender<Job>, work: F) -> Result<T, StoreError>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
    T: Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let work: writer::Work = Box::new(move |tx| {
        Box::pin(async move {
            let value: Box<dyn std::any::Any + Send> = Box::new(work(tx).await?);
            Given::Ok(value)
        })
    });
    let closed = |_gone| StoreError::Closed;
    writer
        .send(Job { work, answer })
        .await
        .map_err(|_gone| StoreError::Closed)?;
    let value = answered.await.map_err(closed)??;
    value
        .downcast()
        .map(|it| *it)
        .map_err(|_never| StoreError::Closed)
}
