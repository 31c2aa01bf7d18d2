//! The front desk's tools: typed, checked, with receipts.

mod asks;
mod calendar;
mod checked;
mod desk;
mod spec;
mod wished;

pub use checked::CheckedCall;
pub use checked::Fault;
pub use checked::HandOver;
pub use checked::Part;
pub use checked::Seen;
pub use checked::SlotWish;
pub use checked::Task;
pub use spec::TOOLS;
pub use spec::digest;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::json;

use crate::agent::ports::{Records, RecordsError};
use crate::domain::conversation::PendingQuestion;
use crate::domain::ids::SlotId;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Fact, Patient};
use crate::policy::words::Language;

/// A tool as a model sees it.
#[derive(Clone, Copy, Debug)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// JSON Schema of its arguments, as text.
    pub parameters: &'static str,
}

/// For whom and when a tool runs. The patient stands here and never among the arguments, so no
/// model can name another.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// Which practice.
    pub practice: &'a Practice,
    /// Who; none when the number is not on file, or is shared.
    pub patient: Option<&'a Patient>,
    /// The language of what is said.
    pub language: Language,
    /// The present.
    pub now: Timestamp,
    /// The practice's zone.
    pub zone: TimeZone,
    /// Idempotency key of the turn.
    pub key: &'a str,
    /// Slots that were offered before, in the order of their numbers.
    pub offered: Vec<SlotId>,
    /// What the patient wrote, for those who are asked: never a model's account of it.
    pub words: Phi<String>,
}

/// What a tool gave: words for the model, facts and receipts for the guardrail.
#[derive(Clone, Debug)]
pub struct ToolResult {
    /// The call it answers.
    pub call_id: String,
    /// The tool's name.
    pub tool: &'static str,
    /// Whether it did what was asked.
    pub ok: bool,
    /// For the model.
    pub json: Phi<String>,
    /// For the guardrail.
    pub facts: Vec<Fact>,
    /// Ids that later calls may name.
    pub seen: Seen,
    /// The question that the reply must ask.
    pub pending: Option<PendingQuestion>,
    /// Staff must look.
    pub handover: Option<HandOver>,
    /// A text that goes behind the portal link.
    pub portal: Option<Phi<String>>,
    /// The language that the patient chose.
    pub language: Option<Language>,
    /// When the visit begins that was changed.
    pub(crate) visit_start: Option<Timestamp>,
    /// The record system does not answer: no later call can succeed.
    pub record_down: bool,
    /// What staff are told of that.
    pub trouble: Option<Phi<String>>,
}

impl ToolResult {
    /// A result that says `json` and nothing more.
    pub(crate) fn new(call: &CheckedCall, ok: bool, json: &Value) -> Self {
        Self {
            call_id: call.id.clone(),
            tool: call.task.name(),
            ok,
            json: Phi::new(json.to_string()),
            facts: Vec::new(),
            seen: Seen::default(),
            pending: None,
            handover: None,
            portal: None,
            language: None,
            visit_start: None,
            record_down: false,
            trouble: None,
        }
    }

    /// The record could not do it.
    pub(crate) fn failed(call: &CheckedCall, why: RecordsError) -> Self {
        let word = match why {
            RecordsError::NotFound => "not_found",
            RecordsError::Conflict => "conflict",
            RecordsError::Unavailable | RecordsError::Failed(_) => "record_unavailable",
        };
        let mut result = Self::new(call, false, &json!({ "error": word }));
        result.record_down = word == "record_unavailable";
        if let RecordsError::Failed(cause) = why {
            result.trouble = Some(cause);
        }
        result
    }
}

/// Runs one checked call against the record.
pub async fn call(call: &CheckedCall, scene: &Scene<'_>, records: &dyn Records) -> ToolResult {
    let name = call.task.name();
    if scene.practice.tools_off.iter().any(|off| off == name) {
        let told =
            json!({ "error": "not_offered", "say": "Not done by text here: use hand_over." });
        return ToolResult::new(call, false, &told);
    }
    let Some(patient) = scene.patient else {
        return match &call.task {
            Task::PracticeInformation { topic, on } => desk::information(call, scene, topic, *on),
            Task::HandOver { reason } => desk::hand_over(call, scene, *reason),
            Task::Providers => desk::providers(call, scene, records).await,
            // Staff can be asked by anybody; nothing of it stands in a record.
            Task::Ask { kind } => asks::unknown(call, scene, *kind),
            Task::ListAppointments
            | Task::Book { .. }
            | Task::VerifyIdentity
            | Task::JoinWaitlist { .. }
            | Task::LeaveWaitlist
            | Task::Preparation { .. }
            | Task::SetLanguage { .. }
            | Task::Confirm { .. }
            | Task::Cancel { .. }
            | Task::Reschedule { .. }
            | Task::FindSlots(_)
            | Task::SendByPortal { .. }
            | Task::ResultsStatus => ToolResult::new(
                call,
                false,
                &json!({ "error": "not_on_file", "phone": scene.practice.phone.display_us() }),
            ),
        };
    };
    let visits = calendar::Calendar {
        call,
        scene,
        patient,
        records,
    };
    let asks = asks::Asks {
        call,
        scene,
        patient,
        records,
    };
    match &call.task {
        Task::ListAppointments => visits.list().await,
        Task::VerifyIdentity => ToolResult::new(call, true, &json!({ "verified": true })),
        Task::Book { slot, kind } => visits.book(slot, kind).await,
        Task::Ask { kind } => asks.file(*kind).await,
        Task::JoinWaitlist { from, to, suits } => {
            let (from, to) = visits.between(*from, *to);
            asks.wait(from, to, suits).await
        }
        Task::LeaveWaitlist => asks.leave().await,
        Task::Preparation { appointment } => asks.preparation(appointment).await,
        Task::SetLanguage { language } => asks.language(*language).await,
        Task::Confirm { appointment } => visits.confirm(appointment).await,
        Task::Cancel {
            appointment,
            agreed,
        } => visits.cancel(appointment, *agreed).await,
        Task::Reschedule { appointment, slot } => visits.reschedule(appointment, slot).await,
        Task::FindSlots(wish) => visits.find(wish).await,
        Task::PracticeInformation { topic, on } => desk::information(call, scene, topic, *on),
        Task::HandOver { reason } => desk::hand_over(call, scene, *reason),
        Task::SendByPortal { text } => desk::send_by_portal(call, text),
        Task::ResultsStatus => desk::results(call, scene, patient, records).await,
        Task::Providers => desk::providers(call, scene, records).await,
    }
}
