//! Accounts with carriers as they are configured, and the one table of all carriers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::carrier::Carrier;
use crate::carrier::bandwidth::BandwidthAccount;
use crate::carrier::bird::BirdAccount;
use crate::carrier::fake::{Line, Speaks};
use crate::carrier::messagebird::MessagebirdAccount;
use crate::carrier::twilio::account::TwilioAccount;
use crate::domain::ids::PracticeId;
use crate::domain::practice::{CarrierKind, Practice, Sender};

/// The carriers: how the sections of each are read. The simulator has none.
const fn reader(kind: CarrierKind) -> Option<Read> {
    match kind {
        CarrierKind::Twilio => Some(read::<TwilioAccount>),
        CarrierKind::Messagebird => Some(read::<MessagebirdAccount>),
        CarrierKind::Bird => Some(read::<BirdAccount>),
        CarrierKind::Bandwidth => Some(read::<BandwidthAccount>),
        CarrierKind::Simulator | CarrierKind::Web => None,
    }
}

type Read = fn(toml::Value) -> Result<Arc<dyn Account>, String>;

fn read<A: Account + DeserializeOwned + 'static>(
    section: toml::Value,
) -> Result<Arc<dyn Account>, String> {
    match section.try_into::<A>() {
        Ok(account) => Ok(Arc::new(account)),
        Err(error) => Err(error.message().to_owned()),
    }
}

/// Where a carrier finds us and whom it carries for.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Who carries.
    pub kind: CarrierKind,
    /// Whose account.
    pub practice: &'a Practice,
    /// The address under which carriers reach us.
    pub public_url: &'a Url,
}

impl Site<'_> {
    /// Where texts from patients are posted to.
    pub fn texts_url(&self) -> String {
        let base = self.public_url.as_str().trim_end_matches('/');
        format!("{base}/webhooks/{}/{}", self.kind, self.practice.id)
    }

    /// Where reports are posted to.
    pub fn reports_url(&self) -> String {
        format!("{}/status", self.texts_url())
    }

    /// The numbers that this carrier carries for the practice.
    pub fn senders(&self) -> impl Iterator<Item = &Sender> {
        let kind = self.kind;
        let senders = self.practice.senders.iter();
        senders.filter(move |sender| sender.carrier == kind)
    }

    /// Whether carriers can reach us from outside.
    pub fn reachable(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// Why an account cannot be used: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AccountError(pub String);

/// Something that `doctor` says about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// It is as it should be.
    Good(String),
    /// Worth knowing, such as the address to paste at the carrier.
    Note(String),
    /// Must be mended: what is wrong, and how.
    Bad(String),
}

/// An account as it is configured.
pub trait Account: Send + Sync + std::fmt::Debug {
    /// The section as it may be shown: secrets say only that they are set.
    fn shown(&self) -> toml::Value;

    /// Opens a line to the carrier.
    fn open(&self, site: &Site<'_>) -> Result<Arc<dyn Carrier>, AccountError>;

    /// What can be said about it without asking the carrier.
    fn advise(&self, site: &Site<'_>) -> Vec<Advice>;

    /// The other side of this account, as the fake carrier at the address `base` plays it. None
    /// where the account is not complete enough to be spoken with.
    fn fake(&self, site: &Site<'_>, base: &str) -> Option<Speaks>;
}

/// The section of an account as it may be shown.
pub fn shown<A: Serialize>(account: &A) -> toml::Value {
    toml::Value::try_from(account).unwrap_or_else(|_not_toml| toml::Table::new().into())
}

/// The accounts of all practices.
#[derive(Clone, Debug, Default)]
pub struct Accounts(BTreeMap<(CarrierKind, String), Arc<dyn Account>>);

impl Accounts {
    /// Takes the carriers' sections out of a configuration; an error comes with the key of its section.
    pub fn take(table: &mut toml::Table) -> Result<Self, (String, String)> {
        let mut accounts = BTreeMap::new();
        for kind in CarrierKind::ALL {
            let Some(read) = reader(*kind) else { continue };
            let Some(sections) = table.remove(kind.as_str()) else {
                continue;
            };
            let toml::Value::Table(sections) = sections else {
                return Err((kind.to_string(), format!("write it as [{kind}.PRACTICE]")));
            };
            for (practice, section) in sections {
                let account = read(section).map_err(|said| (format!("{kind}.{practice}"), said))?;
                accounts.insert((*kind, practice), account);
            }
        }
        Ok(Self(accounts))
    }

    /// The account of a practice with a carrier.
    pub fn get(&self, kind: CarrierKind, practice: &PracticeId) -> Option<&Arc<dyn Account>> {
        self.0.get(&(kind, practice.as_str().to_owned()))
    }

    /// The other sides of the accounts of these practices, as the fake carrier plays them.
    pub fn fakes(&self, practices: &[Practice], public_url: &Url, base: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        for ((kind, id), account) in &self.0 {
            let Some(practice) = practices.iter().find(|it| it.id.as_str() == id) else {
                continue;
            };
            let site = Site {
                kind: *kind,
                practice,
                public_url,
            };
            if let Some(speaks) = account.fake(&site, base) {
                let name = format!("{kind}.{id}");
                lines.push(Line { name, speaks });
            }
        }
        lines
    }

    /// The sections that there are.
    pub fn names(&self) -> impl Iterator<Item = &(CarrierKind, String)> {
        self.0.keys()
    }

    /// All sections as they may be shown, by carrier.
    pub fn shown(&self) -> toml::Table {
        let mut table = toml::Table::new();
        for ((kind, practice), account) in &self.0 {
            let sections = table
                .entry(kind.as_str())
                .or_insert_with(|| toml::Table::new().into());
            if let toml::Value::Table(sections) = sections {
                sections.insert(practice.clone(), account.shown());
            }
        }
        table
    }
}
