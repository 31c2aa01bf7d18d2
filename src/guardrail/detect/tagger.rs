//! A statistical voter beside the rules: what a word is by its shape, its ends and the words around it.
//!
//! Each word that no plain list explains is scored by a linear model over hashed features; nothing
//! is allocated and nothing can fail. It only votes: what it says is at most probable.

mod features;

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::HEALTH_CITE;
use crate::guardrail::detect::NAME_CITE;
use crate::guardrail::detect::PLACE_CITE;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::lexicon::Taken;
use crate::guardrail::detect::patterns;
use crate::guardrail::detect::tagger::features::Hand;
use crate::guardrail::detect::tagger::features::features;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::scratch;
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

/// May the word be part of something that the rules cannot know?
fn is_candidate(word: &Word, hand: Hand) -> bool {
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
    drafts.retain(|draft| !is_guess(draft) || !is_denied(model, view, hand, &draft.span));
}

/// A capital word that no list knows: the rules guess that it is a name.
fn is_guess(draft: &Draft) -> bool {
    draft.confidence == Confidence::Possible
        && draft.category == Category::Name
        && draft.name.as_str() == "unknown"
}

/// Is every word of the span clearly a thing, a brand or nothing at all?
fn is_denied(model: &Model, view: &View<'_>, hand: Hand, span: &Range<usize>) -> bool {
    let words = view.words.iter().enumerate();
    let mut inside = words.filter(|(_, word)| span.start <= word.start && word.end <= span.end);
    inside.all(|(at, word)| {
        if !is_candidate(word, hand) {
            return true;
        }
        let mut sums = [0; LANES];
        features(view, at, hand, &mut |feature| model.add(feature, &mut sums));
        let (best, lead) = lead(&sums);
        matches!(best, NONE | OTHER) && lead > DENIAL
    })
}

/// By how much nothing or a brand must lead before a guess of the rules is dropped: a leak harms more
/// than a false alarm, so by far.
const DENIAL: i32 = 300;

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
    // A name is rarely written small, and Spanish is thin in what the model learned from.
    let small =
        matches!(best, NAME | PLACE) && view.words.get(at).is_some_and(|word| !word.is_capital());
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

const NONE: usize = 0;
const OTHER: usize = 4;
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
    // "la", "visita": words of every text are no finding of their own, however they stand.
    let small = |word: &Word| !word.is_capital() && word.is(flag::COMMON);
    let everyday = |word: &Word| word.is(flag::SPANISH) || label == NAME && small(word);
    if ends.iter().all(everyday) {
        return;
    }
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

/// How many words of a text the tagger would speak of; for measuring, folding and cutting included.
pub fn told(policy: &Policy, text: &str) -> usize {
    scratch::with(|scratch| {
        let view = View::new(policy.phrases(), text, &mut scratch.detect.view);
        let hand = Hand::of(&view);
        let words = view.words.iter().enumerate();
        let asked = words.filter(|(_, word)| is_candidate(word, hand));
        let count = asked
            .filter(|(at, _)| label(policy.tagger(), &view, *at, hand, false) != NONE)
            .count();
        view.leave(&mut scratch.detect.view);
        count
    })
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
