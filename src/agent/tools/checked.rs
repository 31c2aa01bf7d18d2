//! A model's call, read into types or refused with words that let the model mend it.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::agent::ports::ToolCall;
use crate::agent::tools::wished::{self, Days};
use crate::domain::ids::{AppointmentId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::record::{RequestKind, Suits};
use crate::policy::words::Language;
use crate::policy::words::vocabulary;

/// Longest text behind a portal link: about two printed pages, and a bound for a runaway model.
const PORTAL_CHARS_MAX: usize = 2_000;
/// Longest topic: public topics are one or two words.
pub(super) const TOPIC_CHARS_MAX: usize = 60;

vocabulary! {
    /// Why staff must look at a conversation.
    HandOver, "reason" {
        /// A medicine is running out.
        Refill = "refill",
        /// Money.
        Billing = "billing",
        /// A symptom or a medical question: never answered by the agent.
        Medical = "medical",
        /// A visit to be booked.
        NewAppointment = "new_appointment",
        /// The patient asked for a person.
        Person = "person",
        /// Forms, notes, referrals, copies of the record.
        Paperwork = "paperwork",
        /// The patient is late.
        Late = "late",
        /// A question about a result that is not released.
        Results = "results",
        /// About somebody else than the patient at this number.
        SomeoneElse = "someone_else",
        /// Not understood, or none of the above.
        Other = "other",
        /// A message to the care team.
        Message = "message",
        /// To be called back.
        Callback = "callback",
        /// A copy of the record.
        Records = "records",
        /// An interpreter, large print, a ramp.
        Accessibility = "accessibility",
        /// A visit was cancelled with less notice than the practice asks for.
        LateCancel = "late_cancel",
        /// The record system does not answer.
        RecordDown = "record_down",
        /// The turn took more rounds, calls or tokens than it may.
        Limits = "limits",
        /// The model gave nothing that can be used.
        Model = "model",
    }
}

vocabulary! {
    /// A part of the day, cut at noon.
    Part, "part of day" {
        /// Before noon.
        Morning = "morning",
        /// From noon on.
        Afternoon = "afternoon",
    }
}

/// Which free times are wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotWish {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// Which times on them.
    pub suits: Suits,
    /// The visit that would move; none: a new visit is wanted.
    pub appointment: Option<AppointmentId>,
}

/// A call that passed every check that needs no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedCall {
    /// The model's id of it.
    pub id: String,
    /// What to do.
    pub task: Task,
}

/// What a tool is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Upcoming visits.
    ListAppointments,
    /// Confirm one.
    Confirm {
        /// Which.
        appointment: AppointmentId,
    },
    /// Cancel one, or ask whether to.
    Cancel {
        /// Which.
        appointment: AppointmentId,
        /// Whether the patient has answered YES to the question. Set by the machine only.
        agreed: bool,
    },
    /// Move one.
    Reschedule {
        /// Which.
        appointment: AppointmentId,
        /// Where to.
        slot: SlotId,
    },
    /// Free times.
    FindSlots(SlotWish),
    /// A new visit.
    Book {
        /// When.
        slot: SlotId,
        /// What kind, in public words.
        kind: String,
    },
    /// Whether it is known who writes.
    VerifyIdentity,
    /// Something for staff to do.
    Ask {
        /// What.
        kind: RequestKind,
    },
    /// A place on the waitlist, between two days.
    JoinWaitlist {
        /// First day that suits.
        from: Option<Date>,
        /// Last day that suits.
        to: Option<Date>,
        /// Which times on them.
        suits: Suits,
    },
    /// No waiting any more.
    LeaveWaitlist,
    /// How to prepare.
    Preparation {
        /// For which visit.
        appointment: AppointmentId,
    },
    /// The language to write in.
    SetLanguage {
        /// Which.
        language: Language,
    },
    /// A public fact.
    PracticeInformation {
        /// `hours`, `parking`, ...
        topic: String,
        /// The day that is asked about.
        on: Option<Date>,
    },
    /// Staff must look.
    HandOver {
        /// Why.
        reason: HandOver,
    },
    /// A text behind the link.
    SendByPortal {
        /// The text.
        text: Phi<String>,
    },
    /// Released results.
    ResultsStatus,
    /// Whom patients see.
    Providers,
}

impl Task {
    /// The tool's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ListAppointments => "list_appointments",
            Self::Confirm { .. } => "confirm_appointment",
            Self::Cancel { .. } => "cancel_appointment",
            Self::Reschedule { .. } => "reschedule_appointment",
            Self::FindSlots(_) => "find_slots",
            Self::Book { .. } => "book_appointment",
            Self::VerifyIdentity => "verify_identity",
            Self::Ask { kind } => wished::asking(*kind),
            Self::JoinWaitlist { .. } => "join_waitlist",
            Self::LeaveWaitlist => "leave_waitlist",
            Self::Preparation { .. } => "visit_preparation",
            Self::SetLanguage { .. } => "set_language",
            Self::PracticeInformation { .. } => "practice_information",
            Self::HandOver { .. } => "hand_over",
            Self::SendByPortal { .. } => "send_by_portal",
            Self::ResultsStatus => "results_status",
            Self::Providers => "providers",
        }
    }

    /// Whether it changes something, so that a text suspected of steering the model may not cause it.
    pub const fn changes(&self) -> bool {
        matches!(
            self,
            Self::Confirm { .. }
                | Self::Cancel { .. }
                | Self::Reschedule { .. }
                | Self::Book { .. }
                | Self::JoinWaitlist { .. }
                | Self::LeaveWaitlist
                | Self::SetLanguage { .. }
                | Self::SendByPortal { .. }
        )
    }
}

/// Ids that results of this conversation have named; a call may name no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Visits.
    pub appointments: BTreeSet<AppointmentId>,
    /// Slots.
    pub slots: BTreeSet<SlotId>,
}

impl Seen {
    /// Adds what another result has named.
    pub fn extend(&mut self, other: Self) {
        self.appointments.extend(other.appointments);
        self.slots.extend(other.slots);
    }
}

/// Why a call was refused, in words for the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No such tool.
    #[error("no such tool: use one of those listed")]
    UnknownTool,
    /// The arguments are not JSON of the declared shape. The detail may quote the model's text.
    #[error("the arguments do not fit the tool's schema")]
    Arguments(Phi<String>),
    /// No result of this conversation named this visit.
    #[error("unknown appointment_id: call list_appointments and use an id from its result")]
    UnknownAppointment,
    /// No earlier text offered this slot to the patient.
    #[error(
        "slot_id is not on offer: call find_slots, offer its times with their numbers, and use the id that \
         the patient chose in a later text"
    )]
    UnknownSlot,
    /// The patient's text looks like an attempt to steer the model.
    #[error("not available for this message: use hand_over")]
    Untrusted,
}

impl Fault {
    /// What the model is told.
    pub fn explain(&self) -> Phi<String> {
        let detail = match self {
            Self::Arguments(detail) => format!("{self}: {}", detail.as_str()),
            Self::UnknownTool | Self::UnknownAppointment | Self::UnknownSlot | Self::Untrusted => {
                self.to_string()
            }
        };
        Phi::new(serde_json::json!({ "error": detail }).to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Visit {
    pub(super) appointment_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    appointment_id: String,
    slot_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    topic: String,
    #[serde(default)]
    on: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: HandOver,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

pub(super) fn read<T: DeserializeOwned>(arguments: &Phi<String>) -> Result<T, Fault> {
    // Several servers send an empty string where a tool takes nothing.
    let text = match arguments.as_str().trim() {
        "" => "{}",
        text => text,
    };
    serde_json::from_str(text).map_err(|error| Fault::Arguments(Phi::new(error.to_string())))
}

/// Arguments that fit no schema, and why.
pub(super) fn unfit(why: &str) -> Fault {
    Fault::Arguments(Phi::from(why))
}

pub(super) fn too_long(what: &str, max: usize) -> Fault {
    Fault::Arguments(Phi::new(format!(
        "{what} is empty or longer than {max} characters"
    )))
}

impl CheckedCall {
    /// Reads a model's call. Ids must be among `seen`; the record checks them once more.
    pub fn read(call: &ToolCall, seen: &Seen, untrusted: bool) -> Result<Self, Fault> {
        let task = task(call, seen)?;
        if untrusted && task.changes() {
            return Err(Fault::Untrusted);
        }
        Ok(Self {
            id: call.id.clone(),
            task,
        })
    }
}

fn task(call: &ToolCall, seen: &Seen) -> Result<Task, Fault> {
    let arguments = &call.arguments;
    let visit = |id: String| {
        let id = AppointmentId::new(id);
        let known = seen.appointments.contains(&id);
        known.then_some(id).ok_or(Fault::UnknownAppointment)
    };
    match call.name.as_str() {
        "list_appointments" => read::<Nothing>(arguments).map(|_| Task::ListAppointments),
        "results_status" => read::<Nothing>(arguments).map(|_| Task::ResultsStatus),
        "providers" => read::<Nothing>(arguments).map(|_| Task::Providers),
        "confirm_appointment" => Ok(Task::Confirm {
            appointment: visit(read::<Visit>(arguments)?.appointment_id)?,
        }),
        "cancel_appointment" => Ok(Task::Cancel {
            appointment: visit(read::<Visit>(arguments)?.appointment_id)?,
            agreed: false,
        }),
        "reschedule_appointment" => {
            let Move {
                appointment_id,
                slot_id,
            } = read(arguments)?;
            let appointment = visit(appointment_id)?;
            let slot = SlotId::new(slot_id);
            if !seen.slots.contains(&slot) {
                return Err(Fault::UnknownSlot);
            }
            Ok(Task::Reschedule { appointment, slot })
        }
        "find_slots" => {
            let mut days: Days = read(arguments)?;
            let from = days.from.ok_or_else(|| unfit("missing field `from`"))?;
            let moved = days.appointment_id.take();
            Ok(Task::FindSlots(SlotWish {
                from,
                to: days.to.unwrap_or(from).max(from),
                appointment: moved.map(visit).transpose()?,
                suits: days.suits()?,
            }))
        }
        "practice_information" => {
            let Topic { topic, on } = read(arguments)?;
            if topic.is_empty() || topic.chars().count() > TOPIC_CHARS_MAX {
                return Err(too_long("topic", TOPIC_CHARS_MAX));
            }
            Ok(Task::PracticeInformation { topic, on })
        }
        "hand_over" => read::<Reason>(arguments).map(|Reason { reason }| Task::HandOver { reason }),
        "send_by_portal" => {
            let Text { text } = read(arguments)?;
            if text.trim().is_empty() || text.chars().count() > PORTAL_CHARS_MAX {
                return Err(too_long("text", PORTAL_CHARS_MAX));
            }
            Ok(Task::SendByPortal {
                text: Phi::new(text),
            })
        }
        name => wished::read(name, arguments, seen).unwrap_or(Err(Fault::UnknownTool)),
    }
}
