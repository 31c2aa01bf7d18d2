//! Assertions of promptfoo as ours.

use serde_json::{Map, Value};

use crate::eval::import::foreign::Foreign;
use crate::eval::import::{Ours, filled};

/// The same name and the same meaning with one text.
const TEXT: &[&str] = &["equals", "contains", "icontains", "starts-with", "regex"];
/// The same with a list of texts.
const LIST: &[&str] = &["contains-any", "contains-all"];

/// Ours for one of theirs; an error says why there is none.
pub(super) fn convert(foreign: &Foreign, vars: &Map<String, Value>) -> Result<Vec<Ours>, String> {
    if let Some(key) = foreign.rest.keys().find(|key| *key != "config") {
        let why = match key.as_str() {
            "assert" => return set(foreign, vars),
            "transform" | "contextTransform" => "runs code; suites are data",
            "provider" => "the judge is the configured model: run with --judge",
            _ => "has no counterpart",
        };
        return Err(format!("its `{key}` {why}"));
    }
    let (negated, kind) = match foreign.kind.strip_prefix("not-") {
        Some(kind) => ("not-", kind),
        None => ("", foreign.kind.as_str()),
    };
    let ours = |kind: &str, value: Value| Ours {
        kind: format!("{negated}{kind}"),
        value,
        threshold: None,
        weight: foreign.weight.filter(|it| it.is_finite() && *it > 0.0),
    };
    let value = || text(&foreign.value, vars).map(Value::from);
    let one = match kind {
        _ if TEXT.contains(&kind) => ours(kind, value()?),
        _ if LIST.contains(&kind) => ours(kind, texts(&foreign.value, vars)?.into()),
        "icontains-any" => ours("regex", any(&texts(&foreign.value, vars)?).into()),
        "icontains-all" => {
            let all = texts(&foreign.value, vars)?;
            if !negated.is_empty() {
                return Err("write the parts as `not-icontains`, each alone".to_owned());
            }
            return Ok(all
                .into_iter()
                .map(|it| ours("icontains", it.into()))
                .collect());
        }
        "is-json" if foreign.value.is_null() => ours(kind, Value::Null),
        "levenshtein" => Ours {
            threshold: foreign.threshold,
            ..ours(kind, value()?)
        },
        "latency" => {
            let most = foreign.threshold.ok_or("has no threshold")?;
            ours("latency<=", most.into())
        }
        "llm-rubric" => ours(kind, value()?),
        "moderation" | "guardrails" | "pi" | "is-refusal" => {
            return Err("say what must not leave: phi-free, category-absent, handoff".to_owned());
        }
        "javascript" | "python" | "ruby" | "webhook" => {
            return Err("runs code; suites are data".to_owned());
        }
        "similar" | "classifier" | "perplexity" | "perplexity-score" => {
            return Err("asks another model for a number; use llm-rubric or contains".to_owned());
        }
        "cost" => return Err("the offline model costs nothing".to_owned()),
        "factuality"
        | "model-graded-closedqa"
        | "model-graded-factuality"
        | "g-eval"
        | "answer-relevance"
        | "context-faithfulness"
        | "context-recall"
        | "context-relevance"
        | "select-best" => {
            return Err("asks a model; say it as llm-rubric, or use grounded".to_owned());
        }
        _ => return Err("has no counterpart".to_owned()),
    };
    Ok(vec![one])
}

/// A set all of which must hold is its members.
fn set(foreign: &Foreign, vars: &Map<String, Value>) -> Result<Vec<Ours>, String> {
    if foreign.kind != "assert-set" || foreign.threshold.is_some_and(|it| it < 1.0) {
        return Err("a set of which a part may fail; use `threshold` of the test".to_owned());
    }
    let members = foreign.rest.get("assert").cloned().unwrap_or_default();
    let members: Vec<Foreign> =
        serde_json::from_value(members).map_err(|_unreadable| "its members cannot be read")?;
    let mut all = Vec::new();
    for member in &members {
        all.extend(convert(member, vars).map_err(|why| format!("{}: {why}", member.kind))?);
    }
    Ok(all)
}

fn text(value: &Value, vars: &Map<String, Value>) -> Result<String, String> {
    let text = match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_number() || value.is_boolean() => value.to_string(),
        None => return Err("its value is no text".to_owned()),
    };
    if text.starts_with("file://") {
        return Err("its value stands in another file; paste it in".to_owned());
    }
    let text = filled(&text, vars)?;
    if text.is_empty() {
        return Err("its value is empty".to_owned());
    }
    Ok(text)
}

/// A list, or one text with commas, as promptfoo reads it.
fn texts(value: &Value, vars: &Map<String, Value>) -> Result<Vec<String>, String> {
    if let Some(list) = value.as_array() {
        return list.iter().map(|it| text(it, vars)).collect();
    }
    let whole = text(value, vars)?;
    let parts = whole.split(',').map(str::trim);
    Ok(parts
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect())
}

fn any(texts: &[String]) -> String {
    let parts: Vec<String> = texts.iter().map(|it| regex::escape(it)).collect();
    format!("(?i)({})", parts.join("|"))
}
