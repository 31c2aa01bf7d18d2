//! A turn driven to its end: the machine's actions carried out through the ports. It never fails.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::agent::choice;
use crate::agent::machine::{Action, Event, Limits, Machine, Opening};
use crate::agent::opening;
use crate::agent::ports::{
    Meanwhile, Message, Model, ModelError, Records, Reviewer, Undisturbed, Unreviewed,
};
use crate::agent::prompts::Wording;
use crate::agent::recording::Sent;
use crate::agent::sayings::{self, System};
use crate::agent::tools::{self, HandOver, Scene};
use crate::agent::turn::{Asked, Turn};
use crate::agent::when;
use crate::domain::conversation::{PendingKind, PendingQuestion};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Fact, Patient};
use crate::policy::words::{Language, Purpose};

/// Earlier texts that a model sees: a conversation about one matter rarely takes twenty.
pub const HISTORY_MAX: usize = 20;

/// The most of a patient's words that a request holds: a few long texts.
const WORDS_CHARS_MAX: usize = 1_000;

/// What a model is told where a parent writes.
const FOR_PATIENT: &str = "\nWhoever writes speaks for the patient on file, who is a child: \
    \"my daughter\", \"her visit\" and the like mean that patient.";

/// What a turn is told.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of the turn, by its name"
)]
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
    /// Whether the model's vendor has signed nothing: then a model on another machine sees no identifier
    /// of anybody (45 CFR 164.514(b)(2)).
    pub veiled: bool,
    /// What it is said in.
    pub wording: Wording,
    /// Whether whoever writes speaks for the patient: a parent for a child on file.
    pub for_patient: bool,
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
    /// A text for behind the portal link; it goes there whole, in place of the draft.
    pub portal: Option<Phi<String>>,
    /// Whether that text stands in the record, and is not a model's.
    pub portal_from_record: bool,
    /// The language that the patient chose to be written to in.
    pub language: Option<Language>,
    /// What staff are told of a record system that failed; it may name a patient.
    pub trouble: Option<Phi<String>>,
    /// What the models cost, in billionths of a US dollar.
    pub spent: u64,
    /// The turn is out of date and was ended before anything was done or said.
    pub overtaken: bool,
    /// What the models were sent, in order.
    pub sent: Vec<Sent>,
}

/// Runs one turn. Where `model` fails, `fallback` goes on from the same point; where the record
/// fails, staff take over.
pub async fn run(
    input: Input<'_>,
    model: &dyn Model,
    fallback: &dyn Model,
    records: &dyn Records,
) -> Outcome {
    let models = [model, fallback];
    run_reviewed(input, &models, records, (&Unreviewed, &Undisturbed)).await
}

/// Runs one turn. Where a model fails, takes too long or costs too much, the next one goes on from
/// the same point; the last one should be one that does none of these. A model whose draft the
/// reviewer would keep back writes once more, with the rules named; what it writes then is final.
/// A turn that is overtaken before anything was done in it ends at once.
pub async fn run_reviewed(
    input: Input<'_>,
    models: &[&dyn Model],
    records: &dyn Records,
    (reviewer, meanwhile): (&dyn Reviewer, &dyn Meanwhile),
) -> Outcome {
    let mut turn = Turn::new(&input, models, (reviewer, meanwhile));
    let Ok(zone) = TimeZone::get(&input.practice.timezone) else {
        return turn.hand_over(HandOver::RecordDown);
    };
    if let Err(why) = turn.read_ground(records).await {
        let mut outcome = turn.hand_over(HandOver::RecordDown);
        outcome.trouble = why.cause();
        return outcome;
    }
    let Some(mut opening) = opening(&input, &zone) else {
        return turn.hand_over(HandOver::Model);
    };
    if input.for_patient {
        opening.system.push_str(FOR_PATIENT);
    }
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
        words: own_words(&input),
    };
    let mut machine = Machine::new(opening);
    let mut action = machine.step(Event::Begin);
    loop {
        action = match action {
            Action::AskModel(request) => {
                machine.charge(turn.count(&request));
                match turn.ask(&request).await {
                    Asked::Answered(answer) => machine.step(Event::Model(answer)),
                    Asked::Overtaken => return turn.overtaken(),
                }
            }
            Action::CallTool(call) => {
                let result = tools::call(&call, &scene, records).await;
                turn.take(&result);
                machine.step(Event::Tool(Box::new(result)))
            }
            Action::Finish(mut end) => {
                let rules = turn.wanting(&mut end);
                if rules.is_empty() {
                    return turn.close(end);
                }
                machine.step(Event::Rejected(rules))
            }
        };
    }
}

/// What the patient wrote of the matter, for staff: the texts to answer; and where these are only
/// the choice of an offered time, the text before the offer.
fn own_words(input: &Input<'_>) -> Phi<String> {
    let chosen = input.pending.is_some_and(|it| !it.slots.is_empty());
    let mut before = input
        .history
        .iter()
        .rev()
        .skip_while(|(patient, _)| !patient);
    let asked = before.next().filter(|_| chosen).map(|(_, text)| text);
    let all: Vec<&str> = asked
        .into_iter()
        .chain(&input.waiting)
        .map(Phi::as_str)
        .collect();
    Phi::new(all.join(" / ").chars().take(WORDS_CHARS_MAX).collect())
}

/// The time picked by the last text among those that our last text offered, in words: "9 works".
fn chosen(input: &Input<'_>) -> Option<u8> {
    let open = input.pending?.kind == PendingKind::RescheduleChoice && !input.untrusted;
    let said = input.history.iter().rev().find(|(patient, _)| !patient);
    let (_, offer) = said.filter(|_| open)?;
    choice::chosen(offer.as_str(), input.waiting.last()?.as_str())
}

/// Days of the calendar that the system prompt tells.
const CALENDAR_DAYS: usize = 14;

/// How the system prompt tells the day.
pub(super) fn today(local: &jiff::Zoned) -> String {
    local.strftime("%A, %B %-d, %Y").to_string()
}

fn opening(input: &Input<'_>, zone: &TimeZone) -> Option<Opening> {
    let prompts = input.wording.prompts().ok()?;
    let local = input.now.to_zoned(zone.clone());
    let system = System {
        practice: input.practice.said_name(input.language).to_owned(),
        phone: input.practice.phone.display_us(),
        today: today(&local),
        clock: when::spoken(input.now, zone, input.language),
        // Days stand for a person's visits: whoever may see no identifier counts none.
        calendar: if input.veiled {
            String::new()
        } else {
            opening::days_ahead(&input.practice.hours, &local, CALENDAR_DAYS)
        },
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
        for_patient: input.for_patient,
    })
}
