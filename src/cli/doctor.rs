//! `doctor`: what is missing or wrong before real patients text, each with its remedy.

mod chat;
mod mail;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::carrier::account::{Advice, Site};
use crate::cli::assemble::{model_key, open_store, writable};
use crate::cli::guardrail;
use crate::cli::records::{self, Told};
use crate::cli::{FINDINGS, HOLDS};
use crate::config::{Config, Loaded};
use crate::domain::agreement::Lack;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::practice::{CarrierKind, Practice};
use crate::pipeline::papers::{ENDING_DAYS, Missing, Register};
use crate::policy::PolicyError;
use crate::policy::law::Law;
use crate::policy::law::channels::Carries;
use crate::policy::law::terms::{Confidence, Standing};
use crate::policy::words::Jurisdiction;
use crate::store::Store;

/// A model server that takes longer to be connected to is of no use to a patient who waits.
const REACHED_WITHIN: Duration = Duration::from_secs(5);

/// How a check ended.
pub(super) enum Finding {
    Good(String),
    /// Worth knowing; nothing is broken.
    Note(String),
    /// Must be mended before real patients text.
    Bad(String),
}

/// Looks at everything and says what it found, a line each.
pub(super) async fn doctor(loaded: &Loaded) -> u8 {
    let mut code = HOLDS;
    for (what, finding) in examine(loaded, None).await {
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

/// Looks at everything; with the store that a running server has open, where there is one.
pub(super) async fn examine(
    loaded: &Loaded,
    store: Option<&Store>,
) -> Vec<(&'static str, Finding)> {
    let config = &loaded.config;
    let mut findings = vec![
        ("configuration", configuration(loaded)),
        ("clock", clock()),
        ("data folder", folder(config)),
        ("database", database(config, store).await),
        ("public address", public_address(config)),
        ("model", model(config).await),
        ("paging", paging(config)),
        ("e-mail", mail::mail(config).await),
        ("gateway", gateway(config)),
        ("names in texts", names(config)),
    ];
    let papers = agreements(config, store).await.into_iter();
    findings.extend(papers.map(|it| ("agreements", it)));
    findings.push(("policy", policy(config)));
    findings.push(("law", unverified(config)));
    findings.extend(accounts(config).await);
    findings.extend(chat::chats(config));
    findings.extend(records(config).await);
    findings
}

/// The accounts with carriers: what can be seen from here, then what the carrier says.
async fn accounts(config: &Config) -> Vec<(&'static str, Finding)> {
    let Ok(public_url) = url::Url::parse(&config.public_url()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for practice in &config.practice {
        for kind in CarrierKind::ALL {
            let Some(account) = config.accounts.get(*kind, &practice.id) else {
                continue;
            };
            let site = Site {
                kind: *kind,
                practice,
                public_url: &public_url,
            };
            let mut advice = account.advise(&site);
            if let Ok(line) = account.open(&site) {
                advice.extend(line.examine().await);
            }
            findings.extend(advice.into_iter().map(|it| {
                let say = |text: String| format!("[{kind}.{}] {text}", practice.id);
                let finding = match it {
                    Advice::Good(text) => Finding::Good(say(text)),
                    Advice::Note(text) => Finding::Note(say(text)),
                    Advice::Bad(text) => Finding::Bad(say(text)),
                };
                ("carrier", finding)
            }));
        }
    }
    findings
}

/// The FHIR servers that practices name: whether they let us in, and what they lack.
async fn records(config: &Config) -> Vec<(&'static str, Finding)> {
    let mut findings = Vec::new();
    for practice in &config.practice {
        let told = match records::server(practice, Arc::new(SystemClock)) {
            None => continue,
            Some(Err(error)) => vec![Told::Bad(error)],
            Some(Ok(server)) => records::examine(&server).await,
        };
        findings.extend(told.into_iter().map(|it| {
            let say = |text: String| format!("[{}] {text}", practice.id);
            let finding = match it {
                Told::Good(text) => Finding::Good(say(text)),
                Told::Note(text) => Finding::Note(say(text)),
                Told::Bad(text) => Finding::Bad(say(text)),
            };
            ("record", finding)
        }));
    }
    findings
}

fn real(config: &Config) -> bool {
    let mut senders = config
        .practice
        .iter()
        .flat_map(|practice| &practice.senders);
    senders.any(|sender| sender.carrier.is_company())
}

/// Whether anybody would be paged when a patient's text raises an alarm.
fn paging(config: &Config) -> Finding {
    match config.alarm.pager() {
        Ok(Some(_)) => Finding::Good("alarms are told to [alarm] webhook".to_owned()),
        Ok(None) => {
            let text = "nobody would be paged on an emergency: set [alarm] webhook and secret; until \
                        then somebody must watch `anteroom alarm list`";
            if real(config) {
                Finding::Bad(text.to_owned())
            } else {
                Finding::Note(text.to_owned())
            }
        }
        Err(error) => Finding::Bad(error.to_string()),
    }
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
async fn database(config: &Config, store: Option<&Store>) -> Finding {
    if let Some(store) = store {
        return match store.ping().await {
            Ok(()) => Finding::Good("answers".to_owned()),
            Err(error) => Finding::Bad(error.to_string()),
        };
    }
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
    if model_key(llm).is_none() {
        return Finding::Note(
            "offline rules; set OPENAI_API_KEY or [llm] for a language model".to_owned(),
        );
    }
    let fallbacks = llm.fallbacks.iter().map(|it| (&it.model, &it.base_url));
    let mut told = Vec::new();
    let mut unreached = Vec::new();
    for (model, address) in std::iter::once((&llm.model, &llm.base_url)).chain(fallbacks) {
        let Ok(url) = url::Url::parse(address) else {
            return Finding::Bad(
                "llm.base_url is not an address; write it as https://api.openai.com/v1".to_owned(),
            );
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let connecting = tokio::net::TcpStream::connect((host.as_str(), port));
        match tokio::time::timeout(REACHED_WITHIN, connecting).await {
            Ok(Ok(_)) => told.push(format!("{model} at {host}:{port} can be reached")),
            Ok(Err(_)) | Err(_) => unreached.push(format!("{host}:{port}")),
        }
    }
    if unreached.is_empty() {
        return Finding::Good(told.join("; then "));
    }
    let meanwhile = if told.is_empty() {
        "texts are answered offline meanwhile".to_owned()
    } else {
        told.join("; ")
    };
    Finding::Bad(format!(
        "{} cannot be reached; check llm.base_url and the network ({meanwhile})",
        unreached.join(" and ")
    ))
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

/// What patients read as the practice's name, where the name tells a condition.
fn names(config: &Config) -> Finding {
    let guardrail = match guardrail::configured(config) {
        Ok(guardrail) => guardrail,
        Err(_told_under_policy) => return Finding::Note("not looked at".to_owned()),
    };
    let (mut neutral, mut bad) = (Vec::new(), Vec::new());
    for practice in &config.practice {
        let id = &practice.id;
        if guardrail.name_tells(&practice.text_name) {
            bad.push(format!("[{id}] text_name tells a condition by itself"));
        } else if guardrail.name_tells(&practice.name) && practice.text_name.is_empty() {
            neutral.push(format!(
                "[{id}] `name` tells a condition by itself, so texts say \"Your Care Team\""
            ));
        }
    }
    if !bad.is_empty() {
        return Finding::Bad(format!(
            "{}; use words that tell none, such as \"Lakeside\"",
            bad.join("; ")
        ));
    }
    if neutral.is_empty() {
        return Finding::Good("tell no condition".to_owned());
    }
    Finding::Note(format!(
        "{}; set text_name to one that patients know and that tells none, such as \"Lakeside\"",
        neutral.join("; ")
    ))
}

/// Every agreement that is missing, from the configuration and from the register in the database.
async fn agreements(config: &Config, store: Option<&Store>) -> Vec<Finding> {
    let law = match law(config) {
        Ok(law) => law,
        Err(error) => return vec![Finding::Bad(error.to_string())],
    };
    let tracker = TaskTracker::new();
    // The running server keeps an embedded database to itself; the configuration is read all the same.
    let opened = match store {
        Some(_) => None,
        None => open_store(config, &tracker).await.ok(),
    };
    let register = Register {
        law: Arc::clone(&law),
        store: store.or(opened.as_ref()),
        now: SystemClock.now(),
    };
    let hosts = model_hosts(config);
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let (mut missing, mut barred) = (Vec::new(), Vec::new());
    for practice in &config.practice {
        match register.missing(practice, &hosts).await {
            // What no paper opens is not waiting for one.
            Ok(more) => more.into_iter().for_each(|it| {
                if it.papers.contains(&Lack::Barred) {
                    barred.push(Finding::Note(no_paper_helps(&law, practice, &it)));
                } else {
                    missing.push(it.to_string());
                }
            }),
            Err(error) => return vec![Finding::Bad(error.to_string())],
        }
    }
    let mut findings = barred;
    let papers = papers(config, &register, &missing).await;
    // Where nothing else needs a paper, "in force with all" would say too much.
    if findings.is_empty() || matches!(papers, Finding::Bad(_)) {
        findings.push(papers);
    }
    findings
}

/// A channel that carries nothing about a patient whatever is signed, and by which numbers the same
/// carrier would.
fn no_paper_helps(law: &Law, practice: &Practice, it: &Missing) -> String {
    let rules = law.channels().rules.iter();
    let others: BTreeSet<&str> = rules
        .filter(|rule| rule.carries == Carries::Phi)
        .filter(|rule| {
            let mut channels = rule.channel.iter();
            channels.any(|channel| it.what == format!("{} {channel}", rule.carrier))
        })
        .flat_map(|rule| rule.number_type.iter().map(|kind| kind.as_str()))
        .collect();
    let others: Vec<String> = others.iter().map(|kind| format!("`{kind}`")).collect();
    let instead = if others.is_empty() {
        String::new()
    } else {
        let others = others.join(" or ");
        format!("; under an agreement a number of number_type {others} may")
    };
    format!(
        "practice `{}`, {}: carries nothing about a patient, whatever is signed{instead}",
        practice.id, it.what
    )
}

/// The agreements that are missing or about to end.
async fn papers(config: &Config, register: &Register<'_>, missing: &[String]) -> Finding {
    if missing.is_empty() {
        let mut ending = Vec::new();
        for practice in &config.practice {
            match register.ending(practice, ENDING_DAYS).await {
                Ok(more) => ending.extend(more.into_iter().filter_map(|it| {
                    let last = it.until?;
                    let (id, with, over) = (&practice.id, it.counterparty, it.product);
                    Some(format!("practice `{id}`, {with} ({over}): ends on {last}"))
                })),
                Err(error) => return Finding::Bad(error.to_string()),
            }
        }
        if !ending.is_empty() {
            return Finding::Bad(format!(
                "{}; record what follows with `anteroom agreement add`, or from the day after nothing \
                 about a patient goes there",
                ending.join("; ")
            ));
        }
        return if real(config) {
            Finding::Good("in force with every carrier and with the model's vendor".to_owned())
        } else {
            Finding::Note("none needed: no real carrier is configured".to_owned())
        };
    }
    let unread = if register.store.is_none() {
        " (the register could not be read while the server runs; the configuration was)"
    } else {
        ""
    };
    Finding::Bad(format!(
        "{}; until `anteroom agreement add` records it, nothing about a patient goes there{unread}",
        missing.join("; ")
    ))
}

/// The hosts of the configured language models, each once.
pub(super) fn model_hosts(config: &Config) -> Vec<String> {
    let llm = &config.llm;
    if model_key(llm).is_none() {
        return Vec::new();
    }
    let fallbacks = llm.fallbacks.iter().map(|it| &it.base_url);
    let urls = std::iter::once(&llm.base_url).chain(fallbacks);
    let mut hosts: Vec<String> = urls
        .filter_map(|url| url::Url::parse(url).ok()?.host_str().map(str::to_owned))
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn policy(config: &Config) -> Finding {
    match guardrail::configured(config) {
        Ok(guardrail) if config.policy_dir.as_os_str().is_empty() => {
            Finding::Good(format!("built in, digest {}", guardrail.digest()))
        }
        Ok(guardrail) => Finding::Good(format!(
            "{} over the built-in one, digest {}",
            config.policy_dir.display(),
            guardrail.digest()
        )),
        Err(error) => Finding::Bad(format!(
            "{error} (a running server keeps its last good policy; it does not start with this one)"
        )),
    }
}

/// The law that is configured; where it is refused, the built-in one.
fn law(config: &Config) -> Result<Arc<Law>, PolicyError> {
    match guardrail::policy(&config.policy_dir) {
        Ok(policy) => Ok(Arc::clone(policy.law())),
        Err(_told_under_policy) => Law::embedded().map(Arc::new),
    }
}

/// How much of the law that applies to these practices nobody has verified.
fn unverified(config: &Config) -> Finding {
    let law = match law(config) {
        Ok(law) => law,
        Err(error) => return Finding::Bad(error.to_string()),
    };
    let states: BTreeSet<Jurisdiction> = config.practice.iter().map(|it| it.state).collect();
    let applies = |state: Jurisdiction| {
        state == Jurisdiction::UNKNOWN
            || states.contains(&state)
            || states.contains(&Jurisdiction::UNKNOWN)
    };
    let mut unverified = Vec::new();
    let mut counted = 0;
    let mut approved = 0;
    for rule in law.rules().filter(|rule| applies(rule.jurisdiction)) {
        counted += usize::from(rule.standing() != Standing::House);
        approved += usize::from(rule.confidence == Confidence::CounselApproved);
        if rule.standing() == Standing::Unverified {
            unverified.push(rule.id.to_string());
        }
    }
    let shown: Vec<&str> = unverified.iter().map(String::as_str).take(6).collect();
    let more = unverified.len().saturating_sub(shown.len());
    let and = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Finding::Note(format!(
        "{counted} rules of law apply, {approved} approved by counsel, {} not verified: {}{and}; see \
         `anteroom policy states`",
        unverified.len(),
        shown.join(", ")
    ))
}
