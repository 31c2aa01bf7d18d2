//! What is said by the way goes whole: "who treats your lupus", "since your asthma is back".

use crate::guardrail::conduct::listed;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::rewrite::phrase::Mending;

/// A sentence keeps at least so many words.
const STANDS: usize = 3;

impl Mending<'_> {
    /// "Dr. Reyes, who treats your lupus, can see you": the aside goes with both its commas.
    pub(super) fn aside(&mut self, a: usize, b: usize) -> bool {
        let opens = |at: &usize| {
            self.before(*at, 1) == "," && listed(&self.phrases.relatives, self.word(*at))
        };
        let Some(start) = (self.first + 2..=a).rev().find(opens) else {
            return false;
        };
        if (start..a).any(|at| self.word(at) == ",") {
            return false;
        }
        let end = (b + 1..=self.last).find(|at| matches!(self.word(*at), "," | "." | "!" | "?"));
        match end {
            Some(end) if self.word(end) == "," => self.take(start - 1, end),
            Some(end) => self.take(start - 1, end - 1),
            None => self.take(start - 1, self.last),
        }
    }

    /// "Since your asthma is back, Dr. Reyes would like to see you", and the same at the end.
    pub(super) fn reason(&mut self, a: usize, b: usize) -> bool {
        let gives = |at: usize| listed(&self.phrases.reasons, self.word(at));
        let start = self.greeting_end(a);
        let comma = (b + 1..self.last).find(|at| self.word(*at) == ",");
        if let Some(comma) = comma.filter(|_| gives(start) && start < a) {
            let rest = comma + 1;
            return self.last - comma > STANDS
                && self.is_clean(rest, self.last)
                && self.has_verb(rest, self.last)
                && !matches!(self.word(rest), "it" | "they" | "that" | "this")
                && self.take(start, comma);
        }
        let begun = (self.first + STANDS..a).rev().find(|at| gives(*at));
        let Some(from) = begun.filter(|_| comma.is_none()) else {
            return false;
        };
        let mark = usize::from(self.before(from, 1) == ",");
        let stop = usize::from(self.view.kind(self.last) == Some(Kind::Mark));
        self.has_verb(from + 1, self.last)
            && self.has_verb(self.first, from - 1)
            && self.is_clean(self.first, from - 1)
            && self.take(from - mark, self.last - stop)
    }

    /// Is nothing between these to be taken out?
    pub(super) fn is_clean(&self, from: usize, to: usize) -> bool {
        !self.drops.iter().any(|&(x, y)| x <= to && from <= y)
    }
}
