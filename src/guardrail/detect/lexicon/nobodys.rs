//! Words of medicine that speak of nobody: a doctor sought or offered, a business that bears the name
//! of a specialty, a complaint that anybody may have (`wear a mask if you have a cough`).

use std::ops::Range;

use crate::guardrail::detect::Soft;
use crate::guardrail::finding::Category;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::phrases::flag;

/// Does the sentence speak of somebody's own? The doctor's office is his own, and the pet's ail too.
fn is_owned(view: &View<'_>, span: &Range<usize>) -> bool {
    let around = view.sentence(span);
    let inside = |word: &&Word| around.start <= word.start && word.end <= around.end;
    let mut pairs = view
        .words
        .iter()
        .zip(view.words.iter().skip(1).map(Some).chain([None]));
    pairs.any(|(word, next)| {
        let next = next
            .filter(inside)
            .filter(|next| next.gap <= Gap::Space)
            .map_or(&[][..], |next| view.word_bytes(next));
        inside(&word)
            && match view.word_bytes(word) {
                b"your" | b"ur" | b"su" | b"sus" | b"tu" | b"tus" | b"referred" | b"referral" => {
                    true
                }
                b"his" | b"her" | b"their" => !matches!(
                    next,
                    b"" | b"office" | b"practice" | b"clinic" | b"name" | b"number"
                ),
                b"my" => !matches!(next, b"dog" | b"cat" | b"puppy"),
                _ => false,
            }
    })
}

/// `a dermatologist in town`: of nobody, unless the sentence speaks of somebody's.
pub(super) fn is_offered(policy: &Policy, view: &View<'_>, span: &Range<usize>) -> bool {
    let cues = policy.surroundings();
    let around = view.sentence(span);
    let before = view.bytes(around.start.min(span.start)..span.start);
    let words = view.bytes(around);
    let asked = words.trim_ascii_end().ends_with(b"?");
    let sought = asked || cues.offer.is_match(before) || cues.directory.is_match(words);
    sought && !is_owned(view, span)
}

/// Whose: a business bears the name, anybody may have the complaint, or somebody has it.
pub(super) fn whose(
    policy: &Policy,
    view: &View<'_>,
    words: &Range<usize>,
    category: Category,
    span: &Range<usize>,
) -> Soft {
    if is_owned(view, span) {
        return Soft::No;
    }
    let business = matches!(
        category,
        Category::Specialty
            | Category::Procedure
            | Category::Treatment
            | Category::Imaging
            | Category::Reproductive
            | Category::Diagnosis
            | Category::Symptom
            | Category::MentalHealth
    ) && is_business(view, words);
    let complaint = matches!(category, Category::Symptom | Category::Diagnosis)
        && is_anybodys(view, words, span)
        && !policy
            .surroundings()
            .clinical_own
            .is_match(view.bytes(view.sentence(span)));
    let general = || {
        policy
            .surroundings()
            .general
            .is_match(view.bytes(view.sentence(span)))
    };
    if complaint {
        Soft::Anybody
    } else if business || general() {
        Soft::Bare
    } else {
        Soft::No
    }
}

/// `Sonoma Dermatology`, `Allura Skin & Laser Center`: written large among words written large.
fn is_business(view: &View<'_>, words: &Range<usize>) -> bool {
    let word = |at: usize| view.words.get(at);
    // `Women's Health`: what the apostrophe leaves behind is always small.
    let large = words.clone().all(|at| {
        word(at).is_some_and(|it| it.is_capital() || it.len() == 1 && it.gap == Gap::Mark)
    });
    let shouted = !view
        .words
        .iter()
        .any(|word| word.len() > 1 && !word.is_capital() && !word.digits);
    if !large || shouted {
        return false;
    }
    let joined = |word: &Word| {
        word.gap <= Gap::Space || view.bytes(word.start.saturating_sub(3)..word.start) == b" & "
    };
    let named = |word: &Word| word.is_capital() && !word.digits && !word.is(flag::GREETING);
    let first = word(words.start);
    let before = words.start.checked_sub(1).and_then(word).is_some_and(|it| {
        first.is_some_and(joined) && named(it) && (it.gap != Gap::Stop || !it.is(flag::COMMON))
    });
    let after = word(words.end).is_some_and(|it| joined(it) && named(it));
    before || after
}

/// `if you have a cough`, `anyone with a fever`: said to all.
fn is_anybodys(view: &View<'_>, words: &Range<usize>, span: &Range<usize>) -> bool {
    let around = view.sentence(span);
    let mut before = view
        .words
        .iter()
        .take(words.start)
        .rev()
        .take_while(|word| word.start >= around.start)
        .take(8);
    before.any(|word| {
        matches!(
            view.word_bytes(word),
            b"if" | b"anyone" | b"anybody" | b"unless" | b"whoever" | b"si" | b"quien" | b"quienes"
        )
    })
}
