//! Sealing of what is kept: envelopes with key commitment, keys that wrap keys, keyed lookups.
//!
//! An envelope is AES-256-GCM under a key made for that one value, bound to the place where it is
//! kept (practice, table, column, row), so that a ciphertext moved elsewhere does not open. It
//! commits to its key, which plain GCM does not (two keys can be found that open one GCM
//! ciphertext to two texts; see the AWS Encryption SDK's algorithm suites with key commitment).

pub mod envelope;
pub mod master;
pub mod password;
pub mod second;

pub use envelope::{Aad, DataKey};
pub use master::MasterKey;

use std::path::PathBuf;

/// Why something could not be sealed, opened or loaded. Never holds what was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No randomness from the operating system.
    #[error("the operating system gives no randomness; nothing can be sealed without it")]
    NoRandomness,
    /// Not an envelope, or of a version made by a newer program.
    #[error("not a sealed value that this version can read")]
    Malformed,
    /// Sealed under another key.
    #[error("the value is sealed under another key")]
    OtherKey,
    /// Altered, moved from another row, or opened with the wrong key.
    #[error("the sealed value does not open: altered, moved from another place, or another key")]
    Refused,
    /// No key file where one must be.
    #[error(
        "no master key at {}, but the data it belongs to exists; restore the key file from its \
         escrow copy (without it the data cannot be read)", path.display()
    )]
    KeyMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The key file can be read by others.
    #[error(
        "the master key {} can be read by group or others (mode {mode:o}); \
         run: chmod 600 {}", path.display(), path.display()
    )]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file does not hold a key.
    #[error(
        "the master key {} is malformed: it must hold 64 hexadecimal digits; restore it from its \
         escrow copy", path.display()
    )]
    KeyMalformed {
        /// The file.
        path: PathBuf,
    },
    /// The key file cannot be read or written.
    #[error("the master key {} cannot be used: {cause}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The master key does not open the keys in the database.
    #[error(
        "the master key is not the one that this database was sealed with; give the key file that \
         belongs to it"
    )]
    WrongMaster,
}
