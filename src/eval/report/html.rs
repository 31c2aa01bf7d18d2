//! A page of its own: charts of recall and false holds, the slowest, the changes, and every case
//! that did not hold, each to be opened. No script, nothing from elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::eval::report::chart::{Good, bars, escape};
use crate::eval::report::{Report, interval, percent, stretches};
use crate::eval::score::{Figures, Score, Share, Status};

const STYLE: &str = include_str!("report.css");
/// Cases in the table of the slowest.
const SLOWEST: usize = 10;
/// Passing cases that are listed; the page stays below a megabyte.
const LISTED_MAX: usize = 3_000;
/// Failed cases that are told in full.
const FAILURES_MAX: usize = 400;

pub(super) fn render(report: &Report<'_>) -> String {
    let run = report.run;
    let count = run.count();
    let good = report.holds();
    let mut page = String::new();
    let title = if good {
        "All hold"
    } else if run.partial {
        "Partial"
    } else {
        "Not all hold"
    };
    put(
        &mut page,
        &format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>anteroom eval: {title}</title><style>{STYLE}</style></head><body><main>"
        ),
    );
    put(
        &mut page,
        &format!(
            "<header class=\"{}\"><h1>{title}</h1><p>{} cases in {:.2} s &middot; {} &middot; policy <code>{}</code></p><dl>",
            if good { "good" } else { "bad" },
            run.scores.len(),
            run.seconds,
            escape(&run.at),
            run.policy.get(..12).unwrap_or_default()
        ),
    );
    for (word, number) in [
        ("passed", count.passed),
        ("failed", count.failed),
        ("without a verdict", count.errors),
        ("set aside", count.skipped),
    ] {
        put(
            &mut page,
            &format!("<div><dt>{word}</dt><dd>{number}</dd></div>"),
        );
    }
    put(&mut page, "</dl></header>");
    for remark in report.remarks {
        put(
            &mut page,
            &format!("<p class=\"remark\">{}</p>", escape(remark)),
        );
    }
    for line in report.lost {
        put(
            &mut page,
            &format!(
                "<p class=\"remark\">Behind the baseline: {}</p>",
                escape(line)
            ),
        );
    }
    changes(&mut page, report);
    failures(&mut page, report);
    charts(&mut page, report);
    suites(&mut page, report);
    slowest(&mut page, report);
    listing(&mut page, report);
    put(&mut page, "</main></body></html>\n");
    page
}

fn put(page: &mut String, part: &str) {
    page.push_str(part);
}

fn changes(page: &mut String, report: &Report<'_>) {
    if report.changes.is_empty() {
        return;
    }
    put(
        page,
        "<section><h2>Against the baseline</h2><table><thead><tr><th>row</th><th>what</th><th>before</th><th>now</th><th></th></tr></thead><tbody>",
    );
    for it in report.changes {
        put(
            page,
            &format!(
                "<tr class=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                if it.worse { "bad" } else { "" },
                escape(&it.row),
                it.what.replace('_', " "),
                percent(it.before),
                percent(it.now),
                if it.worse { "behind" } else { "" }
            ),
        );
    }
    put(page, "</tbody></table></section>");
}

fn failures(page: &mut String, report: &Report<'_>) {
    let wrong: Vec<&Score> = report
        .run
        .scores
        .iter()
        .filter(|it| matches!(it.status, Status::Failed | Status::Error))
        .collect();
    put(
        page,
        &format!(
            "<section><h2>Cases that did not hold <span>{}</span></h2>",
            wrong.len()
        ),
    );
    if wrong.is_empty() {
        put(
            page,
            "<p class=\"empty\">None. Every assertion of every case held.</p>",
        );
    }
    for score in wrong.iter().take(FAILURES_MAX) {
        failure(page, report, score);
    }
    if wrong.len() > FAILURES_MAX {
        put(
            page,
            &format!("<p>... and {} more.</p>", wrong.len() - FAILURES_MAX),
        );
    }
    put(page, "</section>");
}

fn failure(page: &mut String, report: &Report<'_>, score: &Score) {
    let mut text = String::new();
    for (part, found) in stretches(&score.input, &score.marks) {
        let (open, close) = if found {
            ("<mark>", "</mark>")
        } else {
            ("", "")
        };
        text.extend([open, &escape(part), close]);
    }
    let mut reasons = String::new();
    for reason in &score.reasons {
        reasons.extend(["<li>", &escape(reason), "</li>"]);
    }
    put(
        page,
        &format!(
            "<details open><summary><b class=\"{0}\">{0}</b> <code>{1}</code> <span>{2} &middot; {3}</span></summary><blockquote>{text}</blockquote><ul>{reasons}</ul>",
            score.status,
            escape(&score.id),
            escape(&score.category),
            escape(&score.language),
        ),
    );
    if !score.output.is_empty() {
        put(
            page,
            &format!("<p class=\"out\">{}</p>", escape(&score.output)),
        );
    }
    put(
        page,
        &format!(
            "<p class=\"why\">{} <code>{}:{}</code></p></details>",
            escape(&score.why),
            escape(&report.path(&score.file)),
            score.line
        ),
    );
}

fn charts(page: &mut String, report: &Report<'_>) {
    let rows = report.run.by_category();
    for (language, name) in [("en", "English"), ("es", "Spanish")] {
        let of = |pick: fn(&Figures) -> Share| -> Vec<(String, Share)> {
            rows.iter()
                .filter(|((_, it), figures)| it == language && pick(figures).of > 0)
                .map(|((category, _), figures)| (category.clone(), pick(figures)))
                .collect()
        };
        let (recall, false_holds) = (of(|it| it.recall), of(|it| it.false_holds));
        if recall.is_empty() && false_holds.is_empty() {
            continue;
        }
        put(
            page,
            &format!(
                "<section class=\"charts\"><h2>{name}</h2><figure><figcaption>Found, of what had to be found</figcaption>{}</figure><figure><figcaption>Acted upon, of what was harmless</figcaption>{}</figure></section>",
                bars("recall by category", &recall, Good::High),
                bars("false holds by category", &false_holds, Good::Low)
            ),
        );
    }
}

fn suites(page: &mut String, report: &Report<'_>) {
    put(
        page,
        "<section><h2>Suites</h2><table><thead><tr><th>suite</th><th>passed</th><th>found</th><th>95 %</th><th>false holds</th></tr></thead><tbody>",
    );
    for (suite, figures) in report.run.by_suite() {
        put(
            page,
            &format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&suite),
                percent(figures.passed),
                percent(figures.recall),
                interval(figures.recall),
                percent(figures.false_holds)
            ),
        );
    }
    put(page, "</tbody></table></section>");
}

fn slowest(page: &mut String, report: &Report<'_>) {
    let mut all: Vec<&Score> = report.run.scores.iter().collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.micros));
    put(
        page,
        "<section><h2>Slowest</h2><table><thead><tr><th>case</th><th>suite</th><th>time</th></tr></thead><tbody>",
    );
    for score in all.iter().take(SLOWEST) {
        put(
            page,
            &format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{} &micro;s</td></tr>",
                escape(&score.id),
                escape(&score.suite),
                score.micros
            ),
        );
    }
    put(page, "</tbody></table></section>");
}

fn listing(page: &mut String, report: &Report<'_>) {
    let mut by_suite: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
    for score in report.run.scores.iter().take(LISTED_MAX) {
        by_suite.entry(&score.suite).or_default().push(score);
    }
    put(page, "<section><h2>All cases</h2>");
    for (suite, scores) in by_suite {
        put(
            page,
            &format!(
                "<details><summary>{} <span>{}</span></summary><ol class=\"cases\">",
                escape(suite),
                scores.len()
            ),
        );
        for score in scores {
            let mut line = String::new();
            let text: String = score.input.chars().take(110).collect();
            if write!(
                line,
                "<li class=\"{}\"><code>{}</code> {}</li>",
                score.status,
                escape(&score.id),
                escape(&text)
            )
            .is_ok()
            {
                put(page, &line);
            }
        }
        put(page, "</ol></details>");
    }
    put(page, "</section>");
}
