//! A template as a patient's phone would show it, filled with its sample, with the guardrail's
//! verdict over it.

use serde_json::{Map, Value, json};

use crate::agent::prompts::{PromptError, Prompts};
use crate::agent::sayings;
use crate::domain::practice::Practice;
use crate::guardrail::review::Guardrail;
use crate::guardrail::wire::{self, CheckIn, CheckOut, ContextIn};
use crate::policy::words::Language;

/// What the samples of [`sayings`] rest on, practice and language apart.
const SAMPLE: &str = r#"{"practice":{"name":"","phone":"","type":"primary_care","portal_url":"https://portal.example.com"},"channel":"sms","consent":"granted","state":"CA","language":"en","timezone":"America/Los_Angeles","now":"2026-12-01T10:00:00-08:00","purpose":"reply","facts":[{"field":"appointment.start","value":"2026-12-02T15:00:00-08:00"},{"field":"appointment.offered_slot","value":"2026-12-03T10:30:00-08:00"},{"field":"appointment.start","value":"2026-12-10T09:00:00-08:00"},{"field":"appointment.start","value":"2026-12-02T15:30:00-08:00"},{"field":"practice.offer_until","value":"10:30 AM"},{"field":"appointment.provider","value":"Dr. Ana Reyes"},{"field":"appointment.location","value":"12 Lake Street, Suite 4"},{"field":"practice.answering","value":"2026-12-02T08:00:00-08:00"},{"field":"practice.address","value":"12 Lake Street, Suite 4"},{"field":"practice.hours","value":"Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM"},{"field":"lab.name","value":"Skin biopsy"},{"field":"lab.value","value":"benign"},{"field":"lab.name","value":"Hemoglobin A1c"},{"field":"lab.value","value":"7.2 %"},{"field":"receipt.booked","value":"yes"},{"field":"receipt.cancelled","value":"yes"},{"field":"receipt.rescheduled","value":"yes"},{"field":"receipt.confirmed","value":"yes"},{"field":"receipt.message_sent","value":"staff"},{"field":"receipt.refill_requested","value":"staff"},{"field":"receipt.callback_created","value":"staff"}]}"#;

/// A template filled with its sample.
#[derive(Clone, Debug)]
pub struct Preview {
    /// As the agent would draft it.
    pub said: String,
    /// What the guardrail makes of it.
    pub review: CheckOut,
}

/// A name that a template may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// As it is written between braces.
    pub name: String,
    /// `text`, `yes or no`, `number` or `list of` with the names of its parts.
    pub kind: String,
    /// Its sample, as people read it.
    pub sample: String,
    /// Other values worth a look, each as JSON.
    pub others: Vec<Value>,
}

/// What a template is for, in words; none when there is no such template.
pub fn about(name: &str) -> Option<&'static str> {
    let found = sayings::ABOUT.iter().find(|(known, _)| *known == name);
    found.map(|(_, words)| words.trim())
}

/// The names that a template may use, with their samples. Values that `source` compares with are
/// among those worth a look.
pub fn variables(name: &str, source: &str, practice: &Practice) -> Vec<Variable> {
    let mut sample = sample(name);
    let own = of_practice(&sample, practice);
    sample.extend(own);
    sample
        .iter()
        .map(|(name, value)| Variable {
            name: name.clone(),
            kind: kind(value),
            sample: shown(value),
            others: others(name, value, source),
        })
        .collect()
}

/// Fills a template and reviews what it says.
pub fn preview(
    guardrail: &Guardrail,
    prompts: &Prompts,
    (name, language): (&str, Language),
    source: Option<&str>,
    (practice, values): (&Practice, &Map<String, Value>),
) -> Result<Preview, PromptError> {
    let mut all = of_practice(&sample(name), practice);
    all.extend(values.clone());
    let said = prompts.preview(name, language, source, &all)?;
    let draft = said.clone();
    let context =
        context(practice, language).ok_or_else(|| PromptError::Render(name.to_owned()))?;
    let line = CheckIn {
        id: Value::Null,
        draft,
        context,
    };
    let review = wire::check_line(guardrail, &line);
    Ok(Preview { said, review })
}

fn sample(name: &str) -> Map<String, Value> {
    let found = sayings::ALL.iter().find(|(known, _)| *known == name);
    match found.map(|(_, sample)| sample()) {
        Some(Value::Object(sample)) => sample,
        _ => Map::new(),
    }
}

/// The practice's own name and number in place of the sample's.
fn of_practice(sample: &Map<String, Value>, practice: &Practice) -> Map<String, Value> {
    let own = [
        ("practice", practice.name.clone()),
        ("phone", practice.phone.display_us()),
    ];
    own.into_iter()
        .filter(|(name, _)| sample.contains_key(*name))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

fn context(practice: &Practice, language: Language) -> Option<ContextIn> {
    let mut context: Value = serde_json::from_str(SAMPLE).ok()?;
    let own = context.get_mut("practice")?;
    *own = json!({
        "name": practice.name, "phone": practice.phone.display_us(), "type": practice.kind,
        "portal_url": "https://portal.example.com",
    });
    let mut context: ContextIn = serde_json::from_value(context).ok()?;
    context.language = language;
    Some(context)
}

fn kind(value: &Value) -> String {
    match value {
        Value::Bool(_) => "yes or no".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::Array(items) => match items.first() {
            Some(Value::Object(parts)) => {
                let names: Vec<&str> = parts.keys().map(String::as_str).collect();
                format!("list of {}", names.join(", "))
            }
            _ => "list of texts".to_owned(),
        },
        Value::Null | Value::String(_) | Value::Object(_) => "text".to_owned(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let all: Vec<String> = items.iter().map(shown).collect();
            all.join("; ")
        }
        Value::Object(parts) => {
            let all: Vec<String> = parts.values().map(shown).collect();
            all.join(" ").trim().to_owned()
        }
        Value::Number(number) => number.to_string(),
        Value::Null => String::new(),
    }
}

/// The other side of a yes or no; for a text, what the source compares it with, and nothing at all
/// where the source asks whether there is anything.
fn others(name: &str, value: &Value, source: &str) -> Vec<Value> {
    match value {
        Value::Bool(it) => vec![Value::Bool(!it)],
        Value::String(own) => {
            let mut all: Vec<Value> = compared(name, source)
                .into_iter()
                .filter(|it| it != own)
                .map(Value::String)
                .collect();
            let asked = ["if NAME %", "if NAME and ", "and NAME %", "not NAME "];
            let mut asked = asked.iter().map(|it| it.replace("NAME", name));
            if asked.any(|it| source.contains(&it)) {
                all.push(Value::String(String::new()));
            }
            all
        }
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

/// The words in quotation marks that a source compares a name with.
fn compared(name: &str, source: &str) -> Vec<String> {
    let before = format!("{name} == \"");
    let mut found: Vec<String> = source
        .split(&before)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guardrail::finding::Verdict;

    fn practice() -> Practice {
        toml::from_str(
            "id = \"lakeside\"\nname = \"Lakeside Family Medicine\"\nphone = \"+14155550100\"\n\
             timezone = \"America/Los_Angeles\"\nstate = \"CA\"",
        )
        .unwrap()
    }

    #[test]
    fn every_built_in_template_may_leave_as_it_is_shown() {
        let guardrail = Guardrail::embedded().unwrap();
        let prompts = Prompts::embedded().unwrap();
        let mut held = Vec::new();
        for (name, _) in sayings::ALL.iter().filter(|(name, _)| *name != "system") {
            for language in [Language::En, Language::Es] {
                let values = Map::new();
                let shown = preview(
                    &guardrail,
                    prompts,
                    (name, language),
                    None,
                    (&practice(), &values),
                );
                let shown = shown.unwrap();
                if shown.review.verdict == Verdict::Hold {
                    let rules: Vec<&str> = shown
                        .review
                        .findings
                        .iter()
                        .map(|it| it.rule.as_str())
                        .collect();
                    held.push(format!("{language}/{name}: {} {rules:?}", shown.said));
                }
            }
        }
        assert!(held.is_empty(), "{}", held.join("\n"));
    }

    #[test]
    fn a_template_tells_its_names_and_what_is_worth_a_look() {
        let prompts = Prompts::embedded().unwrap();
        let named = |place: &str| {
            let source = &prompts.sources()[place];
            let (_, name) = place.split_once('/').unwrap();
            variables(name, source, &practice())
        };
        let handed = named("en/handed_over");
        let reason = handed.iter().find(|it| it.name == "reason").unwrap();
        assert!(reason.others.contains(&json!("refill")), "{handed:?}");
        assert!(!reason.others.contains(&json!("medical")));
        let answering = handed.iter().find(|it| it.name == "answering").unwrap();
        assert_eq!(answering.others, [json!("")]);
        let visit = named("en/visit");
        let provider = visit.iter().find(|it| it.name == "provider").unwrap();
        assert_eq!(provider.others, [json!("")]);
        assert_eq!(provider.kind, "text");
        let offer = named("en/offer");
        let kinds: Vec<&str> = offer.iter().map(|it| it.kind.as_str()).collect();
        assert!(kinds.contains(&"list of number, when"), "{kinds:?}");
        assert_eq!(about("visit"), Some("The next visit."));
        assert_eq!(about("nothing"), None);
        assert!(
            sayings::ABOUT
                .iter()
                .all(|(_, words)| !words.trim().is_empty())
        );
    }
}
