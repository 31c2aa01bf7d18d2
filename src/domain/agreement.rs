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

/// A paper that is needed and not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It was never recorded.
    Unrecorded(Paper),
    /// It ran out; its last day.
    Ended(Paper, Date),
    /// It is not in force yet; its first day.
    NotYet(Paper, Date),
    /// No paper helps: this never carries PHI.
    Barred,
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unrecorded(paper) => write!(f, "no {paper} is recorded"),
            Self::Ended(paper, last) => write!(f, "the {paper} ended on {last}"),
            Self::NotYet(paper, first) => write!(f, "the {paper} begins on {first}"),
            Self::Barred => f.write_str("it carries no health information, whatever is signed"),
        }
    }
}

/// What is needed and not in force on `day`.
pub fn lacking(needs: &[Paper], signed: &[&Agreement], day: Date) -> Vec<Lack> {
    let lack = |paper: &Paper| {
        let same =
            |it: &&&Agreement| it.counterparty == paper.counterparty && it.product == paper.product;
        let known = signed.iter().filter(same);
        if known.clone().any(|it| it.covers(day)) {
            return None;
        }
        let ended = known
            .clone()
            .filter_map(|it| it.until)
            .filter(|it| *it < day);
        let next = known.clone().map(|it| it.from).filter(|it| *it > day).min();
        Some(match (next, ended.max()) {
            (Some(first), _) => Lack::NotYet(paper.clone(), first),
            (None, Some(last)) => Lack::Ended(paper.clone(), last),
            (None, None) => Lack::Unrecorded(paper.clone()),
        })
    };
    needs.iter().filter_map(lack).collect()
}
