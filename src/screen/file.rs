//! The shape of the rule files of the way in; unknown keys are refused.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::policy::words::Language;
use crate::screen::rules::Kind;

/// One file of rules.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) schema: u32,
    #[expect(dead_code, reason = "read by people and checked for its shape")]
    title: String,
    #[expect(dead_code, reason = "read by people and checked for its shape")]
    last_reviewed: toml::value::Datetime,
    #[serde(default)]
    pub(super) groups: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) spelling: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) polite: String,
    /// Ordinary words that are never taken for a slip of a word of a rule.
    #[serde(default)]
    pub(super) real: String,
    #[serde(default)]
    pub(super) language: BTreeMap<Language, String>,
    #[serde(default)]
    pub(super) guard: Vec<GuardEntry>,
    #[serde(default)]
    pub(super) rule: Vec<RuleEntry>,
}

/// Where a guard looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// Just before the phrase, in its clause, with nothing but `fillers` between.
    Before,
    /// After the phrase, in its sentence.
    After,
    /// Near the phrase, in its sentence.
    Near,
}

/// The language of a phrase. Patients mix the two, so most words of safety are written once for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tongue {
    /// English.
    En,
    /// Spanish.
    Es,
    /// Groups of words of both.
    Both,
}

/// What takes the alarm out of a phrase.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardEntry {
    pub(super) id: String,
    #[expect(dead_code, reason = "read by people and checked for its shape")]
    summary: String,
    pub(super) place: Place,
    pub(super) phrases: Vec<String>,
    #[serde(default)]
    pub(super) except: Vec<String>,
    #[serde(default)]
    pub(super) lifted_by: Vec<String>,
    #[serde(default)]
    pub(super) fillers: String,
    /// How many words may lie between the guard and the phrase.
    pub(super) within: Option<usize>,
}

/// One rule with its phrases and examples.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) summary: String,
    pub(super) basis: String,
    pub(super) cite: String,
    #[serde(default)]
    pub(super) whole: BTreeMap<Tongue, Vec<String>>,
    #[serde(default)]
    pub(super) phrases: BTreeMap<Tongue, Vec<String>>,
    #[serde(default)]
    pub(super) markers: Vec<String>,
    #[serde(default)]
    pub(super) guards: Vec<String>,
    #[serde(default)]
    pub(super) unless: Vec<String>,
    /// Phrases whose words cannot be part of a finding of this rule: `blood pressure` is no blood.
    #[serde(default)]
    pub(super) aside: Vec<String>,
    #[serde(default)]
    pub(super) bare: bool,
    pub(super) value: Option<u8>,
    pub(super) flags: Vec<String>,
    pub(super) allows: Vec<String>,
}
