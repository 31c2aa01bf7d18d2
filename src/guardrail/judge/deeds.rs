//! What a draft does rather than tells: deeds without a receipt, advice, a relation given away.

use std::ops::Range;

use crate::guardrail::conduct::Context;
use crate::guardrail::conduct::payers::Payers;
use crate::guardrail::conduct::ruleset::Rule;
use crate::guardrail::disguise::Disguise;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Finding;
use crate::guardrail::ground::Ground;
use crate::guardrail::ground::fold::Folded;
use crate::guardrail::ground::fold::any_word;
use crate::guardrail::ground::fold::words;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge::Judge;
use crate::guardrail::judge::kinds::ADVICE;
use crate::guardrail::judge::kinds::finding;
use crate::guardrail::judge::kinds::overlaps;
use crate::guardrail::judge::public;
use crate::guardrail::label::Label;
use crate::guardrail::minimum::Field;
use crate::guardrail::setting::Author;
use crate::policy::pattern::Matched;

/// What one may ail from, or take for it; a result is told or not, but never judged here.
const fn ails(category: Category) -> bool {
    matches!(
        category,
        Category::Symptom
            | Category::Diagnosis
            | Category::Medication
            | Category::Dose
            | Category::Treatment
            | Category::MentalHealth
            | Category::SubstanceUse
    )
}

/// Words of plans.
const PLANS: &[&str] = &[
    "insurance",
    "insurances",
    "plan",
    "plans",
    "network",
    "coverage",
    "hmo",
    "ppo",
    "payer",
    "accept",
    "accepts",
    "accepted",
    "seguro",
    "seguros",
    "aseguranza",
    "red",
    "cobertura",
    "aceptamos",
    "acepta",
    "aceptan",
    "planes",
];

/// Is it told as something that was done just now, rather than as how things stand?
fn acts(matched: &str) -> bool {
    let first = matched.split(' ').next().unwrap_or_default();
    matches!(
        first,
        "i" | "i've"
            | "we"
            | "we've"
            | "just"
            | "successfully"
            | "got"
            | "he"
            | "hemos"
            | "le"
            | "te"
            | "ya"
    ) || matches!(
        matched,
        "booked you" | "reserved you" | "agende" | "agendamos" | "reserve" | "reservamos"
    )
}

impl Judge<'_> {
    /// Deeds need their receipts.
    pub(super) fn deeds(&mut self, ground: &Ground<'_>, matched: &mut Matched) {
        if self.setting.author == Author::Approved {
            return;
        }
        let rules = self.rules;
        rules
            .deeds
            .firings(&rules.patterns, ground.view, matched, |rule, at| {
                if ground.context(at.start).own_words {
                    return;
                }
                let sentence = ground.view.sentences.get(ground.view.sentence_of(at.start));
                let said = sentence.map_or("", |it| ground.view.slice(it));
                let whole = sentence.map_or(0..0, |it| ground.view.span(it));
                self.deed(
                    rule,
                    ground.view.span(&at),
                    (said, whole),
                    acts(ground.view.slice(&at)),
                );
            });
    }

    /// What tells the condition together with what was told before.
    pub(super) fn details(&mut self, view: &View<'_>, matched: &mut Matched) {
        if self.setting.author == Author::Approved {
            return;
        }
        let Self {
            rules,
            setting,
            reading,
            ..
        } = self;
        let findings = &mut reading.findings;
        let told = setting.told;
        let add = |it| findings.push(it);
        reading.details = rules
            .accumulation
            .read_draft(&rules.patterns, view, told, matched, add);
    }

    fn deed(
        &mut self,
        rule: &Rule,
        span: Range<usize>,
        (said, sentence): (&str, Range<usize>),
        acts: bool,
    ) {
        // "I have booked you for Friday", where the visit that stands is on Tuesday, is another deed.
        let mut corrections = self.reading.corrections.iter();
        let another = acts && corrections.any(|(at, _)| overlaps(at, &sentence));
        let mut facts = self.setting.facts.iter();
        let receipt = facts.find(|fact| {
            let given = rule.receipts.iter().any(|receipt| receipt == fact.field);
            let stands =
                fact.field == "appointment.status" && rule.status.iter().any(|s| s == fact.value);
            given && !matches!(fact.value.trim(), "" | "false" | "none") || stands && !another
        });
        let receipt = receipt.filter(|_| rule.names.is_none() || self.names_stand(rule, said));
        match receipt.map(|fact| fact.field) {
            Some(field) => self.told_deed(span, field),
            None if self.setting.author == Author::Staff => {
                self.told_deed(span, "receipt.stated");
            }
            None => self.breach(rule, span),
        }
    }

    /// Are the payers that a sentence speaks of those of the receipts, and the denied ones not?
    fn names_stand(&self, rule: &Rule, said: &str) -> bool {
        let names = self.rules.deeds.payers();
        let receipts = self.values.iter().filter(|(fact, _)| {
            let mut receipts = rule.receipts.iter();
            receipts.any(|receipt| receipt == fact.field)
        });
        let known: Payers = receipts
            .flat_map(|(_, value)| names.of(value, false))
            .collect();
        names.borne_out(&names.of(said, rule.denies), &known)
    }

    /// `Kaiser`, `Molina` in a sentence about plans: who pays, and nobody's name.
    pub(super) fn is_payer(&self, finding: &Finding, text: &str) -> bool {
        let recorded = finding.evidence.iter().any(|it| it.kind == "record");
        if finding.category != Category::Name || recorded {
            return false;
        }
        let said = Folded::of(text.get(finding.span.clone()).unwrap_or_default());
        let payers = self.rules.deeds.payers();
        if !payers.any(&said) {
            return false;
        }
        let whole = words(&said).count() == payers.length(&payers.of(&said, false));
        let sentence = public::sentence(text, &finding.span);
        whole && any_word(sentence, |word| PLANS.contains(&word))
    }

    /// A rule of deeds or conduct is broken.
    fn breach(&mut self, rule: &Rule, span: Range<usize>) {
        let why = (rule.action, (&rule.id).into(), (&rule.cite).into());
        let found = finding(span, rule.category, why, "phrase", (&rule.id).into());
        self.reading.findings.push(found);
    }

    fn told_deed(&mut self, span: Range<usize>, field: &str) {
        let (action, rule, cite) = self.decide(Field::Of(field));
        if action == Action::Keep {
            let public = matches!(field, "receipt.callback_created" | "receipt.message_sent");
            self.reading.patient |= !public;
        } else {
            let found = finding(
                span,
                Category::OtherUnique,
                (action, rule, cite),
                "fact",
                Label::field(field),
            );
            self.reading.findings.push(found);
        }
    }

    /// What the agent never says.
    pub(super) fn conduct(&mut self, view: &View<'_>, matched: &mut Matched) {
        if self.setting.author != Author::Agent {
            return;
        }
        let rules = self.rules;
        rules
            .conduct
            .firings(&rules.patterns, view, matched, |rule, at| {
                self.breach(rule, view.span(&at));
            });
    }

    /// What an agent writes so that only a decoder reads it was examined by nobody.
    pub(super) fn disguise(&mut self, disguise: Option<Disguise>) {
        if let Some(it) = disguise.filter(|_| self.setting.author == Author::Agent) {
            let cite = "house policy: what cannot be examined does not leave";
            let why = (Action::Hold, "conduct.disguise".into(), cite.into());
            let found = finding(it.span, Category::OtherUnique, why, "phrase", it.how.into());
            self.reading.findings.push(found);
        }
    }

    /// "You can take Tylenol", "that rash isn't contagious": a medicine in an instruction is advice,
    /// and so is a complaint that is judged.
    pub(super) fn instructions(&mut self, view: &View<'_>, contexts: &[Context]) {
        if self.setting.author != Author::Agent {
            return;
        }
        for (sentence, context) in view.sentences.iter().zip(contexts) {
            let asks = view.slice(sentence).ends_with('?');
            if asks || !(context.instructs || context.judges) {
                continue;
            }
            let span = view.span(sentence);
            let mut inside =
                self.reading.findings.iter().filter(|finding| {
                    finding.action != Action::Keep && overlaps(&finding.span, &span)
                });
            let told = inside.any(|finding| {
                let medicine = matches!(finding.category, Category::Medication | Category::Dose);
                context.instructs && medicine || context.judges && ails(finding.category)
            });
            if told {
                let why = (Action::Hold, "conduct.instruction".into(), ADVICE.into());
                let found = finding(
                    span,
                    Category::MedicalAdvice,
                    why,
                    "phrase",
                    if context.instructs {
                        "context.instructs".into()
                    } else {
                        "context.judges".into()
                    },
                );
                self.reading.findings.push(found);
            }
        }
    }

    /// "Your appointment is ..." tells that there is one.
    pub(super) fn relations(&mut self, view: &View<'_>, contexts: &[Context]) {
        if self.setting.author == Author::Approved {
            return;
        }
        for (sentence, context) in view.sentences.iter().zip(contexts) {
            if !context.relation {
                continue;
            }
            let (action, rule, cite) = self.decide(Field::Of("relation.appointment"));
            if action == Action::Keep {
                self.reading.patient = true;
                continue;
            }
            let why = (action, rule, cite);
            let found = finding(
                view.span(sentence),
                Category::OtherUnique,
                why,
                "phrase",
                "relation".into(),
            );
            self.reading.findings.push(found);
        }
    }
}
