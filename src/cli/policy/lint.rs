//! `policy lint`: what is missing or old in the law files and the fixed texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::Date;

use crate::agent::texts::{TextContext, Texts};
use crate::cli::guardrail::texts_nowhere;
use crate::policy::law::file::LawRule;
use crate::policy::law::terms::{Basis, Kind, Standing};
use crate::policy::law::{Law, states};

/// Days after which a rule should have been looked at again, and after which it must have been.
const STALE: (i64, i64) = (180, 365);

/// What is worth a look though nothing is wrong, by kind.
const UNVERIFIED: &str = "not verified: from memory or of low confidence; `policy show` marks each";
const UNTESTED: &str = "no example names it: add a [[test]]";
const OLD: &str = "last reviewed more than half a year ago: look at it again";
const GAPS: &str =
    "it ended and nothing of its kind took its place: add what is law now, or a status rule";
const OVERLAPS: &str = "two rules say the same at the same time: keep one";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<String>,
    /// By what is the matter, then by file.
    pub(super) warnings: BTreeMap<&'static str, BTreeMap<String, Vec<String>>>,
    pub(super) examined: usize,
}

impl Report {
    fn warn(&mut self, what: &'static str, rule: &LawRule, more: &str) {
        let of_file = self.warnings.entry(what).or_default();
        let list = of_file.entry(rule.place.0.to_string()).or_default();
        list.push(format!("{}:{}{more}", rule.place.1, rule.id));
    }

    /// How many warnings there are.
    pub(super) fn warned(&self) -> usize {
        let lists = self.warnings.values().flat_map(BTreeMap::values);
        lists.map(Vec::len).sum()
    }

    /// The warnings, a line for each kind, and with `all` one for each file with line and rule.
    pub(super) fn told(&self, all: bool) -> String {
        let mut out = String::new();
        for (what, files) in &self.warnings {
            let count: usize = files.values().map(Vec::len).sum();
            let _infallible = writeln!(out, "warning  {count} rules, {what}");
            for (file, rules) in files.iter().filter(|_| all) {
                let _infallible = writeln!(out, "         {file}: {}", rules.join(", "));
            }
        }
        out
    }
}

/// Looks at all of it.
pub(super) fn lint(law: &Law, today: Date) -> Report {
    let mut report = Report {
        examined: law.rules().count(),
        ..Report::default()
    };
    for state in states().filter(|state| law.file(*state).is_none()) {
        report.errors.push(format!(
            "states/{state}.toml: there is no file; add one that says when it was looked at"
        ));
    }
    if let Err(error) = law.run_examples() {
        report.errors.push(error.to_string());
    }
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for example in law.files().iter().flat_map(|file| &file.examples) {
        let expect = &example.expect;
        let all = [
            &expect.rules,
            &expect.not_rules,
            &expect.active,
            &expect.inactive,
        ];
        named.extend(all.into_iter().flatten().map(String::as_str));
    }
    for rule in law.rules() {
        of_rule(rule, today, named.contains(&*rule.id), &mut report);
    }
    gaps(law, today, &mut report);
    overlaps(law, &mut report);
    match Texts::embedded() {
        Ok(texts) => {
            for (id, language) in texts.over_budget(&TextContext::sample()) {
                report.errors.push(format!(
                    "prompts/{language}/texts.toml: {id}: over its budget of GSM-7 septets; shorten it"
                ));
            }
        }
        // Missing translations, unknown placeholders, characters outside GSM-7.
        Err(error) => report.errors.push(error.to_string()),
    }
    report
}

fn of_rule(rule: &LawRule, today: Date, named: bool, report: &mut Report) {
    let place = format!("{}:{}: {}", rule.place.0, rule.place.1, rule.id);
    let law = matches!(rule.basis, Basis::Statute | Basis::Regulation);
    if !named && rule.kind() != Kind::Status {
        if law {
            report.errors.push(format!("{place}: {UNTESTED}"));
        } else {
            report.warn(UNTESTED, rule, "");
        }
    }
    let age = today
        .since(rule.last_reviewed)
        .map_or(0, |span| i64::from(span.get_days()));
    if age > STALE.1 {
        report.errors.push(format!(
            "{place}: last reviewed {age} days ago; look at it again"
        ));
    } else if age > STALE.0 {
        report.warn(OLD, rule, &format!(" ({age} days)"));
    }
    if law && rule.standing() == Standing::Unverified {
        report.warn(UNVERIFIED, rule, "");
    }
    for text in texts_nowhere(rule) {
        report.errors.push(format!(
            "{place}: there is no fixed text `{text}`; add it to prompts/en and prompts/es"
        ));
    }
}

/// Rules that ended, with no other of their kind in their jurisdiction from the next day on.
fn gaps(law: &Law, today: Date, report: &mut Report) {
    for rule in law.rules() {
        let Some(next) = rule.until.and_then(|until| until.tomorrow().ok()) else {
            continue;
        };
        let follows = law.rules().any(|other| {
            other.id != rule.id
                && other.jurisdiction == rule.jurisdiction
                && other.kind() == rule.kind()
                && other.in_force(next)
        });
        if next <= today && !follows {
            report.warn(GAPS, rule, &format!(" (ended before {next})"));
        }
    }
}

/// Two rules of one jurisdiction that say the same at the same time.
fn overlaps(law: &Law, report: &mut Report) {
    for file in law.files() {
        for (at, rule) in file.rules.iter().enumerate() {
            let twin = file.rules.iter().skip(at + 1).find(|other| {
                let together = other.until.is_none_or(|until| rule.effective <= until)
                    && rule.until.is_none_or(|until| other.effective <= until);
                together
                    && other.effective == rule.effective
                    && other.params == rule.params
                    && other.practice_type == rule.practice_type
            });
            if let Some(twin) = twin {
                report.warn(OVERLAPS, rule, &format!(" = {}", twin.id));
            }
        }
    }
}
