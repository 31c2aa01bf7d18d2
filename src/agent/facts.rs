//! Facts that every review needs whatever the turn is about: the practice's own and this patient's.

use jiff::tz::TimeZone;

use crate::agent::when;
use crate::domain::practice::Practice;
use crate::domain::record::{Appointment, Clinical, ClinicalKind, Fact, Patient, Slot};
use crate::policy::words::Language;

/// What the practice says in public, hours in the patient's language.
pub fn of_practice(practice: &Practice, language: Language) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("practice.name", practice.said_name(language)),
        Fact::new("practice.phone", practice.phone.display_us()),
    ];
    for (field, value) in [
        ("practice.address", practice.address.as_str()),
        ("practice.hours", hours(practice, language)),
    ] {
        if !value.is_empty() {
            facts.push(Fact::new(field, value));
        }
    }
    for (name, value) in &practice.facts {
        facts.push(Fact::new(format!("practice.{name}"), value.as_str()));
    }
    facts
}

/// Opening hours in the patient's language; in English where there is no other wording.
pub fn hours(practice: &Practice, language: Language) -> &str {
    if language == Language::Es && !practice.hours_es.is_empty() {
        &practice.hours_es
    } else {
        &practice.hours
    }
}

/// Who this is, so that the guardrail recognises the record's own values in a draft.
pub fn of_patient(patient: &Patient) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("patient.first_name", patient.first_name.as_str()),
        Fact::new("patient.last_name", patient.last_name.as_str()),
        Fact::new("patient.state", patient.state.as_str()),
    ];
    if let Some(born) = &patient.birth_date {
        facts.push(Fact::new("patient.birth_date", born.expose().to_string()));
    }
    for phone in &patient.phones {
        facts.push(Fact::new("patient.phone", phone.as_str()));
    }
    for guardian in &patient.guardians {
        facts.push(Fact::new("patient.guardian", guardian.name.as_str()));
    }
    for (field, value) in [
        ("patient.mrn", &patient.mrn),
        ("patient.email", &patient.email),
        ("patient.address", &patient.address),
    ] {
        if let Some(value) = value {
            facts.push(Fact::new(field, value.as_str()));
        }
    }
    facts
}

/// Clinical entries, released or not: unreleased ones must be found in a draft too.
pub fn of_clinical(entries: &[Clinical]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for entry in entries {
        let (name, value) = match entry.kind {
            ClinicalKind::Condition => ("condition.name", "condition.detail"),
            ClinicalKind::Medication => ("medication.name", "medication.dose"),
            ClinicalKind::Lab => ("lab.name", "lab.value"),
            ClinicalKind::Procedure => ("procedure.name", "procedure.detail"),
            ClinicalKind::Allergy => ("allergy.name", "allergy.detail"),
        };
        facts.push(Fact::new(name, entry.name.as_str()));
        if !entry.value.as_str().is_empty() {
            facts.push(Fact::new(value, entry.value.as_str()));
        }
    }
    facts
}

/// One visit of this patient.
pub fn of_visit(visit: &Appointment, zone: &TimeZone) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("appointment.start", when::rfc3339(visit.start, zone)),
        Fact::new("appointment.end", when::rfc3339(visit.end, zone)),
        Fact::new("appointment.status", visit.status.as_str()),
    ];
    place(&mut facts, &visit.provider, &visit.location);
    for reason in visit.reason.as_str().lines().filter(|it| !it.is_empty()) {
        facts.push(Fact::new("appointment.reason", reason));
    }
    facts
}

/// One free time on offer.
pub fn of_slot(slot: &Slot, zone: &TimeZone) -> Vec<Fact> {
    let mut facts = vec![Fact::new(
        "appointment.offered_slot",
        when::rfc3339(slot.start, zone),
    )];
    place(&mut facts, &slot.provider, &slot.location);
    facts
}

fn place(facts: &mut Vec<Fact>, provider: &str, location: &str) {
    for (field, value) in [
        ("appointment.provider", provider),
        ("appointment.location", location),
    ] {
        if !value.is_empty() {
            facts.push(Fact::new(field, value));
        }
    }
}
