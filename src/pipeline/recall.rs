//! Recall: who was last seen so long ago as a rule of the practice says, and is not expected, is asked
//! once to come again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::agent::ports::RecordsError;
use crate::agent::sayings::{RECALL, Recalled};
use crate::domain::conversation::{PendingKind, PendingQuestion};
use crate::domain::ids::PracticeId;
use crate::domain::practice::{Outreach, Practice, Recall};
use crate::domain::record::{Appointment, AppointmentStatus, Fact};
use crate::domain::waiting::Errand;
use crate::pipeline::house::House;
use crate::pipeline::remind::{Fate, RECORD_DOWN};
use crate::pipeline::told::{About, Told};
use crate::policy::words::Language;

/// So long it is tried to reach somebody; then the practice may call.
pub(crate) const RECALL_STANDS: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How far back visits are looked for whose time has come: over a week in which nothing ran. A rule
/// that is new does not reach further, so that it floods no practice with years of patients at once.
const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The day on which each practice was last looked through: recalls are due by days.
#[derive(Debug, Default)]
pub(crate) struct LookedThrough(Mutex<BTreeMap<PracticeId, Date>>);

impl LookedThrough {
    fn is(&self, practice: &PracticeId, today: Date) -> bool {
        let days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        days.get(practice) == Some(&today)
    }

    fn mark(&self, practice: &PracticeId, today: Date) {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(practice.clone(), today);
    }
}

/// Whether a visit is one that a rule counts, and is over: nobody is asked back to what they missed.
fn counts(rule: &Recall, visit: &Appointment, now: Timestamp) -> bool {
    let kind = rule.visit_type.trim().to_lowercase();
    let was = matches!(
        visit.status,
        AppointmentStatus::Fulfilled | AppointmentStatus::Booked | AppointmentStatus::Confirmed
    );
    was && visit.end < now && visit.reason.as_str().to_lowercase().contains(&kind)
}

/// The instant so many months before; a day that a shorter month lacks is its last one.
fn months_before(now: Timestamp, rule: &Recall, zone: &TimeZone) -> Option<Timestamp> {
    let months = Span::new().try_months(i64::from(rule.after_months)).ok()?;
    let then = now.to_zoned(zone.clone()).checked_sub(months).ok()?;
    Some(then.timestamp())
}

/// A recall that its patient cannot be sent ends quietly: who is due is in the practice's own record,
/// and a desk with a card for each would not read the others.
pub(crate) fn quietly(errand: &Errand, fate: Fate) -> Fate {
    match fate {
        Fate::End { outcome, .. } if matches!(errand, Errand::Recall { .. }) => Fate::End {
            outcome,
            staff: false,
        },
        other @ (Fate::Send(_) | Fate::Ask(_) | Fate::Wait(_) | Fate::End { .. }) => other,
    }
}

impl House {
    /// Whom a rule of the practice wants back since the last days; looked for once a day.
    pub(crate) async fn recalls_due(
        &self,
        practice: &Practice,
        outreach: &Outreach,
        now: Timestamp,
    ) -> Result<Vec<(Errand, String)>, RecordsError> {
        let Ok(zone) = TimeZone::get(&practice.timezone) else {
            return Ok(Vec::new());
        };
        let today = now.to_zoned(zone.clone()).date();
        if outreach.recall.is_empty() || self.recalled.is(&practice.id, today) {
            return Ok(Vec::new());
        }
        let mut due = Vec::new();
        for rule in &outreach.recall {
            let Some(until) = months_before(now, rule, &zone) else {
                continue;
            };
            let seen = self
                .records()
                .visits_between(&practice.id, until - LOOKS_BACK, until);
            for visit in seen.await? {
                if counts(rule, &visit, now) {
                    let name = &rule.name;
                    let request = format!("recall/{name}/{}/{}", visit.id, visit.start.as_second());
                    let errand = Errand::Recall {
                        patient: visit.patient,
                        appointment: visit.id,
                        start: visit.start,
                        rule: name.clone(),
                    };
                    due.push((errand, request));
                }
            }
        }
        self.recalled.mark(&practice.id, today);
        Ok(due)
    }

    /// The rule and the visit behind a recall, where it is still due: the visit was the last of its
    /// kind, and nothing is booked.
    pub(crate) async fn recall_now<'p>(
        &self,
        practice: &'p Practice,
        errand: &Errand,
        now: Timestamp,
    ) -> Result<Option<(&'p Recall, Appointment)>, RecordsError> {
        let Errand::Recall {
            patient,
            appointment,
            start,
            rule,
        } = errand
        else {
            return Ok(None);
        };
        let rules = practice.outreach.iter().flat_map(|it| &it.recall);
        let Some(rule) = rules.into_iter().find(|it| it.name == *rule) else {
            return Ok(None);
        };
        let visits = self.records().visits_of(&practice.id, patient, *start);
        let visits = visits.await?;
        let expected = |it: &Appointment| {
            it.end >= now
                && matches!(
                    it.status,
                    AppointmentStatus::Booked | AppointmentStatus::Confirmed
                )
        };
        let again = |it: &Appointment| it.start > *start && counts(rule, it, now);
        if visits.iter().any(|it| expected(it) || again(it)) {
            return Ok(None);
        }
        let last =
            |it: &Appointment| it.id == *appointment && it.start == *start && counts(rule, it, now);
        Ok(visits.into_iter().find(last).map(|visit| (rule, visit)))
    }

    /// What is said to somebody who is due; nothing where they have come or will.
    pub(crate) async fn recall_told(
        &self,
        about: &About<'_>,
        errand: &Errand,
        known: Vec<Fact>,
    ) -> Result<Told, Fate> {
        let later = |_unavailable| Fate::Wait(about.now + RECORD_DOWN);
        let end = |outcome| Fate::End {
            outcome,
            staff: false,
        };
        let due = self.recall_now(about.practice, errand, about.now).await;
        let due = due.map_err(later)?;
        let (rule, _) = due.ok_or_else(|| end("a visit is booked, or was kept since"))?;
        let language = about.conversation.language;
        let asks = !about.conversation.speaker.shared;
        let words = Recalled {
            practice: about.practice.said_name(language).to_owned(),
            visit: called(about, rule, language),
            phone: about.practice.phone.display_us(),
            asks,
        };
        let wording = self.wording(about.conversation).wording;
        let prompts = wording.prompts().ok();
        let text = prompts.and_then(|it| it.say(language, RECALL, &words).ok());
        let text = text.ok_or_else(|| end("the text cannot be written"))?;
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

/// What the visit is called: the practice's own words, where the guardrail finds nothing in them that
/// tells of the patient (45 CFR 164.502(b)); else words that tell nothing.
fn called(about: &About<'_>, rule: &Recall, language: Language) -> String {
    let given = rule.visit.get(&language).map(|it| it.trim());
    let tells = |words: &str| !about.law.judge.guardrail.detect(words).is_empty();
    match (given, language, rule.after_months) {
        (Some(words), ..) if !tells(words) => words.to_owned(),
        (None, Language::En, 12) if rule.visit.is_empty() => "your yearly visit".to_owned(),
        (None, Language::Es, 12) if rule.visit.is_empty() => "su cita anual".to_owned(),
        (_, Language::En, _) => "your next visit".to_owned(),
        (_, Language::Es, _) => "su pr\u{f3}xima cita".to_owned(),
    }
}
