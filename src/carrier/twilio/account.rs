//! `[twilio.PRACTICE]`: an account as it is configured, checked before anything is sent by it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::carrier::Carrier;
use crate::carrier::account::{Account, AccountError, Advice, Site, shown};
use crate::carrier::exchange::Patience;
use crate::carrier::fake::Speaks;
use crate::carrier::twilio::fake::FakeTwilio;
use crate::carrier::twilio::hook::is_sid;
use crate::carrier::twilio::{Twilio, TwilioSettings, TwilioSettingsError};
use crate::domain::secret::Secret;

/// Twilio's own address.
const API: &str = "https://api.twilio.com";

/// Bounds of `validity_s`, as Twilio has them.
const VALIDITY_S: std::ops::RangeInclusive<u32> = 1..=36_000;

/// A Twilio account.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TwilioAccount {
    /// `AC...`.
    pub account_sid: String,
    /// Auth tokens that inbound signatures may be made with, the current one first.
    pub auth_tokens: Vec<Secret>,
    /// `SK...`; empty: the account itself signs in.
    pub api_key_sid: String,
    /// Its secret.
    pub api_key_secret: Secret,
    /// `MG...`: texts go by this Messaging Service, from the number of the conversation.
    pub messaging_service_sid: String,
    /// Twilio region, such as `ie1`; empty: `us1`.
    pub region: String,
    /// Twilio edge, such as `dublin`; empty: the nearest.
    pub edge: String,
    /// Seconds after which Twilio gives a waiting text up; 0: 14,400.
    pub validity_s: u32,
    /// Whether the words of a text are taken off Twilio's books once it has arrived or failed.
    pub redact: bool,
    /// Another host, for a test; empty: Twilio's own.
    pub base_url: String,
    /// Seconds for one exchange; 0: 20.
    pub timeout_s: u64,
}

impl TwilioAccount {
    fn user(&self) -> &str {
        if self.api_key_sid.is_empty() {
            &self.account_sid
        } else {
            &self.api_key_sid
        }
    }

    fn password(&self) -> Option<&Secret> {
        let secret = if self.api_key_sid.is_empty() {
            self.auth_tokens.first()
        } else {
            Some(&self.api_key_secret)
        };
        secret.filter(|secret| !secret.is_empty())
    }

    /// Twilio's host for the region and edge
    /// (<https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region>).
    fn api_base(&self) -> String {
        if !self.base_url.is_empty() {
            return self.base_url.clone();
        }
        match (self.edge.as_str(), self.region.as_str()) {
            ("", "") => API.to_owned(),
            ("", region) => format!("https://api.{region}.twilio.com"),
            (edge, "") => format!("https://api.{edge}.us1.twilio.com"),
            (edge, region) => format!("https://api.{edge}.{region}.twilio.com"),
        }
    }

    fn settings(&self, site: &Site<'_>) -> Result<TwilioSettings, TwilioSettingsError> {
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !plain(&self.region) || !plain(&self.edge) {
            return Err(TwilioSettingsError::Region);
        }
        if self.validity_s != 0 && !VALIDITY_S.contains(&self.validity_s) {
            return Err(TwilioSettingsError::Validity);
        }
        // Twilio refuses a callback that it cannot reach; on a loopback address there is none.
        let reachable = site.reachable() || !self.base_url.is_empty();
        Ok(TwilioSettings {
            api_base: Url::parse(&self.api_base())
                .map_err(|_not_url| TwilioSettingsError::ApiBase)?,
            account_sid: self.account_sid.clone(),
            user: self.user().to_owned(),
            password: self
                .password()
                .ok_or(if self.api_key_sid.is_empty() {
                    TwilioSettingsError::NoToken
                } else {
                    TwilioSettingsError::NoKeySecret
                })?
                .secret()
                .clone(),
            auth_tokens: self
                .auth_tokens
                .iter()
                .filter(|token| !token.is_empty())
                .map(|token| token.secret().clone())
                .collect(),
            messaging_service: (!self.messaging_service_sid.is_empty())
                .then(|| self.messaging_service_sid.clone()),
            validity_s: match self.validity_s {
                0 => super::VALIDITY_S,
                seconds => seconds,
            },
            redact: self.redact,
            texts_url: site.texts_url(),
            status_callback: Url::parse(&site.reports_url()).ok().filter(|_| reachable),
            numbers: site
                .senders()
                .map(|sender| (sender.channel, sender.number.clone()))
                .collect(),
        })
    }
}

impl Account for TwilioAccount {
    fn shown(&self) -> toml::Value {
        shown(self)
    }

    fn open(&self, site: &Site<'_>) -> Result<Arc<dyn Carrier>, AccountError> {
        let settings = self.settings(site);
        let twilio =
            settings.and_then(|settings| Twilio::new(settings, Patience::seconds(self.timeout_s)));
        twilio
            .map(|twilio| Arc::new(twilio) as Arc<dyn Carrier>)
            .map_err(|error| AccountError(error.to_string()))
    }

    fn fake(&self, site: &Site<'_>, base: &str) -> Option<Speaks> {
        let token = self.auth_tokens.iter().find(|token| !token.is_empty())?;
        let mut users = vec![(self.account_sid.clone(), token.secret().clone())];
        if !self.api_key_sid.is_empty() {
            users.push((
                self.api_key_sid.clone(),
                self.api_key_secret.secret().clone(),
            ));
        }
        Some(Arc::new(FakeTwilio {
            account: self.account_sid.clone(),
            users,
            token: token.secret().clone(),
            texts_url: site.texts_url(),
            base: base.trim_end_matches('/').to_owned(),
            numbers: site
                .senders()
                .map(|sender| sender.number.as_str().to_owned())
                .collect(),
        }))
    }

    fn advise(&self, site: &Site<'_>) -> Vec<Advice> {
        let mut advice = Vec::new();
        let made = self
            .settings(site)
            .and_then(|settings| Twilio::new(settings, Patience::seconds(self.timeout_s)));
        if let Err(error) = made {
            // Both are told below, with where to look.
            let told = match error {
                TwilioSettingsError::Service => true,
                TwilioSettingsError::AccountSid => self.account_sid.starts_with("SK"),
                TwilioSettingsError::User
                | TwilioSettingsError::NoToken
                | TwilioSettingsError::NoKeySecret
                | TwilioSettingsError::ApiBase
                | TwilioSettingsError::Region
                | TwilioSettingsError::Validity
                | TwilioSettingsError::Client(_) => false,
            };
            if !told {
                advice.push(Advice::Bad(error.to_string()));
            }
        }
        if self.auth_tokens.iter().all(Secret::is_empty) && !self.api_key_sid.is_empty() {
            advice.push(Advice::Bad(
                "auth_tokens is empty: every webhook is refused; Twilio signs them with the \
                 account's auth token even where texts are sent with an API key (Console, Account, \
                 API keys & tokens)"
                    .to_owned(),
            ));
        }
        if self.account_sid.starts_with("SK") {
            advice.push(Advice::Bad(
                "account_sid holds an API key: put it into api_key_sid, and the AC... of the \
                 Console's start page here"
                    .to_owned(),
            ));
        }
        let service = &self.messaging_service_sid;
        if !service.is_empty() && !is_sid(service, &["MG"]) {
            advice.push(Advice::Bad(
                "messaging_service_sid is not `MG` and 32 hexadecimal digits (Console, Messaging, \
                 Services)"
                    .to_owned(),
            ));
        }
        if !site.reachable() && self.base_url.is_empty() {
            advice.push(Advice::Bad(
                "Twilio cannot reach public_url: set it to the https address under which this \
                 server is reached; until then texts do not come in and nothing is reported"
                    .to_owned(),
            ));
        }
        let paste = if site.reachable() || !self.base_url.is_empty() {
            format!("{}#{}", site.texts_url(), super::INBOUND_RETRIES)
        } else {
            format!(
                "https://(public_url)/webhooks/{}/{}#{}",
                site.kind,
                site.practice.id,
                super::INBOUND_RETRIES
            )
        };
        advice.push(Advice::Note(format!(
            "paste as \"A message comes in\" at each number, WhatsApp sender or Messaging Service, \
             HTTP POST: {paste} (reports need no setting: each text names their address)"
        )));
        advice
    }
}
