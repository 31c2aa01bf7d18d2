//! The way out of the house: carriers, their signatures, their error codes.
//!
//! A carrier is one file (or folder) here that implements [`Carrier`] and [`account::Account`], a
//! word in [`CarrierKind`](crate::domain::practice::CarrierKind), and its line in
//! [`account`]; `docs/carriers.md` shows how.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;

use crate::carrier::codes::ErrorClass;
use crate::carrier::hear::{Answer, Call, Event, Heard, Refusal};
use crate::domain::message::{Attachment, Outbound, SendOutcome};
use crate::policy::words::Channel;

pub mod account;
pub mod at_once;
pub mod bandwidth;
pub mod bird;
pub mod codes;
pub mod exchange;
pub mod fake;
pub mod hear;
pub mod keywords;
pub mod mac;
pub mod media;
pub mod messagebird;
pub mod pager;
pub mod simulator;
pub mod twilio;
pub mod web;

/// A future that a carrier answers with.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who answers STOP, START and HELP first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keywords {
    /// The carrier answers the patient and blocks the number, and tells us as well.
    CarrierReplies,
    /// The carrier passes them on; answering is our duty.
    WeReply,
}

/// What a carrier can do, honestly: whoever asks for more is refused before anything is sent.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question with two answers"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The channels it carries.
    pub channels: &'static [Channel],
    /// Most characters of one text; longer ones are refused by the carrier.
    pub text_max: usize,
    /// Whether pictures come in by it.
    pub media: bool,
    /// Whether pictures go out by it, as MMS.
    pub media_out: bool,
    /// Whether free text is refused after 24 hours of the patient's silence, by channel.
    pub window: &'static [Channel],
    /// The channels on which it carries approved templates.
    pub templates: &'static [Channel],
    /// Who answers keywords unless the number is set up otherwise.
    pub keywords: Keywords,
    /// Whether it reports what became of a text.
    pub reports: bool,
    /// Whether handing over the same reference twice sends one text.
    pub idempotent: bool,
    /// Whether lost webhooks can be found by listing what it has.
    pub listing: bool,
    /// Whether the practice wants finished texts taken off the carrier's books, and it can.
    pub redacts: bool,
    /// Largest webhook body that is read.
    pub hook_bytes_max: usize,
}

/// Something that carries a cleared text to a phone, and brings back what phones say.
pub trait Carrier: Send + Sync + std::fmt::Debug {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Hands over one text. Never fails: every ending is a [`SendOutcome`].
    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome>;

    /// Looks for a text that may or may not have been taken, handed over at or after `since`:
    /// `Some(Some(_))` found, `Some(None)` proven absent, `None` cannot tell.
    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>>;

    /// Authenticates a webhook, then reads it. Pure but for the memory of what was replayed.
    fn hear(&self, _call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        Err(Refusal::not_found("no_webhooks"))
    }

    /// Forgets that a webhook was heard: it could not be kept, and will be posted again.
    fn unhear(&self, _call: &Call<'_>) {}

    /// What the carrier is told once everything it said is committed, or is known to be odd.
    fn answer(&self, heard: Heard) -> Answer {
        Answer::plain(heard)
    }

    /// What an error code of this carrier means, if it is known.
    fn class_of(&self, _code: &str) -> Option<ErrorClass> {
        None
    }

    /// Texts and states since then, for webhooks that never arrived. None where the carrier cannot
    /// list, or does not answer.
    fn list(&self, _since: Timestamp, _now: Timestamp) -> Answering<'_, Option<Vec<Event>>> {
        Box::pin(std::future::ready(None))
    }

    /// What became of one text that it took. None where it cannot be asked, or does not answer.
    fn look<'a>(&'a self, _carrier_id: &'a str) -> Answering<'a, Option<Event>> {
        Box::pin(std::future::ready(None))
    }

    /// Takes the words of a finished text off the carrier's books. True when they are gone.
    fn redact<'a>(&'a self, _carrier_id: &'a str) -> Answering<'a, bool> {
        Box::pin(std::future::ready(false))
    }

    /// Fetches a picture or file, as it lies at the carrier.
    fn fetch<'a>(
        &'a self,
        _attachment: &'a Attachment,
    ) -> Answering<'a, Result<Vec<u8>, exchange::FetchFault>> {
        Box::pin(std::future::ready(Err(exchange::FetchFault::NotHere)))
    }

    /// Deletes a picture or file at the carrier. True when it is gone, or the carrier has no way to
    /// delete one.
    fn discard<'a>(&'a self, _attachment: &'a Attachment) -> Answering<'a, bool> {
        Box::pin(std::future::ready(false))
    }

    /// Asks the carrier about the account: what is wrong, and how to mend it.
    fn examine(&self) -> Answering<'_, Vec<account::Advice>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}
