//! What a text gives away: every identifier and clinical span, whatever the policy says of it.
//!
//! Pattern rules, lists, names by their surroundings and the values known of this patient are read
//! off one folded view; overlaps are resolved for the surer, then the longer finding.

mod checksums;
mod lexicon;
mod names;
mod numbers;
mod patterns;
mod record;
pub mod tagger;

use std::ops::Range;
use std::sync::Arc;

use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Evidence;
use crate::guardrail::finding::Finding;
use crate::guardrail::finding::Group;
use crate::guardrail::setting::Fact;
use crate::guardrail::text::View;
use crate::policy::Policy;
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
    /// Of nobody while nothing else in the text tells of a person: a town, a day without a year.
    Bare,
}

/// A finding in places of the view, before overlaps are resolved.
#[derive(Clone, Debug)]
struct Draft {
    span: Range<usize>,
    category: Category,
    rule: Arc<str>,
    confidence: Confidence,
    kind: &'static str,
    name: Arc<str>,
    cite: Arc<str>,
    soft: Soft,
}

/// The law by which names, places and clinical words are found outside the pattern rules.
const NAME_CITE: &str = "45 CFR 164.514(b)(2)(i)(A)";
const PLACE_CITE: &str = "45 CFR 164.514(b)(2)(i)(B)";
const HEALTH_CITE: &str = "45 CFR 160.103";

/// Finds every identifier and clinical span in `text`; sorted, without overlaps.
pub fn detect(policy: &Policy, text: &str, known: &Known<'_>) -> Vec<Finding> {
    let view = View::new(policy.phrases(), text);
    let mut drafts = Vec::new();
    patterns::find(policy, &view, &mut drafts);
    numbers::find(&view, &mut drafts);
    let taken = lexicon::find(policy, &view, &mut drafts);
    names::find(policy, &view, &taken, &mut drafts);
    tagger::vote(policy, &view, &taken, &mut drafts);
    let shields = record::find(policy, &view, known, &mut drafts);
    drafts.retain(|draft| {
        let inside = |it: &Range<usize>| it.start <= draft.span.start && draft.span.end <= it.end;
        draft.category == Category::OtherPatient
            || draft.kind == "record"
            || !shields.iter().any(inside)
    });
    if known.is_nothing() {
        drop_nobodys(&mut drafts);
    }
    resolve(&mut drafts);
    let mut findings: Vec<Finding> = drafts.iter().map(|draft| finish(&view, draft)).collect();
    merge_touching(&mut findings);
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
        Soft::Schedule | Soft::Bare => somebody,
        Soft::Provider | Soft::Practice => false,
    });
}

/// Of two that overlap the surer stays, then the longer, then the earlier.
fn resolve(drafts: &mut Vec<Draft>) {
    drafts.sort_by(|a, b| {
        let rank = |it: &Draft| {
            (
                it.category == Category::OtherPatient,
                it.kind == "record",
                it.confidence,
                it.span.len(),
            )
        };
        rank(b).cmp(&rank(a)).then(a.span.start.cmp(&b.span.start))
    });
    let mut kept: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts.drain(..) {
        let clear = |it: &Draft| it.span.end <= draft.span.start || draft.span.end <= it.span.start;
        if !draft.span.is_empty() && kept.iter().all(clear) {
            kept.push(draft);
        }
    }
    kept.sort_by_key(|draft| draft.span.start);
    *drafts = kept;
}

fn finish(view: &View<'_>, draft: &Draft) -> Finding {
    let mut evidence = vec![Evidence {
        kind: draft.kind,
        name: Arc::clone(&draft.name),
    }];
    let soft = match draft.soft {
        Soft::No | Soft::Bare => None,
        Soft::Provider => Some(mark::PROVIDER),
        Soft::Practice => Some(mark::PRACTICE),
        Soft::Schedule => Some(mark::SCHEDULE),
    };
    if let Some(name) = soft.filter(|name| **name != *draft.name) {
        evidence.push(Evidence {
            kind: "context",
            name: name.into(),
        });
    }
    Finding {
        span: view.to_original(&draft.span),
        category: draft.category,
        rule: Arc::clone(&draft.rule),
        confidence: draft.confidence,
        action: Action::Keep,
        evidence,
        cite: Arc::clone(&draft.cite),
    }
}

/// Folding can give one character to two findings; the second then begins after it.
fn merge_touching(findings: &mut Vec<Finding>) {
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
