//! Clear: the one call of the guardrail, with the setting of this conversation and its facts.

use std::time::Instant;

use jiff::Timestamp;

use crate::domain::consent::ConsentState;
use crate::domain::conversation::Conversation;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Fact, Patient};
use crate::guardrail::review::Review;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::{self, Author, Consent, Setting};
use crate::guardrail::wire;
use crate::pipeline::house::House;
use crate::pipeline::portal::PortalLink;
use crate::policy::words::{Jurisdiction, Purpose};

/// A text that wants to leave.
pub(crate) struct Writing<'a> {
    pub(crate) practice: &'a Practice,
    pub(crate) conversation: &'a Conversation,
    pub(crate) patient: Option<&'a Patient>,
    pub(crate) author: Author,
    pub(crate) purpose: Purpose,
    pub(crate) text: &'a str,
    pub(crate) facts: &'a [Fact],
    pub(crate) link: Option<&'a PortalLink>,
    pub(crate) now: Timestamp,
}

/// What the guardrail made of it.
pub(crate) struct Written {
    pub(crate) review: Review<'static>,
    pub(crate) micros: u64,
    draft: Phi<String>,
    at: Timestamp,
}

impl House {
    /// Reviews a text. Never fails.
    pub(crate) fn clear(&self, writing: &Writing<'_>) -> Written {
        let practice = writing.practice;
        let conversation = writing.conversation;
        let public = Self::public_facts(practice, &self.parts.public_url);
        let mut facts: Vec<setting::Fact<'_>> = public
            .iter()
            .map(|(field, value)| setting::Fact { field, value })
            .collect();
        facts.extend(writing.facts.iter().map(|fact| setting::Fact {
            field: &fact.field,
            value: fact.value.as_str(),
        }));
        let proof = conversation.proof(writing.now);
        let digest = proof.map(crate::domain::consent::ConsentProof::digest);
        let consent = match (&digest, conversation.consent.state) {
            (_, ConsentState::OptedOut) => Consent::OptedOut,
            (_, ConsentState::Declined) => Consent::Declined,
            (Some(proof), _) => Consent::Granted { proof },
            (None, _) => Consent::None,
        };
        let phone = practice.phone.display_us();
        let link = writing
            .link
            .map_or(practice.portal_url.as_str(), |link| link.url.as_str());
        let setting = Setting {
            practice_name: &practice.name,
            practice_phone: &phone,
            practice_type: &practice.kind,
            portal_url: link,
            channel: conversation.channel,
            consent,
            state: writing
                .patient
                .map_or(Jurisdiction::UNKNOWN, |patient| patient.state),
            language: conversation.language,
            timezone: &practice.timezone,
            now: writing.now,
            purpose: writing.purpose,
            author: writing.author,
            facts: &facts,
        };
        let began = Instant::now();
        let review = self
            .parts
            .guardrail
            .review(writing.text, &setting)
            .into_owned();
        let spent = began.elapsed();
        metrics::histogram!("anteroom_review_seconds").record(spent.as_secs_f64());
        metrics::counter!("anteroom_reviews_total", "verdict" => review.verdict.as_str())
            .increment(1);
        Written {
            review,
            micros: u64::try_from(spent.as_micros()).unwrap_or(u64::MAX),
            draft: Phi::new(writing.text.to_owned()),
            at: writing.now,
        }
    }
}

impl Written {
    /// What the review did, for the people who look under the glass; sealed like the text itself.
    pub(crate) fn report(&self, kind: &str) -> Phi<String> {
        let cleared = self.review.cleared.as_ref();
        let draft = self.draft.as_str();
        Phi::new(
            serde_json::json!({
                "at": self.at.to_string(),
                "kind": kind,
                "draft": draft,
                "verdict": self.review.verdict.as_str(),
                "text": cleared.map(Cleared::text),
                "portal": cleared.and_then(Cleared::portal),
                "findings": wire::findings_out(draft, &self.review.findings),
                "policy": self.review.policy,
                "micros": self.micros,
            })
            .to_string(),
        )
    }
}
