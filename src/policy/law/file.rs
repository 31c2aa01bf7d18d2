//! One law file, read and refused with its line.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::policy::PolicyError;
use crate::policy::law::example::{Example, Expect, Given};
use crate::policy::law::params::{Params, Term};
use crate::policy::law::terms::{Basis, Confidence, Kind, Standing};
use crate::policy::rules::line_of;
use crate::policy::words::Jurisdiction;

/// A day as TOML writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "toml::value::Datetime")]
pub(crate) struct Day(pub(crate) Date);

impl TryFrom<toml::value::Datetime> for Day {
    type Error = &'static str;

    fn try_from(given: toml::value::Datetime) -> Result<Self, Self::Error> {
        let toml::value::Datetime {
            date: Some(date),
            time: None,
            offset: None,
        } = given
        else {
            return Err("expected a day such as 2027-01-01");
        };
        let part = |n: u8| i8::try_from(n).unwrap_or(i8::MAX);
        let year = i16::try_from(date.year).unwrap_or(i16::MAX);
        Date::new(year, part(date.month), part(date.day))
            .map(Self)
            .map_err(|_out_of_range| "there is no such day")
    }
}

/// One rule of law or of the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LawRule {
    /// Stable, dotted, never reused.
    pub id: Arc<str>,
    /// Where it holds; [`Jurisdiction::UNKNOWN`] for the federal floor and the house.
    pub jurisdiction: Jurisdiction,
    /// One sentence that an officer can check against the source.
    pub summary: String,
    /// Where its force comes from.
    pub basis: Basis,
    /// The source.
    pub cite: String,
    /// First day.
    pub effective: Date,
    /// Last day, or none while it stands.
    pub until: Option<Date>,
    /// When somebody last looked.
    pub last_reviewed: Date,
    /// How well it was checked.
    pub confidence: Confidence,
    /// A rule of the house that this one takes the place of.
    pub relaxes: Option<Arc<str>>,
    /// Why.
    pub reason: Option<String>,
    /// The types of practice that it binds; none means all.
    pub practice_type: Vec<Term>,
    /// What it demands.
    pub params: Params,
    /// Its file and line.
    pub place: (Arc<str>, usize),
}

impl LawRule {
    /// Whether it is in force on `day`.
    pub fn in_force(&self, day: Date) -> bool {
        self.effective <= day && self.until.is_none_or(|until| day <= until)
    }

    /// What kind of rule it is.
    pub const fn kind(&self) -> Kind {
        self.params.kind()
    }

    /// How well it was checked, in a word.
    pub const fn standing(&self) -> Standing {
        self.confidence.standing()
    }

    pub(crate) fn refuse(&self, message: &str, remedy: &str) -> PolicyError {
        PolicyError::at(&self.place.0, self.place.1, &self.id, message, remedy)
    }
}

/// One law file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LawFile {
    /// Its name below `guardrails/`.
    pub name: Arc<str>,
    /// The jurisdiction.
    pub jurisdiction: Jurisdiction,
    /// The jurisdiction's name.
    pub title: String,
    /// When somebody last looked at all of it.
    pub last_reviewed: Date,
    /// Who did.
    pub reviewed_by: String,
    /// Short names that citations use.
    pub sources: BTreeMap<String, String>,
    /// For each type of practice, the classes that it belongs to; in the federal file only.
    pub practice_types: BTreeMap<Term, Vec<Term>>,
    /// The rules.
    pub rules: Vec<LawRule>,
    /// The examples.
    pub examples: Vec<Example>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    schema: Spanned<u32>,
    jurisdiction: Spanned<String>,
    title: String,
    #[serde(default)]
    inherits: Vec<String>,
    last_reviewed: Day,
    reviewed_by: Spanned<String>,
    #[serde(default)]
    sources: BTreeMap<String, String>,
    #[serde(default)]
    practice_types: BTreeMap<Term, Vec<Term>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    kind: Kind,
    summary: Spanned<String>,
    basis: Spanned<Basis>,
    cite: Spanned<String>,
    effective: Spanned<Day>,
    until: Option<Spanned<Day>>,
    last_reviewed: Spanned<Day>,
    confidence: Confidence,
    relaxes: Option<Spanned<String>>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    name: Spanned<String>,
    given: Given,
    expect: Expect,
}

/// A place in one file that can be refused.
struct Reader<'i> {
    file: Arc<str>,
    text: &'i str,
}

impl<'i> Reader<'i> {
    fn refuse(&self, offset: usize, rule: &str, message: &str, remedy: &str) -> PolicyError {
        let line = line_of(self.text, offset);
        PolicyError::at(&self.file, line, rule, message, remedy)
    }

    /// Reads a typed value out of a TOML value that knows its place.
    fn read<T: DeserializeOwned>(
        &self,
        value: Spanned<DeValue<'i>>,
        rule: &str,
        remedy: &str,
    ) -> Result<T, PolicyError> {
        let start = value.span().start;
        T::deserialize(ValueDeserializer::from(value)).map_err(|error| {
            let at = error.span().map_or(start, |span| span.start);
            self.refuse(at, rule, error.message(), remedy)
        })
    }
}

/// Reads one file: `name` is its place below `guardrails/`.
pub(crate) fn read(name: &str, text: &str) -> Result<LawFile, PolicyError> {
    let reader = Reader {
        file: name.into(),
        text,
    };
    let document = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        reader.refuse(at, "file", error.message(), "write it as TOML")
    })?;
    let whole = document.span();
    let mut table = document.into_inner();
    let rules = table.remove("rule");
    let examples = table.remove("test");
    let head: RawFile = reader.read(
        Spanned::new(whole, DeValue::Table(table)),
        "file",
        "a file has schema, jurisdiction, title, inherits, last_reviewed, reviewed_by, [sources], \
         [[rule]] and [[test]]",
    )?;
    let jurisdiction = jurisdiction_of(&reader, &head)?;
    let mut file = LawFile {
        name: Arc::clone(&reader.file),
        jurisdiction,
        title: head.title,
        last_reviewed: head.last_reviewed.0,
        reviewed_by: head.reviewed_by.into_inner(),
        sources: head.sources,
        practice_types: head.practice_types,
        rules: Vec::new(),
        examples: Vec::new(),
    };
    for table in tables(&reader, rules, "rule")? {
        file.rules.push(rule(&reader, jurisdiction, table)?);
    }
    for table in tables(&reader, examples, "test")? {
        let start = table.span().start;
        let remedy = "a [[test]] has name, given and expect; docs/law.md lists their keys";
        let raw: RawExample = reader.read(table, "test", remedy)?;
        file.examples.push(Example {
            name: raw.name.into_inner(),
            given: raw.given,
            expect: raw.expect,
            place: (Arc::clone(&reader.file), line_of(text, start)),
        });
    }
    Ok(file)
}

/// Checks the head of a file, and that its name and its jurisdiction agree.
fn jurisdiction_of(reader: &Reader<'_>, head: &RawFile) -> Result<Jurisdiction, PolicyError> {
    if *head.schema.get_ref() != 1 {
        let at = head.schema.span().start;
        return Err(reader.refuse(
            at,
            "schema",
            "this version reads schema 1",
            "write schema = 1",
        ));
    }
    if head.reviewed_by.get_ref().trim().is_empty() {
        let at = head.reviewed_by.span().start;
        let remedy = "name who looked at it, or say that nobody did";
        return Err(reader.refuse(at, "reviewed_by", "it is empty", remedy));
    }
    let at = head.jurisdiction.span().start;
    let spelled = head.jurisdiction.get_ref().as_str();
    let code = match spelled.strip_prefix("US-") {
        None if spelled == "US" => "US",
        Some(code) if code != "US" => code,
        None | Some(_) => "",
    };
    let known = if code.is_empty() {
        None
    } else {
        code.parse::<Jurisdiction>().ok()
    };
    let Some(jurisdiction) = known else {
        let message = "there is no such jurisdiction";
        let remedy =
            "write US for the federal file, or US- and the two-letter code of a state or DC";
        return Err(reader.refuse(at, "jurisdiction", message, remedy));
    };
    let stem = reader.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = stem.trim_end_matches(".toml");
    let in_states = reader.file.contains("states");
    if in_states != (jurisdiction != Jurisdiction::UNKNOWN)
        || (in_states && stem != jurisdiction.as_str())
    {
        let message = format!("the file is named {stem} and its jurisdiction is {spelled}");
        let remedy = "states/XX.toml holds US-XX and nothing else; the federal file lies beside";
        return Err(reader.refuse(at, "jurisdiction", &message, remedy));
    }
    if in_states && head.inherits != ["default"] {
        let remedy = "write inherits = [\"default\"]: every state stands on the federal floor";
        return Err(reader.refuse(0, "inherits", "it does not name the federal floor", remedy));
    }
    Ok(jurisdiction)
}

/// The tables of an array of tables.
fn tables<'i>(
    reader: &Reader<'i>,
    value: Option<Spanned<DeValue<'i>>>,
    what: &str,
) -> Result<Vec<Spanned<DeValue<'i>>>, PolicyError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let at = value.span().start;
    match value.into_inner() {
        DeValue::Array(all) => Ok(all.into_iter().collect()),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => {
            let remedy = format!("write [[{what}]] with two brackets");
            Err(reader.refuse(at, what, "expected a list of tables", &remedy))
        }
    }
}

fn rule<'i>(
    reader: &Reader<'i>,
    jurisdiction: Jurisdiction,
    value: Spanned<DeValue<'i>>,
) -> Result<LawRule, PolicyError> {
    let span = value.span();
    let DeValue::Table(mut table) = value.into_inner() else {
        return Err(reader.refuse(span.start, "rule", "expected a table", "write [[rule]]"));
    };
    let params = table.remove("params");
    let raw: RawRule = reader.read(
        Spanned::new(span.clone(), DeValue::Table(table)),
        "rule",
        "a [[rule]] has id, kind, summary, basis, cite, effective, until, last_reviewed, \
         confidence, relaxes, reason and [rule.params]",
    )?;
    let line = line_of(reader.text, span.start);
    check(reader, &raw)?;
    let id: Arc<str> = raw.id.into_inner().into();
    let Some(params) = params else {
        let remedy = "add [rule.params]; docs/law.md lists them by kind";
        return Err(reader.refuse(span.start, &id, "it has no parameters", remedy));
    };
    let (practice_type, params) = typed(reader, &id, raw.kind, params)?;
    Ok(LawRule {
        id,
        jurisdiction,
        summary: raw.summary.into_inner(),
        basis: raw.basis.into_inner(),
        cite: raw.cite.into_inner(),
        effective: raw.effective.into_inner().0,
        until: raw.until.map(|until| until.into_inner().0),
        last_reviewed: raw.last_reviewed.into_inner().0,
        confidence: raw.confidence,
        relaxes: raw.relaxes.map(|it| it.into_inner().into()),
        reason: raw.reason,
        practice_type,
        params,
        place: (Arc::clone(&reader.file), line),
    })
}

/// What can be said of a rule by itself.
fn check(reader: &Reader<'_>, raw: &RawRule) -> Result<(), PolicyError> {
    let id = raw.id.get_ref().as_str();
    let refuse =
        |at: usize, message: &str, remedy: &str| Err(reader.refuse(at, id, message, remedy));
    let dotted = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    if !id.contains('.') || !id.bytes().all(dotted) {
        let remedy = "write it as `ca.breach.ag`: lower-case words between dots";
        return refuse(raw.id.span().start, "the id is malformed", remedy);
    }
    if raw.cite.get_ref().trim().is_empty() {
        let remedy = "name the section of law, the guidance, or `practice policy`";
        return refuse(raw.cite.span().start, "it has no citation", remedy);
    }
    if raw.summary.get_ref().trim().is_empty() {
        let remedy = "say the rule in one sentence that can be checked against its citation";
        return refuse(raw.summary.span().start, "it has no summary", remedy);
    }
    if let Some(until) = &raw.until
        && until.get_ref() < raw.effective.get_ref()
    {
        let remedy = "`until` is the last day in force; swap the days, or leave it out";
        return refuse(until.span().start, "it ends before it begins", remedy);
    }
    match &raw.relaxes {
        Some(relaxes) if *raw.basis.get_ref() != Basis::Policy => {
            let remedy = "law needs no `relaxes`: the strictest of all that apply wins by itself";
            refuse(
                relaxes.span().start,
                "only a rule of the house may relax",
                remedy,
            )
        }
        Some(relaxes) if raw.reason.as_ref().is_none_or(|it| it.trim().is_empty()) => {
            let remedy = "add `reason`: whoever reads the audit will ask for it";
            refuse(
                relaxes.span().start,
                "it relaxes a rule and gives no reason",
                remedy,
            )
        }
        Some(_) | None => Ok(()),
    }
}

/// The typed parameters of a kind, and the practice types, which every kind may name.
fn typed<'i>(
    reader: &Reader<'i>,
    id: &str,
    kind: Kind,
    value: Spanned<DeValue<'i>>,
) -> Result<(Vec<Term>, Params), PolicyError> {
    let remedy = format!("docs/law.md lists what `{kind}` takes");
    let span = value.span();
    let DeValue::Table(mut table) = value.into_inner() else {
        return Err(reader.refuse(span.start, id, "params is no table", &remedy));
    };
    let practice_type = match table.remove("practice_type") {
        Some(types) => reader.read(types, id, "write practice_type = [\"clinic\"]")?,
        None => Vec::new(),
    };
    let value = Spanned::new(span, DeValue::Table(table));
    let r = reader;
    let params = match kind {
        Kind::Consent => Params::Consent(r.read(value, id, &remedy)?),
        Kind::OptOut => Params::OptOut(r.read(value, id, &remedy)?),
        Kind::OptOutScope => Params::OptOutScope(r.read(value, id, &remedy)?),
        Kind::SendWindow => Params::SendWindow(r.read(value, id, &remedy)?),
        Kind::FrequencyCap => Params::FrequencyCap(r.read(value, id, &remedy)?),
        Kind::ContentBlock => Params::ContentBlock(r.read(value, id, &remedy)?),
        Kind::ProhibitAi => Params::ProhibitAi(r.read(value, id, &remedy)?),
        Kind::Disclosure => Params::Disclosure(r.read(value, id, &remedy)?),
        Kind::Authorization => Params::Authorization(r.read(value, id, &remedy)?),
        Kind::Deadline => Params::Deadline(r.read(value, id, &remedy)?),
        Kind::Retention => Params::Retention(r.read(value, id, &remedy)?),
        Kind::DataResidency => Params::DataResidency(r.read(value, id, &remedy)?),
        Kind::Route => Params::Route(r.read(value, id, &remedy)?),
        Kind::Language => Params::Language(r.read(value, id, &remedy)?),
        Kind::Workforce => Params::Workforce(r.read(value, id, &remedy)?),
        Kind::Status => Params::Status(r.read(value, id, &remedy)?),
        Kind::Exemption => Params::Exemption(r.read(value, id, &remedy)?),
    };
    Ok((practice_type, params))
}
