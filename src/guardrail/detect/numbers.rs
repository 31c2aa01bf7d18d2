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
        let long = run.spoken >= 2 && run.digits >= LONG;
        if long || run.spoken >= SHORT && run.spoken == run.words {
            drafts.push(draft_of(view, at..at + run.words, run.digits));
        }
        at += run.words.max(1);
    }
}

/// Digits of a telephone or social security number.
const LONG: usize = 7;
/// So many digit words in a row are no count of anything: `one zero zero five`.
const SHORT: usize = 4;
/// A number of so many digits without a blank is an account, a record, a place or a code.
const BARE: usize = 5;
/// Lines of help that anybody may text.
const HELP_LINES: &[&[u8]] = &[b"741741", b"838255", b"678678", b"233733"];

/// Numbers and codes that no other rule explains, in one piece (`23191-007421`, `6OO41877`) or with
/// blanks between the digits (`5 2 8 - 7 3 - 0 0 4 1`). A date, an hour, a price and a link are none.
pub(super) fn bare(view: &View<'_>, drafts: &mut Vec<Draft>) {
    let mut from = 0;
    while let Some(piece) = piece_from(view, from) {
        from = piece.end;
        let digits = count(view, &piece);
        let run = spaced_run(view, piece.clone());
        let wide = count(view, &run);
        let span = if wide >= LONG && run != piece {
            from = run.end;
            run
        } else if digits >= BARE {
            piece
        } else {
            continue;
        };
        let explained = drafts
            .iter()
            .any(|it| it.span.start < span.end && span.start < it.span.end);
        if !explained && !is_priced(view, &span) && !is_code(view, &span) && !is_ours(view, &span) {
            drafts.push(Draft {
                span,
                category: Category::OtherUnique,
                rule: "identifiers.number_bare".into(),
                confidence: Confidence::Possible,
                kind: "pattern",
                name: "number_bare".into(),
                cite: "45 CFR 164.514(b)(2)(i)(R)".into(),
                soft: Soft::No,
            });
        }
    }
}

/// The next run of letters and digits that dashes, stops and stars may join; none of a link or mailbox.
fn piece_from(view: &View<'_>, from: usize) -> Option<Range<usize>> {
    let rest = view.folded.get(from..)?;
    let start = from + rest.iter().position(u8::is_ascii_digit)?;
    let before = view.folded.get(..start)?;
    let joined =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'*' | b'_');
    let begin = before
        .iter()
        .rposition(|byte| !joined(byte))
        .map_or(0, |at| at + 1)
        .max(from);
    let behind = view.folded.get(start..)?;
    let mut end = start
        + behind
            .iter()
            .position(|byte| !joined(byte))
            .unwrap_or(behind.len());
    let part = |at: usize| view.folded.get(at).is_some_and(u8::is_ascii_alphanumeric);
    while end > start + 1 && !part(end - 1) {
        end -= 1;
    }
    let begin = (begin..start).find(|at| part(*at)).unwrap_or(start);
    Some(begin..end)
}

/// From a piece of digits over all that only blanks and dashes part from it; no year among them.
fn spaced_run(view: &View<'_>, first: Range<usize>) -> Range<usize> {
    let bare = |piece: &Range<usize>| {
        let text = view.bytes(piece.clone());
        let year = text.len() == 4 && (text.starts_with(b"19") || text.starts_with(b"20"));
        !year && text.iter().all(|byte| !byte.is_ascii_alphabetic())
    };
    let mut run = first.clone();
    if !bare(&first) {
        return run;
    }
    while let Some(next) = piece_from(view, run.end) {
        let between = view.bytes(run.end..next.start);
        let near = between.len() <= 3
            && between
                .iter()
                .all(|byte| matches!(byte, b' ' | b'-' | b'.'));
        if !near || !bare(&next) {
            break;
        }
        run.end = next.end;
    }
    run
}

fn count(view: &View<'_>, span: &Range<usize>) -> usize {
    let bytes = view.bytes(span.clone());
    bytes.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// Does one of these words stand within `reach` bytes before the span?
fn stands_before(view: &View<'_>, span: &Range<usize>, reach: usize, words: &[&[u8]]) -> bool {
    let before = view.bytes(span.start.saturating_sub(reach)..span.start);
    words
        .iter()
        .any(|word| before.windows(word.len()).any(|it| it == *word))
}

/// `Text us at 55501`: a number of the practice.
fn is_ours(view: &View<'_>, span: &Range<usize>) -> bool {
    let ours: [&[u8]; 5] = [
        b" us at",
        b" us on",
        b"our number",
        b"our fax",
        b"nuestro numero",
    ];
    stands_before(view, span, 20, &ours)
}

/// A code to sign in with, or a line of help that anybody may text.
fn is_code(view: &View<'_>, span: &Range<usize>) -> bool {
    let text = view.bytes(span.clone());
    let short = text.len() <= 6 && text.iter().all(u8::is_ascii_digit);
    let codes: [&[u8]; 4] = [b"code", b"codigo", b"clave", b"pin "];
    HELP_LINES.contains(&text) || short && stands_before(view, span, 16, &codes)
}

/// `$10500`, an hour's `10:20`, a part of a link, a mailbox or a fraction.
fn is_priced(view: &View<'_>, span: &Range<usize>) -> bool {
    let at = |place: Option<usize>| place.and_then(|it| view.folded.get(it)).copied();
    let before = at(span.start.checked_sub(1));
    let after = at(Some(span.end));
    let marks = |byte: Option<u8>| {
        matches!(
            byte,
            Some(b'$' | b':' | b'/' | b'@' | b'=' | b'?' | b'&' | b'%')
        )
    };
    let digit = at(Some(span.end + 1)).is_some_and(|byte| byte.is_ascii_alphanumeric());
    marks(before) || marks(after) && digit || matches!(after, Some(b'%'))
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
        let text = view.word_bytes(word);
        let written = word.digits && text.iter().all(u8::is_ascii_digit);
        // `one E G four T E five M K seven three`, `seventy-three, double-oh forty-one`.
        let lettered =
            run.spoken > 0 && text.len() == 1 && text != b"a" && text != b"i" && text != b"y";
        let tens = !spoken && is_number_word(text);
        if parted || !(spoken || written || doubled || lettered || tens) {
            break;
        }
        run.words += 1;
        run.digits += if written { word.len() } else { 1 };
        run.spoken += usize::from(spoken || tens || doubled);
    }
    run
}

/// `twenty`, `fourteen`, `seventy-three`, `double-oh`: of the numbers that people read out in parts.
fn is_number_word(text: &[u8]) -> bool {
    let mut parts = text.split(|byte| *byte == b'-');
    let known = |part: &[u8]| {
        matches!(
            part,
            b"ten"
                | b"eleven"
                | b"twelve"
                | b"thirteen"
                | b"fourteen"
                | b"fifteen"
                | b"sixteen"
                | b"seventeen"
                | b"eighteen"
                | b"nineteen"
                | b"twenty"
                | b"thirty"
                | b"forty"
                | b"fifty"
                | b"sixty"
                | b"seventy"
                | b"eighty"
                | b"ninety"
                | b"double"
                | b"triple"
        ) || parts_of_ten(part)
    };
    text.contains(&b'-') && parts.all(known)
        || !text.contains(&b'-') && known(text) && !parts_of_ten(text)
}

fn parts_of_ten(part: &[u8]) -> bool {
    matches!(
        part,
        b"oh"
            | b"zero"
            | b"one"
            | b"two"
            | b"three"
            | b"four"
            | b"five"
            | b"six"
            | b"seven"
            | b"eight"
            | b"nine"
    )
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
