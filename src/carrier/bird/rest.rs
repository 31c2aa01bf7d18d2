//! Bird's REST interfaces: sending, looking for a text, asking what became of it, fetching files.

use http::{Method, StatusCode};
use reqwest::{RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use crate::carrier::account::Advice;
use crate::carrier::bird::codes_table::CODES;
use crate::carrier::bird::product::Product;
use crate::carrier::bird::{Bird, TEXT_CHARS_MAX, hook};
use crate::carrier::codes::{self, class_in};
use crate::carrier::exchange::{self, FetchFault};
use crate::carrier::hear::Event;
use crate::carrier::media;
use crate::domain::message::{Attachment, Delivery, Outbound, SendOutcome};
use crate::policy::words::Channel;

/// Where the files of a workspace lie; one of the two comes with each message.
const MEDIA_HOSTS: [&str; 2] = ["media.api.bird.com", "media.nest.messagebird.com"];

impl Bird {
    /// What every request is signed in with.
    fn key(&self) -> String {
        let scheme = match self.product {
            Product::Platform => "Bearer",
            Product::Channels { .. } => "AccessKey",
        };
        format!("{scheme} {}", self.access_key.expose_secret())
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut address = self.base.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.http
            .request(method, address)
            .header(http::header::AUTHORIZATION, self.key())
    }

    pub(super) async fn post(&self, outbound: &Outbound) -> SendOutcome {
        let Some(path) = self.product.messages(outbound.channel) else {
            return exchange::not_carried("channel_not_carried");
        };
        if outbound.template.is_some() && outbound.channel != Channel::Whatsapp {
            return exchange::not_carried("channel_not_carried");
        }
        if outbound.body.as_str().chars().count() > TEXT_CHARS_MAX {
            return exchange::not_carried("text_too_long");
        }
        let mut request = self
            .request(Method::POST, &path)
            .json(&self.product.body(outbound));
        if !self.product.is_channels() {
            request = request.header("idempotency-key", &outbound.reference);
        }
        match request.send().await {
            Ok(answer) => self.read_answer(answer).await,
            Err(error) => self.safe(exchange::broken(&error)),
        }
    }

    async fn read_answer(&self, answer: Response) -> SendOutcome {
        let status = answer.status();
        let after_ms = exchange::retry_after_ms(&answer);
        let body = exchange::read_capped(answer).await;
        let body = body.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
        if status.is_success() {
            let id = body.as_ref().and_then(|body| body.get("id")?.as_str());
            return match id.filter(|id| hook::is_id(id)) {
                Some(id) => SendOutcome::Accepted {
                    carrier_id: id.to_owned(),
                    delivery: body
                        .as_ref()
                        .and_then(|body| hook::delivery(body.get("status")?.as_str()?))
                        .unwrap_or(Delivery::Accepted),
                },
                None => self.safe(exchange::unreadable()),
            };
        }
        let code = body.as_ref().and_then(refused_with);
        self.safe(codes::ending(CODES, status.as_u16(), code, after_ms))
    }

    /// On the platform one reference is one text however often it is handed over, so doubt is no
    /// more than a reason to try again.
    fn safe(&self, outcome: SendOutcome) -> SendOutcome {
        match (&self.product, outcome) {
            (Product::Platform, SendOutcome::Unknown { code }) if code != "http_501" => {
                SendOutcome::Retry {
                    code,
                    after_ms: None,
                }
            }
            (_, outcome) => outcome,
        }
    }

    pub(super) async fn look_up(&self, outbound: &Outbound) -> Option<Option<SendOutcome>> {
        if !self.product.is_channels() {
            return Some(None);
        }
        let path = self.product.messages(outbound.channel)?;
        let query = [("reference", outbound.reference.as_str()), ("limit", "50")];
        let page = self.ask(self.request(Method::GET, &path).query(&query));
        let page = page.await.ok()?;
        let ours =
            page.get("results")?.as_array()?.iter().find(|it| {
                it.get("reference").and_then(Value::as_str) == Some(&outbound.reference)
            });
        // A list that was not narrowed to the reference, and not read to its end, proves nothing.
        let ours = match ours {
            None if page.get("nextPageToken").is_some_and(Value::is_string) => return None,
            ours => ours,
        };
        Some(match ours {
            Some(it) => Some(SendOutcome::Accepted {
                carrier_id: it.get("id")?.as_str()?.to_owned(),
                delivery: it
                    .get("status")
                    .and_then(Value::as_str)
                    .and_then(hook::delivery)
                    .filter(|told| !told.has_failed())
                    .unwrap_or(Delivery::Sent),
            }),
            None => None,
        })
    }

    /// What became of one text. The id does not tell the channel of a workspace: each is asked.
    pub(super) async fn state_of(&self, carrier_id: &str) -> Option<Event> {
        if !hook::is_id(carrier_id) {
            return None;
        }
        for channel in self.product.channels() {
            let foreign = (*channel == Channel::Whatsapp) != carrier_id.starts_with("wam_");
            if foreign && !self.product.is_channels() {
                continue;
            }
            let mut path = self.product.messages(*channel)?;
            path.push(carrier_id);
            match self.ask(self.request(Method::GET, &path)).await {
                Ok(message) => return hook::state(carrier_id, &message).map(Event::Report),
                Err(Some(StatusCode::NOT_FOUND)) => {}
                Err(_told) => return None,
            }
        }
        None
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Value, Option<StatusCode>> {
        let answer = request.send().await.map_err(|_unreachable| None)?;
        let status = answer.status();
        if status != StatusCode::OK {
            return Err(Some(status));
        }
        let body = exchange::read_capped(answer).await.ok_or(None)?;
        serde_json::from_slice(&body).map_err(|_not_json| None)
    }

    /// Fetches a file: from Bird with the key, from where that sends us without.
    pub(super) async fn fetch_media(&self, file: &Attachment) -> Result<Vec<u8>, FetchFault> {
        if file.address.is_empty() {
            // Bird tells that there is one, and not where.
            return Err(FetchFault::NotHere);
        }
        let address = self.media_address(file).ok_or(FetchFault::Elsewhere)?;
        let key = self.key();
        media::fetch(&self.http, address, |request| {
            request.header(http::header::AUTHORIZATION, key)
        })
        .await
    }

    /// The address of a file, where it lies at Bird: the platform keeps it below the message, a
    /// workspace below itself.
    fn media_address(&self, file: &Attachment) -> Option<Url> {
        let address = Url::parse(&file.address).ok()?;
        let host = address.host_str()?;
        let ours = address.origin() == self.base.origin();
        let secure = address.scheme() == "https" && address.port().is_none();
        let theirs = match &self.product {
            Product::Platform => {
                host == "platform.bird.com" || host.ends_with(".platform.bird.com")
            }
            Product::Channels { .. } => MEDIA_HOSTS.contains(&host),
        };
        let within = match &self.product {
            Product::Platform => {
                let path = address.path();
                path.starts_with("/v1/whatsapp/messages/") && path.contains("/media/")
            }
            Product::Channels { workspace, .. } => address
                .path()
                .starts_with(&format!("/workspaces/{workspace}/")),
        };
        let plain = address.username().is_empty() && address.password().is_none();
        ((ours || (theirs && secure)) && within && plain).then_some(address)
    }

    pub(super) async fn examine_account(&self) -> Vec<Advice> {
        let mut advice = Vec::new();
        for channel in self.product.channels() {
            let Some(mut path) = self.product.messages(*channel) else {
                continue;
            };
            let carries = self.numbers.iter().any(|(it, _)| it == channel);
            if !carries {
                continue;
            }
            if self.product.is_channels() {
                // The channel itself, not its messages.
                path.pop();
            }
            let request = self.request(Method::GET, &path);
            let request = if self.product.is_channels() {
                request
            } else {
                request.query(&[("limit", "1")])
            };
            advice.push(judge(*channel, request.send().await));
        }
        // A network that is down is told once.
        advice.dedup();
        advice
    }
}

fn judge(channel: Channel, answer: reqwest::Result<Response>) -> Advice {
    match answer {
        Ok(answer) if answer.status().is_success() => {
            Advice::Good(format!("Bird accepts the access key for {channel}"))
        }
        Ok(answer) if matches!(answer.status().as_u16(), 401 | 403) => Advice::Bad(format!(
            "Bird refuses access_key for {channel}: make one with the right to send (Settings, \
             Access keys)"
        )),
        Ok(answer) if answer.status() == StatusCode::NOT_FOUND => Advice::Bad(format!(
            "Bird does not know the workspace or its channel for {channel}"
        )),
        Ok(answer) => Advice::Bad(format!("Bird answers {}", answer.status())),
        Err(_unreachable) => Advice::Bad("Bird cannot be reached: check the network".to_owned()),
    }
}

/// Why a request was refused. The platform names an error by a word (`name`) and numbers its page
/// about it (`code`); the one that the table knows counts, else the first.
fn refused_with(body: &Value) -> Option<&str> {
    let places = ["/error/name", "/error/code", "/code"];
    let told = || {
        let told = places.iter().filter_map(|it| body.pointer(it)?.as_str());
        told.filter(|code| hook::is_id(code))
    };
    told()
        .find(|code| class_in(CODES, code).is_some())
        .or_else(|| told().next())
}
