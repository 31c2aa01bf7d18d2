//! `POST /v1/messages`: a practice's own system asks for a text to a patient; it leaves when consent,
//! hours and the guardrail allow, once for each `Idempotency-Key`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::domain::ids::{AppointmentId, PatientId, PracticeId};
use crate::domain::phone::E164;
use crate::domain::waiting::{Errand, Refusal};
use crate::web::guard;
use crate::web::port::{Asked, Request};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Largest body: the longest text with its addresses, each character escaped.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024;

/// Longest text: what the carriers take in one message (Twilio refuses more with 21617).
const TEXT_CHARS_MAX: usize = 1_600;

/// Longest `Idempotency-Key`; a UUID has 36 characters.
const KEY_CHARS_MAX: usize = 255;

/// The request's own id (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is one that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How soon a record that does not answer may be asked again, in seconds.
const RECORD_REST: HeaderValue = HeaderValue::from_static("60");

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageIn {
    practice: PracticeId,
    patient: PatientId,
    #[serde(default)]
    to: Option<E164>,
    #[serde(default)]
    appointment: Option<AppointmentId>,
    #[serde(default)]
    text: Option<String>,
}

/// Takes one request.
pub(crate) async fn ask(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let wanted: MessageIn = guard::object(&headers, body, BODY_BYTES_MAX)?;
    let key = key_of(&headers)?;
    let request = Request {
        key: key.to_owned(),
        practice: wanted.practice,
        number: wanted.to,
        errand: errand(wanted.patient, wanted.appointment, wanted.text)?,
    };
    let asked = door.house.ask(request).await;
    match asked.map_err(|_unavailable| Problem::unavailable())? {
        Asked::Taken { id, before } => Ok(accepted(id, before)),
        Asked::Refused(refusal) => {
            Err(Problem::because(status(refusal), refusal.detail()).with_reason(refusal.as_str()))
        }
        Asked::Clash => Err(Problem::because(
            StatusCode::UNPROCESSABLE_ENTITY,
            "another request was taken under this Idempotency-Key; send each with a key of its own",
        )
        .with_reason("idempotency_key_reused")),
        Asked::NoRecord => {
            let problem = Problem::because(
                StatusCode::SERVICE_UNAVAILABLE,
                "the patient record does not answer; send the same request again",
            );
            Ok((
                [(RETRY_AFTER, RECORD_REST)],
                problem.with_reason("no_record"),
            )
                .into_response())
        }
    }
}

fn accepted(id: i64, before: bool) -> Response {
    let body = Json(json!({ "id": id.to_string(), "status": "accepted" }));
    let mut response = (StatusCode::ACCEPTED, body).into_response();
    if before {
        let yes = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, yes);
    }
    response
}

const fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::UnknownPractice | Refusal::UnknownPatient | Refusal::UnknownAppointment => {
            StatusCode::NOT_FOUND
        }
        Refusal::NumberNotOnFile
        | Refusal::NoNumber
        | Refusal::SeveralNumbers
        | Refusal::Question => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::OptedOut | Refusal::Declined | Refusal::NumberInDoubt | Refusal::NoSender => {
            StatusCode::CONFLICT
        }
    }
}

/// The key, with or without the quotes that the draft of the standard asks for.
fn key_of(headers: &HeaderMap) -> Result<&str, Problem> {
    let bad = |detail| {
        Problem::because(StatusCode::BAD_REQUEST, detail).with_reason("idempotency_key_missing")
    };
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(key), None) = (given.next(), given.next()) else {
        return Err(bad(
            "send one Idempotency-Key header, a new one (such as a UUID) for each text",
        ));
    };
    let key = key.to_str().unwrap_or_default();
    let bare = key
        .strip_prefix('"')
        .and_then(|key| key.strip_suffix('"'))
        .unwrap_or(key);
    if bare.is_empty() || bare.len() > KEY_CHARS_MAX || !bare.is_ascii() {
        return Err(bad("an Idempotency-Key has 1 to 255 ASCII characters"));
    }
    Ok(bare)
}

fn errand(
    patient: PatientId,
    appointment: Option<AppointmentId>,
    text: Option<String>,
) -> Result<Errand, Problem> {
    let bad = |detail: String| Problem::because(StatusCode::UNPROCESSABLE_ENTITY, detail);
    match (appointment, text) {
        (Some(appointment), None) => Ok(Errand::Visit {
            patient,
            appointment,
            start: None,
            before_h: None,
        }),
        (None, Some(text)) if text.trim().is_empty() => Err(bad("`text` is empty".to_owned())),
        (None, Some(text)) if text.chars().count() > TEXT_CHARS_MAX => Err(bad(format!(
            "`text` has more than {TEXT_CHARS_MAX} characters"
        ))),
        (None, Some(text)) => Ok(Errand::Words { patient, text }),
        (None, None) => Err(bad(
            "one of `appointment` (a reminder of it) and `text` is missing".to_owned(),
        )),
        (Some(_), Some(_)) => Err(bad(
            "send `appointment` (a reminder of it) or `text`, not both".to_owned(),
        )),
    }
}
