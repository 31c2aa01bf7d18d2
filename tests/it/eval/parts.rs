//! Parts of the suites: a run of some is held against those and no others; names are asked back where
//! two suites share one; what cannot be read says what, where and what to write instead.

use std::path::Path;

use anteroom::eval::baseline::{Baseline, Extent};
use anteroom::eval::report::{Format, Report};
use anteroom::eval::score::Run;
use serde_json::Value;

use super::{Bench, anteroom, files, one, plan, ran};

const LEAKS: [&str; 3] = [
    "Your A1c came back at 9.2%.",
    "Your TSH was 4.1 mIU/L.",
    "Your LDL was 160 mg/dL.",
];

/// A suite of drafts that must be cut.
fn leaks(count: usize) -> String {
    let cases = LEAKS.iter().take(count).enumerate().map(|(at, draft)| {
        let whole = one(draft, "[{type: verdict, value: rewrite}]");
        let (_, test) = whole.split_once("tests:\n").unwrap();
        test.replace("id: one", &format!("id: leak-{at}"))
    });
    let cases: String = cases.collect();
    format!(
        "description: d\nlevel: guardrail\ndefaultTest: {{metadata: {{category: lab}}}}\ntests:\n{cases}"
    )
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join("evals").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn told(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let out = anteroom(folder, arguments);
    let all = [out.stdout, out.stderr].concat();
    (
        out.status.code(),
        String::from_utf8_lossy(&all).into_owned(),
    )
}

/// What a report says in every form, run against a baseline.
fn said(baseline: &Baseline, run: &Run, extent: Extent) -> String {
    let changes = baseline.changes(run, extent);
    let report = Report {
        run,
        changes: &changes,
        lost: &[],
        remarks: &[],
        root: "evals",
        version: "1.2.3",
    };
    let forms = [Format::Human, Format::Markdown, Format::Html];
    let all = forms.map(|form| report.render(form, false).unwrap());
    // The page's own names of its parts are no change.
    all.concat().replace("#baseline", "")
}

fn lines(told: &str) -> Vec<&str> {
    let lines = told.lines().take_while(|it| !it.starts_with("## "));
    lines.filter(|it| it.contains("baseline")).collect()
}

#[test]
fn a_part_is_held_against_its_part_of_the_baseline() {
    let bench = Bench::embedded().unwrap();
    let run = |all: &[(&str, &str)]| ran(&bench, &files(all), &plan());
    let (three, two) = (leaks(3), leaks(2));
    let both = run(&[("first.yaml", &three), ("second.yaml", &two)]);
    let baseline = Baseline::parse(&Baseline::of(&both).to_json()).unwrap();
    // Both have a row `lab en`; the figures of the other suite are none of this one's.
    let second = run(&[("second.yaml", &two)]);
    let told = said(&baseline, &second, Extent::Part);
    assert!(
        !told.contains("aseline") && !told.contains("changed"),
        "{told}"
    );
    assert_eq!(baseline.changes(&second, Extent::Part), []);

    // A case that is gone is missed by the run of its suite. A suite that the baseline does not know
    // is new, in one line, with what it got; one that is gone is missed by a whole run.
    let fewer = "behind the baseline: first: lab en: recall: 100.0 % (3 of 3) -> 100.0 % (2 of 2), one case fewer";
    let gone = "behind the baseline: second: 100.0 % (2 of 2) passed once; no case of it is left";
    let new = "new: mine: 100.0 % (2 of 2) passed; the baseline does not know it";
    let (first, mine) = (("first.yaml", two.as_str()), ("mine.yaml", two.as_str()));
    for (suites, extent, wanted) in [
        (&[first, mine][..], Extent::Whole, &[fewer, gone, new][..]),
        (&[first, mine], Extent::Part, &[fewer, new]),
        (&[mine], Extent::Part, &[new]),
        (&[first, mine], Extent::Other, &[]),
    ] {
        let told = said(&baseline, &run(suites), extent);
        assert_eq!(lines(&told), wanted, "{told}");
    }

    // A suite that was broken off has no figures to compare.
    let mut broken_off = both;
    broken_off.scores.pop();
    broken_off.partial = true;
    assert_eq!(baseline.changes(&broken_off, Extent::Part), []);
}

#[test]
fn the_command_compares_what_it_ran() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (three, two) = (leaks(3), leaks(2));
    write(at, &[("first.yaml", &three), ("second.yaml", &two)]);
    let (code, text) = told(at, &["eval", "--write-baseline", "--quiet"]);
    assert_eq!(code, Some(0), "{text}");
    write(at, &[("first.yaml", &two)]);
    let (code, text) = told(at, &["eval", "second"]);
    assert_eq!(
        (code, text.contains("baseline")),
        (Some(0), false),
        "{text}"
    );
    let (code, text) = told(at, &["eval", "first"]);
    assert_eq!(
        (code, text.contains("behind the baseline: first")),
        (Some(1), true),
        "{text}"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row a command")]
fn what_cannot_be_read_says_what_and_what_to_write() {
    let clean = one("Please bring your card.", "[{type: verdict, value: pass}]");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for file in [
        "consent.yaml",
        "a/consent.yaml",
        "a/visits.yaml",
        "b/visits.yaml",
        "b/only.yaml",
    ] {
        write(at, &[(file, &clean)]);
    }
    std::fs::write(at.join("empty.toml"), "").unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (
            &["eval", "--dir", "nosuch"],
            2,
            "anteroom: nosuch: No such file",
        ),
        (&["eval", "--dir", "nosuch"], 2, "name a folder of suites"),
        (&["eval", "visits"], 2, "say which: a/visits, b/visits"),
        (&["eval", "vists"], 2, "did you mean `a/visits`?"),
        // The name as the tables have it is the name, whatever lies below a folder.
        (
            &["eval", "consent", "--list"],
            0,
            "all                             1",
        ),
        (
            &["eval", "only", "--list"],
            0,
            "b/only        guardrail         1         0         1",
        ),
        (
            &["eval", "b", "--list"],
            0,
            "all                             2",
        ),
        (
            &["eval", "evals/b/only.yaml", "--list"],
            0,
            "all                             1",
        ),
        (
            &["eval", "--dir", "evals/b/only.yaml", "--list"],
            0,
            "all                             1",
        ),
        (
            &["eval", "-o", "report.pdf"],
            2,
            ".json, .jsonl, .xml (JUnit), .sarif, .md, .html or .txt",
        ),
        (
            &["eval", "--list", "--format", "sarif"],
            2,
            "use human or json",
        ),
        (
            &["eval", "--config", "empty.toml", "diff", "a.json", "b.json"],
            2,
            "anteroom: a.json: No such file",
        ),
        (
            &["eval", "diff", "a.json", "b.json"],
            2,
            "`anteroom eval -o report.json` wrote",
        ),
        (
            &["--config", "nosuch.toml", "doctor"],
            2,
            "name an existing file with --config",
        ),
        (
            &["doctor", "--config", "nosuch.toml"],
            2,
            "name an existing file with --config",
        ),
    ];
    for (arguments, code, wanted) in cases {
        let (got, text) = told(at, arguments);
        assert_eq!(got, Some(*code), "{arguments:?}\n{text}");
        assert!(
            text.contains(wanted),
            "{arguments:?}: {wanted:?} in\n{text}"
        );
        assert!(!text.contains("nosuch:1"), "{text}");
    }
    assert!(!at.join("report.pdf").exists());
    let (_, text) = told(at, &["eval", "--list", "--format", "json"]);
    let totals: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(totals["levels"]["guardrail"]["cases"], 5, "{text}");
    assert_eq!(totals["suites"]["a/consent"]["harmless"], 1, "{text}");
}

/// Where a case names the rule that it expects, a missed finding is told under that rule.
#[test]
fn sarif_tells_a_missed_finding_under_the_rule_that_the_case_names() {
    let folder = tempfile::tempdir().unwrap();
    let named = one(
        "Please bring your card.",
        "[{type: rule-fired, value: lexicon.labs}]",
    );
    let unnamed = one(
        "Please bring your card.",
        "[{type: finds, value: {text: card, category: lab}}]",
    );
    let acted = one(LEAKS[0], "[{type: verdict, value: pass}]");
    write(
        folder.path(),
        &[
            ("named.yaml", &named),
            ("unnamed.yaml", &unnamed),
            ("acted.yaml", &acted),
        ],
    );
    let (code, text) = told(folder.path(), &["eval", "--format", "sarif", "--quiet"]);
    assert_eq!(code, Some(1), "{text}");
    let log: Value = serde_json::from_str(&text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let told: Vec<(&str, &str, i64)> = results
        .iter()
        .map(|it| {
            let place = &it["locations"][0]["physicalLocation"];
            (
                it["ruleId"].as_str().unwrap(),
                place["artifactLocation"]["uri"].as_str().unwrap(),
                place["region"]["startLine"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("lexicon.labs", "evals/acted.yaml", 4),
            ("lexicon.labs", "evals/named.yaml", 4),
            ("eval.lab", "evals/unnamed.yaml", 4),
        ]
    );
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert!(
        rules
            .iter()
            .all(|it| it["help"]["text"].as_str().is_some_and(|it| it.len() > 40))
    );
}
