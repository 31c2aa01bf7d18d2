//! Regular expressions that are searched without allocating: the engine of the `regex` crate, with
//! the memory for groups and sets in the caller's hands.

pub(crate) mod extent;
mod inner;
pub(crate) mod least;
mod need;
pub(crate) mod reach;
mod together;
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

use crate::policy::pattern::least::Characters;
use crate::policy::pattern::least::Run;
use crate::policy::pattern::reach::Reach;

pub(crate) use crate::policy::pattern::inner::Inner;
pub(crate) use crate::policy::pattern::together::Gathering;
pub(crate) use crate::policy::pattern::together::Matched;
pub(crate) use crate::policy::pattern::together::Patterns;
pub(crate) use crate::policy::pattern::together::Set;

/// A pattern has fewer groups than this, the whole match among them.
const GROUPS_MAX: usize = 16;

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
    pub(crate) fn group_number(&self, name: &str) -> Option<usize> {
        self.engine.group_info().to_index(PatternID::ZERO, name)
    }

    /// Of the first match from `at` on, the first of these groups that took part.
    pub(crate) fn group_at(&self, bytes: &[u8], at: usize, names: &[&str]) -> Option<Range<usize>> {
        self.group(&Input::new(bytes).range(at..), names)
    }

    /// Of the match that is this stretch of a text, the first of these groups that took part.
    pub(crate) fn group_of(
        &self,
        bytes: &[u8],
        whole: Range<usize>,
        names: &[&str],
    ) -> Option<Range<usize>> {
        let input = Input::new(bytes).range(whole).anchored(Anchored::Yes);
        self.group(&input, names)
    }

    fn group(&self, input: &Input<'_>, names: &[&str]) -> Option<Range<usize>> {
        let mut slots: [Option<NonMaxUsize>; GROUPS_MAX * 2] = [None; GROUPS_MAX * 2];
        let used = slots.get_mut(..self.engine.captures_len() * 2)?;
        self.engine.search_slots(input, used)?;
        names.iter().find_map(|name| {
            let group = self.group_number(name)?;
            let start = used.get(group * 2).copied().flatten()?;
            let end = used.get(group * 2 + 1).copied().flatten()?;
            Some(start.get()..end.get())
        })
    }

    fn hir(&self) -> Option<Hir> {
        let mut parser = ParserBuilder::new().utf8(false).build();
        parser.parse(&self.text).ok()
    }

    /// What every match has.
    pub(crate) fn demands(&self) -> Demands {
        let hir = self.hir();
        hir.as_ref().map_or_else(Demands::default, Demands::of)
    }

    /// These words, where one of them stands in every match.
    pub(crate) fn inner_by(&self, words: &[Vec<u8>]) -> Option<Inner> {
        let hir = self.hir()?;
        Inner::by_words(&hir, words)
    }
}

/// What every match of a pattern has; a text without need not be searched.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// So many digits.
    pub digits: usize,
    /// How far it reaches around its digits, where it has one for certain.
    pub around: Option<Reach>,
    /// One of these characters; nothing where no few are known.
    pub character: Option<Characters>,
    /// And where it is a single one, so often.
    pub times: usize,
    /// Characters of a class in a row.
    pub run: Option<Run>,
    /// A letter right before a digit.
    pub joins: bool,
    /// One of these strings; nothing where they would rule out little.
    pub inner: Option<Inner>,
}

impl Demands {
    fn of(hir: &Hir) -> Self {
        let character = least::needed(hir);
        let single = character.and_then(Characters::single);
        // Of single characters `character` tells.
        let longer = |it: &Inner| it.strings.iter().any(|text| text.len() > 1);
        Self {
            digits: least::least_digits(hir),
            around: reach::around_digits(hir),
            character,
            times: single.map_or(1, |one| least::least_of(hir, one).max(1)),
            run: least::least_run(hir),
            joins: least::joins(hir),
            inner: Inner::of(hir).filter(longer),
        }
    }
}

fn reason(error: &meta::BuildError) -> String {
    match (error.syntax_error(), error.size_limit()) {
        (Some(syntax), _) => syntax.to_string(),
        (None, Some(limit)) => format!("compiled regex exceeds size limit of {limit} bytes"),
        (None, None) => error.to_string(),
    }
}
