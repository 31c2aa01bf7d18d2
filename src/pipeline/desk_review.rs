//! Reviewing what staff write: the same guardrail, the same record, before anything is sent.

use jiff::SignedDuration;

use crate::agent::facts;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::Conversation;
use crate::domain::ids::{ConversationId, PracticeId};
use crate::domain::message::{LawTag, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::{Fact, Patient};
use crate::guardrail::finding::Verdict;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::Author;
use crate::guardrail::wire::{self, FindingOut};
use crate::pipeline::clear::{Writing, Written};
use crate::pipeline::draft::{Asking, closed_page};
use crate::pipeline::house::House;
use crate::pipeline::portal::PortalLink;
use crate::pipeline::ward::Whose;
use crate::policy::words::{Jurisdiction, Purpose};
use crate::store::StoreError;

/// A text within this time of the patient's last one is an answer; a later one is a text that the
/// practice begins, and waits for the hours in which it may.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What the guardrail says of the words of staff.
#[derive(Clone, Debug)]
pub struct Verdicted {
    /// Pass, rewrite or hold.
    pub verdict: Verdict,
    /// What the patient would get as a text.
    pub text: Option<Phi<String>>,
    /// What moves behind the portal's link.
    pub portal: Option<Phi<String>>,
    /// What was found in the words.
    pub findings: Vec<FindingOut>,
    /// Segments of the text that would leave.
    pub segments: usize,
    /// Why nothing may leave although nothing is wrong with the words.
    pub closed: Option<&'static str>,
}

/// A text of staff with all that it takes to send it.
pub(super) struct Ready {
    pub(super) conversation: Conversation,
    pub(super) patient: Option<Patient>,
    pub(super) written: Written,
    pub(super) link: Option<PortalLink>,
    pub(super) closed: Option<&'static str>,
    pub(super) law: LawTag,
    pub(super) kind: OutboundKind,
    /// Whether a text leaves; to whoever opted out none does, and what goes behind the link waits there.
    pub(super) texted: bool,
}

impl House {
    /// What the guardrail says of a text that staff are writing. Keeps nothing.
    pub async fn desk_review(
        &self,
        practice: &PracticeId,
        conversation: ConversationId,
        text: &str,
    ) -> Result<Option<Verdicted>, StoreError> {
        let ready = self
            .desk_ready(practice, conversation, (text, false))
            .await?;
        Ok(ready.map(|ready| verdicted(&ready, text)))
    }

    #[expect(clippy::too_many_lines, reason = "one question, told in order")]
    pub(super) async fn desk_ready(
        &self,
        practice: &PracticeId,
        id: ConversationId,
        (text, behind): (&str, bool),
    ) -> Result<Option<Ready>, StoreError> {
        let now = self.clock().now();
        let found = self.store().conversation(id).await?;
        let Some(conversation) = found.filter(|it| it.practice == *practice) else {
            return Ok(None);
        };
        let Some(practice) = self.practice_of(&conversation) else {
            return Ok(None);
        };
        let patient = self.desk_patient(&practice, &conversation).await;
        let known = self.desk_facts(&practice, patient.as_ref()).await;
        let residence = patient
            .as_ref()
            .map_or(Jurisdiction::UNKNOWN, |it| it.state);
        let law = self.governed_in(&conversation, &practice, residence, now);
        let covered = self.covered(&practice, &conversation, now).await?;
        let told = self.told(conversation.id).await?;
        let link = self.portal_link(&practice);
        let writing = Writing {
            practice: &practice,
            conversation: &conversation,
            patient: patient.as_ref(),
            author: Author::Staff,
            purpose: Purpose::Reply,
            text,
            facts: &known,
            link: link.as_ref(),
            told: &told,
            before: &[],
            now,
            law: &law,
            session: None,
            covered,
        };
        let written = if behind {
            self.clear_behind_link(&writing)
        } else {
            self.clear(&writing)
        };
        let asking = Asking {
            practice: &practice,
            conversation: &conversation,
            patient: patient.as_ref(),
            turns: &[],
            told: &told,
            now,
            law: &law,
            covered,
            records: &**self.records(),
            whose: Whose::Own,
        };
        let texted = conversation.consent.state != ConsentState::OptedOut;
        let closed = match &written.review.cleared {
            Some(cleared) if !texted && (!behind || cleared.portal().is_none()) => {
                Some("opted out")
            }
            None if !texted => Some("opted out"),
            _ if written.barred.is_some() => written.barred,
            None => None,
            Some(cleared) => cleared
                .portal()
                .and_then(|_| closed_page(&asking, link.as_ref())),
        };
        let recent = |last| now.duration_since(last) < ANSWER_WITHIN;
        let kind = if conversation.last_inbound.is_some_and(recent) {
            OutboundKind::Reply
        } else {
            OutboundKind::Initiated
        };
        let law = law.tag(kind, &written.law);
        Ok(Some(Ready {
            conversation,
            patient,
            written,
            link,
            closed,
            law,
            kind,
            texted,
        }))
    }

    /// The person whom a conversation is with: who was taken for the writer, else the only one whose
    /// number it is.
    pub async fn desk_patient(
        &self,
        practice: &Practice,
        conversation: &Conversation,
    ) -> Option<Patient> {
        let records = self.records();
        if let Some(id) = &conversation.patient {
            return records.patient(&practice.id, id).await.ok().flatten();
        }
        let people = records.patients_by_phone(&practice.id, &conversation.number);
        let mut people = people.await.ok()?;
        (people.len() == 1).then(|| people.remove(0))
    }

    async fn desk_facts(&self, practice: &Practice, patient: Option<&Patient>) -> Vec<Fact> {
        let Some(patient) = patient else {
            return Vec::new();
        };
        let mut known = facts::of_patient(patient);
        if let Ok(clinical) = self.records().clinical(&practice.id, &patient.id).await {
            known.extend(facts::of_clinical(&clinical));
        }
        known
    }
}

pub(super) fn verdicted(ready: &Ready, text: &str) -> Verdicted {
    let review = &ready.written.review;
    let cleared = review.cleared.as_ref();
    Verdicted {
        verdict: if ready.closed.is_some() {
            Verdict::Hold
        } else {
            review.verdict
        },
        text: cleared.map(|it| Phi::from(it.text())),
        portal: cleared.and_then(Cleared::portal).map(Phi::from),
        findings: wire::findings_out(text, &review.findings),
        segments: cleared.map_or(0, |it| it.segments().count),
        closed: ready.closed,
    }
}
