//! A turn driven to its end: the machine's actions carried out through the ports. It never fails.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::agent::choice;
use crate::agent::facts;
use crate::agent::machine::{Action, Event, Finish, Limits, Machine, Opening};
use crate::agent::ports::{Answer, Message, Model, ModelError, Records, RecordsError, Request};
use crate::agent::prompts::Wording;
use crate::agent::sayings::{self, System};
use crate::agent::tools::{self, HandOver, Scene};
use crate::agent::when;
use crate::domain::conversation::{PendingKind, PendingQuestion};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Fact, Patient};
use crate::policy::words::{Language, Purpose};

/// Earlier texts that a model sees: a conversation about one matter rarely takes twenty.
pub const HISTORY_MAX: usize = 20;

/// What a turn is told.
#[derive(Debug)]
pub struct Input<'a> {
    /// Whose patient.
    pub practice: &'a Practice,
    /// Who; none when the number is not on file, or is shared.
    pub patient: Option<&'a Patient>,
    /// The language to answer in.
    pub language: Language,
    /// The present.
    pub now: Timestamp,
    /// Answered texts and their answers, oldest first; `true` is from the patient.
    pub history: Vec<(bool, Phi<String>)>,
    /// Texts to answer, oldest first.
    pub waiting: Vec<Phi<String>>,
    /// The open question.
    pub pending: Option<&'a PendingQuestion>,
    /// The number that the patient chose.
    pub choice: Option<u8>,
    /// Whether the screen read a yes to the open question.
    pub affirmed: bool,
    /// Whether the screen flagged an attempt to steer the model.
    pub untrusted: bool,
    /// Idempotency key of this turn: the same key never writes twice.
    pub key: String,
    /// The bounds.
    pub limits: Limits,
    /// What it is said in.
    pub wording: Wording,
}

/// A tool that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolUse {
    /// Its name.
    pub name: &'static str,
    /// Whether it did what was asked.
    pub ok: bool,
}

/// What came of a turn.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The draft for the guardrail; none when there is nothing to say.
    pub draft: Option<Phi<String>>,
    /// What it may rest on.
    pub facts: Vec<Fact>,
    /// The question it asks. None closes any earlier one, so that a later YES means nothing old.
    pub pending: Option<PendingQuestion>,
    /// Why staff must look; the caller files it in the transaction that enqueues the draft.
    pub handover: Option<&'static str>,
    /// What it is about.
    pub purpose: Purpose,
    /// Which tools ran.
    pub tools: Vec<ToolUse>,
    /// Which model wrote it.
    pub model: String,
    /// Why the first model did not.
    pub model_error: Option<ModelError>,
    /// A text for behind the portal link.
    pub portal: Option<Phi<String>>,
    /// What staff are told of a record system that failed; it may name a patient.
    pub trouble: Option<Phi<String>>,
}

/// Runs one turn. Where `model` fails, `fallback` goes on from the same point; where the record
/// fails, staff take over.
pub async fn run(
    input: Input<'_>,
    model: &dyn Model,
    fallback: &dyn Model,
    records: &dyn Records,
) -> Outcome {
    let mut turn = Turn {
        input: &input,
        model,
        fallback,
        failed: None,
        ground: facts::of_practice(input.practice, input.language),
    };
    let Ok(zone) = TimeZone::get(&input.practice.timezone) else {
        return turn.hand_over(HandOver::RecordDown);
    };
    if let Some(patient) = input.patient {
        turn.ground.extend(facts::of_patient(patient));
        match records.clinical(&input.practice.id, &patient.id).await {
            Ok(entries) => turn.ground.extend(facts::of_clinical(&entries)),
            Err(why) => {
                let mut outcome = turn.hand_over(HandOver::RecordDown);
                outcome.trouble = cause(why);
                return outcome;
            }
        }
    }
    let Some(opening) = opening(&input, &zone) else {
        return turn.hand_over(HandOver::Model);
    };
    let scene = Scene {
        practice: input.practice,
        patient: input.patient,
        language: input.language,
        now: input.now,
        zone,
        key: &input.key,
        offered: input
            .pending
            .map(|pending| pending.slots.clone())
            .unwrap_or_default(),
    };
    let mut machine = Machine::new(opening);
    let mut action = machine.step(Event::Begin);
    loop {
        action = match action {
            Action::AskModel(request) => {
                machine.charge(turn.cost(&request));
                let answer = turn.ask(&request).await;
                machine.step(Event::Model(answer))
            }
            Action::CallTool(call) => {
                let result = tools::call(&call, &scene, records).await;
                machine.step(Event::Tool(Box::new(result)))
            }
            Action::Finish(end) => return turn.close(end),
        };
    }
}

struct Turn<'a> {
    input: &'a Input<'a>,
    model: &'a dyn Model,
    fallback: &'a dyn Model,
    failed: Option<ModelError>,
    ground: Vec<Fact>,
}

impl Turn<'_> {
    fn active(&self) -> &dyn Model {
        if self.failed.is_some() {
            self.fallback
        } else {
            self.model
        }
    }

    async fn ask(&mut self, request: &Request) -> Result<Answer, ModelError> {
        let answer = self.active().complete(request).await;
        match (answer, self.failed) {
            (Err(error), None) => {
                self.failed = Some(error);
                self.fallback.complete(request).await
            }
            (answer, _) => answer,
        }
    }

    fn cost(&self, request: &Request) -> usize {
        let model = self.active();
        let said = request.messages.iter().map(|message| match message {
            Message::Patient(text) | Message::Agent(text) => model.count_tokens(text.as_str()),
            Message::ToolCalls(calls) => calls
                .iter()
                .map(|call| model.count_tokens(call.arguments.as_str()))
                .sum(),
            Message::ToolResult { json, .. } => model.count_tokens(json.as_str()),
        });
        model.count_tokens(&request.system) + said.sum::<usize>()
    }

    fn close(self, end: Finish) -> Outcome {
        if end.draft.is_none() {
            let mut outcome = self.hand_over(end.handover.unwrap_or(HandOver::Model));
            outcome.facts.extend(end.facts);
            outcome.tools = uses(&end.tools);
            outcome.trouble = end.trouble;
            return outcome;
        }
        let mut facts = self.ground;
        facts.extend(end.facts);
        Outcome {
            draft: end.draft,
            facts,
            pending: end.pending,
            handover: end.handover.map(HandOver::as_str),
            purpose: end.purpose,
            tools: uses(&end.tools),
            model: if self.failed.is_some() {
                self.fallback.name().to_owned()
            } else {
                self.model.name().to_owned()
            },
            model_error: self.failed,
            portal: end.portal,
            trouble: end.trouble,
        }
    }

    /// The draft that needs neither model nor record.
    fn hand_over(self, why: HandOver) -> Outcome {
        let mut outcome = handed_over(
            self.input.practice,
            self.input.language,
            why,
            &self.input.wording,
        );
        outcome.facts.splice(0..0, self.ground);
        self.model.name().clone_into(&mut outcome.model);
        outcome.model_error = self.failed;
        outcome
    }
}

/// What is said where the record system does not answer who writes.
pub fn record_down(
    practice: &Practice,
    language: Language,
    why: RecordsError,
    wording: &Wording,
) -> Outcome {
    let mut outcome = handed_over(practice, language, HandOver::RecordDown, wording);
    outcome
        .facts
        .splice(0..0, facts::of_practice(practice, language));
    outcome.trouble = cause(why);
    outcome
}

fn handed_over(
    practice: &Practice,
    language: Language,
    why: HandOver,
    wording: &Wording,
) -> Outcome {
    let words = sayings::Phone {
        phone: practice.phone.display_us(),
    };
    let template = if why == HandOver::RecordDown {
        sayings::RECORD_DOWN
    } else {
        sayings::TROUBLE
    };
    let draft = wording
        .prompts()
        .ok()
        .and_then(|prompts| prompts.say(language, template, &words).ok());
    Outcome {
        draft: draft.map(Phi::new),
        facts: vec![Fact::new("receipt.message_sent", "staff")],
        pending: None,
        handover: Some(why.as_str()),
        purpose: Purpose::Reply,
        tools: Vec::new(),
        model: String::new(),
        model_error: None,
        portal: None,
        trouble: None,
    }
}

/// What staff are told of a failed record.
fn cause(why: RecordsError) -> Option<Phi<String>> {
    match why {
        RecordsError::Failed(cause) => Some(cause),
        RecordsError::NotFound | RecordsError::Conflict | RecordsError::Unavailable => None,
    }
}

fn uses(tools: &[(&'static str, bool)]) -> Vec<ToolUse> {
    let one = |(name, ok): &(&'static str, bool)| ToolUse { name, ok: *ok };
    tools.iter().map(one).collect()
}

/// The time picked by the last text among those that our last text offered, in words: "9 works".
fn chosen(input: &Input<'_>) -> Option<u8> {
    let open = input.pending?.kind == PendingKind::RescheduleChoice && !input.untrusted;
    let said = input.history.iter().rev().find(|(patient, _)| !patient);
    let (_, offer) = said.filter(|_| open)?;
    choice::chosen(offer.as_str(), input.waiting.last()?.as_str())
}

fn opening(input: &Input<'_>, zone: &TimeZone) -> Option<Opening> {
    let prompts = input.wording.prompts().ok()?;
    let local = input.now.to_zoned(zone.clone());
    let system = System {
        practice: input.practice.name.clone(),
        phone: input.practice.phone.display_us(),
        today: local.strftime("%A, %B %-d, %Y").to_string(),
        clock: when::spoken(input.now, zone, input.language),
        on_file: input.patient.is_some(),
        untrusted: input.untrusted,
        open_question: input
            .pending
            .map(|pending| pending.kind.as_str().to_owned())
            .unwrap_or_default(),
        open_visit: input
            .pending
            .and_then(|pending| pending.appointment.as_ref())
            .map(|id| id.as_str().to_owned())
            .unwrap_or_default(),
        open_slots: input
            .pending
            .map(|pending| {
                pending
                    .slots
                    .iter()
                    .map(|slot| slot.as_str().to_owned())
                    .collect()
            })
            .unwrap_or_default(),
    };
    let system = prompts.say(input.language, sayings::SYSTEM, &system).ok()?;
    let mut messages: Vec<Message> = input
        .history
        .iter()
        .skip(input.history.len().saturating_sub(HISTORY_MAX))
        .map(|(from_patient, text)| match from_patient {
            true => Message::Patient(text.clone()),
            false => Message::Agent(text.clone()),
        })
        .collect();
    messages.extend(input.waiting.iter().cloned().map(Message::Patient));
    Some(Opening {
        system,
        messages,
        language: input.language,
        now: input.now,
        timezone: input.practice.timezone.clone(),
        pending: input.pending.cloned(),
        choice: input.choice.or_else(|| chosen(input)),
        affirmed: input.affirmed,
        untrusted: input.untrusted,
        limits: input.limits,
        wording: input.wording.clone(),
    })
}
