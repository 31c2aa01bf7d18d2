//! What a statistical reader of whole sentences hears beside the rules: it adds alarms in words that no
//! rule foresaw, and never takes one away.

use std::borrow::Cow;
use std::sync::Arc;

use crate::policy::fold::fold;
use crate::policy::linear::LANES;
use crate::policy::linear::Model;
use crate::policy::sentence;
use crate::policy::sentence::ADVICE;
use crate::policy::sentence::ALARMS;
use crate::screen::fire::Fired;
use crate::screen::greeting::Greeting;
use crate::screen::rules::Kind;
use crate::screen::rules::ScreenError;

/// What each label fires when it is sure, and when a person should look; the order is that of the labels.
const TOLD: [(&str, Kind, &str, Kind); 5] = [
    (
        "emergency.sentence",
        Kind::Emergency,
        "symptom.sentence",
        Kind::Look,
    ),
    ("crisis.sentence", Kind::Crisis, "look.sentence", Kind::Look),
    (
        "poison.sentence",
        Kind::Poison,
        "symptom.sentence",
        Kind::Look,
    ),
    ("abuse.sentence", Kind::Abuse, "look.sentence", Kind::Look),
    // Whoever may have meant that texts should end is asked once.
    (
        "opt_out.doubt",
        Kind::OptOutDoubt,
        "opt_out.doubt",
        Kind::OptOutDoubt,
    ),
];
/// The place of the label of drafts that talk as a therapist does.
const TALK: usize = 2;
/// A text with fewer words is a keyword or an answer; the rules know them all.
const WORDS_MIN: usize = 2;
/// From so many words on a text is a story or a question of health, and must say more to be an alarm.
const LONG_WORDS: usize = 40;

/// Words that deny. The reader does not weigh them; the rules know what a denial denies.
const DENIES: &[&str] = &[
    "no",
    "not",
    "never",
    "nobody",
    "without",
    "nor",
    "don't",
    "dont",
    "didn't",
    "isn't",
    "wasn't",
    "nunca",
    "jamas",
    "jam\u{e1}s",
    "sin",
    "ni",
];

fn denies(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    words.any(|word| DENIES.contains(&word))
}

/// Digits of a phone number: fewer are a dose, a date or 911.
const PHONE_DIGITS_MIN: usize = 7;

/// A text without its phone numbers: to a reader of words "call 847" is near to "call 911".
fn without_phones(text: &str) -> Cow<'_, str> {
    let of_number = |c: char| c.is_ascii_digit() || " .-()+\u{2013}".contains(c);
    let mut kept = String::new();
    let mut rest = text;
    let mut done = 0;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (_, from) = rest.split_at(at);
        let end = from.find(|c: char| !of_number(c)).unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        let start = text.len() - from.len();
        if run.bytes().filter(u8::is_ascii_digit).count() >= PHONE_DIGITS_MIN {
            kept.push_str(text.get(done..start).unwrap_or_default());
            kept.push(' ');
            done = start + end;
        }
        rest = after;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    kept.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(kept)
}

/// The reader of patients' texts, and that of drafts for what is therapy.
#[derive(Debug)]
pub(super) struct Vote {
    alarms: Model,
    drafts: Model,
}

impl Vote {
    /// The readers that are compiled into the binary.
    pub(super) fn embedded() -> Result<Self, ScreenError> {
        let read = |shape, file: &str, bytes| {
            Model::read(shape, file, bytes).map_err(|error| ScreenError::Malformed {
                file: error.file,
                problem: format!("{}; {}", error.message, error.remedy),
            })
        };
        Ok(Self {
            alarms: read(
                &ALARMS,
                "guardrails/alarms.model",
                include_bytes!("../../guardrails/alarms.model"),
            )?,
            drafts: read(
                &ADVICE,
                "guardrails/advice.model",
                include_bytes!("../../guardrails/advice.model"),
            )?,
        })
    }

    /// What it hears in a text of so many words: the label that leads, when it leads by enough. A
    /// greeting turns nothing off: behind one, what is said is heard by itself as well.
    pub(super) fn heard(&self, text: &str, words: usize) -> Option<Fired> {
        let text = without_phones(text);
        let greeting = Greeting::of(&text);
        // Of several greetings the last is heard: one more before them changes nothing.
        let whole = self.hear(greeting.last, words);
        if greeting.words == 0 {
            return whole;
        }
        let alone = self.hear(greeting.behind, words.saturating_sub(greeting.words));
        match (whole, alone) {
            (Some(whole), Some(alone)) if !alone.kind.is_alarm() => Some(whole),
            (whole, alone) => alone.or(whole),
        }
    }

    fn hear(&self, text: &str, words: usize) -> Option<Fired> {
        if words < WORDS_MIN || denies(text) {
            return None;
        }
        let leads = sentence::read(&self.alarms, &fold(text));
        let (label, lead) = leads
            .into_iter()
            .enumerate()
            .skip(1)
            .take(TOLD.len())
            .max_by_key(|(_, lead)| *lead)?;
        let (sure, kind, maybe, look) = TOLD.get(label.checked_sub(1)?)?;
        let needed = |all: &[i32; LANES]| all.get(label).copied().unwrap_or(i32::MAX);
        let high = needed(self.alarms.thresholds());
        let lower = needed(self.alarms.lower());
        let more = if words > LONG_WORDS { high - lower } else { 0 };
        let (id, kind) = if lead >= high + more {
            (sure, kind)
        } else if lead >= lower + more {
            (maybe, look)
        } else {
            return None;
        };
        Some(Fired {
            id: Arc::from(*id),
            kind: *kind,
            value: None,
        })
    }

    /// Whether a draft talks as a therapist does.
    pub(super) fn hears_therapy(&self, text: &str) -> bool {
        let leads = sentence::read(&self.drafts, &fold(text));
        let needed = self.drafts.thresholds();
        leads.get(TALK) >= needed.get(TALK)
    }
}
