//! Bandwidth Messaging v2: SMS and MMS. Webhooks are arrays of events under Basic credentials, come
//! at least once, and are repeated for a day until they meet a 2xx within 10 seconds.

mod account;
mod codes_table;
mod fake;
mod hook;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

pub use account::BandwidthAccount;
pub use codes_table::CODES;

use crate::carrier::account::Advice;
use crate::carrier::codes::{self, ErrorClass, class_in};
use crate::carrier::exchange::{self, FetchFault};
use crate::carrier::hear::{Call, Event, Refusal, Report};
use crate::carrier::{Answering, Capabilities, Carrier, Keywords, mac, media};
use crate::domain::message::{Attachment, Delivery, Outbound, SendOutcome};
use crate::policy::words::Channel;

/// Most characters of one text.
const TEXT_CHARS_MAX: usize = 2_048;

/// Largest webhook: an array of a thousand events.
const HOOK_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How long Bandwidth may hold a text by default: an answer that is four hours old helps nobody.
const VALIDITY: SignedDuration = SignedDuration::from_hours(4);

/// How far Bandwidth's clock and ours may differ.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(120);

/// A carrier that posts to one Bandwidth account.
#[derive(Clone, Debug)]
pub struct Bandwidth {
    http: Client,
    /// `.../users/{accountId}/`
    account: Url,
    application: String,
    user: String,
    password: SecretString,
    /// Credentials that webhooks may come with, several during rotation.
    hooks: Vec<(String, SecretString)>,
    clock: std::sync::Arc<dyn crate::domain::clock::Clock>,
}

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "messageId")]
    id: String,
    #[serde(rename = "messageStatus", default)]
    status: String,
    #[serde(rename = "errorCode")]
    error_code: Option<u32>,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Bandwidth {
    fn request(&self, method: Method, address: Url) -> RequestBuilder {
        self.http
            .request(method, address)
            .basic_auth(&self.user, Some(self.password.expose_secret()))
    }

    fn below(&self, path: &[&str]) -> Url {
        let mut address = self.account.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.extend(path);
        }
        address
    }

    async fn post(&self, outbound: &Outbound) -> SendOutcome {
        if !matches!(outbound.channel, Channel::Sms | Channel::Mms) || outbound.template.is_some() {
            return exchange::not_carried("channel_not_carried");
        }
        if outbound.body.as_str().chars().count() > TEXT_CHARS_MAX {
            return exchange::not_carried("text_too_long");
        }
        let valid = outbound.valid_s.map_or(VALIDITY, |seconds| {
            SignedDuration::from_secs(i64::from(seconds))
        });
        let now = self.clock.now();
        let mut body = json!({
            "applicationId": self.application,
            "to": [outbound.to.as_str()],
            "from": outbound.from.as_str(),
            "text": outbound.body.as_str(),
            // Comes back with every report.
            "tag": outbound.reference,
            "expiration": format!("{:.0}", now.saturating_add(valid).unwrap_or(now)),
        });
        // A text with files is an MMS.
        if let Some(fields) = body.as_object_mut()
            && !outbound.files.is_empty()
        {
            fields.insert("media".to_owned(), json!(outbound.files));
        }
        let request = self.request(Method::POST, self.below(&["messages"]));
        let answer = match request.json(&body).send().await {
            Ok(answer) => answer,
            Err(error) => return exchange::broken(&error),
        };
        let status = answer.status();
        let after_ms = exchange::retry_after_ms(&answer);
        let body = exchange::read_capped(answer).await;
        if status.is_success() {
            let taken = body.and_then(|body| serde_json::from_slice::<Taken>(&body).ok());
            return match taken.filter(|taken| hook::is_id(&taken.id)) {
                Some(taken) => SendOutcome::Accepted {
                    carrier_id: taken.id,
                    delivery: Delivery::Accepted,
                },
                None => exchange::unreadable(),
            };
        }
        let kind = body
            .and_then(|body| serde_json::from_slice::<Refused>(&body).ok())
            .and_then(|refused| refused.kind);
        codes::ending(CODES, status.as_u16(), kind.as_deref(), after_ms)
    }

    async fn listed(&self, query: &[(&str, &str)]) -> Option<Vec<Listed>> {
        let request = self.request(Method::GET, self.below(&["messages"]));
        let answer = request.query(query).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let body = exchange::read_capped(answer).await?;
        let page: Page = serde_json::from_slice(&body).ok()?;
        Some(page.messages)
    }

    /// The list has neither texts nor tags. That nothing went to this number since then is proof;
    /// that something did tells nothing. A report with our tag tells the rest.
    async fn look_up(&self, outbound: &Outbound, since: Timestamp) -> Option<Option<SendOutcome>> {
        let since = since.saturating_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
        let since = format!("{since:.3}");
        let listed = self
            .listed(&[
                ("sourceTn", outbound.from.as_str()),
                ("destinationTn", outbound.to.as_str()),
                ("messageDirection", "OUTBOUND"),
                ("fromDateTime", &since),
            ])
            .await?;
        listed.is_empty().then_some(None)
    }

    async fn state_of(&self, carrier_id: &str) -> Option<Event> {
        if !hook::is_id(carrier_id) {
            return None;
        }
        let listed = self.listed(&[("messageId", carrier_id)]).await?;
        let it = listed.into_iter().find(|it| it.id == carrier_id)?;
        let delivery = match it.status.as_str() {
            "QUEUED" | "RECEIVED" | "ACCEPTED" => Delivery::Queued,
            "SENDING" => Delivery::Sending,
            "SENT" => Delivery::Sent,
            "DELIVERED" => Delivery::Delivered,
            "FAILED" => Delivery::Failed,
            "UNDELIVERED" => Delivery::Undelivered,
            _ => return None,
        };
        Some(Event::Report(Report {
            carrier_id: it.id,
            delivery,
            code: it
                .error_code
                .filter(|code| *code != 0)
                .map(|code| code.to_string()),
            reference: None,
        }))
    }

    fn hear_call(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        if call.method != Method::POST {
            return Err(Refusal::method());
        }
        let given = call
            .header(http::header::AUTHORIZATION.as_str())
            .ok_or_else(|| Refusal::unauthorized("no_credentials"))?;
        let pairs: Vec<_> = self.hooks.iter().map(|(user, it)| (&**user, it)).collect();
        if !mac::basic_fits(given, &pairs) {
            return Err(Refusal::unauthorized("wrong_credentials"));
        }
        Ok(hook::events(call.body, call.now)?)
    }

    /// A file of this account at Bandwidth, where the webhook names one.
    fn media_address(&self, file: &Attachment) -> Option<Url> {
        let address = Url::parse(&file.address).ok()?;
        let ours = address.origin() == self.account.origin();
        let theirs = address.scheme() == "https"
            && address.host_str() == Some("messaging.bandwidth.com")
            && address.port().is_none();
        let account = self.account.path_segments()?.next_back()?;
        let within = address.path().contains(&format!("/users/{account}/media/"));
        let plain = address.username().is_empty() && address.password().is_none();
        ((ours || theirs) && within && plain).then_some(address)
    }

    async fn fetch_media(&self, file: &Attachment) -> Result<Vec<u8>, FetchFault> {
        let address = self.media_address(file).ok_or(FetchFault::Elsewhere)?;
        let password = self.password.expose_secret();
        media::fetch(&self.http, address, |request| {
            request.basic_auth(&self.user, Some(password))
        })
        .await
    }

    async fn delete_media(&self, file: &Attachment) -> bool {
        let Some(address) = self.media_address(file) else {
            return false;
        };
        match self.request(Method::DELETE, address).send().await {
            Ok(answer) => answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND,
            Err(_later) => false,
        }
    }

    async fn examine_account(&self) -> Vec<Advice> {
        let mut address = self.below(&["messages"]);
        address.query_pairs_mut().append_pair("limit", "1");
        let advice = match self.request(Method::GET, address).send().await {
            Ok(answer) if answer.status().is_success() => {
                Advice::Good("Bandwidth accepts the credentials".to_owned())
            }
            Ok(answer) if matches!(answer.status().as_u16(), 401 | 403) => Advice::Bad(
                "Bandwidth refuses the credentials: account_id, user and password are those of an \
                 API user with the Messaging role (Dashboard, Account, API credentials)"
                    .to_owned(),
            ),
            Ok(answer) => Advice::Bad(format!("Bandwidth answers {}", answer.status())),
            Err(_unreachable) => {
                Advice::Bad("Bandwidth cannot be reached: check the network".to_owned())
            }
        };
        vec![advice]
    }
}

impl Carrier for Bandwidth {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: &[Channel::Sms, Channel::Mms],
            text_max: TEXT_CHARS_MAX,
            media: true,
            media_out: true,
            window: &[],
            templates: &[],
            // Toll-free numbers are guarded by the network as well; the duty stays ours.
            keywords: Keywords::WeReply,
            reports: true,
            idempotent: false,
            // Its list has no texts; lost webhooks are repeated for a day.
            listing: false,
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

    fn look<'a>(&'a self, carrier_id: &'a str) -> Answering<'a, Option<Event>> {
        Box::pin(self.state_of(carrier_id))
    }

    fn hear(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        self.hear_call(call)
    }

    fn class_of(&self, code: &str) -> Option<ErrorClass> {
        class_in(CODES, code)
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
