//! Clear: the one call of the guardrail, with the setting of this conversation and its facts.

use std::time::Instant;

use jiff::Timestamp;

use crate::agent::texts::TextId;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationId;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Fact, Patient};
use crate::guardrail::label::Label;
use crate::guardrail::review::{Guardrail, Review};
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::{self, Author, Consent, Relation, Setting};
use crate::guardrail::wire;
use crate::pipeline::again::{self, Kept};
use crate::pipeline::house::House;
use crate::pipeline::law::Governed;
use crate::pipeline::portal::PortalLink;
use crate::policy::law::answer::Session;
use crate::policy::law::join::Ids;
use crate::policy::words::{Jurisdiction, Purpose};
use crate::store::error::StoreError;

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
    /// What earlier texts of the conversation told, by name.
    pub(crate) told: &'a [String],
    /// The last texts that left, oldest first, where the draft may go on from them.
    pub(crate) before: &'a [String],
    pub(crate) now: Timestamp,
    /// The law that applies.
    pub(crate) law: &'a Governed,
    /// Where the session stands; none when nothing is told along.
    pub(crate) session: Option<Session>,
    /// Whether the channel may carry PHI under the agreements that are in force.
    pub(crate) covered: bool,
}

/// What the guardrail made of it.
pub(crate) struct Written {
    pub(crate) review: Review<'static>,
    pub(crate) micros: u64,
    /// The rules of law that bore on it.
    pub(crate) law: Ids,
    /// Why it is held although the review let it pass.
    pub(crate) barred: Option<&'static str>,
    draft: Phi<String>,
    setting: Kept,
    at: Timestamp,
}

/// What was told longer ago than so many texts is forgotten by the patient's phone as well.
const TOLD_TEXTS: u32 = 60;
/// The key of a report under which the details are that its text told.
const TOLD: &str = "told";

impl House {
    /// What the texts of a conversation told so far, by the names that their reviews gave.
    pub(crate) async fn told(
        &self,
        conversation: ConversationId,
    ) -> Result<Vec<String>, StoreError> {
        let reports = self.store().glass(conversation, TOLD_TEXTS).await?;
        let mut all = Vec::new();
        for report in &reports {
            let report = serde_json::from_str::<serde_json::Value>(report.as_str());
            let names = report.ok().and_then(|report| {
                serde_json::from_value::<Vec<String>>(report.get(TOLD)?.clone()).ok()
            });
            all.extend(names.into_iter().flatten());
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// A page behind the link for one text; none where no token can be made.
    pub(crate) fn portal_link(&self, practice: &Practice) -> Option<PortalLink> {
        let parts = &self.parts;
        PortalLink::new(&parts.public_url, &practice.portal_url, &parts.entropy)
    }

    /// Reviews a text. Never fails.
    pub(crate) fn clear(&self, writing: &Writing<'_>) -> Written {
        self.clear_by(writing, |guardrail, draft, setting| {
            let before: Vec<&str> = writing.before.iter().map(String::as_str).collect();
            guardrail.review_after(&before, draft, setting)
        })
    }

    /// Reviews a text that goes behind the link as a whole. Never fails.
    pub(crate) fn clear_behind_link(&self, writing: &Writing<'_>) -> Written {
        self.clear_by(writing, Guardrail::behind_link)
    }

    fn clear_by(
        &self,
        writing: &Writing<'_>,
        review: impl for<'d> Fn(&Guardrail, &'d str, &Setting<'d>) -> Review<'d>,
    ) -> Written {
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
            // Without its agreements a channel carries nothing about the patient.
            _ if !writing.covered => Consent::None,
            (_, ConsentState::Declined) => Consent::Declined,
            (Some(proof), _) => Consent::Granted { proof },
            (None, _) => Consent::None,
        };
        let phone = practice.phone.display_us();
        let link = writing
            .link
            .map_or(practice.portal_url.as_str(), |link| link.url.as_str());
        let told: Vec<&str> = writing.told.iter().map(String::as_str).collect();
        let setting = Setting {
            practice_name: &practice.name,
            practice_phone: &phone,
            practice_type: &practice.kind,
            portal_url: link,
            channel: conversation.channel,
            consent,
            covered: writing.covered,
            state: writing
                .patient
                .map_or(Jurisdiction::UNKNOWN, |patient| patient.state),
            language: conversation.language,
            timezone: &practice.timezone,
            now: writing.now,
            purpose: writing.purpose,
            relation: writing
                .patient
                .map_or(Relation::Unknown, |_| Relation::Patient),
            author: writing.author,
            facts: &facts,
            told: &told,
        };
        let began = Instant::now();
        let judge = &writing.law.judge;
        let review = review(&judge.guardrail, writing.text, &setting).into_owned();
        let spent = began.elapsed();
        metrics::histogram!("anteroom_review_seconds").record(spent.as_secs_f64());
        metrics::counter!("anteroom_reviews_total", "verdict" => review.verdict.as_str())
            .increment(1);
        let mut written = Written {
            review,
            law: Ids::new(),
            barred: None,
            micros: u64::try_from(spent.as_micros()).unwrap_or(u64::MAX),
            draft: Phi::new(writing.text.to_owned()),
            setting: Kept::of(&setting, writing.before, practice.state),
            at: writing.now,
        };
        self.apply_law(&mut written, writing, &setting, &public);
        written
    }

    /// What the law asks of a text that the review let pass: nothing that it keeps away from this
    /// channel, and what is told along.
    fn apply_law(
        &self,
        written: &mut Written,
        writing: &Writing<'_>,
        setting: &Setting<'_>,
        public: &[(String, String)],
    ) {
        let channel = writing.conversation.channel;
        written.law = writing.law.kept_away(&written.review, channel);
        let (Some(session), Some(cleared)) = (writing.session, &written.review.cleared) else {
            return;
        };
        if let Some(by) = writing
            .law
            .forbids(&written.review, writing.text, channel, public)
        {
            written.law.extend(by);
            written.barred = Some("law of the state");
            return;
        }
        let mut telling = writing
            .law
            .telling((&written.review, writing.purpose), &session);
        written.law.extend(telling.rules);
        let language = writing.conversation.language;
        let said = writing.practice.said_name(language);
        if self.parts.texts.tells_who_writes(cleared.text(), said) {
            telling.texts.retain(|id| *id != TextId::AiIntro);
        }
        let words: Vec<String> = telling
            .texts
            .iter()
            .map(|id| self.fixed_text(*id, writing.practice, language).text)
            .collect();
        if words.is_empty() {
            return;
        }
        match writing
            .law
            .judge
            .guardrail
            .introduce(cleared, &words.join(" "), setting)
        {
            Some(told) => written.review.cleared = Some(told),
            None => written.barred = Some("disclosure could not be added"),
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
                TOLD: self.review.told.iter().map(Label::as_str).collect::<Vec<_>>(),
                "policy": self.review.policy,
                "micros": self.micros,
                again::SETTING: self.setting,
            })
            .to_string(),
        )
    }
}
