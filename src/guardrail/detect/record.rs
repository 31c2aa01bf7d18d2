//! The values known of this patient, of the practice and of others, in any spelling.

mod partial;
mod values;

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::HEALTH_CITE;
use crate::guardrail::detect::Known;
use crate::guardrail::detect::Scratch;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::mark;
use crate::guardrail::detect::record::values::Day;
use crate::guardrail::detect::record::values::digits;
use crate::guardrail::detect::record::values::digits_in;
use crate::guardrail::detect::record::values::one_edit_apart;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::label::Label;
use crate::guardrail::setting::Fact;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::fold::fold_into;
use crate::policy::phrases::flag;
use crate::policy::phrases::hash_word;
use crate::policy::phrases::split;

/// A name shorter than this must be spelled as in the record: too many words are one letter away.
const TYPO_NAME: usize = 5;
/// Words of reasons that fit any visit.
const GENERAL_REASONS: &[&str] = &[
    "a",
    "an",
    "annual",
    "appointment",
    "appt",
    "booked",
    "check",
    "checkup",
    "consult",
    "consultation",
    "exam",
    "follow",
    "general",
    "in",
    "new",
    "office",
    "other",
    "patient",
    "person",
    "phone",
    "physical",
    "return",
    "routine",
    "telehealth",
    "the",
    "up",
    "video",
    "visit",
    "wellness",
    "yearly",
    "anual",
    "cita",
    "consulta",
    "control",
    "de",
    "examen",
    "general",
    "nuevo",
    "nueva",
    "paciente",
    "revision",
    "rutina",
    "seguimiento",
    "visita",
];
/// Fewer digits than this are no number of anybody.
const LEAST_DIGITS: usize = 4;

/// Finds the known values, and in `scratch.shields` the stretches that are the practice's own.
pub(super) fn find(
    policy: &Policy,
    view: &View<'_>,
    known: &Known<'_>,
    scratch: &mut Scratch,
    drafts: &mut Vec<Draft>,
) {
    let Scratch { shields, value, .. } = scratch;
    shields.clear();
    let mut reader = Reader {
        policy,
        view,
        folded: std::mem::take(value),
    };
    reader.shield(known.practice_name, shields);
    reader.shield(known.portal_url, shields);
    reader.shield_digits(known.practice_phone, shields);
    for fact in known.facts {
        let (namespace, name) = fact.field.split_once('.').unwrap_or((fact.field, ""));
        match namespace {
            "practice" => {
                reader.shield(fact.value, shields);
                reader.shield_digits(fact.value, shields);
            }
            "provider" => reader.provider(fact, drafts),
            "appointment" if name == "provider" => reader.provider(fact, drafts),
            // Why a visit is, and where in the house, tells a condition.
            "appointment" if matches!(name, "reason" | "notes" | "type") => {
                reader.reason(fact, Category::Procedure, drafts);
            }
            "appointment" if matches!(name, "department" | "specialty") => {
                reader.reason(fact, Category::Specialty, drafts);
            }
            "appointment" | "receipt" => {}
            "other_patient" => reader.value(fact, name, Category::OtherPatient, drafts),
            _ => reader.value(fact, name, category_of_field(namespace, name), drafts),
        }
    }
    *value = reader.folded;
}

/// What a value gives away, by its field.
fn category_of_field(namespace: &str, name: &str) -> Category {
    match (namespace, name) {
        ("condition" | "allergy" | "referral", _) => Category::Diagnosis,
        ("medication", "dose") => Category::Dose,
        ("medication" | "immunization", _) => Category::Medication,
        ("lab", "value" | "result") => Category::LabValue,
        ("lab", _) => Category::Lab,
        ("procedure", _) => Category::Procedure,
        ("imaging", _) => Category::Imaging,
        ("insurance", _) => Category::HealthPlan,
        ("billing", _) => Category::Account,
        (_, "birth_date" | "death_date") => Category::Date,
        (_, "phone" | "mobile" | "home_phone") => Category::Phone,
        (_, "fax") => Category::Fax,
        (_, "email") => Category::Email,
        (_, "address" | "city" | "zip" | "county" | "street") => Category::Geographic,
        (_, "mrn") => Category::Mrn,
        (_, "ssn") => Category::Ssn,
        (
            _,
            "first_name" | "last_name" | "name" | "preferred_name" | "middle_name" | "guardian"
            | "emergency_contact" | "full_name",
        ) => Category::Name,
        _ => Category::OtherUnique,
    }
}

fn is_name(name: &str) -> bool {
    category_of_field("patient", name) == Category::Name
}

struct Reader<'a> {
    policy: &'a Policy,
    view: &'a View<'a>,
    /// The value at hand, folded.
    folded: Vec<u8>,
}

fn draft(
    span: Range<usize>,
    category: Category,
    kind: &'static str,
    name: &str,
    soft: Soft,
) -> Draft {
    Draft {
        span,
        category,
        rule: Label::record(name),
        confidence: Confidence::Certain,
        kind,
        name: Label::field(name),
        cite: HEALTH_CITE.into(),
        soft,
    }
}

/// Every stretch of the text with the words of a folded value, whatever stands between them.
fn runs<'v>(view: &'v View<'_>, folded: &'v [u8]) -> impl Iterator<Item = Range<usize>> + 'v {
    let first = split(folded).next().map(hash_word);
    let count = split(folded).count();
    let starts = view
        .words
        .iter()
        .enumerate()
        .filter(move |(_, word)| first.is_some_and(|it| word.hash == it || word.stem == it));
    starts.filter_map(move |(at, _)| {
        let run = view.words.get(at..at + count)?;
        let same = run.iter().zip(split(folded)).all(|(word, wanted)| {
            let hash = hash_word(wanted);
            word.hash == hash || word.stem == hash
        });
        let start = run.first()?.start;
        same.then_some(start..run.last()?.end)
    })
}

impl Reader<'_> {
    fn fold(&mut self, value: &str) {
        self.folded.clear();
        fold_into(value, &mut self.folded);
    }

    fn shield(&mut self, value: &str, shields: &mut Vec<Range<usize>>) {
        self.fold(value);
        for mut span in runs(self.view, &self.folded) {
            // An address may carry its scheme and a closing slash.
            let rest = self.view.bytes(span.end..self.view.folded.len());
            span.end += usize::from(rest.first() == Some(&b'/'));
            shields.push(span);
        }
    }

    fn shield_digits(&self, value: &str, shields: &mut Vec<Range<usize>>) {
        let digits = digits(value);
        if digits.len() >= 7 {
            digits_in(self.view, &digits, |span| shields.push(span));
        }
    }

    fn provider(&mut self, fact: &Fact<'_>, drafts: &mut Vec<Draft>) {
        self.fold(fact.value);
        for word in split(&self.folded) {
            let hash = hash_word(word);
            let title = self.policy.phrases().get(hash).is_some_and(|entry| {
                entry.flags & (flag::PROVIDER | flag::TITLE | flag::SUFFIX) != 0
            });
            if title || word.len() < 2 {
                continue;
            }
            for (at, found) in self
                .view
                .words
                .iter()
                .enumerate()
                .filter(|(_, it)| it.hash == hash)
            {
                if found.is(flag::COMMON) && !found.is_capital() {
                    continue;
                }
                let span = self.with_title(at, found.start..found.end);
                Self::soften(&span, drafts);
                drafts.push(draft(
                    span,
                    Category::Name,
                    "fact",
                    mark::PROVIDER,
                    Soft::Provider,
                ));
            }
        }
    }

    fn with_title(&self, at: usize, span: Range<usize>) -> Range<usize> {
        let title = at
            .checked_sub(1)
            .and_then(|at| self.view.words.get(at))
            .filter(|word| word.is(flag::PROVIDER));
        title.map_or(span.start, |word| word.start)..span.end
    }

    /// A name that the lists found around a provider's is the provider's too.
    fn soften(span: &Range<usize>, drafts: &mut [Draft]) {
        for draft in drafts.iter_mut() {
            let around = draft.span.start <= span.start && span.end <= draft.span.end;
            if draft.category == Category::Name && around && draft.kind != "record" {
                draft.kind = "fact";
                draft.name = mark::PROVIDER.into();
                draft.soft = Soft::Provider;
                draft.confidence = Confidence::Certain;
            }
        }
    }

    fn value(&mut self, fact: &Fact<'_>, name: &str, category: Category, drafts: &mut Vec<Draft>) {
        let day = Day::parse(fact.value);
        if let Some(day) = day {
            self.day(fact, category, day, drafts);
        }
        self.fold(fact.value);
        // `lab.name` is the name of a test, not of a person: its words tell something together only.
        let of_person =
            category == Category::Name || (category == Category::OtherPatient && is_name(name));
        if of_person {
            self.name(fact, category, drafts);
            return;
        }
        for span in runs(self.view, &self.folded) {
            // Short values are everyday words and numbers; they tell something only beside a cue.
            if span.len() >= 3 {
                drafts.push(draft(span, category, "record", fact.field, Soft::No));
            }
        }
        let mut add = |span| drafts.push(draft(span, category, "record", fact.field, Soft::No));
        partial::misspelt(self.view, &self.folded, &mut add);
        if matches!(name, "address" | "street") {
            self.fold(fact.value.split(',').next().unwrap_or_default());
            partial::street(self.view, &self.folded, &mut add);
        } else {
            partial::coded(self.view, fact.value, &mut add);
            partial::tail(self.view, fact.value, &mut add);
        }
        let digits = digits(fact.value);
        let letters = fact.value.bytes().filter(u8::is_ascii_alphabetic).count();
        if digits.len() > LEAST_DIGITS && letters <= 3 && day.is_none() {
            digits_in(self.view, &digits, |span| {
                drafts.push(draft(span, category, "record", fact.field, Soft::No));
            });
        }
    }

    /// A reason in its own words; what every visit could be called tells nothing.
    fn reason(&mut self, fact: &Fact<'_>, category: Category, drafts: &mut Vec<Draft>) {
        self.fold(fact.value);
        let general = |word: &[u8]| GENERAL_REASONS.iter().any(|it| it.as_bytes() == word);
        if split(&self.folded).all(general) {
            return;
        }
        for span in runs(self.view, &self.folded) {
            drafts.push(draft(span, category, "record", fact.field, Soft::No));
        }
    }

    /// A date that the pattern rules found and that is this day.
    fn day(&self, fact: &Fact<'_>, category: Category, day: Day, drafts: &mut Vec<Draft>) {
        for at in 0..drafts.len() {
            let same = drafts.get(at).filter(|draft| {
                draft.category == Category::Date
                    && day.is_written(self.view.bytes(draft.span.clone()))
            });
            if let Some(span) = same.map(|draft| draft.span.clone()) {
                drafts.push(draft(span, category, "record", fact.field, Soft::No));
            }
        }
        for digits in day.compact() {
            digits_in(self.view, &digits, |span| {
                drafts.push(draft(span, category, "record", fact.field, Soft::No));
            });
        }
    }

    fn name(&self, fact: &Fact<'_>, category: Category, drafts: &mut Vec<Draft>) {
        for wanted in split(&self.folded).filter(|word| word.len() >= 2) {
            let hash = hash_word(wanted);
            let forms = self.policy.phrases().nicknames(hash);
            for (at, word) in self.view.words.iter().enumerate() {
                if word.digits || !is_same(wanted, (hash, forms), self.view, word) {
                    continue;
                }
                let everyday = word.is(flag::COMMON | flag::NEVER_NAME | flag::PARTICLE);
                let opens = word.gap == Gap::Stop && self.opens_question(at);
                if everyday && (!word.is_capital() || opens) {
                    continue;
                }
                drafts.push(draft(
                    word.start..word.end,
                    category,
                    "record",
                    fact.field,
                    Soft::No,
                ));
            }
        }
    }

    /// `Will you be there?`: an everyday word at its everyday work.
    fn opens_question(&self, at: usize) -> bool {
        let (Some(word), Some(next)) = (self.view.words.get(at), self.view.words.get(at + 1))
        else {
            return false;
        };
        let sentence = self.view.sentence(&(word.start..word.end));
        let asks = self.view.bytes(sentence).contains(&b'?');
        let owns = matches!(self.view.word_bytes(next), b"your" | b"ur" | b"su" | b"tu");
        next.gap == Gap::Space && next.is(flag::COMMON) && (asks || !owns)
    }
}

/// Is the word this name, in any of its forms or with one letter astray?
fn is_same(wanted: &[u8], (hash, forms): (u64, &[u64]), view: &View<'_>, word: &Word) -> bool {
    if word.hash == hash || word.stem == hash || forms.contains(&word.hash) {
        return true;
    }
    let near = wanted.len() >= TYPO_NAME && wanted.len().abs_diff(word.len()) <= 1;
    if !near || word.is(flag::COMMON) {
        return false;
    }
    let (Ok(one), Ok(other)) = (
        std::str::from_utf8(wanted),
        std::str::from_utf8(view.word_bytes(word)),
    ) else {
        return false;
    };
    one_edit_apart(one, other)
}
