//! Told: what each errand says, from the record of the moment when it leaves, and whether there is
//! anything left to say.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent::facts;
use crate::agent::ports::{Records as _, RecordsError};
use crate::agent::prompts::Wording;
use crate::agent::sayings::{REMINDER, Reminder, Saying};
use crate::agent::when;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{AskedVisit, Conversation, PendingKind, PendingQuestion};
use crate::domain::ids::{AppointmentId, PatientId};
use crate::domain::practice::Practice;
use crate::domain::record::{Appointment, Fact, Patient};
use crate::domain::waiting::{Errand, Waiting};
use crate::pipeline::house::House;
use crate::pipeline::law::Governed;
use crate::pipeline::missed::MISSED_STANDS;
use crate::pipeline::outreach::outdated;
use crate::pipeline::recall::RECALL_STANDS;
use crate::pipeline::remind::{Fate, RECORD_DOWN};
use crate::pipeline::shelter::{Shelter, Watch};
use crate::pipeline::waitlist;

/// How long words of the staff wait for YES: over a weekend.
const WORDS_WAIT: SignedDuration = SignedDuration::from_hours(72);

/// A reminder that comes later than this before the visit helps nobody to come.
pub(crate) const VISIT_MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Of whom, to whom, when.
pub(crate) struct About<'a> {
    pub(crate) practice: &'a Practice,
    pub(crate) conversation: &'a Conversation,
    pub(crate) patient: &'a Patient,
    pub(crate) law: &'a Governed,
    pub(crate) told: &'a [String],
    pub(crate) covered: bool,
    pub(crate) now: Timestamp,
}

/// What is said, what it rests on and what it asks.
pub(crate) type Told = (String, Vec<Fact>, Option<PendingQuestion>);

impl House {
    /// Whether an errand is about a visit that nobody is told of at this number.
    pub(crate) async fn is_hidden(
        &self,
        practice: &Practice,
        patient: &Patient,
        errand: &Errand,
        (watch, now): (Option<Watch>, Timestamp),
    ) -> Result<bool, RecordsError> {
        let Some(watch) = watch else { return Ok(false) };
        match errand {
            Errand::Visit { appointment, .. } => {
                let shelter = Shelter::new(self.records(), watch);
                let seen = shelter.appointments(&practice.id, &patient.id, now).await?;
                Ok(seen.iter().all(|it| it.id != *appointment) && shelter.hid())
            }
            Errand::Missed { .. } => {
                let Some(visit) = self.missed_now(practice, errand).await? else {
                    return Ok(false);
                };
                let providers = self.records().providers(&practice.id).await.ok();
                Ok(watch.hides(&visit, providers.as_deref()))
            }
            Errand::Recall { .. } => {
                let Some((_, visit)) = self.recall_now(practice, errand, now).await? else {
                    return Ok(false);
                };
                let providers = self.records().providers(&practice.id).await.ok();
                Ok(watch.hides(&visit, providers.as_deref()))
            }
            Errand::Offer { slot, start, .. } => {
                let Some(slot) = self.free_now(practice, slot, *start).await? else {
                    return Ok(false);
                };
                let providers = self.records().providers(&practice.id).await.ok();
                let visit = waitlist::would_be(patient, &slot);
                Ok(watch.hides(&visit, providers.as_deref()))
            }
            Errand::Words { .. } | Errand::Question => Ok(false),
        }
    }

    /// What is said, what it rests on and what it asks, from the record of this moment.
    pub(crate) async fn told_now(
        &self,
        about: &About<'_>,
        waiting: &Waiting,
    ) -> Result<Told, Fate> {
        let &About {
            practice,
            conversation,
            patient,
            now,
            ..
        } = about;
        let end = |outcome, staff| Fate::End { outcome, staff };
        let later = |_unavailable| Fate::Wait(now + RECORD_DOWN);
        let mut known = facts::of_patient(patient);
        let clinical = self.records().clinical(&practice.id, &patient.id).await;
        known.extend(facts::of_clinical(&clinical.map_err(later)?));
        let (appointment, at) = match &waiting.errand {
            Errand::Visit {
                appointment, start, ..
            } => (appointment, start),
            Errand::Missed { .. } => return self.missed_told(about, &waiting.errand, known).await,
            Errand::Offer { .. } => return self.freed_told(about, &waiting.errand, known).await,
            Errand::Recall { .. } => return self.recall_told(about, &waiting.errand, known).await,
            Errand::Words { text, .. } => return Ok((text.clone(), known, None)),
            Errand::Question => return Err(end("answered", false)),
        };
        let visits = self.records().appointments(&practice.id, &patient.id, now);
        let visits = visits.await.map_err(later)?;
        let visit = visits.into_iter().find(|it| it.id == *appointment);
        let visit = visit.ok_or_else(|| end("the visit is gone", false))?;
        if let Some(why) = outdated(practice, &visit, *at) {
            return Err(end(why, false));
        }
        if now >= visit.start - VISIT_MARGIN {
            return Err(end("too late for the visit", true));
        }
        let unwritten = || end("the reminder cannot be written", true);
        let zone = TimeZone::get(&practice.timezone).map_err(|_unknown| unwritten())?;
        let visits = if let Errand::Visit {
            start: Some(_),
            before_h: Some(before_h),
            ..
        } = &waiting.errand
        {
            let beside = self.told_beside(about, (&visit, *before_h), &zone);
            beside.await.map_err(later)?
        } else {
            vec![visit.clone()]
        };
        let wording = self.wording(about.conversation).wording;
        let text = if visits.len() > 1 {
            self.reminders_words(about, &visits, &zone, &mut known)
        } else {
            visit_words(about, REMINDER, (&visit, true), &mut known, &wording)
        };
        let text = text.ok_or_else(unwritten)?;
        // Where several people share the phone, or several visits are told, the question is put to
        // whoever holds it.
        let shared = conversation.speaker.shared || visits.len() > 1;
        let question = PendingQuestion {
            kind: PendingKind::AppointmentConfirm,
            appointment: (!shared).then_some(visit.id),
            slots: Vec::new(),
            visits: if shared {
                visits.iter().map(AskedVisit::from).collect()
            } else {
                Vec::new()
            },
            asked: now,
        };
        Ok((text, known, Some(question)))
    }

    /// When a reminder of this visit is no use any more; none when there is no such visit.
    async fn visit_expiry(
        &self,
        practice: &Practice,
        patient: &PatientId,
        appointment: &AppointmentId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, RecordsError> {
        let visits = self.records().appointments(&practice.id, patient, now);
        let visit = visits.await?.into_iter().find(|it| it.id == *appointment);
        Ok(visit.map(|visit| visit.start - VISIT_MARGIN))
    }

    /// When an errand is no use any more; none when it cannot be done at all.
    pub(crate) async fn expiry(
        &self,
        practice: &Practice,
        errand: &Errand,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, RecordsError> {
        match errand {
            Errand::Visit {
                patient,
                appointment,
                ..
            } => self.visit_expiry(practice, patient, appointment, now).await,
            Errand::Missed { start, .. } => {
                let missed = self.missed_now(practice, errand).await?;
                Ok(missed.map(|_| *start + MISSED_STANDS))
            }
            Errand::Recall { .. } => {
                let due = self.recall_now(practice, errand, now).await?;
                Ok(due.map(|_| now + RECALL_STANDS))
            }
            Errand::Offer { start, .. } => Ok(Some(*start)),
            Errand::Words { .. } => Ok(Some(now + WORDS_WAIT)),
            Errand::Question => Ok(None),
        }
    }
}

/// Whether the practice may begin this: a reminder needs its own purpose, words need contact.
pub(crate) fn allowed(conversation: &Conversation, errand: &Errand) -> bool {
    match errand {
        Errand::Visit { .. }
        | Errand::Missed { .. }
        | Errand::Recall { .. }
        | Errand::Offer { .. } => conversation.consent.allows_reminders(),
        Errand::Words { .. } | Errand::Question => {
            conversation.consent.contact.state == ConsentState::Granted
        }
    }
}

/// Words about one visit, and the facts that they rest on.
pub(crate) fn visit_words(
    about: &About<'_>,
    saying: Saying<Reminder>,
    (visit, asks): (&Appointment, bool),
    known: &mut Vec<Fact>,
    wording: &Wording,
) -> Option<String> {
    let zone = TimeZone::get(&about.practice.timezone).ok()?;
    known.extend(facts::of_visit(visit, &zone));
    let language = about.conversation.language;
    let words = Reminder {
        practice: about.practice.said_name(language).to_owned(),
        when: when::spoken(visit.start, &zone, language),
        phone: about.practice.phone.display_us(),
        asks,
    };
    wording.prompts().ok()?.say(language, saying, &words).ok()
}
