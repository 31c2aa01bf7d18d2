//! `policy diff`: which rules differ between two policies, and which stored messages they judge
//! otherwise. No word of a message is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use tokio_util::task::TaskTracker;

use crate::cli::assemble::{open_store, sample_practice};
use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, refuse};
use crate::config::Loaded;
use crate::domain::conversation::OutboxRow;
use crate::domain::message::OutboundKind;
use crate::domain::practice::Practice;
use crate::guardrail::review::Guardrail;
use crate::policy::Policy;
use crate::policy::law::file::LawRule;
use crate::policy::law::terms::Kind;
use crate::policy::law::{Law, Whereabouts};
use crate::policy::words::Jurisdiction;

/// How each rule of one law differs in the other.
fn changed(a: &Law, b: &Law) -> BTreeMap<String, &'static str> {
    let same = |one: &LawRule, other: &LawRule| {
        let place = one.place.clone();
        LawRule {
            place,
            ..other.clone()
        } == *one
    };
    let mut found = BTreeMap::new();
    for rule in a.rules() {
        let how = match b.rule(&rule.id) {
            None => "removed",
            Some(other) if !same(rule, other) => "changed",
            Some(_) => continue,
        };
        found.insert(rule.id.to_string(), how);
    }
    let added = b.rules().filter(|rule| a.rule(&rule.id).is_none());
    found.extend(added.map(|rule| (rule.id.to_string(), "added")));
    found
}

/// How each list of words differs in size; lists of equal size may differ all the same.
fn lists(a: &Policy, b: &Policy) -> Vec<String> {
    let sizes = |policy: &Policy| -> BTreeMap<String, usize> {
        policy.lists().map(|(it, n)| (it.to_owned(), n)).collect()
    };
    let (a, b) = (sizes(a), sizes(b));
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let size = |of: &BTreeMap<String, usize>, name: &str| of.get(name).copied().unwrap_or(0);
    names
        .into_iter()
        .filter(|name| size(&a, name) != size(&b, name))
        .map(|name| format!("{name}: {} -> {} terms", size(&a, name), size(&b, name)))
        .collect()
}

/// Prints which rules and lists differ.
pub(super) fn rules(a: &Policy, b: &Policy) -> u8 {
    let found = changed(a.law(), b.law());
    for (id, how) in &found {
        let of = |law: &Law| {
            let rule = law.rule(id);
            rule.map(|it| format!("{} ({}, from {})", it.summary, it.cite, it.effective))
                .unwrap_or_default()
        };
        println!("{how:<8} {id}");
        if *how != "added" {
            println!("    - {}", of(a.law()));
        }
        if *how != "removed" {
            println!("    + {}", of(b.law()));
        }
    }
    for list in lists(a, b) {
        println!("list     {list}");
    }
    let (before, after) = (a.digest(), b.digest());
    eprintln!(
        "{} rules of law differ; law and lists {before} -> {after}",
        found.len()
    );
    if before == after { HOLDS } else { FINDINGS }
}

/// Prints which rules differ, then which of the newest stored messages they judge otherwise.
pub(super) async fn messages(loaded: &Loaded, a: Policy, b: Policy, limit: u32) -> u8 {
    let code = rules(&a, &b);
    let found = changed(a.law(), b.law());
    let (Ok(a), Ok(b)) = (Guardrail::new(Arc::new(a)), Guardrail::new(Arc::new(b))) else {
        return refuse("the built-in rules of the guardrail cannot be read");
    };
    let tracker = TaskTracker::new();
    let store = match open_store(&loaded.config, &tracker).await {
        Ok(store) => store,
        Err(error) => return refuse(&error),
    };
    let rows = match store.outbox_newest(limit).await {
        Ok(rows) => rows,
        Err(error) => {
            eprintln!("anteroom: {error}");
            return NO_VERDICT;
        }
    };
    let sample = sample_practice().ok();
    let practices = || loaded.config.practice.iter().chain(&sample);
    let (mut touched, mut otherwise) = (0, 0);
    for row in &rows {
        let practice = practices().find(|it| it.id == row.practice);
        let mut why = bearing(row, practice, (&a, &b), &found);
        let found = finds(row, &a, &b);
        otherwise += usize::from(!found.is_empty());
        why.extend(found);
        if why.is_empty() {
            continue;
        }
        touched += 1;
        let state = row.law.state.unwrap_or(Jurisdiction::UNKNOWN);
        let day = row.at.strftime("%Y-%m-%d");
        let (id, kind, of) = (row.id, row.kind, &row.practice);
        println!(
            "message  {id} ({kind}, {of}, {state}, {day}): {}",
            why.join("; ")
        );
    }
    let total = rows.len();
    eprintln!(
        "{otherwise} of {total} stored messages would be judged otherwise; what differs bears on {touched}"
    );
    code
}

/// The rules that differ and bear on texts of this kind, of this patient, on that day.
fn bearing(
    row: &OutboxRow,
    practice: Option<&Practice>,
    (a, b): (&Guardrail, &Guardrail),
    found: &BTreeMap<String, &'static str>,
) -> Vec<String> {
    let at = Whereabouts {
        practice: practice.map_or(Jurisdiction::UNKNOWN, |it| it.state),
        residence: row.law.state.unwrap_or(Jurisdiction::UNKNOWN),
        practice_type: practice.map_or("", |it| &it.kind),
        day: row.at.to_zoned(TimeZone::UTC).date(),
    };
    let begun = matches!(row.kind, OutboundKind::Initiated | OutboundKind::Invitation);
    let bears = |rule: &&LawRule| match rule.kind() {
        Kind::Consent
        | Kind::OptOut
        | Kind::OptOutScope
        | Kind::ContentBlock
        | Kind::ProhibitAi
        | Kind::Disclosure
        | Kind::Route
        | Kind::Language
        | Kind::Exemption => true,
        Kind::SendWindow | Kind::FrequencyCap => begun,
        Kind::Authorization
        | Kind::Deadline
        | Kind::Retention
        | Kind::DataResidency
        | Kind::Workforce
        | Kind::Status => false,
    };
    let (a, b) = (a.law().applying(at), b.law().applying(at));
    let ids: BTreeSet<&str> = a
        .into_iter()
        .chain(b)
        .filter(bears)
        .map(|it| &*it.id)
        .collect();
    let differs = |id: &str| found.get(id).map(|how| format!("{how} {id}"));
    ids.into_iter().filter_map(differs).collect()
}

/// What one policy finds in the text and the other does not, by category.
fn finds(row: &OutboxRow, a: &Guardrail, b: &Guardrail) -> Vec<String> {
    let found = |guardrail: &Guardrail| -> BTreeSet<(usize, usize, &'static str)> {
        let findings = guardrail.detect(row.body.as_str());
        let findings = findings.iter();
        findings
            .map(|it| (it.span.start, it.span.end, it.category.as_str()))
            .collect()
    };
    let (before, after) = (found(a), found(b));
    let only = |one: &BTreeSet<_>, other: &BTreeSet<_>, what: &str| {
        let names: BTreeSet<&str> = one
            .difference(other)
            .map(|it: &(_, _, &str)| it.2)
            .collect();
        let names: Vec<&str> = names.into_iter().collect();
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let more = only(&after, &before, "finds");
    let less = only(&before, &after, "no longer finds");
    more.into_iter().chain(less).collect()
}
