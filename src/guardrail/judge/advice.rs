//! Advice in words that no rule of conduct knows, heard by the statistical reader of sentences.

use crate::guardrail::conduct::Context;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Finding;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge::Judge;
use crate::guardrail::judge::kinds::ADVICE;
use crate::guardrail::judge::kinds::finding;
use crate::guardrail::setting::Author;
use crate::policy::sentence;

/// The place of its label.
const LABEL: usize = 1;
/// A sentence of fewer words ("It is: metformin.") names something and advises nothing.
const SPACES_MIN: usize = 3;

/// What of a draft is news or preparation.
const TOLD_ELSEWHERE: &[Category] = &[
    Category::Imaging,
    Category::Lab,
    Category::LabValue,
    Category::Procedure,
    Category::OtherUnique,
];

impl Judge<'_> {
    /// Holds a draft with a sentence that reads as advice. A question is not asked about, nor a draft
    /// that tells a result or how to prepare. Tells whether the sentences were read.
    pub(super) fn sentences(&mut self, view: &View<'_>, contexts: &[Context]) -> bool {
        // Staff see a held draft anyway.
        if self.reading.holds() {
            return true;
        }
        // Details of how to prepare for a visit are weighed together by the accumulation rules.
        let prepares = self.reading.details != 0;
        // A result, or how to prepare, that a rule cuts is told behind the link; it advises nothing.
        let found =
            |it: &Finding| it.action != Action::Keep && TOLD_ELSEWHERE.contains(&it.category);
        let found = self.reading.findings.iter().any(found);
        if self.setting.author != Author::Agent || prepares || found {
            return false;
        }
        let model = &self.rules.sentences;
        let needed = model.thresholds();
        for (at, context) in view.sentences.iter().zip(contexts) {
            let sentence = view.slice(at);
            // "Your visit is on Tuesday with Dr. Lee" advises nothing, however it is put.
            let short = sentence.matches(' ').count() < SPACES_MIN;
            if context.emergency || context.relation || short || sentence.ends_with('?') {
                continue;
            }
            let leads = sentence::read_one(model, sentence.as_bytes());
            if leads.get(LABEL) >= needed.get(LABEL) {
                let why = (Action::Hold, "conduct.sentence".into(), ADVICE.into());
                let span = view.span(at);
                let mut found = finding(
                    span,
                    Category::MedicalAdvice,
                    why,
                    "sentence",
                    "score".into(),
                );
                found.confidence = Confidence::Probable;
                self.reading.findings.push(found);
            }
        }
        true
    }
}
