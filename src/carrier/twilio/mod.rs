//! Twilio Programmable Messaging: SMS, MMS and WhatsApp Business, both ways.
//!
//! One text is one form POST with one honest ending; what comes back is signed, and what was lost
//! is found by listing.

use http::Method;
use jiff::Timestamp;
use reqwest::Client;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::carrier::account::Advice;
use crate::carrier::codes::{self, ErrorClass, class_in};
use crate::carrier::exchange::{self, FetchFault, Patience};
use crate::carrier::hear::{Answer, Call, Door, Event, Heard, Refusal};
use crate::carrier::twilio::hook::Fields;
use crate::carrier::{Answering, Capabilities, Carrier, Keywords};
use crate::domain::json::without_lone_surrogates;
use crate::domain::message::{Attachment, Delivery, Outbound, SendOutcome};
use crate::domain::phone::E164;
use crate::policy::words::Channel;

pub mod account;
pub mod codes_table;
mod examine;
mod fake;
pub mod hook;
pub mod listing;
mod rest;
pub mod signature;

use codes_table::CODES;

/// How long Twilio may hold a text by default: an answer that is four hours old helps nobody.
pub const VALIDITY_S: u32 = 14_400;

/// Most characters of one text (error 21617 above).
pub const TEXT_CHARS_MAX: usize = 1_600;

/// Most files of one text (<https://www.twilio.com/docs/messaging/api/message-resource>).
const FILES_MAX: usize = 10;

/// How status reports are repeated when we do not answer
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>). Not part of what
/// is signed.
const REPORT_RETRIES: &str = "rc=3&rp=4xx,5xx,ct,rt";

/// The same for texts from patients, to be pasted where the webhook is set: by default Twilio
/// repeats a webhook only when it could not connect.
pub const INBOUND_RETRIES: &str = "rc=2&rp=5xx,ct,rt";

/// Largest webhook: a text of 1,600 characters with every field is about 12 KiB.
pub const HOOK_BYTES_MAX: usize = 64 * 1024;

/// The query parameter of a report's address that holds our reference.
const REFERENCE: &str = "ref";

const SIGNATURE: &str = "x-twilio-signature";

/// Silence: the answer goes out over the REST API, through the guardrail.
const NO_REPLY: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#;

/// An account with Twilio, as the adapter needs it.
#[derive(Clone, Debug)]
pub struct TwilioSettings {
    /// `https://api.twilio.com`, or a regional host, or a mock server.
    pub api_base: Url,
    /// The account, `AC...`.
    pub account_sid: String,
    /// Whose password it is: the account itself, or an API key `SK...`.
    pub user: String,
    /// The auth token, or the API key's secret.
    pub password: SecretString,
    /// The auth tokens that may sign webhooks: the primary, and the secondary during rotation.
    /// With none, every webhook is refused.
    pub auth_tokens: Vec<SecretString>,
    /// The Messaging Service that texts go by, `MG...`.
    pub messaging_service: Option<String>,
    /// Seconds that Twilio may hold a text.
    pub validity_s: u32,
    /// Whether finished texts are redacted.
    pub redact: bool,
    /// Where texts from patients are posted to.
    pub texts_url: String,
    /// Where delivery reports go; none when the public address is not reachable from outside.
    pub status_callback: Option<Url>,
    /// The numbers of the practice on this account.
    pub numbers: Vec<(Channel, E164)>,
}

/// Why the account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TwilioSettingsError {
    /// The account's id is misspelled.
    #[error(
        "`account_sid` is not a Twilio account: it is `AC` and 32 hexadecimal digits (Console, \
         start page)"
    )]
    AccountSid,
    /// The user is neither the account nor an API key.
    #[error("`api_key_sid` is not an API key: it is `SK` and 32 hexadecimal digits")]
    User,
    /// The service's id is misspelled.
    #[error("`messaging_service_sid` is not a service: it is `MG` and 32 hexadecimal digits")]
    Service,
    /// No token.
    #[error("`auth_tokens` is empty: give the account's auth token (Console, start page)")]
    NoToken,
    /// A key without its secret.
    #[error(
        "`api_key_secret` is empty: Twilio shows it once, when the key is made; make a new key if \
         it is lost"
    )]
    NoKeySecret,
    /// The address of the API cannot carry a path.
    #[error("`base_url` is not an http or https address")]
    ApiBase,
    /// A region or edge that would change the host.
    #[error("`region` and `edge` are plain words such as `ie1` and `dublin`")]
    Region,
    /// Out of bounds.
    #[error("`validity_s` is between 1 and 36000")]
    Validity,
    /// No HTTP client can be made, for instance without any root certificate.
    #[error("no HTTP client can be made: {0}")]
    Client(#[source] reqwest::Error),
}

/// A carrier that posts to one Twilio account.
#[derive(Clone, Debug)]
pub struct Twilio {
    http: Client,
    /// `.../2010-04-01/Accounts/AC.../`
    account: Url,
    account_sid: String,
    user: String,
    password: SecretString,
    auth_tokens: Vec<SecretString>,
    service: Option<String>,
    validity: String,
    redact: bool,
    texts_url: String,
    status_callback: Option<Url>,
    numbers: Vec<(Channel, E164)>,
}

impl Twilio {
    /// Checks the settings and builds a client.
    pub fn new(settings: TwilioSettings, patience: Patience) -> Result<Self, TwilioSettingsError> {
        if !hook::is_sid(&settings.account_sid, &["AC"]) {
            return Err(TwilioSettingsError::AccountSid);
        }
        if settings.user != settings.account_sid && !hook::is_sid(&settings.user, &["SK"]) {
            return Err(TwilioSettingsError::User);
        }
        let service = settings.messaging_service;
        if service
            .as_ref()
            .is_some_and(|sid| !hook::is_sid(sid, &["MG"]))
        {
            return Err(TwilioSettingsError::Service);
        }
        let mut account = settings.api_base;
        account
            .path_segments_mut()
            .map_err(|()| TwilioSettingsError::ApiBase)?
            .pop_if_empty()
            .extend(["2010-04-01", "Accounts", &settings.account_sid]);
        Ok(Self {
            http: exchange::client(patience).map_err(TwilioSettingsError::Client)?,
            account,
            account_sid: settings.account_sid,
            user: settings.user,
            password: settings.password,
            auth_tokens: settings.auth_tokens,
            service,
            validity: settings.validity_s.to_string(),
            redact: settings.redact,
            texts_url: settings.texts_url,
            status_callback: settings.status_callback.map(|mut url| {
                url.set_fragment(Some(REPORT_RETRIES));
                url
            }),
            numbers: settings.numbers,
        })
    }

    async fn post(&self, outbound: &Outbound) -> SendOutcome {
        let Some((from, to)) = addresses(outbound) else {
            return exchange::not_carried("channel_not_carried");
        };
        // `SmartEncoded` is never set: Twilio's map turns "1½ tablets" into "11/2 tablets".
        // Nothing is ever scheduled (`SendAt`): a later opt-out would not cancel it.
        let mut form = vec![("To", to.as_str()), ("From", from.as_str())];
        let variables;
        match &outbound.template {
            Some(template) => {
                let pairs = template.variables.iter();
                let object: serde_json::Map<_, _> = pairs
                    .map(|(name, value)| (name.clone(), value.as_str().into()))
                    .collect();
                variables = serde_json::Value::from(object).to_string();
                form.push(("ContentSid", template.id.as_str()));
                form.push(("ContentVariables", variables.as_str()));
            }
            None if outbound.body.as_str().chars().count() > TEXT_CHARS_MAX => {
                return exchange::not_carried("21617");
            }
            None => form.push(("Body", outbound.body.as_str())),
        }
        for file in outbound.files.iter().take(FILES_MAX) {
            form.push(("MediaUrl", file));
        }
        if let Some(service) = &self.service {
            form.push(("MessagingServiceSid", service));
        }
        let callback = self.callback(&outbound.reference);
        if let Some(callback) = &callback {
            form.push(("StatusCallback", callback));
        }
        let own = outbound
            .valid_s
            .map(|seconds| seconds.clamp(1, 36_000).to_string());
        form.push(("ValidityPeriod", own.as_deref().unwrap_or(&self.validity)));
        let request = self.request(Method::POST, self.messages()).form(&form);
        match request.send().await {
            Ok(response) => read_answer(response).await,
            Err(error) => exchange::broken(&error),
        }
    }

    /// Where reports on one text go. Our reference travels in the address, which Twilio signs.
    fn callback(&self, reference: &str) -> Option<String> {
        let mut address = self.status_callback.clone()?;
        address.query_pairs_mut().append_pair(REFERENCE, reference);
        Some(address.into())
    }

    fn hear_call(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        // Twilio keeps what a GET carries in its own logs for a week, so texts never come by one.
        if call.method != Method::POST {
            return Err(Refusal::method());
        }
        let form = match call.content_type().as_deref() {
            Some("application/x-www-form-urlencoded") => true,
            Some("application/json") if signature::body_digest(call.url).is_some() => false,
            _ => {
                return Err(Refusal::content_type(
                    "application/x-www-form-urlencoded, or application/json with bodySHA256 in \
                     the address",
                ));
            }
        };
        let given = call
            .header(SIGNATURE)
            .ok_or_else(|| forbidden("no_signature"))?;
        let signed = if form {
            signature::form_is_signed(&self.auth_tokens, call.url, call.body, given)
        } else {
            signature::json_is_signed(&self.auth_tokens, call.url, call.body, given)
        };
        if !signed {
            return Err(forbidden("wrong_signature"));
        }
        let fields = if form {
            Fields::from_form(call.body)
        } else {
            let object = serde_json::from_slice(&without_lone_surrogates(call.body));
            object
                .map_err(|_not_json| hook::UNREADABLE)
                .and_then(|object| Fields::from_json(&object))?
        };
        if fields.get("AccountSid") != Some(self.account_sid.as_str()) {
            return Err(forbidden("wrong_account"));
        }
        Ok(vec![match call.door {
            Door::Texts => Event::Text(hook::inbound(&fields, call.now)?),
            Door::Reports => {
                let mut report = hook::report(&fields)?;
                report.reference = reference_in(call.query());
                Event::Report(report)
            }
        }])
    }
}

fn forbidden(reason: &'static str) -> Refusal {
    Refusal::forbidden(
        reason,
        "the signature does not fit: check the auth token and the public address",
    )
}

impl Carrier for Twilio {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: &[Channel::Sms, Channel::Mms, Channel::Whatsapp],
            text_max: TEXT_CHARS_MAX,
            media: true,
            media_out: true,
            window: &[Channel::Whatsapp],
            templates: &[Channel::Whatsapp],
            keywords: Keywords::CarrierReplies,
            reports: self.status_callback.is_some(),
            // Twilio has no idempotency key for creating a message.
            idempotent: false,
            listing: true,
            redacts: self.redact,
            hook_bytes_max: HOOK_BYTES_MAX,
        }
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        Box::pin(self.post(outbound))
    }

    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        Box::pin(self.look_up(outbound, since))
    }

    fn hear(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        self.hear_call(call)
    }

    fn answer(&self, heard: Heard) -> Answer {
        match heard {
            Heard::Text => Answer {
                status: http::StatusCode::OK,
                body: Some(("text/xml", NO_REPLY)),
            },
            // Twilio is asked to repeat reports that meet a 4xx: this one may have overtaken the
            // commit of the send it is about.
            Heard::UnknownReport => Answer {
                status: http::StatusCode::NOT_FOUND,
                body: None,
            },
            Heard::Report | Heard::Nothing => Answer::plain(heard),
        }
    }

    fn class_of(&self, code: &str) -> Option<ErrorClass> {
        class_in(CODES, code)
    }

    fn list(&self, since: Timestamp, now: Timestamp) -> Answering<'_, Option<Vec<Event>>> {
        Box::pin(self.received(since, now))
    }

    fn look<'a>(&'a self, carrier_id: &'a str) -> Answering<'a, Option<Event>> {
        Box::pin(self.state_of(carrier_id))
    }

    fn redact<'a>(&'a self, carrier_id: &'a str) -> Answering<'a, bool> {
        Box::pin(async move { self.redact && self.blank(carrier_id).await })
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
    ) -> Answering<'a, Result<Vec<u8>, FetchFault>> {
        Box::pin(self.fetch_media(attachment))
    }

    fn discard<'a>(&'a self, attachment: &'a Attachment) -> Answering<'a, bool> {
        Box::pin(self.delete_media(attachment))
    }

    fn examine(&self) -> Answering<'_, Vec<Advice>> {
        Box::pin(self.examine_account())
    }
}

fn reference_in(query: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == REFERENCE)
        .map(|(_, value)| value.into_owned())
}

/// Sender and receiver as Twilio spells them on this channel; none when it does not carry it.
fn addresses(outbound: &Outbound) -> Option<(String, String)> {
    spell(outbound.channel, &outbound.from).zip(spell(outbound.channel, &outbound.to))
}

fn spell(channel: Channel, number: &E164) -> Option<String> {
    match channel {
        Channel::Sms | Channel::Mms => Some(number.as_str().to_owned()),
        Channel::Whatsapp => Some(format!("{}{}", hook::WHATSAPP, number.as_str())),
        Channel::Webchat => None,
    }
}

/// A message resource, the parts that matter.
#[derive(Deserialize)]
struct Taken {
    sid: String,
    status: String,
}

/// A refusal; `message` is left out on purpose, it repeats the patient's number.
#[derive(Deserialize)]
struct Refused {
    code: Option<u32>,
}

async fn read_answer(response: reqwest::Response) -> SendOutcome {
    let status = response.status();
    let after_ms = exchange::retry_after_ms(&response);
    let body = exchange::read_capped(response).await;
    if status.is_success() {
        let taken = body.and_then(|body| serde_json::from_slice::<Taken>(&body).ok());
        return match taken.filter(|taken| hook::is_sid(&taken.sid, &["SM", "MM"])) {
            Some(taken) => SendOutcome::Accepted {
                delivery: hook::delivery(&taken.status).unwrap_or(Delivery::Accepted),
                carrier_id: taken.sid,
            },
            None => exchange::unreadable(),
        };
    }
    let code = body
        .and_then(|body| serde_json::from_slice::<Refused>(&body).ok())
        .and_then(|refusal| refusal.code)
        .map(|code| code.to_string());
    codes::ending(CODES, status.as_u16(), code.as_deref(), after_ms)
}
