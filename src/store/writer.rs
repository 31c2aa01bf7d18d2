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
        let (units, waiting): (Vec<_>, Vec<_>) =
            group.drain(..).map(|job| (job.work, job.answer)).unzip();
        match run_group(&mut tx, units).await {
            Ok(given) => {
                tx.publish_keys();
                for (answer, given) in waiting.into_iter().zip(given) {
                    // Whoever has stopped waiting does not want to know.
                    answer.send(given).or_dropped();
                }
            }
            Err(cause) => {
                tx.forget_keys(0);
                // Without a transaction (SQLite may have ended it itself) there is nothing to undo.
                if let Err(nothing) = statement(&mut tx, "ROLLBACK").await {
                    tracing::debug!(error = %nothing, "rollback of a group was refused");
                }
                tracing::error!(error = %cause, "a group of writes was not committed");
                refuse(waiting, &cause);
            }
        }
    }
}

/// Runs units of work in one transaction. An error means that none of them is kept.
async fn run_group(tx: &mut Tx, units: Vec<Work>) -> Result<Vec<Given>, StoreError> {
    let mut given = Vec::with_capacity(units.len());
    statement(tx, "BEGIN IMMEDIATE").await?;
    for unit in units {
        given.push(run_one(tx, unit).await?);
    }
    statement(tx, "COMMIT").await?;
    Ok(given)
}

/// Runs one unit of work so that its failure undoes it alone. An outer error means that the
/// whole transaction is broken.
async fn run_one(tx: &mut Tx, work: Work) -> Result<Given, StoreError> {
    let keys = tx.fresh_keys();
    statement(tx, "SAVEPOINT unit").await?;
    let given = AssertUnwindSafe(work(tx)).catch_unwind().await;
    let given = given.unwrap_or_else(|_panic| Err(StoreError::Panicked));
    if given.is_err() {
        tx.forget_keys(keys);
        statement(tx, "ROLLBACK TO unit").await?;
    }
    statement(tx, "RELEASE unit").await?;
    Ok(given)
}

async fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    tx.run(sql, args![]).await.map(drop)
}

fn refuse(answers: Vec<oneshot::Sender<Given>>, cause: &StoreError) {
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
