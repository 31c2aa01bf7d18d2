//! The JSON lines of `check` and `detect`; offsets count Unicode code points of the text as given.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Evidences;
use crate::guardrail::finding::Finding;
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Guardrail;
use crate::guardrail::review::Review;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::Author;
use crate::guardrail::setting::Consent;
use crate::guardrail::setting::Fact;
use crate::guardrail::setting::Relation;
use crate::guardrail::setting::Setting;
use crate::policy::words::Channel;
use crate::policy::words::Jurisdiction;
use crate::policy::words::Language;
use crate::policy::words::Purpose;
use crate::policy::words::practice_type;

/// One draft to check.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// The caller's name for this line.
    pub id: serde_json::Value,
    /// The draft.
    pub draft: String,
    /// Its setting.
    pub context: ContextIn,
}

/// The setting of one draft.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContextIn {
    /// The practice.
    pub practice: PracticeIn,
    /// How the text leaves.
    pub channel: Channel,
    /// May PHI leave?
    pub consent: ConsentIn,
    /// Whether every agreement is in force that the channel takes before it may carry PHI; WhatsApp
    /// carries none without.
    #[serde(default)]
    pub covered: bool,
    /// The patient's state of residence.
    pub state: Jurisdiction,
    /// The patient's language.
    pub language: Language,
    /// IANA zone of the practice.
    pub timezone: String,
    /// The present.
    pub now: Timestamp,
    /// Why the text is written.
    pub purpose: Purpose,
    /// Who reads it: `patient` unless told otherwise, `proxy` or `unknown`.
    #[serde(default = "patient")]
    pub relation: Relation,
    /// What it may rest on.
    #[serde(default)]
    pub facts: Vec<FactIn>,
    /// The `told` of the earlier reviews of this conversation; nothing for its first text.
    #[serde(default)]
    pub told: Vec<String>,
    /// The last texts of this conversation that left, oldest first: a draft may say together with
    /// them what it does not say alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
}

const fn patient() -> Relation {
    Relation::Patient
}

/// The practice.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PracticeIn {
    /// Its name.
    pub name: String,
    /// The front desk's number.
    pub phone: String,
    /// Its kind.
    #[serde(rename = "type", deserialize_with = "practice_type")]
    pub kind: String,
    /// Where the link points.
    pub portal_url: String,
}

/// Consent by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentIn {
    /// Agreed.
    Granted,
    /// Not asked or not answered.
    None,
    /// Declined.
    Declined,
    /// Opted out.
    OptedOut,
}

/// One fact.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FactIn {
    /// `namespace.name`.
    pub field: String,
    /// The value.
    pub value: String,
}

impl std::fmt::Debug for FactIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FactIn({}: ..)", self.field)
    }
}

/// One finding, by code points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingOut {
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What it is.
    pub category: Category,
    /// Which rule says so.
    pub rule: String,
    /// What becomes of it.
    pub action: Action,
    /// How sure.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Evidences,
    /// The law or house rule.
    pub cite: String,
}

/// One review.
#[derive(Clone, Debug, Serialize)]
pub struct CheckOut {
    /// The caller's name for this line.
    pub id: serde_json::Value,
    /// The verdict.
    pub verdict: Verdict,
    /// What may be sent.
    pub text: Option<String>,
    /// What moves behind the link.
    pub portal: Option<String>,
    /// What was found.
    pub findings: Vec<FindingOut>,
    /// Details that the text tells and that could tell the condition together with others: put them
    /// into `context.told` of this conversation's next draft.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
    /// The digest of the policy.
    pub policy: String,
    /// How long the review took; the caller, who has a clock, fills it.
    pub micros: u64,
}

/// One text to search.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectIn {
    /// The caller's name for this line.
    pub id: serde_json::Value,
    /// The text.
    pub text: String,
}

/// One thing the detector found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DetectedOut {
    /// First code point.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What it is.
    pub category: Category,
    /// How sure.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Evidences,
}

/// What the detector found in one text.
#[derive(Clone, Debug, Serialize)]
pub struct DetectOut {
    /// The caller's name for this line.
    pub id: serde_json::Value,
    /// What was found.
    pub findings: Vec<DetectedOut>,
}

/// Turns byte offsets into code points.
struct CodePoints<'a>(&'a str);

impl CodePoints<'_> {
    fn at(&self, byte: usize) -> usize {
        self.0
            .char_indices()
            .take_while(|(at, _)| *at < byte)
            .count()
    }
}

/// The findings of a review by code points of `text`.
pub fn findings_out(text: &str, findings: &[Finding]) -> Vec<FindingOut> {
    let points = CodePoints(text);
    let out = |finding: &Finding| FindingOut {
        start: points.at(finding.span.start),
        end: points.at(finding.span.end),
        category: finding.category,
        rule: finding.rule.as_ref().to_owned(),
        action: finding.action,
        confidence: finding.confidence,
        evidence: finding.evidence.clone(),
        cite: finding.cite.as_ref().to_owned(),
    };
    findings.iter().map(out).collect()
}

impl ContextIn {
    /// The last texts that left, as a review takes them.
    pub(crate) fn texts_before(&self) -> Vec<&str> {
        self.before.iter().map(String::as_str).collect()
    }

    /// Does something in this setting, for a draft by this author; `proof` names the evidence of a
    /// consent that was granted.
    pub(crate) fn within<T>(
        &self,
        author: Author,
        proof: &str,
        work: impl FnOnce(&Setting<'_>) -> T,
    ) -> T {
        let facts: Vec<Fact<'_>> = self
            .facts
            .iter()
            .map(|fact| Fact {
                field: &fact.field,
                value: &fact.value,
            })
            .collect();
        let told: Vec<&str> = self.told.iter().map(String::as_str).collect();
        let setting = Setting {
            practice_name: &self.practice.name,
            practice_phone: &self.practice.phone,
            practice_type: &self.practice.kind,
            portal_url: &self.practice.portal_url,
            channel: self.channel,
            consent: match self.consent {
                ConsentIn::Granted => Consent::Granted { proof },
                ConsentIn::None => Consent::None,
                ConsentIn::Declined => Consent::Declined,
                ConsentIn::OptedOut => Consent::OptedOut,
            },
            covered: self.covered,
            state: self.state,
            language: self.language,
            timezone: &self.timezone,
            now: self.now,
            purpose: self.purpose,
            relation: self.relation,
            author,
            facts: &facts,
            told: &told,
        };
        work(&setting)
    }
}

/// Reviews one line. The draft counts as the agent's; `micros` is left 0 for the caller.
pub fn check_line(guardrail: &Guardrail, line: &CheckIn) -> CheckOut {
    line.context.within(Author::Agent, "check", |setting| {
        let Review {
            verdict,
            cleared,
            findings,
            told,
            policy,
        } = guardrail.review_after(&line.context.texts_before(), &line.draft, setting);
        CheckOut {
            id: line.id.clone(),
            verdict,
            text: cleared.as_ref().map(|cleared| cleared.text().to_owned()),
            portal: cleared
                .as_ref()
                .and_then(Cleared::portal)
                .map(str::to_owned),
            findings: findings_out(&line.draft, &findings),
            told: told.iter().map(|name| name.as_str().to_owned()).collect(),
            policy: policy.to_string(),
            micros: 0,
        }
    })
}

/// Searches one line, whatever the policy says of what is found.
pub fn detect_line(guardrail: &Guardrail, line: &DetectIn) -> DetectOut {
    let points = CodePoints(&line.text);
    let out = |finding: Finding| DetectedOut {
        start: points.at(finding.span.start),
        end: points.at(finding.span.end),
        category: finding.category,
        confidence: finding.confidence,
        evidence: finding.evidence,
    };
    let findings = guardrail.detect(&line.text).into_iter().map(out).collect();
    DetectOut {
        id: line.id.clone(),
        findings,
    }
}
