//! What a rule's pattern cannot say of its value: checksums, capitals, the words around it.

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::detect::checksums;
use crate::guardrail::text::View;
use crate::policy::phrases::flag;
use crate::policy::rules::Checksum;
use crate::policy::rules::Rule;

/// Is what a pattern found what the rule means? `from` is where the whole match begins.
pub(super) fn is_sound(view: &View<'_>, rule: &Rule, from: usize, span: &Range<usize>) -> bool {
    let bytes = view.bytes(span.clone());
    let needs_digit =
        matches!(rule.checksum, Some(Checksum::Phone)) && !bytes.iter().any(u8::is_ascii_digit);
    if needs_digit
        || rule
            .checksum
            .is_some_and(|check| !checksums::passes(check, bytes))
    {
        return false;
    }
    match &*rule.id {
        "identifiers.street" => is_street(view, span),
        "identifiers.street_spoken" => is_spoken_street(view, span),
        "identifiers.zip_end" => capitals(view, &(from..span.end)) >= 1,
        "identifiers.county" => is_county(view, span),
        "identifiers.street_abroad" => is_abroad(view, span),
        "identifiers.street_name" => is_named_street(view, span),
        "identifiers.city_label" => capitals(view, span) >= 1,
        "identifiers.result_found" => tells_finding(bytes),
        "identifiers.city_state" => is_town(view, rule, from, span),
        "identifiers.number_lookalike" => {
            let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
            digits >= 5 && bytes.iter().any(u8::is_ascii_alphabetic)
        }
        "identifiers.street_lived" => !matches!(
            bytes.split(|byte| *byte == b' ').next(),
            Some(b"the" | b"a" | b"your" | b"our" | b"this" | b"my")
        ),
        "identifiers.initials" => is_initials(view, span),
        "identifiers.phone_grouped" => {
            bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= 7
        }
        _ => true,
    }
}

/// `results I found for you` are none of a test.
fn tells_finding(bytes: &[u8]) -> bool {
    let first = bytes.split(|byte| *byte == b' ').next().unwrap_or_default();
    !matches!(
        first,
        b"for"
            | b"in"
            | b"at"
            | b"on"
            | b"to"
            | b"that"
            | b"by"
            | b"with"
            | b"you"
            | b"is"
            | b"was"
            | b"are"
    )
}

fn capitals(view: &View<'_>, span: &Range<usize>) -> usize {
    let inside = view
        .words
        .iter()
        .filter(|word| span.start <= word.start && word.end <= span.end);
    inside
        .filter(|word| word.is_capital() && !word.digits)
        .count()
}

/// Between the number and the street stand no words of time or of a sentence, unless written large.
fn is_street(view: &View<'_>, span: &Range<usize>) -> bool {
    let mut inside = view
        .words
        .iter()
        .filter(|word| span.start <= word.start && word.end <= span.end);
    inside.next();
    let plain = |word: &&crate::guardrail::text::Word| {
        !word.is_capital()
            && word.len() > 1
            && !word.digits
            && word.is(flag::COMMON | flag::NEVER_NAME)
            && !word.is(flag::STREET)
    };
    let common = inside.clone().filter(plain).count();
    let mut short = false;
    // `88 N. Juniper Ct`: the stop belongs to the direction.
    let joined = inside.all(|word| {
        let after = std::mem::replace(&mut short, word.len() <= 2);
        after || word.gap <= crate::guardrail::text::Gap::Comma || word.is(flag::STREET)
    });
    joined && common == 0
}

/// Behind the number of the house every word is written large: `two blocks down the road` is none.
fn is_spoken_street(view: &View<'_>, span: &Range<usize>) -> bool {
    let mut inside = view
        .words
        .iter()
        .filter(|word| span.start <= word.start && word.end <= span.end);
    let mut named = inside
        .clone()
        .skip_while(|word| !word.is_capital() || word.is(flag::DIGIT_WORD));
    let street = named.find(|word| word.is(flag::STREET));
    street.is_some_and(crate::guardrail::text::Word::is_capital)
        && !inside.any(|word| {
            word.is(flag::NEVER_NAME) && !word.is(flag::STREET) && !word.is(flag::DIGIT_WORD)
        })
}

/// `Cook County`: the name is written large, and the word before it is no `your` or `the`.
fn is_county(view: &View<'_>, span: &Range<usize>) -> bool {
    let mut inside = view
        .words
        .iter()
        .filter(|word| span.start <= word.start && word.end <= span.end)
        .rev();
    let last = inside.next();
    let labelled = last.is_some_and(|word| {
        matches!(
            view.word_bytes(word),
            b"county" | b"parish" | b"borough" | b"township"
        )
    });
    let name = if labelled { inside.next() } else { last };
    name.is_some_and(|word| word.is_capital() && !word.is(flag::NEVER_NAME))
}

/// Words that mean a street in one language and something else in another are written large.
fn is_abroad(view: &View<'_>, span: &Range<usize>) -> bool {
    let mut inside = view
        .words
        .iter()
        .filter(|word| span.start <= word.start && word.end <= span.end);
    inside.all(|word| {
        let both = matches!(
            view.word_bytes(word),
            b"via"
                | b"place"
                | b"gate"
                | b"tee"
                | b"largo"
                | b"impasse"
                | b"brisas"
                | b"ut"
                | b"quai"
        );
        !both || word.is_capital()
    })
}

/// `K.D.L.`: all letters are large, and they abbreviate no hour, title or place.
fn is_initials(view: &View<'_>, span: &Range<usize>) -> bool {
    let letters = view
        .words
        .iter()
        .filter(|word| span.start <= word.start && word.end <= span.end);
    let known: [&[u8]; 12] = [
        b"am", b"pm", b"eg", b"ie", b"us", b"usa", b"md", b"do", b"rn", b"np", b"pa", b"po",
    ];
    let mut spelled: SmallVec<[u8; 4]> = SmallVec::new();
    let large = letters.fold(true, |large, word| {
        spelled.extend_from_slice(view.word_bytes(word));
        large && word.is_capital()
    });
    large && spelled.len() >= 2 && !known.contains(&&*spelled)
}

/// The name of the street is written large, and no doctor's name follows its `Dr`.
fn is_named_street(view: &View<'_>, span: &Range<usize>) -> bool {
    let mut inside = view
        .words
        .iter()
        .filter(|word| span.start <= word.start && word.end <= span.end)
        .rev();
    let kind = inside.next();
    let large = inside
        .next()
        .is_some_and(crate::guardrail::text::Word::is_capital);
    let next = view.words.iter().find(|word| word.start >= span.end);
    let titled = kind.is_some_and(|word| view.word_bytes(word) == b"dr")
        && next.is_some_and(|word| {
            word.is_capital() && !word.digits && word.gap == crate::guardrail::text::Gap::Space
        });
    large && !titled
}

/// The state is written large, and the town is a word of its own.
fn is_town(view: &View<'_>, rule: &Rule, from: usize, span: &Range<usize>) -> bool {
    let state = rule.pattern.group_at(&view.folded, from, &["s"]);
    let Some(state) = state else { return false };
    let large = view
        .words
        .iter()
        .any(|word| word.start == state.start && word.case == crate::guardrail::text::Case::Upper);
    // `Anne Han, MD` is a doctor, unless the word before is a town.
    let doctor = view.bytes(state.clone()) == b"md"
        && !view
            .words
            .iter()
            .any(|word| span.start <= word.start && word.end < state.start && word.is(flag::PLACE));
    large && capitals(view, span) >= 1 && !doctor
}
