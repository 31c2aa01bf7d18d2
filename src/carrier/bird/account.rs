//! `[bird.PRACTICE]`: an account as it is configured.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::carrier::Carrier;
use crate::carrier::account::{Account, AccountError, Advice, Site, shown};
use crate::carrier::bird::Bird;
use crate::carrier::bird::fake::FakeBird;
use crate::carrier::bird::product::Product;
use crate::carrier::exchange::{self, Patience};
use crate::carrier::fake::Speaks;
use crate::domain::secret::Secret;
use crate::policy::words::Channel;

/// A Bird account.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BirdAccount {
    /// `platform` (keys `bk_...`) or `channels` (the Channels API of a workspace).
    pub product: String,
    /// The key that texts are sent with.
    pub access_key: Secret,
    /// What webhooks are signed with, the current one first: `whsec_...` of the platform, or the
    /// signing key of the Channels API.
    pub signing_keys: Vec<Secret>,
    /// The workspace, of the Channels API.
    pub workspace: String,
    /// The channel that SMS goes by, of the Channels API.
    pub channel: String,
    /// The channel that WhatsApp goes by, of the Channels API.
    pub whatsapp_channel: String,
    /// Another address, for a test; empty: Bird's own.
    pub base_url: String,
    /// Seconds for one exchange; 0: 20.
    pub timeout_s: u64,
}

impl BirdAccount {
    fn base(&self, key: &str) -> Result<String, AccountError> {
        if !self.base_url.is_empty() {
            return Ok(self.base_url.clone());
        }
        if self.product == "channels" {
            return Ok("https://api.bird.com".to_owned());
        }
        // The key names its region: `bk_{region}_...`.
        let region = key
            .strip_prefix("bk_")
            .and_then(|rest| rest.split('_').next());
        let plain = |it: &&str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric());
        let region = region.filter(plain).ok_or_else(|| {
            AccountError(
                "`access_key` is no key of the Bird platform: it begins with bk_".to_owned(),
            )
        })?;
        Ok(format!("https://{region}.platform.bird.com"))
    }

    fn line(&self, site: &Site<'_>) -> Result<Bird, AccountError> {
        let fail = |text: &str| Err(AccountError(text.to_owned()));
        let product = match self.product.as_str() {
            "platform" => Product::Platform,
            "channels" if self.workspace.is_empty() => {
                return fail("`workspace` is empty: give its id (Settings, Workspace)");
            }
            "channels" if self.channel.is_empty() && self.whatsapp_channel.is_empty() => {
                return fail(
                    "`channel` and `whatsapp_channel` are empty: give the id of the one that \
                     texts go by, or of both (Channels)",
                );
            }
            "channels" => Product::Channels {
                workspace: self.workspace.clone(),
                sms: self.channel.clone(),
                whatsapp: self.whatsapp_channel.clone(),
            },
            _ => return fail("`product` is `platform` (keys bk_...) or `channels`"),
        };
        if self.access_key.is_empty() {
            return fail("`access_key` is empty: make one (Settings, Access keys)");
        }
        let base = {
            use secrecy::ExposeSecret as _;
            self.base(self.access_key.secret().expose_secret())?
        };
        let base = Url::parse(&base).ok().filter(|url| !url.cannot_be_a_base());
        let keys = self.signing_keys.iter().filter(|key| !key.is_empty());
        Ok(Bird {
            http: exchange::client(Patience::seconds(self.timeout_s))
                .map_err(|error| AccountError(format!("no HTTP client can be made: {error}")))?,
            base: base.ok_or_else(|| {
                AccountError("`base_url` is not an http or https address".to_owned())
            })?,
            product,
            access_key: self.access_key.secret().clone(),
            signing_keys: keys.map(|key| key.secret().clone()).collect(),
            numbers: site
                .senders()
                .map(|sender| (sender.channel, sender.number.clone()))
                .collect(),
        })
    }
}

impl Account for BirdAccount {
    fn shown(&self) -> toml::Value {
        shown(self)
    }

    fn open(&self, site: &Site<'_>) -> Result<Arc<dyn Carrier>, AccountError> {
        Ok(Arc::new(self.line(site)?))
    }

    fn fake(&self, site: &Site<'_>, base: &str) -> Option<Speaks> {
        let line = self.line(site).ok()?;
        line.numbers.first()?;
        let key = self.signing_keys.iter().find(|key| !key.is_empty())?;
        Some(Arc::new(FakeBird {
            product: line.product,
            access_key: self.access_key.secret().clone(),
            signing_key: key.secret().clone(),
            numbers: line.numbers,
            base: base.trim_end_matches('/').to_owned(),
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
                "signing_keys is empty: every webhook is refused; give the secret that was shown \
                 when the webhook subscription was made"
                    .to_owned(),
            ));
        }
        if self.product == "channels" {
            self.advise_channels(site, &mut advice);
        }
        if !site.reachable() && self.base_url.is_empty() {
            advice.push(Advice::Bad(
                "Bird cannot reach public_url: set it to the https address under which this \
                 server is reached"
                    .to_owned(),
            ));
        }
        let events = if self.product == "channels" {
            "sms.inbound, sms.outbound, whatsapp.inbound, whatsapp.outbound, whatsapp.interaction"
        } else {
            "sms.* and whatsapp.*"
        };
        advice.push(Advice::Note(format!(
            "subscribe texts and their states ({events}) to: {}",
            site.texts_url()
        )));
        advice
    }
}

impl BirdAccount {
    /// One channel of a workspace carries one number.
    fn advise_channels(&self, site: &Site<'_>, advice: &mut Vec<Advice>) {
        for (channel, key, id) in [
            (Channel::Sms, "channel", &self.channel),
            (
                Channel::Whatsapp,
                "whatsapp_channel",
                &self.whatsapp_channel,
            ),
        ] {
            let senders = site.senders().filter(|it| it.channel == channel).count();
            if senders > 1 {
                advice.push(Advice::Bad(format!(
                    "one channel carries one number: keep one [[practice.sender]] with carrier = \
                     \"bird\" and channel = \"{channel}\""
                )));
            }
            if senders > 0 && id.is_empty() {
                advice.push(Advice::Bad(format!(
                    "{key} is empty: texts by {channel} are not sent; give the id of the channel \
                     that has the number (Channels)"
                )));
            }
        }
    }
}
