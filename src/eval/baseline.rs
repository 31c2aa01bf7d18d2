//! The baseline: figures that were good enough, and whether a run falls behind them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::eval::inventory::{Inventory, lost};
use crate::eval::score::{Figures, Run, Share};

/// How far a category's recall may fall and its false holds may rise before a run fails. Nothing
/// at all: the cases are the same and the guardrail is deterministic, so any change is one.
pub const TOLERANCE: f64 = 0.0;

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
    /// By `category language`.
    pub rows: BTreeMap<String, Figures>,
    /// What the policy consisted of.
    pub inventory: Inventory,
}

/// What changed in one row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `category language`.
    pub row: String,
    /// `recall`, `false_holds`, `missing` or `new`.
    pub what: &'static str,
    /// Before.
    pub before: Share,
    /// Now.
    pub now: Share,
    /// Beyond the bound: the run fails.
    pub worse: bool,
}

impl Baseline {
    /// The figures of a run.
    pub fn of(run: &Run) -> Self {
        Self {
            policy: run.policy.clone(),
            cases: run.cases.clone(),
            recall_may_fall: TOLERANCE,
            false_holds_may_rise: TOLERANCE,
            rows: rows(run),
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

    /// As a file, with one row a line.
    pub fn to_json(&self) -> String {
        let pretty = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{pretty}\n")
    }

    /// What has left the policy since, or was changed in it, as a sentence each.
    pub fn lost(&self, run: &Run) -> Vec<String> {
        lost(&self.inventory, &run.inventory)
    }

    /// What is better or worse than here. A run of some suites is compared on their rows only.
    pub fn changes(&self, run: &Run, whole: bool) -> Vec<Change> {
        let now = rows(run);
        let mut changes = Vec::new();
        for (row, before) in &self.rows {
            let Some(now) = now.get(row) else {
                if whole {
                    let of = before.passed;
                    changes.push(change(row, "missing", of, Share::default(), true));
                }
                continue;
            };
            let fell = ratio(before.recall) - ratio(now.recall);
            if before.recall != now.recall {
                let worse = beyond(fell, self.recall_may_fall) || now.recall.of < before.recall.of;
                changes.push(change(
                    row,
                    "recall",
                    before.recall,
                    now.recall,
                    worse && whole || beyond(fell, self.recall_may_fall),
                ));
            }
            let rose = ratio_low(now.false_holds) - ratio_low(before.false_holds);
            if before.false_holds != now.false_holds {
                let worse = beyond(rose, self.false_holds_may_rise);
                changes.push(change(
                    row,
                    "false_holds",
                    before.false_holds,
                    now.false_holds,
                    worse,
                ));
            }
        }
        for (row, figures) in &now {
            if !self.rows.contains_key(row) {
                changes.push(change(row, "new", Share::default(), figures.passed, false));
            }
        }
        changes
    }
}

fn change(row: &str, what: &'static str, before: Share, now: Share, worse: bool) -> Change {
    Change {
        row: row.to_owned(),
        what,
        before,
        now,
        worse,
    }
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

fn rows(run: &Run) -> BTreeMap<String, Figures> {
    run.by_category()
        .into_iter()
        .map(|((category, language), figures)| (format!("{category} {language}"), figures))
        .collect()
}
