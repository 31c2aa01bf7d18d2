//! `serve`: the front door, until a signal says stop; then the work in hand is finished.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::cli::assemble::{self, Assembled};
use crate::cli::gateway;
use crate::cli::phone::Simulated;
use crate::cli::reload;
use crate::cli::served::Served;
use crate::cli::set_up::Running;
use crate::cli::{HOLDS, NO_VERDICT, refuse, staff};
use crate::config::Loaded;
use crate::domain::ids::PracticeId;
use crate::pipeline::house::House;
use crate::sso::Provider;
use crate::web::gate::GuardSettings;
use crate::web::router::{ConsoleParts, WebSettings, router};

/// Runs the server until SIGINT or SIGTERM.
pub(super) async fn serve(mut loaded: Loaded) -> u8 {
    let metrics = match PrometheusBuilder::new().install_recorder() {
        Ok(metrics) => metrics,
        Err(error) => return refuse(&format!("metrics cannot start: {error}")),
    };
    let listen = loaded.config.listen;
    // Bound first: a second server finds the port taken before it touches any data.
    let listener = match tokio::net::TcpListener::bind(listen).await {
        Ok(listener) => listener,
        Err(error) => {
            return refuse(&format!(
                "listen = \"{listen}\": {error}; free it or choose another"
            ));
        }
    };
    // Port 0 asks for any free one; the addresses that are printed and signed need the real one.
    if let Ok(bound) = listener.local_addr() {
        loaded.config.listen = bound;
    }
    let kept = loaded.clone();
    let assembled = match assemble::assemble(loaded.config).await {
        Ok(assembled) => assembled,
        Err(error) => return refuse(&error),
    };
    let Assembled {
        house,
        config,
        people,
        public_url,
        simulated,
        tracker,
        stop,
    } = assembled;
    let simulator = simulated.is_some();
    let guard = match gateway::settings(&config, &house, simulator) {
        Ok(guard) => guard,
        Err(error) => return refuse(&error),
    };
    let sso = match providers(&house, &public_url) {
        Ok(sso) => sso,
        Err(error) => return refuse(&error),
    };
    let mut settings = settings((&house, kept), public_url, simulated.as_ref(), guard, &stop);
    settings.console.sso = sso;
    reload::watch(&house, &config, &tracker, &stop);
    let remarks = assemble::remarks(&house).await;
    let sample = if config.practice.is_empty() {
        staff::sample_owner(&house, &settings.public_url).await
    } else {
        None
    };
    greet(&config, simulator, house.model_name(), sample, &remarks);
    let served = Arc::new(Served {
        house: Arc::clone(&house),
        people,
        metrics,
    });
    let front = router(served, settings);
    if let Some(simulated) = simulated {
        drop(simulated.serve(front.clone()));
    }
    let web = tracker.spawn(crate::web::serve::serve(listener, front, stop.clone()));
    wait_for_signal().await;
    stop.cancel();
    drop(house);
    finish(web, &tracker, Duration::from_secs(config.shutdown_s)).await
}

/// Who vouches for the staff of each practice that has such a provider.
fn providers(
    house: &House,
    public_url: &Url,
) -> Result<BTreeMap<PracticeId, Arc<Provider>>, String> {
    let base = public_url.as_str().trim_end_matches('/');
    let mut providers = BTreeMap::new();
    for practice in house.practices() {
        let Some(settings) = &practice.oidc else {
            continue;
        };
        let provider = Provider::new(settings, format!("{base}/console/sso/back"));
        let tell = |error| format!("practice `{}`: {error}", practice.id);
        providers.insert(practice.id.clone(), Arc::new(provider.map_err(tell)?));
    }
    Ok(providers)
}

/// What the front door needs to know.
fn settings(
    (house, loaded): (&Arc<House>, Loaded),
    public_url: Url,
    simulated: Option<&Simulated>,
    guard: GuardSettings,
    stop: &CancellationToken,
) -> WebSettings {
    WebSettings {
        public_url,
        phone: simulated.map(Simulated::phone),
        carriers: house.carriers().clone(),
        guard,
        clock: Arc::clone(house.clock()),
        desk: Some(Arc::clone(house)),
        shutdown: stop.clone(),
        suites: None,
        console: ConsoleParts {
            set_up: Some(Arc::new(Running {
                loaded,
                store: house.store().clone(),
            })),
            ..ConsoleParts::default()
        },
    }
}

/// Lets the work in hand end, within the patience that was configured.
async fn finish(web: JoinHandle<()>, tracker: &TaskTracker, patience: Duration) -> u8 {
    tracing::info!("stopping: no new requests; the work in hand is finished");
    tracker.close();
    let ended = tokio::time::timeout(patience, async {
        let served = web.await;
        tracker.wait().await;
        served.is_ok()
    })
    .await;
    match ended {
        Ok(true) => HOLDS,
        // What is still leased is taken up again when its lease expires, or at the next start.
        Ok(false) | Err(_) => {
            tracing::warn!("some work did not end in time; it is taken up at the next start");
            NO_VERDICT
        }
    }
}

fn greet(
    config: &crate::config::Config,
    simulator: bool,
    model: &str,
    owner: Option<String>,
    remarks: &[String],
) {
    let url = config.public_url();
    let mut lines = vec![format!(
        "anteroom {} is listening on {}",
        env!("CARGO_PKG_VERSION"),
        config.listen
    )];
    if simulator {
        lines.push(format!("  phone to try it with   {url}simulator"));
    }
    lines.push(owner.map_or_else(
        || format!("  staff console          {url}console"),
        |link| format!("  staff console          {link}"),
    ));
    lines.push(format!(
        "  health and metrics     {url}readyz  {url}metrics"
    ));
    lines.push(format!("  model                  {model}"));
    lines.push(format!(
        "  data                   {}",
        config.data_dir.display()
    ));
    lines.extend(remarks.iter().map(|remark| format!("  note: {remark}")));
    eprintln!("{}", lines.join("\n"));
}

pub(super) async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        drop(tokio::signal::ctrl_c().await);
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
