//! Webhooks as every carrier has them: a call comes in, events or a refusal come out.

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;

use crate::domain::message::{Delivery, Inbound};

/// Which of its two addresses a carrier posted to. Some carriers use one for both kinds of event,
/// so it is a hint and no promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `/webhooks/{carrier}/{practice}`.
    Texts,
    /// `/webhooks/{carrier}/{practice}/status`.
    Reports,
}

/// A webhook as it arrived.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// Where.
    pub door: Door,
    /// How.
    pub method: &'a Method,
    /// The public address with its query, byte for byte: what carriers sign.
    pub url: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
    /// The present.
    pub now: Timestamp,
}

// Body and address hold what the patient wrote.
impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("door", &self.door)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    /// A header, where it is text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type, lower case and without parameters.
    pub fn content_type(&self) -> Option<String> {
        let given = self.header(http::header::CONTENT_TYPE.as_str())?;
        Some(given.split(';').next()?.trim().to_ascii_lowercase())
    }

    /// The query of the address; empty where there is none.
    pub fn query(&self) -> &'a str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }
}

/// When a text was written of which the carrier's list tells an instant. A clock that runs ahead of
/// ours tells nothing.
pub fn written(told: Option<Timestamp>, now: Timestamp) -> Timestamp {
    told.map_or(now, |told| told.min(now))
}

/// Something that a carrier said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text from a patient.
    Text(Inbound),
    /// A report on a text to a patient.
    Report(Report),
    /// Authentic, of a kind that changes nothing here, such as a typing indicator.
    Nothing,
    /// Authentic, and not readable: which field, and what it should be. Never its value.
    Odd(HookError),
}

/// A report on a text to a patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The carrier's id of the text.
    pub carrier_id: String,
    /// What became of it.
    pub delivery: Delivery,
    /// The carrier's error code, where it failed.
    pub code: Option<String>,
    /// Our own reference, where the carrier repeats it: it tells which text this is even when the
    /// answer to the hand-over was lost.
    pub reference: Option<String>,
}

/// Why a webhook cannot be read: which field, and what it should be. Never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The body is not of the form that the carrier documents.
    #[error("the body is not {0}")]
    Unreadable(&'static str),
    /// A field is not there.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field is there and wrong.
    #[error("the field `{field}` is not {expected}")]
    Malformed {
        /// Which field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

/// A webhook that is not believed, or not understood. Nothing of it is kept but a counter and a
/// line in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the sender is answered.
    pub status: StatusCode,
    /// One word for the counter.
    pub reason: &'static str,
    /// What is wrong and how to mend it; written by us.
    pub detail: String,
    /// Whether the sender is asked for Basic credentials.
    pub challenge: bool,
}

impl Refusal {
    fn new(status: StatusCode, reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            detail: detail.into(),
            challenge: false,
        }
    }

    /// Such an address does not exist.
    pub fn not_found(reason: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason, "")
    }

    /// Not believed.
    pub fn forbidden(reason: &'static str, detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, reason, detail)
    }

    /// Credentials are missing or wrong.
    pub fn unauthorized(reason: &'static str) -> Self {
        Self {
            challenge: true,
            ..Self::new(
                StatusCode::UNAUTHORIZED,
                reason,
                "send the Basic credentials that are set for this practice",
            )
        }
    }

    /// Not a method of this address.
    pub fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", "")
    }

    /// Not a media type that the carrier documents.
    pub fn content_type(expected: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_type",
            format!("send {expected}"),
        )
    }

    /// Authentic, and not readable at all.
    pub fn unreadable(error: HookError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unreadable", error.to_string())
    }
}

impl From<HookError> for Refusal {
    fn from(error: HookError) -> Self {
        Self::unreadable(error)
    }
}

/// How a webhook ended here, for the words of the answer. Of several events the highest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// Nothing of it concerns us.
    Nothing,
    /// A report on a text that is not known (yet), and nothing else.
    UnknownReport,
    /// A report was committed.
    Report,
    /// A text was committed, now or before.
    Text,
}

/// What a carrier is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The media type and the body, where there is one.
    pub body: Option<(&'static str, &'static str)>,
}

impl Answer {
    /// 204: taken, whatever it was. A report on an unknown text is kept for the answer to the
    /// hand-over that it may have overtaken, so nobody has to repeat it.
    pub const fn plain(_heard: Heard) -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
        }
    }
}
