//! People on a FHIR server: by number, with those whom somebody at it may speak for, and by name.

use serde_json::Value;

use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::record::{Guardian, Patient};
use crate::fhir::fault::Fault;
use crate::fhir::records::FhirRecords;
use crate::fhir::resource::{At, dialled, patient, phones, referred, speaks_for};

/// People at one number who are read: a family, or a shelter; more is a wrong number on file.
const PEOPLE_MAX: usize = 20;

impl FhirRecords {
    /// Everybody on file with this number, and whom the person at it may speak for.
    pub(super) async fn by_phone(&self, number: &E164) -> Result<Vec<Patient>, Fault> {
        let spelled = spellings(number).join(",");
        let wanted = [("phone", spelled.clone())];
        let found = self.client.search("Patient", &wanted, PEOPLE_MAX).await?;
        let mut people = Vec::new();
        for resource in found.iter().filter(|it| stands(it)) {
            let person = patient(&At::alone(resource))?;
            // The server's idea of a match may be wider than ours.
            if person.phones.contains(number) {
                people.push(person);
            }
        }
        if self.capability().await?.can("RelatedPerson", "search-type") {
            self.wards(number, spelled, &mut people).await?;
        }
        people.sort_by(|a, b| a.id.cmp(&b.id));
        people.dedup_by(|a, b| a.id == b.id);
        Ok(people)
    }

    /// Whose names begin so, as the server compares them. Whose entry cannot be read is passed over: one
    /// broken entry must not hide everybody else.
    pub(super) async fn by_name(
        &self,
        words: &[String],
        limit: usize,
    ) -> Result<Vec<Patient>, Fault> {
        // A server compares the beginnings of every part of a name, and wants each of several words.
        let wanted: Vec<(&str, String)> = words.iter().map(|it| ("name", escaped(it))).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.client.search("Patient", &wanted, limit).await?;
        let mut people = Vec::new();
        for resource in found.iter().filter(|it| stands(it)) {
            match patient(&At::alone(resource)) {
                Ok(person) => people.push(person),
                Err(_) => tracing::warn!("a person on the FHIR server could not be read"),
            }
        }
        people.sort_by(|a, b| a.id.cmp(&b.id));
        people.dedup_by(|a, b| a.id == b.id);
        Ok(people)
    }

    /// Those for whom the person at this number may speak.
    async fn wards(
        &self,
        number: &E164,
        spelled: String,
        people: &mut Vec<Patient>,
    ) -> Result<(), Fault> {
        let wanted = [("phone", spelled)];
        let found = self
            .client
            .search("RelatedPerson", &wanted, PEOPLE_MAX)
            .await?;
        for related in found.iter().filter(|it| stands(it) && speaks_for(it)) {
            let whose = related
                .get("patient")
                .and_then(|it| referred(it, "Patient"));
            let theirs = phones(related).any(|it| dialled(it).as_ref() == Some(number));
            let (Some(whose), true) = (whose, theirs) else {
                continue;
            };
            let found = self.client.read("Patient", whose).await?;
            if !stands(&found.resource) {
                continue;
            }
            let mut ward = patient(&At::alone(&found.resource))?;
            let at = At::alone(related);
            let name = [at.text("/name/0/given/0"), at.text("/name/0/family")];
            let name: Vec<&str> = name.into_iter().flatten().collect();
            let acting = Guardian {
                name: Phi::new(name.join(" ")),
                phone: number.clone(),
            };
            match people.iter_mut().find(|it| it.id == ward.id) {
                Some(known) => known.guardians.push(acting),
                None => {
                    ward.guardians.push(acting);
                    people.push(ward);
                }
            }
        }
        Ok(())
    }
}

/// Whether a person on file stands: not retired, and not replaced by another entry.
fn stands(resource: &Value) -> bool {
    let at = At::alone(resource);
    let retired = at.get("/active").and_then(Value::as_bool) == Some(false);
    let replaced = at
        .list("/link")
        .any(|it| it.get("type").and_then(Value::as_str) == Some("replaced-by"));
    !retired && !replaced
}

/// A word as the value of a search: what else would part it into several, or name a modifier.
fn escaped(word: &str) -> String {
    let mut all = String::with_capacity(word.len());
    for sign in word.chars() {
        if matches!(sign, '\\' | ',' | '$' | '|') {
            all.push('\\');
        }
        all.push(sign);
    }
    all
}

/// How a number may be written on file.
fn spellings(number: &E164) -> Vec<String> {
    let text = number.as_str();
    let mut all = vec![text.to_owned()];
    let Some(national) = text.strip_prefix("+1").filter(|it| it.len() == 10) else {
        return all;
    };
    let (area, rest) = national.split_at(3);
    let (exchange, line) = rest.split_at(3);
    all.extend([
        national.to_owned(),
        format!("1{national}"),
        format!("{area}-{exchange}-{line}"),
        format!("({area}) {exchange}-{line}"),
        format!("({area}){exchange}-{line}"),
        format!("{area}.{exchange}.{line}"),
        format!("+1 {area} {exchange} {line}"),
        format!("+1-{area}-{exchange}-{line}"),
        format!("1-{area}-{exchange}-{line}"),
    ]);
    all
}
