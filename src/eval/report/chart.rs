//! Charts as SVG: shares by row with their intervals, drawn without a script.

use std::fmt::Write as _;

use crate::eval::score::Share;

const ROW: usize = 26;
const LABEL: usize = 210;
const BAR: usize = 420;
const WIDE: usize = LABEL + BAR + 130;

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Good {
    /// More is better.
    High,
    /// Less is better.
    Low,
}

/// One bar a row, with the 95 % interval as a line over it.
pub(super) fn bars(title: &str, rows: &[(String, Share)], good: Good) -> String {
    let high = rows.len() * ROW + 30;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDE} {high}\" role=\"img\" aria-label=\"{}\">",
        escape(title)
    );
    for mark in [0, 25, 50, 75, 100] {
        let x = LABEL + BAR * mark / 100;
        let bottom = high - 22;
        push(
            &mut svg,
            format_args!(
                "<line class=\"grid\" x1=\"{x}\" y1=\"4\" x2=\"{x}\" y2=\"{bottom}\"/><text class=\"tick\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{mark} %</text>",
                high - 6
            ),
        );
    }
    for (at, (name, share)) in rows.iter().enumerate() {
        row(&mut svg, at * ROW + 6, name, *share, good);
    }
    svg.push_str("</svg>");
    svg
}

fn row(svg: &mut String, y: usize, name: &str, share: Share, good: Good) {
    let Some(ratio) = share.ratio() else {
        return;
    };
    let (low, high) = share.interval();
    let right = match good {
        Good::High => ratio >= 1.0,
        Good::Low => ratio <= 0.0,
    };
    let class = if right { "good" } else { "bad" };
    let middle = y + 9;
    push(
        svg,
        format_args!(
            "<text class=\"row\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LABEL - 10,
            y + 13,
            escape(name)
        ),
    );
    push(
        svg,
        format_args!(
            "<rect class=\"{class}\" x=\"{LABEL}\" y=\"{y}\" width=\"{:.1}\" height=\"18\" rx=\"2\"/>",
            (place(ratio) - place(0.0)).max(1.5)
        ),
    );
    push(
        svg,
        format_args!(
            "<line class=\"span\" x1=\"{:.1}\" y1=\"{middle}\" x2=\"{:.1}\" y2=\"{middle}\"/>",
            place(low),
            place(high)
        ),
    );
    push(
        svg,
        format_args!(
            "<text class=\"value\" x=\"{}\" y=\"{}\">{:.1} % <tspan class=\"tick\">of {}</tspan></text>",
            LABEL + BAR + 12,
            y + 13,
            100.0 * ratio,
            share.of
        ),
    );
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a chart has fewer than 2^52 pixels"
)]
fn place(share: f64) -> f64 {
    LABEL as f64 + BAR as f64 * share
}

fn push(svg: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    if svg.write_fmt(part).is_err() {
        svg.clear();
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
