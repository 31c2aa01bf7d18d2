//! A reading view of a draft: folded to plain lower case, cut into tokens and sentences, every
//! place in it traceable to the text as given.

use std::ops::Range;

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
const MASK: char = '\u{1}';

/// The view.
pub(crate) struct View<'a> {
    /// The text as given.
    pub(crate) text: &'a str,
    /// The folded text.
    pub(crate) low: String,
    /// For each byte of `low`, and one past its end, the byte of `text` it came from.
    map: Vec<usize>,
    /// Its tokens, without white space.
    pub(crate) tokens: Vec<Token>,
    /// Its sentences, without the white space between them.
    pub(crate) sentences: Vec<Range<usize>>,
}

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
        other => other.to_lowercase().next().unwrap_or(other),
    })
}

/// A whole text folded, for comparing values.
pub(crate) fn fold_text(text: &str) -> String {
    text.chars().filter_map(fold_char).collect()
}

impl<'a> View<'a> {
    /// Folds and cuts `text`; the values in `public` are masked, links and e-mail addresses too.
    pub(crate) fn new(text: &'a str, public: &[&str]) -> Self {
        let mut low = String::with_capacity(text.len());
        let mut map = Vec::with_capacity(text.len() + 1);
        for (at, c) in text.char_indices() {
            if let Some(folded) = fold_char(c) {
                low.push(folded);
                map.extend(std::iter::repeat_n(at, folded.len_utf8()));
            }
        }
        map.push(text.len());
        for value in public {
            mask_value(&mut low, &fold_text(value));
        }
        mask_links(&mut low);
        let mut view = Self {
            text,
            low,
            map,
            tokens: Vec::new(),
            sentences: Vec::new(),
        };
        view.tokens = tokens(&view.low);
        view.sentences = view.cut_sentences();
        view
    }

    /// The place in the text as given.
    pub(crate) fn span(&self, at: &Range<usize>) -> Range<usize> {
        let end = self.text.len();
        let start = self.map.get(at.start).copied().unwrap_or(end);
        start..self.map.get(at.end).copied().unwrap_or(end)
    }

    /// The place in the folded text of a stretch of the text as given.
    pub(crate) fn low_range(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.map.partition_point(|&byte| byte < span.start);
        let end = self.map.partition_point(|&byte| byte < span.end);
        let last = self.low.len();
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

    fn cut_sentences(&self) -> Vec<Range<usize>> {
        let bytes = self.low.as_bytes();
        let mut sentences = Vec::with_capacity(6);
        let mut start = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let end = match byte {
                b'\n' if !self.goes_on(at) => at,
                b'.' | b'!' | b'?' if self.ends_sentence(at, byte) => at + 1,
                _ => continue,
            };
            push_trimmed(&self.low, start..end, &mut sentences);
            start = at + 1;
        }
        push_trimmed(&self.low, start..self.low.len(), &mut sentences);
        sentences
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
        if ABBREVIATIONS.contains(&word) {
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

const ABBREVIATIONS: &[&str] = &[
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
    let filler: String = std::iter::repeat_n(MASK, at.len()).collect();
    low.replace_range(at, &filler);
}

fn mask_value(low: &mut String, value: &str) {
    let value = value.trim();
    if value.len() < 3 {
        return;
    }
    let mut from = 0;
    while let Some(found) = low.get(from..).and_then(|rest| rest.find(value)) {
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

/// Addresses of pages and mailboxes are judged whole, their digits are no dates.
fn mask_links(low: &mut String) {
    if !low.contains("://") && !low.contains('@') && !low.contains("www.") {
        return;
    }
    let mut links = Vec::new();
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

fn tokens(low: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::with_capacity(low.len() / 4);
    for (at, c) in low.char_indices() {
        if c.is_whitespace() {
            continue;
        }
        let end = at + c.len_utf8();
        let kind = if c.is_ascii_digit() {
            Kind::Number
        } else if c.is_alphabetic() || c == '\'' {
            Kind::Word
        } else {
            Kind::Mark
        };
        if let Some(last) = tokens.last_mut() {
            let joins = kind != Kind::Mark
                || c == MASK
                    && low
                        .get(last.at.clone())
                        .is_some_and(|t| t.starts_with(MASK));
            if last.kind == kind && last.at.end == at && joins {
                last.at.end = end;
                continue;
            }
        }
        tokens.push(Token { at: at..end, kind });
    }
    tokens
}
