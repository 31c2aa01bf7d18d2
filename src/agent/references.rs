//! Minimum necessary toward a model on another machine (45 CFR 164.502(b)): it sees references with a
//! gloss instead of values, `{appt1.when: Wed afternoon}`, and writes `{appt1.when}`; the values are
//! filled in here, from what the tools gave, in the patient's language and zone. What we wrote before
//! holds such values too, and goes the same way.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use crate::agent::ports::{Message, Request};
use crate::agent::veil::{Find, telling};
use crate::domain::phi::Phi;

/// What a model is told of them, once.
const EXPLAINED: &str = "\nValues of the record stand as references in braces with a gloss behind a \
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

/// What stands between the words of one day and hour: `Wed, Dec 2 at 3:00 PM`.
const BETWEEN: &[&str] = &["at", "a", "las", "la", "de", "el"];

/// What may end an hour, longest first.
const HALVES: &[&str] = &["a. m.", "p. m.", "a.m.", "p.m.", "am", "pm"];

/// The values that references of one turn stand for.
#[derive(Clone, Debug, Default)]
pub struct References {
    values: BTreeMap<String, String>,
    /// What a thing is called, by its id or its words, so that it keeps its name over the turn.
    names: BTreeMap<(String, String), usize>,
}

impl References {
    /// The request as a model on another machine may see it.
    pub(super) fn cover(&mut self, request: &Request, find: Find<'_>) -> Request {
        let mut messages = Vec::with_capacity(request.messages.len());
        for message in &request.messages {
            messages.push(match message {
                Message::Agent(text) => Message::Agent(Phi::new(self.said(text.as_str(), find))),
                Message::ToolResult {
                    call_id,
                    tool,
                    json,
                } => Message::ToolResult {
                    call_id: call_id.clone(),
                    tool: tool.clone(),
                    json: Phi::new(self.hide(json.as_str())),
                },
                // The patient's own words are what the model is asked about.
                Message::Patient(_) | Message::ToolCalls(_) => message.clone(),
            });
        }
        Request {
            system: format!("{}{EXPLAINED}", request.system),
            messages,
            ..request.clone()
        }
    }

    /// What we wrote before, with references in place of days and hours, of names and of whatever
    /// else identifies.
    fn said(&mut self, text: &str, find: Find<'_>) -> String {
        let text = text.replace('{', "(").replace('}', ")");
        let mut spans = runs(&text, telling(&text));
        spans.extend(find(&text));
        replaced(&text, spans, |kind, value| {
            let next = 1 + self.names.keys().filter(|(it, _)| it == "said").count();
            let known = ("said".to_owned(), value.to_owned());
            let number = *self.names.entry(known).or_insert(next);
            let reference = format!("said{number}.{kind}");
            let hidden = format!("{{{reference}: {}}}", gloss(kind, value));
            self.values.insert(reference, value.to_owned());
            hidden
        })
    }

    /// A tool's result with references in place of values.
    fn hide(&mut self, json: &str) -> String {
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
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A draft with the values in place of references; none when it names one that stands for nothing.
    pub(super) fn fill(&self, draft: &str) -> Option<String> {
        fill(&self.values, draft)
    }
}

/// A text with what `refer` gives in place of each span, by its kind and its words.
pub(super) fn replaced(
    text: &str,
    mut spans: Vec<(Range<usize>, &'static str)>,
    mut refer: impl FnMut(&'static str, &str) -> String,
) -> String {
    spans.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (span, kind) in spans {
        let (start, end) = (span.start.max(done), span.end.max(done));
        let Some(value) = text.get(start..end).filter(|it| !it.trim().is_empty()) else {
            continue;
        };
        out.push_str(text.get(done..start).unwrap_or_default());
        out.push_str(&refer(kind, value));
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Days, hours and names that stand together, each as one: a model has a use for `Wed afternoon`, and
/// none for three numbers. A number that belongs to no day stays: the one before an offered time.
fn runs(text: &str, told: Vec<(Range<usize>, &'static str)>) -> Vec<(Range<usize>, &'static str)> {
    let mut runs: Vec<(Range<usize>, &'static str)> = Vec::new();
    for (span, kind) in told {
        let kind = if kind == "day" { "when" } else { kind };
        let clock = text.get(span.clone()).is_some_and(is_clock);
        let end = text
            .get(span.end..)
            .map_or(span.end, |rest| span.end + half(rest));
        if let Some((run, of)) = runs.last_mut()
            && (*of == kind || (*of == "when" && kind == "number"))
            && text.get(run.end..span.start).is_some_and(joins)
            // An hour ends it.
            && !text.get(run.clone()).is_some_and(|it| it.split(' ').any(is_clock))
        {
            run.end = if kind == "number" { end } else { span.end };
        } else if clock {
            runs.push((span.start..end, "when"));
        } else if kind != "number" {
            runs.push((span, kind));
        }
    }
    runs
}

/// `3:00`, and no address.
fn is_clock(word: &str) -> bool {
    let digits = |it: &str| it.len() <= 2 && it.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once(':').is_some_and(|(hour, minute)| {
        let minute = minute.trim_end_matches(|c: char| "apmAPM.".contains(c));
        !hour.is_empty() && digits(hour) && minute.len() == 2 && digits(minute)
    })
}

/// Whether words on both sides of this belong together.
fn joins(between: &str) -> bool {
    let mut words = between.split(|c: char| c.is_whitespace() || c == ',');
    words.all(|word| word.is_empty() || BETWEEN.contains(&word))
}

/// The length of the half of the day that a text begins with.
fn half(rest: &str) -> usize {
    let lower = rest.to_ascii_lowercase();
    let lead = rest.len() - rest.trim_start().len();
    let found = HALVES.iter().find(|half| {
        let after = lower.get(lead..).and_then(|it| it.strip_prefix(**half));
        after.is_some_and(|it| !it.starts_with(char::is_alphanumeric))
    });
    found.map_or(0, |half| lead + half.len())
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
            let first = value.split([' ', ',']).next().unwrap_or_default();
            let day = if first.starts_with(|c: char| c.is_ascii_digit()) {
                "a time in the"
            } else {
                first
            };
            let lower = value.to_lowercase();
            let ends = |halves: [&str; 3]| halves.iter().any(|it| lower.ends_with(it));
            if ends(["pm", "p. m.", "p.m."]) {
                format!("{day} afternoon")
            } else if ends(["am", "a. m.", "a.m."]) {
                format!("{day} morning")
            } else {
                day.to_owned()
            }
        }
        "provider" => "a provider".to_owned(),
        "location" | "place" => "a place".to_owned(),
        "value" => "its result".to_owned(),
        "name" => "a name".to_owned(),
        other => format!("a {other}"),
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

    #[test]
    fn what_we_wrote_before_keeps_its_sense_without_its_values() {
        let find = |text: &str| {
            let at = text.match_indices("415-555-0142");
            at.map(|(at, it)| (at..at + it.len(), "number")).collect()
        };
        for (said, shown) in [
            (
                "Your visit is Wed, Dec 2 at 3:00 PM with Dr. Ana Reyes.",
                "Your visit is {said1.when: Wed afternoon} with Dr. {said2.provider: a provider}.",
            ),
            (
                "Su cita es el mié 2 dic a las 3:00 p. m. con Dra. Reyes.",
                "Su cita es el {said1.when: mié afternoon} con Dra. {said2.provider: a provider}.",
            ),
            (
                "Free: 1) Thu Dec 3, 9:00 AM 2) Fri Dec 4, 1:30 PM. Reply 1 or 2.",
                "Free: 1) {said1.when: Thu morning} 2) {said2.when: Fri afternoon}. Reply 1 or 2.",
            ),
            (
                "Hay: 1) jue 3 dic, 9:00 a. m. 2) vie 4 dic, 1:30 p. m.",
                "Hay: 1) {said1.when: jue morning} 2) {said2.when: vie afternoon}",
            ),
            (
                "Now 4:30pm, not 3.",
                "Now {said1.when: a time in the afternoon}, not 3.",
            ),
            (
                "It moved to 4:30 pm.",
                "It moved to {said1.when: a time in the afternoon}.",
            ),
            ("See you on Thursday.", "See you on {said1.when: Thursday}."),
            ("Call 415-555-0142.", "Call {said1.number: a number}."),
            (
                "See http://127.0.0.1:8080/ or call.",
                "See http://127.0.0.1:8080/ or call.",
            ),
            ("Reply YES {now}.", "Reply YES (now)."),
        ] {
            let mut references = References::default();
            let hidden = references.said(said, &find);
            assert_eq!(hidden, shown, "{said}");
            let back = said.replace('{', "(").replace('}', ")");
            assert_eq!(references.fill(&hidden).as_deref(), Some(&*back), "{said}");
        }
    }
}
