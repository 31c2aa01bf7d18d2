//! What may go wrong, how often, and the dice: the same seed and the same text fall the same way,
//! whatever comes between.

use sha2::{Digest as _, Sha256};

use crate::policy::words::vocabulary;

vocabulary! {
    /// Something that goes wrong between a carrier and us.
    Fault, "fault" {
        /// 429, with a wish of when to come back.
        Busy = "busy",
        /// 500, and the text was not taken.
        Broken = "broken",
        /// 500, and the text was taken.
        BrokenTaken = "broken_taken",
        /// No answer in time, and the text was not taken.
        Silent = "silent",
        /// No answer in time, and the text was taken.
        SilentTaken = "silent_taken",
        /// The connection breaks, and the text was taken.
        HungUp = "hung_up",
        /// The person has opted out at the carrier.
        OptedOut = "opted_out",
        /// Taken, and the phone cannot be reached.
        Unreachable = "unreachable",
        /// A webhook never comes.
        Dropped = "dropped",
        /// A webhook comes twice.
        Doubled = "doubled",
        /// Webhooks come in the wrong order.
        Shuffled = "shuffled",
        /// A webhook comes late.
        Late = "late",
    }
}

/// How often each fault happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    seed: u64,
    share: f64,
}

impl Faults {
    /// Each fault with this share, 0 to 1.
    pub fn new(seed: u64, share: f64) -> Self {
        Self {
            seed,
            share: share.clamp(0.0, 1.0),
        }
    }

    /// None at all.
    pub const fn none() -> Self {
        Self {
            seed: 0,
            share: 0.0,
        }
    }

    /// Whether this fault happens to `what` at its `time`-th chance.
    pub fn happens(&self, fault: Fault, what: &str, time: u64) -> bool {
        self.share > 0.0 && self.roll(fault, what, time) < self.share
    }

    /// A number from 0 to 1 that only seed, fault, subject and chance decide.
    fn roll(&self, fault: Fault, what: &str, time: u64) -> f64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(fault.as_str());
        hash.update([0]);
        hash.update(what);
        hash.update(time.to_be_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let high = digest
            .first_chunk::<4>()
            .map_or(0, |it| u32::from_be_bytes(*it));
        f64::from(high) / f64::from(u32::MAX)
    }
}
