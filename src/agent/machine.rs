//! One turn of the agent as a machine without I/O: events in, actions out, every step bounded.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::agent::ports::{Answer, Message, ModelError, Request, ToolCall};
use crate::agent::prompts::Wording;
use crate::agent::tools::{CheckedCall, Fault, HandOver, Seen, TOOLS, Task, ToolResult};
use crate::domain::conversation::{PendingKind, PendingQuestion};
use crate::domain::phi::Phi;
use crate::domain::record::Fact;
use crate::policy::words::{Language, Purpose};

/// Tool calls in one turn: the longest honest turn (list, find, move, and a second question) takes
/// five; more is a model going in circles.
pub const TURN_TOOL_CALLS_MAX: usize = 8;
/// Times a model is asked in one turn: list, then find, then the draft, with one repair and one spare.
pub const ROUNDS_MAX: usize = 5;
/// Tokens sent over all rounds of one turn: five rounds of a full short conversation; it bounds cost.
pub const TOKENS_MAX: usize = 60_000;
/// Tokens of one answer: three SMS segments are about 120 tokens; tool calls need the rest.
pub const ANSWER_TOKENS_MAX: u32 = 700;
/// Seconds that a turn may take before the offline model ends it: nobody waits longer for a text
/// than a minute after being told that it takes a moment.
pub const SECONDS_MAX: u32 = 45;
/// What the models of one turn may cost, in billionths of a US dollar: five cents, ten times what an
/// ordinary turn costs.
pub const NANODOLLARS_MAX: u64 = 50_000_000;
/// Unreadable calls in one turn before staff take over: one may be mended.
const FAULTS_MAX: usize = 1;

/// What a model is told whose draft may not leave.
const REJECTED: &str = "\nYour last draft was not sent. Write another one that keeps these rules:";
/// Rules told of one rejected draft; the gravest come first.
const RULES_TOLD_MAX: usize = 6;

/// The bounds of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tool calls.
    pub tool_calls_max: usize,
    /// Times a model is asked.
    pub rounds_max: usize,
    /// Tokens sent, all rounds together.
    pub tokens_max: usize,
    /// Tokens of one answer.
    pub answer_tokens_max: u32,
    /// Seconds, all rounds together.
    pub seconds_max: u32,
    /// Billionths of a US dollar, all rounds together.
    pub nanodollars_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tool_calls_max: TURN_TOOL_CALLS_MAX,
            rounds_max: ROUNDS_MAX,
            tokens_max: TOKENS_MAX,
            answer_tokens_max: ANSWER_TOKENS_MAX,
            seconds_max: SECONDS_MAX,
            nanodollars_max: NANODOLLARS_MAX,
        }
    }
}

/// What a turn begins with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The standing instructions.
    pub system: String,
    /// The conversation and the texts to answer, oldest first.
    pub messages: Vec<Message>,
    /// The language to answer in.
    pub language: Language,
    /// The present.
    pub now: Timestamp,
    /// The practice's zone.
    pub timezone: String,
    /// The open question.
    pub pending: Option<PendingQuestion>,
    /// The number that the patient chose.
    pub choice: Option<u8>,
    /// Whether the patient said yes to the open question.
    pub affirmed: bool,
    /// Whether a text looks like an attempt to steer the model.
    pub untrusted: bool,
    /// The bounds.
    pub limits: Limits,
    /// The wording of models that fill templates.
    pub wording: Wording,
    /// Whether whoever writes speaks for the patient on file.
    pub for_patient: bool,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The turn begins.
    Begin,
    /// The model has answered, or not.
    Model(Result<Answer, ModelError>),
    /// A tool has run.
    Tool(Box<ToolResult>),
    /// The draft may not leave, by these rules.
    Rejected(Vec<String>),
}

/// What to do next.
#[derive(Debug)]
pub enum Action {
    /// Ask the model.
    AskModel(Request),
    /// Run a tool.
    CallTool(CheckedCall),
    /// The turn is over.
    Finish(Finish),
}

/// How a turn ended.
#[derive(Clone, Debug)]
pub struct Finish {
    /// The model's draft; none when staff must answer.
    pub draft: Option<Phi<String>>,
    /// Facts and receipts of the tools.
    pub facts: Vec<Fact>,
    /// The question that the draft asks.
    pub pending: Option<PendingQuestion>,
    /// Staff must look.
    pub handover: Option<HandOver>,
    /// A text for behind the link.
    pub portal: Option<Phi<String>>,
    /// Whether that text stands in the record.
    pub portal_from_record: bool,
    /// What the turn was about.
    pub purpose: Purpose,
    /// Which tools ran, and whether each did what was asked.
    pub tools: Vec<(&'static str, bool)>,
    /// The language that the patient chose.
    pub language: Option<Language>,
    /// What staff are told of a record system that failed.
    pub trouble: Option<Phi<String>>,
}

/// The machine.
#[derive(Debug)]
pub struct Machine {
    opening: Opening,
    seen: Seen,
    waiting: VecDeque<ToolCall>,
    rounds: usize,
    calls: usize,
    faults: usize,
    tokens: usize,
    done: Finish,
}

impl Machine {
    /// A machine that waits for [`Event::Begin`].
    pub fn new(opening: Opening) -> Self {
        let mut seen = Seen::default();
        if let Some(pending) = &opening.pending {
            seen.appointments.extend(pending.appointment.clone());
            seen.slots.extend(pending.slots.iter().cloned());
        }
        Self {
            opening,
            seen,
            waiting: VecDeque::new(),
            rounds: 0,
            calls: 0,
            faults: 0,
            tokens: 0,
            done: Finish {
                draft: None,
                facts: Vec::new(),
                pending: None,
                handover: None,
                portal: None,
                portal_from_record: false,
                purpose: Purpose::Reply,
                tools: Vec::new(),
                language: None,
                trouble: None,
            },
        }
    }

    /// Counts what the last request cost; the next step ends the turn when it was too much.
    pub const fn charge(&mut self, tokens: usize) {
        self.tokens = self.tokens.saturating_add(tokens);
    }

    /// What follows from an event.
    pub fn step(&mut self, event: Event) -> Action {
        match event {
            Event::Begin => match self.settled_question() {
                Some(task) => self.call_ourselves(task),
                None => self.ask(),
            },
            Event::Model(Ok(Answer::Text(draft))) => {
                if draft.as_str().trim().is_empty() {
                    return self.give_up(HandOver::Model);
                }
                self.done.draft = Some(draft);
                self.finish()
            }
            Event::Model(Ok(Answer::Tools(calls))) => {
                if calls.is_empty() {
                    return self.give_up(HandOver::Model);
                }
                self.opening
                    .messages
                    .push(Message::ToolCalls(calls.clone()));
                self.waiting.extend(calls);
                self.next_call()
            }
            Event::Model(Err(_)) => self.give_up(HandOver::Model),
            Event::Tool(result) => self.take(*result),
            Event::Rejected(rules) => self.write_again(&rules),
        }
    }

    /// Asks once more, with the rules named. The text that was rejected is not among what is sent.
    fn write_again(&mut self, rules: &[String]) -> Action {
        self.done.draft = None;
        self.opening.system.push_str(REJECTED);
        for rule in rules.iter().take(RULES_TOLD_MAX) {
            self.opening.system.push_str("\n- ");
            self.opening.system.push_str(rule);
        }
        self.ask()
    }

    /// A clear answer to an open question needs no model to be understood.
    fn settled_question(&self) -> Option<Task> {
        let pending = self.opening.pending.as_ref()?;
        if pending.kind == PendingKind::RescheduleChoice {
            let index = usize::from(self.opening.choice?).checked_sub(1)?;
            let slot = pending.slots.get(index)?.clone();
            let kind = String::new();
            return Some(match pending.appointment.clone() {
                Some(appointment) => Task::Reschedule { appointment, slot },
                None => Task::Book { slot, kind },
            });
        }
        if pending.kind == PendingKind::SlotOffer {
            let slot = pending.slots.first().filter(|_| self.opening.affirmed)?;
            let (slot, kind) = (slot.clone(), String::new());
            return Some(match pending.appointment.clone() {
                Some(appointment) => Task::Reschedule { appointment, slot },
                None => Task::Book { slot, kind },
            });
        }
        let appointment = pending.appointment.clone()?;
        match pending.kind {
            PendingKind::CancelConfirm => self.opening.affirmed.then_some(Task::Cancel {
                appointment,
                agreed: true,
            }),
            PendingKind::AppointmentConfirm => self
                .opening
                .affirmed
                .then_some(Task::Confirm { appointment }),
            PendingKind::RescheduleChoice
            | PendingKind::SlotOffer
            | PendingKind::Consent
            | PendingKind::StopConfirm
            // Which days suit may stand beside the yes.
            | PendingKind::NewVisit
            | PendingKind::Person => None,
        }
    }

    /// A call that the machine makes itself stands in the conversation like a model's own.
    fn call_ourselves(&mut self, task: Task) -> Action {
        let call = ToolCall {
            id: "turn-0".to_owned(),
            name: task.name().to_owned(),
            arguments: Phi::new(own_arguments(&task)),
        };
        let id = call.id.clone();
        self.opening.messages.push(Message::ToolCalls(vec![call]));
        self.calls += 1;
        Action::CallTool(CheckedCall { id, task })
    }

    fn next_call(&mut self) -> Action {
        while let Some(call) = self.waiting.pop_front() {
            self.calls += 1;
            if self.calls > self.opening.limits.tool_calls_max {
                return self.give_up(HandOver::Limits);
            }
            match CheckedCall::read(&call, &self.seen, self.opening.untrusted) {
                Ok(checked) => return Action::CallTool(checked),
                Err(fault) => {
                    self.faults +=
                        usize::from(matches!(fault, Fault::Arguments(_) | Fault::UnknownTool));
                    if self.faults > FAULTS_MAX {
                        return self.give_up(HandOver::Model);
                    }
                    self.opening.messages.push(Message::ToolResult {
                        json: fault.explain(),
                        call_id: call.id,
                        tool: call.name,
                    });
                }
            }
        }
        self.ask()
    }

    fn take(&mut self, result: ToolResult) -> Action {
        self.done.tools.push((result.tool, result.ok));
        self.done.facts.extend(result.facts);
        // A time that was found in this turn is the patient's to choose, by a later text.
        self.seen.appointments.extend(result.seen.appointments);
        if result.pending.is_some() {
            self.done.pending = result.pending;
        }
        if result.portal.is_some() {
            self.done.portal = result.portal;
            self.done.portal_from_record = result.tool == "visit_preparation";
        }
        self.done.handover = self.done.handover.or(result.handover);
        self.opening.messages.push(Message::ToolResult {
            call_id: result.call_id,
            tool: result.tool.to_owned(),
            json: result.json,
        });
        self.done.language = result.language.or(self.done.language);
        if result.trouble.is_some() {
            self.done.trouble = result.trouble;
        }
        if result.record_down {
            return self.give_up(HandOver::RecordDown);
        }
        self.next_call()
    }

    fn ask(&mut self) -> Action {
        self.rounds += 1;
        let limits = self.opening.limits;
        if self.rounds > limits.rounds_max || self.tokens >= limits.tokens_max {
            return self.give_up(HandOver::Limits);
        }
        Action::AskModel(Request {
            system: self.opening.system.clone(),
            messages: self.opening.messages.clone(),
            tools: TOOLS,
            language: self.opening.language,
            now: self.opening.now,
            timezone: self.opening.timezone.clone(),
            answer_tokens_max: limits.answer_tokens_max,
            wording: self.opening.wording.clone(),
            for_patient: self.opening.for_patient,
            open: self.opening.pending.as_ref().map(|it| it.kind),
            affirmed: self.opening.affirmed,
        })
    }

    /// No draft: nothing that was half prepared may be asked or sent.
    fn give_up(&mut self, why: HandOver) -> Action {
        self.done.handover = Some(why);
        self.done.draft = None;
        self.done.pending = None;
        self.done.portal = None;
        self.finish()
    }

    fn finish(&mut self) -> Action {
        self.done.purpose = purpose(&self.done);
        Action::Finish(self.done.clone())
    }
}

fn own_arguments(task: &Task) -> String {
    let json = match task {
        Task::Confirm { appointment } | Task::Cancel { appointment, .. } => {
            serde_json::json!({ "appointment_id": appointment.as_str() })
        }
        Task::Reschedule { appointment, slot } => {
            serde_json::json!({ "appointment_id": appointment.as_str(), "slot_id": slot.as_str() })
        }
        Task::Book { slot, .. } => serde_json::json!({ "slot_id": slot.as_str() }),
        Task::ListAppointments
        | Task::VerifyIdentity
        | Task::Ask { .. }
        | Task::JoinWaitlist { .. }
        | Task::LeaveWaitlist
        | Task::Preparation { .. }
        | Task::SetLanguage { .. }
        | Task::FindSlots(_)
        | Task::PracticeInformation { .. }
        | Task::HandOver { .. }
        | Task::SendByPortal { .. }
        | Task::ResultsStatus
        | Task::Providers => serde_json::json!({}),
    };
    json.to_string()
}

/// One purpose when the turn had one; the general one of a reply when it had several or none.
fn purpose(done: &Finish) -> Purpose {
    let mut found: Vec<Purpose> = done
        .tools
        .iter()
        .filter_map(|(tool, _)| match *tool {
            "results_status" => Some(Purpose::Results),
            "list_appointments"
            | "confirm_appointment"
            | "cancel_appointment"
            | "reschedule_appointment"
            | "book_appointment"
            | "join_waitlist"
            | "leave_waitlist"
            | "find_slots" => Some(Purpose::Scheduling),
            _ => None,
        })
        .collect();
    found.extend(match done.handover {
        Some(HandOver::Refill) => Some(Purpose::Refill),
        Some(HandOver::Billing) => Some(Purpose::Billing),
        Some(HandOver::Medical) => Some(Purpose::Triage),
        Some(HandOver::Results) => Some(Purpose::Results),
        _ => None,
    });
    found.sort_unstable();
    found.dedup();
    match found.as_slice() {
        [one] => *one,
        _ => Purpose::Reply,
    }
}
