//! Folding for comparison: lower case, no accents, plain quotes, dashes and spaces.

use std::cell::Cell;
use std::cell::OnceCell;
use std::ops::Deref;

use smallvec::SmallVec;

use crate::guardrail::setting::Fact;
use crate::policy;
use crate::policy::fold::is_invisible;

/// One character folded: lower case, no accent, plain quotes, dashes and spaces. `None` vanishes.
pub(crate) fn fold_char(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c.to_ascii_lowercase());
    }
    Some(match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'Á' | 'À' | 'Â' | 'Ä' | 'Ã' | 'Å' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'Í' | 'Ì' | 'Î' | 'Ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'Ó' | 'Ò' | 'Ô' | 'Ö' | 'Õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'Ú' | 'Ù' | 'Û' | 'Ü' => 'u',
        'ñ' | 'Ñ' => 'n',
        'ç' | 'Ç' => 'c',
        '\u{2018}' | '\u{2019}' | '\u{201b}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2010}'..='\u{2015}' => '-',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}' | '\u{300}'..='\u{36f}' => return None,
        other if is_invisible(other) => return None,
        other => plain(other).unwrap_or_else(|| other.to_lowercase().next().unwrap_or(other)),
    })
}

/// The ASCII letter or mark that a reader takes a character for, if it is one. Digits stay: a number
/// that is written otherwise is none that a fact knows.
fn plain(c: char) -> Option<char> {
    let mut taken = SmallVec::<[u8; 4]>::new();
    policy::fold::fold_char(c, |byte| taken.push(byte));
    let [byte] = *taken else { return None };
    // A bullet is no full stop: marks count only in their wide forms.
    let wide = matches!(c, '\u{ff01}'..='\u{ff5e}');
    (byte.is_ascii_alphabetic() || wide && byte.is_ascii_punctuation()).then_some(char::from(byte))
}

/// A whole text folded, for comparing values.
pub(crate) fn fold_text(text: &str) -> String {
    text.chars().filter_map(fold_char).collect()
}

/// A short text folded; up to its width it needs no memory of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folded(SmallVec<[u8; 96]>);

impl Folded {
    /// Folds a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut folded = Self::default();
        if text.is_ascii() {
            folded.0.extend_from_slice(text.as_bytes());
            folded.0.make_ascii_lowercase();
            return folded;
        }
        for c in text.chars().filter_map(fold_char) {
            folded.push(c);
        }
        folded
    }

    fn push(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.0
            .extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
}

impl Deref for Folded {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The words of a folded text: runs of letters and digits.
pub(crate) fn words(folded: &str) -> impl Iterator<Item = &str> + Clone {
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Asks of each word of a text, folded, whether it is the one.
pub(crate) fn any_word(text: &str, mut is: impl FnMut(&str) -> bool) -> bool {
    let mut word = Folded::default();
    for c in text.chars().filter_map(fold_char) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.0.is_empty() && is(&word) {
            return true;
        }
        word.0.clear();
    }
    !word.0.is_empty() && is(&word)
}

/// The memory of the folded facts.
#[derive(Debug, Default)]
pub(crate) struct Room {
    text: String,
    ends: Vec<usize>,
}

/// The facts of a setting; their values are folded when the first of them is asked for.
pub(crate) struct Values<'a> {
    facts: &'a [Fact<'a>],
    room: Cell<Room>,
    folded: OnceCell<Room>,
}

impl<'a> Values<'a> {
    /// The facts, in the memory of `room`.
    pub(crate) fn new(facts: &'a [Fact<'a>], room: Room) -> Self {
        Self {
            facts,
            room: Cell::new(room),
            folded: OnceCell::new(),
        }
    }

    /// Each fact with its value folded.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a Fact<'a>, &str)> {
        let room = self.folded.get_or_init(|| {
            let Room { mut text, mut ends } = self.room.take();
            text.clear();
            ends.clear();
            for fact in self.facts {
                text.extend(fact.value.chars().filter_map(fold_char));
                ends.push(text.len());
            }
            Room { text, ends }
        });
        let mut start = 0;
        self.facts.iter().zip(&room.ends).map(move |(fact, end)| {
            let value = room.text.get(start..*end).unwrap_or_default();
            start = *end;
            (fact, value)
        })
    }

    /// Gives the memory back.
    pub(crate) fn leave(self) -> Room {
        let unused = self.room.take();
        self.folded.into_inner().unwrap_or(unused)
    }
}
