//! Days and numbers of the record, recognised in the many ways of writing them.

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::phrases::flag;

/// A day of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    year: u32,
    month: u32,
    of_month: u32,
}

/// English and Spanish months, by their first three letters.
const MONTHS: [(&[u8], u32); 17] = [
    (b"jan", 1),
    (b"ene", 1),
    (b"feb", 2),
    (b"mar", 3),
    (b"apr", 4),
    (b"abr", 4),
    (b"may", 5),
    (b"jun", 6),
    (b"jul", 7),
    (b"aug", 8),
    (b"ago", 8),
    (b"sep", 9),
    (b"set", 9),
    (b"oct", 10),
    (b"nov", 11),
    (b"dec", 12),
    (b"dic", 12),
];

/// Days in words, as far as they are written so; index + 1 is the day.
const ORDINALS: [&[u8]; 20] = [
    b"first",
    b"second",
    b"third",
    b"fourth",
    b"fifth",
    b"sixth",
    b"seventh",
    b"eighth",
    b"ninth",
    b"tenth",
    b"eleventh",
    b"twelfth",
    b"thirteenth",
    b"fourteenth",
    b"fifteenth",
    b"sixteenth",
    b"seventeenth",
    b"eighteenth",
    b"nineteenth",
    b"twentieth",
];
const ORDINALS_ES: [&[u8]; 20] = [
    b"primero",
    b"dos",
    b"tres",
    b"cuatro",
    b"cinco",
    b"seis",
    b"siete",
    b"ocho",
    b"nueve",
    b"diez",
    b"once",
    b"doce",
    b"trece",
    b"catorce",
    b"quince",
    b"dieciseis",
    b"diecisiete",
    b"dieciocho",
    b"diecinueve",
    b"veinte",
];

impl Day {
    /// Reads `2026-07-19`, with or without a time behind it.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let date = value.get(..10)?;
        let mut parts = date.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if year.len() != 4 || month.len() != 2 || parts.next().is_some() {
            return None;
        }
        let day = Self {
            year: year.parse().ok()?,
            month: month.parse().ok()?,
            of_month: day.parse().ok()?,
        };
        ((1..=12).contains(&day.month) && (1..=31).contains(&day.of_month)).then_some(day)
    }

    /// The day as six or eight digits in the usual orders.
    pub(super) fn compact(self) -> [Digits; 4] {
        let Self {
            year,
            month,
            of_month: day,
        } = self;
        let written = |parts: [(u32, u32); 3]| {
            let mut digits = Digits::new();
            for (number, width) in parts {
                let places = (0..width).rev();
                digits.extend(places.map(|place| digit(number / 10_u32.pow(place))));
            }
            digits
        };
        [
            written([(month, 2), (day, 2), (year % 100, 2)]),
            written([(month, 2), (day, 2), (year, 4)]),
            written([(year, 4), (month, 2), (day, 2)]),
            written([(day, 2), (month, 2), (year, 4)]),
        ]
    }

    /// Is the stretch this day, in figures or words, with or without its year?
    pub(super) fn is_written(self, bytes: &[u8]) -> bool {
        let mut numbers: SmallVec<[u32; 4]> = SmallVec::new();
        let mut month = None;
        for part in bytes
            .split(|byte| !byte.is_ascii_alphanumeric())
            .filter(|part| !part.is_empty())
        {
            let length = part.iter().take_while(|it| it.is_ascii_digit()).count();
            if let Some(number) = part
                .get(..length)
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|text| text.parse::<u32>().ok())
            {
                numbers.push(number);
            } else if let Some(day) = ordinal(part) {
                numbers.push(day);
            } else if part.len() >= 3 {
                month = month.or_else(|| {
                    MONTHS
                        .iter()
                        .find(|(name, _)| part.starts_with(name))
                        .map(|(_, it)| *it)
                });
            }
        }
        let same_year = |it: &u32| *it == self.year || *it == self.year % 100;
        match (month, numbers.as_slice()) {
            (Some(month), [day]) => month == self.month && *day == self.of_month,
            (Some(month), [day, year]) => {
                month == self.month && *day == self.of_month && same_year(year)
            }
            (None, [one, two]) => self.is_pair(*one, *two),
            (None, [year, one, two]) if *year > 31 => same_year(year) && self.is_pair(*one, *two),
            (None, [one, two, year]) => same_year(year) && self.is_pair(*one, *two),
            _ => false,
        }
    }

    const fn is_pair(self, one: u32, two: u32) -> bool {
        (one == self.month && two == self.of_month) || (one == self.of_month && two == self.month)
    }
}

fn ordinal(word: &[u8]) -> Option<u32> {
    let place = |list: &[&[u8]]| list.iter().position(|it| *it == word);
    let found = place(&ORDINALS).or_else(|| place(&ORDINALS_ES))?;
    u32::try_from(found).ok().map(|it| it + 1)
}

/// Are two words one letter apart at most: one changed, added, dropped, or two neighbours swapped?
pub(super) fn one_edit_apart(one: &str, other: &str) -> bool {
    let alike = |(a, b): &(char, char)| a == b;
    let pairs = one.chars().zip(other.chars());
    let head: usize = pairs.take_while(alike).map(|(c, _)| c.len_utf8()).sum();
    let (one, other) = (
        one.get(head..).unwrap_or_default(),
        other.get(head..).unwrap_or_default(),
    );
    let pairs = one.chars().rev().zip(other.chars().rev());
    let tail: usize = pairs.take_while(alike).map(|(c, _)| c.len_utf8()).sum();
    let rest = |word: &str| -> [Option<char>; 3] {
        let mut letters = word.get(..word.len() - tail).unwrap_or_default().chars();
        [letters.next(), letters.next(), letters.next()]
    };
    match (rest(one), rest(other)) {
        ([_, None, _], [_, None, _]) => true,
        ([Some(a), Some(b), None], [Some(c), Some(d), None]) => a == d && b == c,
        _ => false,
    }
}

/// The digits of a number.
pub(super) type Digits = SmallVec<[u8; 32]>;

/// The last digit of a number, written.
fn digit(number: u32) -> u8 {
    u8::try_from(number % 10).map_or(b'0', |digit| b'0' + digit)
}

/// The digits in a value.
pub(super) fn digits(value: &str) -> Digits {
    value.bytes().filter(u8::is_ascii_digit).collect()
}

/// Every stretch whose digits, written or told, are `wanted`; a country code may be missing or
/// added, and of a phone number the last seven digits suffice.
pub(super) fn digits_in(view: &View<'_>, wanted: &[u8], mut found: impl FnMut(Range<usize>)) {
    let wanted = match wanted {
        [b'1', rest @ ..] if rest.len() == 10 => rest,
        all => all,
    };
    let mut at = 0;
    while let Some(word) = view.words.get(at) {
        if digits_of(view, word).is_none() {
            at += 1;
            continue;
        }
        let mut digits = Digits::new();
        let mut end = at;
        let mut closest = None;
        for (step, next) in view.words.iter().enumerate().skip(at).take(16) {
            let Some(more) = digits_of(view, next)
                .filter(|_| step == at || next.gap <= Gap::Comma || dotted(view, next))
            else {
                break;
            };
            digits.extend_from_slice(more);
            end = step + 1;
            let last = |length: usize| {
                wanted.len() == 10 && digits.len() == length && wanted.ends_with(&digits)
            };
            let whole =
                *digits == *wanted || digits.strip_prefix(b"1").is_some_and(|rest| rest == wanted);
            if whole || last(7) {
                closest = Some((step + 1, next.end));
            }
        }
        match closest {
            Some((next, to)) => {
                found(word.start..to);
                at = next;
            }
            None => at = if end > at + 1 { at + 1 } else { end },
        }
    }
}

fn dotted(view: &View<'_>, word: &Word) -> bool {
    let start = word.start;
    matches!(
        view.bytes(start.saturating_sub(2)..start),
        [_, b'.'] | b". "
    )
}

/// The digits that a word writes or tells.
fn digits_of<'v>(view: &'v View<'_>, word: &Word) -> Option<&'v [u8]> {
    if !word.digits && !word.is(flag::DIGIT_WORD) {
        return None;
    }
    let bytes = view.word_bytes(word);
    if bytes.iter().all(u8::is_ascii_digit) {
        return Some(bytes);
    }
    if !word.is(flag::DIGIT_WORD) {
        return None;
    }
    TOLD.iter()
        .find(|(name, _)| *name == bytes)
        .map(|(_, digit)| *digit)
}

/// Digits in words.
const TOLD: &[(&[u8], &[u8])] = &[
    (b"zero", b"0"),
    (b"oh", b"0"),
    (b"cero", b"0"),
    (b"one", b"1"),
    (b"uno", b"1"),
    (b"two", b"2"),
    (b"dos", b"2"),
    (b"three", b"3"),
    (b"tres", b"3"),
    (b"four", b"4"),
    (b"cuatro", b"4"),
    (b"five", b"5"),
    (b"cinco", b"5"),
    (b"six", b"6"),
    (b"seis", b"6"),
    (b"seven", b"7"),
    (b"siete", b"7"),
    (b"eight", b"8"),
    (b"ocho", b"8"),
    (b"nine", b"9"),
    (b"nueve", b"9"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_edit_is_what_the_distance_says_it_is() {
        let words = [
            "",
            "a",
            "b",
            "ab",
            "ba",
            "abc",
            "acb",
            "bac",
            "abcd",
            "abdc",
            "aabb",
            "abab",
            "jose",
            "josé",
            "jsoe",
            "joseph",
            "josep",
            "maria",
            "mariá",
            "amria",
            "marai",
            "maira",
            "marria",
            "наташа",
            "наташа",
            "нтааша",
        ];
        for one in words {
            for other in words {
                let near = strsim::damerau_levenshtein(one, other) <= 1;
                assert_eq!(one_edit_apart(one, other), near, "{one} {other}");
            }
        }
    }
}
