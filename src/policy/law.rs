//! The law as data: a federal floor, the house's own rules, and an overlay for each state.
//!
//! All rules that apply on a day to a practice and its patient are merged into [`Duties`], the
//! strictest winning kind by kind. What is not known is read as the strictest: a patient without a
//! state is protected by every state.

pub mod answer;
pub mod channels;
mod class;
pub mod deadline;
pub mod duties;
pub mod duty;
pub mod example;
pub mod file;
pub mod join;
mod load;
pub mod minors;
mod papers;
pub mod params;
pub mod terms;
pub mod window;
pub mod zones;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::policy::law::channels::Channels;
use crate::policy::law::duties::Duties;
use crate::policy::law::file::{LawFile, LawRule};
use crate::policy::law::join::Join as _;
use crate::policy::law::params::Term;
use crate::policy::words::{Jurisdiction, STATES};

/// Every law file, checked against each other; immutable.
#[derive(Clone, Debug)]
pub struct Law {
    /// The federal floor first, then the house's own file if there is one, then the states.
    files: Vec<LawFile>,
    practice_types: BTreeMap<Term, Vec<Term>>,
    channels: Channels,
}

/// Whom a question of law is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whereabouts<'a> {
    /// The state in which the practice lies.
    pub practice: Jurisdiction,
    /// The patient's state of residence; unknown means every state.
    pub residence: Jurisdiction,
    /// The type of the practice.
    pub practice_type: &'a str,
    /// The day, where the patient is.
    pub day: Date,
}

impl Law {
    /// The files.
    pub fn files(&self) -> &[LawFile] {
        &self.files
    }

    /// What the channels may carry.
    pub const fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Every rule of every file.
    pub fn rules(&self) -> impl Iterator<Item = &LawRule> {
        self.files.iter().flat_map(|file| &file.rules)
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<&LawRule> {
        self.rules().find(|rule| &*rule.id == id)
    }

    /// The file of a state; the federal one when the state is not known.
    pub fn file(&self, state: Jurisdiction) -> Option<&LawFile> {
        self.files.iter().find(|file| file.jurisdiction == state)
    }

    /// The types of practice that the federal file lists.
    pub fn practice_types(&self) -> impl Iterator<Item = &str> {
        self.practice_types.keys().map(Term::as_str)
    }

    /// Whether a rule for these types binds a practice of this type. A type that is not listed is
    /// bound by all.
    fn binds(&self, rule: &LawRule, practice_type: &str) -> bool {
        if rule.practice_type.is_empty() {
            return true;
        }
        let Some((own, classes)) = self
            .practice_types
            .iter()
            .find(|(own, _)| own.as_str() == practice_type)
        else {
            return true;
        };
        let mut named = rule.practice_type.iter();
        named.any(|named| named == own || classes.contains(named))
    }

    /// The rules that apply, in the order of their files. A rule of the house that another relaxes
    /// where both apply is left out.
    pub fn applying(&self, at: Whereabouts<'_>) -> Vec<&LawRule> {
        let mut rules = self.everything_at(at);
        set_aside(&mut rules);
        rules
    }

    /// As before, without what the house adds in a file of its own: the examples of the other files
    /// stay true whatever it adds or relaxes.
    pub(crate) fn applying_in(&self, file: &LawFile, at: Whereabouts<'_>) -> Vec<&LawRule> {
        let mut rules = self.everything_at(at);
        rules.retain(|rule| rule.place.0 == file.name || &*rule.place.0 != "house.toml");
        set_aside(&mut rules);
        rules
    }

    /// The rules that apply, with those that others relax.
    fn everything_at(&self, at: Whereabouts<'_>) -> Vec<&LawRule> {
        let here = |state: Jurisdiction| {
            state == Jurisdiction::UNKNOWN
                || at.residence == Jurisdiction::UNKNOWN
                || state == at.residence
                || state == at.practice
        };
        let applies = |rule: &&LawRule| {
            here(rule.jurisdiction) && rule.in_force(at.day) && self.binds(rule, at.practice_type)
        };
        self.rules().filter(applies).collect()
    }

    /// What the rules that apply come to.
    pub fn duties(&self, at: Whereabouts<'_>) -> Duties {
        merged(&self.applying(at))
    }
}

/// Takes out the rules of the house that another one relaxes.
fn set_aside(rules: &mut Vec<&LawRule>) {
    let relaxed: Vec<Arc<str>> = rules.iter().filter_map(|it| it.relaxes.clone()).collect();
    rules.retain(|rule| !relaxed.contains(&rule.id));
}

/// What these rules come to; their order does not matter.
pub fn merged(rules: &[&LawRule]) -> Duties {
    let mut all = Duties::default();
    for rule in rules {
        all.join(&Duties::of(rule));
    }
    all
}

/// The states and DC, by code.
pub fn states() -> impl Iterator<Item = Jurisdiction> {
    STATES.split(' ').filter_map(|code| code.parse().ok())
}
