//! The fake carrier over HTTP: the REST interfaces of every carrier at one address, webhooks that
//! follow, and a small interface of its own to text as a patient and to see what it saw.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use url::Url;

use crate::carrier::exchange::Poster;
use crate::carrier::fake::{Asked, Fake, Post, Reply, Sending};
use crate::domain::clock::Clock;
use crate::web::problem::Problem;

/// Largest request: a text with a picture of ours, or a few megabytes of a patient's.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// How often a webhook that met no 2xx is posted again, and how long it waits first; doubled each
/// time. Shorter than any carrier's, so that nobody waits.
const REPEATS: u32 = 4;
const REPEAT_AFTER: Duration = Duration::from_millis(250);

/// How webhooks get to the house.
#[derive(Clone, Debug)]
pub enum Way {
    /// Over HTTP.
    Http(Poster),
    /// To a house in the same process.
    Within {
        /// Its front door.
        router: Router,
        /// The address under which carriers reach it; it is what they sign.
        public_url: Url,
    },
}

impl Way {
    /// Posts a webhook; the status of the answer, if there is one.
    pub async fn post(&self, post: &Post) -> Option<u16> {
        let (router, public_url) = match self {
            Self::Http(poster) => return poster.post(post).await,
            Self::Within { router, public_url } => (router, public_url),
        };
        let mut request = Request::builder()
            .method(post.method.clone())
            .uri(path_of(post, public_url)?);
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(post.body.clone())).ok()?;
        let answer = router.clone().oneshot(request).await.ok()?;
        Some(answer.status().as_u16())
    }
}

/// Where a webhook goes below the public address.
pub(crate) fn path_of<'a>(post: &'a Post, public_url: &Url) -> Option<&'a str> {
    let base = public_url.as_str().trim_end_matches('/');
    let path = post.url.strip_prefix(base)?;
    path.starts_with('/').then_some(path)
}

/// Webhooks that were posted.
#[derive(Clone, Debug, Default)]
pub struct Hooks(Arc<[AtomicU64; 2]>);

impl Hooks {
    fn note(&self, taken: bool) {
        let [yes, no] = &*self.0;
        let counter = if taken { yes } else { no };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were taken, and how many were given up.
    pub fn counts(&self) -> (u64, u64) {
        let [yes, no] = &*self.0;
        (yes.load(Ordering::Relaxed), no.load(Ordering::Relaxed))
    }
}

/// Why a webhook was not taken, and what to mend. Its address without the query, which names people.
fn mend(address: &str, status: Option<u16>) -> String {
    match status {
        None => format!(
            "nothing takes it at {address}: start `anteroom serve` with the same configuration, and \
             while you try it on this machine set public_url to where it listens, such as \
             http://127.0.0.1:8080"
        ),
        Some(404) => format!(
            "{address} is not known there: start `anteroom serve` with the same configuration"
        ),
        Some(401 | 403) => format!(
            "its signature is refused at {address}: give `serve` and `simulate-carrier` the same \
             configuration, public_url and secrets included"
        ),
        Some(status) => format!("{address} answers {status}: see the log of `anteroom serve`"),
    }
}

/// The fake carrier, and what it needs to run.
#[derive(Clone, Debug)]
pub struct FakeSite {
    /// What it is.
    pub fake: Arc<Fake>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// How webhooks get to the house.
    pub way: Way,
    /// What became of them.
    pub hooks: Hooks,
    /// Where webhooks that wait run.
    pub tracker: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

/// Its addresses.
pub fn fake_router(site: FakeSite) -> Router {
    Router::new()
        .route("/fake/messages", get(messages).post(write))
        .route("/fake/report", get(report))
        .fallback(ask)
        .with_state(site)
}

async fn ask(
    State(site): State<FakeSite>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(body) = axum::body::to_bytes(body, BYTES_MAX).await else {
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE).into_response();
    };
    let asked = Asked {
        method: &method,
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let reaction = site.fake.ask(&asked, site.clock.now());
    for (after, post) in reaction.posts {
        site.later(after, post);
    }
    tokio::select! {
        () = tokio::time::sleep(reaction.after) => {}
        () = site.stop.cancelled() => {}
    }
    match reaction.reply {
        Some(reply) => answer(reply),
        None => broken(),
    }
}

impl FakeSite {
    /// Posts a webhook after its time, and again until it meets a 2xx.
    pub fn later(&self, after: Duration, post: Post) {
        self.soon(after, post, None);
    }

    /// The same; where it was to bring a text and nobody took it, the text was not brought.
    fn soon(&self, after: Duration, post: Post, brings: Option<String>) {
        let site = self.clone();
        self.tracker.spawn(async move {
            let taken = site.posted(after, &post).await;
            if let (Some(false), Some(text)) = (taken, brings) {
                site.fake.not_brought(&text);
            }
        });
    }

    /// Whether it was taken in the end; none when everything ended before.
    async fn posted(&self, after: Duration, post: &Post) -> Option<bool> {
        let mut wait = after;
        for repeat in 0..=REPEATS {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.stop.cancelled() => return None,
            }
            let status = self.way.post(post).await;
            if status.is_some_and(|status| (200..300).contains(&status)) {
                self.hooks.note(true);
                return Some(true);
            }
            if repeat == 0 {
                let address = post.url.split(['?', '#']).next().unwrap_or_default();
                tracing::warn!("a webhook was not taken, {}", mend(address, status));
            }
            wait = REPEAT_AFTER * 2_u32.pow(repeat);
        }
        self.hooks.note(false);
        Some(false)
    }
}

fn answer(reply: Reply) -> Response {
    let kind = HeaderValue::from_static(reply.kind);
    let mut response = (reply.status, [(CONTENT_TYPE, kind)], reply.body).into_response();
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// An answer that breaks off.
fn broken() -> Response {
    let torn = Err::<Vec<u8>, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    let body = Body::from_stream(futures_util::stream::iter([torn]));
    (StatusCode::CREATED, body).into_response()
}

/// A text that a patient writes on the fake carrier's phone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    line: String,
    from: String,
    to: String,
    body: String,
    #[serde(default)]
    whatsapp: bool,
    /// Pictures, in base64.
    #[serde(default)]
    files: Vec<String>,
}

async fn write(
    State(site): State<FakeSite>,
    Json(written): Json<Written>,
) -> Result<Response, Problem> {
    let files = written.files.iter().map(|file| STANDARD.decode(file));
    let files = files.collect::<Result<Vec<_>, _>>();
    let files = files.map_err(|_not_base64| {
        Problem::because(StatusCode::BAD_REQUEST, "`files` holds base64 texts")
    })?;
    let sending = Sending {
        from: written.from,
        to: written.to,
        body: written.body,
        whatsapp: written.whatsapp,
        ..Sending::default()
    };
    let now = site.clock.now();
    let Some((id, posts)) = site.fake.write(&written.line, sending, files, now) else {
        let known: Vec<&str> = site
            .fake
            .lines()
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        let known = known.join(", ");
        return Err(Problem::because(
            StatusCode::BAD_REQUEST,
            format!("`line` is one of: {known}"),
        ));
    };
    for (after, post) in posts {
        site.soon(after, post, Some(id.clone()));
    }
    Ok((StatusCode::ACCEPTED, Json(json!({"id": id}))).into_response())
}

async fn messages(State(site): State<FakeSite>) -> Json<Value> {
    let texts = site.fake.texts();
    let shown = texts.iter().map(|text| {
        json!({
            "id": text.id,
            "direction": if text.inbound { "inbound" } else { "outbound" },
            "channel": text.channel().as_str(),
            "from": text.sent.from,
            "to": text.sent.to,
            "body": text.sent.body,
            "template": text.sent.template,
            "status": text.state.as_str(),
            "files": text.files.len(),
        })
    });
    Json(shown.collect())
}

async fn report(State(site): State<FakeSite>) -> Json<Value> {
    let sight = site.fake.sight();
    let (taken, given_up) = site.hooks.counts();
    Json(json!({
        "webhooks": {"taken": taken, "given_up": given_up},
        "requests": sight.requests,
        "taken": sight.taken,
        "taken_twice": sight.twice,
        "brought": sight.brought,
        "faults": sight.faults,
        "states": sight.states,
        "files_left": site.fake.files(),
    }))
}
