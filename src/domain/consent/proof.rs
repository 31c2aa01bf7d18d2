//! The proof that lets PHI go by text: made by a YES to a notice, and by nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::consent::Notice;
use crate::domain::ids::{PatientId, PracticeId};
use crate::domain::phone::E164;
use crate::policy::words::Channel;

/// The evidence that this person, on this number, was warned of the risk and still wants PHI by
/// text (45 CFR 164.522(b); 78 FR 5634). Made only by [`super::Consent::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentProof {
    /// For which practice.
    pub practice: PracticeId,
    /// Who, when it is known who writes.
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

impl ConsentProof {
    /// SHA-256, in hexadecimal, of the proof as a JSON array of its values in declaration order:
    /// the same evidence has the same digest on every machine. What the notice asks for follows
    /// from its words, which are in it.
    pub fn digest(&self) -> String {
        let values = serde_json::Value::from(vec![
            serde_json::Value::from(self.practice.as_str()),
            serde_json::Value::from(self.patient.as_ref().map(PatientId::as_str)),
            serde_json::Value::from(self.number.as_str()),
            serde_json::Value::from(self.channel.as_str()),
            serde_json::Value::from(self.notice.text_id.as_str()),
            serde_json::Value::from(self.notice.sha256.as_str()),
            serde_json::Value::from(self.notice.language.as_str()),
            serde_json::Value::from(self.notice.at.to_string()),
            serde_json::Value::from(self.reply_id.as_str()),
            serde_json::Value::from(self.at.to_string()),
            serde_json::Value::from(self.expires.to_string()),
        ]);
        hex::encode(Sha256::digest(values.to_string()))
    }
}
