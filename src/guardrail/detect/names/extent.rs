//! Which words belong to a name, and whether it names a person at all.

use std::ops::Range;

use crate::guardrail::detect::lexicon::Taken;
use crate::guardrail::detect::names::LISTED;
use crate::guardrail::detect::names::MOST;
use crate::guardrail::detect::names::Reader;
use crate::guardrail::detect::names::WEAK;
use crate::guardrail::text::Gap;
use crate::policy::phrases::flag;

impl Reader<'_> {
    /// The words that belong to the name that begins at `from`.
    pub(super) fn grow(&self, from: usize, mut end: usize) -> Range<usize> {
        let large = self.is_large(from) || end.checked_sub(1).is_some_and(|at| self.is_large(at));
        while end - from < MOST {
            let Some(next) = self.word(end) else { break };
            // `ask for Kayla Monday`: the day is when, and no part of the name.
            let day = next.is(flag::WEEKDAY)
                || next.is(flag::MONTH)
                    && self
                        .word(end + 1)
                        .is_some_and(|it| it.digits && it.gap <= Gap::Space);
            if day {
                break;
            }
            let hyphen = next.gap == Gap::Mark && self.view.word_bytes(next) != b"s";
            let free = self.is_free(end) || self.nameable(end);
            let initial = next.len() == 1
                && next.is_capital() == large
                && !self.is_pronoun(end)
                && next.gap <= Gap::Space
                && free
                && !next.digits;
            let named = next.gap <= Gap::Space
                && self.nameable(end)
                && (next.is_capital() == large || next.is(LISTED) && !next.is(flag::COMMON));
            let belongs = next.is(LISTED)
                || (next.is(WEAK)
                    || !next.is(flag::COMMON
                        | flag::SPANISH
                        | flag::PERSON_VERB
                        | flag::ADDRESS_FOLLOW))
                    && large
                || self.is_caps(end, large);
            let suffix =
                next.is(flag::SUFFIX) && next.is_capital() && next.gap <= Gap::Comma && large;
            let particle = next.is(flag::PARTICLE)
                && next.gap <= Gap::Space
                && self.is_name_behind(end, large);
            let last_first = next.gap == Gap::Comma
                && self.comma_before(end)
                && next.is(flag::FIRST)
                && next.is_capital()
                && end == from + 1
                && self.has(from, flag::LAST)
                && !self.has(from, flag::FIRST);
            let apostrophe =
                hyphen && self.is_free(end) && (next.is_capital() == large || next.is(LISTED));
            if !(initial || named && belongs || suffix || particle || last_first || apostrophe) {
                break;
            }
            end += 1;
        }
        from..end
    }

    pub(super) fn is_caps(&self, at: usize, large: bool) -> bool {
        large && self.is_strange(at)
    }

    /// Behind a particle, or two, stands a word written like the name.
    pub(super) fn is_name_behind(&self, at: usize, large: bool) -> bool {
        let next = (at + 1..at + 3).find(|at| !self.has(*at, flag::PARTICLE));
        next.is_some_and(|at| {
            let near = self
                .word(at)
                .is_some_and(|word| word.gap <= Gap::Space && !word.digits);
            near && self.nameable(at) && large && self.is_large(at) && !self.has(at, flag::COMMON)
        })
    }

    /// `Lakeside Family Clinic`: written large up to a word of organisations.
    pub(super) fn is_organisation(&self, words: &Range<usize>) -> bool {
        // `Jeremy Hartmann of Gradiant LLC` works there; `Children of Grace Church` is one name.
        let whole = words.len() >= 2 && !words.clone().any(|at| self.has(at, flag::ORGANISATION));
        let behind = (words.end..words.end + 4).take_while(|at| {
            self.word(*at).is_some_and(|word| {
                let bytes = self.view.word_bytes(word);
                let joins = matches!(bytes, b"of" | b"and") && !whole;
                let owns = bytes == b"s" && word.gap == Gap::Mark;
                word.gap <= Gap::Space && (word.is_capital() || joins || owns)
            })
        });
        let clinical = |at: usize| {
            words.len() == 1
                && !self.has(words.start, LISTED | WEAK)
                && self.taken.get(at) == Some(&Taken::Found)
                && self.is_large(at)
                && self.is_strange(words.start)
        };
        let mut within = words.clone().chain(behind);
        within.any(|at| {
            at > words.start && clinical(at)
                || self.has(at, flag::ORGANISATION | flag::STREET)
                    && self.is_large(at)
                    && at > words.start
                    && self.bytes(at).len() > 2
        })
    }

    /// `at Denny's for six`, `Andrea's steakhouse`: a business that bears a name.
    pub(super) fn is_business(&self, words: &Range<usize>) -> bool {
        let last = words.end.saturating_sub(1);
        let inside = self.bytes(last) == b"s" && words.len() > 1;
        let (owner, behind) = if inside {
            (last, words.end)
        } else {
            (words.end, words.end + 1)
        };
        let owns =
            self.bytes(owner) == b"s" && self.word(owner).is_some_and(|word| word.gap == Gap::Mark);
        if !owns {
            return false;
        }
        let placed = self.before(words.start).is_some_and(|word| {
            matches!(
                self.view.word_bytes(word),
                b"at" | b"papa" | b"near" | b"nearest" | b"busy"
            )
        });
        let closes = self.word(behind).is_none_or(|word| {
            word.gap >= Gap::Comma
                || matches!(
                    self.view.word_bytes(word),
                    b"for"
                        | b"at"
                        | b"around"
                        | b"this"
                        | b"tonight"
                        | b"under"
                        | b"is"
                        | b"on"
                        | b"downtown"
                )
        });
        let shop = (behind..behind + 3).any(|at| {
            self.has(at, flag::ORGANISATION)
                && self.word(at).is_some_and(|word| word.gap <= Gap::Space)
        });
        placed && closes || shop
    }

    /// `Anne Han, M.D.`: a doctor, unless the text speaks to the bearer.
    pub(super) fn is_doctor(&self, words: &Range<usize>) -> bool {
        let degree = |at: usize| {
            matches!(
                self.bytes(at),
                b"md" | b"dds" | b"dmd" | b"np" | b"do" | b"pac"
            ) && self.is_large(at)
                || self.bytes(at) == b"m" && self.bytes(at + 1) == b"d"
                || self.bytes(at) == b"d"
                    && self.bytes(at + 1) == b"d"
                    && self.bytes(at + 2) == b"s"
        };
        let titled = words.clone().skip(1).any(degree) || degree(words.end);
        let Some(first) = self.word(words.start) else {
            return false;
        };
        // `Johnny Gomez MD, your visit is set`, `... your checkup, Nancy Mills MD.`
        let behind =
            (words.end..words.end + 4).find(|at| !degree(*at) && self.bytes(*at).len() > 1);
        let next = behind.and_then(|at| self.word(at));
        let spoken = first.gap == Gap::Stop
            && next.is_some_and(|word| {
                word.gap >= Gap::Comma
                    && matches!(self.view.word_bytes(word), b"your" | b"you" | b"su" | b"tu")
            });
        let closes = next.is_none_or(|word| word.gap == Gap::Stop)
            && self.comma_before(words.start)
            && self.is_said(words.start, |word| matches!(word, b"your" | b"su" | b"tu"));
        let addressed = spoken || closes;
        (titled || self.is_called_doctor(words.end)) && !addressed && !self.greeted(words.start)
    }

    /// `Amy Kane is another gynecologist`.
    fn is_called_doctor(&self, from: usize) -> bool {
        let is = matches!(self.bytes(from), b"is" | b"es");
        let one = matches!(
            self.bytes(from + 1),
            b"a" | b"an" | b"another" | b"the" | b"one" | b"un" | b"una" | b"also"
        );
        is && one
            && (from + 2..from + 6)
                .take_while(|at| self.word(*at).is_some_and(|word| word.gap <= Gap::Space))
                .any(|at| {
                    let word = self.bytes(at);
                    [
                        &b"ologist"[..],
                        b"dentist",
                        b"doctor",
                        b"surgeon",
                        b"specialist",
                        b"physician",
                        b"orthodontist",
                        b"pediatrician",
                        b"practitioner",
                        b"ologo",
                        b"ologa",
                    ]
                    .iter()
                    .any(|end| word.ends_with(end))
                })
    }

    /// `This is Sam from Lakeside`, `- Kim, RN`, `Nurse Kim`.
    pub(super) fn is_staff(&self, words: &Range<usize>) -> bool {
        let two = |one: &[u8], other: &[u8]| {
            words.start >= 2
                && self.bytes(words.start - 2) == one
                && self.bytes(words.start - 1) == other
        };
        let own = two(b"this", b"is")
            || two(b"name", b"is") && self.bytes(words.start.saturating_sub(3)) == b"my"
            || two(b"habla", b"con")
            || two(b"soy", b"la")
            || self
                .before(words.start)
                .is_some_and(|word| matches!(self.view.word_bytes(word), b"soy" | b"im"));
        let from = self.word(words.end).is_some_and(|word| {
            matches!(
                self.view.word_bytes(word),
                b"from" | b"with" | b"at" | b"de" | b"calling" | b"en"
            )
        });
        own && from
    }
}
