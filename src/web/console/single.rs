//! Single sign-on: to the practice's provider and back. What binds the way back to the browser that
//! went is one secret in a cookie of ten minutes.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use axum::response::Response;
use serde_json::json;

use crate::domain::ids::PracticeId;
use crate::pipeline::accounts::AccountError;
use crate::pipeline::single::Vouched;
use crate::sso::{Returned, SsoError};
use crate::web::console::seat::{again, desk, to, to_with};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The cookie of one attempt. `Lax`, for the way back begins at another site.
const COOKIE_NAME: &str = "anteroom_sso";
/// Longest attempt, in seconds: a password, a second factor and a consent at the provider.
const ATTEMPT_S: u32 = 600;

fn query(raw: Option<&str>, name: &str) -> String {
    let pairs = form_urlencoded::parse(raw.unwrap_or_default().as_bytes());
    let mut named = pairs.filter(|(key, _)| key == name);
    named
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Goes to the provider.
pub(crate) async fn begin(
    State(door): State<Door>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    let practice = PracticeId::new(query(raw.as_deref(), "practice"));
    let provider = door.settings.console.sso.get(&practice);
    let provider = provider.ok_or_else(Problem::not_found)?;
    let desk = desk(&door)?;
    let secret = desk
        .token()
        .map_err(|_no_randomness| Problem::unavailable())?;
    match provider.begin(&secret.secret, desk.clock().now()).await {
        Ok(url) => Ok(with_attempt(
            &door,
            to(&url),
            &format!("{}.{practice}", secret.secret),
        )),
        Err(error) => Ok(refused(error)),
    }
}

/// Comes back from it.
pub(crate) async fn back(
    State(door): State<Door>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let attempt = attempt(&headers).unwrap_or_default();
    let (secret, practice) = attempt.split_once('.').unwrap_or_default();
    let practice = PracticeId::new(practice);
    let Some(provider) = door.settings.console.sso.get(&practice) else {
        return Ok(refused(SsoError::Stranger));
    };
    let desk = desk(&door)?;
    let raw = raw.as_deref();
    let returned = Returned {
        code: query(raw, "code"),
        state: query(raw, "state"),
        issuer: query(raw, "iss"),
        error: query(raw, "error"),
    };
    let identity = match provider.finish(secret, &returned, desk.clock().now()).await {
        Ok(identity) => identity,
        Err(error) => return Ok(with_attempt(&door, refused(error), "")),
    };
    let vouched = desk
        .vouched(&practice, provider.settings(), &identity)
        .await;
    let response = match vouched {
        Ok(Vouched::In(token)) => {
            // A page of ours, not a redirect: what begins at another site carries no strict cookie.
            let entered = pages::console(
                "console_sign.html",
                StatusCode::OK,
                &json!({ "view": "entered" }),
            );
            let mut whole = to_with(&door, "/console/second", Some(&token.secret));
            let kept = whole.headers_mut().remove(SET_COOKIE);
            let mut entered = entered;
            if let Some(kept) = kept {
                entered.headers_mut().append(SET_COOKIE, kept);
            }
            entered
        }
        Ok(Vouched::Uninvited) => again(
            StatusCode::FORBIDDEN,
            "You have no account here yet",
            "Your sign-in worked, but nobody has invited this address. Ask an owner of the practice for an invitation.",
        ),
        Ok(Vouched::Off) => again(
            StatusCode::FORBIDDEN,
            "Your account is switched off",
            "An owner of the practice can switch it on again under Team.",
        ),
        Ok(Vouched::Another) => again(
            StatusCode::FORBIDDEN,
            "This address belongs to somebody else here",
            "The account with this address is linked to another person at the sign-in provider. An owner of the practice can make a new one.",
        ),
        Err(AccountError::Store(error)) => {
            tracing::error!(%error, "the store did not answer");
            return Err(Problem::unavailable());
        }
        Err(_other) => return Err(Problem::unavailable()),
    };
    Ok(with_attempt(&door, response, ""))
}

fn refused(error: SsoError) -> Response {
    metrics::counter!("anteroom_sso_refused_total", "reason" => reason(error)).increment(1);
    let status = match error {
        SsoError::Down => StatusCode::BAD_GATEWAY,
        SsoError::Stranger
        | SsoError::Refused
        | SsoError::Unbelieved
        | SsoError::NoAddress
        | SsoError::NoRole => StatusCode::FORBIDDEN,
    };
    let mut words = error.to_string();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    again(status, "You are not signed in", &format!("{words}."))
}

const fn reason(error: SsoError) -> &'static str {
    match error {
        SsoError::Down => "down",
        SsoError::Stranger => "stranger",
        SsoError::Refused => "refused",
        SsoError::Unbelieved => "unbelieved",
        SsoError::NoAddress => "no_address",
        SsoError::NoRole => "no_role",
    }
}

/// An answer that keeps an attempt in the browser, or takes it away.
fn with_attempt(door: &Door, mut response: Response, attempt: &str) -> Response {
    let secure = if door.settings.public_url.scheme() == "https" {
        "; Secure"
    } else {
        ""
    };
    let age = if attempt.is_empty() { 0 } else { ATTEMPT_S };
    let cookie = format!(
        "{COOKIE_NAME}={attempt}; Path=/console/sso; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn attempt(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(COOKIE).iter();
    let pairs = values
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = named.find(|(name, _)| *name == COOKIE_NAME)?;
    Some(value.to_owned())
}
