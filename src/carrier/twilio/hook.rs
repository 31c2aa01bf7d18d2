//! Twilio's webhooks, parsed: texts from patients and reports on texts to them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::carrier::hear::{HookError, Report};
use crate::carrier::twilio::signature;
use crate::domain::message::{Attachment, Delivery, INBOUND_CHARS_MAX, Inbound};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

/// How Twilio marks a WhatsApp address.
pub const WHATSAPP: &str = "whatsapp:";

/// Longest payload of a button that is kept; ours are far shorter.
const BUTTON_CHARS_MAX: usize = 256;

pub(super) const UNREADABLE: HookError =
    HookError::Unreadable("a JSON object with the fields of Twilio's form");

/// Most pictures that one text can carry; a larger claim is cut.
const MEDIA_MAX: u32 = 10;

/// The fields of a webhook by name. A name that comes twice keeps its first value. Bytes that are
/// not UTF-8 read as the replacement character.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

// The fields hold what the patient wrote.
impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Fields").field(&self.0.len()).finish()
    }
}

impl Fields {
    /// Reads a form body.
    pub fn from_form(body: &[u8]) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in signature::decode_form(body) {
            fields.entry(text(&name)).or_insert_with(|| text(&value));
        }
        Self(fields)
    }

    /// Reads a JSON object with the same names; numbers and booleans count as their spelling.
    pub fn from_json(object: &serde_json::Value) -> Result<Self, HookError> {
        let object = object.as_object().ok_or(UNREADABLE)?;
        let spelled = object.iter().filter_map(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Bool(flag) => flag.to_string(),
                serde_json::Value::Null
                | serde_json::Value::Array(_)
                | serde_json::Value::Object(_) => return None,
            };
            Some((name.clone(), value))
        });
        Ok(Self(spelled.collect()))
    }

    /// A field's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn need(&self, name: &'static str) -> Result<&str, HookError> {
        self.get(name).ok_or(HookError::Missing(name))
    }

    fn message_sid(&self) -> Result<&str, HookError> {
        let sid = self.need("MessageSid")?;
        if is_sid(sid, &["SM", "MM"]) {
            Ok(sid)
        } else {
            Err(HookError::Malformed {
                field: "MessageSid",
                expected: "`SM` or `MM` and 32 hexadecimal digits",
            })
        }
    }

    fn address(&self, field: &'static str) -> Result<(Channel, E164), HookError> {
        let value = self.need(field)?;
        let (channel, number) = match value.strip_prefix(WHATSAPP) {
            Some(number) => (Channel::Whatsapp, number),
            None => (Channel::Sms, value),
        };
        let number = number.parse().map_err(|_not_e164| HookError::Malformed {
            field,
            expected: "a phone number such as +14155550100",
        })?;
        Ok((channel, number))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether `text` is one of Twilio's identifiers: a known prefix and 32 hexadecimal digits.
pub fn is_sid(text: &str, prefixes: &[&str]) -> bool {
    prefixes
        .iter()
        .filter_map(|prefix| text.strip_prefix(prefix))
        .any(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A text from a patient.
///
/// Where Twilio itself recognised an opt-out word (`OptOutType`, which a practice may have
/// customised), that word stands for the text: what the carrier acted on must not be missed here.
pub fn inbound(fields: &Fields, at: Timestamp) -> Result<Inbound, HookError> {
    let carrier_id = fields.message_sid()?.to_owned();
    let (channel, from) = fields.address("From")?;
    let (_, to) = fields.address("To")?;
    let written = fields.need("Body")?;
    let body = match fields.get("OptOutType") {
        Some(word @ ("STOP" | "START" | "HELP")) => word,
        _ => written,
    };
    let media = match fields.get("NumMedia") {
        None | Some("") => 0,
        Some(count) => count
            .parse::<u32>()
            .map_err(|_not_a_number| HookError::Malformed {
                field: "NumMedia",
                expected: "a whole number",
            })?
            .min(MEDIA_MAX),
    };
    let channel = if channel == Channel::Sms && media > 0 {
        Channel::Mms
    } else {
        channel
    };
    Ok(Inbound {
        carrier: CarrierKind::Twilio,
        carrier_id,
        channel,
        from,
        to,
        body: Phi::new(body.chars().take(INBOUND_CHARS_MAX).collect()),
        media: (0..media).filter_map(|n| attachment(fields, n)).collect(),
        button: fields
            .get("ButtonPayload")
            .filter(|payload| !payload.is_empty() && payload.chars().count() <= BUTTON_CHARS_MAX)
            .map(str::to_owned),
        at,
    })
}

fn attachment(fields: &Fields, number: u32) -> Option<Attachment> {
    let address = fields.get(&format!("MediaUrl{number}"))?.to_owned();
    let kind = fields.get(&format!("MediaContentType{number}"));
    Some(Attachment {
        address,
        kind: kind.unwrap_or_default().to_owned(),
    })
}

/// A delivery report.
pub fn report(fields: &Fields) -> Result<Report, HookError> {
    let carrier_id = fields.message_sid()?.to_owned();
    let status = fields.need("MessageStatus")?;
    let delivery = delivery(status).ok_or(HookError::Malformed {
        field: "MessageStatus",
        expected: "a status that Twilio documents",
    })?;
    let code = fields.get("ErrorCode").filter(|code| !code.is_empty());
    let digits = |code: &&str| code.len() <= 6 && code.bytes().all(|b| b.is_ascii_digit());
    Ok(Report {
        carrier_id,
        delivery,
        code: code.filter(digits).map(str::to_owned),
        reference: None,
    })
}

/// Twilio's word for a state, in ours
/// (<https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>).
pub fn delivery(status: &str) -> Option<Delivery> {
    Some(match status {
        "accepted" | "scheduled" => Delivery::Accepted,
        "queued" => Delivery::Queued,
        "sending" => Delivery::Sending,
        "sent" => Delivery::Sent,
        // To several recipients at once; ours always has one.
        "delivered" | "partially_delivered" => Delivery::Delivered,
        "undelivered" => Delivery::Undelivered,
        "failed" | "canceled" => Delivery::Failed,
        "read" => Delivery::Read,
        _ => return None,
    })
}
