//! The section `[guard]`: who may ask the guardrail over HTTP, and in which setting.

use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::config::place::Wrong;
use crate::domain::practice::Practice;

/// Shortest key: shorter ones can be guessed over the network.
const KEY_CHARS_MIN: usize = 20;

/// Longest patience with the model server, in seconds.
const TIMEOUT_S_MAX: u64 = 300;

/// The guard's addresses.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Keys that open them.
    pub api_keys: Vec<Secret>,
    /// The practice in whose setting a chat is reviewed that names none.
    pub practice: String,
    /// Seconds for one answer of the model server.
    pub timeout_s: u64,
    /// A folder with a Hugging Face token-classification model that votes in every review.
    pub token_model: String,
}

impl Guard {
    pub(super) fn check(&self, practices: &[Practice]) -> Result<(), Wrong> {
        let fail = |key: &str, text: String| Err(Wrong::at(key, text));
        for key in &self.api_keys {
            let key = key.secret().expose_secret();
            if key.len() < KEY_CHARS_MIN || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return fail(
                    "guard.api_keys",
                    format!(
                        "guard.api_keys: a key has at least {KEY_CHARS_MIN} ASCII characters and no \
                     spaces; make one with `openssl rand -hex 32`"
                    ),
                );
            }
        }
        let named = practices.iter().any(|it| it.id.as_str() == self.practice);
        if !self.practice.is_empty() && !practices.is_empty() && !named {
            let name = &self.practice;
            return fail(
                "guard.practice",
                format!("guard.practice: there is no practice `{name}`"),
            );
        }
        if !(1..=TIMEOUT_S_MAX).contains(&self.timeout_s) {
            return fail(
                "guard.timeout_s",
                format!("guard.timeout_s: use 1 to {TIMEOUT_S_MAX}"),
            );
        }
        Ok(())
    }
}
