//! Approved words before a text that was cleared: what the law wants told along with it.

use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Guardrail;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::{Author, Setting};

impl Guardrail {
    /// The text with approved words before it. None when the words or the whole are not clean as
    /// they stand: then nothing may leave without them.
    pub fn introduce(
        &self,
        cleared: &Cleared<'_>,
        words: &str,
        setting: &Setting<'_>,
    ) -> Option<Cleared<'static>> {
        let words = words.trim();
        let approved = Setting {
            author: Author::Approved,
            ..*setting
        };
        let alone = self.review(words, &approved);
        if alone.verdict != Verdict::Pass {
            return None;
        }
        let whole = format!("{words} {}", cleared.text());
        // What was cleared stays clean: the whole is read again as the author's.
        let review = self.review(&whole, setting);
        let again = review
            .cleared
            .filter(|it| review.verdict == Verdict::Pass && it.text() == whole)?;
        Some(again.with_portal_of(cleared, words).into_owned())
    }
}
