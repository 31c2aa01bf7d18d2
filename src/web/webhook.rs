//! Carriers' webhooks, whichever carrier: authenticated first, read second, answered after the
//! commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::carrier::Carrier;
use crate::carrier::fake::Post;
use crate::carrier::hear::{Answer, Call, Door as Entrance, Event, Heard, Refusal};
use crate::domain::message::Inbound;
use crate::domain::practice::{CarrierKind, Practice};
use crate::policy::words::Channel;
use crate::web::fake::path_of;
use crate::web::port::Unavailable;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// A text from a patient, or whatever else a carrier posts to the same address.
pub(crate) async fn texts(
    State(door): State<Door>,
    path: Result<Path<(String, String)>, PathRejection>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let line = Line::find(&door, path);
    answered(&door, line, Entrance::Texts, (method, uri, headers, body)).await
}

/// A report on a text to a patient.
pub(crate) async fn reports(
    State(door): State<Door>,
    path: Result<Path<(String, String)>, PathRejection>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let line = Line::find(&door, path);
    answered(&door, line, Entrance::Reports, (method, uri, headers, body)).await
}

/// A practice and its line to the carrier that posts.
struct Line {
    practice: Arc<Practice>,
    kind: CarrierKind,
    carrier: Arc<dyn Carrier>,
}

impl Line {
    fn find(door: &Door, path: Result<Path<(String, String)>, PathRejection>) -> Option<Self> {
        let Path((carrier, practice)) = path.ok()?;
        let kind: CarrierKind = carrier.parse().ok()?;
        let practice = door.house.practice(&practice)?;
        let key = (practice.id.clone(), kind);
        let carrier = Arc::clone(door.settings.carriers.get(&key)?);
        Some(Self {
            practice,
            kind,
            carrier,
        })
    }
}

/// Takes a webhook that the fake carrier of this process posts with a text from its phone, as if it
/// had come over the wire: the answer, as the carrier would see it.
pub(crate) async fn from_the_phone(door: &Door, practice: &Practice, post: &Post) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in &post.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(*name, value);
        }
    }
    let path = path_of(post, &door.settings.public_url).and_then(|path| path.parse::<Uri>().ok());
    let Some(uri) = path else {
        return refused(&Refusal::not_found("unknown_practice"));
    };
    let named = (CarrierKind::Simulator.to_string(), practice.id.to_string());
    let line = Line::find(door, Ok(Path(named)));
    let body = Body::from(post.body.clone());
    let request = (post.method.clone(), uri, headers, body);
    answered(door, line, Entrance::Texts, request).await
}

type Request = (Method, Uri, HeaderMap, Body);

async fn answered(
    door: &Door,
    line: Option<Line>,
    entrance: Entrance,
    request: Request,
) -> Response {
    let Some(line) = line else {
        return refused(&Refusal::not_found("unknown_practice"));
    };
    let (id, kind) = (&line.practice.id, line.kind);
    let now = door.settings.clock.now();
    match heard(door, &line, entrance, request).await {
        Ok(answer) => {
            door.lights.saw((id, kind), None, now);
            answer
        }
        Err(refusal) => {
            door.lights.saw((id, kind), Some(refusal.reason), now);
            door.house.refused(id, kind, refusal.reason).await;
            refused(&refusal)
        }
    }
}

async fn heard(
    door: &Door,
    line: &Line,
    entrance: Entrance,
    (method, uri, headers, body): Request,
) -> Result<Response, Refusal> {
    let limit = line.carrier.capabilities().hook_bytes_max;
    let body = axum::body::to_bytes(body, limit).await;
    let body = body.map_err(|error| unread(&error, limit))?;
    let url = signed_url(door, &uri);
    let call = Call {
        door: entrance,
        method: &method,
        url: &url,
        headers: &headers,
        body: &body,
        now: door.settings.clock.now(),
    };
    let events = line.carrier.hear(&call)?;
    let (heard, odd) = match keep(door, line, events).await {
        Ok(kept) => kept,
        Err(Unavailable) => {
            line.carrier.unhear(&call);
            return Ok(Problem::unavailable().into_response());
        }
    };
    for reason in odd {
        count(reason);
        let (id, kind) = (&line.practice.id, line.kind);
        door.house.refused(id, kind, reason).await;
    }
    Ok(match heard {
        None => return Err(Refusal::not_found("not_our_number")),
        Some(heard) => told(line.carrier.answer(heard)),
    })
}

/// Commits what was heard: in order for each phone and each text, side by side otherwise. Gives how
/// it ended, none when all of it was for numbers that are not the practice's, and what was odd.
async fn keep(
    door: &Door,
    line: &Line,
    events: Vec<Event>,
) -> Result<(Option<Heard>, Vec<&'static str>), Unavailable> {
    let single = events.len() == 1;
    let mut lanes: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let mut heard = None;
    let mut odd = Vec::new();
    for event in events {
        let lane = match &event {
            Event::Text(inbound) if !carried(line, inbound) => {
                if !single {
                    odd.push("not_our_number");
                    heard = heard.max(Some(Heard::Nothing));
                }
                continue;
            }
            Event::Text(inbound) => inbound.from.as_str().to_owned(),
            Event::Report(report) => report.carrier_id.clone(),
            Event::Nothing => {
                heard = heard.max(Some(Heard::Nothing));
                continue;
            }
            Event::Odd(_) => {
                odd.push("unreadable");
                heard = heard.max(Some(Heard::Nothing));
                continue;
            }
        };
        lanes.entry(lane).or_default().push(event);
    }
    let mut running: FuturesUnordered<_> = lanes
        .into_values()
        .map(|events| in_order(door, line, events))
        .collect();
    while let Some(done) = running.next().await {
        for ended in done? {
            if ended == Heard::UnknownReport {
                odd.push("unknown_message");
            }
            heard = heard.max(Some(ended));
        }
    }
    Ok((heard, odd))
}

async fn in_order(door: &Door, line: &Line, events: Vec<Event>) -> Result<Vec<Heard>, Unavailable> {
    let mut ended = Vec::with_capacity(events.len());
    for event in events {
        ended.push(match event {
            Event::Text(inbound) => {
                let practice = Arc::clone(&line.practice);
                door.house.receive(practice, inbound).await?;
                Heard::Text
            }
            Event::Report(report) => {
                let id = &line.practice.id;
                let known = door.house.delivery(id, line.kind, &report).await?;
                if known {
                    Heard::Report
                } else {
                    Heard::UnknownReport
                }
            }
            Event::Nothing | Event::Odd(_) => Heard::Nothing,
        });
    }
    Ok(ended)
}

/// Whether the text is for a number that this carrier carries for the practice. A plain number
/// carries pictures as well; WhatsApp is a sender of its own.
fn carried(line: &Line, inbound: &Inbound) -> bool {
    let whatsapp = |channel| channel == Channel::Whatsapp;
    line.practice.senders.iter().any(|sender| {
        sender.number == inbound.to
            && sender.carrier == line.kind
            && whatsapp(sender.channel) == whatsapp(inbound.channel)
    })
}

/// The public address that the carrier was given, never the `Host` that this request claims.
fn signed_url(door: &Door, uri: &Uri) -> String {
    let base = door.settings.public_url.as_str().trim_end_matches('/');
    let path = uri
        .path_and_query()
        .map_or("", |path_and_query| path_and_query.as_str());
    format!("{base}{path}")
}

fn unread(error: &axum::Error, limit: usize) -> Refusal {
    let too_large = std::error::Error::source(error)
        .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
    let (status, reason, detail) = if too_large {
        let detail = format!("the body is larger than {} KiB", limit / 1024);
        (StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    } else {
        let detail = "the body broke off".to_owned();
        (StatusCode::BAD_REQUEST, "broken_body", detail)
    };
    Refusal {
        status,
        reason,
        detail,
        challenge: false,
    }
}

fn told(answer: Answer) -> Response {
    match answer.body {
        // Errors are problem details whoever asks.
        None if answer.status.is_client_error() => Problem::new(answer.status).into_response(),
        None => answer.status.into_response(),
        Some((kind, body)) => {
            let kind = HeaderValue::from_static(kind);
            (answer.status, [(CONTENT_TYPE, kind)], body).into_response()
        }
    }
}

fn refused(refusal: &Refusal) -> Response {
    count(refusal.reason);
    let problem = if refusal.detail.is_empty() {
        Problem::new(refusal.status)
    } else {
        Problem::because(refusal.status, refusal.detail.as_str())
    };
    let mut response = problem.into_response();
    if refusal.challenge {
        let basic = HeaderValue::from_static("Basic realm=\"webhooks\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}

fn count(reason: &'static str) {
    metrics::counter!("anteroom_webhook_rejected_total", "reason" => reason).increment(1);
}
