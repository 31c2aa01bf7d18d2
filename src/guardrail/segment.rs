//! Segments of a text message: GSM-7 or UCS-2, counted as carriers bill them, and the fold to GSM-7.
//!
//! 3GPP TS 23.038 section 6.2.1 (alphabet) and TS 23.040 section 9.2.3.24.1 (parts of a long message).

/// The alphabet a text needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a character, 160 alone or 153 a part.
    Gsm7,
    /// UTF-16, 70 units alone or 67 a part.
    Ucs2,
}

/// What a text costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// The alphabet.
    pub encoding: Encoding,
    /// How many parts the carrier sends and bills; an empty text is one.
    pub count: usize,
}

/// A text in more parts than this is shortened: long chains arrive late, torn or not at all.
pub const SEGMENTS_MAX: usize = 6;

/// So many septets go out in one piece.
const ALONE: usize = 160;

/// What of the basic alphabet is not ASCII.
const BASIC: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// The width of one character in septets; `None` outside the alphabet.
fn septets(c: char) -> Option<usize> {
    match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        ' '..='_' | 'a'..='z' | '\n' | '\r' => Some(1),
        '\0'..='\u{7f}' => None,
        other => BASIC.contains(other).then_some(1),
    }
}

/// Packs items of width 1 or 2 into parts; an item never straddles a border.
fn parts(widths: impl Iterator<Item = usize> + Clone, alone: usize, part: usize) -> usize {
    if widths.clone().sum::<usize>() <= alone {
        return 1;
    }
    let mut count = 1;
    let mut used = 0;
    for width in widths {
        if used + width > part {
            count += 1;
            used = 0;
        }
        used += width;
    }
    count
}

/// Counts the segments of `text` as it stands.
pub fn segments(text: &str) -> Segments {
    // Most texts: short, and of letters of one septet.
    let plain = |byte: &u8| matches!(byte, b' '..=b'Z' | b'_' | b'a'..=b'z' | b'\n' | b'\r');
    // All of them, without a way out: so the processor asks of many at once.
    let each = || {
        text.as_bytes()
            .iter()
            .fold(true, |all, byte| all & plain(byte))
    };
    if text.len() <= ALONE && each() {
        return Segments {
            encoding: Encoding::Gsm7,
            count: 1,
        };
    }
    if text.chars().all(|c| septets(c).is_some()) {
        let count = parts(text.chars().filter_map(septets), ALONE, 153);
        return Segments {
            encoding: Encoding::Gsm7,
            count,
        };
    }
    let count = parts(text.chars().map(char::len_utf16), 70, 67);
    Segments {
        encoding: Encoding::Ucs2,
        count,
    }
}

/// Has a text nothing that [`fold`] would change?
pub(crate) fn is_folded(text: &str) -> bool {
    if text.is_ascii() {
        let shown = |byte: &u8| !byte.is_ascii_control() || *byte == b'\n';
        return text
            .as_bytes()
            .iter()
            .fold(true, |all, byte| all & shown(byte));
    }
    text.chars().all(|c| {
        if c.is_ascii() {
            c == '\n' || !c.is_ascii_control()
        } else {
            let changes = matches!(c,
                '\u{a0}' | '\u{ad}' | '\u{2000}'..='\u{200b}' | '\u{2010}'..='\u{201f}'
                | '\u{2026}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\u{feff}');
            !changes && !c.is_control()
        }
    })
}

/// Typography in plain GSM-7: curly quotes, dashes, ellipsis, special spaces. Never touches digits
/// or fractions: "½" for a dose must not become something else on the way.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' => folded.push('\''),
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' => folded.push('"'),
            '\u{2010}'..='\u{2015}' => folded.push('-'),
            '\u{2026}' => folded.push_str("..."),
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                folded.push(' ');
            }
            '\u{200b}' | '\u{feff}' | '\u{ad}' => {}
            '\t' => folded.push(' '),
            // A phone shows nothing for them, or worse.
            control if control.is_control() && control != '\n' => {}
            other => folded.push(other),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_folding_changes_is_known_to() {
        for c in (0..0x11_0000).filter_map(char::from_u32) {
            let text = c.to_string();
            let changes = fold(&text) != text;
            assert!(!changes || !is_folded(&text), "{c:?}");
        }
        assert!(is_folded("¿Está bien? A 100% «sí»\nñ 😀"));
    }

    #[test]
    fn the_alphabet_is_that_of_the_standard() {
        let basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
        let extended = "\u{c}^{}\\[~]|€";
        for c in (0..0x3000).filter_map(char::from_u32) {
            let width = match (basic.contains(c), extended.contains(c)) {
                (true, _) => Some(1),
                (false, true) => Some(2),
                (false, false) => None,
            };
            assert_eq!(septets(c), width, "{c:?}");
        }
    }
}
