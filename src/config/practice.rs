//! What is asked of each `[[practice]]`, and of its sections with the carriers.

use std::collections::BTreeSet;

use crate::agent::tools::TOOLS;
use crate::config::Config;
use crate::config::place::{Wrong, nearest};
use crate::domain::practice::{CarrierKind, Outreach, Practice};
use crate::domain::sign_on::OidcProvider;
use crate::policy;

/// Refuses what types alone cannot.
pub(super) fn check(config: &Config) -> Result<(), Wrong> {
    let mut types = None;
    let mut seen = BTreeSet::new();
    for (at, practice) in config.practice.iter().enumerate() {
        let id = practice.id.as_str();
        let fail = |key: &str, text: String| {
            let key = format!("practice[{at}].{key}");
            Err(Wrong::at(key, format!("practice `{id}`: {text}")))
        };
        if !seen.insert(id) {
            let text = "named twice; give each practice its own id";
            return fail("id", text.to_owned());
        }
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(slug) {
            return fail("id", "an id has only a-z, 0-9 and -".to_owned());
        }
        let types = types.get_or_insert_with(|| policy::listed_practice_types(&config.policy_dir));
        if !types.contains(&practice.kind) {
            return fail("type", unlisted(&practice.kind, types));
        }
        if jiff::tz::TimeZone::get(&practice.timezone).is_err() {
            let text = format!(
                "timezone `{}` is not known; use one such as `America/Chicago`",
                practice.timezone
            );
            return fail("timezone", text);
        }
        if practice
            .model_cap_usd
            .is_some_and(|usd| !(usd >= 0.0 && usd.is_finite()))
        {
            let text =
                "model_cap_usd is US dollars a calendar month, 0 or more; leave it out for no cap";
            return fail("model_cap_usd", text.to_owned());
        }
        if let Some(Err(text)) = practice.oidc.as_ref().map(OidcProvider::check) {
            return fail("oidc", text);
        }
        if let Some(Err(text)) = practice.outreach.as_ref().map(Outreach::check) {
            return fail("outreach.recall", text);
        }
        if let Some((key, text)) = chat_fault(practice) {
            return fail(&key, text);
        }
        if let Some(text) = unknown_tool(practice) {
            return fail("tools_off", text);
        }
        for (row, sender) in practice.senders.iter().enumerate() {
            let carrier = sender.carrier;
            let wanted = carrier.is_company();
            if wanted && config.accounts.get(carrier, &practice.id).is_none() {
                let key = format!("practice[{at}].sender[{row}].carrier");
                let text =
                    format!("practice `{id}` sends by {carrier}: add a [{carrier}.{id}] section");
                return Err(Wrong::at(key, text));
            }
        }
    }
    for (carrier, id) in config.accounts.names() {
        if !seen.contains(id.as_str()) {
            let text = format!("[{carrier}.{id}]: there is no practice `{id}`");
            return Err(Wrong::at(format!("{carrier}.{id}"), text));
        }
    }
    one_kind_of_sender(config)
}

/// A type that nobody listed would be judged in the dark: what a practice's name and providers tell
/// depends on it, and so does the law.
fn unlisted(kind: &str, listed: &BTreeSet<String>) -> String {
    let list: Vec<&str> = listed.iter().map(String::as_str).collect();
    let meant = nearest(kind, list.iter().copied()).or_else(|| {
        // `abortion_clinic`, `oncology_practice`: the listed word that it begins with.
        list.iter()
            .copied()
            .filter(|word| kind.starts_with(*word))
            .max_by_key(|word| word.len())
    });
    let meant = match meant {
        Some(it) => format!("; did you mean `{it}`? Use one of"),
        None => "; use one of".to_owned(),
    };
    format!("type `{kind}` is not listed{meant} {}", list.join(", "))
}

/// What is wrong with the chat of a practice, and at which key.
fn chat_fault(practice: &Practice) -> Option<(String, String)> {
    let mut senders = practice.senders.iter();
    if let Some(row) = senders.position(|it| it.carrier == CarrierKind::Web) {
        let text = "`web` is no carrier of a [[practice.sender]]; for a chat on the practice's web site \
                    write [practice.webchat] with origins = [\"https://www.example.com\"]";
        return Some((format!("sender[{row}].carrier"), text.to_owned()));
    }
    let chat = practice.webchat.as_ref()?;
    if let Err(text) = chat.check() {
        return Some(("webchat.origins".to_owned(), format!("webchat.{text}")));
    }
    if practice.text_sender().is_none() {
        let text = "webchat: who chats gets a code by text first; add a [[practice.sender]] with \
                    channel = \"sms\"";
        return Some(("webchat".to_owned(), text.to_owned()));
    }
    None
}

/// Each tool that a practice switches off must exist.
fn unknown_tool(practice: &Practice) -> Option<String> {
    let known = || TOOLS.iter().map(|tool| tool.name);
    let unknown = practice
        .tools_off
        .iter()
        .find(|off| !known().any(|name| name == *off))?;
    let names: Vec<&str> = known().collect();
    Some(format!(
        "tools_off names `{unknown}`; the tools are {}",
        names.join(", ")
    ))
}

/// Real and simulated senders do not mix.
fn one_kind_of_sender(config: &Config) -> Result<(), Wrong> {
    let carriers = || {
        config
            .practice
            .iter()
            .flat_map(|practice| &practice.senders)
    };
    let simulated = carriers().any(|sender| sender.carrier == CarrierKind::Simulator);
    let real = carriers().any(|sender| sender.carrier.is_company());
    if simulated && real {
        return Err(Wrong::at(
            "",
            "a simulator sender and a real one: the simulator's page would show real texts to \
             anybody; keep only one kind",
        ));
    }
    Ok(())
}
