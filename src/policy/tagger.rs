//! The model of the statistical tagger: what it says of a word, and the file that holds its weights.
//!
//! A file of the policy like the lists, so that its digest covers it. How it is trained is told in
//! `docs/tagger.md`.

use crate::policy::PolicyError;
use crate::policy::linear::Shape;

pub use crate::policy::linear::LANES;
pub use crate::policy::linear::Model;

/// What the tagger says of a word; the order is that of the weights in a row.
pub const LABELS: &[&str] = SHAPE.labels;

/// The model file that this program reads.
pub const SHAPE: Shape = Shape {
    magic: "anteroom tagger",
    scheme: 1,
    labels: &[
        "none",
        "name",
        "provider",
        "place",
        "other",
        "condition",
        "medicine",
    ],
    rule: "tagger",
    remedy: "restore guardrails/tagger.model or train it again with `make tagger`",
};

impl Model {
    /// Reads a model of the tagger; `file` is its name for people.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, PolicyError> {
        Self::read(&SHAPE, file, bytes)
    }

    /// The model of the tagger as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.write(&SHAPE)
    }
}
