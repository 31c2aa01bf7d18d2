//! Names of people: by the lists, and by the words around them.
//!
//! A listed name written large is enough; a name that is also a word, a name written small and a
//! word that no list knows need a reason: a greeting, a title, a relation, a surname, an address.

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::NAME_CITE;
use crate::guardrail::detect::PLACE_CITE;
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
use crate::policy::rules::Owner;

const LISTED: u32 = flag::FIRST | flag::LAST;
const WEAK: u32 = flag::FIRST_WEAK | flag::LAST_WEAK;
/// What stands beside names and is none.
const NO_NAME: u32 = flag::NEVER_NAME | flag::GREETING | flag::TITLE | flag::PROVIDER | flag::MONTH | flag::WEEKDAY | flag::COUNTRY | flag::ORGANISATION;
/// The most words of one name.
const MOST: usize = 6;

/// Finds the names in words that no other finding took.
pub(super) fn find(policy: &Policy, view: &View<'_>, taken: &[Taken], drafts: &mut Vec<Draft>) {
    let covered: Vec<Range<usize>> = drafts.iter().filter(|it| it.confidence > Confidence::Possible).map(|it| it.span.clone()).collect();
    let reader = Reader { policy, view, taken, covered, spanish: spanish(view) };
    let mut at = 0;
    while at < view.words.len() {
        match reader.name_at(at) {
            Some(name) => {
                at = name.words.end.max(at + 1);
                drafts.extend(reader.draft(name));
            }
            None => at += 1,
        }
    }
}

/// Two Spanish words make a Spanish text: there a word that English does not know is no name by that.
fn spanish(view: &View<'_>) -> bool {
    view.words.iter().filter(|word| word.is(flag::SPANISH) && word.len() > 1).count() * 5 >= view.words.len().max(5)
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
    covered: Vec<Range<usize>>,
    spanish: bool,
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
        let Some(word) = self.word(at) else { return false };
        self.taken.get(at) == Some(&Taken::Free)
            && !word.digits
            && !self.covered.iter().any(|it| it.start <= word.start && word.end <= it.end)
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
        let Some(word) = self.word(at) else { return false };
        let known = flag::COMMON | flag::SPANISH | flag::PERSON_VERB | flag::ADDRESS_FOLLOW | flag::NAME_CUE | flag::KIN | flag::PLACE;
        self.nameable(at) && word.case == Case::Title && !word.is(known) && !word.listed && word.len() >= 3
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
        if self.is_organisation(&words) {
            // Behind it the search goes on.
            return Some(Name { words, reason: "organisation", confidence, soft: Soft::Provider });
        }
        if reason == "unknown" && self.placed(at) {
            let span = word.start..self.word(words.end.saturating_sub(1)).map_or(word.end, |word| word.end);
            let soft = patterns::soft(self.policy, self.view, Owner::Contact, Category::Geographic, &span);
            return Some(Name { words, reason: "place", confidence, soft });
        }
        let soft = if self.is_staff(&words) { Soft::Provider } else { Soft::No };
        Some(Name { words, reason, confidence, soft })
    }

    /// `Mr. Ito`, `Dr. Patel`, `con la Dra. Ruiz`.
    fn after_title(&self, at: usize) -> Option<Name> {
        let title = self.word(at)?;
        let next = self.word(at + 1)?;
        let near = next.gap <= Gap::Space && (next.is_capital() || next.is(LISTED) || !next.is(flag::COMMON | flag::SPANISH));
        let person = self.nameable(at + 1) || self.is_initial(at + 1) || (next.is(flag::PROVIDER) && title.is(flag::TITLE));
        let spoken = matches!(self.bytes(at), b"don" | b"sir" | b"miss" | b"officer" | b"counselor" | b"therapist" | b"physician");
        let strong = next.is_capital() || next.is(LISTED);
        let clipped = next.len() == 1 && next.gap == Gap::Mark;
        if !near || !person || next.digits || clipped || next.is(flag::ADDRESS_FOLLOW | flag::PERSON_VERB) && !next.is_capital() || (spoken && !strong) {
            return None;
        }
        if title.is(flag::PROVIDER) && !next.is_capital() && !next.is(LISTED) && self.bytes(at).len() > 3 {
            return None;
        }
        let words = at..self.grow(at + 1, at + 2).end;
        let addressed = self.word(words.end).is_some_and(|word| word.gap == Gap::Comma && matches!(self.view.word_bytes(word), b"your" | b"you" | b"ur" | b"su" | b"tu"));
        let provider = title.is(flag::PROVIDER) && !addressed && !self.before(at).is_some_and(|word| word.is(flag::GREETING));
        let reason = if provider { "provider" } else { "title" };
        let soft = if provider { Soft::Provider } else { Soft::No };
        Some(Name { words, reason, confidence: Confidence::Certain, soft })
    }

    /// Behind `in`, `on`, `near`: a place rather than a person.
    fn placed(&self, at: usize) -> bool {
        let before = self.before(at).map_or(&[][..], |word| self.view.word_bytes(word));
        matches!(before, b"in" | b"at" | b"near" | b"on" | b"en" | b"to" | b"from" | b"around" | b"visiting" | b"outside")
    }

    fn is_initial(&self, at: usize) -> bool {
        self.word(at).is_some_and(|word| word.len() == 1 && word.is_capital() && !word.digits && self.is_free(at))
    }

    /// Why the word begins a name, if it does.
    fn reason(&self, at: usize) -> Option<(&'static str, Confidence)> {
        let word = self.word(at)?;
        let large = word.is_capital();
        let plain = word.is(flag::COMMON | flag::SPANISH | WEAK) && !word.is(LISTED) || word.is(flag::COMMON) && !large || word.is(flag::SPANISH);
        let named_small = word.is(WEAK) && self.word(at + 1).is_some_and(|next| next.gap == Gap::Comma);
        if self.greeted(at) && (large || word.is(LISTED | WEAK)) && (!plain || large || named_small) {
            let closed = self.word(at + 1).is_none_or(|next| next.gap >= Gap::Comma || self.pairs(at));
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
        if self.cued(at) && (large || word.is(LISTED) && !plain) && (!plain || self.closed(at) || word.is(WEAK)) {
            return Some(("cue", Confidence::Probable));
        }
        if self.addressed(at, plain) || self.told(at, plain) {
            return Some(("address", Confidence::Probable));
        }
        if self.is_strange(at) && self.stands_as_name(at) {
            return Some(("unknown", Confidence::Possible));
        }
        None
    }

    /// Right behind a greeting, with a relation between at most: `Dear family of`, `hi mom of`.
    fn greeted(&self, at: usize) -> bool {
        let hello = |at: usize| self.before(at).is_some_and(|word| word.is(flag::GREETING));
        let near = self.word(at).is_some_and(|word| word.gap <= Gap::Comma);
        let ok = self.before(at).is_some_and(|_| matches!(self.bytes(at - 1), b"ok" | b"okay" | b"thanks" | b"congratulations" | b"congrats" | b"gracias" | b"news" | b"morning" | b"afternoon" | b"evening" | b"dias" | b"tardes" | b"noches" | b"sorry" | b"welcome" | b"felicidades" | b"yes" | b"hey"));
        near && (hello(at) || (ok && self.word(at).is_some_and(|word| word.is(LISTED | WEAK) || word.is_capital())))
    }

    /// First and last name together, or a name and an initial.
    fn pairs(&self, at: usize) -> bool {
        let (Some(word), Some(next)) = (self.word(at), self.word(at + 1)) else { return false };
        let any = LISTED | WEAK;
        if next.gap > Gap::Space || !word.is(any) {
            return false;
        }
        if next.len() == 1 && !next.digits {
            let large = word.is_capital() && next.is_capital() && !self.is_pronoun(at + 1);
            return word.is(flag::FIRST) && (large || self.cued(at)) && self.is_free(at + 1);
        }
        let shouted = word.case == Case::Upper && next.case == Case::Upper && !word.is(LISTED) && !next.is(LISTED);
        let both = word.is_capital() && next.is_capital() && !shouted;
        let known = next.is(any) && self.nameable(at + 1);
        let strange = self.is_strange(at + 1) && word.is(flag::FIRST | flag::FIRST_WEAK);
        let sure = word.is(flag::FIRST) && next.is(flag::LAST) && !word.is(flag::COMMON) && !next.is(flag::COMMON);
        (both && (known || strange)) || (sure && self.nameable(at + 1))
    }

    fn is_pronoun(&self, at: usize) -> bool {
        matches!(self.bytes(at), b"i" | b"a")
    }

    /// `your son Liam`, `patient Emily`, `for Lena`, `named`.
    fn cued(&self, at: usize) -> bool {
        let Some(before) = self.before(at) else { return false };
        let near = self.word(at).is_some_and(|word| word.gap <= Gap::Comma);
        let kin = before.is(flag::KIN) && !before.is_capital();
        let of = matches!(self.view.word_bytes(before), b"of" | b"for" | b"about" | b"with" | b"from" | b"de" | b"para" | b"con");
        let kin_of = of && at.checked_sub(2).is_some_and(|at| self.has(at, flag::KIN));
        let weak = self.word(at).is_some_and(|word| word.is(WEAK | LISTED));
        near && (kin || kin_of || before.is(flag::NAME_CUE) || of && weak && self.is_large(at))
    }

    /// `my name is`, `people call me`, `a friend named`.
    fn called(&self, at: usize) -> bool {
        let Some(second) = at.checked_sub(2) else { return false };
        let near = self.word(at).is_some_and(|word| word.gap <= Gap::Comma);
        let before = (self.bytes(second), self.bytes(at - 1));
        near && matches!(before, (b"name" | b"nombre", b"is" | b"es") | (b"call" | b"called" | b"named", b"me" | b"him" | b"her") | (b"me" | b"se", b"llamo" | b"llama"))
    }

    /// Is the name over where it stands?
    fn closed(&self, at: usize) -> bool {
        self.word(at + 1).is_none_or(|next| next.gap >= Gap::Comma || next.is(flag::PERSON_VERB | flag::PARTICLE) || self.view.word_bytes(next) == b"s")
    }

    /// `Faith, your ...`, `Theo! Your ...`, `bandage dry, Coach.`, `Will your ...` without a question.
    fn addressed(&self, at: usize, plain: bool) -> bool {
        let Some(word) = self.word(at) else { return false };
        let next = self.word(at + 1);
        let starts = word.gap == Gap::Stop;
        let candidate = word.is(LISTED | WEAK) || self.is_strange(at);
        if starts && candidate && (word.is_capital() || !plain) {
            let comma = next.is_some_and(|next| next.gap == Gap::Comma && next.is(flag::ADDRESS_FOLLOW) || next.gap == Gap::Space && matches!(self.view.word_bytes(next), b"your" | b"ur" | b"su" | b"tu"));
            if comma && (!word.is(flag::COMMON) || next.is_some_and(|next| next.gap == Gap::Comma) || self.is_statement(at)) {
                return true;
            }
        }
        let last = next.is_none_or(|next| next.gap == Gap::Stop);
        let behind_comma = word.gap == Gap::Comma && word.is_capital() && at > 1;
        let unusual = word.is(LISTED | WEAK) || !word.is(NO_NAME | flag::STREET);
        last && behind_comma && unusual && self.comma_before(at) && !self.before(at).is_some_and(Word::is_capital)
    }

    fn comma_before(&self, at: usize) -> bool {
        let start = self.word(at).map_or(0, |word| word.start);
        self.view.bytes(start.saturating_sub(2)..start) == b", "
    }

    /// `Will your visit is ...`: what begins like a question and tells something, begins with a name.
    fn is_statement(&self, at: usize) -> bool {
        let Some(word) = self.word(at).filter(|word| word.is(flag::FIRST_WEAK)) else { return false };
        let end = self.view.sentence(&(word.start..word.end)).end;
        let rest = self.view.words.iter().skip(at + 2).take_while(|word| word.start < end);
        let tells = |word: &Word| matches!(self.view.word_bytes(word), b"is" | b"are" | b"was" | b"has");
        !self.is_question(at) && rest.take(6).any(tells)
    }

    fn is_question(&self, at: usize) -> bool {
        let Some(word) = self.word(at) else { return false };
        let end = self.view.sentence(&(word.start..word.end)).end;
        self.view.bytes(word.start..end).contains(&b'?')
    }

    /// `Faith wants`, `Princess needs`, `mike's`.
    fn told(&self, at: usize, plain: bool) -> bool {
        let (Some(word), Some(next)) = (self.word(at), self.word(at + 1)) else { return false };
        let owns = next.gap == Gap::Mark && self.view.word_bytes(next) == b"s" && word.is(LISTED | WEAK);
        let acts = next.gap == Gap::Space && next.is(flag::PERSON_VERB) && !self.is_question(at);
        let candidate = word.is(LISTED) || word.is(WEAK) && word.gap == Gap::Stop || self.is_strange(at);
        let third = !matches!(self.view.word_bytes(next), b"is" | b"will" | b"was" | b"es" | b"gave") || !word.is(flag::COMMON);
        let desk = next.gap == Gap::Space && self.view.word_bytes(next) == b"at" && matches!(self.bytes(at + 2), b"ext" | b"extension" | b"x");
        let sure = word.is_capital() || word.is(flag::FIRST) && !plain;
        sure && candidate && (owns && !plain || acts && third) || owns && !plain || desk && word.is_capital()
    }

    /// A strange word written large: a name in the middle of a sentence; at its beginning only when
    /// the text is English and something of a person follows.
    fn stands_as_name(&self, at: usize) -> bool {
        let Some(word) = self.word(at) else { return false };
        let starts = word.gap == Gap::Stop;
        let small = self.view.words.iter().filter(|word| word.case == Case::Lower && word.len() > 1).count();
        (small > 0 || self.is_strange(at + 1)) && (!starts || !self.spanish || self.closed(at))
    }

    /// The words that belong to the name that begins at `from`.
    fn grow(&self, from: usize, mut end: usize) -> Range<usize> {
        let large = self.is_large(from) || end.checked_sub(1).is_some_and(|at| self.is_large(at));
        while end - from < MOST {
            let Some(next) = self.word(end) else { break };
            let hyphen = next.gap == Gap::Mark && self.view.word_bytes(next) != b"s";
            let free = self.is_free(end) || self.nameable(end);
            let initial = next.len() == 1 && next.is_capital() == large && !self.is_pronoun(end) && next.gap <= Gap::Space && free && !next.digits;
            let named = next.gap <= Gap::Space && self.nameable(end) && (next.is_capital() == large || next.is(LISTED) && !next.is(flag::COMMON));
            let belongs = next.is(LISTED) || (next.is(WEAK) || !next.is(flag::COMMON | flag::SPANISH | flag::PERSON_VERB | flag::ADDRESS_FOLLOW)) && large || self.is_caps(end, large);
            let suffix = next.is(flag::SUFFIX) && next.is_capital() && next.gap <= Gap::Comma && large;
            let particle = next.is(flag::PARTICLE) && next.gap <= Gap::Space && self.is_name_behind(end, large);
            let last_first = next.gap == Gap::Comma && self.comma_before(end) && next.is(flag::FIRST) && next.is_capital() && end == from + 1 && self.has(from, flag::LAST) && !self.has(from, flag::FIRST);
            let apostrophe = hyphen && self.is_free(end) && (next.is_capital() == large || next.is(LISTED));
            if !(initial || named && belongs || suffix || particle || last_first || apostrophe) {
                break;
            }
            end += 1;
        }
        from..end
    }

    fn is_caps(&self, at: usize, large: bool) -> bool {
        large && self.is_strange(at)
    }

    /// Behind a particle, or two, stands a word written like the name.
    fn is_name_behind(&self, at: usize, large: bool) -> bool {
        let next = (at + 1..at + 3).find(|at| !self.has(*at, flag::PARTICLE));
        next.is_some_and(|at| {
            let near = self.word(at).is_some_and(|word| word.gap <= Gap::Space && !word.digits);
            near && self.nameable(at) && large && self.is_large(at) && !self.has(at, flag::COMMON)
        })
    }

    /// `Lakeside Family Clinic`: written large up to a word of organisations.
    fn is_organisation(&self, words: &Range<usize>) -> bool {
        let behind = (words.end..words.end + 4).take_while(|at| {
            self.word(*at).is_some_and(|word| word.gap <= Gap::Space && (word.is_capital() || matches!(self.view.word_bytes(word), b"of" | b"and")))
        });
        let mut within = words.clone().chain(behind);
        within.any(|at| self.has(at, flag::ORGANISATION | flag::STREET) && self.is_large(at) && at > words.start)
    }

    /// `This is Sam from Lakeside`, `- Kim, RN`, `Nurse Kim`.
    fn is_staff(&self, words: &Range<usize>) -> bool {
        let two = |one: &[u8], other: &[u8]| {
            words.start >= 2 && self.bytes(words.start - 2) == one && self.bytes(words.start - 1) == other
        };
        let own = two(b"this", b"is") || two(b"name", b"is") && self.bytes(words.start.saturating_sub(3)) == b"my" || two(b"habla", b"con") || two(b"soy", b"la") || self.before(words.start).is_some_and(|word| matches!(self.view.word_bytes(word), b"soy" | b"im"));
        let from = self.word(words.end).is_some_and(|word| matches!(self.view.word_bytes(word), b"from" | b"with" | b"at" | b"de" | b"calling" | b"en"));
        own && from
    }

    fn draft(&self, name: Name) -> Option<Draft> {
        if name.reason == "organisation" {
            return None;
        }
        let start = self.word(name.words.start)?.start;
        let end = self.word(name.words.end.checked_sub(1)?)?.end;
        let place = name.reason == "place";
        let kind = match name.reason {
            "listed" | "pair" => "lexicon",
            _ => "context",
        };
        Some(Draft {
            span: start..end,
            category: if place { Category::Geographic } else { Category::Name },
            rule: if place { "identifiers.place" } else { "identifiers.name" }.into(),
            confidence: name.confidence,
            kind,
            name: name.reason.into(),
            cite: if place { PLACE_CITE } else { NAME_CITE }.into(),
            soft: name.soft,
        })
    }
}
