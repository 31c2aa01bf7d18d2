//! The section `[llm]`: who drafts, who drafts instead, and what that costs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::Secret;
use crate::config::place::Wrong;

/// The most that a million tokens may cost, in US dollars: more is a slip of the point.
const PRICE_MAX: f64 = 10_000.0;

/// Where a model is that nobody moved.
const OPENAI: &str = "https://api.openai.com/v1";

/// The longest that one call may take, in seconds: a patient waits.
const TIMEOUT_S_MAX: u64 = 120;

/// The language model.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Llm {
    /// `auto`, `offline`, `openai` or `azure`.
    pub kind: String,
    /// Where the server is.
    pub base_url: String,
    /// The version of Azure's deployments API, where `kind` is `azure`.
    pub api_version: String,
    /// Which model.
    pub model: String,
    /// Its key.
    pub api_key: Secret,
    /// Seconds for one call.
    pub timeout_s: u64,
    /// Tokens for a conversation.
    pub budget_tokens: usize,
    /// A tokenizer.json.
    pub tokenizer: PathBuf,
    /// US dollars for a million tokens that it reads.
    pub price_in: f64,
    /// US dollars for a million tokens that it writes.
    pub price_out: f64,
    /// Who drafts when it cannot, in this order.
    #[serde(default, rename = "fallback")]
    pub fallbacks: Vec<Fallback>,
}

/// A model that drafts when the one before it cannot.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// `openai` or `azure`.
    #[serde(default = "fallback_kind")]
    pub kind: String,
    /// The version of Azure's deployments API, where `kind` is `azure`.
    #[serde(default)]
    pub api_version: String,
    /// Where the server is.
    pub base_url: String,
    /// Which model.
    pub model: String,
    /// Its key; empty for a server that wants none.
    #[serde(default)]
    pub api_key: Secret,
    /// Seconds for one call.
    #[serde(default = "fallback_timeout_s")]
    pub timeout_s: u64,
    /// US dollars for a million tokens that it reads.
    #[serde(default)]
    pub price_in: f64,
    /// US dollars for a million tokens that it writes.
    #[serde(default)]
    pub price_out: f64,
}

fn fallback_kind() -> String {
    "openai".to_owned()
}

/// A patient has waited for the first model already.
const fn fallback_timeout_s() -> u64 {
    10
}

impl Llm {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let kinds = ["auto", "offline", "openai", "azure"];
        if !kinds.contains(&self.kind.as_str()) {
            let key = "llm.kind";
            let text = format!("{key}: use `auto`, `offline`, `openai` or `azure`");
            return Err(Wrong::at(key, text));
        }
        check_azure("llm", (&self.kind, &self.base_url, &self.api_version))?;
        check_prices("llm", [self.price_in, self.price_out])?;
        for (at, fallback) in self.fallbacks.iter().enumerate() {
            let place = format!("llm.fallback[{at}]");
            let fail = |key: &str, text: String| {
                let key = format!("{place}.{key}");
                Err(Wrong::at(key.clone(), format!("{key}: {text}")))
            };
            match Url::parse(&fallback.base_url) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {}
                _ => return fail("base_url", "write it as https://llm.example.com/v1".into()),
            }
            if fallback.model.is_empty() {
                return fail("model", "name the model".to_owned());
            }
            if !(1..=TIMEOUT_S_MAX).contains(&fallback.timeout_s) {
                return fail("timeout_s", format!("use 1 to {TIMEOUT_S_MAX}"));
            }
            if !["openai", "azure"].contains(&fallback.kind.as_str()) {
                return fail("kind", "use `openai` or `azure`".to_owned());
            }
            let azure = (&*fallback.kind, &*fallback.base_url, &*fallback.api_version);
            check_azure(&place, azure)?;
            check_prices(&place, [fallback.price_in, fallback.price_out])?;
        }
        Ok(())
    }
}

/// What Azure's deployments API needs: the address of a resource, and a version by its date.
fn check_azure(place: &str, (kind, base_url, version): (&str, &str, &str)) -> Result<(), Wrong> {
    if kind != "azure" {
        return Ok(());
    }
    let fail = |key: &str, text: &str| {
        let key = format!("{place}.{key}");
        Err(Wrong::at(key.clone(), format!("{key}: {text}")))
    };
    if base_url.contains("/openai") || base_url == OPENAI {
        return fail(
            "base_url",
            "with kind = \"azure\" write the resource alone, as https://NAME.openai.azure.com; its \
             /openai/v1 address goes with kind = \"openai\"",
        );
    }
    let date = version.get(..10).unwrap_or_default();
    if date.parse::<jiff::civil::Date>().is_err() {
        return fail(
            "api_version",
            "write the version of Azure's API, such as 2024-10-21",
        );
    }
    Ok(())
}

fn check_prices(place: &str, prices: [f64; 2]) -> Result<(), Wrong> {
    for (key, price) in ["price_in", "price_out"].into_iter().zip(prices) {
        if !(0.0..=PRICE_MAX).contains(&price) {
            let key = format!("{place}.{key}");
            let text = format!("{key}: US dollars for a million tokens, 0 to {PRICE_MAX}");
            return Err(Wrong::at(key, text));
        }
    }
    Ok(())
}
