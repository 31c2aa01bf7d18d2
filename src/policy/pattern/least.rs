//! What every match of an expression has at the least: digits, characters, rows of them. A text without
//! need not be searched.

use regex_syntax::hir::Class;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;

/// The fewest digits in a match of an expression.
pub(super) fn least_digits(hir: &Hir) -> usize {
    least_among(hir, DIGITS)
}

/// The fewest of one character in a match of an expression.
pub(super) fn least_of(hir: &Hir, wanted: u8) -> usize {
    least_among(hir, bit(wanted))
}

fn least_among(hir: &Hir, among: u128) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(text) => {
            let of_them = text.0.iter().filter(|byte| bit(**byte) & among != 0);
            of_them.count()
        }
        HirKind::Class(class) => usize::from(is_within(class, among)),
        HirKind::Repetition(again) => {
            let least = usize::try_from(again.min).unwrap_or(0);
            least.saturating_mul(least_among(&again.sub, among))
        }
        HirKind::Capture(group) => least_among(&group.sub, among),
        HirKind::Concat(parts) => parts.iter().map(|it| least_among(it, among)).sum(),
        HirKind::Alternation(ways) => {
            let each = ways.iter().map(|it| least_among(it, among));
            each.min().unwrap_or(0)
        }
    }
}

/// Characters of a class that stand in a row in every match of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The class.
    pub class: Characters,
    /// So many at the least.
    pub least: usize,
}

/// Shorter runs stand in most texts.
const RUN_MIN: usize = 3;

/// The longest run that every match of an expression has; nothing where it is short.
pub(super) fn least_run(hir: &Hir) -> Option<Run> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => None,
        HirKind::Repetition(again) if again.min == 0 => None,
        HirKind::Repetition(again) => {
            let own = class(&again.sub).and_then(characters);
            let least = usize::try_from(again.min).unwrap_or(0);
            let own = own.filter(|_| least >= RUN_MIN);
            own.map(|class| Run { class, least })
                .or_else(|| least_run(&again.sub))
        }
        HirKind::Capture(group) => least_run(&group.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(least_run).max_by_key(|it| it.least),
        // The shorter of both, of either class.
        HirKind::Alternation(ways) => ways
            .iter()
            .map(least_run)
            .reduce(|one, other| {
                let (one, other) = (one?, other?);
                Some(Run {
                    class: Characters(one.class.0 | other.class.0),
                    least: one.least.min(other.least),
                })
            })
            .flatten(),
    }
}

fn class(hir: &Hir) -> Option<&Class> {
    if let HirKind::Class(class) = hir.kind() {
        Some(class)
    } else {
        None
    }
}

/// Has a class an ASCII character that is so?
pub(super) fn class_has(class: &Class, is: impl Fn(u8) -> bool) -> bool {
    let (all, _) = ascii(class);
    (0..=127).any(|byte| is(byte) && all.has(byte))
}

/// The ASCII characters of a class, and whether it has no others.
fn ascii(class: &Class) -> (Characters, bool) {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Bytes(class) => class
            .iter()
            .map(|it| (it.start().into(), it.end().into()))
            .collect(),
        Class::Unicode(class) => class
            .iter()
            .map(|it| (it.start().into(), it.end().into()))
            .collect(),
    };
    let only = ranges.iter().all(|(_, end)| *end < 128);
    let bytes = ranges.iter().flat_map(|(from, to)| *from..=(*to).min(127));
    let all = bytes.filter_map(|byte| u8::try_from(byte).ok());
    let all = all.fold(0, |all, byte| all | bit(byte));
    (Characters(all), only)
}

/// The characters of a class that has no others than ASCII.
fn characters(class: &Class) -> Option<Characters> {
    let (all, only) = ascii(class);
    only.then_some(all)
}

/// Does a letter stand right before a digit in every match of an expression?
pub(super) fn joins(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Repetition(again) => again.min > 0 && joins(&again.sub),
        HirKind::Capture(group) => joins(&group.sub),
        HirKind::Alternation(ways) => ways.iter().all(joins),
        HirKind::Concat(parts) => {
            let pairs = parts.iter().zip(parts.iter().skip(1));
            let edge =
                |(one, other): (&Hir, &Hir)| is_made_of(one, LETTERS) && is_made_of(other, DIGITS);
            parts.iter().any(joins) || pairs.into_iter().any(edge)
        }
    }
}

/// Is every match made of these characters, one or more?
fn is_made_of(hir: &Hir, among: u128) -> bool {
    match hir.kind() {
        HirKind::Class(class) => is_within(class, among),
        HirKind::Literal(text) => text.0.iter().all(|byte| bit(*byte) & among != 0),
        HirKind::Repetition(again) => again.min > 0 && is_made_of(&again.sub, among),
        HirKind::Capture(group) => is_made_of(&group.sub, among),
        HirKind::Empty | HirKind::Look(_) | HirKind::Concat(_) | HirKind::Alternation(_) => false,
    }
}

/// Has a class these characters alone?
fn is_within(class: &Class, among: u128) -> bool {
    characters(class).is_some_and(|it| it.0 & !among == 0)
}

pub(super) fn is_digit(class: &Class) -> bool {
    is_within(class, DIGITS)
}

/// A set of ASCII characters, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Characters(u128);

/// A larger set rules out hardly anything.
const CHARACTERS_MAX: u32 = 12;

impl Characters {
    /// The characters of a text.
    pub fn of(bytes: &[u8]) -> Self {
        // Two halves: a shift of 128 bits costs several of 64.
        let [mut low, mut high]: [u64; 2] = [0; 2];
        for byte in bytes {
            let one = 1_u64 << (byte & 63);
            match byte >> 6 {
                0 => low |= one,
                1 => high |= one,
                _ => {}
            }
        }
        Self(u128::from(low) | u128::from(high) << 64)
    }

    /// The longest row of its characters in a text.
    pub fn longest_run(self, text: &[u8]) -> usize {
        let (mut row, mut longest) = (0, 0);
        for byte in text {
            row = if self.has(*byte) { row + 1 } else { 0 };
            longest = longest.max(row);
        }
        longest
    }

    /// Are they letters and digits, so that a row of them is no longer than a word?
    pub const fn is_of_words(self) -> bool {
        self.0 & !(LETTERS | DIGITS) == 0
    }

    /// Has it this one?
    pub const fn has(self, byte: u8) -> bool {
        self.0 & bit(byte) != 0
    }

    /// The only one there is.
    pub(super) fn single(self) -> Option<u8> {
        let one = u8::try_from(self.0.trailing_zeros()).ok();
        one.filter(|_| self.0.is_power_of_two())
    }

    /// Has it one of the others?
    pub const fn any(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Worth to be looked for: few, and none that stands in every text or number.
    fn tells(self) -> Option<Self> {
        let common = Self::of(b" 0123456789");
        (self.0 != 0 && self.0.count_ones() <= CHARACTERS_MAX && !self.any(common)).then_some(self)
    }
}

/// The bit of an ASCII character; of what is none there is no bit.
const fn bit(byte: u8) -> u128 {
    if byte < 128 { 1 << byte } else { 0 }
}

/// Characters of which one stands in every match of an expression; nothing where no few are known.
pub(super) fn needed(hir: &Hir) -> Option<Characters> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(text) => {
            let each = text.0.iter().filter(|byte| byte.is_ascii());
            let mut each = each.filter_map(|byte| Characters(bit(*byte)).tells());
            let mark = |one: &Characters| one.0 & LETTERS == 0;
            each.clone().find(mark).or_else(|| each.next())
        }
        HirKind::Class(class) => characters(class).and_then(Characters::tells),
        HirKind::Repetition(again) if again.min == 0 => None,
        HirKind::Repetition(again) => needed(&again.sub),
        HirKind::Capture(group) => needed(&group.sub),
        HirKind::Concat(parts) => {
            let known = parts.iter().filter_map(needed);
            known.min_by_key(|it| (it.0 & LETTERS != 0, it.0.count_ones()))
        }
        HirKind::Alternation(ways) => {
            let each = ways.iter().map(needed);
            let all = each.reduce(|one, other| Some(Characters(one?.0 | other?.0)))?;
            all.and_then(Characters::tells)
        }
    }
}

/// Letters stand in more texts than marks do.
const LETTERS: u128 = ((1 << 26) - 1) << b'a';
const DIGITS: u128 = ((1 << 10) - 1) << b'0';

#[cfg(test)]
mod tests {
    use super::Characters;
    use crate::policy::pattern::Pattern;

    #[test]
    fn the_characters_of_which_one_stands_in_every_match_are_told() {
        for (pattern, wanted) in [
            ("", None),
            (r"(?-u)\d{1,2}/\d{1,2}(?:/\d{2,4})?", Some("/")),
            (r"(?-u)\d\d ?[-.]\d\d", Some("-.")),
            (r"(?-u)\d\d ?[-. ]\d\d", None),
            (r"(?-u)\d{1,2}(?:st|nd|rd|th)?", None),
            (r"(?-u)\d{1,2}(?:st|nd|rd|th)", Some("snrt")),
            (r"(?-u)\d+ ?(?:mg|@home|%)", Some("m@%")),
            (r"(?-u)\d+ ?(?:mg|[^a]|%)", None),
            (r"(?-u)(?:x|\d)+z{0,2}", None),
            (r"(?-u)(?:xy){2}\d", Some("x")),
            (r"(?-u)a.b+#?", Some("a")),
            ("é-?é", None),
        ] {
            let pattern = Pattern::over_bytes(pattern, 1 << 20).unwrap();
            let wanted = wanted.map(|it| Characters::of(it.as_bytes()));
            assert_eq!(pattern.demands().character, wanted, "{}", pattern.as_str());
        }
    }

    #[test]
    fn the_characters_in_a_row_are_told() {
        for (pattern, least, with, without) in [
            (
                r"(?-u)[a-hj-npr-z0-9]{17}",
                17,
                "1hgcm82633a004352",
                "1hgcm82633i004352",
            ),
            (
                r"(?-u)\b(?:vin )?[a-z]{3}\d{4,}",
                4,
                "x 2026.",
                "3:00, abcd",
            ),
            (r"(?-u)[\doil]{2}[ .]{1,3}[\doil]{4}", 4, "oil5", "will 555"),
            (r"(?-u)(?:[a-z]{5}|\d{3}-)x", 3, "abc", "ab-ab"),
            (r"(?-u)(?:[0-9a-f]{1,4}:){7}", 0, "", ""),
            (r"(?-u)(?:[a-z]{5})?[^ ]{9}", 0, "", ""),
            (r"(?-u)(?:[a-z]{5}|\d)x", 0, "", ""),
        ] {
            let pattern = Pattern::over_bytes(pattern, 1 << 20).unwrap();
            let run = pattern.demands().run;
            assert_eq!(run.map_or(0, |it| it.least), least, "{}", pattern.as_str());
            if let Some(run) = run {
                let longest = |text: &str| run.class.longest_run(text.as_bytes());
                assert!(longest(with) >= run.least, "{}", pattern.as_str());
                assert!(longest(without) < run.least, "{}", pattern.as_str());
            }
        }
    }

    #[test]
    fn a_letter_before_a_digit_is_told_and_so_is_how_often_a_mark_stands() {
        for (pattern, joined) in [
            (r"(?-u)[a-z]{2}\d\d(?: ?[a-z0-9]{4}){2,7}", true),
            (r"(?-u)(?:[a-tv-z]\d|x[0-9]+)\.", true),
            (r"(?-u)\b(?P<v>[a-z]\d)", true),
            (r"(?-u)[a-z]?\d", false),
            (r"(?-u)(?:[a-z]\d|\d)", false),
            (r"(?-u)[a-z0-9]\d", false),
            (r"(?-u)[a-z] \d", false),
        ] {
            let pattern = Pattern::over_bytes(pattern, 1 << 20).unwrap();
            assert_eq!(pattern.demands().joins, joined, "{}", pattern.as_str());
        }
        for (pattern, most) in [
            (r"(?-u)(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}", 7),
            (r"(?-u)\d+(?::\d+){2,3}", 2),
            (r"(?-u)\d+:\d+(?::\d+)?", 1),
        ] {
            let pattern = Pattern::over_bytes(pattern, 1 << 20).unwrap();
            assert_eq!(pattern.demands().times, most, "{}", pattern.as_str());
        }
    }
}
