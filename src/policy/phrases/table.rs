//! An open-addressed table from hashes to entries: built once, never changed, in no order that shows.

use std::collections::BTreeMap;

use crate::policy::phrases::Entry;

/// Slots are a power of two, at most half full; hash 0 is empty (hashes are odd).
#[derive(Debug)]
pub(crate) struct Table {
    slots: Box<[(u64, Entry)]>,
    mask: u64,
}

impl Table {
    pub(crate) fn build(entries: &BTreeMap<u64, Entry>) -> Self {
        let size = (entries.len() * 2).next_power_of_two().max(16);
        let mask = u64::try_from(size).unwrap_or(u64::MAX) - 1;
        let mut table = Self {
            slots: vec![(0, Entry::default()); size].into(),
            mask,
        };
        for (hash, entry) in entries {
            let mut at = *hash >> 1;
            while let Some(slot) = table.slot_mut(at) {
                if slot.0 == 0 {
                    *slot = (*hash, *entry);
                    break;
                }
                at = at.wrapping_add(1);
            }
        }
        table
    }

    pub(crate) fn get(&self, hash: u64) -> Option<Entry> {
        let mut at = hash >> 1;
        loop {
            let index = usize::try_from(at & self.mask).ok()?;
            match self.slots.get(index) {
                Some((found, entry)) if *found == hash => return Some(*entry),
                Some((0, _)) | None => return None,
                Some(_) => at = at.wrapping_add(1),
            }
        }
    }

    fn slot_mut(&mut self, at: u64) -> Option<&mut (u64, Entry)> {
        usize::try_from(at & self.mask)
            .ok()
            .and_then(|index| self.slots.get_mut(index))
    }
}
