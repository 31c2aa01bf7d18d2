//! Taking a phrase out of a sentence so that the rest still stands.

mod aside;
mod list;
mod stand_in;

use std::ops::Range;

use crate::guardrail::conduct::Phrases;
use crate::guardrail::conduct::Rules;
use crate::guardrail::conduct::listed;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;
use crate::guardrail::rewrite::tidy::tidy;

/// A sentence being mended: its tokens, and which of them go.
struct Mending<'a> {
    view: &'a View<'a>,
    phrases: &'a Phrases,
    first: usize,
    last: usize,
    gone: Vec<bool>,
    drops: Vec<(usize, usize)>,
    instead: Vec<(usize, String)>,
}

const GREETINGS: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "dear",
    "hola",
    "thanks",
    "you",
    "gracias",
    "morning",
    "afternoon",
    "evening",
    "dias",
    "tardes",
    "noches",
    "estimado",
    "estimada",
    "welcome",
    "sorry",
    "yes",
    "no",
    "si",
];
const HONORIFICS: &[&str] = &[
    "mr", "mrs", "ms", "sr", "sra", "srta", "miss", "don", "dona",
];

/// The sentence without the dropped places (of the text as given), or `None` when it cannot stand.
pub(crate) fn mend(
    view: &View<'_>,
    rules: &Rules,
    sentence: &Range<usize>,
    (drops, procedures): (&[Range<usize>], &[Range<usize>]),
) -> Option<String> {
    let phrases = &rules.phrases;
    let first = view
        .tokens
        .partition_point(|token| token.at.start < sentence.start);
    let end = view
        .tokens
        .partition_point(|token| token.at.start < sentence.end);
    let last = end.checked_sub(1)?;
    let mut mending = Mending {
        view,
        phrases,
        first,
        last,
        gone: vec![false; end - first],
        drops: Vec::new(),
        instead: Vec::new(),
    };
    for drop in drops {
        let low = view.low_range(drop);
        let a = view
            .tokens
            .partition_point(|token| token.at.end <= low.start)
            .max(first);
        let b = view
            .tokens
            .partition_point(|token| token.at.start < low.end)
            .checked_sub(1)?
            .min(last);
        // "your surgery" was found as one: the determiner is mended with the rest.
        let a = (a..b)
            .find(|at| !listed(&phrases.determiners, mending.word(*at)))
            .unwrap_or(b);
        if a <= b {
            mending.drops.push((a, b));
        }
    }
    mending.drops.sort_unstable();
    mending.join_drops();
    let outcome = phrases.outcome.is_match(view.slice(sentence));
    for (a, b) in mending.drops.clone() {
        if mending.is_gone(a, b) {
            continue;
        }
        let done = mending.parenthesis(a, b)
            || mending.vocative(a, b)
            || mending.apposition(a, b)
            || mending.aside(a, b)
            || mending.reason(a, b)
            || !outcome && mending.leading(a, b)
            || !outcome && (mending.modifier(a, b) || mending.prepositional(a, b))
            || !outcome && mending.provider(a, b, rules)
            || !outcome && mending.visit(a, b, rules, mending.is_procedure(a, procedures))
            || mending.list_item(a, b)
            || mending.with_person(a, b)
            || mending.clause(a, b);
        if !done {
            return None;
        }
    }
    finish(&mending, sentence)
}

impl Mending<'_> {
    fn word(&self, index: usize) -> &str {
        if index < self.first || index > self.last {
            ""
        } else {
            self.view.word(index)
        }
    }

    fn before(&self, index: usize, back: usize) -> &str {
        index.checked_sub(back).map_or("", |at| self.word(at))
    }

    fn is_gone(&self, a: usize, b: usize) -> bool {
        (a..=b).all(|index| self.gone.get(index - self.first).copied().unwrap_or(true))
    }

    fn take(&mut self, a: usize, b: usize) -> bool {
        for index in a..=b {
            if let Some(gone) = index
                .checked_sub(self.first)
                .and_then(|at| self.gone.get_mut(at))
            {
                *gone = true;
            }
        }
        true
    }

    /// Drops with only a comma, "and" or "of" between them are one.
    fn join_drops(&mut self) {
        let mut joined: Vec<(usize, usize)> = Vec::with_capacity(self.drops.len());
        for &(a, b) in &self.drops {
            let Some(last) = joined.last_mut() else {
                joined.push((a, b));
                continue;
            };
            let link = |index: usize| {
                matches!(
                    self.word(index),
                    "," | "and"
                        | "y"
                        | "or"
                        | "o"
                        | "of"
                        | "de"
                        | "&"
                        | "/"
                        | "-"
                        | "your"
                        | "su"
                        | "the"
                        | "a"
                        | "an"
                        | "un"
                        | "una"
                        | "'s"
                ) || listed(&self.phrases.nouns, self.word(index))
            };
            if a <= last.1 + 4 && (last.1 + 1..a).all(link) {
                last.1 = last.1.max(b);
            } else {
                joined.push((a, b));
            }
        }
        self.drops = joined;
    }

    fn parenthesis(&mut self, a: usize, b: usize) -> bool {
        let open = (self.first..=a)
            .rev()
            .find(|&i| matches!(self.word(i), "(" | ")"));
        let close = (b..=self.last).find(|&i| matches!(self.word(i), "(" | ")"));
        match (open, close) {
            (Some(open), Some(close)) if self.word(open) == "(" && self.word(close) == ")" => {
                self.take(open, close)
            }
            _ => false,
        }
    }

    /// "Hi Maria Gonzalez," - the name goes, the greeting stays.
    fn vocative(&mut self, a: usize, b: usize) -> bool {
        let mut start = a;
        while matches!(self.before(start, 1), ".") && HONORIFICS.contains(&self.before(start, 2))
            || HONORIFICS.contains(&self.before(start, 1))
        {
            start -= if self.before(start, 1) == "." { 2 } else { 1 };
        }
        let lead = self.before(start, 1);
        let after = self.word(b + 1);
        let closed = matches!(after, "," | "!" | "." | ":" | "" | "-");
        let name = self.view.capital(a);
        if !name || !closed {
            return false;
        }
        if start == self.first {
            // "Maria, your visit": the name and its comma go.
            return matches!(after, "," | ":" | "-" | "!")
                && b < self.last
                && self.take(start, b + 1);
        }
        let greeted = GREETINGS.contains(&lead);
        // The rest of a full name whose first name stays: "Hi Maria Gonzalez,".
        let surname = self.view.kind(start - 1) == Some(Kind::Word)
            && self.view.capital(start - 1)
            && (start - 1 == self.first || GREETINGS.contains(&self.before(start, 2)));
        if greeted || surname {
            return self.take(start, b);
        }
        lead == "," && matches!(after, "." | "!" | "" | "?") && self.take(start - 1, b)
    }

    /// ", MRN 00482913," - a label and a value between commas.
    fn apposition(&mut self, a: usize, b: usize) -> bool {
        let labelled =
            |word: &str| listed(&self.phrases.labels, word) || matches!(word, ":" | "#" | ".");
        let mut start = a;
        while start > self.first && labelled(self.before(start, 1)) {
            start -= 1;
        }
        // ", Reason: depression follow-up" goes with its noun.
        let end = if start < a { self.noun_end(b) } else { b };
        let after = self.word(end + 1);
        let lead = self.before(start, 1);
        if !matches!(lead, "," | "-" | ";") {
            return false;
        }
        if matches!(after, "," | "-" | ";") {
            // Of a pair around the words both go before a verb: "Emily Zhao, MRN 1, is" -> "Emily Zhao is".
            let verb = matches!(
                self.word(end + 2),
                "is" | "are"
                    | "was"
                    | "were"
                    | "has"
                    | "will"
                    | "es"
                    | "esta"
                    | "fue"
                    | "sera"
                    | "tiene"
            );
            let both = after == "-" && lead == "-" || verb;
            return self.take(start - 1, if both { end + 1 } else { end });
        }
        matches!(after, "." | "" | "!") && self.take(start - 1, end)
    }

    /// Back over "your next", to where the noun phrase begins.
    fn noun_start(&self, a: usize) -> usize {
        let mut start = a;
        while start > self.first {
            let word = self.before(start, 1);
            if !(listed(&self.phrases.determiners, word) || listed(&self.phrases.adjectives, word))
            {
                break;
            }
            start -= 1;
        }
        start
    }

    fn noun_end(&self, b: usize) -> usize {
        let mut end = b;
        while let Some(noun) = self.noun_at(&self.phrases.nouns, end + 1) {
            end = noun;
        }
        end
    }

    /// The end of a listed noun that begins here; "follow-up" is three tokens.
    fn noun_at(&self, list: &[String], at: usize) -> Option<usize> {
        if at > self.last {
            return None;
        }
        if self.word(at + 1) == "-" && matches!(self.word(at), "follow" | "check" | "walk") {
            return matches!(self.word(at + 2), "up" | "in" | "ups").then_some(at + 2);
        }
        listed(list, self.word(at)).then_some(at)
    }

    /// "your colonoscopy appointment" - the word goes, determiner and noun stay.
    fn modifier(&mut self, a: usize, b: usize) -> bool {
        let mut start = a;
        while listed(&self.phrases.adjectives, self.before(start, 1)) {
            start -= 1;
        }
        let determined = listed(&self.phrases.determiners, self.before(start, 1));
        let mut end = b;
        if matches!(self.word(end + 1), "-") {
            return false;
        }
        while self.noun_at(&self.phrases.modified, end + 1).is_none() {
            let Some(noun) = self.noun_at(&self.phrases.nouns, end + 1) else {
                return false;
            };
            end = noun;
        }
        determined && self.take(a, end)
    }

    /// "for your colonoscopy" behind a noun, day or hour that stands without it.
    fn prepositional(&mut self, a: usize, b: usize) -> bool {
        let start = self.noun_start(a);
        let end = self.noun_end(b);
        if start == self.first || !listed(&self.phrases.prepositions, self.before(start, 1)) {
            return false;
        }
        let mut p = start - 1;
        // "because of", "out of", "due to" are verbs' complements; "acerca de" goes whole.
        if self.before(p, 1) == "acerca" {
            p -= 1;
        }
        if p == self.first {
            return false;
        }
        let head = self.before(p, 1);
        let hangs = listed(&self.phrases.heads, head)
            || self.view.kind(p - 1) == Some(Kind::Number)
            || head.len() > 2 && self.view.capital(p - 1) && p - 1 > self.first
            || matches!(head, "," | ")")
            || matches!(head, "." if matches!(self.before(p, 2), "m"))
            || self.is_gone(p - 1, p - 1);
        let after = self.word(end + 1);
        let joins = matches!(after, "and" | "y" | "but" | "pero")
            && listed(&self.phrases.subjects, self.word(end + 2));
        let bounded = matches!(after, "" | "," | "." | "!" | "?" | ";" | ":" | ")" | "-")
            || listed(&self.phrases.boundaries, after)
            || joins;
        hangs && bounded && self.take(p, end)
    }

    fn is_procedure(&self, a: usize, procedures: &[Range<usize>]) -> bool {
        let span = self.view.span(&self.view.reach(a, a));
        procedures
            .iter()
            .any(|place| place.start <= span.start && span.end <= place.end)
    }

    /// "with Dr. Reyes", "con la Dra. Reyes", "with cardiology".
    fn with_person(&mut self, a: usize, b: usize) -> bool {
        let start = self.noun_start(a);
        let lead = self.before(start, 1);
        let after = self.word(b + 1);
        let bounded = self.view.capital(a)
            || matches!(after, "" | "," | "." | "!" | "?" | ";")
            || listed(&self.phrases.boundaries, after);
        bounded
            && start > self.first + 1
            && matches!(lead, "with" | "con")
            && self.take(start - 1, b)
    }

    /// One half of "..., and ..." goes when the other can stand.
    fn clause(&mut self, a: usize, b: usize) -> bool {
        let opens = |i: usize| {
            let (word, next) = (self.word(i), self.word(i + 1));
            let joins = matches!(word, "and" | "but" | "y" | "pero" | "so");
            let stop = matches!(word, ";")
                || word == "," && !matches!(next, "and" | "but" | "y" | "pero" | "so");
            joins && listed(&self.phrases.subjects, next)
                || stop && word == ";" && listed(&self.phrases.subjects, next)
        };
        let cuts: Vec<usize> = (self.first + 1..self.last).filter(|&i| opens(i)).collect();
        let before = cuts.iter().copied().filter(|&cut| cut < a).max();
        let after = cuts.iter().copied().find(|&cut| cut > b);
        match (before, after) {
            (Some(cut), None) => {
                // Keep what stands before the cut, when it is clean and long enough to be a sentence.
                let comma = usize::from(self.before(cut, 1) == ",");
                let whole = cut - comma - self.first >= 3
                    && self.is_clean(self.first, cut - 1)
                    && self.has_verb(self.first, cut - 1);
                let stop = usize::from(self.view.kind(self.last) == Some(Kind::Mark));
                whole && self.take(cut - comma, self.last - stop)
            }
            (None, Some(cut)) => {
                let whole = self.last - cut >= 3
                    && self.is_clean(cut, self.last)
                    && self.has_verb(cut + 1, self.last);
                let greeting = self.greeting_end(a);
                let hangs = matches!(self.word(cut + 1), "it" | "they" | "he" | "she");
                whole && !hangs && self.take(greeting, cut)
            }
            _ => false,
        }
    }

    /// Where the clause begins behind "Hi Maria,".
    fn greeting_end(&self, a: usize) -> usize {
        let comma = (self.first..a).find(|&i| self.word(i) == ",");
        match comma {
            Some(comma)
                if GREETINGS.contains(&self.word(self.first)) && comma - self.first <= 4 =>
            {
                comma + 1
            }
            _ => self.first,
        }
    }
}

fn finish(mending: &Mending<'_>, sentence: &Range<usize>) -> Option<String> {
    let view = mending.view;
    let mut out = String::with_capacity(sentence.len());
    let mut from = sentence.start;
    let mut index = mending.first;
    while index <= mending.last {
        if !mending.is_gone(index, index) {
            index += 1;
            continue;
        }
        let start = index;
        while index <= mending.last && mending.is_gone(index, index) {
            index += 1;
        }
        let hole = view.reach(start, index - 1);
        out.push_str(view.text.get(view.span(&(from..hole.start)))?);
        let instead = mending
            .instead
            .iter()
            .filter(|(at, _)| (start..index).contains(at));
        for (place, (_, word)) in instead.enumerate() {
            if place > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
        from = hole.end;
    }
    out.push_str(view.text.get(view.span(&(from..sentence.end)))?);
    let text = tidy(&out);
    let left = View::new(&text, &[]);
    let words = left
        .tokens
        .iter()
        .filter(|token| token.kind == Kind::Word)
        .count();
    let tail = left
        .tokens
        .iter()
        .rev()
        .find(|token| token.kind != Kind::Mark)?;
    let end = left.slice(&tail.at);
    let hanging = listed(&mending.phrases.determiners, end)
        || listed(&mending.phrases.prepositions, end) && end != "on" && end != "due"
        || matches!(
            end,
            "is" | "are"
                | "was"
                | "and"
                | "or"
                | "with"
                | "to"
                | "be"
                | "es"
                | "esta"
                | "con"
                | "y"
                | "due"
                | "at"
        );
    let greeting = words >= 1 && GREETINGS.contains(&left.word(0));
    (!hanging && (words >= 2 || greeting)).then_some(text)
}
