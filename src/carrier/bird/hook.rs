//! Bird's webhooks, parsed: those of the platform and those of the Channels API.

use jiff::Timestamp;
use serde_json::Value;

use crate::carrier::hear::{Event, HookError, Report};
use crate::domain::json::without_lone_surrogates;
use crate::domain::message::{Delivery, INBOUND_CHARS_MAX, Inbound};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

const ID_LEN_MAX: usize = 64;

/// Whether a text can be one of Bird's ids.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ID_LEN_MAX
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Bird's word for a state, in ours.
pub(super) fn delivery(status: &str) -> Option<Delivery> {
    Some(match status {
        "scheduled" | "accepted" => Delivery::Accepted,
        "processing" => Delivery::Queued,
        "sent" => Delivery::Sent,
        "delivered" => Delivery::Delivered,
        "undelivered" | "delivery_failed" | "expired" => Delivery::Undelivered,
        "failed" | "sending_failed" | "rejected" | "canceled" => Delivery::Failed,
        "read" => Delivery::Read,
        _ => return None,
    })
}

fn object(body: &[u8]) -> Result<Value, HookError> {
    let unreadable = HookError::Unreadable("a JSON object with Bird's event");
    let value: Value =
        serde_json::from_slice(&without_lone_surrogates(body)).map_err(|_not_json| unreadable)?;
    value.is_object().then_some(value).ok_or(unreadable)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn id(value: &Value, pointer: &str, field: &'static str) -> Result<String, HookError> {
    let id = text(value, pointer).ok_or(HookError::Missing(field))?;
    is_id(id)
        .then(|| id.to_owned())
        .ok_or(HookError::Malformed {
            field,
            expected: "an id of Bird's",
        })
}

fn number(value: &Value, pointer: &str, field: &'static str) -> Result<E164, HookError> {
    let text = text(value, pointer).ok_or(HookError::Missing(field))?;
    text.parse().map_err(|_not_e164| HookError::Malformed {
        field,
        expected: "a phone number such as +14155550100",
    })
}

fn inbound(carrier_id: String, (from, to): (E164, E164), body: &str, now: Timestamp) -> Event {
    Event::Text(Inbound::text(
        (CarrierKind::Bird, carrier_id),
        Channel::Sms,
        from,
        to,
        Phi::new(body.chars().take(INBOUND_CHARS_MAX).collect()),
        now,
    ))
}

/// An event of the platform: `{type, timestamp, data}`.
pub(super) fn platform(body: &[u8], now: Timestamp) -> Result<Event, HookError> {
    let value = object(body)?;
    let kind = text(&value, "/type").ok_or(HookError::Missing("type"))?;
    let Some(state) = kind.strip_prefix("sms.") else {
        return Ok(Event::Nothing);
    };
    let carrier_id = id(&value, "/data/sms_id", "data.sms_id")?;
    if state == "received" {
        let from = number(&value, "/data/from", "data.from")?;
        let to = number(&value, "/data/to", "data.to")?;
        let body = text(&value, "/data/text").ok_or(HookError::Missing("data.text"))?;
        return Ok(inbound(carrier_id, (from, to), body, now));
    }
    let delivery = delivery(state).ok_or(HookError::Malformed {
        field: "type",
        expected: "an event that Bird documents",
    })?;
    let code = text(&value, "/data/error/code").or_else(|| text(&value, "/data/error_code"));
    Ok(Event::Report(Report {
        carrier_id,
        delivery,
        code: code.map(str::to_owned),
        reference: text(&value, "/data/metadata/reference").map(str::to_owned),
    }))
}

/// An event of the Channels API: `{service, event, payload}`. A channel has one number, which the
/// event may leave out.
pub(super) fn channels(
    body: &[u8],
    only: Option<&E164>,
    now: Timestamp,
) -> Result<Event, HookError> {
    let value = object(body)?;
    let kind = text(&value, "/event").ok_or(HookError::Missing("event"))?;
    match kind {
        "sms.inbound" => {
            let carrier_id = id(&value, "/payload/id", "payload.id")?;
            let sender = "/payload/sender/contact/identifierValue";
            let from = number(&value, sender, "payload.sender.contact.identifierValue")?;
            let receiver = "/payload/receiver/connector/identifierValue";
            let to = text(&value, receiver).and_then(|text| text.parse().ok());
            let to = to.or_else(|| only.cloned()).ok_or(HookError::Missing(
                "payload.receiver.connector.identifierValue",
            ))?;
            let body = text(&value, "/payload/body/text/text")
                .ok_or(HookError::Missing("payload.body.text.text"))?;
            Ok(inbound(carrier_id, (from, to), body, now))
        }
        "sms.outbound" => {
            let status =
                text(&value, "/payload/status").ok_or(HookError::Missing("payload.status"))?;
            let code = value.pointer("/payload/failure/source/code").map(|code| {
                code.as_str()
                    .map_or_else(|| code.to_string(), str::to_owned)
            });
            Ok(Event::Report(Report {
                carrier_id: id(&value, "/payload/id", "payload.id")?,
                delivery: delivery(status).ok_or(HookError::Malformed {
                    field: "payload.status",
                    expected: "a status that Bird documents",
                })?,
                code,
                reference: text(&value, "/payload/reference").map(str::to_owned),
            }))
        }
        _ => Ok(Event::Nothing),
    }
}
