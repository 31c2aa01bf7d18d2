//! The words and phrases of the lists, in one table that is asked by the hash of a run of words.
//!
//! A run of words is looked up a word at a time, so that hyphens, spaces and a plural `s` make no
//! difference and no entry can end inside a word.

mod build;
mod endings;
mod sieve;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::policy::PolicyError;
use crate::policy::fold::fold;
use crate::policy::phrases::build::Build;
use crate::policy::phrases::endings::Endings;
use crate::policy::phrases::sieve::Sieve;
use crate::policy::phrases::table::Table;
use crate::policy::rules::Certainty;
use crate::policy::words::Language;

/// What is known of a single word; a set of these.
pub mod flag {
    macro_rules! flags {
        ($($(#[$doc:meta])* $name:ident = $bit:literal, $word:literal;)+) => {
            $($(#[$doc])* pub const $name: u32 = 1 << $bit;)+
            /// The flags by their names under `[words]` in `cues.toml`.
            pub const BY_NAME: &[(&str, u32)] = &[$(($word, $name)),+];
        };
    }
    flags! {
        /// An everyday word.
        COMMON = 0, "common";
        /// A first name that is hardly anything else.
        FIRST = 1, "first";
        /// A first name that is also a word.
        FIRST_WEAK = 2, "first_weak";
        /// A last name that is hardly anything else.
        LAST = 3, "last";
        /// A last name that is also a word.
        LAST_WEAK = 4, "last_weak";
        /// A town.
        PLACE = 5, "place";
        /// A state or country: no identifier by itself, and no name.
        COUNTRY = 6, "country";
        /// Mr, Mrs, Sra: the next words name a person.
        TITLE = 7, "title";
        /// Dr, nurse, Dra: the next words name a provider.
        PROVIDER = 8, "provider";
        /// Hi, dear, hola: the next words address a person.
        GREETING = 9, "greeting";
        /// Son, wife, mama: the next word may name one.
        KIN = 10, "kin";
        /// Van, de, al: inside a name.
        PARTICLE = 11, "particle";
        /// A month.
        MONTH = 12, "month";
        /// A weekday.
        WEEKDAY = 13, "weekday";
        /// Zero to nine.
        DIGIT_WORD = 14, "digit_word";
        /// Clinic, station, inc: the capitalised words before it name no person.
        ORGANISATION = 15, "organisation";
        /// Street, avenue: the words before it are an address.
        STREET = 16, "street";
        /// Never a name, however it is written.
        NEVER_NAME = 17, "never_name";
        /// Patient, named, called, for: a name may follow.
        NAME_CUE = 18, "name_cue";
        /// Wants, missed, says: a name may stand before.
        PERSON_VERB = 19, "person_verb";
        /// Your, we, please: a name in address may stand before.
        ADDRESS_FOLLOW = 20, "address_follow";
        /// Jr, MD: the end of a name.
        SUFFIX = 21, "suffix";
        /// In, from, to: a place may follow.
        PLACE_CUE = 22, "place_cue";
        /// A common word of Spanish.
        SPANISH = 23, "spanish";
        /// A list word of medicine or diagnosis, which is worth a typing error.
        WORTH = 24, "worth";
    }
}

/// A section of a list: what its entries are and how sure.
#[derive(Debug)]
pub struct Section {
    /// One of the policy's categories; `None` masks (the harmless phrases).
    pub category: Option<&'static str>,
    /// How sure an entry alone is.
    pub confidence: Certainty,
    /// The language of its entries; `None` is any.
    pub language: Option<Language>,
    /// `lexicon.` and the list.
    pub rule: Arc<str>,
}

/// What the table knows of a run of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// 1 + the section, or 0 when the run is only the beginning of a phrase or a plain word.
    section: u16,
    /// Does a longer phrase begin with it?
    pub begins: bool,
    /// What is known of it as a word.
    pub flags: u32,
}

/// All lists.
#[derive(Debug)]
pub struct Phrases {
    table: Table,
    typos: Vec<u32>,
    /// A bit for the words that are worth a typing error and for their misspellings.
    worth: Sieve,
    sections: Vec<Section>,
    nicknames: BTreeMap<u64, Vec<u64>>,
    endings: Endings,
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
/// The longest phrase of a list, in words.
pub const LONGEST: usize = 8;
/// Words shorter than this are not looked up with a typing error: too many neighbours.
pub const TYPO_LENGTH: usize = 7;

/// The hash of one folded word (FNV-1a with a final mix).
pub fn hash_word(word: &[u8]) -> u64 {
    hash_bytes(word.iter().copied())
}

/// As [`hash_word`], over letters that lie apart.
pub fn hash_bytes(word: impl Iterator<Item = u8>) -> u64 {
    let hash = word.fold(SEED, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1
}

/// The hash of a run of words from that of the run before and of the next word.
pub const fn extend(run: u64, word: u64) -> u64 {
    if run == 0 {
        word
    } else {
        (run.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
    }
}

/// The words of a folded text: runs of letters and digits.
pub fn split(folded: &[u8]) -> impl Iterator<Item = &[u8]> {
    let parts = folded.split(|byte| !(byte.is_ascii_alphanumeric() || *byte >= 0x80));
    parts.filter(|part| !part.is_empty())
}

impl Phrases {
    /// What is known of a run of words; the hash of one word is that of a run of one.
    pub fn get(&self, run: u64) -> Option<Entry> {
        self.table.get(run)
    }

    /// The section of an entry that ends a phrase.
    pub fn section(&self, entry: Entry) -> Option<&Section> {
        usize::from(entry.section)
            .checked_sub(1)
            .and_then(|index| self.sections.get(index))
    }

    /// The section of a word that no list holds, by how it ends (`-olol`, `-itis`).
    pub fn by_ending(&self, word: &[u8], hash: u64) -> Option<&Section> {
        let section = self.endings.section_of(word, hash)?;
        self.sections.get(usize::from(section).checked_sub(1)?)
    }

    /// The section of a list word that `word` misspells by one letter dropped, added, changed or swapped.
    pub fn misspelt(&self, word: &[u8]) -> Option<&Section> {
        if word.len() < TYPO_LENGTH || !word.is_ascii() {
            return None;
        }
        let whole = short_hash(word.iter().copied());
        let near = self.worth.may_hold(whole) && self.typos.binary_search(&whole).is_ok();
        let mut candidates = Vec::new();
        for skip in 0..word.len() {
            let hash = hash_skipping(word, skip);
            if !self.worth.may_hold(short(hash)) {
                continue;
            }
            if let Some(entry) = self
                .table
                .get(hash)
                .filter(|entry| entry.flags & flag::WORTH != 0)
            {
                candidates.push(entry);
            } else if self.typos.binary_search(&short(hash)).is_ok() {
                candidates.extend(self.neighbour(word, skip));
            }
        }
        if near && candidates.is_empty() {
            candidates.extend((0..=word.len()).find_map(|at| self.with_letter(word, at)));
        }
        candidates.first().and_then(|entry| self.section(*entry))
    }

    /// The list word that differs from `word` at `at` only, or by the swap of `at` and the next letter.
    fn neighbour(&self, word: &[u8], at: usize) -> Option<Entry> {
        let worth = |entry: &Entry| entry.flags & flag::WORTH != 0;
        // On the stack: a misspelt word is looked for in drafts that pass too.
        let mut changed: SmallVec<[u8; 32]> = SmallVec::from_slice(word);
        if at + 1 < changed.len() {
            changed.swap(at, at + 1);
            if let Some(entry) = self.table.get(hash_word(&changed)).filter(worth) {
                return Some(entry);
            }
            changed.swap(at, at + 1);
        }
        (b'a'..=b'z').find_map(|letter| {
            if let Some(slot) = changed.get_mut(at) {
                *slot = letter;
            }
            self.table.get(hash_word(&changed)).filter(worth)
        })
    }

    fn with_letter(&self, word: &[u8], at: usize) -> Option<Entry> {
        (b'a'..=b'z').find_map(|letter| {
            let before = word.iter().take(at).copied();
            let after = word.iter().skip(at).copied();
            let hash = hash_bytes(before.chain([letter]).chain(after));
            self.table
                .get(hash)
                .filter(|entry| entry.flags & flag::WORTH != 0)
        })
    }

    /// The other forms of a first name (`bill` of `william`).
    pub fn nicknames(&self, name: u64) -> &[u64] {
        self.nicknames.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Reads the lists and the word sets.
    pub(crate) fn read(
        lists: &[(String, &str)],
        words: &BTreeMap<String, String>,
    ) -> Result<Self, PolicyError> {
        let mut build = Build::default();
        for (file, text) in lists {
            if file.ends_with("nicknames.txt") {
                build.read_nicknames(text);
            } else {
                build.read_list(file, text)?;
            }
        }
        for (name, list) in words {
            let Some((_, bit)) = flag::BY_NAME.iter().find(|(known, _)| known == name) else {
                let remedy = "use a name of policy::phrases::flag";
                return Err(PolicyError::at(
                    "cues.toml",
                    1,
                    name,
                    "the word set is unknown",
                    remedy,
                ));
            };
            for word in split(&fold(list)) {
                build.entry(hash_word(word)).flags |= *bit;
            }
        }
        Ok(build.finish())
    }
}

fn hash_skipping(word: &[u8], skip: usize) -> u64 {
    let before = word.iter().take(skip);
    hash_bytes(before.chain(word.iter().skip(skip + 1)).copied())
}

/// The half of a hash that the index of misspellings keeps; a false hit is caught by the table.
fn short(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(0)
}

fn short_hash(word: impl Iterator<Item = u8>) -> u32 {
    short(hash_bytes(word))
}
