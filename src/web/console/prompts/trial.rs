//! The gate, asked from the console: one run at a time for each practice, watched while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::domain::ids::PracticeId;
use crate::domain::publication::Published;
use crate::eval::gate::{self, Asking, Gate, Progress};
use crate::eval::load::Files;
use crate::pipeline::house::House;
use crate::web::console::prompts::Work;
use crate::web::console::seat::{Seat, desk, to};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Stored texts that are answered again: enough to show a change, and done in seconds.
const REPLAY: u32 = 100;

/// The runs of the gate that are under way, by practice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs(Arc<Mutex<ByKind>>);

type ByKind = BTreeMap<(PracticeId, Published), Arc<Progress>>;

impl Runs {
    fn lock(&self) -> MutexGuard<'_, ByKind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run; none while one is under way.
    pub(in crate::web::console) fn begin(
        &self,
        practice: &PracticeId,
        kind: Published,
    ) -> Option<Running> {
        let of = (practice.clone(), kind);
        let mut all = self.lock();
        if all.contains_key(&of) {
            return None;
        }
        let progress = Arc::new(Progress::default());
        all.insert(of.clone(), Arc::clone(&progress));
        Some(Running {
            runs: self.clone(),
            of,
            progress,
        })
    }

    /// How far the run of a practice is; null when there is none.
    pub(in crate::web::console) fn told(&self, practice: &PracticeId, kind: Published) -> Value {
        self.lock().get(&(practice.clone(), kind)).map_or(
            Value::Null,
            |it| json!({ "done": it.done(), "of": it.of(), "wrong": it.wrong() }),
        )
    }
}

/// A run that is under way; it has ended when this is dropped, however it ended.
pub(in crate::web::console) struct Running {
    runs: Runs,
    of: (PracticeId, Published),
    progress: Arc<Progress>,
}

impl Running {
    /// Whose run it is.
    pub(in crate::web::console) const fn practice(&self) -> &PracticeId {
        &self.of.0
    }

    /// How far it is.
    pub(in crate::web::console) const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.runs.lock().remove(&self.of);
    }
}

/// Begins a run over the wording in work, and shows the page.
pub(crate) async fn run(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let work = Work::of(house, &seat.staff).await?;
    let practice = seat.staff.practice.clone();
    if work.draft.is_some()
        && let Some(running) = runs.begin(&practice, Published::Prompt)
    {
        let (house, suites) = (Arc::clone(house), door.settings.suites.clone());
        let by = seat.staff.actor();
        // A bench is made and cases are run on threads that nobody's answer waits for.
        tokio::task::spawn_blocking(move || {
            let handle = tokio::runtime::Handle::current();
            handle.block_on(asked(house, work, suites, by, running));
        });
    }
    Ok(to("/console/prompts#gate"))
}

async fn asked(
    house: Arc<House>,
    work: Work,
    suites: Option<Arc<Files>>,
    by: String,
    running: Running,
) {
    let (Some(draft), Ok(digest)) = (&work.draft, work.digest()) else {
        return;
    };
    let suites = match &suites {
        Some(files) => gate::suites(files),
        None => gate::shipped(),
    };
    let outcome = match suites {
        Ok(suites) => {
            let asking = Asking {
                practice: running.practice().clone(),
                replay: REPLAY,
                suites,
                threads: 1,
                now: house.clock().now(),
            };
            let wordings = (&work.live, &work.next);
            gate::wording(&house, asking, wordings, &running.progress).await
        }
        Err(error) => Err(error),
    };
    let (report, passed) = told(&outcome);
    let kept = house.store().draft_gated(
        (running.practice(), Published::Prompt),
        draft.revision,
        (&digest, &report),
        (&by, passed),
        house.clock().now(),
    );
    if let Err(error) = kept.await {
        tracing::error!(%error, "what the gate found could not be kept");
    }
    drop(running);
    house.changed();
}

/// What is kept of a run: why nothing may be published, and what was found.
fn told(outcome: &Result<Gate, String>) -> (String, bool) {
    let told = match outcome {
        Ok(gate) => json!({
            "refusal": gate.refusal(), "sha256": gate.report_digest(),
            "held": gate.held, "of": gate.of, "set_aside": gate.set_aside,
            "failures": gate.failures.iter().take(gate::NAMED_MAX).collect::<Vec<_>>(),
            "failed": gate.failures.len(), "worse": gate.worse,
            "texts": gate.texts, "reworded": gate.reworded,
        }),
        Err(error) => json!({ "refusal": error, "sha256": "", "held": 0, "of": 0 }),
    };
    let passed = told.get("refusal").is_some_and(Value::is_null);
    (told.to_string(), passed)
}

/// How far the run is, for the script of the page.
pub(crate) async fn progress(
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
) -> Response {
    Json(runs.told(&seat.staff.practice, Published::Prompt)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Published = Published::Prompt;

    #[test]
    fn a_practice_has_one_run_at_a_time_and_it_ends_however_it_ends() {
        let runs = Runs::default();
        let (one, other) = (PracticeId::new("lakeside"), PracticeId::new("harbor"));
        let running = runs.begin(&one, KIND).unwrap();
        assert!(runs.begin(&one, KIND).is_none());
        assert!(runs.begin(&other, KIND).is_some());
        assert!(runs.begin(&one, Published::Overlay).is_some());
        assert_eq!(runs.told(&one, KIND)["done"], 0);
        drop(running);
        assert_eq!(runs.told(&one, KIND), Value::Null);
        assert!(runs.begin(&one, KIND).is_some());
    }
}
