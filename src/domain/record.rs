//! What the record holds of patients and the calendar, and the facts and receipts that answers stand on.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::ids::{AppointmentId, PatientId, RequestId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::policy::words::{Jurisdiction, Language, vocabulary};

/// One value that a draft may rest on. `field` is `namespace.name`; the namespace decides its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// `appointment.start`, `practice.hours`, `lab.name`, `receipt.booked`, ...
    pub field: String,
    /// The value; instants are RFC 3339 with offset.
    pub value: Phi<String>,
}

impl Fact {
    /// A fact.
    pub fn new(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: Phi::new(value.into()),
        }
    }
}

/// A person in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patient {
    /// Id in the record system.
    pub id: PatientId,
    /// Given name.
    pub first_name: Phi<String>,
    /// Family name.
    pub last_name: Phi<String>,
    /// Date of birth; unknown reads as the strictest.
    pub birth_date: Option<Phi<Date>>,
    /// Numbers on file.
    pub phones: Vec<E164>,
    /// Who may speak for them, each by one number (FHIR `Patient.contact` of a parent or guardian).
    pub guardians: Vec<Guardian>,
    /// Language on file.
    pub language: Option<Language>,
    /// State of residence.
    pub state: Jurisdiction,
    /// Medical record number.
    pub mrn: Option<Phi<String>>,
    /// E-mail on file.
    pub email: Option<Phi<String>>,
    /// Address in one line.
    pub address: Option<Phi<String>>,
}

impl Patient {
    /// Whether the patient is younger than 18 on the day of `now`, in the zone where that day comes
    /// last; none when the birth date is not known.
    pub fn is_minor(&self, now: Timestamp) -> Option<bool> {
        let born = self.birth_date.as_ref()?.expose();
        let today = now
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
            .yesterday()
            .ok()?;
        let adult = born.checked_add(jiff::Span::new().years(18)).ok()?;
        Some(today < adult)
    }
}

/// A parent, a guardian or another personal representative (45 CFR 164.502(g)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guardian {
    /// Name.
    pub name: Phi<String>,
    /// The number on file.
    pub phone: E164,
}

/// Somebody whom patients see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// FHIR `Practitioner.id`.
    pub id: String,
    /// As told to patients: `Dr. Ana Reyes`.
    pub name: String,
    /// Specialty, never told by text where it reveals.
    pub specialty: String,
}

vocabulary! {
    /// Where an appointment stands (FHIR `Appointment.status`, the ones that matter here).
    AppointmentStatus, "appointment status" {
        /// Booked, not yet confirmed by the patient.
        Booked = "booked",
        /// Confirmed by the patient.
        Confirmed = "confirmed",
        /// Cancelled.
        Cancelled = "cancelled",
        /// Over.
        Fulfilled = "fulfilled",
        /// Over, and the patient did not come.
        Missed = "noshow",
    }
}

/// A visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appointment {
    /// Id in the record system.
    pub id: AppointmentId,
    /// Who comes.
    pub patient: PatientId,
    /// First minute.
    pub start: Timestamp,
    /// Last minute.
    pub end: Timestamp,
    /// Whom they see, as told to patients.
    pub provider: String,
    /// Where, as told to patients.
    pub location: String,
    /// Why, a line for each word that the record has for it; clinical, never by text.
    pub reason: Phi<String>,
    /// How the patient prepares; by portal only.
    pub preparation: Phi<String>,
    /// Where it stands.
    pub status: AppointmentStatus,
    /// The slot it holds, freed on cancelling.
    pub slot: Option<SlotId>,
}

/// A visit to be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVisit {
    /// The free time that it takes.
    pub slot: SlotId,
    /// What kind, in public words: `new patient`, `follow-up`; may be empty.
    pub kind: String,
    /// Why, in the patient's words; clinical, may be empty.
    pub reason: Phi<String>,
}

vocabulary! {
    /// What a patient asks of staff.
    RequestKind, "request" {
        /// A medicine is running out.
        Refill = "refill",
        /// A message to the care team.
        Message = "message",
        /// To be called back.
        Callback = "callback",
        /// A question about money.
        Billing = "billing",
        /// A copy of the record (45 CFR 164.524).
        Records = "records",
        /// An earlier or another time, when one becomes free.
        Waitlist = "waitlist",
        /// An interpreter, large print, a ramp.
        Accessibility = "accessibility",
    }
}

impl RequestKind {
    /// As staff read it.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Refill => "Refill request",
            Self::Message => "Message to the care team",
            Self::Callback => "Callback request",
            Self::Billing => "Billing question",
            Self::Records => "Request for a copy of the record",
            Self::Waitlist => "Waitlist",
            Self::Accessibility => "Accessibility need",
        }
    }
}

/// Something that a patient asks of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What kind.
    pub kind: RequestKind,
    /// In the patient's words.
    pub words: Phi<String>,
    /// By when the law wants it answered.
    pub due: Option<Timestamp>,
    /// Waitlist: the first instant that would suit.
    pub from: Option<Timestamp>,
    /// Waitlist: the last instant that would suit.
    pub to: Option<Timestamp>,
}

/// A request on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// Its id.
    pub id: RequestId,
    /// What is asked.
    pub request: Request,
    /// Since when.
    pub at: Timestamp,
}

/// Something that anteroom keeps itself, and tells a record system that keeps copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// Whether the patient agrees to health details by text.
    Consent {
        /// Yes or no.
        agreed: bool,
        /// Since when.
        at: Timestamp,
    },
}

/// A free time in a provider's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Id in the record system.
    pub id: SlotId,
    /// First minute.
    pub start: Timestamp,
    /// Last minute.
    pub end: Timestamp,
    /// Whose.
    pub provider: String,
    /// Where.
    pub location: String,
}

vocabulary! {
    /// What kind of clinical entry.
    ClinicalKind, "clinical entry" {
        /// FHIR `Condition`.
        Condition = "condition",
        /// FHIR `MedicationRequest`.
        Medication = "medication",
        /// FHIR `Observation` of a laboratory.
        Lab = "lab",
        /// FHIR `Procedure`.
        Procedure = "procedure",
        /// FHIR `AllergyIntolerance`.
        Allergy = "allergy",
    }
}

/// One clinical entry of one patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clinical {
    /// What kind.
    pub kind: ClinicalKind,
    /// Its name: `Type 2 diabetes`, `metformin`, `Skin biopsy`.
    pub name: Phi<String>,
    /// Its value: `7.2 %`, `500 mg twice a day`, `benign`; empty when there is none.
    pub value: Phi<String>,
    /// When it was found or begun.
    pub on: Option<Date>,
    /// Whether staff have released it to the patient.
    pub released: bool,
}

/// A whole record to load: the parts of a FHIR R4 Bundle that the runtime uses.
#[derive(Clone, Debug, Default)]
pub struct RecordSet {
    /// People.
    pub patients: Vec<Patient>,
    /// Whom they see.
    pub providers: Vec<Provider>,
    /// Visits.
    pub appointments: Vec<Appointment>,
    /// Free times.
    pub slots: Vec<Slot>,
    /// Clinical entries, each with its patient.
    pub clinical: Vec<(PatientId, Clinical)>,
}
