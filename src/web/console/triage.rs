//! What is done with a conversation as a whole: given to somebody, labelled, put out of the way; and
//! the practice's list of labels.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::domain::ids::{ConversationId, HoldId, StaffId};
use crate::domain::practice::Practice;
use crate::pipeline::triage::{Move, Moved};
use crate::store::inbox::Line;
use crate::store::triage::{Color, Label};
use crate::web::console::actions::{back, queue_of};
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::seat::{Fields, Seat, again, desk, to};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Longest name of a label.
const NAME_CHARS_MAX: usize = 30;
/// Labels of one practice; more is a list that nobody finds anything in.
const LABELS_MAX: usize = 40;
/// The longest snooze: what is farther away belongs into a calendar.
const SNOOZE_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);
/// When a working day begins for what is snoozed until one.
const MORNING: Time = Time::constant(8, 0, 0, 0);

/// What the snooze menu offers.
pub(super) const SNOOZES: &[(&str, &str)] = &[
    ("1h", "In an hour"),
    ("3h", "In three hours"),
    ("tomorrow", "Tomorrow, 8 AM"),
    ("monday", "Monday, 8 AM"),
];

/// Does it, and shows what stands in its way.
async fn moved(
    door: &Door,
    seat: &Seat,
    fields: &Fields,
    (id, what): (i64, Move),
    to_list: Option<&str>,
) -> Result<Response, Problem> {
    let moved = desk(door)?
        .desk_move(&seat.staff, ConversationId(id), what)
        .await;
    Ok(match (moved.map_err(unavailable)?, to_list) {
        (Moved::Unknown, _) => return Err(Problem::not_found()),
        (Moved::Refused(why), _) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "That was not done",
            &format!("{why} Nothing changed."),
        ),
        (Moved::Now, Some(done)) => {
            let queue = queue_of(fields);
            to(&format!("/console/inbox/{queue}?undo={done}&of={id}"))
        }
        (Moved::Now, None) => back(fields, id),
    })
}

/// Gives a conversation to somebody, or to nobody.
pub(crate) async fn assign(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let staff = match fields.get("staff") {
        "" => None,
        "me" => Some(seat.staff.id),
        other => Some(StaffId(other.parse().map_err(|_nobody| {
            Problem::because(StatusCode::UNPROCESSABLE_ENTITY, "nobody has this number")
        })?)),
    };
    moved(&door, &seat, &fields, (id, Move::Assign(staff)), None).await
}

/// Puts a conversation out of the way, or takes that back.
pub(crate) async fn done(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let done = fields.get("do") != "undo";
    let then = done.then_some("done");
    moved(&door, &seat, &fields, (id, Move::Done(done)), then).await
}

/// Puts a conversation out of the way until a time, or takes that back.
pub(crate) async fn snooze(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    if fields.get("do") == "undo" {
        return moved(&door, &seat, &fields, (id, Move::Snooze(None)), None).await;
    }
    let house = desk(&door)?;
    let practice = house
        .practice(&seat.staff.practice)
        .ok_or_else(Problem::not_found)?;
    let now = house.clock().now();
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    let Some(until) = until(&fields, &zone, now) else {
        return Ok(again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "That is no time to snooze until",
            "Choose one of the list, or a day and a time within a year. Nothing changed.",
        ));
    };
    let what = Move::Snooze(Some(until));
    moved(&door, &seat, &fields, (id, what), Some("snooze")).await
}

/// The time that a form asks for, in the practice's zone; a wrong clock of the browser is of no
/// account.
fn until(fields: &Fields, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let today = now.to_zoned(zone.clone()).date();
    let at = |moment: DateTime| Some(moment.to_zoned(zone.clone()).ok()?.timestamp());
    let until = match fields.get("until") {
        "1h" => now.checked_add(SignedDuration::from_hours(1)).ok(),
        "3h" => now.checked_add(SignedDuration::from_hours(3)).ok(),
        "tomorrow" => at(today.checked_add(1.days()).ok()?.to_datetime(MORNING)),
        "monday" => at(today
            .nth_weekday(1, Weekday::Monday)
            .ok()?
            .to_datetime(MORNING)),
        _ => at(fields.get("at").parse().ok()?),
    }?;
    (until.duration_since(now) <= SNOOZE_MAX).then_some(until)
}

/// Puts a label on a conversation, or takes it off.
pub(crate) async fn label(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let Ok(label) = fields.get("label").parse() else {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY));
    };
    let what = Move::Label(label, fields.get("do") != "off");
    moved(&door, &seat, &fields, (id, what), None).await
}

/// Labels as a page shows them; `on` says which stand on a conversation.
pub(super) fn shown(labels: &[Label], on: &[i64]) -> Vec<Value> {
    labels
        .iter()
        .map(|it| {
            json!({
                "id": it.id, "name": it.name, "color": it.color.as_str(),
                "on": on.contains(&it.id),
            })
        })
        .collect()
}

/// What was just put out of the way, with the form that takes it back.
pub(super) fn undo(
    line: &Line,
    (what, queue): (&str, &str),
    practice: &Practice,
    now: Timestamp,
) -> Option<Value> {
    let id = line.conversation.id;
    let words = match what {
        "done" if line.triage.done => "Done. It comes back when the patient writes.".to_owned(),
        "snooze" => {
            let until = line.triage.snoozed?;
            format!(
                "Snoozed until {}. It comes back at once when the patient writes.",
                moment(until, practice, now)
            )
        }
        _ => return None,
    };
    Some(json!({
        "words": words, "action": format!("/console/{what}/{id}"), "queue": queue,
    }))
}

/// A moment in the practice's zone: "4:00 PM" today, "Fri, Nov 27, 8:00 AM" on another day.
pub(super) fn moment(at: Timestamp, practice: &Practice, now: Timestamp) -> String {
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone));
    let form = if at.date() == now.date() {
        "%-I:%M %p"
    } else {
        "%a, %b %-d, %-I:%M %p"
    };
    at.strftime(form).to_string()
}

/// The hold that was just set aside, with the form that takes it back.
pub(super) fn undo_aside(conversation: i64, hold: HoldId, queue: &str) -> Value {
    json!({
        "words": "Set aside.", "action": format!("/console/aside/{conversation}"),
        "hold": hold.0, "queue": queue,
    })
}

/// The practice's labels.
pub(crate) async fn labels(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    listed(&door, &seat, StatusCode::OK, ("", "", "")).await
}

async fn listed(
    door: &Door,
    seat: &Seat,
    status: StatusCode,
    (fault, name, color): (&str, &str, &str),
) -> Result<Response, Problem> {
    let kept = desk(door)?.store().labels(&seat.staff.practice).await;
    let kept = shown(&kept.map_err(unavailable)?, &[]);
    let colors: Vec<&str> = Color::ALL.iter().map(|it| it.as_str()).collect();
    let more = json!({
        "labels": kept, "colors": colors, "fault": fault, "name": name, "color": color,
    });
    filled(door, seat, ("inbox", "console_labels.html", status), more).await
}

/// Keeps a label, changes one, or takes one away.
pub(crate) async fn change(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let id: Option<i64> = fields.get("id").parse().ok();
    if fields.get("do") == "remove" {
        let Some(id) = id else {
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY));
        };
        let gone = house.drop_label(&seat.staff, id).await;
        gone.map_err(unavailable)?;
        return Ok(to("/console/labels"));
    }
    let name = fields.get("name").split_whitespace().collect::<Vec<_>>();
    let name = name.join(" ");
    let kept = house.store().labels(&seat.staff.practice).await;
    let kept = kept.map_err(unavailable)?;
    let same = |it: &Label| it.name.to_lowercase() == name.to_lowercase() && Some(it.id) != id;
    let color = fields.get("color");
    let fault = if name.is_empty() {
        "Give the label a name."
    } else if name.chars().count() > NAME_CHARS_MAX {
        "The name is longer than 30 characters."
    } else if kept.iter().any(same) {
        "There is a label of this name already."
    } else if id.is_none() && kept.len() >= LABELS_MAX {
        "There are 40 labels already: take one away first."
    } else {
        ""
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if !fault.is_empty() {
        return listed(&door, &seat, status, (fault, &name, color)).await;
    }
    let Ok(color) = color.parse::<Color>() else {
        let fault = "Choose a colour of the list.";
        return listed(&door, &seat, status, (fault, &name, "")).await;
    };
    let kept = house.keep_label(&seat.staff, id, (&name, color)).await;
    if !kept.map_err(unavailable)? {
        let fault = "A colleague took this label away meanwhile.";
        return listed(&door, &seat, status, (fault, &name, "")).await;
    }
    Ok(to("/console/labels"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snooze_ends_in_the_practice_s_morning() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        // A Sunday, 10 AM there.
        let now: Timestamp = "2026-11-29T18:00:00Z".parse().unwrap();
        for (name, value, wanted) in [
            ("until", "1h", Some("2026-11-29T19:00:00Z")),
            ("until", "3h", Some("2026-11-29T21:00:00Z")),
            ("until", "tomorrow", Some("2026-11-30T16:00:00Z")),
            ("until", "monday", Some("2026-11-30T16:00:00Z")),
            ("at", "2026-12-24T07:30", Some("2026-12-24T15:30:00Z")),
            ("at", "2030-01-01T08:00", None),
            ("at", "soon", None),
            ("at", "", None),
        ] {
            let fields = Fields::of(&[(name, value)]);
            let got = until(&fields, &zone, now).map(|it| it.to_string());
            assert_eq!(got.as_deref(), wanted, "{name}={value}");
        }
    }
}
