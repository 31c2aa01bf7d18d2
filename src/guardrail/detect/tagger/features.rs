//! What the tagger goes by: the word, its shape, what the lists know of it, and its neighbours.

use crate::guardrail::text::Case;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::phrases::flag;

/// How the text as a whole is written, so that a capital is read for what it is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    Mixed = 0,
    Lower = 1,
    Upper = 2,
}

impl Hand {
    pub(super) fn of(view: &View<'_>) -> Self {
        let (mut lower, mut upper) = (false, false);
        for word in view
            .words
            .iter()
            .filter(|word| !word.digits && word.len() > 1)
        {
            match word.case {
                Case::Lower => lower = true,
                Case::Title => return Self::Mixed,
                Case::Upper => upper = true,
            }
        }
        match (lower, upper) {
            (true, false) => Self::Lower,
            (false, true) => Self::Upper,
            _ => Self::Mixed,
        }
    }
}

/// The kind of a word, coarsely: what the lists make of it.
fn class(word: Option<&Word>) -> u64 {
    let Some(word) = word else { return 0 };
    if word.digits {
        return 1;
    }
    let kinds: &[(u32, u64)] = &[
        (flag::TITLE | flag::PROVIDER, 2),
        (flag::GREETING, 3),
        (flag::KIN, 4),
        (flag::MONTH | flag::WEEKDAY, 5),
        (flag::ORGANISATION, 6),
        (flag::STREET, 7),
        (flag::FIRST, 8),
        (flag::LAST, 9),
        (flag::COUNTRY, 10),
        (flag::PLACE, 11),
        (flag::FIRST_WEAK | flag::LAST_WEAK, 12),
        (flag::COMMON | flag::SPANISH, 13),
        (flag::NEVER_NAME, 14),
    ];
    let known = kinds.iter().find(|(flags, _)| word.is(*flags));
    known.map_or(if word.listed { 15 } else { 16 }, |(_, kind)| *kind)
}

fn shape(word: Option<&Word>, hand: Hand) -> u64 {
    let Some(word) = word else { return 0 };
    let case = match word.case {
        Case::Lower => 1,
        Case::Title => 2,
        Case::Upper => 3,
    };
    let length = match word.len() {
        0..=1 => 0,
        2 => 1,
        3 => 2,
        4..=5 => 3,
        6..=8 => 4,
        _ => 5,
    };
    let hand = match hand {
        Hand::Mixed => 0,
        Hand::Lower => 1,
        Hand::Upper => 2,
    };
    1 + case + 4 * length + 32 * hand + 128 * u64::from(word.digits)
}

const fn gap(word: Option<&Word>) -> u64 {
    match word {
        None => 0,
        Some(word) => match word.gap {
            Gap::Mark => 1,
            Gap::Space => 2,
            Gap::Comma => 3,
            Gap::Stop => 4,
        },
    }
}

/// The bytes between two words, as far as they tell something.
fn between(view: &View<'_>, before: Option<&Word>, word: Option<&Word>) -> u64 {
    let start = before.map_or(0, |it| it.end);
    let end = word.map_or(view.folded.len(), |it| it.start);
    let bytes = view.bytes(start..end);
    let mark = bytes.iter().find(|byte| **byte != b' ').copied();
    let line = bytes.contains(&b'\n');
    u64::from(mark.unwrap_or(b' ')) + 256 * u64::from(line)
}

fn hash(word: Option<&Word>) -> u64 {
    word.map_or(7, |word| word.hash)
}

fn letters(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |all, byte| (all << 8) | u64::from(*byte))
}

fn mix(kind: u64, one: u64, two: u64) -> u32 {
    let hash = (one ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 29) ^ two.rotate_left(31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((hash ^ (hash >> 30)) >> 32).unwrap_or(0)
}

/// Gives every feature of the word at `at`.
pub(super) fn features(view: &View<'_>, at: usize, hand: Hand, give: &mut impl FnMut(u32)) {
    let near = |step: isize| {
        at.checked_add_signed(step)
            .and_then(|at| view.words.get(at))
    };
    let Some(word) = near(0) else { return };
    let (before, after) = (near(-1), near(1));
    let (first, last) = (near(-2), near(2));
    let bytes = view.word_bytes(word);
    let classes = [first, before, Some(word), after, last].map(class);
    let [class2, class1, class0, class9, class8] = classes;
    let shapes = [before, Some(word), after].map(|it| shape(it, hand));
    let [shape1, shape0, shape9] = shapes;
    let known = u64::from(word.flags) << 1 | u64::from(word.listed);
    let gaps = between(view, before, Some(word)) << 16 | between(view, Some(word), after);
    let (left, right) = (
        hash(before).wrapping_add(gap(Some(word))),
        hash(after).wrapping_add(gap(after)),
    );
    let head = |n: usize| letters(bytes.get(..n).unwrap_or(bytes));
    let tail = |n: usize| letters(bytes.get(bytes.len().saturating_sub(n)..).unwrap_or(bytes));
    let written = shape0 << 8 | class0;
    let all = [
        (1, 0, 0),
        (2, word.hash, 0),
        (3, word.hash, shape0),
        (4, left, 0),
        (5, right, 0),
        (6, hash(first), 0),
        (7, hash(last), 0),
        (8, left, hash(first)),
        (9, right, hash(last)),
        (10, left, right),
        (11, left, written),
        (12, right, written),
        (13, left, word.hash),
        (14, right, word.hash),
        (15, written, 0),
        (16, known, 0),
        (17, known, shape0),
        (18, class1 << 8 | class0, gap(Some(word))),
        (19, class0 << 8 | class9, gap(after)),
        (
            20,
            class1 << 16 | class0 << 8 | class9,
            gap(Some(word)) << 8 | gap(after),
        ),
        (21, class2 << 16 | class1 << 8 | class0, 0),
        (22, class0 << 16 | class9 << 8 | class8, 0),
        (23, shape1 << 20 | shape0, gap(Some(word))),
        (24, shape0 << 20 | shape9, gap(after)),
        (25, shape1 << 40 | shape0 << 20 | shape9, 0),
        (26, gaps, 0),
        (27, gaps, written),
        (28, head(3), 0),
        (29, tail(2), class0),
        (30, tail(3), 0),
        (31, tail(4), 0),
        (32, head(4), 0),
        (33, tail(3), shape0),
        (34, tail(5), 0),
        (35, left ^ right.rotate_left(17), written),
        (36, left ^ hash(first).rotate_left(17), class0),
        (37, right ^ hash(last).rotate_left(17), class0),
        (38, shape1 << 20 | class1, written),
        (39, shape9 << 20 | class9, written),
    ];
    for (kind, one, two) in all {
        give(mix(kind, one, two));
    }
}
