//! Consent as a state machine with evidence: what may be sent to one person on one number, and its proof.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::ids::{PatientId, PracticeId};
use crate::domain::phone::E164;
use crate::policy::words::{Channel, Language, vocabulary};

vocabulary! {
    /// Where consent stands for one practice, number, channel and person.
    ConsentState, "consent state" {
        /// Never asked.
        Unknown = "unknown",
        /// The risk notice is out; no answer yet.
        NoticeSent = "notice_sent",
        /// Answered YES to the notice.
        Granted = "granted",
        /// Answered NO: texts without PHI only.
        Declined = "declined",
        /// STOP: nothing at all until START.
        OptedOut = "opted_out",
        /// Granted once, too long ago.
        Expired = "expired",
    }
}

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
}

/// The evidence that this person, on this number, was warned of the risk and still wants PHI by
/// text (45 CFR 164.522(b); 78 FR 5634). Made only by [`Consent::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentProof {
    /// For which practice.
    pub practice: PracticeId,
    /// Who, when the record knows exactly one person at this number.
    pub patient: Option<PatientId>,
    /// On which number.
    pub number: E164,
    /// On which channel.
    pub channel: Channel,
    /// To which words.
    pub notice: Notice,
    /// The carrier's id of the reply.
    pub reply_id: String,
    /// When the reply was accepted.
    pub at: Timestamp,
    /// When it must be asked again.
    pub expires: Timestamp,
}

/// Consent of one person on one number and channel, with its evidence. A value: [`Consent::apply`]
/// gives the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Where it stands.
    pub state: ConsentState,
    /// The notice that was last sent.
    pub notice: Option<Notice>,
    /// The proof, while granted.
    pub proof: Option<ConsentProof>,
    /// When the state was entered.
    pub since: Timestamp,
}

impl ConsentProof {
    /// SHA-256 of the proof as JSON, in hexadecimal: what a cleared text names its proof by.
    pub fn digest(&self) -> String {
        // Fields are written in the order of their declaration, so one proof has one spelling.
        // An unwritable proof would digest as empty text, which no cleared text names.
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(json))
    }
}
