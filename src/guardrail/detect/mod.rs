//! What a text gives away: every identifier and clinical span, whatever the policy says of it.
//!
//! Pattern rules, lists, names by their surroundings and the values known of this patient are read
//! off one folded view; overlaps are resolved for the surer, then the longer finding.

mod address;
mod checksums;
pub mod examples;
mod lexicon;
mod names;
mod numbers;
mod patterns;
mod record;
pub mod tagger;
pub mod voter;

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use crate::guardrail::detect::voter::Voter;
use crate::guardrail::disguise;
use crate::guardrail::disguise::Disguise;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Evidence;
use crate::guardrail::finding::Evidences;
use crate::guardrail::finding::Finding;
use crate::guardrail::finding::Group;
use crate::guardrail::findings::Findings;
use crate::guardrail::label::Label;
use crate::guardrail::scratch;
use crate::guardrail::setting::Fact;
use crate::guardrail::text;
use crate::guardrail::text::View;
use crate::guardrail::text::Word;
use crate::policy::Policy;
use crate::policy::phrases::flag;
use crate::policy::rules::Certainty;

/// What is known beside the text; the default is nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known<'a> {
    /// Values of the record, of the practice and of others.
    pub facts: &'a [Fact<'a>],
    /// The practice's name.
    pub practice_name: &'a str,
    /// The front desk's number.
    pub practice_phone: &'a str,
    /// Where the portal link points.
    pub portal_url: &'a str,
    /// Who votes beside the rules and our own tagger.
    pub voters: &'a [Arc<dyn Voter>],
}

impl Known<'_> {
    /// Is nothing known? Then a provider's name, the practice's own contact and a bare date of a
    /// visit tell of nobody, and are not reported; with a setting the judgement needs them.
    pub const fn is_nothing(&self) -> bool {
        self.facts.is_empty()
            && self.practice_name.is_empty()
            && self.practice_phone.is_empty()
            && self.portal_url.is_empty()
    }
}

/// Evidence names that mark a finding as probably nobody's own.
pub mod mark {
    /// The name of a provider or of the practice's staff.
    pub const PROVIDER: &str = "provider";
    /// A phone number, address or link of the practice, by the words around it.
    pub const PRACTICE: &str = "practice_contact";
    /// A complaint told as one that anybody may have.
    pub const ANYBODY: &str = "anybody";
    /// A date of a visit or of the practice's calendar, by the words around it.
    pub const SCHEDULE: &str = "schedule";
}

/// Why a finding may be nobody's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Soft {
    No,
    Provider,
    Practice,
    Schedule,
    /// A complaint that anybody may have: `wear a mask if you have a cough`.
    Anybody,
    /// Of nobody while nothing else in the text tells of a person: a town, a day without a year.
    Bare,
}

/// A finding in places of the view, before overlaps are resolved.
#[derive(Clone, Debug)]
struct Draft {
    span: Range<usize>,
    category: Category,
    rule: Label,
    confidence: Confidence,
    kind: &'static str,
    name: Label,
    cite: Label,
    soft: Soft,
}

/// The law by which names, places and clinical words are found outside the pattern rules.
const NAME_CITE: &str = "45 CFR 164.514(b)(2)(i)(A)";
const PLACE_CITE: &str = "45 CFR 164.514(b)(2)(i)(B)";
const DATE_CITE: &str = "45 CFR 164.514(b)(2)(i)(C)";
const HEALTH_CITE: &str = "45 CFR 160.103";

/// The memory of a search, used again by the next one.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    view: text::Room,
    drafts: Vec<Draft>,
    order: Vec<usize>,
    kept: Vec<usize>,
    rules: patterns::Scratch,
    lists: lexicon::Scratch,
    covered: Vec<Range<usize>>,
    businesses: Vec<Range<usize>>,
    shields: Vec<Range<usize>>,
    value: Vec<u8>,
    /// How the text hides its words from this search, if it does.
    pub(crate) disguise: Option<Disguise>,
}

/// Finds every identifier and clinical span in `text`; sorted, without overlaps.
pub fn detect(policy: &Policy, text: &str, known: &Known<'_>) -> Findings {
    scratch::with(|scratch| search(policy, text, known, &mut scratch.detect))
}

/// As [`detect`], in memory that is at hand.
pub(crate) fn search(
    policy: &Policy,
    text: &str,
    known: &Known<'_>,
    scratch: &mut Scratch,
) -> Findings {
    let view = View::new(policy.phrases(), text, &mut scratch.view);
    scratch.disguise = disguise::find(policy.phrases(), &view);
    let mut drafts = std::mem::take(&mut scratch.drafts);
    patterns::find(policy, &view, &mut scratch.rules, &mut drafts);
    numbers::find(&view, &mut drafts);
    address::find(policy, &view, &mut drafts);
    if policy.muted().is_none() {
        numbers::bare(&view, &mut drafts);
    }
    lexicon::find(policy, &view, &mut scratch.lists, &mut drafts);
    names::find(policy, &view, scratch, &mut drafts);
    // A rule that is switched off is to be missed, not stood in for.
    if policy.muted().is_none() {
        let taken = scratch.lists.taken();
        tagger::vote(policy, &view, taken, &scratch.businesses, &mut drafts);
    }
    voter::collect(known.voters, &view, text, &mut drafts);
    record::find(policy, &view, known, scratch, &mut drafts);
    let shields = &scratch.shields;
    drafts.retain(|draft| {
        let inside = |it: &Range<usize>| it.start <= draft.span.start && draft.span.end <= it.end;
        draft.category == Category::OtherPatient
            || draft.kind == "record"
            || !shields.iter().any(inside)
    });
    if known.is_nothing() {
        weekdays(&view, &mut drafts);
        drop_nobodys(&mut drafts);
    }
    resolve(&drafts, &mut scratch.order, &mut scratch.kept);
    let mut findings = Findings::new();
    for draft in scratch.kept.iter().filter_map(|at| drafts.get(*at)) {
        findings.push(finish(&view, draft));
    }
    merge_touching(&mut findings);
    drafts.clear();
    scratch.drafts = drafts;
    view.leave(&mut scratch.view);
    findings
}

/// Drops what tells of nobody: providers and practice contacts always, bare dates unless something
/// else in the text tells of a person.
fn drop_nobodys(drafts: &mut Vec<Draft>) {
    let somebody = drafts
        .iter()
        .any(|draft| draft.soft == Soft::No && draft.category.group() != Group::Conduct);
    drafts.retain(|draft| match draft.soft {
        Soft::No => true,
        Soft::Schedule | Soft::Bare | Soft::Anybody => somebody,
        Soft::Provider | Soft::Practice => false,
    });
}

/// A weekday dates an event in the life of whoever else the text tells of. With a setting the
/// grounding reads every weekday.
fn weekdays(view: &View<'_>, drafts: &mut Vec<Draft>) {
    let day = |word: &&Word| word.is(flag::WEEKDAY) && (word.len() > 4 || word.is_capital());
    drafts.extend(view.words.iter().filter(day).map(|word| Draft {
        span: word.start..word.end,
        category: Category::Date,
        rule: "identifiers.weekday".into(),
        confidence: Confidence::Possible,
        kind: "context",
        name: "weekday".into(),
        cite: DATE_CITE.into(),
        soft: Soft::Bare,
    }));
}

/// Of two that overlap the surer stays, then the longer, then the earlier; gives the places of what
/// stays, in the order of the text.
fn resolve(drafts: &[Draft], order: &mut Vec<usize>, kept: &mut Vec<usize>) {
    let rank = |at: &usize| {
        drafts.get(*at).map(|it| {
            (
                it.category == Category::OtherPatient,
                it.kind == "record",
                it.confidence,
                it.span.len(),
                Reverse(it.span.start),
            )
        })
    };
    order.clear();
    order.extend(0..drafts.len());
    order.sort_unstable_by(|a, b| rank(b).cmp(&rank(a)).then(a.cmp(b)));
    kept.clear();
    let span = |at: usize| drafts.get(at).map_or(0..0, |it| it.span.clone());
    for at in order.iter().copied() {
        let own = span(at);
        let clear = |it: &usize| {
            let other = span(*it);
            other.end <= own.start || own.end <= other.start
        };
        if !own.is_empty() && kept.iter().all(clear) {
            kept.push(at);
        }
    }
    kept.sort_unstable_by_key(|at| span(*at).start);
}

fn finish(view: &View<'_>, draft: &Draft) -> Finding {
    let mut evidence = Evidences::new();
    evidence.push(Evidence {
        kind: draft.kind,
        name: draft.name.clone(),
    });
    let soft = match draft.soft {
        Soft::No | Soft::Bare => None,
        Soft::Provider => Some(mark::PROVIDER),
        Soft::Practice => Some(mark::PRACTICE),
        Soft::Schedule => Some(mark::SCHEDULE),
        Soft::Anybody => Some(mark::ANYBODY),
    };
    if let Some(name) = soft.filter(|name| draft.name != *name) {
        evidence.push(Evidence {
            kind: "context",
            name: name.into(),
        });
    }
    Finding {
        span: view.to_original(&draft.span),
        category: draft.category,
        rule: draft.rule.clone(),
        confidence: draft.confidence,
        action: Action::Keep,
        evidence,
        cite: draft.cite.clone(),
    }
}

/// Folding can give one character to two findings; the second then begins after it.
fn merge_touching(findings: &mut Findings) {
    let mut end = 0;
    findings.retain_mut(|finding| {
        finding.span.start = finding.span.start.max(end);
        let keep = finding.span.start < finding.span.end;
        if keep {
            end = finding.span.end;
        }
        keep
    });
}

const fn confidence_of(certainty: Certainty) -> Confidence {
    match certainty {
        Certainty::Possible => Confidence::Possible,
        Certainty::Probable => Confidence::Probable,
        Certainty::Certain => Confidence::Certain,
    }
}

/// The category by its name; what the guardrail does not know is unique to somebody until it does.
fn category_of(name: &str) -> Category {
    name.parse().unwrap_or(Category::OtherUnique)
}
