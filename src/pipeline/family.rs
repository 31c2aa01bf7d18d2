//! Family: several visits of one day at one number are told in one text that names nobody, and one
//! YES confirms them all.
//!
//! Each person agrees to texts for themselves; who is a minor is agreed for by whoever holds the phone
//! that their record names (45 CFR 164.502(g)).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent;
use crate::agent::facts;
use crate::agent::ports::RecordsError;
use crate::agent::sayings::{CONFIRMED_ALL, ConfirmedAll, REMINDERS, Reminders};
use crate::agent::texts::TextId;
use crate::agent::tools::HandOver;
use crate::agent::when;
use crate::agent::{Outcome, ToolUse};
use crate::domain::consent::Consent;
use crate::domain::conversation::{AskedVisit, Conversation, PendingQuestion, Turn};
use crate::domain::ids::{ConversationId, PatientId};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Appointment, AppointmentStatus, Fact, Patient};
use crate::domain::waiting::Errand;
use crate::llm::offline::closing;
use crate::pipeline::draft::Asking;
use crate::pipeline::house::House;
use crate::pipeline::person::{self, Arrival, Move};
use crate::pipeline::plan::waiting;
use crate::pipeline::reply::{Pending, Reply};
use crate::pipeline::shelter::{Shelter, Watch};
use crate::pipeline::told::{About, VISIT_MARGIN};
use crate::policy::words::Language;
use crate::screen::Intent;

/// Visits told in one text: more would not fit two segments.
const VISITS_MAX: usize = 4;

/// A visit that began so long ago can still be confirmed: the patient may be at the door.
const STARTED_AGO: SignedDuration = SignedDuration::from_mins(30);

/// Why staff look at an answer to a reminder of several visits.
pub(crate) const ONE_OF_SEVERAL: &str = "an answer about one of several visits";

/// Why a reminder ends that a text about several visits has told.
pub(crate) const TOLD: &str = "told with another visit";

/// Words of an answer that says no more than that it is of all.
const ALL_ALONE: &[&str] = &[
    "all",
    "both",
    "all of them",
    "both of them",
    "all please",
    "both please",
    "all of them please",
    "both of them please",
    "todas",
    "todos",
    "ambas",
    "ambos",
    "todas por favor",
    "ambas por favor",
];

/// Words of a yes that means all of them. A text with any other word may mean one, and a person reads
/// it.
const YES_TO_ALL: &[&str] = &[
    "yes",
    "y",
    "yep",
    "yeah",
    "yup",
    "c",
    "confirm",
    "confirmed",
    "confirming",
    "i",
    "we",
    "ok",
    "okay",
    "sure",
    "great",
    "good",
    "perfect",
    "both",
    "all",
    "of",
    "them",
    "will",
    "ll",
    "be",
    "there",
    "thanks",
    "thank",
    "you",
    "please",
    "si",
    "s\u{ed}",
    "confirmo",
    "confirmamos",
    "confirmado",
    "confirmada",
    "confirmadas",
    "confirmar",
    "claro",
    "ambas",
    "ambos",
    "todas",
    "todos",
    "las",
    "dos",
    "gracias",
    "vale",
    "bueno",
    "perfecto",
    "ah\u{ed}",
    "estaremos",
    "iremos",
];

/// Under which name it is kept that a visit was told with others.
pub(crate) fn mark(conversation: ConversationId, visit: &AskedVisit, before_h: u32) -> String {
    let start = visit.start.as_second();
    format!(
        "told/{conversation}/{}/{start}/{before_h}h",
        visit.appointment
    )
}

/// The name of the mark of an errand's own visit, where it is a reminder by schedule.
pub(crate) fn own_mark(conversation: ConversationId, errand: &Errand) -> Option<String> {
    let Errand::Visit {
        patient,
        appointment,
        start: Some(start),
        before_h: Some(before_h),
    } = errand
    else {
        return None;
    };
    let visit = AskedVisit {
        patient: patient.clone(),
        appointment: appointment.clone(),
        start: *start,
    };
    Some(mark(conversation, &visit, *before_h))
}

/// Whether health details and reminders may go to a person by what they agreed to here.
fn agreed(consent: &Consent, now: Timestamp) -> bool {
    consent.allows_phi(now).is_some() && consent.allows_reminders()
}

/// By whose consent a patient is told: their own, or for a minor who has none here, that of whoever
/// has agreed at this number.
pub(crate) fn lead(conversation: &Conversation, patient: &Patient, now: Timestamp) -> PatientId {
    let others = &conversation.speaker.others;
    let own = conversation.patient.as_ref() == Some(&patient.id)
        || others.iter().any(|it| it.patient == patient.id);
    let minor = patient.is_minor(now) == Some(true);
    if own || !minor {
        return patient.id.clone();
    }
    let known = conversation.patient.as_ref();
    let current = known.filter(|_| agreed(&conversation.consent, now));
    let kept = others.iter().find(|it| agreed(&it.consent, now));
    let agreed = current.or_else(|| kept.map(|it| &it.patient));
    agreed.unwrap_or(&patient.id).clone()
}

/// Whether a reminder of this person goes to this number, under the consent that is there.
fn reached(conversation: &Conversation, person: &Patient, now: Timestamp) -> bool {
    let number = &conversation.number;
    let first = person.phones.first();
    let here = match first {
        Some(first) => first == number,
        None => person.guardians.iter().all(|it| it.phone == *number),
    };
    let own = conversation.speaker.others.iter();
    let own = own.clone().find(|it| it.patient == person.id);
    here && match own {
        Some(own) => agreed(&own.consent, now),
        None => person.is_minor(now) == Some(true),
    }
}

impl House {
    /// The visits that are told with this one: those of the day at this number that no such reminder has
    /// told yet, soonest first.
    pub(crate) async fn told_beside(
        &self,
        about: &About<'_>,
        (first, before_h): (&Appointment, u32),
        zone: &TimeZone,
    ) -> Result<Vec<Appointment>, RecordsError> {
        let &About {
            practice,
            conversation,
            patient,
            now,
            ..
        } = about;
        let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let spares = practice
            .outreach
            .as_ref()
            .is_some_and(|it| it.skip_confirmed);
        let mut all = vec![first.clone()];
        let people = self
            .records()
            .patients_by_phone(&practice.id, &conversation.number);
        for person in people.await? {
            let own = person.id == patient.id;
            if !own && !reached(conversation, &person, now) {
                continue;
            }
            for visit in self.seen_of(about, &person).await? {
                let confirmed = visit.status == AppointmentStatus::Confirmed;
                let near = visit.start < now + VISIT_MARGIN;
                let known = visit.id == first.id;
                let left_out = known || near || (confirmed && spares);
                if left_out || day(visit.start) != day(first.start) {
                    continue;
                }
                let mark = mark(conversation.id, &AskedVisit::from(&visit), before_h);
                let told = self.store().request(&practice.id, &mark, &[]).await;
                if matches!(told, Ok(None)) {
                    all.push(visit);
                }
            }
        }
        all.truncate(VISITS_MAX);
        all.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        Ok(all)
    }

    /// The visits of a person that may be told at this number.
    async fn seen_of(
        &self,
        about: &About<'_>,
        person: &Patient,
    ) -> Result<Vec<Appointment>, RecordsError> {
        let &About {
            practice,
            conversation,
            now,
            ..
        } = about;
        let law = self.governed_in(conversation, practice, person.state, now);
        match Watch::over(practice, person, conversation, &law, now) {
            None => {
                let records = self.records();
                records.appointments(&practice.id, &person.id, now).await
            }
            Some(watch) => {
                let shelter = Shelter::new(self.records(), watch);
                let seen =
                    agent::ports::Records::appointments(&shelter, &practice.id, &person.id, now);
                seen.await
            }
        }
    }

    /// One text about several visits.
    pub(crate) fn reminders_words(
        &self,
        about: &About<'_>,
        visits: &[Appointment],
        zone: &TimeZone,
        known: &mut Vec<Fact>,
    ) -> Option<String> {
        let language = about.conversation.language;
        for visit in visits {
            known.extend(facts::of_visit(visit, zone));
        }
        let words = Reminders {
            practice: about.practice.said_name(language).to_owned(),
            times: times(visits, zone, language),
            phone: about.practice.phone.display_us(),
        };
        let wording = self.wording(about.conversation).wording;
        let prompts = wording.prompts().ok()?;
        prompts.say(language, REMINDERS, &words).ok()
    }

    /// The reply to an answer to a question about several visits: all are confirmed; where one may be
    /// meant, a person reads it.
    pub(crate) async fn answer_family(&self, asking: &Asking<'_>, answered: Answered) -> Reply {
        let (practice, conversation) = (asking.practice, asking.conversation);
        let question = conversation.pending.as_ref();
        let last = waiting(asking.turns).next_back();
        if let (Answered::All, Some(question), Some(last), Some(_)) =
            (answered, question, last, asking.patient)
        {
            let key = format!("conversation/{}/turn/{}", conversation.id, last.id);
            let outcome = self.confirm_all(asking, question, &key).await;
            let chosen = self.wording(conversation);
            return self.judge(asking, outcome, (asking.law.bars_therapy(), &chosen));
        }
        let text = self.fixed_text(TextId::Handoff, practice, conversation.language);
        let mut reply = self.fixed(practice, conversation, &text, asking.now);
        reply.pending = Pending::Set(None);
        reply.hold = Some((Phi::default(), ONE_OF_SEVERAL));
        reply
    }

    /// Confirms every visit that the open question is about, each with its receipt. What has changed
    /// since it was told is confirmed by nobody, and staff look.
    pub(crate) async fn confirm_all(
        &self,
        asking: &Asking<'_>,
        question: &PendingQuestion,
        key: &str,
    ) -> Outcome {
        let (practice, conversation) = (asking.practice, asking.conversation);
        let language = conversation.language;
        let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
        let (mut done, mut tools, mut told) = (Vec::new(), Vec::new(), Vec::new());
        let (mut down, mut trouble) = (None, None);
        for asked in &question.visits {
            let confirmed = self.confirm_one(practice, asked, key, asking.now).await;
            tools.push(ToolUse {
                name: "confirm_appointment",
                ok: confirmed.is_ok(),
            });
            match confirmed {
                Ok(visit) => {
                    told.extend(facts::of_visit(&visit, &zone));
                    let at = when::rfc3339(visit.start, &zone);
                    told.push(Fact::new("receipt.confirmed", at));
                    done.push(visit);
                }
                Err(RecordsError::NotFound | RecordsError::Conflict) => {}
                Err(why) => {
                    if let RecordsError::Failed(cause) = &why {
                        trouble = Some(cause.clone());
                    }
                    down = Some(why);
                }
            }
        }
        let left = done.len() < question.visits.len();
        if let (true, Some(why)) = (done.is_empty(), down) {
            let wording = self.wording(conversation).wording;
            return agent::record_down(practice, (language, asking.now), why, &wording);
        }
        let words = ConfirmedAll {
            times: times(&done, &zone, language),
            left,
        };
        if left {
            // The conversation is filed with them in the transaction that enqueues the draft.
            told.push(Fact::new("receipt.message_sent", "staff"));
        }
        let outcome = self.by_rule(asking, CONFIRMED_ALL, &words);
        Outcome {
            facts: outcome.facts.into_iter().chain(told).collect(),
            handover: left.then_some(HandOver::Other.as_str()),
            tools,
            trouble,
            ..outcome
        }
    }

    async fn confirm_one(
        &self,
        practice: &Practice,
        asked: &AskedVisit,
        key: &str,
        now: Timestamp,
    ) -> Result<Appointment, RecordsError> {
        let from = now - STARTED_AGO;
        let records = self.records();
        let visits = records.appointments(&practice.id, &asked.patient, from);
        let visits = visits.await?;
        let same = |it: &&Appointment| it.id == asked.appointment && it.start == asked.start;
        let visit = visits.iter().find(same).ok_or(RecordsError::NotFound)?;
        let key = format!("{key}/confirmed/{}", visit.id);
        let set = || {
            let status = AppointmentStatus::Confirmed;
            records.set_status(&practice.id, &asked.patient, &visit.id, status, &key)
        };
        match set().await {
            // Somebody changed something of the visit at this instant: it is read anew, once.
            Err(RecordsError::Conflict) => set().await,
            done => done,
        }
    }
}

/// `Wed, Dec 2 at 3:00 PM and Wed, Dec 2 at 3:30 PM`; two at one time are told once, with their number
/// left to whoever knows.
fn times(visits: &[Appointment], zone: &TimeZone, language: Language) -> String {
    let mut told: Vec<String> = visits
        .iter()
        .map(|it| when::spoken(it.start, zone, language))
        .collect();
    told.dedup();
    let and = match language {
        Language::En => " and ",
        Language::Es => " y ",
    };
    match told.split_last() {
        Some((last, before)) if !before.is_empty() => {
            format!("{}{and}{last}", before.join(", "))
        }
        _ => told.concat(),
    }
}

/// What texts answer to a question about several visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// Yes, all of them.
    All,
    /// Something about one of them, perhaps.
    One,
}

/// What the texts that wait answer to an open question about visits; none where none is open, or they
/// speak of something else. Pure.
pub(crate) fn answered(conversation: &Conversation, turns: &[Turn]) -> Option<Answered> {
    let question = conversation.pending.as_ref()?;
    let asks = !question.visits.is_empty();
    let all = |turn: &Turn| {
        let said = plain(turn);
        let yes = said.split(' ').all(|word| YES_TO_ALL.contains(&word));
        turn.intent == Intent::Confirm.as_str() && yes || ALL_ALONE.contains(&&*said)
    };
    let mut texts = waiting(turns).peekable();
    if !asks || texts.peek().is_none() {
        return None;
    }
    if waiting(turns).all(all) {
        return Some(Answered::All);
    }
    let about = [
        Intent::Confirm,
        Intent::Reschedule,
        Intent::CancelAppointment,
        Intent::Other,
    ];
    let one = |turn: &Turn| {
        about.iter().any(|it| it.as_str() == turn.intent) && closing(turn.body.as_str()).is_none()
    };
    let several = question.visits.len() > 1;
    (several && waiting(turns).any(one)).then_some(Answered::One)
}

/// The words of a text, small, with a blank between.
fn plain(turn: &Turn) -> String {
    let text = turn.body.as_str().to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Takes, for the answer to a question about visits on a shared phone, the person under whose consent it
/// was asked: whoever holds the phone now answers what it was asked, and learns nothing beside.
pub(crate) fn take_lead(
    conversation: &mut Conversation,
    arrival: &mut Arrival,
    people: &[Patient],
    turns: &[Turn],
    now: Timestamp,
) {
    let known = conversation.patient.is_some() || conversation.speaker.doubt.is_some();
    if known || answered(conversation, turns) != Some(Answered::All) {
        return;
    }
    let others = conversation.speaker.others.iter();
    let mut agreed = others.filter(|it| agreed(&it.consent, now));
    let who = agreed.find_map(|it| people.iter().find(|person| person.id == it.patient));
    if let Some(who) = who {
        let take = Move::Take(who.id.clone());
        let _no_event = person::apply(conversation, &take, now);
        arrival.moves.push(take);
        arrival.patient = Some(who.clone());
    }
}
