//! What waits for a YES: a text about a visit, words of the staff, or a question that was asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{AppointmentId, ConversationId, PatientId, PracticeId};

/// What the practice wants to tell, or was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// A reminder of this visit; its words are made from the record when it leaves.
    Visit {
        /// Whose.
        patient: PatientId,
        /// Which.
        appointment: AppointmentId,
    },
    /// Words that staff wrote. Kept sealed; reviewed when they leave.
    Words {
        /// For whom.
        patient: PatientId,
        /// What.
        text: String,
    },
    /// The patient's own question: it is answered at YES, and left to staff when none comes.
    Question,
}

/// Something that waits, leased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Row id.
    pub id: i64,
    /// Whose patient.
    pub practice: PracticeId,
    /// With whom.
    pub conversation: ConversationId,
    /// Since when.
    pub at: Timestamp,
    /// Until when it is worth sending.
    pub expires: Timestamp,
    /// What.
    pub errand: Errand,
    /// Rises with each lease.
    pub lease: i64,
}
