//! The way out of the house: carriers, their signatures, their error codes.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::domain::ids::PracticeId;
use crate::domain::message::{Outbound, SendOutcome};
use crate::domain::practice::CarrierKind;

pub mod codes;
pub mod hook;
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
}

/// The code of a text whose practice has no account with the carrier it should go by.
pub const NO_CARRIER: &str = "carrier_not_configured";

/// Who carries what for whom: one account per practice and carrier.
#[derive(Clone, Debug, Default)]
pub struct Carriers(BTreeMap<(PracticeId, CarrierKind), Arc<dyn Carrier>>);

impl Carriers {
    /// Adds (or replaces) the practice's account with a carrier.
    pub fn insert(&mut self, practice: PracticeId, kind: CarrierKind, carrier: Arc<dyn Carrier>) {
        self.0.insert((practice, kind), carrier);
    }

    /// The practice's account with this carrier.
    pub fn get(&self, practice: &PracticeId, kind: CarrierKind) -> Option<&Arc<dyn Carrier>> {
        self.0.get(&(practice.clone(), kind))
    }

    /// Hands over one text, or fails with [`NO_CARRIER`] when there is no such account.
    pub async fn send(
        &self,
        practice: &PracticeId,
        kind: CarrierKind,
        outbound: &Outbound,
    ) -> SendOutcome {
        match self.get(practice, kind) {
            Some(carrier) => carrier.send(outbound).await,
            None => SendOutcome::Fail {
                code: NO_CARRIER.to_owned(),
            },
        }
    }
}
