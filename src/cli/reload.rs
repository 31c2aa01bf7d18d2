//! Reload: the policy folder is read again when its files change or SIGHUP comes; what is refused
//! leaves the last good policy in force, and is seen in the log, in /readyz, in the metrics and by
//! `doctor`.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::guardrail;
use crate::config::Config;
use crate::pipeline::house::House;
use crate::policy::Policy;

/// How often the folder is looked at. Polled, not watched: watching sees no change of a network
/// share, and loses a folder that is swapped by its link, as orchestrators do.
const LOOK: Duration = Duration::from_secs(1);

/// Starts reading the folder again and again. Where none is configured, SIGHUP finds nothing to do
/// and ends nothing.
pub(super) fn watch(
    house: &Arc<House>,
    config: &Config,
    tracker: &TaskTracker,
    stop: &CancellationToken,
) {
    let (house, config, stop) = (Arc::clone(house), Arc::new(config.clone()), stop.clone());
    tracker.spawn(async move {
        let mut asked = signals();
        let folder = !config.policy_dir.as_os_str().is_empty();
        let mut loaded = look(&config).await;
        let mut before = loaded.clone();
        loop {
            let now = tokio::select! {
                () = stop.cancelled() => return,
                () = hung_up(&mut asked) => None,
                () = tokio::time::sleep(LOOK), if folder => look(&config).await,
            };
            if !folder {
                tracing::info!("SIGHUP: no policy_dir is configured; nothing is read again");
                continue;
            }
            // Files are saved one after another: only a folder that rests is read.
            let rests = now == before;
            before.clone_from(&now);
            if now.is_none() || (rests && now != loaded) {
                loaded = load(&house, &config).await;
                before.clone_from(&loaded);
            }
        }
    });
}

/// What the folder looks like.
async fn look(config: &Arc<Config>) -> Option<String> {
    let config = Arc::clone(config);
    let looked = tokio::task::spawn_blocking(move || Policy::fingerprint(&config.policy_dir));
    looked.await.ok()
}

/// Reads the folder and puts it in force, or notes what is wrong with it; what was read.
async fn load(house: &Arc<House>, config: &Arc<Config>) -> Option<String> {
    let own = Arc::clone(config);
    let read = tokio::task::spawn_blocking(move || {
        // Looked at first: what is saved meanwhile is seen at the next look.
        let looks = Policy::fingerprint(&own.policy_dir);
        (looks, guardrail::configured(&own))
    });
    let (looks, outcome) = read.await.ok()?;
    let now = house.clock().now();
    let noted = match outcome {
        Ok(guardrail) => house.take_policy(guardrail, now).await,
        Err(error) => house.refuse_policy(error, now).await,
    };
    if let Err(error) = noted {
        tracing::error!(%error, "the audit log does not tell of the policy's change");
    }
    Some(looks)
}

fn signals() -> Option<tokio::signal::unix::Signal> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::hangup()).ok()
}

/// Ends when SIGHUP comes; never where it cannot be heard.
async fn hung_up(signal: &mut Option<tokio::signal::unix::Signal>) {
    let heard = match signal {
        Some(signal) => signal.recv().await.is_some(),
        None => false,
    };
    if !heard {
        std::future::pending::<()>().await;
    }
}
