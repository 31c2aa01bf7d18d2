//! Small lists of words that most words of a text are not in, told so by their first two letters.

/// Words and what each means.
#[derive(Debug)]
pub(crate) struct Table<T: 'static> {
    entries: &'static [(&'static str, T)],
    /// The first two letters that occur.
    pub(crate) heads: Heads,
}

/// Pairs of first letters: for each first, the second ones that occur.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads([u32; 27]);

impl Heads {
    /// The pairs of both.
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated by the compiler, which refuses a wrong place"
    )]
    pub(crate) const fn and(mut self, other: &Self) -> Self {
        let mut first = 0;
        while first < 27 {
            self.0[first] |= other.0[first];
            first += 1;
        }
        self
    }

    /// May a folded word be one of those that have these first letters?
    pub(crate) fn begin(&self, word: &str) -> bool {
        let (first, second) = head(word.as_bytes());
        self.0.get(first).is_some_and(|it| it >> second & 1 == 1)
    }
}

/// 0 to 25 for a letter, 26 for everything else.
const fn code(byte: u8) -> usize {
    if byte.is_ascii_lowercase() {
        (byte - b'a') as usize
    } else {
        26
    }
}

const fn head(word: &[u8]) -> (usize, usize) {
    match word {
        [first, second, ..] => (code(*first), code(*second)),
        [first] => (code(*first), 26),
        [] => (26, 26),
    }
}

impl<T: Copy> Table<T> {
    /// The table of these words, which are folded.
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated by the compiler, which refuses a wrong place"
    )]
    pub(crate) const fn new(entries: &'static [(&'static str, T)]) -> Self {
        let mut heads = [0; 27];
        let mut rest = entries;
        while let [(word, _), more @ ..] = rest {
            let (first, second) = head(word.as_bytes());
            heads[first] |= 1 << second;
            rest = more;
        }
        Self {
            entries,
            heads: Heads(heads),
        }
    }

    /// What a folded word means, if it is one of these.
    pub(crate) fn get(&self, word: &str) -> Option<T> {
        if !self.heads.begin(word) {
            return None;
        }
        let last = word.as_bytes().last();
        let found = self
            .entries
            .iter()
            .find(|(name, _)| name.as_bytes().last() == last && *name == word);
        found.map(|(_, value)| *value)
    }

    /// Is the folded word one of these?
    pub(crate) fn has(&self, word: &str) -> bool {
        self.get(word).is_some()
    }
}

/// A table of words that mean nothing but themselves.
macro_rules! words {
    ($($word:literal),+ $(,)?) => {
        $crate::guardrail::ground::table::Table::new(&[$(($word, ())),+])
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_its_words_and_no_others() {
        static TABLE: Table<u8> =
            Table::new(&[("a", 1), ("monday", 2), ("3rd", 3), ("o'clock", 4)]);
        for (word, meaning) in TABLE.entries {
            assert_eq!(TABLE.get(word), Some(*meaning));
        }
        for word in ["", "b", "mo", "mondays", "3r", "an", "ñandú", "monday "] {
            assert_eq!(TABLE.get(word), None, "{word}");
        }
    }
}
