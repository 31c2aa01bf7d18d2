//! The chat on a practice's web site: the script that the site embeds, the page in its frame, and what
//! that page asks.
//!
//! A frame of another site's page has no cookies. So the page holds the token of its session in its
//! memory and sends it in a header: it is in no address, no cookie and no storage, and ends with the page.

mod live;
mod visitors;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, RawQuery, Request};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::domain::ids::PracticeId;
use crate::domain::message::INBOUND_CHARS_MAX;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::pipeline::webchat::{Guest, Said};
use crate::pipeline::webchat_code::{Begun, Confirmed};
use crate::policy::words::Language;
use crate::store::StoreError;
use crate::web::assets;
use crate::web::edge::Framed;
use crate::web::json;
use crate::web::pages;
use crate::web::pages::ChatPage;
use crate::web::portal::chosen_language;
use crate::web::problem::Problem;
use crate::web::router::Door;
use crate::web::widget::visitors::{Network, Visitors};

/// Largest body: the longest message in any script, written as JSON.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Messages that a page may say at once that it took: all that it shows.
const TAKEN_MAX: usize = 200;

/// The script may be kept by browsers for so long; what it does changes seldom.
const SCRIPT_KEPT: &str = "public, max-age=300";

/// Loaded by other sites' pages, which the answers of no other address may be.
const FOR_ANYBODY: (HeaderName, HeaderValue) = (
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderValue::from_static("cross-origin"),
);

/// The chat's addresses.
pub(crate) fn routes() -> Router<Door> {
    Router::new()
        .route("/chat/{practice}", get(page))
        .route("/chat/{practice}/widget.js", get(script))
        .route("/chat/{practice}/number", post(number))
        .route("/chat/{practice}/code", post(code))
        .route("/chat/{practice}/messages", post(say))
        .route("/chat/{practice}/events", get(live::events))
        .route("/chat/{practice}/here", post(here))
        .route("/chat/{practice}/session", delete(end))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(Extension(Visitors::default()))
}

/// A practice with a chat, and the house behind it. A practice without one is as unknown as any other.
struct Chat {
    house: Arc<House>,
    practice: Arc<Practice>,
}

impl FromRequestParts<Door> for Chat {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, door).await;
        let Path(id) = id.map_err(|_no_text| Problem::not_found())?;
        let house = door.settings.desk.as_ref().map(Arc::clone);
        let house = house.ok_or_else(Problem::not_found)?;
        let practice = house.practice(&PracticeId::new(id));
        match practice.filter(|it| it.chat_sender().is_some()) {
            Some(practice) => Ok(Self { house, practice }),
            None => Err(Problem::not_found()),
        }
    }
}

/// Whoever the token in the header is of, in the chat of their practice.
struct Visitor {
    house: Arc<House>,
    guest: Guest,
}

impl FromRequestParts<Door> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let Chat { house, practice } = Chat::from_request_parts(parts, door).await?;
        let token = token(&parts.headers).ok_or_else(ended)?;
        let found = house.chat_guest(&practice, token).await;
        let guest = found.map_err(unavailable)?.ok_or_else(ended)?;
        Ok(Self { house, guest })
    }
}

/// A JSON object of this shape; what is wrong is told without what was sent.
struct Given<T>(T);

impl<T: DeserializeOwned> FromRequest<Door> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Problem> {
        let stated = json::is_json(request.headers());
        let body = Bytes::from_request(request, door).await;
        let body = body.map_err(|rejection| Problem::new(rejection.status()))?;
        if !stated {
            let how = "send application/json";
            return Err(Problem::because(StatusCode::UNSUPPORTED_MEDIA_TYPE, how));
        }
        let mended = json::without_lone_surrogates(&body);
        serde_json::from_slice(&mended).map(Self).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let how = format!(
                "the body has not the keys that this address takes (line {line}, column {column})"
            );
            Problem::because(StatusCode::BAD_REQUEST, how)
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn unavailable(error: StoreError) -> Problem {
    tracing::error!(%error, "the store did not answer");
    Problem::unavailable()
}

fn ended() -> Problem {
    let how = "the chat has ended; begin again with the number";
    Problem::because(StatusCode::UNAUTHORIZED, how).with_reason("ended")
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").filter(|it| it.len() <= 128)
}

/// The script for the practice's web site; the same for everybody.
async fn script(_of: Chat) -> Response {
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/javascript; charset=utf-8"),
        ),
        (CACHE_CONTROL, HeaderValue::from_static(SCRIPT_KEPT)),
        FOR_ANYBODY,
    ];
    (headers, assets::WIDGET_JS).into_response()
}

/// The page in the frame.
async fn page(Chat { practice, .. }: Chat, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let (Some(chat), Some(texts)) = (&practice.webchat, practice.text_sender()) else {
        return Err(Problem::not_found());
    };
    let language = chosen_language(query.as_deref()).unwrap_or(Language::En);
    let mut shown = pages::chat(&ChatPage {
        language: language.as_str(),
        practice: practice.id.to_string(),
        practice_name: practice.said_name(language).to_owned(),
        practice_phone: practice.phone.display_us(),
        practice_dial: practice.phone.as_str().to_owned(),
        text_number: texts.number.display_us(),
        origins: chat.origins.join(" "),
    });
    let (name, value) = FOR_ANYBODY;
    shown.headers_mut().insert(name, value);
    shown.extensions_mut().insert(Framed);
    Ok(shown)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    number: String,
    language: Language,
}

/// Takes a number. The answer is the same whatever is known of it.
async fn number(
    chat: Chat,
    Extension(visitors): Extension<Visitors>,
    from: Network,
    Given(given): Given<Number>,
) -> Result<Response, Problem> {
    let Some(number) = mobile(&given.number) else {
        let how = "`number` is not a phone number of the United States or Canada";
        return Err(Problem::because(StatusCode::UNPROCESSABLE_ENTITY, how).with_reason("number"));
    };
    let now = chat.house.clock().now();
    if !visitors.may_begin(&chat.practice.id, from, now) {
        let how = "too many numbers came from this network in an hour; try later, or call";
        return Err(busy(how));
    }
    let begun = chat
        .house
        .chat_begin(&chat.practice, &number, given.language)
        .await;
    match begun.map_err(unavailable)? {
        Begun::Asked(session) => Ok(Json(json!({ "session": session })).into_response()),
        Begun::Busy => Err(busy("nobody can begin a chat now; try later, or call")),
    }
}

fn busy(how: &str) -> Problem {
    Problem::because(StatusCode::TOO_MANY_REQUESTS, how).with_reason("busy")
}

/// A number as people type it, where a practice of the United States may text it.
fn mobile(text: &str) -> Option<E164> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let national = match digits.len() {
        10 => Some(digits.as_str()),
        11 => digits.strip_prefix('1'),
        _ => None,
    }?;
    // Area codes and exchanges begin with 2 to 9 (North American Numbering Plan).
    let begins = |at: usize| matches!(national.as_bytes().get(at), Some(b'2'..=b'9'));
    let known = text
        .chars()
        .all(|c| c.is_ascii_digit() || " +()-./\u{a0}".contains(c));
    (known && begins(0) && begins(3)).then(|| E164::typed(national).ok())?
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

/// Takes the code that was texted.
async fn code(
    chat: Chat,
    headers: HeaderMap,
    Given(given): Given<Code>,
) -> Result<Response, Problem> {
    let token = token(&headers).ok_or_else(ended)?;
    let confirmed = chat
        .house
        .chat_confirm(&chat.practice, token, &given.code)
        .await;
    Ok(match confirmed.map_err(unavailable)? {
        Confirmed::In(session) => Json(json!({ "session": session })).into_response(),
        Confirmed::Wrong(left) => {
            (StatusCode::FORBIDDEN, Json(json!({ "tries_left": left }))).into_response()
        }
        Confirmed::Over => {
            let how = "this code is over; begin again with the number";
            let problem = Problem::because(StatusCode::LOCKED, how).with_reason("over");
            problem.into_response()
        }
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    key: String,
    text: String,
}

/// Whether a key has the form of a UUID.
fn well_formed(key: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    key.len() == 36 && key.bytes().all(sign)
}

/// Takes a message. Repeating it under its key changes nothing.
async fn say(
    Visitor { house, guest }: Visitor,
    Given(message): Given<Message>,
) -> Result<StatusCode, Problem> {
    let refuse = |how: &str| Err(Problem::because(StatusCode::UNPROCESSABLE_ENTITY, how));
    if !well_formed(&message.key) {
        return refuse("`key` is not a random UUID, such as crypto.randomUUID() gives");
    }
    let text = message.text.trim();
    if text.is_empty() {
        return refuse("`text` is empty");
    }
    if text.chars().count() > INBOUND_CHARS_MAX {
        return refuse("`text` is longer than 4,000 characters");
    }
    match house.chat_say(&guest, &message.key, text).await {
        Ok(Said::Kept) => Ok(StatusCode::ACCEPTED),
        Ok(Said::TooMany) => Err(busy("too many messages in a minute; wait a little")),
        Err(error) => Err(unavailable(error)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Here {
    /// The messages that the page shows now.
    #[serde(default)]
    taken: Vec<i64>,
    /// Whether somebody did something.
    #[serde(default)]
    active: bool,
}

/// Takes note of what the page shows, and that somebody is there.
async fn here(
    Visitor { house, guest }: Visitor,
    Given(here): Given<Here>,
) -> Result<StatusCode, Problem> {
    if here.taken.len() > TAKEN_MAX {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE));
    }
    if here.active {
        house.chat_here(&guest).await.map_err(unavailable)?;
    }
    if !here.taken.is_empty() {
        let taken = house.chat_taken(&guest, &here.taken).await;
        taken.map_err(unavailable)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the session.
async fn end(Visitor { house, guest }: Visitor) -> Result<StatusCode, Problem> {
    house.chat_end(&guest).await.map_err(unavailable)?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_people_type_it_and_only_where_texts_go() {
        for typed in [
            "415-555-0142",
            "(415) 555-0142",
            "+1 415 555 0142",
            "1.415.555.0142",
        ] {
            let number = mobile(typed).unwrap();
            assert_eq!(number.as_str(), "+14155550142", "{typed}");
        }
        for bad in [
            "",
            "555-0142",
            "+44 20 7946 0958",
            "115-555-0142",
            "415-155-0142",
            "41555501422",
            "415-555-0142 ext 5",
        ] {
            assert_eq!(mobile(bad), None, "{bad}");
        }
    }
}
