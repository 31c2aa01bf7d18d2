//! `policy lint`: what is missing or old in the law files and the fixed texts.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::agent::texts::{TextContext, TextId, Texts};
use crate::policy::law::file::LawRule;
use crate::policy::law::terms::{Basis, Kind, Standing};
use crate::policy::law::{Law, states};

/// Days after which a rule should have been looked at again, and after which it must have been.
const STALE: (i64, i64) = (180, 365);

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) errors: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) examined: usize,
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
    overlaps(law, &mut report);
    match Texts::embedded() {
        Ok(texts) => {
            for (id, language) in texts.over_budget(&TextContext::sample()) {
                report.errors.push(format!("prompts/{language}/texts.toml: {id}: over its budget of GSM-7 septets; shorten it"));
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
        let message = format!("{place}: no example names it; add a [[test]]");
        if law {
            report.errors.push(message);
        } else {
            report.warnings.push(message);
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
        report
            .warnings
            .push(format!("{place}: last reviewed {age} days ago"));
    }
    if rule.until.is_some_and(|until| until < today) {
        report
            .warnings
            .push(format!("{place}: ended; has anything taken its place?"));
    }
    if law && rule.standing() == Standing::Unverified {
        report.warnings.push(format!(
            "{place}: {}; nobody has verified it",
            rule.confidence
        ));
    }
    for text in rule.params.text_ids() {
        if text.as_str().parse::<TextId>().is_err() {
            report.errors.push(format!(
                "{place}: there is no fixed text `{text}`; add it to prompts/en and prompts/es"
            ));
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
                report.warnings.push(format!(
                    "{}:{}: {} says what {} says; keep one",
                    rule.place.0, rule.place.1, rule.id, twin.id
                ));
            }
        }
    }
}
