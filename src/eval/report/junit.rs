//! `JUnit` XML: a failed assertion is a `failure`, no verdict an `error`, a quarantine `skipped`.

use std::collections::BTreeMap;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};

use crate::eval::report::{Report, told};
use crate::eval::score::{Score, Status};

pub(super) fn render(report: &Report<'_>) -> Result<String, String> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for score in &report.run.scores {
        let suite = suites
            .entry(&score.suite)
            .or_insert_with(|| TestSuite::new(score.suite.clone()));
        suite.add_test_case(case(report, score));
    }
    let mut whole = JunitReport::new("anteroom eval");
    whole.set_time(Duration::from_secs_f64(report.run.seconds.max(0.0)));
    for (_, mut suite) in suites {
        suite.add_property(("policy", report.run.policy.as_str()));
        if report.run.partial {
            suite.add_property(("partial", "true"));
        }
        whole.add_test_suite(suite);
    }
    if report.worse().next().is_some() || !report.lost.is_empty() {
        let mut suite = TestSuite::new("baseline");
        for change in report.worse() {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(told(change));
            suite.add_test_case(TestCase::new(change.place(), status));
        }
        for line in report.lost {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message("left the policy since the baseline");
            suite.add_test_case(TestCase::new(line.clone(), status));
        }
        whole.add_test_suite(suite);
    }
    whole.to_string().map_err(|error| error.to_string())
}

fn case(report: &Report<'_>, score: &Score) -> TestCase {
    let mut status = match score.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Skipped => TestCaseStatus::skipped(),
        Status::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    if let Some(first) = score.reasons.first() {
        status.set_message(first.clone());
    }
    if matches!(score.status, Status::Failed | Status::Error) {
        let place = format!("{}:{}", report.path(&score.file), score.line);
        status.set_description(format!(
            "{place}\n{}\nin:  {}\nout: {}\nwhy: {}",
            score.reasons.join("\n"),
            score.input,
            score.output,
            score.why
        ));
    }
    let mut case = TestCase::new(score.id.clone(), status);
    case.set_classname(format!(
        "{}.{}.{}",
        score.suite, score.category, score.language
    ));
    case.set_time(Duration::from_micros(score.micros));
    case.extra
        .insert("file".into(), report.path(&score.file).into());
    case.extra
        .insert("line".into(), score.line.to_string().into());
    case
}
