//! Publications: versions of what is said and of what may be said, and trials of a new one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::dice::Dice;
use crate::domain::ids::ConversationId;
use crate::domain::share::Share;
use crate::policy::words::vocabulary;

vocabulary! {
    /// What was published.
    Published, "publication" {
        /// Templates of what is said.
        Prompt = "prompt",
        /// The policy folder of the server: law, house rules, word lists.
        Policy = "policy",
        /// A practice's own words and rules over the policy, published in the console.
        Overlay = "overlay",
    }
}

vocabulary! {
    /// Where a version stands.
    Standing, "standing" {
        /// In force.
        Live = "live",
        /// In force for a share of the conversations.
        Trial = "trial",
        /// Another took its place.
        Superseded = "superseded",
        /// Taken back.
        RolledBack = "rolled_back",
    }
}

vocabulary! {
    /// The two sides of a trial.
    Side, "side" {
        /// The new version.
        New = "new",
        /// What was in force before.
        Old = "old",
    }
}

/// The version of the program itself, before anything was published.
pub const BUILT_IN: i64 = 0;

/// One version, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub id: i64,
    /// What it is a version of.
    pub kind: Published,
    /// Since when.
    pub at: Timestamp,
    /// Who published it.
    pub author: String,
    /// What it is known by.
    pub digest: String,
    /// SHA-256 of the report that let it pass.
    pub report: String,
    /// Where it stands.
    pub standing: Standing,
    /// Share of the conversations while on trial, in hundredths.
    pub share: u8,
}

/// What a version holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Content {
    /// Files by their place.
    pub files: BTreeMap<String, String>,
    /// Why it was published, in the author's words.
    pub note: String,
}

/// A version about to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// What it is a version of.
    pub kind: Published,
    /// Who publishes it.
    pub author: String,
    /// What it is known by.
    pub digest: String,
    /// SHA-256 of the report that let it pass.
    pub report: String,
    /// On trial for this share of the conversations, in hundredths; all of them without one.
    pub trial: Option<u8>,
    /// What it holds.
    pub content: Content,
}

/// Verdicts over drafts of one side of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Left as drafted.
    pub pass: u64,
    /// Left with a part taken out.
    pub rewrite: u64,
    /// Did not leave.
    pub hold: u64,
}

impl Verdicts {
    const fn of(&self) -> u64 {
        self.pass + self.rewrite + self.hold
    }

    /// The share of drafts that were held.
    pub const fn held(&self) -> Share {
        Share {
            hits: self.hold,
            of: self.of(),
        }
    }

    /// The share of drafts that were rewritten.
    pub const fn rewritten(&self) -> Share {
        Share {
            hits: self.rewrite,
            of: self.of(),
        }
    }
}

/// How far a rate of the new side may be from the old side's, beyond what chance explains.
pub const BAND: f64 = 0.05;
/// Drafts of a side before which nothing is concluded.
const DRAFTS_MIN: u64 = 5;

/// Why a trial must end, if it must: the new side's rate of holds or rewrites has left the band
/// around the old side's, with 95 % confidence on both sides.
pub fn left_band(new: &Verdicts, old: &Verdicts) -> Option<String> {
    if new.of() < DRAFTS_MIN || old.of() < DRAFTS_MIN {
        return None;
    }
    let rates = [
        ("held", new.held(), old.held()),
        ("rewritten", new.rewritten(), old.rewritten()),
    ];
    rates.into_iter().find_map(|(what, new, old)| {
        let (new_low, new_high) = new.interval();
        let (old_low, old_high) = old.interval();
        let out = new_low > old_high + BAND || new_high < old_low - BAND;
        out.then(|| {
            format!(
                "{what} {} of {} drafts, {} of {} before",
                new.hits, new.of, old.hits, old.of
            )
        })
    })
}

/// The side of a conversation: the same for as long as the trial runs.
pub fn side(trial: i64, share: u8, conversation: ConversationId) -> Side {
    let seed = trial.cast_unsigned().rotate_left(32) ^ conversation.0.cast_unsigned();
    if Dice::new(seed).below(100) < usize::from(share) {
        Side::New
    } else {
        Side::Old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn verdicts(pass: u64, rewrite: u64, hold: u64) -> Verdicts {
        Verdicts {
            pass,
            rewrite,
            hold,
        }
    }

    #[test]
    fn a_trial_ends_when_its_rates_leave_the_band_and_not_by_chance() {
        let old = verdicts(95, 3, 2);
        for (new, ends) in [
            (verdicts(10, 0, 0), false),
            (verdicts(9, 0, 1), false),
            (verdicts(4, 0, 4), true),
            (verdicts(0, 0, 4), false), // too few to say anything
            (verdicts(0, 0, 5), true),
            (verdicts(6, 6, 0), true),
            (verdicts(95, 4, 1), false),
        ] {
            assert_eq!(left_band(&new, &old).is_some(), ends, "{new:?}");
        }
        // Fewer holds than before leave the band as well: something is no longer looked at.
        let strict = verdicts(40, 0, 60);
        assert!(left_band(&verdicts(100, 0, 0), &strict).is_some());
        assert!(left_band(&verdicts(0, 0, 9), &verdicts(1, 0, 0)).is_none());
    }

    #[test]
    fn a_share_of_the_conversations_is_on_trial_and_stays_so() {
        let new = |share| {
            (1..=10_000)
                .filter(|id| side(7, share, ConversationId(*id)) == Side::New)
                .count()
        };
        assert_eq!((new(0), new(100)), (0, 10_000));
        assert!((900..1_100).contains(&new(10)), "{}", new(10));
        assert_eq!(
            side(7, 50, ConversationId(3)),
            side(7, 50, ConversationId(3))
        );
    }
}
