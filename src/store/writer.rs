//! The one writer of SQLite: runs waiting work together, commits once, then answers everybody.
//!
//! One synchronised commit serves the whole group, which is what makes durability cheap: a pool of
//! writers would wait for the same disk one after the other, and for each other's locks.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::agent::ports::BoxFuture;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;

/// Most units of work in one commit: bounds the wait of the first of them.
const GROUP_MAX: usize = 256;
/// Most units of work that wait; more have to wait for a place.
pub(super) const QUEUE_MAX: usize = 4_096;

/// Whatever a unit of work gives.
pub(super) type Given = Result<Box<dyn Any + Send>, StoreError>;
/// A unit of work.
pub(super) type Work = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Given> + Send>;

/// A unit of work and who waits for it.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) answer: oneshot::Sender<Given>,
}

/// Works until the store is dropped.
pub(super) async fn serve(mut tx: Tx, mut queue: mpsc::Receiver<Job>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while queue.recv_many(&mut group, GROUP_MAX).await > 0 {
        let mut answers = Vec::with_capacity(group.len());
        if let Err(cause) = statement(&mut tx, "BEGIN IMMEDIATE").await {
            refuse(group.drain(..).map(|job| job.answer), &cause);
            continue;
        }
        for job in group.drain(..) {
            let given = run_one(&mut tx, job.work).await;
            answers.push((job.answer, given));
        }
        match statement(&mut tx, "COMMIT").await {
            Ok(()) => {
                tx.publish_keys();
                for (answer, given) in answers {
                    // Whoever has stopped waiting does not want to know.
                    answer.send(given).or_dropped();
                }
            }
            Err(cause) => {
                tx.forget_keys(0);
                if let Err(again) = statement(&mut tx, "ROLLBACK").await {
                    tracing::warn!(error = %again, "rollback after a failed commit was refused");
                }
                refuse(answers.into_iter().map(|(answer, _)| answer), &cause);
            }
        }
    }
}

/// Runs one unit of work so that its failure undoes it alone.
async fn run_one(tx: &mut Tx, work: Work) -> Given {
    let keys = tx.fresh_keys();
    statement(tx, "SAVEPOINT unit").await?;
    let given = AssertUnwindSafe(work(tx)).catch_unwind().await;
    let given = given.unwrap_or_else(|_panic| Err(StoreError::Panicked));
    if given.is_err() {
        tx.forget_keys(keys);
        statement(tx, "ROLLBACK TO unit").await?;
    }
    statement(tx, "RELEASE unit").await?;
    given
}

async fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    tx.run(sql, args![]).await.map(drop)
}

fn refuse(answers: impl Iterator<Item = oneshot::Sender<Given>>, cause: &StoreError) {
    let text = cause.to_string();
    for answer in answers {
        let refusal = Err(StoreError::Refused {
            cause: text.clone(),
        });
        answer.send(refusal).or_dropped();
    }
}

/// Names what happens to an answer nobody waits for: it is dropped, its work is kept.
trait Undelivered {
    fn or_dropped(self);
}

impl Undelivered for Result<(), Given> {
    fn or_dropped(self) {
        drop(self);
    }
}
