//! Single R4 resources to the words of the trade, shared by the import and the REST adapter.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::domain::ids::{AppointmentId, PatientId, SlotId};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::record::{
    Appointment, AppointmentStatus, Clinical, ClinicalKind, Guardian, Patient, Provider, Slot,
};
use crate::fhir::names::Names;
use crate::policy::words::{Jurisdiction, Language};

/// A resource that cannot be read: which one, which field, what is wanted. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {want}")]
pub struct BundleError {
    /// `entry[12] Appointment/a-001: start`.
    pub place: String,
    /// What is wanted there.
    pub want: String,
}

/// Where a patient's own yes to a visit is kept: R4 has no status for it.
pub(super) const CONFIRMED_TAG: (&str, &str) = ("urn:anteroom:visit", "confirmed-by-patient");

/// One resource and its place.
pub(super) struct At<'a> {
    index: Option<usize>,
    resource: &'a Value,
}

impl<'a> At<'a> {
    /// A resource in a Bundle that somebody prepared: every phone must be in E.164 form.
    pub(super) const fn entry(index: usize, resource: &'a Value) -> Self {
        let index = Some(index);
        Self { index, resource }
    }

    /// A resource as a server keeps it: phones as people write them.
    pub(super) const fn alone(resource: &'a Value) -> Self {
        let index = None;
        Self { index, resource }
    }

    pub(super) fn kind(&self) -> &'a str {
        self.text("/resourceType").unwrap_or_default()
    }

    pub(super) fn get(&self, pointer: &str) -> Option<&'a Value> {
        self.resource.pointer(pointer)
    }

    pub(super) fn text(&self, pointer: &str) -> Option<&'a str> {
        self.get(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(super) fn list(&self, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.get(pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    pub(super) fn need(&self, pointer: &str, want: &str) -> Result<&'a str, BundleError> {
        self.text(pointer).ok_or_else(|| self.fail(pointer, want))
    }

    fn instant(&self, pointer: &str) -> Result<Timestamp, BundleError> {
        let want = "an instant with offset, as 2026-12-02T15:00:00-08:00";
        self.need(pointer, want)?
            .parse()
            .map_err(|_quotes_it| self.fail(pointer, want))
    }

    pub(super) fn fail(&self, pointer: &str, want: &str) -> BundleError {
        let id = self.text("/id").unwrap_or("(no id)");
        let field = pointer.trim_start_matches('/').replace('/', ".");
        let entry = self.index.map(|index| format!("entry[{index}] "));
        BundleError {
            place: format!("{}{}/{id}: {field}", entry.unwrap_or_default(), self.kind()),
            want: want.to_owned(),
        }
    }

    /// A number; a server's own that nobody could dial is as good as none.
    fn phone(&self, pointer: &str, text: &str) -> Result<Option<E164>, BundleError> {
        if self.index.is_none() {
            return Ok(dialled(text));
        }
        let want = "a phone number in E.164 form is needed, as +14155550100";
        let number = text
            .parse()
            .map_err(|_told_better_here| self.fail(pointer, want));
        number.map(Some)
    }
}

/// A number as people of the United States write it: `(415) 555-0111`, `1-415-555-0111`.
pub(super) fn dialled(text: &str) -> Option<E164> {
    let text = text.trim().trim_start_matches("tel:");
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = match (text.starts_with('+'), digits.len()) {
        (true, _) => format!("+{digits}"),
        (false, 10) => format!("+1{digits}"),
        (false, 11) if digits.starts_with('1') => format!("+{digits}"),
        (false, _) => return None,
    };
    number.parse().ok()
}

/// The last part of a reference: `Patient/p-001` is `p-001`.
pub(super) fn referred<'a>(value: &'a Value, kind: &str) -> Option<&'a str> {
    let reference = value.get("reference")?.as_str()?;
    // A reference to one version names it behind the id.
    let reference = reference
        .split_once("/_history/")
        .map_or(reference, |(it, _)| it);
    let (before, id) = reference.rsplit_once('/')?;
    let whole = before == kind || before.ends_with(&format!("/{kind}"));
    whole.then_some(id).filter(|id| !id.is_empty())
}

pub(super) fn practitioner_name(at: &At<'_>) -> String {
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

pub(super) fn provider(at: &At<'_>) -> Result<Provider, BundleError> {
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

pub(super) fn patient(at: &At<'_>) -> Result<Patient, BundleError> {
    let telecom = |system: &str| -> Vec<&str> {
        at.list("/telecom")
            .filter(|it| it.get("system").and_then(Value::as_str) == Some(system))
            .filter(|it| it.get("use").and_then(Value::as_str) != Some("old"))
            .filter_map(|it| it.get("value").and_then(Value::as_str))
            .collect()
    };
    let mut phones = Vec::new();
    for number in telecom("phone").into_iter().chain(telecom("sms")) {
        phones.extend(at.phone("/telecom", number)?);
    }
    phones.dedup();
    let birth_date = match at.text("/birthDate").map(str::parse::<Date>) {
        // A year alone tells two people of one phone apart no better than nothing does.
        Some(Err(_quotes_it)) if at.index.is_some() => {
            return Err(at.fail("/birthDate", "a full date, as 1984-04-12"));
        }
        Some(Ok(date)) => Some(date),
        Some(Err(_)) | None => None,
    };
    let (first, last) = names(at)?;
    Ok(Patient {
        id: PatientId::new(at.need("/id", "an id is needed")?),
        first_name: first.into(),
        last_name: last.into(),
        birth_date: birth_date.map(Phi::new),
        phones,
        guardians: guardians(at)?,
        language: language(at),
        state: at
            .text("/address/0/state")
            .and_then(|state| state.parse().ok())
            .unwrap_or(Jurisdiction::UNKNOWN),
        mrn: at.text("/identifier/0/value").map(Phi::from),
        email: telecom("email").first().map(|email| Phi::from(*email)),
        address: address(at).map(Phi::new),
    })
}

fn names(at: &At<'_>) -> Result<(String, String), BundleError> {
    if at.index.is_some() {
        let first = at.need("/name/0/given/0", "a given name is needed")?;
        let last = at.need("/name/0/family", "a family name is needed")?;
        return Ok((first.to_owned(), last.to_owned()));
    }
    let text = at.text("/name/0/text").unwrap_or_default();
    let (first, last) = text.rsplit_once(' ').unwrap_or((text, ""));
    Ok((
        at.text("/name/0/given/0").unwrap_or(first).to_owned(),
        at.text("/name/0/family").unwrap_or(last).to_owned(),
    ))
}

/// The preferred language, else the first that is named.
fn language(at: &At<'_>) -> Option<Language> {
    let all: Vec<&Value> = at.list("/communication").collect();
    let preferred = |it: &&&Value| it.get("preferred").and_then(Value::as_bool) == Some(true);
    let one = all.iter().find(preferred).or_else(|| all.first())?;
    let code = one.pointer("/language/coding/0/code")?.as_str()?;
    match code.split('-').next() {
        Some("en") => Some(Language::En),
        Some("es") => Some(Language::Es),
        _ => None,
    }
}

/// Relations that let somebody speak for a patient (HL7 v3 `RoleCode`): parents, guardians, holders
/// of a power of attorney for health care. An emergency contact is none of them.
const SPEAKS_FOR: [&str; 12] = [
    "PRN", "MTH", "FTH", "NMTH", "NFTH", "ADOPTP", "PRNFOST", "STPPRN", "GUARD", "HPOWATT",
    "POWATT", "SPOWATT",
];

/// Whether `relationship` codes make somebody a spokesperson.
pub(super) fn speaks_for(person: &Value) -> bool {
    let relations = person.pointer("/relationship").and_then(Value::as_array);
    relations.into_iter().flatten().any(|relation| {
        let codings = relation.get("coding").and_then(Value::as_array);
        codings.into_iter().flatten().any(|coding| {
            let code = coding.get("code").and_then(Value::as_str);
            code.is_some_and(|code| SPEAKS_FOR.contains(&code))
        })
    })
}

/// Who may speak for a patient, by each of their phones.
fn guardians(at: &At<'_>) -> Result<Vec<Guardian>, BundleError> {
    let mut found = Vec::new();
    for contact in at.list("/contact").filter(|it| speaks_for(it)) {
        let part = |pointer| contact.pointer(pointer).and_then(Value::as_str);
        let name = [part("/name/given/0"), part("/name/family")];
        let name: Vec<&str> = name.into_iter().flatten().collect();
        for phone in phones(contact) {
            if let Some(phone) = at.phone("/contact/telecom", phone)? {
                let name = Phi::new(name.join(" "));
                found.push(Guardian { name, phone });
            }
        }
    }
    Ok(found)
}

/// The telephone numbers of a person or contact, as written.
pub(super) fn phones(person: &Value) -> impl Iterator<Item = &str> {
    let telecom = person.get("telecom").and_then(Value::as_array);
    telecom
        .into_iter()
        .flatten()
        .filter(|it| it.get("system").and_then(Value::as_str) == Some("phone"))
        .filter_map(|it| it.get("value").and_then(Value::as_str))
}

fn address(at: &At<'_>) -> Option<String> {
    let line = at.text("/address/0/line/0")?;
    let city = at.text("/address/0/city").unwrap_or_default();
    let state = at.text("/address/0/state").unwrap_or_default();
    let zip = at.text("/address/0/postalCode").unwrap_or_default();
    Some(format!("{line}, {city}, {state} {zip}"))
}

/// Where a free time says for what kind of visit it is: in words, or by the display of its code.
const KINDS: &[&str] = &[
    "/appointmentType/text",
    "/appointmentType/coding/0/display",
    "/serviceType/0/text",
    "/serviceType/0/coding/0/display",
];

pub(super) fn slot(at: &At<'_>, names: &Names) -> Result<Option<Slot>, BundleError> {
    if at.need("/status", "`free` or `busy`")? != "free" {
        return Ok(None);
    }
    let schedule = at.get("/schedule").and_then(|it| referred(it, "Schedule"));
    let Some((provider, location)) = schedule.and_then(|id| names.of_schedule(id)) else {
        return Err(at.fail("/schedule", "a Schedule that is in the Bundle"));
    };
    Ok(Some(Slot {
        id: SlotId::new(at.need("/id", "an id is needed")?),
        start: at.instant("/start")?,
        end: at.instant("/end")?,
        provider,
        location,
        kind: KINDS
            .iter()
            .find_map(|it| at.text(it))
            .unwrap_or_default()
            .to_owned(),
    }))
}

pub(super) fn appointment(at: &At<'_>, names: &Names) -> Result<Option<Appointment>, BundleError> {
    let tagged = at.list("/meta/tag").any(|tag| {
        let word = |name| tag.get(name).and_then(Value::as_str);
        (word("system"), word("code")) == (Some(CONFIRMED_TAG.0), Some(CONFIRMED_TAG.1))
    });
    let status = match at.need("/status", "a FHIR appointment status")? {
        "booked" | "pending" if tagged => AppointmentStatus::Confirmed,
        "booked" | "pending" => AppointmentStatus::Booked,
        "arrived" | "checked-in" => AppointmentStatus::Confirmed,
        "cancelled" | "entered-in-error" => AppointmentStatus::Cancelled,
        "fulfilled" => AppointmentStatus::Fulfilled,
        "noshow" => AppointmentStatus::Missed,
        _ => return Ok(None),
    };
    let actors: Vec<&Value> = at
        .list("/participant")
        .filter_map(|it| it.get("actor"))
        .collect();
    let patient = actors.iter().find_map(|it| referred(it, "Patient"));
    let patient = patient.ok_or_else(|| at.fail("/participant", "a Patient is needed"))?;
    let slot = at.list("/slot").find_map(|it| referred(it, "Slot"));
    let (provider, location) = names.of_participants(&actors);
    Ok(Some(Appointment {
        id: AppointmentId::new(at.need("/id", "an id is needed")?),
        patient: PatientId::new(patient),
        start: at.instant("/start")?,
        end: at.instant("/end")?,
        provider,
        location,
        reason: Phi::new(reasons(at).join("\n")),
        preparation: at.text("/patientInstruction").unwrap_or_default().into(),
        status,
        slot: slot.map(SlotId::new),
    }))
}

/// Every word that tells why a visit is: codes, and the free texts that staff fill in. A line each.
fn reasons(at: &At<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |text: Option<&str>| {
        let text = text.map(str::trim).unwrap_or_default();
        if !text.is_empty() && !found.iter().any(|it| it == text) {
            found.push(text.to_owned());
        }
    };
    let concepts = at.list("/reasonCode").chain(at.list("/serviceType"));
    for concept in concepts.chain(at.get("/appointmentType")) {
        add(concept.get("text").and_then(Value::as_str));
        let codings = concept.get("coding").and_then(Value::as_array);
        for coding in codings.into_iter().flatten() {
            add(coding.get("display").and_then(Value::as_str));
        }
    }
    add(at.text("/description"));
    add(at.text("/comment"));
    found
}

pub(super) fn clinical(
    at: &At<'_>,
    kind: ClinicalKind,
) -> Result<(PatientId, Clinical), BundleError> {
    let subject = ["/subject", "/patient"].iter().find_map(|it| at.get(it));
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
        .or_else(|| at.text("/medicationReference/display"))
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
    let number = at.get("/valueQuantity/value").map(Value::to_string);
    let unit = at.text("/valueQuantity/unit").unwrap_or_default();
    number.map_or_else(String::new, |number| {
        format!("{number} {unit}").trim().to_owned()
    })
}
