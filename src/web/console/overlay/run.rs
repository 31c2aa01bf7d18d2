//! The suites and stored drafts, asked about what is in work: one run at a time, watched while it runs.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::eval::gate::{self, Asking, Gate};
use crate::eval::load::Files;
use crate::eval::shadow::Shadow;
use crate::pipeline::house::House;
use crate::web::console::overlay::{KIND, Work, digest};
use crate::web::console::prompts::{Running, Runs};
use crate::web::console::seat::{Seat, desk, to};
use crate::web::problem::Problem;
use crate::web::router::Door;

/// Stored drafts that are judged again.
const REPLAY: u32 = 2_000;
/// Changed decisions that are listed.
const LISTED_MAX: usize = 50;

/// How far the run is, for the script of the page.
pub(in crate::web::console) async fn progress(
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
) -> Response {
    Json(runs.told(&seat.staff.practice, KIND)).into_response()
}

/// Begins a run over what is in work, and shows the page.
pub(in crate::web::console) async fn run(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(runs): Extension<Runs>,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let work = Work::of(house, &seat).await?;
    if work.draft.is_some()
        && let Some(running) = runs.begin(&seat.staff.practice, KIND)
    {
        let (house, suites) = (Arc::clone(house), door.settings.suites.clone());
        let by = seat.staff.actor();
        // Cases are run on threads that nobody's answer waits for.
        tokio::task::spawn_blocking(move || {
            let handle = tokio::runtime::Handle::current();
            handle.block_on(asked(house, work, suites, by, running));
        });
    }
    Ok(to("/console/policy/overlay#gate"))
}

async fn asked(
    house: Arc<House>,
    work: Work,
    suites: Option<Arc<Files>>,
    by: String,
    running: Running,
) {
    let Some(draft) = &work.draft else {
        return;
    };
    let outcome = gated(&house, &work, suites, &running).await;
    let (report, passed) = told(&outcome);
    let digest = digest(&house, &work.next);
    let kept = house.store().draft_gated(
        (running.practice(), KIND),
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

async fn gated(
    house: &House,
    work: &Work,
    suites: Option<Arc<Files>>,
    running: &Running,
) -> Result<(Gate, Shadow), String> {
    let suites = match &suites {
        Some(files) => gate::suites(files),
        None => gate::shipped(),
    };
    let asking = Asking {
        practice: running.practice().clone(),
        replay: REPLAY,
        suites: suites?,
        threads: 1,
        now: house.clock().now(),
    };
    let base = house.guardrail();
    let with = |files| base.policy().with(files).map_err(|error| error.to_string());
    let both = (with(&work.live)?, with(&work.next)?);
    gate::policy(house.store(), asking, both, None, running.progress()).await
}

/// What is kept of a run: why nothing may be published, and what would be decided otherwise.
fn told(outcome: &Result<(Gate, Shadow), String>) -> (String, bool) {
    let told = match outcome {
        Ok((gate, shadow)) => {
            let rules: Vec<Value> = shadow
                .by_rule()
                .iter()
                .map(|((rule, how), count)| json!({ "rule": rule, "how": how, "count": count }))
                .collect();
            let listed: Vec<Value> = shadow
                .changes
                .iter()
                .take(LISTED_MAX)
                .map(|it| {
                    json!({
                        "review": it.review, "conversation": it.conversation,
                        "before": it.before.as_str(), "after": it.after.as_str(),
                        "looser": it.looser(), "rules": it.rules,
                    })
                })
                .collect();
            // Nothing is accepted here that lets more leave: the console has no word for it.
            let refusal = gate.refusal();
            let refusal = refusal.map(|it| match it.split_once(". If that is meant") {
                Some((why, _)) => format!("{why}. An overlay only tightens."),
                None => it,
            });
            json!({
                "refusal": refusal, "sha256": gate.report_digest(), "held": gate.held, "of": gate.of,
                "failures": gate.failures.iter().take(gate::NAMED_MAX).collect::<Vec<_>>(),
                "failed": gate.failures.len(), "drafts": shadow.drafts,
                "changed": shadow.changes.len(), "rules": rules, "listed": listed,
            })
        }
        Err(error) => json!({ "refusal": error, "sha256": "", "held": 0, "of": 0 }),
    };
    let passed = told.get("refusal").is_some_and(Value::is_null);
    (told.to_string(), passed)
}
