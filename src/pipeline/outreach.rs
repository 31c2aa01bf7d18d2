//! Outreach: visits that come near get their reminders and missed ones the offer of a new time, by the
//! practice's own schedule, from the record of the moment. What may leave, and when, is decided where
//! every text of the practice's own is: [`House::wish`] and [`House::remind_once`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent::ports::RecordsError;
use crate::domain::ids::{PatientId, PracticeId};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::{Outreach, Practice};
use crate::domain::record::{Appointment, AppointmentStatus};
use crate::domain::waiting::{Errand, Refusal};
use crate::pipeline::house::House;
use crate::pipeline::missed;
use crate::pipeline::wish::{self, Wish, Wished};
use crate::store::StoreError;

/// Reminders are begun between these hours at the practice, so that they leave while the record that
/// they were made from still stands; the law's own hours are looked at again when they leave.
const HOURS: std::ops::Range<i8> = 9..19;

/// Why a reminder that was asked for a time of a visit is none any more: the visit moved, and its new
/// time has its own, or the patient has confirmed it and the practice spares those.
pub(super) fn outdated(
    practice: &Practice,
    visit: &Appointment,
    asked: Option<Timestamp>,
) -> Option<&'static str> {
    let asked = asked?;
    let spares = |it: &Outreach| it.skip_confirmed;
    if asked != visit.start {
        return Some("the visit moved");
    }
    let spared = practice.outreach.as_ref().is_some_and(spares);
    (spared && visit.status == AppointmentStatus::Confirmed).then_some("the visit is confirmed")
}

impl House {
    /// Asks for the reminders that have become due; how many were new.
    pub async fn outreach_once(self: &Arc<Self>) -> Result<u64, StoreError> {
        let now = self.clock().now();
        let mut begun = 0;
        for practice in self.practices() {
            let Some(outreach) = practice.outreach.as_ref().filter(|_| awake(practice, now)) else {
                continue;
            };
            let due = match self.due(practice, outreach, now).await {
                Ok(due) => due,
                Err(why) => {
                    self.failed(practice, why);
                    continue;
                }
            };
            for (errand, request) in due {
                begun += u64::from(self.ask_for(practice, errand, request).await?);
            }
            if let Some(minutes) = outreach.waitlist_answer_min {
                match self.offer_freed(practice, minutes, now).await? {
                    Ok(offered) => begun += offered,
                    Err(why) => {
                        self.failed(practice, why);
                        continue;
                    }
                }
            }
            lock(&self.unreminded).remove(&practice.id);
        }
        metrics::counter!("anteroom_reminders_begun_total").increment(begun);
        Ok(begun)
    }

    /// What is due, each with the name under which it is asked for once.
    async fn due(
        &self,
        practice: &Practice,
        outreach: &Outreach,
        now: Timestamp,
    ) -> Result<Vec<(Errand, String)>, RecordsError> {
        let furthest = outreach.before_h.iter().max().copied().unwrap_or(0);
        let until = now + SignedDuration::from_hours(i64::from(furthest));
        let ahead = self.records().visits_between(&practice.id, now, until);
        let mut due = Vec::new();
        for visit in ahead.await? {
            if let Some((hours, request)) = reminder_due(&visit, outreach, now) {
                let errand = Errand::Visit {
                    patient: visit.patient,
                    appointment: visit.id,
                    start: Some(visit.start),
                    before_h: Some(hours),
                };
                due.push((errand, request));
            }
        }
        for visit in self.missed_visits(practice, outreach, now).await? {
            if let Some(request) = missed::due(&visit, outreach, now) {
                let errand = Errand::Missed {
                    patient: visit.patient,
                    appointment: visit.id,
                    start: visit.start,
                };
                due.push((errand, request));
            }
        }
        due.extend(self.recalls_due(practice, outreach, now).await?);
        Ok(due)
    }

    pub(crate) async fn ask_for(
        self: &Arc<Self>,
        practice: &Practice,
        errand: Errand,
        request: String,
    ) -> Result<bool, StoreError> {
        let mut wish = Wish {
            practice: practice.id.clone(),
            request,
            number: None,
            errand,
        };
        let mut wished = self.wish(wish.clone()).await?;
        if wished == Wished::Refused(Refusal::SeveralNumbers) {
            // The record's first number is the one that its owners put first.
            wish.number = match wish::person_of(&wish.errand) {
                Some(id) => self.first_number(practice, id).await,
                None => None,
            };
            wished = self.wish(wish).await?;
        }
        Ok(matches!(wished, Wished::Taken(_)))
    }

    async fn first_number(&self, practice: &Practice, id: &PatientId) -> Option<E164> {
        let patient = self.records().patient(&practice.id, id).await;
        patient.ok().flatten()?.phones.into_iter().next()
    }
}

impl House {
    fn failed(&self, practice: &Practice, why: RecordsError) {
        metrics::counter!("anteroom_outreach_failed_total").increment(1);
        tracing::warn!(practice = %practice.id, cause = %why, "no reminders now; they are tried again");
        let plain = why.to_string();
        let told = why.cause().unwrap_or_else(|| Phi::new(plain));
        lock(&self.unreminded).insert(practice.id.clone(), told);
    }

    /// What of the record staff must mend: why reminders wait, and what cannot be read. It may name a
    /// patient.
    pub async fn to_mend(&self, practice: &PracticeId) -> Vec<Phi<String>> {
        let waits = lock(&self.unreminded).get(practice).cloned();
        let waits =
            waits.map(|it| format!("No reminder is begun until this is mended: {}", it.as_str()));
        let unread = self.records().unread(practice).await.unwrap_or_default();
        let unread = unread.iter().map(|it| {
            format!(
                "Nobody is told of this entry until it is mended: {}",
                it.as_str()
            )
        });
        waits.into_iter().chain(unread).map(Phi::new).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn awake(practice: &Practice, now: Timestamp) -> bool {
    let zone = TimeZone::get(&practice.timezone);
    zone.is_ok_and(|zone| HOURS.contains(&now.to_zoned(zone).hour()))
}

/// The hours and the name of the reminder that is due for a visit: the one that comes latest of those whose time
/// has come. A visit that was moved has another start, and so gets its reminders anew.
fn reminder_due(visit: &Appointment, outreach: &Outreach, now: Timestamp) -> Option<(u32, String)> {
    let left = visit.start.duration_since(now);
    let open = outreach
        .before_h
        .iter()
        .filter(|hours| left <= SignedDuration::from_hours(i64::from(**hours)));
    let hours = *open.min()?;
    let wanted = match visit.status {
        AppointmentStatus::Booked => true,
        AppointmentStatus::Confirmed => !outreach.skip_confirmed,
        AppointmentStatus::Cancelled | AppointmentStatus::Fulfilled | AppointmentStatus::Missed => {
            false
        }
    };
    let start = visit.start.as_second();
    let name = format!("reminder/{}/{start}/{hours}h", visit.id);
    wanted.then_some((hours, name))
}
