//! The way out of the house: carriers, their signatures, their error codes.

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;

use crate::domain::message::{Outbound, SendOutcome};

pub mod codes;
pub mod hook;
pub mod keywords;
pub mod listing;
pub mod signature;
pub mod simulator;
pub mod twilio;

/// Something that carries a cleared text to a phone.
pub trait Carrier: Send + Sync + std::fmt::Debug {
    /// Hands over one text. Never fails: every ending is a [`SendOutcome`].
    fn send<'a>(
        &'a self,
        outbound: &'a Outbound,
    ) -> Pin<Box<dyn Future<Output = SendOutcome> + Send + 'a>>;

    /// Looks for a text that may or may not have been taken, handed over at or after `since`:
    /// `Some(Some(_))` found, `Some(None)` proven absent, `None` cannot tell.
    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        since: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Option<Option<SendOutcome>>> + Send + 'a>>;
}
