//! What a server can do, by its `CapabilityStatement` (hl7.org/fhir/R4/capabilitystatement.html),
//! against what the front desk needs.

use serde_json::Value;

/// How much is lost where a server lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Something is not done or not known; the rest works.
    Useful,
    /// Patients cannot be served, or could be booked twice.
    Essential,
}

/// Something that a server lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// How much is lost.
    pub weight: Weight,
    /// What, and what follows from it.
    pub words: String,
}

/// One need: the resource, what is done with it, what it is searched by, what it is for.
type Need = (
    Weight,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
);

const NEEDS: &[Need] = {
    use Weight::{Essential, Useful};
    &[
        (
            Essential,
            "Patient",
            &["read", "search-type"],
            &["phone"],
            "who texts",
        ),
        (
            Essential,
            "Schedule",
            &["search-type"],
            &["active"],
            "whose free times are whose",
        ),
        (
            Essential,
            "Practitioner",
            &["search-type"],
            &["_id"],
            "names of providers",
        ),
        (
            Essential,
            "Location",
            &["search-type"],
            &["_id"],
            "names of places",
        ),
        (
            Essential,
            "Slot",
            &["read", "search-type", "update"],
            &["status", "start"],
            "free times",
        ),
        (
            Essential,
            "Appointment",
            &["read", "search-type", "create", "update"],
            &["patient", "date", "status", "identifier", "slot"],
            "visits",
        ),
        (
            Essential,
            "Condition",
            &["search-type"],
            &["patient"],
            "words that must not leave",
        ),
        (
            Essential,
            "MedicationRequest",
            &["search-type"],
            &["patient"],
            "words that must not leave",
        ),
        (
            Essential,
            "Observation",
            &["search-type"],
            &["patient", "category"],
            "results",
        ),
        (
            Essential,
            "Task",
            &["create", "search-type", "update"],
            &["patient", "identifier"],
            "requests to staff",
        ),
        (
            Useful,
            "PractitionerRole",
            &["search-type"],
            &["_id"],
            "schedules that a role keeps",
        ),
        (
            Useful,
            "RelatedPerson",
            &["search-type"],
            &["phone"],
            "parents and guardians",
        ),
        (
            Useful,
            "Procedure",
            &["search-type"],
            &["patient"],
            "words that must not leave",
        ),
        (
            Useful,
            "AllergyIntolerance",
            &["search-type"],
            &["patient"],
            "words that must not leave",
        ),
        (
            Useful,
            "Communication",
            &["create"],
            &["identifier"],
            "messages to the care team",
        ),
        (
            Useful,
            "Consent",
            &["create"],
            &["identifier"],
            "a copy of the consent to texts",
        ),
        (
            Useful,
            "AuditEvent",
            &["create"],
            &[],
            "a copy of the audit entries of writes",
        ),
    ]
};

/// A `CapabilityStatement`, read.
#[derive(Clone, Debug)]
pub struct Capability(Value);

impl Capability {
    /// Wraps a statement.
    pub const fn new(statement: Value) -> Self {
        Self(statement)
    }

    fn resource(&self, kind: &str) -> Option<&Value> {
        let servers = self.0.get("rest").and_then(Value::as_array);
        servers
            .into_iter()
            .flatten()
            .filter_map(|rest| rest.get("resource").and_then(Value::as_array))
            .flatten()
            .find(|it| it.get("type").and_then(Value::as_str) == Some(kind))
    }

    /// Whether something can be done with a kind of resource.
    pub fn can(&self, kind: &str, interaction: &str) -> bool {
        let resource = self.resource(kind);
        resource.is_some_and(|it| codes(it, "interaction", "code").any(|it| it == interaction))
    }

    /// What the server lacks, the worst first.
    pub fn lacks(&self) -> Vec<Lack> {
        let mut lacks = Vec::new();
        let mut lack = |weight, words: String| lacks.push(Lack { weight, words });
        let version = self.0.get("fhirVersion").and_then(Value::as_str);
        if !version.is_some_and(|it| it.starts_with("4.")) {
            let told = version.unwrap_or("none");
            lack(
                Weight::Essential,
                format!("FHIR R4 (4.0.x); it tells version {told}"),
            );
        }
        for (weight, kind, interactions, parameters, what_for) in NEEDS {
            let Some(resource) = self.resource(kind) else {
                lack(*weight, format!("{kind} ({what_for})"));
                continue;
            };
            let offered: Vec<&str> = codes(resource, "interaction", "code").collect();
            let missing: Vec<&str> = interactions
                .iter()
                .copied()
                .filter(|it| !offered.contains(it))
                .collect();
            if !missing.is_empty() {
                let missing = missing.join(", ");
                lack(*weight, format!("{kind}: {missing} ({what_for})"));
            }
            let offered: Vec<&str> = codes(resource, "searchParam", "name").collect();
            let missing: Vec<&str> = parameters
                .iter()
                .copied()
                // `_id` is a parameter of every resource, and often listed for none.
                .filter(|it| *it != "_id" && !offered.contains(it))
                .collect();
            if !missing.is_empty() {
                let missing = missing.join(", ");
                lack(*weight, format!("{kind}: search by {missing} ({what_for})"));
            }
        }
        for kind in ["Slot", "Appointment"] {
            let versioning = self.resource(kind).and_then(|it| it.get("versioning"));
            if versioning.and_then(Value::as_str) == Some("no-version") {
                lack(
                    Weight::Essential,
                    format!("{kind}: versions; without If-Match one slot could be booked twice"),
                );
            }
        }
        for kind in ["Appointment", "Task"] {
            let conditional = self
                .resource(kind)
                .and_then(|it| it.get("conditionalCreate"));
            if conditional.and_then(Value::as_bool) == Some(false) {
                let words = "conditional create; an answer that is lost could lead to a second one";
                lack(Weight::Useful, format!("{kind}: {words}"));
            }
        }
        lacks.sort_by_key(|it| std::cmp::Reverse(it.weight));
        lacks
    }
}

fn codes<'a>(
    resource: &'a Value,
    list: &str,
    name: &'a str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let items = resource.get(list).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(move |it| it.get(name).and_then(Value::as_str))
}
