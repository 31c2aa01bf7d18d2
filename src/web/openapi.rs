//! `GET /openapi.json`: the addresses for programs, described. A test holds the description
//! against the router, so that no address is missing and none is invented.

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};

/// The description, as it is served and as `anteroom openapi` prints it.
pub const DESCRIPTION: &str = include_str!("openapi.json");

/// The description.
pub(crate) async fn page() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(CONTENT_TYPE, kind)], DESCRIPTION).into_response()
}
