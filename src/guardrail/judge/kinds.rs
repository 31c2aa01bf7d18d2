//! Kinds of findings: what a statement is called, which finding it speaks of, what is everybody's.

use std::ops::Range;

use smallvec::smallvec;

use crate::guardrail::conduct::Context;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Evidence;
use crate::guardrail::finding::Finding;
use crate::guardrail::ground::view::View;
use crate::guardrail::label::Label;

/// An identifier's category for what a statement is about once it is backed.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "statements have five categories of their own"
)]
pub(super) const fn told(category: Category) -> Category {
    match category {
        Category::UngroundedDate | Category::UngroundedTime => Category::Date,
        Category::UngroundedPerson => Category::Name,
        Category::UngroundedPlace => Category::Geographic,
        Category::UngroundedContact => Category::Phone,
        _ => Category::OtherUnique,
    }
}

/// "If you have chest pain, call 911" names a complaint, not this patient's.
pub(super) fn emergency(finding: &Finding, view: &View<'_>, contexts: &[Context]) -> bool {
    let recorded = finding
        .evidence
        .iter()
        .any(|evidence| evidence.kind == "record");
    let named = matches!(
        finding.category,
        Category::Symptom | Category::Diagnosis | Category::MentalHealth | Category::Abuse
    );
    if recorded || !named {
        return false;
    }
    let at = view.sentence_of(view.low_range(&finding.span).start);
    let sends = contexts.get(at).is_some_and(|context| context.emergency);
    let text = view
        .sentences
        .get(at)
        .map_or("", |sentence| view.slice(sentence));
    let conditional = text
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| matches!(word, "if" | "si"));
    sends && (conditional || finding.category == Category::Symptom)
}

pub(super) fn overlaps(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Whether a statement speaks of the same kind of thing as a finding.
#[expect(clippy::wildcard_enum_match_arm, reason = "only these can be stated")]
pub(super) const fn speaks_of(statement: Category, finding: Category) -> bool {
    match finding {
        Category::Date | Category::AgeOver89 => {
            matches!(
                statement,
                Category::UngroundedDate | Category::UngroundedTime
            )
        }
        Category::Name => matches!(statement, Category::UngroundedPerson),
        Category::Geographic => matches!(statement, Category::UngroundedPlace),
        Category::Phone | Category::Fax | Category::Url | Category::Email => {
            matches!(statement, Category::UngroundedContact)
        }
        _ => false,
    }
}

/// The rule behind a hold of this kind.
pub(super) const ADVICE: &str =
    "Cal. Bus. & Prof. Code 2052 and like acts; house policy: advice belongs to licensed staff";
/// The rule behind a hold of this kind.
pub(super) const GROUNDED: &str =
    "45 CFR 164.312(c)(1); house policy: the record is the source of every fact";

pub(crate) fn finding(
    span: Range<usize>,
    category: Category,
    (action, rule, cite): (Action, Label, Label),
    kind: &'static str,
    name: Label,
) -> Finding {
    Finding {
        span,
        category,
        rule,
        confidence: Confidence::Certain,
        action,
        evidence: smallvec![Evidence { kind, name }],
        cite,
    }
}
