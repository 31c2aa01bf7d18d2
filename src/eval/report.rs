//! Reports: one run, told to people, to CI and to other programs.

mod chart;
mod html;
mod human;
mod junit;
mod markdown;
mod sarif;

use crate::eval::baseline::Change;
use crate::eval::score::{Figures, Mark, Run, Share};
use crate::policy::words::vocabulary;

vocabulary! {
    /// A form of the report.
    Format, "report format" {
        /// For people, on a terminal.
        Human = "human",
        /// The whole run as one object.
        Json = "json",
        /// One score a line.
        Jsonl = "jsonl",
        /// For CI: `failure`, `error` and `skipped` kept apart.
        Junit = "junit",
        /// SARIF 2.1.0: one result for each failed case, at its line in the suite.
        Sarif = "sarif",
        /// For a job summary.
        Markdown = "markdown",
        /// A page of its own with charts.
        Html = "html",
    }
}

/// A run with what is said about it.
#[derive(Debug)]
pub struct Report<'a> {
    /// The run.
    pub run: &'a Run,
    /// Against the baseline, when there is one.
    pub changes: &'a [Change],
    /// What has left the policy since the baseline; each stops the gate.
    pub lost: &'a [String],
    /// What else must be told: another policy's baseline, a run that was broken off.
    pub remarks: &'a [String],
    /// Where the suites lie, before the paths in the scores.
    pub root: &'a str,
    /// The program's version.
    pub version: &'a str,
}

impl Format {
    /// The format that a file's ending asks for.
    pub fn of_path(path: &str) -> Option<Self> {
        let ending = path.rsplit('.').next().unwrap_or_default();
        Some(match ending {
            "json" => Self::Json,
            "jsonl" => Self::Jsonl,
            "xml" => Self::Junit,
            "sarif" => Self::Sarif,
            "md" => Self::Markdown,
            "html" => Self::Html,
            "txt" => Self::Human,
            _ => return None,
        })
    }
}

impl Report<'_> {
    /// The report in a form. `colour` is for terminals only.
    pub fn render(&self, format: Format, colour: bool) -> Result<String, String> {
        Ok(match format {
            Format::Human => human::render(self, colour),
            Format::Json => json(self)?,
            Format::Jsonl => jsonl(self)?,
            Format::Junit => junit::render(self)?,
            Format::Sarif => sarif::render(self)?,
            Format::Markdown => markdown::render(self),
            Format::Html => html::render(self),
        })
    }

    fn path(&self, file: &str) -> String {
        if self.root.is_empty() {
            file.to_owned()
        } else {
            format!("{}/{file}", self.root)
        }
    }

    /// Whether every case held and nothing fell behind the baseline.
    fn holds(&self) -> bool {
        let count = self.run.count();
        count.failed + count.errors + self.worse().count() + self.lost.len() == 0
            && !self.run.partial
    }

    fn worse(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|it| it.worse)
    }
}

fn json(report: &Report<'_>) -> Result<String, String> {
    let by_category: serde_json::Map<String, serde_json::Value> = report
        .run
        .by_category()
        .into_iter()
        .map(|((category, language), it)| (format!("{category} {language}"), figures(&it)))
        .collect();
    let by_suite: serde_json::Map<String, serde_json::Value> = report
        .run
        .by_suite()
        .into_iter()
        .map(|(suite, it)| (suite, figures(&it)))
        .collect();
    let whole = serde_json::json!({
        "version": report.version,
        "count": report.run.count(),
        "by_suite": by_suite,
        "by_category": by_category,
        "changes": report.changes,
        "lost": report.lost,
        "remarks": report.remarks,
        "run": report.run,
    });
    serde_json::to_string_pretty(&whole)
        .map(|it| it + "\n")
        .map_err(|error| error.to_string())
}

fn figures(figures: &Figures) -> serde_json::Value {
    let share = |it: Share| {
        let (low, high) = it.interval();
        serde_json::json!({ "hits": it.hits, "of": it.of, "share": it.ratio(), "low": low, "high": high })
    };
    serde_json::json!({
        "passed": share(figures.passed),
        "recall": share(figures.recall),
        "false_holds": share(figures.false_holds),
    })
}

fn jsonl(report: &Report<'_>) -> Result<String, String> {
    let mut out = String::new();
    for score in &report.run.scores {
        out.push_str(&serde_json::to_string(score).map_err(|error| error.to_string())?);
        out.push('\n');
    }
    if report.run.partial {
        let end = serde_json::json!({ "partial": true, "remarks": report.remarks });
        out.push_str(&end.to_string());
        out.push('\n');
    }
    Ok(out)
}

/// A text cut into stretches that are found in, or not.
fn stretches<'a>(text: &'a str, marks: &[Mark]) -> Vec<(&'a str, bool)> {
    let marks: Vec<&Mark> = marks.iter().filter(|it| it.acted).collect();
    let mut cuts: Vec<usize> = marks.iter().flat_map(|it| [it.start, it.end]).collect();
    cuts.extend([0, text.chars().count()]);
    cuts.sort_unstable();
    cuts.dedup();
    let byte = |point: usize| {
        text.char_indices()
            .nth(point)
            .map_or(text.len(), |(at, _)| at)
    };
    let pairs = cuts.iter().zip(cuts.iter().skip(1));
    pairs
        .map(|(from, to)| {
            let inside = marks.iter().any(|it| it.start <= *from && *to <= it.end);
            (text.get(byte(*from)..byte(*to)).unwrap_or_default(), inside)
        })
        .collect()
}

/// A change against the baseline in words, without its place.
fn told(change: &Change) -> String {
    let (before, now) = (percent(change.before), percent(change.now));
    match change.what {
        "new" => format!("{now} passed; the baseline does not know it"),
        "missing" => format!("{before} passed once; no case of it is left"),
        what => {
            let fewer = match change.before.of.saturating_sub(change.now.of) {
                0 => String::new(),
                1 => ", one case fewer".to_owned(),
                fewer => format!(", {fewer} cases fewer"),
            };
            format!("{}: {before} -> {now}{fewer}", what.replace('_', " "))
        }
    }
}

/// `97.1 % (33 of 34)`, or a dash of nothing.
fn percent(share: Share) -> String {
    match share.ratio() {
        Some(ratio) => format!("{:.1} % ({} of {})", 100.0 * ratio, share.hits, share.of),
        None => "-".to_owned(),
    }
}

/// `85 to 99 %`, the 95 % interval.
fn interval(share: Share) -> String {
    match share.ratio() {
        Some(_) => {
            let (low, high) = share.interval();
            format!("{:.0} to {:.0} %", 100.0 * low, 100.0 * high)
        }
        None => "-".to_owned(),
    }
}
