//! Checking: what the types of a configuration cannot refuse by themselves.

use crate::config::{Config, ConfigError};
use crate::domain::practice::CarrierKind;

/// What types alone cannot refuse.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let fail = |text: String| Err(ConfigError(text));
    if !["json", "text"].contains(&config.log.format.as_str()) {
        return fail("log.format: use `json` or `text`".to_owned());
    }
    if !["auto", "offline", "openai"].contains(&config.llm.kind.as_str()) {
        return fail("llm.kind: use `auto`, `offline` or `openai`".to_owned());
    }
    if !config.public_url.is_empty() {
        match url::Url::parse(&config.public_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {}
            _ => return fail("public_url: write it as https://text.example.com".to_owned()),
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for practice in &config.practice {
        let id = practice.id.as_str();
        if !seen.insert(id) {
            return fail(format!(
                "practice `{id}`: named twice; give each practice its own id"
            ));
        }
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(slug) {
            return fail(format!("practice `{id}`: an id has only a-z, 0-9 and -"));
        }
        if jiff::tz::TimeZone::get(&practice.timezone).is_err() {
            return fail(format!(
                "practice `{id}`: timezone `{}` is not known; use one such as `America/Chicago`",
                practice.timezone
            ));
        }
        let twilio = practice
            .senders
            .iter()
            .any(|sender| sender.carrier == CarrierKind::Twilio);
        if twilio && !config.twilio.contains_key(id) {
            return fail(format!(
                "practice `{id}` sends by twilio: add a [twilio.{id}] section"
            ));
        }
    }
    for id in config.twilio.keys() {
        if !seen.contains(id.as_str()) {
            return fail(format!("[twilio.{id}]: there is no practice `{id}`"));
        }
    }
    let carriers = || {
        config
            .practice
            .iter()
            .flat_map(|practice| &practice.senders)
    };
    let simulated = carriers().any(|sender| sender.carrier == CarrierKind::Simulator);
    let real = carriers().any(|sender| sender.carrier != CarrierKind::Simulator);
    if simulated && real {
        return fail(
            "a simulator sender and a real one: the simulator's page would show real texts to \
             anybody; keep only one kind"
                .to_owned(),
        );
    }
    Ok(())
}
