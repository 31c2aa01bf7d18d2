//! Bandwidth's webhooks, parsed: always an array, though its description shows a bare object.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::carrier::hear::{Event, HookError, Report};
use crate::domain::json::without_lone_surrogates;
use crate::domain::message::{Attachment, Delivery, INBOUND_CHARS_MAX, Inbound};
use crate::domain::phi::Phi;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

/// Most files of one text that are taken note of.
const MEDIA_MAX: usize = 10;

/// Longest id of a message; theirs have 29 characters.
const ID_LEN_MAX: usize = 64;

#[derive(Deserialize)]
struct Callback {
    #[serde(rename = "type")]
    kind: String,
    message: Message,
    #[serde(rename = "errorCode")]
    error_code: Option<u32>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    owner: Option<String>,
    from: Option<String>,
    text: Option<String>,
    #[serde(default)]
    media: Vec<String>,
    tag: Option<String>,
}

/// Whether a text can be one of Bandwidth's ids.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_LEN_MAX
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The events of a webhook, each read on its own: one that cannot be read takes no other with it.
pub(super) fn events(body: &[u8], now: Timestamp) -> Result<Vec<Event>, HookError> {
    let unreadable = HookError::Unreadable("a JSON array of Bandwidth's events");
    let value: Value =
        serde_json::from_slice(&without_lone_surrogates(body)).map_err(|_not_json| unreadable)?;
    let items = match value {
        Value::Array(items) => items,
        object @ Value::Object(_) => vec![object],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(unreadable);
        }
    };
    let read = |item| match serde_json::from_value::<Callback>(item) {
        Ok(callback) => event(callback, now).unwrap_or_else(Event::Odd),
        Err(_shape) => Event::Odd(unreadable),
    };
    Ok(items.into_iter().map(read).collect())
}

fn event(callback: Callback, now: Timestamp) -> Result<Event, HookError> {
    let message = callback.message;
    if !is_id(&message.id) {
        return Err(HookError::Malformed {
            field: "message.id",
            expected: "an id of Bandwidth's",
        });
    }
    let delivery = match callback.kind.as_str() {
        "message-received" => return received(message, now),
        "message-sending" => Delivery::Sending,
        "message-sent" => Delivery::Sent,
        "message-delivered" => Delivery::Delivered,
        "message-failed" => Delivery::Failed,
        "message-read" => Delivery::Read,
        // Of RCS, which is not carried.
        "suggestion-response" | "requested-location-response" => return Ok(Event::Nothing),
        _ => {
            return Err(HookError::Malformed {
                field: "type",
                expected: "an event that Bandwidth documents",
            });
        }
    };
    Ok(Event::Report(Report {
        carrier_id: message.id,
        delivery,
        code: callback.error_code.map(|code| code.to_string()),
        reference: message.tag,
    }))
}

fn received(message: Message, now: Timestamp) -> Result<Event, HookError> {
    let number = |field, text: Option<String>| {
        let text = text.ok_or(HookError::Missing(field))?;
        text.parse().map_err(|_not_e164| HookError::Malformed {
            field,
            expected: "a phone number such as +14155550100",
        })
    };
    // Of a group text each of our numbers gets a copy; `owner` says whose this one is.
    let to = number("message.owner", message.owner)?;
    let from = number("message.from", message.from)?;
    let media: Vec<Attachment> = message
        .media
        .into_iter()
        // The layout of an MMS comes as a file of its own.
        .filter(|address| !address.to_ascii_lowercase().ends_with(".smil"))
        .take(MEDIA_MAX)
        .map(|address| Attachment {
            address,
            kind: String::new(),
        })
        .collect();
    let body = message.text.unwrap_or_default();
    Ok(Event::Text(Inbound {
        carrier: CarrierKind::Bandwidth,
        carrier_id: message.id,
        channel: if media.is_empty() {
            Channel::Sms
        } else {
            Channel::Mms
        },
        from,
        to,
        body: Phi::new(body.chars().take(INBOUND_CHARS_MAX).collect()),
        media,
        button: None,
        at: now,
    }))
}
