//! The text as rules see it: folded words with their sentence and clause, whatever the patient's keyboard did.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::screen::greeting::Greeting;

/// Words read of one text; the rest is not. An SMS has at most 1,600 characters and intake cuts at
/// 4,000, so this is only met by the command line, where one line must not eat the machine.
pub(super) const WORDS_MAX: usize = 4_000;

/// Abbreviations and contractions, each with the words it stands for.
pub(super) type Spelling = BTreeMap<String, Vec<String>>;

/// One folded word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// ASCII where it can be, lower case, no accents, no apostrophes.
    pub(super) text: String,
    /// Counts from 0; ends with `.`, `!`, `?` or `;`.
    pub(super) sentence: u16,
    /// Counts from 0 through the whole text; ends with a comma, a line, a bracket or a "but".
    pub(super) clause: u16,
}

/// A folded text.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// Its words.
    pub(super) words: Vec<Word>,
    /// Whether it has a question mark.
    pub(super) asks: bool,
    /// Whether it has a letter that only Spanish writes.
    pub(super) spanish_letters: bool,
}

/// Words that turn a sentence: what is denied before them is not denied after.
const TURNS: [&str; 7] = [
    "but", "however", "although", "pero", "aunque", "sino", "yet",
];

impl View {
    /// Folds a text.
    pub(super) fn of(text: &str, spelling: &Spelling) -> Self {
        let mut view = Self {
            asks: text.contains(['?', '¿']),
            spanish_letters: text.contains(['ñ', 'Ñ', '¿', '¡', 'á', 'í', 'ó', 'ú', 'é']),
            words: Vec::new(),
        };
        let mut reader = Reader::default();
        let mut chars = text
            .chars()
            .filter(|c| !is_invisible(*c))
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .peekable();
        while let Some(c) = chars.next() {
            if view.words.len() >= WORDS_MAX {
                break;
            }
            match fold(c) {
                Folded::Letter(letter) => reader.word.push(letter),
                Folded::Apostrophe if !reader.word.is_empty() => {}
                Folded::Sign(sign) => {
                    reader.end_word(&mut view.words, spelling);
                    sign.clone_into(&mut reader.word);
                    reader.end_word(&mut view.words, spelling);
                }
                Folded::Stop | Folded::Pause | Folded::Space | Folded::Apostrophe => {
                    reader.end_word(&mut view.words, spelling);
                    reader.end_span(c, chars.peek().copied());
                }
            }
        }
        reader.end_word(&mut view.words, spelling);
        view.join_spelled_out(Greeting::of(text).words);
        view
    }

    /// `S T O P` and `s.t.o.p` are one word when nothing else is said behind the greeting.
    fn join_spelled_out(&mut self, greeting: usize) {
        let Some((first, rest)) = self.words.get(greeting..).and_then(<[Word]>::split_first) else {
            return;
        };
        let letters = || std::iter::once(first).chain(rest);
        if (3..=12).contains(&letters().count()) && letters().all(|word| word.text.len() == 1) {
            let joined = Word {
                text: letters().map(|word| word.text.as_str()).collect(),
                ..*first
            };
            self.words.truncate(greeting);
            self.words.push(joined);
        }
    }
}

/// Folds words that stand in a rule.
pub(super) fn fold_words(text: &str, spelling: &Spelling) -> Vec<String> {
    let words = View::of(text, spelling).words;
    words.into_iter().map(|word| word.text).collect()
}

#[derive(Default)]
struct Reader {
    word: String,
    sentence: u16,
    clause: u16,
    /// A mark was met since the last word; many marks end one span, not many.
    fresh: bool,
}

impl Reader {
    fn end_word(&mut self, words: &mut Vec<Word>, spelling: &Spelling) {
        if self.word.is_empty() {
            return;
        }
        let raw = unstretch(&std::mem::take(&mut self.word));
        if TURNS.contains(&raw.as_str()) {
            self.clause = self.clause.saturating_add(1);
        }
        self.fresh = true;
        let (sentence, clause) = (self.sentence, self.clause);
        let word = |text: String| Word {
            text,
            sentence,
            clause,
        };
        // "3pm" and "20mg" are a number and a word.
        let unit = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let (number, rest) = raw.split_at(unit);
        words.extend((unit > 0).then(|| word(number.to_owned())));
        match spelling.get(rest) {
            Some(expanded) => words.extend(expanded.iter().cloned().map(word)),
            None => words.push(word(rest.to_owned())),
        }
    }

    fn end_span(&mut self, mark: char, next: Option<char>) {
        // "..." and "9.30" do not end a sentence.
        let ends = match mark {
            '!' | '?' | ';' | '\u{bf}' | '\u{a1}' | '\u{2022}' => true,
            '.' => next.is_none_or(char::is_whitespace),
            _ => false,
        };
        let pauses = ends || matches!(mark, ',' | ':' | '(' | ')' | '\n' | '.' | '\u{2014}');
        if pauses && self.fresh {
            self.clause = self.clause.saturating_add(1);
            self.sentence = self.sentence.saturating_add(u16::from(ends));
            self.fresh = !ends && self.fresh;
        }
    }
}

enum Folded {
    Letter(char),
    Apostrophe,
    Sign(&'static str),
    Stop,
    Pause,
    Space,
}

fn fold(c: char) -> Folded {
    match c {
        'a'..='z' | '0'..='9' => Folded::Letter(c),
        'A'..='Z' => Folded::Letter(c.to_ascii_lowercase()),
        '\'' | '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}' => Folded::Apostrophe,
        '\u{1f44d}' | '\u{1f44c}' | '\u{2705}' | '\u{2714}' | '\u{1f197}' => {
            Folded::Sign("thumbsup")
        }
        '\u{1f44e}' | '\u{274c}' => Folded::Sign("thumbsdown"),
        '\u{1f6d1}' => Folded::Sign("stop"),
        '.' | '!' | '?' | ';' => Folded::Stop,
        ',' | ':' | '(' | ')' | '\n' => Folded::Pause,
        _ => look_alike(c).map_or_else(
            || {
                if c.is_alphanumeric() {
                    Folded::Letter(c.to_lowercase().next().unwrap_or(c))
                } else {
                    Folded::Space
                }
            },
            Folded::Letter,
        ),
    }
}

/// Cyrillic and Greek letters that look like Latin ones.
fn look_alike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'А' | 'α' | 'Α' => 'a',
        'В' | 'Β' => 'b',
        'с' | 'С' => 'c',
        'е' | 'Е' | 'Ε' => 'e',
        'Н' | 'Η' => 'h',
        'і' | 'І' | 'Ι' | 'ı' => 'i',
        'К' | 'к' | 'Κ' => 'k',
        'М' | 'Μ' => 'm',
        'Ν' => 'n',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'т' | 'Τ' => 't',
        'у' | 'У' | 'Υ' => 'y',
        'х' | 'Х' | 'Χ' => 'x',
        _ => return None,
    })
}

/// Characters that are not seen and only break words apart.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0000}'..='\u{e007f}' | '\u{0}'..='\u{8}')
}

/// `stoppp` is `stop`, `heeelp` is `help`: no word of either language has a letter three times.
/// Digits stay: 1000 is a number.
fn unstretch(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut run = ('\0', 0_usize);
    for c in word.chars() {
        run = if c == run.0 { (c, run.1 + 1) } else { (c, 1) };
        if run.1 == 3 && !c.is_ascii_digit() {
            out.pop();
        } else if run.1 < 3 || c.is_ascii_digit() {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyboard_cannot_hide_a_word() {
        let spelling =
            Spelling::from([("cant".to_owned(), vec!["can".to_owned(), "not".to_owned()])]);
        for (text, words) in [
            ("STOP!!!", "stop"),
            ("\u{201c}Stop\u{201d} \u{1f64f}", "stop"),
            ("S T O P", "stop"),
            ("s.t.o.p.", "stop"),
            ("st\u{200b}op", "stop"),
            ("ѕtор", "stop"),
            ("ＳＴＯＰ", "stop"),
            ("stoppp", "stop"),
            ("\u{1f6d1}", "stop"),
            ("No M\u{c1}S", "no mas"),
            ("I can\u{2019}t", "i can not"),
            ("\u{1f44d}\u{1f3fd}", "thumbsup"),
            ("opt-out", "opt out"),
            ("1000 mg", "1000 mg"),
            ("\u{fe0f}\u{200d}", ""),
        ] {
            assert_eq!(fold_words(text, &spelling).join(" "), words, "{text}");
        }
    }
}
