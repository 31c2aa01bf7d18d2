//! What moves consent, and the evidence that it did: the words, who said them, when, in which text.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::consent::ConsentPurpose;
use crate::domain::ids::{PatientId, PracticeId};
use crate::domain::phone::E164;
use crate::policy::words::{Channel, Language, vocabulary};

/// Which wording of the risk notice was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// `risk_notice/1`: the text's name and version.
    pub text_id: String,
    /// SHA-256 of the words that were sent, in hexadecimal.
    pub sha256: String,
    /// Its language.
    pub language: Language,
    /// When it was enqueued.
    pub at: Timestamp,
    /// What it asks for; YES grants this and nothing else.
    #[serde(default = "asked_before_purposes_were_named")]
    pub asks: Vec<ConsentPurpose>,
}

/// What the risk notice asks for: "OK to text you?" and health details by text.
pub const RISK_NOTICE_ASKS: [ConsentPurpose; 2] = [ConsentPurpose::Contact, ConsentPurpose::Phi];

/// Notices kept before they named their purposes were all risk notices.
fn asked_before_purposes_were_named() -> Vec<ConsentPurpose> {
    RISK_NOTICE_ASKS.to_vec()
}

vocabulary! {
    /// Who moved consent.
    Who, "consent actor" {
        /// The person who writes from the number.
        Patient = "patient",
        /// The practice: staff, or its record system.
        Practice = "practice",
        /// A carrier's report.
        Carrier = "carrier",
        /// This program, by a rule.
        Anteroom = "anteroom",
    }
}

/// How it is known that consent moved: enough to show it to an auditor years later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Who,
    /// The carrier's id of the inbound text, or of the report.
    pub message: Option<String>,
    /// SHA-256 of the words of the inbound text, in hexadecimal.
    pub words: Option<String>,
    /// The language it was read in.
    pub language: Option<Language>,
    /// The carrier's error code, or the rule of the house that moved it.
    pub reason: Option<String>,
}

impl Evidence {
    /// This program, by a rule.
    pub fn of_rule(at: Timestamp, reason: &str) -> Self {
        Self {
            at,
            who: Who::Anteroom,
            message: None,
            words: None,
            language: None,
            reason: Some(reason.to_owned()),
        }
    }

    /// A carrier's report, by its error code.
    pub fn of_carrier(at: Timestamp, code: &str) -> Self {
        Self {
            who: Who::Carrier,
            ..Self::of_rule(at, code)
        }
    }

    /// The practice's own statement; `message` is its request's id.
    pub fn of_practice(at: Timestamp, message: &str, reason: &str) -> Self {
        Self {
            who: Who::Practice,
            message: Some(message.to_owned()),
            ..Self::of_rule(at, reason)
        }
    }

    /// The patient's own text, by the carrier's id of it.
    pub fn of_text(at: Timestamp, message: &str, words: &str, language: Language) -> Self {
        Self {
            at,
            who: Who::Patient,
            message: Some(message.to_owned()),
            words: Some(hex::encode(Sha256::digest(words))),
            language: Some(language),
            reason: None,
        }
    }
}

/// Whom a YES binds: one person, on one number and channel, to one practice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// To which practice.
    pub practice: PracticeId,
    /// Who, when it is known who writes.
    pub patient: Option<PatientId>,
    /// From which number.
    pub number: E164,
    /// On which channel.
    pub channel: Channel,
}

vocabulary! {
    /// Why a number may have changed hands.
    Doubt, "doubt about a number" {
        /// "Wrong number", in any words.
        WrongNumber = "wrong_number",
        /// The carrier reports that the number is gone, or is another's.
        Carrier = "carrier",
        /// Nothing was heard from it for long.
        Silent = "silent",
    }
}

/// What happened to consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The risk notice was enqueued.
    NoticeSent(Notice),
    /// A clear YES to the notice.
    Yes(Party),
    /// NO to the notice, or PHI by text no longer wanted.
    No,
    /// STOP in any words, or a carrier's report that this person opted out.
    Stop,
    /// START: texts again; PHI still needs a fresh YES.
    Start,
    /// START on another line of the practice, where STOP was not said on this one: as if never asked.
    Lifted,
    /// The person wrote first: they may be answered (FCC 15-72: within the purpose given).
    Wrote,
    /// The practice states that the person gave it the number for this purpose. Never for PHI,
    /// which needs a warning that was read and a YES.
    Recorded(ConsentPurpose),
    /// Who writes became known: what was agreed on this phone just now was agreed by this person.
    Identified(PatientId),
    /// The proof has run out.
    Expire,
    /// The number is reported to belong to somebody else now, or was silent for long.
    Reassigned(Doubt),
}

/// Something that changes consent, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentEvent {
    /// What.
    pub act: Act,
    /// How it is known.
    pub evidence: Evidence,
}

impl ConsentEvent {
    /// An event.
    pub const fn new(act: Act, evidence: Evidence) -> Self {
        Self { act, evidence }
    }

    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        self.evidence.at
    }

    /// Its name in the ledger.
    pub const fn as_str(&self) -> &'static str {
        match self.act {
            Act::NoticeSent(_) => "notice_sent",
            Act::Yes(_) => "yes",
            Act::No => "no",
            Act::Stop => "stop",
            Act::Start => "start",
            Act::Lifted => "lifted",
            Act::Wrote => "wrote",
            Act::Recorded(_) => "recorded",
            Act::Identified(_) => "identified",
            Act::Expire => "expire",
            Act::Reassigned(_) => "reassigned",
        }
    }
}
