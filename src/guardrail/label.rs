//! Names that findings carry: rule ids, list and field names, citations. Copying one allocates nothing.

use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use serde::Serializer;

/// A name out of the policy, the code or the setting; never a patient's words.
#[derive(Clone)]
pub enum Label {
    /// Written in the code.
    Static(&'static str),
    /// Read from the policy or the setting, and shared.
    Shared(Arc<str>),
}

impl Label {
    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Static(text) => text,
            Self::Shared(text) => text,
        }
    }

    /// The name of a field of the record, as `patient.first_name`.
    pub(crate) fn field(name: &str) -> Self {
        match FIELDS.iter().find(|(known, _)| *known == name) {
            Some((known, _)) => Self::Static(known),
            None => Self::Shared(name.into()),
        }
    }

    /// The rule that finds the values of a field of the record: `record.` and its name.
    pub(crate) fn record(name: &str) -> Self {
        match FIELDS.iter().find(|(known, _)| *known == name) {
            Some((_, rule)) => Self::Static(rule),
            None => Self::Shared(format!("record.{name}").into()),
        }
    }
}

macro_rules! fields {
    ($($field:literal),+ $(,)?) => { &[$(($field, concat!("record.", $field))),+] };
}

/// The usual fields and their rules, ready made; others are made when they are met.
const FIELDS: &[(&str, &str)] = fields![
    "provider",
    "patient.first_name",
    "patient.last_name",
    "patient.name",
    "patient.preferred_name",
    "patient.middle_name",
    "patient.birth_date",
    "patient.phone",
    "patient.email",
    "patient.address",
    "patient.mrn",
    "patient.ssn",
    "patient.guardian",
    "patient.emergency_contact",
    "patient.state",
    "appointment.start",
    "appointment.end",
    "appointment.offered_slot",
    "appointment.provider",
    "appointment.location",
    "appointment.status",
    "appointment.video_link",
    "appointment.reason",
    "appointment.department",
    "appointment.stated",
    "provider.name",
    "insurance.member_id",
    "insurance.plan",
    "billing.amount",
    "billing.balance",
    "condition.name",
    "medication.name",
    "medication.dose",
    "lab.name",
    "lab.value",
    "lab.result",
    "procedure.name",
    "imaging.name",
    "allergy.name",
    "immunization.name",
    "referral.name",
    "identifier.date",
    "identifier.contact",
    "receipt.booked",
    "receipt.cancelled",
    "receipt.rescheduled",
    "receipt.confirmed",
    "receipt.refill_requested",
    "receipt.stated",
];

impl Deref for Label {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Label {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<&'static str> for Label {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<&Arc<str>> for Label {
    fn from(text: &Arc<str>) -> Self {
        Self::Shared(Arc::clone(text))
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Label {}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Label {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialEq<str> for Label {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Label {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<Arc<str>> for Label {
    fn eq(&self, other: &Arc<str>) -> bool {
        self.as_str() == &**other
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self)
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}
