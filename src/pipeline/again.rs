//! Again: a draft that was reviewed once is reviewed under another policy, in the setting of then.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::guardrail::finding::{Action, Verdict};
use crate::guardrail::review::Guardrail;
use crate::guardrail::setting::{Author, Consent, Setting};
use crate::guardrail::wire::{ConsentIn, ContextIn, FactIn, PracticeIn};
use crate::pipeline::in_force::Judge;
use crate::pipeline::law::{Governed, day_of};
use crate::policy::law::Whereabouts;
use crate::policy::words::Jurisdiction;

/// The key of a review's report under which its setting is kept.
pub(crate) const SETTING: &str = "setting";
/// The proof of a consent that stood then; which one it was is kept with the text that left.
const PROOF: &str = "kept";

/// The setting of a review, as it is kept, sealed, beside the draft.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    context: ContextIn,
    author: Author,
    practice_state: Jurisdiction,
}

/// A draft with its setting and what was decided then.
#[derive(Debug)]
pub struct Reviewed {
    /// The draft.
    pub draft: String,
    /// What was decided.
    pub verdict: Verdict,
    /// Its setting.
    pub setting: Kept,
}

/// What a policy decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The verdict; a text that the law keeps away is held.
    pub verdict: Verdict,
    /// The rules that took part: those that acted, and those of the law.
    pub rules: BTreeSet<String>,
    /// What would be sent.
    pub text: Option<String>,
}

impl Kept {
    pub(crate) fn of(
        setting: &Setting<'_>,
        before: &[String],
        practice_state: Jurisdiction,
    ) -> Self {
        let facts = setting.facts.iter().map(|fact| FactIn {
            field: fact.field.to_owned(),
            value: fact.value.to_owned(),
        });
        Self {
            context: ContextIn {
                practice: PracticeIn {
                    name: setting.practice_name.to_owned(),
                    phone: setting.practice_phone.to_owned(),
                    kind: setting.practice_type.to_owned(),
                    portal_url: setting.portal_url.to_owned(),
                },
                channel: setting.channel,
                consent: match setting.consent {
                    Consent::Granted { .. } => ConsentIn::Granted,
                    Consent::None => ConsentIn::None,
                    Consent::Declined => ConsentIn::Declined,
                    Consent::OptedOut => ConsentIn::OptedOut,
                },
                covered: setting.covered,
                relation: setting.relation,
                state: setting.state,
                language: setting.language,
                timezone: setting.timezone.to_owned(),
                now: setting.now,
                purpose: setting.purpose,
                facts: facts.collect(),
                told: setting.told.iter().map(|it| (*it).to_owned()).collect(),
                before: before.to_vec(),
            },
            author: setting.author,
            practice_state,
        }
    }
}

impl Reviewed {
    /// Reads the report of a review; none where it keeps no setting, or no draft.
    pub fn of_report(report: &str) -> Option<Self> {
        let report: serde_json::Value = serde_json::from_str(report).ok()?;
        let text = |key: &str| report.get(key)?.as_str();
        Some(Self {
            draft: text("draft").filter(|it| !it.is_empty())?.to_owned(),
            verdict: text("verdict")?.parse().ok()?,
            setting: Kept::deserialize(report.get(SETTING)?).ok()?,
        })
    }

    /// What this guardrail and its law decide of the draft.
    pub fn again(&self, guardrail: &Guardrail) -> Decision {
        let kept = &self.setting;
        let context = &kept.context;
        context.within(kept.author, PROOF, |setting| {
            let review = guardrail.review_after(&context.texts_before(), &self.draft, setting);
            let acted = review
                .findings
                .iter()
                .filter(|it| it.action != Action::Keep);
            let mut rules: BTreeSet<String> = acted.map(|it| it.rule.to_string()).collect();
            let governed = self.governed(guardrail);
            let away = governed.kept_away(&review, context.channel);
            rules.extend(away.iter().map(ToString::to_string));
            let mut verdict = review.verdict;
            if review.cleared.is_some() && kept.author == Author::Agent {
                let public: Vec<(String, String)> = context
                    .facts
                    .iter()
                    .filter(|fact| fact.field.starts_with("practice."))
                    .map(|fact| (fact.field.clone(), fact.value.clone()))
                    .collect();
                if let Some(by) = governed.forbids(&review, &self.draft, context.channel, &public) {
                    rules.extend(by.iter().map(ToString::to_string));
                    verdict = Verdict::Hold;
                }
            }
            let text = review.cleared.as_ref().map(|it| it.text().to_owned());
            Decision {
                verdict,
                rules,
                text: text.filter(|_| verdict != Verdict::Hold),
            }
        })
    }

    fn governed(&self, guardrail: &Guardrail) -> Governed {
        let context = &self.setting.context;
        let at = Whereabouts {
            practice: self.setting.practice_state,
            residence: context.state,
            practice_type: &context.practice.kind,
            day: day_of(context.state, context.now),
        };
        Governed {
            duties: Arc::new(guardrail.law().duties(at)),
            residence: context.state,
            judge: Arc::new(Judge::new(guardrail.clone())),
            trial: None,
        }
    }
}
