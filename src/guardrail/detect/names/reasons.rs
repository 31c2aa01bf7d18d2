//! Reasons by which a word begins a name: a greeting, a surname, a relation, an address, a deed.

use std::ops::Range;

use crate::guardrail::detect::names::LISTED;
use crate::guardrail::detect::names::NO_NAME;
use crate::guardrail::detect::names::Reader;
use crate::guardrail::detect::names::WEAK;
use crate::guardrail::text::Case;
use crate::guardrail::text::Gap;
use crate::guardrail::text::Word;
use crate::policy::phrases::flag;

impl Reader<'_> {
    /// Right behind a greeting, with a relation between at most: `Dear family of`, `hi mom of`.
    pub(super) fn greeted(&self, at: usize) -> bool {
        let hello = |at: usize| self.before(at).is_some_and(|word| word.is(flag::GREETING));
        let near = self.word(at).is_some_and(|word| word.gap <= Gap::Comma);
        let ok = self.before(at).is_some_and(|_| {
            matches!(
                self.bytes(at - 1),
                b"ok"
                    | b"okay"
                    | b"thanks"
                    | b"congratulations"
                    | b"congrats"
                    | b"gracias"
                    | b"news"
                    | b"morning"
                    | b"afternoon"
                    | b"evening"
                    | b"dias"
                    | b"tardes"
                    | b"noches"
                    | b"sorry"
                    | b"welcome"
                    | b"felicidades"
                    | b"yes"
                    | b"hey"
            )
        });
        near && (hello(at)
            || (ok
                && self
                    .word(at)
                    .is_some_and(|word| word.is(LISTED | WEAK) || word.is_capital())))
    }

    /// First and last name together, or a name and an initial.
    pub(super) fn pairs(&self, at: usize) -> bool {
        let (Some(word), Some(next)) = (self.word(at), self.word(at + 1)) else {
            return false;
        };
        let any = LISTED | WEAK;
        if next.gap > Gap::Space || !word.is(any) && !self.is_unheard(at) {
            return false;
        }
        if next.len() == 1 && !next.digits {
            let large = word.is_capital() && next.is_capital() && !self.is_pronoun(at + 1);
            // `benjamin a seiler`, `eric g. samoylova`.
            let whole = word.is(flag::FIRST)
                && self.word(at + 2).is_some_and(|it| it.gap <= Gap::Space)
                && (self.is_unheard(at + 2)
                    || self.has(at + 2, flag::LAST)
                        && !self.has(at + 2, flag::COMMON)
                        && !self.has(at, flag::COMMON));
            let initial = large || self.cued(at) && !self.is_pronoun(at + 1) || whole;
            // `Will B. is here`: the initial is written with its stop.
            let stopped = large
                && word.is(flag::FIRST_WEAK)
                && self.view.bytes(next.end..next.end + 1) == b".";
            let third = large
                && word.is(WEAK)
                && self.word(at + 2).is_some_and(|it| it.gap <= Gap::Space)
                && (self.is_strange(at + 2)
                    || self.has(at + 2, flag::LAST) && self.is_large(at + 2));
            return (word.is(flag::FIRST) && initial || third || stopped) && self.is_free(at + 1);
        }
        // Written small: `gudgeir bergsveinsson`.
        let borne = !word.is_capital()
            && self.is_unheard(at)
            && next.is(flag::LAST)
            && !next.is(flag::COMMON | flag::FIRST)
            && next.len() >= 7;
        if borne && self.nameable(at + 1) {
            return true;
        }
        let shouted = word.case == Case::Upper
            && next.case == Case::Upper
            && !word.is(LISTED)
            && !next.is(LISTED);
        let both = word.is_capital() && next.is_capital() && !shouted;
        let known = next.is(any) && self.nameable(at + 1);
        // Written small, a first name that is nothing else, and a word that no list knows.
        let small = !word.is_capital() && word.is(flag::FIRST) && self.is_unheard(at + 1);
        let strange = self.is_strange(at + 1) && word.is(flag::FIRST | flag::FIRST_WEAK);
        let sure = word.is(flag::FIRST)
            && next.is(flag::LAST)
            && !word.is(flag::COMMON)
            && !next.is(flag::COMMON);
        (both && (known || strange)) || (sure && self.nameable(at + 1)) || small
    }

    /// A word of four letters or more that no list knows.
    pub(super) fn is_unheard(&self, at: usize) -> bool {
        let unknown = |word: &Word| word.flags == 0 && !word.listed && word.len() >= 4;
        self.is_free(at) && self.word(at).is_some_and(unknown)
    }

    pub(super) fn is_pronoun(&self, at: usize) -> bool {
        matches!(self.bytes(at), b"i" | b"a")
    }

    /// `your son Liam`, `patient Emily`, `for Lena`, `named`.
    pub(super) fn cued(&self, at: usize) -> bool {
        let Some(before) = self.before(at) else {
            return false;
        };
        let near = self.word(at).is_some_and(|word| word.gap <= Gap::Comma);
        let kin = before.is(flag::KIN) && !before.is_capital();
        let of = matches!(
            self.view.word_bytes(before),
            b"of" | b"for" | b"about" | b"with" | b"from" | b"de" | b"para" | b"con"
        );
        let kin_of = of && at.checked_sub(2).is_some_and(|at| self.has(at, flag::KIN));
        let weak = self.word(at).is_some_and(|word| word.is(WEAK | LISTED));
        near && (kin || kin_of || before.is(flag::NAME_CUE) || of && weak && self.is_large(at))
    }

    /// `my name is`, `people call me`, `a friend named`.
    pub(super) fn called(&self, at: usize) -> bool {
        let Some(second) = at.checked_sub(2) else {
            return false;
        };
        let near = self.word(at).is_some_and(|word| word.gap <= Gap::Comma);
        let before = (self.bytes(second), self.bytes(at - 1));
        near && matches!(
            before,
            (b"name" | b"nombre", b"is" | b"es")
                | (
                    b"call" | b"called" | b"calls" | b"named",
                    b"me" | b"him" | b"her"
                )
                | (b"me" | b"se", b"llamo" | b"llama")
        )
    }

    /// `What's your last name? Arcuri`.
    pub(super) fn asked_for(&self, at: usize) -> bool {
        let named = self
            .before(at)
            .is_some_and(|word| matches!(self.view.word_bytes(word), b"name" | b"nombre"));
        named && self.word(at).is_some_and(|word| word.gap == Gap::Stop)
    }

    /// A strange word in a list with names, or the speaker of a line: `Gerste, Johnson and Hall`,
    /// `Ubul: What a wife.`
    pub(super) fn among_names(&self, at: usize) -> bool {
        let is_name = |at: usize| {
            self.is_large(at)
                && (self.has(at, LISTED) && !self.has(at, flag::COMMON) || self.is_strange(at))
        };
        let sure = |at: usize| self.has(at, LISTED) && is_name(at);
        let Some(word) = self.word(at) else {
            return false;
        };
        let join = |at: usize| matches!(self.bytes(at), b"and" | b"or" | b"y" | b"e" | b"et");
        let next = self.word(at + 1);
        let ahead = next.is_some_and(|next| {
            next.gap == Gap::Comma && (sure(at + 1) || is_name(at + 1) && sure(at + 2))
                || next.gap == Gap::Space && join(at + 1) && sure(at + 2)
        });
        let behind = at.checked_sub(1).is_some_and(|last| {
            word.gap == Gap::Comma && (sure(last) || is_name(last) && self.comma_before(last))
                || join(last) && at.checked_sub(2).is_some_and(sure)
        });
        let colon = word.gap == Gap::Stop
            && next.is_some_and(|next| {
                let between = self.view.bytes(word.end..next.start);
                between.starts_with(b":") && next.is_capital()
            });
        // `they had 6: silvana, adam, christopher`: three first names in a row.
        let small = |at: usize| {
            self.has(at, flag::FIRST) && !self.is_large(at) && !self.has(at, flag::COMMON)
        };
        let comma = |at: usize| {
            self.word(at).is_some_and(|word| word.gap == Gap::Comma) || join(at.saturating_sub(1))
        };
        if small(at) && !self.is_large(at) {
            let first = (at.saturating_sub(8)..=at)
                .rev()
                .take_while(|at| small(*at) || join(*at))
                .last();
            let run = first.map_or(0, |first| {
                (first..first + 12)
                    .take_while(|at| small(*at) && (*at == first || comma(*at)) || join(*at))
                    .filter(|at| small(*at))
                    .count()
            });
            return run >= 3;
        }
        let elsewhere = || (0..self.view.words.len()).any(|other| other != at && sure(other));
        ahead || behind || colon && elsewhere()
    }

    /// Two strange words behind `to`, without a journey: `please change it to Bekbolat Musliyevich`.
    pub(super) fn is_given(&self, words: &Range<usize>) -> bool {
        let to = self
            .before(words.start)
            .is_some_and(|word| self.view.word_bytes(word) == b"to");
        let goes = (1..4).any(|back| {
            words.start.checked_sub(back + 1).is_some_and(|at| {
                matches!(
                    self.bytes(at),
                    b"flew"
                        | b"moved"
                        | b"returned"
                        | b"went"
                        | b"came"
                        | b"drive"
                        | b"fly"
                        | b"move"
                        | b"travel"
                        | b"go"
                        | b"drove"
                        | b"trip"
                        | b"flight"
                        | b"closer"
                        | b"next"
                )
            })
        });
        to && !goes && words.len() >= 2
    }

    /// Is the name over where it stands?
    pub(super) fn closed(&self, at: usize) -> bool {
        self.word(at + 1).is_none_or(|next| {
            next.gap >= Gap::Comma
                || next.is(flag::PERSON_VERB | flag::PARTICLE)
                || self.view.word_bytes(next) == b"s"
        })
    }

    /// `Faith, your ...`, `Theo! Your ...`, `bandage dry, Coach.`, `Will your ...` without a question.
    pub(super) fn addressed(&self, at: usize, plain: bool) -> bool {
        let Some(word) = self.word(at) else {
            return false;
        };
        let next = self.word(at + 1);
        let starts = word.gap == Gap::Stop;
        let candidate = word.is(LISTED | WEAK) || self.is_strange(at);
        if starts && candidate && (word.is_capital() || !plain) {
            // Spanish sentences begin with their verbs: "Pasamos su mensaje" names nobody.
            let listed = word.is(LISTED | WEAK);
            let comma = next.is_some_and(|next| {
                let whose = self.view.word_bytes(next);
                next.gap == Gap::Comma && next.is(flag::ADDRESS_FOLLOW)
                    || next.gap == Gap::Space
                        && (matches!(whose, b"your" | b"ur")
                            || listed && matches!(whose, b"su" | b"tu"))
            });
            let called = next.is_some_and(|next| next.gap == Gap::Comma)
                && word.is(flag::FIRST_WEAK)
                && word.is_capital()
                && !word.is(flag::COMMON | flag::MONTH | flag::WEEKDAY);
            if called {
                return true;
            }
            if comma
                && (!word.is(flag::COMMON)
                    || next.is_some_and(|next| next.gap == Gap::Comma)
                    || self.is_statement(at))
            {
                return true;
            }
        }
        let last = next.is_none_or(|next| next.gap == Gap::Stop);
        let behind_comma = word.gap == Gap::Comma && word.is_capital() && at > 1;
        let unusual = word.is(LISTED | WEAK) || !word.is(NO_NAME | flag::STREET);
        last && behind_comma
            && unusual
            && self.comma_before(at)
            && !self.before(at).is_some_and(Word::is_capital)
    }

    pub(super) fn comma_before(&self, at: usize) -> bool {
        let start = self.word(at).map_or(0, |word| word.start);
        self.view.bytes(start.saturating_sub(2)..start) == b", "
    }

    /// `Will your visit is ...`: what begins like a question and tells something, begins with a name.
    pub(super) fn is_statement(&self, at: usize) -> bool {
        let Some(word) = self.word(at).filter(|word| word.is(flag::FIRST_WEAK)) else {
            return false;
        };
        let end = self.view.sentence(&(word.start..word.end)).end;
        let rest = self
            .view
            .words
            .iter()
            .skip(at + 2)
            .take_while(|word| word.start < end);
        let tells =
            |word: &Word| matches!(self.view.word_bytes(word), b"is" | b"are" | b"was" | b"has");
        !self.is_question(at) && rest.take(6).any(tells)
    }

    pub(super) fn is_question(&self, at: usize) -> bool {
        let Some(word) = self.word(at) else {
            return false;
        };
        let end = self.view.sentence(&(word.start..word.end)).end;
        self.view.bytes(word.start..end).contains(&b'?')
    }

    /// `Faith wants`, `Princess needs`, `mike's`.
    pub(super) fn told(&self, at: usize, plain: bool) -> bool {
        let (Some(word), Some(next)) = (self.word(at), self.word(at + 1)) else {
            return false;
        };
        let owns =
            next.gap == Gap::Mark && self.view.word_bytes(next) == b"s" && word.is(LISTED | WEAK);
        // `Zak shouted at Scott: "What ...?"` asks in another's words.
        let past = self.view.word_bytes(next).ends_with(b"ed");
        let acts =
            next.gap == Gap::Space && next.is(flag::PERSON_VERB) && (past || !self.is_question(at));
        let candidate =
            word.is(LISTED) || word.is(WEAK) && word.gap == Gap::Stop || self.is_strange(at);
        let third = !matches!(
            self.view.word_bytes(next),
            b"is" | b"will" | b"was" | b"es" | b"gave"
        ) || !word.is(flag::COMMON);
        let desk = next.gap == Gap::Space
            && self.view.word_bytes(next) == b"at"
            && matches!(self.bytes(at + 2), b"ext" | b"extension" | b"x");
        let sure = word.is_capital() || word.is(flag::FIRST) && !plain;
        (owns && !plain) || (sure && candidate && acts && third) || (desk && word.is_capital())
    }

    /// A strange word written large in running text. Where a sentence, a list or a label begins,
    /// every word may be written large, and no list holds them all: `Optional: care is the same.`
    pub(super) fn stands_as_name(&self, at: usize) -> bool {
        let running = self.word(at).is_some_and(|word| word.gap <= Gap::Space);
        let small = |word: &Word| word.case == Case::Lower && word.len() > 1;
        running && (self.view.words.iter().any(small) || self.is_strange(at + 1))
    }
}
