//! Notes beside a conversation, and the replies that a practice keeps ready.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::domain::ids::ConversationId;
use crate::web::console::actions::back;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Fields, Seat, desk, to};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Longest note.
const NOTE_CHARS_MAX: usize = 4_000;
/// Longest name of a reply.
const NAME_CHARS_MAX: usize = 60;
/// Longest reply: what six segments hold.
const REPLY_CHARS_MAX: usize = 900;
/// Replies that one practice keeps; more is a list that nobody finds anything in.
const REPLIES_MAX: usize = 100;

/// Keeps a note.
pub(crate) async fn note(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let text = fields.get("text").replace("\r\n", "\n");
    let text = text.trim();
    if text.chars().count() > NOTE_CHARS_MAX {
        return Err(Problem::because(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the note is longer than 4,000 characters; nothing was kept",
        ));
    }
    if !text.is_empty() {
        let now = desk.clock().now();
        let added = desk
            .store()
            .add_note(&seat.staff, ConversationId(id), text, now)
            .await;
        if !added.map_err(unavailable)? {
            return Err(Problem::not_found());
        }
        desk.changed();
    }
    Ok(back(&fields, id))
}

/// The replies.
pub(crate) async fn list(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    listed(&door, &seat, StatusCode::OK, ("", "", "")).await
}

async fn listed(
    door: &Door,
    seat: &Seat,
    status: StatusCode,
    (fault, name, text): (&str, &str, &str),
) -> Result<Response, Problem> {
    let kept = desk(door)?.store().canned(&seat.staff.practice).await;
    let kept: Vec<Value> = kept
        .map_err(unavailable)?
        .iter()
        .map(|it| json!({ "name": it.name, "text": it.text }))
        .collect();
    let mut values = frame(door, seat, "inbox").await?;
    let fields = values.as_object_mut().ok_or_else(Problem::unavailable)?;
    fields.insert("replies".to_owned(), kept.into());
    fields.insert("fault".to_owned(), fault.into());
    fields.insert("name".to_owned(), name.into());
    fields.insert("text".to_owned(), text.into());
    Ok(pages::console("console_replies.html", status, &values))
}

/// Keeps a reply, or takes it away.
pub(crate) async fn change(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let text = fields.get("text").replace("\r\n", "\n");
    let (name, text) = (fields.get("name").trim(), text.trim());
    let removes = fields.get("do") == "remove";
    let kept = house.store().canned(&seat.staff.practice).await;
    let kept = kept.map_err(unavailable)?;
    let full = kept.len() >= REPLIES_MAX && !kept.iter().any(|it| it.name == name);
    let fault = if name.is_empty() || (text.is_empty() && !removes) {
        "Give the reply a name and its words."
    } else if name.chars().count() > NAME_CHARS_MAX {
        "The name is longer than 60 characters."
    } else if text.chars().count() > REPLY_CHARS_MAX {
        "The reply is longer than 900 characters: more than six segments."
    } else if full && !removes {
        "There are 100 replies already: take one away first."
    } else {
        ""
    };
    if !fault.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return listed(&door, &seat, status, (fault, name, text)).await;
    }
    let words = (!removes).then_some(text);
    let now = house.clock().now();
    let set = house
        .store()
        .set_canned(&seat.staff, name, words, now)
        .await;
    set.map_err(unavailable)?;
    house.changed();
    Ok(to("/console/replies"))
}
