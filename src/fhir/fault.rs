//! Why a FHIR server did not do it, in words for staff; the patient hears only that it failed.

use serde_json::Value;

use crate::agent::ports::RecordsError;
use crate::domain::phi::Phi;
use crate::fhir::resource::BundleError;

/// The most of a server's own words that staff are shown: an outcome, not a stack trace.
const WORDS_MAX: usize = 400;

/// Why an exchange with a FHIR server failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// 404 or 410.
    #[error("there is no such resource on the server")]
    Gone,
    /// 409 or 412: somebody else changed it meanwhile.
    #[error("the resource was changed meanwhile")]
    Changed,
    /// No connection, or it broke.
    #[error("the server cannot be reached; check base_url and the network")]
    Down,
    /// No answer in time.
    #[error("the server did not answer in time; raise timeout_s or ask its operator")]
    Slow,
    /// 429 or 503 for longer than a patient waits.
    #[error("the server asks to wait; it is asked again when its Retry-After is over")]
    Busy,
    /// 401 or 403, or no token.
    #[error("the server does not let us in: {0}")]
    NotLetIn(&'static str),
    /// An `OperationOutcome`, or another refusal. The words may name a patient.
    #[error("the server refused the request with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What its `OperationOutcome` says.
        words: Phi<String>,
    },
    /// Not JSON, not the resource that was asked for, or a field that cannot be used.
    #[error("the server's answer cannot be used: {0}")]
    Unreadable(String),
}

impl Fault {
    /// What staff are told, the server's own words included.
    pub fn told(&self) -> Phi<String> {
        if let Self::Refused { words, .. } = self
            && !words.as_str().is_empty()
        {
            return Phi::new(format!("FHIR: {self}: {}", words.as_str()));
        }
        Phi::new(format!("FHIR: {self}"))
    }

    /// Whether the server may have done it all the same.
    pub(super) const fn in_doubt(&self) -> bool {
        matches!(self, Self::Down | Self::Slow | Self::Unreadable(_))
    }
}

impl From<BundleError> for Fault {
    fn from(error: BundleError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<Fault> for RecordsError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Gone => Self::NotFound,
            Fault::Changed => Self::Conflict,
            other @ (Fault::Down
            | Fault::Slow
            | Fault::Busy
            | Fault::NotLetIn(_)
            | Fault::Refused { .. }
            | Fault::Unreadable(_)) => {
                // The words of the server stay out of the log: they may name a patient.
                tracing::warn!(cause = %other, "the FHIR server failed");
                Self::Failed(other.told())
            }
        }
    }
}

/// What an `OperationOutcome` says, its issues joined; none for another resource. Only issues that
/// are errors count where `errors_only`.
pub(super) fn outcome(body: &Value, errors_only: bool) -> Option<Phi<String>> {
    if body.get("resourceType")?.as_str()? != "OperationOutcome" {
        return None;
    }
    let text = |issue: &Value, pointer: &str| {
        let text = issue.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned)
    };
    let issues = body.get("issue").and_then(Value::as_array);
    let said: Vec<String> = issues
        .into_iter()
        .flatten()
        .filter(|issue| {
            let severity = issue.get("severity").and_then(Value::as_str);
            !errors_only || matches!(severity, Some("error" | "fatal"))
        })
        .filter_map(|issue| {
            text(issue, "/details/text")
                .or_else(|| text(issue, "/diagnostics"))
                .or_else(|| text(issue, "/details/coding/0/display"))
                .or_else(|| text(issue, "/code"))
        })
        .collect();
    if errors_only && said.is_empty() {
        return None;
    }
    let words: String = said.join("; ").chars().take(WORDS_MAX).collect();
    Some(Phi::new(words))
}
