//! Regular expressions that are searched without allocating: the engine of the `regex` crate, with
//! the memory for groups and sets in the caller's hands.

use std::ops::Range;

use regex_automata::Input;
use regex_automata::MatchKind;
use regex_automata::PatternSet;
use regex_automata::meta;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::primitives::PatternID;
use regex_automata::util::syntax;

/// A pattern has fewer groups than this, the whole match among them.
const GROUPS_MAX: usize = 16;

/// One pattern over bytes.
#[derive(Clone, Debug)]
pub struct Pattern(meta::Regex);

impl Pattern {
    /// Compiles a pattern of at most `limit` bytes of program; says what is wrong with another.
    pub(crate) fn new(pattern: &str, limit: usize) -> Result<Self, String> {
        let config = meta::Config::new()
            .nfa_size_limit(Some(limit))
            .utf8_empty(false);
        let built = meta::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().utf8(false))
            .build(pattern);
        let engine = built.map_err(|error| reason(&error))?;
        if engine.captures_len() > GROUPS_MAX {
            return Err(format!("more than {GROUPS_MAX} groups"));
        }
        Ok(Self(engine))
    }

    /// Is there a match?
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.0.is_match(bytes)
    }

    /// The first match from `at` on; what stands before it is seen by `\b`.
    pub fn find_at(&self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        let input = Input::new(bytes).range(at..);
        self.0.search(&input).map(|it| it.range())
    }

    /// The number of a group by its name.
    pub(crate) fn group(&self, name: &str) -> Option<usize> {
        self.0.group_info().to_index(PatternID::ZERO, name)
    }

    /// Of the first match from `at` on, the first of these groups that took part.
    pub(crate) fn group_at(&self, bytes: &[u8], at: usize, names: &[&str]) -> Option<Range<usize>> {
        let mut slots: [Option<NonMaxUsize>; GROUPS_MAX * 2] = [None; GROUPS_MAX * 2];
        let input = Input::new(bytes).range(at..);
        let used = slots.get_mut(..self.0.captures_len() * 2)?;
        self.0.search_slots(&input, used)?;
        names.iter().find_map(|name| {
            let group = self.group(name)?;
            let start = used.get(group * 2).copied().flatten()?;
            let end = used.get(group * 2 + 1).copied().flatten()?;
            Some(start.get()..end.get())
        })
    }
}

/// Patterns over text that are searched together.
#[derive(Clone, Debug)]
pub(crate) struct Patterns(meta::Regex);

/// Which of some patterns were found.
#[derive(Clone, Debug)]
pub(crate) struct Matched(PatternSet);

impl Default for Matched {
    fn default() -> Self {
        Self(PatternSet::new(0))
    }
}

impl Matched {
    /// Was the pattern at this place of the list found?
    pub(crate) fn has(&self, index: usize) -> bool {
        PatternID::new(index).is_ok_and(|id| self.0.contains(id))
    }
}

impl Patterns {
    /// Compiles a list of patterns; says what is wrong with one.
    pub(crate) fn new(patterns: &[impl AsRef<str>]) -> Result<Self, String> {
        let built = meta::Builder::new()
            .configure(meta::Config::new().match_kind(MatchKind::All))
            .build_many(patterns);
        built.map(Self).map_err(|error| reason(&error))
    }

    /// Searches all of them in one pass.
    pub(crate) fn matches(&self, text: &str, into: &mut Matched) {
        if into.0.capacity() < self.0.pattern_len() {
            into.0 = PatternSet::new(self.0.pattern_len());
        }
        into.0.clear();
        self.0
            .which_overlapping_matches(&Input::new(text), &mut into.0);
    }
}

fn reason(error: &meta::BuildError) -> String {
    match (error.syntax_error(), error.size_limit()) {
        (Some(syntax), _) => syntax.to_string(),
        (None, Some(limit)) => format!("compiled regex exceeds size limit of {limit} bytes"),
        (None, None) => error.to_string(),
    }
}
