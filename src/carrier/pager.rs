//! Pages: an alarm told to whoever is on call, as a Standard Webhook over HTTPS.
//!
//! <https://www.standardwebhooks.com>: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,...`
//! (HMAC-SHA256 of `id.timestamp.body` under a shared secret). The body holds no name, number or word
//! of a patient: which practice, which kind of alarm, its number and how long it has been open.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

use crate::carrier::exchange::{self, Patience};
use crate::domain::alarm::Alarm;

/// Shortest secret, in bytes; the specification asks for 24 to 64.
const SECRET_BYTES_MIN: usize = 24;

/// A pager that cannot be used, with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPager {
    /// Not an address that a page may go to.
    #[error("alarm.webhook: write an https:// address (http:// only to this machine)")]
    Address,
    /// Not a secret that signs.
    #[error(
        "alarm.secret: write whsec_ and at least 24 bytes in base64; \
         make one with `echo whsec_$(openssl rand -base64 32)`"
    )]
    Secret,
    /// The client for it cannot be made.
    #[error("alarm.webhook: no HTTP client can be made on this machine")]
    Client,
}

/// Why a page was not taken; told in the log without the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPaged {
    /// No answer.
    Unreachable,
    /// An answer that is no 2xx.
    Refused(u16),
}

/// The line to whoever is on call.
#[derive(Debug)]
pub struct Pager {
    http: Client,
    address: Url,
    key: SecretSlice<u8>,
}

impl Pager {
    /// A pager for this address, whose pages are signed with this secret (`whsec_...`).
    pub fn new(address: &str, secret: &SecretString) -> Result<Self, BadPager> {
        let address = Url::parse(address).map_err(|_detail| BadPager::Address)?;
        let near = matches!(
            address.host_str(),
            Some("127.0.0.1" | "localhost" | "[::1]")
        );
        if address.scheme() != "https" && !(address.scheme() == "http" && near) {
            return Err(BadPager::Address);
        }
        let encoded = secret.expose_secret();
        let encoded = encoded.strip_prefix("whsec_").ok_or(BadPager::Secret)?;
        let key = STANDARD
            .decode(encoded)
            .map_err(|_detail| BadPager::Secret)?;
        if key.len() < SECRET_BYTES_MIN {
            return Err(BadPager::Secret);
        }
        Ok(Self {
            http: exchange::client(Patience::default()).map_err(|_detail| BadPager::Client)?,
            address,
            key: key.into(),
        })
    }

    /// Tells an alarm; the same alarm and count has the same id, so that a receiver sees a repetition.
    pub async fn page(&self, alarm: &Alarm, now: Timestamp) -> Result<(), NotPaged> {
        let kind = if alarm.repeated == 0 {
            "alarm.raised"
        } else {
            "alarm.repeated"
        };
        let body = serde_json::json!({
            "type": kind,
            "timestamp": now,
            "data": {
                "alarm": alarm.id.0,
                "kind": alarm.kind.as_str(),
                "practice": alarm.practice.as_str(),
                "raised": alarm.raised,
                "repeated": alarm.repeated,
                "minutes_open": now.duration_since(alarm.raised).as_mins(),
                "acknowledge": format!("anteroom alarm ack {} --by NAME", alarm.id),
            },
        })
        .to_string();
        let id = format!("alarm-{}-{}", alarm.id, alarm.repeated);
        let at = now.as_second().to_string();
        let signature = self.signature(&id, &at, &body);
        let request = self
            .http
            .post(self.address.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", &at)
            .header("webhook-signature", signature)
            .body(body);
        let answer = request
            .send()
            .await
            .map_err(|_detail| NotPaged::Unreachable)?;
        let status = answer.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(NotPaged::Refused(status.as_u16()))
        }
    }

    fn signature(&self, id: &str, at: &str, body: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.expose_secret()) else {
            return String::new();
        };
        for part in [id, ".", at, ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}
