//! What no rule has the words for, heard by the statistical reader of sentences: advice, deeds, news of
//! a body, somebody who claims to be a person, somebody else's affairs.

use std::ops::Range;

use crate::guardrail::conduct::Context;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Group;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge::Judge;
use crate::guardrail::judge::kinds::ADVICE;
use crate::guardrail::judge::kinds::GROUNDED;
use crate::guardrail::judge::kinds::finding;
use crate::guardrail::judge::kinds::overlaps;
use crate::guardrail::minimum::Field;
use crate::guardrail::setting::Author;
use crate::guardrail::setting::Fact;
use crate::policy::sentence;

/// What the reader can hear, by the place of its label.
#[derive(Clone, Copy)]
struct Heard {
    label: usize,
    category: Category,
    rule: &'static str,
    cite: &'static str,
    /// A sentence with fewer blanks says too little for it.
    spaces: usize,
}

/// "It is: metformin." names something and advises nothing; "Swapped!" claims a deed.
const HEARD: [Heard; 5] = [
    Heard {
        label: ADVISES,
        category: Category::MedicalAdvice,
        rule: "conduct.sentence",
        cite: ADVICE,
        spaces: 3,
    },
    Heard {
        label: CLAIMS,
        category: Category::UngroundedClaim,
        rule: "claims.sentence",
        cite: GROUNDED,
        spaces: 0,
    },
    Heard {
        label: NEWS,
        category: Category::LabValue,
        rule: "clinical.sentence",
        cite: "45 CFR 160.103 (individually identifiable health information)",
        spaces: 2,
    },
    Heard {
        label: 5,
        category: Category::HumanClaim,
        rule: "conduct.person_sentence",
        cite: "Cal. Bus. & Prof. Code 17941; house policy: the agent says what it is",
        spaces: 4,
    },
    Heard {
        label: 6,
        category: Category::OtherPatient,
        rule: "conduct.others_sentence",
        cite: "45 CFR 164.502(a); house policy: nothing of anybody else",
        spaces: 2,
    },
];
const ADVISES: usize = 1;
/// A deed or promise.
const CLAIMS: usize = 3;
/// By how much more a label must lead where rules have read the sentence already.
const BESIDE: i32 = 3000;
/// A sentence of three words says little: it must lead by more.
const BRIEF: usize = 2;
const MORE_OF_BRIEF: i32 = 1500;
/// News of a body goes behind the link; all else is for staff to see.
const NEWS: usize = 4;

/// What of a draft is news or preparation.
const TOLD_ELSEWHERE: &[Category] = &[
    Category::Imaging,
    Category::Lab,
    Category::LabValue,
    Category::Procedure,
    Category::OtherUnique,
];

impl Judge<'_> {
    /// Reads each sentence of an agent's draft that asks nothing.
    pub(super) fn sentences(&mut self, view: &View<'_>, contexts: &[Context]) {
        // Staff see a held draft anyway.
        if self.reading.holds() || self.setting.author != Author::Agent {
            return;
        }
        let model = &self.rules.sentences;
        let needed = model.thresholds();
        for (at, context) in view.sentences.iter().zip(contexts) {
            let sentence = view.slice(at);
            // "Your visit is on Tuesday with Dr. Lee" advises nothing, however it is put.
            if context.emergency || context.relation || sentence.ends_with('?') {
                continue;
            }
            let blanks = sentence.matches(' ').count();
            let leads = sentence::read_one(model, sentence.as_bytes());
            let beside = self.is_read_already(&view.span(at));
            let sure = |it: &&Heard| {
                let margin = match it.label {
                    ADVISES => 0,
                    _ if beside => BESIDE,
                    _ if blanks <= BRIEF => MORE_OF_BRIEF,
                    _ => 0,
                };
                let needed = needed.get(it.label).map(|needed| needed + margin);
                blanks >= it.spaces && needed.is_some() && leads.get(it.label).copied() >= needed
            };
            let lead = |it: &&Heard| leads.get(it.label).copied().unwrap_or(i32::MIN);
            // What leads most is what it is, whether it may be heard here or not.
            let heard = HEARD.iter().filter(sure).max_by_key(lead);
            let Some(it) = heard.filter(|it| self.may_hear(it, sentence)) else {
                continue;
            };
            let action = if it.label == NEWS {
                self.decide(Field::Found("clinical", it.category)).0
            } else {
                Action::Hold
            };
            let why = (action, it.rule.into(), it.cite.into());
            let mut found = finding(view.span(at), it.category, why, "sentence", "score".into());
            found.confidence = Confidence::Probable;
            self.reading.findings.push(found);
        }
    }

    /// Is this to be heard in this draft, beside what the rules found?
    fn may_hear(&self, it: &Heard, sentence: &str) -> bool {
        let mut findings = self.reading.findings.iter();
        if it.label == ADVISES {
            // Details of how to prepare are weighed together by the accumulation rules, and a result
            // that a rule cuts is told behind the link; neither advises.
            return self.reading.details == 0
                && !findings
                    .any(|it| it.action != Action::Keep && TOLD_ELSEWHERE.contains(&it.category));
        }
        // With a receipt at hand, and of plans always, the rules of deeds ask whether it stands.
        let given = |fact: &Fact<'_>| {
            fact.field.starts_with("receipt.")
                && !matches!(fact.value.trim(), "" | "false" | "none")
        };
        let payers = self.rules.deeds.payers();
        it.label != CLAIMS || !self.setting.facts.iter().any(given) && !payers.any(sentence)
    }

    /// Does a rule cut something of a body from this sentence, the reader's by all likelihood, or does
    /// the sentence tell what the record has?
    fn is_read_already(&self, sentence: &Range<usize>) -> bool {
        self.reading.findings.iter().any(|it| {
            let body = matches!(it.category.group(), Group::Clinical | Group::Sensitive);
            let backed =
                it.category == Category::Date && it.evidence.iter().any(|it| it.kind == "fact");
            let told = if it.action == Action::Keep {
                backed
            } else {
                body
            };
            told && overlaps(&it.span, sentence)
        })
    }
}
