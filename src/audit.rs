//! The audit log as a chain: entries linked by hash, checkpoints signed, and the check that names
//! the first bad entry.
//!
//! Pure: who keeps the entries and when they are chained is the store's affair. A checkpoint
//! (Ed25519 over practice, sequence number, hash and time) is copied outside the database; whoever
//! rewrites the database, chain and all, cannot rewrite the copies (45 CFR 164.312(b), (c)(1)).

use std::collections::BTreeMap;

use ed25519_dalek::Signature;
use ed25519_dalek::Signer as _;
use ed25519_dalek::SigningKey;
use ed25519_dalek::VerifyingKey;
use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use crate::domain::ids::PracticeId;

/// What the chain of a practice starts from.
pub const GENESIS: [u8; 32] = [0; 32];
/// The label that the signing key is derived from the master key with.
pub const KEY_LABEL: &str = "anteroom audit ed25519 v1";
const ENTRY_LABEL: &[u8] = b"anteroom audit entry v1";
const CHECKPOINT_LABEL: &[u8] = b"anteroom audit checkpoint v1";

/// One thing that happened. Holds no PHI: who it concerns is said by row ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// In whose name.
    pub practice: PracticeId,
    /// When.
    pub at: Timestamp,
    /// Who did it: `agent`, `patient`, `staff:...`, `system`.
    pub actor: String,
    /// What was done: `reply.cleared`, `consent.granted`, ...
    pub action: String,
    /// What it was done to: `conversation/12`.
    pub subject: String,
    /// More of it, as JSON.
    pub detail: String,
}

impl Entry {
    /// An entry. Times are kept to the microsecond.
    pub fn new(
        practice: &PracticeId,
        at: Timestamp,
        actor: &str,
        action: &str,
        subject: &str,
        detail: &serde_json::Value,
    ) -> Self {
        Self {
            practice: practice.clone(),
            at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_string(),
        }
    }
}

/// An entry in its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    /// 1, 2, 3, ... without a gap, per practice.
    pub seq: i64,
    /// The entry.
    pub entry: Entry,
    /// The hash of everything up to and with it.
    #[serde(with = "hex_bytes")]
    pub hash: [u8; 32],
}

impl Linked {
    /// Puts an entry behind the one with sequence number `seq - 1` and hash `previous`.
    pub fn new(previous: &[u8; 32], seq: i64, entry: Entry) -> Self {
        let hash = link(previous, seq, &entry);
        Self { seq, entry, hash }
    }
}

/// SHA-256 over the previous hash and the entry; every part has its length before it, so that no
/// two entries have the same bytes. Times are microseconds, the precision that databases keep.
fn link(previous: &[u8; 32], seq: i64, entry: &Entry) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(ENTRY_LABEL);
    hash.update(previous);
    hash.update(seq.to_be_bytes());
    hash.update(entry.at.as_microsecond().to_be_bytes());
    for part in [
        entry.practice.as_str(),
        &entry.actor,
        &entry.action,
        &entry.subject,
        &entry.detail,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// A signed statement: at this time the chain of this practice had this hash at this entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Whose chain.
    pub practice: PracticeId,
    /// The last entry it covers.
    pub seq: i64,
    /// The hash of that entry.
    #[serde(with = "hex_bytes")]
    pub hash: [u8; 32],
    /// When it was signed.
    pub at: Timestamp,
    /// Ed25519 over all of the above (RFC 8032).
    #[serde(with = "hex_bytes")]
    pub signature: [u8; 64],
}

impl Checkpoint {
    /// The line that is kept outside the database.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads such a line.
    pub fn from_line(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

/// The bytes that a checkpoint signs.
fn statement(practice: &PracticeId, seq: i64, hash: &[u8; 32], at: Timestamp) -> Vec<u8> {
    let mut out = CHECKPOINT_LABEL.to_vec();
    out.extend_from_slice(&(practice.as_str().len() as u64).to_be_bytes());
    out.extend_from_slice(practice.as_str().as_bytes());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(hash);
    out.extend_from_slice(&at.as_microsecond().to_be_bytes());
    out
}

/// Who signs checkpoints.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer(..)")
    }
}

impl Signer {
    /// The signer with this secret, which the master key derives with [`KEY_LABEL`].
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The key that others check with.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs the state of a chain.
    pub fn checkpoint(
        &self,
        practice: &PracticeId,
        seq: i64,
        hash: [u8; 32],
        at: Timestamp,
    ) -> Checkpoint {
        let signature = self.0.sign(&statement(practice, seq, &hash, at)).to_bytes();
        Checkpoint {
            practice: practice.clone(),
            seq,
            hash,
            at,
            signature,
        }
    }
}

/// What a sound log consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Entries checked.
    pub entries: u64,
    /// Checkpoints checked.
    pub checkpoints: u64,
    /// The last entry that a checkpoint covers; what comes after is not yet signed.
    pub covered: i64,
}

/// The first entry that is not as it was written, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("audit entry {seq}: {reason}")]
pub struct FirstBad {
    /// Its sequence number.
    pub seq: i64,
    /// What is wrong with it.
    pub reason: BadReason,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReason {
    /// It belongs to another practice's chain.
    #[error("it belongs to another practice")]
    OtherPractice,
    /// Another sequence number was due: an entry was removed, repeated or moved.
    #[error("out of sequence: an entry was removed, repeated or moved")]
    OutOfSequence,
    /// Its content does not give its hash.
    #[error("altered: its content does not match its hash")]
    Altered,
    /// The chain was made anew: a signed checkpoint has another hash for it.
    #[error("rewritten: a signed checkpoint holds another hash for it")]
    Rewritten,
    /// A signed checkpoint covers it, but it is gone.
    #[error("missing: a signed checkpoint covers it, but the log ends before it")]
    Missing,
    /// A checkpoint for it is not signed by the key of this log.
    #[error("a checkpoint for it is not signed by the key of this log")]
    BadSignature,
}

/// Checks the chain of one practice against the checkpoints kept of it, in whatever order they
/// come; checkpoints of other practices are left out by the caller.
///
/// Entries must be in order of their sequence numbers as stored. Entries after the last
/// checkpoint are checked for their links only.
pub fn verify(
    practice: &PracticeId,
    entries: &[Linked],
    checkpoints: &[Checkpoint],
    public_key: &[u8; 32],
) -> Result<Summary, FirstBad> {
    let signed = signed_hashes(practice, checkpoints, public_key)?;
    let mut previous = GENESIS;
    let mut due: i64 = 1;
    for linked in entries {
        let bad = |reason| Err(FirstBad { seq: due, reason });
        if linked.seq != due {
            return bad(BadReason::OutOfSequence);
        }
        if linked.entry.practice != *practice {
            return bad(BadReason::OtherPractice);
        }
        if link(&previous, linked.seq, &linked.entry) != linked.hash {
            return bad(BadReason::Altered);
        }
        if signed.get(&due).is_some_and(|hash| *hash != linked.hash) {
            return bad(BadReason::Rewritten);
        }
        previous = linked.hash;
        due += 1;
    }
    let covered = signed.keys().next_back().copied().unwrap_or(0);
    if covered >= due {
        return Err(FirstBad {
            seq: due,
            reason: BadReason::Missing,
        });
    }
    Ok(Summary {
        entries: entries.len() as u64,
        checkpoints: checkpoints.len() as u64,
        covered,
    })
}

/// The hash that each checkpoint vouches for, by sequence number.
fn signed_hashes(
    practice: &PracticeId,
    checkpoints: &[Checkpoint],
    public_key: &[u8; 32],
) -> Result<BTreeMap<i64, [u8; 32]>, FirstBad> {
    let key = VerifyingKey::from_bytes(public_key).ok();
    let mut signed = BTreeMap::new();
    for checkpoint in checkpoints {
        let bytes = statement(practice, checkpoint.seq, &checkpoint.hash, checkpoint.at);
        let signature = Signature::from_bytes(&checkpoint.signature);
        let genuine = checkpoint.practice == *practice
            && key
                .as_ref()
                .is_some_and(|key| key.verify_strict(&bytes, &signature).is_ok());
        let other = signed.insert(checkpoint.seq, checkpoint.hash);
        if !genuine {
            return Err(FirstBad {
                seq: checkpoint.seq,
                reason: BadReason::BadSignature,
            });
        }
        if other.is_some_and(|other| other != checkpoint.hash) {
            return Err(FirstBad {
                seq: checkpoint.seq,
                reason: BadReason::Rewritten,
            });
        }
    }
    Ok(signed)
}

/// Bytes as hexadecimal digits.
mod hex_bytes {
    use serde::Deserialize;
    use serde::Deserializer;
    use serde::Serializer;
    use serde::de::Error;

    pub(super) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes).map_err(D::Error::custom)?;
        Ok(bytes)
    }
}
