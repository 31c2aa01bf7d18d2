//! Cases: one text, draft or story, what is expected of it, and why.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::eval::assertion::{Assertion, Check};
use crate::eval::suite::{Kind, Level, Quarantine};
use crate::guardrail::finding::Verdict;
use crate::screen::Intent;

/// A suite with its defaults worked into its cases.
#[derive(Debug)]
pub struct Suite {
    /// The file's path without its ending, which no other suite has: what a run is asked for by.
    pub name: String,
    /// Its path as given.
    pub file: Arc<str>,
    /// What it shows.
    pub description: String,
    /// What is put to the test.
    pub level: Level,
    /// The models, for levels that ask one.
    pub providers: Vec<String>,
    /// The prompts, for the level `prompt`.
    pub prompts: Vec<String>,
    /// In the order of the file.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique within its suite.
    pub id: String,
    /// Where it is written.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// What it shows.
    pub description: String,
    /// Why the expectation is right.
    pub why: String,
    /// The row of the tables.
    pub category: String,
    /// `en` or `es`.
    pub language: String,
    /// Must act, harmless, or neither.
    pub kind: Option<Kind>,
    /// Its own input, the suite's defaults below it.
    pub vars: Map<String, Value>,
    /// What must hold.
    pub assertions: Vec<Assertion>,
    /// Share of the assertions' weight that must hold.
    pub threshold: Option<f64>,
    /// Set aside for now.
    pub quarantine: Option<Quarantine>,
}

impl Case {
    /// The rules of the policy that the case expects by name.
    pub(crate) fn rules(&self) -> Vec<String> {
        let expected = self.assertions.iter().filter(|it| !it.negated);
        let named = expected.filter_map(|it| {
            let Check::RuleFired(rules) = &it.check else {
                return None;
            };
            Some(rules)
        });
        named.flatten().cloned().collect()
    }
}

/// What the assertions of a case say of its kind, when its metadata does not.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others say nothing of the kind"
)]
pub(crate) fn kind_of(assertions: &[Assertion]) -> Option<Kind> {
    for assertion in assertions.iter().filter(|it| !it.negated) {
        let kind = match &assertion.check {
            Check::Verdict(Verdict::Pass) | Check::NothingFound | Check::Injection(false) => {
                Kind::Harmless
            }
            Check::Verdict(_)
            | Check::Finds(..)
            | Check::CategoryFound(_)
            | Check::Injection(true) => Kind::MustAct,
            Check::Intent(intents) if intents.iter().copied().all(acts) => Kind::MustAct,
            Check::Intent(intents) if !intents.iter().copied().any(acts) => Kind::Harmless,
            _ => continue,
        };
        return Some(kind);
    }
    None
}

/// Whether an intent is one that must not be missed.
pub(crate) const fn acts(intent: Intent) -> bool {
    matches!(
        intent,
        Intent::Emergency | Intent::Crisis | Intent::Poison | Intent::OptOut
    )
}

/// The row of the tables that the assertions suggest.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others name no row")]
pub(crate) fn category_of(assertions: &[Assertion]) -> Option<String> {
    assertions.iter().find_map(|it| match &it.check {
        Check::CategoryFound(categories) => categories.first().map(ToString::to_string),
        Check::Finds(_, Some(category)) => Some(category.to_string()),
        Check::Intent(intents) => intents.first().map(ToString::to_string),
        Check::Injection(true) => Some("injection".to_owned()),
        _ => None,
    })
}
