//! How long a match can be: in bytes, and in blanks, which bound what a word of any length does not.

use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;

use crate::policy::pattern::least::class_has;

const BLANK: u8 = b' ';

/// The most that a stretch of a text has; `usize::MAX` is without a bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Bytes.
    pub bytes: usize,
    /// And of these, blanks.
    pub blanks: usize,
}

impl Extent {
    /// Both, one behind the other.
    pub(super) const fn then(self, next: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(next.bytes),
            blanks: self.blanks.saturating_add(next.blanks),
        }
    }

    /// Either.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            blanks: self.blanks.max(other.blanks),
        }
    }

    /// So many times; nothing is without a bound.
    pub(super) fn times(self, most: Option<u32>) -> Self {
        let most = most.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
        Self {
            bytes: self.bytes.saturating_mul(most),
            blanks: self.blanks.saturating_mul(most),
        }
    }

    /// Has it a bound?
    pub(super) const fn is_bounded(self) -> bool {
        self.bytes < usize::MAX || self.blanks < usize::MAX
    }

    /// The longest match of an expression.
    pub(super) fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::default(),
            HirKind::Literal(text) => Self::of_text(&text.0),
            HirKind::Class(class) => Self {
                bytes: hir.properties().maximum_len().unwrap_or(usize::MAX),
                blanks: usize::from(class_has(class, |byte| byte == BLANK)),
            },
            HirKind::Repetition(again) => Self::of(&again.sub).times(again.max),
            HirKind::Capture(group) => Self::of(&group.sub),
            HirKind::Concat(parts) => Self::of_all(parts),
            HirKind::Alternation(ways) => ways.iter().map(Self::of).fold(Self::default(), Self::or),
        }
    }

    /// The longest match of several, one behind the other.
    pub(super) fn of_all(parts: &[Hir]) -> Self {
        parts.iter().map(Self::of).fold(Self::default(), Self::then)
    }

    /// The length of a text.
    pub(super) fn of_text(text: &[u8]) -> Self {
        Self {
            bytes: text.len(),
            blanks: text.iter().map(|byte| usize::from(*byte == BLANK)).sum(),
        }
    }

    /// Where such a stretch that ends at `at` begins at the earliest.
    pub fn back(self, text: &[u8], at: usize) -> usize {
        if self.is_by_bytes() {
            return at.saturating_sub(self.bytes);
        }
        let before = text.get(..at).unwrap_or_default();
        at - self.reach(before.iter().rev().copied())
    }

    /// Where such a stretch that begins at `at` ends at the latest.
    pub fn on(self, text: &[u8], at: usize) -> usize {
        if self.is_by_bytes() {
            return at.saturating_add(self.bytes).min(text.len());
        }
        at + self.reach(text.get(at..).unwrap_or_default().iter().copied())
    }

    /// Words are so short that its blanks would hardly bound it more than its bytes do.
    const fn is_by_bytes(self) -> bool {
        self.bytes / 4 <= self.blanks && self.bytes < usize::MAX
    }

    fn reach(self, bytes: impl Iterator<Item = u8>) -> usize {
        let mut blanks = 0;
        let within = bytes.take(self.bytes).take_while(|byte| {
            blanks += usize::from(*byte == BLANK);
            blanks <= self.blanks
        });
        within.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_no_longer_than_its_bytes_and_its_blanks() {
        let far = usize::MAX;
        for (pattern, bytes, blanks) in [
            ("", 0, 0),
            (r"(?-u)\bthe 3rd\b", 7, 1),
            (r"(?-u)(?:[a-z]+ ){1,3}st", far, 3),
            (r"(?-u)[^0-9,]+", far, far),
            (r"(?-u)[^\s,]+", far, 0),
            (r"(?-u)(?:about |now )*", far, far),
            (r"(?-u)(?:a|in a )?\d{1,2}", 7, 2),
        ] {
            let hir = regex_syntax::ParserBuilder::new().utf8(false).build();
            let hir = hir.clone().parse(pattern).unwrap();
            assert_eq!(Extent::of(&hir), Extent { bytes, blanks }, "{pattern}");
        }
    }

    #[test]
    fn a_stretch_ends_before_the_first_blank_too_many() {
        let text = b"see you on elm street at noon";
        let two = Extent {
            bytes: usize::MAX,
            blanks: 2,
        };
        assert_eq!((two.back(text, 15), two.on(text, 13)), (8, 24));
        let short = Extent {
            bytes: 3,
            blanks: 2,
        };
        assert_eq!((short.back(text, 15), short.on(text, 15)), (12, 18));
        let one = Extent {
            bytes: 20,
            blanks: 1,
        };
        assert_eq!((one.back(text, 15), one.on(text, 13)), (11, 21));
        assert_eq!((two.back(text, 0), two.on(text, 29)), (0, 29));
    }
}
