//! One reading of one text: what was found, what each finding means in this setting, what is wrong.

mod advice;
mod deeds;
pub(crate) mod kinds;
mod public;
mod reading;

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::guardrail::conduct::Rules;
use crate::guardrail::detect;
use crate::guardrail::detect::voter::Voter;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Evidence;
use crate::guardrail::finding::Finding;
use crate::guardrail::finding::Group;
use crate::guardrail::findings::Findings;
use crate::guardrail::ground;
use crate::guardrail::ground::Ground;
use crate::guardrail::ground::Standing;
use crate::guardrail::ground::Statement;
use crate::guardrail::ground::fold::Folded;
use crate::guardrail::ground::fold::Values;
use crate::guardrail::ground::fold::words;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge::kinds::GROUNDED;
use crate::guardrail::judge::kinds::emergency;
use crate::guardrail::judge::kinds::finding;
use crate::guardrail::judge::kinds::overlaps;
use crate::guardrail::judge::kinds::speaks_of;
use crate::guardrail::judge::kinds::told;
pub(crate) use crate::guardrail::judge::reading::Reading;
use crate::guardrail::label::Label;
use crate::guardrail::minimum::Field;
use crate::guardrail::minimum::Situation;
use crate::guardrail::scratch::Scratch;
use crate::guardrail::scratch::renew;
use crate::guardrail::setting::Author;
use crate::guardrail::setting::Fact;
use crate::guardrail::setting::Setting;
use crate::policy::Policy;

/// More findings than this are sorted in memory of their own.
const SORTED_IN_PLACE: usize = 128;

/// What of the record can be told anew where a sentence falls.
const RETOLD: [&str; 2] = ["appointment.start", "appointment.provider"];

/// What a reading looks at.
struct Judge<'a> {
    rules: &'a Rules,
    setting: &'a Setting<'a>,
    values: &'a Values<'a>,
    situation: Situation<'a>,
    reading: Reading,
}

/// Reads a text in a setting, whose facts are `values`.
pub(crate) fn read(
    (policy, rules, voters): (&Policy, &Rules, &[Arc<dyn Voter>]),
    view: &View<'_>,
    (setting, values, situation): (&Setting<'_>, &Values<'_>, Situation<'_>),
    zone: &TimeZone,
    scratch: &mut Scratch,
) -> Reading {
    let known = detect::Known {
        facts: setting.facts,
        practice_name: setting.practice_name,
        practice_phone: setting.practice_phone,
        portal_url: setting.portal_url,
        voters,
    };
    let mut found = detect::search(policy, view.text, &known, &mut scratch.detect);
    let disguise = scratch.detect.disguise.take();
    let Scratch {
        contexts,
        matched,
        ground: ground_room,
        statements: statement_room,
        ..
    } = scratch;
    contexts.clear();
    rules.patterns.look(&view.low, matched);
    rules.contexts(view, matched, contexts);
    let ground = Ground {
        view,
        setting,
        contexts,
        values,
        zone,
    };
    let mut statements = renew(std::mem::take(statement_room));
    ground::statements(&ground, ground_room, &mut statements);
    of_the_record(setting, &found, &mut statements);
    let mut judge = Judge {
        rules,
        setting,
        values,
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
    for statement in statements.drain(..) {
        judge.state(statement);
    }
    *statement_room = renew(statements);
    judge.deeds(&ground, matched);
    judge.conduct(view, matched);
    judge.disguise(disguise);
    judge.instructions(view, contexts);
    judge.relations(view, contexts);
    judge.details(view, matched);
    judge.revealing_name(view);
    judge.sentences(view, contexts);
    let mut reading = judge.reading;
    sort(&mut reading.findings);
    reading
}

/// A number or day that the detector knows from the record is private, not unheard of.
fn of_the_record<'a>(setting: &'a Setting<'_>, found: &Findings, statements: &mut [Statement<'a>]) {
    for finding in found {
        let recorded = |fact: &&Fact<'_>| {
            let mut evidence = finding.evidence.iter();
            evidence.any(|it| it.kind == "record" && it.name == fact.field)
        };
        let Some(fact) = setting.facts.iter().find(recorded) else {
            continue;
        };
        let unheard = statements.iter_mut().filter(|statement| {
            matches!(statement.standing, Standing::Unbacked)
                && overlaps(&statement.span, &finding.span)
                && speaks_of(statement.category, finding.category)
        });
        unheard.for_each(|statement| statement.standing = Standing::Backed(fact.field));
    }
}

/// By place, then category; what is alike stays as it was. Nearly always sorted already but for a few.
fn sort(findings: &mut [Finding]) {
    let key = |it: &Finding| (it.span.start, it.span.end, it.category);
    if findings.len() > SORTED_IN_PLACE {
        findings.sort_by_key(key);
        return;
    }
    for end in 1..findings.len() {
        for at in (1..=end).rev() {
            match findings.get_mut(at - 1..=at) {
                Some([before, after]) if key(before) > key(after) => std::mem::swap(before, after),
                _ => break,
            }
        }
    }
}

impl<'a> Judge<'a> {
    /// The action of a field under the matrix.
    fn decide(&self, field: Field<'_>) -> (Action, Label, Label) {
        let row = self.rules.matrix.decide(&self.situation, field);
        (row.action, (&row.id).into(), (&row.cite).into())
    }

    /// The practice's own name, where it tells a condition: who may read it depends on consent.
    fn revealing_name(&mut self, view: &View<'_>) {
        let name = self.setting.practice_name.trim();
        if name.is_empty() || !self.situation.name_tells() {
            return;
        }
        let why = self.decide(Field::Of("practice.revealing_name"));
        if why.0 == Action::Keep {
            return;
        }
        let (text, name) = (view.text.to_ascii_lowercase(), name.to_ascii_lowercase());
        for (start, said) in text.match_indices(&name) {
            let found = finding(
                start..start + said.len(),
                Category::Specialty,
                why.clone(),
                "fact",
                "practice.name".into(),
            );
            self.reading.findings.push(found);
        }
    }

    /// Gives a detected finding its action.
    fn weigh(&mut self, finding: Finding, statements: &[Statement<'a>], text: &str) {
        if self
            .rules
            .ordinary(text.get(finding.span.clone()).unwrap_or_default())
        {
            return;
        }
        if self.is_payer(&finding, text) {
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
            Group::Conduct => Some(Field::Of("other_patient.value")),
            Group::Identifier => self.identifier(&finding, statements, text),
        };
        self.place(finding, field);
    }

    /// A number, page or mailbox that the detector sees and no fact knows.
    fn stray_contact(&self, finding: &Finding, statements: &[Statement<'a>], text: &str) -> bool {
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
            && self.field_found(finding).is_none()
    }

    fn place(&mut self, mut finding: Finding, field: Option<Field<'_>>) {
        let Some(field) = field else {
            finding.action = Action::Keep;
            self.reading.findings.push(finding);
            return;
        };
        let (action, _, cite) = self.decide(field);
        self.reading.patient |= action == Action::Keep && !field.is_public();
        finding.action = action;
        finding.cite = cite;
        self.reading.findings.push(finding);
    }

    /// An approved text names complaints in general ("chest pain: call 911"); a patient's own
    /// record in it is still clinical detail.
    fn clinical(
        &self,
        finding: &Finding,
        space: &'static str,
        text: &str,
    ) -> Option<Field<'static>> {
        let recorded = finding
            .evidence
            .iter()
            .any(|evidence| evidence.kind == "record");
        let anybody = |evidence: &Evidence| evidence.name == detect::mark::ANYBODY;
        let public = finding.evidence.iter().any(anybody)
            || public::licensed(self.values, text, &finding.span);
        if !recorded && (public || self.setting.author == Author::Approved) {
            return None;
        }
        Some(Field::Found(space, finding.category))
    }

    fn identifier(
        &self,
        finding: &Finding,
        statements: &[Statement<'a>],
        text: &str,
    ) -> Option<Field<'a>> {
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
            Some(Standing::Backed(field)) => return Some(Field::Of(field)),
            Some(Standing::Open | Standing::Corrected(_) | Standing::Unbacked) => return None,
            None => {}
        }
        let value = text.get(finding.span.clone()).unwrap_or_default();
        let unknown = Field::Found("identifier", finding.category);
        let field = self.field_found(finding).or_else(|| self.field_of(value));
        Some(field.map_or(unknown, Field::Of))
    }

    /// The field of the record by which the detector found a value in another spelling.
    fn field_found(&self, finding: &Finding) -> Option<&'a str> {
        let by = |kind: &str, name: &str| {
            let mut evidence = finding.evidence.iter();
            evidence.any(|it| it.kind == kind && it.name == name)
        };
        let mut facts = self.setting.facts.iter();
        let provider = by("fact", detect::mark::PROVIDER);
        let fact = facts.find(|fact| {
            let named = matches!(fact.field, "appointment.provider" | "provider.name");
            by("record", fact.field) || provider && named
        });
        fact.map(|fact| fact.field)
    }

    /// The field of the fact that a text is taken from; the most private one, if several.
    fn field_of(&self, value: &str) -> Option<&'a str> {
        let said = Folded::of(value);
        let said = said.trim_matches(|c: char| !c.is_alphanumeric());
        if said.len() < 2 {
            return None;
        }
        let same = self.values.iter().filter(|(_, known)| {
            *known == said
                || words(known).any(|word| word == said)
                || said.len() >= 6 && known.contains(said)
        });
        let rank = |field: &str| match field.split('.').next() {
            Some("other_patient") => 0,
            Some("patient" | "insurance" | "billing") => 2,
            Some("provider" | "appointment") => 3,
            Some("practice") => 4,
            _ => 1,
        };
        same.min_by_key(|(fact, _)| rank(fact.field))
            .map(|(fact, _)| fact.field)
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
        if *Folded::of(head) != *Folded::of(first.value.trim()) {
            return false;
        }
        let middle = finding.span.start + head.len();
        let mut given = finding.clone();
        given.span.end = middle;
        self.place(given, Some(Field::Of("patient.first_name")));
        let mut family = finding.clone();
        family.span.start = middle + 1;
        let field = self.field_of(rest).unwrap_or("identifier.name");
        self.place(family, Some(Field::Of(field)));
        true
    }

    /// Gives a statement its finding.
    fn state(&mut self, statement: Statement<'_>) {
        let Statement {
            span,
            category,
            standing,
        } = statement;
        match standing {
            Standing::Open => {}
            Standing::Backed(field) => {
                let (action, rule, cite) = self.decide(Field::Of(field));
                let public = field.starts_with("practice.");
                self.reading.patient |= action == Action::Keep && !public;
                let retold = RETOLD.into_iter().find(|it| *it == field);
                let room = self.reading.told.len() < self.reading.told.inline_size();
                if let Some(field) = retold.filter(|_| room && action == Action::Keep) {
                    self.reading.told.push((span.clone(), field));
                }
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
                        Label::field(field),
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
}
