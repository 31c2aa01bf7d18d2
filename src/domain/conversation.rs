//! A conversation, its turns, and the work that waits on it: the rows that the pipeline passes on.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::consent::{
    Act, Consent, ConsentEvent, ConsentProof, Doubt, Evidence, InvalidTransition, SILENT_DAYS,
};
use crate::domain::ids::{
    AppointmentId, ConversationId, OutboxId, PatientId, PracticeId, SlotId, TurnId,
};
use crate::domain::message::{Delivery, LawTag, OutboundKind, Template};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::domain::record::Appointment;
use crate::domain::speaker::{PersonConsent, SESSION, Speaker};
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
        /// "Would you like us to stop texting you?"
        StopConfirm = "stop_confirm",
        /// "Would you like a new time?", of no visit that stands.
        NewVisit = "new_visit",
        /// "A time opened up: reply YES to take it."
        SlotOffer = "slot_offer",
        /// "What is the patient's date of birth?"
        Person = "person",
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
    /// The visits that one YES confirms, where the question is about several or those of several
    /// people: it is put to whoever holds the phone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visits: Vec<AskedVisit>,
    /// When it was asked.
    pub asked: Timestamp,
}

/// A visit that a question is about, with whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedVisit {
    /// Whose.
    pub patient: PatientId,
    /// Which.
    pub appointment: AppointmentId,
    /// When it was told to begin: one that has moved since is another.
    pub start: Timestamp,
}

impl From<&Appointment> for AskedVisit {
    fn from(it: &Appointment) -> Self {
        Self {
            patient: it.patient.clone(),
            appointment: it.id.clone(),
            start: it.start,
        }
    }
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
    /// Who is taken for the writer, when that is known.
    pub patient: Option<PatientId>,
    /// What else is known of who writes from the number.
    pub speaker: Speaker,
    /// The fence: a text cleared under an older epoch never leaves.
    pub epoch: i64,
    /// The language last written in.
    pub language: Language,
    /// Consent of this person, number and channel; of nobody in particular while it is not known
    /// who writes.
    pub consent: Consent,
    /// The open question.
    pub pending: Option<PendingQuestion>,
    /// Whether a person has taken over; then the agent is silent.
    pub human: bool,
    /// Until when the person has it at most; then the agent is back. None: until staff say so.
    pub human_until: Option<Timestamp>,
    /// When the patient last wrote.
    pub last_inbound: Option<Timestamp>,
    /// Whether the number has opted out of the practice's texts on any line and not come back: as
    /// the store has it, also where this line has not been told yet.
    pub closed: bool,
}

impl Conversation {
    /// Whether anything but safety texts and the one confirmation may go on this line.
    pub fn allows_texts(&self) -> bool {
        self.consent.allows_texts() && !self.closed
    }

    /// The proof that lets PHI go to the person who is taken for the writer, if it stands: theirs,
    /// within its term, on a number that has not been silent for too long.
    pub fn proof(&self, now: Timestamp) -> Option<&ConsentProof> {
        self.consent
            .allows_phi(now)
            .filter(|proof| proof.patient.is_none() || proof.patient == self.patient)
            .filter(|_| !self.is_silent(now))
    }

    /// Whether nothing was heard from the number for so long that it may be another's.
    pub fn is_silent(&self, now: Timestamp) -> bool {
        let limit = SignedDuration::from_hours(24 * SILENT_DAYS);
        self.last_inbound
            .is_some_and(|last| now.duration_since(last) >= limit)
    }

    /// Whether anything was agreed or assumed that silence could call into doubt.
    pub fn doubt_may_begin(&self) -> bool {
        self.speaker.doubt.is_none() && (self.patient.is_some() || self.consent.proof.is_some())
    }

    /// Takes nobody for the writer any more on a shared phone that has rested.
    pub fn end_session(&mut self, now: Timestamp) {
        let rested = |last| now.duration_since(last) >= SESSION;
        if self.speaker.shared && self.last_inbound.is_some_and(rested) {
            self.forget_writer(now);
        }
    }

    /// Applies an event to the consent that it moves: STOP and a change of hands concern everybody
    /// at the number, anything else the person who is taken for the writer. Whether anything moved.
    pub fn apply(&mut self, event: &ConsentEvent) -> Result<bool, InvalidTransition> {
        if let Act::Reassigned(doubt) = event.act {
            return Ok(self.reassign(doubt, event));
        }
        if event.act == Act::Lifted && !self.speaker.closed_elsewhere {
            // STOP was said on this line: only START on it lifts that.
            return Ok(false);
        }
        let next = self.consent.apply(event)?;
        let mut moved = next != self.consent;
        self.consent = next;
        match &event.act {
            Act::Stop | Act::Start | Act::Lifted => {
                moved |= self.apply_to_others(event);
                moved |= std::mem::take(&mut self.speaker.closed_elsewhere);
                self.closed = event.act == Act::Stop && self.channel != Channel::Webchat;
            }
            Act::NoticeSent(_)
            | Act::Yes(_)
            | Act::No
            | Act::Refused(_)
            | Act::Wrote
            | Act::Recorded(_)
            | Act::Identified(_)
            | Act::Expire
            | Act::Reassigned(_) => {}
        }
        Ok(moved)
    }

    fn apply_to_others(&mut self, event: &ConsentEvent) -> bool {
        let mut moved = false;
        for other in &mut self.speaker.others {
            if let Ok(next) = other.consent.apply(event) {
                moved |= next != other.consent;
                other.consent = next;
            }
        }
        moved
    }

    /// Nobody is taken for the writer until somebody shows who they are; also while opted out,
    /// which a change of hands does not lift.
    fn reassign(&mut self, doubt: Doubt, event: &ConsentEvent) -> bool {
        let (before, consent) = (self.speaker.doubt, self.consent.clone());
        self.forget_writer(event.at());
        if let Ok(next) = consent.apply(event) {
            self.consent = next;
        }
        let others = self.apply_to_others(event);
        self.speaker.doubt = Some(doubt);
        others || before != Some(doubt) || self.consent != consent
    }

    /// Takes nobody for the writer any more; what the person had agreed to is kept for them.
    pub fn forget_writer(&mut self, now: Timestamp) {
        self.speaker.shown = None;
        let Some(patient) = self.patient.take() else {
            return;
        };
        let stopped = !self.consent.allows_texts();
        let consent = std::mem::replace(&mut self.consent, Consent::unknown(now));
        if stopped {
            // An opt-out is of the phone, whoever writes.
            self.consent = consent.clone();
        }
        self.speaker.others.retain(|it| it.patient != patient);
        self.speaker.others.push(PersonConsent { patient, consent });
        // A question to whoever holds the phone stands.
        let _personal = self.pending.take_if(|it| it.visits.is_empty());
    }

    /// Takes this person for the writer: what they agreed to before counts, and what was agreed on
    /// this phone by nobody in particular is theirs when `evidence` shows who they are.
    pub fn take_for_writer(&mut self, patient: &PatientId, evidence: &Evidence) {
        if self.patient.as_ref() != Some(patient) {
            self.forget_writer(evidence.at);
            let position = self
                .speaker
                .others
                .iter()
                .position(|it| it.patient == *patient);
            let kept = position.map(|at| self.speaker.others.swap_remove(at).consent);
            let fresh = self.consent.proof.is_some();
            if let Some(kept) = kept
                && (!fresh || kept.allows_phi(evidence.at).is_some())
                && self.consent.allows_texts()
            {
                self.consent = kept;
            }
            self.patient = Some(patient.clone());
        }
        let named = ConsentEvent::new(Act::Identified(patient.clone()), evidence.clone());
        match self.consent.apply(&named) {
            Ok(next) => self.consent = next,
            // The proof is another's: it stays with nobody.
            Err(_) if self.consent.allows_texts() => self.consent = Consent::unknown(evidence.at),
            Err(_) => {}
        }
    }
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

/// How a text is marked that only said that an answer takes a moment.
pub const INTERIM: &str = "interim";

/// One text of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Row id; ascending in order of acceptance.
    pub id: TurnId,
    /// Which way.
    pub direction: Direction,
    /// What was written.
    pub body: Phi<String>,
    /// What the screen made of an inbound text (`question`, `opt_out`, ...); [`INTERIM`] for one of
    /// ours that only said that an answer takes a moment, else empty.
    pub intent: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// Whether an inbound text has had its one outcome.
    pub answered: bool,
    /// Where an outbound text stands.
    pub delivery: Option<Delivery>,
    /// With which code of the carrier's, or of ours, it failed.
    pub code: Option<String>,
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
    /// When the answer to what waits was first begun.
    pub begun: Timestamp,
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
    /// By which law it was cleared; empty on rows from before.
    pub law: LawTag,
    /// Rises with each lease.
    pub lease: i64,
    /// The place in its number's line that it was given, if it waited for one.
    pub slot: Option<Timestamp>,
    /// How many segments it takes.
    pub segments: i64,
    /// The approved template that says it, if one does.
    pub template: Option<Template>,
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
    /// When staff closed the link.
    pub revoked: Option<Timestamp>,
}
