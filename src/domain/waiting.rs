//! What waits for a YES: a text about a visit, words of the staff, or a question that was asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{AppointmentId, ConversationId, PatientId, PracticeId, SlotId};
use crate::policy::words::vocabulary;

vocabulary! {
    /// Why a text that a practice's system asks for is refused.
    Refusal, "refusal" {
        /// No practice of this id is configured.
        UnknownPractice = "unknown_practice",
        /// The practice has no number to text from.
        NoSender = "no_sender",
        /// The record knows no such patient.
        UnknownPatient = "unknown_patient",
        /// The record has no visit of this id for the patient, or it is over.
        UnknownAppointment = "unknown_appointment",
        /// The number is neither the patient's nor one of who acts for the patient.
        NumberNotOnFile = "number_not_on_file",
        /// No number was named, and the record has none.
        NoNumber = "no_number",
        /// No number was named, and the record has several.
        SeveralNumbers = "several_numbers",
        /// The person said STOP.
        OptedOut = "opted_out",
        /// The person said NO to texts, or to reminders.
        Declined = "declined",
        /// The number is reported to be another's.
        NumberInDoubt = "number_in_doubt",
        /// Questions are the patient's own.
        Question = "question",
    }
}

impl Refusal {
    /// What is wrong and how to mend it; no PHI.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::UnknownPractice => {
                "no such practice; name a [[practice]] id of the configuration"
            }
            Self::NoSender => "the practice has no number to text from; add a [[practice.sender]]",
            Self::UnknownPatient => "the record knows no such patient of this practice",
            Self::UnknownAppointment => "the patient has no such visit ahead",
            Self::NumberNotOnFile => {
                "the number is not on file for this patient or for who acts for them; correct the \
                 record first"
            }
            Self::NoNumber => "the record has no number for this patient; nobody can be texted",
            Self::SeveralNumbers => {
                "the record has several numbers for this patient; name one in `to`"
            }
            Self::OptedOut => "the person opted out of texts; only their START changes that. Call",
            Self::Declined => "the person said no to texts; only their word changes that. Call",
            Self::NumberInDoubt => {
                "the number is reported to be another's; correct the record, or call"
            }
            Self::Question => "a question is the patient's own",
        }
    }
}

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
        /// When it is to begin, where the reminder is for that time alone: a visit that moves gets
        /// the reminders of its new time. None: it is told whenever it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<Timestamp>,
        /// Which of the practice's reminders of the visit it is, by its hours before; none: it was
        /// asked for by itself, and is told by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before_h: Option<u32>,
    },
    /// A new time is offered after a visit that the patient missed.
    Missed {
        /// Whose.
        patient: PatientId,
        /// Which.
        appointment: AppointmentId,
        /// When it was to begin: a visit that is over is found by its time.
        start: Timestamp,
    },
    /// The patient is asked to come again, so long after this visit as a rule of the practice says.
    Recall {
        /// Whom.
        patient: PatientId,
        /// The visit that was the last of its kind.
        appointment: AppointmentId,
        /// When it began.
        start: Timestamp,
        /// The rule's name.
        rule: String,
    },
    /// A time that became free is offered to somebody on the waitlist.
    Offer {
        /// To whom.
        patient: PatientId,
        /// The id under which the offer is kept.
        offer: String,
        /// Which time.
        slot: SlotId,
        /// When it begins.
        start: Timestamp,
        /// Minutes for which it is theirs to take, from when they are asked.
        minutes: u32,
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
