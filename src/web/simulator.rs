//! The phone simulator: its page, its JSON, and its stream of changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::carrier::fake::{Fake, Post, Reach, Sending};
use crate::domain::message::INBOUND_CHARS_MAX;
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::{CarrierKind, Practice};
use crate::policy::words::Channel;
use crate::web::json;
use crate::web::pages;
use crate::web::port::{Person, ThreadTurn, Unavailable};
use crate::web::problem::Problem;
use crate::web::router::Door;
use crate::web::webhook;

/// Webhooks that come within this time are brought before the phone is answered, so that it is told
/// what is committed.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The page.
pub(crate) async fn page() -> Response {
    pages::simulator()
}

/// A text from the phone: the fake carrier brings it by a signed webhook, and the answer comes after
/// the commit.
pub(crate) async fn text(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(unread)?;
    let text = read_text(&headers, &body)?;
    let practice = door
        .house
        .practice_by_sender(CarrierKind::Simulator, &text.to)
        .ok_or_else(|| bad("`to` is not a number that a practice texts from by the simulator"))?;
    let phone = phone_of(&door)?;
    let channel = practice
        .sender(&text.to)
        .map_or(Channel::Sms, |sender| sender.channel);
    let sending = Sending {
        from: text.from.as_str().to_owned(),
        to: text.to.as_str().to_owned(),
        body: text.body.into_inner(),
        whatsapp: channel == Channel::Whatsapp,
        ..Sending::default()
    };
    let line = format!("{}.{}", CarrierKind::Simulator, practice.id);
    let now = door.settings.clock.now();
    let Some((id, posts)) = phone.fake.write(&line, sending, Vec::new(), now) else {
        return Err(bad("`to` is not a number of the simulator's"));
    };
    for (after, post) in posts {
        if after > AT_ONCE {
            phone.later(&door, &practice, after, post);
            continue;
        }
        let answer = webhook::from_the_phone(&door, &practice, &post).await;
        if !answer.status().is_success() {
            // The phone says that it was not sent, so nobody may find it later.
            phone.fake.take_back(&id);
            return Err(Problem::unavailable());
        }
    }
    Ok((StatusCode::ACCEPTED, Json(serde_json::json!({ "id": id }))).into_response())
}

/// The phone that the page shows: the fake carrier on its other end.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Who carries.
    pub fake: Arc<Fake>,
    /// Where webhooks that come late wait.
    pub tracker: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

impl Phone {
    /// Brings a webhook after its time.
    fn later(&self, door: &Door, practice: &Arc<Practice>, after: Duration, post: Post) {
        let (door, practice, stop) = (door.clone(), Arc::clone(practice), self.stop.clone());
        self.tracker.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => {
                    drop(webhook::from_the_phone(&door, &practice, &post).await);
                }
                () = stop.cancelled() => {}
            }
        });
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn unread(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::because(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 1 MiB",
        ),
        _ => bad("the body broke off"),
    }
}

fn phone_of(door: &Door) -> Result<&Phone, Problem> {
    // The page's addresses exist only where there is a phone.
    door.settings.phone.as_ref().ok_or_else(Problem::not_found)
}

/// What one phone does with the texts to it: `{"state":"on"}`.
pub(crate) async fn reach(
    State(door): State<Door>,
    query: Result<Query<With>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let number = with(query)?;
    let state = phone_of(&door)?.fake.reach(number.as_str());
    Ok(Json(serde_json::json!({ "state": state })))
}

/// Switches a phone on or off, or lets it block the practice at the carrier.
pub(crate) async fn set_reach(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body.map_err(unread)?;
    let mut fields = read_object(&headers, &body)?;
    let person = number("number", &take(&mut fields, "number")?)?;
    let state = take(&mut fields, "state")?;
    if !fields.is_empty() {
        return Err(bad("only the keys `number` and `state` are known"));
    }
    let state: Reach = state
        .parse()
        .map_err(|error| bad(format!("`state`: {error}")))?;
    phone_of(&door)?.fake.set_reach(person.as_str(), state);
    Ok(StatusCode::NO_CONTENT)
}

/// A text as it was posted.
struct Posted {
    from: E164,
    to: E164,
    body: Phi<String>,
}

/// A JSON object. What is wrong with it is told by its place only: the parser's own message may
/// quote the text.
fn read_object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if !json::is_json(headers) {
        return Err(Problem::because(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json",
        ));
    }
    let mended = json::without_lone_surrogates(body);
    let value: Value = serde_json::from_slice(&mended).map_err(|error| {
        bad(format!(
            "the body is not JSON (line {}, column {})",
            error.line(),
            error.column()
        ))
    })?;
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(bad("the body is not a JSON object"))
        }
    }
}

fn take(fields: &mut Map<String, Value>, name: &str) -> Result<String, Problem> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(bad(format!("`{name}` is not a string"))),
        None => Err(bad(format!("`{name}` is missing"))),
    }
}

fn read_text(headers: &HeaderMap, body: &[u8]) -> Result<Posted, Problem> {
    let mut fields = read_object(headers, body)?;
    let from = number("from", &take(&mut fields, "from")?)?;
    let to = number("to", &take(&mut fields, "to")?)?;
    let written = take(&mut fields, "body")?;
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
    /// Why it did not arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
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
            reason: turn.reason,
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
