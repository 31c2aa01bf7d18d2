//! `POST /v1/guard/check`: one draft in its setting, answered as `check` does.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::guardrail::review::Guardrail;
use crate::guardrail::wire::{CheckIn, CheckOut, check_line};
use crate::web::json;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Largest body: the longest draft that a review reads, with its facts, is a quarter of it.
pub(crate) const CHECK_BYTES_MAX: usize = 64 * 1024;

/// Longest key that is named in an error; a longer one is no typing mistake.
const KEY_CHARS_MAX: usize = 64;

/// Where and what, as serde tells it with the path to the place.
type Fault = serde_path_to_error::Error<serde_json::Error>;

/// Reviews one draft.
pub(crate) async fn check(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CheckOut>, Problem> {
    let line = object(&headers, body, CHECK_BYTES_MAX)?;
    Ok(Json(timed(&door.house.guardrail(), &line)))
}

/// One JSON object of a documented form.
pub(crate) fn object<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    bytes_max: usize,
) -> Result<T, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::because(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {} KiB", bytes_max / 1024),
        ),
        _ => Problem::because(StatusCode::BAD_REQUEST, "the body broke off"),
    })?;
    if !json::is_json(headers) {
        return Err(Problem::because(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json",
        ));
    }
    read(&body)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mended = json::without_lone_surrogates(body);
    let mut text = serde_json::Deserializer::from_slice(&mended);
    let line = serde_path_to_error::deserialize(&mut text).map_err(|fault: Fault| {
        let status = match fault.inner().classify() {
            Category::Data => StatusCode::UNPROCESSABLE_ENTITY,
            Category::Io | Category::Syntax | Category::Eof => StatusCode::BAD_REQUEST,
        };
        Problem::because(status, told(&fault))
    })?;
    text.end().map_err(|_more| {
        Problem::because(
            StatusCode::BAD_REQUEST,
            "more than one JSON object; send one",
        )
    })?;
    Ok(line)
}

/// Reviews one draft and says how long it took.
pub(crate) fn timed(guardrail: &Guardrail, line: &CheckIn) -> CheckOut {
    let began = Instant::now();
    let mut out = check_line(guardrail, line);
    out.micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    metrics::counter!("anteroom_guard_reviews_total", "verdict" => out.verdict.as_str())
        .increment(1);
    out
}

/// What is wrong with which key, and what may stand there. Of serde's words only those that it
/// takes from our types are repeated: the rest may quote the value, and that may be PHI.
pub(crate) fn told(fault: &Fault) -> String {
    let error = fault.inner();
    let (line, column) = (error.line(), error.column());
    if !error.is_data() {
        return format!("the body is not JSON (line {line}, column {column})");
    }
    let text = error.to_string();
    let path = fault.path().to_string();
    let path = path.trim_end_matches('?').trim_end_matches('.');
    let quoted = text.split('`').nth(1).unwrap_or_default();
    let within = if path.is_empty() || path == quoted {
        String::new()
    } else if let Some(parent) = path.strip_suffix(&format!(".{quoted}")) {
        format!(" in `{}`", shown(parent))
    } else {
        format!(" in `{}`", shown(path))
    };
    if text.starts_with("unknown field") {
        return format!("unknown key `{}`{within}{}", shown(quoted), expected(&text));
    }
    if text.starts_with("missing field") {
        return format!("the key `{}`{within} is missing", shown(quoted));
    }
    if text.starts_with("duplicate field") {
        return format!("the key `{}`{within} stands there twice", shown(quoted));
    }
    let ours = text.starts_with("unknown variant") || text.starts_with("invalid type");
    let wanted = if ours { expected(&text) } else { String::new() };
    match path {
        "" => format!("the body is not a JSON object of the documented form{wanted}"),
        path => format!("`{}` has a value that cannot be read{wanted}", shown(path)),
    }
}

/// The end of serde's sentence, which lists what a type takes and nothing of what was given.
fn expected(text: &str) -> String {
    let end = text.rsplit_once(", expected ").map(|(_, end)| end);
    let end = end.map(|end| end.split(" at line ").next().unwrap_or(end));
    end.map_or_else(String::new, |end| format!("; expected {end}"))
}

/// A key as it was sent, unless it is no word: then it may be a value in the wrong place.
fn shown(key: &str) -> &str {
    let word = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    if key.len() <= KEY_CHARS_MAX && key.chars().all(word) {
        key
    } else {
        "(not a word)"
    }
}
