//! `MessageBird`'s classic REST API: SMS out, SMS and MMS in, status reports by GET.

mod account;
mod codes_table;
mod fake;
mod hook;
pub mod jwt;
pub mod legacy;

use std::sync::Arc;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

pub use account::MessagebirdAccount;
pub use codes_table::CODES;

use crate::carrier::account::Advice;
use crate::carrier::codes::{self, ErrorClass, class_in};
use crate::carrier::exchange::{self, FetchFault};
use crate::carrier::hear::{self, Answer, Call, Event, Heard, Refusal, Report};
use crate::carrier::{Answering, Capabilities, Carrier, Keywords, media};
use crate::domain::message::{
    Attachment, Delivery, INBOUND_CHARS_MAX, Inbound, Outbound, SendOutcome,
};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

/// Most characters of one text: nine parts of GSM-7.
const TEXT_CHARS_MAX: usize = 1_377;

const HOOK_BYTES_MAX: usize = 64 * 1024;

/// Seconds that `MessageBird` may hold a text by default.
const VALIDITY_S: u32 = 14_400;

/// Texts listed at once, and pages read, when looking for one or catching up.
const PAGE_SIZE: usize = 200;
const PAGES_MAX: usize = 50;

/// How far `MessageBird`'s clock and ours may differ.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(120);

/// A carrier that posts to one `MessageBird` account.
#[derive(Clone, Debug)]
pub struct Messagebird {
    http: Client,
    base: Url,
    access_key: SecretString,
    signing_keys: Vec<SecretString>,
    /// Whether the scheme before the token is believed.
    legacy: bool,
    report_url: Option<String>,
    numbers: Vec<E164>,
    used: Arc<jwt::Used>,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
struct OneError {
    code: u32,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    direction: Option<String>,
    originator: Option<serde_json::Value>,
    body: Option<String>,
    reference: Option<String>,
    #[serde(rename = "createdDatetime")]
    created: Option<Timestamp>,
    recipients: Option<Recipients>,
}

#[derive(Deserialize)]
struct Recipients {
    #[serde(default)]
    items: Vec<Recipient>,
}

#[derive(Deserialize)]
struct Recipient {
    #[serde(rename = "recipient")]
    number: Option<serde_json::Value>,
    status: Option<String>,
    #[serde(rename = "statusErrorCode")]
    code: Option<u32>,
}

impl Listed {
    fn delivery(&self) -> Delivery {
        let status = self.first().and_then(|it| it.status.as_deref());
        status
            .and_then(hook::delivery)
            .unwrap_or(Delivery::Accepted)
    }

    /// The state with which it is taken: that it failed is told with its code, by a report or when
    /// it is asked for.
    fn taken(&self) -> Delivery {
        let told = self.delivery();
        if told.has_failed() {
            Delivery::Sent
        } else {
            told
        }
    }

    fn first(&self) -> Option<&Recipient> {
        self.recipients.as_ref()?.items.first()
    }
}

fn number(value: Option<&serde_json::Value>) -> Option<E164> {
    let text = match value? {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => return None,
    };
    format!("+{}", text.trim_start_matches('+')).parse().ok()
}

impl Messagebird {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut address = self.base.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        self.http.request(method, address).header(
            http::header::AUTHORIZATION,
            format!("AccessKey {}", self.access_key.expose_secret()),
        )
    }

    async fn post(&self, outbound: &Outbound) -> SendOutcome {
        if outbound.channel != Channel::Sms && outbound.channel != Channel::Mms
            || outbound.template.is_some()
            || !outbound.files.is_empty()
        {
            return exchange::not_carried("channel_not_carried");
        }
        if outbound.body.as_str().chars().count() > TEXT_CHARS_MAX {
            return exchange::not_carried("text_too_long");
        }
        let bare = |number: &E164| number.as_str().trim_start_matches('+').to_owned();
        let mut body = json!({
            "originator": bare(&outbound.from),
            "recipients": [bare(&outbound.to)],
            "body": outbound.body.as_str(),
            // `plain`, the default, replaces characters without a word.
            "datacoding": "auto",
            "reference": outbound.reference,
            "validity": outbound.valid_s.unwrap_or(VALIDITY_S),
        });
        // Ignored by `MessageBird` unless there is a reference.
        if let (Some(url), Some(fields)) = (&self.report_url, body.as_object_mut()) {
            fields.insert("reportUrl".to_owned(), url.as_str().into());
        }
        let answer = match self
            .request(Method::POST, "messages")
            .json(&body)
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) => return exchange::broken(&error),
        };
        let status = answer.status();
        let after_ms = exchange::retry_after_ms(&answer);
        let body = exchange::read_capped(answer).await;
        if status.is_success() {
            let taken = body.and_then(|body| serde_json::from_slice::<Listed>(&body).ok());
            return match taken.filter(|taken| hook::is_id(&taken.id)) {
                Some(taken) => SendOutcome::Accepted {
                    delivery: taken.taken(),
                    carrier_id: taken.id,
                },
                None => exchange::unreadable(),
            };
        }
        // The numbers of refusals and of reports overlap: these are spelled apart.
        let code = body
            .and_then(|body| serde_json::from_slice::<Errors>(&body).ok())
            .and_then(|errors| {
                errors
                    .errors
                    .first()
                    .map(|error| format!("rest_{}", error.code))
            });
        codes::ending(CODES, status.as_u16(), code.as_deref(), after_ms)
    }

    /// One page of the account's texts, newest first.
    async fn page(&self, page: usize, filter: &[(&str, String)]) -> Option<Vec<Listed>> {
        let query = [
            ("limit", PAGE_SIZE.to_string()),
            ("offset", (page * PAGE_SIZE).to_string()),
        ];
        let request = self.request(Method::GET, "messages");
        let answer = request.query(&query).query(filter).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let body = exchange::read_capped(answer).await?;
        let page: Page = serde_json::from_slice(&body).ok()?;
        Some(page.items)
    }

    /// The texts of the account, newest first, page by page, back to `since`; none when the list
    /// cannot be read that far.
    async fn listed(&self, since: Timestamp) -> Option<Vec<Listed>> {
        let since = since.saturating_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let items = self.page(page, &[]).await?;
            let whole = items.len() < PAGE_SIZE;
            for item in items {
                if item.created? < since {
                    return Some(found);
                }
                found.push(item);
            }
            if whole {
                return Some(found);
            }
        }
        None
    }

    async fn look_up(&self, outbound: &Outbound, since: Timestamp) -> Option<Option<SendOutcome>> {
        let is_ours = |it: &Listed| it.reference.as_deref() == Some(&outbound.reference);
        // The short way: the newest texts to this number. That ours is not among them proves
        // nothing; a filter may not do what it says.
        let to = outbound.to.as_str().trim_start_matches('+').to_owned();
        let filter = [("recipient", to), ("direction", "mt".to_owned())];
        let newest = self.page(0, &filter).await;
        let mut ours = newest.and_then(|page| page.into_iter().find(is_ours));
        if ours.is_none() {
            ours = self.listed(since).await?.into_iter().find(is_ours);
        }
        Some(ours.map(|it| SendOutcome::Accepted {
            delivery: it.taken(),
            carrier_id: it.id,
        }))
    }

    async fn received(&self, since: Timestamp, now: Timestamp) -> Option<Vec<Event>> {
        let mut events = Vec::new();
        for it in self.listed(since).await?.into_iter().rev() {
            if it.direction.as_deref() != Some("mo") {
                continue;
            }
            let from = number(it.originator.as_ref());
            let to = number(it.first().and_then(|it| it.number.as_ref()));
            let (Some(from), Some(to)) = (from, to) else {
                continue;
            };
            if !self.numbers.contains(&to) {
                continue;
            }
            let body: String = it.body.unwrap_or_default();
            events.push(Event::Text(Inbound::text(
                (CarrierKind::Messagebird, it.id),
                Channel::Sms,
                from,
                to,
                Phi::new(body.chars().take(INBOUND_CHARS_MAX).collect()),
                hear::written(it.created, now),
            )));
        }
        Some(events)
    }

    async fn state_of(&self, carrier_id: &str) -> Option<Event> {
        if !hook::is_id(carrier_id) {
            return None;
        }
        let request = self.request(Method::GET, &format!("messages/{carrier_id}"));
        let answer = request.send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let it: Listed = serde_json::from_slice(&exchange::read_capped(answer).await?).ok()?;
        Some(Event::Report(Report {
            delivery: it.delivery(),
            code: it
                .first()
                .and_then(|it| it.code)
                .map(|code| code.to_string()),
            carrier_id: it.id,
            reference: it.reference,
        }))
    }

    fn hear_call(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        if call.method != Method::POST && call.method != Method::GET {
            return Err(Refusal::method());
        }
        let keys = &self.signing_keys;
        let refused = |reason| {
            Refusal::forbidden(
                reason,
                "the signature does not fit: check signing_keys, the public address and the clock",
            )
        };
        match call.header("messagebird-signature-jwt") {
            Some(token) => {
                let (id, expires) = jwt::verify(keys, token, call.url, call.body, call.now)
                    .map_err(|error| {
                        refused(if error == jwt::JwtError::Time {
                            "wrong_time"
                        } else {
                            "wrong_signature"
                        })
                    })?;
                if !self.used.first(id, expires, call.now) {
                    return Err(refused("replayed"));
                }
            }
            None => {
                let signature = call.header("messagebird-signature");
                let time = call.header("messagebird-request-timestamp");
                let (Some(signature), Some(time)) = (signature, time) else {
                    return Err(refused("no_signature"));
                };
                if !self.legacy {
                    return Err(refused("wrong_scheme"));
                }
                if !legacy::fits(keys, time, call.query(), call.body, signature, call.now) {
                    return Err(refused("wrong_signature"));
                }
            }
        }
        Ok(vec![hook::event(call)?])
    }

    async fn fetch_media(&self, file: &Attachment) -> Result<Vec<u8>, FetchFault> {
        let address = Url::parse(&file.address).map_err(|_not_url| FetchFault::Elsewhere)?;
        let ours = address.origin() == self.base.origin();
        let theirs = address.scheme() == "https"
            && address.port().is_none()
            && address
                .host_str()
                .is_some_and(|host| host.ends_with(".messagebird.com"));
        if !(ours || theirs) {
            return Err(FetchFault::Elsewhere);
        }
        let key = format!("AccessKey {}", self.access_key.expose_secret());
        media::fetch(&self.http, address, |request| {
            request.header(http::header::AUTHORIZATION, key)
        })
        .await
    }

    async fn examine_account(&self) -> Vec<Advice> {
        vec![match self.request(Method::GET, "balance").send().await {
            Ok(answer) if answer.status().is_success() => {
                Advice::Good("MessageBird accepts the access key".to_owned())
            }
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => Advice::Bad(
                "MessageBird refuses access_key: make a live key (Dashboard, Developers, API \
                 access)"
                    .to_owned(),
            ),
            Ok(answer) => Advice::Bad(format!("MessageBird answers {}", answer.status())),
            Err(_unreachable) => {
                Advice::Bad("MessageBird cannot be reached: check the network".to_owned())
            }
        }]
    }
}

impl Carrier for Messagebird {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: &[Channel::Sms, Channel::Mms],
            text_max: TEXT_CHARS_MAX,
            media: true,
            media_out: false,
            window: &[],
            templates: &[],
            keywords: Keywords::WeReply,
            reports: self.report_url.is_some(),
            idempotent: false,
            listing: true,
            redacts: false,
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

    fn unhear(&self, call: &Call<'_>) {
        if let Some(token) = call.header("messagebird-signature-jwt")
            && let Ok((id, _)) =
                jwt::verify(&self.signing_keys, token, call.url, call.body, call.now)
        {
            self.used.forget(&id);
        }
    }

    fn answer(&self, _heard: Heard) -> Answer {
        Answer {
            status: StatusCode::OK,
            body: Some(("text/plain", "OK")),
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

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
    ) -> Answering<'a, Result<Vec<u8>, FetchFault>> {
        Box::pin(self.fetch_media(attachment))
    }

    fn examine(&self) -> Answering<'_, Vec<Advice>> {
        Box::pin(self.examine_account())
    }
}
