//! The words that rules use, numbered, and the slips of thumb and ear that still mean them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::policy::words::Language;
use crate::screen::view::View;
use crate::screen::view::Word;

/// One word of a text, numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Its number in the vocabulary; 0 when no rule uses it.
    pub(super) word: u32,
    /// Its value, when it is a number.
    pub(super) number: Option<u32>,
    /// Its sentence.
    pub(super) sentence: u16,
    /// Its clause.
    pub(super) clause: u16,
}

/// Every word that any phrase uses, numbered; other words are 0.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    words: BTreeMap<String, u32>,
    /// What a word sounds like (`suisidar`, `kiero`, `unconcious`), to the word.
    sounds: BTreeMap<String, u32>,
    /// A word with a letter left out or two letters swapped (`breahte`), to the word.
    slips: BTreeMap<String, u32>,
    /// What a long word sounds like whatever its vowels (`anaphalaxis`), to the word.
    skeletons: BTreeMap<String, u32>,
    /// Ordinary words that are never taken for a slip of another.
    real: BTreeSet<String>,
}

/// Shortest word that is recognised when misspelt; shorter ones are too near to one another.
const SLIP_CHARS_MIN: usize = 5;
/// Shortest word that is recognised without its last letter.
const END_CHARS_MIN: usize = 7;
/// Shortest word that is recognised with other vowels.
const VOWEL_CHARS_MIN: usize = 8;

impl Vocabulary {
    /// The number of a word that a rule uses.
    pub(super) fn intern(&mut self, word: &str) -> u32 {
        let next = u32::try_from(self.words.len() + 1).unwrap_or(u32::MAX);
        *self.words.entry(word.to_owned()).or_insert(next)
    }

    /// Words that are never taken for a slip of another.
    pub(super) fn add_real(&mut self, words: impl IntoIterator<Item = String>) {
        self.real.extend(words);
    }

    /// Works out the slips of every word; called once, when all words are known.
    pub(super) fn learn_slips(&mut self, ordinary: &BTreeMap<Language, BTreeSet<String>>) {
        self.real.extend(ordinary.values().flatten().cloned());
        for (word, number) in &self.words {
            let plain = word.bytes().all(|b| b.is_ascii_lowercase());
            if !plain || word.len() < SLIP_CHARS_MIN {
                continue;
            }
            for sound in [sound(word), sound(&word.replace("ll", "y"))] {
                self.sounds.entry(sound).or_insert(*number);
            }
            if word.len() >= VOWEL_CHARS_MIN {
                self.skeletons.entry(skeleton(word)).or_insert(*number);
            }
            if word.len() >= END_CHARS_MIN {
                self.slips
                    .entry(without(word, word.len() - 1))
                    .or_insert(*number);
            }
            for slip in slips(word) {
                self.slips.entry(slip).or_insert(*number);
            }
        }
    }

    /// Numbers the words of a text.
    pub(super) fn read(&self, view: &View) -> Vec<Token> {
        let token = |word: &Word| Token {
            word: self.number(&word.text),
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

    fn number(&self, word: &str) -> u32 {
        let known = self.words.get(word).copied();
        known.or_else(|| self.misspelt(word)).unwrap_or(0)
    }

    /// The word that a misspelt one stands for.
    fn misspelt(&self, word: &str) -> Option<u32> {
        if !word.is_ascii() || word.len() + 1 < SLIP_CHARS_MIN || self.real.contains(word) {
            return None;
        }
        if word.bytes().any(|b| b.is_ascii_digit()) {
            return self.words.get(&unleet(word)?).copied();
        }
        let sounds = || {
            let spanish = || sound(&word.replace("ll", "y"));
            let known = self.sounds.get(&sound(word));
            known.or_else(|| self.sounds.get(&spanish())).copied()
        };
        let vowels = || {
            let long = word.len() >= VOWEL_CHARS_MIN;
            long.then(|| self.skeletons.get(&skeleton(word)).copied())?
        };
        let left_out = || self.slips.get(word).copied();
        let added = || {
            (word.len() > SLIP_CHARS_MIN).then_some(())?;
            let mut shorter = (1..word.len() - 1).map(|at| without(word, at));
            shorter.find_map(|shorter| self.words.get(&shorter).copied())
        };
        sounds().or_else(left_out).or_else(added).or_else(vowels)
    }
}

/// The word with an inner letter left out, or two neighbours swapped; its two ends stay, so that
/// `hear` is not `heart`.
fn slips(word: &str) -> impl Iterator<Item = String> {
    let inner = 1..word.len().saturating_sub(1);
    let left_out = inner.clone().map(|at| without(word, at));
    let swapped = inner.map(|at| {
        let mut bytes = word.as_bytes().to_vec();
        bytes.swap(at, at + 1);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    left_out.chain(swapped)
}

fn without(word: &str, at: usize) -> String {
    let (left, right) = word.split_at(at);
    let rest = right.get(1..).unwrap_or_default();
    [left, rest].concat()
}

/// `k1ll` is `kill`; a word of digits alone is a number.
fn unleet(word: &str) -> Option<String> {
    if !word.bytes().any(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    let letter = |c| match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        other => other,
    };
    Some(word.chars().map(letter).collect())
}

/// The sound with every vowel alike.
fn skeleton(word: &str) -> String {
    sound(word).replace(['a', 'e', 'i', 'o', 'u', 'y'], "*")
}

/// What a word sounds like to a Spanish or an English ear that spells as it hears: c, k and qu;
/// s, z and soft c; b and v; ll and y; a silent h; letters that are doubled or not.
fn sound(word: &str) -> String {
    let bytes = word.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(b' ');
    let mut out = String::with_capacity(word.len());
    let mut push = |c: char| {
        if !out.ends_with(c) {
            out.push(c);
        }
    };
    let mut i = 0;
    while i < bytes.len() {
        let (letter, next) = (at(i), at(i + 1));
        let soft = matches!(next, b'e' | b'i' | b'y');
        i += 1;
        match letter {
            b'c' if next == b'h' => push('x'),
            b'c' if soft => push('s'),
            b'c' | b'k' => push('k'),
            b'q' => {
                push('k');
                i += usize::from(next == b'u' && matches!(at(i + 1), b'e' | b'i'));
            }
            b'z' => push('s'),
            b'v' => push('b'),
            b'p' if next == b'h' => push('f'),
            b'g' if soft => push('j'),
            b'l' if next == b'l' && i > 1 => push('l'),
            b'l' if next == b'l' => push('y'),
            b'h' => {}
            b'm' if matches!(next, b'b' | b'v' | b'p') => push('n'),
            other => push(char::from(other)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_known_however_it_is_spelt_and_another_word_is_not_taken_for_it() {
        let mut words = Vocabulary::default();
        for word in [
            "suicidar",
            "quiero",
            "breathe",
            "bleeding",
            "choking",
            "seizure",
            "heart",
            "kill",
            "unconscious",
            "fainting",
            "hemorragia",
            "respirar",
            "convulsion",
            "desmayo",
            "anaphylaxis",
        ] {
            words.intern(word);
        }
        words.add_real(["heat".to_owned()]);
        words.learn_slips(&BTreeMap::new());
        for (written, meant) in [
            ("suisidar", "suicidar"),
            ("kiero", "quiero"),
            ("breahte", "breathe"),
            ("bleding", "bleeding"),
            ("chocking", "choking"),
            ("siezure", "seizure"),
            ("k1ll", "kill"),
            ("unconcious", "unconscious"),
            ("emorragia", "hemorragia"),
            ("respirrar", "respirar"),
            ("anaphalaxis", "anaphylaxis"),
            ("unconscios", "unconscious"),
            ("combulcion", "convulsion"),
            ("desmallo", "desmayo"),
        ] {
            assert_eq!(words.number(written), words.number(meant), "{written}");
            assert_ne!(words.number(meant), 0, "{meant}");
        }
        for other in ["heat", "hear", "painting", "123", "joking", "a", "\u{e9}"] {
            assert_eq!(words.number(other), 0, "{other}");
        }
    }
}
