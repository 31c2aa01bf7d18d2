//! How the lists become the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::policy::CATEGORIES;
use crate::policy::PolicyError;
use crate::policy::fold::fold;
use crate::policy::phrases::Entry;
use crate::policy::phrases::LONGEST;
use crate::policy::phrases::Phrases;
use crate::policy::phrases::Section;
use crate::policy::phrases::TYPO_LENGTH;
use crate::policy::phrases::endings::Endings;
use crate::policy::phrases::extend;
use crate::policy::phrases::flag;
use crate::policy::phrases::hash_skipping;
use crate::policy::phrases::hash_word;
use crate::policy::phrases::short;
use crate::policy::phrases::sieve::Sieve;
use crate::policy::phrases::split;
use crate::policy::phrases::table::Table;
use crate::policy::rules::Certainty;
use crate::policy::words::Language;

#[derive(Default)]
pub(super) struct Build {
    entries: BTreeMap<u64, Entry>,
    typos: Vec<u32>,
    sections: Vec<Section>,
    nicknames: BTreeMap<u64, Vec<u64>>,
    endings: Endings,
}

/// What the entries of a section become.
#[derive(Clone, Copy)]
enum Kind {
    Word(u32),
    Term(u16),
    /// The ends of words of a section.
    Ending(u16),
    /// Words whose ends say nothing.
    NoEnding,
}

impl Build {
    pub(super) fn entry(&mut self, run: u64) -> &mut Entry {
        self.entries.entry(run).or_default()
    }

    pub(super) fn finish(mut self) -> Phrases {
        for entry in self
            .entries
            .values_mut()
            .filter(|entry| entry.flags & flag::FIRST != 0)
        {
            entry.flags &= !flag::COMMON;
        }
        self.typos.sort_unstable();
        self.typos.dedup();
        let table = Table::build(&self.entries);
        let worth = self
            .entries
            .iter()
            .filter(|(_, it)| it.flags & flag::WORTH != 0);
        let whole = worth.map(|(hash, _)| short(*hash));
        Phrases {
            table,
            worth: Sieve::new(self.typos.iter().copied().chain(whole)),
            typos: self.typos,
            sections: self.sections,
            nicknames: self.nicknames,
            endings: self.endings,
        }
    }

    pub(super) fn read_list(&mut self, file: &str, text: &str) -> Result<(), PolicyError> {
        let mut kind = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            if let Some(header) = line
                .strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
            {
                kind = Some(self.open_section(file, index + 1, header)?);
                continue;
            }
            let Some(kind) = kind else {
                let remedy = "begin with a line `[category confidence language]`";
                return Err(PolicyError::at(
                    file,
                    index + 1,
                    "?",
                    "an entry before any section",
                    remedy,
                ));
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
        if label == "no_ending" {
            return Ok(Kind::NoEnding);
        }
        let (label, ending) = match label.strip_suffix("_ending") {
            Some(label) => (label, true),
            None => (label, false),
        };
        if label == "street_word" {
            return Ok(Kind::Word(flag::STREET));
        }
        let confidence = parts.next().unwrap_or("certain").parse::<Certainty>();
        let confidence = confidence.map_err(|error| refuse(&error.to_string()))?;
        let language = match parts.next().unwrap_or("any") {
            "any" => None,
            code => Some(
                code.parse::<Language>()
                    .map_err(|error| refuse(&error.to_string()))?,
            ),
        };
        let weak = confidence == Certainty::Possible;
        let category = match label {
            "first_name" => {
                return Ok(Kind::Word(if weak {
                    flag::FIRST_WEAK
                } else {
                    flag::FIRST
                }));
            }
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
        let stem = file
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or(file)
            .trim_end_matches(".txt");
        let rule: Arc<str> = format!("lexicon.{stem}").into();
        self.sections.push(Section {
            category,
            confidence,
            language,
            rule,
        });
        let section = u16::try_from(self.sections.len()).unwrap_or(u16::MAX);
        Ok(if ending {
            Kind::Ending(section)
        } else {
            Kind::Term(section)
        })
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
            (Kind::Ending(section), _) => self.endings.add(folded.trim_ascii(), section),
            (Kind::NoEnding, words) => {
                for word in words {
                    self.endings.add_everyday(hash_word(word));
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
        let section = self.stricter(
            section,
            self.entries.get(&run).map_or(0, |entry| entry.section),
        );
        self.entry(run).section = section;
        let listed = usize::from(section)
            .checked_sub(1)
            .and_then(|index| self.sections.get(index));
        let place = listed.is_some_and(|it| it.category == Some("geographic"));
        let worth = listed.is_some_and(is_worth);
        if let [word] = words {
            if place {
                self.entry(run).flags |= flag::PLACE;
            } else if worth && word.len() >= TYPO_LENGTH && word.iter().all(u8::is_ascii_lowercase)
            {
                self.entry(run).flags |= flag::WORTH;
                self.typos
                    .extend((0..word.len()).map(|skip| short(hash_skipping(word, skip))));
            }
        }
    }

    /// Of two sections that list one phrase: a mask gives way to nothing but certainty, sensitive
    /// kinds go before clinical ones, certain before possible.
    fn stricter(&self, new: u16, old: u16) -> u16 {
        let rank = |index: u16| {
            let section = usize::from(index)
                .checked_sub(1)
                .and_then(|index| self.sections.get(index));
            section.map(|it| {
                let place = it
                    .category
                    .and_then(|name| CATEGORIES.iter().position(|known| *known == name));
                (it.confidence, it.category != Some("geographic"), place)
            })
        };
        if rank(new) >= rank(old) { new } else { old }
    }

    pub(super) fn read_nicknames(&mut self, text: &str) {
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or("");
            let Some((full, short)) = line.split_once(':') else {
                continue;
            };
            let mut forms: Vec<u64> = Vec::new();
            for name in std::iter::once(full).chain(short.split(',')) {
                forms.extend(split(&fold(name)).next().map(hash_word));
            }
            let Some((full, short)) = forms.split_first() else {
                continue;
            };
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
    folded.contains(&b'\'').then(|| {
        folded
            .iter()
            .copied()
            .filter(|byte| *byte != b'\'')
            .collect()
    })
}
