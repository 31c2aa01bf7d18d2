//! Scores: what became of each case, and the shares with their intervals.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use crate::domain::share::Share;
use crate::eval::inventory::Inventory;
use crate::eval::models::Judgement;
use crate::eval::suite::{Kind, Level};
use crate::policy::words::vocabulary;

vocabulary! {
    /// What became of a case.
    Status, "status" {
        /// Every assertion held.
        Passed = "passed",
        /// One did not.
        Failed = "failed",
        /// No verdict: an error on the way.
        Error = "error",
        /// Set aside by its quarantine.
        Skipped = "skipped",
    }
}

/// A stretch of a text, in code points, end-exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// The category.
    pub category: String,
    /// The rule.
    pub rule: String,
    /// Whether anything was done about it.
    pub acted: bool,
}

/// What became of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// The suite.
    pub suite: String,
    /// The case.
    pub id: String,
    /// Where it is written.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// What was put to the test.
    pub level: Level,
    /// The row of the tables.
    pub category: String,
    /// `en` or `es`.
    pub language: String,
    /// Must act, harmless, or neither.
    pub kind: Option<Kind>,
    /// Whether the guardrail or the screen acted; none where that is no question.
    pub acted: Option<bool>,
    /// What became of it.
    pub status: Status,
    /// Share of the assertions' weight that held.
    pub score: f64,
    /// Assertions that did not hold, or the error.
    pub reasons: Vec<String>,
    /// Why the expectation is right.
    pub why: String,
    /// The text or draft that was examined.
    pub input: String,
    /// What was found in it.
    pub marks: Vec<Mark>,
    /// Rules of the policy that the case names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    /// What came out.
    pub output: String,
    /// Microseconds of the part under test.
    pub micros: u64,
    /// Repeats that agreed with the status, of how many.
    pub agreement: (u32, u32),
    /// What a judging model said, where one was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judgements: Vec<Judgement>,
}

/// The figures of one row of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Cases that were examined, and how many held.
    pub passed: Share,
    /// Of those that had to be acted upon, how many were.
    pub recall: Share,
    /// Of the harmless ones, how many were acted upon all the same.
    pub false_holds: Share,
}

impl Figures {
    pub(crate) fn add(&mut self, score: &Score) {
        if matches!(score.status, Status::Skipped | Status::Error) {
            return;
        }
        self.passed.add(score.status == Status::Passed);
        match (score.kind, score.acted) {
            (Some(Kind::MustAct), Some(acted)) => self.recall.add(acted),
            (Some(Kind::Harmless), Some(acted)) => self.false_holds.add(acted),
            _ => {}
        }
    }
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Every assertion held.
    pub passed: usize,
    /// One did not.
    pub failed: usize,
    /// No verdict.
    pub errors: usize,
    /// Set aside.
    pub skipped: usize,
}

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// The digest of the policy that judged.
    pub policy: String,
    /// What the policy consists of.
    #[serde(skip)]
    pub inventory: Inventory,
    /// A digest of the cases that were asked for.
    pub cases: String,
    /// How many cases were asked for, by suite.
    pub asked: BTreeMap<String, usize>,
    /// When it began.
    pub at: String,
    /// Broken off before its end.
    pub partial: bool,
    /// How long it took.
    pub seconds: f64,
    /// In the order of suites and files.
    pub scores: Vec<Score>,
}

impl Run {
    /// How many cases ended how.
    pub fn count(&self) -> Count {
        let mut count = Count::default();
        for score in &self.scores {
            match score.status {
                Status::Passed => count.passed += 1,
                Status::Failed => count.failed += 1,
                Status::Error => count.errors += 1,
                Status::Skipped => count.skipped += 1,
            }
        }
        count
    }

    /// Whether every case of a suite ran.
    pub fn ran_whole(&self, suite: &str) -> bool {
        let ran = self.scores.iter().filter(|it| it.suite == suite).count();
        self.asked.get(suite).is_some_and(|asked| *asked == ran)
    }

    /// The figures by suite.
    pub fn by_suite(&self) -> BTreeMap<String, Figures> {
        self.by(|score| score.suite.clone())
    }

    /// The figures by category and language: the rows that a baseline holds.
    pub fn by_category(&self) -> BTreeMap<(String, String), Figures> {
        let mut rows: BTreeMap<(String, String), Figures> = BTreeMap::new();
        for score in &self.scores {
            let key = (score.category.clone(), score.language.clone());
            rows.entry(key).or_default().add(score);
        }
        rows
    }

    fn by(&self, key: impl Fn(&Score) -> String) -> BTreeMap<String, Figures> {
        let mut rows: BTreeMap<String, Figures> = BTreeMap::new();
        for score in &self.scores {
            rows.entry(key(score)).or_default().add(score);
        }
        rows
    }
}
