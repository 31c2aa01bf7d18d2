//! The pace of each number: when it may text again, and how much of its day is used.

use jiff::Timestamp;

use crate::domain::conversation::OutboxRow;
use crate::domain::ids::PracticeId;
use crate::domain::practice::CarrierKind;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;

/// The place in the line of one number: whoever comes takes the next free instant and moves it on.
const RESERVE: &str = "INSERT INTO pace (practice, sender_hash, next, day, segments) \
    VALUES ($1, $2, $3 + $4, $5, $6) ON CONFLICT (practice, sender_hash) DO UPDATE SET \
    next = CASE WHEN pace.next > $3 THEN pace.next ELSE $3 END + $4, \
    segments = CASE WHEN pace.day = $5 THEN pace.segments ELSE 0 END + $6, day = $5 \
    RETURNING next, segments";
const PUT_OFF: &str = "UPDATE outbox SET leased_until = 0, due = $3, slot = $4, \
    attempts = attempts - 1 WHERE id = $1 AND lease = $2 AND due IS NOT NULL";
const SINCE: &str = "SELECT at FROM caught_up WHERE practice = $1 AND carrier = $2";
const MARK: &str = "INSERT INTO caught_up (practice, carrier, at) VALUES ($1, $2, $3) \
    ON CONFLICT (practice, carrier) DO UPDATE SET at = excluded.at";

/// A place in the line of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When it is free.
    pub at: Timestamp,
    /// Segments of this number today, these included.
    pub today: i64,
}

impl Tx {
    /// Takes the next place in the line of a number that needs `cost` microseconds for a text of
    /// so many segments, on the day with this number.
    pub async fn reserve(
        &mut self,
        (practice, carrier, number): (&PracticeId, CarrierKind, &str),
        now: Timestamp,
        (cost, segments): (i64, i64),
        day: i64,
    ) -> Result<Slot, StoreError> {
        let key = self.key(practice).await?;
        let hash = key.lookup(carrier.as_str(), number.as_bytes());
        let line = args![practice.as_str(), &hash, now, cost, day, segments];
        let damage = Inconsistency::on("pace")
            .column("next")
            .row(practice.as_str());
        let row = self.row(RESERVE, line).await?;
        let row = row.ok_or_else(|| damage.clone())?;
        Ok(Slot {
            at: instant(row.int("next")?.saturating_sub(cost), damage)?,
            today: row.int("segments")?,
        })
    }

    /// Gives a text back until `due` without counting the try; with a place in its number's line,
    /// it goes then without asking again. False when the lease is lost.
    pub async fn put_off(
        &mut self,
        row: &OutboxRow,
        due: Timestamp,
        slot: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let later = args![row.id.0, row.lease, due, slot];
        Ok(self.run(PUT_OFF, later).await? == 1)
    }
}

impl Store {
    /// Up to when the carrier's list was read; none before the first time.
    pub async fn caught_up(
        &self,
        practice: &PracticeId,
        carrier: CarrierKind,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut tx = self.read().await?;
        let find = args![practice.as_str(), carrier.as_str()];
        match tx.row(SINCE, find).await? {
            Some(row) => {
                let damage = Inconsistency::on("caught_up").column("at");
                instant(row.int("at")?, damage).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Keeps up to when the carrier's list was read.
    pub async fn mark_caught_up(
        &self,
        practice: &PracticeId,
        carrier: CarrierKind,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = practice.as_str().to_owned();
        self.write(move |tx| {
            let mark = args![practice.as_str(), carrier.as_str(), at];
            Box::pin(async move { tx.run(MARK, mark).await.map(drop) })
        })
        .await
    }
}
