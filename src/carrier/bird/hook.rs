//! Bird's webhooks, parsed: those of the platform and those of the Channels API.

use jiff::Timestamp;
use serde_json::Value;

use crate::carrier::bird::product::Product;
use crate::carrier::hear::{Event, HookError, Report};
use crate::domain::json::without_lone_surrogates;
use crate::domain::message::{Attachment, Delivery, INBOUND_CHARS_MAX, Inbound};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

const ID_LEN_MAX: usize = 64;

/// Longest payload of a button that is kept; ours are far shorter.
const BUTTON_CHARS_MAX: usize = 256;

/// Most files of one text that are fetched; a larger claim is cut.
const MEDIA_MAX: usize = 10;

/// What a patient can send by WhatsApp beside words: one of these, each with its address.
const FILES: [&str; 5] = ["image", "document", "video", "audio", "sticker"];

/// What a patient can send by WhatsApp that has no words and no file; staff are told of it.
const OTHERS: [&str; 3] = ["location", "contact_cards", "unsupported"];

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

/// A code in one of these places; Bird spells some as numbers.
fn code(value: &Value, places: &[&str]) -> Option<String> {
    let told = places.iter().find_map(|it| value.pointer(it))?;
    match told {
        Value::String(text) => is_id(text).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a patient wrote, and what came with it.
#[derive(Default)]
struct Written {
    body: String,
    media: Vec<Attachment>,
    button: Option<String>,
}

impl Written {
    fn words(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..Self::default()
        }
    }

    fn attach(&mut self, address: &str, kind: &str) {
        if self.media.len() < MEDIA_MAX {
            self.media.push(Attachment {
                address: address.to_owned(),
                kind: kind.to_owned(),
            });
        }
    }

    fn press(&mut self, payload: Option<&str>) {
        let plausible = |it: &&str| !it.is_empty() && it.chars().count() <= BUTTON_CHARS_MAX;
        self.button = payload.filter(plausible).map(str::to_owned);
    }

    fn event(
        self,
        carrier_id: String,
        channel: Channel,
        (from, to): (E164, E164),
        now: Timestamp,
    ) -> Event {
        let body = self.body.chars().take(INBOUND_CHARS_MAX).collect();
        let carrier = (CarrierKind::Bird, carrier_id);
        Event::Text(Inbound {
            media: self.media,
            button: self.button,
            ..Inbound::text(carrier, channel, from, to, Phi::new(body), now)
        })
    }
}

/// An event of the platform: `{type, timestamp, data}`.
pub(super) fn platform(body: &[u8], now: Timestamp) -> Result<Event, HookError> {
    let value = object(body)?;
    let kind = text(&value, "/type").ok_or(HookError::Missing("type"))?;
    match kind.split_once('.') {
        Some(("sms", "received")) => {
            let carrier_id = id(&value, "/data/sms_id", "data.sms_id")?;
            let from = number(&value, "/data/from", "data.from")?;
            let to = number(&value, "/data/to", "data.to")?;
            let mut written = Written::words(text(&value, "/data/text").unwrap_or_default());
            if written.body.is_empty() {
                // Bird leaves the words out where only pictures came, and does not say where they are.
                written.attach("", "");
            }
            Ok(written.event(carrier_id, Channel::Sms, (from, to), now))
        }
        Some(("sms", state)) => {
            let carrier_id = id(&value, "/data/sms_id", "data.sms_id")?;
            report(&value, carrier_id, state)
        }
        Some(("whatsapp", "received")) => whatsapp(&value, now),
        Some(("whatsapp", state)) => {
            // Of what patients wrote, and of groups and reactions, nothing is to be done.
            if delivery(state).is_none() || text(&value, "/data/direction") == Some("inbound") {
                return Ok(Event::Nothing);
            }
            let carrier_id = id(&value, "/data/whatsapp_id", "data.whatsapp_id")?;
            report(&value, carrier_id, state)
        }
        _ => Ok(Event::Nothing),
    }
}

/// A report of the platform.
fn report(value: &Value, carrier_id: String, state: &str) -> Result<Event, HookError> {
    let delivery = delivery(state).ok_or(HookError::Malformed {
        field: "type",
        expected: "an event that Bird documents",
    })?;
    Ok(Event::Report(Report {
        carrier_id,
        delivery,
        code: code(value, &["/data/error/code", "/data/error_code"]),
        reference: text(value, "/data/metadata/reference").map(str::to_owned),
    }))
}

/// What a patient sent by WhatsApp to the platform: exactly one kind of content.
fn whatsapp(value: &Value, now: Timestamp) -> Result<Event, HookError> {
    let carrier_id = id(value, "/data/whatsapp_id", "data.whatsapp_id")?;
    if text(value, "/data/to/group_id").is_some() {
        return Ok(Event::Nothing);
    }
    let from = "/data/from/phone_number";
    let from = number(value, from, "data.from.phone_number")?;
    let to = number(value, "/data/to/phone_number", "data.to.phone_number")?;
    let tapped = ["button", "list"]
        .into_iter()
        .find_map(|kind| value.pointer(&format!("/data/interactive_reply/{kind}")));
    let mut written = Written::default();
    if let Some(words) = text(value, "/data/text/body") {
        words.clone_into(&mut written.body);
    } else if let Some(tapped) = tapped {
        text(tapped, "/text")
            .unwrap_or_default()
            .clone_into(&mut written.body);
        written.press(text(tapped, "/slug"));
    }
    for kind in FILES {
        let Some(file) = value.pointer(&format!("/data/{kind}")) else {
            continue;
        };
        let media_type = text(file, "/mime_type").unwrap_or_default();
        written.attach(text(file, "/url").unwrap_or_default(), media_type);
        if let Some(caption) = text(file, "/caption") {
            caption.clone_into(&mut written.body);
        }
    }
    for kind in OTHERS {
        if value.pointer(&format!("/data/{kind}")).is_some() {
            written.attach("", kind);
        }
    }
    Ok(written.event(carrier_id, Channel::Whatsapp, (from, to), now))
}

/// What became of a message, as whoever asks is told.
pub(super) fn state(carrier_id: &str, message: &Value) -> Option<Report> {
    let told = delivery(text(message, "/status")?)?;
    // The platform has no state for it.
    let read = message.get("read_at").is_some_and(Value::is_string);
    let places = [
        "/last_error/code",
        "/error/code",
        "/failure/source/code",
        "/failure/code",
    ];
    Some(Report {
        carrier_id: carrier_id.to_owned(),
        delivery: if read { Delivery::Read } else { told },
        code: code(message, &places),
        reference: None,
    })
}

/// The workspace that an event of the Channels API came to.
pub(super) struct Home<'a> {
    /// Its channels.
    pub(super) product: &'a Product,
    /// The practice's numbers.
    pub(super) numbers: &'a [(Channel, E164)],
}

impl Home<'_> {
    /// The number of a channel, which its events may leave out: the only one that it has, unless
    /// the event is of another channel of the workspace.
    fn number(&self, channel: Channel, event: &Value) -> Option<E164> {
        let theirs = text(event, "/payload/channelId");
        let ours = self.product.id_of(channel);
        if theirs.is_some() && theirs != ours {
            return None;
        }
        let mut numbers = self.numbers.iter().filter(|(it, _)| *it == channel);
        let (_, only) = numbers.next()?;
        numbers.next().is_none().then(|| only.clone())
    }
}

/// An event of the Channels API: `{service, event, payload}`.
pub(super) fn channels(body: &[u8], home: &Home<'_>, now: Timestamp) -> Result<Event, HookError> {
    let value = object(body)?;
    let kind = text(&value, "/event").ok_or(HookError::Missing("event"))?;
    let (channel, kind) = match kind.split_once('.') {
        Some(("sms", kind)) => (Channel::Sms, kind),
        Some(("whatsapp", kind)) => (Channel::Whatsapp, kind),
        _ => return Ok(Event::Nothing),
    };
    match kind {
        "inbound" => {
            let carrier_id = id(&value, "/payload/id", "payload.id")?;
            let sender = "/payload/sender/contact/identifierValue";
            let from = number(&value, sender, "payload.sender.contact.identifierValue")?;
            let receiver = "/payload/receiver/connector/identifierValue";
            let to = text(&value, receiver).and_then(|text| text.parse().ok());
            let to = to.or_else(|| home.number(channel, &value));
            let to = to.ok_or(HookError::Missing(
                "payload.receiver.connector.identifierValue",
            ))?;
            Ok(contents(&value)?.event(carrier_id, channel, (from, to), now))
        }
        "outbound" => {
            let status =
                text(&value, "/payload/status").ok_or(HookError::Missing("payload.status"))?;
            Ok(Event::Report(Report {
                carrier_id: id(&value, "/payload/id", "payload.id")?,
                delivery: delivery(status).ok_or(HookError::Malformed {
                    field: "payload.status",
                    expected: "a status that Bird documents",
                })?,
                code: code(
                    &value,
                    &["/payload/failure/source/code", "/payload/failure/code"],
                ),
                reference: text(&value, "/payload/reference").map(str::to_owned),
            }))
        }
        "interaction" if text(&value, "/payload/type") == Some("read") => {
            Ok(Event::Report(Report {
                carrier_id: id(&value, "/payload/messageId", "payload.messageId")?,
                delivery: Delivery::Read,
                code: None,
                reference: None,
            }))
        }
        _ => Ok(Event::Nothing),
    }
}

/// What a message of the Channels API holds
/// (<https://docs.bird.com/api/channels-api/supported-channels/programmable-whatsapp/receiving-messages>).
fn contents(value: &Value) -> Result<Written, HookError> {
    let kind = text(value, "/payload/body/type").ok_or(HookError::Missing("payload.body.type"))?;
    let (list, words) = match kind {
        "text" => {
            let words = text(value, "/payload/body/text/text")
                .ok_or(HookError::Missing("payload.body.text.text"))?;
            let mut written = Written::words(words);
            let pressed = "/payload/body/text/actions/0/postback/payload";
            written.press(text(value, pressed));
            return Ok(written);
        }
        "image" => ("/payload/body/image/images", "/payload/body/image/text"),
        "file" => ("/payload/body/file/files", "/payload/body/file/text"),
        // A place, a contact, a reaction: no words and no file.
        other => {
            let mut written = Written::default();
            written.attach("", if is_id(other) { other } else { "" });
            return Ok(written);
        }
    };
    let mut written = Written::words(text(value, words).unwrap_or_default());
    let files = value.pointer(list).and_then(Value::as_array);
    for file in files.into_iter().flatten() {
        let media_type = text(file, "/contentType").unwrap_or_default();
        written.attach(text(file, "/mediaUrl").unwrap_or_default(), media_type);
    }
    if written.media.is_empty() {
        written.attach("", kind);
    }
    Ok(written)
}
