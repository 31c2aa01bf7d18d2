//! A turn driven to its end: the machine's actions carried out through the ports. It never fails.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::agent::choice;
use crate::agent::facts;
use crate::agent::handed::{cause, handed_over};
use crate::agent::machine::{Action, Event, Finish, Limits, Machine, Opening};
use crate::agent::ports::{
    Answer, Message, Model, ModelError, Records, RecordsError, Request, Reviewer, Unreviewed,
};
use crate::agent::prompts::Wording;
use crate::agent::references::{self, References};
use crate::agent::sayings::{self, System};
use crate::agent::tools::{self, HandOver, Scene, ToolResult};
use crate::agent::veil::Veil;
use crate::agent::when;
use crate::domain::conversation::{PendingKind, PendingQuestion};
use crate::domain::ids::PatientId;
use crate::domain::phi::Phi;
use crate::domain::practice::{ModelSees, Practice};
use crate::domain::record::{Fact, Patient};
use crate::policy::words::{Language, Purpose};

/// Earlier texts that a model sees: a conversation about one matter rarely takes twenty.
pub const HISTORY_MAX: usize = 20;

/// The most of a patient's words that a request holds: a few long texts.
const WORDS_CHARS_MAX: usize = 1_000;

/// What a model is told where a parent writes.
const FOR_PATIENT: &str = "\nWhoever writes speaks for the patient on file, who is a child: \
    \"my daughter\", \"her visit\" and the like mean that patient.";

/// Whose entries are read where nobody is known; no record system gives this id.
const NOBODY: &str = "anteroom-nobody";

/// What a model is told that wrote a reference of its own making.
const UNKNOWN_REFERENCE: &str =
    "write only references that a tool result gave, closed with a brace";

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
}

/// Runs one turn. Where `model` fails, `fallback` goes on from the same point; where the record
/// fails, staff take over.
pub async fn run(
    input: Input<'_>,
    model: &dyn Model,
    fallback: &dyn Model,
    records: &dyn Records,
) -> Outcome {
    run_reviewed(input, (model, fallback), records, &Unreviewed).await
}

/// Runs one turn as [`run`] does. A model whose draft the reviewer would keep back writes once more,
/// with the rules named; what it writes then is final.
pub async fn run_reviewed(
    input: Input<'_>,
    (model, fallback): (&dyn Model, &dyn Model),
    records: &dyn Records,
    reviewer: &dyn Reviewer,
) -> Outcome {
    let mut turn = Turn {
        input: &input,
        model,
        fallback,
        failed: None,
        rejected: false,
        references: References::default(),
        veil: Veil::default(),
        reviewer,
        ground: facts::of_practice(input.practice, input.language),
    };
    let Ok(zone) = TimeZone::get(&input.practice.timezone) else {
        return turn.hand_over(HandOver::RecordDown);
    };
    if let Err(why) = turn.read_ground(records).await {
        let mut outcome = turn.hand_over(HandOver::RecordDown);
        outcome.trouble = cause(why);
        return outcome;
    }
    let Some(mut opening) = opening(&input, &zone) else {
        return turn.hand_over(HandOver::Model);
    };
    if input.for_patient {
        opening.system.push_str(FOR_PATIENT);
    }
    if turn.refers() {
        opening.system.push_str(references::EXPLAINED);
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
                machine.charge(turn.cost(&request));
                let answer = turn.ask(&request).await;
                machine.step(Event::Model(answer))
            }
            Action::CallTool(call) => {
                let mut result = tools::call(&call, &scene, records).await;
                turn.hide(&mut result);
                machine.step(Event::Tool(Box::new(result)))
            }
            Action::Finish(mut end) => {
                let rules = turn.wanting(&mut end, reviewer);
                if rules.is_empty() {
                    return turn.close(end);
                }
                machine.step(Event::Rejected(rules))
            }
        };
    }
}

struct Turn<'a> {
    input: &'a Input<'a>,
    model: &'a dyn Model,
    fallback: &'a dyn Model,
    failed: Option<ModelError>,
    rejected: bool,
    references: References,
    veil: Veil,
    reviewer: &'a dyn Reviewer,
    ground: Vec<Fact>,
}

impl Turn<'_> {
    /// What the record says of who writes. As much is read for a number that is not on file, so that
    /// the time to an answer that needs no record tells nothing of who is.
    async fn read_ground(&mut self, records: &dyn Records) -> Result<(), RecordsError> {
        let practice = &self.input.practice.id;
        let Some(patient) = self.input.patient else {
            let nobody = PatientId::new(NOBODY);
            let _nothing = records.clinical(practice, &nobody).await;
            return Ok(());
        };
        self.ground.extend(facts::of_patient(patient));
        let entries = records.clinical(practice, &patient.id).await?;
        self.ground.extend(facts::of_clinical(&entries));
        Ok(())
    }

    fn active(&self) -> &dyn Model {
        if self.failed.is_some() {
            self.fallback
        } else {
            self.model
        }
    }

    /// Whether the model is on another machine, and shall see no values of the record.
    fn refers(&self) -> bool {
        let sees = self.input.practice.model_sees;
        self.active().host().is_some() && !self.input.veiled && sees == ModelSees::References
    }

    /// Whether the model shall see no identifier at all.
    fn veils(&self) -> bool {
        self.active().host().is_some() && self.input.veiled
    }

    fn hide(&mut self, result: &mut ToolResult) {
        if self.refers() {
            result.json = Phi::new(self.references.hide(result.json.as_str()));
        }
    }

    /// Fills in what the draft refers to; false when it refers to nothing that a tool gave.
    fn fill(&self, end: &mut Finish) -> bool {
        let Some(draft) = &end.draft else { return true };
        if self.references.is_empty() {
            return true;
        }
        let filled = self.references.fill(draft.as_str());
        let known = filled.is_some();
        end.draft = filled.map(Phi::new).or_else(|| end.draft.take());
        known
    }

    /// What the model must mend, once; a draft that cannot be read is none at all.
    fn wanting(&mut self, end: &mut Finish, reviewer: &dyn Reviewer) -> Vec<String> {
        let filled = self.fill(end);
        let rules = if filled {
            self.complaints(end, reviewer)
        } else {
            vec![UNKNOWN_REFERENCE.to_owned()]
        };
        if self.rejected {
            if !filled {
                end.draft = None;
            }
            return Vec::new();
        }
        self.rejected = !rules.is_empty();
        rules
    }

    /// What keeps the draft back, where asking once more may help: templates would say the same.
    fn complaints(&self, end: &Finish, reviewer: &dyn Reviewer) -> Vec<String> {
        let Some(draft) = end.draft.as_ref().filter(|_| end.portal.is_none()) else {
            return Vec::new();
        };
        if self.failed.is_some() || self.model.name() == self.fallback.name() {
            return Vec::new();
        }
        let facts: Vec<Fact> = self.ground.iter().chain(&end.facts).cloned().collect();
        reviewer.complaints(draft, &facts)
    }

    async fn ask(&mut self, request: &Request) -> Result<Answer, ModelError> {
        let answer = if self.veils() {
            self.ask_veiled(request).await
        } else {
            self.active().complete(request).await
        };
        match (answer, self.failed) {
            (Err(error), None) => {
                self.failed = Some(error);
                self.fallback.complete(request).await
            }
            (answer, _) => answer,
        }
    }

    /// Asks through the veil. A reference to nothing is an answer that cannot be read.
    async fn ask_veiled(&mut self, request: &Request) -> Result<Answer, ModelError> {
        let (reviewer, ground) = (self.reviewer, &self.ground);
        let find = |text: &str| reviewer.identifiers(text, ground);
        let covered = self.veil.cover(request, self.input, &find);
        let answer = self.active().complete(&covered).await?;
        let zone = TimeZone::get(&request.timezone).unwrap_or(TimeZone::UTC);
        let today = request.now.to_zoned(zone).date();
        self.veil.open(answer, today).ok_or(ModelError::Malformed)
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
            portal_from_record: end.portal_from_record,
            language: end.language,
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
