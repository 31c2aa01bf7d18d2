//! Logging to standard error: what happened, never what was said.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::Log;

/// Targets that would print bodies: `async_openai` logs answers that it cannot read.
const SILENCED: &str = "async_openai=off,sqlx=warn,hyper=warn,reqwest=warn";

/// Starts logging as configured.
pub(super) fn start(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(format!("{},{SILENCED}", log.level)).map_err(|error| {
        format!("log.level: {error}; use error, warn, info, debug, trace or a tracing filter")
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = if log.format == "json" {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        registry.with(layer.with_ansi(false)).try_init()
    };
    started.map_err(|error| format!("logging cannot start: {error}"))
}

/// Tells where a panic was, never its message: that may quote the text that it stumbled over.
pub(super) fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "panicked; please report it as a bug");
        } else {
            eprintln!("anteroom: panicked at {place}; please report it as a bug");
        }
    }));
}
