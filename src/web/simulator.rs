//! The phone simulator: its page, its JSON, and its stream of changes.

use std::convert::Infallible;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_stream::wrappers::WatchStream;

use crate::domain::message::{INBOUND_CHARS_MAX, Inbound};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;
use crate::web::json;
use crate::web::pages;
use crate::web::port::{Person, ThreadTurn, Unavailable};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The page.
pub(crate) async fn page() -> Response {
    pages::simulator()
}

/// A text from the phone; the answer comes after the commit.
pub(crate) async fn text(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::because(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 1 MiB",
        ),
        _ => bad("the body broke off"),
    })?;
    let text = read_text(&headers, &body)?;
    let practice = door
        .house
        .practice_by_sender(CarrierKind::Simulator, &text.to)
        .ok_or_else(|| bad("`to` is not a number that a practice texts from by the simulator"))?;
    let channel = practice
        .sender(&text.to)
        .map_or(Channel::Sms, |sender| sender.channel);
    let id = message_id()?;
    let inbound = Inbound {
        carrier: CarrierKind::Simulator,
        carrier_id: id.clone(),
        channel,
        from: text.from,
        to: text.to,
        body: text.body,
        media: Vec::new(),
        button: None,
        at: door.settings.clock.now(),
    };
    door.house
        .receive(practice, inbound)
        .await
        .map_err(|Unavailable| Problem::unavailable())?;
    Ok((StatusCode::ACCEPTED, Json(serde_json::json!({ "id": id }))).into_response())
}

/// A text as it was posted.
struct Posted {
    from: E164,
    to: E164,
    body: Phi<String>,
}

fn read_text(headers: &HeaderMap, body: &[u8]) -> Result<Posted, Problem> {
    if !json::is_json(headers) {
        return Err(Problem::because(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json",
        ));
    }
    let mended = json::without_lone_surrogates(body);
    let value: Value = serde_json::from_slice(&mended).map_err(|error| {
        // The position only: the parser's own message may quote the text.
        bad(format!(
            "the body is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    let Value::Object(mut fields) = value else {
        return Err(bad("the body is not a JSON object"));
    };
    let mut take = |name: &str| match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(bad(format!("`{name}` is not a string"))),
        None => Err(bad(format!("`{name}` is missing"))),
    };
    let from = number("from", &take("from")?)?;
    let to = number("to", &take("to")?)?;
    let written = take("body")?;
    if !fields.is_empty() {
        return Err(bad("only the keys `from`, `to` and `body` are known"));
    }
    if from == to {
        return Err(bad("`from` and `to` are the same number"));
    }
    Ok(Posted {
        from,
        to,
        body: Phi::new(written.chars().take(INBOUND_CHARS_MAX).collect()),
    })
}

fn number(name: &str, text: &str) -> Result<E164, Problem> {
    text.parse()
        .map_err(|error| bad(format!("`{name}` is {error}")))
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::because(StatusCode::BAD_REQUEST, detail)
}

fn message_id() -> Result<String, Problem> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_no_randomness| Problem::unavailable())?;
    Ok(format!("SIM{}", hex::encode(bytes)))
}

/// Which thread.
#[derive(Deserialize)]
pub(crate) struct With {
    with: String,
}

fn with(query: Result<Query<With>, QueryRejection>) -> Result<E164, Problem> {
    let Query(With { with }) = query.map_err(|_rejection| {
        bad("say whose thread: ?with=%2B14155550142 (`+` must be written %2B)")
    })?;
    // A `+` that was not escaped arrives as a space.
    let with = with
        .strip_prefix(' ')
        .map_or_else(|| with.clone(), |digits| format!("+{digits}"));
    number("with", &with)
}

/// A text of a thread, as JSON.
#[derive(Serialize)]
struct Told {
    id: String,
    direction: &'static str,
    from: E164,
    to: E164,
    body: String,
    at: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<i64>,
    /// An estimate in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<String>,
}

impl From<ThreadTurn> for Told {
    fn from(turn: ThreadTurn) -> Self {
        Self {
            id: turn.id,
            direction: turn.direction.as_str(),
            from: turn.from,
            to: turn.to,
            body: turn.body.into_inner(),
            at: turn.at.to_string(),
            status: turn.status.map_or("received", |status| status.as_str()),
            segments: turn.segments,
            price: turn.price,
        }
    }
}

/// The thread with one number, oldest first.
pub(crate) async fn thread(
    State(door): State<Door>,
    query: Result<Query<With>, QueryRejection>,
) -> Result<Response, Problem> {
    let number = with(query)?;
    let turns = door
        .house
        .thread(&number, None)
        .await
        .map_err(|Unavailable| Problem::unavailable())?;
    let told: Vec<Told> = turns.into_iter().map(Told::from).collect();
    Ok(Json(told).into_response())
}

/// What the guardrail did to the drafts for one number, newest first.
pub(crate) async fn glass(
    State(door): State<Door>,
    query: Result<Query<With>, QueryRejection>,
) -> Result<Json<Vec<Value>>, Problem> {
    let number = with(query)?;
    let panes = door.house.glass(&number).await;
    panes
        .map(Json)
        .map_err(|Unavailable| Problem::unavailable())
}

/// The sample patients.
pub(crate) async fn people(State(door): State<Door>) -> Result<Json<Vec<Person>>, Problem> {
    let people = door.house.people().await;
    people
        .map(Json)
        .map_err(|Unavailable| Problem::unavailable())
}

/// A stream of ticks, one for each change, without any content: whoever listens asks anew.
pub(crate) async fn events(
    State(door): State<Door>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ended = door.settings.shutdown.clone().cancelled_owned();
    let ticks = WatchStream::new(door.house.changes())
        .map(|tick| Ok(Event::default().event("change").data(tick.to_string())))
        .take_until(ended);
    Sse::new(ticks).keep_alive(KeepAlive::default())
}
