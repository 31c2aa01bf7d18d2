//! Time as a parameter.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// Where the present comes from; decisions and tests must be reproducible.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
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
}

/// The machine's clock, moved on by hand: for runs that cannot wait for every wait.
#[derive(Debug, Default)]
pub struct SkippingClock(Mutex<SignedDuration>);

impl SkippingClock {
    /// Moves the clock on, beyond the time that passes by itself.
    pub fn skip(&self, span: SignedDuration) {
        let mut skipped = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *skipped = skipped.saturating_add(span);
    }
}

impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        let skipped = *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = SystemClock.now();
        now.saturating_add(skipped).unwrap_or(now)
    }
}

/// A clock that stands still until it is moved, for tests, evals and replays.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self(Mutex::new(start))
    }

    /// Moves the clock forward (or, with a negative span, back).
    pub fn advance(&self, span: SignedDuration) {
        let mut now = self.lock();
        *now = now.saturating_add(span).unwrap_or(Timestamp::MAX);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}
