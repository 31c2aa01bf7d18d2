//! The pattern rules of the policy on a view.

mod sound;

use std::ops::Range;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::category_of;
use crate::guardrail::detect::confidence_of;
use crate::guardrail::detect::patterns::sound::is_sound;
use crate::guardrail::finding::Category;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::INNER;
use crate::policy::KEYWORD;
use crate::policy::Policy;
use crate::policy::pattern::least::Characters;
use crate::policy::pattern::least::Run;
use crate::policy::rules::Certainty;
use crate::policy::rules::Checksum;
use crate::policy::rules::Needs;
use crate::policy::rules::Owner;
use crate::policy::rules::Rule;

/// How far a word of context may stand from the value, in bytes.
const CONTEXT: usize = 48;
/// No rule is asked for more than this many values in one text; the length limit comes before.
const MOST: usize = 256;

/// Runs every rule whose needs the text meets.
pub(super) fn find(
    policy: &Policy,
    view: &View<'_>,
    wanted: &mut Vec<u8>,
    drafts: &mut Vec<Draft>,
) {
    wanted.clear();
    wanted.resize(policy.rules().len(), 0);
    policy.mark_keywords(&view.folded, wanted);
    let traits = Traits::of(view);
    for (at, (rule, marks)) in policy
        .rules()
        .iter()
        .zip(wanted.iter().copied())
        .enumerate()
    {
        let keyword = marks & KEYWORD != 0;
        let runs = match rule.needs {
            Needs::Digit => view.digits > 0,
            Needs::Keyword => keyword,
            Needs::Both => keyword && view.digits > 0,
        };
        if runs && traits.may_hold(rule, marks, view) && policy.muted() != Some(at) {
            run(policy, (view, traits.all), rule, drafts);
        }
    }
}

/// What a text has, by which most rules are left out.
struct Traits {
    all: Characters,
    /// Bytes of its longest word.
    longest: usize,
    /// Has it a letter right before a digit?
    joined: bool,
}

impl Traits {
    fn of(view: &View<'_>) -> Self {
        let letter = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| view.folded.get(at));
            before.is_some_and(u8::is_ascii_lowercase)
        };
        Self {
            all: Characters::of(&view.folded),
            longest: view.words.iter().map(Word::len).max().unwrap_or(0),
            joined: view.figures.iter().any(|it| letter(it.start)),
        }
    }

    /// False where a rule has no match in the text for certain.
    fn may_hold(&self, rule: &Rule, marks: u8, view: &View<'_>) -> bool {
        let row = |it: Run| it.is_in(&view.folded, self.longest);
        view.digits >= rule.digits
            && (self.joined || !rule.joins)
            && (rule.inner.is_empty() || marks & INNER != 0)
            && rule.run.is_none_or(row)
    }
}

/// Gives the stretches of the text outside of which the rule has no match, from left to right:
/// around digits that stand near enough to each other, and are enough. None, where no character stands
/// that it needs.
fn stretches(
    (view, all): (&View<'_>, Characters),
    rule: &Rule,
    mut give: impl FnMut(Range<usize>),
) {
    let last = view.folded.len();
    if rule.holds.is_some_and(|needed| !all.any(needed)) {
        return;
    }
    if rule.holds_least > 1 {
        let held = |byte: &&u8| rule.holds.is_some_and(|needed| needed.has(**byte));
        if view.folded.iter().filter(held).count() < rule.holds_least {
            return;
        }
    }
    let Some(reach) = rule.around else {
        give(0..last);
        return;
    };
    let mut rest = view.figures.iter().peekable();
    while let Some(first) = rest.next() {
        let (mut digits, mut end) = (first.len(), first.end);
        while let Some(next) = rest.next_if(|next| next.start - end <= reach.gap) {
            digits += next.len();
            end = next.end;
        }
        if digits >= rule.digits {
            give(
                first.start.saturating_sub(reach.before)
                    ..end.saturating_add(reach.behind).min(last),
            );
        }
    }
}

fn run(
    policy: &Policy,
    (view, all): (&View<'_>, Characters),
    rule: &Rule,
    drafts: &mut Vec<Draft>,
) {
    let (mut from, mut left) = (0, MOST);
    stretches((view, all), rule, |stretch| {
        let mut at = from.max(stretch.start);
        while left > 0 && at <= stretch.end {
            let Some(whole) = rule.pattern.find_in(&view.folded, at..stretch.end) else {
                break;
            };
            left -= 1;
            let span = if rule.grouped {
                group(rule, view, whole.clone())
            } else {
                whole.clone()
            };
            let span = trim(view, span);
            let clear = is_whole(view, rule, &span) && is_sound(view, rule, whole.start, &span);
            let draft = if clear {
                judge(policy, view, rule, span)
            } else {
                None
            };
            at = match &draft {
                Some(draft) => draft.span.end.max(whole.start + 1),
                None => next_start(view, whole.start),
            };
            from = at;
            drafts.extend(draft);
        }
    });
}

/// After a refused place the search goes on behind the run of letters or digits that began it.
fn next_start(view: &View<'_>, start: usize) -> usize {
    let rest = view.folded.iter().skip(start);
    start
        + rest
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count()
            .max(1)
}

fn group(rule: &Rule, view: &View<'_>, whole: Range<usize>) -> Range<usize> {
    let named = rule
        .pattern
        .group_at(&view.folded, whole.start, &["v", "w", "x"]);
    named.unwrap_or(whole)
}

/// Blanks and the stops of the sentence are no part of a value.
fn trim(view: &View<'_>, span: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (span.start, span.end);
    let blank = |at: usize| {
        view.folded.get(at).is_some_and(|byte| {
            matches!(
                byte,
                b' ' | b',' | b'.' | b'-' | b':' | b';' | b'!' | b'?' | b'\n' | b'/' | b'\''
            )
        })
    };
    while end > start && blank(end - 1) {
        end -= 1;
    }
    while start < end && blank(start) {
        start += 1;
    }
    start..end
}

/// A value stands on its own: no letter or digit touches it, and no digit behind a separator goes on.
fn is_whole(view: &View<'_>, rule: &Rule, span: &Range<usize>) -> bool {
    let byte = |at: usize| view.folded.get(at).copied().unwrap_or(b' ');
    let before = span.start.checked_sub(1).map_or(b' ', byte);
    let after = byte(span.end);
    let first = byte(span.start);
    if span.is_empty() || (first.is_ascii_alphanumeric() && before.is_ascii_alphanumeric()) {
        return false;
    }
    if after.is_ascii_alphanumeric() && byte(span.end - 1).is_ascii_alphanumeric() {
        return false;
    }
    let joins = |mark: u8| matches!(mark, b'-' | b'/' | b'.' | b',');
    let numeric = matches!(
        rule.checksum,
        Some(Checksum::Date | Checksum::Nanp | Checksum::Ssn)
    );
    let goes_on =
        joins(after) && byte(span.end + 1).is_ascii_digit() && byte(span.end - 1).is_ascii_digit();
    let went_on = joins(before)
        && span
            .start
            .checked_sub(2)
            .is_some_and(|at| byte(at).is_ascii_digit());
    let priced = before == b'$';
    !(numeric && (goes_on || went_on) || priced)
}

fn judge(policy: &Policy, view: &View<'_>, rule: &Rule, span: Range<usize>) -> Option<Draft> {
    let near = rule.context.as_ref().is_some_and(|words| {
        let window =
            span.start.saturating_sub(CONTEXT)..(span.end + CONTEXT).min(view.folded.len());
        let before = words.is_match(view.bytes(window.start..span.start));
        before || words.is_match(view.bytes(span.end..window.end))
    });
    let certainty: Certainty = if near {
        rule.with_context
    } else {
        rule.confidence?
    };
    // Cups and degrees of a kitchen are neither doses nor vital signs.
    if matches!(rule.category, "dose" | "vital")
        && certainty != Certainty::Certain
        && policy
            .surroundings()
            .everyday
            .is_match(view.bytes(view.sentence(&span)))
    {
        return None;
    }
    Some(Draft {
        category: category_of(rule.category),
        rule: (&rule.id).into(),
        confidence: confidence_of(certainty),
        kind: if rule.checksum.is_some() {
            "checksum"
        } else {
            "pattern"
        },
        name: (&rule.id).into(),
        cite: (&rule.cite).into(),
        soft: match &*rule.id {
            "identifiers.city_state"
            | "identifiers.city_label"
            | "identifiers.route"
            | "identifiers.county" => town(policy, view, &span),
            "identifiers.corner" if !view.bytes(span.clone()).iter().any(u8::is_ascii_digit) => {
                town(policy, view, &span)
            }
            _ => soft(policy, view, rule.owner, category_of(rule.category), &span),
        },
        span,
    })
}

/// A day with its year tells of an event in a life; without one it comes round every year.
fn has_year(date: &[u8]) -> bool {
    let long = |part: &[u8]| part.len() == 4 && part.iter().all(u8::is_ascii_digit);
    date.split(|byte| !byte.is_ascii_digit()).any(long)
        || date
            .split(|byte| matches!(byte, b'/' | b'-' | b'.'))
            .count()
            >= 3
}

/// A town is the practice's, somebody's, or nobody's: 45 CFR 164.514(b)(2)(i)(B) speaks of the
/// subdivisions of a person's address, not of every place on the map.
pub(super) fn town(policy: &Policy, view: &View<'_>, span: &Range<usize>) -> Soft {
    let cues = policy.surroundings();
    let told = soft(policy, view, Owner::Contact, Category::Geographic, span);
    let sentence = view.bytes(view.sentence(span));
    let large = view
        .words
        .iter()
        .any(|word| word.start == span.start && word.is_capital());
    let lived = cues.residence.is_match(sentence) || large && cues.journey.is_match(sentence);
    if told == Soft::No && !lived {
        Soft::Bare
    } else {
        told
    }
}

/// Whose a value is, by the words of its sentence.
pub(super) fn soft(
    policy: &Policy,
    view: &View<'_>,
    owner: Owner,
    category: Category,
    span: &Range<usize>,
) -> Soft {
    let cues = policy.surroundings();
    let sentence = view.sentence(span);
    let words = view.bytes(sentence.clone());
    match owner {
        Owner::Person => Soft::No,
        Owner::Contact => {
            let wide =
                sentence.start.saturating_sub(24)..(sentence.end + 32).min(view.folded.len());
            let own = cues.practice.is_match(view.bytes(wide));
            if own && !cues.personal.is_match(words) {
                Soft::Practice
            } else {
                Soft::No
            }
        }
        Owner::Calendar => {
            let visit = cues.schedule.is_match(words) || category != Category::Date;
            if visit && !cues.birth.is_match(words) {
                Soft::Schedule
            } else if !cues.birth.is_match(words) && !has_year(view.bytes(span.clone())) {
                Soft::Bare
            } else {
                Soft::No
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::guardrail::text::Room;

    static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::embedded().unwrap());

    fn check(text: &str) {
        let view = View::new(POLICY.phrases(), text, &mut Room::default());
        let traits = Traits::of(&view);
        let mut marks = vec![0; POLICY.rules().len()];
        POLICY.mark_keywords(&view.folded, &mut marks);
        for (rule, marks) in POLICY.rules().iter().zip(marks) {
            let mut at = 0;
            loop {
                let whole = rule.pattern.find_at(&view.folded, at);
                let told = traits.may_hold(rule, marks, &view);
                assert!(told || whole.is_none(), "{} in {text:?}", rule.id);
                let mut found = None;
                stretches((&view, traits.all), rule, |stretch| {
                    let stretch = stretch.start.max(at)..stretch.end;
                    if found.is_none() && !stretch.is_empty() {
                        found = rule.pattern.find_in(&view.folded, stretch);
                    }
                });
                assert_eq!(found, whole, "{} in {text:?} from {at}", rule.id);
                let Some(whole) = whole else { break };
                at = whole.start + 1;
            }
        }
    }

    #[test]
    fn no_rule_misses_its_examples_where_only_the_digits_are_searched() {
        for rule in POLICY.rules() {
            for text in rule.flags.iter().chain(&rule.allows) {
                check(text);
                check(&format!(
                    "Room 12 is open. {text} See you then, and thank you."
                ));
            }
        }
    }

    proptest! {
        #[test]
        fn no_rule_misses_what_stands_away_from_the_digits(pieces in prop::collection::vec(
            prop::sample::select(vec![
                "12", "3", "415-555-0132", "(", ")", "+1 ", "/", "-", ".", " ", ", ", "mg", " weeks ",
                "your ", "fax: ", "ssn ", "on ", "the 3rd", " Elm St", "Apt ", "10.0.0.1", "fe80:", "::",
                "2001:db8", "a", "f", "March ", " 2026", "ninety", " years old", "acct #", "www.", ".com",
                "avenida ", "praia ", "suite ", "calle ", "1 ", "j.", ". r. ", "since you are ", "zip ", "hwy ", "oil", "age ", "463", "e@x", "é", "½", "\u{200b}", "\n", "b12 ", "is ", "normal", "%", "90", "CA ", "94110",
            ]),
            0..10,
        )) {
            check(&pieces.concat());
        }
    }
}
