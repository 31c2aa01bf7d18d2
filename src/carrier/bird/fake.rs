//! Bird as the fake carrier speaks it: the platform and the Channels API.

mod channels;
mod platform;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::carrier::bird::product::Product;
use crate::carrier::fake::{Asked, Dialect, Post, Reply, Said, Sending, Text, Wish};
use crate::carrier::mac;
use crate::domain::message::Delivery;
use crate::domain::phone::E164;
use crate::policy::words::Channel;

/// One account on the fake Bird.
#[derive(Debug)]
pub(super) struct FakeBird {
    pub(super) product: Product,
    pub(super) access_key: SecretString,
    pub(super) signing_key: SecretString,
    pub(super) numbers: Vec<(Channel, E164)>,
    pub(super) base: String,
    pub(super) texts_url: String,
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    for part in parts {
        mac.update(part);
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// How a text goes, in a carrier without MMS.
const fn channel_of(sent: &Sending) -> Channel {
    if sent.whatsapp {
        Channel::Whatsapp
    } else {
        Channel::Sms
    }
}

/// A text at this place of a request.
fn text_at(body: &Value, pointer: &str) -> Option<String> {
    let text = body.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned)
}

impl FakeBird {
    /// The workspace, where it is the Channels API.
    fn workspace(&self) -> Option<&str> {
        match &self.product {
            Product::Platform => None,
            Product::Channels { workspace, .. } => Some(workspace),
        }
    }

    fn sign(&self, event: &Value, id: &str, now: Timestamp) -> Post {
        let body = event.to_string().into_bytes();
        let time = now.as_second().to_string();
        let key = self.signing_key.expose_secret();
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if self.product.is_channels() {
            let digest = mac::digest(&body);
            let parts: [&[u8]; 5] = [
                time.as_bytes(),
                b"\n",
                self.texts_url.as_bytes(),
                b"\n",
                &digest,
            ];
            headers.push(("messagebird-signature", hmac(key.as_bytes(), &parts)));
            headers.push(("messagebird-request-timestamp", time));
        } else {
            let key = STANDARD
                .decode(key.strip_prefix("whsec_").unwrap_or(key))
                .unwrap_or_default();
            let id = format!("msg_{id}_{}", now.as_nanosecond());
            let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", &body];
            headers.push(("webhook-signature", format!("v1,{}", hmac(&key, &parts))));
            headers.push(("webhook-id", id));
            headers.push(("webhook-timestamp", time));
        }
        Post {
            method: Method::POST,
            url: self.texts_url.clone(),
            headers,
            body,
        }
    }

    fn message(&self, text: &Text, state: Delivery) -> Value {
        match self.workspace() {
            None => platform::message(text, state, &self.base),
            Some(_) => self.channels_message(text, state),
        }
    }

    fn refusal(&self, status: StatusCode, code: &str) -> Reply {
        let body = if self.product.is_channels() {
            json!({"code": code, "message": "refused by the fake carrier"})
        } else {
            platform::refusal(status, code)
        };
        Reply::json(status, &body)
    }
}

impl Dialect for FakeBird {
    fn id(&self, number: u64, sent: &Sending) -> String {
        match (self.product.is_channels(), sent.whatsapp) {
            (true, _) => format!("00000000-0000-4000-8000-{number:012x}"),
            (false, true) => format!("wam_{number:026}"),
            (false, false) => format!("sms_{number:026}"),
        }
    }

    fn file_id(&self, text: &str, number: usize) -> String {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let from = digits.len().saturating_sub(24);
        format!(
            "waf_{:0>24}{number:02}",
            digits.get(from..).unwrap_or_default()
        )
    }

    fn codes(&self) -> (&'static str, &'static str) {
        if self.product.is_channels() {
            ("103", "1")
        } else {
            ("recipient_opted_out", "invalid_destination")
        }
    }

    fn read(&self, asked: &Asked<'_>) -> Option<Wish> {
        let path = asked.path.trim_start_matches('/');
        let (scheme, path) = match self.workspace() {
            None => ("Bearer", path.strip_prefix("v1/")?),
            Some(workspace) => (
                "AccessKey",
                path.strip_prefix("workspaces/")?
                    .strip_prefix(workspace)?
                    .strip_prefix('/')?,
            ),
        };
        let right = format!("{scheme} {}", self.access_key.expose_secret());
        let given = asked.header("authorization").unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        let known = matches!(
            parts.first(),
            Some(&("sms" | "whatsapp" | "channels" | "messages"))
        );
        if !known {
            return None;
        }
        if !mac::same(given.as_bytes(), right.as_bytes()) {
            return Some(Wish::Unauthorized);
        }
        Some(match self.workspace() {
            None => self.platform_wish(asked, &parts),
            Some(_) => self.channels_wish(asked, &parts),
        })
    }

    fn reply(&self, said: &Said<'_>) -> Reply {
        match said {
            Said::Taken(text) => {
                let message = self.message(text, Delivery::Accepted);
                Reply::json(StatusCode::ACCEPTED, &message)
            }
            Said::One(text) | Said::Files(text) => {
                Reply::json(StatusCode::OK, &self.message(text, text.state))
            }
            Said::Page(texts, more, _) => {
                let page = texts.iter().map(|text| self.message(text, text.state));
                let page: Vec<Value> = page.collect();
                let more = more.then_some("more");
                let body = if self.product.is_channels() {
                    json!({"results": page, "nextPageToken": more})
                } else {
                    let first = texts.first().map(|it| it.id.clone());
                    json!({
                        "data": page, "next_cursor": more, "prev_cursor": null,
                        "refresh_cursor": first,
                    })
                };
                Reply::json(StatusCode::OK, &body)
            }
            Said::Missing => self.refusal(StatusCode::NOT_FOUND, "not_found"),
            Said::Unauthorized => self.refusal(StatusCode::UNAUTHORIZED, "unauthorized"),
            Said::Refused(code) => self.refusal(StatusCode::UNPROCESSABLE_ENTITY, code),
            Said::Busy(seconds) => {
                let mut reply = self.refusal(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
                reply.headers.push(("retry-after", seconds.to_string()));
                reply
            }
            Said::Broken => Reply::bare(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    fn report(&self, text: &Text, state: Delivery, now: Timestamp) -> Option<Post> {
        let event = match self.workspace() {
            None => platform::report(text, state, now),
            Some(_) => self.channels_report(text, state, now),
        };
        Some(self.sign(&event, &text.id, now))
    }

    fn bring(&self, text: &Text, now: Timestamp) -> Post {
        let event = match self.workspace() {
            None => platform::bring(text, now, &self.base),
            Some(_) => self.channels_bring(text),
        };
        self.sign(&event, &text.id, now)
    }
}
