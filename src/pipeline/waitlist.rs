//! Waitlist: a time that became free is offered to who waits longest of those whom it suits, one person
//! at a time. The first YES books it; who passes or is silent keeps their place, and the next is asked.
//!
//! That a time became free is seen in the calendar itself, so that it does not matter who freed it: a
//! patient by text, the desk, or another system on the FHIR server.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent::facts;
use crate::agent::ports::RecordsError;
use crate::agent::sayings::{FREED, Freed, Told as ToldOf, WAITLIST};
use crate::agent::when;
use crate::audit::Entry;
use crate::domain::conversation::{Conversation, PendingKind, PendingQuestion, Turn};
use crate::domain::ids::{AppointmentId, PracticeId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Appointment, AppointmentStatus, Fact, Patient, Place, Slot};
use crate::domain::waiting::Errand;
use crate::pipeline::draft::Asking;
use crate::pipeline::house::House;
use crate::pipeline::plan::waiting;
use crate::pipeline::remind::{Fate, RECORD_DOWN};
use crate::pipeline::reply::Reply;
use crate::pipeline::told::{About, Told};
use crate::screen::Intent;
use crate::store::waitlist::{OfferState, SlotOffer};
use crate::store::{StoreError, Tx};

/// How far ahead freed times are looked for: further away, most people would rather plan themselves.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A time that begins sooner than this is offered to nobody: they have to answer, and to come.
const LEAD: SignedDuration = SignedDuration::from_hours(2);

/// Free times that are read at once: some providers' calendars of a month.
const SLOTS_MAX: usize = 2_000;

/// The shortest span in which a calendar is asked for one time.
const INSTANT: SignedDuration = SignedDuration::from_secs(1);

impl House {
    /// Ends offers whose time is over and offers what became free; how many were begun.
    pub(crate) async fn offer_freed(
        self: &Arc<Self>,
        practice: &Practice,
        minutes: u32,
        now: Timestamp,
    ) -> Result<Result<u64, RecordsError>, StoreError> {
        let horizon = now + AHEAD;
        let slots = self
            .records()
            .slots(&practice.id, now, horizon, SLOTS_MAX)
            .await;
        let slots = match slots {
            Ok(slots) => slots,
            Err(why) => return Ok(Err(why)),
        };
        let whole = slots.len() < SLOTS_MAX;
        let last = slots.last().map_or(horizon, |slot| slot.start);
        let seen_until = if whole { horizon } else { last };
        let free = slots.iter().map(|it| (it.id.clone(), it.start)).collect();
        let freed = self
            .store()
            .note_free(&practice.id, free, seen_until, now)
            .await?;
        let asked = self.settle_offers(practice, &slots, now).await?;
        let Ok(zone) = TimeZone::get(&practice.timezone) else {
            return Ok(Ok(0));
        };
        let places = match self.records().waitlist(&practice.id).await {
            Ok(places) if places.is_empty() => return Ok(Ok(0)),
            Ok(places) => places,
            Err(why) => return Ok(Err(why)),
        };
        // Who gives a time up is not asked whether they want it.
        let visits = self
            .records()
            .visits_between(&practice.id, now, seen_until)
            .await;
        let mut visits = match visits {
            Ok(visits) => visits,
            Err(why) => return Ok(Err(why)),
        };
        visits.retain(|it| places.iter().any(|place| place.patient == it.patient));
        let held = self.store().note_held(&practice.id, visits, now).await?;
        let soon = now + LEAD;
        let mut open = Vec::new();
        for slot in &slots {
            if let Some(since) = freed.get(&slot.id)
                && slot.start >= soon
                && !asked.contains(&slot.id)
            {
                open.push((slot, *since));
            }
        }
        if open.is_empty() {
            return Ok(Ok(0));
        }
        let mut begun = 0;
        for (slot, since) in open {
            for place in &places {
                if wants(place, slot, since, &zone)
                    && !held.by(&place.patient, slot)
                    && self
                        .offer(practice, (slot, since), place, (minutes, now))
                        .await?
                {
                    begun += 1;
                    break;
                }
            }
        }
        Ok(Ok(begun))
    }

    /// Offers one time to one person, unless they were offered it before or cannot be texted at all.
    async fn offer(
        self: &Arc<Self>,
        practice: &Practice,
        (slot, since): (&Slot, Timestamp),
        place: &Place,
        (minutes, now): (u32, Timestamp),
    ) -> Result<bool, StoreError> {
        let until = now + SignedDuration::from_mins(i64::from(minutes));
        let wanted = (practice.id.clone(), slot.id.clone(), place.clone());
        let id = self
            .store()
            .write(move |tx| {
                let (practice, slot, place) = wanted.clone();
                Box::pin(async move {
                    let what = (&slot, since);
                    let whose = (&place.patient, &place.filed.id);
                    let id = tx.begin_offer(&practice, what, whose, until, now).await?;
                    if let Some(id) = &id {
                        let entry = entry(&practice, id, OfferState::Open, now);
                        tx.append_audit(&entry).await?;
                    }
                    Ok(id)
                })
            })
            .await?;
        let Some(id) = id else {
            return Ok(false);
        };
        let errand = Errand::Offer {
            patient: place.patient.clone(),
            offer: id.clone(),
            slot: slot.id.clone(),
            start: slot.start,
            minutes,
        };
        let asked = self
            .ask_for(practice, errand, format!("offer/{id}"))
            .await?;
        if !asked {
            self.close_offer(practice, id, OfferState::Passed, now)
                .await?;
        }
        Ok(asked)
    }

    /// Ends the offers that nobody answered in time or whose time is taken, and gives back the places of
    /// those who took theirs. The slots that are still on offer.
    async fn settle_offers(
        &self,
        practice: &Practice,
        slots: &[Slot],
        now: Timestamp,
    ) -> Result<BTreeSet<SlotId>, StoreError> {
        let mut asked = BTreeSet::new();
        for offer in self.store().offers(&practice.id, OfferState::Open).await? {
            let ended = if offer.until <= now {
                Some(OfferState::Expired)
            } else if slots.iter().all(|slot| slot.id != offer.slot) {
                Some(OfferState::Gone)
            } else {
                None
            };
            match ended {
                Some(state) => self.close_offer(practice, offer.id, state, now).await?,
                None => {
                    asked.insert(offer.slot);
                }
            }
        }
        for offer in self.store().offers(&practice.id, OfferState::Taken).await? {
            let key = format!("waitlist/{}", offer.id);
            let given = self
                .records()
                .withdraw(&practice.id, &offer.patient, &offer.place, &key)
                .await;
            match given {
                // Gone already, or staff are at it: as good.
                Ok(()) | Err(RecordsError::NotFound | RecordsError::Conflict) => {
                    self.close_offer(practice, offer.id, OfferState::Settled, now)
                        .await?;
                }
                Err(RecordsError::Unavailable | RecordsError::Failed(_)) => {}
            }
        }
        Ok(asked)
    }

    /// The reply to a YES to a time whose offer was over, and that is now another's to take: they were
    /// asked since. None where the YES stands, also a late one to a time that nobody else was asked about.
    pub(crate) async fn passed_on(&self, asking: &Asking<'_>) -> Result<Option<Reply>, StoreError> {
        let conversation = asking.conversation;
        let open = conversation.pending.as_ref();
        let slot = open
            .filter(|it| it.kind == PendingKind::SlotOffer)
            .and_then(|it| it.slots.first());
        let (Some(slot), Some(patient)) = (slot, asking.patient) else {
            return Ok(None);
        };
        let yes = |turn: &Turn| turn.intent == Intent::Confirm.as_str();
        if !waiting(asking.turns).all(yes) {
            return Ok(None);
        }
        let offers = self
            .store()
            .offers(&conversation.practice, OfferState::Open)
            .await?;
        let others =
            |it: &SlotOffer| it.slot == *slot && it.patient != patient.id && it.until > asking.now;
        if !offers.iter().any(others) {
            return Ok(None);
        }
        let value = "passed_on".to_owned();
        Ok(Some(self.said(asking, WAITLIST, &ToldOf { value })))
    }

    async fn close_offer(
        &self,
        practice: &Practice,
        id: String,
        state: OfferState,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = practice.id.clone();
        self.store()
            .write(move |tx| {
                let (practice, id) = (practice.clone(), id.clone());
                Box::pin(async move { end_offer(tx, &practice, &id, state, now).await })
            })
            .await
    }

    /// The time, if it is free at this moment.
    pub(crate) async fn free_now(
        &self,
        practice: &Practice,
        slot: &SlotId,
        start: Timestamp,
    ) -> Result<Option<Slot>, RecordsError> {
        let found = self
            .records()
            .slots(&practice.id, start, start + INSTANT, SLOTS_MAX);
        Ok(found.await?.into_iter().find(|it| it.id == *slot))
    }

    fn freed_words(
        &self,
        about: &About<'_>,
        slot: &Slot,
        instead: Option<&Appointment>,
        (zone, until): (&TimeZone, String),
    ) -> Option<String> {
        let language = about.conversation.language;
        let words = Freed {
            practice: about.practice.said_name(language).to_owned(),
            when: when::spoken(slot.start, zone, language),
            provider: slot.provider.clone(),
            instead: instead
                .map(|it| when::spoken(it.start, zone, language))
                .unwrap_or_default(),
            until,
        };
        let wording = self.wording(about.conversation).wording;
        wording.prompts().ok()?.say(language, FREED, &words).ok()
    }

    /// What is said of a freed time, by the calendar and the waitlist of this moment.
    pub(crate) async fn freed_told(
        &self,
        about: &About<'_>,
        errand: &Errand,
        mut known: Vec<Fact>,
    ) -> Result<Told, Fate> {
        let later = |_unavailable| Fate::Wait(about.now + RECORD_DOWN);
        let end = |outcome| Fate::End {
            outcome,
            staff: false,
        };
        let Errand::Offer {
            offer,
            slot,
            start,
            minutes,
            ..
        } = errand
        else {
            return Err(end("not an offer"));
        };
        let (practice, patient, now) = (about.practice, about.patient, about.now);
        let kept = self.store().slot_offer(&practice.id, offer).await;
        let kept = kept.ok().flatten();
        let Some(kept) = kept.filter(|it| it.state == OfferState::Open) else {
            return Err(end("the offer is over"));
        };
        if about.conversation.speaker.shared {
            return Err(end("several people at this number"));
        }
        let slot = self.free_now(practice, slot, *start).await.map_err(later)?;
        let slot = slot.ok_or_else(|| end("the time is taken"))?;
        let kind = crate::domain::record::RequestKind::Waitlist;
        let places = self.records().filed(&practice.id, &patient.id, kind);
        if !places
            .await
            .map_err(later)?
            .iter()
            .any(|it| it.id == kept.place)
        {
            return Err(end("not on the waitlist any more"));
        }
        let ahead = self.records().appointments(&practice.id, &patient.id, now);
        let mut ahead = ahead.await.map_err(later)?.into_iter();
        // Who waits for an earlier time with somebody wants that visit to move.
        let instead = ahead.find(|it| it.provider == slot.provider && it.start > slot.start);
        let zone = TimeZone::get(&practice.timezone).map_err(|_unknown| end("no time zone"))?;
        let language = about.conversation.language;
        let until = now + SignedDuration::from_mins(i64::from(*minutes));
        let until = when::clock(&until.to_zoned(zone.clone()), language);
        known.extend(facts::of_slot(&slot, &zone));
        known.push(Fact::new("practice.offer_until", until.as_str()));
        if let Some(visit) = &instead {
            known.extend(facts::of_visit(visit, &zone));
        }
        let at = (&zone, until);
        let text = self.freed_words(about, &slot, instead.as_ref(), at);
        let text = text.ok_or_else(|| end("the offer cannot be written"))?;
        let question = PendingQuestion {
            kind: PendingKind::SlotOffer,
            appointment: instead.map(|it| it.id),
            slots: vec![slot.id],
            visits: Vec::new(),
            asked: now,
        };
        Ok((text, known, Some(question)))
    }
}

/// Whether a time that became free then suits somebody who waited for it already.
fn wants(place: &Place, slot: &Slot, since: Timestamp, zone: &TimeZone) -> bool {
    let wish = &place.filed.request;
    place.filed.at <= since
        && wish.from.is_none_or(|from| from <= slot.start)
        && wish.to.is_none_or(|to| slot.start < to)
        && wish.suits.takes(slot, zone)
}

/// An offer is made at once or not at all: while one person cannot be asked, the next can.
pub(crate) fn at_once(offers: bool, fate: Fate) -> Fate {
    match fate {
        Fate::Ask(_) | Fate::Wait(_) if offers => Fate::End {
            outcome: "cannot be asked now",
            staff: false,
        },
        Fate::End { outcome, .. } if offers => Fate::End {
            outcome,
            staff: false,
        },
        other @ (Fate::Send(_) | Fate::Ask(_) | Fate::Wait(_) | Fate::End { .. }) => other,
    }
}

/// The visit that a time would be: of no kind that is known yet.
pub(crate) fn would_be(patient: &Patient, slot: &Slot) -> Appointment {
    Appointment {
        id: AppointmentId::new(slot.id.as_str()),
        patient: patient.id.clone(),
        start: slot.start,
        end: slot.end,
        provider: slot.provider.clone(),
        location: slot.location.clone(),
        reason: Phi::default(),
        preparation: Phi::default(),
        status: AppointmentStatus::Booked,
        slot: Some(slot.id.clone()),
    }
}

/// Keeps what became of the offer that is open in a conversation, by the answer to the texts in it.
pub(crate) async fn answered(
    tx: &mut Tx,
    conversation: &Conversation,
    reply: &Reply,
    now: Timestamp,
) -> Result<(), StoreError> {
    let open = conversation.pending.as_ref();
    let open = open.filter(|it| it.kind == PendingKind::SlotOffer && !reply.answers.is_empty());
    let slot = open.and_then(|it| it.slots.first());
    let (Some(slot), Some(patient)) = (slot, &conversation.patient) else {
        return Ok(());
    };
    let practice = &conversation.practice;
    let Some(offer) = tx.last_offer(practice, slot, patient).await? else {
        return Ok(());
    };
    let tools = reply.detail.get("tools").and_then(|it| it.as_array());
    let writes = ["book_appointment", "reschedule_appointment"];
    let mut tried = tools
        .into_iter()
        .flatten()
        .filter(|it| it["name"].as_str().is_some_and(|it| writes.contains(&it)))
        .map(|it| it["ok"] == true);
    let state = match (tried.next(), offer.state) {
        (Some(true), _) => OfferState::Taken,
        (Some(false), OfferState::Open) => OfferState::Gone,
        (None, OfferState::Open) => OfferState::Declined,
        _ => return Ok(()),
    };
    end_offer(tx, practice, &offer.id, state, now).await
}

/// Ends an offer, with its audit entry.
pub(crate) async fn end_offer(
    tx: &mut Tx,
    practice: &PracticeId,
    id: &str,
    state: OfferState,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.set_offer(practice, id, state).await?;
    metrics::counter!("anteroom_waitlist_offers_total", "state" => state.as_str()).increment(1);
    tx.append_audit(&entry(practice, id, state, now)).await
}

/// The id is a keyed hash: it names nobody.
fn entry(practice: &PracticeId, id: &str, state: OfferState, now: Timestamp) -> Entry {
    let subject = format!("waitlist/{}", id.get(..16).unwrap_or(id));
    let detail = serde_json::json!({ "state": state.as_str() });
    Entry::new(
        practice,
        now,
        "anteroom",
        "waitlist.offer",
        &subject,
        &detail,
    )
}
