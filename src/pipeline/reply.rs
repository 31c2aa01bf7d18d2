//! Reply: what waits in one conversation gets its one outcome: a cleared text, or staff.

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::agent;
use crate::agent::texts::TextId;
use crate::domain::consent::{ConsentState, Notice};
use crate::domain::conversation::{Conversation, Direction, PendingKind, PendingQuestion, Turn};
use crate::domain::ids::TurnId;
use crate::domain::message::OutboundKind;
use crate::domain::phi::Phi;
use crate::domain::practice::Practice;
use crate::domain::record::Patient;
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Review;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::Author;
use crate::pipeline::clear::Writing;
use crate::pipeline::house::House;
use crate::pipeline::portal::PortalLink;
use crate::pipeline::receive::ABUSE;
use crate::pipeline::work::{LEASE, Step, renewing};
use crate::policy::words::Purpose;
use crate::screen::{Intent, Reading};
use crate::store::StoreError;

/// After so many leases without an end the conversation is parked for staff: the text may be one
/// that breaks us each time.
const ATTEMPTS_MAX: i64 = 5;

/// How much of the conversation is read: enough for any context, bounded for the model's sake.
const TURNS_MAX: u32 = 40;

/// More texts than this to one number within [`LOOP_WINDOW`] means that two machines are talking.
const LOOP_TEXTS_MAX: usize = 20;

/// A person needs this long to read the notice; before, nobody is reminded to answer it.
const REMINDER_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// See [`LOOP_TEXTS_MAX`].
const LOOP_WINDOW: SignedDuration = SignedDuration::from_mins(30);

/// What is to be done with what waits.
enum Plan {
    /// An approved text answers these turns.
    Fixed {
        text: TextId,
        kind: OutboundKind,
        answers: Vec<TurnId>,
        staff: Option<&'static str>,
    },
    /// The risk notice goes out; what was asked keeps waiting for YES.
    Notice,
    /// The agent answers what was asked; bare YES and START among the turns are settled with it.
    Agent {
        asked: Vec<TurnId>,
        answers: Vec<TurnId>,
    },
    /// A person answers; nothing leaves.
    Staff {
        answers: Vec<TurnId>,
        reason: &'static str,
    },
    /// The notice has only just gone out; what came since waits for YES with the rest.
    Wait,
    /// Nothing waits.
    Nothing,
}

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
    pub(crate) cleared: Option<Cleared>,
    pub(crate) notice: Option<Notice>,
    pub(crate) pending: Pending,
    pub(crate) acted: bool,
    pub(crate) patient: Option<Patient>,
    pub(crate) link: Option<PortalLink>,
    pub(crate) hold: Option<(Phi<String>, &'static str)>,
    pub(crate) report: Option<Phi<String>>,
    pub(crate) detail: serde_json::Value,
}

/// What the agent is asked about.
#[derive(Clone, Copy)]
struct Asking<'a> {
    practice: &'a Practice,
    conversation: &'a Conversation,
    patient: Option<&'a Patient>,
    turns: &'a [Turn],
    now: Timestamp,
}

impl House {
    /// Answers what waits in one conversation, if any does.
    pub async fn reply_once(self: &Arc<Self>) -> Result<Step, StoreError> {
        let now = self.clock().now();
        let Some(job) = self.store().lease_reply(now, now + LEASE).await? else {
            return Ok(Step::Idle);
        };
        let began = Instant::now();
        let Some(conversation) = self.store().conversation(job.conversation).await? else {
            return Ok(Step::Idle);
        };
        let turns = self.store().turns(conversation.id, TURNS_MAX).await?;
        let plan = if job.attempts > ATTEMPTS_MAX {
            Plan::Staff {
                answers: waiting(&turns).map(|turn| turn.id).collect(),
                reason: "parked",
            }
        } else {
            plan(&conversation, &turns, now)
        };
        let reply = match self.practice_of(&conversation) {
            Some(practice) => {
                let renew = || self.store().renew_reply(&job, self.clock().now() + LEASE);
                let made = self.make(&practice, &conversation, &turns, plan, now);
                renewing(renew, made).await
            }
            None => None,
        };
        let committed = self.commit(job, conversation.epoch, reply, now).await?;
        metrics::histogram!("anteroom_reply_seconds").record(began.elapsed().as_secs_f64());
        if committed {
            self.outbox.notify_one();
        } else {
            metrics::counter!("anteroom_reply_fenced_total").increment(1);
            self.replies.notify_one();
        }
        self.changed();
        Ok(Step::Worked)
    }

    async fn make(
        &self,
        practice: &Arc<Practice>,
        conversation: &Conversation,
        turns: &[Turn],
        plan: Plan,
        now: Timestamp,
    ) -> Option<Reply> {
        let patient = self.patient_of(practice, conversation).await;
        let reply = match plan {
            Plan::Nothing | Plan::Wait => return None,
            Plan::Staff { answers, reason } => {
                let mut reply = Reply::silent(answers, reason);
                reply.hold = Some((Phi::default(), reason));
                reply
            }
            Plan::Notice => self.notice(practice, conversation, now),
            Plan::Fixed {
                text,
                kind,
                answers,
                staff,
            } => {
                let mut reply = self.fixed(practice, conversation, text, now);
                reply.kind = kind;
                reply.answers = answers;
                reply.hold = staff.map(|reason| (Phi::default(), reason));
                reply
            }
            Plan::Agent { asked, answers } => {
                let asking = Asking {
                    practice,
                    conversation,
                    patient: patient.as_ref(),
                    turns,
                    now,
                };
                let mut reply = self.ask_agent(&asking, &asked).await;
                reply.answers = answers;
                reply
            }
        };
        Some(Reply { patient, ..reply })
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
        text: TextId,
        now: Timestamp,
    ) -> Reply {
        let rendered = self.fixed_text(text, practice, conversation.language);
        let written = self.clear(&Writing {
            practice,
            conversation,
            patient: None,
            author: Author::Approved,
            purpose: Purpose::Reply,
            text: &rendered.text,
            facts: &[],
            link: None,
            now,
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
            reply.hold = Some((Phi::new(rendered.text), "approved text was held"));
        }
        reply.cleared = written.review.cleared;
        reply
    }

    fn notice(&self, practice: &Practice, conversation: &Conversation, now: Timestamp) -> Reply {
        let rendered = self.fixed_text(TextId::RiskNotice, practice, conversation.language);
        let mut reply = self.fixed(practice, conversation, TextId::RiskNotice, now);
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
        });
        reply.pending = Pending::Set(Some(PendingQuestion {
            kind: PendingKind::Consent,
            appointment: None,
            slots: Vec::new(),
            asked: now,
        }));
        reply
    }

    async fn ask_agent(&self, asking: &Asking<'_>, asked: &[TurnId]) -> Reply {
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
        let outcome = agent::run(
            input,
            &*self.parts.model,
            &*self.parts.offline,
            &**self.records(),
        )
        .await;
        self.judge(asking, outcome)
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
            now,
        });
        let mut reply = Reply::silent(Vec::new(), "agent");
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
            "state": practice.state.as_str(),
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
        if written.review.verdict == Verdict::Hold || unreadable {
            // Nothing of the draft leaves; the patient is told the truth, that staff have it.
            let reason = if unreadable {
                "no page for the link"
            } else {
                "guardrail"
            };
            let handed = self.fixed(practice, conversation, TextId::Handoff, now);
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
            .map(|question| super::receive::asked(question.kind));
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

fn rules(review: &Review) -> Vec<&str> {
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
            detail: serde_json::json!({ "how": how }),
        }
    }
}

/// The inbound texts that have no outcome yet.
fn waiting(turns: &[Turn]) -> impl DoubleEndedIterator<Item = &Turn> {
    turns
        .iter()
        .filter(|turn| turn.direction == Direction::Inbound && !turn.answered)
}

/// Decides what is to be done; pure.
fn plan(conversation: &Conversation, turns: &[Turn], now: Timestamp) -> Plan {
    let all = || waiting(turns).map(|turn| turn.id).collect::<Vec<_>>();
    let with = |intents: &[Intent]| -> Vec<TurnId> {
        let named = |turn: &&Turn| intents.iter().any(|intent| turn.intent == intent.as_str());
        waiting(turns).filter(named).map(|turn| turn.id).collect()
    };
    let Some(_) = waiting(turns).next() else {
        return Plan::Nothing;
    };
    let safety = [
        (Intent::Crisis, TextId::Crisis, "crisis"),
        (Intent::Poison, TextId::Poison, "poison"),
        (Intent::Emergency, TextId::Emergency, "emergency"),
    ];
    for (intent, text, reason) in safety {
        if !with(&[intent]).is_empty() {
            let kind = OutboundKind::Safety;
            return Plan::Fixed {
                text,
                kind,
                answers: all(),
                staff: Some(reason),
            };
        }
    }
    if conversation.human {
        return Plan::Staff {
            answers: all(),
            reason: "taken over",
        };
    }
    if looping(turns, now) {
        return Plan::Staff {
            answers: all(),
            reason: "loop",
        };
    }
    let fixed = |text, kind, answers| Plan::Fixed {
        text,
        kind,
        answers,
        staff: None,
    };
    let state = conversation.consent.state;
    if state == ConsentState::OptedOut {
        let stops = with(&[Intent::OptOut]);
        return match with(&[Intent::Help]) {
            _ if !stops.is_empty() => fixed(TextId::Stop, OutboundKind::OptOutConfirmation, all()),
            help if !help.is_empty() => fixed(TextId::Help, OutboundKind::Help, all()),
            _ => Plan::Staff {
                answers: all(),
                reason: "opted out",
            },
        };
    }
    by_request(turns).unwrap_or_else(|| by_consent(conversation, turns, now))
}

/// What some texts ask for whatever the consent: help, a person.
fn by_request(turns: &[Turn]) -> Option<Plan> {
    let with = |intent: &str| -> Vec<TurnId> {
        waiting(turns)
            .filter(|turn| turn.intent == intent)
            .map(|turn| turn.id)
            .collect()
    };
    let wishes = [
        (
            Intent::Help.as_str(),
            TextId::Help,
            OutboundKind::Help,
            None,
        ),
        (
            Intent::Human.as_str(),
            TextId::Handoff,
            OutboundKind::Reply,
            Some("asked for a person"),
        ),
        (
            ABUSE,
            TextId::HandoffPrivate,
            OutboundKind::Reply,
            Some("abuse"),
        ),
    ];
    wishes.into_iter().find_map(|(intent, text, kind, staff)| {
        let answers = with(intent);
        (!answers.is_empty()).then_some(Plan::Fixed {
            text,
            kind,
            answers,
            staff,
        })
    })
}

/// What consent allows for the rest.
fn by_consent(conversation: &Conversation, turns: &[Turn], now: Timestamp) -> Plan {
    let all = || waiting(turns).map(|turn| turn.id).collect::<Vec<_>>();
    let with = |intent: Intent| -> Vec<TurnId> {
        waiting(turns)
            .filter(|turn| turn.intent == intent.as_str())
            .map(|turn| turn.id)
            .collect()
    };
    let fixed = |text, kind, answers| Plan::Fixed {
        text,
        kind,
        answers,
        staff: None,
    };
    let starts = with(Intent::OptIn);
    let yes = with(Intent::ConsentYes);
    let no = with(Intent::ConsentNo);
    let rest: Vec<TurnId> = all()
        .into_iter()
        .filter(|id| !yes.contains(id) && !starts.contains(id))
        .collect();
    match conversation.consent.state {
        ConsentState::Unknown | ConsentState::Expired => Plan::Notice,
        ConsentState::NoticeSent if just_asked(conversation, now) => Plan::Wait,
        ConsentState::NoticeSent => fixed(TextId::ClarifyConsent, OutboundKind::Reply, Vec::new()),
        ConsentState::Declined if !no.is_empty() => {
            fixed(TextId::ConsentNo, OutboundKind::Reply, all())
        }
        ConsentState::Granted if rest.is_empty() && !yes.is_empty() => {
            fixed(TextId::ConsentYes, OutboundKind::Reply, all())
        }
        ConsentState::Granted | ConsentState::Declined | ConsentState::OptedOut => Plan::Agent {
            asked: rest,
            answers: all(),
        },
    }
}

/// A text that crosses the notice on its way is no reason to ask again.
fn just_asked(conversation: &Conversation, now: Timestamp) -> bool {
    let notice = conversation.consent.notice.as_ref();
    notice.is_some_and(|notice| now.duration_since(notice.at) < REMINDER_AFTER)
}

/// Whether so many texts went out just now that a machine must be on the other side.
fn looping(turns: &[Turn], now: Timestamp) -> bool {
    let recent = |turn: &&Turn| {
        turn.direction == Direction::Outbound && now.duration_since(turn.at) < LOOP_WINDOW
    };
    turns.iter().filter(recent).count() >= LOOP_TEXTS_MAX
}
