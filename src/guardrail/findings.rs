//! Lists of findings whose memory is used again by the next review on the same thread.

use std::cell::RefCell;
use std::ops::Deref;
use std::ops::DerefMut;

use crate::guardrail::finding::Finding;

/// So many lists wait for their next use; a review holds two at most.
const WAITING_MAX: usize = 4;
/// A longer list goes back to the system: no draft shall cost the house its memory.
const FINDINGS_MAX: usize = 512;

thread_local! {
    static WAITING: RefCell<Vec<Vec<Finding>>> = const { RefCell::new(Vec::new()) };
}

/// Findings in the order of their text. Dropping the list keeps its memory for the next one.
#[derive(Debug, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// An empty list, with the memory of an earlier one if there is any.
    pub fn new() -> Self {
        let waiting = WAITING.try_with(|it| it.borrow_mut().pop());
        Self(waiting.ok().flatten().unwrap_or_default())
    }

    /// Adds a finding at the end.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Keeps the findings that `keep` wants; it may change them.
    pub(crate) fn retain_mut(&mut self, keep: impl FnMut(&mut Finding) -> bool) {
        self.0.retain_mut(keep);
    }

    /// Takes every finding out.
    pub(crate) fn drain(&mut self) -> std::vec::Drain<'_, Finding> {
        self.0.drain(..)
    }

    /// The findings in memory of their own.
    pub fn into_vec(mut self) -> Vec<Finding> {
        std::mem::take(&mut self.0)
    }
}

impl Default for Findings {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Findings {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.0.extend_from_slice(&self.0);
        copy
    }
}

impl Drop for Findings {
    fn drop(&mut self) {
        let mut list = std::mem::take(&mut self.0);
        if list.capacity() == 0 || list.capacity() > FINDINGS_MAX {
            return;
        }
        list.clear();
        // A thread that ends keeps nothing.
        WAITING
            .try_with(|it| {
                let mut waiting = it.borrow_mut();
                if waiting.len() < WAITING_MAX {
                    waiting.push(list);
                }
            })
            .unwrap_or_default();
    }
}

impl Deref for Findings {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        &self.0
    }
}

impl DerefMut for Findings {
    fn deref_mut(&mut self) -> &mut [Finding] {
        &mut self.0
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
