//! Whose a name is: a person's who is spoken to, or of nobody in particular.

use std::ops::Range;

use crate::guardrail::detect::Soft;
use crate::guardrail::detect::names::Name;
use crate::guardrail::detect::names::Reader;
use crate::guardrail::text::Gap;

impl Reader<'_> {
    /// Is the bearer spoken to? `Dr. Ito, your visit ...`, `... your health, Dr. Janet Gibbs.`, or
    /// written to: `Dr. Cindy Holinka Apt. 117`.
    pub(super) fn speaks_to(&self, from: usize, end: usize) -> bool {
        let next = self.word(end);
        let whose = next.map_or(&[][..], |word| self.view.word_bytes(word));
        let before = next.is_some_and(|word| word.gap == Gap::Comma)
            && matches!(whose, b"your" | b"you" | b"ur" | b"su" | b"tu");
        let closes = next.is_none_or(|word| word.gap == Gap::Stop);
        // `My name is spelled wrong, please correct it to Dr. Ana Ruiz`.
        let named = (1..from).any(|at| {
            matches!(self.bytes(at), b"name" | b"nombre")
                && matches!(self.bytes(at - 1), b"my" | b"mi" | b"your" | b"su")
        });
        let behind = closes
            && from > 0
            && self.comma_before(from)
            && self.is_said(from, |word| {
                matches!(word, b"your" | b"you" | b"su" | b"usted" | b"tu")
            });
        let home = matches!(whose, b"apt" | b"apartment")
            || next.is_some_and(|word| word.digits && word.gap == Gap::Space && word.len() >= 3);
        before || behind || home || named
    }

    /// Does the sentence up to `at` have a word that is so?
    pub(super) fn is_said(&self, at: usize, so: impl Fn(&[u8]) -> bool) -> bool {
        let words = self.view.words.iter().take(at).rev();
        // The first word of the sentence has the stop before it.
        for word in words {
            if so(self.view.word_bytes(word)) {
                return true;
            }
            if word.gap == Gap::Stop {
                break;
            }
        }
        false
    }

    fn span_of(&self, name: &Name) -> Range<usize> {
        let start = self.word(name.words.start).map_or(0, |word| word.start);
        let end = self.word(name.words.end.saturating_sub(1));
        start..end.map_or(start, |word| word.end)
    }

    /// `tell jim I'm coming`: one first name, written small and with nothing of a practice beside it,
    /// is of nobody while nothing else tells of a person.
    pub(super) fn is_lone(&self, name: &Name) -> bool {
        if name.soft != Soft::No || self.is_large(name.words.start) {
            return false;
        }
        let asked = self.before(name.words.start).is_some_and(|word| {
            matches!(
                self.view.word_bytes(word),
                b"me"
                    | b"name"
                    | b"is"
                    | b"tell"
                    | b"inform"
                    | b"called"
                    | b"text"
                    | b"with"
                    | b"under"
            )
        });
        let last = name.words.end.saturating_sub(1);
        let owner = self.bytes(last) == b"s" && name.words.len() == 2;
        let general = self
            .policy
            .surroundings()
            .general
            .is_match(self.view.bytes(self.view.sentence(&self.span_of(name))));
        let lone = name.reason == "cue" && asked && name.words.len() == 1
            || name.reason == "address" && owner
            || general;
        lone && !self.view.words.iter().any(|word| {
            matches!(
                self.view.word_bytes(word),
                b"appointment"
                    | b"appointments"
                    | b"appt"
                    | b"appts"
                    | b"visit"
                    | b"visits"
                    | b"chart"
                    | b"record"
                    | b"records"
                    | b"doctor"
                    | b"dr"
                    | b"nurse"
                    | b"clinic"
                    | b"office"
                    | b"refill"
                    | b"result"
                    | b"results"
                    | b"lab"
                    | b"labs"
                    | b"test"
                    | b"tests"
                    | b"rx"
                    | b"patient"
                    | b"cita"
                    | b"consulta"
                    | b"receta"
                    | b"paciente"
                    | b"clinica"
                    | b"your"
                    | b"ur"
                    | b"su"
            )
        })
    }
}
