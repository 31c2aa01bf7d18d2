//! Folding of characters: what a reader takes for the same letter becomes the same letter.

use unicode_normalization::char::decompose_compatible;
use unicode_normalization::char::is_combining_mark;

/// Is the character invisible, and so no part of a word's spelling?
pub const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{e0000}'..='\u{e01ef}')
}

/// Letters of other scripts that look Latin, and Latin letters that do not decompose.
const fn lookalike(c: char) -> Option<&'static str> {
    Some(match c {
        'а' | 'А' | 'α' | 'Α' | 'ɑ' | 'ᴀ' | 'ɐ' | 'Ꭺ' => "a",
        'ß' | 'ẞ' => "ss",
        'в' | 'В' | 'Β' | 'ь' | 'Ь' | 'ʙ' | 'ɓ' | 'ƀ' | 'Ᏼ' => "b",
        'с' | 'С' | 'ϲ' | 'ᴄ' | 'ɔ' | 'ƈ' | 'Ꮯ' | 'ⅽ' => "c",
        'ԁ' | 'đ' | 'Đ' | 'ð' | 'Ð' | 'ᴅ' | 'ɗ' | 'ɖ' | 'Ꭰ' | 'ⅾ' => "d",
        'е' | 'Е' | 'ε' | 'Ε' | 'ё' | 'Ё' | 'ᴇ' | 'ǝ' | 'ə' | 'ɛ' | 'Ꭼ' => "e",
        'ꜰ' | 'ƒ' | 'ɟ' => "f",
        'ɡ' | 'ɢ' | 'ɠ' | 'ƃ' | 'ց' | 'Ꮐ' => "g",
        'һ' | 'Н' | 'Η' | 'ʜ' | 'ɥ' | 'ɦ' | 'հ' | 'ħ' | 'Ꮋ' => "h",
        'і' | 'І' | 'ι' | 'Ι' | 'ı' | 'ɪ' | 'ᴉ' | 'ɨ' | 'Ꭵ' => "i",
        'ј' | 'Ј' | 'ᴊ' | 'ȷ' | 'Ꭻ' => "j",
        'к' | 'К' | 'κ' | 'Κ' | 'ᴋ' | 'ʞ' | 'ƙ' | 'Ꮶ' => "k",
        'ł' | 'Ł' | 'ⅼ' | 'ӏ' | 'Ӏ' | 'ʟ' | 'ɭ' | 'Ꮮ' => "l",
        'м' | 'М' | 'Μ' | 'ᴍ' | 'ɯ' | 'ɱ' | 'Ꮇ' | 'ⅿ' => "m",
        'Ν' | 'ո' | 'ɴ' | 'ŋ' | 'ɲ' | 'ƞ' => "n",
        'о' | 'О' | 'ο' | 'Ο' | 'ø' | 'Ø' | 'σ' | 'ᴏ' | 'ɵ' | 'օ' => "o",
        'р' | 'Р' | 'ρ' | 'Ρ' | 'ᴘ' | 'ƥ' | 'Ꮲ' => "p",
        'ԛ' | 'ɋ' | 'զ' | 'ꞯ' | 'ǫ' => "q",
        'г' | 'Г' | 'ʀ' | 'ɹ' | 'ɾ' | 'ɽ' | 'Ꭱ' => "r",
        'ѕ' | 'Ѕ' | 'ꜱ' | 'ʂ' | 'Ꮪ' => "s",
        'т' | 'Т' | 'τ' | 'Τ' | 'ᴛ' | 'ʇ' | 'ƭ' | 'ʈ' | 'ŧ' | 'Ꭲ' => "t",
        'υ' | 'ᴜ' | 'ս' | 'ʉ' => "u",
        'ν' | 'ѵ' | 'ᴠ' | 'ʌ' | 'ʋ' | 'Ꮩ' | 'ⅴ' => "v",
        'ѡ' | 'ԝ' | 'ᴡ' | 'ʍ' | 'Ꮃ' => "w",
        'х' | 'Х' | 'χ' | 'Χ' | '×' | 'ⅹ' => "x",
        'у' | 'У' | 'Υ' | 'ʏ' | 'ʎ' | 'ƴ' | 'Ꮍ' => "y",
        'Ζ' | 'ᴢ' | 'ʐ' | 'ƶ' | 'Ꮓ' => "z",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'þ' | 'Þ' => "th",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | '﹘' | '﹣' | '⁃' => "-",
        '‘' | '’' | '‛' | 'ʼ' | '´' | '`' | '′' | 'ʻ' => "'",
        '“' | '”' | '„' | '«' | '»' | '″' => "\"",
        '⁄' | '∕' => "/",
        '․' | '。' | '·' | '•' => ".",
        '½' => "1/2",
        '¼' => "1/4",
        '¾' => "3/4",
        '…' => "...",
        _ => return None,
    })
}

/// Pictograms that stand for what a text would not say, as words that the lists know.
const fn pictogram(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{1f48a}' => "pictopill",
        '\u{1f489}' => "pictosyringe",
        '\u{1f930}' | '\u{1fac3}' | '\u{1fac4}' | '\u{1f931}' => "pictopregnant",
        '\u{1f476}' => "pictobaby",
        '\u{1f37c}' | '\u{1f463}' => "pictobottle",
        '\u{1f922}' | '\u{1f92e}' | '\u{1f912}' | '\u{1f915}' | '\u{1f927}' | '\u{1f974}' => {
            "pictosick"
        }
        '\u{1f9a0}' => "pictomicrobe",
        '\u{1f397}' => "pictoribbon",
        '\u{1fa78}' | '\u{1f9ea}' | '\u{1f52c}' => "pictoblood",
        '\u{1fa7b}' => "pictoxray",
        '\u{1f9ec}' => "pictodna",
        '\u{1f6ac}' => "pictosmoke",
        '\u{1f37a}' | '\u{1f37b}' | '\u{1f377}' | '\u{1f943}' | '\u{1f378}' => "pictodrink",
        '\u{26a7}' => "pictotrans",
        '\u{1f9e0}' | '\u{1f6cb}' => "pictobrain",
        '\u{1f9b7}' | '\u{1fac0}' | '\u{1fac1}' => "pictoorgan",
        '\u{1f346}' | '\u{1f351}' => "pictosex",
        _ => return None,
    })
}

/// Gives the folded form of a character that is not ASCII; nothing for what is invisible.
/// What is neither letter nor digit becomes a space, so that a pictogram parts words; one that tells
/// something becomes the word for it.
pub fn fold_char(c: char, mut give: impl FnMut(u8)) {
    match usual(c) {
        Some(byte) => give(byte),
        None => fold_rare(c, give),
    }
}

/// The characters that are not ASCII and stand in nearly every Spanish text, told without a search
/// of the tables of Unicode; a test compares them with those.
const fn usual(c: char) -> Option<u8> {
    Some(match c {
        'á' | 'à' | 'â' | 'ä' | 'Á' | 'À' | 'Â' | 'Ä' => b'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => b'e',
        'í' | 'ì' | 'î' | 'ï' | 'Í' | 'Ì' | 'Î' | 'Ï' => b'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'Ó' | 'Ò' | 'Ô' | 'Ö' => b'o',
        'ú' | 'ù' | 'û' | 'ü' | 'Ú' | 'Ù' | 'Û' | 'Ü' => b'u',
        'ñ' | 'Ñ' => b'n',
        'ç' | 'Ç' => b'c',
        '¿' | '¡' => b' ',
        '\u{2018}' | '\u{2019}' => b'\'',
        '\u{201c}' | '\u{201d}' => b'"',
        '\u{2013}' | '\u{2014}' => b'-',
        _ => return None,
    })
}

fn fold_rare(c: char, mut give: impl FnMut(u8)) {
    if is_invisible(c) || is_combining_mark(c) {
        return;
    }
    if let Some(text) = lookalike(c) {
        text.bytes().for_each(give);
        return;
    }
    if let Some(byte) = native_digit(c).or_else(|| in_a_box(c)) {
        give(byte);
        return;
    }
    if !c.is_alphanumeric() && !is_wide_mark(c) {
        give(b' ');
        if let Some(word) = pictogram(c) {
            word.bytes().for_each(&mut give);
            give(b' ');
        }
        return;
    }
    decompose_compatible(c, |part| {
        if part.is_ascii() {
            if let Ok(byte) = u8::try_from(part) {
                give(byte.to_ascii_lowercase());
            }
        } else if let Some(text) = lookalike(part) {
            text.bytes().for_each(&mut give);
        } else if !is_combining_mark(part) && !is_invisible(part) {
            for low in part.to_lowercase() {
                let mut buffer = [0; 4];
                low.encode_utf8(&mut buffer).bytes().for_each(&mut give);
            }
        }
    });
}

/// Full-width and small forms of ASCII marks, which decompose to them.
const fn is_wide_mark(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{fe50}'..='\u{fe6b}')
}

fn native_digit(c: char) -> Option<u8> {
    let zero = match c {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{966}'..='\u{96f}' => 0x966,
        _ => return None,
    };
    u8::try_from(u32::from(c) - zero)
        .ok()
        .map(|digit| b'0' + digit)
}

/// White letters on black discs and boxes, which do not decompose; their outlines do.
fn in_a_box(c: char) -> Option<u8> {
    let first = match c {
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        _ => return None,
    };
    u8::try_from(u32::from(c) - first)
        .ok()
        .map(|letter| b'a' + letter)
}

/// The folded form of a text: lower case, without accents, look-alikes replaced.
pub fn fold(text: &str) -> Vec<u8> {
    let mut folded = Vec::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// As [`fold`], behind what `folded` holds already.
pub fn fold_into(text: &str, folded: &mut Vec<u8>) {
    if text.is_ascii() {
        folded.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
        return;
    }
    for c in text.chars() {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => folded.push(byte.to_ascii_lowercase()),
            _ => fold_char(c, |byte| folded.push(byte)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_characters_fold_as_the_tables_say() {
        let mut usual_ones = 0;
        for c in (0x80..0x11_0000).filter_map(char::from_u32) {
            let Some(byte) = usual(c) else { continue };
            let mut told = Vec::new();
            fold_rare(c, |byte| told.push(byte));
            assert_eq!(told, [byte], "{c:?}");
            usual_ones += 1;
        }
        assert!(usual_ones > 40);
    }

    #[test]
    fn letters_in_disguise_fold_to_the_letters_that_a_reader_sees() {
        for (text, wanted) in [
            ("ʏᴏᴜʀ ʙɪᴏᴘꜱʏ ɪꜱ ʙᴇɴɪɢɴ", "your biopsy is benign"),
            ("ǝsuoɥ ʎɯ", "esuoh ym"),
            ("🅈🄾🅄🅁 🅑🅘🅞🅟🅢🅨 🅸🆂 🅾🅺", "your biopsy is ok"),
            ("ⓗⓘⓥ 𝓽𝓮𝓼𝓽 𝔯𝔢𝔰𝔲𝔩𝔱", "hiv test result"),
            ("ᎪᏞᏞ ᏟᏞᎬᎪᎡ", "all clear"),
            ("ѵіаɡга, ⅽіаlіѕ", "viagra, cialis"),
            ("ᴄᴀʟʟ ᴍʏ ᴅᴏᴄᴛᴏʀ ǫᴜɪᴄᴋʟʏ", "call my doctor quickly"),
        ] {
            let folded = String::from_utf8(fold(text)).unwrap();
            assert_eq!(folded, wanted, "{text}");
        }
    }
}
