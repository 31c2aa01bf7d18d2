//! `[bandwidth.PRACTICE]`: an account as it is configured.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::carrier::Carrier;
use crate::carrier::account::{Account, AccountError, Advice, Site, shown};
use crate::carrier::bandwidth::Bandwidth;
use crate::carrier::bandwidth::fake::FakeBandwidth;
use crate::carrier::exchange::{self, Patience};
use crate::carrier::fake::Speaks;
use crate::domain::clock::SystemClock;
use crate::domain::secret::Secret;

const API: &str = "https://messaging.bandwidth.com/api/v2";

/// A Bandwidth account.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BandwidthAccount {
    /// The account's number.
    pub account_id: String,
    /// The messaging application that the numbers belong to.
    pub application_id: String,
    /// The API user.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// The user of the webhooks' Basic credentials, as set on the application.
    pub webhook_user: String,
    /// Their passwords, the current one first; two during rotation.
    pub webhook_passwords: Vec<Secret>,
    /// Another address, for a test; empty: Bandwidth's own.
    pub base_url: String,
    /// Seconds for one exchange; 0: 20.
    pub timeout_s: u64,
}

impl BandwidthAccount {
    fn line(&self) -> Result<Bandwidth, AccountError> {
        let fail = |text: &str| Err(AccountError(text.to_owned()));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(&self.account_id) {
            return fail("`account_id` is not a Bandwidth account: it is a number (Dashboard)");
        }
        if self.application_id.is_empty() {
            return fail(
                "`application_id` is empty: make a messaging application (Dashboard, \
                 Applications) and give its id",
            );
        }
        if self.user.is_empty() || self.password.is_empty() {
            return fail("`user` or `password` is empty: give those of an API user");
        }
        let base = match self.base_url.as_str() {
            "" => API,
            other => other,
        };
        let not_url = || AccountError("`base_url` is not an http or https address".to_owned());
        let mut account = Url::parse(base).map_err(|_not_url| not_url())?;
        account
            .path_segments_mut()
            .map_err(|()| not_url())?
            .pop_if_empty()
            .extend(["users", &self.account_id]);
        let passwords = self.webhook_passwords.iter().filter(|it| !it.is_empty());
        Ok(Bandwidth {
            http: exchange::client(Patience::seconds(self.timeout_s))
                .map_err(|error| AccountError(format!("no HTTP client can be made: {error}")))?,
            account,
            application: self.application_id.clone(),
            user: self.user.clone(),
            password: self.password.secret().clone(),
            hooks: passwords
                .map(|it| (self.webhook_user.clone(), it.secret().clone()))
                .collect(),
            clock: Arc::new(SystemClock),
        })
    }
}

impl Account for BandwidthAccount {
    fn shown(&self) -> toml::Value {
        shown(self)
    }

    fn open(&self, _site: &Site<'_>) -> Result<Arc<dyn Carrier>, AccountError> {
        Ok(Arc::new(self.line()?))
    }

    fn fake(&self, site: &Site<'_>, base: &str) -> Option<Speaks> {
        let line = self.line().ok()?;
        let password = self.webhook_passwords.iter().find(|it| !it.is_empty())?;
        Some(Arc::new(FakeBandwidth {
            root: line.account.path().to_owned(),
            application: self.application_id.clone(),
            user: (self.user.clone(), self.password.secret().clone()),
            hook: (self.webhook_user.clone(), password.secret().clone()),
            texts_url: site.texts_url(),
            reports_url: site.reports_url(),
            base: base.trim_end_matches('/').to_owned(),
        }))
    }

    fn advise(&self, site: &Site<'_>) -> Vec<Advice> {
        let mut advice = Vec::new();
        if let Err(error) = self.line() {
            advice.push(Advice::Bad(error.to_string()));
        }
        if self.webhook_user.is_empty() || self.webhook_passwords.iter().all(Secret::is_empty) {
            advice.push(Advice::Bad(
                "webhook_user or webhook_passwords is empty: every webhook is refused; set Basic \
                 credentials on the application and repeat them here"
                    .to_owned(),
            ));
        }
        if !site.reachable() && self.base_url.is_empty() {
            advice.push(Advice::Bad(
                "Bandwidth cannot reach public_url: set it to the https address under which this \
                 server is reached"
                    .to_owned(),
            ));
        }
        advice.push(Advice::Note(format!(
            "paste at the application, inbound callback: {}, status callback: {}",
            site.texts_url(),
            site.reports_url()
        )));
        advice
    }
}
