//! The view of a text that detectors read: folded, cut into words, with the way back to the original.

mod spelled;

use std::ops::Range;

use crate::policy::fold::fold_char;
use crate::policy::phrases::Entry;
use crate::policy::phrases::Phrases;
use crate::policy::phrases::flag;
use crate::policy::phrases::hash_word;

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Title,
    Upper,
}

/// What stands between a word and the one before it; ordered by how much it parts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gap {
    /// A hyphen, an apostrophe, a full stop inside a word.
    Mark,
    /// Blanks.
    Space,
    /// A comma, a colon, a bracket.
    Comma,
    /// The end of a sentence, or the beginning of the text.
    Stop,
}

/// A word of the view.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// Where it begins in the view.
    pub(crate) start: usize,
    /// Where it ends in the view.
    pub(crate) end: usize,
    /// Its hash.
    pub(crate) hash: u64,
    /// The hash without a plural `s`, or its hash.
    pub(crate) stem: u64,
    /// What the lists say of it.
    pub(crate) flags: u32,
    /// Does a list know it, alone or as the beginning of a phrase?
    pub(crate) listed: bool,
    /// How it is written.
    pub(crate) case: Case,
    /// What stands before it.
    pub(crate) gap: Gap,
    /// Has it a digit?
    pub(crate) digits: bool,
}

impl Word {
    pub(crate) const fn is(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    pub(crate) const fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_capital(&self) -> bool {
        self.case != Case::Lower
    }
}

/// The memory of a view, used again by the next one.
#[derive(Debug, Default)]
pub(crate) struct Room {
    folded: Vec<u8>,
    places: Vec<u32>,
    words: Vec<Word>,
    figures: Vec<Range<usize>>,
}

/// The view of one text.
#[derive(Debug)]
pub(crate) struct View<'a> {
    /// The text as given.
    original: &'a str,
    /// Folded: lower case, no accents, look-alikes replaced, one blank for several; not always UTF-8.
    pub(crate) folded: Vec<u8>,
    /// For each byte of `folded` the place of its character in `original`; empty when they agree.
    places: Vec<u32>,
    /// The words.
    pub(crate) words: Vec<Word>,
    /// How many digits it has.
    pub(crate) digits: usize,
    /// Where they stand: runs without anything between.
    pub(crate) figures: Vec<Range<usize>>,
}

impl<'a> View<'a> {
    /// Folds and cuts a text, in the memory of `room`.
    pub(crate) fn new(phrases: &Phrases, original: &'a str, room: &mut Room) -> Self {
        let Room {
            mut folded,
            mut places,
            mut words,
            mut figures,
        } = std::mem::take(room);
        folded.clear();
        places.clear();
        words.clear();
        figures.clear();
        if original.is_ascii() && !original.contains("  ") {
            folded.extend(original.bytes().map(|byte| byte.to_ascii_lowercase()));
        } else {
            fold_with_places(original, &mut folded, &mut places);
        }
        let mut digits = 0;
        for (at, _) in folded
            .iter()
            .enumerate()
            .filter(|(_, it)| it.is_ascii_digit())
        {
            digits += 1;
            match figures.last_mut() {
                Some(last) if last.end == at => last.end = at + 1,
                _ => figures.push(at..at + 1),
            }
        }
        let mut view = Self {
            original,
            folded,
            places,
            words,
            digits,
            figures,
        };
        view.cut(phrases);
        view.join_spelled(phrases);
        view
    }

    /// Gives the memory back.
    pub(crate) fn leave(self, room: &mut Room) {
        *room = Room {
            folded: self.folded,
            places: self.places,
            words: self.words,
            figures: self.figures,
        };
    }

    /// The text as given.
    pub(crate) const fn original(&self) -> &'a str {
        self.original
    }

    /// The bytes of a stretch of the view; empty when it lies outside.
    pub(crate) fn bytes(&self, span: Range<usize>) -> &[u8] {
        self.folded.get(span).unwrap_or(&[])
    }

    /// The folded letters of a word.
    pub(crate) fn word_bytes(&self, word: &Word) -> &[u8] {
        self.bytes(word.start..word.end)
    }

    /// The same stretch in the text as given, on character boundaries.
    pub(crate) fn to_original(&self, span: &Range<usize>) -> Range<usize> {
        if self.places.is_empty() {
            return span.start.min(self.original.len())..span.end.min(self.original.len());
        }
        let start = self.place(span.start);
        let last = self.place(span.end.saturating_sub(1).max(span.start));
        let width = self
            .original
            .get(last..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        start..last + width
    }

    /// The stretch of the view that shows a stretch of the text as given.
    pub(crate) fn of_original(&self, span: &Range<usize>) -> Range<usize> {
        if self.places.is_empty() {
            return span.start.min(self.folded.len())..span.end.min(self.folded.len());
        }
        let from = |at: usize| {
            self.places
                .partition_point(|place| usize::try_from(*place).is_ok_and(|place| place < at))
        };
        from(span.start)..from(span.end)
    }

    fn place(&self, at: usize) -> usize {
        let place = self
            .places
            .get(at)
            .and_then(|place| usize::try_from(*place).ok());
        place.unwrap_or(self.original.len())
    }

    /// The sentence around a place of the view.
    pub(crate) fn sentence(&self, span: &Range<usize>) -> Range<usize> {
        let begun = self.words.partition_point(|word| word.start <= span.start);
        let ended = self.words.partition_point(|word| word.start < span.end);
        let stop = |word: &&Word| word.gap == Gap::Stop;
        let (begun, rest) = (self.words.get(..begun), self.words.get(ended..));
        let before = begun.unwrap_or_default().iter().rev().find(stop);
        let after = rest.unwrap_or_default().iter().find(stop);
        let start = before.map_or(0, |word| word.start);
        start..after.map_or(self.folded.len(), |word| word.start)
    }

    fn cut(&mut self, phrases: &Phrases) {
        let mut words = std::mem::take(&mut self.words);
        let mut at = 0;
        let mut gap_from = 0;
        while let Some(byte) = self.folded.get(at) {
            if !is_word_byte(*byte) {
                at += 1;
                continue;
            }
            let start = at;
            while self.folded.get(at).is_some_and(|byte| is_word_byte(*byte)) {
                at += 1;
            }
            let mut gap = gap_of(self.bytes(gap_from..start), words.is_empty());
            if gap == Gap::Stop
                && words.last().is_some_and(is_abbreviation)
                && self.bytes(gap_from..start) == b". "
            {
                gap = Gap::Space;
            }
            words.push(self.word(phrases, start..at, gap));
            gap_from = at;
        }
        self.words = words;
    }

    fn word(&self, phrases: &Phrases, span: Range<usize>, gap: Gap) -> Word {
        let bytes = self.bytes(span.clone());
        let hash = hash_word(bytes);
        let stem = match bytes {
            [rest @ .., b's'] if rest.len() >= 3 && !rest.ends_with(b"s") => hash_word(rest),
            _ => hash,
        };
        let entry = phrases.get(hash);
        let stem_entry = if stem == hash {
            None
        } else {
            phrases.get(stem)
        };
        let own = entry.map_or(0, |entry| entry.flags);
        // `Tomas` is a name, whatever `toma` says.
        let common = if own & flag::FIRST == 0 {
            flag::COMMON
        } else {
            0
        };
        let flags = own | stem_entry.map_or(0, |entry| entry.flags & common);
        let ends_phrase =
            |entry: Option<Entry>| entry.is_some_and(|it| phrases.section(it).is_some());
        Word {
            start: span.start,
            end: span.end,
            hash,
            stem,
            flags,
            listed: ends_phrase(entry) || ends_phrase(stem_entry),
            case: self.case(&span),
            gap,
            digits: bytes.iter().any(u8::is_ascii_digit),
        }
    }

    fn case(&self, span: &Range<usize>) -> Case {
        let place = |at: usize| {
            if self.places.is_empty() {
                at
            } else {
                self.place(at)
            }
        };
        let upper = |at: usize| {
            let at = place(at);
            match self.original.as_bytes().get(at) {
                Some(byte) if byte.is_ascii() => byte.is_ascii_uppercase(),
                _ => self
                    .original
                    .get(at..)
                    .and_then(|rest| rest.chars().next())
                    .is_some_and(char::is_uppercase),
            }
        };
        if !upper(span.start) {
            Case::Lower
        } else if span.len() > 1 && (span.start + 1..span.end).all(upper) {
            Case::Upper
        } else {
            Case::Title
        }
    }
}

/// `Dr.`, `J.`: the full stop ends no sentence.
fn is_abbreviation(word: &Word) -> bool {
    word.is(flag::TITLE | flag::PROVIDER) && word.len() <= 4 || word.len() == 1 && word.is_capital()
}

const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn gap_of(between: &[u8], first: bool) -> Gap {
    if first {
        return Gap::Stop;
    }
    match between {
        [b'-' | b'\'' | b'.' | b'/' | b'&' | b'_' | b'@' | b'+' | b'*' | b'$' | b'!'] => Gap::Mark,
        other
            if other
                .iter()
                .any(|byte| matches!(byte, b'.' | b'!' | b'?' | b'\n' | b'\r' | b';')) =>
        {
            Gap::Stop
        }
        other if other.iter().all(|byte| matches!(byte, b' ' | b'\t')) => Gap::Space,
        other
            if other
                .iter()
                .all(|byte| matches!(byte, b' ' | b'-' | b'&' | b'/' | b'\''))
                && other.len() <= 3 =>
        {
            if other.contains(&b'-') && other.len() == 3 {
                Gap::Comma
            } else {
                Gap::Space
            }
        }
        _ => Gap::Comma,
    }
}

fn fold_with_places(text: &str, folded: &mut Vec<u8>, places: &mut Vec<u32>) {
    for (at, c) in text.char_indices() {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        match u8::try_from(c) {
            // Else `elm  street` were no street to a rule.
            Ok(b' ') if folded.last() == Some(&b' ') => {}
            Ok(byte) if byte.is_ascii() => folded.push(byte.to_ascii_lowercase()),
            _ => fold_char(c, |byte| folded.push(byte)),
        }
        places.resize(folded.len(), at);
    }
}
