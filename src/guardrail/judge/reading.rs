//! What one reading of a text came to.

use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::findings::Findings;

/// What a reading came to.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Everything found, in the order of the text.
    pub(crate) findings: Findings,
    /// Words to put right from the record, by place in the text.
    pub(crate) corrections: Vec<(Range<usize>, String)>,
    /// Whether what stays tells anything about the patient.
    pub(crate) patient: bool,
    /// The details that stay and could tell the condition with others, by their places.
    pub(crate) details: u64,
    /// What the text tells of the record and may go on telling, by its fields; the first few are
    /// enough to tell it anew.
    pub(crate) told: SmallVec<[(Range<usize>, &'static str); 4]>,
}

impl Reading {
    /// Whether staff must see it.
    pub(crate) fn holds(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.action == Action::Hold)
    }

    /// Whether staff must see it only for what its sentences sound like, of all that was found.
    pub(crate) fn holds_by_sound_alone(&self) -> bool {
        let held = self.findings.iter();
        held.filter(|finding| finding.action == Action::Hold)
            .all(|finding| finding.evidence.iter().any(|it| it.kind == "sentence"))
    }

    /// Whether a stretch of the text tells this field of the record, and may.
    pub(crate) fn tells(&self, field: &str, within: &Range<usize>) -> bool {
        let mut told = self.told.iter();
        told.any(|(at, told)| *told == field && within.start <= at.start && at.end <= within.end)
    }

    /// Whether something must leave the text.
    pub(crate) fn drops_any(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.action == Action::Drop)
    }

    /// The places of dropped procedures and departments, which may be called a visit instead.
    pub(crate) fn procedures(&self) -> Vec<Range<usize>> {
        let dropped = self.findings.iter().filter(|finding| {
            finding.action == Action::Drop
                && matches!(
                    finding.category,
                    Category::Procedure
                        | Category::Imaging
                        | Category::Treatment
                        | Category::Specialty
                        | Category::Lab
                        | Category::Pregnancy
                        | Category::Reproductive
                        | Category::MentalHealth
                        | Category::SubstanceUse
                        | Category::HivSti
                        | Category::Genetic
                        | Category::GenderAffirming
                )
        });
        dropped.map(|finding| finding.span.clone()).collect()
    }

    /// Whether all that must leave is the reader's own name: nothing of use is lost with it.
    pub(crate) fn drops_only_own_name(&self) -> bool {
        let mut dropped = self
            .findings
            .iter()
            .filter(|finding| finding.action == Action::Drop);
        dropped.all(|finding| {
            let mut evidence = finding.evidence.iter();
            finding.category == Category::Name
                && evidence.any(|it| it.kind == "record" && it.name.starts_with("patient."))
        })
    }

    /// The places that must leave the text.
    pub(crate) fn drops(&self) -> Vec<Range<usize>> {
        let dropped = self
            .findings
            .iter()
            .filter(|finding| finding.action == Action::Drop);
        dropped.map(|finding| finding.span.clone()).collect()
    }
}
