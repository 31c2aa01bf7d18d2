//! Assertions: what a case says of its outcome, parsed and checked against each other at load.

use std::mem::discriminant;

use regex::Regex;
use serde_json::Value;

use crate::eval::suite::{AssertFile, Level};
use crate::guardrail::finding::{Category, Verdict};
use crate::policy::words::Language;
use crate::screen::Intent;

/// One assertion of a case.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// As it was written, `not-` included.
    pub name: String,
    /// Holds when the check does not.
    pub negated: bool,
    /// What is checked.
    pub check: Check,
    /// Its share of the case's score.
    pub weight: f64,
}

/// What is checked.
#[derive(Clone, Debug)]
pub enum Check {
    /// The output is exactly this.
    Equals(String),
    /// The output contains this.
    Contains(String),
    /// The same, whatever the case.
    IContains(String),
    /// The output contains one of these.
    ContainsAny(Vec<String>),
    /// The output contains all of these.
    ContainsAll(Vec<String>),
    /// The output begins with this.
    StartsWith(String),
    /// The output matches.
    Matches(Box<Regex>),
    /// The output is JSON.
    IsJson,
    /// The output is at most this many edits away from the text.
    Levenshtein(String, usize),
    /// Without consent the output could leave as it stands: it tells nothing of the person.
    PhiFree,
    /// The output tells nothing of these categories.
    CategoryAbsent(Vec<Category>),
    /// One of these categories was found in the text or draft.
    CategoryFound(Vec<Category>),
    /// What leaves is no more than its purpose needs: a second review lets it pass unchanged.
    MinNecessary,
    /// Nothing of the person leaves before consent.
    ConsentRequired,
    /// No date, time, person, place or contact in the output lacks a fact.
    Grounded,
    /// No "booked" or "we will call you" in the output lacks a receipt.
    ClaimsBacked,
    /// What was cut is behind the portal link, and the link is in the text.
    LinkReplaced,
    /// The guardrail's verdict.
    Verdict(Verdict),
    /// At most this many segments a text.
    Segments(usize),
    /// The language of the output.
    Language(Language),
    /// At most this school grade (Flesch-Kincaid; Crawford for Spanish).
    ReadingGrade(f64),
    /// Staff take over.
    Handoff,
    /// Nothing leaves.
    NoSend,
    /// Exactly one text leaves.
    SentOnce,
    /// These rules fired.
    RuleFired(Vec<String>),
    /// The model was not shown any of these.
    ModelSawNo(Vec<String>),
    /// At most this many milliseconds.
    Latency(f64),
    /// The audit log has an entry of this action.
    AuditHas(String),
    /// This stretch of the text is touched by a finding, of this category if one is named.
    Finds(String, Option<Category>),
    /// Nothing is found in the text.
    NothingFound,
    /// What the inbound text asks for; one of these.
    Intent(Vec<Intent>),
    /// Whether it tries to give orders.
    Injection(bool),
    /// A model agrees that the output meets this description, in most of its repeats.
    Judged(String),
}

/// Longest pattern; longer ones are no assertion any more.
const PATTERN_CHARS_MAX: usize = 1_000;
/// Edits that `levenshtein` allows without a threshold, as in promptfoo.
const EDITS: usize = 5;

/// The assertions there are, with what they take; told to whoever misspells one.
pub const KINDS: &[&str] = &[
    "equals",
    "contains",
    "icontains",
    "contains-any",
    "contains-all",
    "starts-with",
    "regex",
    "is-json",
    "levenshtein",
    "phi-free",
    "category-absent",
    "category-found",
    "min-necessary",
    "consent-required",
    "grounded",
    "claims-backed",
    "link-replaced",
    "verdict",
    "segments<=",
    "language",
    "reading-grade<=",
    "handoff",
    "no-send",
    "sent-once",
    "rule-fired",
    "model-saw-no",
    "latency<=",
    "audit-has",
    "finds",
    "nothing-found",
    "intent",
    "injection",
    "llm-rubric",
];

impl Assertion {
    /// Reads one assertion of a suite at `level`; an error says what to write instead.
    pub(crate) fn parse(file: &AssertFile, level: Level) -> Result<Self, String> {
        let (negated, kind) = match file.kind.strip_prefix("not-") {
            Some(kind) => (true, kind),
            None => (false, file.kind.as_str()),
        };
        if kind == "javascript" || kind == "python" {
            return Err(format!(
                "`{kind}` runs code, and suites are data: use regex, contains or one of ours"
            ));
        }
        let check = parse_check(kind, file)?;
        if !check.applies(level) {
            return Err(format!(
                "`{kind}` says nothing at the level `{level}`; it belongs to {}",
                check
                    .levels()
                    .iter()
                    .map(|it| it.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ));
        }
        let weight = file.weight.unwrap_or(1.0);
        if !(weight.is_finite() && weight > 0.0) {
            return Err(format!("`{kind}`: weight must be above 0"));
        }
        Ok(Self {
            name: file.kind.clone(),
            negated,
            check,
            weight,
        })
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "any other JSON is refused")]
fn parse_check(kind: &str, file: &AssertFile) -> Result<Check, String> {
    let value = &file.value;
    let text = || text(kind, value);
    Ok(match kind {
        "equals" => Check::Equals(text()?),
        "contains" => Check::Contains(text()?),
        "icontains" => Check::IContains(text()?.to_lowercase()),
        "contains-any" => Check::ContainsAny(texts(kind, value)?),
        "contains-all" => Check::ContainsAll(texts(kind, value)?),
        "starts-with" => Check::StartsWith(text()?),
        "regex" => Check::Matches(Box::new(pattern(&text()?)?)),
        "is-json" => bare(kind, value, Check::IsJson)?,
        "levenshtein" => {
            let edits = file.threshold.map_or(Ok(EDITS), |it| whole(kind, it))?;
            Check::Levenshtein(text()?, edits)
        }
        "phi-free" => bare(kind, value, Check::PhiFree)?,
        "category-absent" => Check::CategoryAbsent(words(kind, value)?),
        "category-found" => Check::CategoryFound(words(kind, value)?),
        "min-necessary" => bare(kind, value, Check::MinNecessary)?,
        "consent-required" => bare(kind, value, Check::ConsentRequired)?,
        "grounded" => bare(kind, value, Check::Grounded)?,
        "claims-backed" => bare(kind, value, Check::ClaimsBacked)?,
        "link-replaced" => bare(kind, value, Check::LinkReplaced)?,
        "verdict" => Check::Verdict(word(kind, value)?),
        "segments<=" => Check::Segments(whole(kind, number(kind, file)?)?),
        "language" => Check::Language(word(kind, value)?),
        "reading-grade<=" => Check::ReadingGrade(number(kind, file)?),
        "handoff" => bare(kind, value, Check::Handoff)?,
        "no-send" => bare(kind, value, Check::NoSend)?,
        "sent-once" => bare(kind, value, Check::SentOnce)?,
        "rule-fired" => Check::RuleFired(texts(kind, value)?),
        "model-saw-no" => Check::ModelSawNo(texts(kind, value)?),
        "latency<=" => Check::Latency(number(kind, file)?),
        "audit-has" => Check::AuditHas(text()?),
        "finds" => finds(value)?,
        "nothing-found" => bare(kind, value, Check::NothingFound)?,
        "intent" => {
            let all = texts(kind, value)?;
            let all = all
                .iter()
                .map(|it| it.parse().map_err(|error| format!("`{kind}`: {error}")));
            Check::Intent(all.collect::<Result<_, String>>()?)
        }
        "injection" => match value {
            Value::Null => Check::Injection(true),
            Value::Bool(flag) => Check::Injection(*flag),
            _ => return Err("`injection`: value is true or false".to_owned()),
        },
        "llm-rubric" => Check::Judged(text()?),
        other => return Err(unknown(other)),
    })
}

fn unknown(kind: &str) -> String {
    let near = KINDS
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, kind), known))
        .min()
        .filter(|(edits, _)| *edits <= 4);
    match near {
        Some((_, known)) => format!("no assertion is called `{kind}`; did you mean `{known}`?"),
        None => format!(
            "no assertion is called `{kind}`; there are {}",
            KINDS.join(", ")
        ),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "any other JSON is refused")]
fn text(kind: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("`{kind}` needs a text as its value")),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "anything else is one text")]
fn texts(kind: &str, value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(|it| text(kind, it)).collect(),
        _ => text(kind, value).map(|one| vec![one]),
    }
}

fn word<T: std::str::FromStr<Err = crate::policy::words::UnknownWord>>(
    kind: &str,
    value: &Value,
) -> Result<T, String> {
    text(kind, value)?
        .parse()
        .map_err(|error| format!("`{kind}`: {error}"))
}

fn words(kind: &str, value: &Value) -> Result<Vec<Category>, String> {
    let all = texts(kind, value)?;
    all.iter()
        .map(|it| it.parse().map_err(|error| format!("`{kind}`: {error}")))
        .collect()
}

fn number(kind: &str, file: &AssertFile) -> Result<f64, String> {
    let given = file.threshold.or_else(|| file.value.as_f64());
    given
        .filter(|it| it.is_finite() && *it >= 0.0)
        .ok_or_else(|| format!("`{kind}` needs a number as its value"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a whole number in range"
)]
fn whole(kind: &str, number: f64) -> Result<usize, String> {
    if number.fract() == 0.0 && (0.0..=1e6).contains(&number) {
        return Ok(number as usize);
    }
    Err(format!("`{kind}` needs a whole number"))
}

fn bare(kind: &str, value: &Value, check: Check) -> Result<Check, String> {
    if value.is_null() || *value == Value::Bool(true) {
        return Ok(check);
    }
    Err(format!(
        "`{kind}` takes no value; for the opposite write `not-{kind}`"
    ))
}

fn pattern(text: &str) -> Result<Regex, String> {
    if text.chars().count() > PATTERN_CHARS_MAX {
        return Err(format!(
            "`regex`: longer than {PATTERN_CHARS_MAX} characters"
        ));
    }
    Regex::new(text).map_err(|error| {
        let last = error.to_string();
        format!(
            "`regex`: {}",
            last.lines().last().unwrap_or("not a pattern")
        )
    })
}

fn finds(value: &Value) -> Result<Check, String> {
    if let Value::Object(map) = value {
        let known = map.keys().all(|key| key == "text" || key == "category");
        let category = match map.get("category") {
            Some(name) => Some(word("finds", name)?),
            None => None,
        };
        if let (true, Some(stretch)) = (known, map.get("text")) {
            return Ok(Check::Finds(text("finds", stretch)?, category));
        }
        return Err("`finds` takes a text, or {text, category}".to_owned());
    }
    Ok(Check::Finds(text("finds", value)?, None))
}

const ALL: &[Level] = Level::ALL;
const OUT: &[Level] = &[Level::Guardrail, Level::Conversation, Level::Prompt];

impl Check {
    /// The levels at which it says something.
    fn levels(&self) -> &'static [Level] {
        match self {
            Self::Equals(_)
            | Self::Contains(_)
            | Self::IContains(_)
            | Self::ContainsAny(_)
            | Self::ContainsAll(_)
            | Self::StartsWith(_)
            | Self::Matches(_)
            | Self::IsJson
            | Self::Levenshtein(..)
            | Self::Latency(_) => ALL,
            Self::PhiFree
            | Self::CategoryAbsent(_)
            | Self::ConsentRequired
            | Self::Segments(_)
            | Self::ReadingGrade(_)
            | Self::Handoff
            | Self::NoSend => OUT,
            Self::CategoryFound(_) | Self::Finds(..) | Self::NothingFound => {
                &[Level::Detect, Level::Guardrail, Level::Prompt]
            }
            Self::RuleFired(_) => &[Level::Screen, Level::Guardrail, Level::Prompt],
            Self::Language(_) => &[
                Level::Screen,
                Level::Guardrail,
                Level::Conversation,
                Level::Prompt,
            ],
            Self::SentOnce | Self::AuditHas(_) | Self::ModelSawNo(_) => &[Level::Conversation],
            // A story's texts were grounded in what its tools gave, which is gone by then.
            // A story has many drafts; what became of each shows in the texts that left.
            Self::MinNecessary
            | Self::Grounded
            | Self::ClaimsBacked
            | Self::LinkReplaced
            | Self::Verdict(_) => &[Level::Guardrail, Level::Prompt],
            Self::Intent(_) | Self::Injection(_) => &[Level::Screen],
            Self::Judged(_) => &[Level::Conversation, Level::Prompt],
        }
    }

    fn applies(&self, level: Level) -> bool {
        self.levels().contains(&level)
    }

    /// Whether the two can never hold together when both are asserted.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Verdict(a), Self::Verdict(b)) => a != b,
            (Self::Equals(a), Self::Equals(b)) => a != b,
            (Self::Intent(a), Self::Intent(b)) => a.iter().all(|it| !b.contains(it)),
            (Self::Injection(a), Self::Injection(b)) => a != b,
            (Self::Language(a), Self::Language(b)) => a != b,
            (Self::Equals(whole), Self::Contains(part))
            | (Self::Contains(part), Self::Equals(whole)) => !whole.contains(part.as_str()),
            (Self::NothingFound, other) | (other, Self::NothingFound) => {
                matches!(other, Self::Finds(..) | Self::CategoryFound(_))
            }
            (Self::NoSend | Self::Verdict(Verdict::Hold), sent)
            | (sent, Self::NoSend | Self::Verdict(Verdict::Hold)) => sent.needs_a_text(),
            (Self::Verdict(Verdict::Pass), other) | (other, Self::Verdict(Verdict::Pass)) => {
                matches!(other, Self::LinkReplaced | Self::Handoff)
            }
            _ => false,
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others also hold of silence"
    )]
    fn needs_a_text(&self) -> bool {
        match self {
            Self::Contains(_)
            | Self::IContains(_)
            | Self::ContainsAny(_)
            | Self::ContainsAll(_)
            | Self::StartsWith(_)
            | Self::IsJson
            | Self::LinkReplaced
            | Self::SentOnce
            | Self::Language(_)
            | Self::Verdict(Verdict::Pass | Verdict::Rewrite) => true,
            Self::Equals(text) => !text.is_empty(),
            _ => false,
        }
    }

    fn same(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other) && format!("{self:?}") == format!("{other:?}")
    }
}

/// Two assertions of one case that can never hold together, if there are any.
pub(crate) fn contradiction(all: &[Assertion]) -> Option<(&str, &str)> {
    for (at, one) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1) {
            let clash = match (one.negated, other.negated) {
                (false, false) => one.check.excludes(&other.check),
                (true, true) => false,
                _ => one.check.same(&other.check),
            };
            if clash {
                return Some((&one.name, &other.name));
            }
        }
    }
    None
}
