//! Two reports compared: which cases changed, which figures moved.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::eval::score::{Share, Status};

/// A report as `anteroom eval -o report.json` writes it; what is not compared is not read.
#[derive(Debug, Deserialize)]
pub struct Read {
    run: ReadRun,
    #[serde(default)]
    by_category: BTreeMap<String, ReadFigures>,
}

#[derive(Debug, Deserialize)]
struct ReadRun {
    policy: String,
    cases: String,
    #[serde(default)]
    partial: bool,
    scores: Vec<ReadScore>,
}

#[derive(Debug, Deserialize)]
struct ReadScore {
    suite: String,
    id: String,
    status: Status,
    #[serde(default)]
    output: String,
    #[serde(default)]
    reasons: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ReadFigures {
    recall: ReadShare,
    false_holds: ReadShare,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct ReadShare {
    hits: u64,
    of: u64,
}

/// One case that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// `suite/case`.
    pub case: String,
    /// Before; none for a new case.
    pub before: Option<Status>,
    /// Now; none for one that is gone.
    pub now: Option<Status>,
    /// What came out is another text.
    pub output: bool,
    /// Why it does not hold now.
    pub reasons: Vec<String>,
}

/// One figure that moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// `category language`.
    pub row: String,
    /// `recall` or `false_holds`.
    pub what: &'static str,
    /// Before.
    pub before: Share,
    /// Now.
    pub now: Share,
    /// Whether the 95 % intervals are apart: more than chance.
    pub apart: bool,
}

/// What two reports differ in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The policies' digests, where they differ.
    pub policies: Option<(String, String)>,
    /// Whether the two runs asked the same cases.
    pub same_cases: bool,
    /// Whether one of them was broken off.
    pub partial: bool,
    /// In the order of the second report; what is gone comes last.
    pub cases: Vec<Changed>,
    /// By row.
    pub figures: Vec<Moved>,
}

impl Read {
    /// Reads a JSON report.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            format!("{error}; give reports that `anteroom eval -o report.json` wrote")
        })
    }
}

/// Compares two reports.
pub fn diff(before: &Read, now: &Read) -> Diff {
    let key = |score: &ReadScore| (score.suite.clone(), score.id.clone());
    let mut old: BTreeMap<(String, String), &ReadScore> =
        before.run.scores.iter().map(|it| (key(it), it)).collect();
    let mut cases = Vec::new();
    for score in &now.run.scores {
        let was = old.remove(&key(score));
        let output = was.is_some_and(|it| it.output != score.output);
        if was.is_some_and(|it| it.status == score.status) && !output {
            continue;
        }
        cases.push(Changed {
            case: format!("{}/{}", score.suite, score.id),
            before: was.map(|it| it.status),
            now: Some(score.status),
            output,
            reasons: score.reasons.clone(),
        });
    }
    cases.extend(old.into_values().map(|score| Changed {
        case: format!("{}/{}", score.suite, score.id),
        before: Some(score.status),
        now: None,
        output: false,
        reasons: Vec::new(),
    }));
    Diff {
        policies: (before.run.policy != now.run.policy)
            .then(|| (before.run.policy.clone(), now.run.policy.clone())),
        same_cases: before.run.cases == now.run.cases,
        partial: before.run.partial || now.run.partial,
        cases,
        figures: figures(before, now),
    }
}

fn figures(before: &Read, now: &Read) -> Vec<Moved> {
    let mut all = Vec::new();
    for (row, is) in &now.by_category {
        let Some(was) = before.by_category.get(row) else {
            continue;
        };
        for (what, was, is) in [
            ("recall", was.recall, is.recall),
            ("false_holds", was.false_holds, is.false_holds),
        ] {
            let share = |it: ReadShare| Share {
                hits: it.hits,
                of: it.of,
            };
            let (was, is) = (share(was), share(is));
            if was == is {
                continue;
            }
            let ((low, high), (is_low, is_high)) = (was.interval(), is.interval());
            all.push(Moved {
                row: row.clone(),
                what,
                before: was,
                now: is,
                apart: is_low > high || is_high < low,
            });
        }
    }
    all
}

impl Diff {
    /// Whether a case that held does not hold any more, or is gone.
    pub fn worse(&self) -> bool {
        self.cases.iter().any(Changed::worse)
    }

    /// For people.
    pub fn told(&self) -> String {
        let mut out = String::new();
        let mut say = |line: std::fmt::Arguments<'_>| {
            // Writing to a string cannot fail.
            if out.write_fmt(line).is_ok() {
                out.push('\n');
            }
        };
        if let Some((before, now)) = &self.policies {
            let short = |digest: &str| digest.chars().take(12).collect::<String>();
            say(format_args!("policy {} -> {}", short(before), short(now)));
        }
        if !self.same_cases {
            say(format_args!("the two runs did not ask the same cases"));
        }
        if self.partial {
            say(format_args!(
                "one of the runs was broken off before its end"
            ));
        }
        for case in &self.cases {
            let word = |status: Option<Status>| status.map_or("-", Status::as_str);
            let mark = if case.worse() { "WORSE  " } else { "changed" };
            let text = if case.output { ", another text" } else { "" };
            say(format_args!(
                "{mark} {}: {} -> {}{text}",
                case.case,
                word(case.before),
                word(case.now)
            ));
            for reason in &case.reasons {
                say(format_args!("        {reason}"));
            }
        }
        for moved in &self.figures {
            let share = |it: Share| {
                it.ratio().map_or_else(
                    || "-".to_owned(),
                    |ratio| format!("{:.1} % of {}", 100.0 * ratio, it.of),
                )
            };
            say(format_args!(
                "figure  {} {}: {} -> {}{}",
                moved.row,
                moved.what.replace('_', " "),
                share(moved.before),
                share(moved.now),
                if moved.apart {
                    " (more than chance)"
                } else {
                    ""
                }
            ));
        }
        out
    }
}

impl Changed {
    fn worse(&self) -> bool {
        self.before == Some(Status::Passed) && self.now != Some(Status::Passed)
    }
}
