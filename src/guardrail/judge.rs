//! One reading of one text: what was found, what each finding means in this setting, what is wrong.

mod kinds;
mod public;

use std::ops::Range;

use jiff::tz::TimeZone;

use crate::guardrail::conduct::Context;
use crate::guardrail::conduct::Rules;
use crate::guardrail::conduct::ruleset::Rule;
use crate::guardrail::detect;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Finding;
use crate::guardrail::finding::Group;
use crate::guardrail::findings::Findings;
use crate::guardrail::ground;
use crate::guardrail::ground::Ground;
use crate::guardrail::ground::Standing;
use crate::guardrail::ground::Statement;
use crate::guardrail::ground::view::View;
use crate::guardrail::ground::view::fold_text;
use crate::guardrail::judge::kinds::ADVICE;
use crate::guardrail::judge::kinds::GROUNDED;
use crate::guardrail::judge::kinds::emergency;
use crate::guardrail::judge::kinds::finding;
use crate::guardrail::judge::kinds::overlaps;
use crate::guardrail::judge::kinds::speaks_of;
use crate::guardrail::judge::kinds::told;
use crate::guardrail::label::Label;
use crate::guardrail::minimum::Situation;
use crate::guardrail::scratch::Scratch;
use crate::guardrail::setting::Author;
use crate::guardrail::setting::Setting;
use crate::policy::Policy;
use crate::policy::pattern::Matched;

/// What a reading came to.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Everything found, in the order of the text.
    pub(crate) findings: Findings,
    /// Words to put right from the record, by place in the text.
    pub(crate) corrections: Vec<(Range<usize>, String)>,
    /// Whether what stays tells anything about the patient.
    pub(crate) patient: bool,
}

impl Reading {
    /// Whether staff must see it.
    pub(crate) fn holds(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.action == Action::Hold)
    }

    /// The places of dropped procedures, which may be called a visit instead.
    pub(crate) fn procedures(&self) -> Vec<Range<usize>> {
        let dropped = self.findings.iter().filter(|finding| {
            finding.action == Action::Drop
                && matches!(
                    finding.category,
                    Category::Procedure | Category::Imaging | Category::Treatment
                )
        });
        dropped.map(|finding| finding.span.clone()).collect()
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

/// What a reading looks at.
struct Judge<'a> {
    rules: &'a Rules,
    setting: &'a Setting<'a>,
    situation: Situation<'a>,
    reading: Reading,
}

/// Reads a text in a setting.
pub(crate) fn read(
    policy: &Policy,
    rules: &Rules,
    view: &View<'_>,
    setting: &Setting<'_>,
    zone: &TimeZone,
    scratch: &mut Scratch,
) -> Reading {
    let known = detect::Known {
        facts: setting.facts,
        practice_name: setting.practice_name,
        practice_phone: setting.practice_phone,
        portal_url: setting.portal_url,
    };
    let mut found = detect::search(policy, view.text, &known, &mut scratch.detect);
    let Scratch {
        contexts, matched, ..
    } = scratch;
    contexts.clear();
    rules.contexts(view, matched, contexts);
    let ground = Ground {
        view,
        setting,
        contexts,
        zone,
    };
    let statements = ground::statements(&ground);
    let situation = rules.matrix.situation(setting);
    let mut judge = Judge {
        rules,
        setting,
        situation,
        reading: Reading::default(),
    };
    for finding in found.drain() {
        if emergency(&finding, view, contexts) {
            judge.place(finding, None);
        } else {
            judge.weigh(finding, &statements, view.text);
        }
    }
    for statement in statements {
        judge.state(statement);
    }
    judge.deeds(&ground, matched);
    judge.conduct(view, matched);
    judge.instructions(view, contexts);
    judge.relations(view, contexts);
    let mut reading = judge.reading;
    reading
        .findings
        .sort_by_key(|finding| (finding.span.start, finding.span.end, finding.category));
    reading
}

impl Judge<'_> {
    /// The action of a field under the matrix.
    fn decide(&self, field: &str) -> (Action, Label, Label) {
        let row = self.rules.matrix.decide(&self.situation, field);
        (row.action, (&row.id).into(), (&row.cite).into())
    }

    /// Gives a detected finding its action.
    fn weigh(&mut self, finding: Finding, statements: &[Statement], text: &str) {
        if self
            .rules
            .ordinary(text.get(finding.span.clone()).unwrap_or_default())
        {
            return;
        }
        if finding.category == Category::Name && self.split_name(&finding, text) {
            return;
        }
        // The "3" of "at 3 PM" is no laboratory value.
        let clock = matches!(
            finding.category,
            Category::LabValue | Category::Vital | Category::Dose
        ) && statements.iter().any(|statement| {
            statement.span.start <= finding.span.start
                && finding.span.end <= statement.span.end
                && speaks_of(statement.category, Category::Date)
        });
        if clock {
            self.place(finding, None);
            return;
        }
        if self.stray_contact(&finding, statements, text) {
            let why = (Action::Hold, "ground.unsupported".into(), GROUNDED.into());
            let span = finding.span;
            self.reading.findings.push(self::finding(
                span,
                Category::UngroundedContact,
                why,
                "fact",
                "missing".into(),
            ));
            return;
        }
        let field = match finding.category.group() {
            Group::Clinical => self.clinical(&finding, "clinical", text),
            Group::Sensitive => self.clinical(&finding, "sensitive", text),
            Group::Conduct => Some("other_patient.value".to_owned()),
            Group::Identifier => self.identifier(&finding, statements, text),
        };
        self.place(finding, field);
    }

    /// A number, page or mailbox that the detector sees and no fact knows.
    fn stray_contact(&self, finding: &Finding, statements: &[Statement], text: &str) -> bool {
        let contact = matches!(
            finding.category,
            Category::Phone | Category::Fax | Category::Email | Category::Url
        );
        contact
            && self.setting.author == Author::Agent
            && !statements
                .iter()
                .any(|statement| overlaps(&statement.span, &finding.span))
            && self
                .field_of(text.get(finding.span.clone()).unwrap_or_default())
                .is_none()
    }

    fn place(&mut self, mut finding: Finding, field: Option<String>) {
        let Some(field) = field else {
            finding.action = Action::Keep;
            self.reading.findings.push(finding);
            return;
        };
        let (action, _, cite) = self.decide(&field);
        self.reading.patient |= action == Action::Keep && !field.starts_with("practice.");
        finding.action = action;
        finding.cite = cite;
        self.reading.findings.push(finding);
    }

    /// An approved text names complaints in general ("chest pain: call 911"); a patient's own
    /// record in it is still clinical detail.
    fn clinical(&self, finding: &Finding, space: &str, text: &str) -> Option<String> {
        let recorded = finding
            .evidence
            .iter()
            .any(|evidence| evidence.kind == "record");
        let public = public::licensed(self.setting.facts, text, &finding.span);
        if !recorded && (public || self.setting.author == Author::Approved) {
            return None;
        }
        Some(format!("{space}.{}", finding.category))
    }

    fn identifier(
        &self,
        finding: &Finding,
        statements: &[Statement],
        text: &str,
    ) -> Option<String> {
        let mine = statements.iter().find(|statement| {
            // "Thu" inside "Thu Dec 3 at 10 AM" is a day, even if it is a name elsewhere.
            let inside = statement.span.start <= finding.span.start
                && finding.span.end <= statement.span.end
                && matches!(finding.category, Category::Name | Category::Geographic);
            inside
                || overlaps(&statement.span, &finding.span)
                    && speaks_of(statement.category, finding.category)
        });
        match mine.map(|statement| &statement.standing) {
            Some(Standing::Backed(field)) => return Some(field.clone()),
            Some(Standing::Open | Standing::Corrected(_) | Standing::Unbacked) => return None,
            None => {}
        }
        let value = text.get(finding.span.clone()).unwrap_or_default();
        self.field_of(value)
            .or_else(|| Some(format!("identifier.{}", finding.category)))
    }

    /// The field of the fact that a text is taken from; the most private one, if several.
    fn field_of(&self, value: &str) -> Option<String> {
        let said = fold_text(value);
        let said = said.trim_matches(|c: char| !c.is_alphanumeric());
        if said.len() < 2 {
            return None;
        }
        let same = self.setting.facts.iter().filter(|fact| {
            let known = fold_text(fact.value);
            known == said
                || known
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|word| word == said)
                || said.len() >= 6 && known.contains(said)
        });
        let rank = |field: &str| match field.split('.').next() {
            Some("other_patient") => 0,
            Some("patient" | "insurance" | "billing") => 2,
            Some("provider" | "appointment") => 3,
            Some("practice") => 4,
            _ => 1,
        };
        same.min_by_key(|fact| rank(fact.field))
            .map(|fact| fact.field.to_owned())
    }

    /// "Maria Gonzalez" where Maria is the patient: the first name greets, the rest is another matter.
    fn split_name(&mut self, finding: &Finding, text: &str) -> bool {
        let Some(first) = self
            .setting
            .facts
            .iter()
            .find(|fact| fact.field == "patient.first_name")
        else {
            return false;
        };
        let Some(value) = text.get(finding.span.clone()) else {
            return false;
        };
        let Some((head, rest)) = value.split_once(' ') else {
            return false;
        };
        if fold_text(head) != fold_text(first.value.trim()) {
            return false;
        }
        let middle = finding.span.start + head.len();
        let mut given = finding.clone();
        given.span.end = middle;
        self.place(given, Some("patient.first_name".to_owned()));
        let mut family = finding.clone();
        family.span.start = middle + 1;
        let field = self
            .field_of(rest)
            .unwrap_or_else(|| "identifier.name".to_owned());
        self.place(family, Some(field));
        true
    }

    /// Gives a statement its finding.
    fn state(&mut self, statement: Statement) {
        let Statement {
            span,
            category,
            standing,
        } = statement;
        match standing {
            Standing::Open => {}
            Standing::Backed(field) => {
                let (action, rule, cite) = self.decide(&field);
                let public = field.starts_with("practice.");
                self.reading.patient |= action == Action::Keep && !public;
                let covered = self.reading.findings.iter().any(|other| {
                    other.action >= action
                        && other.span.start <= span.start
                        && span.end <= other.span.end
                });
                if !covered && !public {
                    let finding = finding(
                        span,
                        told(category),
                        (action, rule, cite),
                        "fact",
                        Label::field(&field),
                    );
                    self.reading.findings.push(finding);
                }
            }
            Standing::Corrected(words) => {
                self.reading.corrections.extend(words);
                let why = (Action::Drop, "ground.contradicted".into(), GROUNDED.into());
                self.reading.findings.push(finding(
                    span,
                    category,
                    why,
                    "fact",
                    "contradicted".into(),
                ));
            }
            Standing::Unbacked => {
                let why = (Action::Hold, "ground.unsupported".into(), GROUNDED.into());
                self.reading
                    .findings
                    .push(finding(span, category, why, "fact", "missing".into()));
            }
        }
    }

    /// Deeds need their receipts.
    fn deeds(&mut self, ground: &Ground<'_>, matched: &mut Matched) {
        if self.setting.author == Author::Approved {
            return;
        }
        let rules = self.rules;
        rules.deeds.firings(ground.view, matched, |rule, at| {
            if !ground.context(at.start).own_words {
                self.deed(rule, ground.view.span(&at));
            }
        });
    }

    fn deed(&mut self, rule: &Rule, span: Range<usize>) {
        let mut facts = self.setting.facts.iter();
        let receipt = facts.find(|fact| {
            let given = rule.receipts.iter().any(|receipt| receipt == fact.field);
            let stands =
                fact.field == "appointment.status" && rule.status.iter().any(|s| s == fact.value);
            given && !matches!(fact.value.trim(), "" | "false" | "none") || stands
        });
        match receipt.map(|fact| fact.field) {
            Some(field) => self.told_deed(span, field),
            None if self.setting.author == Author::Staff => {
                self.told_deed(span, "receipt.stated");
            }
            None => self.breach(rule, span),
        }
    }

    /// A rule of deeds or conduct is broken.
    fn breach(&mut self, rule: &Rule, span: Range<usize>) {
        let why = (rule.action, (&rule.id).into(), (&rule.cite).into());
        let found = finding(span, rule.category, why, "phrase", (&rule.id).into());
        self.reading.findings.push(found);
    }

    fn told_deed(&mut self, span: Range<usize>, field: &str) {
        let (action, rule, cite) = self.decide(field);
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
    fn conduct(&mut self, view: &View<'_>, matched: &mut Matched) {
        if self.setting.author != Author::Agent {
            return;
        }
        let rules = self.rules;
        rules.conduct.firings(view, matched, |rule, at| {
            self.breach(rule, view.span(&at));
        });
    }

    /// "You can take Tylenol": a medicine in an instruction is advice.
    fn instructions(&mut self, view: &View<'_>, contexts: &[Context]) {
        if self.setting.author != Author::Agent {
            return;
        }
        for (sentence, context) in view.sentences.iter().zip(contexts) {
            if !context.instructs || view.slice(sentence).ends_with('?') {
                continue;
            }
            let span = view.span(sentence);
            let named = self.reading.findings.iter().any(|finding| {
                matches!(finding.category, Category::Medication | Category::Dose)
                    && overlaps(&finding.span, &span)
            });
            if named {
                let why = (Action::Hold, "conduct.instruction".into(), ADVICE.into());
                let found = finding(
                    span,
                    Category::MedicalAdvice,
                    why,
                    "phrase",
                    "context.instructs".into(),
                );
                self.reading.findings.push(found);
            }
        }
    }

    /// "Your appointment is ..." tells that there is one.
    fn relations(&mut self, view: &View<'_>, contexts: &[Context]) {
        if self.setting.author == Author::Approved {
            return;
        }
        for (sentence, context) in view.sentences.iter().zip(contexts) {
            if !context.relation {
                continue;
            }
            let (action, rule, cite) = self.decide("relation.appointment");
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
