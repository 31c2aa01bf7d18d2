//! The gold set under `evals/guardrail/`: drafts with their context, and what must become of them.

#![cfg(test)]

use std::collections::BTreeSet;

use anteroom::guardrail::finding::Action;
use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::wire;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    draft: String,
    context: wire::ContextIn,
    expect: Expect,
    why: String,
}

/// The verdict; the categories of which one at least must be among the findings; those of a second
/// detail, which must be found as well; and what would be wrong to find.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    verdict: Verdict,
    categories: Vec<String>,
    #[serde(default, rename = "category-found")]
    second: Vec<String>,
    #[serde(default, rename = "not-category-found")]
    never: Vec<String>,
}

fn lines() -> Vec<Line> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/evals/guardrail");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Texts for the peers have another form.
        if path.file_name().is_some_and(|name| name == "peers.jsonl") {
            continue;
        }
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(line) => all.push(line),
                Err(error) => panic!("{}:{}: {error}", path.display(), number + 1),
            }
        }
    }
    all
}

#[test]
fn every_draft_of_the_gold_set_gets_its_verdict_for_its_reason() {
    let guardrail = Guardrail::embedded().unwrap();
    let (mut wrong, mut ids, mut harmless) = (Vec::new(), BTreeSet::new(), 0);
    let all = lines();
    for line in &all {
        assert!(
            ids.insert(line.id.clone()) && !line.why.is_empty(),
            "{}",
            line.id
        );
        harmless += usize::from(line.expect.verdict == Verdict::Pass);
        let asked = wire::CheckIn {
            id: line.id.as_str().into(),
            draft: line.draft.clone(),
            context: line.context.clone(),
        };
        let got = wire::check_line(&guardrail, &asked);
        for finding in &got.findings {
            let told = !finding.evidence.is_empty();
            let named = !finding.rule.is_empty() && !finding.cite.is_empty();
            assert!(told && named, "{}: {finding:?} explains nothing", line.id);
        }
        let found_one_of = |wanted: &[String]| {
            got.findings
                .iter()
                .any(|finding| wanted.iter().any(|name| name == finding.category.as_str()))
        };
        let expect = &line.expect;
        let named = [&expect.categories, &expect.second]
            .iter()
            .all(|wanted| wanted.is_empty() || found_one_of(wanted.as_slice()))
            && !found_one_of(expect.never.as_slice());
        let quiet =
            got.verdict != Verdict::Pass || got.findings.iter().all(|it| it.action == Action::Keep);
        if got.verdict != line.expect.verdict || !named || !quiet {
            let found: Vec<_> = got
                .findings
                .iter()
                .map(|it| (it.category, &it.rule))
                .collect();
            wrong.push(format!(
                "{} {:?}: {} with {found:?}",
                line.id, line.draft, got.verdict
            ));
        }
    }
    assert!(
        all.len() >= 600 && harmless * 3 >= all.len(),
        "{}",
        all.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
