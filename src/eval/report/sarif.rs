//! SARIF 2.1.0 (OASIS): a failed case is a result at its line in the suite, under the policy's rule.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::eval::report::Report;
use crate::eval::score::{Score, Status};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun<'a> {
    tool: Tool<'a>,
    invocations: [Invocation; 1],
    results: Vec<SarifResult>,
    column_kind: &'static str,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    version: &'a str,
    rules: Vec<SarifRule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    id: String,
    short_description: Text,
    help: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: String,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fingerprints {
    case_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

pub(super) fn render(report: &Report<'_>) -> Result<String, String> {
    let wrong = report
        .run
        .scores
        .iter()
        .filter(|it| matches!(it.status, Status::Failed | Status::Error));
    let results: Vec<SarifResult> = wrong.map(|score| result(report, score)).collect();
    let ids: BTreeSet<String> = results.iter().map(|it| it.rule_id.clone()).collect();
    let rules = ids
        .into_iter()
        .map(|id| SarifRule {
            short_description: Text {
                text: describe(&id),
            },
            help: Text { text: help(&id) },
            id,
        })
        .collect();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [SarifRun {
            tool: Tool {
                driver: Driver {
                    name: "anteroom",
                    version: report.version,
                    rules,
                },
            },
            invocations: [Invocation {
                execution_successful: report.run.count().errors == 0 && !report.run.partial,
            }],
            results,
            column_kind: "unicodeCodePoints",
        }],
    };
    serde_json::to_string_pretty(&log)
        .map(|it| it + "\n")
        .map_err(|error| error.to_string())
}

fn describe(id: &str) -> String {
    match id.strip_prefix("eval.") {
        Some(category) => format!("A case of {category} did not get what it expects"),
        None => format!("The policy's rule {id} acted against a case's expectation"),
    }
}

fn help(id: &str) -> String {
    match id.strip_prefix("eval.") {
        Some(_) => {
            "The case names no rule of the policy, and none acted. Its line in the suite says what is \
             expected and why; either a rule is missing under guardrails/, or the expectation is wrong."
                .to_owned()
        }
        None => format!(
            "`{id}` is a rule of the policy; its citation and its examples stand in its file under \
             guardrails/. Mend the rule there, or the expectation at the line of the case."
        ),
    }
}

/// The rule that the case names and that did not fire, the one that acted, or else what the case is
/// about: then it is a rule that is missing.
fn rule(score: &Score) -> String {
    let fired = |rule: &&String| score.marks.iter().any(|it| it.rule == **rule);
    let unfired = score.expected.iter().find(|rule| !fired(rule));
    let marks = || score.marks.iter().filter(|it| !it.rule.is_empty());
    let acted = marks().find(|it| it.acted).or_else(|| marks().next());
    unfired
        .or_else(|| acted.map(|it| &it.rule))
        .or_else(|| score.expected.first())
        .cloned()
        .unwrap_or_else(|| format!("eval.{}", score.category))
}

fn result(report: &Report<'_>, score: &Score) -> SarifResult {
    SarifResult {
        rule_id: rule(score),
        level: if score.status == Status::Error {
            "warning"
        } else {
            "error"
        },
        message: Text {
            text: format!("{}: {} ({})", score.id, score.reasons.join("; "), score.why),
        },
        locations: [Location {
            physical_location: Physical {
                artifact_location: Artifact {
                    uri: report.path(&score.file).replace(' ', "%20"),
                },
                region: Region {
                    start_line: score.line.max(1),
                },
            },
        }],
        partial_fingerprints: Fingerprints {
            case_id: format!("{}/{}", score.suite, score.id),
        },
    }
}
