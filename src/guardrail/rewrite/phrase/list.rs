//! One of several things goes, and the verb agrees with what is left; a reason at the head goes.

use crate::guardrail::conduct::listed;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::rewrite::phrase::Mending;

/// A verb in the plural, and in the singular.
const VERBS: &[(&str, &str)] = &[
    ("are", "is"),
    ("were", "was"),
    ("have", "has"),
    ("son", "es"),
    ("estan", "está"),
    ("fueron", "fue"),
    ("seran", "será"),
    ("quedaron", "quedó"),
];

impl Mending<'_> {
    fn is_and(&self, at: usize) -> bool {
        matches!(self.word(at), "and" | "y" | "&" | "or" | "o" | "e")
    }

    /// Does another thing of the list begin here: "your ID", "the form"?
    fn begins_item(&self, at: usize) -> bool {
        let mut noun = at;
        while listed(&self.phrases.determiners, self.word(noun))
            || listed(&self.phrases.adjectives, self.word(noun))
        {
            noun += 1;
        }
        noun > at
            && self.view.kind(noun) == Some(Kind::Word)
            && !self
                .drops
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&noun))
    }

    /// "Bring your insulin, your ID and your card": one thing goes, the others stay.
    pub(super) fn list_item(&mut self, a: usize, b: usize) -> bool {
        let start = self.noun_start(a);
        let end = self.noun_end(b);
        let left = self.before(start, 1);
        if start == a && left != "," && !self.is_and_before(start) {
            return false;
        }
        let oxford = self.word(end + 1) == "," && self.is_and(end + 2);
        let joined = matches!(self.word(end + 1), ",") || self.is_and(end + 1);
        let next = end + 2 + usize::from(oxford);
        if joined
            && self.begins_item(next)
            && !matches!(left, "," | "with" | "con")
            && !self.is_and_before(start)
        {
            let to = if oxford { end + 2 } else { end + 1 };
            let taken = self.take(start, to);
            self.agree(start, next);
            return taken;
        }
        if left == "," && joined && self.begins_item(next) {
            return self.take(start - 1, end);
        }
        // The last of the list: the one before it gets the "and".
        if self.is_and_before(start) && self.is_end_of_list(end + 1) {
            let and = start - 1;
            let oxford = usize::from(self.before(and, 1) == ",");
            let from = and - oxford;
            let comma = (self.first..from).rev().find(|at| self.word(*at) == ",");
            let kept = self.noun_before(from);
            if !kept {
                return false;
            }
            if let Some(comma) = comma.filter(|at| self.begins_item(at + 1)) {
                let word = format!(" {} ", self.text_of(and));
                self.instead.push((comma, word));
                self.take(comma, comma);
            }
            let taken = self.take(from, end);
            self.agree_behind(end);
            return taken;
        }
        false
    }

    fn is_and_before(&self, at: usize) -> bool {
        at > self.first && self.is_and(at - 1)
    }

    /// Stands a thing of the list right before: a word that is no verb's end?
    fn noun_before(&self, at: usize) -> bool {
        let Some(noun) = at.checked_sub(1) else {
            return false;
        };
        let mut owner = (self.first..noun).rev().take(3);
        self.view.kind(noun) == Some(Kind::Word)
            && owner.any(|at| listed(&self.phrases.determiners, self.word(at)))
    }

    fn is_end_of_list(&self, at: usize) -> bool {
        matches!(self.word(at), "" | "." | "!" | "?" | "," | ";")
            || listed(&self.phrases.boundaries, self.word(at))
            || VERBS.iter().any(|(plural, _)| *plural == self.word(at))
    }

    fn text_of(&self, at: usize) -> String {
        let span = self.view.span(&self.view.reach(at, at));
        self.view.text.get(span).unwrap_or_default().to_owned()
    }

    /// The subject lost all but one of its nouns, which begins at `item`.
    fn agree(&mut self, from: usize, item: usize) {
        let subject = from == self.first || matches!(self.before(from, 1), "," | ":");
        let mut noun = item;
        while listed(&self.phrases.determiners, self.word(noun))
            || listed(&self.phrases.adjectives, self.word(noun))
        {
            noun += 1;
        }
        let several = self.word(noun).ends_with('s');
        if subject && !several {
            self.agree_behind(noun);
        }
    }

    /// The first plural verb behind `from` becomes singular, and "both" goes.
    pub(super) fn agree_behind(&mut self, from: usize) {
        for at in from + 1..=self.last {
            if self.is_and(at) || matches!(self.word(at), "," | ";") {
                return;
            }
            let verb = VERBS.iter().find(|(plural, _)| *plural == self.word(at));
            if let Some((_, singular)) = verb {
                self.instead.push((at, (*singular).to_owned()));
                self.take(at, at);
                if matches!(self.word(at + 1), "both" | "ambas" | "ambos") {
                    self.take(at + 1, at + 1);
                }
                return;
            }
        }
    }

    /// "Because of your asthma, please come at 3": the reason at the head goes with its comma.
    pub(super) fn leading(&mut self, a: usize, b: usize) -> bool {
        let start = self.noun_start(a);
        let end = self.noun_end(b);
        let reason = matches!(
            (self.before(start, 2), self.before(start, 1)),
            ("because", "of") | ("due", "to") | ("debido", "a") | ("causa" | "motivo", "de")
        );
        let long = if reason { 2 } else { 1 };
        let short = matches!(
            self.before(start, 1),
            "for" | "about" | "regarding" | "given" | "por" | "para" | "sobre" | "with" | "con"
        );
        let Some(mut from) = start.checked_sub(long) else {
            return false;
        };
        if reason && matches!(self.before(from, 1), "a" | "con") {
            from -= 1;
        }
        (reason || short)
            && from == self.first
            && self.word(end + 1) == ","
            && end + 3 < self.last
            && self.take(from, end + 1)
    }

    /// Has the stretch a verb of its own?
    pub(super) fn has_verb(&self, from: usize, to: usize) -> bool {
        (from..=to).any(|at| {
            matches!(
                self.word(at),
                "is" | "are"
                    | "was"
                    | "were"
                    | "will"
                    | "has"
                    | "have"
                    | "can"
                    | "may"
                    | "should"
                    | "please"
                    | "call"
                    | "reply"
                    | "bring"
                    | "see"
                    | "come"
                    | "arrive"
                    | "go"
                    | "works"
                    | "needs"
                    | "need"
                    | "wants"
                    | "'ll"
                    | "'re"
                    | "'ve"
                    | "goes"
                    | "text"
                    | "ask"
                    | "would"
                    | "do"
                    | "does"
                    | "es"
                    | "son"
                    | "esta"
                    | "estan"
                    | "sera"
                    | "seran"
                    | "tiene"
                    | "llame"
                    | "responda"
                    | "venga"
                    | "traiga"
                    | "llegue"
                    | "puede"
                    | "vera"
                    | "espera"
                    | "esperamos"
                    | "vemos"
                    | "quiere"
                    | "podemos"
                    | "fue"
                    | "recuerde"
                    | "favor"
                    | "avise"
            ) || self.word(at).ends_with("'ll")
                || self.word(at).ends_with("'re")
                || self.word(at).ends_with("'s") && at == from
        })
    }
}
