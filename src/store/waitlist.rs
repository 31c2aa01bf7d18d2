//! What became free in a calendar, and to whom on the waitlist it was offered.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::PatientId;
use crate::domain::ids::PracticeId;
use crate::domain::ids::RequestId;
use crate::domain::ids::SlotId;
use crate::domain::record::Appointment;
use crate::domain::record::Slot;
use crate::policy::words::vocabulary;
use crate::seal::DataKey;
use crate::store::Store;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::record_writes::patient_hash;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const SCANNED: &str = "SELECT until FROM free_scan WHERE practice = $1";
const SCAN: &str = "INSERT INTO free_scan (practice, until) VALUES ($1, $2) \
    ON CONFLICT (practice) DO UPDATE SET until = excluded.until";
const FREE: &str = "SELECT slot, since FROM free_slot WHERE practice = $1";
const ADD_FREE: &str = "INSERT INTO free_slot (practice, slot, since) VALUES ($1, $2, $3) \
    ON CONFLICT (practice, slot) DO NOTHING";
const DROP_FREE: &str = "DELETE FROM free_slot WHERE practice = $1 AND slot = $2";
const ADD: &str = "INSERT INTO waitlist_offer (practice, id, slot, patient_hash, at, until, state, \
    sealed) VALUES ($1, $2, $3, $4, $5, $6, 'open', $7) ON CONFLICT DO NOTHING";
const ONE: &str = "SELECT * FROM waitlist_offer WHERE practice = $1 AND id = $2";
const LAST: &str = "SELECT * FROM waitlist_offer WHERE practice = $1 AND slot = $2 \
    AND patient_hash = $3 ORDER BY at DESC, id LIMIT 1";
const IN_STATE: &str =
    "SELECT * FROM waitlist_offer WHERE practice = $1 AND state = $2 ORDER BY at, id";
const SENT: &str =
    "UPDATE waitlist_offer SET until = $3 WHERE practice = $1 AND id = $2 AND state = 'open'";
const END: &str = "UPDATE waitlist_offer SET state = $3 WHERE practice = $1 AND id = $2";

const HOLD: &str = "INSERT INTO held_time (practice, what, patient_hash, start_at) \
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const HELD: &str = "SELECT what, patient_hash FROM held_time WHERE practice = $1";
const LET_GO: &str = "DELETE FROM held_time WHERE practice = $1 AND start_at < $2";

vocabulary! {
    /// Where the offer of a freed time stands.
    OfferState, "offer state" {
        /// Asked, or about to be.
        Open = "open",
        /// They took it; their place on the waitlist is still to be given back.
        Taken = "taken",
        /// They took it, and their place is given back.
        Settled = "settled",
        /// They passed; they keep their place.
        Declined = "declined",
        /// No answer came in time; they keep their place.
        Expired = "expired",
        /// They could not be asked now; they keep their place.
        Passed = "passed",
        /// The time was taken otherwise.
        Gone = "gone",
    }
}

/// A freed time, offered to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotOffer {
    /// Its id: the same slot, freed at the same moment, is offered once for a place.
    pub id: String,
    /// Which time.
    pub slot: SlotId,
    /// To whom.
    pub patient: PatientId,
    /// For which place on the waitlist.
    pub place: RequestId,
    /// Until when it is theirs to take.
    pub until: Timestamp,
    /// Where it stands.
    pub state: OfferState,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    patient: PatientId,
    place: RequestId,
}

impl Tx {
    /// Notes which times are free in a calendar that was looked at up to `until`; those that became
    /// free since it was looked at before, each with the moment when that was seen.
    async fn note_free(
        &mut self,
        practice: &PracticeId,
        free: &[(SlotId, Timestamp)],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<BTreeMap<SlotId, Timestamp>, StoreError> {
        let name = practice.as_str();
        let damage = |column| Inconsistency::on("free_slot").column(column);
        let before = match self.row(SCANNED, args![name]).await? {
            Some(row) => Some(instant(row.int("until")?, damage("until"))?),
            None => None,
        };
        let mut known = BTreeMap::new();
        for row in self.rows(FREE, args![name]).await? {
            known.insert(SlotId::new(row.text("slot")?), row.int("since")?);
        }
        let mut freed = BTreeMap::new();
        for (slot, start) in free {
            let since = match known.remove(slot) {
                Some(since) => since,
                None => {
                    // What lay beyond the days that were looked at may have been free for long.
                    let seen = before.is_some_and(|before| *start < before);
                    let since = if seen { now.as_microsecond() } else { 0 };
                    self.run(ADD_FREE, args![name, slot.as_str(), since])
                        .await?;
                    since
                }
            };
            if since > 0 {
                freed.insert(slot.clone(), instant(since, damage("since"))?);
            }
        }
        for slot in known.keys() {
            self.run(DROP_FREE, args![name, slot.as_str()]).await?;
        }
        self.run(SCAN, args![name, until]).await?;
        Ok(freed)
    }

    /// Begins an offer; none where it was made before, where the slot is being offered, or where the
    /// person is asked about another one.
    pub async fn begin_offer(
        &mut self,
        practice: &PracticeId,
        (slot, freed): (&SlotId, Timestamp),
        (patient, place_id): (&PatientId, &RequestId),
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let key = self.key(practice).await?;
        let name = practice.as_str();
        let what = format!("{slot}/{}/{place_id}", freed.as_microsecond());
        let id = hex::encode(key.lookup("waitlist-offer", what.as_bytes()));
        let content = Sealed {
            patient: patient.clone(),
            place: place_id.clone(),
        };
        let sealed = seal_json(
            &key,
            &place(name, "waitlist_offer", "sealed", &id),
            &content,
        )?;
        let row = args![
            name,
            id.as_str(),
            slot.as_str(),
            &patient_hash(&key, patient),
            now,
            until,
            sealed,
        ];
        Ok((self.run(ADD, row).await? == 1).then_some(id))
    }

    /// The offer with this id.
    pub async fn offer(
        &mut self,
        practice: &PracticeId,
        id: &str,
    ) -> Result<Option<SlotOffer>, StoreError> {
        match self.row(ONE, args![practice.as_str(), id]).await? {
            Some(row) => self.offer_from(practice, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The last offer of a slot to a person.
    pub async fn last_offer(
        &mut self,
        practice: &PracticeId,
        slot: &SlotId,
        patient: &PatientId,
    ) -> Result<Option<SlotOffer>, StoreError> {
        let key = self.key(practice).await?;
        let find = args![
            practice.as_str(),
            slot.as_str(),
            &patient_hash(&key, patient)
        ];
        match self.row(LAST, find).await? {
            Some(row) => self.offer_from(practice, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The offer leaves now and stands until then.
    pub async fn offer_sent(
        &mut self,
        practice: &PracticeId,
        id: &str,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(SENT, args![practice.as_str(), id, until])
            .await
            .map(drop)
    }

    /// Ends an offer, or takes a step behind its end.
    pub async fn set_offer(
        &mut self,
        practice: &PracticeId,
        id: &str,
        state: OfferState,
    ) -> Result<(), StoreError> {
        self.run(END, args![practice.as_str(), id, state.as_str()])
            .await
            .map(drop)
    }

    async fn offer_from(
        &mut self,
        practice: &PracticeId,
        row: &Row,
    ) -> Result<SlotOffer, StoreError> {
        let key = self.key(practice).await?;
        let id = row.text("id")?;
        let damage = |column| Inconsistency::on("waitlist_offer").column(column).row(&id);
        let place = place(practice.as_str(), "waitlist_offer", "sealed", &id);
        let it: Sealed = open_json(&key, &place, &row.blob("sealed")?, damage("sealed"))?;
        Ok(SlotOffer {
            slot: SlotId::new(row.text("slot")?),
            patient: it.patient,
            place: it.place,
            until: instant(row.int("until")?, damage("until"))?,
            state: word(&row.text("state")?, damage("state"))?,
            id,
        })
    }
}

/// Who of the waitlist had a visit at which time.
#[derive(Debug)]
pub struct Held {
    key: std::sync::Arc<DataKey>,
    rows: BTreeSet<(Vec<u8>, Vec<u8>)>,
}

impl Held {
    /// Whether this person had a visit at this time, by the slot or by the hour and with whom.
    pub fn by(&self, patient: &PatientId, slot: &Slot) -> bool {
        let whose = patient_hash(&self.key, patient).to_vec();
        let whats = [
            of_slot(&self.key, &slot.id),
            of_hour(&self.key, slot.start, &slot.provider),
        ];
        let mut whats = whats.into_iter();
        whats.any(|what| self.rows.contains(&(what.to_vec(), whose.clone())))
    }
}

fn of_slot(key: &DataKey, slot: &SlotId) -> [u8; 32] {
    key.lookup("held-slot", slot.as_str().as_bytes())
}

fn of_hour(key: &DataKey, start: Timestamp, provider: &str) -> [u8; 32] {
    let what = format!("{}/{provider}", start.as_second());
    key.lookup("held-hour", what.as_bytes())
}

impl Tx {
    /// Notes the visits that people on the waitlist have now; who has or had a visit when, as far as it
    /// is still to come.
    async fn note_held(
        &mut self,
        practice: &PracticeId,
        visits: &[Appointment],
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        let key = self.key(practice).await?;
        let name = practice.as_str();
        self.run(LET_GO, args![name, now]).await?;
        let mut rows = BTreeSet::new();
        for row in self.rows(HELD, args![name]).await? {
            rows.insert((row.blob("what")?, row.blob("patient_hash")?));
        }
        for visit in visits {
            let whose = patient_hash(&key, &visit.patient);
            let hour = of_hour(&key, visit.start, &visit.provider);
            let slot = visit.slot.as_ref().map(|slot| of_slot(&key, slot));
            for what in slot.into_iter().chain([hour]) {
                if rows.insert((what.to_vec(), whose.to_vec())) {
                    let row = args![name, &what, &whose, visit.start];
                    self.run(HOLD, row).await?;
                }
            }
        }
        Ok(Held { key, rows })
    }
}

impl Store {
    /// Notes the visits that people on the waitlist have now; who has or had a visit when, as far as it
    /// is still to come.
    pub async fn note_held(
        &self,
        practice: &PracticeId,
        visits: Vec<Appointment>,
        now: Timestamp,
    ) -> Result<Held, StoreError> {
        let wanted = (practice.clone(), std::sync::Arc::new(visits));
        self.write(move |tx| {
            let (practice, visits) = (wanted.0.clone(), std::sync::Arc::clone(&wanted.1));
            Box::pin(async move { tx.note_held(&practice, &visits, now).await })
        })
        .await
    }

    /// Notes which times are free in a calendar that was looked at up to `until`; those that became
    /// free since it was looked at before, each with the moment when that was seen.
    pub async fn note_free(
        &self,
        practice: &PracticeId,
        free: Vec<(SlotId, Timestamp)>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<BTreeMap<SlotId, Timestamp>, StoreError> {
        let wanted = (practice.clone(), std::sync::Arc::new(free));
        self.write(move |tx| {
            let (practice, free) = (wanted.0.clone(), std::sync::Arc::clone(&wanted.1));
            Box::pin(async move { tx.note_free(&practice, &free, until, now).await })
        })
        .await
    }

    /// The offers of a practice that stand so, oldest first.
    pub async fn offers(
        &self,
        practice: &PracticeId,
        state: OfferState,
    ) -> Result<Vec<SlotOffer>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .rows(IN_STATE, args![practice.as_str(), state.as_str()])
            .await?;
        let mut found = Vec::new();
        for row in &rows {
            found.push(tx.offer_from(practice, row).await?);
        }
        Ok(found)
    }

    /// The offer with this id.
    pub async fn slot_offer(
        &self,
        practice: &PracticeId,
        id: &str,
    ) -> Result<Option<SlotOffer>, StoreError> {
        self.read().await?.offer(practice, id).await
    }
}
