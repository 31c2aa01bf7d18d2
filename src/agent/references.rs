//! Minimum necessary toward a model on another machine (45 CFR 164.502(b)): it sees references with a
//! gloss instead of values, `{appt1.when: Wed afternoon}`, and writes `{appt1.when}`; the values are
//! filled in here, from what the tools gave, in the patient's language and zone.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a model is told of them, once.
pub const EXPLAINED: &str = "\nValues of the record stand as references in braces with a gloss behind a \
    colon, such as {appt1.when: Wed afternoon}. Where the value belongs, write the reference alone, as \
    {appt1.when}; it is filled in before the patient reads it. Never write a value from a gloss.";

/// Longest reference: a kind, a number and a field.
const REFERENCE_CHARS_MAX: usize = 40;

/// Lists whose members are told by reference: the key in a result, and what one of them is called.
const LISTS: &[(&str, &str)] = &[
    ("appointments", "appt"),
    ("slots", "slot"),
    ("released", "result"),
];

/// Single things, likewise.
const SINGLE: &[(&str, &str)] = &[("appointment", "appt")];

/// Fields that are told by reference. Ids, numbers of offers and states stay: they say nothing of a
/// person, and calls need them.
const FIELDS: &[&str] = &["when", "provider", "location", "name", "value"];

/// Fields that a model on another machine has no use for.
const DROPPED: &[&str] = &["date"];

/// The values that references of one turn stand for.
#[derive(Clone, Debug, Default)]
pub struct References {
    values: BTreeMap<String, String>,
    /// What a thing is called, by its id or its words, so that it keeps its name over the turn.
    names: BTreeMap<(String, String), usize>,
}

impl References {
    /// A tool's result with references in place of values.
    pub fn hide(&mut self, json: &str) -> String {
        let Ok(mut result) = serde_json::from_str::<Value>(json) else {
            return json.to_owned();
        };
        if let Some(fields) = result.as_object_mut() {
            for (key, kind) in LISTS {
                let list = fields.get_mut(*key).and_then(Value::as_array_mut);
                for thing in list.into_iter().flatten() {
                    self.hide_thing(kind, thing);
                }
            }
            for (key, kind) in SINGLE {
                if let Some(thing) = fields.get_mut(*key) {
                    self.hide_thing(kind, thing);
                }
            }
        }
        result.to_string()
    }

    fn hide_thing(&mut self, kind: &str, thing: &mut Value) {
        let Some(fields) = thing.as_object_mut() else {
            return;
        };
        let id = ["appointment_id", "slot_id", "name"]
            .iter()
            .find_map(|key| fields.get(*key)?.as_str());
        let known = (kind.to_owned(), id.unwrap_or_default().to_owned());
        let next = 1 + self.names.keys().filter(|(it, _)| it == kind).count();
        let number = *self.names.entry(known).or_insert(next);
        fields.retain(|key, _| !DROPPED.contains(&key.as_str()));
        for field in FIELDS {
            let Some(value) = fields.get(*field).and_then(Value::as_str) else {
                continue;
            };
            if value.is_empty() {
                continue;
            }
            let reference = format!("{kind}{number}.{field}");
            let hidden = format!("{{{reference}: {}}}", gloss(field, value));
            self.values.insert(reference, value.to_owned());
            fields.insert((*field).to_owned(), hidden.into());
        }
    }

    /// Whether nothing was hidden.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A draft with the values in place of references; none when it names one that stands for nothing.
    pub fn fill(&self, draft: &str) -> Option<String> {
        fill(&self.values, draft)
    }
}

/// A draft with these values in place of references.
pub(super) fn fill(values: &BTreeMap<String, String>, draft: &str) -> Option<String> {
    let mut filled = String::with_capacity(draft.len());
    let mut rest = draft;
    while let Some((before, inside)) = rest.split_once('{') {
        filled.push_str(before);
        let (reference, after) = inside.split_once('}')?;
        // A model may copy the gloss along.
        let name = reference
            .split_once(':')
            .map_or(reference, |(it, _)| it)
            .trim();
        if name.chars().count() > REFERENCE_CHARS_MAX {
            return None;
        }
        filled.push_str(values.get(name)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

/// What a model needs to choose and to order, and no more: the weekday and the half of the day of an
/// instant; of anything else only what it is.
fn gloss(field: &str, value: &str) -> String {
    match field {
        "when" => {
            let day = value.split([' ', ',']).next().unwrap_or_default();
            let lower = value.to_lowercase();
            let afternoon = lower.ends_with("pm") || lower.ends_with("p. m.");
            let half = if afternoon { "afternoon" } else { "morning" };
            format!("{day} {half}")
        }
        "provider" => "a provider".to_owned(),
        "location" => "a place".to_owned(),
        "name" => "a test".to_owned(),
        _ => "its result".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_as_references_and_come_back() {
        let mut references = References::default();
        let json = r#"{"appointments":[{"appointment_id":"a-1","date":"2026-12-02","when":"Wed, Dec 2 at 3:00 PM","provider":"Dr. Ana Reyes","location":"","status":"booked"}]}"#;
        let hidden = references.hide(json);
        assert_eq!(
            hidden,
            r#"{"appointments":[{"appointment_id":"a-1","location":"","provider":"{appt1.provider: a provider}","status":"booked","when":"{appt1.when: Wed afternoon}"}]}"#
        );
        assert_eq!(references.hide(json), hidden, "one thing keeps its name");
        assert_eq!(
            references
                .fill("See you {appt1.when} with {appt1.provider: a provider}.")
                .unwrap(),
            "See you Wed, Dec 2 at 3:00 PM with Dr. Ana Reyes."
        );
        for odd in ["{appt2.when}", "{appt1.when", "{}", "{patient.name}"] {
            assert_eq!(references.fill(odd), None, "{odd}");
        }
    }
}
