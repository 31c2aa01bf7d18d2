//! The levels: what runs for a case, and what comes out of it.

mod conversation;
mod guardrail;
mod prompt;

use std::time::Instant;

use serde::Deserialize;

use crate::eval::case::{Case, Suite};
use crate::eval::load::vars;
use crate::eval::score::Mark;
use crate::eval::suite::Level;
use crate::guardrail::finding::Verdict;
use crate::guardrail::wire::{self, ContextIn, DetectIn};
use crate::policy::words::Language;
use crate::screen::wire::ScreenRequest;
use crate::screen::{Intent, Pending};

pub(crate) use crate::eval::level::guardrail::again;

use crate::eval::run::Bench;

/// What came out of a case, for its assertions.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What was examined.
    pub(crate) input: String,
    /// What came out: the text that leaves, the intent, the findings.
    pub(crate) output: String,
    /// Texts that left, oldest first.
    pub(crate) sent: Vec<String>,
    /// Texts that left before consent.
    pub(crate) unconsented: Vec<String>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) portal: Option<String>,
    pub(crate) rules: Vec<String>,
    pub(crate) intent: Option<Intent>,
    pub(crate) injection: Option<bool>,
    pub(crate) language: Option<Language>,
    /// Why staff were asked.
    pub(crate) holds: Vec<String>,
    /// Actions in the audit log.
    pub(crate) audit: Vec<String>,
    /// What the model was shown.
    pub(crate) asked: Vec<String>,
    /// The setting, for a second review of what came out.
    pub(crate) context: Option<ContextIn>,
    /// The draft, for a review without consent.
    pub(crate) draft: Option<String>,
    pub(crate) micros: u64,
    /// Assertions inside a story that did not hold.
    pub(crate) missed: Vec<String>,
}

/// The input of the level `detect`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectVars {
    text: String,
}

/// The input of the level `screen`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScreenVars {
    text: String,
    #[serde(default)]
    pending: Option<Pending>,
    #[serde(default = "english")]
    language: Language,
}

const fn english() -> Language {
    Language::En
}

/// Whether the level can read the input of a case.
pub(crate) fn readable(level: Level, case: &Case) -> Result<(), String> {
    match level {
        Level::Detect => vars::<DetectVars>(case).map(drop),
        Level::Screen => vars::<ScreenVars>(case).map(drop),
        Level::Guardrail => guardrail::readable(case),
        Level::Conversation => conversation::readable(case),
        Level::Prompt => prompt::readable(case),
    }
}

/// Runs one case.
pub(crate) fn run(bench: &Bench, suite: &Suite, case: &Case) -> Result<Outcome, String> {
    match suite.level {
        Level::Detect => detect(bench, case),
        Level::Screen => screen(bench, case),
        Level::Guardrail => guardrail::run(bench, case),
        Level::Conversation => conversation::run(bench, suite, case),
        Level::Prompt => prompt::run(bench, suite, case),
    }
}

fn detect(bench: &Bench, case: &Case) -> Result<Outcome, String> {
    let input: DetectVars = vars(case)?;
    let line = DetectIn {
        id: case.id.as_str().into(),
        text: input.text,
    };
    let began = Instant::now();
    let found = wire::detect_line(&bench.guardrail, &line);
    let micros = since(began);
    let marks: Vec<Mark> = found
        .findings
        .iter()
        .map(|it| Mark {
            start: it.start,
            end: it.end,
            category: it.category.to_string(),
            rule: it
                .evidence
                .first()
                .map_or_else(String::new, |it| it.name.to_string()),
            acted: true,
        })
        .collect();
    let output = marks
        .iter()
        .map(|it| it.category.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    Ok(Outcome {
        input: line.text,
        output,
        marks,
        micros,
        ..Outcome::default()
    })
}

fn screen(bench: &Bench, case: &Case) -> Result<Outcome, String> {
    let input: ScreenVars = vars(case)?;
    let request = ScreenRequest {
        id: case.id.as_str().into(),
        text: input.text.clone(),
        pending: input.pending,
        language: input.language,
    };
    let began = Instant::now();
    let read = request.answer(&bench.screen);
    let micros = since(began);
    Ok(Outcome {
        input: input.text,
        output: read.intent.to_string(),
        intent: Some(read.intent),
        injection: Some(read.injection),
        language: Some(read.language),
        rules: read.rules.iter().map(ToString::to_string).collect(),
        micros,
        ..Outcome::default()
    })
}

pub(crate) fn since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}
