//! Which tools a turn still needs, seen from what it asks for and what tools gave so far.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::agent::ports::{Message, ToolCall};
use crate::agent::tools::HandOver;
use crate::domain::phi::Phi;
use crate::llm::offline::Turn;
use crate::llm::offline::days::{self, Wish};
use crate::llm::offline::intent::{Topic, Understood};
use crate::llm::offline::others;

/// The calls to make now; none when everything needed is there.
pub(super) fn calls(turn: &Turn<'_>, asked: &Understood) -> Vec<ToolCall> {
    let mut wanted: Vec<(&'static str, Value)> = Vec::new();
    for topic in &asked.topics {
        let call = match topic {
            Topic::When | Topic::Place | Topic::Who => list(turn),
            Topic::Move(wish) if turn.result("reschedule_appointment").is_none() => {
                list(turn).or_else(|| other_time(turn, asked, *wish))
            }
            Topic::Book(wish) if !booked(turn) => Some(new_visit(turn, *wish)),
            Topic::Waitlist(true) => Some(waits_for(turn, asked)),
            Topic::Waitlist(false) => Some(("leave_waitlist", json!({}))),
            Topic::Language(language) => Some(("set_language", json!({ "language": language }))),
            Topic::Preparation if turn.result("visit_preparation").is_none() => {
                list(turn).or_else(|| {
                    visit_of(turn, asked, false)
                        .map(|id| ("visit_preparation", json!({ "appointment_id": id })))
                })
            }
            Topic::Cancel if turn.result("cancel_appointment").is_none() => {
                list(turn).or_else(|| {
                    visit_of(turn, asked, false)
                        .map(|id| ("cancel_appointment", json!({ "appointment_id": id })))
                })
            }
            Topic::Confirm if turn.result("confirm_appointment").is_none() => {
                list(turn).or_else(|| {
                    visit_of(turn, asked, false)
                        .map(|id| ("confirm_appointment", json!({ "appointment_id": id })))
                })
            }
            Topic::Fact(name @ "hours") => Some((
                "practice_information",
                json!({ "topic": name, "on": asked.days.first() }),
            )),
            Topic::Fact(name) => Some(("practice_information", json!({ "topic": name }))),
            Topic::Assistant => Some(("practice_information", json!({ "topic": "name" }))),
            Topic::Results => Some(("results_status", json!({}))),
            Topic::Move(_)
            | Topic::Book(_)
            | Topic::Preparation
            | Topic::Cancel
            | Topic::Confirm
            | Topic::Staff(_)
            | Topic::Keep
            | Topic::Thanks
            | Topic::Hello => None,
        };
        wanted.extend(call);
    }
    if let Some(reason) = reason(turn, asked) {
        wanted.push(match asking(reason) {
            Some(tool) if !switched_off(turn, tool) => (tool, json!({})),
            _ => ("hand_over", json!({ "reason": reason.as_str() })),
        });
    }
    let mut calls: Vec<ToolCall> = Vec::new();
    for (name, arguments) in wanted {
        let text = arguments.to_string();
        let twice = calls
            .iter()
            .any(|call| call.name == name && call.arguments.as_str() == text);
        if !twice && !made(turn, name, &arguments) {
            calls.push(ToolCall {
                id: format!("offline-{}", turn.results.len() + calls.len()),
                name: name.to_owned(),
                arguments: Phi::new(text),
            });
        }
    }
    calls
}

/// Free times for the visit that moves.
fn other_time(
    turn: &Turn<'_>,
    asked: &Understood,
    wish: Option<Wish>,
) -> Option<(&'static str, Value)> {
    let id = visit_of(turn, asked, true)?;
    let wish = wish.unwrap_or_else(|| days::any(today(turn)));
    let wanted = json!({
        "from": wish.from, "to": wish.to, "part_of_day": wish.part,
        "not_before": wish.not_before, "before": wish.before, "appointment_id": id,
    });
    Some(("find_slots", wanted))
}

/// Free times for a new visit, with the provider who is named.
fn new_visit(turn: &Turn<'_>, wish: Option<Wish>) -> (&'static str, Value) {
    let wish = wish.unwrap_or_else(|| days::any(today(turn)));
    let wanted = json!({
        "from": wish.from, "to": wish.to, "part_of_day": wish.part,
        "not_before": wish.not_before, "before": wish.before,
        "provider": provider(turn),
    });
    ("find_slots", wanted)
}

/// A place on the waitlist, with the days, the part of the day and the provider that are named.
fn waits_for(turn: &Turn<'_>, asked: &Understood) -> (&'static str, Value) {
    let provider = others::provider(&turn.texts);
    let wanted = match asked.wish {
        Some(wish) => json!({
            "from": wish.from, "to": wish.to, "part_of_day": wish.part,
            "not_before": wish.not_before, "before": wish.before, "provider": provider,
        }),
        None => json!({ "provider": provider }),
    };
    ("join_waitlist", wanted)
}

/// The provider who is named, also a few texts ago where these times are beside others.
fn provider(turn: &Turn<'_>) -> Option<String> {
    const BACK: usize = 4;
    let named = others::provider(&turn.texts);
    if named.is_some() || !turn.offered_new() {
        return named;
    }
    let mut before = turn
        .request
        .messages
        .iter()
        .rev()
        .filter_map(|message| match message {
            Message::Patient(text) => Some(text.as_str()),
            Message::Agent(_) | Message::ToolCalls(_) | Message::ToolResult { .. } => None,
        });
    before
        .by_ref()
        .take(BACK + turn.texts.len())
        .find_map(|text| others::provider(&[text]))
}

fn today(turn: &Turn<'_>) -> jiff::civil::Date {
    let zone = TimeZone::get(&turn.request.timezone).unwrap_or(TimeZone::UTC);
    turn.request.now.to_zoned(zone).date()
}

/// Whether a visit was booked in this turn, or a time that was chosen is gone.
fn booked(turn: &Turn<'_>) -> bool {
    ["book_appointment", "find_slots"]
        .iter()
        .any(|tool| turn.result(tool).is_some())
}

/// Whether the practice does not want this tool used.
fn switched_off(turn: &Turn<'_>, tool: &str) -> bool {
    let told = turn.result(tool).and_then(|json| json.get("error"));
    told.and_then(Value::as_str) == Some("not_offered")
}

/// The tool that files what is asked; the rest is handed over as it stands.
pub(super) const fn asking(reason: HandOver) -> Option<&'static str> {
    match reason {
        HandOver::Refill => Some("request_refill"),
        HandOver::Billing => Some("ask_billing"),
        HandOver::Message => Some("message_care_team"),
        HandOver::Callback => Some("request_callback"),
        HandOver::Records => Some("request_records"),
        HandOver::Accessibility => Some("accessibility_need"),
        HandOver::Medical
        | HandOver::NewAppointment
        | HandOver::Person
        | HandOver::Paperwork
        | HandOver::Late
        | HandOver::Results
        | HandOver::SomeoneElse
        | HandOver::Other
        | HandOver::LateCancel
        | HandOver::RecordDown
        | HandOver::Limits
        | HandOver::Model => None,
    }
}

fn made(turn: &Turn<'_>, name: &str, arguments: &Value) -> bool {
    turn.results.iter().any(|(tool, json)| {
        *tool == name
            && (name != "practice_information" || json.get("topic") == arguments.get("topic"))
    })
}

fn list(turn: &Turn<'_>) -> Option<(&'static str, Value)> {
    turn.result("list_appointments")
        .is_none()
        .then(|| ("list_appointments", json!({})))
}

/// Why staff must look: what was asked of them, medical first; or a tool that refused.
fn reason(turn: &Turn<'_>, asked: &Understood) -> Option<HandOver> {
    let mut reasons = asked.topics.iter().filter_map(Topic::staff);
    let first = reasons.next();
    if first == Some(HandOver::Medical) || reasons.any(|reason| reason == HandOver::Medical) {
        return Some(HandOver::Medical);
    }
    let unprepared = turn
        .result("visit_preparation")
        .is_some_and(|json| json.get("preparation").is_some_and(Value::is_null));
    let none = unprepared.then_some(HandOver::Other);
    let refused = turn.results.iter().any(|(_, json)| {
        let error = json
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or_default();
        !matches!(
            error,
            "" | "not_on_file" | "taken" | "not_found" | "conflict" | "enough_places"
        )
    });
    first
        .or(none)
        .or_else(|| refused.then_some(HandOver::Other))
}

/// The visit meant: the one on a day that the texts name, else the next one. When a visit is to be
/// moved, the last day named is where to.
pub(super) fn visit<'a>(turn: &'a Turn<'_>, asked: &Understood, moving: bool) -> Option<&'a Value> {
    let visits = turn
        .result("list_appointments")?
        .get("appointments")?
        .as_array()?;
    let days = match asked.days.split_last() {
        Some((_, before)) if moving => before,
        _ => asked.days.as_slice(),
    };
    visits
        .iter()
        .find(|visit| {
            let date = visit
                .get("date")
                .and_then(Value::as_str)
                .unwrap_or_default();
            days.iter().any(|day| day.to_string() == date)
        })
        .or_else(|| visits.first())
}

fn visit_of(turn: &Turn<'_>, asked: &Understood, moving: bool) -> Option<String> {
    // Asked once is enough: a second call would ask the same again.
    let searched = moving && turn.result("find_slots").is_some();
    let id = visit(turn, asked, moving)?
        .get("appointment_id")?
        .as_str()?;
    (!searched).then(|| id.to_owned())
}
