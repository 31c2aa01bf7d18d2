//! Exchanges with a FHIR server: read, search with paging, create, update; nothing of a patient but
//! opaque ids in an address, capped answers, retries that respect `Retry-After`.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, redirect};
use serde_json::Value;
use url::Url;

use crate::domain::clock::Clock;
use crate::domain::phi::Phi;
use crate::domain::practice::FhirServer;
use crate::fhir::fault::{Fault, outcome};
use crate::fhir::sign_in::{KeyError, SignIn, broken};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most of an answer that is read: a page of a hundred resources takes about 300 KiB.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Requests in all for one exchange.
const ATTEMPTS_MAX: u32 = 3;
/// First bound of a wait between attempts; it doubles.
const BACKOFF: Duration = Duration::from_millis(200);
/// The longest `Retry-After` that is sat out: a patient waits.
const SAT_OUT_MAX: SignedDuration = SignedDuration::from_secs(5);
/// The longest time that a server is left alone because it asked for it.
const LEFT_ALONE_MAX: SignedDuration = SignedDuration::from_mins(10);
/// Resources asked for with one page.
const PAGE: usize = 100;
/// Pages read of one search: a bound for a server that gives a next page for ever.
const PAGES_MAX: usize = 50;
const FHIR_JSON: &str = "application/fhir+json";

/// A resource with the version that it was read in.
#[derive(Clone, Debug)]
pub(super) struct Versioned {
    pub(super) resource: Value,
    pub(super) version: Option<String>,
}

/// A FHIR server of one practice.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    sign_in: Option<SignIn>,
    pub(super) clock: Arc<dyn Clock>,
    /// Until when the server asked to be left alone.
    rest: Mutex<Option<Timestamp>>,
    draws: AtomicU64,
}

/// What an exchange sends.
enum Body<'a> {
    None,
    Form(&'a [(&'a str, String)]),
    Resource(&'a Value),
}

struct Failure {
    fault: Fault,
    again: bool,
    after: Option<SignedDuration>,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let again = false;
        let after = None;
        Self {
            fault,
            again,
            after,
        }
    }
}

impl Client {
    pub(super) fn new(server: &FhirServer, clock: Arc<dyn Clock>) -> Result<Self, KeyError> {
        let tell = |why: &dyn std::fmt::Display| KeyError(format!("base_url: {why}"));
        let mut base = Url::parse(&server.base_url).map_err(|error| tell(&error))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(tell(&"write it as https://fhir.example.com/r4"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(Duration::from_secs(server.timeout_s.max(1)))
            // A redirect would carry the token elsewhere.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| tell(&error.without_url()))?;
        let mut seed = [0; 8];
        // Without randomness all waits are the same, which only spreads them less.
        let drawn = getrandom::fill(&mut seed).is_ok();
        Ok(Self {
            http,
            sign_in: SignIn::new(server, Arc::clone(&clock))?,
            base,
            clock,
            rest: Mutex::new(None),
            draws: AtomicU64::new(if drawn { u64::from_ne_bytes(seed) } else { 1 }),
        })
    }

    /// What it can do.
    pub(super) async fn metadata(&self) -> Result<Value, Fault> {
        let url = self.url("metadata")?;
        let found = self
            .exchange(Method::GET, &url, &[], &Body::None, true)
            .await?;
        of_kind(found.resource, "CapabilityStatement")
    }

    /// One resource.
    pub(super) async fn read(&self, kind: &str, id: &str) -> Result<Versioned, Fault> {
        let url = self.resource_url(kind, id)?;
        let found = self
            .exchange(Method::GET, &url, &[], &Body::None, true)
            .await?;
        let version = found.version;
        let resource = of_kind(found.resource, kind)?;
        Ok(Versioned { resource, version })
    }

    /// Everything that a search finds, at most `most`. What is searched for stands in the body of
    /// the request (`POST [base]/Kind/_search`), never in an address.
    pub(super) async fn search(
        &self,
        kind: &str,
        parameters: &[(&str, String)],
        most: usize,
    ) -> Result<Vec<Value>, Fault> {
        let first = self.url(&format!("{kind}/_search"))?;
        let mut form = parameters.to_vec();
        form.push(("_count", most.clamp(1, PAGE).to_string()));
        let mut page = self
            .exchange(Method::POST, &first, &[], &Body::Form(&form), true)
            .await?;
        let mut found = Vec::new();
        for _ in 0..PAGES_MAX {
            let bundle = of_kind(page.resource, "Bundle")?;
            let next = next_page(&bundle).map(str::to_owned);
            take(bundle, kind, &mut found)?;
            match next {
                Some(next) if found.len() < most => {
                    let next = self.same_server(&next)?;
                    page = self
                        .exchange(Method::GET, &next, &[], &Body::None, true)
                        .await?;
                }
                _ => break,
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// Creates a resource unless one is there that the search finds; gives the one that is there.
    pub(super) async fn create(&self, resource: &Value, unless: &str) -> Result<Value, Fault> {
        let kind = kind_of(resource);
        let url = self.url(kind)?;
        let headers = [
            ("If-None-Exist", unless.to_owned()),
            ("Prefer", "return=representation".to_owned()),
        ];
        let body = Body::Resource(resource);
        let made = self
            .exchange(Method::POST, &url, &headers, &body, true)
            .await?;
        of_kind(made.resource, kind)
    }

    /// Adds a resource of which a second copy would do no harm, and a lost one little.
    pub(super) async fn add(&self, resource: &Value) -> Result<(), Fault> {
        let url = self.url(kind_of(resource))?;
        let body = Body::Resource(resource);
        self.exchange(Method::POST, &url, &[], &body, false)
            .await
            .map(drop)
    }

    /// Replaces a resource if it is still in the version that was read.
    pub(super) async fn update(&self, resource: &Value, version: &str) -> Result<Versioned, Fault> {
        let (kind, id) = (
            kind_of(resource),
            resource.get("id").and_then(Value::as_str),
        );
        let id = id.unwrap_or_default();
        let url = self.resource_url(kind, id)?;
        let headers = [
            ("If-Match", format!("W/\"{version}\"")),
            ("Prefer", "return=representation".to_owned()),
        ];
        let body = Body::Resource(resource);
        let made = self
            .exchange(Method::PUT, &url, &headers, &body, true)
            .await?;
        if kind_of(&made.resource) == kind {
            return Ok(made);
        }
        // Done, but the server sends something else back, or nothing.
        self.read(kind, id).await
    }

    fn url(&self, path: &str) -> Result<Url, Fault> {
        self.base
            .join(path)
            .map_err(|_holds_it| Fault::Unreadable("an id that fits no address".to_owned()))
    }

    fn resource_url(&self, kind: &str, id: &str) -> Result<Url, Fault> {
        // FHIR ids are [A-Za-z0-9-.]{1,64}; anything else could lead elsewhere.
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if id.is_empty() || id.len() > 128 || !id.chars().all(fine) || id.starts_with('.') {
            return Err(Fault::Gone);
        }
        self.url(&format!("{kind}/{id}"))
    }

    /// A next page must be where the token may go.
    fn same_server(&self, next: &str) -> Result<Url, Fault> {
        let next = self.base.join(next).ok();
        next.filter(|it| it.origin() == self.base.origin())
            .ok_or_else(|| {
                Fault::Unreadable(
                    "its next page is at another address; set base_url to the one that the server \
                     writes in its links"
                        .to_owned(),
                )
            })
    }

    async fn exchange(
        &self,
        method: Method,
        url: &Url,
        headers: &[(&'static str, String)],
        body: &Body<'_>,
        repeatable: bool,
    ) -> Result<Versioned, Fault> {
        let mut attempt = 0;
        let mut renewed = false;
        loop {
            if self.at_rest() {
                return Err(Fault::Busy);
            }
            let mut request = self.http.request(method.clone(), url.clone());
            for (name, value) in headers {
                request = request.header(*name, value);
            }
            request = match body {
                Body::None => request,
                Body::Form(form) => request.form(form),
                Body::Resource(resource) => request
                    .body(resource.to_string())
                    .header("Content-Type", FHIR_JSON),
            };
            let failure = match self.once(request).await {
                Ok(found) => return Ok(found),
                Err(failure) => failure,
            };
            attempt += 1;
            if let (Fault::NotLetIn(_), Some(sign_in), false) =
                (&failure.fault, &self.sign_in, renewed)
            {
                // A token may end before its time; a new one is asked for once.
                sign_in.forget().await;
                renewed = true;
                continue;
            }
            if !failure.again || !repeatable || attempt >= ATTEMPTS_MAX {
                return Err(failure.fault);
            }
            match failure.after {
                Some(asked) if asked > SAT_OUT_MAX => {
                    self.leave_alone(asked);
                    return Err(failure.fault);
                }
                Some(asked) => tokio::time::sleep(asked.unsigned_abs()).await,
                None => tokio::time::sleep(self.wait(attempt)).await,
            }
        }
    }

    async fn once(&self, request: RequestBuilder) -> Result<Versioned, Failure> {
        let mut request = request.header("Accept", FHIR_JSON);
        if let Some(sign_in) = &self.sign_in {
            let base = self.base.as_str().trim_end_matches('/');
            request = request.bearer_auth(sign_in.token(&self.http, base).await?);
        }
        let mut answer = request.send().await.map_err(|error| Failure {
            again: !error.is_timeout(),
            ..Failure::from(broken(&error))
        })?;
        let status = answer.status();
        let after = self.asked_wait(answer.headers());
        let etag = etag(answer.headers());
        let body = read(&mut answer).await?;
        if !status.is_success() {
            return Err(refusal(status, after, &body));
        }
        if body.is_empty() {
            let (resource, version) = (Value::Null, etag);
            return Ok(Versioned { resource, version });
        }
        let resource: Value = serde_json::from_slice(&body)
            .map_err(|_quotes_it| Fault::Unreadable("not JSON".to_owned()))?;
        if let Some(words) = outcome(&resource, true) {
            // "200 OK" around a failure.
            let status = status.as_u16();
            return Err(Fault::Refused { status, words }.into());
        }
        let version = resource.pointer("/meta/versionId").and_then(Value::as_str);
        let version = version.map(str::to_owned).or(etag);
        Ok(Versioned { resource, version })
    }

    /// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
    fn asked_wait(&self, headers: &HeaderMap) -> Option<SignedDuration> {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse::<u32>() {
            return Some(SignedDuration::from_secs(i64::from(seconds)));
        }
        let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(
            date.duration_since(self.clock.now())
                .max(SignedDuration::ZERO),
        )
    }

    fn leave_alone(&self, asked: SignedDuration) {
        let until = self.clock.now() + asked.min(LEFT_ALONE_MAX);
        *self.lock() = Some(until);
    }

    fn at_rest(&self) -> bool {
        self.lock().is_some_and(|until| self.clock.now() < until)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        self.rest
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Between nothing and the bound ("full jitter"); a linear congruence spreads them enough.
    fn wait(&self, attempt: u32) -> Duration {
        let bound = BACKOFF.saturating_mul(2_u32.saturating_pow(attempt));
        let step = |draw: u64| draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let draw = self.draws.load(Ordering::Relaxed);
        self.draws.store(step(draw), Ordering::Relaxed);
        let span = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis((step(draw) >> 33).checked_rem(span + 1).unwrap_or(0))
    }
}

/// The resource, if it is of the kind that was asked for.
fn of_kind(resource: Value, kind: &str) -> Result<Value, Fault> {
    if kind_of(&resource) == kind {
        return Ok(resource);
    }
    if let Some(words) = outcome(&resource, false) {
        return Err(Fault::Refused { status: 200, words });
    }
    Err(Fault::Unreadable(format!(
        "{kind} was asked for, and it is none"
    )))
}

pub(super) fn kind_of(resource: &Value) -> &str {
    let kind = resource.get("resourceType").and_then(Value::as_str);
    kind.unwrap_or_default()
}

fn next_page(bundle: &Value) -> Option<&str> {
    let links = bundle.get("link")?.as_array()?;
    let next = links
        .iter()
        .find(|link| link.get("relation").and_then(Value::as_str) == Some("next"))?;
    next.get("url")?.as_str()
}

/// What a page holds of the kind; included resources and mere remarks are passed over. An outcome that is an
/// error refuses the page: what it leaves out would be read as nothing on file.
fn take(mut bundle: Value, kind: &str, found: &mut Vec<Value>) -> Result<(), Fault> {
    let entries = bundle.get_mut("entry").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        let Some(resource) = entry.get_mut("resource").map(Value::take) else {
            continue;
        };
        if let Some(words) = outcome(&resource, true) {
            return Err(Fault::Refused { status: 200, words });
        }
        found.extend(Some(resource).filter(|it| kind_of(it) == kind));
    }
    Ok(())
}

fn etag(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("ETag")?.to_str().ok()?;
    let inner = text.trim_start_matches("W/").trim_matches('"');
    (!inner.is_empty()).then(|| inner.to_owned())
}

async fn read(answer: &mut Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| Failure {
        again: !error.is_timeout(),
        ..Failure::from(broken(&error))
    })? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Fault::Unreadable("longer than any that is due".to_owned()).into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(status: StatusCode, after: Option<SignedDuration>, body: &[u8]) -> Failure {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = outcome(&body, false).unwrap_or_else(|| Phi::new(String::new()));
    let again = |fault| Failure {
        fault,
        again: true,
        after,
    };
    match status.as_u16() {
        401 => Fault::NotLetIn("status 401: it does not take our token").into(),
        403 => Fault::NotLetIn("status 403: its scopes do not cover the request").into(),
        404 | 410 => Fault::Gone.into(),
        409 | 412 => Fault::Changed.into(),
        429 | 503 => again(Fault::Busy),
        408 | 500 | 502 | 504 => again(Fault::Refused {
            status: status.as_u16(),
            words,
        }),
        status => Fault::Refused { status, words }.into(),
    }
}
