//! Findings: where, what, how sure, and why. They never carry the text they point at.

use std::ops::Range;

use serde::Serialize;
use smallvec::SmallVec;

use crate::guardrail::label::Label;
use crate::policy::words::vocabulary;

vocabulary! {
    /// What a stretch of text gives away or does wrong.
    Category, "category" {
        // The 18 of 45 CFR 164.514(b)(2)(i), in its order.
        /// (A) Names.
        Name = "name",
        /// (B) Geographic subdivisions smaller than a state.
        Geographic = "geographic",
        /// (C) Dates directly related to an individual.
        Date = "date",
        /// (D) Telephone numbers.
        Phone = "phone",
        /// (E) Fax numbers.
        Fax = "fax",
        /// (F) E-mail addresses.
        Email = "email",
        /// (G) Social security numbers.
        Ssn = "ssn",
        /// (H) Medical record numbers.
        Mrn = "mrn",
        /// (I) Health plan beneficiary numbers.
        HealthPlan = "health_plan",
        /// (J) Account numbers.
        Account = "account",
        /// (K) Certificate and licence numbers.
        License = "license",
        /// (L) Vehicle identifiers.
        Vehicle = "vehicle",
        /// (M) Device identifiers.
        Device = "device",
        /// (N) Web addresses.
        Url = "url",
        /// (O) IP addresses.
        Ip = "ip",
        /// (P) Biometric identifiers.
        Biometric = "biometric",
        /// (Q) Full-face photographs.
        Photo = "photo",
        /// (R) Any other unique identifying number, characteristic or code.
        OtherUnique = "other_unique",
        /// Ages over 89 (164.514(b)(2)(i)(C)).
        AgeOver89 = "age_over_89",
        /// A disease or injury.
        Diagnosis = "diagnosis",
        /// What a patient feels or shows.
        Symptom = "symptom",
        /// A medicine or its class.
        Medication = "medication",
        /// How much of it, how often.
        Dose = "dose",
        /// A laboratory test.
        Lab = "lab",
        /// What it showed, also by implication.
        LabValue = "lab_value",
        /// An operation or other procedure.
        Procedure = "procedure",
        /// A treatment or device.
        Treatment = "treatment",
        /// Imaging.
        Imaging = "imaging",
        /// A specialty or department that reveals.
        Specialty = "specialty",
        /// Pregnancy.
        Pregnancy = "pregnancy",
        /// A vital sign.
        Vital = "vital",
        /// Mental health.
        MentalHealth = "mental_health",
        /// Substance use (42 CFR part 2).
        SubstanceUse = "substance_use",
        /// HIV and other sexually transmitted infections.
        HivSti = "hiv_sti",
        /// Reproductive care.
        Reproductive = "reproductive",
        /// Genetic information.
        Genetic = "genetic",
        /// Gender-affirming care.
        GenderAffirming = "gender_affirming",
        /// Abuse and violence.
        Abuse = "abuse",
        /// A date or weekday that no fact backs.
        UngroundedDate = "ungrounded_date",
        /// A time of day that no fact backs.
        UngroundedTime = "ungrounded_time",
        /// A person that no fact backs.
        UngroundedPerson = "ungrounded_person",
        /// A place that no fact backs.
        UngroundedPlace = "ungrounded_place",
        /// A phone number, address or link that no fact backs.
        UngroundedContact = "ungrounded_contact",
        /// "Booked", "we will call you": a deed that no receipt backs.
        UngroundedClaim = "ungrounded_claim",
        /// Medical advice.
        MedicalAdvice = "medical_advice",
        /// A claim to hold a licence.
        LicenseClaim = "license_claim",
        /// A claim to be a person.
        HumanClaim = "human_claim",
        /// A value of another patient.
        OtherPatient = "other_patient",
    }
}

/// The broad kind of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// One of the 18 identifiers, or an age over 89.
    Identifier,
    /// Clinical detail.
    Clinical,
    /// Clinical detail of a specially protected kind.
    Sensitive,
    /// What a draft does rather than what it tells.
    Conduct,
}

impl Category {
    /// The broad kind.
    pub const fn group(self) -> Group {
        match self {
            Self::Name
            | Self::Geographic
            | Self::Date
            | Self::Phone
            | Self::Fax
            | Self::Email
            | Self::Ssn
            | Self::Mrn
            | Self::HealthPlan
            | Self::Account
            | Self::License
            | Self::Vehicle
            | Self::Device
            | Self::Url
            | Self::Ip
            | Self::Biometric
            | Self::Photo
            | Self::OtherUnique
            | Self::AgeOver89 => Group::Identifier,
            Self::Diagnosis
            | Self::Symptom
            | Self::Medication
            | Self::Dose
            | Self::Lab
            | Self::LabValue
            | Self::Procedure
            | Self::Treatment
            | Self::Imaging
            | Self::Specialty
            | Self::Pregnancy
            | Self::Vital => Group::Clinical,
            Self::MentalHealth
            | Self::SubstanceUse
            | Self::HivSti
            | Self::Reproductive
            | Self::Genetic
            | Self::GenderAffirming
            | Self::Abuse => Group::Sensitive,
            Self::UngroundedDate
            | Self::UngroundedTime
            | Self::UngroundedPerson
            | Self::UngroundedPlace
            | Self::UngroundedContact
            | Self::UngroundedClaim
            | Self::MedicalAdvice
            | Self::LicenseClaim
            | Self::HumanClaim
            | Self::OtherPatient => Group::Conduct,
        }
    }
}

vocabulary! {
    /// How sure a detector is; ordered, never a score.
    Confidence, "confidence" {
        /// Could be.
        Possible = "possible",
        /// Usually is.
        Probable = "probable",
        /// Is.
        Certain = "certain",
    }
}

vocabulary! {
    /// What becomes of the stretch; ordered, the strictest wins.
    Action, "action" {
        /// Stays in the text.
        Keep = "keep",
        /// Leaves the text; what is worth telling goes behind the portal link.
        Drop = "drop",
        /// Holds the whole draft for staff.
        Hold = "hold",
    }
}

vocabulary! {
    /// The verdict on a draft; ordered, the strictest wins.
    Verdict, "verdict" {
        /// May leave as it stands.
        Pass = "pass",
        /// May leave in the form that was made of it.
        Rewrite = "rewrite",
        /// Waits for staff.
        Hold = "hold",
    }
}

/// Why a detector fired: a kind and the name of an entry in the policy, never a patient's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Evidence {
    /// `pattern`, `checksum`, `lexicon`, `context`, `record`, `fact`, `tagger`, `phrase`.
    pub kind: &'static str,
    /// Which rule, list or record field.
    pub name: Label,
}

/// The evidence of one finding; two pieces need no memory of their own.
pub type Evidences = SmallVec<[Evidence; 2]>;

/// One thing found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Byte offsets in the text as given, on character boundaries, end-exclusive.
    pub span: Range<usize>,
    /// What it is.
    pub category: Category,
    /// The rule that says so, as `identifiers.ssn` or `lexicon.medications`.
    pub rule: Label,
    /// How sure.
    pub confidence: Confidence,
    /// What becomes of it; `Keep` until the policy has spoken.
    pub action: Action,
    /// Why.
    pub evidence: Evidences,
    /// The law or house rule behind the action.
    pub cite: Label,
}
