//! What patients may ask by law: a copy of the record, and an account of who was told of them.

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::policy::words::vocabulary;

/// Years for which a patient may ask who was told of them (45 CFR 164.528(a)(1)).
pub const ACCOUNTING_YEARS: i16 = 6;

/// Within which a copy of the record is given (45 CFR 164.524(b)(2)(i)).
pub const ACCESS_DUE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Days by which the answer to a request may be put off, once and with a reason in writing
/// (45 CFR 164.524(b)(2)(iii)).
pub const EXTENSION_DAYS: i64 = 30;

/// Days for which an agency's spoken wish keeps a disclosure out of an accounting; a longer time
/// takes a statement in writing (45 CFR 164.528(a)(2)(ii)).
pub const SPOKEN_DAYS: i64 = 30;

vocabulary! {
    /// Why somebody was told of a patient, where the patient may ask for it: every disclosure but
    /// those that 45 CFR 164.528(a)(1) leaves out (treatment, payment, operations, to the patient,
    /// with an authorization, and a few more).
    DisclosureKind, "disclosure" {
        /// A law demands it.
        RequiredByLaw = "required_by_law",
        /// A public health authority, or the FDA.
        PublicHealth = "public_health",
        /// Abuse, neglect or domestic violence is reported.
        Abuse = "abuse",
        /// An agency that oversees health care.
        Oversight = "oversight",
        /// A court order, a subpoena, a hearing.
        Judicial = "judicial",
        /// The police, for a purpose that the rule allows.
        LawEnforcement = "law_enforcement",
        /// A coroner, a medical examiner, a funeral director.
        Decedent = "decedent",
        /// Organ, eye and tissue donation.
        Donation = "donation",
        /// Research without an authorization.
        Research = "research",
        /// A serious threat to health or safety.
        Threat = "threat",
        /// The military, or another function of government that is not left out.
        Government = "government",
        /// Workers' compensation.
        WorkersCompensation = "workers_compensation",
        /// Health and Human Services, to see whether the practice complies.
        Secretary = "secretary",
        /// By mistake or against the rule: a breach counts too.
        Impermissible = "impermissible",
    }
}

impl DisclosureKind {
    /// As people choose it.
    pub const fn told(self) -> &'static str {
        match self {
            Self::RequiredByLaw => "Required by law",
            Self::PublicHealth => "Public health authority",
            Self::Abuse => "Report of abuse, neglect or violence",
            Self::Oversight => "Health oversight agency",
            Self::Judicial => "Court order or subpoena",
            Self::LawEnforcement => "Law enforcement",
            Self::Decedent => "Coroner, medical examiner, funeral director",
            Self::Donation => "Organ, eye or tissue donation",
            Self::Research => "Research without an authorization",
            Self::Threat => "Serious threat to health or safety",
            Self::Government => "Military or another function of government",
            Self::WorkersCompensation => "Workers' compensation",
            Self::Secretary => "Health and Human Services, for compliance",
            Self::Impermissible => "Sent by mistake, or a breach",
        }
    }

    /// The paragraph of 45 CFR that allows it.
    pub const fn cite(self) -> &'static str {
        match self {
            Self::RequiredByLaw => "164.512(a)",
            Self::PublicHealth => "164.512(b)",
            Self::Abuse => "164.512(c)",
            Self::Oversight => "164.512(d)",
            Self::Judicial => "164.512(e)",
            Self::LawEnforcement => "164.512(f)",
            Self::Decedent => "164.512(g)",
            Self::Donation => "164.512(h)",
            Self::Research => "164.512(i)",
            Self::Threat => "164.512(j)",
            Self::Government => "164.512(k)",
            Self::WorkersCompensation => "164.512(l)",
            Self::Secretary => "164.502(a)(2)(ii)",
            Self::Impermissible => "164.528(a)(1)",
        }
    }

    /// Whether the agency that was told may ask that the patient is not (45 CFR 164.528(a)(2)).
    pub const fn may_be_withheld(self) -> bool {
        matches!(self, Self::Oversight | Self::LawEnforcement)
    }
}

/// What an accounting says of a disclosure (45 CFR 164.528(b)(2)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// The day on which they were told; of several alike, the first.
    pub on: Date,
    /// Who was told.
    pub recipient: String,
    /// Their address, where it is known.
    #[serde(default)]
    pub address: String,
    /// What they were told, in brief.
    pub what: String,
    /// What for, in brief.
    pub purpose: String,
    /// Of several alike to one recipient for one purpose: how often, and the last day
    /// (45 CFR 164.528(b)(3)).
    #[serde(default)]
    pub repeated: String,
    /// Until when an agency wants the patient not told; the accounting leaves it out until then.
    #[serde(default)]
    pub withheld_until: Option<Date>,
}

vocabulary! {
    /// How a case ended.
    Closing, "closing" {
        /// All that was asked for was given.
        Given = "given",
        /// A part was given; the rest was refused in writing.
        Part = "part",
        /// It was refused in writing, with how to have that reviewed (45 CFR 164.524(d)).
        Refused = "refused",
        /// The patient does not want it any more.
        Withdrawn = "withdrawn",
        /// Done, or of no use any more.
        Done = "done",
    }
}

impl Closing {
    /// As people choose it.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Given => "All of it was given",
            Self::Part => "A part was given, the rest refused in writing",
            Self::Refused => "Refused in writing, with how to have it reviewed",
            Self::Withdrawn => "Withdrawn by the patient",
            Self::Done => "Done",
        }
    }

    /// Whether the words must say why: a refusal has its reason on file.
    pub const fn needs_words(self) -> bool {
        matches!(self, Self::Part | Self::Refused)
    }
}

vocabulary! {
    /// What a line in the history of a case is.
    Step, "step" {
        /// A note of staff.
        Note = "note",
        /// The day was put off once.
        Extended = "extended",
        /// A copy was made.
        Exported = "exported",
        /// It was closed.
        Closed = "closed",
        /// It was opened again.
        Reopened = "reopened",
    }
}
