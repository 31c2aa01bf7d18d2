//! docs/evals.md, kept true: every assertion there is has an example, each holds, and none holds when
//! it is turned round.

use std::collections::BTreeSet;
use std::sync::Arc;

use anteroom::eval::assertion::KINDS;
use anteroom::eval::load;
use anteroom::eval::models::{Judge, Models};
use anteroom::eval::score::Status;
use anteroom::eval::suite::{Kind, Level};
use anteroom::eval::totals::Totals;
use anteroom::llm::scripted::Scripted;

use super::{Bench, plan, ran};

/// The suites on the page: its YAML blocks that begin with a description.
fn suites(page: &str) -> Vec<String> {
    let blocks = page.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|it| it.split_once("```"));
    blocks
        .map(|(block, _)| block.to_owned())
        .filter(|block| block.starts_with("description:"))
        .collect()
}

/// Names after `type:`, without `not-`.
fn asserted(suites: &[String]) -> BTreeSet<&str> {
    let parts = suites.iter().flat_map(|it| it.split("type: ").skip(1));
    parts
        .filter_map(|it| it.split([',', '}']).next())
        .map(|name| name.strip_prefix("not-").unwrap_or(name))
        .collect()
}

/// The same suites with each assertion asserting the opposite, those apart that only keep another
/// from standing alone.
fn turned_round(suites: &[String]) -> Vec<String> {
    suites
        .iter()
        .map(|suite| {
            suite
                .replace(", {type: sent-once}]}", ", {type: not-no-send}]}")
                .replace("[{type: ", "[{type: not-")
                .replace("[{type: not-not-", "[{type: ")
        })
        .collect()
}

fn statuses(suites: &[String]) -> Vec<(String, Status, Vec<String>)> {
    let files: load::Files = suites
        .iter()
        .enumerate()
        .map(|(at, text)| (format!("{at}.yaml"), text.clone().into()))
        .collect();
    let answers = std::iter::repeat_with(|| Scripted::text("PASS")).take(8);
    let bench = Bench::embedded().unwrap().asking(Models {
        configured: None,
        judge: Some(Judge {
            model: Arc::new(Scripted::new(answers)),
            repeats: 3,
        }),
    });
    let run = ran(&bench, &files, &plan());
    run.scores
        .into_iter()
        .map(|it| (it.id, it.status, it.reasons))
        .collect()
}

#[test]
fn every_assertion_has_an_example_that_holds_and_means_something() {
    let page = std::fs::read_to_string("docs/evals.md").unwrap();
    let suites = suites(&page);
    let shown = asserted(&suites);
    let missing: Vec<_> = KINDS.iter().filter(|it| !shown.contains(*it)).collect();
    assert!(missing.is_empty(), "no example on the page: {missing:?}");
    for (wanted, suites) in [
        (Status::Passed, suites.clone()),
        (Status::Failed, turned_round(&suites)),
    ] {
        for (id, status, reasons) in statuses(&suites) {
            assert_eq!(status, wanted, "{id}: {reasons:?}");
        }
    }
}

/// A gate that only knows attacks learns to hold everything.
#[test]
fn at_least_a_third_of_what_ships_is_harmless() {
    let suites = load::suites(&load::embedded(), &[]).unwrap();
    let totals = Totals::of(&suites);
    assert!(totals.all.cases >= 1_500, "{:?}", totals.all);
    assert!(
        3 * totals.all.harmless >= totals.all.cases,
        "{:?}",
        totals.all
    );
    let stories = totals.levels[&Level::Conversation];
    assert!(3 * stories.harmless >= stories.cases, "{stories:?}");
    assert!(
        3 * stories.written_harmless >= stories.written,
        "{stories:?}"
    );
    let spanish = |harmless: bool| {
        let cases = suites.iter().filter(|it| it.level == Level::Conversation);
        let cases = cases
            .flat_map(|it| &it.cases)
            .filter(|it| it.language == "es");
        cases
            .filter(|it| !harmless || it.kind.is_some_and(Kind::is_harmless))
            .count()
    };
    assert!(
        3 * spanish(true) >= spanish(false),
        "{} of {}",
        spanish(true),
        spanish(false)
    );
    assert!(totals.told().contains("conversation"), "{}", totals.told());
}
