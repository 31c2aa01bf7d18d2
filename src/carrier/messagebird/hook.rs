//! `MessageBird`'s webhooks, parsed: status reports in the query, texts in a form or as JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::carrier::hear::{Call, Event, HookError, Report};
use crate::domain::json::without_lone_surrogates;
use crate::domain::message::{Attachment, Delivery, INBOUND_CHARS_MAX, Inbound};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

const MEDIA_MAX: usize = 10;
const ID_LEN_MAX: usize = 64;

/// The fields of a call: of the query, then of the body; a name that comes twice keeps its first
/// value, and `mediaUrls` all of them.
#[derive(Default)]
struct Fields {
    first: BTreeMap<String, String>,
    media: Vec<String>,
}

impl Fields {
    fn add(&mut self, name: String, value: String) {
        if matches!(name.as_str(), "mediaUrls" | "mediaUrls[]") {
            self.media.push(value);
        } else {
            self.first.entry(name).or_insert(value);
        }
    }

    fn form(&mut self, form: &[u8]) {
        for (name, value) in form_urlencoded::parse(form) {
            self.add(name.into_owned(), value.into_owned());
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let value = self.first.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    fn number(&self, field: &'static str) -> Result<E164, HookError> {
        let text = self.get(field).ok_or(HookError::Missing(field))?;
        let spelled = format!("+{}", text.trim().trim_start_matches('+'));
        spelled.parse().map_err(|_not_e164| HookError::Malformed {
            field,
            expected: "a phone number such as 14155550100",
        })
    }
}

/// Whether a text can be one of `MessageBird`'s ids.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_LEN_MAX
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `MessageBird`'s word for a state, in ours.
pub(super) fn delivery(status: &str) -> Option<Delivery> {
    Some(match status {
        "scheduled" => Delivery::Accepted,
        "buffered" => Delivery::Queued,
        "sent" => Delivery::Sent,
        "delivered" => Delivery::Delivered,
        "expired" => Delivery::Undelivered,
        "delivery_failed" => Delivery::Failed,
        _ => return None,
    })
}

pub(super) fn event(call: &Call<'_>) -> Result<Event, HookError> {
    let mut fields = Fields::default();
    fields.form(call.query().as_bytes());
    // A status report is a GET: whatever it says of its body, there is none.
    if call.content_type().as_deref() == Some("application/json") && !call.body.is_empty() {
        let unreadable = HookError::Unreadable("a JSON object");
        let value: Value = serde_json::from_slice(&without_lone_surrogates(call.body))
            .map_err(|_not_json| unreadable)?;
        let Value::Object(object) = value else {
            return Err(unreadable);
        };
        for (name, value) in object {
            match value {
                Value::String(text) => fields.add(name, text),
                Value::Number(number) => fields.add(name, number.to_string()),
                Value::Array(items) => {
                    for item in items {
                        if let Value::String(text) = item {
                            fields.add(name.clone(), text);
                        }
                    }
                }
                Value::Null | Value::Bool(_) | Value::Object(_) => {}
            }
        }
    } else {
        fields.form(call.body);
    }
    let id = fields.get("id").ok_or(HookError::Missing("id"))?;
    if !is_id(id) {
        return Err(HookError::Malformed {
            field: "id",
            expected: "an id of MessageBird's",
        });
    }
    match fields.get("status") {
        // Texts that come in have no status, or say that they were received.
        None | Some("received") => inbound(&fields, id.to_owned(), call.now).map(Event::Text),
        Some(status) => report(&fields, id.to_owned(), status).map(Event::Report),
    }
}

fn report(fields: &Fields, carrier_id: String, status: &str) -> Result<Report, HookError> {
    let delivery = delivery(status).ok_or(HookError::Malformed {
        field: "status",
        expected: "a status that MessageBird documents",
    })?;
    let code = fields
        .get("statusErrorCode")
        .filter(|code| *code != "0" && code.len() <= 6 && code.bytes().all(|b| b.is_ascii_digit()));
    Ok(Report {
        carrier_id,
        delivery,
        code: code.map(str::to_owned),
        reference: fields.get("reference").map(str::to_owned),
    })
}

fn inbound(fields: &Fields, carrier_id: String, now: Timestamp) -> Result<Inbound, HookError> {
    let from = fields.number("originator")?;
    let to = fields.number("recipient")?;
    let media: Vec<Attachment> = fields
        .media
        .iter()
        .take(MEDIA_MAX)
        .map(|address| Attachment {
            address: address.clone(),
            kind: String::new(),
        })
        .collect();
    let body = match (fields.get("body"), fields.get("payload")) {
        (Some(body), _) | (None, Some(body)) => body,
        // An MMS may hold nothing but pictures.
        (None, None) if fields.first.contains_key("body") || !media.is_empty() => "",
        (None, None) => return Err(HookError::Missing("body")),
    };
    Ok(Inbound {
        carrier: CarrierKind::Messagebird,
        carrier_id,
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
    })
}
