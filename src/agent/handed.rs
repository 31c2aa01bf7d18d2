//! What is said where neither a model nor the record can answer, and staff take over.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::agent::facts;
use crate::agent::opening;
use crate::agent::ports::RecordsError;
use crate::agent::prompts::Wording;
use crate::agent::run::Outcome;
use crate::agent::sayings::{self, HandedOver};
use crate::agent::tools::HandOver;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::Fact;
use crate::policy::words::{Language, Purpose};

/// What is said where the record system does not answer who writes.
pub fn record_down(
    practice: &Practice,
    (language, now): (Language, Timestamp),
    why: RecordsError,
    wording: &Wording,
) -> Outcome {
    let mut outcome = handed_over(practice, (language, now), HandOver::RecordDown, wording);
    outcome
        .facts
        .splice(0..0, facts::of_practice(practice, language));
    outcome.trouble = why.cause();
    outcome
}

pub(super) fn handed_over(
    practice: &Practice,
    (language, now): (Language, Timestamp),
    why: HandOver,
    wording: &Wording,
) -> Outcome {
    let (hours, zone) = (&practice.hours, TimeZone::get(&practice.timezone).ok());
    let answering = |zone: &TimeZone| opening::answering(hours, now, zone, language);
    let words = HandedOver {
        reason: why.as_str().to_owned(),
        answering: zone.as_ref().and_then(answering).unwrap_or_default(),
        phone: practice.phone.display_us(),
    };
    let answering = |zone: &TimeZone| opening::answering_fact(hours, now, zone);
    let mut facts = vec![Fact::new("receipt.message_sent", "staff")];
    facts.extend(zone.as_ref().and_then(answering));
    let template = if why == HandOver::RecordDown {
        sayings::RECORD_DOWN
    } else {
        sayings::TROUBLE
    };
    let draft = wording
        .prompts()
        .ok()
        .and_then(|prompts| prompts.say(language, template, &words).ok());
    Outcome {
        draft: draft.map(Phi::new),
        facts,
        pending: None,
        handover: Some(why.as_str()),
        purpose: Purpose::Reply,
        tools: Vec::new(),
        model: String::new(),
        model_error: None,
        portal: None,
        portal_from_record: false,
        language: None,
        trouble: None,
        spent: 0,
        overtaken: false,
        sent: Vec::new(),
    }
}
