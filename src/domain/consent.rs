//! Consent as a state machine with evidence: what may be sent to one person on one number, and its proof.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use sha2::Sha256;

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

/// How long a YES holds before it is asked again: house policy, no statute sets a term; a year is
/// about how often phone numbers change hands and charts are brought up to date.
pub const CONSENT_DAYS: i64 = 365;

/// Something that changes consent. Each says when it happened; the store keeps who and by which text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsentEvent {
    /// The risk notice was enqueued.
    NoticeSent(Notice),
    /// A clear YES to the notice.
    Yes {
        /// The carrier's id of the reply.
        reply_id: String,
        /// When the reply was accepted.
        at: Timestamp,
        /// From which number.
        number: E164,
        /// On which channel.
        channel: Channel,
        /// For which practice.
        practice: PracticeId,
        /// Who, when the record knows exactly one person at this number.
        patient: Option<PatientId>,
    },
    /// NO to the notice, or PHI by text no longer wanted.
    No {
        /// When.
        at: Timestamp,
    },
    /// STOP in any words, or a carrier's report that this person opted out.
    Stop {
        /// When.
        at: Timestamp,
    },
    /// START: texts again; PHI still needs a fresh YES.
    Start {
        /// When.
        at: Timestamp,
    },
    /// The proof has run out.
    Expire {
        /// When.
        at: Timestamp,
    },
    /// The number is reported to belong to somebody else now, or was silent for long.
    Reassigned {
        /// When.
        at: Timestamp,
    },
}

impl ConsentEvent {
    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::NoticeSent(notice) => notice.at,
            Self::Yes { at, .. }
            | Self::No { at }
            | Self::Stop { at }
            | Self::Start { at }
            | Self::Expire { at }
            | Self::Reassigned { at } => *at,
        }
    }

    /// Its name in the ledger.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoticeSent(_) => "notice_sent",
            Self::Yes { .. } => "yes",
            Self::No { .. } => "no",
            Self::Stop { .. } => "stop",
            Self::Start { .. } => "start",
            Self::Expire { .. } => "expire",
            Self::Reassigned { .. } => "reassigned",
        }
    }
}

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
        Self {
            state: ConsentState::Unknown,
            notice: None,
            proof: None,
            since: at,
        }
    }

    /// The consent after an event. Only a YES to a notice that was sent before it, and is still
    /// open, grants; STOP drops every proof from every state; only START leaves an opt-out.
    pub fn apply(&self, event: &ConsentEvent) -> Result<Self, InvalidTransition> {
        let invalid = Err(InvalidTransition {
            state: self.state,
            event: event.as_str(),
        });
        match event {
            ConsentEvent::Stop { .. } if self.state == ConsentState::OptedOut => Ok(self.clone()),
            ConsentEvent::Stop { at } => Ok(Self::bare(ConsentState::OptedOut, *at)),
            ConsentEvent::Start { at } if self.state == ConsentState::OptedOut => {
                Ok(Self::unknown(*at))
            }
            ConsentEvent::Start { .. } => Ok(self.clone()),
            _ if self.state == ConsentState::OptedOut => invalid,
            ConsentEvent::Reassigned { at } => Ok(Self::unknown(*at)),
            ConsentEvent::NoticeSent(notice) => Ok(self.asked(notice)),
            ConsentEvent::Yes { .. } => self.granted(event).map_or(invalid, Ok),
            ConsentEvent::No { at } => match self.state {
                ConsentState::NoticeSent | ConsentState::Granted | ConsentState::Expired => {
                    Ok(Self::bare(ConsentState::Declined, *at))
                }
                ConsentState::Declined => Ok(self.clone()),
                ConsentState::Unknown | ConsentState::OptedOut => invalid,
            },
            ConsentEvent::Expire { at } => match &self.proof {
                Some(proof) if *at >= proof.expires => Ok(self.expired(*at)),
                Some(_) | None => invalid,
            },
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

    const fn bare(state: ConsentState, at: Timestamp) -> Self {
        Self {
            state,
            notice: None,
            proof: None,
            since: at,
        }
    }

    /// After a notice: the question is open. A standing grant stays until it is renewed or ends.
    fn asked(&self, notice: &Notice) -> Self {
        let granted = self.state == ConsentState::Granted;
        Self {
            state: if granted {
                ConsentState::Granted
            } else {
                ConsentState::NoticeSent
            },
            notice: Some(notice.clone()),
            proof: self.proof.clone().filter(|_| granted),
            since: if granted { self.since } else { notice.at },
        }
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
        }
    }

    /// After a YES, if a notice is open and was sent before it. A second YES to the same notice
    /// changes nothing, so that it cannot stretch the term.
    fn granted(&self, event: &ConsentEvent) -> Option<Self> {
        let ConsentEvent::Yes {
            reply_id,
            at,
            number,
            channel,
            practice,
            patient,
        } = event
        else {
            return None;
        };
        let open = matches!(self.state, ConsentState::NoticeSent | ConsentState::Granted);
        let notice = self
            .notice
            .as_ref()
            .filter(|notice| open && notice.at <= *at)?;
        if self
            .proof
            .as_ref()
            .is_some_and(|proof| proof.notice == *notice)
        {
            return Some(self.clone());
        }
        let term = SignedDuration::from_hours(24 * CONSENT_DAYS);
        Some(Self {
            state: ConsentState::Granted,
            notice: Some(notice.clone()),
            proof: Some(ConsentProof {
                practice: practice.clone(),
                patient: patient.clone(),
                number: number.clone(),
                channel: *channel,
                notice: notice.clone(),
                reply_id: reply_id.clone(),
                at: *at,
                expires: at.checked_add(term).unwrap_or(Timestamp::MAX),
            }),
            since: *at,
        })
    }
}

impl ConsentProof {
    /// SHA-256, in hexadecimal, of the proof as a JSON array of its values in declaration order:
    /// the same evidence has the same digest on every machine.
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
