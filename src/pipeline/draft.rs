//! Draft: the agent is asked, and what it drafts is judged before it may be a reply.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent;
use crate::agent::ports::{Model, Records};
use crate::agent::recording;
use crate::agent::texts::TextId;
use crate::agent::tools::HandOver;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{
    Conversation, Direction, INTERIM, PendingKind, PendingQuestion, Turn,
};
use crate::domain::ids::TurnId;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::reach::{Reach, reach};
use crate::domain::record::Patient;
use crate::domain::speaker::MISSES_MAX;
use crate::guardrail::continues::TEXTS_BEFORE;
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Review;
use crate::guardrail::setting::Author;
use crate::pipeline::clear::Writing;
use crate::pipeline::consent;
use crate::pipeline::door::Door;
use crate::pipeline::handoff::{self, Aside};
use crate::pipeline::house::House;
use crate::pipeline::interim::Drafting;
use crate::pipeline::invented::invented;
use crate::pipeline::law::Governed;
use crate::pipeline::portal::{OTHER_PORTAL, PortalLink};
use crate::pipeline::portal_room::SECURE_REPLY;
use crate::pipeline::replay;
use crate::pipeline::reply::{Pending, Reply};
use crate::pipeline::ward::Whose;
use crate::pipeline::wording::Chosen;
use crate::policy::law::join::Ids;
use crate::screen::{Intent, Reading};
use crate::store::StoreError;

/// Why staff answer where the law keeps AI out of therapy.
const THERAPY: &str = "therapeutic talk: a person answers";
/// Why a draft is held there.
const THERAPY_DRAFT: &str = "the draft is therapeutic talk";

/// Why a draft does not go behind the link.
const INVENTED: &str = "the draft tells what the record does not hold";

/// So long a question in between leaves the times on offer; later a number may mean anything.
const OFFER_STANDS: SignedDuration = SignedDuration::from_mins(15);

/// Tools that tell what everybody may know.
const PUBLIC_TOOLS: &[&str] = &["practice_information", "providers"];

/// What the agent is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) practice: &'a Practice,
    pub(crate) conversation: &'a Conversation,
    pub(crate) patient: Option<&'a Patient>,
    pub(crate) turns: &'a [Turn],
    pub(crate) told: &'a [String],
    pub(crate) now: Timestamp,
    pub(crate) law: &'a Governed,
    pub(crate) covered: bool,
    /// What the agent may know of the record.
    pub(crate) records: &'a dyn Records,
    /// Of whom the texts speak.
    pub(crate) whose: Whose,
}

impl House {
    /// Asks the agent, and judges what it drafts.
    #[expect(clippy::too_many_lines, reason = "one turn, told in order")]
    pub(crate) async fn ask_agent(
        &self,
        asking: &Asking<'_>,
        asked: &[TurnId],
        drafting: &Drafting<'_>,
    ) -> Result<Reply, StoreError> {
        let Asking {
            practice,
            conversation,
            turns,
            now,
            ..
        } = *asking;
        let readings = self.read_again(conversation, turns, asked);
        let texts = turns.iter().filter(|turn| asked.contains(&turn.id));
        let history = turns
            .iter()
            .filter(|turn| turn.answered || turn.direction == Direction::Outbound)
            // What was written in the portal is between the patient and staff.
            .filter(|turn| turn.intent != SECURE_REPLY)
            .filter(|turn| turn.intent != INTERIM)
            .map(|turn| (turn.direction == Direction::Inbound, turn.body.clone()))
            .collect();
        let chosen = self.wording(conversation);
        let key = asked.last().map_or_else(String::new, |turn| {
            format!("conversation/{}/turn/{turn}", conversation.id)
        });
        let mut input = agent::Input {
            practice,
            patient: asking.patient,
            language: conversation.language,
            now,
            history,
            waiting: texts.map(|turn| turn.body.clone()).collect(),
            pending: conversation
                .pending
                .as_ref()
                .filter(|it| stands(it, turns, now)),
            choice: readings.iter().rev().find_map(|reading| reading.choice),
            affirmed: readings.iter().any(|reading| {
                matches!(reading.intent, Intent::Confirm | Intent::CancelAppointment)
                    && conversation.pending.is_some()
            }),
            untrusted: readings.iter().any(|reading| reading.injection),
            key,
            limits: agent::Limits::default(),
            veiled: true,
            wording: chosen.wording.clone(),
            for_patient: asking.whose == Whose::Patients,
        };
        // Where the law keeps AI out of therapy, talk that is therapy is answered by a person, and
        // nothing but templates is written to the rest.
        let barred = asking.law.bars_therapy();
        if let Some(by) = barred
            && let Some(reply) = self.leave_therapy(asking, asked, by)
        {
            return Ok(reply);
        }
        // Where the law keeps what is talked about out of prompts, no model elsewhere sees anything, and
        // of somebody else's matters none is asked: fixed rules leave them to staff.
        let own = asking.whose != Whose::Anothers;
        let drafters = self
            .drafters(practice, barred.is_none() && own, now)
            .await?;
        let away = drafters.models.iter().any(|model| model.host().is_some());
        let secret = away && asking.law.keeps_from_prompts(&input);
        let models: Vec<&dyn Model> = drafters
            .models
            .into_iter()
            .filter(|model| !secret || model.host().is_none())
            .collect();
        input.veiled = drafters.veiled;
        let reviewer = Door::new(self, asking);
        let run = agent::run_reviewed(input, &models, asking.records, (&reviewer, drafting));
        let outcome = Box::pin(self.while_waiting(asking, drafting, run)).await;
        self.note_spend(practice, outcome.spent, now).await;
        if outcome.overtaken {
            return Ok(Reply {
                overtaken: true,
                ..Reply::silent(Vec::new(), "overtaken")
            });
        }
        let person = outcome.handover == Some(HandOver::Person.as_str());
        let mut reply = self.judge(asking, outcome, (barred, &chosen));
        if let Some((_, reason)) = &reply.hold
            && (person || self.failed_before(conversation, reason).await?)
        {
            reply.aside = Some(Aside::of(practice, now));
        }
        if let Some(by) = barred {
            reply.law.rules.extend(by.iter().map(ToString::to_string));
        }
        Ok(reply)
    }

    /// Leaves talk that is therapy to a person, unread by any model; the patient is told so in
    /// approved words.
    fn leave_therapy(&self, asking: &Asking<'_>, asked: &[TurnId], by: &Ids) -> Option<Reply> {
        let turns = asking.turns.iter();
        let mut talk: Vec<_> = turns
            .filter(|turn| asked.contains(&turn.id))
            .flat_map(|turn| self.parts.screen.therapeutic(turn.body.as_str()))
            .collect();
        talk.sort();
        talk.dedup();
        if talk.is_empty() {
            return None;
        }
        let language = asking.conversation.language;
        let text = self.fixed_text(TextId::Handoff, asking.practice, language);
        let mut reply = self.fixed(asking.practice, asking.conversation, &text, asking.now);
        reply.pending = Pending::Set(None);
        reply.hold = Some((Phi::default(), THERAPY));
        reply.law.rules = by.iter().map(ToString::to_string).collect();
        if let Some(detail) = reply.detail.as_object_mut() {
            let rules: Vec<&str> = talk.iter().map(AsRef::as_ref).collect();
            detail.insert("talk".to_owned(), serde_json::json!(rules));
        }
        metrics::counter!("anteroom_therapy_held_total", "what" => "text").increment(1);
        Some(reply)
    }

    #[expect(clippy::too_many_lines, reason = "one judgement, told in order")]
    pub(crate) fn judge(
        &self,
        asking: &Asking<'_>,
        outcome: agent::Outcome,
        (barred, chosen): (Option<&Ids>, &Chosen),
    ) -> Reply {
        let Asking {
            practice,
            conversation,
            patient,
            now,
            ..
        } = *asking;
        if patient.is_none() && needs_person(&outcome) && may_ask_who(conversation) {
            return self.ask_who(practice, conversation, now);
        }
        let draft = outcome.draft.clone().unwrap_or_default();
        let link = self.portal_link(practice);
        let private = outcome.portal.as_ref();
        let writing = Writing {
            practice,
            conversation,
            patient,
            // What the practice keeps in its record are its own words.
            author: if outcome.portal_from_record {
                Author::Staff
            } else {
                Author::Agent
            },
            purpose: outcome.purpose,
            text: private.unwrap_or(&draft).as_str(),
            facts: &outcome.facts,
            link: link.as_ref(),
            told: asking.told,
            before: &texts_before(asking.turns),
            now,
            law: asking.law,
            session: Some(self.session(asking.turns, patient, asking.law, now)),
            covered: asking.covered,
        };
        let written = if private.is_some() {
            self.clear_behind_link(&writing)
        } else {
            self.clear(&writing)
        };
        let mut reply = Reply::silent(Vec::new(), "agent");
        reply.law.rules = written.law.iter().map(ToString::to_string).collect();
        let open = conversation.pending.as_ref().map(|it| it.kind);
        let stays = match open {
            Some(PendingKind::StopConfirm) => true,
            // A question in between takes no time off the offer: a number can mean nothing else.
            Some(PendingKind::RescheduleChoice | PendingKind::SlotOffer) => {
                asked_in_between(&outcome)
            }
            Some(PendingKind::AppointmentConfirm) if asks_phone(conversation) => {
                asked_in_between(&outcome)
            }
            _ => false,
        };
        reply.pending = if stays && outcome.pending.is_none() {
            Pending::Keep
        } else {
            Pending::Set(outcome.pending)
        };
        reply.language = outcome.language;
        reply.acted = outcome
            .facts
            .iter()
            .any(|fact| fact.field.starts_with("receipt."));
        reply.detail = serde_json::json!({
            "model": outcome.model,
            "model_error": outcome.model_error.map(|error| error.to_string()),
            "tools": outcome.tools.iter().map(|tool| serde_json::json!({"name": tool.name, "ok": tool.ok})).collect::<Vec<_>>(),
            "nanodollars": outcome.spent,
            "wording": chosen.version,
            "verdict": written.review.verdict.as_str(),
            "rules": rules(&written.review),
            "policy": written.review.policy,
            "micros": written.micros,
        });
        let digests = replay::digests(
            &chosen.wording,
            &written.review.policy,
            &replay::asked(&outcome.sent),
        );
        if let Some(detail) = reply.detail.as_object_mut() {
            detail.insert("prompt".to_owned(), digests.prompt.as_str().into());
            detail.insert("tools_digest".to_owned(), digests.tools.as_str().into());
        }
        let asked = !outcome.sent.is_empty();
        reply.recording = asked.then(|| (digests, recording::keep(&outcome.sent)));
        reply.report = Some(with_trouble(written.report("agent"), outcome.trouble));
        reply.hold = outcome.handover.map(|reason| (draft.clone(), reason));
        let therapy = barred.is_some() && !self.parts.screen.therapeutic(draft.as_str()).is_empty();
        let closed = match &written.review.cleared {
            _ if written.barred.is_some() => written.barred,
            _ if therapy => Some(THERAPY_DRAFT),
            None => Some("guardrail"),
            Some(cleared) if cleared.portal().is_some() => {
                let made_up = writing.author == Author::Agent
                    && invented(asking, &written.review, (writing.text, writing.facts));
                closed_page(asking, link.as_ref()).or_else(|| made_up.then_some(INVENTED))
            }
            Some(_) => None,
        };
        let verdict = closed.map_or(written.review.verdict, |_| Verdict::Hold);
        let trials = chosen.trial.into_iter().chain(asking.law.trial);
        reply.trials = trials
            .map(|(version, side)| (version, side, verdict))
            .collect();
        if let Some(reason) = closed {
            // Nothing of the draft leaves; the patient is told the truth, that staff have it.
            let text = self.fixed_text(TextId::Handoff, practice, conversation.language);
            let handed = self.fixed(practice, conversation, &text, now);
            reply.cleared = handed.cleared;
            reply.pending = Pending::Set(None);
            // What was to go behind the link whole is what staff have to see, not the text in its place.
            let meant = private.cloned().unwrap_or(draft);
            reply.hold = Some((meant, reason));
            reply.aside = handoff::misconduct(&written.review).then(|| Aside::of(practice, now));
            return reply;
        }
        reply.cleared = written.review.cleared;
        reply.link = link;
        reply
    }

    /// Reads the waiting texts again under the question that is open now.
    fn read_again(
        &self,
        conversation: &Conversation,
        turns: &[Turn],
        answers: &[TurnId],
    ) -> Vec<Reading> {
        let pending = conversation
            .pending
            .as_ref()
            .and_then(|question| consent::asked(question.kind));
        turns
            .iter()
            .filter(|turn| answers.contains(&turn.id))
            .map(|turn| {
                self.parts
                    .screen
                    .read(turn.body.as_str(), pending, conversation.language)
            })
            .collect()
    }
}

/// The last texts that left of a conversation, oldest first.
pub(crate) fn texts_before(turns: &[Turn]) -> Vec<String> {
    let left = turns
        .iter()
        .filter(|turn| turn.direction == Direction::Outbound);
    let mut bodies: Vec<String> = left
        .rev()
        .take(TEXTS_BEFORE)
        .map(|turn| turn.body.as_str().to_owned())
        .collect();
    bodies.reverse();
    bodies
}

/// The report, with what staff are told of a record system that failed.
fn with_trouble(report: Phi<String>, trouble: Option<Phi<String>>) -> Phi<String> {
    let read = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(report.as_str());
    match (trouble, read) {
        (Some(cause), Ok(mut fields)) => {
            fields.insert("record".to_owned(), cause.as_str().into());
            Phi::new(serde_json::Value::Object(fields).to_string())
        }
        _ => report,
    }
}

fn rules<'r>(review: &'r Review<'_>) -> Vec<&'r str> {
    let mut rules: Vec<&str> = review
        .findings
        .iter()
        .map(|finding| &*finding.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Why what moved behind the link could be read by nobody, or by the wrong person.
pub(crate) fn closed_page(asking: &Asking<'_>, link: Option<&PortalLink>) -> Option<&'static str> {
    let Asking {
        practice,
        conversation,
        patient,
        now,
        ..
    } = *asking;
    if patient.is_some_and(|it| !reaches(it, conversation, practice, now)) {
        return Some("health details of a minor, or to one who acts for the patient");
    }
    // What another portal shows is known only to whoever writes there.
    if link.is_some_and(|it| !it.keeps()) {
        return Some(OTHER_PORTAL);
    }
    // Behind a link there must be a page, and on the page a birth date to ask for.
    let dated = patient.is_some_and(|patient| patient.birth_date.is_some());
    let readable = link.is_some() && dated;
    (!readable).then_some("no page for the link")
}

/// Whether health details of this patient may be opened from this number.
fn reaches(
    patient: &Patient,
    conversation: &Conversation,
    practice: &Practice,
    now: Timestamp,
) -> bool {
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone).date();
    reach(patient, &conversation.number, today) == Reach::Full
}

/// Whether the question is still the one that an answer would be to: an offer behind which something
/// else was told stands for a while, and then a number may mean anything.
fn stands(question: &PendingQuestion, turns: &[Turn], now: Timestamp) -> bool {
    let mut said = turns.iter().rev();
    let last = said.find(|turn| turn.direction == Direction::Outbound);
    let told_last = last.is_none_or(|turn| turn.body.as_str().contains("1) "));
    let fresh = now.duration_since(question.asked) < OFFER_STANDS;
    question.kind != PendingKind::RescheduleChoice || told_last || fresh
}

/// Whether the open question is put to whoever holds the phone.
fn asks_phone(conversation: &Conversation) -> bool {
    let open = conversation.pending.as_ref();
    open.is_some_and(|it| !it.visits.is_empty())
}

/// Whether a turn told public facts and did nothing else.
fn asked_in_between(outcome: &agent::Outcome) -> bool {
    let public = |tool: &agent::ToolUse| PUBLIC_TOOLS.contains(&tool.name);
    let told = !outcome.tools.is_empty() && outcome.tools.iter().all(public);
    told && outcome.handover.is_none()
}

/// Whether a tool was asked for something of one person's record.
fn needs_person(outcome: &agent::Outcome) -> bool {
    outcome.tools.iter().any(|tool| {
        let own = [
            "list_appointments",
            "confirm_appointment",
            "cancel_appointment",
            "reschedule_appointment",
            "find_slots",
            "book_appointment",
            "join_waitlist",
            "leave_waitlist",
            "visit_preparation",
            "set_language",
            "verify_identity",
            "send_by_portal",
            "results_status",
        ];
        !tool.ok && own.contains(&tool.name)
    })
}

/// A birth date is asked for by text only where the risk of texts was accepted, and not for ever.
pub(crate) fn may_ask_who(conversation: &Conversation) -> bool {
    let declined = conversation.consent.state == ConsentState::Declined;
    !declined && conversation.speaker.misses < MISSES_MAX
}
