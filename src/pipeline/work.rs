//! Work: the loops that call the steps until they are told to stop.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::pipeline::house::House;
use crate::store::StoreError;

/// What a step found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something; there may be more.
    Worked,
    /// Nothing is due.
    Idle,
}

/// How long work is another's after its worker was last heard of: the longest silence of a text
/// when a machine dies, and far more than any pause of a living one.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(10);

/// How often a living worker makes itself heard.
const RENEWAL: Duration = Duration::from_secs(3);

/// Conversations answered at the same time. Most of a reply is waiting for a model.
const REPLY_WORKERS: usize = 8;

/// Texts handed over at the same time.
const DISPATCH_WORKERS: usize = 8;

/// How often the queues are looked at without a hint; hints are not the truth.
const POLL: Duration = Duration::from_secs(1);

/// How long a worker rests after the store failed.
const REST: Duration = Duration::from_secs(2);

/// How often the audit chain is extended.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// How often carriers are asked for what their webhooks did not tell.
const CATCHING_UP: Duration = Duration::from_mins(3);

/// How often the visits ahead are looked at: a reminder is late by five minutes at most.
const OUTREACH: Duration = Duration::from_mins(5);

/// How often finished texts are looked at for redaction.
const REDACTING: Duration = Duration::from_secs(20);

/// How often what is past its time is erased.
const ERASING: Duration = Duration::from_mins(10);
/// How often published versions and trials are looked at: what staff publish is heard within seconds.
const TENDING: Duration = Duration::from_secs(5);

impl House {
    /// Starts the loops; they end, after the step in hand, when `stop` is cancelled.
    pub fn start(self: &Arc<Self>, tracker: &TaskTracker, stop: &CancellationToken) {
        for _ in 0..REPLY_WORKERS {
            let (house, stop) = (Arc::clone(self), stop.clone());
            tracker.spawn(async move {
                while !stop.is_cancelled() {
                    let step = Box::pin(house.reply_once()).await;
                    rest("reply", step, &house.replies, &stop).await;
                }
            });
        }
        for _ in 0..DISPATCH_WORKERS {
            let (house, stop) = (Arc::clone(self), stop.clone());
            tracker.spawn(async move {
                while !stop.is_cancelled() {
                    let step = Box::pin(house.dispatch_once()).await;
                    rest("dispatch", step, &house.outbox, &stop).await;
                }
            });
        }
        let (house, ended) = (Arc::clone(self), stop.clone());
        tracker.spawn(async move {
            while !ended.is_cancelled() {
                let step = house.remind_once().await;
                rest("waiting", step, &house.waiting, &ended).await;
            }
        });
        let (house, ended) = (Arc::clone(self), stop.clone());
        tracker.spawn(async move {
            while !ended.is_cancelled() {
                let begun = async { house.outreach_once().await.map(drop) };
                house.keep("outreach", Box::pin(begun)).await;
                tokio::select! {
                    () = ended.cancelled() => {}
                    () = house.freed.notified() => {}
                    () = tokio::time::sleep(OUTREACH) => {}
                }
            }
        });
        self.start_catching_up(tracker, stop);
        self.start_paging(tracker, stop);
        let (house, stop) = (Arc::clone(self), stop.clone());
        tracker.spawn(async move {
            let mut erased = None::<tokio::time::Instant>;
            let mut tended = None::<tokio::time::Instant>;
            while !stop.is_cancelled() {
                house.keep("housekeeping", house.housekeep_once()).await;
                house.keep("alarms", house.repeat_alarms_once()).await;
                let woken = async { house.wake_once().await.map(drop) };
                house.keep("snoozes", woken).await;
                if tended.is_none_or(|at| at.elapsed() >= TENDING) {
                    tended = Some(tokio::time::Instant::now());
                    house.keep("wordings", house.tend_wordings_once()).await;
                    let back = async { house.tend_handoffs_once().await.map(drop) };
                    house.keep("handoffs", back).await;
                    let chats = async { house.tell_of_chats_once().await.map(drop) };
                    house.keep("chats", Box::pin(chats)).await;
                    house.keep("policies", house.tend_policies_once()).await;
                }
                if erased.is_none_or(|at| at.elapsed() >= ERASING) {
                    erased = Some(tokio::time::Instant::now());
                    house.keep("erasing", house.erase_once()).await;
                    let consents = async { house.tend_consents_once().await.map(drop) };
                    house.keep("consents", consents).await;
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(HOUSEKEEPING) => {}
                }
            }
            // What the last steps appended is chained before the lights go out.
            house.keep("housekeeping", house.housekeep_once()).await;
        });
    }

    /// Pages go out beside everything else: a slow receiver delays nothing.
    fn start_paging(self: &Arc<Self>, tracker: &TaskTracker, stop: &CancellationToken) {
        let (house, ending) = (Arc::clone(self), stop.clone());
        tracker.spawn(async move {
            while !ending.is_cancelled() {
                let paging = async { house.page_once().await.map(drop) };
                house.keep("paging", paging).await;
                tokio::select! {
                    () = ending.cancelled() => {}
                    () = tokio::time::sleep(HOUSEKEEPING) => {}
                }
            }
        });
    }

    /// What carriers did not tell by themselves: asked for at start and every few minutes; files
    /// are fetched, and words redacted, as they become due.
    fn start_catching_up(self: &Arc<Self>, tracker: &TaskTracker, stop: &CancellationToken) {
        let (house, ending) = (Arc::clone(self), stop.clone());
        tracker.spawn(async move {
            let mut asked = None::<tokio::time::Instant>;
            while !ending.is_cancelled() {
                if asked.is_none_or(|at| at.elapsed() >= CATCHING_UP) {
                    asked = Some(tokio::time::Instant::now());
                    let work = async { house.catch_up_once().await.map(drop) };
                    house.keep("catching up", Box::pin(work)).await;
                }
                house.keep("redacting", house.redact_once()).await;
                tokio::select! {
                    () = ending.cancelled() => {}
                    () = tokio::time::sleep(REDACTING) => {}
                }
            }
        });
        let (house, ending) = (Arc::clone(self), stop.clone());
        tracker.spawn(async move {
            while !ending.is_cancelled() {
                let step = match caught("media", house.media_once()).await {
                    Some(step) => step,
                    None => Ok(Step::Idle),
                };
                rest("media", step, &house.files, &ending).await;
            }
        });
        let (house, ending) = (Arc::clone(self), stop.clone());
        tracker.spawn(async move {
            while !ending.is_cancelled() {
                let step = match caught("mail", Box::pin(house.mail_once())).await {
                    Some(step) => step,
                    None => Ok(Step::Idle),
                };
                rest("mail", step, &house.letters, &ending).await;
            }
        });
    }

    async fn keep(&self, step: &'static str, work: impl Future<Output = Result<(), StoreError>>) {
        if let Some(Err(error)) = caught(step, work).await {
            tracing::error!(step, %error, "a step failed; it is tried again");
        }
    }
}

/// Does the work and keeps its lease meanwhile. A lease that is lost all the same does no harm: the
/// commit of the work is refused.
pub(crate) async fn renewing<T, R: Future<Output = Result<bool, StoreError>>>(
    renew: impl Fn() -> R,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(RENEWAL) => {}
        }
        if let Err(error) = renew().await {
            tracing::warn!(%error, "a lease could not be renewed");
        }
    }
}

/// Does the work; none when it panicked, which is counted and ends neither the worker nor the work
/// of others.
pub(crate) async fn caught<T>(step: &'static str, work: impl Future<Output = T>) -> Option<T> {
    let ended = AssertUnwindSafe(work).catch_unwind().await;
    if ended.is_err() {
        // What was panicked with may quote a text.
        metrics::counter!("anteroom_panics_total", "step" => step).increment(1);
        tracing::error!(step, "a step panicked; please report it as a bug");
    }
    ended.ok()
}

async fn rest(
    queue: &'static str,
    step: Result<Step, StoreError>,
    hint: &tokio::sync::Notify,
    stop: &CancellationToken,
) {
    let pause = match step {
        Ok(Step::Worked) => return,
        Ok(Step::Idle) => POLL,
        Err(error) => {
            tracing::error!(queue, %error, "a step failed; its work is still there");
            REST
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = hint.notified() => {}
        () = tokio::time::sleep(pause) => {}
    }
}
