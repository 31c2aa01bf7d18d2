//! Twilio's webhooks: authenticated first, read second, answered after the commit.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

use crate::carrier::hook;
use crate::carrier::hook::{Fields, HookError};
use crate::carrier::signature;
use crate::domain::practice::{CarrierKind, Practice};
use crate::policy::words::Channel;
use crate::web::json;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Silence: the answer goes out over the REST API, through the guardrail.
const NO_REPLY: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#;

const SIGNATURE: &str = "x-twilio-signature";

/// A text from a patient.
pub(crate) async fn inbound(
    State(door): State<Door>,
    practice: Result<Path<String>, PathRejection>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (practice, fields) = authenticate(&door, practice, &uri, &headers, body)?;
    let inbound = hook::inbound(&fields, door.settings.clock.now()).map_err(unreadable)?;
    let carried = practice.sender(&inbound.to).is_some_and(|sender| {
        sender.carrier == CarrierKind::Twilio && same_kind(sender.channel, inbound.channel)
    });
    if !carried {
        return Err(refuse("not_our_number", Problem::not_found()));
    }
    door.house
        .receive(practice, inbound)
        .await
        .map_err(|_unavailable| Problem::unavailable())?;
    let kind = HeaderValue::from_static("text/xml");
    Ok(([(CONTENT_TYPE, kind)], NO_REPLY).into_response())
}

/// A report on a text to a patient.
pub(crate) async fn status(
    State(door): State<Door>,
    practice: Result<Path<String>, PathRejection>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (practice, fields) = authenticate(&door, practice, &uri, &headers, body)?;
    let report = hook::report(&fields).map_err(unreadable)?;
    let known = door
        .house
        .delivery(
            &practice.id,
            CarrierKind::Twilio,
            &report.carrier_id,
            report.delivery,
            report.code.as_deref(),
        )
        .await
        .map_err(|_unavailable| Problem::unavailable())?;
    if known {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        // Twilio is asked to repeat reports that meet a 4xx: this one may have overtaken the
        // commit of the send it is about.
        Err(refuse("unknown_message", Problem::not_found()))
    }
}

/// A plain number carries pictures as well; WhatsApp is a sender of its own.
fn same_kind(sender: Channel, inbound: Channel) -> bool {
    (sender == Channel::Whatsapp) == (inbound == Channel::Whatsapp)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
}

/// Everything that comes before a webhook is believed. A refusal stores nothing but a counter.
fn authenticate(
    door: &Door,
    practice: Result<Path<String>, PathRejection>,
    uri: &Uri,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Arc<Practice>, Fields), Problem> {
    let known = practice.ok().and_then(|Path(id)| {
        let practice = door.house.practice(&id)?;
        let account = door.settings.twilio.get(&practice.id)?;
        Some((practice, account))
    });
    let (practice, account) =
        known.ok_or_else(|| refuse("unknown_practice", Problem::not_found()))?;
    let body = body.map_err(|rejection| too_large(&rejection))?;
    let url = signed_url(door, uri);
    let kind = kind(headers, &url)?;
    let given = headers
        .get(SIGNATURE)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| forbidden("no_signature"))?;
    let tokens = account.auth_tokens.as_slice();
    let signed = match kind {
        Kind::Form => signature::form_is_signed(tokens, &url, &body, given),
        Kind::Json => signature::json_is_signed(tokens, &url, &body, given),
    };
    if !signed {
        return Err(forbidden("wrong_signature"));
    }
    let fields = match kind {
        Kind::Form => Fields::from_form(&body),
        Kind::Json => serde_json::from_slice(&json::without_lone_surrogates(&body))
            .map_err(|_not_json| HookError::Unreadable)
            .and_then(|object| Fields::from_json(&object))
            .map_err(unreadable)?,
    };
    let expected = account.account_sid.as_deref();
    if expected.is_some_and(|expected| fields.get("AccountSid") != Some(expected)) {
        return Err(forbidden("wrong_account"));
    }
    Ok((practice, fields))
}

/// The public address that Twilio was given, never the `Host` that this request claims.
fn signed_url(door: &Door, uri: &Uri) -> String {
    let base = door.settings.public_url.as_str().trim_end_matches('/');
    let path = uri
        .path_and_query()
        .map_or("", |path_and_query| path_and_query.as_str());
    format!("{base}{path}")
}

fn kind(headers: &HeaderMap, url: &str) -> Result<Kind, Problem> {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase());
    match given.as_deref() {
        Some("application/x-www-form-urlencoded") => Ok(Kind::Form),
        Some("application/json") if signature::body_digest(url).is_some() => Ok(Kind::Json),
        _ => Err(refuse(
            "content_type",
            Problem::because(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send application/x-www-form-urlencoded, or application/json with bodySHA256 in the address",
            ),
        )),
    }
}

fn too_large(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        refuse(
            "too_large",
            Problem::because(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is larger than 64 KiB",
            ),
        )
    } else {
        refuse(
            "broken_body",
            Problem::because(StatusCode::BAD_REQUEST, "the body broke off"),
        )
    }
}

fn unreadable(error: HookError) -> Problem {
    refuse(
        "unreadable",
        Problem::because(StatusCode::BAD_REQUEST, error.to_string()),
    )
}

fn forbidden(reason: &'static str) -> Problem {
    refuse(
        reason,
        Problem::because(
            StatusCode::FORBIDDEN,
            "the signature does not fit: check the auth token and the public address",
        ),
    )
}

fn refuse(reason: &'static str, problem: Problem) -> Problem {
    metrics::counter!("anteroom_webhook_rejected_total", "reason" => reason).increment(1);
    problem
}
