//! Disguises: other spellings of the same words.

use base64::Engine as _;

use crate::domain::dice::Dice;

/// A spelling that hides words from a reader of words.
type Spelling = fn(&str) -> String;

const ENCODED: &[Spelling] = &[base64, rot13, hexadecimal, backwards];
const LOOKALIKE: &[Spelling] = &[
    cyrillic, leet, spaced, dotted, zero_width, full_width, shouted,
];

/// Words in an encoding that a person can undo.
pub(super) fn encoded(dice: &mut Dice, text: &str) -> String {
    dice.pick(ENCODED)
        .map_or_else(|| text.to_owned(), |it| it(text))
}

/// Words that look alike, or nearly.
pub(super) fn lookalike(dice: &mut Dice, text: &str) -> String {
    dice.pick(LOOKALIKE)
        .map_or_else(|| text.to_owned(), |it| it(text))
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn rot13(text: &str) -> String {
    let turn = |c: char, first: u8| {
        let step = u8::try_from(c).unwrap_or(first).wrapping_sub(first);
        char::from(first + (step + 13) % 26)
    };
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            other => other,
        })
        .collect()
}

fn hexadecimal(text: &str) -> String {
    hex::encode(text)
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

fn cyrillic(text: &str) -> String {
    swapped(
        text,
        &[
            ('a', 'а'),
            ('e', 'е'),
            ('o', 'о'),
            ('p', 'р'),
            ('c', 'с'),
            ('y', 'у'),
            ('x', 'х'),
            ('i', 'і'),
        ],
    )
}

fn leet(text: &str) -> String {
    swapped(
        text,
        &[('a', '4'), ('e', '3'), ('i', '1'), ('o', '0'), ('s', '5')],
    )
}

fn swapped(text: &str, pairs: &[(char, char)]) -> String {
    let other = |c: char| {
        pairs
            .iter()
            .find(|(from, _)| *from == c)
            .map_or(c, |(_, to)| *to)
    };
    text.chars().map(other).collect()
}

fn spaced(text: &str) -> String {
    joined(text, " ")
}

fn dotted(text: &str) -> String {
    joined(text, ".")
}

fn zero_width(text: &str) -> String {
    joined(text, "\u{200b}")
}

fn joined(text: &str, with: &str) -> String {
    text.chars()
        .map(String::from)
        .collect::<Vec<_>>()
        .join(with)
}

fn full_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c),
            other => other,
        })
        .collect()
}

fn shouted(text: &str) -> String {
    text.to_uppercase()
}
