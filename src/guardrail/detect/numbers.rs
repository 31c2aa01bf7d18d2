//! Numbers told in words, in English and Spanish: `three one two 555 01 77`.

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::Soft;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::phrases::flag;

/// Finds runs of digit words and digits that are long enough for a phone or social security number.
pub(super) fn find(view: &View<'_>, drafts: &mut Vec<Draft>) {
    let mut at = 0;
    while at < view.words.len() {
        let run = run_at(view, at);
        if run.spoken >= 2 && run.digits >= 7 {
            drafts.push(draft_of(view, at..at + run.words, run.digits));
        }
        at += run.words.max(1);
    }
}

#[derive(Default)]
struct Run {
    words: usize,
    digits: usize,
    spoken: usize,
}

fn run_at(view: &View<'_>, from: usize) -> Run {
    let mut run = Run::default();
    for word in view.words.iter().skip(from) {
        let parted = run.words > 0 && word.gap > Gap::Comma;
        let spoken = word.is(flag::DIGIT_WORD);
        let doubled = !spoken
            && matches!(view.word_bytes(word), b"double" | b"doble" | b"triple")
            && run.words > 0;
        let written = word.digits && view.word_bytes(word).iter().all(u8::is_ascii_digit);
        if parted || !(spoken || written || doubled) {
            break;
        }
        run.words += 1;
        run.digits += if written { word.len() } else { 1 };
        run.spoken += usize::from(spoken);
    }
    run
}

fn draft_of(view: &View<'_>, words: Range<usize>, digits: usize) -> Draft {
    let start = view.words.get(words.start).map_or(0, |word| word.start);
    let end = view
        .words
        .get(words.end.saturating_sub(1))
        .map_or(start, |word| word.end);
    let social = |word: &Word| matches!(view.word_bytes(word), b"social" | b"ssn" | b"seguro");
    let near = view
        .words
        .iter()
        .skip(words.start.saturating_sub(8))
        .take(8)
        .any(social);
    let (category, rule, cite) = if digits == 9 || near {
        (
            Category::Ssn,
            "identifiers.ssn_spoken",
            "45 CFR 164.514(b)(2)(i)(G)",
        )
    } else {
        (
            Category::Phone,
            "identifiers.phone_spoken",
            "45 CFR 164.514(b)(2)(i)(D)",
        )
    };
    Draft {
        span: start..end,
        category,
        rule: rule.into(),
        confidence: Confidence::Probable,
        kind: "pattern",
        name: rule.into(),
        cite: cite.into(),
        soft: Soft::No,
    }
}
