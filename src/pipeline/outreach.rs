//! Outreach: visits that come near get their reminders, by the practice's own schedule, from the
//! record of the moment. What may leave, and when, is decided where every text of the practice's
//! own is: [`House::wish`] and [`House::remind_once`].

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent::ports::RecordsError;
use crate::domain::practice::{Outreach, Practice};
use crate::domain::record::{Appointment, AppointmentStatus};
use crate::domain::waiting::{Errand, Refusal};
use crate::pipeline::house::House;
use crate::pipeline::wish::{Wish, Wished};
use crate::store::StoreError;

/// Reminders are begun between these hours at the practice, so that they leave while the record that
/// they were made from still stands; the law's own hours are looked at again when they leave.
const HOURS: std::ops::Range<i8> = 9..19;

impl House {
    /// Asks for the reminders that have become due; how many were new.
    pub async fn outreach_once(self: &Arc<Self>) -> Result<u64, StoreError> {
        let now = self.clock().now();
        let mut begun = 0;
        for practice in self.practices() {
            let Some(outreach) = practice.outreach.as_ref().filter(|_| awake(practice, now)) else {
                continue;
            };
            let furthest = outreach.before_h.iter().max().copied().unwrap_or(0);
            let until = now + SignedDuration::from_hours(i64::from(furthest));
            let visits = self
                .records()
                .visits_between(&practice.id, now, until)
                .await;
            let visits = match visits {
                Ok(visits) => visits,
                Err(why) => {
                    failed(practice, &why);
                    continue;
                }
            };
            for visit in visits {
                if let Some(request) = due(&visit, outreach, now) {
                    begun += u64::from(self.ask_for(practice, &visit, request).await?);
                }
            }
        }
        metrics::counter!("anteroom_reminders_begun_total").increment(begun);
        Ok(begun)
    }

    async fn ask_for(
        self: &Arc<Self>,
        practice: &Practice,
        visit: &Appointment,
        request: String,
    ) -> Result<bool, StoreError> {
        let mut wish = Wish {
            practice: practice.id.clone(),
            request,
            number: None,
            errand: Errand::Visit {
                patient: visit.patient.clone(),
                appointment: visit.id.clone(),
            },
        };
        let mut wished = self.wish(wish.clone()).await?;
        if wished == Wished::Refused(Refusal::SeveralNumbers) {
            // The record's first number is the one that its owners put first.
            let patient = self.records().patient(&practice.id, &visit.patient).await;
            wish.number = patient
                .ok()
                .flatten()
                .and_then(|it| it.phones.into_iter().next());
            wished = self.wish(wish).await?;
        }
        Ok(matches!(wished, Wished::Taken(_)))
    }
}

fn failed(practice: &Practice, why: &RecordsError) {
    metrics::counter!("anteroom_outreach_failed_total").increment(1);
    tracing::warn!(practice = %practice.id, cause = %why, "no reminders now; they are tried again");
}

fn awake(practice: &Practice, now: Timestamp) -> bool {
    let zone = TimeZone::get(&practice.timezone);
    zone.is_ok_and(|zone| HOURS.contains(&now.to_zoned(zone).hour()))
}

/// The name of the reminder that is due for a visit: the one that comes latest of those whose time
/// has come. A visit that was moved has another start, and so gets its reminders anew.
fn due(visit: &Appointment, outreach: &Outreach, now: Timestamp) -> Option<String> {
    let left = visit.start.duration_since(now);
    let open = outreach
        .before_h
        .iter()
        .filter(|hours| left <= SignedDuration::from_hours(i64::from(**hours)));
    let hours = open.min()?;
    let told = visit.status == AppointmentStatus::Confirmed && outreach.skip_confirmed;
    let start = visit.start.as_second();
    (!told).then(|| format!("reminder/{}/{start}/{hours}h", visit.id))
}
