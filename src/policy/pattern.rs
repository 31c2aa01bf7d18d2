//! Regular expressions that are searched without allocating: the engine of the `regex` crate, with
//! the memory for groups and sets in the caller's hands.

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
        self.hir().map_or(0, |hir| least::least_digits(&hir))
    }

    /// Characters of which one stands in every match; nothing where no few are known.
    pub(crate) fn needed(&self) -> Option<Characters> {
        self.hir().and_then(|hir| least::needed(&hir))
    }

    /// Strings of which one stands in every match; none where they would rule out little.
    pub(crate) fn inner(&self) -> Vec<Vec<u8>> {
        let all = self.hir().map_or_else(Vec::new, |hir| inner::strings(&hir));
        // Single characters are known by [`Self::needed`].
        let longer = all.iter().any(|text| text.len() > 1);
        if longer { all } else { Vec::new() }
    }

    /// At one place of a text in about how many one of the inner strings stands.
    pub(crate) fn places(strings: &[Vec<u8>]) -> f64 {
        inner::places(strings)
    }

    /// Characters of a class that stand in a row in every match.
    pub(crate) fn least_run(&self) -> Option<Run> {
        self.hir().and_then(|hir| least::least_run(&hir))
    }

    /// Does a letter stand right before a digit in every match?
    pub(crate) fn joins(&self) -> bool {
        self.hir().is_some_and(|hir| least::joins(&hir))
    }

    /// How often the one character that is needed stands in every match; once, where there are several.
    pub(crate) fn least_needed(&self) -> usize {
        let one = self.needed().and_then(Characters::single);
        let least = one.zip(self.hir());
        least.map_or(1, |(one, hir)| least::least_of(&hir, one).max(1))
    }

    /// How far a match reaches around its digits; nothing where one may have none.
    pub(crate) fn around_digits(&self) -> Option<Reach> {
        self.hir().and_then(|hir| reach::around_digits(&hir))
    }
}

fn reason(error: &meta::BuildError) -> String {
    match (error.syntax_error(), error.size_limit()) {
        (Some(syntax), _) => syntax.to_string(),
        (None, Some(limit)) => format!("compiled regex exceeds size limit of {limit} bytes"),
        (None, None) => error.to_string(),
    }
}
