//! The carrier of played stories: it takes every text at once and then reports on it, without any
//! wire, so that a story's clock is the only one there is.

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::carrier::{Answering, Capabilities, Carrier, Keywords};
use crate::domain::message::{Delivery, INBOUND_CHARS_MAX, Outbound, SendOutcome};
use crate::policy::words::Channel;

/// Reports that may wait to be drained; beyond it texts are put off, as a carrier's full queue would.
pub const REPORTS_MAX: usize = 4_096;

/// What a carrier reports after it took a text, in order.
const COURSE: [Delivery; 3] = [Delivery::Queued, Delivery::Sent, Delivery::Delivered];

/// A report on a text: the carrier's id, and what became of it.
pub type Report = (String, Delivery);

/// A carrier that takes every text at once.
#[derive(Clone, Debug)]
pub struct AtOnce {
    reports: mpsc::Sender<Report>,
}

impl AtOnce {
    /// A carrier, and the reports that whoever runs it must drain into the house.
    pub fn new() -> (Self, mpsc::Receiver<Report>) {
        let (reports, waiting) = mpsc::channel(REPORTS_MAX);
        (Self { reports }, waiting)
    }

    fn take(&self, outbound: &Outbound) -> SendOutcome {
        let carrier_id = format!("SIM{}", outbound.reference);
        let Ok(places) = self.reports.try_reserve_many(COURSE.len()) else {
            return SendOutcome::Retry {
                code: "reports_not_drained".to_owned(),
                after_ms: None,
            };
        };
        for (place, delivery) in places.zip(COURSE) {
            place.send((carrier_id.clone(), delivery));
        }
        SendOutcome::Accepted {
            carrier_id,
            delivery: Delivery::Accepted,
        }
    }
}

impl Carrier for AtOnce {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: Channel::ALL,
            text_max: INBOUND_CHARS_MAX,
            media: false,
            media_out: false,
            window: &[],
            templates: &[],
            keywords: Keywords::WeReply,
            reports: true,
            idempotent: true,
            listing: false,
            redacts: false,
            hook_bytes_max: 0,
        }
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        Box::pin(std::future::ready(self.take(outbound)))
    }

    /// Keeps nothing, and one reference is one text however often it is handed over, so another
    /// try is always safe.
    fn find<'a>(
        &'a self,
        _outbound: &'a Outbound,
        _since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        Box::pin(std::future::ready(Some(None)))
    }
}
