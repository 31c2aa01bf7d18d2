//! What lies around every answer: a request id, security headers, and one log line without PHI.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{HeaderValue, STRICT_TRANSPORT_SECURITY, X_FRAME_OPTIONS};
use axum::middleware::Next;
use axum::response::Response;

/// Headers that every answer carries unless it brings its own.
const HEADERS: &[(&str, &str)] = &[
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
    ("x-robots-tag", "noindex, nofollow, noarchive"),
];

/// Two years, as browsers' preload lists ask for (RFC 6797).
const HSTS: &str = "max-age=63072000";

/// Marks an answer whose own policy says which sites may frame it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framed;

const REQUEST_ID: &str = "x-request-id";

/// Wraps one request. The id is always our own: a caller's could carry a phone number into the log.
/// The log line has the route's template, never the address, which may hold a token or a number.
pub(crate) async fn around(State(secure): State<bool>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = request_id();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    dress(response.headers_mut(), secure);
    if response.extensions().get::<Framed>().is_some() {
        // It knows no list of sites; `frame-ancestors` does.
        response.headers_mut().remove(X_FRAME_OPTIONS);
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    metrics::counter!(
        "anteroom_http_requests_total",
        "route" => route.clone(), "status" => status.to_string()
    )
    .increment(1);
    tracing::info!(http.method = %method, http.route = route, http.status = status, micros, request.id = id, "answered");
    response
}

fn dress(headers: &mut HeaderMap, secure: bool) {
    for (name, value) in HEADERS {
        headers
            .entry(*name)
            .or_insert(HeaderValue::from_static(value));
    }
    if secure {
        headers
            .entry(STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static(HSTS));
    }
}

fn request_id() -> String {
    let mut bytes = [0_u8; 8];
    // Without randomness the id is all zeros; the request is answered all the same.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = [0; 8];
    }
    hex::encode(bytes)
}
