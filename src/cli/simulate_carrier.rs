//! `simulate-carrier`: the carriers of the configuration, played on this machine, with faults by a
//! seed.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::carrier::exchange::Poster;
use crate::carrier::fake::{Fake, Faults};
use crate::cli::serve::wait_for_signal;
use crate::cli::{HOLDS, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::web::fake::{FakeSite, Hooks, Way, fake_router};

/// Plays the carriers until SIGINT or SIGTERM.
pub(super) async fn simulate(loaded: &Loaded, listen: SocketAddr, faults: Faults) -> u8 {
    let config = &loaded.config;
    let public_url = match url::Url::parse(&config.public_url()) {
        Ok(url) => url,
        Err(error) => return refuse(&format!("public_url: {error}")),
    };
    let listener = match tokio::net::TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return refuse(&format!(
                "--listen {listen}: {error}; free it or choose another"
            ));
        }
    };
    let listen = listener.local_addr().unwrap_or(listen);
    let base = format!("http://{listen}");
    let lines = config.accounts.fakes(&config.practice, &public_url, &base);
    if lines.is_empty() {
        return refuse(
            "there is no account to play: configure a practice with a sender and its section, \
             such as [twilio.lakeside], with invented secrets",
        );
    }
    let Some(poster) = Poster::new() else {
        return refuse("no HTTP client can be made on this machine");
    };
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    eprintln!(
        "anteroom plays {} at {base}\n  set base_url = \"{base}\" in each section, then start `anteroom serve`\n  \
         text as a patient: POST {base}/fake/messages {{\"line\",\"from\",\"to\",\"body\"}}\n  \
         what it saw:       GET {base}/fake/messages, GET {base}/fake/report",
        names.join(", ")
    );
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let site = FakeSite {
        fake: Arc::new(Fake::new(lines, faults).begun(SystemClock.now())),
        clock: Arc::new(SystemClock),
        way: Way::Http(poster),
        hooks: Hooks::default(),
        tracker: tracker.clone(),
        stop: stop.clone(),
    };
    let served = tracker.spawn(crate::web::serve::serve(
        listener,
        fake_router(site),
        stop.clone(),
    ));
    wait_for_signal().await;
    stop.cancel();
    tracker.close();
    drop(served.await);
    tracker.wait().await;
    HOLDS
}
