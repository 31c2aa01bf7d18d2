//! JSON as strangers send it: half a surrogate pair is replaced, not fatal.

use std::borrow::Cow;

/// What stands in for half a surrogate pair: U+FFFD, as an escape.
const REPLACEMENT: &[u8] = br"\ufffd";

/// Length of an escape such as `\ud83d`.
const ESCAPE_LEN: usize = 6;

/// Replaces escapes of lone surrogates, which JSON's grammar allows (RFC 8259, section 8.2) and no
/// text can hold. Anything else, well formed or not, stays as it is.
pub fn without_lone_surrogates(json: &[u8]) -> Cow<'_, [u8]> {
    if !json
        .windows(3)
        .any(|window| matches!(window, [b'\\', b'u', b'd' | b'D']))
    {
        return Cow::Borrowed(json);
    }
    let mut mended = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some(first) = rest.first() {
        let taken = match (first, surrogate(rest)) {
            (b'\\', Some(Half::High)) if is_low_after(rest) => {
                copy(&mut mended, rest, 2 * ESCAPE_LEN)
            }
            (b'\\', Some(_)) => {
                mended.extend_from_slice(REPLACEMENT);
                ESCAPE_LEN
            }
            // Both bytes of any other escape, so that `\\ud800` is not taken for a surrogate.
            (b'\\', None) => copy(&mut mended, rest, 2),
            _ => {
                mended.push(*first);
                1
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    Cow::Owned(mended)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

fn surrogate(text: &[u8]) -> Option<Half> {
    match text {
        [b'\\', b'u', b'd' | b'D', second, third, fourth, ..]
            if third.is_ascii_hexdigit() && fourth.is_ascii_hexdigit() =>
        {
            match second {
                b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Half::High),
                b'c'..=b'f' | b'C'..=b'F' => Some(Half::Low),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_low_after(text: &[u8]) -> bool {
    text.get(ESCAPE_LEN..).and_then(surrogate) == Some(Half::Low)
}

fn copy(mended: &mut Vec<u8>, text: &[u8], wanted: usize) -> usize {
    let taken = text.get(..wanted).unwrap_or(text);
    mended.extend_from_slice(taken);
    taken.len()
}
