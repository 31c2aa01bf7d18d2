//! The baseline: figures that were good enough, and whether a run falls behind them. They are kept
//! by suite, so that a run of some suites is held against those suites and no others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::eval::inventory::{Inventory, lost};
use crate::eval::score::{Figures, Run, Share};

/// How far a category's recall may fall and its false holds may rise before a run fails. Nothing
/// at all: the cases are the same and the guardrail is deterministic, so any change is one.
pub const TOLERANCE: f64 = 0.0;

/// The figures of a suite, by `category language`.
pub type Rows = BTreeMap<String, Figures>;

/// The committed figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The policy that they were measured with.
    pub policy: String,
    /// The cases that they were measured on.
    pub cases: String,
    /// How far recall may fall, as a share.
    pub recall_may_fall: f64,
    /// How far the share of false holds may rise.
    pub false_holds_may_rise: f64,
    /// By suite, then by `category language`.
    pub suites: BTreeMap<String, Rows>,
    /// What the policy consisted of.
    pub inventory: Inventory,
}

/// What changed in one row, or in a whole suite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The suite.
    pub suite: String,
    /// `category language`; none where it is the whole suite.
    pub row: Option<String>,
    /// `recall`, `false_holds`, `missing` or `new`.
    pub what: &'static str,
    /// Before.
    pub before: Share,
    /// Now.
    pub now: Share,
    /// Beyond the bound: the run fails.
    pub worse: bool,
}

impl Change {
    /// What it is about: `clinical: lab en`, or the suite alone.
    pub fn place(&self) -> String {
        match &self.row {
            Some(row) => format!("{}: {row}", self.suite),
            None => self.suite.clone(),
        }
    }
}

/// How much of the suites a run was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of them: one that is not there is missing.
    Whole,
    /// Some of them.
    Part,
    /// Cases that no suite holds as they are, so that no figure can be compared.
    Other,
}

impl Baseline {
    /// The figures of a run.
    pub fn of(run: &Run) -> Self {
        Self {
            policy: run.policy.clone(),
            cases: run.cases.clone(),
            recall_may_fall: TOLERANCE,
            false_holds_may_rise: TOLERANCE,
            suites: by_suite(run),
            inventory: run.inventory.clone(),
        }
    }

    /// Reads a baseline file; an error says how to mend it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text)
            .map_err(|error| format!("{error}; renew it with `anteroom eval --write-baseline`"))?;
        let bounds = [read.recall_may_fall, read.false_holds_may_rise];
        if bounds.iter().any(|it| !(0.0..=1.0).contains(it)) {
            return Err("its bounds are shares between 0 and 1".to_owned());
        }
        Ok(read)
    }

    /// As a file, with one row a line, so that a change of one row is a change of one line.
    pub fn to_json(&self) -> String {
        let suites = self.suites.iter().map(|(suite, rows)| {
            let rows = rows.iter().map(|(row, figures)| line(3, row, figures));
            format!("    {}: {}", quoted(suite), braced(2, rows))
        });
        let inventory = self.inventory.iter().map(|(name, is)| line(2, name, is));
        let fields = [
            line(1, "policy", &self.policy),
            line(1, "cases", &self.cases),
            line(1, "recall_may_fall", &self.recall_may_fall),
            line(1, "false_holds_may_rise", &self.false_holds_may_rise),
            format!("  \"suites\": {}", braced(1, suites)),
            format!("  \"inventory\": {}", braced(1, inventory)),
        ];
        braced(0, fields.into_iter()) + "\n"
    }

    /// What has left the policy since, or was changed in it, as a sentence each.
    pub fn lost(&self, run: &Run) -> Vec<String> {
        lost(&self.inventory, &run.inventory)
    }

    /// What is better or worse than here. A suite is compared only where all of its cases ran.
    pub fn changes(&self, run: &Run, extent: Extent) -> Vec<Change> {
        let mut changes = Vec::new();
        if extent == Extent::Other {
            return changes;
        }
        let now = by_suite(run);
        for (suite, before) in &self.suites {
            match now.get(suite) {
                Some(now) if run.ran_whole(suite) => self.compare(suite, before, now, &mut changes),
                None if extent == Extent::Whole => {
                    let shares = (passed(before), Share::default());
                    changes.push(change((suite, None), "missing", shares, true));
                }
                Some(_) | None => {}
            }
        }
        for (suite, rows) in &now {
            if !self.suites.contains_key(suite) && run.ran_whole(suite) {
                let shares = (Share::default(), passed(rows));
                changes.push(change((suite, None), "new", shares, false));
            }
        }
        changes
    }

    fn compare(&self, suite: &str, before: &Rows, now: &Rows, changes: &mut Vec<Change>) {
        for (row, before) in before {
            let place = (suite, Some(row.as_str()));
            let Some(now) = now.get(row) else {
                let shares = (before.passed, Share::default());
                changes.push(change(place, "missing", shares, true));
                continue;
            };
            if before.recall != now.recall {
                let fell = ratio(before.recall) - ratio(now.recall);
                let fewer = now.recall.of < before.recall.of;
                let worse = fewer || beyond(fell, self.recall_may_fall);
                changes.push(change(place, "recall", (before.recall, now.recall), worse));
            }
            if before.false_holds != now.false_holds {
                let rose = ratio_low(now.false_holds) - ratio_low(before.false_holds);
                let worse = beyond(rose, self.false_holds_may_rise);
                let shares = (before.false_holds, now.false_holds);
                changes.push(change(place, "false_holds", shares, worse));
            }
        }
        for (row, figures) in now.iter().filter(|(row, _)| !before.contains_key(*row)) {
            let shares = (Share::default(), figures.passed);
            changes.push(change((suite, Some(row)), "new", shares, false));
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn line(depth: usize, name: &str, value: &impl Serialize) -> String {
    let value = serde_json::to_string(value).unwrap_or_default();
    format!("{}{}: {value}", "  ".repeat(depth), quoted(name))
}

fn braced(depth: usize, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return "{}".to_owned();
    }
    format!("{{\n{}\n{}}}", lines.join(",\n"), "  ".repeat(depth))
}

fn change(
    (suite, row): (&str, Option<&str>),
    what: &'static str,
    (before, now): (Share, Share),
    worse: bool,
) -> Change {
    Change {
        suite: suite.to_owned(),
        row: row.map(str::to_owned),
        what,
        before,
        now,
        worse,
    }
}

/// How many cases of a suite held.
fn passed(rows: &Rows) -> Share {
    let mut all = Share::default();
    for figures in rows.values() {
        all.hits += figures.passed.hits;
        all.of += figures.passed.of;
    }
    all
}

fn beyond(step: f64, bound: f64) -> bool {
    step > bound + 1e-9
}

/// Nothing to find counts as all found.
fn ratio(share: Share) -> f64 {
    share.ratio().unwrap_or(1.0)
}

/// Nothing harmless counts as nothing held.
fn ratio_low(share: Share) -> f64 {
    share.ratio().unwrap_or(0.0)
}

fn by_suite(run: &Run) -> BTreeMap<String, Rows> {
    let mut suites: BTreeMap<String, Rows> = BTreeMap::new();
    for score in &run.scores {
        let row = format!("{} {}", score.category, score.language);
        let rows = suites.entry(score.suite.clone()).or_default();
        rows.entry(row).or_default().add(score);
    }
    suites
}
