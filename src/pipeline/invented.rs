//! What a model made up. A page behind a link is read as the practice's word, so a detail may go there only
//! if the record, the practice or the patient named it; nobody may read of a result that was never taken.

use std::collections::BTreeSet;

use crate::domain::record::Fact;
use crate::guardrail::finding::{Action, Category, Confidence, Finding, Group};
use crate::guardrail::review::Review;
use crate::guardrail::rewrite::Cleared;
use crate::pipeline::draft::Asking;

/// Shorter words say nothing of their own: "of", "mg".
const WORD_CHARS_MIN: usize = 3;
/// What was measured or prescribed.
const VALUES: &[Category] = &[Category::LabValue, Category::Vital, Category::Dose];
/// Rules that close a stretch for where, when or beside what it is told, whatever it says.
const CLOSED_ONLY_HERE: &[&str] = &["minimum.", "accumulation."];
/// Evidence that rests on a value of the record.
const OF_THE_RECORD: &[&str] = &["record", "fact"];

/// Whether a draft that goes behind the link tells an identifier or a health detail that nobody named: a
/// value the record alone may tell, anything else the patient too.
pub(crate) fn invented(
    asking: &Asking<'_>,
    review: &Review<'_>,
    (draft, facts): (&str, &[Fact]),
) -> bool {
    // A day that no fact backs was held before.
    let behind = review.cleared.as_ref().and_then(Cleared::portal).is_some();
    let drops = review.findings.iter();
    let drops = drops.filter(|it| behind && tells(it));
    let (recorded, told): (Vec<&Finding>, Vec<&Finding>) = drops
        .filter(|it| it.category.group() != Group::Conduct && it.category != Category::Date)
        .partition(|it| of_the_record(it));
    if told.is_empty() {
        return false;
    }
    let practice = asking.practice;
    let public = [&practice.name, &practice.address, &practice.hours];
    let held = facts.iter().map(|fact| fact.value.as_str());
    let held = held.chain(public.into_iter().map(String::as_str));
    let held: BTreeSet<String> = held.flat_map(words).collect();
    let said = asking.turns.iter().map(|turn| turn.body.as_str());
    let said: BTreeSet<String> = said.flat_map(words).collect();
    let known = |finding: &Finding| {
        let value = VALUES.contains(&finding.category);
        let stretch = draft.get(finding.span.clone()).unwrap_or_default();
        let unknown = |word: &String| !held.contains(word) && (value || !said.contains(word));
        let mut unknown = words(stretch).filter(unknown).peekable();
        // A sentence that tells a value of the record has words of its own, but no number.
        let mut beside = recorded.iter().filter(|it| {
            let meets = it.span.start < finding.span.end && finding.span.start < it.span.end;
            meets && (!value || VALUES.contains(&it.category))
        });
        unknown.peek().is_none()
            || beside.next().is_some() && unknown.all(|word| !word.contains(is_digit))
    };
    !told.into_iter().all(known)
}

/// Whether a finding is a detail that leaves the text: not a mere possibility, and not what is closed
/// only on its channel or beside what was told before.
fn tells(finding: &Finding) -> bool {
    finding.action == Action::Drop
        && finding.confidence > Confidence::Possible
        && !CLOSED_ONLY_HERE
            .iter()
            .any(|rules| finding.rule.starts_with(rules))
}

/// Whether a finding is a value of the record itself.
fn of_the_record(finding: &Finding) -> bool {
    let mut evidence = finding.evidence.iter();
    evidence.any(|it| OF_THE_RECORD.contains(&it.kind))
}

const fn is_digit(sign: char) -> bool {
    sign.is_ascii_digit()
}

/// The words of a text that say something, and its numbers; one form for one thing and several.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|sign: char| !sign.is_alphanumeric())
        .filter(|word| word.chars().count() >= WORD_CHARS_MIN || word.contains(is_digit))
        .map(|word| {
            let word = word.to_lowercase();
            let one = word.strip_suffix('s').map(str::to_owned);
            one.unwrap_or(word)
        })
}
