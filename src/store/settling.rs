//! Settling: texts whose end nobody reported, and finished ones whose words still lie at a carrier.

use jiff::Timestamp;

use crate::domain::conversation::OutboxRow;
use crate::domain::ids::OutboxId;
use crate::domain::ids::PracticeId;
use crate::domain::message::Delivery;
use crate::domain::practice::CarrierKind;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::open_text;
use crate::store::tx::place;
use crate::store::tx::word;

const UNSETTLED: &str = "SELECT o.id, o.practice, o.carrier_ref FROM outbox o \
    JOIN conversation c ON c.id = o.conversation WHERE c.carrier = $1 AND o.carrier_ref IS NOT NULL \
    AND o.delivery IN ('accepted', 'queued', 'sending', 'sent') AND o.at BETWEEN $3 AND $4 \
    AND o.id > $5 AND o.practice = $6 ORDER BY o.id LIMIT $2";
const IN_DOUBT: &str = "SELECT o.id FROM outbox o JOIN conversation c ON c.id = o.conversation \
    WHERE o.practice = $1 AND c.carrier = $2 AND o.delivery = 'unknown' \
    AND o.carrier_hash IS NULL AND o.at >= $3 ORDER BY o.id LIMIT $4";
const FAIL_UNKNOWN: &str = "UPDATE outbox SET delivery = 'failed', code = $2 \
    WHERE id = $1 AND delivery = 'unknown' AND carrier_hash IS NULL";
const STANDINGS: &str = "SELECT c.carrier, o.delivery, o.code, \
    CAST(CASE WHEN o.carrier_hash IS NULL THEN 0 ELSE 1 END AS BIGINT) AS taken, \
    CAST(count(*) AS BIGINT) AS count, CAST(sum(t.segments) AS BIGINT) AS segments \
    FROM outbox o JOIN conversation c ON c.id = o.conversation JOIN turn t ON t.id = o.turn \
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
const REDACTABLE: &str = "SELECT o.id, o.practice, o.carrier_ref, c.carrier FROM outbox o \
    JOIN conversation c ON c.id = o.conversation WHERE o.redact_due <= $1 \
    AND o.carrier_ref IS NOT NULL ORDER BY o.redact_due LIMIT $2";
const REDACT_DUE: &str = "UPDATE outbox SET redact_due = $2 WHERE id = $1";

/// How many texts stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who carries.
    pub carrier: CarrierKind,
    /// Where.
    pub delivery: Delivery,
    /// With which code; empty where there is none.
    pub code: String,
    /// Whether the carrier took it.
    pub taken: bool,
    /// How many.
    pub count: i64,
    /// How many segments they take together.
    pub segments: i64,
}

impl Store {
    /// How many texts stand where, and with which code.
    pub async fn standings(&self) -> Result<Vec<Standing>, StoreError> {
        let mut tx = self.read().await?;
        let mut standings = Vec::new();
        for row in tx.rows(STANDINGS, args![]).await? {
            let damage = |column| Inconsistency::on("outbox").column(column);
            standings.push(Standing {
                carrier: word(&row.text("carrier")?, damage("carrier"))?,
                delivery: word(&row.text("delivery")?, damage("delivery"))?,
                code: row.text("code")?,
                taken: row.int("taken")? == 1,
                count: row.int("count")?,
                segments: row.int_opt("segments")?.unwrap_or(0),
            });
        }
        Ok(standings)
    }

    /// Texts of a practice, enqueued between two instants, that a carrier took and of which no end
    /// is known, oldest first and newer than `after`, with the carrier's ids.
    pub async fn unsettled(
        &self,
        (practice, carrier): (&PracticeId, CarrierKind),
        (after, limit): (OutboxId, u32),
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Vec<(OutboxId, String)>, StoreError> {
        let mut tx = self.read().await?;
        let mut unsettled = Vec::new();
        let find = args![
            carrier.as_str(),
            i64::from(limit),
            from,
            to,
            after.0,
            practice.as_str(),
        ];
        for row in tx.rows(UNSETTLED, find).await? {
            let carrier_id = tx.carrier_id_of(&row).await?;
            unsettled.push((OutboxId(row.int("id")?), carrier_id));
        }
        Ok(unsettled)
    }

    /// Texts of a practice, enqueued since then, that were left in doubt, oldest first.
    pub async fn in_doubt(
        &self,
        (practice, carrier): (&PracticeId, CarrierKind),
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let mut tx = self.read().await?;
        let find = args![practice.as_str(), carrier.as_str(), since, i64::from(limit)];
        let mut found = Vec::new();
        for row in tx.rows(IN_DOUBT, find).await? {
            found.extend(tx.outbox(OutboxId(row.int("id")?)).await?);
        }
        Ok(found)
    }

    /// Finished texts whose words are due to be taken off their carrier's books.
    pub async fn redactable(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Redactable>, StoreError> {
        let mut tx = self.read().await?;
        let mut found = Vec::new();
        for row in tx.rows(REDACTABLE, args![now, i64::from(limit)]).await? {
            let id = row.int("id")?;
            let damage = Inconsistency::on("conversation").column("carrier").row(id);
            found.push(Redactable {
                outbox: OutboxId(id),
                carrier: word(&row.text("carrier")?, damage)?,
                carrier_id: tx.carrier_id_of(&row).await?,
                practice: PracticeId::new(row.text("practice")?),
            });
        }
        Ok(found)
    }

    /// Sets when a text is looked at again for redaction; none when that is done.
    pub async fn redact_again(
        &self,
        id: OutboxId,
        due: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move { tx.run(REDACT_DUE, args![id.0, due]).await.map(drop) })
        })
        .await
    }
}

/// A finished text whose words still lie at its carrier.
#[derive(Clone, Debug)]
pub struct Redactable {
    /// Which.
    pub outbox: OutboxId,
    /// Whose.
    pub practice: PracticeId,
    /// Where.
    pub carrier: CarrierKind,
    /// Under which id.
    pub carrier_id: String,
}

impl Tx {
    /// Ends a text in doubt that the carrier proved not to have. False when it has an end already.
    pub async fn fail_unknown(&mut self, id: OutboxId, code: &str) -> Result<bool, StoreError> {
        Ok(self.run(FAIL_UNKNOWN, args![id.0, code]).await? == 1)
    }

    /// The carrier's id of a text, from a row with its `carrier_ref`.
    async fn carrier_id_of(&mut self, row: &Row) -> Result<String, StoreError> {
        let (id, practice) = (row.int("id")?, row.text("practice")?);
        let key = self.key_for_row(&practice).await?;
        let spelled = id.to_string();
        open_text(
            &key,
            &place(&practice, "outbox", "carrier_ref", &spelled),
            &row.blob("carrier_ref")?,
            Inconsistency::on("outbox").column("carrier_ref").row(id),
        )
    }
}
