//! Calls beyond the calendar of one visit, read into types: new visits, the waitlist, requests to staff,
//! preparation, language.

use jiff::civil::{Date, Time};
use serde::Deserialize;

use crate::agent::tools::checked::{self, Nothing, TOPIC_CHARS_MAX, Visit, too_long, unfit};
use crate::agent::tools::{Fault, Part, Seen, Task};
use crate::domain::ids::{AppointmentId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::record::{RequestKind, Suits};
use crate::policy::words::Language;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVisit {
    slot_id: String,
    #[serde(default)]
    visit_type: Option<String>,
}

/// Wished days and times: of free times, or of a place on the waitlist.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Days {
    #[serde(default)]
    pub(super) from: Option<Date>,
    #[serde(default)]
    pub(super) to: Option<Date>,
    #[serde(default)]
    part_of_day: Option<Part>,
    #[serde(default)]
    not_before: Option<Time>,
    #[serde(default)]
    before: Option<Time>,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    visit_type: Option<String>,
    /// The visit that would move; of free times only.
    #[serde(default)]
    pub(super) appointment_id: Option<String>,
}

impl Days {
    /// Which times suit; the narrower of a part of the day and a time of day.
    pub(super) fn suits(self) -> Result<Suits, Fault> {
        let noon = Time::constant(12, 0, 0, 0);
        let words = [
            ("provider", &self.provider),
            ("location", &self.location),
            ("visit_type", &self.visit_type),
        ];
        for (name, value) in words {
            let long = |it: &String| it.chars().count() > TOPIC_CHARS_MAX;
            if value.as_ref().is_some_and(long) {
                return Err(too_long(name, TOPIC_CHARS_MAX));
            }
        }
        let first = (self.part_of_day == Some(Part::Afternoon)).then_some(noon);
        let last = (self.part_of_day == Some(Part::Morning)).then_some(noon);
        Ok(Suits {
            provider: self.provider,
            location: self.location,
            kind: self.visit_type,
            not_before: first.max(self.not_before),
            before: match (last, self.before) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    language: Language,
}

/// The tool that files a request.
pub(super) const fn asking(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Refill => "request_refill",
        RequestKind::Message => "message_care_team",
        RequestKind::Callback => "request_callback",
        RequestKind::Billing => "ask_billing",
        RequestKind::Records => "request_records",
        RequestKind::Waitlist => "join_waitlist",
        RequestKind::Accessibility => "accessibility_need",
    }
}

/// Tools that are read here, beside those that file a request.
const OURS: &[&str] = &[
    "verify_identity",
    "leave_waitlist",
    "book_appointment",
    "join_waitlist",
    "visit_preparation",
    "set_language",
];

/// Reads a call; none when it is of no tool here.
pub(super) fn read(
    name: &str,
    arguments: &Phi<String>,
    seen: &Seen,
) -> Option<Result<Task, Fault>> {
    if let Some(kind) = RequestKind::ALL
        .iter()
        .filter(|kind| **kind != RequestKind::Waitlist)
        .find(|kind| asking(**kind) == name)
    {
        let read = checked::read::<Nothing>(arguments);
        return Some(read.map(|_| Task::Ask { kind: *kind }));
    }
    OURS.contains(&name).then(|| task(name, arguments, seen))
}

fn task(name: &str, arguments: &Phi<String>, seen: &Seen) -> Result<Task, Fault> {
    match name {
        "verify_identity" => checked::read::<Nothing>(arguments).map(|_| Task::VerifyIdentity),
        "leave_waitlist" => checked::read::<Nothing>(arguments).map(|_| Task::LeaveWaitlist),
        "book_appointment" => {
            let NewVisit {
                slot_id,
                visit_type,
            } = checked::read(arguments)?;
            let slot = SlotId::new(slot_id);
            if !seen.slots.contains(&slot) {
                return Err(Fault::UnknownSlot);
            }
            let kind = visit_type.unwrap_or_default();
            if kind.chars().count() > TOPIC_CHARS_MAX {
                return Err(too_long("visit_type", TOPIC_CHARS_MAX));
            }
            Ok(Task::Book { slot, kind })
        }
        "join_waitlist" => {
            let days: Days = checked::read(arguments)?;
            if days.appointment_id.is_some() {
                return Err(unfit("unknown field `appointment_id`"));
            }
            let (from, to) = (days.from, days.to);
            let to = to.map(|to| from.map_or(to, |from| to.max(from)));
            let suits = days.suits()?;
            Ok(Task::JoinWaitlist { from, to, suits })
        }
        "visit_preparation" => {
            let id = AppointmentId::new(checked::read::<Visit>(arguments)?.appointment_id);
            if !seen.appointments.contains(&id) {
                return Err(Fault::UnknownAppointment);
            }
            Ok(Task::Preparation { appointment: id })
        }
        "set_language" => checked::read::<Chosen>(arguments).map(|it| Task::SetLanguage {
            language: it.language,
        }),
        _ => Err(Fault::UnknownTool),
    }
}
