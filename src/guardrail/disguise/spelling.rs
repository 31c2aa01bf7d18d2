//! Spellings of words that a person can undo letter by letter.

use smallvec::SmallVec;

use crate::policy::phrases::Entry;
use crate::policy::phrases::Phrases;
use crate::policy::phrases::hash_word;

/// Words longer than this are no words.
const WORD_MAX: usize = 32;
/// A word of a run that alone betrays its spelling: a word of medicine so long.
const TELLING: usize = 6;
/// Letters that the words known in a spelling must have together: with fewer, chance knows some.
const LETTERS_MIN: usize = 7;
/// As `LETTERS_MIN`, for the turns of the alphabet that nobody uses by habit: there are many.
const LETTERS_TURNED: usize = 14;

type Letters = SmallVec<[u8; WORD_MAX]>;

/// A way to write a word otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spelling {
    Backwards,
    /// Each letter so many further in the alphabet.
    Turned(u8),
    /// The last letter for the first.
    Mirrored,
    /// Digits for letters.
    Digits,
    /// The first letters behind, and `ay`.
    PigLatin,
}

impl Spelling {
    /// The spelling in which the lists know most of these words, by its name.
    pub(super) fn of(phrases: &Phrases, words: &[&[u8]]) -> Option<&'static str> {
        let usual = [
            Self::Backwards,
            Self::Turned(13),
            Self::Mirrored,
            Self::Digits,
            Self::PigLatin,
        ];
        // Two words are the least that explain a turn, and their letters are counted.
        let letters: usize = words.iter().map(|word| word.len()).sum();
        let turns = if words.len() < 2 || letters < LETTERS_TURNED {
            1..1
        } else {
            1..26
        };
        let turned = turns.map(Self::Turned);
        let mut all = usual.into_iter().chain(turned);
        all.find(|it| it.explains(phrases, words)).map(Self::name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Backwards => "backwards",
            Self::Turned(_) => "turned letters",
            Self::Mirrored => "mirrored alphabet",
            Self::Digits => "digits for letters",
            Self::PigLatin => "pig latin",
        }
    }

    fn explains(self, phrases: &Phrases, words: &[&[u8]]) -> bool {
        let (mut known, mut letters) = (0, 0);
        let mut telling = false;
        let mut seen: SmallVec<[&[u8]; 16]> = SmallVec::new();
        for word in words {
            if seen.contains(word) {
                continue;
            }
            seen.push(word);
            let Some(entry) = self.known(phrases, word) else {
                continue;
            };
            known += 1;
            letters += word.len();
            let medical = phrases
                .section(entry)
                .is_some_and(|it| it.category.is_some());
            telling |= medical && word.len() >= TELLING;
        }
        let habit = !matches!(self, Self::Turned(turn) if turn != 13);
        let enough = if habit { LETTERS_MIN } else { LETTERS_TURNED };
        let most = known * 3 >= seen.len() * 2;
        (known >= 2 && most && letters >= enough) || (telling && habit)
    }

    /// What the lists know of a word in this spelling.
    fn known(self, phrases: &Phrases, word: &[u8]) -> Option<Entry> {
        if word.len() > WORD_MAX {
            return None;
        }
        let get = |letters: &Letters| phrases.get(hash_word(letters));
        match self {
            Self::Backwards => get(&word.iter().rev().copied().collect()),
            Self::Turned(turn) => get(&map(word, |at| (at + turn) % 26)),
            Self::Mirrored => get(&map(word, |at| 25 - at)),
            Self::Digits => [b'i', b'l']
                .iter()
                .find_map(|one| digits(word, *one).and_then(|it| get(&it))),
            Self::PigLatin => pig(word).find_map(|it| get(&it)),
        }
    }
}

/// Is this a word when it is read from its end?
pub(super) fn known_backwards(phrases: &Phrases, word: &[u8]) -> bool {
    Spelling::Backwards.known(phrases, word).is_some()
}

/// Each letter by its place in the alphabet; what is no letter stays.
fn map(word: &[u8], place: impl Fn(u8) -> u8) -> Letters {
    let letter = |byte: &u8| match byte {
        b'a'..=b'z' => b'a' + place(byte - b'a'),
        other => *other,
    };
    word.iter().map(letter).collect()
}

/// `b00k3d`: at least two letters stay, and a digit stands for one more.
fn digits(word: &[u8], one: u8) -> Option<Letters> {
    let letters = word
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let count = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    let begins = word.first().is_some_and(u8::is_ascii_digit);
    // `10am`, `30min`, `24th`: a number with its unit.
    let unit = begins
        && word
            .iter()
            .skip_while(|byte| byte.is_ascii_digit())
            .all(u8::is_ascii_alphabetic);
    if count == 0 || letters < 2 || (unit && letters + count < 6) {
        return None;
    }
    Some(
        word.iter()
            .map(|byte| match byte {
                b'0' => b'o',
                b'1' => one,
                b'3' => b'e',
                b'4' => b'a',
                b'5' => b's',
                b'7' => b't',
                b'8' => b'b',
                b'9' => b'g',
                other => *other,
            })
            .collect(),
    )
}

/// `ookedbay`: what a word may have been before its first letters went behind.
fn pig(word: &[u8]) -> impl Iterator<Item = Letters> {
    let bare = word
        .strip_suffix(b"ay")
        .filter(|it| it.len() >= 2)
        .unwrap_or(&[]);
    (1..=3).filter_map(move |moved| {
        let (rest, first) = bare.split_at_checked(bare.len().checked_sub(moved)?)?;
        let whole = if first == b"w" || first == b"y" {
            rest.iter().copied().collect()
        } else {
            first.iter().chain(rest).copied().collect()
        };
        Some(whole)
    })
}
