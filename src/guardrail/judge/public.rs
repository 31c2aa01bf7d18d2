//! What the practice tells everybody: "flu shots for all on Saturday" is nobody's treatment.

use std::ops::Range;

use crate::guardrail::ground::fold::Folded;
use crate::guardrail::ground::fold::Values;
use crate::guardrail::ground::fold::any_word;
use crate::guardrail::ground::fold::words;

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
pub(super) fn licensed(values: &Values<'_>, text: &str, span: &Range<usize>) -> bool {
    let said = Folded::of(text.get(span.clone()).unwrap_or_default());
    if singular(&said).next().is_none() {
        return false;
    }
    let told = values
        .iter()
        .any(|(fact, value)| fact.field.starts_with("practice.") && holds(value, &said));
    told && !any_word(sentence(text, span), |word| {
        OWNED.contains(&without_s(word))
    })
}

/// Without a plural `s`, so that `flu shot` is in `flu shots for all`.
fn without_s(word: &str) -> &str {
    word.strip_suffix('s')
        .filter(|it| it.len() > 2)
        .unwrap_or(word)
}

fn singular(folded: &str) -> impl Iterator<Item = &str> + Clone {
    words(folded).map(without_s)
}

/// Stand the words of `run` in `all`, one behind the other?
fn holds(all: &str, run: &str) -> bool {
    let mut rest = singular(all);
    loop {
        let mut behind = rest.clone();
        if singular(run).all(|word| behind.next() == Some(word)) {
            return true;
        }
        if rest.next().is_none() {
            return false;
        }
    }
}

/// The sentence around a place.
pub(super) fn sentence<'t>(text: &'t str, span: &Range<usize>) -> &'t str {
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n');
    let before = text.get(..span.start).unwrap_or_default();
    let start = before.rfind(ends).map_or(0, |at| at + 1);
    let behind = text.get(span.end..).unwrap_or_default();
    let end = behind.find(ends).map_or(text.len(), |at| span.end + at);
    text.get(start..end).unwrap_or(text)
}
