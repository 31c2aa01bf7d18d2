//! The parameters of the rules about papers, clocks and the house; see `params` for the others.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::policy::law::params::{Span, Term};
use crate::policy::law::terms::{Class, Event, From, Recipient, Unit};

/// What a signed authorization must hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorization {
    /// How it may be signed; none means that the rule does not say.
    #[serde(default)]
    pub channels_allowed: Vec<Term>,
    /// What it must say.
    #[serde(default)]
    pub elements: Vec<Term>,
    /// Which information it is about; none means all.
    #[serde(default)]
    pub about: Vec<Class>,
    /// Smallest type.
    pub min_point_size: Option<u16>,
    /// Whether it stands apart on its page.
    #[serde(default)]
    pub separate_page_block: bool,
    /// Whether the signature serves nothing else.
    #[serde(default)]
    pub signature_sole_purpose: bool,
    /// Longest validity.
    pub max_validity_days: Option<u16>,
    /// From which age a minor signs.
    pub minor_signs_from: Option<u8>,
    /// Where notice of it is posted.
    #[serde(default)]
    pub notice: Vec<Term>,
    /// Whether each disclosure needs its own.
    #[serde(default)]
    pub per_disclosure: bool,
    /// What needs none.
    #[serde(default)]
    pub exempt: Vec<Term>,
    /// The form to use.
    pub form: Option<String>,
    /// A notice that goes with what is disclosed.
    pub attach_on_disclosure: Option<Term>,
}

/// More time, under conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// How much more, in the unit of the deadline.
    pub n: u16,
    /// How often.
    pub max: u16,
    /// What it takes.
    pub needs: Term,
}

/// By when something must be done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// What starts it.
    pub event: Event,
    /// Toward whom; the person when not named.
    #[serde(default = "individual")]
    pub recipient: Recipient,
    /// Who else is told by then.
    #[serde(default)]
    pub also: Vec<Term>,
    /// From how many residents on; 1 when not named.
    pub threshold: Option<u32>,
    /// How many; none means without unreasonable delay, with no number of its own.
    pub n: Option<u16>,
    /// Of what.
    #[serde(default = "calendar_day")]
    pub unit: Unit,
    /// From when; discovery of a breach or receipt of a request when not named.
    pub from: Option<From>,
    /// More time.
    pub extension: Option<Extension>,
    /// A shorter one for reading the record on the spot.
    pub inspect: Option<Span>,
    /// What happens below the threshold.
    pub below_threshold: Option<Term>,
    /// How far back it reaches.
    pub lookback_years: Option<u16>,
    /// How notice is given; a text is never among them.
    #[serde(default)]
    pub notice_channels: Vec<Term>,
    /// What the notice must or may not hold.
    #[serde(default)]
    pub notice: Vec<Term>,
}

const fn individual() -> Recipient {
    Recipient::Individual
}

const fn calendar_day() -> Unit {
    Unit::CalendarDay
}

/// How long records are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Which records.
    pub record: Vec<Term>,
    /// How many years.
    pub years: u16,
    /// From when.
    pub from: Option<Term>,
    /// For minors, at least until this age.
    pub minor_until_age: Option<u8>,
}

/// In which countries data may lie.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataResidency {
    /// Two-letter codes; `US-territories` for the territories.
    pub countries: Vec<String>,
    /// Which data.
    pub applies_to: Vec<Term>,
}

/// What leaves the model's path at once, and which fixed text answers it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Topic to fixed text.
    pub topics: BTreeMap<Term, Term>,
    /// How topics are found.
    pub method: Option<Term>,
    /// Whether staff are paged.
    #[serde(default)]
    pub page_staff: bool,
    /// Whether the text leaves at night.
    #[serde(default)]
    pub ignores_quiet_hours: bool,
    /// Whether STOP keeps the text here.
    #[serde(default)]
    pub blocked_by_opt_out: bool,
}

/// What must be translated by people.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// Content that leaves as an approved text only.
    #[serde(default)]
    pub approved_texts_only_for: Vec<Term>,
    /// Languages that the model may write freely.
    #[serde(default)]
    pub free_text_languages: Vec<String>,
    /// What happens otherwise.
    pub otherwise: Option<Term>,
}

/// What the practice's staff must have done.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workforce {
    /// How soon after hiring.
    pub within_days: u16,
    /// How long the proof is kept.
    pub record_years: u16,
}

/// A statement about the jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// Looked at, and nothing found beyond the federal floor.
    #[serde(default)]
    pub nothing_beyond_federal: bool,
    /// What the vendor counts as.
    pub vendor_is: Option<Term>,
    /// What was looked at.
    #[serde(default)]
    pub looked_at: Vec<Term>,
    /// What could not be settled.
    #[serde(default)]
    pub open_questions: Vec<String>,
    /// What else it lays on the practice, in a word each.
    #[serde(default)]
    pub duties: Vec<Term>,
}

/// A permission that the law gives under conditions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// Whether it is used.
    pub enabled: bool,
    /// The conditions.
    #[serde(default)]
    pub requires: Vec<Term>,
    /// Longest text.
    pub max_chars: Option<u16>,
    /// Texts a day.
    pub max_per_day: Option<u16>,
    /// Texts a week.
    pub max_per_week: Option<u16>,
}
