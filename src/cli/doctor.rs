//! `doctor`: what is missing or wrong before real patients text, each with its remedy.

use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::cli::assemble::{open_store, writable};
use crate::cli::guardrail;
use crate::cli::{FINDINGS, HOLDS};
use crate::config::{Config, Loaded};
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::practice::CarrierKind;

/// How a check ended.
enum Finding {
    Good(String),
    /// Worth knowing; nothing is broken.
    Note(String),
    /// Must be mended before real patients text.
    Bad(String),
}

/// Looks at everything and says what it found, a line each.
pub(super) async fn doctor(loaded: &Loaded) -> u8 {
    let config = &loaded.config;
    let findings = [
        ("configuration", configuration(loaded)),
        ("clock", clock()),
        ("data folder", folder(config)),
        ("database", database(config).await),
        ("public address", public_address(config)),
        ("model", model(config).await),
        ("gateway", gateway(config)),
        ("agreements", agreements(config)),
        ("policy", policy(config)),
    ];
    let mut code = HOLDS;
    for (what, finding) in findings {
        let (mark, text) = match finding {
            Finding::Good(text) => ("ok  ", text),
            Finding::Note(text) => ("note", text),
            Finding::Bad(text) => {
                code = FINDINGS;
                ("BAD ", text)
            }
        };
        println!("{mark}  {what:<15} {text}");
    }
    code
}

fn real(config: &Config) -> bool {
    let mut senders = config
        .practice
        .iter()
        .flat_map(|practice| &practice.senders);
    senders.any(|sender| sender.carrier != CarrierKind::Simulator)
}

fn configuration(loaded: &Loaded) -> Finding {
    match (&loaded.file, loaded.config.practice.len()) {
        (_, 0) => Finding::Note(
            "no [[practice]]: the sample practice with invented patients runs".to_owned(),
        ),
        (Some(file), count) => Finding::Good(format!("{}: {count} practice(s)", file.display())),
        (None, count) => Finding::Good(format!("environment: {count} practice(s)")),
    }
}

/// Nothing that this program was built from is from the future.
fn clock() -> Finding {
    let now = SystemClock.now();
    let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    if !(2026..2100).contains(&year) {
        return Finding::Bad(format!(
            "the clock says {year}; start time synchronisation (systemd-timesyncd, chrony)"
        ));
    }
    Finding::Good(format!("{now:.0}"))
}

fn folder(config: &Config) -> Finding {
    match writable(&config.data_dir) {
        Ok(()) => Finding::Good(config.data_dir.display().to_string()),
        Err(error) => Finding::Bad(format!(
            "{}: {error}; give the user that runs anteroom write access",
            config.data_dir.display()
        )),
    }
}

/// Opens the database as the server would: key file, rights, version, schema, wrong key.
async fn database(config: &Config) -> Finding {
    let tracker = TaskTracker::new();
    match open_store(config, &tracker).await {
        Ok(store) => match store.ping().await {
            Ok(()) => Finding::Good("opens with its master key".to_owned()),
            Err(error) => Finding::Bad(error.to_string()),
        },
        Err(error) if error.contains("another process") => {
            Finding::Note(format!("{error} (right, if that is the running server)"))
        }
        Err(error) => Finding::Bad(error),
    }
}

fn public_address(config: &Config) -> Finding {
    let url = config.public_url();
    let outside = url.starts_with("https://");
    match (real(config), outside) {
        (_, true) => Finding::Good(url),
        (false, false) => Finding::Note(format!(
            "{url}: good for this machine only; set public_url for patients"
        )),
        (true, false) => Finding::Bad(format!(
            "{url}: carriers and patients need https; set public_url to what they open"
        )),
    }
}

async fn model(config: &Config) -> Finding {
    let llm = &config.llm;
    let key =
        !llm.api_key.is_empty() || std::env::var("OPENAI_API_KEY").is_ok_and(|key| !key.is_empty());
    if llm.kind == "offline" || (llm.kind == "auto" && !key) {
        return Finding::Note(
            "offline rules; set OPENAI_API_KEY or [llm] for a language model".to_owned(),
        );
    }
    let Ok(url) = url::Url::parse(&llm.base_url) else {
        return Finding::Bad(
            "llm.base_url is not an address; write it as https://api.openai.com/v1".to_owned(),
        );
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let connecting = tokio::net::TcpStream::connect((host.as_str(), port));
    match tokio::time::timeout(Duration::from_secs(5), connecting).await {
        Ok(Ok(_)) => Finding::Good(format!("{} at {host}:{port} can be reached", llm.model)),
        Ok(Err(_)) | Err(_) => Finding::Bad(format!(
            "{host}:{port} cannot be reached; check llm.base_url and the network (texts are answered offline meanwhile)"
        )),
    }
}

/// Who may call the guard's addresses.
fn gateway(config: &Config) -> Finding {
    match (config.guard.api_keys.len(), real(config)) {
        (0, true) => Finding::Note("off; set [guard] api_keys to use it".to_owned()),
        (0, false) => Finding::Note(
            "open to programs on this machine; others need [guard] api_keys".to_owned(),
        ),
        (count, _) => Finding::Good(format!("opens with {count} key(s)")),
    }
}

fn agreements(config: &Config) -> Finding {
    let today = SystemClock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut missing = Vec::new();
    for practice in &config.practice {
        for carrier in practice.uncovered(today) {
            missing.push(format!("{} with {carrier}", practice.id));
        }
    }
    missing.sort_unstable();
    if missing.is_empty() {
        return if real(config) {
            Finding::Good("in force with every carrier".to_owned())
        } else {
            Finding::Note("none needed: no real carrier is configured".to_owned())
        };
    }
    Finding::Bad(format!(
        "missing or expired: {}; until [[practice.agreement]] records it, texts with PHI stay here",
        missing.join(", ")
    ))
}

fn policy(config: &Config) -> Finding {
    match guardrail::load(Some(config.guard.token_model.as_ref())) {
        Ok(guardrail) => Finding::Good(format!("digest {}", guardrail.digest())),
        Err(error) => Finding::Bad(error),
    }
}
