//! The way to the server: bounded bodies, capped retries with full jitter, and no body in any error.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::agent::ports::ModelError;
use crate::domain::dice::SharedDice;

/// Longest answer that is read: a draft and its tool calls take a few kilobytes.
pub const ANSWER_BYTES_MAX: usize = 1_000_000;

/// How often and how soon a failed request is made again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Requests in all.
    pub attempts_max: u32,
    /// Bound of the first wait; it doubles with each attempt.
    pub base: Duration,
    /// Bound of every wait, also of the server's own `Retry-After`.
    pub cap: Duration,
    /// Seed of the jitter.
    pub seed: u64,
}

impl Retry {
    /// Three attempts, 250 ms doubling to at most 4 s: a patient waits for the answer.
    pub const fn new(seed: u64) -> Self {
        Self {
            attempts_max: 3,
            base: Duration::from_millis(250),
            cap: Duration::from_secs(4),
            seed,
        }
    }

    /// A wait between nothing and the bound ("full jitter"), or what the server asked for, capped.
    fn wait(&self, attempt: u32, asked: Option<Duration>, draw: u64) -> Duration {
        if let Some(asked) = asked {
            return asked.min(self.cap);
        }
        let bound = self
            .base
            .saturating_mul(2_u32.saturating_pow(attempt))
            .min(self.cap);
        let span = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(draw.checked_rem(span.saturating_add(1)).unwrap_or(0))
    }
}

/// The HTTP service under the client crate. What it hands up is readable JSON or our own error, so
/// that nothing above it ever sees, formats or logs a body that failed.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    retry: Retry,
    draws: Arc<SharedDice>,
}

struct Failure {
    error: ModelError,
    again: bool,
    after: Option<Duration>,
}

impl Failure {
    const fn last(error: ModelError) -> Self {
        Self {
            error,
            again: false,
            after: None,
        }
    }

    const fn again(error: ModelError) -> Self {
        Self {
            error,
            again: true,
            after: None,
        }
    }
}

impl Transport {
    pub(super) fn new(http: reqwest::Client, retry: Retry) -> Self {
        Self {
            http,
            retry,
            draws: Arc::new(SharedDice::new(retry.seed)),
        }
    }

    async fn exchange(self, factory: HttpRequestFactory) -> Result<Response, OpenAIError> {
        let mut attempt = 0;
        loop {
            let request = factory.build().await?;
            let failure = match self.once(request).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            if !failure.again || attempt + 1 >= self.retry.attempts_max {
                return Err(OpenAIError::Boxed(Box::new(failure.error)));
            }
            let wait = self.retry.wait(attempt, failure.after, self.draws.next());
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn once(&self, request: reqwest::Request) -> Result<Response, Failure> {
        let mut response = self
            .http
            .execute(request)
            .await
            .map_err(|error| broken(&error))?;
        let status = response.status();
        let after = asked_wait(response.headers());
        let body = read(&mut response).await;
        if status.is_success() {
            let body = body?;
            serde_json::from_slice::<Value>(&body)
                .map_err(|_unreadable| Failure::last(ModelError::Malformed))?;
            return Ok(Response::from(http::Response::new(body)));
        }
        Err(refusal(status, after, &body.unwrap_or_default()))
    }
}

/// A timeout has used up the patience of the whole exchange; a broken connection has not.
fn broken(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::last(ModelError::Timeout)
    } else {
        Failure::again(ModelError::Unreachable)
    }
}

async fn read(response: &mut Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Failure::last(ModelError::Malformed));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// `Retry-After` in whole seconds (RFC 9110, 10.2.3); a date is rare here and read as absent.
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

fn refusal(status: StatusCode, after: Option<Duration>, body: &[u8]) -> Failure {
    match (code(body).as_str(), status.as_u16()) {
        ("insufficient_quota", _) => Failure::last(ModelError::Rejected),
        ("context_length_exceeded", _) => Failure::last(ModelError::OverBudget),
        ("content_filter", _) => Failure::last(ModelError::Filtered),
        (_, 429) => Failure {
            after,
            ..Failure::again(ModelError::RateLimited)
        },
        (_, 408 | 500..=599) => Failure {
            after,
            ..Failure::again(ModelError::Unreachable)
        },
        _ => Failure::last(ModelError::Rejected),
    }
}

/// The error's own code, or its type; integers and absent ones are fine.
fn code(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let word = |name: &str| {
        let error = body.get("error").unwrap_or(&body);
        error.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    word("code").or_else(|| word("type")).unwrap_or_default()
}

impl tower_service::Service<HttpRequestFactory> for Transport {
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        Box::pin(self.clone().exchange(factory))
    }
}
