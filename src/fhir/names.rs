//! What references point to: providers and places by the schedule that they keep, or by their own id.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fhir::resource::{At, practitioner_name, referred};

/// Names as patients are told them, by FHIR id.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    providers: BTreeMap<String, String>,
    locations: BTreeMap<String, String>,
    /// `PractitionerRole`: whose, and where.
    roles: BTreeMap<String, (Option<String>, Option<String>)>,
    /// `Schedule`: whose, and where.
    schedules: BTreeMap<String, (Option<String>, Option<String>)>,
}

impl Names {
    /// Collects the names that these resources give.
    pub(super) fn of(resources: &[&Value]) -> Self {
        let mut names = Self::default();
        for resource in resources {
            names.add(&At::alone(resource));
        }
        // A schedule may be kept by a role, which then says whose and where.
        for resource in resources {
            let at = At::alone(resource);
            if at.kind() == "Schedule" {
                let id = at.text("/id").unwrap_or_default().to_owned();
                let actors: Vec<&Value> = at.list("/actor").collect();
                names.schedules.insert(id, names.actors(&actors));
            }
        }
        names
    }

    fn add(&mut self, at: &At<'_>) {
        let id = at.text("/id").unwrap_or_default().to_owned();
        match at.kind() {
            "Practitioner" => {
                self.providers.insert(id, practitioner_name(at));
            }
            "Location" => {
                let name = at.text("/name").unwrap_or_default().to_owned();
                self.locations.insert(id, name);
            }
            "PractitionerRole" => {
                let whose = at.get("/practitioner");
                let whose = whose.and_then(|it| referred(it, "Practitioner"));
                let place = at.list("/location").find_map(|it| referred(it, "Location"));
                let pair = (whose.map(str::to_owned), place.map(str::to_owned));
                self.roles.insert(id, pair);
            }
            _ => {}
        }
    }

    /// Practitioner and location among references, roles resolved.
    fn actors(&self, references: &[&Value]) -> (Option<String>, Option<String>) {
        let named = |kind| references.iter().find_map(|it| referred(it, kind));
        let role = named("PractitionerRole").and_then(|id| self.roles.get(id));
        let (whose, place) = role.cloned().unwrap_or_default();
        (
            named("Practitioner").map(str::to_owned).or(whose),
            named("Location").map(str::to_owned).or(place),
        )
    }

    /// Provider and place of a schedule; none when it is not known.
    pub(super) fn of_schedule(&self, id: &str) -> Option<(String, String)> {
        let (whose, place) = self.schedules.get(id)?;
        let name = |table: &BTreeMap<String, String>, id: &Option<String>| {
            let id = id.as_deref().unwrap_or_default();
            table.get(id).cloned().unwrap_or_default()
        };
        Some((name(&self.providers, whose), name(&self.locations, place)))
    }

    /// Provider and place of a visit, from its participants; their own `display` where the
    /// resource is not known.
    pub(super) fn of_participants(&self, actors: &[&Value]) -> (String, String) {
        let (whose, place) = self.actors(actors);
        let known = |table: &BTreeMap<String, String>, id: Option<String>| {
            id.and_then(|id| table.get(&id).cloned())
        };
        let shown = |kinds: &[&str]| {
            let mut found = actors
                .iter()
                .filter(|it| kinds.iter().any(|kind| referred(it, kind).is_some()));
            let display = found.find_map(|it| it.get("display").and_then(Value::as_str));
            display.unwrap_or_default().to_owned()
        };
        (
            known(&self.providers, whose)
                .unwrap_or_else(|| shown(&["Practitioner", "PractitionerRole"])),
            known(&self.locations, place).unwrap_or_else(|| shown(&["Location"])),
        )
    }

    /// Who keeps a schedule and where, as references for a visit that is booked in it.
    pub(super) fn references(&self, schedule: &str) -> Vec<String> {
        let Some((whose, place)) = self.schedules.get(schedule) else {
            return Vec::new();
        };
        let whose = whose.as_ref().map(|id| format!("Practitioner/{id}"));
        let place = place.as_ref().map(|id| format!("Location/{id}"));
        whose.into_iter().chain(place).collect()
    }
}
