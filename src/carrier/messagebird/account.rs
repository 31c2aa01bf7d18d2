//! `[messagebird.PRACTICE]`: an account as it is configured.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::carrier::Carrier;
use crate::carrier::account::{Account, AccountError, Advice, Site, shown};
use crate::carrier::exchange::{self, Patience};
use crate::carrier::fake::Speaks;
use crate::carrier::messagebird::Messagebird;
use crate::carrier::messagebird::fake::FakeMessagebird;
use crate::domain::secret::Secret;

const API: &str = "https://rest.messagebird.com";

/// A `MessageBird` account.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessagebirdAccount {
    /// The access key that texts are sent with.
    pub access_key: Secret,
    /// The signing keys of webhooks, the current one first. Not the access key.
    pub signing_keys: Vec<Secret>,
    /// Whether webhooks may be signed as they were before the token, which is weaker.
    pub legacy_signatures: bool,
    /// Another address, for a test; empty: `MessageBird`'s own.
    pub base_url: String,
    /// Seconds for one exchange; 0: 20.
    pub timeout_s: u64,
}

impl MessagebirdAccount {
    fn line(&self, site: &Site<'_>) -> Result<Messagebird, AccountError> {
        if self.access_key.is_empty() {
            return Err(AccountError(
                "`access_key` is empty: make a live key (Dashboard, Developers, API access)"
                    .to_owned(),
            ));
        }
        let base = match self.base_url.as_str() {
            "" => API,
            other => other,
        };
        let base = Url::parse(base).ok().filter(|url| !url.cannot_be_a_base());
        let reachable = site.reachable() || !self.base_url.is_empty();
        let keys = self.signing_keys.iter().filter(|key| !key.is_empty());
        Ok(Messagebird {
            http: exchange::client(Patience::seconds(self.timeout_s))
                .map_err(|error| AccountError(format!("no HTTP client can be made: {error}")))?,
            base: base.ok_or_else(|| {
                AccountError("`base_url` is not an http or https address".to_owned())
            })?,
            access_key: self.access_key.secret().clone(),
            signing_keys: keys.map(|key| key.secret().clone()).collect(),
            legacy: self.legacy_signatures,
            report_url: reachable.then(|| site.reports_url()),
            numbers: site.senders().map(|sender| sender.number.clone()).collect(),
            files_out: site.senders().any(|it| it.contact_card.is_some()),
            used: Arc::default(),
        })
    }
}

impl Account for MessagebirdAccount {
    fn shown(&self) -> toml::Value {
        shown(self)
    }

    fn open(&self, site: &Site<'_>) -> Result<Arc<dyn Carrier>, AccountError> {
        Ok(Arc::new(self.line(site)?))
    }

    fn fake(&self, site: &Site<'_>, _base: &str) -> Option<Speaks> {
        let key = self.signing_keys.iter().find(|key| !key.is_empty())?;
        Some(Arc::new(FakeMessagebird {
            access_key: self.access_key.secret().clone(),
            signing_key: key.secret().clone(),
            texts_url: site.texts_url(),
        }))
    }

    fn advise(&self, site: &Site<'_>) -> Vec<Advice> {
        let mut advice = Vec::new();
        if let Err(error) = self.line(site) {
            advice.push(Advice::Bad(error.to_string()));
        }
        if self.signing_keys.iter().all(Secret::is_empty) {
            advice.push(Advice::Bad(
                "signing_keys is empty: every webhook is refused; give the account's signing key \
                 (Dashboard, Developers, API settings)"
                    .to_owned(),
            ));
        }
        if self.legacy_signatures {
            advice.push(Advice::Note(
                "legacy_signatures is on: switch it off once webhooks carry \
                 MessageBird-Signature-JWT"
                    .to_owned(),
            ));
        }
        if !site.reachable() && self.base_url.is_empty() {
            advice.push(Advice::Bad(
                "MessageBird cannot reach public_url: set it to the https address under which \
                 this server is reached"
                    .to_owned(),
            ));
        }
        advice.push(Advice::Note(format!(
            "paste at the number or flow, forward to URL: {}",
            site.texts_url()
        )));
        advice
    }
}
