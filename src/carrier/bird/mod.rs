//! Bird: SMS by the platform API (idempotent writes, Standard Webhooks) or by the Channels API of a
//! workspace (its own signature). WhatsApp by Bird is not carried.

mod account;
mod codes_table;
mod fake;
mod hook;
pub mod signature;

use http::{Method, StatusCode};
use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

pub use account::BirdAccount;
pub use codes_table::CODES;

use crate::carrier::account::Advice;
use crate::carrier::codes::{self, ErrorClass, class_in};
use crate::carrier::exchange;
use crate::carrier::hear::{Call, Event, Refusal, Report};
use crate::carrier::{Answering, Capabilities, Carrier, Keywords};
use crate::domain::message::{Delivery, Outbound, SendOutcome};
use crate::domain::phone::E164;
use crate::policy::words::Channel;

/// Most characters of one text: twelve segments of GSM-7, the platform's cap.
const TEXT_CHARS_MAX: usize = 1_836;

const HOOK_BYTES_MAX: usize = 128 * 1024;

/// Which of Bird's interfaces.
#[derive(Clone, Debug)]
pub(crate) enum Product {
    /// `https://{region}.platform.bird.com`.
    Platform,
    /// `https://api.bird.com/workspaces/...`.
    Channels {
        /// The workspace.
        workspace: String,
        /// The channel.
        channel: String,
    },
}

/// A carrier that posts to one Bird account.
#[derive(Clone, Debug)]
pub struct Bird {
    http: Client,
    base: Url,
    product: Product,
    access_key: SecretString,
    signing_keys: Vec<SecretString>,
    numbers: Vec<E164>,
}

impl Bird {
    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut address = self.base.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let scheme = match self.product {
            Product::Platform => "Bearer",
            Product::Channels { .. } => "AccessKey",
        };
        let key = format!("{scheme} {}", self.access_key.expose_secret());
        self.http
            .request(method, address)
            .header(http::header::AUTHORIZATION, key)
    }

    async fn post(&self, outbound: &Outbound) -> SendOutcome {
        if outbound.channel != Channel::Sms || outbound.template.is_some() {
            return exchange::not_carried("channel_not_carried");
        }
        if outbound.body.as_str().chars().count() > TEXT_CHARS_MAX {
            return exchange::not_carried("text_too_long");
        }
        let request = match &self.product {
            Product::Platform => self
                .request(Method::POST, &["v1", "sms", "messages"])
                .header("idempotency-key", &outbound.reference)
                .json(&json!({
                    "to": outbound.to.as_str(),
                    "from": outbound.from.as_str(),
                    "text": outbound.body.as_str(),
                    "category": "transactional",
                    "metadata": {"reference": outbound.reference},
                    // Smart encoding turns fractions into digits.
                    "options": {"smart_encoding": false},
                })),
            Product::Channels { workspace, channel } => self
                .request(
                    Method::POST,
                    &["workspaces", workspace, "channels", channel, "messages"],
                )
                .json(&json!({
                    "receiver": {"contacts": [{
                        "identifierKey": "phonenumber",
                        "identifierValue": outbound.to.as_str(),
                    }]},
                    "reference": outbound.reference,
                    "body": {"type": "text", "text": {"text": outbound.body.as_str()}},
                })),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return self.safe(exchange::broken(&error)),
        };
        let status = answer.status();
        let after_ms = exchange::retry_after_ms(&answer);
        let body = exchange::read_capped(answer).await;
        let body = body.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
        if status.is_success() {
            let id = body.as_ref().and_then(|body| body.get("id")?.as_str());
            return match id.filter(|id| hook::is_id(id)) {
                Some(id) => SendOutcome::Accepted {
                    carrier_id: id.to_owned(),
                    delivery: body
                        .as_ref()
                        .and_then(|body| hook::delivery(body.get("status")?.as_str()?))
                        .unwrap_or(Delivery::Accepted),
                },
                None => self.safe(exchange::unreadable()),
            };
        }
        let code = body.as_ref().and_then(|body| {
            let code = body.pointer("/error/code").or_else(|| body.get("code"));
            code?.as_str().map(str::to_owned)
        });
        self.safe(codes::ending(
            CODES,
            status.as_u16(),
            code.as_deref(),
            after_ms,
        ))
    }

    /// On the platform one reference is one text however often it is handed over, so doubt is no
    /// more than a reason to try again.
    fn safe(&self, outcome: SendOutcome) -> SendOutcome {
        match (&self.product, outcome) {
            (Product::Platform, SendOutcome::Unknown { code }) if code != "http_501" => {
                SendOutcome::Retry {
                    code,
                    after_ms: None,
                }
            }
            (_, outcome) => outcome,
        }
    }

    async fn look_up(&self, outbound: &Outbound) -> Option<Option<SendOutcome>> {
        let Product::Channels { workspace, channel } = &self.product else {
            return Some(None);
        };
        let path = ["workspaces", workspace, "channels", channel, "messages"];
        let query = [("reference", outbound.reference.as_str()), ("limit", "50")];
        let answer = self
            .request(Method::GET, &path)
            .query(&query)
            .send()
            .await
            .ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let page: Value = serde_json::from_slice(&exchange::read_capped(answer).await?).ok()?;
        let ours =
            page.get("results")?.as_array()?.iter().find(|it| {
                it.get("reference").and_then(Value::as_str) == Some(&outbound.reference)
            });
        // A list that was not narrowed to the reference, and not read to its end, proves nothing.
        let ours = match ours {
            None if page.get("nextPageToken").is_some_and(Value::is_string) => return None,
            ours => ours,
        };
        Some(match ours {
            Some(it) => Some(SendOutcome::Accepted {
                carrier_id: it.get("id")?.as_str()?.to_owned(),
                delivery: it
                    .get("status")
                    .and_then(Value::as_str)
                    .and_then(hook::delivery)
                    .filter(|told| !told.has_failed())
                    .unwrap_or(Delivery::Sent),
            }),
            None => None,
        })
    }

    async fn state_of(&self, carrier_id: &str) -> Option<Event> {
        if !hook::is_id(carrier_id) {
            return None;
        }
        let path: Vec<&str> = match &self.product {
            Product::Platform => vec!["v1", "sms", "messages", carrier_id],
            Product::Channels { workspace, channel } => {
                vec![
                    "workspaces",
                    workspace,
                    "channels",
                    channel,
                    "messages",
                    carrier_id,
                ]
            }
        };
        let answer = self.request(Method::GET, &path).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let it: Value = serde_json::from_slice(&exchange::read_capped(answer).await?).ok()?;
        Some(Event::Report(Report {
            carrier_id: carrier_id.to_owned(),
            delivery: hook::delivery(it.get("status")?.as_str()?)?,
            code: it
                .pointer("/error/code")
                .or_else(|| it.pointer("/failure/source/code"))
                .and_then(Value::as_str)
                .map(str::to_owned),
            reference: None,
        }))
    }

    fn hear_call(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        if call.method != Method::POST {
            return Err(Refusal::method());
        }
        let refused = |reason| {
            Refusal::forbidden(
                reason,
                "the signature does not fit: check product, signing_keys, the public address and \
                 the clock",
            )
        };
        let keys = &self.signing_keys;
        match &self.product {
            Product::Platform => {
                let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
                let [Some(id), Some(time), Some(signature)] = headers.map(|name| call.header(name))
                else {
                    return Err(refused(scheme_of(call)));
                };
                if !signature::standard_fits(keys, id, time, call.body, signature, call.now) {
                    return Err(refused("wrong_signature"));
                }
                Ok(vec![hook::platform(call.body, call.now)?])
            }
            Product::Channels { .. } => {
                let signature = call.header("messagebird-signature");
                let time = call.header("messagebird-request-timestamp");
                let (Some(signature), Some(time)) = (signature, time) else {
                    return Err(refused(scheme_of(call)));
                };
                if !signature::channels_fits(keys, time, call.url, call.body, signature, call.now) {
                    return Err(refused("wrong_signature"));
                }
                let only = match self.numbers.as_slice() {
                    [only] => Some(only),
                    _ => None,
                };
                Ok(vec![hook::channels(call.body, only, call.now)?])
            }
        }
    }

    async fn examine_account(&self) -> Vec<Advice> {
        let request = match &self.product {
            Product::Platform => self
                .request(Method::GET, &["v1", "sms", "messages"])
                .query(&[("limit", "1")]),
            Product::Channels { workspace, channel } => {
                self.request(Method::GET, &["workspaces", workspace, "channels", channel])
            }
        };
        vec![match request.send().await {
            Ok(answer) if answer.status().is_success() => {
                Advice::Good("Bird accepts the access key".to_owned())
            }
            Ok(answer) if matches!(answer.status().as_u16(), 401 | 403) => Advice::Bad(
                "Bird refuses access_key: make one with the right to send (Settings, Access keys)"
                    .to_owned(),
            ),
            Ok(answer) if answer.status() == StatusCode::NOT_FOUND => {
                Advice::Bad("Bird does not know this workspace or channel".to_owned())
            }
            Ok(answer) => Advice::Bad(format!("Bird answers {}", answer.status())),
            Err(_unreachable) => {
                Advice::Bad("Bird cannot be reached: check the network".to_owned())
            }
        }]
    }
}

/// Whether a webhook that lacks the right headers is signed by another product's scheme.
fn scheme_of(call: &Call<'_>) -> &'static str {
    let others = [
        "webhook-signature",
        "messagebird-signature",
        "messagebird-signature-jwt",
    ];
    if others.iter().any(|name| call.header(name).is_some()) {
        "wrong_scheme"
    } else {
        "no_signature"
    }
}

impl Carrier for Bird {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: &[Channel::Sms],
            text_max: TEXT_CHARS_MAX,
            media: false,
            media_out: false,
            window: &[],
            templates: &[],
            keywords: Keywords::CarrierReplies,
            reports: true,
            idempotent: matches!(self.product, Product::Platform),
            listing: false,
            redacts: false,
            hook_bytes_max: HOOK_BYTES_MAX,
        }
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        Box::pin(self.post(outbound))
    }

    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        _since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        Box::pin(self.look_up(outbound))
    }

    fn hear(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        self.hear_call(call)
    }

    fn class_of(&self, code: &str) -> Option<ErrorClass> {
        class_in(CODES, code)
    }

    fn look<'a>(&'a self, carrier_id: &'a str) -> Answering<'a, Option<Event>> {
        Box::pin(self.state_of(carrier_id))
    }

    fn examine(&self) -> Answering<'_, Vec<Advice>> {
        Box::pin(self.examine_account())
    }
}
