//! Evals: what ships holds, what is wrong with a suite is told, and each report is read by others.

#![cfg(test)]

mod broken_off;
mod ci;
mod crowd;
mod docs;
mod foreign;
mod gate;
mod history;
mod page;
mod parts;
mod planted;
mod redteam;
mod trial;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anteroom::eval::baseline::{Baseline, Extent};
use anteroom::eval::load;
use anteroom::eval::report::{Format, Report};
use anteroom::eval::run::{Bench, Plan, run};
use anteroom::eval::score::{Run, Status};
use jiff::civil::date;

const CONTEXT: &str = r#"{practice: {name: Lakeside, phone: "+14155550100", type: primary_care, portal_url: "https://portal.example.com"}, channel: sms, consent: granted, state: CA, language: en, timezone: America/Los_Angeles, now: "2026-12-01T10:00:00-08:00", purpose: reply}"#;

/// Suites as they are written down, by name and text.
fn files(all: &[(&str, &str)]) -> load::Files {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned().into());
    all.iter().map(owned).collect()
}

fn plan() -> Plan {
    Plan {
        repeat: 1,
        threads: 2,
        bail: false,
        today: date(2026, 12, 1),
        at: "2026-12-01T18:00:00Z".parse().unwrap(),
    }
}

fn ran(bench: &Bench, all: &load::Files, plan: &Plan) -> Run {
    let suites = load::suites(all, &[]).unwrap_or_else(|errors| panic!("{errors:?}"));
    let errors = load::check_vars(&suites);
    assert!(errors.is_empty(), "{errors:?}");
    run(bench, &suites, plan, &false.into(), &|_| {})
}

/// One guardrail case with this draft and these assertions.
fn one(draft: &str, assertions: &str) -> String {
    format!(
        "description: d\nlevel: guardrail\ntests:\n  - id: one\n    why: because\n    vars: {{draft: {draft:?}, context: {CONTEXT}}}\n    assert: {assertions}\n"
    )
}

#[test]
fn everything_that_ships_holds() {
    let bench = Bench::embedded().unwrap();
    let run = ran(&bench, &load::embedded(), &plan());
    let wrong: Vec<String> = run
        .scores
        .iter()
        .filter(|it| !matches!(it.status, Status::Passed | Status::Skipped))
        .map(|it| format!("{} {}: {:?}", it.suite, it.id, it.reasons))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What is known not to hold yet is set aside by name and until a day; it stays the exception.
    let count = run.count();
    assert!(count.skipped * 100 <= run.scores.len(), "{count:?}");
    assert!(!run.partial && run.scores.iter().all(|it| !it.why.is_empty()));
}

#[test]
fn the_suites_in_the_program_are_those_in_the_folder() {
    let (mut folder, _) = load::read(Path::new("evals")).unwrap();
    // Texts for the peers have another form, and no suite.
    folder.remove("guardrail/peers.jsonl");
    // The tagger's too, and those of the readers of sentences.
    let others = ["tagger/", "advice/", "screen/unseen.jsonl"];
    folder.retain(|path, _| !others.iter().any(|other| path.starts_with(other)));
    let embedded = load::embedded();
    assert_eq!(
        folder.keys().collect::<Vec<_>>(),
        embedded.keys().collect::<Vec<_>>()
    );
    assert_eq!(folder, embedded);
}

/// Suites with a mistake, the line that is named, and what is said of it.
fn mistakes() -> Vec<(String, u32, &'static str)> {
    let head = "description: d\nlevel: guardrail\ntests:\n";
    let ok = format!("vars: {{draft: hello, context: {CONTEXT}}}");
    [
        ("description: d\nlevel: gardrail\ntests: []\n".to_owned(), 2, "unknown variant"),
        (format!("{head}  - id: a\n    {ok}\n    asert: []\n"), 6, "unknown field `asert`"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: contain, value: x}}]\n"), 4, "did you mean `contains`?"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: intent, value: help}}]\n"), 4, "it belongs to screen"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: javascript, value: x}}]\n"), 4, "suites are data"),
        (format!("{head}  - {ok}\n    why: w\n"), 4, "asserts nothing"),
        (format!("{head}  - {ok}\n    assert: [{{type: verdict, value: pass}}]\n"), 4, "say why"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: verdict, value: maybe}}]\n"), 4, "use one of pass, rewrite, hold"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: verdict, value: pass}}, {{type: verdict, value: hold}}]\n"), 4, "can never hold together"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: no-send}}, {{type: contains, value: x}}]\n"), 4, "can never hold together"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: contains, value: x}}, {{type: not-contains, value: x}}]\n"), 4, "can never hold together"),
        (format!("{head}  - {ok}\n    why: w\n    assert: [{{type: regex, value: '(['}}]\n"), 4, "`regex`: error: unclosed character class"),
        (format!("{head}  - file://missing.jsonl\n"), 4, "there is no missing.jsonl"),
        (format!("{head}  - cases.jsonl\n"), 4, "file://cases.jsonl"),
        (format!("{head}  - vars: {{draft: hello}}\n    why: w\n    assert: [{{type: verdict, value: pass}}]\n"), 4, "missing field `context`"),
        (format!("{head}  - vars: {{text: hello, context: {CONTEXT}}}\n    why: w\n    assert: [{{type: verdict, value: pass}}]\n"), 4, "unknown field `text`"),
        (format!("{head}  - id: a\n    {ok}\n    why: w\n    assert: [{{type: verdict, value: pass}}]\n  - id: a\n    {ok}\n    why: w\n    assert: [{{type: verdict, value: pass}}]\n"), 8, "the id `a` is taken"),
        ("description: d\nlevel: conversation\ntests:\n  - why: w\n    vars: {turns: [{says: hi, wait: 3h}]}\n    assert: [{type: no-send}]\n".to_owned(), 4, "give one of `says`, `burst`, `wait`, `reminder` and `staff`"),
        ("description: d\nlevel: conversation\ntests:\n  - why: w\n    vars: {patient: bob, turns: [{says: hi}]}\n    assert: [{type: no-send}]\n".to_owned(), 4, "maria, james, aisha, tom"),
        ("description: d\nlevel: conversation\ntests:\n  - why: w\n    vars: {turns: [{wait: soon}]}\n    assert: [{type: no-send}]\n".to_owned(), 4, "write it as `3h`"),
        ("description: d\nlevel: conversation\ntests:\n  - why: w\n    vars: {turns: [{says: hi}]}\n    assert: [{type: llm-rubric, value: kind}]\n".to_owned(), 4, "alone is no gate"),
    ]
    .into()
}

#[test]
fn a_suite_with_a_mistake_is_refused_with_its_line_and_the_remedy() {
    for (text, line, wanted) in mistakes() {
        let all = files(&[("s.yaml", &text)]);
        let errors = match load::suites(&all, &[]) {
            Ok(suites) => load::check_vars(&suites),
            Err(errors) => errors,
        };
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let hit = told
            .iter()
            .any(|it| it.starts_with(&format!("s.yaml:{line}: ")) && it.contains(wanted));
        assert!(
            hit,
            "wanted line {line} and {wanted:?}, got {told:?} for\n{text}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row an assertion")]
fn each_assertion_holds_and_fails_where_it_should() {
    let clean = "Please bring your insurance card.";
    let leak = "Your A1c came back at 9.2%.";
    let cases = [
        (clean, "{type: verdict, value: pass}", true),
        (
            clean,
            "{type: equals, value: Please bring your insurance card.}",
            true,
        ),
        (clean, "{type: icontains, value: INSURANCE}", true),
        (clean, "{type: not-contains, value: insurance}", false),
        (clean, "{type: contains-all, value: [bring, card]}", true),
        (clean, "{type: contains-any, value: [nothing, card]}", true),
        (clean, "{type: starts-with, value: Please}", true),
        (clean, "{type: regex, value: 'insurance\\s+card'}", true),
        (
            clean,
            "{type: levenshtein, value: Please bring your insurance cards, threshold: 2}",
            true,
        ),
        (
            clean,
            "{type: levenshtein, value: Something else altogether, threshold: 2}",
            false,
        ),
        (clean, "{type: is-json}", false),
        (clean, "{type: phi-free}", true),
        (clean, "{type: 'segments<=', value: 1}", true),
        (clean, "{type: language, value: en}", true),
        (clean, "{type: 'reading-grade<=', value: 8}", true),
        (clean, "{type: no-send}", false),
        (clean, "{type: consent-required}", false),
        (clean, "{type: nothing-found}", true),
        (leak, "{type: verdict, value: rewrite}", true),
        (leak, "{type: verdict, value: pass}", false),
        (
            leak,
            "{type: category-absent, value: [lab, lab_value]}",
            true,
        ),
        (
            leak,
            "{type: category-found, value: [lab, lab_value]}",
            true,
        ),
        (leak, "{type: category-found, value: pregnancy}", false),
        (leak, "{type: finds, value: A1c}", true),
        (
            leak,
            "{type: finds, value: {text: A1c, category: pregnancy}}",
            false,
        ),
        (leak, "{type: link-replaced}", true),
        (leak, "{type: consent-required}", true),
        (leak, "{type: min-necessary}", true),
        (leak, "{type: grounded}", true),
        (leak, "{type: claims-backed}", true),
        (leak, "{type: not-contains, value: '9.2'}", true),
        (leak, "{type: handoff}", false),
        (leak, "{type: 'latency<=', value: 0}", false),
    ];
    let bench = Bench::embedded().unwrap();
    for (draft, assertion, holds) in cases {
        let all = files(&[("s.yaml", &one(draft, &format!("[{assertion}]")))]);
        let run = ran(&bench, &all, &plan());
        let score = &run.scores[0];
        let wanted = if holds {
            Status::Passed
        } else {
            Status::Failed
        };
        assert_eq!(
            score.status, wanted,
            "{assertion} of {draft:?}: {:?}",
            score.reasons
        );
    }
}

#[test]
fn weights_and_a_threshold_let_a_part_of_the_assertions_fail() {
    let both = "[{type: verdict, value: pass, weight: 3}, {type: contains, value: nowhere}]";
    let text = one("Please bring your insurance card.", both);
    let bench = Bench::embedded().unwrap();
    for (threshold, status) in [("0.7", Status::Passed), ("0.8", Status::Failed)] {
        let text = text.replace("    why:", &format!("    threshold: {threshold}\n    why:"));
        let run = ran(&bench, &files(&[("s.yaml", &text)]), &plan());
        assert_eq!(run.scores[0].status, status, "{threshold}");
        assert!((run.scores[0].score - 0.75).abs() < 1e-9);
    }
}

#[test]
fn a_quarantine_sets_a_case_aside_until_its_day_and_no_longer() {
    let text = one("Your A1c came back at 9.2%.", "[{type: verdict, value: pass}]").replace(
        "    why:",
        "    quarantine: {owner: clinic, until: 2026-12-02, reason: wording is being changed}\n    why:",
    );
    let bench = Bench::embedded().unwrap();
    for (today, status) in [
        (date(2026, 12, 1), Status::Skipped),
        (date(2026, 12, 2), Status::Failed),
    ] {
        let run = ran(
            &bench,
            &files(&[("s.yaml", &text)]),
            &Plan { today, ..plan() },
        );
        assert_eq!(run.scores[0].status, status, "{today}");
        assert!(run.scores[0].reasons[0].contains("clinic"));
    }
}

#[test]
fn a_baseline_notices_what_was_lost_and_what_is_held_too_much() {
    let leak = one(
        "Your A1c came back at 9.2%.",
        "[{type: verdict, value: rewrite}]",
    );
    let clean = one(
        "Please bring your insurance card.",
        "[{type: verdict, value: pass}]",
    );
    let bench = Bench::embedded().unwrap();
    let good = ran(
        &bench,
        &files(&[("leak.yaml", &leak), ("clean.yaml", &clean)]),
        &plan(),
    );
    let baseline = Baseline::of(&good);
    let again = Baseline::parse(&baseline.to_json()).unwrap();
    assert_eq!(again, baseline);
    assert_eq!(again.changes(&good, Extent::Whole), []);

    // As if the guardrail had lost the one and held the other.
    let mut bad = good.clone();
    for score in &mut bad.scores {
        score.acted = score.acted.map(|acted| !acted);
    }
    let worse: Vec<_> = again
        .changes(&bad, Extent::Whole)
        .into_iter()
        .filter(|it| it.worse)
        .collect();
    let what: Vec<_> = worse.iter().map(|it| (it.place(), it.what)).collect();
    assert_eq!(
        what,
        [
            ("clean: clean en".to_owned(), "false_holds"),
            ("leak: leak en".to_owned(), "recall")
        ]
    );

    let mut fewer = good;
    fewer.scores.truncate(1);
    assert!(
        again
            .changes(&fewer, Extent::Whole)
            .iter()
            .any(|it| it.what == "missing" && it.worse)
    );
    assert!(
        again.changes(&fewer, Extent::Part).is_empty(),
        "a run of some suites lacks nothing"
    );
}

/// A failing, a passing, a quarantined case, and one whose story cannot be told.
fn mixed() -> Run {
    let failing = one(
        "Your A1c came back at 9.2%.",
        "[{type: verdict, value: pass}]",
    );
    let passing = one(
        "Please bring your insurance card.",
        "[{type: verdict, value: pass}]",
    );
    let aside = failing.replace(
        "    why:",
        "    quarantine: {owner: clinic, until: 2027-01-01, reason: later}\n    why:",
    );
    let error = "description: d\nlevel: conversation\ntests:\n  - id: <odd> & \"quoted\"\n    why: w\n    vars: {turns: [{says: hello}]}\n    assert: [{type: no-send}, {type: llm-rubric, value: kind}]\n";
    let bench = Bench::embedded().unwrap();
    let all = [
        ("aside.yaml", aside.as_str()),
        ("error.yaml", error),
        ("failing.yaml", &failing),
        ("passing.yaml", &passing),
    ];
    ran(&bench, &files(&all), &plan())
}

#[test]
fn every_report_is_read_by_the_programs_it_is_for() {
    let run = mixed();
    let count = run.count();
    assert_eq!(
        (count.passed, count.failed, count.errors, count.skipped),
        (1, 1, 1, 1)
    );
    let report = Report {
        run: &run,
        changes: &[],
        lost: &[],
        remarks: &[],
        root: "evals",
        version: "1.2.3",
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (format, name) in [
        (Format::Junit, "r.xml"),
        (Format::Sarif, "r.sarif"),
        (Format::Json, "r.json"),
        (Format::Jsonl, "r.jsonl"),
        (Format::Html, "r.html"),
        (Format::Markdown, "r.md"),
    ] {
        std::fs::write(path(name), report.render(format, false).unwrap()).unwrap();
    }
    let python = Command::new(".venv/bin/python")
        .arg("tests/python/eval_reports.py")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        python.status.success(),
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );
    let human = report.render(Format::Human, false).unwrap();
    assert!(
        human.contains("    Your A1c came back at 9.2%.\n         ^^^"),
        "{human}"
    );
    assert!(
        !human.contains('\u{1b}')
            && report
                .render(Format::Human, true)
                .unwrap()
                .contains('\u{1b}')
    );
}

fn anteroom(folder: &Path, arguments: &[&str]) -> Output {
    crate::support::server::anteroom(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn suite_in(folder: &Path, text: &str) -> PathBuf {
    let suites = folder.join("evals");
    std::fs::create_dir_all(&suites).unwrap();
    std::fs::write(suites.join("s.yaml"), text).unwrap();
    suites
}

#[test]
fn exit_codes_tell_failures_mistakes_errors_and_nothing_apart() {
    let good = one(
        "Please bring your insurance card.",
        "[{type: verdict, value: pass}]",
    );
    let leak = one(
        "Your A1c came back at 9.2%.",
        "[{type: verdict, value: pass}]",
    );
    let error = "description: d\nlevel: conversation\ntests:\n  - why: w\n    vars: {turns: [{says: hello}]}\n    assert: [{type: sent-once}, {type: llm-rubric, value: kind}]\n";
    let cases = [
        (good.as_str(), 0),
        (leak.as_str(), 1),
        ("description: d\nlevel: guardrail\ntests: [{]\n", 2),
        (error, 3),
        ("description: d\nlevel: guardrail\ntests: []\n", 4),
    ];
    for (text, code) in cases {
        let folder = tempfile::tempdir().unwrap();
        suite_in(folder.path(), text);
        let out = anteroom(folder.path(), &["eval", "-o", "r.json"]);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(code), "{text}\n{told}");
        assert_eq!(
            folder.path().join("r.json").exists(),
            [0, 1, 3].contains(&code),
            "{told}"
        );
    }
}

#[test]
fn a_baseline_of_another_policy_is_told_with_the_command_that_renews_it() {
    let folder = tempfile::tempdir().unwrap();
    let suites = suite_in(
        folder.path(),
        &one(
            "Please bring your insurance card.",
            "[{type: verdict, value: pass}]",
        ),
    );
    let wrote = anteroom(folder.path(), &["eval", "--write-baseline", "--quiet"]);
    assert_eq!(wrote.status.code(), Some(0));
    let place = suites.join("baseline.json");
    let text = std::fs::read_to_string(&place).unwrap();
    let mut other = Baseline::parse(&text).unwrap();
    other.policy = "another".to_owned();
    std::fs::write(&place, other.to_json()).unwrap();
    let out = anteroom(folder.path(), &["eval"]);
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(0), "{told}");
    assert!(told.contains("anteroom eval --write-baseline"), "{told}");
    std::fs::write(&place, "{}").unwrap();
    let out = anteroom(folder.path(), &["eval"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("baseline.json: missing field"));
}

#[test]
fn an_unknown_suite_is_answered_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let out = anteroom(folder.path(), &["eval", "safty"]);
    assert_eq!(out.status.code(), Some(2));
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        told.contains("no suite of that name") && told.contains("identifiers"),
        "{told}"
    );
}
