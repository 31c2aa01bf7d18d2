//! Business associate agreements: who signed what, and until when it covers PHI (45 CFR 164.504(e)).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::policy::law::channels::Paper;

/// An executed agreement with a carrier or another vendor that handles PHI for the practice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The vendor: `twilio`, `openai`, ...
    pub counterparty: String,
    /// The product it covers: `programmable-messaging`, `chat-completions`, ...
    pub product: String,
    /// SHA-256 of the signed document, in hexadecimal, so that the file can be matched later.
    pub document_sha256: String,
    /// Who signed for the practice.
    pub signer: String,
    /// First day in force.
    pub from: Date,
    /// Last day in force, or none when it runs until terminated.
    #[serde(default)]
    pub until: Option<Date>,
}

impl Agreement {
    /// Whether it is in force on `day`.
    pub fn covers(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// The agreements that are needed and not in force on `day`.
pub fn lacking(needs: &[Paper], signed: &[&Agreement], day: Date) -> Vec<Paper> {
    let met = |paper: &&Paper| {
        signed.iter().any(|it| {
            it.counterparty == paper.counterparty && it.product == paper.product && it.covers(day)
        })
    };
    needs.iter().filter(|it| !met(it)).cloned().collect()
}
