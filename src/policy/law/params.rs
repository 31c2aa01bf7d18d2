//! The parameters of each kind of rule, typed; an unknown key is refused at load.

use std::collections::BTreeMap;

use jiff::civil::Time;
use serde::Deserialize;

pub use crate::policy::law::papers::{
    Authorization, DataResidency, Deadline, Exemption, Extension, Language, Retention, Route,
    Status, Workforce,
};
use crate::policy::law::terms::{
    Act, Class, ClockOf, ConsentName, Content, Element, Instead, Kind, LogisticsMode, MessageClass,
    OnMissing, Scope, ShutOn, Support, Surface, Unit, Writer,
};

/// A word of lower-case letters, digits and underscores: a name that people agree on and no code
/// reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Term(String);

impl Term {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Term {
    type Error = &'static str;

    fn try_from(word: String) -> Result<Self, Self::Error> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if word.is_empty() || word.len() > 64 || !word.bytes().all(fits) {
            return Err("expected a word of lower-case letters, digits and underscores");
        }
        Ok(Self(word))
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a rule demands, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each variant carries the struct of its kind, which says it"
)]
pub enum Params {
    Consent(Consent),
    OptOut(OptOut),
    OptOutScope(OptOutScope),
    SendWindow(SendWindow),
    FrequencyCap(FrequencyCap),
    ContentBlock(ContentBlock),
    ProhibitAi(ProhibitAi),
    Disclosure(Disclosure),
    Authorization(Authorization),
    Deadline(Deadline),
    Retention(Retention),
    DataResidency(DataResidency),
    Route(Route),
    Language(Language),
    Workforce(Workforce),
    Status(Status),
    Exemption(Exemption),
}

impl Params {
    /// The kind that these belong to.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Consent(_) => Kind::Consent,
            Self::OptOut(_) => Kind::OptOut,
            Self::OptOutScope(_) => Kind::OptOutScope,
            Self::SendWindow(_) => Kind::SendWindow,
            Self::FrequencyCap(_) => Kind::FrequencyCap,
            Self::ContentBlock(_) => Kind::ContentBlock,
            Self::ProhibitAi(_) => Kind::ProhibitAi,
            Self::Disclosure(_) => Kind::Disclosure,
            Self::Authorization(_) => Kind::Authorization,
            Self::Deadline(_) => Kind::Deadline,
            Self::Retention(_) => Kind::Retention,
            Self::DataResidency(_) => Kind::DataResidency,
            Self::Route(_) => Kind::Route,
            Self::Language(_) => Kind::Language,
            Self::Workforce(_) => Kind::Workforce,
            Self::Status(_) => Kind::Status,
            Self::Exemption(_) => Kind::Exemption,
        }
    }

    /// The fixed texts that the rule names.
    pub fn text_ids(&self) -> Vec<&Term> {
        match self {
            Self::Consent(it) => it.text_id.iter().collect(),
            Self::OptOut(it) => it.confirm.iter().map(|confirm| &confirm.text_id).collect(),
            Self::ContentBlock(it) => it.attach_on_disclosure.iter().collect(),
            Self::Disclosure(it) => it.text_id.iter().collect(),
            Self::Route(it) => it.topics.values().collect(),
            Self::OptOutScope(_)
            | Self::SendWindow(_)
            | Self::FrequencyCap(_)
            | Self::ProhibitAi(_)
            | Self::Authorization(_)
            | Self::Deadline(_)
            | Self::Retention(_)
            | Self::DataResidency(_)
            | Self::Language(_)
            | Self::Workforce(_)
            | Self::Status(_)
            | Self::Exemption(_) => Vec::new(),
        }
    }
}

/// A consent that must be on record before something happens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Which one.
    pub consent: ConsentName,
    /// The fixed text that asks.
    pub text_id: Option<Term>,
    /// What the text that asks must say.
    #[serde(default)]
    pub elements: Vec<Term>,
    /// What is kept of it.
    #[serde(default)]
    pub proof: Vec<Term>,
    /// What counts as giving it.
    #[serde(default)]
    pub satisfied_by: Vec<Term>,
    /// Words that give it by text.
    #[serde(default)]
    pub affirm: Vec<String>,
    /// Days until it must be asked again.
    pub expires_days: Option<u16>,
    /// What ends it.
    #[serde(default)]
    pub revoked_by: Vec<Term>,
    /// The form it must have.
    pub form: Option<Term>,
    /// What its absence does.
    pub on_missing: OnMissing,
    /// Whom it protects, when not everybody.
    #[serde(default)]
    pub applies_to: Vec<Term>,
    /// What is outside of it.
    #[serde(default)]
    pub exempt: Vec<Term>,
}

/// A number of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// How many.
    pub n: u16,
    /// Of what.
    pub unit: Unit,
}

/// What revokes consent, and how fast it acts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptOut {
    /// English words that revoke by themselves.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Spanish ones.
    #[serde(default)]
    pub keywords_es: Vec<String>,
    /// Whether free words revoke too.
    #[serde(default)]
    pub free_text: bool,
    /// How soon it acts here.
    pub act_within_seconds: Option<u32>,
    /// How soon the law wants it.
    pub law_deadline: Option<Span>,
    /// The one confirmation.
    pub confirm: Option<Confirm>,
    /// For how many years it is honored.
    pub honored_years: Option<u16>,
}

/// The confirmation of a revocation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The fixed text.
    pub text_id: Term,
    /// How many may be sent.
    pub max: u16,
    /// How soon it must leave.
    pub within_seconds: u32,
    /// Whether it may sell.
    #[serde(default)]
    pub marketing: bool,
}

/// How far one revocation reaches.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptOutScope {
    /// How far.
    pub scope: Scope,
}

/// From and to, on the clock of a day; `close` is the first minute that is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// First minute.
    pub open: Clock,
    /// First minute that is shut; `24:00` for the end of the day.
    pub close: Clock,
}

/// A time of day, `HH:MM`, as minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Clock(pub u16);

impl TryFrom<String> for Clock {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "24:00" {
            return Ok(Self(24 * 60));
        }
        let time = Time::strptime("%H:%M", &text).ok();
        let minutes = time.and_then(|time| {
            let hour = u16::try_from(time.hour()).ok()?;
            Some(hour * 60 + u16::try_from(time.minute()).ok()?)
        });
        minutes
            .map(Self)
            .ok_or("expected a time of day such as \"08:00\"")
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// The hours in which a class of texts may leave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendWindow {
    /// First minute.
    pub open: Clock,
    /// First minute that is shut.
    pub close: Clock,
    /// Other hours on Saturdays.
    pub saturday: Option<Hours>,
    /// Other hours on Sundays.
    pub sunday: Option<Hours>,
    /// Days without any hours.
    #[serde(default)]
    pub closed_on: Vec<ShutOn>,
    /// Whose clock.
    pub clock: ClockOf,
    /// Which texts.
    pub applies_to: Vec<MessageClass>,
    /// Which texts never wait for it.
    #[serde(default)]
    pub never_delays: Vec<MessageClass>,
}

/// How many texts of a class may leave in a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCap {
    /// How many.
    pub max: u16,
    /// In how many hours.
    pub per_hours: u16,
    /// Counted by: `subject`, `number`, ...
    pub key: Term,
    /// Which texts.
    pub applies_to: Vec<MessageClass>,
}

/// What never leaves by a channel.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentBlock {
    /// Which channels.
    pub channel: Vec<Surface>,
    /// Whose texts; none means everybody's.
    #[serde(default)]
    pub author: Vec<Writer>,
    /// What is kept away.
    #[serde(default)]
    pub never: Vec<Class>,
    /// From whom it is kept, besides.
    #[serde(default)]
    pub never_to: Vec<Term>,
    /// What becomes of it.
    pub instead: Option<Instead>,
    /// For each task of the model, the fields that it may see.
    #[serde(default)]
    pub allow_by_task: BTreeMap<Term, Vec<Term>>,
    /// A notice that goes with a disclosure that is allowed.
    pub attach_on_disclosure: Option<Term>,
    /// Words that the class is known by.
    #[serde(default)]
    pub lexicon: Vec<String>,
    /// Where those words count.
    pub lexicon_scope: Option<Term>,
    /// From which age minors control this part of their record.
    #[serde(default)]
    pub minor_controls: BTreeMap<Term, u8>,
}

/// What an AI may not do at these practices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProhibitAi {
    /// What is barred.
    pub acts: Vec<Act>,
    /// What stays allowed.
    #[serde(default)]
    pub allow: Vec<Support>,
    /// How logistics are written.
    pub logistics_mode: Option<LogisticsMode>,
    /// How crises are found: by rules, never by reading emotions.
    pub safety_screen: Option<Term>,
    /// The most that one violation costs, in dollars.
    pub penalty_max_usd: Option<u32>,
}

/// When something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Moment {
    /// With the first text of a session.
    SessionStart,
    /// When somebody asks.
    OnAsk,
    /// With each text.
    EveryMessage,
    /// In a live session, after this many hours.
    EveryHours(u8),
    /// Before the first service.
    BeforeFirstService,
    /// Before a result.
    BeforeResult,
    /// Before a decision about the patient.
    BeforeDecision,
}

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if let Some(hours) = text.strip_prefix("every_hours:") {
            return match hours.parse() {
                Ok(hours @ 1..=24) => Ok(Self::EveryHours(hours)),
                Ok(_) | Err(_) => Err("expected `every_hours:N` with N from 1 to 24"),
            };
        }
        Ok(match text.as_str() {
            "session_start" => Self::SessionStart,
            "on_ask" => Self::OnAsk,
            "every_message" => Self::EveryMessage,
            "before_first_service" => Self::BeforeFirstService,
            "before_result" => Self::BeforeResult,
            "before_decision" => Self::BeforeDecision,
            _ => {
                return Err(
                    "expected `session_start`, `on_ask`, `every_message`, `every_hours:N`, \
                     `before_first_service`, `before_result` or `before_decision`",
                );
            }
        })
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SessionStart => "session start",
            Self::OnAsk => "when asked",
            Self::EveryMessage => "every message",
            Self::EveryHours(1) => "every hour of a live session",
            Self::EveryHours(hours) => {
                return write!(f, "every {hours} hours of a live session");
            }
            Self::BeforeFirstService => "before the first service",
            Self::BeforeResult => "before a result",
            Self::BeforeDecision => "before a decision",
        })
    }
}

/// What the patient must be told, and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// What is told.
    pub element: Element,
    /// Of which texts; none means all.
    #[serde(default)]
    pub content: Vec<Content>,
    /// When, to adults.
    pub when: Vec<Moment>,
    /// When, to minors; none means as to adults.
    #[serde(default)]
    pub when_minor: Vec<Moment>,
    /// Hours of silence after which a text begins a new session.
    pub session_gap_hours: Option<u16>,
    /// The fixed text that tells it.
    pub text_id: Option<Term>,
    /// What makes it needless.
    #[serde(default)]
    pub exempt_if: Vec<Term>,
    /// What must be kept for the exemption to count.
    #[serde(default)]
    pub exempt_needs_record: Vec<Term>,
    /// Whether a claim to be human is forbidden.
    #[serde(default)]
    pub deny_human_claim: bool,
    /// Phrases by which somebody asks who writes: lower case, without accents.
    #[serde(default)]
    pub asked: Vec<String>,
    /// What is kept of the telling.
    #[serde(default)]
    pub record: Vec<Term>,
    /// What must be published.
    #[serde(default)]
    pub publish: Vec<Term>,
}
