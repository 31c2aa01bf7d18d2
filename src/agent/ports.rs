//! The ports of the agent: a model that drafts, and a record that knows. Others implement them.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

use jiff::Timestamp;

use crate::agent::prompts::Wording;
use crate::agent::recording;
use crate::domain::conversation::PendingKind;
use crate::domain::ids::{AppointmentId, PatientId, PracticeId, RequestId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::record::{
    Appointment, AppointmentStatus, Clinical, Fact, Filed, NewVisit, Note, Patient, Place,
    Provider, Request as Ask, RequestKind, Slot,
};
use crate::policy::words::Language;

/// A future that a port returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One message of a model's context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// What the patient wrote.
    Patient(Phi<String>),
    /// What the practice answered before.
    Agent(Phi<String>),
    /// Tools that the model asked for in this turn.
    ToolCalls(Vec<ToolCall>),
    /// What one of them gave, as JSON.
    ToolResult {
        /// The call it answers.
        call_id: String,
        /// The tool's name.
        tool: String,
        /// Its result, as JSON.
        json: Phi<String>,
    },
}

/// A tool that a model wants called. Arguments are the model's own JSON, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The model's id for this call.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// Its arguments as JSON text; may be malformed.
    pub arguments: Phi<String>,
}

/// What a model is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The standing instructions.
    pub system: String,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// The tools on offer.
    pub tools: &'static [crate::agent::tools::ToolSpec],
    /// The language to answer in.
    pub language: Language,
    /// The present, for models that have no clock.
    pub now: Timestamp,
    /// The practice's time zone.
    pub timezone: String,
    /// Upper bound of the answer, in tokens.
    pub answer_tokens_max: u32,
    /// The wording of models that fill templates.
    pub wording: Wording,
    /// Whether whoever writes speaks for the patient on file: "my daughter" is that patient.
    pub for_patient: bool,
    /// The question that was open when the texts came.
    pub open: Option<PendingKind>,
    /// Whether the texts say yes to it.
    pub affirmed: bool,
}

/// What a model answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A draft for the patient.
    Text(Phi<String>),
    /// Tools to call first.
    Tools(Vec<ToolCall>),
}

/// Why a model gave no answer. Never holds what it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No answer in time.
    #[error("the model did not answer in time")]
    Timeout,
    /// It asked us to slow down, past our patience.
    #[error("the model is rate limited")]
    RateLimited,
    /// No connection, or a server error after all retries.
    #[error("the model cannot be reached")]
    Unreachable,
    /// Our key or request was refused; retrying cannot help.
    #[error("the model refused the request: check the key and the model's name")]
    Rejected,
    /// The answer could not be read.
    #[error("the model's answer could not be read")]
    Malformed,
    /// The answer was cut off.
    #[error("the model's answer was cut off")]
    Truncated,
    /// The answer was empty.
    #[error("the model's answer was empty")]
    Empty,
    /// The model's own filter stopped it.
    #[error("the model's content filter stopped the answer")]
    Filtered,
    /// It failed several times in a row and is not asked for a while.
    #[error("the model rests after it failed several times in a row")]
    Resting,
    /// The conversation does not fit the token budget.
    #[error("the conversation does not fit the token budget")]
    OverBudget,
}

/// Something that drafts: offline rules, or a language model over the network.
pub trait Model: Send + Sync + std::fmt::Debug {
    /// Its name, for the audit log: `offline`, `gpt-...`.
    fn name(&self) -> &str;

    /// The host that sees what it is asked, when that is not this machine.
    fn host(&self) -> Option<&str> {
        None
    }

    /// Asks for a draft or for tools.
    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>>;

    /// What is asked, as it leaves for the model, byte for byte.
    fn body(&self, request: &Request) -> Result<Phi<String>, ModelError> {
        Ok(recording::plain(self.name(), request))
    }

    /// Counts the tokens of a text, for the budget; an estimate errs on the high side.
    fn count_tokens(&self, text: &str) -> usize;

    /// Counts the tokens of a whole request.
    fn count_request(&self, request: &Request) -> usize {
        let said = request.messages.iter().map(|message| match message {
            Message::Patient(text) | Message::Agent(text) => self.count_tokens(text.as_str()),
            Message::ToolCalls(calls) => calls
                .iter()
                .map(|call| self.count_tokens(call.arguments.as_str()))
                .sum(),
            Message::ToolResult { json, .. } => self.count_tokens(json.as_str()),
        });
        self.count_tokens(&request.system) + said.sum::<usize>()
    }

    /// What it costs.
    fn price(&self) -> Price {
        Price::default()
    }
}

/// What a model costs, in billionths of a US dollar a token: 1,250 is $1.25 a million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// For a token that it reads.
    pub sent: u64,
    /// For a token that it writes.
    pub answered: u64,
}

impl Price {
    /// The price of so many tokens, in billionths of a US dollar.
    pub fn of(self, sent: usize, answered: usize) -> u64 {
        let tokens = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let sent = self.sent.saturating_mul(tokens(sent));
        sent.saturating_add(self.answered.saturating_mul(tokens(answered)))
    }
}

/// What goes on while a turn is made.
pub trait Meanwhile: Sync {
    /// Ends when the turn is out of date: the patient has written again, or a person took over.
    fn overtaken(&self) -> BoxFuture<'_, ()>;

    /// Ends when it is `at`.
    fn until(&self, at: Timestamp) -> BoxFuture<'_, ()>;
}

/// Nothing goes on, and no time passes.
#[derive(Clone, Copy, Debug)]
pub struct Undisturbed;

impl Meanwhile for Undisturbed {
    fn overtaken(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn until(&self, _at: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

/// Whoever judges drafts before they leave.
pub trait Reviewer: Sync {
    /// The rules that keep a draft from leaving in any form, in words for a model; none when it may
    /// leave, as it is or rewritten. Holds nothing of the draft.
    fn complaints(&self, draft: &Phi<String>, facts: &[Fact]) -> Vec<String>;

    /// What in a text identifies somebody, each with what it is (`name`, `place`, `number`).
    fn identifiers(&self, text: &str, facts: &[Fact]) -> Vec<(Range<usize>, &'static str)>;
}

/// Nobody judges here; whoever sends does.
#[derive(Clone, Copy, Debug)]
pub struct Unreviewed;

impl Reviewer for Unreviewed {
    fn complaints(&self, _draft: &Phi<String>, _facts: &[Fact]) -> Vec<String> {
        Vec::new()
    }

    /// Nobody looks here, so the whole text may identify.
    fn identifiers(&self, text: &str, _facts: &[Fact]) -> Vec<(Range<usize>, &'static str)> {
        vec![(0..text.len(), "text")]
    }
}

/// Why the record could not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// Nothing of this patient by that id.
    #[error("not found in the patient's record")]
    NotFound,
    /// Somebody else took the slot, or the visit changed meanwhile.
    #[error("the calendar changed meanwhile")]
    Conflict,
    /// The record system does not answer.
    #[error("the record system cannot be reached")]
    Unavailable,
    /// It failed in a way that staff can mend; the words are for them alone and may name a patient.
    #[error("the record system failed")]
    Failed(Phi<String>),
}

impl RecordsError {
    /// What staff are told of it, where they can mend it.
    pub fn cause(self) -> Option<Phi<String>> {
        match self {
            Self::Failed(cause) => Some(cause),
            Self::NotFound | Self::Conflict | Self::Unavailable => None,
        }
    }

    /// What staff are told of a request that the record did not take.
    pub fn of_request(self) -> Phi<String> {
        let by_hand = || Phi::from("The request is not in the record: enter it by hand.");
        self.cause().unwrap_or_else(by_hand)
    }
}

/// The record: the source of every fact. Each call is about one practice, and what concerns a
/// patient names that patient, so no argument of a model can reach another's.
/// Writes carry a key; the same key again gives the same result and changes nothing.
pub trait Records: Send + Sync + std::fmt::Debug {
    /// Everybody on file with this number.
    fn patients_by_phone<'a>(
        &'a self,
        practice: &'a PracticeId,
        number: &'a E164,
    ) -> BoxFuture<'a, Result<Vec<Patient>, RecordsError>>;

    /// People on file one of whose names begins with each of these words, at most `limit`, where the record
    /// is another system: the names in a record of its own the store finds by itself.
    fn patients_named<'a>(
        &'a self,
        _practice: &'a PracticeId,
        _words: &'a [String],
        _limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Patient>, RecordsError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// One patient.
    fn patient<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
    ) -> BoxFuture<'a, Result<Option<Patient>, RecordsError>>;

    /// Visits from `from` on that are booked or confirmed, soonest first.
    fn appointments<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>>;

    /// A patient's visits from `from` on, whatever came of them but cancelled ones, soonest first.
    fn visits_of<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        from: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>>;

    /// Visits of all patients that begin in `[from, to)`, whatever came of them but cancelled ones,
    /// soonest first.
    fn visits_between<'a>(
        &'a self,
        practice: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Appointment>, RecordsError>>;

    /// Free times in `[from, to)`, soonest first, at most `limit`.
    fn slots<'a>(
        &'a self,
        practice: &'a PracticeId,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Slot>, RecordsError>>;

    /// Confirms or cancels a visit; cancelling frees its slot.
    fn set_status<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        status: AppointmentStatus,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>>;

    /// Moves a visit to a free slot, frees the old one.
    fn reschedule<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        appointment: &'a AppointmentId,
        slot: &'a SlotId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>>;

    /// Books a visit in a free slot.
    fn book<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        visit: &'a NewVisit,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Appointment, RecordsError>>;

    /// Files what a patient asks of staff.
    fn file<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        request: &'a Ask,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Filed, RecordsError>>;

    /// The patient's open requests of a kind.
    fn filed<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        kind: RequestKind,
    ) -> BoxFuture<'a, Result<Vec<Filed>, RecordsError>>;

    /// Everybody on the waitlist, who waits longest first.
    fn waitlist<'a>(
        &'a self,
        practice: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Place>, RecordsError>>;

    /// Takes an open request back.
    fn withdraw<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        request: &'a RequestId,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>>;

    /// Keeps the language that the patient wants to be written to in.
    fn prefer_language<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
        language: Language,
        key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>>;

    /// Keeps a copy of what anteroom keeps itself, where the record is another system.
    fn note<'a>(
        &'a self,
        _practice: &'a PracticeId,
        _patient: &'a PatientId,
        _note: &'a Note,
        _key: &'a str,
    ) -> BoxFuture<'a, Result<(), RecordsError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// The patient's clinical entries.
    fn clinical<'a>(
        &'a self,
        practice: &'a PracticeId,
        patient: &'a PatientId,
    ) -> BoxFuture<'a, Result<Vec<Clinical>, RecordsError>>;

    /// Everybody whom patients see.
    fn providers<'a>(
        &'a self,
        practice: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Provider>, RecordsError>>;

    /// Entries that cannot be read and that staff must mend, in words that may name a patient.
    fn unread<'a>(
        &'a self,
        _practice: &'a PracticeId,
    ) -> BoxFuture<'a, Result<Vec<Phi<String>>, RecordsError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
