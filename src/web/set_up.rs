//! What the set-up pages need from beyond the web: the findings of `doctor`, the judgement on a
//! configuration file, and the light that tells of signed requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::agent::ports::BoxFuture;
use crate::domain::ids::PracticeId;
use crate::domain::practice::CarrierKind;

/// How a check of `doctor` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// To be mended before real patients text.
    Bad,
}

/// One finding of `doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub mark: Mark,
    /// In words, with the remedy.
    pub text: String,
}

/// Whoever knows the configuration.
pub trait SetUp: Send + Sync + std::fmt::Debug {
    /// Looks at everything, as `anteroom doctor` does.
    fn examine(&self) -> BoxFuture<'_, Vec<Examined>>;
    /// What is wrong with a configuration file, as a start with it would say.
    fn check(&self, file: &str) -> Result<(), String>;
    /// Where the file of this server is, and whether there is one.
    fn place(&self) -> (String, bool);
    /// Writes the file, where there is none yet.
    fn write(&self, file: &str) -> Result<(), String>;
}

/// When carriers' webhooks were last believed, and last refused; of this process.
#[derive(Debug, Default)]
pub(crate) struct Lights(Mutex<BTreeMap<(PracticeId, CarrierKind), Light>>);

/// One light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Light {
    /// The last request whose signature was right.
    pub(crate) heard: Option<Timestamp>,
    /// The last one that was refused, and why.
    pub(crate) refused: Option<(Timestamp, &'static str)>,
}

impl Lights {
    /// A request was believed (no reason) or refused.
    pub(crate) fn saw(
        &self,
        (practice, carrier): (&PracticeId, CarrierKind),
        refused: Option<&'static str>,
        now: Timestamp,
    ) {
        let mut lights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let light = lights.entry((practice.clone(), carrier)).or_default();
        match refused {
            None => light.heard = Some(now),
            Some(reason) => light.refused = Some((now, reason)),
        }
    }

    /// How a light stands.
    pub(crate) fn of(&self, practice: &PracticeId, carrier: CarrierKind) -> Light {
        let lights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lights.get(&(practice.clone(), carrier));
        found.copied().unwrap_or_default()
    }
}
