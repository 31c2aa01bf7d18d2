//! How people, visits and clinical entries are spelled inside their sealed columns.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::AppointmentId;
use crate::domain::ids::PatientId;
use crate::domain::ids::SlotId;
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::record::Appointment;
use crate::domain::record::AppointmentStatus;
use crate::domain::record::Clinical;
use crate::domain::record::ClinicalKind;
use crate::domain::record::Guardian;
use crate::domain::record::Patient;
use crate::policy::words::Jurisdiction;
use crate::policy::words::Language;

/// A person.
#[derive(Serialize, Deserialize)]
pub(super) struct PatientRow {
    id: PatientId,
    first_name: String,
    last_name: String,
    birth_date: Option<Date>,
    phones: Vec<E164>,
    #[serde(default)]
    guardians: Vec<(String, E164)>,
    language: Option<Language>,
    /// Whether the patient chose the language by text.
    #[serde(default)]
    language_chosen: bool,
    state: Jurisdiction,
    mrn: Option<String>,
    email: Option<String>,
    address: Option<String>,
}

impl PatientRow {
    /// The names that a search finds the person by.
    pub(super) fn names(&self) -> [&str; 2] {
        [&self.first_name, &self.last_name]
    }

    /// Takes the language that the patient chose; whether that changes anything.
    pub(super) fn choose(&mut self, language: Language) -> bool {
        let new = !self.language_chosen || self.language != Some(language);
        self.language = Some(language);
        self.language_chosen = true;
        new
    }

    /// Keeps what the patient chose before.
    pub(super) const fn keep_choices(&mut self, before: &Self) {
        if before.language_chosen {
            self.language = before.language;
            self.language_chosen = true;
        }
    }
}

impl From<&Patient> for PatientRow {
    fn from(it: &Patient) -> Self {
        let text = |it: &Option<Phi<String>>| it.as_ref().map(|it| it.as_str().to_owned());
        Self {
            id: it.id.clone(),
            first_name: it.first_name.as_str().to_owned(),
            last_name: it.last_name.as_str().to_owned(),
            birth_date: it.birth_date.as_ref().map(|it| *it.expose()),
            phones: it.phones.clone(),
            guardians: it
                .guardians
                .iter()
                .map(|it| (it.name.as_str().to_owned(), it.phone.clone()))
                .collect(),
            language: it.language,
            language_chosen: false,
            state: it.state,
            mrn: text(&it.mrn),
            email: text(&it.email),
            address: text(&it.address),
        }
    }
}

impl From<PatientRow> for Patient {
    fn from(it: PatientRow) -> Self {
        Self {
            id: it.id,
            first_name: Phi::new(it.first_name),
            last_name: Phi::new(it.last_name),
            birth_date: it.birth_date.map(Phi::new),
            phones: it.phones,
            guardians: it
                .guardians
                .into_iter()
                .map(|(name, phone)| Guardian {
                    name: Phi::new(name),
                    phone,
                })
                .collect(),
            language: it.language,
            state: it.state,
            mrn: it.mrn.map(Phi::new),
            email: it.email.map(Phi::new),
            address: it.address.map(Phi::new),
        }
    }
}

/// A visit.
#[derive(Serialize, Deserialize)]
pub(super) struct AppointmentRow {
    id: AppointmentId,
    patient: PatientId,
    start: Timestamp,
    end: Timestamp,
    provider: String,
    location: String,
    reason: String,
    #[serde(default)]
    preparation: String,
    status: AppointmentStatus,
    slot: Option<SlotId>,
}

impl From<&Appointment> for AppointmentRow {
    fn from(it: &Appointment) -> Self {
        Self {
            id: it.id.clone(),
            patient: it.patient.clone(),
            start: it.start,
            end: it.end,
            provider: it.provider.clone(),
            location: it.location.clone(),
            reason: it.reason.as_str().to_owned(),
            preparation: it.preparation.as_str().to_owned(),
            status: it.status,
            slot: it.slot.clone(),
        }
    }
}

impl From<AppointmentRow> for Appointment {
    fn from(it: AppointmentRow) -> Self {
        Self {
            id: it.id,
            patient: it.patient,
            start: it.start,
            end: it.end,
            provider: it.provider,
            location: it.location,
            reason: Phi::new(it.reason),
            preparation: Phi::new(it.preparation),
            status: it.status,
            slot: it.slot,
        }
    }
}

/// A clinical entry.
#[derive(Serialize, Deserialize)]
pub(super) struct ClinicalRow {
    kind: ClinicalKind,
    name: String,
    value: String,
    on: Option<Date>,
    released: bool,
}

impl ClinicalRow {
    /// What tells one entry of a patient from another: kind, name and day.
    pub(super) fn identity(&self, patient: &PatientId) -> String {
        let day = self.on.map(|on| on.to_string()).unwrap_or_default();
        let parts = [patient.as_str(), self.kind.as_str(), &self.name, &day];
        serde_json::to_string(&parts).unwrap_or_default()
    }
}

impl From<&Clinical> for ClinicalRow {
    fn from(it: &Clinical) -> Self {
        Self {
            kind: it.kind,
            name: it.name.as_str().to_owned(),
            value: it.value.as_str().to_owned(),
            on: it.on,
            released: it.released,
        }
    }
}

impl From<ClinicalRow> for Clinical {
    fn from(it: ClinicalRow) -> Self {
        Self {
            kind: it.kind,
            name: Phi::new(it.name),
            value: Phi::new(it.value),
            on: it.on,
            released: it.released,
        }
    }
}
