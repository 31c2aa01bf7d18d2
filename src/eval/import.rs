//! Import: a promptfoo configuration becomes a suite of stories; what has no counterpart is listed,
//! never dropped in silence.
//!
//! Each test becomes one patient's text to the whole pipeline, with the assertions that can be
//! checked without running code.

mod assertion;
mod foreign;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::eval::import::foreign::{Config, Test, Tests};
use crate::eval::load::{self, Files};

/// Names under which people keep what the user says, in order of preference.
const SAID: &[&str] = &[
    "message",
    "user_message",
    "patient_message",
    "user_input",
    "input",
    "query",
    "question",
    "text",
    "body",
    "content",
    "prompt",
];
/// Combinations of listed values that one test may become.
const COMBINATIONS_MAX: usize = 200;

/// What came of an import.
#[derive(Debug)]
pub struct Imported {
    /// The suite as YAML; none when not one test could be converted.
    pub suite: Option<String>,
    /// Tests that were converted.
    pub tests: usize,
    /// Assertions that were converted.
    pub assertions: usize,
    /// What was left out, with its place and why.
    pub left_out: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Suite {
    description: String,
    level: &'static str,
    tests: Vec<Story>,
}

#[derive(Clone, Debug, Serialize)]
struct Story {
    id: String,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    vars: Vars,
    assert: Vec<Ours>,
}

#[derive(Clone, Debug, Serialize)]
struct Vars {
    patient: &'static str,
    agreed: bool,
    turns: Vec<Turn>,
}

#[derive(Clone, Debug, Serialize)]
struct Turn {
    says: String,
}

/// An assertion of ours.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Ours {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Value::is_null")]
    value: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
}

/// Converts a configuration. `file` is its name for people; `said` the variable that holds what the
/// patient writes, where the usual names do not tell.
pub fn import(file: &str, text: &str, said: Option<&str>) -> Result<Imported, String> {
    let config: Config = serde_saphyr::from_str(text).map_err(|error| {
        let told = error.to_string();
        format!("{file}: {}", told.lines().next().unwrap_or("not YAML"))
    })?;
    let mut left_out = config.left_out();
    let mut stories: Vec<Story> = Vec::new();
    let mut assertions = 0;
    let tests = match &config.tests {
        Tests::Written(tests) => tests.as_slice(),
        Tests::Elsewhere(place) => {
            left_out.push(format!(
                "tests: {place} is another file; paste its tests in"
            ));
            &[]
        }
        Tests::None => &[],
    };
    for (at, test) in tests.iter().enumerate() {
        let place = format!("tests[{at}]");
        let test = match test.written() {
            Ok(test) => test,
            Err(file) => {
                left_out.push(format!("{place}: stands in {file}; paste it in"));
                continue;
            }
        };
        match converted(test, &config, (file, at), said, &mut left_out) {
            Ok(made) => {
                assertions += made.iter().map(|it| it.assert.len()).sum::<usize>();
                stories.extend(made);
            }
            Err(why) => left_out.push(format!("{place}: {why}")),
        }
    }
    let tests = stories.len();
    let suite = Suite {
        description: match config.description() {
            Some(text) => format!("Imported from {file}: {text}"),
            None => format!("Imported from {file}"),
        },
        level: "conversation",
        tests: stories,
    };
    Ok(Imported {
        suite: (tests > 0).then(|| written(&suite)).transpose()?,
        tests,
        assertions,
        left_out,
    })
}

/// The suite as YAML, once our own loader has read it.
fn written(suite: &Suite) -> Result<String, String> {
    let yaml = serde_saphyr::to_string(suite).map_err(|error| error.to_string())?;
    let text = format!("# yaml-language-server: $schema=suite.schema.json\n{yaml}");
    let files: Files = [("imported.yaml".to_owned(), text.clone().into())].into();
    let errors = match load::suites(&files, &[]) {
        Ok(suites) => load::check_vars(&suites),
        Err(errors) => errors,
    };
    match errors.first() {
        None => Ok(text),
        Some(error) => Err(format!("what came out cannot be read again: {error}")),
    }
}

fn converted(
    test: &Test,
    config: &Config,
    (file, at): (&str, usize),
    said: Option<&str>,
    left_out: &mut Vec<String>,
) -> Result<Vec<Story>, String> {
    let place = format!("tests[{at}]");
    for key in test.unknown() {
        left_out.push(format!("{place}.{key}: has no counterpart"));
    }
    let mut vars = config.default_test().vars.clone();
    vars.extend(test.vars.clone());
    let all: Vec<_> = config
        .default_test()
        .assert
        .iter()
        .chain(&test.assert)
        .cloned()
        .collect();
    let mut stories = Vec::new();
    let combinations = combinations(&vars)?;
    let several = combinations.len() > 1;
    for (number, vars) in combinations.into_iter().enumerate() {
        let says = said_in(&vars, config, said)?;
        let mut assert = Vec::new();
        for foreign in &all {
            match assertion::convert(foreign, &vars) {
                Ok(ours) => assert.extend(ours),
                Err(why) if number == 0 => {
                    left_out.push(format!("{place}: assertion `{}`: {why}", foreign.name()));
                }
                Err(_) => {}
            }
        }
        if assert.is_empty() {
            return Err("none of its assertions could be converted".to_owned());
        }
        if assert.iter().all(|it| it.kind.ends_with("llm-rubric")) {
            // A model's opinion is never the only gate of a case.
            assert.push(Ours::bare("not-no-send"));
        }
        let id = if several {
            format!("imported-{}-{}", at + 1, number + 1)
        } else {
            format!("imported-{}", at + 1)
        };
        let description = test.description.clone();
        stories.push(Story {
            id,
            why: description.unwrap_or_else(|| format!("As test {} of {file} has it", at + 1)),
            threshold: test.threshold.filter(|it| (0.0..=1.0).contains(it)),
            vars: Vars {
                patient: "tom",
                agreed: true,
                turns: vec![Turn { says }],
            },
            assert,
        });
    }
    Ok(stories)
}

impl Ours {
    fn bare(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            value: Value::Null,
            threshold: None,
            weight: None,
        }
    }
}

/// A variable with a list of values stands for a test with each of them.
fn combinations(vars: &Map<String, Value>) -> Result<Vec<Map<String, Value>>, String> {
    let mut all = vec![vars.clone()];
    for (key, value) in vars {
        let Some(values) = value.as_array() else {
            continue;
        };
        let next: Vec<_> = all
            .iter()
            .flat_map(|vars| {
                values.iter().map(move |value| {
                    let mut one = vars.clone();
                    one.insert(key.clone(), value.clone());
                    one
                })
            })
            .collect();
        if next.is_empty() || next.len() > COMBINATIONS_MAX {
            return Err(format!("`{key}`: lists no value, or too many combinations"));
        }
        all = next;
    }
    Ok(all)
}

/// What the patient writes.
fn said_in(
    vars: &Map<String, Value>,
    config: &Config,
    said: Option<&str>,
) -> Result<String, String> {
    let text = |name: &str| vars.get(name).and_then(Value::as_str).map(str::to_owned);
    let elsewhere = |text: &str| text.starts_with("file://");
    let found = match said {
        Some(name) => text(name).ok_or_else(|| format!("has no variable `{name}`"))?,
        None => {
            let usual = SAID.iter().find_map(|name| text(name));
            let only = || {
                let mut values = vars.values().filter_map(Value::as_str);
                let first = values.next()?;
                values.next().is_none().then(|| first.to_owned())
            };
            let whole = || config.only_prompt().filter(|_| vars.is_empty());
            usual.or_else(only).or_else(whole).ok_or_else(|| {
                let names: Vec<_> = vars.keys().map(String::as_str).collect();
                format!(
                    "which variable is the patient's text? name it with --said; there are {}",
                    if names.is_empty() {
                        "none".to_owned()
                    } else {
                        names.join(", ")
                    }
                )
            })?
        }
    };
    if elsewhere(&found) {
        return Err(format!(
            "what the patient writes stands in {found}; paste it in"
        ));
    }
    Ok(found)
}

/// `{{name}}` filled in; an error where a value is unknown or more than a name stands there.
fn filled(text: &str, vars: &Map<String, Value>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("{{") {
        let (name, after) = tail.split_once("}}").ok_or("a {{ without its }}")?;
        let name = name.trim();
        let value = vars
            .get(name)
            .ok_or_else(|| format!("{{{{{name}}}}} is no plain variable"))?;
        out.push_str(before);
        match value.as_str() {
            Some(text) => out.push_str(text),
            None => out.push_str(&value.to_string()),
        }
        rest = after;
    }
    if rest.contains("{%") {
        return Err("it is a template".to_owned());
    }
    out.push_str(rest);
    Ok(out)
}
