//! Tools on the patient's visits: list, confirm, cancel after YES, find times, move.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::agent::facts;
use crate::agent::ports::{Records, RecordsError};
use crate::agent::tools::{CheckedCall, HandOver, Scene, SlotWish, ToolResult};
use crate::agent::when;
use crate::domain::conversation::{PendingKind, PendingQuestion};
use crate::domain::ids::{AppointmentId, SlotId};
use crate::domain::record::{Appointment, AppointmentStatus, Fact, NewVisit, Patient, Slot};

/// Times offered in one text: three fit two segments and are answered by one digit.
const OFFERS_MAX: usize = 3;
/// How far around the wished days other times are looked for.
const NEARBY_DAYS: i64 = 21;
/// Slots read at once: several providers' free times over the days around.
const SLOTS_READ_MAX: usize = 400;
/// So often it is read on where none of those fits.
const READS_MAX: usize = 8;
/// The days before the wished ones, from the nearest.
const BEFORE_DAYS: [(i64, i64); 3] = [(1, 3), (4, 10), (11, NEARBY_DAYS)];
/// Visits listed in one text.
const VISITS_MAX: usize = 3;
/// How long after its start a visit still counts as upcoming: the patient who is late asks about it.
const STARTED_AGO: SignedDuration = SignedDuration::from_mins(30);

/// One call on the calendar of one patient.
pub(super) struct Calendar<'a> {
    pub(super) call: &'a CheckedCall,
    pub(super) scene: &'a Scene<'a>,
    pub(super) patient: &'a Patient,
    pub(super) records: &'a dyn Records,
}

impl Calendar<'_> {
    /// Upcoming visits.
    pub(super) async fn list(&self) -> ToolResult {
        let visits = match self.visits().await {
            Ok(visits) => visits,
            Err(why) => return ToolResult::failed(self.call, why),
        };
        let listed: Vec<_> = visits
            .iter()
            .take(VISITS_MAX)
            .map(|visit| self.visit_json(visit))
            .collect();
        let mut result = ToolResult::new(self.call, true, &json!({ "appointments": listed }));
        for visit in visits.iter().take(VISITS_MAX) {
            result
                .facts
                .extend(facts::of_visit(visit, &self.scene.zone));
            result.seen.appointments.insert(visit.id.clone());
        }
        result
    }

    /// Confirms a visit; `receipt.confirmed`.
    pub(super) async fn confirm(&self, id: &AppointmentId) -> ToolResult {
        self.set(id, AppointmentStatus::Confirmed, "receipt.confirmed")
            .await
    }

    /// Asks for YES, or cancels once it came; `receipt.cancelled`.
    pub(super) async fn cancel(&self, id: &AppointmentId, agreed: bool) -> ToolResult {
        if agreed {
            let mut result = self
                .set(id, AppointmentStatus::Cancelled, "receipt.cancelled")
                .await;
            let start = result.ok.then_some(result.visit_start).flatten();
            if start.is_some_and(|start| self.is_late(start)) {
                result.handover = Some(HandOver::LateCancel);
            }
            return result;
        }
        let visit = match self.own(id).await {
            Ok(visit) => visit,
            Err(why) => return ToolResult::failed(self.call, why),
        };
        let mut asked = json!({
            "needs": "YES",
            "say": "Not cancelled yet. Name the visit and ask to reply YES.",
            "appointment": self.visit_json(&visit),
        });
        let late = self.is_late(visit.start);
        if let (true, Some(asked)) = (late, asked.as_object_mut()) {
            let hours = self.scene.practice.cancel_notice_h;
            asked.insert("late_notice_h".to_owned(), hours.into());
        }
        let mut result = ToolResult::new(self.call, true, &asked);
        result.facts = facts::of_visit(&visit, &self.scene.zone);
        if late {
            let hours = self.scene.practice.cancel_notice_h;
            for word in ["hours", "horas"] {
                let fact = Fact::new("practice.cancel_notice", format!("{hours} {word}"));
                result.facts.push(fact);
            }
        }
        result.pending = Some(PendingQuestion {
            kind: PendingKind::CancelConfirm,
            appointment: Some(id.clone()),
            slots: Vec::new(),
            visits: Vec::new(),
            asked: self.scene.now,
        });
        result
    }

    /// Up to three free times.
    pub(super) async fn find(&self, wish: &SlotWish) -> ToolResult {
        let visit = match &wish.appointment {
            Some(id) => match self.own(id).await {
                Ok(visit) => Some(visit),
                Err(why) => return ToolResult::failed(self.call, why),
            },
            None => None,
        };
        match self.free(wish, visit.as_ref()).await {
            Ok((slots, exact)) => self.offer(&slots, exact, wish.appointment.as_ref(), None),
            Err(why) => ToolResult::failed(self.call, why),
        }
    }

    /// Moves a visit; `receipt.rescheduled`. A slot that is gone leads to the next ones.
    pub(super) async fn reschedule(&self, id: &AppointmentId, slot: &SlotId) -> ToolResult {
        let scene = self.scene;
        let key = format!("{}/move/{id}/{slot}", scene.key);
        let moved = self
            .records
            .reschedule(&scene.practice.id, &self.patient.id, id, slot, &key)
            .await;
        match moved {
            Ok(visit) => {
                let told = json!({ "moved": true, "appointment": self.visit_json(&visit) });
                let mut result = ToolResult::new(self.call, true, &told);
                result.facts = facts::of_visit(&visit, &scene.zone);
                result.facts.push(Fact::new(
                    "receipt.rescheduled",
                    when::rfc3339(visit.start, &scene.zone),
                ));
                result
            }
            Err(RecordsError::Conflict | RecordsError::NotFound) => self.taken(Some(id)).await,
            Err(why @ (RecordsError::Unavailable | RecordsError::Failed(_))) => {
                ToolResult::failed(self.call, why)
            }
        }
    }

    /// Books a new visit; `receipt.booked`. A slot that is gone leads to the next ones.
    pub(super) async fn book(&self, slot: &SlotId, kind: &str) -> ToolResult {
        let scene = self.scene;
        let key = format!("{}/book/{slot}", scene.key);
        let wanted = NewVisit {
            slot: slot.clone(),
            kind: kind.to_owned(),
            reason: scene.words.clone(),
        };
        let booked = self
            .records
            .book(&scene.practice.id, &self.patient.id, &wanted, &key)
            .await;
        match booked {
            Ok(visit) => {
                let told = json!({ "booked": true, "appointment": self.visit_json(&visit) });
                let mut result = ToolResult::new(self.call, true, &told);
                result.facts = facts::of_visit(&visit, &scene.zone);
                result.facts.push(Fact::new(
                    "receipt.booked",
                    when::rfc3339(visit.start, &scene.zone),
                ));
                result
            }
            Err(RecordsError::Conflict | RecordsError::NotFound) => self.taken(None).await,
            Err(why @ (RecordsError::Unavailable | RecordsError::Failed(_))) => {
                ToolResult::failed(self.call, why)
            }
        }
    }

    /// The instants between which days lie; a day that is out of the calendar is no bound.
    pub(super) fn between(
        &self,
        from: Option<Date>,
        to: Option<Date>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let end = to.map(|to| to.saturating_add(1.day()));
        (
            from.and_then(|day| self.midnight(day).ok()),
            end.and_then(|day| self.midnight(day).ok()),
        )
    }

    async fn set(
        &self,
        id: &AppointmentId,
        status: AppointmentStatus,
        receipt: &str,
    ) -> ToolResult {
        // No look before the leap: the record binds the visit to the patient, and a repeated turn
        // must meet its own key, not the visit that it has changed already.
        let scene = self.scene;
        let key = format!("{}/{status}/{id}", scene.key);
        let set = || {
            self.records
                .set_status(&scene.practice.id, &self.patient.id, id, status, &key)
        };
        let done = match set().await {
            // Somebody changed something of the visit at this instant: it is read anew, once.
            Err(RecordsError::Conflict) => set().await,
            done => done,
        };
        match done {
            Ok(visit) => {
                let told =
                    json!({ "done": status.as_str(), "appointment": self.visit_json(&visit) });
                let mut result = ToolResult::new(self.call, true, &told);
                result.visit_start = Some(visit.start);
                result.facts = facts::of_visit(&visit, &scene.zone);
                result
                    .facts
                    .push(Fact::new(receipt, when::rfc3339(visit.start, &scene.zone)));
                result
            }
            Err(why) => ToolResult::failed(self.call, why),
        }
    }

    /// The offered times that are still free come first, then others near the first of them.
    async fn taken(&self, id: Option<&AppointmentId>) -> ToolResult {
        let visit = match id {
            None => None,
            Some(id) => match self.own(id).await {
                Ok(visit) => Some(visit),
                Err(why) => return ToolResult::failed(self.call, why),
            },
        };
        let today = self.day(self.scene.now);
        let far = today.saturating_add((NEARBY_DAYS * 2).days());
        let slots = match self.read((today, far), |_| true).await {
            Ok(slots) => slots,
            Err(why) => return ToolResult::failed(self.call, why),
        };
        let (mut next, others): (Vec<Slot>, Vec<Slot>) = slots
            .into_iter()
            .partition(|slot| self.scene.offered.contains(&slot.id));
        let before = visit.as_ref().map_or(self.scene.now, |visit| visit.start);
        let wished = next.first().map_or(before, |slot| slot.start);
        next.extend(nearest(
            others,
            self.day(wished),
            |slot| self.day(slot.start),
            SLOTS_READ_MAX,
        ));
        once_each(&mut next);
        next.truncate(OFFERS_MAX);
        next.sort_by_key(|slot| slot.start);
        let moving = visit.as_ref().map(|visit| &visit.id);
        self.offer(&next, false, moving, Some("taken"))
    }

    fn offer(
        &self,
        slots: &[Slot],
        exact: bool,
        appointment: Option<&AppointmentId>,
        error: Option<&str>,
    ) -> ToolResult {
        let scene = self.scene;
        let listed: Vec<_> = slots
            .iter()
            .zip(1..)
            .map(|(slot, number): (_, u8)| {
                json!({
                    "number": number,
                    "slot_id": slot.id.as_str(),
                    "when": when::offered(slot.start, &scene.zone, scene.language),
                    "provider": slot.provider,
                    "location": slot.location,
                })
            })
            .collect();
        let told = json!({
            "on_wished_days": exact,
            "error": error,
            "new_visit": appointment.is_none(),
            "slots": listed,
        });
        let mut result = ToolResult::new(self.call, error.is_none(), &told);
        for slot in slots {
            result.facts.extend(facts::of_slot(slot, &scene.zone));
            result.seen.slots.insert(slot.id.clone());
        }
        if !slots.is_empty() {
            // Without a visit to be moved, the number books a new one.
            result.pending = Some(PendingQuestion {
                kind: PendingKind::RescheduleChoice,
                appointment: appointment.cloned(),
                slots: slots.iter().map(|slot| slot.id.clone()).collect(),
                visits: Vec::new(),
                asked: scene.now,
            });
        }
        result
    }

    /// Free times on the wished days, else on the nearest ones; the same provider first.
    async fn free(
        &self,
        wish: &SlotWish,
        visit: Option<&Appointment>,
    ) -> Result<(Vec<Slot>, bool), RecordsError> {
        let today = self.day(self.scene.now);
        let from = wish.from.max(today);
        let to = wish.to.max(from);
        let fits = |slot: &Slot| wish.suits.takes(slot, &self.scene.zone);
        let on_days = self.read((from, to), fits).await?;
        let exact = !on_days.is_empty();
        let mut slots = if exact {
            on_days
        } else {
            let mut around = Vec::new();
            let after = to.saturating_add(1.day());
            around.extend(
                self.read((after, to.saturating_add(NEARBY_DAYS.days())), fits)
                    .await?,
            );
            // Backwards in steps, for a record tells the soonest first and the latest are the nearest.
            for (near, far) in BEFORE_DAYS {
                let first = from.saturating_sub(far.days()).max(today);
                let last = from.saturating_sub(near.days());
                if last < today || around.iter().any(|slot| self.day(slot.start) < from) {
                    break;
                }
                around.extend(self.read((first, last), fits).await?);
            }
            nearest(around, from, |slot| self.day(slot.start), SLOTS_READ_MAX)
        };
        if let Some(visit) = visit {
            let same = |slot: &Slot| slot.provider == visit.provider;
            if slots.iter().any(same) {
                slots.retain(same);
            }
        }
        once_each(&mut slots);
        slots.truncate(OFFERS_MAX);
        slots.sort_by_key(|slot| slot.start);
        Ok((slots, exact))
    }

    /// Free times from now on that fit, on days `from` to `to`, read on until there are some to choose from.
    async fn read(
        &self,
        (from, to): (Date, Date),
        fits: impl Fn(&Slot) -> bool,
    ) -> Result<Vec<Slot>, RecordsError> {
        let mut first = self.midnight(from)?.max(self.scene.now);
        let end = self.midnight(to.saturating_add(1.day()))?;
        let practice = &self.scene.practice.id;
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for _ in 0..READS_MAX {
            let slots = self.records.slots(practice, first, end, SLOTS_READ_MAX);
            let slots = slots.await?;
            let whole = slots.len() < SLOTS_READ_MAX;
            let last = slots.iter().map(|slot| slot.start).max();
            let new = slots.into_iter().filter(|slot| fits(slot));
            found.extend(new.filter(|slot| seen.insert(slot.id.clone())));
            match last {
                Some(last) if !whole && found.len() < OFFERS_MAX && last > first => first = last,
                _ => break,
            }
        }
        Ok(found)
    }

    fn midnight(&self, day: Date) -> Result<Timestamp, RecordsError> {
        day.to_zoned(self.scene.zone.clone())
            .map(|start| start.timestamp())
            .map_err(|_out_of_range| RecordsError::NotFound)
    }

    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.scene.zone.clone()).date()
    }

    /// Whether a visit is so near that the practice's notice for cancelling is over.
    fn is_late(&self, start: Timestamp) -> bool {
        let hours = i64::from(self.scene.practice.cancel_notice_h);
        start.duration_since(self.scene.now) < SignedDuration::from_hours(hours)
    }

    async fn visits(&self) -> Result<Vec<Appointment>, RecordsError> {
        let now = self.scene.now;
        let from = now.saturating_sub(STARTED_AGO).unwrap_or(now);
        self.records
            .appointments(&self.scene.practice.id, &self.patient.id, from)
            .await
    }

    /// This patient's own upcoming visit by that id.
    async fn own(&self, id: &AppointmentId) -> Result<Appointment, RecordsError> {
        let visits = self.visits().await?;
        let own = visits.into_iter().find(|visit| visit.id == *id);
        own.ok_or(RecordsError::NotFound)
    }

    fn visit_json(&self, visit: &Appointment) -> Value {
        let scene = self.scene;
        json!({
            "appointment_id": visit.id.as_str(),
            "date": self.day(visit.start).to_string(),
            "when": when::spoken(visit.start, &scene.zone, scene.language),
            "provider": visit.provider,
            "location": visit.location,
            "status": visit.status.as_str(),
        })
    }
}

/// The `most` slots nearest to `wished` by whole days, soonest first within a day.
fn nearest(
    mut slots: Vec<Slot>,
    wished: Date,
    day: impl Fn(&Slot) -> Date,
    most: usize,
) -> Vec<Slot> {
    slots.sort_by_key(|slot| {
        let away = wished.duration_until(day(slot)).abs();
        (away, slot.start)
    });
    slots.truncate(most);
    slots
}

/// The first slot of each time of day: a patient chooses a time, and two people who are free at it are
/// one choice.
fn once_each(slots: &mut Vec<Slot>) {
    let mut seen = BTreeSet::new();
    slots.retain(|slot| seen.insert(slot.start));
}
