//! The phrases of the rules: a small language that a clinic's staff can read, and its matcher.
//!
//! `my (son|child) [has] swallowed .. bleach`: words; one of several; perhaps; up to three words
//! between (`...` up to six). `chest ~ pain`: both, in either order, up to eight words apart.
//! `<group>` is a named list, `<number>` and `<year>` are numbers, `<104-109>` a number within,
//! `<any>` is any word. `^` and `$` are the two ends of a sentence. `hit*` is an English word with its
//! endings, `suicid%` a stem with those of both languages, `pegar+` a Spanish verb with its forms. Hand-written instead of regular
//! expressions because rules need words, sentences and clauses, not bytes, and a bound on time.

use std::collections::BTreeMap;

use crate::screen::forms;
use crate::screen::view::Spelling;
use crate::screen::view::fold_words;
use crate::screen::vocabulary::Token;
use crate::screen::vocabulary::Vocabulary;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Atom {
    Word(u32),
    Number,
    Within(u32, u32),
    Any,
}

impl Atom {
    fn fits(self, token: Token) -> bool {
        match self {
            Self::Word(word) => word == token.word,
            Self::Number => token.number.is_some(),
            Self::Within(least, most) => token.number.is_some_and(|n| (least..=most).contains(&n)),
            Self::Any => true,
        }
    }
}

#[derive(Debug)]
enum Step {
    One(Choice),
    Gap(usize),
    Start,
    End,
}

/// One of several words or sequences of words, or perhaps none.
#[derive(Debug)]
struct Choice {
    /// Single words, sorted: most choices are long lists of them.
    words: Vec<u32>,
    others: Vec<Vec<Atom>>,
    optional: bool,
}

impl Choice {
    fn new(of: Vec<Vec<Atom>>, optional: bool) -> Self {
        let (mut words, mut others) = (Vec::new(), Vec::new());
        for atoms in of {
            match atoms[..] {
                [Atom::Word(word)] => words.push(word),
                _ => others.push(atoms),
            }
        }
        words.sort_unstable();
        Self {
            words,
            others,
            optional,
        }
    }
}

/// A compiled phrase.
#[derive(Debug)]
pub(super) struct Phrase {
    steps: Vec<Step>,
}

/// How a phrase may begin.
pub(super) enum Head {
    Word(u32),
    Number,
}

/// Longest gap of a phrase, in words: `..` and `...`.
const GAP_SHORT: usize = 3;
const GAP_LONG: usize = 6;
/// Longest gap between parts that may come in any order.
const GAP_EITHER: usize = 8;
/// Most parts of a phrase that may come in any order: three have six orders.
const PARTS_MAX: usize = 3;
/// How deep a group may name another.
const GROUP_DEPTH_MAX: usize = 4;

/// What a phrase is compiled against.
pub(super) struct Compiler<'a> {
    pub(super) vocabulary: &'a mut Vocabulary,
    pub(super) groups: &'a BTreeMap<String, String>,
    pub(super) spelling: &'a Spelling,
}

impl Compiler<'_> {
    /// Compiles one phrase, or says what is wrong with it; `a ~ b` is both orders.
    pub(super) fn phrases(&mut self, text: &str) -> Result<Vec<Phrase>, String> {
        let parts: Vec<&str> = text.split(" ~ ").collect();
        if parts.len() > PARTS_MAX {
            return Err(format!("more than {PARTS_MAX} parts with ~ in {text:?}"));
        }
        let orders = orders(&parts);
        orders.iter().map(|order| self.phrase(order)).collect()
    }

    fn phrase(&mut self, text: &str) -> Result<Phrase, String> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (step, left) = self.step(rest)?;
            steps.extend(step);
            rest = left.trim_start();
        }
        let phrase = Phrase { steps };
        if phrase.heads().is_none() {
            return Err(format!(
                "phrase {text:?} must begin with a word, a group or a number"
            ));
        }
        Ok(phrase)
    }

    fn step<'t>(&mut self, rest: &'t str) -> Result<(Vec<Step>, &'t str), String> {
        let closed = |open: char, close: char| {
            let body = rest.strip_prefix(open)?;
            body.split_once(close)
        };
        let choice = |of, optional| vec![Step::One(Choice::new(of, optional))];
        if let Some((body, left)) = closed('(', ')') {
            Ok((choice(self.alternatives(body)?, false), left))
        } else if let Some((body, left)) = closed('[', ']') {
            Ok((choice(self.alternatives(body)?, true), left))
        } else if let Some(left) = rest.strip_prefix("....") {
            Ok((vec![Step::Gap(GAP_EITHER)], left))
        } else if let Some(left) = rest.strip_prefix("...") {
            Ok((vec![Step::Gap(GAP_LONG)], left))
        } else if let Some(left) = rest.strip_prefix("..") {
            Ok((vec![Step::Gap(GAP_SHORT)], left))
        } else if let Some(left) = rest.strip_prefix('^') {
            Ok((vec![Step::Start], left))
        } else if let Some(left) = rest.strip_prefix('$') {
            Ok((vec![Step::End], left))
        } else if let Some((name, left)) = closed('<', '>') {
            let of = self.alternatives(&format!("<{name}>"))?;
            Ok((choice(of, false), left))
        } else if rest.starts_with(['(', '[', '<', ')', ']', '>', '|']) {
            Err(format!("bracket without its partner at {rest:?}"))
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "([<^$".contains(c))
                .unwrap_or(rest.len());
            let (word, left) = rest.split_at(end);
            Ok((choice(self.atoms(word)?, false), left))
        }
    }

    fn alternatives(&mut self, body: &str) -> Result<Vec<Vec<Atom>>, String> {
        if body.contains(['(', '[', '$', '^']) {
            return Err(format!(
                "brackets within brackets at {body:?}; write two phrases"
            ));
        }
        let mut all = Vec::new();
        for option in body.split('|') {
            all.extend(self.sequences(option)?);
        }
        if all.iter().any(Vec::is_empty) {
            return Err(format!("an empty choice in {body:?}"));
        }
        Ok(all)
    }

    /// The sequences of atoms that an option of several words stands for.
    fn sequences(&mut self, option: &str) -> Result<Vec<Vec<Atom>>, String> {
        let mut sequences = vec![Vec::new()];
        for word in option.split_whitespace() {
            let next = self.atoms(word)?;
            sequences = sequences
                .iter()
                .flat_map(|left: &Vec<Atom>| {
                    next.iter()
                        .map(move |right| [left.as_slice(), right].concat())
                })
                .collect();
        }
        Ok(sequences)
    }

    /// The sequences that one word of a choice stands for: itself, a builtin, or a group's members.
    fn atoms(&mut self, word: &str) -> Result<Vec<Vec<Atom>>, String> {
        let Some(name) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) else {
            return Ok(forms::of(word)
                .iter()
                .map(|form| self.words(form))
                .collect());
        };
        match name {
            "number" => return Ok(vec![vec![Atom::Number]]),
            "year" => return Ok(vec![vec![Atom::Within(1900, 2099)]]),
            "any" => return Ok(vec![vec![Atom::Any]]),
            _ => {}
        }
        let range = name.split_once('-');
        let range = range.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        if let Some((least, most)) = range {
            return Ok(vec![vec![Atom::Within(least, most)]]);
        }
        let mut all = Vec::new();
        for member in self.members(name, GROUP_DEPTH_MAX)? {
            all.extend(self.sequences(&member)?);
        }
        Ok(all)
    }

    /// The members of a group; a member that is a group itself stands for its own.
    fn members(&self, name: &str, depth: usize) -> Result<Vec<String>, String> {
        let members =
            self.groups.get(name).filter(|_| depth > 0).ok_or_else(|| {
                format!("unknown group <{name}>, or groups within groups too deep")
            })?;
        let mut all = Vec::new();
        for member in members.split('|') {
            match member.strip_prefix('<').and_then(|m| m.strip_suffix('>')) {
                Some(inner) if self.groups.contains_key(inner) => {
                    all.extend(self.members(inner, depth - 1)?);
                }
                _ => all.push(member.to_owned()),
            }
        }
        Ok(all)
    }

    fn words(&mut self, text: &str) -> Vec<Atom> {
        fold_words(text, self.spelling)
            .iter()
            .map(|word| Atom::Word(self.vocabulary.intern(word)))
            .collect()
    }
}

/// Every order of the parts, joined by a long gap.
fn orders(parts: &[&str]) -> Vec<String> {
    let [only] = parts else {
        let mut all = Vec::new();
        for (place, first) in parts.iter().enumerate() {
            let mut rest = parts.to_vec();
            rest.remove(place);
            all.extend(
                orders(&rest)
                    .iter()
                    .map(|rest| format!("{first} .... {rest}")),
            );
        }
        return all;
    };
    vec![(*only).to_owned()]
}

impl Phrase {
    /// The words it may begin with; none if it may begin with anything.
    pub(super) fn heads(&self) -> Option<Vec<Head>> {
        let mut heads = Vec::new();
        for step in &self.steps {
            match step {
                Step::Start => {}
                Step::End | Step::Gap(_) => return None,
                Step::One(choice) => {
                    heads.extend(choice.words.iter().map(|word| Head::Word(*word)));
                    for atoms in &choice.others {
                        heads.push(match atoms.first()? {
                            Atom::Word(word) => Head::Word(*word),
                            Atom::Number | Atom::Within(..) => Head::Number,
                            Atom::Any => return None,
                        });
                    }
                    if !choice.optional {
                        return Some(heads);
                    }
                }
            }
        }
        None
    }

    /// What the phrase covers if it begins at `at` of a text that has so many words of greeting; its own
    /// lie in one sentence.
    pub(super) fn found(&self, tokens: &[Token], greeting: usize, at: usize) -> Option<Found> {
        let sentence = tokens.get(at).map(|token| token.sentence);
        let walk = Walk {
            tokens,
            sentence,
            greeting,
            by_clause: tokens.len().saturating_sub(greeting) > CLAUSES_FREE,
            must_end: None,
        };
        walk.from(&self.steps, at)
    }

    /// Whether the phrase is the whole of `tokens`, however many sentences they are.
    pub(super) fn is_whole(&self, tokens: &[Token]) -> bool {
        let walk = Walk {
            tokens,
            sentence: None,
            greeting: 0,
            by_clause: false,
            must_end: Some(tokens.len()),
        };
        walk.from(&self.steps, 0).is_some()
    }
}

/// Where a phrase ends, and its last gap that is not empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) end: usize,
    pub(super) gap: Option<(usize, usize)>,
}

/// Up to so many words a gap may run over a comma.
const CLAUSES_FREE: usize = 25;

/// A walk over the steps with backtracking. Phrases are short and gaps bounded, so the work at one
/// place is bounded.
struct Walk<'a> {
    tokens: &'a [Token],
    sentence: Option<u16>,
    /// What is said begins behind so many words.
    greeting: usize,
    /// No gap runs over a comma.
    by_clause: bool,
    must_end: Option<usize>,
}

impl Walk<'_> {
    fn from(&self, steps: &[Step], at: usize) -> Option<Found> {
        let Some((step, rest)) = steps.split_first() else {
            let end = Some(at).filter(|at| self.must_end.is_none_or(|end| end == *at))?;
            return Some(Found { end, gap: None });
        };
        match step {
            Step::Start | Step::End if self.is_boundary(at) => self.from(rest, at),
            Step::Start | Step::End => None,
            Step::Gap(most) => (0..=*most).find_map(|skip| {
                let to = self.after(at, skip)?;
                if !self.within_clause(at, to) {
                    return None;
                }
                let found = self.from(rest, to)?;
                let gap = (skip > 0).then_some((at, to));
                Some(Found {
                    gap: found.gap.or(gap),
                    ..found
                })
            }),
            Step::One(choice) => self
                .one_word(choice, rest, at)
                .or_else(|| self.one_sequence(choice, rest, at))
                .or_else(|| choice.optional.then(|| self.from(rest, at)).flatten()),
        }
    }

    fn one_word(&self, choice: &Choice, rest: &[Step], at: usize) -> Option<Found> {
        let word = self.tokens.get(at)?.word;
        choice.words.binary_search(&word).ok()?;
        self.from(rest, self.after(at, 1)?)
    }

    fn one_sequence(&self, choice: &Choice, rest: &[Step], at: usize) -> Option<Found> {
        choice.others.iter().find_map(|atoms| {
            let end = self.after(at, atoms.len())?;
            let words = self.tokens.get(at..end)?;
            let fits = atoms
                .iter()
                .zip(words)
                .all(|(atom, token)| atom.fits(*token));
            fits.then(|| self.from(rest, end)).flatten()
        })
    }

    /// The place `count` words on, when they exist and lie in the sentence.
    fn after(&self, at: usize, count: usize) -> Option<usize> {
        let end = at.checked_add(count)?;
        if count == 0 {
            return Some(end);
        }
        let last = self.tokens.get(end.checked_sub(1)?)?;
        self.sentence
            .is_none_or(|sentence| sentence == last.sentence)
            .then_some(end)
    }

    /// Whether nothing ends between the word before a gap and the word behind it. A short text is
    /// cut anywhere by a thumb ("my chest, it hurts"); in a longer one another matter begins there.
    fn within_clause(&self, from: usize, to: usize) -> bool {
        let clause = |at: Option<usize>| self.tokens.get(at?).map(|token| token.clause);
        !self.by_clause
            || match (clause(from.checked_sub(1)), clause(Some(to))) {
                (Some(before), Some(behind)) => before == behind,
                _ => true,
            }
    }

    fn is_boundary(&self, at: usize) -> bool {
        let sentence = |i: usize| self.tokens.get(i).map(|token| token.sentence);
        let left = at.checked_sub(1).and_then(sentence);
        left.is_none() || left != sentence(at) || at == self.greeting
    }
}
