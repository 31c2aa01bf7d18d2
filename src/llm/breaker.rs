//! A circuit breaker: a model that failed several times in a row rests, and nobody waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::agent::ports::{Answer, BoxFuture, Model, ModelError, Price, Request};
use crate::domain::clock::Clock;
use crate::domain::phi::Phi;

/// Failures in a row after which it rests: one may be chance, and each costs a patient its wait.
const FAILURES_MAX: u32 = 3;
/// The first rest; doubled each time that it fails again.
const REST: SignedDuration = SignedDuration::from_secs(30);
/// The longest rest: who mends a model's server wants it used within minutes.
const REST_MAX: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    rests: u32,
    until: Option<Timestamp>,
    tried: bool,
}

/// A model that rests when it fails.
#[derive(Debug)]
pub struct Breaker {
    inner: Arc<dyn Model>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// One try; when it is given up before it ends, the next may try.
struct Try<'a>(&'a Breaker);

impl Drop for Try<'_> {
    fn drop(&mut self) {
        self.0.lock().tried = false;
    }
}

impl Breaker {
    /// A model, watched.
    pub fn new(inner: Arc<dyn Model>, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            clock,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may be asked: when its rest is over, by one at a time.
    fn admits(&self) -> bool {
        let now = self.clock.now();
        let mut state = self.lock();
        match state.until {
            None => true,
            Some(until) if now < until || state.tried => false,
            Some(_) => {
                state.tried = true;
                true
            }
        }
    }

    fn note(&self, answer: &Result<Answer, ModelError>) {
        let now = self.clock.now();
        let mut state = self.lock();
        let Some(at_once) = answer.as_ref().err().and_then(|it| counts(*it)) else {
            *state = State::default();
            return;
        };
        state.failures += 1;
        if state.failures >= FAILURES_MAX || at_once || state.until.is_some() {
            let doubled = 1_i32 << state.rests.min(8);
            let rest = REST.saturating_mul(doubled).min(REST_MAX);
            state.until = Some(now.saturating_add(rest).unwrap_or(now));
            state.rests += 1;
            metrics::counter!("anteroom_model_rests_total").increment(1);
            tracing::warn!(
                model = self.inner.name(),
                seconds = rest.as_secs(),
                "a model rests after it failed"
            );
        }
    }
}

/// Whether an error is the server's and not one answer's; and whether one is enough.
const fn counts(error: ModelError) -> Option<bool> {
    match error {
        // A key that is refused is refused the next time too.
        ModelError::Rejected => Some(true),
        ModelError::Timeout
        | ModelError::RateLimited
        | ModelError::Unreachable
        | ModelError::Malformed => Some(false),
        ModelError::Truncated
        | ModelError::Empty
        | ModelError::Filtered
        | ModelError::OverBudget
        | ModelError::Resting => None,
    }
}

impl Model for Breaker {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn host(&self) -> Option<&str> {
        self.inner.host()
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async move {
            if !self.admits() {
                return Err(ModelError::Resting);
            }
            let _try = Try(self);
            let answer = self.inner.complete(request).await;
            self.note(&answer);
            answer
        })
    }

    fn body(&self, request: &Request) -> Result<Phi<String>, ModelError> {
        self.inner.body(request)
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.inner.count_tokens(text)
    }

    fn count_request(&self, request: &Request) -> usize {
        self.inner.count_request(request)
    }

    fn price(&self) -> Price {
        self.inner.price()
    }
}
