//! The guardrail as the agent's reviewer: what keeps a draft back, and what identifies somebody.

use std::ops::Range;

use crate::agent::ports::Reviewer;
use crate::domain::phi::Phi;
use crate::domain::record::Fact;
use crate::guardrail::finding::{Action, Category, Group};
use crate::guardrail::setting::Author;
use crate::pipeline::clear::Writing;
use crate::pipeline::draft::{Asking, texts_before};
use crate::pipeline::house::House;
use crate::pipeline::invented::invented;
use crate::policy::words::Purpose;

/// The guardrail as the agent's reviewer.
pub(crate) struct Door<'a> {
    house: &'a House,
    asking: &'a Asking<'a>,
}

impl<'a> Door<'a> {
    pub(crate) const fn new(house: &'a House, asking: &'a Asking<'a>) -> Self {
        Self { house, asking }
    }
}

impl Reviewer for Door<'_> {
    fn complaints(&self, draft: &Phi<String>, facts: &[Fact]) -> Vec<String> {
        let Asking {
            practice,
            conversation,
            patient,
            now,
            ..
        } = *self.asking;
        let link = self.house.portal_link(practice);
        let written = self.house.clear(&Writing {
            practice,
            conversation,
            patient,
            author: Author::Agent,
            purpose: Purpose::Reply,
            text: draft.as_str(),
            facts,
            link: link.as_ref(),
            told: self.asking.told,
            before: &texts_before(self.asking.turns),
            now,
            law: self.asking.law,
            session: None,
            covered: self.asking.covered,
        });
        let review = &written.review;
        if invented(self.asking, review, (draft.as_str(), facts)) {
            return vec!["ungrounded_claim: not in the record".to_owned()];
        }
        if review.cleared.is_some() {
            return Vec::new();
        }
        let mut told: Vec<String> = review
            .findings
            .iter()
            .filter(|finding| finding.action == Action::Hold)
            .map(|finding| format!("{}: {}", finding.category, finding.rule))
            .collect();
        told.sort_unstable();
        told.dedup();
        told
    }

    fn identifiers(&self, text: &str, facts: &[Fact]) -> Vec<(Range<usize>, &'static str)> {
        let found = self.asking.law.judge.guardrail.detect(text);
        let mut spans: Vec<(Range<usize>, &'static str)> = found
            .iter()
            .filter(|it| it.category.group() == Group::Identifier)
            .map(|it| (it.span.clone(), gloss(it.category)))
            .collect();
        // The record's own values, whatever they look like.
        let lower = text.to_ascii_lowercase();
        let own = facts.iter().filter(|it| !it.field.starts_with("practice."));
        let own = own.filter(|it| is_someones(&it.field));
        for fact in own {
            let value = fact.value.as_str();
            let words = value.split(|c: char| !c.is_alphanumeric());
            for part in std::iter::once(value).chain(words) {
                let part = part.to_ascii_lowercase();
                if part.chars().count() < PART_CHARS_MIN {
                    continue;
                }
                let at = lower.match_indices(&part);
                spans.extend(at.map(|(at, it)| (at..at + it.len(), "name")));
            }
        }
        spans
    }
}

/// Shorter parts of a name or an address stand in ordinary words.
const PART_CHARS_MIN: usize = 3;

/// Fields of the record that identify somebody.
fn is_someones(field: &str) -> bool {
    (field.starts_with("patient.") && field != "patient.state")
        || field.starts_with("provider.")
        || matches!(field, "appointment.provider" | "appointment.location")
}

fn gloss(category: Category) -> &'static str {
    let kinds = [
        (Category::Name, "name"),
        (Category::Date, "day"),
        (Category::Geographic, "place"),
    ];
    let kind = kinds.iter().find(|(it, _)| *it == category);
    kind.map_or("number", |(_, gloss)| gloss)
}
