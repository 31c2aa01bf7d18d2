//! The lights of the set-up: the last signed request, and how far the first text has come.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::conversation::Direction;
use crate::domain::ids::PracticeId;
use crate::domain::message::Delivery;
use crate::domain::practice::CarrierKind;
use crate::pipeline::house::House;
use crate::pipeline::set_up::Answers;
use crate::pipeline::trial_text::Tried;
use crate::store::StoreError;
use crate::store::inbox::{Queue, Wanted};
use crate::web::console::inbox::{typed_number, unavailable};
use crate::web::console::seat::{Seat, desk, to};
use crate::web::console::setup::{Shown, answers, show};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Whether this server runs with the practice and the carrier that were answered.
pub(super) fn running(door: &Door, answers: &Answers) -> bool {
    let id = PracticeId::new(answers.get("id"));
    let line = answers.carrier().map(|carrier| (id, carrier));
    line.is_some_and(|line| door.settings.carriers.contains_key(&line))
}

/// The light in words.
pub(super) fn light(door: &Door, desk: &House, answers: &Answers) -> Value {
    let id = PracticeId::new(answers.get("id"));
    let carrier = answers.carrier().unwrap_or(CarrierKind::Simulator);
    let light = door.lights.of(&id, carrier);
    let now = desk.clock().now();
    let refused = light
        .refused
        .filter(|(at, _)| light.heard.is_none_or(|heard| *at > heard));
    if let Some((at, reason)) = refused {
        let words = format!(
            "A request came {} and was refused ({reason}). {}",
            ago(at, now),
            remedy(reason)
        );
        return json!({ "tone": "stop", "words": words });
    }
    match light.heard {
        Some(at) => {
            json!({ "tone": "good", "words": format!("We saw a signed request {}.", ago(at, now)) })
        }
        None if running(door, answers) => {
            json!({ "tone": "wait", "words": "No request yet. Save the address at the carrier, then text the number from your own phone." })
        }
        None => {
            json!({ "tone": "quiet", "words": "This server does not run with this practice yet. Go on, write the file and start it again; then come back and watch this light." })
        }
    }
}

fn remedy(reason: &str) -> &'static str {
    match reason {
        "no_signature" | "wrong_signature" => {
            "Check that public_url is the very address that you pasted at the carrier, and that the secret is the current one."
        }
        "stale" => "Its signature is too old: check the clock of this server.",
        _ => "The carrier's page of the manual tells what each reason means.",
    }
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    let apart = now.duration_since(at).max(SignedDuration::ZERO);
    match apart.as_secs() {
        0..=4 => "just now".to_owned(),
        seconds @ 5..=89 => format!("{seconds} seconds ago"),
        seconds => format!("{} minutes ago", seconds / 60),
    }
}

/// The light, for the page that watches it.
pub(crate) async fn watch(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let answers = answers(desk, &seat).await?;
    let tested = tested(&door, desk, &seat.staff.practice, &answers).await?;
    let told = json!({
        "light": light(&door, desk, &answers), "test": tested.get("steps"),
        "own": tested.get("own"),
    });
    Ok(Json(told).into_response())
}

/// Texts a test to a phone of staff's own.
pub(super) async fn try_out(
    door: &Door,
    seat: &Seat,
    answers: &Answers,
    typed: &str,
) -> Result<Response, Problem> {
    let shown = |said: &'static str| Shown {
        step: "test",
        faults: &[],
        said,
    };
    let Some(number) = typed_number(typed) else {
        let said = "Write the number with its area code, such as 415-555-0142. Nothing was sent.";
        return show(door, seat, answers, &shown(said)).await;
    };
    let tried = desk(door)?.try_text(&seat.staff, &number).await;
    let said = match tried.map_err(unavailable)? {
        Tried::Sent | Tried::JustNow => return Ok(to("/console/setup/test")),
        Tried::NoSender => "This practice has no number to text from yet. Nothing was sent.",
        Tried::Patients => "This is a patient's number. Use a phone of your own. Nothing was sent.",
        Tried::OptedOut => "This phone said STOP. Text START from it first. Nothing was sent.",
        Tried::Held => "The guardrail does not let the test go: look at Policy. Nothing was sent.",
        Tried::NoRecord => {
            "The patient record does not answer, so nobody can say that this is no patient's number. Nothing was sent."
        }
    };
    show(door, seat, answers, &shown(said)).await
}

/// Where the test stands that staff sent themselves.
async fn own_test(desk: &House, practice: &PracticeId) -> Result<Value, StoreError> {
    let Some(last) = desk.tried_text(practice).await? else {
        return Ok(Value::Null);
    };
    let (tone, words) = match last.delivery {
        Delivery::Pending => ("wait", "waits to leave"),
        Delivery::Accepted | Delivery::Queued | Delivery::Sending => {
            ("wait", "is with the carrier")
        }
        Delivery::Sent => (
            "wait",
            "left the carrier; it has not said yet that it arrived",
        ),
        Delivery::Delivered | Delivery::Read => ("good", "arrived"),
        Delivery::Unknown => (
            "stop",
            "may have left: the line broke while it was handed over",
        ),
        Delivery::Suppressed => ("stop", "was not sent: opted out or overtaken"),
        Delivery::Undelivered => ("stop", "could not be delivered"),
        Delivery::Failed => ("stop", "was refused by the carrier"),
    };
    let code = last.code.filter(|it| !it.is_empty());
    let code = code.map_or_else(String::new, |it| format!(" (code {it})"));
    let words = format!(
        "The test to the number that ends in {} {words}{code}.",
        last.tail
    );
    Ok(json!({ "tone": tone, "words": words }))
}

/// How far the first text has come: signed request, kept, answered, delivered.
pub(super) async fn tested(
    door: &Door,
    desk: &House,
    practice: &PracticeId,
    answers: &Answers,
) -> Result<Value, Problem> {
    let own = desk.practice(practice);
    let sender = own.as_ref().and_then(|it| it.senders.first());
    let heard = sender.is_some_and(|it| door.lights.of(practice, it.carrier).heard.is_some());
    let newest = desk
        .store()
        .inbox(practice, Wanted::first(Queue::All, 1))
        .await;
    let newest = newest.map_err(unavailable)?;
    let mut kept = false;
    let mut answered = None;
    if let Some(line) = newest.first() {
        let turns = desk.store().turns(line.conversation.id, 6).await;
        let turns = turns.map_err(unavailable)?;
        kept = turns.iter().any(|it| it.direction == Direction::Inbound);
        let last = turns
            .iter()
            .rev()
            .find(|it| it.direction == Direction::Outbound);
        answered = last.map(|it| it.delivery.map_or("", |it| it.as_str()));
    }
    let arrived = answered.is_some_and(|it| matches!(it, "delivered" | "read"));
    let step = |done: bool, words: &str| json!({ "done": done, "words": words });
    Ok(json!({
        "number": sender.map(|it| it.number.display_us()),
        "simulated": door.settings.phone.is_some(),
        "same": practice.as_str() == answers.get("id"),
        "own": own_test(desk, practice).await.map_err(unavailable)?,
        "steps": [
            step(heard || kept, "A signed request came"),
            step(kept, "The text is in the inbox"),
            step(answered.is_some(), "An answer was cleared and handed over"),
            step(arrived, "The carrier says that it arrived"),
        ],
    }))
}
