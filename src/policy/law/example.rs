//! Examples beside the rules: what is given, and what the rules must come to.

use std::sync::Arc;

use serde::Deserialize;

use crate::policy::law::file::Day;
use crate::policy::law::params::{Clock, Term};
use crate::policy::law::terms::{
    Act, Class, ConsentName, Content, Event, From, MessageClass, Recipient, Surface, Writer,
};
use crate::policy::words::{Jurisdiction, vocabulary};

/// A named example of a law file; each is run at load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The setting.
    pub given: Given,
    /// The outcome.
    pub expect: Expect,
    /// Its file and line.
    pub place: (Arc<str>, usize),
}

vocabulary! {
    /// What the rules come to, mildest first.
    Decision, "decision" {
        /// May go as it is.
        Pass = "pass",
        /// Goes with something added or left out.
        Modify = "modify",
        /// Goes without health information: behind a link.
        Downgrade = "downgrade",
        /// A person answers.
        Handoff = "handoff",
        /// Does not go.
        Block = "block",
    }
}

/// The setting of an example. What is not given is not known, and not known is the strictest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// The patient's state of residence.
    pub state: Option<Jurisdiction>,
    /// The day; the day on which the file was reviewed when not given.
    pub(crate) date: Option<Day>,
    /// The practice's type.
    pub practice_type: Option<Term>,
    /// How the text leaves; `sms` when not given.
    pub channel: Option<Surface>,
    /// Who wrote it; `ai` when not given.
    pub author: Option<Writer>,
    /// What it is about.
    #[serde(default)]
    pub content: Vec<Content>,
    /// What it holds.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// Consents on record; not looked at when not given.
    pub consents: Option<Vec<ConsentName>>,
    /// What an AI is about to do.
    #[serde(default)]
    pub acts: Vec<Act>,
    /// How an authorization to tell a third party was given.
    pub authorization: Option<Term>,
    /// The country in which the model runs.
    pub model_country: Option<String>,
    /// The local time of the recipient.
    pub local_time: Option<Clock>,
    /// Texts that are ready.
    #[serde(default)]
    pub sends: Vec<MessageClass>,
    /// Whether the patient was never told anything.
    #[serde(default)]
    pub first_contact: bool,
    /// Whether the patient asks who writes.
    #[serde(default)]
    pub asked: bool,
    /// Whether the patient is a minor; not known when not given.
    pub minor: Option<bool>,
    /// Minutes since the disclosure of this session.
    pub session_minutes: Option<u32>,
    /// Hours since the last text.
    pub hours_since_last_message: Option<u32>,
    /// What started a clock.
    pub event: Option<Event>,
    /// Toward whom; the person when not given.
    pub recipient: Option<Recipient>,
    /// How many residents it touches.
    pub residents: Option<u32>,
    /// What the clock runs from, if not from the event.
    pub from: Option<From>,
    /// The day on which it started.
    pub(crate) on: Option<Day>,
}

/// The outcome of an example. What is not named is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// What the rules come to.
    pub decision: Option<Decision>,
    /// Rules that must have led to it.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Rules that must not have led to it.
    #[serde(default)]
    pub not_rules: Vec<String>,
    /// Fixed texts that must go along.
    #[serde(default)]
    pub must_include: Vec<Term>,
    /// Fixed texts that must not.
    #[serde(default)]
    pub must_not_include: Vec<Term>,
    /// Texts that wait.
    #[serde(default)]
    pub deferred: Vec<MessageClass>,
    /// Texts that leave now.
    #[serde(default)]
    pub sent: Vec<MessageClass>,
    /// What is kept of the telling.
    #[serde(default)]
    pub record: Vec<Term>,
    /// Rules in force.
    #[serde(default)]
    pub active: Vec<String>,
    /// Rules not in force.
    #[serde(default)]
    pub inactive: Vec<String>,
    /// The day by which it must be done.
    pub(crate) due: Option<Day>,
}
