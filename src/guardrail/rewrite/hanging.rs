//! Sentences that speak of what was taken out before them: put otherwise, or taken out too.

use std::ops::Range;

use crate::guardrail::conduct::Phrases;
use crate::guardrail::conduct::listed;
use crate::guardrail::ground::view::View;
use crate::guardrail::rewrite::tidy::tidy;

/// What became of the sentences before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    /// The last one went whole.
    fell: bool,
    /// The last one lost a part.
    lost: bool,
    /// Any of them lost something.
    any: bool,
}

impl Before {
    /// The same behind one sentence more.
    pub(super) const fn then(self, touched: bool, fell: bool) -> Self {
        Self {
            fell,
            lost: touched && !fell,
            any: self.any || touched || fell,
        }
    }
}

/// A sentence of which nothing is dropped, as it can stand behind those before; `None` when it
/// speaks of nothing that is still there.
pub(super) fn standing(
    view: &View<'_>,
    phrases: &Phrases,
    sentence: &Range<usize>,
    before: Before,
) -> Option<String> {
    let text = view.text.get(view.span(sentence)).unwrap_or_default();
    let low = view.slice(sentence);
    if !before.any {
        return Some(text.to_owned());
    }
    if before.fell && phrases.dangling.is_match(low) || before.lost && phrases.several.is_match(low)
    {
        return None;
    }
    for (pattern, instead) in &phrases.hanging {
        let Some(found) = pattern.group_at(low.as_bytes(), 0, &["v"]) else {
            continue;
        };
        let place = sentence.start + found.start..sentence.start + found.end;
        let (head, tail) = (sentence.start..place.start, place.end..sentence.end);
        let part = |at: &Range<usize>| view.text.get(view.span(at)).unwrap_or_default();
        let text = format!("{}{instead}{}", part(&head), part(&tail));
        return Some(tidy(&text));
    }
    let speaks = phrases.object.find_at(low.as_bytes(), 0);
    let of_nothing = speaks.is_some_and(|it| !names_a_thing(phrases, low.get(..it.start)));
    (!(before.fell && of_nothing)).then(|| text.to_owned())
}

/// Stands a thing before, of which a pronoun can speak: "your card", "the form"?
fn names_a_thing(phrases: &Phrases, before: Option<&str>) -> bool {
    let mut words = before.unwrap_or_default().split(' ');
    words.any(|word| listed(&phrases.determiners, word))
}
