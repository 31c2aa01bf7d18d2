//! Missed: after a visit to which a patient did not come, a new time is offered, once.

use jiff::{SignedDuration, Timestamp};

use crate::agent::ports::RecordsError;
use crate::agent::sayings::MISSED;
use crate::domain::conversation::{PendingKind, PendingQuestion};
use crate::domain::practice::{Outreach, Practice};
use crate::domain::record::{Appointment, AppointmentStatus, Fact};
use crate::domain::waiting::Errand;
use crate::pipeline::house::House;
use crate::pipeline::remind::{Fate, RECORD_DOWN};
use crate::pipeline::told::{About, Told, visit_words};

/// After so long an offer of a new time would astonish more than help: staff have called by then.
pub(crate) const MISSED_STANDS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far back missed visits are looked for once their time has come: over a long weekend.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(4 * 24);

/// The shortest span in which a record is asked for one visit by its time.
const INSTANT: SignedDuration = SignedDuration::from_secs(1);

/// The name of the offer that is due for a visit, if one is.
pub(crate) fn due(visit: &Appointment, outreach: &Outreach, now: Timestamp) -> Option<String> {
    let after = SignedDuration::from_hours(i64::from(outreach.missed_after_h?));
    let ripe = visit.end.saturating_add(after).is_ok_and(|at| at <= now);
    let missed = visit.status == AppointmentStatus::Missed;
    let start = visit.start.as_second();
    (missed && ripe).then(|| format!("missed/{}/{start}", visit.id))
}

impl House {
    /// Visits that may have been missed and whose time may have come.
    pub(crate) async fn missed_visits(
        &self,
        practice: &Practice,
        outreach: &Outreach,
        now: Timestamp,
    ) -> Result<Vec<Appointment>, RecordsError> {
        let Some(after) = outreach.missed_after_h else {
            return Ok(Vec::new());
        };
        let until = now - SignedDuration::from_hours(i64::from(after));
        let from = until - LOOKS_BACK;
        self.records()
            .visits_between(&practice.id, from, until)
            .await
    }

    /// The visit as the record has it now, if it is still one that was missed.
    pub(crate) async fn missed_now(
        &self,
        practice: &Practice,
        errand: &Errand,
    ) -> Result<Option<Appointment>, RecordsError> {
        let Errand::Missed {
            patient,
            appointment,
            start,
        } = errand
        else {
            return Ok(None);
        };
        let visits = self
            .records()
            .visits_between(&practice.id, *start, *start + INSTANT);
        let mut visits = visits.await?.into_iter();
        Ok(visits.find(|it| {
            it.id == *appointment
                && it.patient == *patient
                && it.status == AppointmentStatus::Missed
        }))
    }

    /// What is said of a missed visit. Nothing where the patient is expected by the same provider
    /// already: the desk was faster.
    pub(crate) async fn missed_told(
        &self,
        about: &About<'_>,
        errand: &Errand,
        mut known: Vec<Fact>,
    ) -> Result<Told, Fate> {
        let later = |_unavailable| Fate::Wait(about.now + RECORD_DOWN);
        let end = |outcome, staff| Fate::End { outcome, staff };
        let visit = self.missed_now(about.practice, errand).await;
        let visit = visit
            .map_err(later)?
            .ok_or_else(|| end("the visit was not missed", false))?;
        let ahead = self
            .records()
            .appointments(&about.practice.id, &visit.patient, about.now);
        let ahead = ahead.await.map_err(later)?;
        if ahead.iter().any(|it| it.provider == visit.provider) {
            return Err(end("a new visit is booked", false));
        }
        let wording = self.wording(about.conversation).wording;
        let asks = !about.conversation.speaker.shared;
        let text = visit_words(about, MISSED, (&visit, asks), &mut known, &wording)
            .ok_or_else(|| end("the text cannot be written", true))?;
        let question = PendingQuestion {
            kind: PendingKind::NewVisit,
            appointment: None,
            slots: Vec::new(),
            visits: Vec::new(),
            asked: about.now,
        };
        Ok((text, known, asks.then_some(question)))
    }
}
