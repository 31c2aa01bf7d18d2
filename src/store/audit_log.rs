//! The audit log in the database: appended with the change, chained and signed within a second.

use std::collections::BTreeMap;
use std::io::Write as _;

use jiff::Timestamp;

use crate::audit;
use crate::audit::Checkpoint;
use crate::audit::Entry;
use crate::audit::FirstBad;
use crate::audit::GENESIS;
use crate::audit::Linked;
use crate::audit::Summary;
use crate::domain::ids::PracticeId;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::opening::CHECKPOINT_FILE;
use crate::store::tx::Tx;
use crate::store::tx::instant;

const APPEND: &str = "INSERT INTO audit_entry (id, practice, at, actor, action, subject, detail) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7)";
const LOOSE: &str = "SELECT DISTINCT practice FROM audit_entry WHERE seq IS NULL";
const ADD_HEAD: &str = "INSERT INTO audit_head (practice, seq, hash) VALUES ($1, 0, $2) \
                        ON CONFLICT (practice) DO NOTHING";
const HEAD: Sql = locking!("SELECT seq, hash FROM audit_head WHERE practice = $1");
const BATCH: &str = "SELECT * FROM audit_entry WHERE practice = $1 AND seq IS NULL \
                     ORDER BY id LIMIT 1000";
const CHAIN: &str = "UPDATE audit_entry SET seq = $2, hash = $3 WHERE id = $1";
const MOVE_HEAD: &str = "UPDATE audit_head SET seq = $2, hash = $3 WHERE practice = $1";
const SIGN: &str = "INSERT INTO audit_checkpoint (practice, seq, hash, at, signature) \
                    VALUES ($1, $2, $3, $4, $5)";
const AUDITED: &str = "SELECT practice FROM audit_head ORDER BY practice";
const ENTRIES: &str = "SELECT * FROM audit_entry WHERE practice = $1 AND seq IS NOT NULL \
                       ORDER BY seq";
const PAGE: &str = "SELECT * FROM audit_entry WHERE practice = $1 AND seq < $2 \
    AND ($3 = '' OR actor = $3) AND ($4 = '' OR action = $4 OR substr(action, 1, length($4) + 1) = $4 || '.') \
    AND ($5 = '' OR subject = $5) ORDER BY seq DESC LIMIT $6";
const CHECKPOINTS: &str = "SELECT * FROM audit_checkpoint WHERE practice = $1 ORDER BY seq";

/// Which entries of the log a page shows; an empty word lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who: `staff/3`, `agent`, `patient`.
    pub actor: String,
    /// What: `message.cleared`, or all of a kind by its first word, `message`.
    pub action: String,
    /// About which: `conversation/12`.
    pub subject: String,
    /// Only entries before this sequence number.
    pub before: Option<i64>,
}

impl Tx {
    /// Appends an entry to the audit log, in the transaction of the change that it tells of. It is
    /// chained and signed within a second of the commit.
    pub async fn append_audit(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let id = self.serial("audit_entry").await?;
        let row = args![
            id,
            entry.practice.as_str(),
            entry.at,
            entry.actor.as_str(),
            entry.action.as_str(),
            entry.subject.as_str(),
            entry.detail.as_str(),
        ];
        self.run(APPEND, row).await.map(drop)
    }

    /// Chains what is loose of one practice; the number of entries and the new checkpoint.
    async fn chain(
        &mut self,
        practice: &PracticeId,
        now: Timestamp,
    ) -> Result<(u64, Option<Checkpoint>), StoreError> {
        let name = practice.as_str();
        self.run(ADD_HEAD, args![name, &GENESIS]).await?;
        let damage = || Inconsistency::on("audit_head").column("hash").row(name);
        let head = self.row(HEAD, args![name]).await?.ok_or_else(damage)?;
        let mut seq = head.int("seq")?;
        let mut hash = bytes(&head.blob("hash")?, damage())?;
        let rows = self.rows(BATCH, args![name]).await?;
        if rows.is_empty() {
            return Ok((0, None));
        }
        for row in &rows {
            seq += 1;
            let linked = Linked::new(&hash, seq, entry(row)?);
            hash = linked.hash;
            self.run(CHAIN, args![row.int("id")?, seq, &hash]).await?;
        }
        self.run(MOVE_HEAD, args![name, seq, &hash]).await?;
        let checkpoint = self.keys.signer.checkpoint(practice, seq, hash, now);
        let signed = args![name, seq, &hash, now, &checkpoint.signature];
        self.run(SIGN, signed).await?;
        Ok((rows.len() as u64, Some(checkpoint)))
    }
}

impl Store {
    /// Chains the entries that no chain holds yet, signs a checkpoint per practice, and copies
    /// the checkpoints to a file beside the database; how many entries were chained. Meant to be
    /// called every second, on any replica.
    pub async fn sequence_audit(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.read().await?;
        let mut practices = Vec::new();
        for row in tx.rows(LOOSE, args![]).await? {
            practices.push(PracticeId::new(row.text("practice")?));
        }
        drop(tx);
        let mut chained = 0;
        for practice in practices {
            let (entries, checkpoint) = self
                .write(move |tx| {
                    let practice = practice.clone();
                    Box::pin(async move { tx.chain(&practice, now).await })
                })
                .await?;
            chained += entries;
            if let Some(checkpoint) = checkpoint {
                self.copy_checkpoint(&checkpoint).await?;
            }
        }
        Ok(chained)
    }

    /// Appends a checkpoint to the file of copies.
    async fn copy_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let path = self.inner.data_dir.join(CHECKPOINT_FILE);
        let line = format!("{}\n", checkpoint.to_line());
        let to = path.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(to)?;
            file.write_all(line.as_bytes())?;
            file.sync_data()
        })
        .await
        .unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
        written.map_err(|cause| StoreError::Checkpoint { path, cause })
    }

    /// The practices that have a chain, in the order of their ids.
    pub async fn audited_practices(&self) -> Result<Vec<PracticeId>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(AUDITED, args![]).await?;
        rows.iter()
            .map(|row| row.text("practice").map(PracticeId::new))
            .collect()
    }

    /// Checks the chain of a practice against the checkpoints in the database and in the file
    /// outside of it.
    pub async fn verify_audit(
        &self,
        practice: &PracticeId,
    ) -> Result<Result<Summary, FirstBad>, StoreError> {
        // The entries last: a log that grows meanwhile must not look as if its end were cut off.
        let mut checkpoints = self.copied_checkpoints(practice)?;
        checkpoints.extend(self.audit_checkpoints(practice).await?);
        let entries = self.audit_entries(practice).await?;
        Ok(audit::verify(
            practice,
            &entries,
            &checkpoints,
            &self.audit_public_key(),
        ))
    }

    /// The chain of a practice, in its order.
    pub async fn audit_entries(&self, practice: &PracticeId) -> Result<Vec<Linked>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(ENTRIES, args![practice.as_str()]).await?;
        rows.iter().map(linked).collect()
    }

    /// The newest entries that a filter lets through, newest first.
    pub async fn audit_page(
        &self,
        practice: &PracticeId,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<Linked>, StoreError> {
        let mut tx = self.read().await?;
        let find = args![
            practice.as_str(),
            filter.before.unwrap_or(i64::MAX),
            filter.actor.as_str(),
            filter.action.as_str(),
            filter.subject.as_str(),
            i64::from(limit),
        ];
        let rows = tx.rows(PAGE, find).await?;
        rows.iter().map(linked).collect()
    }

    /// The checkpoints of a practice that the database keeps.
    pub async fn audit_checkpoints(
        &self,
        practice: &PracticeId,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx.rows(CHECKPOINTS, args![practice.as_str()]).await?;
        rows.iter().map(|row| checkpoint(practice, row)).collect()
    }

    /// The checkpoints of a practice that the file outside of the database keeps. A line that
    /// cannot be read is an error: whoever alters the file must be noticed.
    pub fn copied_checkpoints(&self, practice: &PracticeId) -> Result<Vec<Checkpoint>, StoreError> {
        let path = self.inner.data_dir.join(CHECKPOINT_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(none) if none.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(StoreError::Checkpoint { path, cause }),
        };
        let mut checkpoints = BTreeMap::new();
        for (number, line) in (1_usize..).zip(text.lines()) {
            let damage = || Inconsistency::on("audit-checkpoints.jsonl").row(number);
            let checkpoint = Checkpoint::from_line(line).ok_or_else(damage)?;
            if checkpoint.practice == *practice {
                checkpoints.insert(number, checkpoint);
            }
        }
        Ok(checkpoints.into_values().collect())
    }
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    let damage = Inconsistency::on("audit_entry")
        .column("at")
        .row(row.int("id")?);
    Ok(Entry {
        practice: PracticeId::new(row.text("practice")?),
        at: instant(row.int("at")?, damage)?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        subject: row.text("subject")?,
        detail: row.text("detail")?,
    })
}

fn linked(row: &Row) -> Result<Linked, StoreError> {
    let damage = Inconsistency::on("audit_entry")
        .column("hash")
        .row(row.int("id")?);
    Ok(Linked {
        seq: row.int("seq")?,
        entry: entry(row)?,
        hash: bytes(&row.blob_opt("hash")?.unwrap_or_default(), damage)?,
    })
}

fn checkpoint(practice: &PracticeId, row: &Row) -> Result<Checkpoint, StoreError> {
    let seq = row.int("seq")?;
    let damage = |column| {
        Inconsistency::on("audit_checkpoint")
            .column(column)
            .row(seq)
    };
    Ok(Checkpoint {
        practice: practice.clone(),
        seq,
        hash: bytes(&row.blob("hash")?, damage("hash"))?,
        at: instant(row.int("at")?, damage("at"))?,
        signature: bytes(&row.blob("signature")?, damage("signature"))?,
    })
}

fn bytes<const N: usize>(found: &[u8], damage: Inconsistency) -> Result<[u8; N], StoreError> {
    found.try_into().map_err(|_length| damage.into())
}
