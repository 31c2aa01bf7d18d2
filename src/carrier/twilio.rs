//! Twilio Programmable Messaging: one text, one form POST, one honest ending.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, StatusCode, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use crate::carrier::Carrier;
use crate::carrier::codes;
use crate::carrier::hook;
use crate::carrier::listing;
use crate::carrier::listing::Page;
use crate::domain::message::{Delivery, Outbound, SendOutcome};
use crate::domain::phone::E164;
use crate::policy::words::Channel;

/// Longest wait for a connection; a text that did not get this far was surely not sent.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for the whole exchange; Twilio itself answers within a second or two.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(20);

/// The most of an answer that is read; a message resource takes about 1 KiB, a text of 1,600
/// characters up to 10 KiB, and a page holds 50.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Texts listed at once, and pages read, when looking for one: far more than one person gets
/// within the time that a lease lives.
const PAGE_SIZE: &str = "50";
const PAGES_MAX: usize = 4;

/// Bounds of the carrier's `Retry-After` wish that we follow: long enough to help, short enough
/// that a wrong header cannot park a text for a day.
pub const RETRY_AFTER_MS: std::ops::RangeInclusive<u64> = 1_000..=300_000;

/// How status reports are repeated when we do not answer, or do not know the text yet because the
/// report overtook our own commit
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>). Not part of what
/// is signed.
const REPORT_RETRIES: &str = "rc=3&rp=4xx,5xx,ct,rt";

/// An account with Twilio.
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
    /// Where delivery reports go; none when the public address is not reachable from outside.
    pub status_callback: Option<Url>,
}

/// Why the account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TwilioSettingsError {
    /// The account's id is misspelled.
    #[error("`account_sid` is not a Twilio account: it is `AC` and 32 hexadecimal digits")]
    AccountSid,
    /// The user is neither the account nor an API key.
    #[error("the user is neither `account_sid` nor an API key (`SK` and 32 hexadecimal digits)")]
    User,
    /// The address of the API cannot carry a path.
    #[error("`api_base` is not an http or https address")]
    ApiBase,
    /// No HTTP client can be made, for instance without any root certificate.
    #[error("no HTTP client can be made: {0}")]
    Client(#[source] reqwest::Error),
}

/// A carrier that posts to one Twilio account.
#[derive(Clone, Debug)]
pub struct Twilio {
    http: Client,
    address: Url,
    user: String,
    password: SecretString,
    status_callback: Option<String>,
}

impl Twilio {
    /// An account, with the usual patience.
    pub fn new(settings: TwilioSettings) -> Result<Self, TwilioSettingsError> {
        Self::with_patience(settings, CONNECT_TIMEOUT, EXCHANGE_TIMEOUT)
    }

    /// Checks the settings and builds a client with timeouts and without redirects, which would
    /// carry the password elsewhere.
    pub fn with_patience(
        settings: TwilioSettings,
        connect: Duration,
        exchange: Duration,
    ) -> Result<Self, TwilioSettingsError> {
        if !hook::is_sid(&settings.account_sid, &["AC"]) {
            return Err(TwilioSettingsError::AccountSid);
        }
        if settings.user != settings.account_sid && !hook::is_sid(&settings.user, &["SK"]) {
            return Err(TwilioSettingsError::User);
        }
        let mut address = settings.api_base;
        let account = settings.account_sid.as_str();
        address
            .path_segments_mut()
            .map_err(|()| TwilioSettingsError::ApiBase)?
            .pop_if_empty()
            .extend(["2010-04-01", "Accounts", account, "Messages.json"]);
        let http = Client::builder()
            .connect_timeout(connect)
            .timeout(exchange)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(TwilioSettingsError::Client)?;
        Ok(Self {
            http,
            address,
            user: settings.user,
            password: settings.password,
            status_callback: settings.status_callback.map(|mut url| {
                url.set_fragment(Some(REPORT_RETRIES));
                url.into()
            }),
        })
    }

    async fn post(&self, outbound: &Outbound) -> SendOutcome {
        let Some((from, to)) = addresses(outbound) else {
            return SendOutcome::Fail {
                code: "channel_not_carried".to_owned(),
            };
        };
        // `SmartEncoded` is never set: Twilio's map turns "1½ tablets" into "11/2 tablets".
        let mut form = vec![
            ("To", to.as_str()),
            ("From", from.as_str()),
            ("Body", outbound.body.as_str()),
        ];
        if let Some(callback) = &self.status_callback {
            form.push(("StatusCallback", callback));
        }
        let request = self
            .http
            .post(self.address.clone())
            .basic_auth(&self.user, Some(self.password.expose_secret()))
            .form(&form);
        match request.send().await {
            Ok(response) => read_answer(response).await,
            Err(error) => broken(&error),
        }
    }

    /// Lists the texts to this number, newest first, back to `since`. The list is not narrowed by
    /// `DateSent`: a text that still waits in Twilio's queue has none.
    async fn look_up(&self, outbound: &Outbound, since: Timestamp) -> Option<Option<SendOutcome>> {
        let (from, to) = addresses(outbound)?;
        let mut address = self.address.clone();
        address.query_pairs_mut().extend_pairs([
            ("To", to.as_str()),
            ("From", from.as_str()),
            ("PageSize", PAGE_SIZE),
        ]);
        for _ in 0..PAGES_MAX {
            let request = self.http.get(address.clone());
            let answer = request
                .basic_auth(&self.user, Some(self.password.expose_secret()))
                .send()
                .await
                .ok()?;
            if answer.status() != StatusCode::OK {
                return None;
            }
            let page: Page = serde_json::from_slice(&read_capped(answer).await?).ok()?;
            match listing::search(&page, outbound.body.as_str(), since) {
                listing::Search::Found(found) => return Some(Some(found)),
                listing::Search::Absent => return Some(None),
                listing::Search::CannotTell => return None,
                listing::Search::Older => {
                    // A path and query on the same host; an absolute address is never followed.
                    let next = page
                        .next_page_uri
                        .filter(|uri| uri.starts_with("/2010-04-01/"))?;
                    let (path, query) = next.split_once('?')?;
                    address.set_path(path);
                    address.set_query(Some(query));
                }
            }
        }
        None
    }
}

impl Carrier for Twilio {
    fn send<'a>(
        &'a self,
        outbound: &'a Outbound,
    ) -> Pin<Box<dyn Future<Output = SendOutcome> + Send + 'a>> {
        Box::pin(self.post(outbound))
    }

    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        since: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Option<Option<SendOutcome>>> + Send + 'a>> {
        Box::pin(self.look_up(outbound, since))
    }
}

/// Sender and receiver as Twilio spells them on this channel; none when it does not carry it.
fn addresses(outbound: &Outbound) -> Option<(String, String)> {
    let spell = |number: &E164| match outbound.channel {
        Channel::Sms | Channel::Mms => Some(number.as_str().to_owned()),
        Channel::Whatsapp => Some(format!("{}{}", hook::WHATSAPP, number.as_str())),
        Channel::Webchat => None,
    };
    spell(&outbound.from).zip(spell(&outbound.to))
}

/// A message resource, the parts that matter.
#[derive(Deserialize)]
struct Taken {
    sid: String,
    status: String,
}

/// A refusal; `message` is left out on purpose, it repeats the patient's number.
#[derive(Deserialize)]
struct Refusal {
    code: Option<u32>,
}

async fn read_answer(response: Response) -> SendOutcome {
    let status = response.status();
    let after_ms = retry_after_ms(&response);
    let body = read_capped(response).await;
    if status.is_success() {
        let taken = body.and_then(|body| serde_json::from_slice::<Taken>(&body).ok());
        return match taken.filter(|taken| hook::is_sid(&taken.sid, &["SM", "MM"])) {
            Some(taken) => SendOutcome::Accepted {
                delivery: hook::delivery(&taken.status).unwrap_or(Delivery::Accepted),
                carrier_id: taken.sid,
            },
            // Taken, but under a name that we could not read.
            None => SendOutcome::Unknown {
                code: "unreadable_answer".to_owned(),
            },
        };
    }
    let code = body
        .and_then(|body| serde_json::from_slice::<Refusal>(&body).ok())
        .and_then(|refusal| refusal.code);
    codes::ending(status.as_u16(), code, after_ms)
}

async fn read_capped(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

fn retry_after_ms(response: &Response) -> Option<u64> {
    let seconds: u64 = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let wish = seconds.saturating_mul(1_000);
    Some(wish.clamp(*RETRY_AFTER_MS.start(), *RETRY_AFTER_MS.end()))
}

/// The ending of an exchange that broke. Only a failure to connect proves that nothing was sent.
fn broken(error: &reqwest::Error) -> SendOutcome {
    if error.is_builder() {
        SendOutcome::Fail {
            code: "request_not_built".to_owned(),
        }
    } else if error.is_connect() {
        SendOutcome::Retry {
            code: if error.is_timeout() {
                "timeout_before_send"
            } else {
                "not_connected"
            }
            .to_owned(),
            after_ms: None,
        }
    } else {
        SendOutcome::Unknown {
            code: if error.is_timeout() {
                "timeout_after_send"
            } else {
                "connection_broken"
            }
            .to_owned(),
        }
    }
}
