//! Many patterns that are searched together.

use std::ops::Range;

use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::Look;
use regex_syntax::hir::literal::ExtractKind;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::literal::Literal;

use crate::policy::pattern::Pattern;
use crate::policy::pattern::inner::Inner;
use crate::policy::pattern::need;
use crate::policy::pattern::trie::Trie;

/// So many beginnings of one pattern are looked for at once; with more they are cut short.
const BEGINNINGS_MAX: usize = 250;
/// A longer beginning rules out hardly anything more, and the tree of them all must stay near at hand.
const BEGINNING_LENGTH: usize = 8;

/// Patterns in sets that are searched together: one pass finds where any of them may begin and which of
/// their rarer words the text holds; only there is a pattern tried. An automaton of all of them would have
/// to be built state by state on the texts themselves, which costs more than it saves until it has seen
/// thousands.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    all: Box<[Pattern]>,
    /// What stands where a word begins: the beginnings of most ways to match, and, with [`NEED`] in the
    /// number of the way, words without which it is none.
    words: Trie,
    /// What may begin within a word or with a mark.
    anywhere: Trie,
    ways: Box<[Way]>,
    /// What each byte can do.
    kinds: Box<[u8; 256]>,
}

/// One way in which a pattern matches.
#[derive(Clone, Copy, Debug)]
struct Way {
    pattern: usize,
    /// It needs no word besides its beginning.
    free: bool,
}

/// Patterns that were added together; their numbers count from 0.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    patterns: Range<usize>,
    ways: Range<u32>,
    /// Those that may begin with anything.
    open: Vec<usize>,
}

/// The byte is part of a word.
const WORD: u8 = 1;
/// The beginning of a match at a word, or a word that one needs, may begin with it.
const OPENS_WORD: u8 = 2;
/// Another beginning may begin with it.
const OPENS: u8 = 4;

/// Marks the number of a way as the owner of a word that it needs.
const NEED: u32 = 1 << (u32::BITS - 1);
/// Beside that: the way may begin with anything.
const FLOATS: u32 = NEED >> 1;

/// What was seen of the patterns in one text, and which of a set were found; memory that is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matched {
    /// Ways that may begin, each with its place, from left to right.
    begun: Vec<(u32, usize)>,
    /// Words that ways need, in the same order.
    needs: Vec<(u32, usize)>,
    /// A bit for each way whose words are there, in the stretch that was asked for last.
    ready: Vec<u64>,
    asked: Option<Range<usize>>,
    found: Vec<usize>,
}

impl Matched {
    /// Was the pattern of this number found?
    pub(crate) fn has(&self, number: usize) -> bool {
        self.found.contains(&number)
    }

    /// The numbers of those found, in order.
    pub(crate) fn found(&self) -> impl Iterator<Item = usize> {
        self.found.iter().copied()
    }
}

/// Patterns on their way to be searched together.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    all: Vec<Pattern>,
    words: Vec<(Vec<u8>, u32)>,
    anywhere: Vec<(Vec<u8>, u32)>,
    ways: Vec<Way>,
}

impl Gathering {
    /// Adds a set.
    pub(crate) fn add(&mut self, set: Vec<Pattern>) -> Set {
        let (first, first_way) = (self.all.len(), self.way());
        let mut open: Vec<usize> = Vec::new();
        for (number, pattern) in set.iter().enumerate() {
            let split = pattern.hir().map_or(Vec::new(), |hir| need::ways(&hir));
            let known = split.iter().all(|way| self.add_way(first + number, way));
            if !known || split.is_empty() {
                open.push(number);
            }
        }
        self.all.extend(set);
        Set {
            patterns: first..self.all.len(),
            ways: first_way..self.way(),
            open,
        }
    }

    /// The number of the next way.
    fn way(&self) -> u32 {
        u32::try_from(self.ways.len()).unwrap_or(NEED)
    }

    /// False when nothing is known of the way by which to look for it.
    fn add_way(&mut self, pattern: usize, way: &Hir) -> bool {
        let number = self.way();
        let list = beginnings(way);
        let bounded = begins_at_border(way);
        for text in list.iter().flatten() {
            let word = text.as_bytes().first().copied().is_some_and(is_word);
            let kind = if bounded && word {
                &mut self.words
            } else {
                &mut self.anywhere
            };
            kind.push((text.as_bytes().to_vec(), number));
        }
        let mut needed = need::words(way);
        if needed.is_empty() && list.is_none() {
            needed = Inner::of(way).map_or_else(Vec::new, |it| it.strings);
            let needed = needed.iter().map(|it| (it.clone(), number | NEED | FLOATS));
            self.anywhere.extend(needed);
        } else {
            let floats = if list.is_none() { FLOATS } else { 0 };
            let needed = needed.iter().map(|it| (it.clone(), number | NEED | floats));
            self.words.extend(needed);
        }
        let free = needed.is_empty();
        if free && list.is_none() {
            return false;
        }
        self.ways.push(Way { pattern, free });
        true
    }

    /// Prepares the search for all of them.
    pub(crate) fn finish(self) -> Patterns {
        let (words, anywhere) = (Trie::new(&self.words), Trie::new(&self.anywhere));
        let mut kinds = Box::new([0; 256]);
        for (byte, kind) in (0..=u8::MAX).zip(kinds.iter_mut()) {
            let marks = [
                (is_word(byte), WORD),
                (words.begins_with(byte), OPENS_WORD),
                (anywhere.begins_with(byte), OPENS),
            ];
            *kind = marks
                .iter()
                .map(|(is, mark)| if *is { *mark } else { 0 })
                .sum();
        }
        Patterns {
            all: self.all.into(),
            words,
            anywhere,
            ways: self.ways.into(),
            kinds,
        }
    }
}

impl Patterns {
    /// A pattern of a set.
    pub(crate) fn get(&self, set: &Set, number: usize) -> Option<&Pattern> {
        self.all.get(set.patterns.clone())?.get(number)
    }

    /// Looks through a text for where any pattern may begin.
    pub(crate) fn look(&self, text: &str, into: &mut Matched) {
        let Matched {
            begun,
            needs,
            asked,
            ..
        } = into;
        begun.clear();
        needs.clear();
        *asked = None;
        let bytes = text.as_bytes();
        let mut see = |owner: u32, at: usize| {
            if owner & NEED == 0 {
                begun.push((owner, at));
            } else {
                needs.push((owner & !NEED, at));
            }
        };
        self.each_begin(bytes, |at, kind, inside| {
            if kind & OPENS_WORD != 0 && !inside {
                self.words.at(bytes, at, |owner| see(owner, at));
            }
            if kind & OPENS != 0 {
                self.anywhere.at(bytes, at, |owner| see(owner, at));
            }
        });
    }

    /// Says which patterns of a set are in a stretch of the text that was looked through, as in a text
    /// of its own. The stretch begins where a word may begin.
    pub(crate) fn find(&self, set: &Set, text: &str, stretch: Range<usize>, into: &mut Matched) {
        let Matched {
            begun,
            needs,
            ready,
            asked,
            found,
        } = into;
        found.clear();
        let bytes = text.as_bytes().get(stretch.clone()).unwrap_or_default();
        let needs = within(needs, &stretch);
        if asked.as_ref() != Some(&stretch) {
            ready.clear();
            ready.resize(self.ways.len().div_ceil(64), 0);
            for (way, _) in needs {
                let (word, bit) = bit_of(way & !FLOATS);
                if let Some(slot) = ready.get_mut(word) {
                    *slot |= bit;
                }
            }
            *asked = Some(stretch.clone());
        }
        for (number, at) in within(begun, &stretch) {
            let Some(way) = self.way(set, *number) else {
                continue;
            };
            let (word, bit) = bit_of(*number);
            let ready = way.free || ready.get(word).is_some_and(|it| it & bit != 0);
            let place = way.pattern - set.patterns.start;
            if ready
                && !found.contains(&place)
                && let Some(pattern) = self.all.get(way.pattern)
                && pattern.begins_at(bytes, at - stretch.start)
            {
                found.push(place);
            }
        }
        let mut last = None;
        for (number, _) in needs.iter().filter(|(number, _)| number & FLOATS != 0) {
            // Once is enough where a word stands there often.
            if last.replace(*number) == Some(*number) {
                continue;
            }
            let Some(way) = self.way(set, number & !FLOATS) else {
                continue;
            };
            let place = way.pattern - set.patterns.start;
            let pattern = self.all.get(way.pattern);
            if !found.contains(&place) && pattern.is_some_and(|it| it.is_match(bytes)) {
                found.push(place);
            }
        }
        let open = set.open.iter().copied();
        found.extend(open.filter(|it| self.get(set, *it).is_some_and(|it| it.is_match(bytes))));
        found.sort_unstable();
    }

    /// A way by its number, if it is one of the set.
    fn way(&self, set: &Set, number: u32) -> Option<&Way> {
        let own = set.ways.contains(&number);
        let at = usize::try_from(number).ok().filter(|_| own)?;
        self.ways.get(at)
    }

    /// Gives each byte that may begin something, with what it can do and whether a word goes on there.
    fn each_begin(&self, bytes: &[u8], mut give: impl FnMut(usize, u8, bool)) {
        let mut inside = false;
        for (at, byte) in bytes.iter().enumerate() {
            let kind = self.kinds.get(usize::from(*byte)).copied().unwrap_or(0);
            if kind & !WORD != 0 {
                give(at, kind, inside);
            }
            inside = kind & WORD != 0;
        }
    }
}

/// Of what was seen from left to right, that within a stretch.
fn within<'s>(seen: &'s [(u32, usize)], stretch: &Range<usize>) -> &'s [(u32, usize)] {
    let from = seen.partition_point(|(_, at)| *at < stretch.start);
    let to = seen.partition_point(|(_, at)| *at < stretch.end);
    seen.get(from..to).unwrap_or_default()
}

/// Where the bit of a way is.
fn bit_of(way: u32) -> (usize, u64) {
    (usize::try_from(way / 64).unwrap_or(0), 1 << (way % 64))
}

/// A letter, digit or underscore, as `(?-u:\b)` has it.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Byte strings of which one stands where a match begins; `None` when there is no such list.
fn beginnings(hir: &Hir) -> Option<Vec<Literal>> {
    let all = Extractor::new()
        .kind(ExtractKind::Prefix)
        .limit_total(BEGINNINGS_MAX)
        .limit_literal_len(BEGINNING_LENGTH)
        .extract(hir);
    let list = all.literals()?;
    let told = !list.is_empty() && list.iter().all(|it| !it.is_empty());
    told.then(|| list.to_vec())
}

/// Does every match begin at the border of an ASCII word, or at the beginning of the text?
fn begins_at_border(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Look(look) => {
            matches!(look, Look::WordAscii | Look::WordStartAscii | Look::Start)
        }
        HirKind::Capture(group) => begins_at_border(&group.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(begins_at_border),
        HirKind::Alternation(ways) => ways.iter().all(begins_at_border),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Repetition(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PATTERNS: &[&str] = &[
        r"(?-u:\b)(?:you (?:said|asked)|your (?:text|message))(?-u:\b)",
        r"^confirmed(?-u:\b)|(?-u:\b)(?:is|has been) (?:now )?confirmed(?-u:\b)",
        r"(?:^|[.!?] |\n)(?:please )?take (?:one|two|[0-9]+)",
        r"(?-u:\b)(?:'ll|will) call",
        r"[0-9]+ hours?$",
        r"(?-u:\b)(?:your |x)?text (?:two|you)[a-z ]*(?-u:\b)(?:call|said)(?-u:\b)|will x",
        r"[a-z]+ (?:call|said)(?-u:\b)",
        r"[a-z]+_|you _",
    ];

    proptest! {
        #[test]
        fn patterns_together_find_what_each_finds_alone(pieces in prop::collection::vec(
            prop::sample::select(vec![
                "you", "r", " ", "your ", "text", "said", "asked", "_", ".", "\n", "confirmed", "is ",
                "now ", "take ", "two", "please ", "we", "'ll ", "will ", "call", "2", " hours", "ñ", "x",
            ]),
            0..9,
        )) {
            let text = pieces.concat();
            let one = |pattern: &&str| Pattern::over_text(pattern, 1 << 20).unwrap();
            let (first, second) = PATTERNS.split_at(4);
            let mut gathering = Gathering::default();
            let sets = [first, second].map(|them| (them, gathering.add(them.iter().map(one).collect())));
            let together = gathering.finish();
            let mut matched = Matched::default();
            together.look(&text, &mut matched);
            // The whole, and what stands behind a blank and before the next, as sentences do.
            let blank = text.find(' ').map_or(0, |at| at + 1);
            let rest = text.get(blank..).unwrap();
            let next = rest.find(' ').map_or(text.len(), |at| blank + at);
            for stretch in [0..text.len(), blank..text.len(), blank..next] {
                for (them, set) in &sets {
                    together.find(set, &text, stretch.clone(), &mut matched);
                    let alone = them.iter().map(|it| one(it).is_match(text.get(stretch.clone()).unwrap()));
                    let told: Vec<bool> = (0..them.len()).map(|at| matched.has(at)).collect();
                    assert_eq!(told, alone.collect::<Vec<_>>(), "{stretch:?} of {text:?}");
                }
            }
        }
    }
}
