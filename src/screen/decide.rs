//! From the rules that fired to one intent: safety first, then the opt-out, then the open question.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::policy::words::Language;
use crate::screen::Intent;
use crate::screen::Pending;
use crate::screen::Reading;
use crate::screen::fire::Fired;
use crate::screen::rules::Book;
use crate::screen::rules::Kind;
use crate::screen::view::View;
use crate::screen::vote::Vote;

/// A long question of health, which a person reads.
const LETTER: &str = "symptom.letter";

/// "Call me please": who asks for a person in so few words asks for nothing else.
const FEW_WORDS: usize = 6;

/// Reads one text.
pub(super) fn read(
    (book, vote): (&Book, &Vote),
    text: &str,
    pending: Option<Pending>,
    language_hint: Language,
) -> Reading {
    let view = View::of(text, &book.spelling);
    let mut fired = book.fired_in(text, &view);
    // It adds to what the rules found, and takes nothing away; a letter is read by a person.
    let ends = [Kind::OptOut, Kind::OptOutDoubt];
    let read = |it: &Fired| it.kind.is_alarm() || ends.contains(&it.kind) || &*it.id == LETTER;
    if !fired.iter().any(read) {
        let words = view.words.len();
        let person = words <= FEW_WORDS && fired.iter().any(|it| it.kind == Kind::Human);
        let heard = vote.heard(text, words);
        fired.extend(heard.filter(|it| !(person && it.kind == Kind::OptOutDoubt)));
    }
    let kinds: BTreeSet<Kind> = fired.iter().map(|fired| fired.kind).collect();
    let asks = view.asks || kinds.contains(&Kind::Question);
    let (intent, ambiguous) = Wish {
        kinds: &kinds,
        asks,
    }
    .decide(pending);
    let mut rules: Vec<Arc<str>> = fired.iter().map(|f| Arc::clone(&f.id)).collect();
    rules.sort();
    rules.dedup();
    Reading {
        intent,
        injection: kinds.contains(&Kind::Injection),
        language: language(book, &view, language_hint),
        choice: choice(&fired),
        ambiguous,
        revoking: kinds.contains(&Kind::OptOut),
        rules,
    }
}

/// The one choice that is named; two different ones are none.
fn choice(fired: &[Fired]) -> Option<u8> {
    let named: BTreeSet<u8> = fired.iter().filter_map(|fired| fired.value).collect();
    named.first().copied().filter(|_| named.len() == 1)
}

struct Wish<'a> {
    kinds: &'a BTreeSet<Kind>,
    asks: bool,
}

impl Wish<'_> {
    fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    fn decide(&self, pending: Option<Pending>) -> (Intent, bool) {
        self.safety()
            .or_else(|| self.leaving(pending))
            .or_else(|| pending.and_then(|pending| self.answer(pending)))
            .unwrap_or_else(|| self.plain())
    }

    /// Crisis before emergency: its text names both 988 and 911.
    fn safety(&self) -> Option<(Intent, bool)> {
        [
            (Kind::Crisis, Intent::Crisis),
            (Kind::Emergency, Intent::Emergency),
            (Kind::Poison, Intent::Poison),
        ]
        .into_iter()
        .find(|(kind, _)| self.has(*kind))
        .map(|(_, intent)| (intent, false))
    }

    fn leaving(&self, pending: Option<Pending>) -> Option<(Intent, bool)> {
        if self.has(Kind::OptOut) {
            return Some((Intent::OptOut, false));
        }
        if self.has(Kind::CancelWord) {
            let visit = matches!(
                pending,
                Some(
                    Pending::AppointmentConfirm
                        | Pending::CancelConfirm
                        | Pending::RescheduleChoice
                )
            );
            return Some(if visit {
                (Intent::CancelAppointment, true)
            } else {
                (Intent::OptOut, false)
            });
        }
        if self.has(Kind::Abuse) || self.has(Kind::Harm) {
            return Some((Intent::Human, false));
        }
        if self.has(Kind::OptOutDoubt) {
            return Some((Intent::Other, true));
        }
        [
            (Kind::OptIn, Intent::OptIn),
            (Kind::Help, Intent::Help),
            (Kind::Human, Intent::Human),
            (Kind::Symptom, Intent::Human),
        ]
        .into_iter()
        .find(|(kind, _)| self.has(*kind))
        .map(|(_, intent)| (intent, false))
    }

    /// The open question, when the text answers it. What does not answer it is read as if none
    /// were open.
    fn answer(&self, pending: Pending) -> Option<(Intent, bool)> {
        let (yes, soft) = (self.has(Kind::Yes), self.has(Kind::YesSoft));
        let no = self.has(Kind::No);
        match pending {
            Pending::Consent if no => Some((Intent::ConsentNo, false)),
            // A proof of consent rests on a clear yes; doubt asks once more.
            Pending::Consent if yes && !self.asks => Some((Intent::ConsentYes, false)),
            Pending::Consent if yes || soft => {
                let (intent, _) = self.plain();
                Some((intent, true))
            }
            Pending::AppointmentConfirm if self.has(Kind::ConfirmSoft) && !self.moves() => {
                Some((Intent::Confirm, false))
            }
            Pending::AppointmentConfirm if (yes || soft) && !self.asks => {
                Some((Intent::Confirm, false))
            }
            Pending::AppointmentConfirm if no && !self.moves() => Some((Intent::Other, true)),
            Pending::RescheduleChoice if self.has(Kind::Choice) && !self.asks => {
                Some((Intent::Reschedule, false))
            }
            Pending::RescheduleChoice if self.has(Kind::TimeNamed) && !self.moves() => {
                Some((Intent::Reschedule, false))
            }
            Pending::RescheduleChoice if yes || soft => Some((Intent::Other, true)),
            Pending::CancelConfirm if no => Some((Intent::Other, false)),
            Pending::CancelConfirm if (yes || soft) && !self.asks => {
                Some((Intent::CancelAppointment, false))
            }
            Pending::Consent
            | Pending::AppointmentConfirm
            | Pending::RescheduleChoice
            | Pending::CancelConfirm => None,
        }
    }

    fn moves(&self) -> bool {
        self.has(Kind::Reschedule)
            || self.has(Kind::CancelAppointment)
            || self.has(Kind::CannotCome)
    }

    fn plain(&self) -> (Intent, bool) {
        [
            (Kind::Reschedule, Intent::Reschedule, false),
            (Kind::CancelAppointment, Intent::CancelAppointment, false),
            (Kind::CannotCome, Intent::CancelAppointment, true),
            (Kind::Confirm, Intent::Confirm, false),
            (Kind::Refill, Intent::Refill, false),
        ]
        .into_iter()
        .find(|(kind, _, _)| self.has(*kind))
        .map_or_else(
            || (self.nothing(), false),
            |(_, intent, ambiguous)| (intent, ambiguous),
        )
    }

    /// What a text is that asks for none of these.
    fn nothing(&self) -> Intent {
        if self.has(Kind::Look) {
            Intent::Human
        } else if self.asks {
            Intent::Question
        } else {
            Intent::Other
        }
    }
}

/// Words that answer a question in either language: "si" to a text in English is a yes, no change of
/// language.
const ANSWERS: &[&str] = &["si", "yes", "no", "ok", "okay", "y", "n", "s", "c"];

/// English or Spanish by their small words; a text too short or too mixed to tell keeps the hint.
fn language(book: &Book, view: &View, hint: Language) -> Language {
    let answers = |text: &str| ANSWERS.contains(&text);
    if view.words.iter().all(|word| answers(word.text.as_ref())) {
        return hint;
    }
    let count = |language: Language| {
        let words = book.function_words.get(&language);
        let known = |text: &str| words.is_some_and(|words| words.contains(text));
        view.words.iter().filter(|word| known(&word.text)).count()
    };
    let english = count(Language::En);
    let spanish = count(Language::Es) + usize::from(view.spanish_letters);
    match spanish.cmp(&english) {
        std::cmp::Ordering::Greater => Language::Es,
        std::cmp::Ordering::Less => Language::En,
        std::cmp::Ordering::Equal => hint,
    }
}
