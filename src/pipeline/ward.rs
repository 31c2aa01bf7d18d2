//! Ward: of whom a text speaks, where it is not whoever writes: a parent of a child on file, or
//! somebody of somebody else.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::conversation::{Conversation, Turn};
use crate::domain::ids::TurnId;
use crate::domain::practice::Practice;
use crate::domain::reach::is_minor;
use crate::domain::record::Patient;
use crate::llm::offline::{Spoken, speaks_of};

/// Of whom the texts to answer speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The writer, or nobody.
    Own,
    /// The patient who is taken for the writer, a child ("my daughter's appointment"); or, where
    /// nobody is known yet, whoever turns out to be meant by the date of birth.
    Patients,
    /// Somebody else: nothing is told, a person answers.
    Anothers,
    /// A child, on a phone that several share, by one of them: whose record it is, is asked.
    OtherChild,
}

/// Reads it; pure.
fn whose(
    texts: impl Iterator<Item = impl AsRef<str>>,
    patient: Option<&Patient>,
    shared: bool,
    today: Date,
) -> Whose {
    let spoken: Vec<Spoken> = texts.filter_map(|it| speaks_of(it.as_ref())).collect();
    if spoken.is_empty() {
        return Whose::Own;
    }
    let Some(patient) = patient else {
        // Whoever names a patient is not asked to guess a birth date as well.
        let named = |it: &Spoken| matches!(it, Spoken::Named(_));
        return if spoken.iter().any(named) {
            Whose::Anothers
        } else {
            Whose::Patients
        };
    };
    let minor = is_minor(patient, today);
    let name = patient.first_name.as_str().to_lowercase();
    let theirs = spoken.iter().all(|it| match it {
        Spoken::Child | Spoken::Someone => minor,
        Spoken::Named(named) => minor && named.to_lowercase() == name,
        Spoken::Kin => false,
    });
    if theirs {
        Whose::Patients
    } else if shared && spoken.contains(&Spoken::Child) {
        Whose::OtherChild
    } else {
        Whose::Anothers
    }
}

/// Of whom the texts speak that the agent is asked about.
pub(crate) fn whose_are(
    practice: &Practice,
    conversation: &Conversation,
    patient: Option<&Patient>,
    (turns, asked): (&[Turn], &[TurnId]),
    now: Timestamp,
) -> Whose {
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    let texts = turns.iter().filter(|turn| asked.contains(&turn.id));
    let texts = texts.map(|turn| turn.body.as_str());
    let shared = conversation.speaker.shared;
    whose(texts, patient, shared, now.to_zoned(zone).date())
}
