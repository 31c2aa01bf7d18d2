//! The only text that may leave.

use crate::policy::words::Language;

/// A text that passed review.
#[derive(Clone, Debug)]
pub struct Cleared {
    text: String,
    portal: Option<String>,
    phi: bool,
    proof: Option<String>,
    language: Language,
    segments: u32,
}

impl Cleared {
    /// What the patient will read.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// What goes behind a portal link.
    pub fn portal(&self) -> Option<&str> {
        self.portal.as_deref()
    }
    /// Whether it holds PHI.
    pub const fn holds_phi(&self) -> bool {
        self.phi
    }
    /// Digest of the proof it was cleared under.
    pub fn proof(&self) -> Option<&str> {
        self.proof.as_deref()
    }
    /// Its language.
    pub const fn language(&self) -> Language {
        self.language
    }
    /// How many SMS segments it takes.
    pub const fn segments(&self) -> u32 {
        self.segments
    }
    /// Placeholder until the review lands.
    #[doc(hidden)]
    pub fn placeholder(text: &str, phi: bool, proof: Option<String>) -> Self {
        Self {
            text: text.to_owned(),
            portal: None,
            phi,
            proof,
            language: Language::En,
            segments: 1,
        }
    }
}
