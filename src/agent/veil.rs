//! What a model sees whose vendor has signed nothing: no identifier of anybody (45 CFR 164.514(b)(2)).
//! Names, numbers, dates, days, hours, places and record ids stand as references, also in what the
//! patient wrote and in what we wrote before; what the model writes is filled in here.
//!
//! The veil lies between the turn and the model: the machine, the tools, the other models and the
//! review know nothing of it.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};
use serde_json::Value;

use crate::agent::ports::{Answer, Message, Request, ToolCall};
use crate::agent::references::{fill, replaced};
use crate::agent::run::{self, Input};
use crate::agent::when;
use crate::domain::phi::Phi;

/// What the model is told of it.
const EXPLAINED: &str = "\nYou are not told the date. Names, days, hours, numbers and values stand as \
    references in braces with a gloss behind a colon, such as {appt1.when: a time} or {said1.name: a \
    name}. Where such a value belongs, write the reference alone, as {appt1.when}; it is filled in \
    before the patient reads it. Where a tool wants a day, write today, tomorrow, an English weekday, \
    today+N for N days from now, or a reference to a day.";

/// Words that tell a day. Months too: every part of a date but its year identifies.
#[rustfmt::skip]
const DAYS: &[&str] = &[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "tues",
    "wed", "weds", "thu", "thur", "thurs", "fri", "lunes", "martes", "miercoles", "miércoles", "jueves",
    "viernes", "sabado", "sábado", "domingo", "lun", "mié", "mie", "jue", "vie", "sáb", "sab", "dom",
    "today", "tonight", "tomorrow", "yesterday", "hoy", "mañana", "manana", "ayer",
    "january", "february", "march", "april", "june", "july", "august", "september", "october",
    "november", "december", "jan", "feb", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
    "noviembre", "diciembre", "ene", "abr", "ago", "dic",
];

/// Words behind which a name stands.
const TITLES: &[&str] = &[
    "dr", "dra", "doctor", "doctora", "nurse", "np", "pa", "mr", "mrs", "ms", "sr", "sra", "srta",
];

/// Keys of a tool's result whose values are words of ours: they say what happened, to nobody.
#[rustfmt::skip]
const OURS: &[&str] = &[
    "error", "say", "status", "done", "needs", "topic", "reason", "passed_to", "known", "verified",
    "waitlist", "preparation", "portal", "on_wished_days", "new_visit", "moved", "booked", "language",
    "number",
];

/// Tools whose results are what the practice tells to anybody.
const PUBLIC: &[&str] = &["practice_information"];

/// Finds identifiers in a text, each with what it is.
pub(super) type Find<'a> = &'a (dyn Fn(&str) -> Vec<(Range<usize>, &'static str)> + Sync);

/// The references of one turn and what they stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Veil {
    values: BTreeMap<String, String>,
    /// References by kind and value, so that one thing keeps its name over the turn.
    names: BTreeMap<(String, String), String>,
    /// Record ids by what the model calls them.
    ids: BTreeMap<String, String>,
}

impl Veil {
    /// The request as the model may see it.
    pub(super) fn cover(
        &mut self,
        request: &Request,
        input: &Input<'_>,
        find: Find<'_>,
    ) -> Request {
        if let Some(pending) = input.pending {
            let visit = pending.appointment.iter().map(|it| ("appt", it.as_str()));
            let slots = pending.slots.iter().map(|it| ("slot", it.as_str()));
            for (kind, id) in visit.chain(slots) {
                self.call(kind, id);
            }
        }
        let mut messages = Vec::with_capacity(request.messages.len());
        for message in &request.messages {
            messages.push(self.message(message, find));
        }
        let mut system = request.system.clone();
        let zone = TimeZone::get(&request.timezone).unwrap_or(TimeZone::UTC);
        let clock = when::spoken(request.now, &zone, request.language);
        let day = run::today(&request.now.to_zoned(zone));
        for (words, kind) in [(day, "date"), (clock, "clock")] {
            let reference = format!("today.{kind}");
            system = system.replace(&words, &format!("{{{reference}: a {kind}}}"));
            self.values.insert(reference, words);
        }
        let mut system = self.rename(&system);
        system.push_str(EXPLAINED);
        Request {
            system,
            messages,
            ..request.clone()
        }
    }

    /// A text with record ids by what the model calls them.
    fn rename(&self, text: &str) -> String {
        let name = |word: &str| {
            let bare = word.trim_matches(|c: char| c.is_whitespace() || ".,:;".contains(c));
            let mut ids = self.ids.iter().filter(|_| !bare.is_empty());
            let alias = ids.find_map(|(alias, id)| (id == bare).then_some(alias));
            alias.map_or_else(|| word.to_owned(), |alias| word.replacen(bare, alias, 1))
        };
        text.split_inclusive(char::is_whitespace)
            .map(name)
            .collect()
    }

    /// Calls an id by a name of the veil's own, once and for all.
    pub(super) fn call(&mut self, kind: &str, id: &str) -> String {
        let known = self.ids.iter().find(|(_, it)| *it == id);
        if let Some((alias, _)) = known {
            return alias.clone();
        }
        let same = self.ids.keys().filter(|it| {
            let rest = it.strip_prefix(kind).unwrap_or_default();
            rest.starts_with(|c: char| c.is_ascii_digit())
        });
        let alias = format!("{kind}{}", same.count() + 1);
        self.ids.insert(alias.clone(), id.to_owned());
        alias
    }

    fn message(&mut self, message: &Message, find: Find<'_>) -> Message {
        match message {
            Message::Patient(text) => Message::Patient(Phi::new(self.text(text.as_str(), find))),
            Message::Agent(text) => Message::Agent(Phi::new(self.text(text.as_str(), find))),
            Message::ToolCalls(calls) => {
                let covered = calls.iter().map(|call| ToolCall {
                    arguments: Phi::new(self.arguments(call.arguments.as_str(), find)),
                    ..call.clone()
                });
                Message::ToolCalls(covered.collect())
            }
            Message::ToolResult {
                call_id,
                tool,
                json,
            } => Message::ToolResult {
                call_id: call_id.clone(),
                tool: tool.clone(),
                json: Phi::new(self.result(tool, json.as_str(), find)),
            },
        }
    }

    /// A text without what identifies.
    fn text(&mut self, text: &str, find: Find<'_>) -> String {
        let text = text.replace('{', "(").replace('}', ")");
        let mut spans = find(&text);
        spans.extend(telling(&text));
        replaced(&text, spans, |kind, value| self.said(kind, value))
    }

    /// A reference to something that was said, with its gloss.
    fn said(&mut self, kind: &str, value: &str) -> String {
        let key = (kind.to_owned(), value.to_owned());
        let next = self.names.len() + 1;
        let reference = self
            .names
            .entry(key)
            .or_insert_with(|| format!("said{next}.{kind}"))
            .clone();
        self.values.insert(reference.clone(), value.to_owned());
        format!("{{{reference}: a {kind}}}")
    }

    fn arguments(&mut self, json: &str, find: Find<'_>) -> String {
        match serde_json::from_str::<Value>(json) {
            Ok(mut arguments) => {
                self.walk(&mut arguments, "call", find);
                arguments.to_string()
            }
            Err(_) => "{}".to_owned(),
        }
    }

    /// A tool's result with references in place of every value that is not a word of ours.
    fn result(&mut self, tool: &str, json: &str, find: Find<'_>) -> String {
        if PUBLIC.contains(&tool) {
            return json.to_owned();
        }
        match serde_json::from_str::<Value>(json) {
            Ok(mut result) => {
                self.walk(&mut result, "it", find);
                result.to_string()
            }
            Err(_) => self.text(json, find),
        }
    }

    fn walk(&mut self, value: &mut Value, kind: &str, find: Find<'_>) {
        match value {
            Value::Object(fields) => {
                let id = fields.iter().find_map(|(key, id)| {
                    let kind = kind_of(key.strip_suffix("_id")?);
                    Some((kind.to_owned(), id.as_str()?.to_owned()))
                });
                let next = self.values.len() + 1;
                let thing = match &id {
                    Some((kind, id)) => self.call(kind, id),
                    None => format!("{kind}{next}"),
                };
                for (key, field) in fields.iter_mut() {
                    match field {
                        Value::String(text) if key.ends_with("_id") => {
                            *text = self.call(kind_of(key.trim_end_matches("_id")), text);
                        }
                        Value::String(text) if OURS.contains(&key.as_str()) => {
                            *text = self.text(text, find);
                        }
                        Value::String(text) if !text.is_empty() => {
                            let reference = format!("{thing}.{key}");
                            let hidden = format!("{{{reference}: {}}}", gloss(key));
                            self.values
                                .insert(reference, std::mem::replace(text, hidden));
                        }
                        Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::String(_)
                        | Value::Array(_)
                        | Value::Object(_) => self.walk(field, kind_of(key), find),
                    }
                }
            }
            Value::Array(all) => {
                for one in all {
                    self.walk(one, kind, find);
                }
            }
            Value::String(text) => *text = self.text(text, find),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The answer with values in place of references; none where it names one that stands for nothing.
    pub(super) fn open(&self, answer: Answer, today: Date) -> Option<Answer> {
        match answer {
            Answer::Text(draft) => {
                Some(Answer::Text(Phi::new(fill(&self.values, draft.as_str())?)))
            }
            Answer::Tools(calls) => {
                let opened = calls.into_iter().map(|call| {
                    let Ok(mut arguments) = serde_json::from_str::<Value>(call.arguments.as_str())
                    else {
                        return Some(call);
                    };
                    self.fill_in(&mut arguments, today)?;
                    Some(ToolCall {
                        arguments: Phi::new(arguments.to_string()),
                        ..call
                    })
                });
                opened.collect::<Option<Vec<_>>>().map(Answer::Tools)
            }
        }
    }

    fn fill_in(&self, value: &mut Value, today: Date) -> Option<()> {
        match value {
            Value::Object(fields) => {
                for (key, field) in fields.iter_mut() {
                    self.fill_in(field, today)?;
                    if let (Value::String(text), "from" | "to" | "on") = (&mut *field, key.as_str())
                        && let Some(day) = day(text, today)
                    {
                        *text = day.to_string();
                    }
                }
            }
            Value::Array(all) => {
                for one in all {
                    self.fill_in(one, today)?;
                }
            }
            Value::String(text) => {
                let alias = text.trim_matches(['{', '}']);
                *text = match self.ids.get(alias).or_else(|| self.values.get(alias)) {
                    Some(known) => known.clone(),
                    None => fill(&self.values, text)?,
                };
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        Some(())
    }
}

/// What a list or an id is of.
fn kind_of(key: &str) -> &str {
    match key {
        "appointments" | "appointment" => "appt",
        "slots" | "slot" => "slot",
        "released" => "result",
        "providers" | "provider" => "provider",
        other => other,
    }
}

fn gloss(key: &str) -> &'static str {
    match key {
        "when" | "date" => "a time",
        "provider" => "a provider",
        "location" => "a place",
        "name" => "a name",
        "phone" => "a number",
        _ => "a value",
    }
}

/// The words of a text that tell a day, an hour or a number, whatever else they are.
pub(super) fn telling(text: &str) -> Vec<(Range<usize>, &'static str)> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut title = false;
    // The number of an offered time, and nothing else.
    let alone = text.trim().len() <= 2;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let start = at + word.find(bare).unwrap_or(0);
        let span = start..start + bare.len();
        at += word.len();
        let lower = bare.to_lowercase();
        let stem = lower.strip_suffix("'s").unwrap_or(&lower);
        let digits = bare.chars().filter(char::is_ascii_digit).count();
        let titled = std::mem::replace(&mut title, TITLES.contains(&stem));
        if titled && bare.starts_with(char::is_uppercase) {
            // A provider is no patient; but whose one it is says something.
            found.push((span, "provider"));
            title = true;
        } else if DAYS.contains(&stem) {
            found.push((span, "day"));
        } else if digits > 0 && !alone {
            found.push((span, "number"));
        }
    }
    found
}

/// A day as the model names it.
fn day(text: &str, today: Date) -> Option<Date> {
    let text = text.trim().to_lowercase();
    let later = |days: i64| today.checked_add(Span::new().try_days(days).ok()?).ok();
    if let Some(days) = text.strip_prefix("today+") {
        return later(days.trim().parse().ok()?);
    }
    match text.as_str() {
        "today" | "tonight" | "hoy" => return Some(today),
        "tomorrow" | "mañana" | "manana" => return later(1),
        _ => {}
    }
    let weekday = WEEKDAYS.iter().find(|(names, _)| {
        let long = text.chars().count() >= 3;
        long && names.iter().any(|name| name.starts_with(text.as_str()))
    });
    let (_, weekday) = weekday?;
    let days = (1..=7).map(|days| today.checked_add(days.days()).ok());
    days.flatten().find(|it| it.weekday() == *weekday)
}

/// Weekdays by the names that stand for them, from three letters on.
const WEEKDAYS: &[(&[&str], Weekday)] = &[
    (&["monday", "lunes"], Weekday::Monday),
    (&["tuesday", "martes"], Weekday::Tuesday),
    (
        &["wednesday", "weds", "miércoles", "miercoles"],
        Weekday::Wednesday,
    ),
    (&["thursday", "jueves"], Weekday::Thursday),
    (&["friday", "viernes"], Weekday::Friday),
    (&["saturday", "sábado", "sabado"], Weekday::Saturday),
    (&["sunday", "domingo"], Weekday::Sunday),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Vec<(Range<usize>, &'static str)> {
        Vec::new()
    }

    #[test]
    fn days_hours_and_numbers_go_as_references_whatever_was_found() {
        for (text, want) in [
            ("Can I come Thursday?", "Can I come {said1.day: a day}?"),
            (
                "at 3 pm or 4:30",
                "at {said1.number: a number} pm or {said2.number: a number}",
            ),
            ("2", "2"),
            (
                "my number is 415-555-0142.",
                "my number is {said1.number: a number}.",
            ),
            (
                "el 4 de julio",
                "el {said1.number: a number} de {said2.day: a day}",
            ),
            ("{appt1.when}", "({said1.number: a number})"),
        ] {
            let mut veil = Veil::default();
            assert_eq!(veil.text(text, &nothing), want, "{text}");
        }
    }

    #[test]
    fn days_are_named_without_being_known() {
        let today = jiff::civil::date(2026, 11, 29);
        for (text, want) in [
            ("today", Some("2026-11-29")),
            ("Tomorrow", Some("2026-11-30")),
            ("thursday", Some("2026-12-03")),
            ("sunday", Some("2026-12-06")),
            ("jueves", Some("2026-12-03")),
            ("today+10", Some("2026-12-09")),
            ("march", None),
            ("2026-12-03", None),
        ] {
            let got = day(text, today).map(|it| it.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }
}
