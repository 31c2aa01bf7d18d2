//! Who may use the guard's addresses: bearers of a key, or this machine while nothing real is carried.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HeaderValue, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::web::chat::{self, ChatError};
use crate::web::port::Upstream;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Headers by which a proxy says that the caller is somebody else.
const FORWARDED: &[&str] = &["forwarded", "x-forwarded-for", "x-real-ip"];

/// Who is at the other end of the connection; the listener puts it on each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// How the guard's addresses work.
#[derive(Clone, Debug, Default)]
pub struct GuardSettings {
    /// Keys that open them, as `Authorization: Bearer KEY`.
    pub api_keys: Vec<SecretString>,
    /// Whether callers on this machine need no key while none is set; right only where no real
    /// carrier is configured. Otherwise no keys means that the addresses are off.
    pub open_here: bool,
    /// The setting of a chat that names none, as keys of `check`'s `context`.
    pub context: Map<String, Value>,
    /// The model server behind the chat completions.
    pub upstream: Option<Arc<dyn Upstream>>,
}

/// Why a caller is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No key is set, and none is needed only where nothing is real.
    Off,
    /// No key is set, and the caller is not on this machine.
    Elsewhere,
    /// No key, or a wrong one.
    Key,
}

impl Refusal {
    const fn status(self) -> StatusCode {
        match self {
            Self::Off => StatusCode::NOT_FOUND,
            Self::Elsewhere | Self::Key => StatusCode::UNAUTHORIZED,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Off => "off until [guard] api_keys is set",
            Self::Elsewhere => {
                "without [guard] api_keys only programs on this machine may ask, and no web page"
            }
            Self::Key => "send `Authorization: Bearer KEY` with one of [guard] api_keys",
        }
    }
}

/// Stands before the guard's addresses; a stranger's body is not even read.
pub(crate) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let Err(refusal) = admit(&door.settings.guard, request.headers(), peer) else {
        return next.run(request).await;
    };
    let (status, detail) = (refusal.status(), refusal.detail());
    let mut response = if request.uri().path() == chat::ADDRESS {
        ChatError::new(status, detail).into_response()
    } else {
        Problem::because(status, detail).into_response()
    };
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
    }
    response
}

fn admit(settings: &GuardSettings, headers: &HeaderMap, peer: Option<Peer>) -> Result<(), Refusal> {
    if settings.api_keys.is_empty() {
        return match (settings.open_here, is_here(headers, peer)) {
            (false, _) => Err(Refusal::Off),
            (true, false) => Err(Refusal::Elsewhere),
            (true, true) => Ok(()),
        };
    }
    let given = bearer(headers).ok_or(Refusal::Key)?;
    // Digests, so that neither length nor content of a key shows in the time that this takes; every
    // key is looked at for the same reason.
    let given = Sha256::digest(given);
    let known = settings
        .api_keys
        .iter()
        .map(|key| Sha256::digest(key.expose_secret()).ct_eq(&given))
        .fold(subtle::Choice::from(0), |any, same| any | same);
    if bool::from(known) {
        Ok(())
    } else {
        Err(Refusal::Key)
    }
}

/// A program on this machine: no proxy speaks for somebody else, and no browser for a page, which
/// may be any site's (browsers send `Origin` with each POST).
fn is_here(headers: &HeaderMap, peer: Option<Peer>) -> bool {
    peer.is_some_and(|Peer(address)| address.to_canonical().is_loopback())
        && !headers.contains_key(ORIGIN)
        && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750, section 2.1); the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
