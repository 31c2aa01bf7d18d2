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

const APPEND: Sql = Sql {
    lite: "INSERT INTO audit_entry (id, practice, at, actor, action, subject, detail) \
           VALUES ($7, $1, $2, $3, $4, $5, $6)",
    pg: "INSERT INTO audit_entry (id, practice, at, actor, action, subject, detail) \
         VALUES (nextval('serial_audit_entry'), $1, $2, $3, $4, $5, $6)",
};
/// Entries chained in one transaction: a webhook that comes meanwhile waits for a few milliseconds.
const BATCH_MAX: usize = 200;
const LOOSE: &str = "SELECT DISTINCT practice FROM audit_entry WHERE seq IS NULL";
const ADD_HEAD: &str = "INSERT INTO audit_head (practice, seq, hash) VALUES ($1, 0, $2) \
                        ON CONFLICT (practice) DO NOTHING";
const HEAD: Sql = locking!("SELECT seq, hash FROM audit_head WHERE practice = $1");
const BATCH: &str = "SELECT * FROM audit_entry WHERE practice = $1 AND seq IS NULL \
                     ORDER BY id LIMIT $2";
/// Chains many entries at once: `$1` is `[[id, seq, hash in hex], ...]`. One by one they would keep
/// webhooks waiting, on SQLite for its one writer and on PostgreSQL for the round trips.
const CHAIN: Sql = Sql {
    lite: "UPDATE audit_entry SET seq = link.seq, hash = link.hash FROM \
           (SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS seq, \
           unhex(json_extract(value, '$[2]')) AS hash FROM json_each($1)) AS link \
           WHERE audit_entry.id = link.id",
    pg: "UPDATE audit_entry SET seq = link.seq, hash = link.hash FROM \
         (SELECT (value->>0)::bigint AS id, (value->>1)::bigint AS seq, \
         decode(value->>2, 'hex') AS hash FROM json_array_elements($1::json) AS value) AS link \
         WHERE audit_entry.id = link.id",
};
const MOVE_HEAD: &str = "UPDATE audit_head SET seq = $2, hash = $3 WHERE practice = $1";
const SIGN: &str = "INSERT INTO audit_checkpoint (practice, seq, hash, at, signature) \
                    VALUES ($1, $2, $3, $4, $5)";
const AUDITED: &str = "SELECT practice FROM audit_head ORDER BY practice";
const ENTRIES: &str = "SELECT * FROM audit_entry WHERE practice = $1 AND seq IS NOT NULL \
                       ORDER BY seq";
const CHECKPOINTS: &str = "SELECT * FROM audit_checkpoint WHERE practice = $1 ORDER BY seq";

impl Tx {
    /// Appends an entry to the audit log, in the transaction of the change that it tells of. It is
    /// chained and signed within a second of the commit.
    pub async fn append_audit(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let mut row = args![
            entry.practice.as_str(),
            entry.at,
            entry.actor.as_str(),
            entry.action.as_str(),
            entry.subject.as_str(),
            entry.detail.as_str(),
        ];
        // PostgreSQL numbers the entry itself, without another round trip.
        if self.link.is_lite() {
            row.extend(args![self.serial("audit_entry").await?]);
        }
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
        let most = i64::try_from(BATCH_MAX).unwrap_or(i64::MAX);
        let rows = self.rows(BATCH, args![name, most]).await?;
        if rows.is_empty() {
            return Ok((0, None));
        }
        let mut links = Vec::with_capacity(rows.len());
        for row in &rows {
            seq += 1;
            let linked = Linked::new(&hash, seq, entry(row)?);
            hash = linked.hash;
            links.push((row.int("id")?, seq, hex::encode(hash)));
        }
        let links = serde_json::json!(links).to_string();
        let chained = self.run(CHAIN, args![links]).await?;
        if chained != rows.len() as u64 {
            return Err(damage().into());
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
            chained += self.chain_all(&practice, now).await?;
        }
        self.index_rules().await?;
        Ok(chained)
    }

    /// Chains what is loose of one practice, batch by batch, and copies the checkpoints.
    async fn chain_all(&self, practice: &PracticeId, now: Timestamp) -> Result<u64, StoreError> {
        let (mut chained, mut lines) = (0, String::new());
        loop {
            let practice = practice.clone();
            let batch = self.write(move |tx| {
                let practice = practice.clone();
                Box::pin(async move { tx.chain(&practice, now).await })
            });
            let (entries, checkpoint) = match batch.await {
                Ok(batch) => batch,
                Err(error) => {
                    // What was signed before is copied all the same.
                    self.copy_checkpoints(lines).await?;
                    return Err(error);
                }
            };
            chained += entries;
            if let Some(checkpoint) = checkpoint {
                lines.push_str(&checkpoint.to_line());
                lines.push('\n');
            }
            if entries < BATCH_MAX as u64 {
                self.copy_checkpoints(lines).await?;
                return Ok(chained);
            }
        }
    }

    /// Appends checkpoints to the file of copies.
    async fn copy_checkpoints(&self, line: String) -> Result<(), StoreError> {
        if line.is_empty() {
            return Ok(());
        }
        let path = self.inner.data_dir.join(CHECKPOINT_FILE);
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

pub(super) fn linked(row: &Row) -> Result<Linked, StoreError> {
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
