//! What staff do: look at a verdict, answer, take over, give back, set aside, take an alarm.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::domain::ids::{ConversationId, HoldId};
use crate::domain::phi::Phi;
use crate::domain::staff::Right;
use crate::pipeline::desk::{Answer, Answered, Reason};
use crate::pipeline::desk_review::Verdicted;
use crate::pipeline::house::House;
use crate::pipeline::portal::OTHER_PORTAL;
use crate::web::console::inbox::unavailable;
use crate::web::console::seat::{Fields, Files, SCRIPT, Seat, again, desk, line, to};
use crate::web::console::thread::pieces;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Longest text that staff may write: what six segments hold many times over.
const TEXT_CHARS_MAX: usize = 4_000;
/// Longest remark on a hold.
const WORDS_CHARS_MAX: usize = 1_000;

fn written(fields: &Fields) -> Result<Phi<String>, Problem> {
    let text = fields.get("text").replace("\r\n", "\n");
    let text = text.trim();
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(Problem::because(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the text is longer than 4,000 characters; nothing was sent",
        ));
    }
    Ok(Phi::from(text))
}

/// What the guardrail says of a text that is being written; keeps nothing.
pub(crate) async fn review(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let text = written(&fields)?;
    let desk = desk(&door)?;
    let practice = &seat.staff.practice;
    let verdict = desk
        .desk_review(practice, ConversationId(id), text.as_str())
        .await
        .map_err(unavailable)?
        .ok_or_else(Problem::not_found)?;
    // Whoever asks for a verdict is writing; colleagues are told so.
    desk.writes(&seat.staff, ConversationId(id), true);
    let portal = other_portal(desk, &seat);
    Ok(Json(told(text.as_str(), (&verdict, &portal), "review")).into_response())
}

/// The portal that stands in the place of ours, if one.
fn other_portal(desk: &House, seat: &Seat) -> String {
    let practice = desk.practice(&seat.staff.practice);
    practice.map(|it| it.portal_url.clone()).unwrap_or_default()
}

fn told(text: &str, (verdict, portal): (&Verdicted, &str), outcome: &str) -> Value {
    let findings: Vec<Value> = verdict
        .findings
        .iter()
        .filter_map(|it| serde_json::to_value(it).ok())
        .collect();
    json!({
        "outcome": outcome,
        "verdict": verdict.verdict.as_str(),
        "text": verdict.text.as_ref().map(|it| it.as_str().to_owned()),
        "portal": verdict.portal.as_ref().map(|it| it.as_str().to_owned()),
        "segments": verdict.segments,
        "closed": verdict.closed.map(|it| closed(it, portal)),
        "pieces": pieces(text, &findings),
        "findings": findings,
    })
}

/// Why nothing may leave, for people.
fn closed(reason: &str, portal: &str) -> String {
    match reason {
        OTHER_PORTAL => format!(
            "Your practice's secure messages are written in its own portal, {portal}, and cannot be put \
             there from here. Write it there, or leave the details out."
        ),
        "opted out" => {
            "This person opted out. Nothing may be texted until they text START; call instead."
                .to_owned()
        }
        "no page for the link" => {
            "Details go behind a link, and the link asks for a birth date that the record lacks. \
             Leave the details out, or call."
                .to_owned()
        }
        other => format!("Nothing may leave: {other}."),
    }
}

/// Sends an answer, or shows what would leave instead.
pub(crate) async fn answer(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let hold = fields.get("hold").parse().ok().map(HoldId);
    let answer = Answer {
        seen: Some(fields.get("seen"))
            .filter(|it| !it.is_empty())
            .map(|it| Phi::from(it.replace("\r\n", "\n"))),
        ..Answer::of(ConversationId(id), written(&fields)?, hold)
    };
    send(
        (&door, &seat, &fields),
        headers.contains_key(SCRIPT),
        answer,
    )
    .await
}

/// Sends the words in the box, or the held draft, behind the portal's link; by text goes the link alone.
pub(crate) async fn by_portal(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Extension(fields): Extension<Fields>,
    Extension(files): Extension<Files>,
) -> Result<Response, Problem> {
    let hold = fields.get("hold").parse().ok().map(HoldId);
    let mut text = written(&fields)?;
    if text.as_str().is_empty()
        && let Some(hold) = hold
    {
        text = held_words(&door, &seat, id, hold).await?;
    }
    let script = headers.contains_key(SCRIPT);
    let kept = match desk(&door)?.checked_files(&files.0) {
        Ok(kept) => kept,
        Err(fault) => return Ok(not_taken(script, &format!("{fault} Nothing was sent."))),
    };
    if text.as_str().is_empty() && !kept.is_empty() {
        let how =
            "Write a line beside the file, so that the patient knows what it is. Nothing was sent.";
        return Ok(not_taken(script, how));
    }
    let answer = Answer {
        behind: true,
        files: kept,
        ..Answer::of(ConversationId(id), text, hold)
    };
    send(
        (&door, &seat, &fields),
        headers.contains_key(SCRIPT),
        answer,
    )
    .await
}

fn not_taken(script: bool, how: &str) -> Response {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if script {
        Problem::because(status, how.to_owned()).into_response()
    } else {
        again(status, "The files were not taken", how)
    }
}

/// Sends what was held as it stands, in somebody's own name and for a reason; the guardrail still has
/// its say over the words of staff. What else they say of it is kept as a note.
pub(crate) async fn over(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    headers: HeaderMap,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let script = headers.contains_key(SCRIPT);
    let Ok(hold) = fields.get("hold").parse().map(HoldId) else {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY));
    };
    let Ok(reason) = fields.get("reason").parse::<Reason>() else {
        return Ok(again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Say why",
            "Choose a reason of the list. Nothing was sent.",
        ));
    };
    let text = held_words(&door, &seat, id, hold).await?;
    let answer = Answer {
        reason: Some(reason),
        ..Answer::of(ConversationId(id), text, Some(hold))
    };
    let told = send((&door, &seat, &fields), script, answer).await?;
    let (left, words) = (told.status(), fields.get("words").trim());
    if (left.is_success() || left.is_redirection()) && !words.is_empty() {
        let words: String = words.chars().take(WORDS_CHARS_MAX).collect();
        let desk = desk(&door)?;
        let kept = desk
            .store()
            .add_note(
                &seat.staff,
                ConversationId(id),
                (&words, Vec::new()),
                desk.clock().now(),
            )
            .await;
        kept.map_err(unavailable)?;
        desk.changed();
    }
    Ok(told)
}

/// Keeps what somebody says of a hold: that it was wrong, or right.
pub(crate) async fn judge(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let Ok(hold) = fields.get("hold").parse().map(HoldId) else {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY));
    };
    let why: String = fields
        .get("why")
        .trim()
        .chars()
        .take(WORDS_CHARS_MAX)
        .collect();
    let about = (ConversationId(id), hold);
    let kept = desk(&door)?
        .desk_judge_hold(&seat.staff, about, fields.get("wrong") != "0", &why)
        .await;
    if kept.map_err(unavailable)? {
        Ok(back(&fields, id))
    } else {
        Err(Problem::not_found())
    }
}

/// The words of a held draft of this practice.
async fn held_words(
    door: &Door,
    seat: &Seat,
    id: i64,
    hold: HoldId,
) -> Result<Phi<String>, Problem> {
    let own = line(door, seat, id).await?;
    let holds = desk(door)?.store().open_holds(own.conversation.id).await;
    let holds = holds.map_err(unavailable)?;
    let found = holds.into_iter().find(|it| it.id == hold);
    let words = found
        .map(|it| it.draft)
        .filter(|it| !it.as_str().is_empty());
    words.ok_or_else(|| {
        Problem::because(
            StatusCode::CONFLICT,
            "a colleague decided on this draft meanwhile; nothing was sent",
        )
    })
}

async fn send(
    (door, seat, fields): (&Door, &Seat, &Fields),
    script: bool,
    answer: Answer,
) -> Result<Response, Problem> {
    let desk = desk(door)?;
    let (id, text) = (answer.conversation, answer.text.clone());
    if text.as_str().is_empty() {
        return Ok(if script {
            Problem::because(StatusCode::UNPROCESSABLE_ENTITY, "the text is empty").into_response()
        } else {
            back(fields, id.0)
        });
    }
    let portal = other_portal(desk, seat);
    let answered = desk.desk_answer(&seat.staff, answer).await;
    desk.writes(&seat.staff, id, false);
    let (status, outcome) = match answered.map_err(unavailable)? {
        Answered::Unknown => return Err(Problem::not_found()),
        Answered::Sent if script => (StatusCode::OK, json!({ "outcome": "sent" })),
        Answered::Sent => return Ok(back(fields, id.0)),
        Answered::NeedsReason => {
            let how = if seat.staff.role.may(Right::Override) {
                "These are the words that were held. Change them, send them by portal, or use Override and say why."
            } else {
                "These are the words that were held. Change them, send them by portal, or ask a clinician to override the hold."
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(if script {
                Problem::because(status, how).into_response()
            } else {
                again(status, "Nothing was sent", how)
            });
        }
        Answered::Changed(verdict) => (
            StatusCode::CONFLICT,
            told(text.as_str(), (&verdict, &portal), "changed"),
        ),
        Answered::Held(verdict) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            told(text.as_str(), (&verdict, &portal), "held"),
        ),
    };
    if script {
        return Ok((status, Json(outcome)).into_response());
    }
    // Without a script the safe version is shown to be copied; nothing was sent.
    let said = |name| outcome.get(name).and_then(Value::as_str);
    if let Some(closed) = said("closed") {
        return Ok(again(status, "Nothing was sent", closed));
    }
    let how = said("text")
        .filter(|_| said("portal").is_none())
        .map_or_else(
            || {
                "Leave out what may not be texted, send it by portal, or call the patient."
                    .to_owned()
            },
            |safe| format!("This could be sent instead: {safe}"),
        );
    Ok(again(status, "The guardrail did not let this go", &how))
}

/// Where a form came from.
pub(super) fn back(fields: &Fields, id: i64) -> Response {
    to(&format!("/console/inbox/{}?c={id}", queue_of(fields)))
}

/// The queue that a form was sent from.
pub(super) fn queue_of(fields: &Fields) -> &str {
    let queue = fields.get("queue");
    let word = !queue.is_empty() && queue.bytes().all(|it| it.is_ascii_lowercase());
    if word { queue } else { "all" }
}

/// Takes a conversation over, or gives it back.
pub(crate) async fn take(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let taken = fields.get("do") != "give";
    let known = desk(&door)?
        .desk_take(&seat.staff, ConversationId(id), taken)
        .await
        .map_err(unavailable)?;
    if known {
        Ok(back(&fields, id))
    } else {
        Err(Problem::not_found())
    }
}

/// Marks a conversation as unread and leaves it.
pub(crate) async fn unread(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let own = line(&door, &seat, id).await?;
    let marked = desk(&door)?
        .desk_see(&seat.staff, own.conversation.id, None)
        .await;
    marked.map_err(unavailable)?;
    Ok(to(&format!("/console/inbox/{}", queue_of(&fields))))
}

/// Sets a held draft aside.
pub(crate) async fn aside(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let Ok(hold) = fields.get("hold").parse().map(HoldId) else {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY));
    };
    let desk = desk(&door)?;
    if fields.get("do") == "undo" {
        let opened = desk
            .desk_reopen(&seat.staff, ConversationId(id), hold)
            .await;
        return Ok(if opened.map_err(unavailable)? {
            back(&fields, id)
        } else {
            again(
                StatusCode::CONFLICT,
                "It cannot be brought back any more",
                "Only whoever set a draft aside can bring it back, within 30 minutes.",
            )
        });
    }
    // One that a colleague settled meanwhile is settled: the page shows it gone.
    let settled = desk
        .desk_set_aside(&seat.staff, ConversationId(id), hold)
        .await;
    if settled.map_err(unavailable)? {
        let queue = queue_of(&fields);
        return Ok(to(&format!(
            "/console/inbox/{queue}?c={id}&undo=aside&of={hold}"
        )));
    }
    Ok(back(&fields, id))
}

/// Says "I have it" to the alarms of a conversation.
pub(crate) async fn acknowledge(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    desk(&door)?
        .desk_acknowledge(&seat.staff, ConversationId(id))
        .await
        .map_err(unavailable)?;
    Ok(back(&fields, id))
}
