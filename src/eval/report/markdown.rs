//! Markdown for a job summary: the figures, the failures folded away, the changes.

use crate::eval::report::{Report, interval, percent};
use crate::eval::score::{Score, Status};

/// Failures in a summary; CI cuts long ones off.
const FAILURES_MAX: usize = 50;

pub(super) fn render(report: &Report<'_>) -> String {
    let run = report.run;
    let count = run.count();
    let bad = count.failed + count.errors;
    let verdict = match (run.partial, report.holds()) {
        (true, _) => "partial",
        (false, true) => "all hold",
        (false, false) => "not all hold",
    };
    let mut lines = vec![
        format!("## anteroom eval: {verdict}"),
        String::new(),
        format!(
            "{} cases: **{} passed**, {} failed, {} without a verdict, {} set aside, in {:.2} s. Policy `{}`.",
            run.scores.len(),
            count.passed,
            count.failed,
            count.errors,
            count.skipped,
            run.seconds,
            run.policy.get(..12).unwrap_or_default()
        ),
        String::new(),
        "| suite | passed | found | 95 % | false holds |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for (suite, figures) in run.by_suite() {
        lines.push(format!(
            "| {suite} | {} | {} | {} | {} |",
            percent(figures.passed),
            percent(figures.recall),
            interval(figures.recall),
            percent(figures.false_holds)
        ));
    }
    lines.push(String::new());
    for line in report.lost {
        lines.push(format!("> **behind the baseline:** {}\n", escape(line)));
    }
    for remark in report.remarks {
        lines.push(format!("> {remark}\n"));
    }
    if !report.changes.is_empty() {
        lines.push("| suite: category | what | before | now |  |".to_owned());
        lines.push("|---|---|---|---|---|".to_owned());
        for it in report.changes {
            let word = if it.worse {
                "**behind the baseline**"
            } else {
                ""
            };
            let (before, now) = (percent(it.before), percent(it.now));
            lines.push(format!(
                "| {} | {} | {before} | {now} | {word} |",
                escape(&it.place()),
                it.what.replace('_', " ")
            ));
        }
        lines.push(String::new());
    }
    let wrong = run
        .scores
        .iter()
        .filter(|it| matches!(it.status, Status::Failed | Status::Error));
    for score in wrong.take(FAILURES_MAX) {
        lines.extend(failure(report, score));
    }
    if bad > FAILURES_MAX {
        lines.push(format!("... and {} more.", bad - FAILURES_MAX));
    }
    lines.join("\n") + "\n"
}

fn failure(report: &Report<'_>, score: &Score) -> Vec<String> {
    let place = format!("{}:{}", report.path(&score.file), score.line);
    vec![
        format!(
            "<details><summary><code>{}</code> {}</summary>",
            escape(&score.id),
            escape(&place)
        ),
        String::new(),
        "```text".to_owned(),
        format!("in:  {}", fenced(&score.input)),
        format!("out: {}", fenced(&score.output)),
        fenced(&score.reasons.join("\n")),
        "```".to_owned(),
        format!("{}\n\n</details>", escape(&score.why)),
        String::new(),
    ]
}

/// A text cannot end the fence that it stands in.
fn fenced(text: &str) -> String {
    text.replace("```", "'''")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('|', "\\|")
}
