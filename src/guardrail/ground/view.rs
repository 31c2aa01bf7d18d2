//! A reading view of a draft: folded to plain lower case, cut into tokens and sentences, every
//! place in it traceable to the text as given.

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::ground::fold::Folded;
use crate::guardrail::ground::fold::fold_char;
use crate::guardrail::ground::table::Table;
use crate::guardrail::ground::table::words;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters, with inner apostrophes.
    Word,
    /// Digits.
    Number,
    /// One sign, or a masked stretch.
    Mark,
}

/// One token, by its place in the folded text.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Place in the folded text.
    pub(crate) at: Range<usize>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// Stands in the folded text where a public value (name of the practice, a link) was.
const MASK: u8 = 1;

/// The view.
pub(crate) struct View<'a> {
    /// The text as given.
    pub(crate) text: &'a str,
    /// The folded text, with one blank for several.
    pub(crate) low: String,
    /// For each byte of `low`, and one past its end, the byte of `text` it came from; empty where
    /// all stand at the same place in both.
    map: Vec<usize>,
    /// Its tokens, without white space.
    pub(crate) tokens: Vec<Token>,
    /// Its sentences, without the white space between them.
    pub(crate) sentences: Vec<Range<usize>>,
}

/// The memory of a view, used again by the next one.
#[derive(Debug, Default)]
pub(crate) struct Room {
    low: String,
    map: Vec<usize>,
    tokens: Vec<Token>,
    sentences: Vec<Range<usize>>,
}

impl<'a> View<'a> {
    /// Folds and cuts `text`; the values in `public` are masked, links and e-mail addresses too.
    pub(crate) fn new(text: &'a str, public: &[&str]) -> Self {
        Self::within(text, public, &mut Room::default())
    }

    /// As [`View::new`], in the memory of `room`.
    pub(crate) fn within(text: &'a str, public: &[&str], room: &mut Room) -> Self {
        let Room {
            mut low,
            mut map,
            mut tokens,
            mut sentences,
        } = std::mem::take(room);
        low.clear();
        map.clear();
        tokens.clear();
        sentences.clear();
        if text.is_ascii() && !text.contains("  ") {
            low.push_str(text);
            low.make_ascii_lowercase();
        } else {
            for (at, c) in text.char_indices() {
                // One blank for several: `call  you` promises a call too.
                let again = c == ' ' && low.ends_with(' ');
                if let Some(folded) = fold_char(c).filter(|_| !again) {
                    low.push(folded);
                    map.resize(low.len(), at);
                }
            }
            map.push(text.len());
        }
        for value in public {
            mask_value(&mut low, &Folded::of(value));
        }
        mask_links(&mut low);
        cut_tokens(&low, &mut tokens);
        let mut view = Self {
            text,
            low,
            map,
            tokens,
            sentences: Vec::new(),
        };
        view.cut_sentences(&mut sentences);
        view.sentences = sentences;
        view
    }

    /// Gives the memory back.
    pub(crate) fn leave(self, room: &mut Room) {
        *room = Room {
            low: self.low,
            map: self.map,
            tokens: self.tokens,
            sentences: self.sentences,
        };
    }

    /// The place in the text as given.
    pub(crate) fn span(&self, at: &Range<usize>) -> Range<usize> {
        let end = self.text.len();
        if self.map.is_empty() {
            return at.start.min(end)..at.end.min(end);
        }
        let start = self.map.get(at.start).copied().unwrap_or(end);
        start..self.map.get(at.end).copied().unwrap_or(end)
    }

    /// The place in the folded text of a stretch of the text as given.
    pub(crate) fn low_range(&self, span: &Range<usize>) -> Range<usize> {
        let last = self.low.len();
        if self.map.is_empty() {
            let start = span.start.min(last);
            return start..span.end.clamp(start, last);
        }
        let start = self.map.partition_point(|&byte| byte < span.start);
        let end = self.map.partition_point(|&byte| byte < span.end);
        start.min(last)..end.clamp(start.min(last), last)
    }

    /// Folded text of a range.
    pub(crate) fn slice(&self, at: &Range<usize>) -> &str {
        self.low.get(at.clone()).unwrap_or_default()
    }

    /// Folded text of the token at `index`; empty past the end.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.tokens
            .get(index)
            .map_or("", |token| self.slice(&token.at))
    }

    /// Folded text of the token `back` places before `index`.
    pub(crate) fn word_before(&self, index: usize, back: usize) -> &str {
        index.checked_sub(back).map_or("", |at| self.word(at))
    }

    /// The kind of the token at `index`.
    pub(crate) fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    /// Whether the token was written with a capital.
    pub(crate) fn capital(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|token| {
            let span = self.span(&token.at);
            let first = self
                .text
                .get(span.start..)
                .and_then(|rest| rest.chars().next());
            first.is_some_and(char::is_uppercase)
        })
    }

    /// The folded range from one token to another, both included.
    pub(crate) fn reach(&self, first: usize, last: usize) -> Range<usize> {
        let start = self
            .tokens
            .get(first)
            .map_or(self.low.len(), |token| token.at.start);
        start
            ..self
                .tokens
                .get(last)
                .map_or(self.low.len(), |token| token.at.end)
    }

    /// The sentence that holds a place of the folded text.
    pub(crate) fn sentence_of(&self, at: usize) -> usize {
        self.sentences
            .partition_point(|sentence| sentence.end <= at)
    }

    fn cut_sentences(&self, sentences: &mut Vec<Range<usize>>) {
        let bytes = self.low.as_bytes();
        let mut start = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let end = match byte {
                b'\n' if !self.goes_on(at) => at,
                b'.' | b'!' | b'?' if self.ends_sentence(at, byte) => at + 1,
                _ => continue,
            };
            push_trimmed(&self.low, start..end, sentences);
            start = at + 1;
        }
        push_trimmed(&self.low, start..self.low.len(), sentences);
    }

    /// Whether the text goes on small behind a line break: then the line was only wrapped, and what
    /// is taken out before it must not leave its predicate behind.
    fn goes_on(&self, at: usize) -> bool {
        let rest = self.low.get(at + 1..).unwrap_or_default();
        let gap = rest.len() - rest.trim_start().len();
        let following = self.span(&(at + 1 + gap..at + 2 + gap)).start;
        let tail = self.text.get(following..).unwrap_or_default();
        !rest.trim_start().is_empty() && tail.starts_with(char::is_lowercase)
    }

    fn ends_sentence(&self, at: usize, byte: u8) -> bool {
        let rest = self.low.get(at + 1..).unwrap_or_default();
        let Some(next) = rest.chars().next() else {
            return true;
        };
        if !next.is_whitespace() {
            return false;
        }
        if byte != b'.' {
            return true;
        }
        let before = self.low.get(..at).unwrap_or_default();
        let word = before
            .rsplit(|c: char| !c.is_ascii_alphabetic())
            .next()
            .unwrap_or_default();
        if ABBREVIATIONS.has(word) {
            return false;
        }
        let gap = rest.len() - rest.trim_start().len();
        let following = self.span(&(at + 1 + gap..at + 2 + gap)).start;
        let first = self
            .text
            .get(following..)
            .and_then(|tail| tail.chars().next());
        let lower = first.is_some_and(char::is_lowercase);
        let initial = word.len() == 1 && !before.ends_with("a.m") && !before.ends_with("p.m");
        !lower && (!initial || word == "i")
    }
}

static ABBREVIATIONS: Table<()> = words![
    "dr", "dra", "drs", "sr", "sra", "srta", "mr", "mrs", "ms", "st", "ave", "blvd", "rd", "apt",
    "ste", "no", "num", "ext", "vs", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
    "sept", "oct", "nov", "dec", "mon", "tue", "tues", "wed", "thu", "thur", "thurs", "fri",
    "approx", "appt", "ene", "abr", "ago", "dic", "ud", "uds",
];

fn push_trimmed(low: &str, range: Range<usize>, into: &mut Vec<Range<usize>>) {
    let Some(text) = low.get(range.clone()) else {
        return;
    };
    let trimmed = text.trim_start();
    let start = range.start + (text.len() - trimmed.len());
    let end = start + trimmed.trim_end().len();
    if start < end {
        into.push(start..end);
    }
}

fn blank(low: &mut String, at: Range<usize>) {
    let mut bytes = std::mem::take(low).into_bytes();
    if let Some(hidden) = bytes.get_mut(at) {
        hidden.fill(MASK);
    }
    // The place lies on characters, so that nothing is lost here.
    *low = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
}

fn mask_value(low: &mut String, value: &str) {
    let value = value.trim();
    if value.len() < 3 {
        return;
    }
    let mut from = 0;
    while let Some(found) = low.get(from..).and_then(|rest| find(rest, value)) {
        let start = from + found;
        let end = start + value.len();
        let bytes = low.as_bytes();
        let left = start.checked_sub(1).and_then(|at| bytes.get(at));
        let open = !left.is_some_and(u8::is_ascii_alphanumeric)
            && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
        if open {
            blank(low, start..end);
        }
        from = end;
    }
}

/// Where `value` stands. By its first letter: to prepare a search costs more than a short text is worth.
fn find(text: &str, value: &str) -> Option<usize> {
    let first = value.chars().next()?;
    let mut places = text.match_indices(first).map(|(at, _)| at);
    places.find(|at| text.get(*at..).is_some_and(|it| it.starts_with(value)))
}

/// Addresses of pages and mailboxes are judged whole, their digits are no dates.
fn mask_links(low: &mut String) {
    let told = |at: usize| {
        let rest = low.get(at..).unwrap_or_default();
        rest.starts_with('@') || rest.starts_with("://") || rest.starts_with("www.")
    };
    if !low.match_indices(['@', ':', 'w']).any(|(at, _)| told(at)) {
        return;
    }
    let mut links: SmallVec<[Range<usize>; 8]> = SmallVec::new();
    let mut start = 0;
    for chunk in low.split_inclusive([' ', '\n', '\t']) {
        let bare = chunk
            .trim_end()
            .trim_end_matches(['.', ',', ')', '!', '?', ';', ':']);
        let lone = bare.len() < 3;
        if !lone && (bare.contains("://") || bare.contains('@') || bare.starts_with("www.")) {
            links.push(start..start + bare.len());
        }
        start += chunk.len();
    }
    for link in links {
        blank(low, link);
    }
}

/// What a byte of the folded text can be; all of a letter beyond ASCII is told by its character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Byte {
    Blank,
    Of(Kind),
    Wide,
}

const fn byte_of(byte: u8) -> Byte {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'\'' => Byte::Of(Kind::Word),
        b'0'..=b'9' => Byte::Of(Kind::Number),
        b' ' | b'\t'..=b'\r' => Byte::Blank,
        0x80.. => Byte::Wide,
        _ => Byte::Of(Kind::Mark),
    }
}

fn cut_tokens(low: &str, tokens: &mut Vec<Token>) {
    let bytes = low.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        let kind = match byte_of(*byte) {
            Byte::Blank => {
                at += 1;
                continue;
            }
            Byte::Of(Kind::Mark) => {
                at += 1;
                Kind::Mark
            }
            Byte::Of(kind) => {
                let same = |it: &&u8| byte_of(**it) == Byte::Of(kind);
                at += bytes.iter().skip(at).take_while(same).count();
                kind
            }
            Byte::Wide => {
                let wide = low.get(at..).and_then(|rest| rest.chars().next());
                at += wide.map_or(1, char::len_utf8);
                match wide {
                    Some(c) if c.is_whitespace() => continue,
                    Some(c) if c.is_alphabetic() => Kind::Word,
                    Some(_) | None => Kind::Mark,
                }
            }
        };
        let joins = kind != Kind::Mark || *byte == MASK;
        match tokens.last_mut().filter(|_| joins) {
            Some(last)
                if last.kind == kind
                    && last.at.end == start
                    && (kind != Kind::Mark || bytes.get(last.at.start) == Some(&MASK)) =>
            {
                last.at.end = at;
            }
            _ => tokens.push(Token {
                at: start..at,
                kind,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As [`cut_tokens`], a character at a time.
    fn plainly(low: &str) -> Vec<(Range<usize>, Kind)> {
        let mut tokens: Vec<(Range<usize>, Kind)> = Vec::new();
        for (at, c) in low.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            let kind = match c {
                '\'' => Kind::Word,
                '0'..='9' => Kind::Number,
                c if c.is_alphabetic() => Kind::Word,
                _ => Kind::Mark,
            };
            let mask = c == char::from(MASK);
            match tokens.last_mut() {
                Some((last, same))
                    if *same == kind
                        && last.end == at
                        && (kind != Kind::Mark || mask && low.as_bytes()[last.start] == MASK) =>
                {
                    last.end = at + c.len_utf8();
                }
                _ => tokens.push((at..at + c.len_utf8(), kind)),
            }
        }
        tokens
    }

    proptest! {
        #[test]
        fn tokens_are_runs_of_letters_of_digits_and_of_the_mask(
            low in "[a-z0-9' .,\u{1}\n\t\u{b}\u{85}\u{a0}ñéß¿日①²\u{1f600}-]{0,40}"
        ) {
            let mut tokens = Vec::new();
            cut_tokens(&low, &mut tokens);
            let told: Vec<_> = tokens.into_iter().map(|it| (it.at, it.kind)).collect();
            prop_assert_eq!(told, plainly(&low));
        }
    }
}
