//! The pattern rules of the policy on a view.

mod sound;

use std::cell::RefCell;
use std::ops::Range;

use smallvec::SmallVec;

use crate::guardrail::detect::Draft;
use crate::guardrail::detect::Soft;
use crate::guardrail::detect::category_of;
use crate::guardrail::detect::confidence_of;
use crate::guardrail::detect::patterns::sound::is_sound;
use crate::guardrail::finding::Category;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::pattern::least::Characters;
use crate::policy::pattern::reach::Reach;
use crate::policy::rules::Certainty;
use crate::policy::rules::Checksum;
use crate::policy::rules::Owner;
use crate::policy::rules::Rule;

/// How far a word of context may stand from the value, in bytes.
const CONTEXT: usize = 48;
/// No rule is asked for more than this many values in one text; the length limit comes before.
const MOST: usize = 256;

/// The memory of a search.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// What of each rule's words stands in the text.
    wanted: Vec<u8>,
    /// Where those stand that tell where a match lies, by rule and place.
    places: Vec<(u16, usize)>,
}

impl Scratch {
    /// Looks for the words of all rules.
    fn fill(&mut self, policy: &Policy, view: &View<'_>) {
        self.wanted.clear();
        self.wanted.resize(policy.rules().len(), 0);
        self.places.clear();
        let keywords = policy.keywords();
        keywords.mark(&view.folded, &mut self.wanted, &mut self.places);
    }

    /// The places of a rule.
    fn places(&self, rule: usize) -> Places<'_> {
        let before = |places: &[(u16, usize)], rule: usize| {
            places.partition_point(|it| usize::from(it.0) < rule)
        };
        let from = self.places.get(before(&self.places, rule)..);
        let from = from.unwrap_or_default();
        from.get(..before(from, rule + 1)).unwrap_or_default()
    }
}

/// Runs every rule whose needs the text meets.
pub(super) fn find(
    policy: &Policy,
    view: &View<'_>,
    scratch: &mut Scratch,
    drafts: &mut Vec<Draft>,
) {
    scratch.fill(policy, view);
    let traits = Traits::of(view);
    let gates = policy
        .keywords()
        .gates()
        .iter()
        .zip(scratch.wanted.iter().copied());
    for (at, (gate, marks)) in gates.enumerate() {
        if !gate.is_open(marks, view.digits, traits.joined) || policy.muted() == Some(at) {
            continue;
        }
        let rule = policy.rules().get(at);
        if let Some(rule) = rule.filter(|rule| traits.may_hold(rule, view)) {
            run(policy, (view, traits.all, scratch.places(at)), rule, drafts);
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
    /// The longest rows of characters that were asked for.
    rows: RefCell<SmallVec<[(Characters, usize); 8]>>,
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
            rows: RefCell::default(),
        }
    }

    /// False where a rule has no match in the text for certain.
    fn may_hold(&self, rule: &Rule, view: &View<'_>) -> bool {
        rule.demands.run.is_none_or(|run| {
            let short = run.class.is_of_words() && self.longest < run.least;
            !short && self.longest_run(run.class, view) >= run.least
        })
    }

    fn longest_run(&self, class: Characters, view: &View<'_>) -> usize {
        let mut rows = self.rows.borrow_mut();
        if let Some((_, row)) = rows.iter().find(|it| it.0 == class) {
            return *row;
        }
        let row = class.longest_run(&view.folded);
        rows.push((class, row));
        row
    }
}

/// Where words stand that tell where a match lies.
type Places<'s> = &'s [(u16, usize)];

/// Gives the stretches of the text outside of which the rule has no match, apart and from left to right:
/// around digits that stand near enough to each other, and are enough, or around its words. None, where
/// no character stands that it needs.
fn stretches(
    (view, all, places): (&View<'_>, Characters, Places<'_>),
    rule: &Rule,
    mut give: impl FnMut(Range<usize>),
) {
    let demands = &rule.demands;
    if demands.character.is_some_and(|needed| !all.any(needed)) {
        return;
    }
    if demands.times > 1 {
        let held = |byte: &&u8| demands.character.is_some_and(|needed| needed.has(**byte));
        if view.folded.iter().filter(held).count() < demands.times {
            return;
        }
    }
    let text = view.folded.as_slice();
    match (rule.window, demands.around) {
        (Some(window), _) => {
            let around = |at: usize| window.before.back(text, at)..window.behind.on(text, at);
            apart(places.iter().map(|(_, at)| around(*at))).for_each(give);
        }
        (None, Some(reach)) => {
            apart(around_digits(view, reach, demands.digits)).for_each(give);
        }
        (None, None) => give(0..text.len()),
    }
}

/// The stretches around digits that stand near enough to each other and are so many.
fn around_digits(
    view: &View<'_>,
    reach: Reach,
    least: usize,
) -> impl Iterator<Item = Range<usize>> {
    let text = view.folded.as_slice();
    let mut rest = view.figures.iter().peekable();
    let rows = std::iter::from_fn(move || {
        let first = rest.next()?;
        let (mut digits, mut end) = (first.len(), first.end);
        while let Some(next) = rest.next_if(|next| next.start <= reach.gap.on(text, end)) {
            digits += next.len();
            end = next.end;
        }
        Some((digits, first.start, end))
    });
    let enough = rows.filter(move |(digits, ..)| *digits >= least);
    enough.map(move |(_, start, end)| reach.before.back(text, start)..reach.behind.on(text, end))
}

/// The same, those that touch as one: no place is searched twice.
fn apart(mut all: impl Iterator<Item = Range<usize>>) -> impl Iterator<Item = Range<usize>> {
    let mut next = all.next();
    std::iter::from_fn(move || {
        let mut whole = next.take()?;
        next = loop {
            match all.next() {
                Some(more) if more.start <= whole.end => whole.end = whole.end.max(more.end),
                other => break other,
            }
        };
        Some(whole)
    })
}

fn run(
    policy: &Policy,
    (view, all, places): (&View<'_>, Characters, Places<'_>),
    rule: &Rule,
    drafts: &mut Vec<Draft>,
) {
    let (mut from, mut left) = (0, MOST);
    stretches((view, all, places), rule, |stretch| {
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
        .group_of(&view.folded, whole.clone(), &["v", "w", "x"]);
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
    use crate::policy::gate::KEYWORD;

    static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy::embedded().unwrap());

    fn check(text: &str) {
        let view = View::new(POLICY.phrases(), text, &mut Room::default());
        let traits = Traits::of(&view);
        let mut words = Scratch::default();
        words.fill(&POLICY, &view);
        for (number, (rule, gate)) in POLICY
            .rules()
            .iter()
            .zip(POLICY.keywords().gates())
            .enumerate()
        {
            let (marks, places) = (words.wanted[number], words.places(number));
            // A keyword may be wanted that stands outside of a match.
            let open = gate.is_open(marks | KEYWORD, view.digits.max(1), traits.joined);
            let mut at = 0;
            loop {
                let whole = rule.pattern.find_at(&view.folded, at);
                let told = open && traits.may_hold(rule, &view);
                assert!(told || whole.is_none(), "{} in {text:?}", rule.id);
                let mut found = None;
                stretches((&view, traits.all, places), rule, |stretch| {
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
                "Your liver is ", "not ", "two pills ", "a day ", "The surgery ", "worked. ", "all-clear ", "August ",
                "5 de setiembre", "Elm ", "street ", "lot ", "member id", "patient's photo ", "levels went up ", "mayo",
                "Please come in by the door at the back when it is your turn. ", "  ", "\t",
            ]),
            0..16,
        )) {
            check(&pieces.concat());
        }
    }
}
