//! Suites and reports that come from elsewhere or from before: imports, comparisons.

use anteroom::eval::import::import;
use anteroom::eval::score::Status;

use super::{Bench, anteroom, files, plan, ran, suite_in};

/// A configuration, how much of it comes over, and what is told of the rest.
type Case = (
    &'static str,
    &'static str,
    (usize, usize),
    &'static [&'static str],
);

const CONFIGS: &[Case] = &[
    (
        "clinic.yaml",
        include_str!("promptfoo/clinic.yaml"),
        (3, 10),
        &[
            "prompts: the pipeline has its own",
            "providers: stories run on the offline model",
            "tests[1]: assertion `javascript`: runs code",
            "tests[2]: assertion `cost`: the offline model costs nothing",
        ],
    ),
    (
        "matrix.yaml",
        include_str!("promptfoo/matrix.yaml"),
        (4, 6),
        &[
            "scenarios: write its combinations as `matrix`",
            "tests[1]: assertion `similar`: asks another model",
            "tests[1].options: has no counterpart",
            "tests[2]: stands in file://more_tests.yaml",
        ],
    ),
    (
        "safety.yaml",
        include_str!("promptfoo/safety.yaml"),
        (2, 2),
        &[
            "redteam: `anteroom redteam` attacks",
            "targets: `anteroom redteam` attacks",
            "tests[0]: assertion `moderation`: say what must not leave",
            "tests[1]: assertion `is-json`",
            "tests[2]: which variable is the patient's text?",
        ],
    ),
];

#[test]
fn promptfoo_configurations_come_over_and_what_does_not_is_told() {
    let bench = Bench::embedded().unwrap();
    for (name, text, (tests, assertions), wanted) in CONFIGS {
        let imported = import(name, text, None).unwrap();
        let told = imported.left_out.join("\n");
        assert_eq!(
            (imported.tests, imported.assertions),
            (*tests, *assertions),
            "{name}: {told}"
        );
        for line in *wanted {
            assert!(told.contains(line), "{name}: {line:?} in\n{told}");
        }
        // What came over runs; rubrics wait for a judge, and nothing else may fail.
        let suite = imported.suite.unwrap();
        let run = ran(&bench, &files(&[("imported.yaml", &suite)]), &plan());
        for score in &run.scores {
            let rubric = score.reasons.iter().all(|it| it.contains("--judge"));
            let fine = score.status == Status::Passed || (score.status == Status::Error && rubric);
            assert!(fine, "{name} {}: {:?}\n{suite}", score.id, score.reasons);
        }
    }
}

#[test]
fn an_import_is_a_command_that_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("clinic.yaml", CONFIGS[0].1);
    write("bad.yaml", "tests: [{]");
    write("empty.yaml", "tests: []");
    for (arguments, code) in [
        (&["eval", "import", "clinic.yaml", "-o", "mine.yaml"][..], 1),
        (&["eval", "import", "clinic.yaml", "-o", "mine.yaml"][..], 2),
        (&["eval", "import", "missing.yaml"][..], 2),
        (&["eval", "import", "bad.yaml"][..], 2),
        (&["eval", "import", "empty.yaml"][..], 4),
    ] {
        let out = anteroom(folder.path(), arguments);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{arguments:?}: {told}");
    }
    let suite = std::fs::read_to_string(folder.path().join("mine.yaml")).unwrap();
    assert!(suite.contains("level: conversation") && suite.contains("refill goes to staff"));
}

#[test]
fn two_reports_are_compared_case_by_case() {
    let case = |id: &str, value: &str| {
        format!(
            "  - {{id: {id}, why: w, vars: {{text: \"Your A1c is 9.2%.\"}}, assert: [{{type: category-found, value: {value}}}]}}\n"
        )
    };
    let suite =
        |cases: &[String]| format!("description: d\nlevel: detect\ntests:\n{}", cases.concat());
    let folder = tempfile::tempdir().unwrap();
    let before = suite(&[
        case("stays", "lab"),
        case("breaks", "lab"),
        case("goes", "lab"),
    ]);
    let now = suite(&[
        case("stays", "lab"),
        case("breaks", "pregnancy"),
        case("comes", "lab"),
    ]);
    for (text, report) in [(&before, "a.json"), (&now, "b.json")] {
        suite_in(folder.path(), text);
        anteroom(folder.path(), &["eval", "--no-baseline", "-o", report]);
    }
    let out = anteroom(folder.path(), &["eval", "diff", "a.json", "b.json"]);
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{told}");
    for line in [
        "WORSE   s/breaks: passed -> failed",
        "WORSE   s/goes: passed -> -",
        "changed s/comes: - -> passed",
        "did not ask the same cases",
    ] {
        assert!(told.contains(line), "{line:?} in\n{told}");
    }
    assert!(!told.contains("s/stays"), "{told}");
    let same = anteroom(folder.path(), &["eval", "diff", "a.json", "a.json"]);
    assert_eq!(same.status.code(), Some(0));
    std::fs::write(folder.path().join("c.json"), "{}").unwrap();
    let wrong = anteroom(folder.path(), &["eval", "diff", "a.json", "c.json"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("c.json: missing field"));
}
