//! A statistical voter beside the rules: what a word is by its shape, its ends and the words around it.
//!
//! Each word that no plain list explains is scored by a linear model over hashed features; nothing
//! is allocated and nothing can fail. It only votes: what it says is at most probable.

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::HEALTH_CITE;
use crate::guardrail::detect::NAME_CITE;
use crate::guardrail::detect::PLACE_CITE;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::lexicon::Taken;
use crate::guardrail::detect::patterns;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::text::Case;
use crate::guardrail::text::Gap;
use crate::guardrail::text::Room;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::phrases::flag;
use crate::policy::tagger::LABELS;
use crate::policy::tagger::LANES;
use crate::policy::tagger::Model;

const NAMES: u32 = flag::FIRST | flag::LAST | flag::FIRST_WEAK | flag::LAST_WEAK;
/// Words that stand beside names and places and are none.
const NEVER: u32 = flag::GREETING
    | flag::MONTH
    | flag::WEEKDAY
    | flag::TITLE
    | flag::PROVIDER
    | flag::NEVER_NAME
    | flag::COUNTRY
    | flag::DIGIT_WORD;

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

/// May the word be part of something that the rules cannot know?
pub(super) fn is_candidate(word: &Word, hand: Hand) -> bool {
    if word.digits || word.len() < 2 {
        return false;
    }
    if word.is(NAMES) {
        return true;
    }
    if word.is(NEVER) {
        return false;
    }
    if word.is(flag::COMMON | flag::SPANISH) {
        return hand == Hand::Mixed && word.case == Case::Title && word.gap < Gap::Stop;
    }
    true
}

/// Votes on the words that no finding is sure of.
///
/// `named` are the businesses that the rules know by their names. A new finding is probable; a possible one that is met and agrees becomes probable.
pub(super) fn vote(
    policy: &Policy,
    view: &View<'_>,
    taken: &[Taken],
    named: &[Range<usize>],
    drafts: &mut Vec<Draft>,
) {
    let model = policy.tagger();
    let hand = Hand::of(view);
    let spanish = view
        .words
        .iter()
        .filter(|word| word.is(flag::SPANISH) && !word.is(flag::COMMON))
        .nth(1)
        .is_some();
    let mut run: Option<(usize, Range<usize>)> = None;
    for (at, word) in view.words.iter().enumerate() {
        let free = taken.get(at) == Some(&Taken::Free) && is_candidate(word, hand);
        let span = word.start..word.end;
        let spoken_for = is_sure(drafts, &span) || named.iter().any(|it| meets(it, &span));
        let label = if free && !spoken_for {
            label(model, view, at, hand, spanish)
        } else {
            0
        };
        if let Some((known, words)) = &mut run {
            if *known == label && words.end == at && word.gap <= Gap::Space {
                words.end = at + 1;
                continue;
            }
            tell(policy, view, *known, words, drafts);
            run = None;
        }
        if label != 0 {
            run = Some((label, at..at + 1));
        }
    }
    if let Some((label, words)) = run {
        tell(policy, view, label, &words, drafts);
    }
}

fn meets(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

fn is_sure(drafts: &[Draft], span: &Range<usize>) -> bool {
    drafts
        .iter()
        .any(|it| it.confidence > Confidence::Possible && meets(&it.span, span))
}

/// The label of a word when it leads by its threshold, else none.
fn label(model: &Model, view: &View<'_>, at: usize, hand: Hand, spanish: bool) -> usize {
    let mut sums = [0; LANES];
    features(view, at, hand, &mut |feature| model.add(feature, &mut sums));
    let (best, lead) = lead(&sums);
    let wanted = model.thresholds().get(best).copied().unwrap_or(i32::MAX);
    // A word written small is rarely a name, and Spanish is thin in what the model learned from.
    let small = view.words.get(at).is_some_and(|word| !word.is_capital());
    let strict = 1 + i32::from(small) + i32::from(spanish);
    if lead > wanted.saturating_mul(strict) {
        best
    } else {
        0
    }
}

/// The best label and by how much it leads the next of another kind.
pub fn lead(sums: &[i32; LANES]) -> (usize, i32) {
    let sums = || sums.iter().copied().enumerate().take(LABELS.len());
    let first = |(best, top): (usize, i32), (label, sum): (usize, i32)| {
        if sum > top { (label, sum) } else { (best, top) }
    };
    let (best, top) = sums().fold((0, i32::MIN), first);
    let clinical = [CONDITION, MEDICINE];
    let rival =
        |label: usize| label != best && !(clinical.contains(&label) && clinical.contains(&best));
    let next = sums().filter(|it| rival(it.0)).map(|it| it.1).max();
    (best, top.saturating_sub(next.unwrap_or(i32::MIN)))
}

const NAME: usize = 1;
const PLACE: usize = 3;
const CONDITION: usize = 5;
const MEDICINE: usize = 6;

/// Makes a finding of a run of words, or lifts those that it meets.
fn tell(
    policy: &Policy,
    view: &View<'_>,
    label: usize,
    words: &Range<usize>,
    drafts: &mut Vec<Draft>,
) {
    let (category, rule, cite) = match label {
        NAME => (Category::Name, "identifiers.name", NAME_CITE),
        PLACE => (Category::Geographic, "identifiers.place", PLACE_CITE),
        CONDITION => (Category::Diagnosis, "clinical.condition", HEALTH_CITE),
        MEDICINE => (Category::Medication, "clinical.medicine", HEALTH_CITE),
        _ => return,
    };
    let words = if label == PLACE {
        with_numbers(view, words)
    } else {
        words.clone()
    };
    let ends = view.words.get(words).unwrap_or(&[]);
    let (Some(first), Some(last)) = (ends.first(), ends.last()) else {
        return;
    };
    let span = first.start..last.end;
    let mut met = false;
    for draft in drafts.iter_mut().filter(|it| meets(&it.span, &span)) {
        met = true;
        if draft.category.group() == category.group() && draft.confidence == Confidence::Possible {
            draft.confidence = Confidence::Probable;
        }
    }
    if met && label != PLACE {
        return;
    }
    // The words around a place are what the tagger went by: it is somebody's, unless the practice's.
    let lived = policy
        .surroundings()
        .residence
        .is_match(view.bytes(view.sentence(&span)));
    let soft = if label == PLACE && !lived && patterns::town(policy, view, &span) == Soft::Practice
    {
        Soft::Practice
    } else {
        Soft::No
    };
    drafts.push(Draft {
        span,
        category,
        rule: rule.into(),
        confidence: Confidence::Probable,
        kind: "tagger",
        name: "score".into(),
        cite: cite.into(),
        soft,
    });
}

/// The numbers of a house and of a postal code beside a place, also behind a state or country.
fn with_numbers(view: &View<'_>, words: &Range<usize>) -> Range<usize> {
    let word = |at: usize| view.words.get(at);
    let number = |at: usize| word(at).is_some_and(|it| it.digits && it.len() <= 6);
    // Blanks, commas and the ends of lines part the lines of an address, a full stop does not.
    let joined = |at: usize| {
        let start = at.checked_sub(1).and_then(word).map_or(0, |it| it.end);
        let between = word(at).map_or(&b"."[..], |it| view.bytes(start..it.start));
        let line = |byte: &u8| matches!(byte, b' ' | b',' | b'-' | b'\n' | b'\r' | b'>');
        between.len() <= 12 && between.iter().all(line)
    };
    let mut all = words.clone();
    while all.start > 0 && number(all.start - 1) && joined(all.start) {
        all.start -= 1;
    }
    let wide = |at: usize| {
        let state = |it: &Word| it.is(flag::COUNTRY) || it.case == Case::Upper && it.len() == 2;
        joined(at) && word(at).is_some_and(state)
    };
    let behind = (all.end..all.end + 3)
        .find(|at| !wide(*at))
        .unwrap_or(all.end);
    if number(behind) && joined(behind) {
        all.end = behind;
    }
    while number(all.end) && joined(all.end) {
        all.end += 1;
    }
    all
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

/// A word of a text with its features, for training.
#[derive(Clone, Debug)]
pub struct Example {
    /// Where it stands in the text, in bytes.
    pub span: Range<usize>,
    /// Would the tagger look at it?
    pub candidate: bool,
    /// Its features.
    pub features: Vec<u32>,
    /// The place in `LABELS` that the model in use gives it, and its lead.
    pub told: (usize, i32),
}

/// The words of a text as the tagger sees them, for training.
pub fn examples(policy: &Policy, text: &str) -> Vec<Example> {
    let mut room = Room::default();
    let view = View::new(policy.phrases(), text, &mut room);
    let hand = Hand::of(&view);
    let look = |(at, word): (usize, &Word)| {
        let candidate = is_candidate(word, hand);
        let mut all = Vec::new();
        let mut sums = [0; LANES];
        if candidate {
            features(&view, at, hand, &mut |feature| {
                all.push(feature);
                policy.tagger().add(feature, &mut sums);
            });
        }
        Example {
            span: view.to_original(&(word.start..word.end)),
            candidate,
            features: all,
            told: lead(&sums),
        }
    };
    view.words.iter().enumerate().map(look).collect()
}
