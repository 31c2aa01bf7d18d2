//! Consent as a state machine with evidence: what may be sent to one person on one number, for what
//! purpose, and its proof.
//!
//! Purposes are kept apart: being texted at all, health details (PHI) by text, and texts about
//! visits that the practice begins. Each has its own state; one STOP ends them all, one YES grants
//! only what the notice asked for. The diagram is in `docs/consent.md`.

mod evidence;
mod proof;

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::PatientId;
use crate::policy::words::vocabulary;

pub use evidence::{Act, ConsentEvent, Doubt, Evidence, Notice, Party, RISK_NOTICE_ASKS, Who};
pub use proof::ConsentProof;

vocabulary! {
    /// Where consent stands for one practice, number, channel, person and purpose.
    ConsentState, "consent state" {
        /// Never asked.
        Unknown = "unknown",
        /// The risk notice is out; no answer yet.
        NoticeSent = "notice_sent",
        /// Agreed.
        Granted = "granted",
        /// Answered NO: texts without PHI only, and none that the practice begins.
        Declined = "declined",
        /// STOP: nothing at all until START.
        OptedOut = "opted_out",
        /// Granted once, too long ago.
        Expired = "expired",
        /// The number may be another's now: as if never asked.
        Reassigned = "reassigned",
    }
}

vocabulary! {
    /// What consent is for. Kept apart: agreeing to one says nothing of another.
    ConsentPurpose, "consent purpose" {
        /// Being texted at all (47 U.S.C. 227; 47 CFR 64.1200).
        Contact = "contact",
        /// Health details in plain texts, after a warning (78 FR 5634; 45 CFR 164.522(b)).
        Phi = "phi",
        /// Reminders and confirmations of visits that the practice begins.
        Confirmations = "confirmations",
    }
}

/// Where one purpose stands, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where.
    pub state: ConsentState,
    /// Since when.
    pub since: Timestamp,
}

impl Standing {
    const fn new(state: ConsentState, since: Timestamp) -> Self {
        Self { state, since }
    }

    /// This standing, or the same state since `at` where it differs.
    fn to(self, state: ConsentState, at: Timestamp) -> Self {
        if self.state == state {
            self
        } else {
            Self::new(state, at)
        }
    }
}

/// Consent of one person on one number and channel, with its evidence. A value: [`Consent::apply`]
/// gives the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct Consent {
    /// Where PHI by text stands; STOP shows here too.
    pub state: ConsentState,
    /// The notice that was last sent.
    pub notice: Option<Notice>,
    /// The proof, while granted.
    pub proof: Option<ConsentProof>,
    /// When the state was entered.
    pub since: Timestamp,
    /// Being texted at all.
    pub contact: Standing,
    /// Texts about visits that the practice begins.
    pub confirmations: Standing,
}

/// Consent as it is kept. Rows from before purposes were kept apart have one state: it was PHI by
/// text, and whoever had answered the notice had been texted with their consent.
#[derive(Deserialize)]
struct Kept {
    state: ConsentState,
    notice: Option<Notice>,
    proof: Option<ConsentProof>,
    since: Timestamp,
    contact: Option<Standing>,
    confirmations: Option<Standing>,
}

impl From<Kept> for Consent {
    fn from(kept: Kept) -> Self {
        use ConsentState::{Declined, Expired, Granted, NoticeSent, OptedOut, Reassigned, Unknown};
        // Conversations began with a text of the patient's, so all but STOP had contact.
        let contact = match kept.state {
            OptedOut | Reassigned | Declined => kept.state,
            Granted | Expired | NoticeSent => Granted,
            Unknown => Unknown,
        };
        let confirmations = match kept.state {
            OptedOut | Reassigned | Declined => kept.state,
            Granted | Expired | NoticeSent | Unknown => Unknown,
        };
        Self {
            contact: kept
                .contact
                .unwrap_or_else(|| Standing::new(contact, kept.since)),
            confirmations: kept
                .confirmations
                .unwrap_or_else(|| Standing::new(confirmations, kept.since)),
            state: kept.state,
            notice: kept.notice,
            proof: kept.proof,
            since: kept.since,
        }
    }
}

/// How long a YES holds before it is asked again: house policy, no statute sets a term; a year is
/// about how often phone numbers change hands and charts are brought up to date.
pub const CONSENT_DAYS: i64 = 365;

/// A number from which nothing was heard for so long may be another's: asked again. A number that
/// is given up rests for 45 to 90 days (47 CFR 52.15(f)(1)(ii)), so half a year leaves room for
/// that and a change of hands, and spares a patient who is seen twice a year the question.
pub const SILENT_DAYS: i64 = 180;

/// An event that means nothing in this state; the state stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("consent is {state}: {event} changes nothing here")]
pub struct InvalidTransition {
    /// Where consent stands.
    pub state: ConsentState,
    /// What was tried.
    pub event: &'static str,
}

impl Consent {
    /// Nobody was asked yet.
    pub const fn unknown(at: Timestamp) -> Self {
        Self::all(ConsentState::Unknown, at)
    }

    const fn all(state: ConsentState, at: Timestamp) -> Self {
        Self {
            state,
            notice: None,
            proof: None,
            since: at,
            contact: Standing::new(state, at),
            confirmations: Standing::new(state, at),
        }
    }

    /// The consent after an event. Only a YES to a notice that was sent before it, and is still
    /// open, grants, and only what that notice asked; STOP ends every purpose and drops every proof
    /// from every state; only START leaves an opt-out, and after a NO it lets the notice be sent anew.
    pub fn apply(&self, event: &ConsentEvent) -> Result<Self, InvalidTransition> {
        let at = event.at();
        let invalid = Err(InvalidTransition {
            state: self.state,
            event: event.as_str(),
        });
        let opted_out = self.state == ConsentState::OptedOut;
        match &event.act {
            Act::Stop if opted_out => Ok(self.clone()),
            Act::Stop => Ok(Self::all(ConsentState::OptedOut, at)),
            Act::Start if opted_out => Ok(Self {
                contact: Standing::new(ConsentState::Granted, at),
                ..Self::unknown(at)
            }),
            Act::Start => Ok(self.reopened(at)),
            Act::Lifted if opted_out => Ok(Self::unknown(at)),
            Act::Lifted => invalid,
            _ if opted_out => invalid,
            Act::Reassigned(_) => Ok(Self::all(ConsentState::Reassigned, at)),
            Act::Wrote => Ok(self.wrote(at)),
            Act::Recorded(purpose) => self.recorded(*purpose, at).map_or(invalid, Ok),
            Act::Identified(patient) => self.identified(patient).map_or(invalid, Ok),
            Act::NoticeSent(notice) => Ok(self.asked(notice)),
            Act::Yes(party) => self.granted(party, &event.evidence).map_or(invalid, Ok),
            Act::No => self.declined(at).map_or(invalid, Ok),
            Act::Refused(purpose) => self.refused(*purpose, at).map_or(invalid, Ok),
            Act::Expire => match &self.proof {
                Some(proof) if at >= proof.expires => Ok(self.expired(at)),
                Some(_) | None => invalid,
            },
        }
    }

    /// Where a purpose stands.
    pub const fn standing(&self, purpose: ConsentPurpose) -> ConsentState {
        match purpose {
            ConsentPurpose::Contact => self.contact.state,
            ConsentPurpose::Phi => self.state,
            ConsentPurpose::Confirmations => self.confirmations.state,
        }
    }

    /// The proof that lets PHI go by text now, if there is one.
    pub fn allows_phi(&self, now: Timestamp) -> Option<&ConsentProof> {
        self.proof.as_ref().filter(|proof| {
            self.state == ConsentState::Granted && proof.at <= now && now < proof.expires
        })
    }

    /// Whether any text may go at all, apart from one confirmation of an opt-out and safety texts.
    pub fn allows_texts(&self) -> bool {
        self.state != ConsentState::OptedOut
    }

    /// Whether the practice may begin a text about a visit.
    pub fn allows_reminders(&self) -> bool {
        self.contact.state == ConsentState::Granted
            && self.confirmations.state == ConsentState::Granted
    }

    /// This state for PHI by text, without notice or proof; the other purposes stay.
    fn bare(&self, state: ConsentState, at: Timestamp) -> Self {
        Self {
            state,
            notice: None,
            proof: None,
            since: at,
            ..self.clone()
        }
    }

    /// A text of the person's own: they may be answered. A NO to texts stands until YES or START.
    fn wrote(&self, at: Timestamp) -> Self {
        use ConsentState::{Declined, Expired, Granted, NoticeSent, OptedOut, Reassigned, Unknown};
        let contact = match self.contact.state {
            Unknown | Reassigned | NoticeSent | Expired => self.contact.to(Granted, at),
            Granted | Declined | OptedOut => self.contact,
        };
        Self {
            contact,
            ..self.clone()
        }
    }

    /// After START (or YES) from somebody who had said NO: they may be texted again, and what they
    /// declined is asked for anew; nothing that they did not say is granted.
    fn reopened(&self, at: Timestamp) -> Self {
        let mut next = self.clone();
        if self.state == ConsentState::Declined {
            next = self.bare(ConsentState::Unknown, at);
        }
        if self.contact.state == ConsentState::Declined {
            next.contact = self.contact.to(ConsentState::Granted, at);
        }
        if self.confirmations.state == ConsentState::Declined {
            next.confirmations = self.confirmations.to(ConsentState::Unknown, at);
        }
        next
    }

    /// The practice's word, where the person has said nothing yet.
    fn recorded(&self, purpose: ConsentPurpose, at: Timestamp) -> Option<Self> {
        let open = |it: Standing| match it.state {
            ConsentState::Unknown | ConsentState::Granted => Some(it.to(ConsentState::Granted, at)),
            ConsentState::NoticeSent
            | ConsentState::Declined
            | ConsentState::OptedOut
            | ConsentState::Expired
            | ConsentState::Reassigned => None,
        };
        let mut next = self.clone();
        match purpose {
            ConsentPurpose::Phi => return None,
            ConsentPurpose::Contact => next.contact = open(self.contact)?,
            ConsentPurpose::Confirmations => next.confirmations = open(self.confirmations)?,
        }
        Some(next)
    }

    /// What an unnamed person agreed to is theirs once they are named; what another agreed to is not.
    fn identified(&self, patient: &PatientId) -> Option<Self> {
        let mut next = self.clone();
        if let Some(proof) = &mut next.proof {
            match &proof.patient {
                None => proof.patient = Some(patient.clone()),
                Some(same) if same == patient => {}
                Some(_) => return None,
            }
        }
        Some(next)
    }

    /// The notice that still waits for its answer.
    fn open_notice(&self) -> Option<&Notice> {
        let answered = |notice: &Notice| {
            let proof = self.proof.as_ref();
            proof.is_some_and(|proof| proof.notice == *notice)
        };
        self.notice.as_ref().filter(|notice| !answered(notice))
    }

    /// After a notice: the question is open. A standing grant stays until it is renewed or ends, and
    /// what the notice does not ask for stays as it is.
    fn asked(&self, notice: &Notice) -> Self {
        let mut next = self.clone();
        next.notice = Some(notice.clone());
        if notice.asks.contains(&ConsentPurpose::Phi) && self.state != ConsentState::Granted {
            next.state = ConsentState::NoticeSent;
            next.proof = None;
            next.since = notice.at;
        }
        next
    }

    /// After NO: everything that the open notice asked for is declined, and nothing else. Without
    /// an open notice it takes back the YES to health details.
    fn declined(&self, at: Timestamp) -> Option<Self> {
        let open = self.open_notice();
        let asked: &[ConsentPurpose] = match (open, &self.notice) {
            (Some(notice), _) | (None, Some(notice)) => &notice.asks,
            (None, None) => &[ConsentPurpose::Phi],
        };
        let mut next = self.clone();
        if asked.contains(&ConsentPurpose::Phi) {
            match self.state {
                ConsentState::NoticeSent | ConsentState::Granted | ConsentState::Expired => {
                    next = self.bare(ConsentState::Declined, at);
                }
                ConsentState::Declined => {}
                ConsentState::Unknown | ConsentState::OptedOut | ConsentState::Reassigned => {
                    return None;
                }
            }
        } else {
            next.notice = self.proof.as_ref().map(|proof| proof.notice.clone());
        }
        if asked.contains(&ConsentPurpose::Contact) {
            // No to texts is no to reminders by text.
            next.contact = self.contact.to(ConsentState::Declined, at);
        }
        if asked.contains(&ConsentPurpose::Contact)
            || asked.contains(&ConsentPurpose::Confirmations)
        {
            next.confirmations = self.confirmations.to(ConsentState::Declined, at);
        }
        Some(next)
    }

    /// After "no reminders", told to the practice: no text that it begins about a visit, until YES or
    /// START; answers go on.
    fn refused(&self, purpose: ConsentPurpose, at: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        match purpose {
            ConsentPurpose::Confirmations => {
                next.confirmations = self.confirmations.to(ConsentState::Declined, at);
            }
            ConsentPurpose::Phi => {
                next = self.bare(ConsentState::Declined, at);
            }
            // Who wants no texts at all has opted out.
            ConsentPurpose::Contact => return None,
        }
        Some(next)
    }

    /// After the term: a renewal notice that still waits for its answer stays open.
    fn expired(&self, at: Timestamp) -> Self {
        let renewal = self.notice.clone().filter(|notice| {
            self.proof
                .as_ref()
                .is_none_or(|proof| proof.notice != *notice)
        });
        Self {
            state: if renewal.is_some() {
                ConsentState::NoticeSent
            } else {
                ConsentState::Expired
            },
            notice: renewal,
            proof: None,
            since: at,
            ..self.clone()
        }
    }

    /// After a YES, if a notice is open and was sent before it. A second YES to the same notice
    /// changes nothing, so that it cannot stretch the term.
    fn granted(&self, party: &Party, evidence: &Evidence) -> Option<Self> {
        let at = evidence.at;
        let Some(notice) = self.open_notice() else {
            return self.proof.is_some().then(|| self.clone());
        };
        if notice.at > at {
            return None;
        }
        let mut next = self.clone();
        if notice.asks.contains(&ConsentPurpose::Contact) {
            next.contact = self.contact.to(ConsentState::Granted, at);
        }
        if notice.asks.contains(&ConsentPurpose::Confirmations) {
            next.confirmations = self.confirmations.to(ConsentState::Granted, at);
        } else if self.confirmations.state == ConsentState::Declined
            && notice.asks.contains(&ConsentPurpose::Contact)
            && self.contact.state == ConsentState::Declined
        {
            // Declined along with contact; yes to contact leaves it to be asked or stated anew.
            next.confirmations = self.confirmations.to(ConsentState::Unknown, at);
        }
        if !notice.asks.contains(&ConsentPurpose::Phi) {
            next.notice = self.proof.as_ref().map(|proof| proof.notice.clone());
            return Some(next);
        }
        let term = SignedDuration::from_hours(24 * CONSENT_DAYS);
        next.state = ConsentState::Granted;
        next.since = at;
        next.proof = Some(ConsentProof {
            practice: party.practice.clone(),
            patient: party.patient.clone(),
            number: party.number.clone(),
            channel: party.channel,
            notice: notice.clone(),
            reply_id: evidence.message.clone()?,
            at,
            expires: at.checked_add(term).unwrap_or(Timestamp::MAX),
        });
        Some(next)
    }
}
