//! The rest of Twilio's message resources: looking up, listing, redacting, and the files of a text.

use http::{Method, StatusCode};
use jiff::Timestamp;
use reqwest::RequestBuilder;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use url::Url;

use crate::carrier::exchange::{FetchFault, read_capped};
use crate::carrier::hear::{self, Event, HookError, Report};
use crate::carrier::media;
use crate::carrier::twilio::listing::{self, Page};
use crate::carrier::twilio::{Twilio, addresses, hook, spell};
use crate::domain::message::{Attachment, INBOUND_CHARS_MAX, Inbound, Outbound, SendOutcome};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

/// Texts listed at once when looking for one, and pages read: far more than one person gets within
/// the time that a lease lives.
const PAGE_SIZE: &str = "50";
const PAGES_MAX: usize = 4;

/// The same when catching up: a busy practice's day.
const CATCH_UP_PAGE_SIZE: &str = "1000";
const CATCH_UP_PAGES_MAX: usize = 20;

/// A text as the list has it, the parts that a webhook would have had.
#[derive(Deserialize)]
struct Received {
    sid: String,
    direction: String,
    from: Option<String>,
    body: Option<String>,
    num_media: Option<String>,
    /// RFC 2822.
    date_sent: Option<String>,
    date_created: Option<String>,
}

impl Received {
    /// When Twilio took it; the webhook would have come then.
    fn at(&self, now: Timestamp) -> Timestamp {
        let told = self.date_sent.as_deref().or(self.date_created.as_deref());
        hear::written(told.and_then(listing::read_date), now)
    }
}

#[derive(Deserialize)]
struct ReceivedPage {
    messages: Vec<Received>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct State {
    status: String,
    error_code: Option<u32>,
}

#[derive(Deserialize)]
struct Files {
    media_list: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    content_type: String,
    uri: String,
}

impl Twilio {
    pub(super) fn request(&self, method: Method, address: Url) -> RequestBuilder {
        self.http
            .request(method, address)
            .basic_auth(&self.user, Some(self.password.expose_secret()))
    }

    /// An address below the account.
    pub(super) fn below(&self, path: &[&str]) -> Url {
        let mut address = self.account.clone();
        // An account's address has a path: it was made so.
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.extend(path);
        }
        address
    }

    pub(super) fn messages(&self) -> Url {
        self.below(&["Messages.json"])
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, address: Url) -> Option<T> {
        let answer = self.request(Method::GET, address).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        serde_json::from_slice(&read_capped(answer).await?).ok()
    }

    /// The next page: a path and query on the same host; an absolute address is never followed.
    fn page(&self, uri: Option<String>) -> Option<Url> {
        let uri = uri.filter(|uri| uri.starts_with("/2010-04-01/"))?;
        let (path, query) = uri.split_once('?')?;
        let mut address = self.account.clone();
        address.set_path(path);
        address.set_query(Some(query));
        Some(address)
    }

    /// Lists the texts to this number, newest first, back to `since`. The list is not narrowed by
    /// `DateSent`: a text that still waits in Twilio's queue has none.
    pub(super) async fn look_up(
        &self,
        outbound: &Outbound,
        since: Timestamp,
    ) -> Option<Option<SendOutcome>> {
        if outbound.template.is_some() {
            // Listed with words of Meta's, so that their absence proves nothing.
            return None;
        }
        let (from, to) = addresses(outbound)?;
        let mut address = self.messages();
        address.query_pairs_mut().extend_pairs([
            ("To", to.as_str()),
            ("From", from.as_str()),
            ("PageSize", PAGE_SIZE),
        ]);
        for _ in 0..PAGES_MAX {
            let page: Page = self.get(address).await?;
            match listing::search(&page, outbound.body.as_str(), since) {
                listing::Search::Found(found) => return Some(Some(found)),
                listing::Search::Absent => return Some(None),
                listing::Search::CannotTell => return None,
                listing::Search::Older => address = self.page(page.next_page_uri)?,
            }
        }
        None
    }

    /// The texts that patients sent since then, as their webhooks would have told.
    pub(super) async fn received(&self, since: Timestamp, now: Timestamp) -> Option<Vec<Event>> {
        let mut events = Vec::new();
        for (channel, number) in &self.numbers {
            let Some(to) = spell(*channel, number) else {
                continue;
            };
            let mut address = self.messages();
            address.query_pairs_mut().extend_pairs([
                ("To", to.as_str()),
                ("DateSent>", &format!("{since:.0}")),
                ("PageSize", CATCH_UP_PAGE_SIZE),
            ]);
            for _ in 0..CATCH_UP_PAGES_MAX {
                let page: ReceivedPage = self.get(address).await?;
                // Oldest first, as they would have come.
                for text in page.messages.iter().rev() {
                    if text.direction == "inbound" {
                        events.push(self.event(text, *channel, number, now).await?);
                    }
                }
                match self.page(page.next_page_uri) {
                    Some(next) => address = next,
                    None => break,
                }
            }
        }
        Some(events)
    }

    async fn event(
        &self,
        text: &Received,
        channel: Channel,
        to: &E164,
        now: Timestamp,
    ) -> Option<Event> {
        let from = text.from.as_deref().unwrap_or_default();
        let from = from.strip_prefix(hook::WHATSAPP).unwrap_or(from);
        let Ok(from) = from.parse() else {
            return Some(Event::Odd(HookError::Malformed {
                field: "from",
                expected: "a phone number such as +14155550100",
            }));
        };
        let mut media = Vec::new();
        if !matches!(text.num_media.as_deref(), None | Some("" | "0")) {
            let files = self.below(&["Messages", &text.sid, "Media.json"]);
            let files: Files = self.get(files).await?;
            for file in files.media_list {
                let path = file.uri.strip_suffix(".json").unwrap_or(&file.uri);
                let mut address = self.account.clone();
                address.set_path(path);
                media.push(Attachment {
                    address: address.into(),
                    kind: file.content_type,
                });
            }
        }
        let body = text.body.as_deref().unwrap_or_default();
        Some(Event::Text(Inbound {
            carrier: CarrierKind::Twilio,
            carrier_id: text.sid.clone(),
            channel: if channel == Channel::Sms && !media.is_empty() {
                Channel::Mms
            } else {
                channel
            },
            from,
            to: to.clone(),
            body: Phi::new(body.chars().take(INBOUND_CHARS_MAX).collect()),
            media,
            button: None,
            at: text.at(now),
        }))
    }

    fn resource(&self, carrier_id: &str) -> Option<Url> {
        hook::is_sid(carrier_id, &["SM", "MM"])
            .then(|| self.below(&["Messages", &format!("{carrier_id}.json")]))
    }

    /// What became of one text.
    pub(super) async fn state_of(&self, carrier_id: &str) -> Option<Event> {
        let state: State = self.get(self.resource(carrier_id)?).await?;
        Some(Event::Report(Report {
            carrier_id: carrier_id.to_owned(),
            delivery: hook::delivery(&state.status)?,
            code: state.error_code.map(|code| code.to_string()),
            reference: None,
        }))
    }

    /// Empties the text of a message: Twilio keeps its log entry, without the words.
    pub(super) async fn blank(&self, carrier_id: &str) -> bool {
        let Some(address) = self.resource(carrier_id) else {
            return false;
        };
        let request = self.request(Method::POST, address).form(&[("Body", "")]);
        match request.send().await {
            Ok(answer) => answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND,
            Err(_later) => false,
        }
    }

    /// Fetches a file: from the account's own host with its password, from where that sends us
    /// without.
    pub(super) async fn fetch_media(&self, file: &Attachment) -> Result<Vec<u8>, FetchFault> {
        let address = self.media_address(file).ok_or(FetchFault::Elsewhere)?;
        let password = self.password.expose_secret();
        media::fetch(&self.http, address, |request| {
            request.basic_auth(&self.user, Some(password))
        })
        .await
    }

    pub(super) async fn delete_media(&self, file: &Attachment) -> bool {
        let Some(mut address) = self.media_address(file) else {
            return false;
        };
        // The picture lies at the bare address; what is deleted is its entry, a `.json`.
        address.set_path(&format!("{}.json", address.path()));
        match self.request(Method::DELETE, address).send().await {
            Ok(answer) => answer.status().is_success() || answer.status() == StatusCode::NOT_FOUND,
            Err(_later) => false,
        }
    }

    /// The address of a file, where it lies in this account at Twilio: the webhook that named it
    /// is signed, but its sender may have been anybody whose text it repeats.
    fn media_address(&self, file: &Attachment) -> Option<Url> {
        let address = Url::parse(&file.address).ok()?;
        let ours = address.origin() == self.account.origin();
        let twilio = address.scheme() == "https"
            && address.port().is_none()
            && address
                .host_str()
                .is_some_and(|host| host == "api.twilio.com" || host.ends_with(".twilio.com"));
        let prefix = format!("/2010-04-01/Accounts/{}/Messages/", self.account_sid);
        let fits = (ours || twilio) && address.path().starts_with(&prefix);
        (fits && address.username().is_empty() && address.password().is_none()).then_some(address)
    }
}
