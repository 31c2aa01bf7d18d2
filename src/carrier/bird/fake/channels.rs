//! How the fake Bird speaks on the Channels API.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{FakeBird, channel_of, text_at};
use crate::carrier::bird::product::with;
use crate::carrier::fake::{Asked, Filter, Reply, Sending, Text, Wish};
use crate::domain::message::Delivery;
use crate::policy::words::Channel;

const fn status(state: Delivery) -> &'static str {
    match state {
        Delivery::Queued | Delivery::Sending => "processing",
        Delivery::Pending | Delivery::Unknown | Delivery::Accepted => "accepted",
        Delivery::Sent => "sent",
        Delivery::Delivered | Delivery::Read => "delivered",
        Delivery::Undelivered | Delivery::Suppressed | Delivery::Failed => "delivery_failed",
    }
}

impl FakeBird {
    pub(super) fn channels_message(&self, text: &Text, state: Delivery) -> Value {
        let channel = channel_of(&text.sent);
        let contact = json!({
            "identifierKey": "phonenumber",
            "identifierValue": if text.inbound { &text.sent.from } else { &text.sent.to },
        });
        let message = json!({
            "id": text.id,
            "channelId": self.product.id_of(channel),
            "status": if text.inbound { "delivered" } else { status(state) },
            "direction": if text.inbound { "incoming" } else { "outgoing" },
            "reference": text.sent.reference.as_deref().unwrap_or_default(),
            "createdAt": format!("{:.3}", text.at),
            "body": self.contents(text),
        });
        let message = if text.inbound {
            let message = with(message, "sender", json!({"contact": contact}));
            // By WhatsApp the number stays away.
            let number = Some(&text.sent.to).filter(|_| !text.sent.whatsapp);
            let connector = json!({"id": "fake", "identifierValue": number});
            with(message, "receiver", json!({"connector": connector}))
        } else {
            with(message, "receiver", json!({"contacts": [contact]}))
        };
        match text.code.filter(|_| state.has_failed()) {
            Some(code) => {
                let failure = json!({"source": {"name": "fake", "code": code}});
                with(message, "failure", failure)
            }
            None => message,
        }
    }

    fn contents(&self, text: &Text) -> Value {
        let words = &text.sent.body;
        if !text.files.is_empty() {
            let workspace = self.workspace().unwrap_or_default();
            let images = text.files.iter().map(|file| {
                let base = &self.base;
                let at = format!(
                    "{base}/workspaces/{workspace}/messages/{}/media/{file}",
                    text.id
                );
                json!({"mediaUrl": at, "contentType": "image/jpeg"})
            });
            let images: Vec<Value> = images.collect();
            return json!({"type": "image", "image": {"text": words, "images": images}});
        }
        let inner = json!({"text": words});
        let inner = match &text.sent.button {
            Some(payload) => {
                let postback = json!({"text": words, "payload": payload});
                let actions = json!([{"type": "postback", "postback": postback}]);
                with(inner, "actions", actions)
            }
            None => inner,
        };
        json!({"type": "text", "text": inner})
    }

    pub(super) fn channels_report(&self, text: &Text, state: Delivery, now: Timestamp) -> Value {
        let channel = channel_of(&text.sent);
        if state == Delivery::Read {
            let read = json!({
                "type": "read",
                "messageId": text.id,
                "channelId": self.product.id_of(channel),
                "createdAt": format!("{now:.3}"),
            });
            let event = format!("{channel}.interaction");
            return json!({"service": "channels", "event": event, "payload": read});
        }
        let payload = self.channels_message(text, state);
        json!({"service": "channels", "event": format!("{channel}.outbound"), "payload": payload})
    }

    pub(super) fn channels_bring(&self, text: &Text) -> Value {
        let channel = channel_of(&text.sent);
        let payload = self.channels_message(text, Delivery::Delivered);
        json!({"service": "channels", "event": format!("{channel}.inbound"), "payload": payload})
    }

    pub(super) fn channels_wish(&self, asked: &Asked<'_>, parts: &[&str]) -> Wish {
        let (id, rest) = match parts {
            ["messages", _, "media", file] => {
                return Wish::File {
                    id: (*file).to_owned(),
                    delete: false,
                };
            }
            ["channels", id, rest @ ..] => (*id, rest),
            _ => return Wish::Refuse("not_found"),
        };
        let mut channels = [Channel::Sms, Channel::Whatsapp].into_iter();
        let channel = channels.find(|it| self.product.id_of(*it) == Some(id));
        let Some(channel) = channel else {
            return Wish::Refuse("not_found");
        };
        match (asked.method.as_str(), rest) {
            ("GET", []) => Wish::Say(Reply::json(StatusCode::OK, &json!({"status": "active"}))),
            ("POST", ["messages"]) => self.channels_send(asked, channel),
            ("GET", ["messages"]) => Wish::List(Filter {
                whatsapp: Some(channel == Channel::Whatsapp),
                reference: asked.param("reference"),
                page: (50, 0),
                ..Filter::default()
            }),
            ("GET", ["messages", id]) => Wish::Look((*id).to_owned()),
            _ => Wish::Refuse("not_found"),
        }
    }

    fn channels_send(&self, asked: &Asked<'_>, channel: Channel) -> Wish {
        let Ok(body) = serde_json::from_slice::<Value>(asked.body) else {
            return Wish::Refuse("invalid_request");
        };
        let text = |pointer: &str| text_at(&body, pointer);
        let to = text("/receiver/contacts/0/identifierValue");
        let mut numbers = self.numbers.iter();
        let from = numbers.find(|(it, _)| *it == channel);
        let (Some(to), Some((_, from))) = (to, from) else {
            return Wish::Refuse("invalid_request");
        };
        // A template of a project, in one version and locale; else a body.
        let template = text("/template/projectId");
        let complete = text("/template/version").is_some() && text("/template/locale").is_some();
        let values = body.pointer("/template/parameters").map(Value::to_string);
        let words = match (&template, text("/body/text/text")) {
            (Some(_), None) if complete => values.unwrap_or_default(),
            (None, Some(words)) => words,
            _ => return Wish::Refuse("invalid_request"),
        };
        Wish::Send(Sending {
            from: from.as_str().to_owned(),
            to,
            body: words,
            whatsapp: channel == Channel::Whatsapp,
            template,
            reference: text("/reference"),
            ..Sending::default()
        })
    }
}
