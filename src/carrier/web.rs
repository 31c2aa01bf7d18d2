//! The chat page as a carrier: a text is there for the page to take as soon as it is handed over.
//!
//! Handing over changes nothing outside the store, so what a lost worker may have handed over can be
//! handed over again: it has the same id, and the page shows it once.

use jiff::Timestamp;

use crate::carrier::{Answering, Capabilities, Carrier, Keywords};
use crate::domain::message::{Delivery, INBOUND_CHARS_MAX, Outbound, SendOutcome};
use crate::policy::words::Channel;

/// The chat of a practice's web site.
#[derive(Clone, Copy, Debug, Default)]
pub struct Web;

impl Carrier for Web {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: &[Channel::Webchat],
            text_max: INBOUND_CHARS_MAX,
            media: false,
            media_out: false,
            window: &[],
            templates: &[],
            keywords: Keywords::WeReply,
            // The page tells what it has taken.
            reports: true,
            idempotent: true,
            listing: false,
            redacts: false,
            hook_bytes_max: 0,
        }
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        Box::pin(std::future::ready(SendOutcome::Accepted {
            carrier_id: outbound.reference.clone(),
            delivery: Delivery::Sent,
        }))
    }

    fn find<'a>(
        &'a self,
        _outbound: &'a Outbound,
        _since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        Box::pin(std::future::ready(Some(None)))
    }
}
