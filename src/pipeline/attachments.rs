//! Attachments of secure messages: a few files of known kinds, by staff or by a patient who has shown who
//! they are. What a file calls itself is not asked: its bytes say what it is.

use crate::carrier::media::{Kind, strip};
use crate::domain::phi::Phi;
use crate::pipeline::house::House;
use crate::store::NewAttachment;

/// Largest file: a scanned letter of many pages, a photo of a phone.
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Files of one message.
pub const FILES_MAX: usize = 5;
/// All files of one message.
pub const ALL_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Longest name that is kept.
const NAME_CHARS_MAX: usize = 80;

/// A file as a form brings it.
#[derive(Clone, Debug)]
pub struct Given {
    /// What the sender's machine calls it.
    pub name: Phi<String>,
    /// Its bytes.
    pub bytes: Phi<Vec<u8>>,
}

/// Why files are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// None of the kinds that are taken.
    #[error("A file is no PDF, JPEG or PNG. Save it as one of these and attach it again.")]
    Kind,
    /// Broken inside.
    #[error("A picture is damaged and cannot be read. Attach it again from where it came from.")]
    Broken,
    /// Too large.
    #[error(
        "A file is larger than 10 MB, or all of them are larger than 20 MB. Attach a smaller one."
    )]
    TooLarge,
    /// Too many.
    #[error("More than 5 files. Send the others with another message.")]
    TooMany,
    /// No number for it.
    #[error("The file cannot be kept now. Try again later.")]
    Unkept,
}

impl House {
    /// The files of a form, freed of what the camera wrote, ready to be kept.
    pub fn checked_files(&self, given: &[Given]) -> Result<Vec<NewAttachment>, BadFile> {
        if given.len() > FILES_MAX {
            return Err(BadFile::TooMany);
        }
        let sizes = || given.iter().map(|it| it.bytes.expose().len());
        if sizes().any(|it| it > FILE_BYTES_MAX) || sizes().sum::<usize>() > ALL_BYTES_MAX {
            return Err(BadFile::TooLarge);
        }
        given
            .iter()
            .map(|file| {
                let bytes = file.bytes.expose();
                let kind = taken(bytes).ok_or(BadFile::Kind)?;
                let kept = strip(kind, bytes).ok_or(BadFile::Broken)?;
                Ok(NewAttachment {
                    id: self.letter_id().ok_or(BadFile::Unkept)?,
                    name: Phi::from(named(file.name.as_str(), kind)),
                    kind: kind.media_type(),
                    bytes: Phi::new(kept),
                })
            })
            .collect()
    }
}

fn taken(bytes: &[u8]) -> Option<Kind> {
    match Kind::of(bytes)? {
        kind @ (Kind::Pdf | Kind::Jpeg | Kind::Png) => Some(kind),
        Kind::Gif | Kind::Webp => None,
    }
}

/// The last part of a name, without signs that mean something to a machine, with the ending of what it is.
fn named(given: &str, kind: Kind) -> String {
    let endings: &[&str] = match kind {
        Kind::Jpeg => &[".jpg", ".jpeg"],
        Kind::Png => &[".png"],
        Kind::Pdf | Kind::Gif | Kind::Webp => &[".pdf"],
    };
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|c| !c.is_control() && !is_steering(*c))
        .map(|c| if "<>:\"|?*;".contains(c) { '_' } else { c })
        .collect();
    let plain = plain.trim().trim_matches('.');
    let lower = plain.to_lowercase();
    let ending = endings.iter().find(|it| lower.ends_with(**it));
    let stem: String = match ending {
        Some(it) => plain.get(..plain.len() - it.len()).unwrap_or("file"),
        None => plain,
    }
    .chars()
    .take(NAME_CHARS_MAX)
    .collect();
    let stem = stem.trim();
    let ending = ending
        .or_else(|| endings.first())
        .copied()
        .unwrap_or_default();
    format!("{}{ending}", if stem.is_empty() { "file" } else { stem })
}

/// Signs that turn the direction of writing, so that `gpj.exe` reads as a picture.
const fn is_steering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_file_is_and_nothing_to_a_machine() {
        let long = format!("{}.pdf", "a".repeat(300));
        for (given, kind, kept) in [
            ("letter.pdf", Kind::Pdf, "letter.pdf"),
            ("Letter.PDF", Kind::Pdf, "Letter.pdf"),
            ("scan.jpeg", Kind::Jpeg, "scan.jpeg"),
            ("scan.exe", Kind::Jpeg, "scan.exe.jpg"),
            ("C:\\Users\\kim\\x-ray.png", Kind::Png, "x-ray.png"),
            ("../../etc/passwd", Kind::Pdf, "passwd.pdf"),
            ("a\r\nSet-Cookie: b.pdf", Kind::Pdf, "aSet-Cookie_ b.pdf"),
            ("\u{202e}fdp.exe", Kind::Pdf, "fdp.exe.pdf"),
            (
                "Análisis de sangre.pdf",
                Kind::Pdf,
                "Análisis de sangre.pdf",
            ),
            ("", Kind::Png, "file.png"),
            (".pdf", Kind::Pdf, "pdf.pdf"),
            ("\";drop.pdf", Kind::Pdf, "__drop.pdf"),
        ] {
            assert_eq!(named(given, kind), kept, "{given:?}");
        }
        assert!(named(&long, Kind::Pdf).chars().count() <= NAME_CHARS_MAX + 4);
    }
}
