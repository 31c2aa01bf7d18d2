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
    let given = match given {
        Ok(value) => Ok(value),
        Err(cause) => {
            tx.forget_keys(keys);
            // A full or failing disk ends the whole transaction in SQLite itself, the savepoint with
            // it. Then it is the unit's own error that says what is wrong.
            if let Err(gone) = statement(tx, "ROLLBACK TO unit").await {
                tracing::debug!(error = %gone, "the transaction had ended by itself");
                return Err(cause);
            }
            Err(cause)
        }
    };
    statement(tx, "RELEASE unit").await?;
    Ok(given)
}

async fn statement(tx: &mut Tx, sql: &'static str) -> Result<(), StoreError> {
    tx.run(sql, args![]).await.map(drop)
}

fn refuse(answers: Vec<oneshot::Sender<Given>>, cause: &StoreError) {
    for answer in answers {
        answer.send(Err(cause.again())).or_dropped();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::seal::MasterKey;
    use crate::store::keys::KeyRing;
    use crate::store::link::Link;

    /// Pages that the file may have: room for a small table, none for a large row.
    const SMALL: &str = "PRAGMA max_page_count = 16";

    struct Writer(mpsc::Sender<Job>);

    impl Writer {
        /// A writer of a real file that cannot grow.
        async fn of(path: &std::path::Path) -> Self {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true);
            let link = Link::Lite(Box::new(options.connect().await.unwrap()));
            let keys = Arc::new(KeyRing::new(MasterKey::generate().unwrap()));
            let mut tx = Tx::new(link, keys);
            tx.rows(SMALL, args![]).await.unwrap();
            let table = "CREATE TABLE note (id BIGINT PRIMARY KEY, body BYTEA)";
            tx.run(table, args![]).await.unwrap();
            let (jobs, queue) = mpsc::channel(QUEUE_MAX);
            TaskTracker::new().spawn(serve(tx, queue));
            Self(jobs)
        }

        fn keep(&self, id: i64, bytes: usize) -> oneshot::Receiver<Given> {
            let work: Work = Box::new(move |tx| {
                Box::pin(async move {
                    let row = args![id, vec![0_u8; bytes]];
                    let insert = "INSERT INTO note (id, body) VALUES ($1, $2)";
                    let kept: Box<dyn Any + Send> = Box::new(tx.run(insert, row).await?);
                    Given::Ok(kept)
                })
            });
            let (answer, answered) = oneshot::channel();
            let job = Job { work, answer };
            self.0.try_send(job).unwrap_or_else(|_full| panic!());
            answered
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_named_to_everybody_whose_work_it_undid_and_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::of(&folder.path().join("full.db")).await;
        // Handed in together, so that they share one transaction.
        let answers = [
            writer.keep(1, 10),
            writer.keep(2, 1_000_000),
            writer.keep(3, 10),
        ];
        for answer in answers {
            let told = answer.await.unwrap().err().map(|error| error.to_string());
            assert_eq!(
                told.as_deref(),
                Some(
                    "the disk that holds the database is full (error returned from database: \
                     (code: 13) database or disk is full); free space there: nothing that was \
                     confirmed is lost, and the work goes on by itself"
                )
            );
        }
        // What fits is kept; a row's own fault is its own, beside others.
        let answers = [writer.keep(1, 10), writer.keep(1, 10), writer.keep(2, 10)];
        let mut ends = Vec::new();
        for answer in answers {
            ends.push(answer.await.unwrap().is_ok());
        }
        assert_eq!(ends, [true, false, true]);
    }
}
