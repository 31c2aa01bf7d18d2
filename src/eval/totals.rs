//! Totals: how many cases there are of each level and suite, and how many of them are harmless.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::eval::case::{Case, Suite};
use crate::eval::suite::{Kind, Level};

/// How many cases, by what they want.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// All of them, each combination of a matrix for one.
    pub cases: usize,
    /// As they are written down, a matrix counted once.
    pub written: usize,
    /// Something is there and must be acted upon.
    pub must_act: usize,
    /// Nothing is there; acting would be wrong.
    pub harmless: usize,
    /// Of the written ones, those that are harmless.
    pub written_harmless: usize,
    /// Set aside for now.
    pub set_aside: usize,
}

/// The total of one suite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuiteTotal {
    /// What it puts to the test.
    pub level: Level,
    /// What it shows.
    pub description: String,
    /// How many.
    #[serde(flatten)]
    pub total: Total,
}

/// The totals of suites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// By level, those with cases.
    pub levels: BTreeMap<Level, Total>,
    /// By suite.
    pub suites: BTreeMap<String, SuiteTotal>,
    /// Of everything.
    pub all: Total,
}

impl Total {
    fn add(&mut self, case: &Case, first: bool) {
        self.cases += 1;
        self.written += usize::from(first);
        self.set_aside += usize::from(case.quarantine.is_some());
        match case.kind {
            Some(Kind::MustAct) => self.must_act += 1,
            Some(Kind::Harmless) => {
                self.harmless += 1;
                self.written_harmless += usize::from(first);
            }
            None => {}
        }
    }
}

impl Totals {
    /// Counts.
    pub fn of(suites: &[Suite]) -> Self {
        let mut totals = Self {
            levels: BTreeMap::new(),
            suites: BTreeMap::new(),
            all: Total::default(),
        };
        for suite in suites {
            let mut met = BTreeSet::new();
            let level = totals.levels.entry(suite.level).or_default();
            let mut own = Total::default();
            for case in &suite.cases {
                let first = met.insert((&case.file, case.line));
                level.add(case, first);
                own.add(case, first);
                totals.all.add(case, first);
            }
            let own = SuiteTotal {
                level: suite.level,
                description: suite.description.clone(),
                total: own,
            };
            totals.suites.insert(suite.name.clone(), own);
        }
        totals
    }

    /// For people: a table by level, then one by suite.
    pub fn told(&self) -> String {
        let wide = self.suites.keys().map(|it| it.chars().count()).max();
        let wide = wide.unwrap_or_default().max("conversation".len());
        let head = ["cases", "must act", "harmless", "share", "aside"];
        let mut out = line(wide, ("suite", "level"), head, "what it shows");
        let mut row = |name: &str, level: &str, it: &Total, shows: &str| {
            let numbers = [it.cases, it.must_act, it.harmless].map(|it| it.to_string());
            let [cases, must_act, harmless] = &numbers;
            let share = share(it.harmless, it.cases);
            let aside = it.set_aside.to_string();
            let cells: [&str; 5] = [cases, must_act, harmless, &share, &aside];
            out.push_str(&line(wide, (name, level), cells, shows));
        };
        for (name, it) in &self.suites {
            row(name, it.level.as_str(), &it.total, &it.description);
        }
        for (level, total) in &self.levels {
            row("all", level.as_str(), total, "");
        }
        row("all", "", &self.all, "");
        out
    }
}

fn line(
    wide: usize,
    (name, level): (&str, &str),
    [cases, must_act, harmless, share, aside]: [&str; 5],
    shows: &str,
) -> String {
    let line = format!(
        "{name:wide$}  {level:12}  {cases:>5}  {must_act:>8}  {harmless:>8}  {share:>5}  {aside:>5}  {shows}"
    );
    line.trim_end().to_owned() + "\n"
}

/// Whole hundredths, rounded down: a third is never claimed that is not there.
fn share(part: usize, of: usize) -> String {
    match (100 * part).checked_div(of) {
        Some(share) => format!("{share} %"),
        None => "-".to_owned(),
    }
}
