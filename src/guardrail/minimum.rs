//! The minimum-necessary matrix: purpose, relation, channel, consent, kind of practice and field decide
//! whether a value stays in a text, goes behind the link, or holds the draft.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::guardrail::conduct::line_of;
use crate::guardrail::conduct::parse;
use crate::guardrail::conduct::refuse;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::ground::fold::Folded;
use crate::guardrail::ground::fold::words;
use crate::guardrail::setting::Consent;
use crate::guardrail::setting::Relation;
use crate::guardrail::setting::Setting;
use crate::policy::PolicyError;
use crate::policy::pattern::trie::Trie;
use crate::policy::words::Channel;
use crate::policy::words::Purpose;

/// The file of the matrix.
pub(crate) const MINIMUM: (&str, &str) = (
    "minimum_necessary.toml",
    include_str!("../../guardrails/minimum_necessary.toml"),
);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sensitive_types: Vec<String>,
    ordinary_types: Vec<String>,
    revealing_names: Vec<String>,
    row: Vec<Spanned<RawRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    id: String,
    summary: String,
    fields: Vec<String>,
    #[serde(default)]
    purposes: Vec<Purpose>,
    #[serde(default)]
    relations: Vec<Relation>,
    #[serde(default)]
    channels: Vec<Channel>,
    #[serde(default)]
    consents: Vec<Agreed>,
    #[serde(default)]
    practice_types: Vec<String>,
    /// Only where the agreements of the channel are in force, or only where they are not.
    covered: Option<bool>,
    action: Action,
    cite: String,
    examples: Vec<String>,
}

/// The consent of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Agreed {
    Granted,
    None,
    Declined,
    OptedOut,
}

impl From<Consent<'_>> for Agreed {
    fn from(consent: Consent<'_>) -> Self {
        match consent {
            Consent::Granted { .. } => Self::Granted,
            Consent::None => Self::None,
            Consent::Declined => Self::Declined,
            Consent::OptedOut => Self::OptedOut,
        }
    }
}

/// A field of the record, or what a finding without a fact counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    /// `patient.first_name`.
    Of(&'a str),
    /// `clinical.diagnosis`: a namespace and the category found.
    Found(&'static str, Category),
}

impl Field<'_> {
    /// Is it the field of a pattern, or one of a namespace that ends in `*`?
    fn is(self, pattern: &str) -> bool {
        let (wanted, whole) = match pattern.strip_suffix('*') {
            Some(space) => (space, false),
            None => (pattern, true),
        };
        match self {
            Self::Of(field) if whole => field == wanted,
            Self::Of(field) => field.starts_with(wanted),
            Self::Found(space, category) => {
                let name = category.as_str();
                match wanted
                    .strip_prefix(space)
                    .map(|rest| rest.strip_prefix('.'))
                {
                    Some(Some(rest)) if whole => rest == name,
                    Some(Some(rest)) => name.starts_with(rest),
                    Some(None) => !whole && wanted.len() == space.len(),
                    None => !whole && space.starts_with(wanted),
                }
            }
        }
    }

    /// Does everybody know it?
    pub(crate) fn is_public(self) -> bool {
        matches!(self, Self::Of(field) if field.starts_with("practice."))
    }
}

/// One row of the matrix.
#[derive(Debug)]
pub(crate) struct Row {
    /// `minimum.clinical`.
    pub(crate) id: Arc<str>,
    /// What becomes of a value.
    pub(crate) action: Action,
    /// The law behind it.
    pub(crate) cite: Arc<str>,
    fields: Vec<String>,
    purposes: Vec<Purpose>,
    relations: Vec<Relation>,
    channels: Vec<Channel>,
    consents: Vec<Agreed>,
    practice_types: Vec<String>,
    covered: Option<bool>,
}

/// The matrix, read from the top.
#[derive(Debug)]
pub(crate) struct Matrix {
    rows: Vec<Row>,
    last: Row,
    ordinary_types: Vec<String>,
    revealing_names: Vec<String>,
    /// The same, by their letters.
    revealing_words: Trie,
}

/// A revealing name of at most so many letters stands for itself only: `std`, but not `study`.
const SHORT_NAME: usize = 4;

/// The part of a setting that the matrix looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation<'a> {
    purpose: Purpose,
    relation: Relation,
    channel: Channel,
    consent: Agreed,
    practice_type: &'a str,
    covered: bool,
    sensitive: bool,
    name_tells: bool,
}

impl Situation<'_> {
    /// Whether the practice's kind or name tells a condition.
    pub(crate) const fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// Whether the practice's name tells a condition by itself.
    pub(crate) const fn name_tells(&self) -> bool {
        self.name_tells
    }
}

impl Row {
    fn fits(&self, situation: &Situation<'_>, field: Field<'_>) -> bool {
        let named = self.fields.iter().any(|pattern| field.is(pattern));
        let any = |list: &[String]| {
            list.is_empty()
                || list.iter().any(|kind| {
                    kind == situation.practice_type || kind == "sensitive" && situation.sensitive
                })
        };
        named
            && (self.purposes.is_empty() || self.purposes.contains(&situation.purpose))
            && (self.relations.is_empty() || self.relations.contains(&situation.relation))
            && (self.channels.is_empty() || self.channels.contains(&situation.channel))
            && (self.consents.is_empty() || self.consents.contains(&situation.consent))
            && self.covered.is_none_or(|it| it == situation.covered)
            && any(&self.practice_types)
    }
}

/// The names as a tree, each with its length.
fn by_letters(names: &[String]) -> Trie {
    let names = names.iter().filter(|name| !name.is_empty());
    let length = |name: &String| u32::try_from(name.len()).unwrap_or(u32::MAX);
    let names: Vec<_> = names
        .map(|name| (name.clone().into_bytes(), length(name)))
        .collect();
    Trie::new(&names)
}

/// A word that is on both lists.
fn twice<'a>(one: &'a [String], other: &[String]) -> Option<&'a str> {
    one.iter()
        .find(|kind| other.contains(kind))
        .map(String::as_str)
}

impl Matrix {
    /// The matrix that is built in; every example is tried.
    pub(crate) fn embedded() -> Result<Self, PolicyError> {
        Self::read(MINIMUM.0, MINIMUM.1)
    }

    fn read(file: &str, text: &str) -> Result<Self, PolicyError> {
        let raw: File = parse(file, text)?;
        let mut rows: Vec<Row> = Vec::with_capacity(raw.row.len());
        let mut examples = Vec::new();
        for spanned in raw.row {
            let line = line_of(text, spanned.span().start);
            let row = spanned.into_inner();
            if row.cite.trim().is_empty()
                || row.summary.trim().is_empty()
                || row.examples.is_empty()
            {
                let message = "a row without citation, summary or example";
                return Err(refuse(
                    file,
                    line,
                    &row.id,
                    message,
                    "fill `cite`, `summary` and `examples`",
                ));
            }
            examples.push((line, row.examples));
            rows.push(Row {
                id: row.id.into(),
                action: row.action,
                cite: row.cite.into(),
                fields: row.fields,
                purposes: row.purposes,
                relations: row.relations,
                channels: row.channels,
                consents: row.consents,
                practice_types: row.practice_types,
                covered: row.covered,
            });
        }
        let Some(last) = rows.pop() else {
            let remedy = "write at least the row for the rest";
            return Err(refuse(file, 1, "row", "the matrix is empty", remedy));
        };
        let open = last.fields.iter().any(|field| field == "*")
            && last.action != Action::Keep
            && last.purposes.is_empty()
            && last.relations.is_empty()
            && last.channels.is_empty()
            && last.consents.is_empty()
            && last.practice_types.is_empty()
            && last.covered.is_none();
        if !open {
            let message = "the last row does not catch everything";
            return Err(refuse(
                file,
                1,
                &last.id,
                message,
                "end with fields = [\"*\"] and action drop or hold",
            ));
        }
        if let Some(both) = twice(&raw.sensitive_types, &raw.ordinary_types) {
            let message = "a type that is sensitive and ordinary";
            return Err(refuse(file, 1, both, message, "list it once"));
        }
        let matrix = Self {
            rows,
            last,
            revealing_words: by_letters(&raw.revealing_names),
            ordinary_types: raw.ordinary_types,
            revealing_names: raw.revealing_names,
        };
        matrix.check_examples(file, &examples)?;
        Ok(matrix)
    }

    fn check_examples(
        &self,
        file: &str,
        examples: &[(usize, Vec<String>)],
    ) -> Result<(), PolicyError> {
        for (row, (line, texts)) in self.rows.iter().chain([&self.last]).zip(examples) {
            for text in texts {
                let decided = self.example(text).map(|other| other.id == row.id);
                if decided != Some(true) {
                    let message = format!("example `{text}` is not decided by this row");
                    let remedy = "write `purpose channel consent type field` and a relation, or move the row";
                    return Err(refuse(file, *line, &row.id, &message, remedy));
                }
            }
        }
        Ok(())
    }

    fn example(&self, text: &str) -> Option<&Row> {
        let mut words = text.split(' ');
        let purpose = words.next()?.parse().ok()?;
        let channel = words.next()?.parse().ok()?;
        let consent = match words.next()? {
            "granted" => Agreed::Granted,
            "none" => Agreed::None,
            "declined" => Agreed::Declined,
            "opted_out" => Agreed::OptedOut,
            _ => return None,
        };
        let practice_type = words.next()?;
        let sensitive = !self.is_ordinary(practice_type);
        let field = words.next()?;
        let relation = words
            .next()
            .map_or(Ok(Relation::Patient), str::parse)
            .ok()?;
        let situation = Situation {
            purpose,
            relation,
            channel,
            consent,
            practice_type,
            covered: false,
            sensitive,
            name_tells: false,
        };
        Some(self.decide(&situation, Field::Of(field)))
    }

    /// The situation of a setting, once a review.
    pub(crate) fn situation<'a>(&self, setting: &Setting<'a>) -> Situation<'a> {
        let name_tells = self.tells(setting.practice_name);
        Situation {
            purpose: setting.purpose,
            relation: setting.relation,
            channel: setting.channel,
            consent: setting.consent.into(),
            practice_type: setting.practice_type,
            covered: setting.covered,
            sensitive: name_tells || !self.is_ordinary(setting.practice_type),
            name_tells,
        }
    }

    /// Whether a type of practice tells nothing. What nobody listed may tell anything.
    fn is_ordinary(&self, kind: &str) -> bool {
        self.ordinary_types.iter().any(|other| other == kind)
    }

    /// Whether a practice's name tells a condition by a word of its own.
    pub(crate) fn tells(&self, name: &str) -> bool {
        let name = Folded::of(name);
        words(&name).any(|word| {
            let mut tells = false;
            self.revealing_words.at(word.as_bytes(), 0, |length| {
                let part = usize::try_from(length).unwrap_or(0);
                tells |= part > SHORT_NAME || part == word.len();
            });
            tells
        }) || self
            .revealing_names
            .iter()
            .any(|part| part.contains(' ') && name.contains(part.as_str()))
    }

    /// The row that decides a field.
    pub(crate) fn decide(&self, situation: &Situation<'_>, field: Field<'_>) -> &Row {
        self.rows
            .iter()
            .find(|row| row.fits(situation, field))
            .unwrap_or(&self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_found_field_fits_what_its_name_would_fit() {
        let patterns = [
            "*",
            "c*",
            "clinical*",
            "clinical.*",
            "clinical.d*",
            "clinical.dose",
            "clinical.dos",
            "clinical",
            "clinical.",
            "clinicals.*",
            "clinical.doses",
            "sensitive.*",
        ];
        for pattern in patterns {
            let named = Field::Of("clinical.dose").is(pattern);
            let found = Field::Found("clinical", Category::Dose).is(pattern);
            assert_eq!(named, found, "{pattern}");
        }
    }

    #[test]
    fn every_listed_type_is_either_sensitive_or_ordinary_and_any_other_is_sensitive() {
        let raw: File = toml::from_str(MINIMUM.1).unwrap();
        let listed = crate::policy::listed_practice_types(std::path::Path::new(""));
        let mut judged: Vec<&String> = raw.sensitive_types.iter().collect();
        judged.extend(&raw.ordinary_types);
        judged.sort();
        assert_eq!(judged, listed.iter().collect::<Vec<_>>());
        let matrix = Matrix::embedded().unwrap();
        let provider = |kind: &str| {
            let example = format!("scheduling sms granted {kind} appointment.provider");
            matrix.example(&example).unwrap().action
        };
        for kind in &raw.ordinary_types {
            assert_eq!(provider(kind), Action::Keep, "{kind}");
        }
        let unlisted = ["behavoral_health", "abortion_clinic", "Primary_care", "x"];
        for kind in raw
            .sensitive_types
            .iter()
            .map(String::as_str)
            .chain(unlisted)
        {
            assert_eq!(provider(kind), Action::Drop, "{kind}");
        }
    }

    #[test]
    fn without_any_one_row_an_example_of_it_is_decided_otherwise() {
        let raw: File = toml::from_str(MINIMUM.1).unwrap();
        let examples: Vec<(String, Vec<String>)> = raw
            .row
            .into_iter()
            .map(Spanned::into_inner)
            .map(|row| (row.id, row.examples))
            .collect();
        let mut matrix = Matrix::embedded().unwrap();
        let whole: Vec<Vec<(Action, Arc<str>)>> = examples
            .iter()
            .map(|(_, texts)| {
                let rows = texts.iter().filter_map(|text| matrix.example(text));
                rows.map(|row| (row.action, Arc::clone(&row.cite)))
                    .collect()
            })
            .collect();
        for (at, (id, texts)) in examples.iter().enumerate().take(matrix.rows.len()) {
            let row = matrix.rows.remove(at);
            let rows = texts.iter().filter_map(|text| matrix.example(text));
            let now: Vec<_> = rows
                .map(|row| (row.action, Arc::clone(&row.cite)))
                .collect();
            assert_ne!(now, whole[at], "{id}: the rows below decide alike");
            matrix.rows.insert(at, row);
        }
    }
}
