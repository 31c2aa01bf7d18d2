//! Byte strings that are looked for at one place of a text: all of them at once, letter by letter.

use std::collections::VecDeque;
use std::ops::Range;

/// The strings as a tree; each has an owner, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    /// The node that each first byte leads to; the root where no string begins so.
    roots: Box<[u32; 256]>,
    /// The root first. The nodes that follow one node stand side by side, in the order of the symbols.
    nodes: Vec<Node>,
    /// Owners of strings that end in one node, side by side.
    owners: Vec<usize>,
}

/// A place in the tree: for a letter of a text one of them is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// A bit for each symbol with which a string goes on.
    follows: u64,
    /// The first node that follows.
    next: u32,
    /// Where the owners of the strings that end here begin.
    owners: u32,
    /// And how many there are.
    ends: u32,
}

/// The symbol of each byte: small letters, digits and the marks of patterns have one of their own, all
/// else is `RARE`, the upper half of the byte, the lower half.
const SYMBOLS: [u8; 256] = symbols();
const RARE: u8 = 62;

const fn symbols() -> [u8; 256] {
    let own = b"abcdefghijklmnopqrstuvwxyz0123456789 '.,-!?:;/()&%$#@+*_\"=<>\n~";
    let mut all = [RARE; 256];
    let (mut rest, mut symbol): (&[u8], u8) = (own, 0);
    while let Some((first, others)) = rest.split_first() {
        let mut byte = 0;
        let mut slots: &mut [u8] = &mut all;
        while let Some((slot, later)) = slots.split_first_mut() {
            if byte == *first {
                *slot = symbol;
            }
            byte = byte.wrapping_add(1);
            slots = later;
        }
        (rest, symbol) = (others, symbol + 1);
    }
    all
}

fn symbol(byte: u8) -> u8 {
    SYMBOLS.get(usize::from(byte)).copied().unwrap_or(RARE)
}

/// A string in symbols.
fn in_symbols(text: &[u8]) -> Vec<u8> {
    let mut all = Vec::with_capacity(text.len());
    for byte in text {
        all.push(symbol(*byte));
        if symbol(*byte) == RARE {
            all.extend([byte >> 4, byte & 15]);
        }
    }
    all
}

impl Trie {
    /// The tree of these strings, of which none is empty.
    pub(crate) fn new(all: &[(Vec<u8>, usize)]) -> Self {
        let spelled = all.iter().map(|(text, owner)| (in_symbols(text), *owner));
        let mut spelled: Vec<(Vec<u8>, usize)> = spelled.collect();
        spelled.sort_unstable();
        spelled.dedup();
        let mut trie = Self {
            roots: Box::new([0; 256]),
            nodes: vec![Node::default()],
            owners: Vec::new(),
        };
        // Breadth first: so all that follow one node are made in a row.
        let mut waiting = VecDeque::from([(0, 0..spelled.len(), 0)]);
        while let Some((node, strings, depth)) = waiting.pop_front() {
            trie.grow(&spelled, (node, strings, depth), &mut waiting);
        }
        for (byte, root) in (0..=u8::MAX).zip(0..256) {
            let node = trie.step(0, symbol(byte));
            let node = if symbol(byte) == RARE {
                let upper = node.and_then(|it| trie.step(it, byte >> 4));
                upper.and_then(|it| trie.step(it, byte & 15))
            } else {
                node
            };
            if let Some(slot) = trie.roots.get_mut(root) {
                *slot = node.unwrap_or(0);
            }
        }
        trie
    }

    /// Fills a node of sorted strings that have their first `depth` symbols in common.
    fn grow(
        &mut self,
        all: &[(Vec<u8>, usize)],
        (node, strings, depth): (usize, Range<usize>, usize),
        waiting: &mut VecDeque<(usize, Range<usize>, usize)>,
    ) {
        let same = all.get(strings.clone()).unwrap_or_default();
        let ends = same.partition_point(|(text, _)| text.len() <= depth);
        let (here, longer) = same.split_at(ends);
        let (next, owners) = (self.nodes.len(), self.owners.len());
        self.owners.extend(here.iter().map(|(_, owner)| *owner));
        let at = |text: &[u8]| text.get(depth).copied().unwrap_or_default();
        let mut follows = 0;
        let mut from = strings.start + ends;
        for group in longer.chunk_by(|one, other| at(&one.0) == at(&other.0)) {
            follows |= group.first().map_or(0, |(text, _)| bit(at(text)));
            waiting.push_back((self.nodes.len(), from..from + group.len(), depth + 1));
            from += group.len();
            self.nodes.push(Node::default());
        }
        if let Some(slot) = self.nodes.get_mut(node) {
            *slot = Node {
                follows,
                next: small(next),
                owners: small(owners),
                ends: small(ends),
            };
        }
    }

    fn node(&self, at: u32) -> Option<Node> {
        self.nodes.get(wide(at)).copied()
    }

    /// The node that a symbol leads to.
    fn step(&self, from: u32, symbol: u8) -> Option<u32> {
        let node = self.node(from)?;
        let bit = bit(symbol);
        // Nearly every word of a text parts from all strings within three letters.
        (node.follows & bit != 0).then(|| node.next + (node.follows & (bit - 1)).count_ones())
    }

    /// Gives the owner of each string that stands in `bytes` at `at`.
    #[inline]
    pub(crate) fn at(&self, bytes: &[u8], at: usize, give: impl FnMut(usize)) {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((first, rest)) = rest.split_first() else {
            return;
        };
        let root = self.roots.get(usize::from(*first)).copied();
        if let Some(root) = root.filter(|root| *root != 0) {
            self.descend(root, rest, give);
        }
    }

    fn descend(&self, root: u32, rest: &[u8], mut give: impl FnMut(usize)) {
        let mut here = root;
        let mut rest = rest.iter();
        while let Some(node) = self.node(here) {
            let owners = wide(node.owners)..wide(node.owners) + wide(node.ends);
            for owner in self.owners.get(owners).unwrap_or_default() {
                give(*owner);
            }
            let Some(byte) = rest.next() else { return };
            let symbol = symbol(*byte);
            let mut next = self.step(here, symbol);
            if symbol == RARE {
                let upper = next.and_then(|it| self.step(it, byte >> 4));
                next = upper.and_then(|it| self.step(it, byte & 15));
            }
            let Some(next) = next else { return };
            here = next;
        }
    }

    /// Does a string begin with this byte?
    pub(crate) fn begins_with(&self, byte: u8) -> bool {
        self.roots
            .get(usize::from(byte))
            .is_some_and(|root| *root != 0)
    }
}

const fn bit(symbol: u8) -> u64 {
    1 << (symbol & 63)
}

fn small(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(0)
}

fn wide(at: u32) -> usize {
    usize::try_from(at).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_the_owners_of_all_strings_that_stand_there_and_of_no_others() {
        let texts = [
            "a", "ab", "abc", "b", "bcd", "your ", "you", "ab", ". a", "\u{e9}", "a\u{e9}t", "Z",
        ];
        let all: Vec<(Vec<u8>, usize)> = texts
            .iter()
            .enumerate()
            .map(|(owner, text)| (text.as_bytes().to_vec(), owner))
            .collect();
        let trie = Trie::new(&all);
        let text = "abcd your youabx. ab. c a\u{e9}t A\u{e8} Z".as_bytes();
        for at in 0..=text.len() {
            let mut told = Vec::new();
            trie.at(text, at, |owner| told.push(owner));
            told.sort_unstable();
            let stands =
                |(it, owner): &(Vec<u8>, usize)| text[at..].starts_with(it).then_some(*owner);
            let wanted: Vec<usize> = all.iter().filter_map(stands).collect();
            assert_eq!(told, wanted, "at {at}");
        }
        assert!((0..=255).all(|it| !Trie::new(&[]).begins_with(it)));
    }
}
