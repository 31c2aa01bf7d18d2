//! How the fake Bird speaks on the platform, as the official client reads it.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{FakeBird, channel_of, text_at};
use crate::carrier::bird::product::with;
use crate::carrier::fake::{Asked, Filter, Sending, Text, Wish};
use crate::domain::message::Delivery;
use crate::policy::words::Channel;

const WORKSPACE: &str = "ws_00000000000000000000000001";

/// Whether a text goes by WhatsApp, where states have other names.
const fn status(state: Delivery, whatsapp: bool) -> &'static str {
    match state {
        Delivery::Pending
        | Delivery::Unknown
        | Delivery::Accepted
        | Delivery::Queued
        | Delivery::Sending => "accepted",
        Delivery::Sent => "sent",
        Delivery::Delivered | Delivery::Read => "delivered",
        Delivery::Undelivered | Delivery::Suppressed | Delivery::Failed if whatsapp => "failed",
        Delivery::Undelivered | Delivery::Suppressed | Delivery::Failed => "undelivered",
    }
}

/// An error as this channel calls it.
fn error(text: &Text) -> Option<Value> {
    let code = match (text.code?, text.sent.whatsapp) {
        ("recipient_opted_out", true) => "recipient_suppressed",
        ("invalid_destination", true) => "undeliverable",
        (code, _) => code,
    };
    Some(json!({
        "code": code,
        "description": "as the fake carrier says",
        "occurred_at": format!("{:.0}", text.at),
    }))
}

fn segments(text: &Text) -> Value {
    let characters = text.sent.body.chars().count();
    json!({"count": characters.div_ceil(153).max(1), "encoding": "GSM_7BIT", "characters": characters})
}

/// The sides of a text: plain numbers by SMS, objects by WhatsApp.
fn sides(text: &Text) -> (Value, Value) {
    let side = |number: &str| {
        if text.sent.whatsapp {
            json!({"phone_number": number})
        } else {
            number.into()
        }
    };
    (side(&text.sent.from), side(&text.sent.to))
}

/// The one kind of content that a message by WhatsApp has.
fn content(text: &Text, base: &str) -> (&'static str, Value) {
    let words = &text.sent.body;
    if let Some(template) = &text.sent.template {
        let values = serde_json::from_str(words).unwrap_or_else(|_none| json!([]));
        let slug = template
            .strip_prefix("wat_")
            .map_or(template.as_str(), |_| "a-template");
        return (
            "template",
            json!({
                "slug": slug, "category": "utility", "language": "en",
                "components": [{"type": "body", "parameters": values}],
            }),
        );
    }
    if let Some(slug) = &text.sent.button {
        let button = json!({"slug": slug, "text": words});
        return (
            "interactive_reply",
            json!({"type": "button", "button": button}),
        );
    }
    match text.files.first() {
        Some(file) => {
            let url = format!("{base}/v1/whatsapp/messages/{}/media/{file}", text.id);
            let image = json!({"id": file, "url": url, "mime_type": "image/jpeg"});
            let captioned = !words.is_empty();
            let image = if captioned {
                with(image, "caption", words.as_str().into())
            } else {
                image
            };
            ("image", image)
        }
        None => ("text", json!({"body": words})),
    }
}

/// A message as it is read.
pub(super) fn message(text: &Text, state: Delivery, base: &str) -> Value {
    let (from, to) = sides(text);
    let at = format!("{:.0}", text.at);
    let reached = |least: Delivery| (state >= least && !state.has_failed()).then(|| at.clone());
    let failed = state.has_failed();
    let message = json!({
        "id": text.id,
        "status": if text.inbound { "received" } else { status(state, text.sent.whatsapp) },
        "direction": if text.inbound { "inbound" } else { "outbound" },
        "to": to,
        "from": from,
        "metadata": {"reference": text.sent.reference},
        "last_error": error(text).filter(|_| failed),
        "created_at": at,
        "sent_at": reached(Delivery::Sent),
        "delivered_at": reached(Delivery::Delivered),
    });
    if text.sent.whatsapp {
        let message = with(message, "read_at", reached(Delivery::Read).into());
        let (kind, content) = content(text, base);
        return with(message, kind, content);
    }
    let mut message = with(message, "segments", segments(text));
    for absent in TEMPLATES {
        message = with(message, absent, Value::Null);
    }
    let words = text.sent.body.as_str();
    if words.is_empty() {
        message
    } else {
        with(message, "text", words.into())
    }
}

/// What an SMS tells of the template that it was sent from: none.
const TEMPLATES: [&str; 5] = [
    "requested_language",
    "resolved_language",
    "template_id",
    "template_version_id",
    "template_content_hash",
];

/// What every event about a text holds.
fn event(text: &Text, kind: &str, now: Timestamp, more: &[(&str, Value)]) -> Value {
    let (from, to) = sides(text);
    let mut data = json!({
        "workspace_id": WORKSPACE,
        "from": from,
        "to": to,
        "tags": null,
        "metadata": text.sent.reference.as_ref().map(|it| json!({"reference": it})),
    });
    let family = if text.sent.whatsapp {
        let direction = if text.inbound { "inbound" } else { "outbound" };
        data = with(data, "direction", direction.into());
        data = with(data, "whatsapp_id", text.id.as_str().into());
        "whatsapp"
    } else {
        for absent in TEMPLATES {
            data = with(data, absent, Value::Null);
        }
        data = with(data, "sms_id", text.id.as_str().into());
        data = with(data, "segments", segments(text));
        "sms"
    };
    for (name, value) in more {
        data = with(data, name, value.clone());
    }
    json!({
        "type": format!("{family}.{kind}"),
        "timestamp": format!("{now:.0}"),
        "data": data,
    })
}

/// The event that reports on a text.
pub(super) fn report(text: &Text, state: Delivery, now: Timestamp) -> Value {
    let kind = if state == Delivery::Read {
        "read"
    } else {
        status(state, text.sent.whatsapp)
    };
    match error(text).filter(|_| state.has_failed()) {
        Some(error) => event(text, kind, now, &[("error", error)]),
        None => event(text, kind, now, &[]),
    }
}

/// The event that brings a text from a patient.
pub(super) fn bring(text: &Text, now: Timestamp, base: &str) -> Value {
    if text.sent.whatsapp {
        return event(text, "received", now, &[content(text, base)]);
    }
    if text.sent.body.is_empty() {
        return event(text, "received", now, &[]);
    }
    let words = ("text", text.sent.body.as_str().into());
    event(text, "received", now, &[words])
}

/// An error in the platform's envelope.
pub(super) fn refusal(status: StatusCode, name: &str) -> Value {
    let kind = match status.as_u16() {
        401 => "auth_error",
        404 => "not_found_error",
        422 => "validation_error",
        429 => "rate_limit_error",
        _ => "bad_request_error",
    };
    json!({"error": {
        "type": kind, "code": "E00000", "name": name, "message": "refused by the fake carrier",
    }})
}

impl FakeBird {
    pub(super) fn platform_wish(&self, asked: &Asked<'_>, parts: &[&str]) -> Wish {
        let [family @ ("sms" | "whatsapp"), "messages", rest @ ..] = parts else {
            return Wish::Refuse("not_found");
        };
        let whatsapp = *family == "whatsapp";
        match (asked.method.as_str(), rest) {
            ("POST", []) => self.platform_send(asked, whatsapp),
            ("GET", []) => Wish::List(Filter {
                whatsapp: Some(whatsapp),
                page: (50, 0),
                ..Filter::default()
            }),
            ("GET", [_, "media", file]) => Wish::File {
                id: (*file).to_owned(),
                delete: false,
            },
            ("GET", [id]) => Wish::Look((*id).to_owned()),
            _ => Wish::Refuse("not_found"),
        }
    }

    fn platform_send(&self, asked: &Asked<'_>, whatsapp: bool) -> Wish {
        let Ok(body) = serde_json::from_slice::<Value>(asked.body) else {
            return Wish::Refuse("invalid_request");
        };
        let text = |pointer: &str| text_at(&body, pointer);
        let (Some(to), Some(from)) = (text("/to"), text("/from")) else {
            return Wish::Refuse("invalid_request");
        };
        let template = text("/template/id").or_else(|| text("/template/slug"));
        let words = if whatsapp {
            let free = text("/text/body");
            // Exactly one kind of content.
            if free.is_some() == template.is_some() {
                return Wish::Refuse("invalid_request");
            }
            let values = body.pointer("/template/components/0/parameters");
            free.unwrap_or_else(|| values.map(Value::to_string).unwrap_or_default())
        } else {
            match text("/text").filter(|_| text("/category").is_some()) {
                Some(words) => words,
                None => return Wish::Refuse("invalid_request"),
            }
        };
        let sending = Sending {
            from,
            to,
            body: words,
            whatsapp,
            template,
            reference: text("/metadata/reference"),
            once: asked.header("idempotency-key").map(str::to_owned),
            ..Sending::default()
        };
        let channel = channel_of(&sending);
        let ours = |(it, number): &(Channel, _)| *it == channel && number_is(number, &sending.from);
        if !self.numbers.iter().any(ours) {
            return Wish::Refuse("SMSSenderNotConfigured");
        }
        Wish::Send(sending)
    }
}

fn number_is(number: &crate::domain::phone::E164, text: &str) -> bool {
    number.as_str() == text
}
