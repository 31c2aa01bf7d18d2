//! The level `prompt`: a prompt's wording by itself, or the answer that a model gives under it.

use std::time::Instant;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::eval::case::{Case, Suite};
use crate::eval::level::guardrail::reviewed;
use crate::eval::level::{Outcome, since};
use crate::eval::load::vars;
use crate::eval::run::Bench;
use crate::guardrail::wire::ContextIn;
use crate::policy::words::Language;

/// The input of a prompt's case: a wording (`prompt`, with its values), or what a patient says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptVars {
    /// The name of a file under `prompts/`, without `.tera`; the suite's first one without it.
    #[serde(default)]
    prompt: Option<String>,
    #[serde(default = "english")]
    language: Language,
    /// Another wording in its place, checked as one that staff would publish.
    #[serde(default)]
    source: Option<String>,
    /// Values that differ from the prompt's sample.
    #[serde(default)]
    values: Map<String, Value>,
    /// The setting in which the wording is reviewed.
    context: ContextIn,
}

const fn english() -> Language {
    Language::En
}

pub(super) fn readable(case: &Case) -> Result<(), String> {
    vars::<PromptVars>(case).map(drop)
}

pub(super) fn run(bench: &Bench, suite: &Suite, case: &Case) -> Result<Outcome, String> {
    let input: PromptVars = vars(case)?;
    let name = input
        .prompt
        .as_deref()
        .or_else(|| suite.prompts.first().map(String::as_str))
        .ok_or("name a prompt: `prompt` in vars, or `prompts` in the suite")?;
    let began = Instant::now();
    let prompts = bench.wording.prompts().map_err(ToString::to_string)?;
    let text = prompts
        .preview(name, input.language, input.source.as_deref(), &input.values)
        .map_err(|error| error.to_string())?;
    let rendered = since(began);
    let context = ContextIn {
        language: input.language,
        ..input.context
    };
    let mut outcome = reviewed(bench, &text, context);
    outcome.micros += rendered;
    Ok(outcome)
}
