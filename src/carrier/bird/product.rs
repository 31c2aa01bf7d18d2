//! Bird's two interfaces: where the messages of a channel lie, and how a text is spelled.

use serde_json::{Value, json};

use crate::domain::message::{Outbound, Template};
use crate::policy::words::Channel;

/// Which of Bird's interfaces.
#[derive(Clone, Debug)]
pub(crate) enum Product {
    /// `https://{region}.platform.bird.com`.
    Platform,
    /// `https://api.bird.com/workspaces/...`.
    Channels {
        /// The workspace.
        workspace: String,
        /// The channel that SMS goes by; empty: none.
        sms: String,
        /// The channel that WhatsApp goes by; empty: none.
        whatsapp: String,
    },
}

impl Product {
    /// Whether it is the Channels API.
    pub(super) const fn is_channels(&self) -> bool {
        matches!(self, Self::Channels { .. })
    }

    /// What it carries.
    pub(super) const fn channels(&self) -> &'static [Channel] {
        match self {
            Self::Platform => &[Channel::Sms, Channel::Whatsapp],
            Self::Channels { sms, whatsapp, .. } => match (sms.is_empty(), whatsapp.is_empty()) {
                (false, false) => &[Channel::Sms, Channel::Whatsapp],
                (false, true) => &[Channel::Sms],
                (true, false) => &[Channel::Whatsapp],
                (true, true) => &[],
            },
        }
    }

    /// The id of a channel of a workspace.
    pub(super) fn id_of(&self, channel: Channel) -> Option<&str> {
        let Self::Channels { sms, whatsapp, .. } = self else {
            return None;
        };
        let id = match channel {
            Channel::Sms => sms,
            Channel::Whatsapp => whatsapp,
            Channel::Mms | Channel::Webchat => return None,
        };
        (!id.is_empty()).then_some(id.as_str())
    }

    /// Where the messages of a channel lie; none where it is not carried.
    pub(super) fn messages(&self, channel: Channel) -> Option<Vec<&str>> {
        match (self, channel) {
            (Self::Platform, Channel::Sms) => Some(vec!["v1", "sms", "messages"]),
            (Self::Platform, Channel::Whatsapp) => Some(vec!["v1", "whatsapp", "messages"]),
            (Self::Platform, Channel::Mms | Channel::Webchat) => None,
            (Self::Channels { workspace, .. }, _) => {
                let id = self.id_of(channel)?;
                Some(vec!["workspaces", workspace, "channels", id, "messages"])
            }
        }
    }

    /// The request that sends a text.
    pub(super) fn body(&self, outbound: &Outbound) -> Value {
        let (to, from) = (outbound.to.as_str(), outbound.from.as_str());
        let (words, reference) = (outbound.body.as_str(), outbound.reference.as_str());
        match (self, outbound.channel, &outbound.template) {
            (Self::Platform, Channel::Whatsapp, template) => {
                let body = json!({
                    "to": to,
                    "from": from,
                    "metadata": {"reference": reference},
                });
                match template {
                    Some(template) => with(body, "template", platform_template(template)),
                    // A preview shows a page of the link to whoever sees the phone.
                    None => with(body, "text", json!({"body": words, "preview_url": false})),
                }
            }
            (Self::Platform, ..) => json!({
                "to": to,
                "from": from,
                "text": words,
                "category": "transactional",
                "metadata": {"reference": reference},
                // Smart encoding turns fractions into digits.
                "options": {"smart_encoding": false},
            }),
            (Self::Channels { .. }, _, template) => {
                let body = json!({
                    "receiver": {"contacts": [{
                        "identifierKey": "phonenumber",
                        "identifierValue": to,
                    }]},
                    "reference": reference,
                });
                match template {
                    Some(template) => with(body, "template", channels_template(template)),
                    None => with(
                        body,
                        "body",
                        json!({"type": "text", "text": {"text": words}}),
                    ),
                }
            }
        }
    }
}

/// An object with one more field.
pub(super) fn with(mut object: Value, name: &str, value: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    object
}

/// The variables in the order of their places: `2` before `10`, names as they are sorted.
fn in_order(template: &Template) -> Vec<(&str, &str)> {
    let variables = template.variables.iter();
    let mut variables: Vec<_> = variables
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    variables.sort_by_key(|(name, _)| name.parse::<u32>().unwrap_or(u32::MAX));
    variables
}

/// A template on the platform: by its id or slug, with the values of its body in the order of their
/// places, or by name where it names them.
fn platform_template(template: &Template) -> Value {
    let key = if template.id.starts_with("wat_") {
        "id"
    } else {
        "slug"
    };
    let body = json!({key: template.id, "language": template.locale});
    let parameters: Vec<Value> = in_order(template)
        .into_iter()
        .map(|(name, value)| {
            let parameter = json!({"type": "text", "text": value});
            match name.parse::<u32>() {
                Ok(_place) => parameter,
                Err(_name) => with(parameter, "name", name.into()),
            }
        })
        .collect();
    if parameters.is_empty() {
        return body;
    }
    let components = json!([{"type": "body", "parameters": parameters}]);
    with(body, "components", components)
}

/// A template of a workspace: a project, its version and locale, and its variables by key
/// (<https://docs.bird.com/api/channels-api/message-types/template>).
fn channels_template(template: &Template) -> Value {
    let (project, version) = template
        .id
        .split_once('/')
        .unwrap_or((&template.id, "latest"));
    let parameters: Vec<Value> = in_order(template)
        .into_iter()
        .map(|(key, value)| json!({"type": "string", "key": key, "value": value}))
        .collect();
    json!({
        "projectId": project,
        "version": version,
        "locale": template.locale,
        "parameters": parameters,
    })
}
