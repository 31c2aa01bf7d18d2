//! Regular expressions that are searched without allocating: the engine of the `regex` crate, with
//! the memory for groups and sets in the caller's hands.

mod need;
pub(crate) mod reach;
pub(crate) mod trie;

use std::ops::Range;

use regex_automata::Anchored;
use regex_automata::Input;
use regex_automata::meta;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::primitives::PatternID;
use regex_automata::util::syntax;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;
use regex_syntax::hir::Look;
use regex_syntax::hir::literal::ExtractKind;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::literal::Literal;

use crate::policy::pattern::reach::Characters;
use crate::policy::pattern::reach::Reach;
use crate::policy::pattern::trie::Trie;

/// A pattern has fewer groups than this, the whole match among them.
const GROUPS_MAX: usize = 16;

/// So many beginnings of one pattern are looked for at once; with more they are cut short.
const BEGINNINGS_MAX: usize = 2_000;
/// A longer beginning rules out hardly anything more.
const BEGINNING_LENGTH: usize = 8;

/// One pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    engine: meta::Regex,
    text: Box<str>,
}

impl Pattern {
    /// Compiles a pattern over bytes, of at most `limit` bytes of program; says what is wrong with another.
    pub(crate) fn over_bytes(pattern: &str, limit: usize) -> Result<Self, String> {
        Self::build(pattern, limit, false)
    }

    /// Compiles a pattern over text.
    pub(crate) fn over_text(pattern: &str, limit: usize) -> Result<Self, String> {
        Self::build(pattern, limit, true)
    }

    fn build(pattern: &str, limit: usize, utf8: bool) -> Result<Self, String> {
        let config = meta::Config::new()
            .nfa_size_limit(Some(limit))
            // Texts are short: to set up a search for letters costs more than the letters it skips.
            .auto_prefilter(utf8)
            .utf8_empty(utf8);
        let built = meta::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().utf8(utf8))
            .build(pattern);
        let engine = built.map_err(|error| reason(&error))?;
        if engine.captures_len() > GROUPS_MAX {
            return Err(format!("more than {GROUPS_MAX} groups"));
        }
        Ok(Self {
            engine,
            text: pattern.into(),
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Is there a match?
    pub fn is_match(&self, bytes: impl AsRef<[u8]>) -> bool {
        self.engine.is_match(bytes.as_ref())
    }

    /// Does a match begin at `at`?
    fn begins_at(&self, bytes: &[u8], at: usize) -> bool {
        let here = Input::new(bytes).range(at..).anchored(Anchored::Yes);
        self.engine.is_match(here)
    }

    /// The first match from `at` on; what stands before it is seen by `\b`.
    pub fn find_at(&self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        self.find_in(bytes, at..bytes.len())
    }

    /// The first match within a stretch of a text; what stands around it is seen by `\b`.
    pub(crate) fn find_in(&self, bytes: &[u8], stretch: Range<usize>) -> Option<Range<usize>> {
        let input = Input::new(bytes).range(stretch);
        self.engine.search(&input).map(|it| it.range())
    }

    /// The matches one behind the other.
    pub(crate) fn find_iter<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> {
        self.engine.find_iter(text).map(|it| it.range())
    }

    /// The number of a group by its name.
    pub(crate) fn group(&self, name: &str) -> Option<usize> {
        self.engine.group_info().to_index(PatternID::ZERO, name)
    }

    /// Of the first match from `at` on, the first of these groups that took part.
    pub(crate) fn group_at(&self, bytes: &[u8], at: usize, names: &[&str]) -> Option<Range<usize>> {
        let mut slots: [Option<NonMaxUsize>; GROUPS_MAX * 2] = [None; GROUPS_MAX * 2];
        let input = Input::new(bytes).range(at..);
        let used = slots.get_mut(..self.engine.captures_len() * 2)?;
        self.engine.search_slots(&input, used)?;
        names.iter().find_map(|name| {
            let group = self.group(name)?;
            let start = used.get(group * 2).copied().flatten()?;
            let end = used.get(group * 2 + 1).copied().flatten()?;
            Some(start.get()..end.get())
        })
    }

    fn hir(&self) -> Option<Hir> {
        let mut parser = ParserBuilder::new().utf8(false).build();
        parser.parse(&self.text).ok()
    }

    /// So many digits stand in every match.
    pub(crate) fn least_digits(&self) -> usize {
        self.hir().map_or(0, |hir| reach::least_digits(&hir))
    }

    /// Characters of which one stands in every match; nothing where no few are known.
    pub(crate) fn needed(&self) -> Option<Characters> {
        self.hir().and_then(|hir| reach::needed(&hir))
    }

    /// How far a match reaches around its digits; nothing where one may have none.
    pub(crate) fn around_digits(&self) -> Option<Reach> {
        self.hir().and_then(|hir| reach::around_digits(&hir))
    }
}

/// Patterns that are searched together: one pass finds where any of them may begin and which of their
/// rarer words the text holds; only there is a pattern tried. An automaton of all of them would have to
/// be built state by state on the texts themselves, which costs more than it saves until it has seen
/// thousands.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    all: Vec<Pattern>,
    /// What stands where a word begins: the beginnings of most ways to match, and, with [`NEED`] in the
    /// number of the way, words without which it is none.
    words: Trie,
    /// What may begin within a word or with a mark.
    anywhere: Trie,
    /// The pattern of each way to match.
    ways: Vec<usize>,
    /// The ways that need no such word.
    free: Vec<bool>,
    /// Patterns that may begin with anything.
    open: Vec<usize>,
    /// What each byte can do.
    kinds: Box<[u8; 256]>,
}

/// The byte is part of a word.
const WORD: u8 = 1;
/// The beginning of a match at a word, or a word that one needs, may begin with it.
const OPENS_WORD: u8 = 2;
/// Another beginning may begin with it.
const OPENS: u8 = 4;

/// Marks the number of a way as the owner of a word that it needs.
const NEED: usize = 1 << (usize::BITS - 1);

/// Which of some patterns were found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matched {
    found: Vec<bool>,
    /// The ways to match whose words are there.
    ready: Vec<bool>,
    /// Ways to match that begin somewhere, and where.
    begun: Vec<(usize, usize)>,
}

impl Matched {
    /// Was the pattern at this place of the list found?
    pub(crate) fn has(&self, index: usize) -> bool {
        self.found.get(index).copied().unwrap_or_default()
    }
}

impl Patterns {
    /// Prepares the search for these patterns.
    pub(crate) fn new(all: Vec<Pattern>) -> Self {
        let mut words = Vec::new();
        let mut anywhere = Vec::new();
        let (mut ways, mut free) = (Vec::new(), Vec::new());
        let mut open = Vec::new();
        for (index, pattern) in all.iter().enumerate() {
            let split = pattern.hir().map_or(Vec::new(), |hir| need::ways(&hir));
            let lists = split
                .iter()
                .map(|way| beginnings(way).map(|list| (way, list)));
            let Some(lists) = lists
                .collect::<Option<Vec<_>>>()
                .filter(|it| !it.is_empty())
            else {
                open.push(index);
                continue;
            };
            for (way, list) in lists {
                let bounded = begins_at_border(way);
                for text in list {
                    let word = text.as_bytes().first().copied().is_some_and(is_word);
                    let kind = if bounded && word {
                        &mut words
                    } else {
                        &mut anywhere
                    };
                    kind.push((text.as_bytes().to_vec(), ways.len()));
                }
                let needed = need::words(way);
                free.push(needed.is_empty());
                words.extend(needed.into_iter().map(|word| (word, ways.len() | NEED)));
                ways.push(index);
            }
        }
        let (words, anywhere) = (Trie::new(&words), Trie::new(&anywhere));
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
        Self {
            all,
            words,
            anywhere,
            ways,
            free,
            open,
            kinds,
        }
    }

    /// The patterns.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.all.iter()
    }

    /// Says which of them are in the text.
    pub(crate) fn matches(&self, text: &str, into: &mut Matched) {
        let Matched {
            found,
            ready,
            begun,
        } = into;
        found.clear();
        found.resize(self.all.len(), false);
        ready.clone_from(&self.free);
        begun.clear();
        let bytes = text.as_bytes();
        self.each_begin(bytes, |at, kind, inside| {
            if kind & OPENS_WORD != 0 && !inside {
                self.words.at(bytes, at, |owner| {
                    if owner & NEED == 0 {
                        begun.push((owner, at));
                    } else if let Some(ready) = ready.get_mut(owner & !NEED) {
                        *ready = true;
                    }
                });
            }
            if kind & OPENS != 0 {
                self.anywhere.at(bytes, at, |way| begun.push((way, at)));
            }
        });
        for (way, at) in begun.iter().copied() {
            let owner = self.ways.get(way).copied().unwrap_or(usize::MAX);
            if let (Some(true), Some(pattern), Some(found)) =
                (ready.get(way), self.all.get(owner), found.get_mut(owner))
            {
                *found = *found || pattern.begins_at(bytes, at);
            }
        }
        for at in &self.open {
            if let (Some(pattern), Some(found)) = (self.all.get(*at), found.get_mut(*at)) {
                *found = pattern.is_match(bytes);
            }
        }
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

/// A letter, digit or underscore, as `(?-u:\b)` has it.
const fn is_word(byte: u8) -> bool {
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

fn reason(error: &meta::BuildError) -> String {
    match (error.syntax_error(), error.size_limit()) {
        (Some(syntax), _) => syntax.to_string(),
        (None, Some(limit)) => format!("compiled regex exceeds size limit of {limit} bytes"),
        (None, None) => error.to_string(),
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
            let all = PATTERNS.iter().map(|it| Pattern::over_text(it, 1 << 20).unwrap());
            let together = Patterns::new(all.collect());
            let mut matched = Matched::default();
            together.matches(&text, &mut matched);
            for (at, pattern) in together.iter().enumerate() {
                assert_eq!(matched.has(at), pattern.is_match(&text), "{} in {text:?}", PATTERNS[at]);
            }
        }
    }
}
