//! Voters of others: what a model that is not ours says of a text, beside the rules and our tagger.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::HEALTH_CITE;
use crate::guardrail::detect::NAME_CITE;
use crate::guardrail::detect::PLACE_CITE;
use crate::guardrail::detect::Soft;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Group;
use crate::guardrail::label::Label;
use crate::guardrail::text::View;

/// One stretch of a text, and what it is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// Bytes of the text as given.
    pub span: Range<usize>,
    /// What it is.
    pub category: Category,
}

/// Says of a text what it finds in it; alone it makes a finding probable at most.
pub trait Voter: fmt::Debug + Send + Sync {
    /// A short name for evidence, as `hf`.
    fn name(&self) -> &'static str;

    /// Hex SHA-256 of everything that decides its votes.
    fn digest(&self) -> &str;

    /// The votes, or why there are none: then the whole text counts as an identifier, for no draft
    /// leaves on the word of a voter that did not speak.
    fn vote(&self, text: &str) -> Result<Vec<Vote>, String>;
}

/// Adds the votes to the findings, except where the rules know a provider or the practice.
pub(super) fn collect(
    voters: &[Arc<dyn Voter>],
    view: &View<'_>,
    text: &str,
    drafts: &mut Vec<Draft>,
) {
    for voter in voters {
        let Ok(votes) = voter.vote(text) else {
            drafts.push(Draft {
                span: 0..view.folded.len(),
                category: Category::OtherUnique,
                rule: Label::Static("voter.failed"),
                confidence: Confidence::Certain,
                kind: "tagger",
                name: Label::Static(voter.name()),
                cite: Label::Static(NAME_CITE),
                soft: Soft::No,
            });
            continue;
        };
        for vote in votes {
            let span = view.of_original(&vote.span);
            let meets = |it: &Range<usize>| it.start < span.end && span.start < it.end;
            let known = drafts
                .iter()
                .any(|it| matches!(it.soft, Soft::Provider | Soft::Practice) && meets(&it.span));
            if known || span.is_empty() {
                continue;
            }
            let cite = match (vote.category, vote.category.group()) {
                (Category::Geographic, _) => PLACE_CITE,
                (_, Group::Identifier) => NAME_CITE,
                _ => HEALTH_CITE,
            };
            drafts.push(Draft {
                span,
                category: vote.category,
                rule: Label::Static("voter"),
                confidence: Confidence::Probable,
                kind: "tagger",
                name: Label::Static(voter.name()),
                cite: Label::Static(cite),
                soft: Soft::No,
            });
        }
    }
}
