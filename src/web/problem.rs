//! Errors as problem details (RFC 9457): what is wrong, where, how to mend it, and no PHI.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error answer. The detail is written by us, never copied from what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    detail: Option<String>,
    reason: Option<&'static str>,
}

impl Problem {
    /// A problem that is told by its status alone.
    pub const fn new(status: StatusCode) -> Self {
        Self {
            status,
            detail: None,
            reason: None,
        }
    }

    /// A problem with what to do about it.
    pub fn because(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: Some(detail.into()),
            reason: None,
        }
    }

    /// The same, with a word for programs to tell it by (an extension member, RFC 9457, section 3.2).
    #[must_use]
    pub const fn with_reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The answer to every address that is not there, whatever the reason.
    pub const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND)
    }

    /// The house does not answer; the sender should repeat.
    pub fn unavailable() -> Self {
        Self::because(
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not answer; try again",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
        });
        if let Some(fields) = body.as_object_mut() {
            let detail = self.detail.map(|it| ("detail".to_owned(), it.into()));
            let reason = self.reason.map(|it| ("reason".to_owned(), it.into()));
            fields.extend(detail.into_iter().chain(reason));
        }
        let kind = HeaderValue::from_static("application/problem+json");
        (self.status, [(CONTENT_TYPE, kind)], body.to_string()).into_response()
    }
}
