//! Names of people: by the lists, and by the words around them.
//!
//! A listed name written large is enough; a name that is also a word, a name written small and a
//! word that no list knows need a reason: a greeting, a title, a relation, a surname, an address.

mod extent;
mod reasons;
mod whose;

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::NAME_CITE;
use crate::guardrail::detect::PLACE_CITE;
use crate::guardrail::detect::Scratch;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::lexicon::Taken;
use crate::guardrail::detect::patterns;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::text::Case;
use crate::guardrail::text::Gap;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::phrases::flag;

const LISTED: u32 = flag::FIRST | flag::LAST;
const WEAK: u32 = flag::FIRST_WEAK | flag::LAST_WEAK;
/// What stands beside names and is none.
const NO_NAME: u32 = flag::NEVER_NAME
    | flag::GREETING
    | flag::TITLE
    | flag::PROVIDER
    | flag::MONTH
    | flag::WEEKDAY
    | flag::COUNTRY
    | flag::ORGANISATION;
/// The most words of one name.
const MOST: usize = 6;

/// Finds the names in words that no other finding took.
pub(super) fn find(
    policy: &Policy,
    view: &View<'_>,
    scratch: &mut Scratch,
    drafts: &mut Vec<Draft>,
) {
    let (covered, businesses) = (&mut scratch.covered, &mut scratch.businesses);
    businesses.clear();
    covered.clear();
    let sure = drafts
        .iter()
        .filter(|it| it.confidence > Confidence::Possible);
    covered.extend(sure.map(|it| it.span.clone()));
    let reader = Reader {
        policy,
        view,
        taken: scratch.lists.taken(),
        covered,
    };
    let mut at = 0;
    while at < view.words.len() {
        match reader.name_at(at) {
            Some(name) => {
                at = name.words.end.max(at + 1);
                if name.reason == "organisation" {
                    businesses.extend(reader.span(&name));
                }
                drafts.extend(reader.draft(&name));
            }
            None => at += 1,
        }
    }
}

struct Name {
    words: Range<usize>,
    reason: &'static str,
    confidence: Confidence,
    soft: Soft,
}

struct Reader<'a> {
    policy: &'a Policy,
    view: &'a View<'a>,
    taken: &'a [Taken],
    covered: &'a [Range<usize>],
}

impl Reader<'_> {
    fn word(&self, at: usize) -> Option<&Word> {
        self.view.words.get(at)
    }

    fn before(&self, at: usize) -> Option<&Word> {
        at.checked_sub(1).and_then(|at| self.word(at))
    }

    fn bytes(&self, at: usize) -> &[u8] {
        self.word(at).map_or(&[], |word| self.view.word_bytes(word))
    }

    fn is_free(&self, at: usize) -> bool {
        let Some(word) = self.word(at) else {
            return false;
        };
        self.taken.get(at) == Some(&Taken::Free)
            && !word.digits
            && !self
                .covered
                .iter()
                .any(|it| it.start <= word.start && word.end <= it.end)
    }

    /// Could the word be part of a name, given a reason?
    fn nameable(&self, at: usize) -> bool {
        self.word(at).is_some_and(|word| {
            let month = word.is(flag::MONTH | flag::WEEKDAY) && word.is(WEAK);
            self.is_free(at) && word.len() >= 2 && (!word.is(NO_NAME) || word.is(LISTED) || month)
        })
    }

    /// Written large, and no word that everybody uses.
    fn is_strange(&self, at: usize) -> bool {
        let Some(word) = self.word(at) else {
            return false;
        };
        let known = flag::COMMON
            | flag::SPANISH
            | flag::PERSON_VERB
            | flag::ADDRESS_FOLLOW
            | flag::NAME_CUE
            | flag::KIN
            | flag::PLACE;
        self.nameable(at)
            && word.case == Case::Title
            && !word.is(known)
            && !word.listed
            && word.len() >= 3
    }

    /// Written in capitals in a text that is not, and no word of any list: `flew to LEPPEN`.
    fn is_shouted(&self, at: usize) -> bool {
        let Some(word) = self.word(at) else {
            return false;
        };
        let small = |word: &Word| word.case == Case::Lower && word.len() > 1;
        self.is_free(at)
            && word.case == Case::Upper
            && word.len() >= 4
            && !word.listed
            && (word.flags == 0 || word.is(flag::PLACE))
            && self.view.words.iter().any(small)
    }

    fn is_large(&self, at: usize) -> bool {
        self.word(at).is_some_and(Word::is_capital)
    }

    fn has(&self, at: usize, flags: u32) -> bool {
        self.word(at).is_some_and(|word| word.is(flags))
    }

    fn name_at(&self, at: usize) -> Option<Name> {
        let word = self.word(at)?;
        if word.is(flag::PROVIDER | flag::TITLE)
            && let Some(name) = self.after_title(at)
        {
            return Some(name);
        }
        if !self.nameable(at) {
            return None;
        }
        let (reason, confidence) = self.reason(at)?;
        let words = self.grow(at, at + 1);
        if self.is_organisation(&words) || self.is_business(&words) {
            // Behind it the search goes on.
            return Some(Name {
                words,
                reason: "organisation",
                confidence,
                soft: Soft::Provider,
            });
        }
        if reason == "unknown" && self.placed(at) && !self.is_given(&words) {
            let span = word.start
                ..self
                    .word(words.end.saturating_sub(1))
                    .map_or(word.end, |word| word.end);
            let soft = patterns::town(self.policy, self.view, &span);
            return Some(Name {
                words,
                reason: "place",
                confidence,
                soft,
            });
        }
        let soft = if self.is_staff(&words) || self.is_doctor(&words) {
            Soft::Provider
        } else {
            Soft::No
        };
        Some(Name {
            words,
            reason,
            confidence,
            soft,
        })
    }

    /// `Mr. Ito`, `Dr. Patel`, `con la Dra. Ruiz`.
    fn after_title(&self, at: usize) -> Option<Name> {
        let title = self.word(at)?;
        let next = self.word(at + 1)?;
        let near = next.gap <= Gap::Space
            && (next.is_capital() || next.is(LISTED) || !next.is(flag::COMMON | flag::SPANISH));
        let person = self.nameable(at + 1)
            || self.is_initial(at + 1)
            || (next.is(flag::PROVIDER) && title.is(flag::TITLE));
        let spoken = matches!(
            self.bytes(at),
            b"don" | b"sir" | b"miss" | b"officer" | b"counselor" | b"therapist" | b"physician"
        );
        let strong = next.is_capital() || next.is(LISTED);
        let clipped = next.len() == 1 && next.gap == Gap::Mark;
        if !near
            || !person
            || next.digits
            || clipped
            || next.is(flag::ADDRESS_FOLLOW | flag::PERSON_VERB) && !next.is_capital()
            || (spoken && !strong)
        {
            return None;
        }
        if title.is(flag::PROVIDER)
            && !next.is_capital()
            && !next.is(LISTED)
            && self.bytes(at).len() > 3
        {
            return None;
        }
        let words = at..self.grow(at + 1, at + 2).end;
        let addressed = self.speaks_to(at, words.end);
        let provider = title.is(flag::PROVIDER)
            && !addressed
            && !self.before(at).is_some_and(|word| word.is(flag::GREETING));
        let reason = if provider { "provider" } else { "title" };
        let soft = if provider { Soft::Provider } else { Soft::No };
        Some(Name {
            words,
            reason,
            confidence: Confidence::Certain,
            soft,
        })
    }

    /// Behind `in`, `on`, `near`: a place rather than a person.
    fn placed(&self, at: usize) -> bool {
        let before = self
            .before(at)
            .map_or(&[][..], |word| self.view.word_bytes(word));
        matches!(
            before,
            b"in"
                | b"at"
                | b"near"
                | b"on"
                | b"en"
                | b"to"
                | b"from"
                | b"around"
                | b"visiting"
                | b"outside"
        ) || before == b"of"
            && at > 1
            && matches!(self.bytes(at - 2), b"university" | b"city" | b"town")
            || matches!(before, b"city" | b"town" | b"village") && self.is_shouted(at)
    }

    fn is_initial(&self, at: usize) -> bool {
        self.word(at).is_some_and(|word| {
            word.len() == 1 && word.is_capital() && !word.digits && self.is_free(at)
        })
    }

    /// Why the word begins a name, if it does.
    fn reason(&self, at: usize) -> Option<(&'static str, Confidence)> {
        let word = self.word(at)?;
        let large = word.is_capital();
        let plain = word.is(flag::COMMON | flag::SPANISH | WEAK) && !word.is(LISTED)
            || word.is(flag::COMMON) && !large
            || word.is(flag::SPANISH);
        let named_small =
            word.is(WEAK) && self.word(at + 1).is_some_and(|next| next.gap == Gap::Comma);
        if self.asked_for(at) && large && !plain {
            return Some(("cue", Confidence::Probable));
        }
        if self.greeted(at) && (large || word.is(LISTED | WEAK)) && (!plain || large || named_small)
        {
            let closed = self
                .word(at + 1)
                .is_none_or(|next| next.gap >= Gap::Comma || self.pairs(at));
            if !plain || closed || word.is(WEAK) {
                return Some(("greeting", Confidence::Certain));
            }
        }
        if self.pairs(at) {
            return Some(("pair", Confidence::Certain));
        }
        if word.is(LISTED) && !plain && large {
            return Some(("listed", Confidence::Probable));
        }
        if self.called(at) && !word.is(flag::COMMON | flag::SPANISH) || self.called(at) && large {
            return Some(("cue", Confidence::Probable));
        }
        if self.cued(at)
            && (large || word.is(LISTED) && !plain)
            && (!plain || self.closed(at) || word.is(WEAK))
        {
            return Some(("cue", Confidence::Probable));
        }
        if self.addressed(at, plain) || self.told(at, plain) {
            return Some(("address", Confidence::Probable));
        }
        let weak = large && word.is(WEAK) && !word.is(NO_NAME);
        let strange = self.is_strange(at);
        let first = !large && word.is(flag::FIRST) && !word.is(flag::COMMON);
        if strange && self.stands_as_name(at) || (strange || weak || first) && self.among_names(at)
        {
            return Some(("unknown", Confidence::Possible));
        }
        if self.placed(at) && (self.is_shouted(at) || self.is_unheard(at) && self.settled(at)) {
            return Some(("unknown", Confidence::Possible));
        }
        None
    }

    fn span(&self, name: &Name) -> Option<Range<usize>> {
        let start = self.word(name.words.start)?.start;
        let end = self.word(name.words.end.checked_sub(1)?)?.end;
        Some(start..end)
    }

    /// `flew to`, `lives in`, `grew up in`: what follows is a place, however it is written.
    fn settled(&self, at: usize) -> bool {
        let Some(verb) = at.checked_sub(2) else {
            return false;
        };
        matches!(
            self.bytes(verb),
            b"lives"
                | b"live"
                | b"lived"
                | b"flew"
                | b"moved"
                | b"resides"
                | b"up"
                | b"born"
                | b"vive"
                | b"vivo"
        )
    }

    fn draft(&self, name: &Name) -> Option<Draft> {
        if name.reason == "organisation" {
            return None;
        }
        let Range { start, end } = self.span(name)?;
        let place = name.reason == "place";
        // `in Bjert 6091`: the postal code behind the town.
        let end = self
            .word(name.words.end)
            .filter(|next| {
                let bytes = self.view.word_bytes(next);
                let year = bytes.starts_with(b"19") || bytes.starts_with(b"20");
                place
                    && next.gap == Gap::Space
                    && (4..=5).contains(&bytes.len())
                    && bytes.iter().all(u8::is_ascii_digit)
                    && !(year && bytes.len() == 4)
            })
            .map_or(end, |next| next.end);
        let kind = match name.reason {
            "listed" | "pair" => "lexicon",
            _ => "context",
        };
        Some(Draft {
            span: start..end,
            category: if place {
                Category::Geographic
            } else {
                Category::Name
            },
            rule: if place {
                "identifiers.place"
            } else {
                "identifiers.name"
            }
            .into(),
            confidence: name.confidence,
            kind,
            name: name.reason.into(),
            cite: if place { PLACE_CITE } else { NAME_CITE }.into(),
            soft: if self.is_lone(name) {
                Soft::Bare
            } else {
                name.soft
            },
        })
    }
}
