//! Continues: a sentence that is told over several texts is judged as the one that the patient reads.
//!
//! "A nurse will" says nothing, and neither does "call you today"; one behind the other they promise
//! a call. A draft that seems to go on where the text before it ended is read together with it.

use smallvec::smallvec;

use crate::guardrail::accumulate::Told;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Evidence;
use crate::guardrail::finding::Finding;
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Guardrail;
use crate::guardrail::review::Review;
use crate::guardrail::setting::Author;
use crate::guardrail::setting::Setting;

/// Texts before the draft that it may go on from.
pub const TEXTS_BEFORE: usize = 3;
/// An end of a text that is longer than this is a sentence of its own.
const WORDS_MAX: usize = 14;

/// Words that end no sentence of English or Spanish.
const OPEN: &[&str] = &[
    "a", "al", "am", "an", "and", "are", "as", "at", "be", "because", "been", "con", "de", "del",
    "el", "en", "es", "esta", "fue", "for", "from", "has", "have", "her", "his", "i", "i'm", "in",
    "is", "its", "la", "las", "le", "los", "mi", "my", "no", "not", "o", "of", "on", "or", "our",
    "para", "por", "que", "quedo", "said", "se", "shows", "son", "soy", "su", "sus", "takes",
    "that", "the", "their", "to", "toma", "tools", "un", "una", "was", "we", "were", "will",
    "with", "y", "ya", "you", "you're", "your",
];

impl Guardrail {
    /// Reviews a draft that follows `before`, the last texts of this conversation, oldest first.
    /// As [`Self::review`], and held also for what it says together with them. Never fails.
    pub fn review_after<'d>(
        &self,
        before: &[&str],
        draft: &'d str,
        setting: &Setting<'d>,
    ) -> Review<'d> {
        let review = self.review(draft, setting);
        if setting.author != Author::Agent || review.verdict == Verdict::Hold {
            return review;
        }
        match self.told_together(before, draft, setting) {
            Some(found) => Self::held_for(found, draft, review),
            None => review,
        }
    }

    /// What is wrong with the sentences that a draft makes together with the texts before it.
    fn told_together(
        &self,
        before: &[&str],
        draft: &str,
        setting: &Setting<'_>,
    ) -> Option<Finding> {
        let pieces = [sentences(draft).next(), sentences(draft).last()];
        let (first, last) = (pieces[0]?, pieces[1]?);
        let mut chain = String::new();
        for text in before.iter().rev().take(TEXTS_BEFORE) {
            let Some(end) = sentences(text).last().map(bare) else {
                continue;
            };
            if end.split_whitespace().count() > WORDS_MAX {
                chain.clear();
                continue;
            }
            // Behind this text alone, and behind it and those that came after it.
            if !chain.is_empty() {
                chain.insert(0, ' ');
            }
            chain.insert_str(0, end);
            for tail in [end, &chain] {
                for piece in [first, last] {
                    if let Some(found) = self.across(tail, piece, setting) {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// What is wrong with one sentence made of two pieces, where it lies across their border.
    fn across(&self, tail: &str, piece: &str, setting: &Setting<'_>) -> Option<Finding> {
        if !(open(tail) || continues(piece)) {
            return None;
        }
        let border = tail.len();
        // A word may be cut in two as well: `metfor`, `min`.
        ["", " "].into_iter().find_map(|between| {
            let whole = format!("{tail}{between}{piece}");
            let findings = self.review(&whole, setting).findings.into_iter();
            let mut wrong = findings.filter(|it| it.action != Action::Keep);
            wrong.find(|it| it.span.start < border && border < it.span.end)
        })
    }

    /// The review of a draft that is held for what it says with the texts before it.
    fn held_for(found: Finding, draft: &str, review: Review<'_>) -> Review<'static> {
        let mut findings = review.findings;
        findings.push(Finding {
            span: 0..draft.len(),
            category: found.category,
            rule: "conduct.continues".into(),
            confidence: Confidence::Probable,
            action: Action::Hold,
            evidence: smallvec![Evidence {
                kind: "phrase",
                name: found.rule,
            }],
            cite: found.cite,
        });
        Review {
            verdict: Verdict::Hold,
            cleared: None,
            findings,
            told: Told::new(),
            policy: review.policy,
        }
    }
}

/// The sentences of a text, without the blanks between them. A sign that a small letter follows ends
/// none: `a las 3:00 p. m.`
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let parts = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let signs = rest.match_indices(['.', '!', '?', '\n']);
        let ends = signs
            .map(|(at, sign)| (at + sign.len(), sign))
            .find(|(at, sign)| {
                let after = rest.split_at_checked(*at).map_or("", |(_, after)| after);
                let next = after.chars().find(|c| !c.is_whitespace());
                *sign == "\n" || !next.is_some_and(char::is_lowercase)
            });
        let at = ends.map_or(rest.len(), |(at, _)| at);
        let (part, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        rest = after;
        Some(part)
    });
    let parts = parts.map(str::trim);
    parts.filter(|part| part.chars().any(char::is_alphanumeric))
}

/// A sentence without the sign that ends it.
fn bare(sentence: &str) -> &str {
    sentence.trim_end_matches(|c: char| !c.is_alphanumeric() && c != ':')
}

/// Does a text end in the middle of a sentence?
fn open(text: &str) -> bool {
    let mut words = text.split_whitespace().rev();
    let last = words.next().unwrap_or_default().to_lowercase();
    let last = last.trim_matches(|c: char| !c.is_alphanumeric());
    // "at 9:30 AM" is over; "I am" is not.
    let hour = words
        .next()
        .is_some_and(|it| it.ends_with(|c: char| c.is_ascii_digit()));
    text.ends_with(':') || (OPEN.contains(&last) && !(hour && last == "am"))
}

/// Does a sentence begin in the middle of one?
fn continues(sentence: &str) -> bool {
    let first = sentence.chars().find(|c| c.is_alphanumeric());
    first.is_some_and(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_and_what_stands_alone_is_told_apart() {
        for (before, draft, wanted) in [
            ("A nurse will", "call you today", true),
            ("Sure. You are.", "Booked!", true),
            ("See you then.", "booked for Friday", true),
            ("See you then.", "Your visit is on Friday.", false),
            ("Is there anything else?", "Yes, we are open.", false),
            ("Soy", "enfermera", true),
            ("Su cita es a las 3:00 p. m.", "Abrimos los lunes.", false),
            (
                "You come on Wed, Dec 2 at 9:30 AM.",
                "Your visit is soon.",
                false,
            ),
            ("You come at 9:30. I am", "Nurse Lee", true),
        ] {
            let end = sentences(before).last().map(bare).unwrap();
            let piece = sentences(draft).next().unwrap();
            assert_eq!(open(end) || continues(piece), wanted, "{before} / {draft}");
        }
    }
}
