//! `POST /v1/guard/check`: one draft in its setting, answered as `check` does.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::domain::fault::{Fault, told};
use crate::guardrail::review::Guardrail;
use crate::guardrail::wire::{CheckIn, CheckOut, check_line};
use crate::web::json;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Largest body: the longest draft that a review reads, with its facts, is a quarter of it.
pub(crate) const CHECK_BYTES_MAX: usize = 64 * 1024;

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
        Problem::because(status, told(&fault, "the body"))
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
