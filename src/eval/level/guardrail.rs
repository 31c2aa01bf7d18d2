//! The level `guardrail`: one draft in its setting, as `anteroom check` reads it.

use std::time::Instant;

use serde::Deserialize;

use crate::eval::case::Case;
use crate::eval::level::{Outcome, since};
use crate::eval::load::vars;
use crate::eval::run::Bench;
use crate::eval::score::Mark;
use crate::guardrail::finding::{Action, Verdict};
use crate::guardrail::wire::{self, CheckIn, CheckOut, ContextIn};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardrailVars {
    draft: String,
    context: ContextIn,
}

pub(super) fn readable(case: &Case) -> Result<(), String> {
    vars::<GuardrailVars>(case).map(drop)
}

pub(super) fn run(bench: &Bench, case: &Case) -> Result<Outcome, String> {
    let input: GuardrailVars = vars(case)?;
    Ok(reviewed(bench, &input.draft, input.context))
}

/// The outcome of one review.
pub(super) fn reviewed(bench: &Bench, draft: &str, context: ContextIn) -> Outcome {
    let began = Instant::now();
    let out = again(bench, draft, &context);
    let micros = since(began);
    Outcome {
        input: draft.to_owned(),
        output: out.text.clone().unwrap_or_default(),
        sent: out.text.into_iter().collect(),
        verdict: Some(out.verdict),
        marks: out.findings.iter().map(mark).collect(),
        portal: out.portal,
        rules: out.findings.iter().map(|it| it.rule.clone()).collect(),
        holds: (out.verdict == Verdict::Hold)
            .then(|| "review".to_owned())
            .into_iter()
            .collect(),
        language: Some(context.language),
        draft: Some(draft.to_owned()),
        context: Some(context),
        micros,
        ..Outcome::default()
    }
}

fn mark(finding: &wire::FindingOut) -> Mark {
    Mark {
        start: finding.start,
        end: finding.end,
        category: finding.category.to_string(),
        rule: finding.rule.clone(),
        acted: finding.action != Action::Keep,
    }
}

/// Reviews a text in a setting.
pub(crate) fn again(bench: &Bench, draft: &str, context: &ContextIn) -> CheckOut {
    let line = CheckIn {
        id: serde_json::Value::Null,
        draft: draft.to_owned(),
        context: context.clone(),
    };
    wire::check_line(&bench.guardrail, &line)
}
