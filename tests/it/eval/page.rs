//! The HTML report in a browser.

use anteroom::eval::baseline::{Baseline, Extent};
use anteroom::eval::report::{Format, Report};

use crate::support::browser;

use super::{Bench, files, one, plan, ran};

#[test]
fn the_page_reads_well_on_a_phone_and_on_a_desk() {
    let leak = one(
        "Your A1c came back at 9.2%.",
        "[{type: verdict, value: rewrite}]",
    );
    // More than stand open.
    let (head, test) = leak.split_once("tests:\n").unwrap();
    let tests = (0..14).map(|at| test.replace("id: one", &format!("id: leak-{at}")));
    let leak = format!("{head}tests:\n{}", tests.collect::<String>());
    let clean = one(
        "Please bring your insurance card.",
        "[{type: verdict, value: pass}]",
    );
    let failing = leak.replace("value: rewrite", "value: pass");
    let bench = Bench::embedded().unwrap();
    let run = |leak: &str| {
        let all = [
            ("a_suite_of_a_long_name/leaks.yaml", leak),
            ("clean.yaml", &clean),
        ];
        ran(&bench, &files(&all), &plan())
    };
    let run = (run(&leak), run(&failing));
    let changes = Baseline::of(&run.0).changes(&run.1, Extent::Whole);
    assert!(changes.iter().any(|it| it.worse));
    let report = Report {
        run: &run.1,
        changes: &changes,
        lost: &["list labs: 2 of 900 terms are gone".to_owned()],
        remarks: &["the baseline is of another policy".to_owned()],
        root: "evals",
        version: "1.2.3",
    };
    let shots = browser::shots("report");
    let page = format!("{shots}/report.html");
    std::fs::write(&page, report.render(Format::Html, false).unwrap()).unwrap();
    browser::played("report", &[&page, &shots]);
}
