//! Byte strings that are looked for at one place of a text: all of them at once, letter by letter.

use std::ops::Range;

/// The strings as a tree; each has an owner, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    /// What begins with each byte.
    roots: Box<[Root; 256]>,
    nodes: Vec<Node>,
    /// The byte of each step and the node that it leads to: letters first, each in its place among
    /// those that there are.
    steps: Vec<(u8, u32)>,
    owners: Vec<usize>,
}

/// The node of a first byte.
#[derive(Clone, Copy, Debug, Default)]
struct Root {
    /// 0 where no string begins so.
    node: u32,
    /// The node's letters, and whether a string ends here: most words part from all strings with
    /// their second letter, and need nothing more.
    goes_on: u32,
}

/// A place in the tree.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Its steps.
    steps: Range<u32>,
    /// The owners of the strings that end here.
    owners: Range<u32>,
    /// A bit for each letter with which a string goes on, and one for all other bytes.
    letters: u32,
}

/// The bit of all bytes that are no small letters.
const OTHERS: u32 = 1 << 26;
/// A string ends with its first byte.
const ENDS: u32 = 1 << 27;

impl Trie {
    /// The tree of these strings, of which none is empty.
    pub(crate) fn new(mut all: Vec<(Vec<u8>, usize)>) -> Self {
        all.sort_unstable();
        all.dedup();
        let mut trie = Self {
            roots: Box::new([Root::default(); 256]),
            nodes: vec![Node::default()],
            steps: Vec::new(),
            owners: Vec::new(),
        };
        for same in all.chunk_by(|one, other| one.0.first() == other.0.first()) {
            let first = same.first().and_then(|(text, _)| text.first().copied());
            let node = trie.grow(same, 1);
            let here = trie.node(node);
            let ends = here.is_some_and(|it| !it.owners.is_empty());
            let goes_on = here.map_or(0, |it| it.letters) | if ends { ENDS } else { 0 };
            if let Some(slot) = first.and_then(|it| trie.roots.get_mut(usize::from(it))) {
                *slot = Root { node, goes_on };
            }
        }
        trie
    }

    fn node(&self, at: u32) -> Option<&Node> {
        usize::try_from(at).ok().and_then(|it| self.nodes.get(it))
    }

    /// Adds the node of sorted strings that have their first `depth` bytes in common.
    fn grow(&mut self, all: &[(Vec<u8>, usize)], depth: usize) -> u32 {
        let ends = all.partition_point(|(text, _)| text.len() <= depth);
        let (here, longer) = all.split_at(ends);
        let first = self.owners.len();
        self.owners.extend(here.iter().map(|(_, owner)| *owner));
        let owners = first..self.owners.len();
        let at = |text: &[u8]| text.get(depth).copied().unwrap_or_default();
        let groups = || longer.chunk_by(|one, other| at(&one.0) == at(&other.0));
        let byte_of = |same: &[(Vec<u8>, usize)]| same.first().map_or(0, |(text, _)| at(text));
        let (letters, others): (Vec<_>, Vec<_>) =
            groups().partition(|same| byte_of(same).is_ascii_lowercase());
        let steps = self.steps.len()..self.steps.len() + letters.len() + others.len();
        self.steps.resize(steps.end, (0, 0));
        for (step, same) in steps.clone().zip(letters.into_iter().chain(others)) {
            let node = self.grow(same, depth + 1);
            if let Some(slot) = self.steps.get_mut(step) {
                *slot = (byte_of(same), node);
            }
        }
        self.nodes.push(Node {
            steps: small(&steps),
            owners: small(&owners),
            letters: longer.iter().fold(0, |all, (it, _)| all | letter(at(it))),
        });
        u32::try_from(self.nodes.len() - 1).unwrap_or(0)
    }

    /// Gives the owner of each string that stands in `bytes` at `at`.
    #[inline]
    pub(crate) fn at(&self, bytes: &[u8], at: usize, give: impl FnMut(usize)) {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((first, rest)) = rest.split_first() else {
            return;
        };
        let root = self
            .roots
            .get(usize::from(*first))
            .copied()
            .unwrap_or_default();
        let second = rest.first().map_or(0, |it| letter(*it));
        if root.goes_on & (second | ENDS) != 0 {
            self.descend(root.node, rest, give);
        }
    }

    fn descend(&self, root: u32, rest: &[u8], mut give: impl FnMut(usize)) {
        let mut here = self.node(root);
        let mut rest = rest.iter();
        while let Some(node) = here {
            let owners = self.owners.get(wide(&node.owners)).unwrap_or_default();
            for owner in owners {
                give(*owner);
            }
            let Some(byte) = rest.next() else { return };
            let bit = letter(*byte);
            // Nearly every word of a text parts from all strings within three letters.
            if node.letters & bit == 0 {
                return;
            }
            let before = (node.letters & (bit - 1)).count_ones();
            let steps = self
                .steps
                .get(wide(&(node.steps.start + before..node.steps.end)));
            let mut steps = steps.unwrap_or_default().iter();
            // Of a letter it is the first of these; the other bytes stand behind all letters.
            let Some((_, next)) = steps.find(|(it, _)| it == byte) else {
                return;
            };
            here = self.node(*next);
        }
    }

    /// Does a string begin with this byte?
    pub(crate) fn begins_with(&self, byte: u8) -> bool {
        self.roots
            .get(usize::from(byte))
            .is_some_and(|it| it.node != 0)
    }
}

/// The bit of a letter, or of all else.
const fn letter(byte: u8) -> u32 {
    if byte.is_ascii_lowercase() {
        1 << (byte - b'a')
    } else {
        OTHERS
    }
}

fn small(range: &Range<usize>) -> Range<u32> {
    let place = |at: usize| u32::try_from(at).unwrap_or(0);
    place(range.start)..place(range.end)
}

fn wide(range: &Range<u32>) -> Range<usize> {
    let place = |at: u32| usize::try_from(at).unwrap_or(0);
    place(range.start)..place(range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_the_owners_of_all_strings_that_stand_there_and_of_no_others() {
        let texts = ["a", "ab", "abc", "b", "bcd", "your ", "you", "ab", ". a"];
        let all: Vec<(Vec<u8>, usize)> = texts
            .iter()
            .enumerate()
            .map(|(owner, text)| (text.as_bytes().to_vec(), owner))
            .collect();
        let trie = Trie::new(all.clone());
        let text = b"abcd your youabx. ab. c\xff";
        for at in 0..=text.len() {
            let mut told = Vec::new();
            trie.at(text, at, |owner| told.push(owner));
            told.sort_unstable();
            let stands =
                |(it, owner): &(Vec<u8>, usize)| text[at..].starts_with(it).then_some(*owner);
            let wanted: Vec<usize> = all.iter().filter_map(stands).collect();
            assert_eq!(told, wanted, "at {at}");
        }
        assert!((0..=255).all(|it| !Trie::new(Vec::new()).begins_with(it)));
    }
}
