//! JSON as strangers send it: what says that it is JSON, and what of it can be mended.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

pub use crate::domain::json::without_lone_surrogates;

/// Whether a request says that it carries JSON. Also what keeps other sites' pages out: a browser
/// does not let them send this type unasked.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}
