//! Addresses that no single pattern holds: numbers around a street that no list knows, and the lines
//! of an address block beside the one that was found.

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::PLACE_CITE;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::patterns;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::phrases::flag;
use crate::policy::rules::Owner;

/// A street has no more words than this between its numbers.
const STREET_WORDS: usize = 5;
/// A line of an address has no more words than this.
const LINE_WORDS: usize = 5;
/// So many lines below a flat or box may still be its address.
const LINES_BELOW: usize = 4;

/// Adds what an address has beside the findings that are there.
pub(super) fn find(policy: &Policy, view: &View<'_>, drafts: &mut Vec<Draft>) {
    if view.digits == 0 {
        return;
    }
    numbered(policy, view, drafts);
    widen(view, drafts);
    town_behind(view, drafts);
    if view.folded.contains(&b'\n') {
        lines(view, drafts);
    }
}

/// A number of at most six figures, with a letter at most.
fn is_number(view: &View<'_>, word: &Word) -> bool {
    let bytes = view.word_bytes(word);
    let figures = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (1..=6).contains(&figures) && bytes.len() <= figures + 1
}

/// Not on any list, and long enough to be more than an abbreviation.
fn is_unknown(word: &Word) -> bool {
    !word.digits && !word.listed && word.flags == 0 && word.len() >= 4
}

/// May stand inside the name of a street.
fn in_street(word: &Word) -> bool {
    let named = flag::PLACE | flag::LAST | flag::FIRST | flag::PARTICLE | flag::STREET;
    !word.digits
        && (is_unknown(word) || word.is(named) || word.is_capital() && !word.is(flag::COMMON))
}

/// `2224 Trenerys gate 232`, `255 hersnapvej 18`, `on Pod Florianem 1677`.
fn numbered(policy: &Policy, view: &View<'_>, drafts: &mut Vec<Draft>) {
    let mut at = 0;
    while let Some(first) = view.words.get(at) {
        let led = first.digits && is_number(view, first) && first.len() >= 2;
        let placed = at
            .checked_sub(1)
            .and_then(|before| view.words.get(before))
            .is_some_and(|word| matches!(view.word_bytes(word), b"on" | b"at"));
        let opens = is_unknown(first) && first.is_capital() && placed && first.gap == Gap::Space;
        if !(led || opens) {
            at += 1;
            continue;
        }
        let from = if led { at + 1 } else { at };
        let street = view
            .words
            .iter()
            .skip(from)
            .take(STREET_WORDS)
            .take_while(|word| word.gap <= Gap::Space && in_street(word));
        let count = street.clone().count();
        let unknown = street.clone().any(is_unknown);
        let last = view.words.get(from + count);
        let closes = last.filter(|word| word.gap == Gap::Space && is_number(view, word));
        let sure = street.clone().any(Word::is_capital);
        match closes {
            Some(end) if unknown && sure && (led || end.len() >= 2) => {
                let span = first.start..end.end;
                drafts.push(draft_of(policy, view, span));
                at = from + count + 1;
            }
            _ => at += 1,
        }
    }
}

fn draft_of(policy: &Policy, view: &View<'_>, span: Range<usize>) -> Draft {
    let soft = patterns::soft(policy, view, Owner::Contact, Category::Geographic, &span);
    Draft {
        span,
        category: Category::Geographic,
        rule: "identifiers.address".into(),
        confidence: Confidence::Probable,
        kind: "context",
        name: "address".into(),
        cite: PLACE_CITE.into(),
        soft,
    }
}

/// `846 31 Rue Al Imam`: the number of the house stands before that of the street.
fn widen(view: &View<'_>, drafts: &mut [Draft]) {
    let streets = drafts.iter_mut().filter(|it| {
        it.category == Category::Geographic
            && view
                .bytes(it.span.clone())
                .first()
                .is_some_and(u8::is_ascii_alphanumeric)
    });
    for draft in streets {
        let Some(at) = view
            .words
            .iter()
            .position(|it| it.start == draft.span.start)
        else {
            continue;
        };
        let Some(before) = at.checked_sub(1).and_then(|at| view.words.get(at)) else {
            continue;
        };
        let near = view
            .words
            .get(at)
            .is_some_and(|word| word.gap == Gap::Space);
        let street = &*draft.rule != "identifiers.zip" && &*draft.rule != "identifiers.zip_end";
        if near && street && before.digits && before.len() >= 2 && is_number(view, before) {
            draft.span.start = before.start;
        }
    }
}

/// `12 Elm St, Springfield`: behind the comma that follows a street stands the town.
fn town_behind(view: &View<'_>, drafts: &mut [Draft]) {
    let streets = drafts.iter_mut().filter(|it| {
        it.rule.starts_with("identifiers.street")
            || matches!(
                &*it.rule,
                "identifiers.address" | "identifiers.unit" | "identifiers.po_box"
            )
    });
    for draft in streets {
        let Some(at) = view.words.iter().position(|it| it.start >= draft.span.end) else {
            continue;
        };
        let first = view.words.get(at).filter(|word| word.gap == Gap::Comma);
        let comma = view.bytes(draft.span.end..draft.span.end + 2) == b", ";
        let town = |word: &Word| {
            !word.digits
                && !word.is(flag::COMMON | flag::FIRST | flag::NEVER_NAME | flag::COUNTRY)
                && (word.is_capital() || is_unknown(word))
        };
        if !comma || !first.is_some_and(town) {
            continue;
        }
        let rest = view.words.iter().skip(at + 1).take(2);
        let end = rest
            .take_while(|word| word.gap == Gap::Space && (word.is_capital() || word.len() == 1))
            .last()
            .or(first);
        if let Some(end) = end.filter(|end| !end.digits) {
            draft.span.end = end.end;
        }
    }
}

/// The lines around a flat, a box or a street: the town below, the street above.
fn lines(view: &View<'_>, drafts: &mut Vec<Draft>) {
    let mut all: SmallVec<[Range<usize>; 8]> = SmallVec::new();
    let mut start = 0;
    for (at, byte) in view.folded.iter().enumerate() {
        if *byte == b'\n' {
            all.push(start..at);
            start = at + 1;
        }
    }
    all.push(start..view.folded.len());
    let anchor = |line: &Range<usize>| {
        drafts.iter().any(|it| {
            let rule = matches!(
                &*it.rule,
                "identifiers.unit"
                    | "identifiers.street"
                    | "identifiers.po_box"
                    | "identifiers.address"
                    | "identifiers.street_abroad"
            );
            rule && it.soft == Soft::No && line.start <= it.span.start && it.span.end <= line.end
        })
    };
    let mut found: SmallVec<[Range<usize>; 4]> = SmallVec::new();
    for (at, _) in all.iter().enumerate().filter(|(_, line)| anchor(line)) {
        let above = at.checked_sub(1).and_then(|above| all.get(above));
        let numbered =
            |line: &&Range<usize>| view.bytes((*line).clone()).iter().any(u8::is_ascii_digit);
        found.extend(above.filter(numbered).and_then(|line| line_of(view, line)));
        let below = all.iter().skip(at + 1).take(LINES_BELOW);
        found.extend(
            below
                .filter(|line| !view.bytes((*line).clone()).trim_ascii().is_empty())
                .map_while(|line| line_of(view, line)),
        );
    }
    drafts.extend(found.into_iter().map(|span| Draft {
        span,
        category: Category::Geographic,
        rule: "identifiers.address".into(),
        confidence: Confidence::Possible,
        kind: "context",
        name: "address".into(),
        cite: PLACE_CITE.into(),
        soft: Soft::No,
    }));
}

/// The words of a line that may be a line of an address.
fn line_of(view: &View<'_>, line: &Range<usize>) -> Option<Range<usize>> {
    let words: SmallVec<[&Word; 16]> = view
        .words
        .iter()
        .filter(|word| line.start <= word.start && word.end <= line.end)
        .collect();
    let plain = |word: &&Word| {
        word.case == crate::guardrail::text::Case::Lower
            && !word.digits
            && word.is(flag::COMMON)
            && !word.is(flag::PARTICLE | flag::STREET)
    };
    let (first, last) = (words.first()?, words.last()?);
    let short = words.len() <= LINE_WORDS && !words.iter().any(plain);
    short.then_some(first.start..last.end)
}
