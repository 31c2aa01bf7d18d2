//! The words and phrases of the lists, in one table that is asked by the hash of a run of words.
//!
//! A run of words is looked up a word at a time, so that hyphens, spaces and a plural `s` make no
//! difference and no entry can end inside a word.

mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::CATEGORIES;
use crate::policy::PolicyError;
use crate::policy::fold::fold;
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
    sections: Vec<Section>,
    nicknames: BTreeMap<u64, Vec<u64>>,
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
    let hash = word.fold(SEED, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1
}

/// The hash of a run of words from that of the run before and of the next word.
pub const fn extend(run: u64, word: u64) -> u64 {
    if run == 0 { word } else { (run.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
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
        usize::from(entry.section).checked_sub(1).and_then(|index| self.sections.get(index))
    }

    /// The section of a list word that `word` misspells by one letter dropped, added, changed or swapped.
    pub fn misspelt(&self, word: &[u8]) -> Option<&Section> {
        if word.len() < TYPO_LENGTH || !word.is_ascii() {
            return None;
        }
        let whole = short_hash(word.iter().copied());
        let near = self.typos.binary_search(&whole).is_ok();
        let mut candidates = Vec::new();
        for skip in 0..word.len() {
            let hash = hash_skipping(word, skip);
            if let Some(entry) = self.table.get(hash).filter(|entry| entry.flags & flag::WORTH != 0) {
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
        let mut changed = word.to_vec();
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
            self.table.get(hash).filter(|entry| entry.flags & flag::WORTH != 0)
        })
    }

    /// Are two words forms of one first name (`william`, `bill`)?
    pub fn same_person(&self, one: u64, other: u64) -> bool {
        one == other
            || self.nicknames.get(&one).is_some_and(|forms| forms.contains(&other))
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
                return Err(PolicyError::at("cues.toml", 1, name, "the word set is unknown", remedy));
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

#[derive(Default)]
struct Build {
    entries: BTreeMap<u64, Entry>,
    typos: Vec<u32>,
    sections: Vec<Section>,
    nicknames: BTreeMap<u64, Vec<u64>>,
}

/// What the entries of a section become.
#[derive(Clone, Copy)]
enum Kind {
    Word(u32),
    Term(u16),
}

impl Build {
    fn entry(&mut self, run: u64) -> &mut Entry {
        self.entries.entry(run).or_default()
    }

    fn finish(mut self) -> Phrases {
        for entry in self.entries.values_mut().filter(|entry| entry.flags & flag::FIRST != 0) {
            entry.flags &= !flag::COMMON;
        }
        self.typos.sort_unstable();
        self.typos.dedup();
        let table = Table::build(&self.entries);
        Phrases {
            table,
            typos: self.typos,
            sections: self.sections,
            nicknames: self.nicknames,
        }
    }

    fn read_list(&mut self, file: &str, text: &str) -> Result<(), PolicyError> {
        let mut kind = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                kind = Some(self.open_section(file, index + 1, header)?);
                continue;
            }
            let Some(kind) = kind else {
                let remedy = "begin with a line `[category confidence language]`";
                return Err(PolicyError::at(file, index + 1, "?", "an entry before any section", remedy));
            };
            for variant in line.split(',') {
                self.add(kind, variant.trim());
            }
        }
        Ok(())
    }

    fn open_section(&mut self, file: &str, line: usize, header: &str) -> Result<Kind, PolicyError> {
        let mut parts = header.split_whitespace();
        let label = parts.next().unwrap_or("");
        let remedy = "write `[category certain|probable|possible en|es|any]`";
        let refuse = |message: &str| PolicyError::at(file, line, header, message, remedy);
        if label == "street_word" {
            return Ok(Kind::Word(flag::STREET));
        }
        let confidence = parts.next().unwrap_or("certain").parse::<Certainty>();
        let confidence = confidence.map_err(|error| refuse(&error.to_string()))?;
        let language = match parts.next().unwrap_or("any") {
            "any" => None,
            code => Some(code.parse::<Language>().map_err(|error| refuse(&error.to_string()))?),
        };
        let weak = confidence == Certainty::Possible;
        let category = match label {
            "first_name" => return Ok(Kind::Word(if weak { flag::FIRST_WEAK } else { flag::FIRST })),
            "last_name" => return Ok(Kind::Word(if weak { flag::LAST_WEAK } else { flag::LAST })),
            "common" => return Ok(Kind::Word(flag::COMMON)),
            // A state that is also a word or a first name is told by its town, not by itself.
            "country" | "state" => return Ok(Kind::Word(if weak { 0 } else { flag::COUNTRY })),
            "city" | "place" | "county" => Some("geographic"),
            // Two spellings that list authors use for the same kinds.
            "gender" => Some("gender_affirming"),
            "harmless" | "mask" => None,
            other => match CATEGORIES.iter().find(|name| **name == other) {
                Some(name) => Some(*name),
                None => return Err(refuse("the category is unknown")),
            },
        };
        let stem = file.rsplit(['/', '\\']).next().unwrap_or(file).trim_end_matches(".txt");
        let rule: Arc<str> = format!("lexicon.{stem}").into();
        self.sections.push(Section { category, confidence, language, rule });
        Ok(Kind::Term(u16::try_from(self.sections.len()).unwrap_or(u16::MAX)))
    }

    fn add(&mut self, kind: Kind, variant: &str) {
        let folded = fold(variant);
        let words: Vec<&[u8]> = split(&folded).take(LONGEST).collect();
        match (kind, words.as_slice()) {
            (Kind::Word(bit), [word]) => self.entry(hash_word(word)).flags |= bit,
            (Kind::Word(bit), words) => {
                for word in words.iter().filter(|word| word.len() > 2) {
                    self.entry(hash_word(word)).flags |= bit;
                }
            }
            (Kind::Term(section), words) => {
                self.add_term(section, words);
                if let Some(joined) = without_apostrophes(&folded) {
                    let words: Vec<&[u8]> = split(&joined).take(LONGEST).collect();
                    self.add_term(section, &words);
                }
            }
        }
    }

    fn add_term(&mut self, section: u16, words: &[&[u8]]) {
        let mut run = 0;
        for (index, word) in words.iter().enumerate() {
            run = extend(run, hash_word(word));
            if index + 1 < words.len() {
                self.entry(run).begins = true;
            }
        }
        if run == 0 {
            return;
        }
        let section = self.stricter(section, self.entries.get(&run).map_or(0, |entry| entry.section));
        self.entry(run).section = section;
        let listed = usize::from(section).checked_sub(1).and_then(|index| self.sections.get(index));
        let place = listed.is_some_and(|it| it.category == Some("geographic"));
        let worth = listed.is_some_and(|it| is_worth(it));
        if let [word] = words {
            if place {
                self.entry(run).flags |= flag::PLACE;
            } else if worth && word.len() >= TYPO_LENGTH && word.iter().all(u8::is_ascii_lowercase) {
                self.entry(run).flags |= flag::WORTH;
                self.typos.extend((0..word.len()).map(|skip| short(hash_skipping(word, skip))));
            }
        }
    }

    /// Of two sections that list one phrase: a mask gives way to nothing but certainty, sensitive
    /// kinds go before clinical ones, certain before possible.
    fn stricter(&self, new: u16, old: u16) -> u16 {
        let rank = |index: u16| {
            let section = usize::from(index).checked_sub(1).and_then(|index| self.sections.get(index));
            section.map(|it| {
                let place = it.category.and_then(|name| CATEGORIES.iter().position(|known| *known == name));
                (it.confidence, it.category != Some("geographic"), place)
            })
        };
        if rank(new) >= rank(old) { new } else { old }
    }

    fn read_nicknames(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or("");
            let Some((full, short)) = line.split_once(':') else { continue };
            let mut forms: Vec<u64> = Vec::new();
            for name in std::iter::once(full).chain(short.split(',')) {
                forms.extend(split(&fold(name)).next().map(hash_word));
            }
            let Some((full, short)) = forms.split_first() else { continue };
            for form in short {
                self.nicknames.entry(*form).or_default().push(*full);
                self.nicknames.entry(*full).or_default().push(*form);
            }
        }
    }
}

/// Long words of medicine are worth finding with a typing error; everyday ones are too near to others.
fn is_worth(section: &Section) -> bool {
    section.confidence != Certainty::Possible
        && matches!(section.category, Some(name) if !matches!(name, "geographic" | "dose" | "specialty" | "symptom"))
}

fn without_apostrophes(folded: &[u8]) -> Option<Vec<u8>> {
    folded.contains(&b'\'').then(|| folded.iter().copied().filter(|byte| *byte != b'\'').collect())
}
