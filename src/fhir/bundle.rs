//! A FHIR R4 Bundle as a record to load (hl7.org/fhir/R4): the resources and fields that are used,
//! each error with its place in the file.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::Value;

use crate::domain::ids::{AppointmentId, PatientId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::record::{
    Appointment, AppointmentStatus, Clinical, ClinicalKind, Guardian, Patient, Provider, RecordSet,
    Slot,
};
use crate::policy::words::{Jurisdiction, Language};

/// A Bundle that cannot be loaded: which entry, which field, what is wanted. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {want}")]
pub struct BundleError {
    /// `entry[12] Appointment/a-001: start`.
    pub place: String,
    /// What is wanted there.
    pub want: String,
}

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
    let names = Names::collect(entries);
    let mut records = RecordSet::default();
    let mut passed_over = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let resource = entry.get("resource").unwrap_or(&Value::Null);
        let at = At { index, resource };
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

/// One resource and its place.
struct At<'a> {
    index: usize,
    resource: &'a Value,
}

impl<'a> At<'a> {
    fn kind(&self) -> &'a str {
        self.text("/resourceType").unwrap_or_default()
    }

    fn text(&self, pointer: &str) -> Option<&'a str> {
        self.resource
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    fn list(&self, pointer: &str) -> impl Iterator<Item = &'a Value> {
        self.resource
            .pointer(pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    fn need(&self, pointer: &str, want: &str) -> Result<&'a str, BundleError> {
        self.text(pointer).ok_or_else(|| self.fail(pointer, want))
    }

    fn instant(&self, pointer: &str) -> Result<Timestamp, BundleError> {
        let want = "an instant with offset, as 2026-12-02T15:00:00-08:00";
        self.need(pointer, want)?
            .parse()
            .map_err(|_quotes_it| self.fail(pointer, want))
    }

    fn fail(&self, pointer: &str, want: &str) -> BundleError {
        let id = self.text("/id").unwrap_or("(no id)");
        let field = pointer.trim_start_matches('/').replace('/', ".");
        BundleError {
            place: format!("entry[{}] {}/{id}: {field}", self.index, self.kind()),
            want: want.to_owned(),
        }
    }
}

/// The last part of a reference: `Patient/p-001` is `p-001`.
fn referred<'a>(value: &'a Value, kind: &str) -> Option<&'a str> {
    value
        .get("reference")?
        .as_str()?
        .rsplit_once(kind)
        .and_then(|(_, id)| id.strip_prefix('/'))
}

/// What references point to: providers by schedule, places by id.
#[derive(Default)]
struct Names {
    providers: BTreeMap<String, String>,
    locations: BTreeMap<String, String>,
    schedules: BTreeMap<String, (Option<String>, Option<String>)>,
}

impl Names {
    fn collect(entries: &[Value]) -> Self {
        let mut names = Self::default();
        for resource in entries.iter().filter_map(|entry| entry.get("resource")) {
            let at = At { index: 0, resource };
            let id = at.text("/id").unwrap_or_default().to_owned();
            match at.kind() {
                "Practitioner" => {
                    names.providers.insert(id, practitioner_name(&at));
                }
                "Location" => {
                    names
                        .locations
                        .insert(id, at.text("/name").unwrap_or_default().to_owned());
                }
                "Schedule" => {
                    let actor = |kind| at.list("/actor").find_map(|it| referred(it, kind));
                    let pair = (actor("Practitioner"), actor("Location"));
                    names
                        .schedules
                        .insert(id, (pair.0.map(str::to_owned), pair.1.map(str::to_owned)));
                }
                _ => {}
            }
        }
        names
    }

    fn provider(&self, id: Option<&str>) -> String {
        id.and_then(|id| self.providers.get(id))
            .cloned()
            .unwrap_or_default()
    }

    fn location(&self, id: Option<&str>) -> String {
        id.and_then(|id| self.locations.get(id))
            .cloned()
            .unwrap_or_default()
    }
}

fn practitioner_name(at: &At<'_>) -> String {
    if let Some(text) = at.text("/name/0/text") {
        return text.to_owned();
    }
    let parts = ["/name/0/prefix/0", "/name/0/given/0", "/name/0/family"];
    parts
        .iter()
        .filter_map(|part| at.text(part))
        .collect::<Vec<_>>()
        .join(" ")
}

fn provider(at: &At<'_>) -> Result<Provider, BundleError> {
    let name = practitioner_name(at);
    if name.is_empty() {
        return Err(at.fail("/name", "a name is needed"));
    }
    Ok(Provider {
        id: at.need("/id", "an id is needed")?.to_owned(),
        name,
        specialty: at
            .text("/qualification/0/code/text")
            .unwrap_or_default()
            .to_owned(),
    })
}

fn patient(at: &At<'_>) -> Result<Patient, BundleError> {
    let telecom = |system: &str| -> Vec<&str> {
        at.list("/telecom")
            .filter(|it| it.get("system").and_then(Value::as_str) == Some(system))
            .filter_map(|it| it.get("value").and_then(Value::as_str))
            .collect()
    };
    let mut phones = Vec::new();
    for number in telecom("phone") {
        phones.push(number.parse().map_err(|_told_better_here| {
            at.fail(
                "/telecom",
                "a phone number in E.164 form is needed, as +14155550100",
            )
        })?);
    }
    let birth_date = at.text("/birthDate").map(|text| {
        text.parse::<Date>()
            .map_err(|_quotes_it| at.fail("/birthDate", "a full date, as 1984-04-12"))
    });
    let language = at
        .text("/communication/0/language/coding/0/code")
        .and_then(|code| match code.split('-').next() {
            Some("en") => Some(Language::En),
            Some("es") => Some(Language::Es),
            _ => None,
        });
    let state = at.text("/address/0/state").unwrap_or_default();
    Ok(Patient {
        id: PatientId::new(at.need("/id", "an id is needed")?),
        first_name: at.need("/name/0/given/0", "a given name is needed")?.into(),
        last_name: at.need("/name/0/family", "a family name is needed")?.into(),
        birth_date: birth_date.transpose()?.map(Phi::new),
        phones,
        guardians: guardians(at)?,
        language,
        state: state.parse().unwrap_or(Jurisdiction::UNKNOWN),
        mrn: at.text("/identifier/0/value").map(Phi::from),
        email: telecom("email").first().map(|email| Phi::from(*email)),
        address: address(at).map(Phi::new),
    })
}

/// Relations that let somebody speak for a patient (HL7 v3 `RoleCode`): parents, guardians, holders
/// of a power of attorney for health care. An emergency contact is none of them.
const SPEAKS_FOR: [&str; 12] = [
    "PRN", "MTH", "FTH", "NMTH", "NFTH", "ADOPTP", "PRNFOST", "STPPRN", "GUARD", "HPOWATT",
    "POWATT", "SPOWATT",
];

/// Who may speak for a patient, by each of their phones.
fn guardians(at: &At<'_>) -> Result<Vec<Guardian>, BundleError> {
    let mut found = Vec::new();
    for contact in at.list("/contact") {
        let relations = contact.pointer("/relationship").and_then(Value::as_array);
        let speaks = relations.into_iter().flatten().any(|relation| {
            let codings = relation.get("coding").and_then(Value::as_array);
            codings.into_iter().flatten().any(|coding| {
                let code = coding.get("code").and_then(Value::as_str);
                code.is_some_and(|code| SPEAKS_FOR.contains(&code))
            })
        });
        let telecom = contact.get("telecom").and_then(Value::as_array);
        let phones = telecom
            .into_iter()
            .flatten()
            .filter(|it| it.get("system").and_then(Value::as_str) == Some("phone"))
            .filter_map(|it| it.get("value").and_then(Value::as_str));
        let part = |pointer| contact.pointer(pointer).and_then(Value::as_str);
        let name = [part("/name/given/0"), part("/name/family")];
        let name: Vec<&str> = name.into_iter().flatten().collect();
        for phone in phones.filter(|_| speaks) {
            found.push(Guardian {
                name: Phi::new(name.join(" ")),
                phone: phone.parse().map_err(|_told_better_here| {
                    at.fail(
                        "/contact/telecom",
                        "a phone number in E.164 form is needed, as +14155550100",
                    )
                })?,
            });
        }
    }
    Ok(found)
}

fn address(at: &At<'_>) -> Option<String> {
    let line = at.text("/address/0/line/0")?;
    let city = at.text("/address/0/city").unwrap_or_default();
    let state = at.text("/address/0/state").unwrap_or_default();
    let zip = at.text("/address/0/postalCode").unwrap_or_default();
    Some(format!("{line}, {city}, {state} {zip}"))
}

fn slot(at: &At<'_>, names: &Names) -> Result<Option<Slot>, BundleError> {
    if at.need("/status", "`free` or `busy`")? != "free" {
        return Ok(None);
    }
    let schedule = at
        .resource
        .get("schedule")
        .and_then(|it| referred(it, "Schedule"));
    let actors = schedule.and_then(|id| names.schedules.get(id));
    let Some((provider, location)) = actors else {
        return Err(at.fail("/schedule", "a Schedule that is in the Bundle"));
    };
    Ok(Some(Slot {
        id: SlotId::new(at.need("/id", "an id is needed")?),
        start: at.instant("/start")?,
        end: at.instant("/end")?,
        provider: names.provider(provider.as_deref()),
        location: names.location(location.as_deref()),
    }))
}

fn appointment(at: &At<'_>, names: &Names) -> Result<Option<Appointment>, BundleError> {
    let status = match at.need("/status", "a FHIR appointment status")? {
        "booked" | "pending" => AppointmentStatus::Booked,
        "arrived" | "checked-in" => AppointmentStatus::Confirmed,
        "cancelled" | "noshow" | "entered-in-error" => AppointmentStatus::Cancelled,
        "fulfilled" => AppointmentStatus::Fulfilled,
        _ => return Ok(None),
    };
    let actor = |kind| {
        at.list("/participant")
            .filter_map(|it| it.get("actor"))
            .find_map(|it| referred(it, kind))
    };
    let patient = actor("Patient").ok_or_else(|| at.fail("/participant", "a Patient is needed"))?;
    let slot = at.list("/slot").find_map(|it| referred(it, "Slot"));
    Ok(Some(Appointment {
        id: AppointmentId::new(at.need("/id", "an id is needed")?),
        patient: PatientId::new(patient),
        start: at.instant("/start")?,
        end: at.instant("/end")?,
        provider: names.provider(actor("Practitioner")),
        location: names.location(actor("Location")),
        reason: at.text("/reasonCode/0/text").unwrap_or_default().into(),
        status,
        slot: slot.map(SlotId::new),
    }))
}

fn clinical(at: &At<'_>, kind: ClinicalKind) -> Result<(PatientId, Clinical), BundleError> {
    let subject = ["subject", "patient"]
        .iter()
        .find_map(|field| at.resource.get(field));
    let patient = subject.and_then(|it| referred(it, "Patient"));
    let patient = patient.ok_or_else(|| at.fail("/subject", "a reference to a Patient"))?;
    let code = if kind == ClinicalKind::Medication {
        "/medicationCodeableConcept"
    } else {
        "/code"
    };
    let name = at
        .text(&format!("{code}/text"))
        .or_else(|| at.text(&format!("{code}/coding/0/display")))
        .ok_or_else(|| at.fail(code, "a text or a coding with a display"))?;
    let on = [
        "/effectiveDateTime",
        "/onsetDateTime",
        "/authoredOn",
        "/performedDateTime",
    ];
    let on = on
        .iter()
        .find_map(|field| at.text(field))
        .and_then(|text| text.get(..10)?.parse().ok());
    let status = at.text("/status").unwrap_or_default();
    let entry = Clinical {
        kind,
        name: name.into(),
        value: value(at).into(),
        on,
        released: kind != ClinicalKind::Lab || matches!(status, "final" | "amended" | "corrected"),
    };
    Ok((PatientId::new(patient), entry))
}

fn value(at: &At<'_>) -> String {
    if let Some(text) = at
        .text("/valueString")
        .or_else(|| at.text("/dosageInstruction/0/text"))
    {
        return text.to_owned();
    }
    if let Some(text) = at.text("/valueCodeableConcept/text") {
        return text.to_owned();
    }
    let number = at
        .resource
        .pointer("/valueQuantity/value")
        .map(Value::to_string);
    let unit = at.text("/valueQuantity/unit").unwrap_or_default();
    number.map_or_else(String::new, |number| {
        format!("{number} {unit}").trim().to_owned()
    })
}
