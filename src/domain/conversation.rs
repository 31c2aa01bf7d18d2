//! A conversation, its turns, and the work that waits on it: the rows that the pipeline passes on.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::consent::{Consent, ConsentProof};
use crate::domain::ids::{
    AppointmentId, ConversationId, OutboxId, PatientId, PracticeId, SlotId, TurnId,
};
use crate::domain::message::{Delivery, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::{Channel, Language, vocabulary};

vocabulary! {
    /// What a one-word answer would answer.
    PendingKind, "pending question" {
        /// The risk notice asks for YES.
        Consent = "consent",
        /// "Reply YES to confirm your visit."
        AppointmentConfirm = "appointment_confirm",
        /// "Reply 1, 2 or 3."
        RescheduleChoice = "reschedule_choice",
        /// "Reply YES to cancel your visit."
        CancelConfirm = "cancel_confirm",
    }
}

/// The question that is open in a conversation, so that YES, NO and 1 mean one thing only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingQuestion {
    /// What was asked.
    pub kind: PendingKind,
    /// The visit it is about.
    pub appointment: Option<AppointmentId>,
    /// The slots on offer, in the order of their numbers; empty unless a choice.
    pub slots: Vec<SlotId>,
    /// When it was asked.
    pub asked: Timestamp,
}

/// One phone number talking with one sender number of one practice on one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Row id.
    pub id: ConversationId,
    /// Whose patient.
    pub practice: PracticeId,
    /// Who carries it.
    pub carrier: CarrierKind,
    /// How.
    pub channel: Channel,
    /// The practice's number.
    pub sender: E164,
    /// The patient's number.
    pub number: E164,
    /// Who, when the record knows exactly one person at this number.
    pub patient: Option<PatientId>,
    /// The fence: a text cleared under an older epoch never leaves.
    pub epoch: i64,
    /// The language last written in.
    pub language: Language,
    /// Consent of this person, number and channel.
    pub consent: Consent,
    /// The open question.
    pub pending: Option<PendingQuestion>,
    /// Whether a person has taken over; then the agent is silent.
    pub human: bool,
    /// When the patient last wrote.
    pub last_inbound: Option<Timestamp>,
}

vocabulary! {
    /// Which way a text went.
    Direction, "direction" {
        /// From the patient.
        Inbound = "inbound",
        /// To the patient.
        Outbound = "outbound",
    }
}

/// One text of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Row id; ascending in order of acceptance.
    pub id: TurnId,
    /// Which way.
    pub direction: Direction,
    /// What was written.
    pub body: Phi<String>,
    /// What the screen made of an inbound text (`question`, `opt_out`, ...); empty for outbound.
    pub intent: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// Whether an inbound text has had its one outcome.
    pub answered: bool,
    /// Where an outbound text stands.
    pub delivery: Option<Delivery>,
    /// How many SMS segments an outbound text takes.
    pub segments: Option<i64>,
    /// The carrier's id of an inbound text.
    pub carrier_id: Option<String>,
}

/// A leased piece of work: answer what waits in one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyJob {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Rises with each inbound text: a draft made for an older one is made anew.
    pub generation: i64,
    /// How often it was leased without an end.
    pub attempts: i64,
    /// Rises with each lease: a worker that lost its lease cannot commit.
    pub lease: i64,
}

/// A cleared text as the outbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Row id.
    pub id: OutboxId,
    /// Whose.
    pub practice: PracticeId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// The epoch it was cleared under.
    pub epoch: i64,
    /// What kind.
    pub kind: OutboundKind,
    /// What the patient will read.
    pub body: Phi<String>,
    /// Whether it holds PHI; then there is a proof.
    pub phi: bool,
    /// The proof it was cleared under.
    pub proof: Option<ConsentProof>,
    /// Hand-overs begun so far, this one included.
    pub attempts: i64,
    /// Whether an earlier hand-over has no recorded end: its worker died, or the connection broke.
    pub in_doubt: bool,
    /// When it was enqueued.
    pub at: Timestamp,
    /// Rises with each lease.
    pub lease: i64,
}

/// A message behind a portal link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalMessage {
    /// Whose.
    pub practice: PracticeId,
    /// For whom.
    pub patient: PatientId,
    /// What the page shows once the birth date is given.
    pub body: Phi<String>,
    /// Its language.
    pub language: Language,
    /// Wrong answers left.
    pub tries_left: i64,
    /// When the link dies.
    pub expires: Timestamp,
    /// When it was first read.
    pub opened: Option<Timestamp>,
}
