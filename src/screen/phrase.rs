//! The phrases of the rules: a small language that a clinic's staff can read, and its matcher.
//!
//! `my (son|child) [has] swallowed .. bleach`: words; one of several; perhaps; up to three words
//! between (`...` up to six). `<group>` is a named list, `<number>` and `<year>` are numbers, `<any>` is
//! any word. `^` and `$` are the two ends of a sentence. Hand-written instead of regular
//! expressions because rules need words, sentences and clauses, not bytes, and a bound on time.

use std::collections::BTreeMap;

use crate::screen::view::Spelling;
use crate::screen::view::View;
use crate::screen::view::fold_words;

/// Every word that any phrase uses, numbered; other words are 0.
#[derive(Debug, Default)]
pub(super) struct Vocabulary(BTreeMap<String, u32>);

impl Vocabulary {
    /// The number of a word that a rule uses.
    pub(super) fn intern(&mut self, word: &str) -> u32 {
        let next = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        *self.0.entry(word.to_owned()).or_insert(next)
    }

    /// Numbers the words of a text.
    pub(super) fn read(&self, view: &View) -> Vec<Token> {
        let token = |word: &crate::screen::view::Word| Token {
            word: self.0.get(&word.text).copied().unwrap_or(0),
            number: word
                .text
                .parse::<u32>()
                .ok()
                .filter(|_| word.text.len() < 9),
            sentence: word.sentence,
            clause: word.clause,
        };
        view.words.iter().map(token).collect()
    }
}

/// One word of a text, numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) word: u32,
    pub(super) number: Option<u32>,
    pub(super) sentence: u16,
    pub(super) clause: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Atom {
    Word(u32),
    Number,
    Year,
    Any,
}

impl Atom {
    fn fits(self, token: Token) -> bool {
        match self {
            Self::Word(word) => word == token.word,
            Self::Number => token.number.is_some(),
            Self::Year => token.number.is_some_and(|n| (1900..2100).contains(&n)),
            Self::Any => true,
        }
    }
}

#[derive(Debug)]
enum Step {
    One { of: Vec<Vec<Atom>>, optional: bool },
    Gap(usize),
    Start,
    End,
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

/// What a phrase is compiled against.
pub(super) struct Compiler<'a> {
    pub(super) vocabulary: &'a mut Vocabulary,
    pub(super) groups: &'a BTreeMap<String, String>,
    pub(super) spelling: &'a Spelling,
}

impl Compiler<'_> {
    /// Compiles one phrase, or says what is wrong with it.
    pub(super) fn phrase(&mut self, text: &str) -> Result<Phrase, String> {
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
        if let Some((body, left)) = closed('(', ')') {
            let of = self.alternatives(body)?;
            Ok((
                vec![Step::One {
                    of,
                    optional: false,
                }],
                left,
            ))
        } else if let Some((body, left)) = closed('[', ']') {
            let of = self.alternatives(body)?;
            Ok((vec![Step::One { of, optional: true }], left))
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
            Ok((
                vec![Step::One {
                    of,
                    optional: false,
                }],
                left,
            ))
        } else if rest.starts_with(['(', '[', '<', ')', ']', '>', '|']) {
            Err(format!("bracket without its partner at {rest:?}"))
        } else {
            let end = rest
                .find(|c: char| c.is_whitespace() || "([<^$".contains(c))
                .unwrap_or(rest.len());
            let (word, left) = rest.split_at(end);
            let atoms = self.words(word);
            let of = vec![atoms];
            Ok((
                vec![Step::One {
                    of,
                    optional: false,
                }],
                left,
            ))
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
            all.extend(sequences);
        }
        if all.iter().any(Vec::is_empty) {
            return Err(format!("an empty choice in {body:?}"));
        }
        Ok(all)
    }

    /// The sequences that one word of a choice stands for: itself, a builtin, or a group's members.
    fn atoms(&mut self, word: &str) -> Result<Vec<Vec<Atom>>, String> {
        let Some(name) = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')) else {
            return Ok(vec![self.words(word)]);
        };
        match name {
            "number" => Ok(vec![vec![Atom::Number]]),
            "year" => Ok(vec![vec![Atom::Year]]),
            "any" => Ok(vec![vec![Atom::Any]]),
            _ => {
                let members = self
                    .groups
                    .get(name)
                    .ok_or_else(|| format!("unknown group <{name}>"))?;
                Ok(members
                    .split('|')
                    .map(|member| self.words(member))
                    .collect())
            }
        }
    }

    fn words(&mut self, text: &str) -> Vec<Atom> {
        fold_words(text, self.spelling)
            .iter()
            .map(|word| Atom::Word(self.vocabulary.intern(word)))
            .collect()
    }
}

impl Phrase {
    /// The words it may begin with; none if it may begin with anything.
    pub(super) fn heads(&self) -> Option<Vec<Head>> {
        let mut heads = Vec::new();
        for step in &self.steps {
            match step {
                Step::Start => {}
                Step::End | Step::Gap(_) => return None,
                Step::One { of, optional } => {
                    for atoms in of {
                        heads.push(match atoms.first()? {
                            Atom::Word(word) => Head::Word(*word),
                            Atom::Number | Atom::Year => Head::Number,
                            Atom::Any => return None,
                        });
                    }
                    if !optional {
                        return Some(heads);
                    }
                }
            }
        }
        None
    }

    /// Where the phrase ends if it begins at `at`; its words lie in one sentence.
    pub(super) fn end(&self, tokens: &[Token], at: usize) -> Option<usize> {
        let sentence = tokens.get(at).map(|token| token.sentence);
        Walk {
            tokens,
            sentence,
            must_end: None,
        }
        .from(&self.steps, at)
    }

    /// Whether the phrase is the whole of `tokens`, however many sentences they are.
    pub(super) fn is_whole(&self, tokens: &[Token]) -> bool {
        let walk = Walk {
            tokens,
            sentence: None,
            must_end: Some(tokens.len()),
        };
        walk.from(&self.steps, 0).is_some()
    }
}

/// A walk over the steps with backtracking. Phrases are short and gaps bounded, so the work at one
/// place is bounded.
struct Walk<'a> {
    tokens: &'a [Token],
    sentence: Option<u16>,
    must_end: Option<usize>,
}

impl Walk<'_> {
    fn from(&self, steps: &[Step], at: usize) -> Option<usize> {
        let Some((step, rest)) = steps.split_first() else {
            return Some(at).filter(|at| self.must_end.is_none_or(|end| end == *at));
        };
        match step {
            Step::Start | Step::End if self.is_boundary(at) => self.from(rest, at),
            Step::Start | Step::End => None,
            Step::Gap(most) => (0..=*most).find_map(|skip| self.from(rest, self.after(at, skip)?)),
            Step::One { of, optional } => {
                let taken = of.iter().find_map(|atoms| {
                    let end = self.after(at, atoms.len())?;
                    let words = self.tokens.get(at..end)?;
                    let fits = atoms
                        .iter()
                        .zip(words)
                        .all(|(atom, token)| atom.fits(*token));
                    fits.then(|| self.from(rest, end)).flatten()
                });
                taken.or_else(|| optional.then(|| self.from(rest, at)).flatten())
            }
        }
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

    fn is_boundary(&self, at: usize) -> bool {
        let sentence = |i: usize| self.tokens.get(i).map(|token| token.sentence);
        let left = at.checked_sub(1).and_then(sentence);
        left.is_none() || left != sentence(at)
    }
}
