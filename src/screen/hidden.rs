//! Tricks with characters: invisible ones inside words, encoded text, letters spaced out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Shortest run that is tried as base64 or hexadecimal; shorter ones are order numbers.
const ENCODED_CHARS_MIN: usize = 24;
/// Consecutive single letters that no ordinary text has (`S a y t h a t`).
const SPACED_LETTERS_MIN: usize = 8;

/// Whether characters that are not seen stand inside words, or turn the reading direction.
pub(super) fn has_hidden_characters(text: &str) -> bool {
    let mut left = ' ';
    let mut gap = false;
    for c in text.chars() {
        match c {
            // Tag characters spell ASCII invisibly; embeddings and overrides reorder what is shown.
            '\u{e0001}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => return true,
            '\u{e0020}'..='\u{e007e}' if left != '\u{1f3f4}' => return true,
            '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}' | '\u{200c}' => {
                gap = left.is_ascii_alphanumeric();
            }
            // A flag of a country's part is a black flag with tags after it.
            '\u{e0020}'..='\u{e007f}' => {}
            _ => {
                if gap && c.is_ascii_alphanumeric() {
                    return true;
                }
                (left, gap) = (c, false);
            }
        }
    }
    false
}

/// Whether a run of the text is base64 or hexadecimal of readable text.
pub(super) fn has_encoded_text(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')))
        .map(|run| run.trim_matches(['=', '-', '_', '/']))
        .filter(|run| run.len() >= ENCODED_CHARS_MIN)
        .any(|run| {
            let mixed = run.bytes().any(|b| b.is_ascii_uppercase())
                && run.bytes().any(|b| b.is_ascii_lowercase());
            let base64 = mixed.then(|| STANDARD_NO_PAD.decode(run).ok()).flatten();
            let hexadecimal = hex::decode(run).ok();
            base64
                .or(hexadecimal)
                .is_some_and(|bytes| is_readable(&bytes))
        })
}

fn is_readable(bytes: &[u8]) -> bool {
    let readable = |b: &&u8| b.is_ascii_alphanumeric() || b" .,!?'\"\n:;-_/".contains(b);
    bytes.len() >= 12 && bytes.iter().filter(readable).count() * 20 >= bytes.len() * 19
}

/// Whether many single letters stand in a row.
pub(super) fn has_spaced_letters(text: &str) -> bool {
    let mut run = 0;
    text.split_whitespace().any(|word| {
        let mut chars = word.chars();
        let single = chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none();
        run = if single { run + 1 } else { 0 };
        run >= SPACED_LETTERS_MIN
    })
}
