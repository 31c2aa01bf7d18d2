//! Time as a parameter.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

/// Where the present comes from; decisions and tests must be reproducible.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Ends when it is `at`, at once when that has passed.
    fn until(&self, at: Timestamp) -> Until<'_>;
}

/// A wait for an instant.
pub type Until<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// How long it is until `at`; nothing when that has passed.
fn left(now: Timestamp, at: Timestamp) -> Duration {
    at.duration_since(now).try_into().unwrap_or(Duration::ZERO)
}

/// Waits until `now` shows `at`; `moved` tells when it may have been moved by hand.
async fn shown(now: impl Fn() -> Timestamp, moved: &Notify, at: Timestamp) {
    loop {
        let turned = moved.notified();
        if now() >= at {
            return;
        }
        turned.await;
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the present enters"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn until(&self, at: Timestamp) -> Until<'_> {
        Box::pin(tokio::time::sleep(left(self.now(), at)))
    }
}

/// The machine's clock, moved on by hand: for runs that cannot wait for every wait.
#[derive(Debug, Default)]
pub struct SkippingClock {
    skipped: Mutex<SignedDuration>,
    moved: Notify,
}

impl SkippingClock {
    /// Moves the clock on, beyond the time that passes by itself.
    pub fn skip(&self, span: SignedDuration) {
        let mut skipped = self.lock();
        *skipped = skipped.saturating_add(span);
        drop(skipped);
        self.moved.notify_waiters();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, SignedDuration> {
        self.skipped
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        let skipped = *self.lock();
        let now = SystemClock.now();
        now.saturating_add(skipped).unwrap_or(now)
    }

    fn until(&self, at: Timestamp) -> Until<'_> {
        Box::pin(async move {
            let skipped = shown(|| self.now(), &self.moved, at);
            tokio::select! {
                () = skipped => {}
                () = tokio::time::sleep(left(self.now(), at)) => {}
            }
        })
    }
}

/// A clock that stands still until it is moved, for tests, evals and replays.
#[derive(Debug)]
pub struct ManualClock {
    shows: Mutex<Timestamp>,
    moved: Notify,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self {
            shows: Mutex::new(start),
            moved: Notify::const_new(),
        }
    }

    /// Moves the clock forward (or, with a negative span, back).
    pub fn advance(&self, span: SignedDuration) {
        let mut now = self.lock();
        *now = now.saturating_add(span).unwrap_or(Timestamp::MAX);
        drop(now);
        self.moved.notify_waiters();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.shows
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }

    fn until(&self, at: Timestamp) -> Until<'_> {
        Box::pin(shown(|| self.now(), &self.moved, at))
    }
}
