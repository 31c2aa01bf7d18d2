//! A page of its own: the changes, every case that did not hold, charts of recall and false holds, the
//! slowest, and all cases by suite. No script, nothing from elsewhere.

use std::collections::BTreeMap;

use crate::eval::report::chart::{Good, bars, escape};
use crate::eval::report::{Report, interval, percent, stretches, told};
use crate::eval::score::{Figures, Score, Share, Status};

const STYLE: &str = include_str!("report.css");
/// Cases in the table of the slowest.
const SLOWEST: usize = 10;
/// The page stays below a megabyte: beyond this no more cases are listed.
const PAGE_BYTES: usize = 900_000;
/// Failed cases that are told in full.
const FAILURES_MAX: usize = 400;
/// Failed cases that stand open; the others open with a tap, or when a link leads to them.
const OPEN_MAX: usize = 10;
/// What is listed of the text of a case.
const LISTED_CHARS: usize = 72;

pub(super) fn render(report: &Report<'_>) -> String {
    let mut page = String::new();
    head(&mut page, report);
    for remark in report.remarks {
        let remark = escape(remark);
        put(&mut page, &format!("<p class=\"remark\">{remark}</p>"));
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

fn head(page: &mut String, report: &Report<'_>) {
    let run = report.run;
    let title = match (run.partial, report.holds()) {
        (true, _) => "Partial",
        (false, true) => "All hold",
        (false, false) => "Not all hold",
    };
    put(
        page,
        &format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>anteroom eval: {title}</title><style>{STYLE}</style></head><body><main>"
        ),
    );
    let good = if report.holds() { "good" } else { "bad" };
    put(
        page,
        &format!(
            "<header class=\"{good}\"><h1>{title}</h1><p>{} cases in {:.2} s &middot; {} &middot; policy <code>{}</code></p><dl>",
            grouped(run.scores.len()),
            run.seconds,
            escape(&minute(&run.at)),
            run.policy.get(..12).unwrap_or_default()
        ),
    );
    let count = run.count();
    for (word, number, bad) in [
        ("passed", count.passed, false),
        ("failed", count.failed, count.failed > 0),
        ("without a verdict", count.errors, count.errors > 0),
        ("set aside", count.skipped, false),
    ] {
        let class = if bad { " class=\"bad\"" } else { "" };
        let number = grouped(number);
        put(
            page,
            &format!("<div{class}><dt>{word}</dt><dd>{number}</dd></div>"),
        );
    }
    put(page, "</dl></header><nav aria-label=\"On this page\">");
    let behind = !report.changes.is_empty() || !report.lost.is_empty();
    for (place, name, there) in [
        ("baseline", "Against the baseline", behind),
        ("failed", "Cases that did not hold", true),
        ("en", "English", has(report, "en")),
        ("es", "Spanish", has(report, "es")),
        ("suites", "Suites", true),
        ("slowest", "Slowest", true),
        ("cases", "All cases", true),
    ] {
        if there {
            put(page, &format!("<a href=\"#{place}\">{name}</a>"));
        }
    }
    put(page, "</nav>");
}

/// `2026-11-26 07:44 UTC` of `2026-11-26T07:44:22.015Z`.
fn minute(at: &str) -> String {
    match at.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => at.to_owned(),
    }
}

/// `5,112`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn wrong(score: &Score) -> bool {
    matches!(score.status, Status::Failed | Status::Error)
}

fn changes(page: &mut String, report: &Report<'_>) {
    if report.changes.is_empty() && report.lost.is_empty() {
        return;
    }
    let count = report.changes.len() + report.lost.len();
    put(
        page,
        &format!(
            "<section id=\"baseline\"><h2>Against the baseline <span>{count}</span></h2><ul class=\"changes\">"
        ),
    );
    for line in report.lost {
        let line = escape(line);
        put(
            page,
            &format!("<li class=\"bad\"><b>policy</b><span>{line}</span><em>behind</em></li>"),
        );
    }
    // What stops the gate comes first.
    let (worse, other): (Vec<_>, Vec<_>) = report.changes.iter().partition(|it| it.worse);
    for it in worse.into_iter().chain(other) {
        let (class, word) = match (it.worse, it.what) {
            (true, _) => ("bad", "behind"),
            (false, "new") => ("", "new"),
            (false, _) => ("", "changed"),
        };
        put(
            page,
            &format!(
                "<li class=\"{class}\"><b>{}</b><span>{}</span><em>{word}</em></li>",
                escape(&it.place()),
                escape(&told(it)).replace("-&gt;", "&rarr;"),
            ),
        );
    }
    put(page, "</ul></section>");
}

fn failures(page: &mut String, report: &Report<'_>) {
    let all = report.run.scores.iter().enumerate();
    let wrong: Vec<(usize, &Score)> = all.filter(|(_, it)| wrong(it)).collect();
    put(
        page,
        &format!(
            "<section id=\"failed\"><h2>Cases that did not hold <span>{}</span></h2>",
            wrong.len()
        ),
    );
    if wrong.is_empty() {
        put(
            page,
            "<p class=\"empty\">None. Every assertion of every case held.</p>",
        );
    }
    for (shown, (at, score)) in wrong.iter().take(FAILURES_MAX).enumerate() {
        failure(page, report, (*at, score), shown < OPEN_MAX);
    }
    if wrong.len() > FAILURES_MAX {
        let more = wrong.len() - FAILURES_MAX;
        put(page, &format!("<p>... and {more} more.</p>"));
    }
    put(page, "</section>");
}

fn failure(page: &mut String, report: &Report<'_>, (at, score): (usize, &Score), open: bool) {
    let open = if open { " open" } else { "" };
    put(
        page,
        &format!(
            "<details{open}><summary><b class=\"bad\">{}</b> <code>{}</code> <span>{} &middot; {}</span></summary><dl id=\"c{at}\">",
            score.status,
            escape(&score.id),
            escape(&row_of(score)),
            escape(&score.language),
        ),
    );
    let mut row = |name: &str, what: &str| {
        put(page, &format!("<dt>{name}</dt><dd>{what}</dd>"));
    };
    if !score.input.is_empty() {
        row(
            "text",
            &format!("<blockquote>{}</blockquote>", found(score)),
        );
    }
    let reasons = score.reasons.iter().map(|it| escape(it));
    row("missed", &reasons.collect::<Vec<_>>().join("<br>"));
    if !score.output.is_empty() && score.output != score.input {
        let output = escape(&score.output);
        row("came out", &format!("<div class=\"out\">{output}</div>"));
    }
    let place = format!("{}:{}", report.path(&score.file), score.line);
    let why = format!("{}<br><code>{}</code>", escape(&score.why), escape(&place));
    row("why", &why);
    put(page, "</dl></details>");
}

/// The suite, and the category where it says more.
fn row_of(score: &Score) -> String {
    let (suite, category) = (&score.suite, score.category.replace('_', " "));
    if suite.ends_with(&score.category) {
        return suite.clone();
    }
    format!("{suite}: {category}")
}

/// The text, with what was found in it marked.
fn found(score: &Score) -> String {
    let mut text = String::new();
    for (part, found) in stretches(&score.input, &score.marks) {
        let (open, close) = if found {
            ("<mark>", "</mark>")
        } else {
            ("", "")
        };
        text.extend([open, &escape(part), close]);
    }
    text
}

type Pick = fn(&Figures) -> Share;

/// The shares of a language, those of nothing left out.
fn shares(report: &Report<'_>, language: &str, pick: Pick) -> Vec<(String, Share)> {
    let rows = report.run.by_category().into_iter();
    rows.filter(|((_, it), figures)| it == language && pick(figures).of > 0)
        .map(|((category, _), figures)| (category, pick(&figures)))
        .collect()
}

const CHARTS: [(&str, Pick, Good); 2] = [
    ("Found, of what had to be found", |it| it.recall, Good::High),
    (
        "Acted upon, of what was harmless",
        |it| it.false_holds,
        Good::Low,
    ),
];

fn has(report: &Report<'_>, language: &str) -> bool {
    let any = |(_, pick, _): &(&str, Pick, Good)| !shares(report, language, *pick).is_empty();
    CHARTS.iter().any(any)
}

fn charts(page: &mut String, report: &Report<'_>) {
    for (language, name) in [("en", "English"), ("es", "Spanish")] {
        if !has(report, language) {
            continue;
        }
        put(
            page,
            &format!(
                "<section id=\"{language}\"><h2>{name} <span>by category, with the 95 % interval</span></h2>"
            ),
        );
        for (caption, pick, good) in CHARTS {
            let rows = shares(report, language, pick);
            // An empty chart says nothing.
            if !rows.is_empty() {
                let drawn = bars(caption, &rows, good);
                let figure = format!("<figure><figcaption>{caption}</figcaption>{drawn}</figure>");
                put(page, &figure);
            }
        }
        put(page, "</section>");
    }
}

fn suites(page: &mut String, report: &Report<'_>) {
    put(
        page,
        "<section id=\"suites\"><h2>Suites</h2><div class=\"scroll\"><table><thead><tr><th>suite</th><th>passed</th><th>found</th><th>95 %</th><th>false holds</th></tr></thead><tbody>",
    );
    for (suite, figures) in report.run.by_suite() {
        let bad = figures.passed.hits < figures.passed.of;
        put(
            page,
            &format!(
                "<tr{}><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                if bad { " class=\"bad\"" } else { "" },
                escape(&suite).replace('/', "/<wbr>"),
                percent(figures.passed),
                percent(figures.recall),
                interval(figures.recall),
                percent(figures.false_holds)
            ),
        );
    }
    put(page, "</tbody></table></div></section>");
}

fn slowest(page: &mut String, report: &Report<'_>) {
    let mut all: Vec<&Score> = report.run.scores.iter().collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.micros));
    put(
        page,
        "<section id=\"slowest\"><h2>Slowest</h2><div class=\"scroll\"><table><thead><tr><th>case</th><th>suite</th><th>time</th></tr></thead><tbody>",
    );
    for score in all.iter().take(SLOWEST) {
        put(
            page,
            &format!(
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                escape(&score.id),
                escape(&score.suite),
                time(score.micros)
            ),
        );
    }
    put(page, "</tbody></table></div></section>");
}

/// `310 &micro;s`, or `24.3 ms`.
fn time(micros: u64) -> String {
    if micros < 1_000 {
        return format!("{micros} &micro;s");
    }
    format!(
        "{:.1} ms",
        std::time::Duration::from_micros(micros).as_secs_f64() * 1_000.0
    )
}

fn listing(page: &mut String, report: &Report<'_>) {
    let mut by_suite: BTreeMap<&str, Vec<(usize, &Score)>> = BTreeMap::new();
    for (at, score) in report.run.scores.iter().enumerate() {
        by_suite.entry(&score.suite).or_default().push((at, score));
    }
    put(page, "<section id=\"cases\"><h2>All cases</h2>");
    let mut left_out = 0;
    for (suite, scores) in by_suite {
        let bad = scores.iter().filter(|(_, it)| wrong(it)).count();
        let bad = match bad {
            0 => String::new(),
            bad => format!(" <b class=\"bad\">{bad} did not hold</b>"),
        };
        put(
            page,
            &format!(
                "<details><summary>{} <span>{}</span>{bad}</summary><ol>",
                escape(suite),
                scores.len()
            ),
        );
        for (at, score) in scores {
            if page.len() < PAGE_BYTES {
                listed(page, at, score);
            } else {
                left_out += 1;
            }
        }
        put(page, "</ol></details>");
    }
    if left_out > 0 {
        put(
            page,
            &format!("<p class=\"empty\">{left_out} more cases are in the JSON report.</p>"),
        );
    }
    put(page, "</section>");
}

fn listed(page: &mut String, at: usize, score: &Score) {
    let text: String = score.input.chars().take(LISTED_CHARS).collect();
    let (id, text) = (escape(&score.id), escape(&text));
    let line = match score.status {
        Status::Passed => format!("<li><code>{id}</code> {text}</li>"),
        Status::Skipped => format!("<li><code>{id}</code> set aside: {text}</li>"),
        Status::Failed | Status::Error => {
            format!("<li class=\"bad\"><a href=\"#c{at}\"><code>{id}</code></a> {text}</li>")
        }
    };
    put(page, &line);
}
