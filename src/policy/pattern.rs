//! Regular expressions that are searched without allocating: the engine of the `regex` crate, with
//! the memory for groups and sets in the caller's hands.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;
use regex_automata::Anchored;
use regex_automata::Input;
use regex_automata::meta;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::util::primitives::PatternID;
use regex_automata::util::syntax;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::ExtractKind;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::literal::Literal;

/// A pattern has fewer groups than this, the whole match among them.
const GROUPS_MAX: usize = 16;

/// So many beginnings of one pattern are looked for at once; with more they are cut short.
const BEGINNINGS_MAX: usize = 2_000;
/// A longer beginning rules out hardly anything more.
const BEGINNING_LENGTH: usize = 12;

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
        let input = Input::new(bytes).range(at..);
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

    /// Byte strings of which one stands where a match begins; `None` when there is no such list.
    fn beginnings(&self) -> Option<Vec<Literal>> {
        let hir = ParserBuilder::new()
            .utf8(false)
            .build()
            .parse(&self.text)
            .ok()?;
        let all = Extractor::new()
            .kind(ExtractKind::Prefix)
            .limit_total(BEGINNINGS_MAX)
            .limit_literal_len(BEGINNING_LENGTH)
            .extract(&hir);
        let list = all.literals()?;
        let told = !list.is_empty() && list.iter().all(|it| !it.is_empty());
        told.then(|| list.to_vec())
    }
}

/// Patterns that are searched together: one pass finds where any of them may begin, and only there
/// a pattern is tried. An automaton of all of them would have to be built state by state on the
/// texts themselves, which costs more than it saves until it has seen thousands.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    all: Vec<Pattern>,
    beginnings: AhoCorasick,
    /// The pattern of each beginning.
    owners: Vec<usize>,
    /// Patterns that may begin with anything.
    open: Vec<usize>,
}

/// Which of some patterns were found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matched(Vec<bool>);

impl Matched {
    /// Was the pattern at this place of the list found?
    pub(crate) fn has(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or_default()
    }
}

impl Patterns {
    /// Prepares the search for these patterns; says what stands against it.
    pub(crate) fn new(all: Vec<Pattern>) -> Result<Self, String> {
        let mut literals = Vec::new();
        let mut owners = Vec::new();
        let mut open = Vec::new();
        for (index, pattern) in all.iter().enumerate() {
            let Some(list) = pattern.beginnings() else {
                open.push(index);
                continue;
            };
            owners.resize(owners.len() + list.len(), index);
            literals.extend(list);
        }
        let beginnings = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(literals.iter().map(Literal::as_bytes))
            .map_err(|error| error.to_string())?;
        Ok(Self {
            all,
            beginnings,
            owners,
            open,
        })
    }

    /// The patterns.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.all.iter()
    }

    /// Says which of them are in the text.
    pub(crate) fn matches(&self, text: &str, into: &mut Matched) {
        let found = &mut into.0;
        found.clear();
        found.resize(self.all.len(), false);
        let bytes = text.as_bytes();
        for place in self.beginnings.find_overlapping_iter(bytes) {
            let owner = self.owners.get(place.pattern().as_usize());
            let pattern = owner.and_then(|at| Some((self.all.get(*at)?, found.get_mut(*at)?)));
            if let Some((pattern, found)) = pattern {
                *found = *found || pattern.begins_at(bytes, place.start());
            }
        }
        for at in &self.open {
            if let (Some(pattern), Some(found)) = (self.all.get(*at), found.get_mut(*at)) {
                *found = pattern.is_match(bytes);
            }
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
