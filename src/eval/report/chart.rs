//! Charts as lists: shares by row with their intervals, drawn without a script and read aloud as text.

use std::cmp::Ordering;
use std::fmt::Write as _;

use crate::eval::score::Share;

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Good {
    /// More is better.
    High,
    /// Less is better.
    Low,
}

impl Good {
    fn right(self, ratio: f64) -> bool {
        match self {
            Self::High => ratio >= 1.0,
            Self::Low => ratio <= 0.0,
        }
    }

    fn order(self, one: f64, other: f64) -> Ordering {
        match self {
            Self::High => one.total_cmp(&other),
            Self::Low => other.total_cmp(&one),
        }
    }
}

/// One bar a row, with the 95 % interval as a line over it; what is not as it should be comes first.
pub(super) fn bars(title: &str, rows: &[(String, Share)], good: Good) -> String {
    let shares = rows.iter().filter_map(|(name, share)| {
        let ratio = share.ratio()?;
        Some((name.as_str(), *share, ratio))
    });
    let mut rows: Vec<(&str, Share, f64)> = shares.collect();
    rows.sort_by(|one, other| good.order(one.2, other.2).then(one.0.cmp(other.0)));
    let mut list = format!("<ul class=\"bars\" aria-label=\"{}\">", escape(title));
    for (name, share, ratio) in rows {
        row(&mut list, name, share, (ratio, good.right(ratio)));
    }
    list.push_str("</ul>");
    list
}

fn row(list: &mut String, name: &str, share: Share, (ratio, right): (f64, bool)) {
    let (low, high) = share.interval();
    let (from, wide) = (100.0 * low, 100.0 * (high - low));
    let percent = 100.0 * ratio;
    // Writing to a string cannot fail.
    let wrote = write!(
        list,
        "<li{}><span>{}</span><i><b style=\"width:{percent:.1}%\"></b><u style=\"left:{from:.1}%;width:{wide:.1}%\"></u></i><em>{percent:.1} % <small>of {}, {low:.0} to {high:.0}</small></em></li>",
        if right { "" } else { " class=\"bad\"" },
        escape(&name.replace('_', " ")),
        share.of,
        low = from,
        high = 100.0 * high,
    );
    if wrote.is_err() {
        list.clear();
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
