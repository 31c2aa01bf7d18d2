//! A bit for each hash of a set, so that what is not in it is told without looking it up.

/// The bits; two hashes may share one.
#[derive(Debug)]
pub(super) struct Sieve(Box<[u64]>);

/// So many bits, as a power of two: a twentieth of them is set by the lists.
const BITS: u32 = 21;

impl Sieve {
    pub(super) fn new(hashes: impl Iterator<Item = u32>) -> Self {
        let mut words = vec![0; 1 << (BITS - 6)].into_boxed_slice();
        for hash in hashes {
            let (at, bit) = place(hash);
            if let Some(word) = words.get_mut(at) {
                *word |= bit;
            }
        }
        Self(words)
    }

    /// False for certain, true perhaps.
    pub(super) fn may_hold(&self, hash: u32) -> bool {
        let (at, bit) = place(hash);
        self.0.get(at).is_some_and(|word| word & bit != 0)
    }
}

fn place(hash: u32) -> (usize, u64) {
    let bit = hash >> (u32::BITS - BITS);
    (usize::try_from(bit >> 6).unwrap_or(0), 1 << (bit & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_never_denied() {
        let mut hashes = (0_u32..5_000).map(|it| it.wrapping_mul(0x9e37_79b9));
        let sieve = Sieve::new(hashes.clone());
        assert!(hashes.all(|it| sieve.may_hold(it)));
        let others = (0_u32..5_000).map(|it| it.wrapping_mul(0x85eb_ca6b) | 1);
        assert!(others.filter(|it| sieve.may_hold(*it)).count() < 100);
    }
}
