//! The lists of medicine and places on a view, with the values that stand behind tests.

mod nobodys;

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::HEALTH_CITE;
use crate::guardrail::detect::PLACE_CITE;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::category_of;
use crate::guardrail::detect::confidence_of;
use crate::guardrail::detect::patterns;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::scratch::renew;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::phrases::Entry;
use crate::policy::phrases::LONGEST;
use crate::policy::phrases::Section;
use crate::policy::phrases::TYPO_LENGTH;
use crate::policy::phrases::extend;
use crate::policy::phrases::flag;
use crate::policy::rules::Certainty;

/// The list of what doctors are called after.
const SPECIALTIES: &str = "lexicon.specialties";

/// What became of a word: nothing, part of a harmless phrase, or part of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Free,
    Masked,
    Found,
}

/// A phrase of a list in the text.
#[derive(Debug)]
struct Phrase<'a> {
    words: Range<usize>,
    section: &'a Section,
    typo: bool,
}

/// The memory of the lists' search.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    taken: Vec<Taken>,
    phrases: Vec<Phrase<'static>>,
    sure: Vec<Range<usize>>,
}

impl Scratch {
    /// What became of each word.
    pub(super) fn taken(&self) -> &[Taken] {
        &self.taken
    }
}

/// Finds the phrases of the lists; says of each word what became of it.
pub(super) fn find(
    policy: &Policy,
    view: &View<'_>,
    scratch: &mut Scratch,
    drafts: &mut Vec<Draft>,
) {
    let Scratch {
        taken,
        phrases: room,
        sure,
    } = scratch;
    taken.clear();
    taken.resize(view.words.len(), Taken::Free);
    let mut phrases = renew(std::mem::take(room));
    scan(policy, view, &mut phrases);
    sure.clear();
    sure.extend(sure_sentences(view, &phrases));
    for phrase in &phrases {
        let span = span_of(view, &phrase.words);
        let Some(category) = phrase.section.category.map(category_of) else {
            mark(taken, &phrase.words, Taken::Masked);
            continue;
        };
        if category == Category::Geographic {
            if let Some(draft) = place(policy, view, phrase, &span) {
                mark(taken, &phrase.words, Taken::Found);
                drafts.push(draft);
            }
            continue;
        }
        let value = value_behind(policy, view, category, span.end);
        let Some(confidence) = weigh(policy, view, phrase, category, value.is_some(), sure) else {
            continue;
        };
        mark(taken, &phrase.words, Taken::Found);
        let mut soft = nobodys::whose(policy, view, &phrase.words, category, &span);
        let offered = || is_doctor(view, phrase) && nobodys::is_offered(policy, view, &span);
        if soft == Soft::No && offered() {
            soft = Soft::Bare;
        }
        drafts.push(Draft {
            soft,
            ..draft_of(phrase, category, confidence, span)
        });
        // `potassium is 5.9`: what is also a mineral was measured, not given.
        let given =
            category == Category::Medication && phrase.section.confidence != Certainty::Possible;
        let told = if given {
            Category::Dose
        } else {
            Category::LabValue
        };
        drafts.extend(value.map(|span| draft_of(phrase, told, Confidence::Probable, span)));
    }
    *room = renew(phrases);
}

fn mark(taken: &mut [Taken], words: &Range<usize>, how: Taken) {
    if let Some(slots) = taken.get_mut(words.clone()) {
        slots.fill(how);
    }
}

fn span_of(view: &View<'_>, words: &Range<usize>) -> Range<usize> {
    let start = view.words.get(words.start).map_or(0, |word| word.start);
    let end = view
        .words
        .get(words.end.saturating_sub(1))
        .map_or(start, |word| word.end);
    start..end
}

fn draft_of(
    phrase: &Phrase<'_>,
    category: Category,
    confidence: Confidence,
    span: Range<usize>,
) -> Draft {
    Draft {
        span,
        category,
        rule: (&phrase.section.rule).into(),
        confidence,
        kind: "lexicon",
        name: (&phrase.section.rule).into(),
        cite: HEALTH_CITE.into(),
        soft: Soft::No,
    }
}

/// The phrases from left to right, the longest at each word.
fn scan<'a>(policy: &'a Policy, view: &View<'_>, found: &mut Vec<Phrase<'a>>) {
    let lists = policy.phrases();
    let mut at = 0;
    while let Some(word) = view.words.get(at) {
        let longest = longest_at(policy, view, at);
        if let Some((end, entry)) = longest
            && let Some(section) = lists.section(entry)
        {
            if section.confidence == Certainty::Possible && stronger(policy, view, at + 1..end) {
                at += 1;
                continue;
            }
            found.push(Phrase {
                words: at..end,
                section,
                typo: false,
            });
            at = end;
            continue;
        }
        let strange = !word.listed && !word.digits && word.len() >= TYPO_LENGTH;
        let names = flag::FIRST | flag::LAST | flag::FIRST_WEAK | flag::LAST_WEAK | flag::PLACE;
        if strange
            && !word.is(names)
            && let Some(section) = lists.by_ending(view.word_bytes(word), word.hash)
        {
            found.push(Phrase {
                words: at..at + 1,
                section,
                typo: true,
            });
            at += 1;
            continue;
        }
        let known = flag::COMMON
            | flag::FIRST
            | flag::LAST
            | flag::FIRST_WEAK
            | flag::LAST_WEAK
            | flag::PLACE
            | flag::SPANISH;
        if strange
            && !word.is(known)
            && let Some(section) = lists.misspelt(view.word_bytes(word))
        {
            found.push(Phrase {
                words: at..at + 1,
                section,
                typo: true,
            });
        }
        at += 1;
    }
}

/// `the baby on the way`: inside a phrase that is only possibly clinical begins one that is surely so.
fn stronger(policy: &Policy, view: &View<'_>, starts: Range<usize>) -> bool {
    starts.into_iter().any(|at| {
        longest_at(policy, view, at)
            .and_then(|(_, entry)| policy.phrases().section(entry))
            .is_some_and(|section| {
                section.category.is_some() && section.confidence != Certainty::Possible
            })
    })
}

/// The longest phrase that begins at a word, as the place behind it and its entry.
fn longest_at(policy: &Policy, view: &View<'_>, from: usize) -> Option<(usize, Entry)> {
    let lists = policy.phrases();
    let mut best = None;
    let mut run = 0;
    for (step, word) in view.words.iter().skip(from).take(LONGEST).enumerate() {
        let clipped =
            word.len() == 1 && view.bytes(word.start.saturating_sub(1)..word.start) == b"'";
        if step > 0
            && (word.gap >= Gap::Comma
                || clipped && step == 1 && view.words.get(from).is_some_and(|it| it.len() == 1))
        {
            break;
        }
        let whole = lists.get(extend(run, word.hash));
        let plural = if word.stem == word.hash {
            None
        } else {
            lists.get(extend(run, word.stem))
        };
        let ends = [whole, plural]
            .into_iter()
            .flatten()
            .find(|entry| lists.section(*entry).is_some());
        if let Some(entry) = ends {
            best = Some((from + step + 1, entry));
        }
        run = extend(run, word.hash);
        if !whole.is_some_and(|entry| entry.begins) {
            break;
        }
    }
    best
}

/// The sentences in which something is clinical beyond doubt.
fn sure_sentences(view: &View<'_>, phrases: &[Phrase<'_>]) -> impl Iterator<Item = Range<usize>> {
    let sure = phrases.iter().filter(|it| {
        let clinical = it
            .section
            .category
            .is_some_and(|name| !matches!(name, "geographic" | "specialty" | "dose"))
            && !is_doctor(view, it);
        it.section.confidence == Certainty::Certain && clinical && !it.typo
    });
    sure.map(|it| view.sentence(&span_of(view, &it.words)))
}

/// How sure a phrase is where it stands; nothing when it wants a cue and has none.
fn weigh(
    policy: &Policy,
    view: &View<'_>,
    phrase: &Phrase<'_>,
    category: Category,
    valued: bool,
    sure: &[Range<usize>],
) -> Option<Confidence> {
    if phrase.typo {
        return Some(Confidence::Probable);
    }
    // `add 5 and 89`: an everyday word of three letters is no test with its score.
    let everyday = view.words.get(phrase.words.start).is_some_and(|word| {
        phrase.words.len() == 1 && word.len() <= 3 && word.is(flag::COMMON) && !word.is_capital()
    });
    let valued = valued && !(everyday && phrase.section.confidence == Certainty::Possible);
    if phrase.section.confidence != Certainty::Possible || valued {
        return Some(confidence_of(phrase.section.confidence).max(if valued {
            Confidence::Probable
        } else {
            Confidence::Possible
        }));
    }
    let span = span_of(view, &phrase.words);
    let sentence = view.sentence(&span);
    let cue = &policy.surroundings().clinical;
    let before = cue.is_match(view.bytes(sentence.start..span.start));
    let after = cue.is_match(view.bytes(span.end..sentence.end));
    // `We saw your X-ray. Everything looks good.`: the result follows its test.
    let told = category == Category::LabValue
        && phrase.words.len() >= 2
        && sure.iter().any(|it| it.end == sentence.start);
    let beside = told || sure.contains(&sentence);
    let short = view.words.get(phrase.words.start).is_some_and(|word| {
        let plural = usize::from(word.stem != word.hash);
        phrase.words.len() == 1 && word.len() <= 3 + plural
    });
    // `Si tiene fiebre` begins a sentence; `SI` is an abbreviation.
    let large = view
        .words
        .get(phrase.words.start)
        .is_some_and(|word| word.case == crate::guardrail::text::Case::Upper);
    // `once a day` or `up` tell something only beside a medicine or a test.
    let needs_other = matches!(category, Category::Dose | Category::LabValue);
    let level = matches!(
        category,
        Category::Lab | Category::Vital | Category::Medication
    ) && view.bytes(span.end..sentence.end).starts_with(b" level");
    if !beside
        && policy
            .surroundings()
            .everyday
            .is_match(view.bytes(sentence))
    {
        return None;
    }
    let enough = beside || !needs_other && (before || after || level);
    (enough && (!short || large)).then_some(Confidence::Possible)
}

/// `gynecologist`, `ENT specialist`: what a doctor is called, in whichever list.
fn is_doctor(view: &View<'_>, phrase: &Phrase<'_>) -> bool {
    let last = phrase
        .words
        .end
        .checked_sub(1)
        .and_then(|at| view.words.get(at));
    let ends = |ending: &[u8]| {
        last.is_some_and(|word| {
            let bytes = view.word_bytes(word);
            bytes.strip_suffix(b"s").unwrap_or(bytes).ends_with(ending)
        })
    };
    &*phrase.section.rule == SPECIALTIES
        || [&b"ologist"[..], b"specialist", b"ologo", b"ologa"]
            .into_iter()
            .any(ends)
}

/// The value that follows a test or vital sign at once.
fn value_behind(
    policy: &Policy,
    view: &View<'_>,
    category: Category,
    from: usize,
) -> Option<Range<usize>> {
    let reads = matches!(
        category,
        Category::Lab
            | Category::Vital
            | Category::HivSti
            | Category::Genetic
            | Category::Medication
            | Category::MentalHealth
    ) || category == Category::LabValue && asserts(view, from);
    if !reads || !view.has_digit {
        return None;
    }
    let rest = view.bytes(from..(from + 60).min(view.folded.len()));
    let found = policy.surroundings().value.group_at(rest, 0, &["v"])?;
    let after = rest.get(found.end).copied().unwrap_or(b' ');
    let joined = after.is_ascii_alphanumeric()
        || (after == b'-' || after == b':') && category != Category::Lab;
    let medicine = category == Category::Medication && found.start > 12;
    (!joined && !medicine).then(|| from + found.start..from + found.end)
}

/// `your sugar was`: the phrase ends in the verb that gives the value.
fn asserts(view: &View<'_>, end: usize) -> bool {
    let ends = |verb: &[u8]| view.bytes(0..end).ends_with(verb);
    [
        &b" was"[..],
        b" is",
        b" were",
        b" are",
        b" at",
        b" fue",
        b" es",
    ]
    .into_iter()
    .any(ends)
}

/// A town is found beside a word of place or its state, and where it is written large.
fn place(
    policy: &Policy,
    view: &View<'_>,
    phrase: &Phrase<'_>,
    span: &Range<usize>,
) -> Option<Draft> {
    let first = view.words.get(phrase.words.start)?;
    let before = phrase
        .words
        .start
        .checked_sub(1)
        .and_then(|at| view.words.get(at));
    let after = view.words.get(phrase.words.end);
    let near = |word: &Word| {
        matches!(
            view.word_bytes(word),
            b"in" | b"from" | b"near" | b"en" | b"desde"
        )
    };
    let cued = before.is_some_and(|word| {
        word.is(flag::PLACE_CUE) && first.gap == Gap::Space && (first.is_capital() || near(word))
    });
    let stated = after.is_some_and(|word| {
        word.is(flag::COUNTRY)
            || word.case == crate::guardrail::text::Case::Upper && word.len() == 2
    });
    let surname = before.is_some_and(|word| {
        word.is(flag::FIRST | flag::FIRST_WEAK)
            && word.is_capital()
            && first.gap == Gap::Space
            && !word.is(flag::PLACE_CUE | flag::COMMON)
    });
    if surname && first.is(flag::FIRST | flag::LAST | flag::FIRST_WEAK | flag::LAST_WEAK) {
        return None;
    }
    let named = after.is_some_and(|word| {
        word.is(flag::ORGANISATION | flag::LAST | flag::STREET) && word.is_capital()
    });
    let longer = first.is_capital()
        && phrase.section.confidence == Certainty::Certain
        && !first.is(flag::FIRST | flag::LAST | flag::FIRST_WEAK | flag::LAST_WEAK);
    let clear =
        (cued && (first.is_capital() || !first.is(flag::COMMON))) || (stated && first.is_capital());
    if named || !(clear || longer) {
        return None;
    }
    let soft = patterns::town(policy, view, span);
    let confidence = if clear {
        Confidence::Probable
    } else {
        Confidence::Possible
    };
    let draft = draft_of(phrase, Category::Geographic, confidence, span.clone());
    Some(Draft {
        soft,
        cite: PLACE_CITE.into(),
        ..draft
    })
}
