//! Twilio's list of messages, searched for a text of which we do not know whether it was taken.
//!
//! Twilio has no idempotency key for creating a message, so this list is the only proof that a
//! text was not taken and may be handed over again.

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::carrier::twilio::hook;
use crate::domain::message::{Delivery, SendOutcome};

/// How far Twilio's clock and ours may differ.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(120);

/// One page of the list, newest first.
#[derive(Clone, Default, Deserialize)]
pub struct Page {
    /// The texts on it.
    pub messages: Vec<Listed>,
    /// Where the next page is, if there is one.
    pub next_page_uri: Option<String>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({} messages)", self.messages.len())
    }
}

/// One text of the list.
#[derive(Clone, Deserialize)]
pub struct Listed {
    /// Twilio's id.
    pub sid: String,
    /// Twilio's word for its state.
    pub status: String,
    /// What was sent; empty once redacted.
    pub body: Option<String>,
    /// RFC 2822.
    pub date_created: Option<String>,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed")
            .field("sid", &self.sid)
            .finish_non_exhaustive()
    }
}

/// What a page tells about one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// It was taken.
    Found(SendOutcome),
    /// The list goes back far enough, and it is not there.
    Absent,
    /// Something on the page cannot be read or was redacted, so its absence proves nothing.
    CannotTell,
    /// Not on this page; the next one is needed.
    Older,
}

/// Looks for a text that was handed over at or after `since`.
pub fn search(page: &Page, body: &str, since: Timestamp) -> Search {
    let since = since.saturating_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
    for listed in &page.messages {
        let created = listed.date_created.as_deref().and_then(read_date);
        let Some(created) = created else {
            return Search::CannotTell;
        };
        if created < since {
            return Search::Absent;
        }
        match listed.body.as_deref().map(str::trim) {
            None | Some("") => return Search::CannotTell,
            Some(sent) if sent == body.trim() => {
                let told = hook::delivery(&listed.status).unwrap_or(Delivery::Accepted);
                return Search::Found(SendOutcome::Accepted {
                    carrier_id: listed.sid.clone(),
                    // That it failed is told with its code, by a report or when it is asked for.
                    delivery: if told.has_failed() {
                        Delivery::Sent
                    } else {
                        told
                    },
                });
            }
            Some(_) => {}
        }
    }
    if page.next_page_uri.is_some() {
        Search::Older
    } else {
        Search::Absent
    }
}

pub(super) fn read_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}
