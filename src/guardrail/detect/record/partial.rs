//! A value of the record told in part, run together or with a letter amiss.

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::detect::record::values::digits;
use crate::guardrail::detect::record::values::one_edit_apart;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::policy::phrases::flag;
use crate::policy::phrases::split;

/// A word of the record shorter than this must be spelled as it stands there.
const TYPO_WORD: usize = 6;
/// Fewer letters and digits than this are no code of anybody.
const LEAST_CODE: usize = 5;
/// A code is told in so many pieces at most.
const PIECES: usize = 8;
/// How many words before the last four digits may say that they are the last.
const TAIL_CUE: usize = 4;

/// `lipitr` for Lipitor: one letter amiss in a value of one word.
pub(super) fn misspelt(view: &View<'_>, folded: &[u8], add: &mut impl FnMut(Range<usize>)) {
    let mut words = split(folded);
    let (Some(word), None) = (words.next(), words.next()) else {
        return;
    };
    let plain = word.iter().all(u8::is_ascii_lowercase) && word.len() >= TYPO_WORD;
    let Some(wanted) = std::str::from_utf8(word).ok().filter(|_| plain) else {
        return;
    };
    for found in view.words.iter().filter(|it| !it.is(flag::COMMON)) {
        let bytes = view.word_bytes(found);
        let near = bytes.len().abs_diff(wanted.len()) <= 1 && bytes != word;
        let said = std::str::from_utf8(bytes).ok().filter(|_| near);
        if said.is_some_and(|said| one_edit_apart(wanted, said)) {
            add(found.start..found.end);
        }
    }
}

/// `QX 4471`, `qx4471` and `zgp 7712 0044`: the letters and digits of a code, however they are cut.
pub(super) fn coded(view: &View<'_>, value: &str, add: &mut impl FnMut(Range<usize>)) {
    let mut code: SmallVec<[u8; 32]> = SmallVec::new();
    for byte in value.bytes().filter(u8::is_ascii_alphanumeric) {
        code.push(byte.to_ascii_lowercase());
    }
    let mixed = code.iter().any(u8::is_ascii_digit) && code.iter().any(u8::is_ascii_alphabetic);
    let dated = value.contains(':') || value.contains(' ') && value.len() > 24;
    if !mixed || code.len() < LEAST_CODE || dated {
        return;
    }
    for (at, first) in view.words.iter().enumerate() {
        let mut rest = &*code;
        for (step, word) in view.words.iter().skip(at).take(PIECES).enumerate() {
            if step > 0 && word.gap > Gap::Space {
                break;
            }
            match rest.strip_prefix(view.word_bytes(word)) {
                Some([]) => {
                    add(first.start..word.end);
                    break;
                }
                Some(more) => rest = more,
                None => break,
            }
        }
    }
}

/// `the number that ends in 0166`: the last four digits, said to be the last.
pub(super) fn tail(view: &View<'_>, value: &str, add: &mut impl FnMut(Range<usize>)) {
    let digits = digits(value);
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let Some(last) = digits
        .last_chunk::<4>()
        .filter(|_| digits.len() >= 7 && letters <= 4)
    else {
        return;
    };
    for (at, word) in view.words.iter().enumerate() {
        if view.word_bytes(word) != last {
            continue;
        }
        let told = view.words.iter().take(at).rev().take(TAIL_CUE).any(|cue| {
            matches!(
                view.word_bytes(cue),
                b"ending"
                    | b"ends"
                    | b"end"
                    | b"last"
                    | b"termina"
                    | b"terminado"
                    | b"terminada"
                    | b"ultimos"
                    | b"acaba"
            )
        });
        if told {
            add(word.start..word.end);
        }
    }
}

/// `77 Quince Ct` of `77 Quince Court`, folded: the house number and the name of the street.
pub(super) fn street(view: &View<'_>, line: &[u8], add: &mut impl FnMut(Range<usize>)) {
    let parts: SmallVec<[&[u8]; 8]> = split(line).collect();
    let numbered = parts
        .first()
        .is_some_and(|it| it.iter().all(u8::is_ascii_digit));
    let Some((_, name)) = parts
        .split_last()
        .filter(|(_, name)| numbered && name.len() >= 2)
    else {
        return;
    };
    for at in 0..view.words.len() {
        let Some(run) = view.words.get(at..at + name.len()) else {
            return;
        };
        let same = run
            .iter()
            .zip(name)
            .all(|(word, wanted)| view.word_bytes(word) == *wanted);
        let (Some(first), Some(last)) = (run.first().filter(|_| same), run.last()) else {
            continue;
        };
        let kind = view
            .words
            .get(at + name.len())
            .filter(|word| word.is(flag::STREET) && word.gap <= Gap::Space);
        add(first.start..kind.map_or(last.end, |word| word.end));
    }
}
