//! Endings that tell a word of medicine which no list holds.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// A shorter word has too little before its ending to be a technical term.
const LEAST: usize = 7;

/// An ending and its section, from 1.
type Ending = (Box<[u8]>, u16);

/// The endings by their last two letters, and the everyday words that end so.
#[derive(Debug, Default)]
pub(super) struct Endings {
    by_tail: BTreeMap<[u8; 2], Vec<Ending>>,
    everyday: BTreeSet<u64>,
}

impl Endings {
    pub(super) fn add(&mut self, ending: &[u8], section: u16) {
        if let [.., last, end] = ending {
            let slot = self.by_tail.entry([*last, *end]).or_default();
            slot.push((ending.into(), section));
        }
    }

    pub(super) fn add_everyday(&mut self, hash: u64) {
        self.everyday.insert(hash);
    }

    /// The section (from 1) of a word by its ending.
    pub(super) fn section_of(&self, word: &[u8], hash: u64) -> Option<u16> {
        let [.., last, end] = word else { return None };
        if word.len() < LEAST || !word.iter().all(u8::is_ascii_lowercase) {
            return None;
        }
        let endings = self.by_tail.get(&[*last, *end])?;
        let (_, section) = endings.iter().find(|(ending, _)| word.ends_with(ending))?;
        (!self.everyday.contains(&hash)).then_some(*section)
    }
}
