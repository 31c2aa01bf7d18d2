//! What a review is told: who speaks to whom, by which channel, with which consent, on which facts.

use jiff::Timestamp;

use crate::policy::words::{Channel, Jurisdiction, Language, Purpose, vocabulary};

vocabulary! {
    /// Who wrote the draft.
    Author, "author" {
        /// The agent.
        Agent = "agent",
        /// A person on the staff.
        Staff = "staff",
        /// An approved fixed text (notice, opt-out, emergency): conduct rules and the opt-out hold
        /// do not apply to it, detection does.
        Approved = "approved",
    }
}

vocabulary! {
    /// Who reads the text.
    Relation, "relation" {
        /// The patient.
        Patient = "patient",
        /// A parent, guardian or other personal representative (45 CFR 164.502(g)).
        Proxy = "proxy",
        /// Somebody whose identity or authority nobody verified (45 CFR 164.514(h)).
        Unknown = "unknown",
    }
}

/// Whether this person, on this number, agreed to PHI by text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent<'a> {
    /// Agreed; `proof` names the evidence and travels with the cleared text.
    Granted {
        /// Digest of the proof.
        proof: &'a str,
    },
    /// Not asked, not answered, or expired: nothing about the person may leave.
    None,
    /// Declined: as `None`.
    Declined,
    /// Opted out: nothing may leave at all.
    OptedOut,
}

/// One value that a draft may rest on, `namespace.name`; the namespace decides its class.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a> {
    /// `appointment.start`, `practice.hours`, `lab.name`, `receipt.booked`, ...
    pub field: &'a str,
    /// The value; instants are RFC 3339 with offset.
    pub value: &'a str,
}

impl std::fmt::Debug for Fact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fact({}: ..)", self.field)
    }
}

/// The setting of one review.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The practice's name as patients know it.
    pub practice_name: &'a str,
    /// The front desk's number, in any form.
    pub practice_phone: &'a str,
    /// `primary_care`, `behavioral_health`, ...
    pub practice_type: &'a str,
    /// Where the link in a rewritten text points; unique to this message with the built-in portal.
    pub portal_url: &'a str,
    /// How the text leaves.
    pub channel: Channel,
    /// May PHI leave?
    pub consent: Consent<'a>,
    /// Whether every agreement is in force that this channel takes before it may carry PHI; asked
    /// only of channels that offer none by themselves (WhatsApp).
    pub covered: bool,
    /// The patient's state of residence.
    pub state: Jurisdiction,
    /// The patient's language.
    pub language: Language,
    /// IANA zone in which "tomorrow at 3" is meant.
    pub timezone: &'a str,
    /// The present.
    pub now: Timestamp,
    /// Why the text is written.
    pub purpose: Purpose,
    /// Who reads it.
    pub relation: Relation,
    /// Who wrote it.
    pub author: Author,
    /// What it may rest on.
    pub facts: &'a [Fact<'a>],
    /// What earlier texts of this conversation told, by the names that their reviews gave
    /// ([`Review::told`](crate::guardrail::review::Review::told)); empty for the first.
    pub told: &'a [&'a str],
}
