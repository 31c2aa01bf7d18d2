//! Reply: what waits in one conversation gets its one outcome: a cleared text, or staff.

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::agent;
use crate::agent::texts::{RenderedText, TextId};
use crate::domain::consent::{Notice, RISK_NOTICE_ASKS};
use crate::domain::conversation::{
    Conversation, Direction, PendingKind, PendingQuestion, ReplyJob, Turn,
};
use crate::domain::ids::TurnId;
use crate::domain::message::{LawTag, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::Patient;
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Review;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::Author;
use crate::pipeline::clear::Writing;
use crate::pipeline::consent::{self, question};
use crate::pipeline::house::House;
use crate::pipeline::law::Governed;
use crate::pipeline::plan::{Plan, plan, waiting};
use crate::pipeline::portal::PortalLink;
use crate::pipeline::work::{LEASE, Step, caught, renewing};
use crate::policy::words::{Jurisdiction, Purpose};
use crate::screen::{Intent, Reading};
use crate::store::StoreError;

/// After so many leases without an end the conversation is parked for staff: the text may be one
/// that breaks us each time.
const ATTEMPTS_MAX: i64 = 5;

/// First wait after an answer that failed; doubled each time.
const BACKOFF: SignedDuration = SignedDuration::from_secs(1);

/// How much of the conversation is read: enough for any context, bounded for the model's sake.
const TURNS_MAX: u32 = 40;

/// What becomes of the open question.
pub(crate) enum Pending {
    /// It stays open.
    Keep,
    /// It is closed, or another takes its place.
    Set(Option<PendingQuestion>),
}

/// What one reply will commit.
pub(crate) struct Reply {
    pub(crate) kind: OutboundKind,
    pub(crate) answers: Vec<TurnId>,
    pub(crate) cleared: Option<Cleared<'static>>,
    pub(crate) notice: Option<Notice>,
    pub(crate) pending: Pending,
    pub(crate) acted: bool,
    pub(crate) patient: Option<Patient>,
    pub(crate) link: Option<PortalLink>,
    pub(crate) hold: Option<(Phi<String>, &'static str)>,
    pub(crate) report: Option<Phi<String>>,
    /// Whether texts are left that this reply does not answer and that wait for nobody.
    pub(crate) more: bool,
    /// The oldest turn that was read; older ones that still wait will never be.
    pub(crate) read_from: Option<TurnId>,
    /// By which law the text was cleared.
    pub(crate) law: LawTag,
    pub(crate) detail: serde_json::Value,
}

/// What the agent is asked about.
#[derive(Clone, Copy)]
struct Asking<'a> {
    practice: &'a Practice,
    conversation: &'a Conversation,
    patient: Option<&'a Patient>,
    turns: &'a [Turn],
    told: &'a [String],
    now: Timestamp,
    law: &'a Governed,
    covered: bool,
}

impl House {
    /// Answers what waits in one conversation, if any does. An answer that fails or panics is put
    /// off, and after a few times left to staff, so that it can stop neither this worker nor others.
    pub async fn reply_once(self: &Arc<Self>) -> Result<Step, StoreError> {
        let now = self.clock().now();
        let Some(job) = self.store().lease_reply(now, now + LEASE).await? else {
            return Ok(Step::Idle);
        };
        let began = Instant::now();
        match caught("reply", Box::pin(self.answer(&job, now))).await {
            Some(Ok(committed)) => {
                metrics::histogram!("anteroom_reply_seconds").record(began.elapsed().as_secs_f64());
                if committed {
                    self.outbox.notify_one();
                } else {
                    metrics::counter!("anteroom_reply_fenced_total").increment(1);
                    self.replies.notify_one();
                }
            }
            Some(Err(error)) => {
                tracing::error!(conversation = %job.conversation, %error, "an answer failed");
                self.put_off(job).await?;
            }
            None => self.put_off(job).await?,
        }
        self.changed();
        Ok(Step::Worked)
    }

    async fn answer(self: &Arc<Self>, job: &ReplyJob, now: Timestamp) -> Result<bool, StoreError> {
        let conversation = self.store().conversation(job.conversation).await?;
        let conversation = conversation.ok_or(StoreError::NoConversation(job.conversation.0))?;
        let turns = self.store().turns(conversation.id, TURNS_MAX).await?;
        let reply = match self.practice_of(&conversation) {
            _ if job.attempts > ATTEMPTS_MAX => left_to_staff(&turns, "parked"),
            None => left_to_staff(&turns, "practice not configured"),
            Some(practice) => {
                let plan = plan(&conversation, &turns, now);
                let renew = || self.store().renew_reply(job, self.clock().now() + LEASE);
                let made = self.make(&practice, &conversation, &turns, plan, now);
                renewing(renew, made).await?
            }
        };
        let reply = reply.map(|reply| Reply {
            read_from: turns.first().map(|turn| turn.id),
            ..reply
        });
        self.commit(job.clone(), conversation.epoch, reply, now)
            .await
    }

    /// Gives a job back for later; one that never ends well is set aside for staff.
    async fn put_off(&self, job: ReplyJob) -> Result<(), StoreError> {
        let now = self.clock().now();
        if job.attempts > ATTEMPTS_MAX {
            return self.park(job, now).await;
        }
        let doubled = 1_i32 << u32::try_from(job.attempts.clamp(0, 10)).unwrap_or(10);
        let due = now + BACKOFF * doubled;
        self.store()
            .write(move |tx| {
                let job = job.clone();
                Box::pin(async move { tx.postpone_reply(&job, due).await.map(drop) })
            })
            .await
    }

    async fn make(
        &self,
        practice: &Arc<Practice>,
        conversation: &Conversation,
        turns: &[Turn],
        plan: Plan,
        now: Timestamp,
    ) -> Result<Option<Reply>, StoreError> {
        let patient = self.patient_of(practice, conversation).await;
        let residence = patient.as_ref().map(|patient| patient.state);
        let law = self.governed(practice, residence.unwrap_or(Jurisdiction::UNKNOWN), now);
        let mut reply = match plan {
            Plan::Nothing | Plan::Wait => return Ok(None),
            Plan::Staff { answers, reason } => Reply::held(answers, reason),
            Plan::Notice => self.notice(practice, conversation, now),
            Plan::Fixed {
                text,
                kind,
                answers,
                staff,
            } => {
                let asks = (text == TextId::ClarifyStop).then_some(PendingKind::StopConfirm);
                let text = self.fixed_text(text, practice, conversation.language);
                let mut reply = self.fixed(practice, conversation, &text, now);
                if let Some(kind) = asks.filter(|_| reply.cleared.is_some()) {
                    reply.pending = Pending::Set(Some(question(kind, now)));
                }
                reply.kind = kind;
                // An answer to some of the texts leaves the others to the next round.
                reply.more = !answers.is_empty() && answers.len() < waiting(turns).count();
                reply.answers = answers;
                reply.hold = staff
                    .map(|reason| (Phi::default(), reason))
                    .or_else(|| reply.hold.take());
                reply
            }
            Plan::Agent { asked, answers } => {
                let told = self.told(conversation.id).await?;
                let asking = Asking {
                    practice,
                    conversation,
                    patient: patient.as_ref(),
                    turns,
                    told: &told,
                    now,
                    law: &law,
                    covered: self.covered(practice, conversation, now).await?,
                };
                let mut reply = self.ask_agent(&asking, &asked).await?;
                reply.answers = answers;
                reply
            }
        };
        let by = reply
            .law
            .rules
            .iter()
            .map(|id| id.as_str().into())
            .collect();
        reply.law = self.tag(&law, reply.kind, &by);
        Ok(Some(Reply { patient, ..reply }))
    }

    /// The one person at this number, if the record knows exactly one.
    async fn patient_of(
        &self,
        practice: &Practice,
        conversation: &Conversation,
    ) -> Option<Patient> {
        let found = self
            .records()
            .patients_by_phone(&practice.id, &conversation.number)
            .await;
        match found.ok()?.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        }
    }

    fn fixed(
        &self,
        practice: &Practice,
        conversation: &Conversation,
        rendered: &RenderedText,
        now: Timestamp,
    ) -> Reply {
        let written = self.clear(&Writing {
            practice,
            conversation,
            patient: None,
            author: Author::Approved,
            purpose: Purpose::Reply,
            text: &rendered.text,
            facts: &[],
            link: None,
            told: &[],
            now,
            law: &self.governed(practice, Jurisdiction::UNKNOWN, now),
            session: None,
            covered: true,
        });
        let mut reply = Reply::silent(Vec::new(), "approved text");
        reply.detail = serde_json::json!({
            "text_id": rendered.text_id,
            "sha256": rendered.sha256,
            "verdict": written.review.verdict.as_str(),
            "policy": written.review.policy,
        });
        reply.report = Some(written.report("approved"));
        if written.review.cleared.is_none() {
            reply.hold = Some((Phi::from(rendered.text.as_str()), "approved text was held"));
        }
        reply.cleared = written.review.cleared;
        reply
    }

    fn notice(&self, practice: &Practice, conversation: &Conversation, now: Timestamp) -> Reply {
        let rendered = self.fixed_text(TextId::RiskNotice, practice, conversation.language);
        let mut reply = self.fixed(practice, conversation, &rendered, now);
        reply.kind = OutboundKind::Notice;
        if reply.cleared.is_none() {
            // Nobody was asked anything; a YES to it must not count.
            return reply;
        }
        reply.notice = Some(Notice {
            text_id: rendered.text_id,
            sha256: rendered.sha256,
            language: conversation.language,
            at: now,
            asks: RISK_NOTICE_ASKS.to_vec(),
        });
        reply.pending = Pending::Set(Some(question(PendingKind::Consent, now)));
        reply
    }

    async fn ask_agent(&self, asking: &Asking<'_>, asked: &[TurnId]) -> Result<Reply, StoreError> {
        let Asking {
            practice,
            conversation,
            turns,
            now,
            ..
        } = *asking;
        let readings = self.read_again(conversation, turns, asked);
        let texts = turns.iter().filter(|turn| asked.contains(&turn.id));
        let history = turns
            .iter()
            .filter(|turn| turn.answered || turn.direction == Direction::Outbound)
            .map(|turn| (turn.direction == Direction::Inbound, turn.body.clone()))
            .collect();
        let key = asked.last().map_or_else(String::new, |turn| {
            format!("conversation/{}/turn/{turn}", conversation.id)
        });
        let input = agent::Input {
            practice,
            patient: asking.patient,
            language: conversation.language,
            now,
            history,
            waiting: texts.map(|turn| turn.body.clone()).collect(),
            pending: conversation.pending.as_ref(),
            choice: readings.iter().rev().find_map(|reading| reading.choice),
            affirmed: readings.iter().any(|reading| {
                matches!(reading.intent, Intent::Confirm | Intent::CancelAppointment)
                    && conversation.pending.is_some()
            }),
            untrusted: readings.iter().any(|reading| reading.injection),
            key,
            limits: agent::Limits::default(),
        };
        // Where the law keeps AI out of therapy, nothing but templates is written; a vendor that has
        // signed nothing sees nothing.
        let barred = asking.law.bars_therapy();
        let host = self.parts.model.host();
        let sees = self.register(now).model(practice, host).await?.is_none();
        let model = if sees && barred.is_none() {
            &*self.parts.model
        } else {
            &*self.parts.offline
        };
        let outcome = agent::run(input, model, &*self.parts.offline, &**self.records()).await;
        let mut reply = self.judge(asking, outcome);
        if let Some(by) = barred {
            reply.law.rules.extend(by.iter().map(ToString::to_string));
        }
        Ok(reply)
    }

    fn judge(&self, asking: &Asking<'_>, outcome: agent::Outcome) -> Reply {
        let Asking {
            practice,
            conversation,
            patient,
            now,
            ..
        } = *asking;
        let draft = outcome.draft.clone().unwrap_or_default();
        let link = PortalLink::new(
            &self.parts.public_url,
            &practice.portal_url,
            &self.parts.entropy,
        );
        let written = self.clear(&Writing {
            practice,
            conversation,
            patient,
            author: Author::Agent,
            purpose: outcome.purpose,
            text: draft.as_str(),
            facts: &outcome.facts,
            link: link.as_ref(),
            told: asking.told,
            now,
            law: asking.law,
            session: Some(self.session(asking.turns, patient, asking.law, now)),
            covered: asking.covered,
        });
        let mut reply = Reply::silent(Vec::new(), "agent");
        reply.law.rules = written.law.iter().map(ToString::to_string).collect();
        reply.pending = Pending::Set(outcome.pending);
        reply.acted = outcome
            .facts
            .iter()
            .any(|fact| fact.field.starts_with("receipt."));
        reply.detail = serde_json::json!({
            "model": outcome.model,
            "model_error": outcome.model_error.map(|error| error.to_string()),
            "tools": outcome.tools.iter().map(|tool| serde_json::json!({"name": tool.name, "ok": tool.ok})).collect::<Vec<_>>(),
            "verdict": written.review.verdict.as_str(),
            "rules": rules(&written.review),
            "policy": written.review.policy,
            "micros": written.micros,
        });
        reply.report = Some(written.report("agent"));
        reply.hold = outcome.handover.map(|reason| (draft.clone(), reason));
        // Behind a link there must be a page, and on the page a birth date to ask for.
        let dated = patient.is_some_and(|patient| patient.birth_date.is_some());
        let readable = link.is_some() && (dated || !practice.portal_url.is_empty());
        let moved = written
            .review
            .cleared
            .as_ref()
            .is_some_and(|it| it.portal().is_some());
        let unreadable = moved && !readable;
        if written.review.verdict == Verdict::Hold || unreadable || written.barred.is_some() {
            // Nothing of the draft leaves; the patient is told the truth, that staff have it.
            let reason = match written.barred {
                Some(barred) => barred,
                None if unreadable => "no page for the link",
                None => "guardrail",
            };
            let text = self.fixed_text(TextId::Handoff, practice, conversation.language);
            let handed = self.fixed(practice, conversation, &text, now);
            reply.cleared = handed.cleared;
            reply.pending = Pending::Set(None);
            reply.hold = Some((draft, reason));
            return reply;
        }
        reply.cleared = written.review.cleared;
        reply.link = link;
        reply
    }

    /// Reads the waiting texts again under the question that is open now.
    fn read_again(
        &self,
        conversation: &Conversation,
        turns: &[Turn],
        answers: &[TurnId],
    ) -> Vec<Reading> {
        let pending = conversation
            .pending
            .as_ref()
            .and_then(|question| consent::asked(question.kind));
        turns
            .iter()
            .filter(|turn| answers.contains(&turn.id))
            .map(|turn| {
                self.parts
                    .screen
                    .read(turn.body.as_str(), pending, conversation.language)
            })
            .collect()
    }
}

fn rules<'r>(review: &'r Review<'_>) -> Vec<&'r str> {
    let mut rules: Vec<&str> = review
        .findings
        .iter()
        .map(|finding| &*finding.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

impl Reply {
    fn silent(answers: Vec<TurnId>, how: &'static str) -> Self {
        Self {
            kind: OutboundKind::Reply,
            answers,
            cleared: None,
            notice: None,
            pending: Pending::Keep,
            acted: false,
            patient: None,
            link: None,
            hold: None,
            report: None,
            more: false,
            read_from: None,
            law: LawTag::default(),
            detail: serde_json::json!({ "how": how }),
        }
    }

    /// A person answers; nothing leaves.
    fn held(answers: Vec<TurnId>, reason: &'static str) -> Self {
        Self {
            hold: Some((Phi::default(), reason)),
            ..Self::silent(answers, reason)
        }
    }
}

/// Staff have all that waits, if anything does.
fn left_to_staff(turns: &[Turn], reason: &'static str) -> Option<Reply> {
    let answers: Vec<TurnId> = waiting(turns).map(|turn| turn.id).collect();
    (!answers.is_empty()).then(|| Reply::held(answers, reason))
}
