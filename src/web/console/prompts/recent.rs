//! A template on recent conversations: the newest texts of patients answered again, in the words in force
//! and in those that are being written, each with its verdict, segments, price and time.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::agent::prompts::{Prompts, Wording};
use crate::audit::Entry;
use crate::domain::practice::Practice;
use crate::domain::staff::Right;
use crate::eval::gate;
use crate::guardrail::segment;
use crate::pipeline::price;
use crate::pipeline::rehearse::{Rehearsed, Said};
use crate::web::console::inbox::unavailable;
use crate::web::console::prompts::editor::{Place, fault, written};
use crate::web::console::prompts::{Work, prompts, sides};
use crate::web::console::seat::{Fields, Seat, desk};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Texts that are answered again: a page of them, done while somebody waits.
const TEXTS: u32 = 25;

/// What is being written, on recent conversations; keeps nothing and sends nothing.
pub(in crate::web::console) async fn recent(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(place): Path<(String, String)>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let place = Place::of(place)?;
    let house = desk(&door)?;
    let practice = house.practice(&seat.staff.practice);
    let practice = practice.ok_or_else(Problem::not_found)?;
    let work = Work::of(house, &seat.staff).await?;
    let mut files: BTreeMap<String, String> = gate::differing(prompts(&work.next)?);
    files.insert(place.spelled(), written(&fields));
    let next = match Prompts::with(&files) {
        Ok(next) => Wording::published(next),
        Err(error) => return Ok(Json(json!({ "fault": fault(&error) })).into_response()),
    };
    let heard = house
        .rehearse(&practice.id, TEXTS, (&work.live, &next))
        .await;
    let heard = heard.map_err(unavailable)?;
    // Whoever tunes prompts and may see no patient gets the figures, not the words.
    let reads = seat.staff.role.may(Right::Read);
    let (same, mut other): (Vec<&Rehearsed>, Vec<&Rehearsed>) = heard
        .iter()
        .partition(|it| it.before.text == it.after.text && it.before.verdict == it.after.verdict);
    other.sort_by_key(|it| std::cmp::Reverse(it.after.verdict));
    let told: Vec<Value> = other.iter().map(|it| line(it, &practice, reads)).collect();
    if reads && !told.is_empty() {
        let seen: Vec<i64> = other.iter().map(|it| it.conversation.0).collect();
        let detail = json!({ "template": place.spelled(), "conversations": seen });
        let (by, now) = (seat.staff.actor(), house.clock().now());
        let looked = Entry::new(
            &practice.id,
            now,
            &by,
            "prompt.previewed",
            "prompts",
            &detail,
        );
        house.note(looked).await.map_err(unavailable)?;
    }
    let answer = json!({
        "texts": heard.len(), "same": same.len(), "changed": told, "reads": reads,
        "worse": other.iter().filter(|it| it.after.verdict > it.before.verdict).count(),
    });
    Ok(Json(answer).into_response())
}

fn line(it: &Rehearsed, practice: &Practice, reads: bool) -> Value {
    let (before, after) = sides::sides(
        it.before.text.as_deref().unwrap_or_default(),
        it.after.text.as_deref().unwrap_or_default(),
    );
    json!({
        "asked": reads.then(|| it.asked.as_str().to_owned()),
        "before": side(&it.before, practice, reads.then_some(before.as_slice())),
        "after": side(&it.after, practice, reads.then_some(after.as_slice())),
    })
}

fn side(said: &Said, practice: &Practice, pieces: Option<&[Value]>) -> Value {
    let counted = segment::segments(said.text.as_deref().unwrap_or_default()).count;
    let sender = practice.senders.first();
    let cost = sender
        .and_then(|it| price::estimate(it, i64::try_from(counted).unwrap_or(i64::MAX)))
        .map(price::dollars);
    json!({
        "verdict": said.verdict.as_str(), "sent": said.text.is_some(), "pieces": pieces,
        "segments": counted, "price": cost, "micros": said.micros,
    })
}
