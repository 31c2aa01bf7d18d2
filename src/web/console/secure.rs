//! Secure messages beside a conversation: their links and files, and closing a link.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::ids::ConversationId;
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::pipeline::portal::LIFETIME;
use crate::store::{Attached, Bearer, LetterKind, StoreError};
use crate::web::console::actions::back;
use crate::web::console::inbox::unavailable;
use crate::web::console::seat::{Fields, Seat, again, desk};
use crate::web::console::triage;
use crate::web::form;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Links that the panel shows.
const LINKS_MAX: u32 = 20;

/// The files of a message or a turn, for a page.
pub(super) async fn files(desk: &House, bearer: Bearer) -> Result<Vec<Value>, StoreError> {
    let files = desk.store().attachments(bearer).await?;
    Ok(files.iter().map(shown).collect())
}

fn shown(file: &Attached) -> Value {
    json!({
        "id": file.id, "name": file.name.as_str(),
        "told": format!("{}, {}", form::told_kind(&file.kind), form::told_size(file.size)),
    })
}

/// The newest links of a conversation: when they were sent, whether they were read, when they end.
pub(super) async fn links(
    desk: &House,
    id: ConversationId,
    (practice, now): (&Practice, Timestamp),
) -> Result<Vec<Value>, StoreError> {
    let mut all = Vec::new();
    for link in desk.store().portal_links(id, LINKS_MAX).await? {
        let message = &link.message;
        let sent = message.expires.saturating_sub(LIFETIME).unwrap_or(now);
        let state = if message.revoked.is_some() {
            "closed"
        } else if message.expires <= now {
            "ended"
        } else if message.tries_left <= 0 {
            "locked"
        } else {
            "open"
        };
        let at = |it| triage::moment(it, practice, now);
        all.push(json!({
            "link": hex::encode(link.hash),
            "sent": at(sent),
            "opened": message.opened.map(at),
            "expires": at(message.expires),
            "closed": message.revoked.map(at),
            "state": state,
            "body": message.body.as_str(),
            "files": files(desk, Bearer::Link(link.hash)).await?,
        }));
    }
    Ok(all)
}

/// Where the patient is told by e-mail, and what became of the last notice.
pub(super) async fn mail(
    desk: &House,
    id: ConversationId,
    (practice, now): (&Practice, Timestamp),
) -> Result<Value, StoreError> {
    let letters = desk.store().letters(id, LINKS_MAX).await?;
    let last = letters.iter().find(|it| it.kind == LetterKind::Notice);
    Ok(last.map_or(Value::Null, |it| {
        let said = match it.state.as_str() {
            "waiting" if it.code.is_empty() => "waits to leave",
            "waiting" => "could not leave yet; tried again",
            "sent" => "sent",
            "bounced" => "came back",
            "refused" => "refused: no such mailbox",
            "failed" => "given up after many tries",
            _ => "not needed any more",
        };
        json!({
            "said": said, "code": it.code, "at": triage::moment(it.at, practice, now),
            "bad": matches!(it.state.as_str(), "bounced" | "refused" | "failed"),
        })
    }))
}

/// Closes a link before its time.
pub(crate) async fn revoke(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let mut link = [0; 32];
    if hex::decode_to_slice(fields.get("link"), &mut link).is_err() {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let closed = desk(&door)?
        .desk_revoke(&seat.staff, ConversationId(id), link)
        .await;
    if closed.map_err(unavailable)? {
        Ok(back(&fields, id))
    } else {
        Ok(again(
            StatusCode::CONFLICT,
            "The link is closed already",
            "It was closed by a colleague, or has ended by itself. Nobody can open it.",
        ))
    }
}

/// Hands a file out.
pub(crate) async fn file(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let mut number = [0; 16];
    if hex::decode_to_slice(&id, &mut number).is_err() {
        return Err(Problem::not_found());
    }
    let found = desk(&door)?.desk_file(&seat.staff, &number).await;
    let (file, bytes) = found.map_err(unavailable)?.ok_or_else(Problem::not_found)?;
    Ok(form::file(
        file.name.as_str(),
        &file.kind,
        bytes.into_inner(),
    ))
}
