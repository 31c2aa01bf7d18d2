//! What has been: a date long past, a sentence that tells of it.

use crate::guardrail::ground::Ground;
use crate::guardrail::ground::fold;
use crate::guardrail::ground::when::Day;
use crate::guardrail::ground::when::Moment;
use crate::guardrail::ground::when::Present;

impl Ground<'_> {
    /// Does the sentence here tell of what has been? The record holds what is to come: "your last visit
    /// was on October 11" is no slip for the next one.
    pub(super) fn is_past(&self, at: usize) -> bool {
        let sentence = self.view.sentences.get(self.view.sentence_of(at));
        sentence.is_some_and(|it| fold::any_word(self.view.slice(it), |word| PAST.contains(&word)))
    }
}

/// Words of what has been.
const PAST: &[&str] = &[
    "was",
    "were",
    "last",
    "ago",
    "previous",
    "previously",
    "prior",
    "earlier",
    "came",
    "saw",
    "had",
    "since",
    "missed",
    "fue",
    "era",
    "ultima",
    "ultimo",
    "anterior",
    "pasada",
    "hace",
    "vino",
    "vio",
    "desde",
    "falto",
];

/// Is the day of a moment in a year before the last one?
pub(super) fn long_past(moment: &Moment, present: Present) -> bool {
    let year = match &moment.day {
        Some((
            Day::Partial {
                year: Some(year), ..
            },
            _,
        )) => *year,
        Some((Day::On(date), _)) => date.year(),
        _ => return false,
    };
    year + 1 < present.now.year()
}
