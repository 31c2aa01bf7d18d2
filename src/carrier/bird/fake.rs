//! Bird as the fake carrier speaks it: the platform and the Channels API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::carrier::bird::Product;
use crate::carrier::fake::{Asked, Dialect, Filter, Post, Reply, Said, Sending, Text, Wish};
use crate::carrier::mac;
use crate::domain::message::Delivery;

/// One account on the fake Bird.
#[derive(Debug)]
pub(super) struct FakeBird {
    pub(super) product: Product,
    pub(super) access_key: SecretString,
    pub(super) signing_key: SecretString,
    pub(super) number: String,
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

const fn status(state: Delivery, channels: bool) -> &'static str {
    match (state, channels) {
        (Delivery::Queued | Delivery::Sending, true) => "processing",
        (Delivery::Queued | Delivery::Sending, false)
        | (Delivery::Pending | Delivery::Unknown | Delivery::Accepted, _) => "accepted",
        (Delivery::Sent, _) => "sent",
        (Delivery::Delivered | Delivery::Read, _) => "delivered",
        (Delivery::Undelivered | Delivery::Suppressed | Delivery::Failed, true) => {
            "delivery_failed"
        }
        (Delivery::Undelivered | Delivery::Suppressed | Delivery::Failed, false) => "undelivered",
    }
}

impl FakeBird {
    const fn channels(&self) -> bool {
        matches!(self.product, Product::Channels { .. })
    }

    fn sign(&self, event: &Value, id: &str, now: Timestamp) -> Post {
        let body = event.to_string().into_bytes();
        let time = now.as_second().to_string();
        let key = self.signing_key.expose_secret();
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if self.channels() {
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
        json!({
            "id": text.id,
            "status": status(state, self.channels()),
            "direction": if text.inbound { "incoming" } else { "outgoing" },
            "reference": text.sent.reference,
            "to": text.sent.to,
            "from": text.sent.from,
            "text": text.sent.body,
            "metadata": {"reference": text.sent.reference},
            "error": text.code.map(|code| json!({"code": code})),
        })
    }

    fn send(&self, asked: &Asked<'_>) -> Wish {
        let Ok(body) = serde_json::from_slice::<Value>(asked.body) else {
            return Wish::Refuse("invalid_request");
        };
        let text = |pointer: &str| {
            let text = body.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned)
        };
        let (to, from, words, reference) = if self.channels() {
            (
                text("/receiver/contacts/0/identifierValue"),
                Some(self.number.clone()),
                text("/body/text/text"),
                text("/reference"),
            )
        } else {
            (
                text("/to"),
                text("/from"),
                text("/text"),
                text("/metadata/reference"),
            )
        };
        let (Some(to), Some(from), Some(words)) = (to, from, words) else {
            return Wish::Refuse("invalid_request");
        };
        if !self.channels() && text("/category").is_none() {
            return Wish::Refuse("invalid_request");
        }
        Wish::Send(Sending {
            from,
            to,
            body: words,
            reference,
            once: asked.header("idempotency-key").map(str::to_owned),
            ..Sending::default()
        })
    }
}

fn refusal(status: StatusCode, code: &str) -> Reply {
    let body = json!({
        "code": code,
        "message": "refused by the fake carrier",
        "error": {"code": code},
    });
    Reply::json(status, &body)
}

impl Dialect for FakeBird {
    fn id(&self, number: u64) -> String {
        if self.channels() {
            format!("00000000-0000-4000-8000-{number:012x}")
        } else {
            format!("sms_{number:026}")
        }
    }

    fn codes(&self) -> (&'static str, &'static str) {
        if self.channels() {
            ("103", "1")
        } else {
            ("recipient_opted_out", "invalid_destination")
        }
    }

    fn read(&self, asked: &Asked<'_>) -> Option<Wish> {
        let (root, scheme) = match &self.product {
            Product::Platform => ("/v1/sms/messages".to_owned(), "Bearer"),
            Product::Channels { workspace, channel } => (
                format!("/workspaces/{workspace}/channels/{channel}"),
                "AccessKey",
            ),
        };
        let path = asked.path.strip_prefix(&root)?;
        let right = format!("{scheme} {}", self.access_key.expose_secret());
        let given = asked.header("authorization").unwrap_or_default();
        if !mac::same(given.as_bytes(), right.as_bytes()) {
            return Some(Wish::Unauthorized);
        }
        let path = if self.channels() {
            match path.strip_prefix("/messages") {
                Some(path) => path,
                None if path.is_empty() => {
                    return Some(Wish::Say(Reply::json(
                        StatusCode::OK,
                        &json!({"status": "active"}),
                    )));
                }
                None => return Some(Wish::Refuse("invalid_request")),
            }
        } else {
            path
        };
        Some(
            match (asked.method.as_str(), path.trim_start_matches('/')) {
                ("POST", "") => self.send(asked),
                ("GET", "") => Wish::List(Filter {
                    reference: asked.param("reference"),
                    page: (50, 0),
                    ..Filter::default()
                }),
                ("GET", id) => Wish::Look(id.to_owned()),
                _ => Wish::Refuse("invalid_request"),
            },
        )
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
                let results: Vec<Value> = texts
                    .iter()
                    .map(|text| self.message(text, text.state))
                    .collect();
                let body = json!({"results": results, "nextPageToken": more.then_some("more")});
                Reply::json(StatusCode::OK, &body)
            }
            Said::Missing => refusal(StatusCode::NOT_FOUND, "not_found"),
            Said::Unauthorized => refusal(StatusCode::UNAUTHORIZED, "unauthorized"),
            Said::Refused(code) => refusal(StatusCode::UNPROCESSABLE_ENTITY, code),
            Said::Busy(seconds) => {
                let mut reply = refusal(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
                reply.headers.push(("retry-after", seconds.to_string()));
                reply
            }
            Said::Broken => Reply::bare(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    fn report(&self, text: &Text, state: Delivery, now: Timestamp) -> Option<Post> {
        let failed = state == Delivery::Undelivered;
        let code = text.code.filter(|_| failed);
        let event = if self.channels() {
            let mut payload = self.message(text, state);
            if let (Some(code), Some(fields)) = (code, payload.as_object_mut()) {
                let failure = json!({"source": {"name": "sms-messagebird", "code": code}});
                fields.insert("failure".to_owned(), failure);
            }
            json!({"service": "channels", "event": "sms.outbound", "payload": payload})
        } else {
            json!({
                "type": format!("sms.{}", status(state, false)),
                "timestamp": format!("{now:.0}"),
                "data": {
                    "sms_id": text.id,
                    "metadata": {"reference": text.sent.reference},
                    "error": code.map(|code| json!({"code": code})),
                },
            })
        };
        Some(self.sign(&event, &text.id, now))
    }

    fn bring(&self, text: &Text, now: Timestamp) -> Post {
        let event = if self.channels() {
            json!({"service": "channels", "event": "sms.inbound", "payload": {
                "id": text.id,
                "sender": {"contact": {
                    "identifierKey": "phonenumber", "identifierValue": text.sent.from,
                }},
                "receiver": {"connector": {"identifierValue": text.sent.to}},
                "body": {"type": "text", "text": {"text": text.sent.body}},
            }})
        } else {
            json!({
                "type": "sms.received",
                "timestamp": format!("{now:.0}"),
                "data": {
                    "sms_id": text.id,
                    "to": text.sent.to,
                    "from": text.sent.from,
                    "text": text.sent.body,
                    "segments": {"count": 1, "encoding": "GSM_7BIT"},
                    "tags": null,
                    "metadata": null,
                },
            })
        };
        self.sign(&event, &text.id, now)
    }
}
