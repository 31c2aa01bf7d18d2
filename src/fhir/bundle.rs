//! A FHIR R4 Bundle as a record to load (hl7.org/fhir/R4): the resources and fields that are used,
//! each error with its place in the file.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::Value;

use crate::domain::ids::SlotId;
use crate::domain::record::{ClinicalKind, RecordSet, Slot};
use crate::fhir::names::Names;
use crate::fhir::resource::{At, appointment, clinical, patient, provider, slot};

pub use crate::fhir::resource::BundleError;

/// Reads a Bundle. Resources of other types are passed over and counted by type.
pub fn parse(text: &str) -> Result<(RecordSet, BTreeMap<String, usize>), BundleError> {
    let fail = |place: &str, want: &str| BundleError {
        place: place.to_owned(),
        want: want.to_owned(),
    };
    let bundle: Value = serde_json::from_str(text).map_err(|error| BundleError {
        place: format!("line {}, column {}", error.line(), error.column()),
        want: "not JSON; export the Bundle again".to_owned(),
    })?;
    if bundle.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
        return Err(fail("resourceType", "must be `Bundle` (FHIR R4, JSON)"));
    }
    let none = Vec::new();
    let entries = bundle
        .get("entry")
        .and_then(Value::as_array)
        .unwrap_or(&none);
    let resources: Vec<&Value> = entries
        .iter()
        .filter_map(|entry| entry.get("resource"))
        .collect();
    let names = Names::of(&resources);
    let mut records = RecordSet::default();
    let mut passed_over = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let resource = entry.get("resource").unwrap_or(&Value::Null);
        let at = At::entry(index, resource);
        match at.kind() {
            "Patient" => records.patients.push(patient(&at)?),
            "Practitioner" => records.providers.push(provider(&at)?),
            "Slot" => records.slots.extend(slot(&at, &names)?),
            "Appointment" => records.appointments.extend(appointment(&at, &names)?),
            "Condition" => records
                .clinical
                .push(clinical(&at, ClinicalKind::Condition)?),
            "MedicationRequest" => records
                .clinical
                .push(clinical(&at, ClinicalKind::Medication)?),
            "Observation" => records.clinical.push(clinical(&at, ClinicalKind::Lab)?),
            "Procedure" => records
                .clinical
                .push(clinical(&at, ClinicalKind::Procedure)?),
            "AllergyIntolerance" => records.clinical.push(clinical(&at, ClinicalKind::Allergy)?),
            "Location" | "Schedule" | "Organization" | "PractitionerRole" => {}
            "" => return Err(at.fail("resource.resourceType", "missing")),
            other => *passed_over.entry(other.to_owned()).or_insert(0) += 1,
        }
    }
    Ok((records, passed_over))
}

/// Moves every visit and free time by whole weeks so that the first one lies in the week that
/// begins after `now`: a sample record stays fresh, and a Wednesday stays a Wednesday.
pub fn freshen(records: &mut RecordSet, now: Timestamp) {
    let starts = records.slots.iter().map(|slot| slot.start);
    let Some(first) = starts
        .chain(records.appointments.iter().map(|visit| visit.start))
        .min()
    else {
        return;
    };
    let week = SignedDuration::from_hours(7 * 24);
    let behind = now
        .duration_since(first)
        .as_secs()
        .div_euclid(week.as_secs());
    let Ok(weeks) = i32::try_from(behind + 1) else {
        return;
    };
    // Civil weeks in the sample's own zone would keep the hour across a clock change; hours are
    // kept by moving in the zone of the practice, which the samples' offsets stand for.
    let Ok(zone) = jiff::tz::TimeZone::get("America/Los_Angeles") else {
        return;
    };
    let moved = |at: Timestamp| {
        let there = at.to_zoned(zone.clone()).checked_add(weeks.weeks());
        there.map_or(at, |zoned| zoned.timestamp())
    };
    for slot in &mut records.slots {
        (slot.start, slot.end) = (moved(slot.start), moved(slot.end));
    }
    // What is left of the present week is open too, so that "Thursday" has an answer on a Wednesday.
    let earlier = |at: Timestamp| {
        let there = at.to_zoned(zone.clone()).checked_sub(1.week());
        there.map_or(at, |zoned| zoned.timestamp())
    };
    let week: Vec<Slot> = records
        .slots
        .iter()
        .map(|slot| Slot {
            id: SlotId::new(format!("{}-before", slot.id)),
            start: earlier(slot.start),
            end: earlier(slot.end),
            ..slot.clone()
        })
        .filter(|slot| slot.start > now && slot.start < moved(first))
        .collect();
    records.slots.extend(week);
    for visit in &mut records.appointments {
        (visit.start, visit.end) = (moved(visit.start), moved(visit.end));
    }
    for (_, entry) in &mut records.clinical {
        entry.on = entry.on.and_then(|day| day.checked_add(weeks.weeks()).ok());
    }
}
