//! The gate: who asks, whether they may, and whether their own page sent the form.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::domain::ids::ConversationId;
use crate::domain::staff::Staff;
use crate::pipeline::attachments::Given;
use crate::pipeline::house::House;
use crate::store::inbox::Line;
use crate::web::console::inbox::unavailable;
use crate::web::console::{CONSOLE_BYTES_MAX, Need, TABLE};
use crate::web::form;
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The cookie. Its path keeps it from the portal and from webhooks.
const COOKIE_NAME: &str = "anteroom_console";
/// What a page that refreshes itself sends, `look` where somebody is before it: it must not keep an
/// unattended session alive.
pub(super) const LIVE: &str = "x-live";

/// The addresses whose forms bring files.
const TAKE_FILES: &[&str] = &["/console/portal/{id}"];

/// The stream by which pages hear of changes.
const EVENTS: &str = "/console/events";

/// What a script sends with a form that it reads the answer of.
pub(super) const SCRIPT: &str = "x-script";

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) staff: Staff,
    pub(crate) token: String,
}

/// The fields of a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields of a test.
    #[cfg(test)]
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(fields.iter().map(own).collect())
    }

    /// A field, empty where the form has none.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Every field, in the form's order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The files of a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files(pub(crate) Vec<Given>);

impl Seat {
    /// What a form of this session carries, so that no other site's page can send one.
    pub(crate) fn csrf(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(b"anteroom console form v1");
        digest.update(self.token.as_bytes());
        hex::encode(digest.finalize())
    }
}

/// The house behind the console; the router has no console without one.
pub(crate) fn desk(door: &Door) -> Result<&Arc<House>, Problem> {
    door.settings.desk.as_ref().ok_or_else(Problem::not_found)
}

/// Who is signed in, and the secret of their forms: for a page that was open while a session ended. A page
/// of another origin cannot read it.
pub(crate) async fn here(Extension(seat): Extension<Seat>) -> Response {
    let told = serde_json::json!({ "name": seat.staff.secrets.name, "csrf": seat.csrf() });
    Json(told).into_response()
}

/// A conversation of this person's practice, as a line of the inbox.
pub(super) async fn line(door: &Door, seat: &Seat, id: i64) -> Result<Line, Problem> {
    let (practice, me) = (&seat.staff.practice, seat.staff.id);
    let found = desk(door)?
        .store()
        .inbox_line(practice, ConversationId(id), me)
        .await;
    found.map_err(unavailable)?.ok_or_else(Problem::not_found)
}

/// Stands before every address of the console.
pub(crate) async fn gate(State(door): State<Door>, request: Request, next: Next) -> Response {
    match admit(&door, request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused,
    }
}

async fn admit(door: &Door, request: Request) -> Result<Request, Response> {
    let (mut parts, body) = request.into_parts();
    let need = need_of(&parts).ok_or_else(|| Problem::not_found().into_response())?;
    let posted = parts.method == Method::POST;
    let files = posted && form::brings_files(&parts.headers);
    if posted && !(from_here(&parts.headers, files) && (!files || takes_files(&parts))) {
        return Err(Problem::because(
            StatusCode::FORBIDDEN,
            "this form was not sent by a page of the console",
        )
        .into_response());
    }
    let seat = if need == Need::Nothing {
        None
    } else {
        Some(seated(door, need, &parts).await?)
    };
    if let Some(seat) = &seat {
        parts.extensions.insert(seat.clone());
    }
    if !posted {
        return Ok(Request::from_parts(parts, body));
    }
    let most = if files {
        form::FILES_BODY_MAX
    } else {
        CONSOLE_BYTES_MAX
    };
    let body = to_bytes(body, most)
        .await
        .map_err(|_too_long| Problem::new(StatusCode::PAYLOAD_TOO_LARGE).into_response())?;
    let (fields, given) = if files {
        let read = form::read(&parts.headers, body).await;
        read.map_err(IntoResponse::into_response)?
    } else {
        let fields = form_urlencoded::parse(&body).into_owned().collect();
        (fields, Vec::new())
    };
    let fields = Fields(fields);
    parts.extensions.insert(Files(given));
    if let Some(seat) = &seat
        && !bool::from(seat.csrf().as_bytes().ct_eq(fields.get("csrf").as_bytes()))
    {
        return Err(again(
            StatusCode::FORBIDDEN,
            "This page was open for too long",
            "Nothing was sent. Go back, copy what you wrote if you need it, and open the page again.",
        ));
    }
    parts.extensions.insert(fields);
    Ok(Request::from_parts(parts, Body::empty()))
}

fn need_of(parts: &Parts) -> Option<Need> {
    let route = parts.extensions.get::<MatchedPath>()?.as_str();
    let method = match &parts.method {
        &Method::HEAD => "GET",
        other => other.as_str(),
    };
    let row = |(it, path, _): &&(&str, &str, Need)| *it == method && *path == route;
    TABLE.iter().find(row).map(|(_, _, need)| *need)
}

async fn seated(door: &Door, need: Need, parts: &Parts) -> Result<Seat, Response> {
    let live = parts.headers.contains_key(LIVE);
    // A script is told; a person is shown the door.
    let script = live || parts.headers.contains_key(SCRIPT);
    let back = || {
        if script {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        if parts.uri.path() == EVENTS {
            // A stream that meets a page calls that a fault; this ends it for good (HTML, server-sent events).
            return StatusCode::NO_CONTENT.into_response();
        }
        let next = parts.uri.path();
        let query = parts
            .uri
            .query()
            .map_or_else(String::new, |it| format!("?{it}"));
        let next = if parts.method == Method::GET && next != "/console" {
            let next: String =
                form_urlencoded::byte_serialize(format!("{next}{query}").as_bytes()).collect();
            format!("?next={next}")
        } else {
            String::new()
        };
        to(&format!("/console/sign-in{next}"))
    };
    let Some(token) = cookie(&parts.headers) else {
        return Err(back());
    };
    let desk = desk(door).map_err(IntoResponse::into_response)?;
    let found = if live {
        desk.peek_session(&token).await
    } else {
        desk.staff_session(&token).await
    };
    let session = found.map_err(|error| {
        tracing::error!(%error, "the store did not answer");
        Problem::unavailable().into_response()
    })?;
    let Some(session) = session else {
        return Err(back());
    };
    let seat = Seat {
        staff: session.staff,
        token,
    };
    match need {
        Need::SignedIn | Need::May(_) if !session.whole => Err(to("/console/second")),
        Need::May(right) if !seat.staff.role.may(right) => Err(again(
            StatusCode::FORBIDDEN,
            "Your role does not open this page",
            "An owner of the practice can change roles under Team.",
        )),
        Need::Nothing | Need::Session | Need::SignedIn | Need::May(_) => Ok(seat),
    }
}

/// Browsers say where a form comes from; one that says nothing still needs the form's secret.
fn from_here(headers: &HeaderMap, files: bool) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    site.is_none_or(|site| matches!(site, b"same-origin" | b"none"))
        && (files
            || headers.get(CONTENT_TYPE).is_none_or(|kind| {
                kind.as_bytes()
                    .starts_with(b"application/x-www-form-urlencoded")
            }))
}

/// Whether an address takes a form with files.
fn takes_files(parts: &Parts) -> bool {
    let route = parts.extensions.get::<MatchedPath>();
    route.is_some_and(|it| TAKE_FILES.contains(&it.as_str()))
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(COOKIE).iter();
    let pairs = values
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'));
    let named = pairs.filter_map(|pair| pair.trim().split_once('='));
    let mut own = named.filter(|(name, _)| *name == COOKIE_NAME);
    own.next()
        .map(|(_, value)| value.to_owned())
        .filter(|value| (20..=128).contains(&value.len()))
}

/// Another page.
pub(crate) fn to(path: &str) -> Response {
    match HeaderValue::from_str(path) {
        Ok(path) => (StatusCode::SEE_OTHER, [(LOCATION, path)]).into_response(),
        Err(_no_path) => Problem::not_found().into_response(),
    }
}

/// Another page, with the cookie of a session, or without one any more.
pub(crate) fn to_with(door: &Door, path: &str, token: Option<&str>) -> Response {
    let secure = if door.settings.public_url.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    let (value, age) = token.map_or(("", 0), |token| (token, 12 * 60 * 60));
    let cookie = format!(
        "{COOKIE_NAME}={value}; Path=/console; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"
    );
    let mut response = to(path);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// A page that says what went wrong and what to do.
pub(crate) fn again(status: StatusCode, what: &str, how: &str) -> Response {
    pages::console(
        "console_sign.html",
        status,
        &serde_json::json!({ "view": "fault", "what": what, "how": how }),
    )
}
