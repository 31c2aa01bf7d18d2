//! `MessageBird`'s classic REST API: SMS and MMS both ways, status reports by GET.

mod account;
mod codes_table;
mod fake;
mod hook;
pub mod jwt;
pub mod legacy;
mod listing;

use std::sync::Arc;

use http::{Method, StatusCode};
use jiff::Timestamp;
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
use crate::carrier::hear::{Answer, Call, Event, Heard, Refusal};
use crate::carrier::messagebird::listing::Listed;
use crate::carrier::{Answering, Capabilities, Carrier, Keywords, media};
use crate::domain::message::{Attachment, Outbound, SendOutcome};
use crate::domain::phone::E164;
use crate::policy::words::Channel;

/// Most characters of one text: nine parts of GSM-7.
const TEXT_CHARS_MAX: usize = 1_377;

/// Most characters of an MMS, and most files that go along.
const MMS_CHARS_MAX: usize = 2_000;
const FILES_MAX: usize = 10;

/// The resources that hold texts.
const SMS: &str = "messages";
const MMS: &str = "mms";

const HOOK_BYTES_MAX: usize = 64 * 1024;

/// Seconds that `MessageBird` may hold a text by default.
const VALIDITY_S: u32 = 14_400;

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
    /// Whether files go out by it: then a text may be among the MMS as well.
    files_out: bool,
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

fn bare(number: &E164) -> &str {
    number.as_str().trim_start_matches('+')
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
        {
            return exchange::not_carried("channel_not_carried");
        }
        let files = !outbound.files.is_empty();
        let most = if files { MMS_CHARS_MAX } else { TEXT_CHARS_MAX };
        if outbound.body.as_str().chars().count() > most {
            return exchange::not_carried("text_too_long");
        }
        let (resource, body) = if files {
            (MMS, Self::picture_message(outbound))
        } else {
            (SMS, self.text_message(outbound))
        };
        let answer = match self
            .request(Method::POST, resource)
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

    fn text_message(&self, outbound: &Outbound) -> serde_json::Value {
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
        body
    }

    /// An MMS names no address for reports: what became of it is asked for.
    fn picture_message(outbound: &Outbound) -> serde_json::Value {
        let files: Vec<&String> = outbound.files.iter().take(FILES_MAX).collect();
        json!({
            "originator": bare(&outbound.from),
            "recipients": [bare(&outbound.to)],
            "body": outbound.body.as_str(),
            "mediaUrls": files,
            "reference": outbound.reference,
        })
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
            media_out: self.files_out,
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
