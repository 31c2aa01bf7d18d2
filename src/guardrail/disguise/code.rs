//! Encodings that a machine undoes: base64, hexadecimal, escapes, numbers for letters, Morse.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::guardrail::disguise::Disguise;
use crate::guardrail::text::View;

/// Escapes that are no accident.
const ESCAPES_MIN: usize = 3;
/// Numbers in a row that are read as letters.
const NUMBERS_MIN: usize = 5;
/// Groups of dots and dashes in a row that are read as Morse.
const MORSE_MIN: usize = 5;
/// Characters of base64 below which chance makes words: six bytes come of eight.
const BASE64_MIN: usize = 8;
/// Digits of hexadecimal below which a number is a number.
const HEX_MIN: usize = 12;
/// Bytes that a decoded text has at least.
const PROSE_MIN: usize = 5;

/// Standard base64, read with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The words between blanks, with their places.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let parts = text.split([' ', '\n', '\t']);
    parts.scan(0, |next, token| {
        let at = *next;
        *next += token.len() + 1;
        Some((at, token))
    })
}

/// `%41`, `=41`, `\x41`, `\u0041`, `&#65;`: characters by their numbers.
pub(super) fn escapes(text: &str) -> Option<Disguise> {
    let bytes = text.as_bytes();
    let begins = |byte: &u8| matches!(byte, b'%' | b'\\' | b'=' | b'&');
    if bytes.iter().filter(|byte| begins(byte)).count() < ESCAPES_MIN {
        return None;
    }
    let mut places = Vec::new();
    for (from, token) in tokens(text).filter(|(_, it)| !it.contains("://")) {
        for (at, _) in token.bytes().enumerate().filter(|(_, byte)| begins(byte)) {
            let rest = token.as_bytes().get(at..).unwrap_or_default();
            let hex = |skip: usize, count: usize| {
                let digits = rest.get(skip..skip + count);
                digits.is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit))
            };
            let escape = match rest {
                [b'%' | b'=', ..] => hex(1, 2),
                [b'\\', b'x', ..] => hex(2, 2),
                [b'\\', b'u' | b'U', ..] => hex(2, 4),
                [b'&', b'#', ..] => rest
                    .get(2)
                    .is_some_and(|it| it.is_ascii_digit() || *it == b'x'),
                _ => false,
            };
            if escape {
                places.push(from + at);
            }
        }
    }
    let (first, last) = (places.first()?, places.last()?);
    (places.len() >= ESCAPES_MIN).then(|| Disguise {
        span: *first..*last + 1,
        how: "escapes",
    })
}

/// `72 101 108 108 111`, `01001000 01101001`: letters by their numbers.
pub(super) fn numbers(view: &View<'_>) -> Option<Disguise> {
    if view.digits < 2 * NUMBERS_MIN {
        return None;
    }
    let (mut run, mut letters, mut from) = (0, 0, 0);
    let value = |bytes: &[u8]| {
        bytes.first().filter(|byte| byte.is_ascii_digit())?;
        let text = std::str::from_utf8(bytes).ok()?;
        match bytes.len() {
            2..=3 => text.parse::<u8>().ok(),
            8 if bytes.iter().all(|byte| matches!(byte, b'0' | b'1')) => {
                u8::from_str_radix(text, 2).ok()
            }
            _ => None,
        }
    };
    for word in &view.words {
        match value(view.word_bytes(word)) {
            Some(byte) => {
                if run == 0 {
                    from = word.start;
                }
                run += 1;
                letters += usize::from(byte.is_ascii_alphabetic() || byte == b' ');
                if run >= NUMBERS_MIN && letters * 10 >= run * 9 {
                    return Some(Disguise {
                        span: view.to_original(&(from..word.end)),
                        how: "numbers for letters",
                    });
                }
            }
            None => (run, letters) = (0, 0),
        }
    }
    None
}

/// `-.-- --- ..-`: groups of dots and dashes.
pub(super) fn morse(text: &str) -> Option<Disguise> {
    let mark = |byte: &u8| matches!(byte, b'.' | b'-');
    if text.bytes().filter(mark).count() < 2 * MORSE_MIN {
        return None;
    }
    let (mut run, mut from, mut both) = (0, 0, [false; 2]);
    for (at, token) in tokens(text) {
        if matches!(token, "" | "/") {
            continue;
        }
        if token.len() > 6 || !token.bytes().all(|it| mark(&it)) {
            (run, both) = (0, [false; 2]);
            continue;
        }
        if run == 0 {
            from = at;
        }
        run += 1;
        both = [
            both[0] || token.contains('.'),
            both[1] || token.contains('-'),
        ];
        if run >= MORSE_MIN && both == [true; 2] {
            return Some(Disguise {
                span: from..at + token.len(),
                how: "morse",
            });
        }
    }
    None
}

/// What the characters around a stretch decode to, alone or with the blanks taken out, if it is words.
pub(super) fn decoded(text: &str, span: &Range<usize>) -> Option<&'static str> {
    let before = text.get(..span.start)?;
    let after = text.get(span.end..)?;
    let start = before.rfind(char::is_whitespace).map_or(0, |at| {
        at + before
            .get(at..)
            .and_then(|it| it.chars().next())
            .map_or(1, char::len_utf8)
    });
    let end = after
        .find(char::is_whitespace)
        .map_or(text.len(), |at| span.end + at);
    let stretch = text.get(start..end)?;
    if !codelike(stretch) {
        return None;
    }
    let whole: String = stretch.split_whitespace().collect();
    let mut tokens = stretch.split_whitespace().chain([whole.as_str()]);
    tokens.find_map(|token| {
        let outside = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '=' | '_');
        let token = token.trim_matches(outside);
        hexadecimal(token).or_else(|| base64_words(token))
    })
}

/// Has a stretch letters as only codes have them: beside digits, large behind small, before a `=`?
fn codelike(stretch: &str) -> bool {
    stretch.as_bytes().windows(2).any(|pair| {
        let [one, two] = pair else { return false };
        one.is_ascii_lowercase() && two.is_ascii_uppercase()
            || one.is_ascii_alphabetic() && (two.is_ascii_digit() || *two == b'=')
            || one.is_ascii_digit() && two.is_ascii_alphabetic()
    })
}

fn hexadecimal(token: &str) -> Option<&'static str> {
    let bare: String = token
        .trim_start_matches("0x")
        .split([':', '-', '_'])
        .collect();
    let bytes = hex::decode(&bare).ok()?;
    (bare.len() >= HEX_MIN && prose(&bytes)).then_some("hexadecimal")
}

fn base64_words(token: &str) -> Option<&'static str> {
    // What follows a colon (`code:SSdt...`) is a token too.
    token.split([':', ',', '"']).find_map(|token| {
        let plain = token.replace('-', "+").replace('_', "/");
        let bytes = BASE64.decode(&plain).ok()?;
        (plain.len() >= BASE64_MIN && prose(&bytes)).then_some("base64")
    })
}

/// Are these bytes words?
fn prose(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let plain = text.chars().filter(|c| {
        c.is_ascii_alphanumeric()
            || matches!(c, ' ' | '.' | ',' | '\'' | '-' | ':' | '!' | '?' | '@')
    });
    let letters = text.chars().filter(|c| c.is_alphabetic());
    bytes.len() >= PROSE_MIN
        && plain.count() * 10 >= text.chars().count() * 9
        && letters.count() * 4 >= text.chars().count()
}
