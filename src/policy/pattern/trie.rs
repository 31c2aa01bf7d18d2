//! Byte strings that are looked for at one place of a text: all of them at once, letter by letter.

use std::collections::VecDeque;
use std::ops::Range;
use std::slice;

/// The strings as a tree; each has an owner, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    /// The node that each first byte leads to; the root where no string begins so.
    roots: Box<[u32; 256]>,
    /// The root first. The nodes that follow one node stand side by side, in the order of the symbols.
    nodes: Box<[Node]>,
    /// What is read between a node and its last choice, of all nodes.
    labels: Box<[u8]>,
    /// Owners of strings that end in one node, side by side.
    owners: Box<[u32]>,
}

/// A place in the tree where strings part or end. What they have in common before it is read in a row:
/// for a word of a text two or three of these are looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// A bit for each symbol with which a string goes on.
    follows: u64,
    /// The first node that follows.
    next: u32,
    /// Where the owners of the strings that end here begin.
    owners: u32,
    /// Where the symbols begin that must be read to stand here.
    label: u32,
    /// How many owners there are.
    ends: u16,
    /// How many symbols.
    length: u16,
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

/// The symbols of a text, one by one.
struct Symbols<'t> {
    bytes: slice::Iter<'t, u8>,
    /// The last byte, and how many halves of it are still to be given.
    byte: u8,
    halves: u8,
}

impl Symbols<'_> {
    fn next(&mut self) -> Option<u8> {
        if self.halves > 0 {
            self.halves -= 1;
            let upper = self.halves == 1;
            return Some(if upper {
                self.byte >> 4
            } else {
                self.byte & 15
            });
        }
        self.byte = *self.bytes.next()?;
        let symbol = symbol(self.byte);
        self.halves = halves(symbol);
        Some(symbol)
    }
}

const fn halves(symbol: u8) -> u8 {
    if symbol == RARE { 2 } else { 0 }
}

/// Part of the sorted strings, of which the first `depth` symbols lead to a node.
struct Growing {
    node: usize,
    strings: Range<usize>,
    depth: usize,
}

impl Trie {
    /// The tree of these strings, of which none is empty.
    pub(crate) fn new(all: &[(Vec<u8>, u32)]) -> Self {
        let spelled = all.iter().map(|(text, owner)| (in_symbols(text), *owner));
        let mut spelled: Vec<(Vec<u8>, u32)> = spelled.collect();
        spelled.sort_unstable();
        spelled.dedup();
        let mut nodes = vec![Node::default()];
        let (mut labels, mut owners) = (Vec::new(), Vec::new());
        // Breadth first: so all that follow one node are made in a row.
        let mut waiting = VecDeque::from([Growing {
            node: 0,
            strings: 0..spelled.len(),
            depth: 0,
        }]);
        while let Some(Growing {
            node,
            strings,
            depth,
        }) = waiting.pop_front()
        {
            let same = spelled.get(strings.clone()).unwrap_or_default();
            // The root parts at once: each first byte leads to a node of its own.
            let label: &[u8] = if node == 0 { &[] } else { common(same, depth) };
            let depth = depth + label.len();
            let ends = same.partition_point(|(text, _)| text.len() <= depth);
            let (here, longer) = same.split_at(ends);
            let mut made = Node {
                follows: 0,
                next: small(nodes.len()),
                owners: small(owners.len()),
                label: small(labels.len()),
                ends: u16::try_from(ends).unwrap_or(u16::MAX),
                length: u16::try_from(label.len()).unwrap_or(u16::MAX),
            };
            labels.extend_from_slice(label);
            owners.extend(here.iter().map(|(_, owner)| *owner));
            let at = |text: &[u8]| text.get(depth).copied().unwrap_or_default();
            let mut from = strings.start + ends;
            for group in longer.chunk_by(|one, other| at(&one.0) == at(&other.0)) {
                made.follows |= group.first().map_or(0, |(text, _)| bit(at(text)));
                waiting.push_back(Growing {
                    node: nodes.len(),
                    strings: from..from + group.len(),
                    depth: depth + 1,
                });
                from += group.len();
                nodes.push(Node::default());
            }
            if let Some(slot) = nodes.get_mut(node) {
                *slot = made;
            }
        }
        let mut roots = Box::new([0; 256]);
        for (byte, root) in (0..=u8::MAX).zip(roots.iter_mut()) {
            *root = nodes
                .first()
                .and_then(|it| it.step(symbol(byte)))
                .unwrap_or(0);
        }
        Self {
            roots,
            nodes: nodes.into(),
            labels: labels.into(),
            owners: owners.into(),
        }
    }

    /// Gives the owner of each string that stands in `bytes` at `at`.
    #[inline]
    pub(crate) fn at(&self, bytes: &[u8], at: usize, give: impl FnMut(u32)) {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((first, rest)) = rest.split_first() else {
            return;
        };
        let root = self.roots.get(usize::from(*first)).copied();
        if let Some(root) = root.filter(|root| *root != 0) {
            let symbols = Symbols {
                bytes: rest.iter(),
                byte: *first,
                halves: halves(symbol(*first)),
            };
            self.descend(root, symbols, give);
        }
    }

    fn descend(&self, root: u32, mut symbols: Symbols<'_>, mut give: impl FnMut(u32)) {
        let mut here = Some(root);
        while let Some(node) = here.and_then(|it| self.nodes.get(wide(it))) {
            let label = wide(node.label)..wide(node.label) + usize::from(node.length);
            for wanted in self.labels.get(label).unwrap_or_default() {
                if symbols.next() != Some(*wanted) {
                    return;
                }
            }
            if node.ends > 0 {
                let owners = wide(node.owners)..wide(node.owners) + usize::from(node.ends);
                for owner in self.owners.get(owners).unwrap_or_default() {
                    give(*owner);
                }
            }
            here = symbols.next().and_then(|symbol| node.step(symbol));
        }
    }

    /// May a string begin with this byte?
    pub(crate) fn begins_with(&self, byte: u8) -> bool {
        self.roots
            .get(usize::from(byte))
            .is_some_and(|root| *root != 0)
    }
}

impl Node {
    /// The node that a symbol leads to.
    const fn step(&self, symbol: u8) -> Option<u32> {
        let bit = bit(symbol);
        if self.follows & bit == 0 {
            return None;
        }
        Some(self.next + (self.follows & (bit - 1)).count_ones())
    }
}

/// What sorted strings have in common from a depth on.
fn common(sorted: &[(Vec<u8>, u32)], depth: usize) -> &[u8] {
    let (Some((first, _)), Some((last, _))) = (sorted.first(), sorted.last()) else {
        return &[];
    };
    let rest = first.get(depth..).unwrap_or_default();
    let other = last.get(depth..).unwrap_or_default();
    let same = rest.iter().zip(other).take_while(|(one, two)| one == two);
    rest.get(..same.count()).unwrap_or_default()
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
        let all: Vec<(Vec<u8>, u32)> = texts
            .iter()
            .zip(0..)
            .map(|(text, owner)| (text.as_bytes().to_vec(), owner))
            .collect();
        let trie = Trie::new(&all);
        let text = "abcd your youabx. ab. c a\u{e9}t A\u{e8} Z".as_bytes();
        for at in 0..=text.len() {
            let mut told = Vec::new();
            trie.at(text, at, |owner| told.push(owner));
            told.sort_unstable();
            let stands =
                |(it, owner): &(Vec<u8>, u32)| text[at..].starts_with(it).then_some(*owner);
            let wanted: Vec<u32> = all.iter().filter_map(stands).collect();
            assert_eq!(told, wanted, "at {at}");
        }
        assert!((0..=255).all(|it| !Trie::new(&[]).begins_with(it)));
    }
}
