//! What the practice tells everybody: "flu shots for all on Saturday" is nobody's treatment.

use std::ops::Range;

use crate::guardrail::ground::view::fold_text;
use crate::guardrail::setting::Fact;

/// Words that make a public offer somebody's own again.
const OWNED: &[&str] = &[
    "your",
    "ur",
    "my",
    "his",
    "her",
    "their",
    "su",
    "sus",
    "tu",
    "tus",
    "patient",
    "due",
    "overdue",
    "tested",
    "diagnosed",
    "prescribed",
    "result",
    "resultado",
];

/// Is the phrase at `span` a phrase of a public fact, in a sentence that speaks of nobody?
pub(super) fn licensed(facts: &[Fact<'_>], text: &str, span: &Range<usize>) -> bool {
    let said = words(text.get(span.clone()).unwrap_or_default());
    if said.is_empty() {
        return false;
    }
    let told = facts.iter().any(|fact| {
        let public = fact.field.starts_with("practice.");
        public && holds(&words(fact.value), &said)
    });
    told && !words(sentence(text, span))
        .iter()
        .any(|word| OWNED.contains(&word.as_str()))
}

/// Folded, without a plural `s`, so that `flu shot` is in `flu shots for all`.
fn words(text: &str) -> Vec<String> {
    let folded = fold_text(text);
    let parts = folded.split(|c: char| !c.is_alphanumeric());
    parts
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.strip_suffix('s')
                .filter(|it| it.len() > 2)
                .unwrap_or(part)
                .to_owned()
        })
        .collect()
}

fn holds(all: &[String], run: &[String]) -> bool {
    all.windows(run.len()).any(|window| window == run)
}

fn sentence<'t>(text: &'t str, span: &Range<usize>) -> &'t str {
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n');
    let before = text.get(..span.start).unwrap_or_default();
    let start = before.rfind(ends).map_or(0, |at| at + 1);
    let behind = text.get(span.end..).unwrap_or_default();
    let end = behind.find(ends).map_or(text.len(), |at| span.end + at);
    text.get(start..end).unwrap_or(text)
}
