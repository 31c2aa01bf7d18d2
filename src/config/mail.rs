//! The section `[mail]`: the relay that notices of secure messages go by.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::place::Wrong;
use crate::config::{ConfigError, Secret};
use crate::mail::{Relay, Secrecy, Settings};

/// Longest patience with one exchange, in seconds (RFC 5321, section 4.5.3.2 allows minutes; a relay that
/// is slower is asked again later).
const TIMEOUT_S_MAX: u64 = 120;

/// The relay.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Its name; empty: nobody is mailed.
    pub relay: String,
    /// Its port.
    pub port: u16,
    /// `starttls` or `implicit`.
    pub tls: String,
    /// What it knows us by.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The address that mail comes from.
    pub from: String,
    /// Where bounces go.
    pub bounces_to: String,
    /// A certificate authority of one's own.
    pub ca_file: PathBuf,
    /// Seconds for one exchange.
    pub timeout_s: u64,
}

impl Mail {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if self.tls.parse::<Secrecy>().is_err() {
            let text = "mail.tls: use `starttls` (port 587) or `implicit` (port 465)";
            return Err(Wrong::at("mail.tls", text));
        }
        if !(1..=TIMEOUT_S_MAX).contains(&self.timeout_s) {
            let text = format!("mail.timeout_s: use 1 to {TIMEOUT_S_MAX}");
            return Err(Wrong::at("mail.timeout_s", text));
        }
        let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if !self.relay.chars().all(host) {
            let text = "mail.relay: write the host alone, such as smtp.example.com";
            return Err(Wrong::at("mail.relay", text));
        }
        match self.relay() {
            Ok(_) => Ok(()),
            Err(ConfigError(text)) => {
                let key = text.split(':').next().unwrap_or_default().to_owned();
                Err(Wrong::at(key, text))
            }
        }
    }

    /// The relay; none where none is named.
    pub fn relay(&self) -> Result<Option<Relay>, ConfigError> {
        if self.relay.is_empty() {
            return Ok(None);
        }
        let ca = if self.ca_file.as_os_str().is_empty() {
            None
        } else {
            let read = std::fs::read(&self.ca_file);
            Some(read.map_err(|error| {
                let path = self.ca_file.display();
                ConfigError(format!("mail.ca_file: {path}: {error}"))
            })?)
        };
        Relay::new(&Settings {
            host: self.relay.clone(),
            port: self.port,
            tls: self.tls.parse().unwrap_or(Secrecy::Starttls),
            username: self.username.clone(),
            password: self.password.secret().clone(),
            from: self.from.clone(),
            bounces_to: self.bounces_to.clone(),
            ca,
            timeout: Duration::from_secs(self.timeout_s),
        })
        .map(Some)
        .map_err(|error| ConfigError(error.to_string()))
    }
}
