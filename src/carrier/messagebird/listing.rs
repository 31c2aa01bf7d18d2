//! `MessageBird`'s lists, read for what webhooks did not tell, and for a text of which we do not know
//! whether it was taken.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::carrier::exchange;
use crate::carrier::hear::{self, Event, Report};
use crate::carrier::messagebird::{MMS, Messagebird, SMS, hook};
use crate::domain::message::{Delivery, INBOUND_CHARS_MAX, Inbound, Outbound, SendOutcome};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

/// Texts listed at once, and pages read, when looking for one or catching up.
const PAGE_SIZE: usize = 200;
const PAGES_MAX: usize = 50;

/// How far `MessageBird`'s clock and ours may differ.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(120);

#[derive(Deserialize)]
struct Page {
    items: Vec<Listed>,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
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
    pub(super) fn taken(&self) -> Delivery {
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
    /// The resources among which a text of ours may be.
    fn resources(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(SMS).chain(self.files_out.then_some(MMS))
    }

    /// One page of the account's texts, newest first.
    async fn page(
        &self,
        resource: &str,
        page: usize,
        filter: &[(&str, String)],
    ) -> Option<Vec<Listed>> {
        let query = [
            ("limit", PAGE_SIZE.to_string()),
            ("offset", (page * PAGE_SIZE).to_string()),
        ];
        let request = self.request(Method::GET, resource);
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
    async fn listed(&self, resource: &str, since: Timestamp) -> Option<Vec<Listed>> {
        let since = since.saturating_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
        let mut found = Vec::new();
        for page in 0..PAGES_MAX {
            let items = self.page(resource, page, &[]).await?;
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

    pub(super) async fn look_up(
        &self,
        outbound: &Outbound,
        since: Timestamp,
    ) -> Option<Option<SendOutcome>> {
        let is_ours = |it: &Listed| it.reference.as_deref() == Some(&outbound.reference);
        // The short way: the newest texts to this number. That ours is not among them proves
        // nothing; a filter may not do what it says.
        let to = outbound.to.as_str().trim_start_matches('+').to_owned();
        let filter = [("recipient", to), ("direction", "mt".to_owned())];
        let newest = self.page(SMS, 0, &filter).await;
        let mut ours = newest.and_then(|page| page.into_iter().find(is_ours));
        for resource in self.resources() {
            if ours.is_none() {
                ours = self
                    .listed(resource, since)
                    .await?
                    .into_iter()
                    .find(is_ours);
            }
        }
        Some(ours.map(|it| SendOutcome::Accepted {
            delivery: it.taken(),
            carrier_id: it.id,
        }))
    }

    pub(super) async fn received(&self, since: Timestamp, now: Timestamp) -> Option<Vec<Event>> {
        let mut events = Vec::new();
        for it in self.listed(SMS, since).await?.into_iter().rev() {
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

    pub(super) async fn state_of(&self, carrier_id: &str) -> Option<Event> {
        if !hook::is_id(carrier_id) {
            return None;
        }
        let mut found = None;
        for resource in self.resources() {
            let request = self.request(Method::GET, &format!("{resource}/{carrier_id}"));
            let answer = request.send().await.ok()?;
            if answer.status() == StatusCode::OK {
                found = Some(answer);
                break;
            }
        }
        let it = exchange::read_capped(found?).await?;
        let it: Listed = serde_json::from_slice(&it).ok()?;
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
}
