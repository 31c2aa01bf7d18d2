//! For people: the tables, then each failed case with its text and what was found underlined.

use std::fmt::Write as _;

use crate::eval::report::{Report, interval, percent, stretches, told};
use crate::eval::score::{Figures, Score, Status};

/// Failed cases that are told in full; the other forms have them all.
const FAILURES_MAX: usize = 40;
/// Columns of a terminal.
const WIDTH: usize = 100;

struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

pub(super) fn render(report: &Report<'_>, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = String::new();
    table(&mut out, report);
    failures(&mut out, report, &paint);
    changes(&mut out, report, &paint);
    for line in report.lost {
        writes(
            &mut out,
            &paint.with("1;31", &format!("behind the baseline: {line}")),
        );
    }
    for remark in report.remarks {
        writes(&mut out, &paint.with("33", &format!("note: {remark}")));
    }
    summary(&mut out, report, &paint);
    out
}

fn writes(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}

fn table(out: &mut String, report: &Report<'_>) {
    let rows: Vec<(String, Figures)> = report.run.by_suite().into_iter().collect();
    let wide = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(5)
        .max(5);
    writes(
        out,
        &format!(
            "{:wide$}  {:>20}  {:>20}  {:>12}  {:>18}",
            "suite", "passed", "found", "95 %", "false holds"
        ),
    );
    for (name, figures) in rows {
        writes(
            out,
            &format!(
                "{name:wide$}  {:>20}  {:>20}  {:>12}  {:>18}",
                percent(figures.passed),
                percent(figures.recall),
                interval(figures.recall),
                percent(figures.false_holds),
            ),
        );
    }
    out.push('\n');
}

fn failures(out: &mut String, report: &Report<'_>, paint: &Paint) {
    let wrong: Vec<&Score> = report
        .run
        .scores
        .iter()
        .filter(|it| matches!(it.status, Status::Failed | Status::Error))
        .collect();
    for score in wrong.iter().take(FAILURES_MAX) {
        failure(out, report, score, paint);
    }
    if wrong.len() > FAILURES_MAX {
        let more = wrong.len() - FAILURES_MAX;
        writes(
            out,
            &format!("... and {more} more; -o report.html shows all\n"),
        );
    }
}

fn failure(out: &mut String, report: &Report<'_>, score: &Score, paint: &Paint) {
    let word = if score.status == Status::Error {
        "ERROR "
    } else {
        "FAILED"
    };
    let place = format!("{}:{}", report.path(&score.file), score.line);
    writes(
        out,
        &format!(
            "{} {}  {}",
            paint.with("1;31", word),
            paint.with("1", &score.id),
            paint.with("2", &place)
        ),
    );
    if !score.input.is_empty() {
        let lines = underlined(score, paint);
        out.push_str(&lines);
    }
    for reason in &score.reasons {
        writes(out, &format!("    {reason}"));
    }
    if !score.output.is_empty() && score.output != score.input {
        writes(out, &format!("    out: {}", cut(&score.output, WIDTH - 9)));
    }
    let (agreed, of) = score.agreement;
    if of > 1 {
        writes(out, &format!("    in {agreed} of {of} repeats"));
    }
    writes(out, &paint.with("2", &format!("    why: {}", score.why)));
    out.push('\n');
}

/// The text, with a row of carets under what was found where there is no colour for it.
fn underlined(score: &Score, paint: &Paint) -> String {
    let mut out = String::new();
    for (at, line) in score.input.lines().enumerate() {
        let single = score.input.lines().count() == 1;
        if !single || score.marks.is_empty() {
            writes(
                &mut out,
                &format!(
                    "    {}{}",
                    if at == 0 { "" } else { "  " },
                    cut(line, WIDTH - 6)
                ),
            );
            continue;
        }
        let parts = stretches(line, &score.marks);
        let text: String = parts
            .iter()
            .map(|(part, found)| {
                if *found {
                    paint.with("4;33", part)
                } else {
                    (*part).to_owned()
                }
            })
            .collect();
        writes(&mut out, &format!("    {text}"));
        if !paint.0 {
            let carets: String = parts
                .iter()
                .map(|(part, found)| {
                    if *found { "^" } else { " " }
                        .repeat(unicode_width::UnicodeWidthStr::width(*part))
                })
                .collect();
            writes(&mut out, &format!("    {}", carets.trim_end()));
        }
    }
    out
}

fn cut(text: &str, width: usize) -> String {
    let one = text.replace('\n', " / ");
    if one.chars().count() <= width {
        return one;
    }
    let mut kept: String = one.chars().take(width.saturating_sub(3)).collect();
    kept.push_str("...");
    kept
}

fn changes(out: &mut String, report: &Report<'_>, paint: &Paint) {
    for change in report.changes {
        let (colour, word) = match (change.worse, change.what) {
            (true, _) => ("1;31", "behind the baseline"),
            (false, "new") => ("2", "new"),
            (false, _) => ("32", "changed"),
        };
        let line = format!("{word}: {}: {}", change.place(), told(change));
        writes(out, &paint.with(colour, &line));
    }
    if !report.changes.is_empty() {
        out.push('\n');
    }
}

fn summary(out: &mut String, report: &Report<'_>, paint: &Paint) {
    let count = report.run.count();
    let all = report.run.scores.len();
    let mut parts = vec![format!("{} passed", count.passed)];
    for (number, word) in [
        (count.failed, "failed"),
        (count.errors, "without a verdict"),
        (count.skipped, "set aside"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let partial = if report.run.partial { "PARTIAL: " } else { "" };
    let line = format!(
        "{partial}{all} cases: {} in {:.2} s",
        parts.join(", "),
        report.run.seconds
    );
    let good = report.holds();
    let mut told = String::new();
    if write!(
        told,
        "{line} (policy {})",
        report.run.policy.get(..12).unwrap_or_default()
    )
    .is_ok()
    {
        writes(out, &paint.with(if good { "1;32" } else { "1;31" }, &told));
    }
}
