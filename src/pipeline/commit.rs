//! Commit: a reply, its consent event, its portal message, its hold and its audit entry, or nothing of it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::consent::{Act, ConsentEvent, ConsentState, Evidence};
use crate::domain::conversation::{Conversation, ReplyJob};
use crate::domain::message::OutboundKind;
use crate::domain::phi::Phi;
use crate::domain::waiting::Errand;
use crate::guardrail::rewrite::Cleared;
use crate::pipeline::cases;
use crate::pipeline::consent;
use crate::pipeline::handoff;
use crate::pipeline::house::House;
use crate::pipeline::mail;
use crate::pipeline::person;
use crate::pipeline::remind::QUESTION_WAITS;
use crate::pipeline::reply::{Pending, Reply};
use crate::pipeline::waitlist;
use crate::store::{StoreError, Tx};

/// Why staff have a text that was made and did not leave.
const UNTOLD: &str = "done, but the patient was not told";

impl House {
    /// Commits a reply if the conversation is still as it was when the reply was made; `false`
    /// means that it was overtaken and will be made anew.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        job: ReplyJob,
        epoch: i64,
        reply: Option<Reply>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Cleared under a policy that is in force no more: it is made anew, unless a deed that was
        // done must be told.
        if reply
            .as_ref()
            .is_some_and(|it| it.is_stale(self) && !it.acted)
        {
            self.store()
                .write(move |tx| {
                    let job = job.clone();
                    Box::pin(async move { tx.postpone_reply(&job, now).await })
                })
                .await?;
            return Ok(false);
        }
        let reply = Arc::new(reply);
        self.store()
            .write(move |tx| {
                let (job, reply) = (job.clone(), Arc::clone(&reply));
                Box::pin(
                    async move { commit_in(tx, &job, epoch, reply.as_ref().as_ref(), now).await },
                )
            })
            .await
    }
}

async fn commit_in(
    tx: &mut Tx,
    job: &ReplyJob,
    epoch: i64,
    reply: Option<&Reply>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut conversation) = tx.lock_conversation(job.conversation).await? else {
        return Ok(false);
    };
    let (current, interim) = tx.reply_is_current(job).await?;
    if !tx.finish_reply(job).await? {
        return Ok(false);
    }
    let Some(reply) = reply else {
        return Ok(current);
    };
    if reply.overtaken {
        if current {
            tx.want_reply(conversation.id, now).await?;
        }
        return Ok(false);
    }
    // A deed that was done is told even when another text came meanwhile; that one is answered next.
    if !current && !reply.acted {
        return Ok(false);
    }
    if conversation.epoch != epoch {
        tx.want_reply(conversation.id, now).await?;
        if reply.acted && will_not_be_told(&conversation) {
            keep_untold(tx, &conversation, reply, now).await?;
        }
        return Ok(false);
    }
    if interim {
        tx.suppress_interim(conversation.id).await?;
    }
    settle(tx, &mut conversation, reply, now).await?;
    if reply.more {
        tx.want_reply(conversation.id, now).await?;
    }
    Ok(true)
}

/// Whether no answer leaves this conversation by itself any more: a person has it, or texts ended.
fn will_not_be_told(conversation: &Conversation) -> bool {
    conversation.human || conversation.consent.state == ConsentState::OptedOut
}

/// A deed that was done before a person took over, or the patient ended the texts: the record has it, so the
/// audit log has it too, and staff tell the patient.
async fn keep_untold(
    tx: &mut Tx,
    conversation: &Conversation,
    reply: &Reply,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = reply
        .cleared
        .as_ref()
        .map(Cleared::text)
        .unwrap_or_default();
    let report = handoff::with_summary(reply.report.as_ref(), reply.summary.as_ref());
    let draft = Phi::from(text);
    tx.hold(conversation, &draft, &report, UNTOLD, now).await?;
    if let Some(case) = &reply.case {
        cases::open(tx, conversation, case, now).await?;
    }
    let subject = format!("conversation/{}", conversation.id);
    let detail = serde_json::json!({
        "tools": reply.detail.get("tools"),
        "turns": reply.answers.iter().map(|turn| turn.0).collect::<Vec<_>>(),
    });
    let practice = &conversation.practice;
    tx.append_audit(&Entry::new(
        practice,
        now,
        "agent",
        "deed.untold",
        &subject,
        &detail,
    ))
    .await
}

/// Keeps everything that a reply is, in a conversation that is locked and as it was.
pub(crate) async fn settle(
    tx: &mut Tx,
    conversation: &mut Conversation,
    reply: &Reply,
    now: Timestamp,
) -> Result<(), StoreError> {
    person::commit(tx, conversation, &reply.moves, now).await?;
    if let Some(notice) = &reply.notice {
        let rule = Evidence::of_rule(now, "asked before health details are texted");
        let event = ConsentEvent::new(Act::NoticeSent(notice.clone()), rule);
        consent::record(tx, conversation, &event).await?;
        if reply.kind == OutboundKind::Notice {
            let expires = now.saturating_add(QUESTION_WAITS).unwrap_or(now);
            tx.wait_for_yes(conversation, &Errand::Question, expires, expires, now)
                .await?;
        }
    }
    if let Pending::Set(question) = &reply.pending {
        waitlist::answered(tx, conversation, reply, now).await?;
        conversation.pending.clone_from(question);
    }
    if let Some(language) = reply.language {
        conversation.language = language;
    }
    if let (Some(aside), Some((_, reason))) = (reply.aside, &reply.hold) {
        handoff::step_aside(tx, conversation, aside, reason, now).await?;
    }
    tx.save_conversation(conversation).await?;
    let outbox = send(tx, conversation, reply, now).await?;
    if let Some((draft, reason)) = &reply.hold {
        let report = handoff::with_summary(reply.report.as_ref(), reply.summary.as_ref());
        tx.hold(conversation, draft, &report, reason, now).await?;
    }
    if let Some(case) = &reply.case {
        cases::open(tx, conversation, case, now).await?;
    }
    if let Some(report) = &reply.report {
        tx.keep_glass(conversation, report, now).await?;
    }
    for (version, side, verdict) in &reply.trials {
        tx.count_trial(*version, *side, verdict.as_str()).await?;
    }
    tx.mark_answered(conversation.id, &reply.answers).await?;
    if let (Some((digests, sent)), Some(turn)) = (&reply.recording, reply.answers.last()) {
        tx.keep_recording(conversation, (*turn, outbox), (digests, sent), now)
            .await?;
    }
    let unread = settle_unread(tx, conversation, reply, now).await?;
    tx.append_audit(&entry(conversation, reply, outbox, unread, now))
        .await
}

/// Texts so far back that no round reads them any more are left to staff.
async fn settle_unread(
    tx: &mut Tx,
    conversation: &Conversation,
    reply: &Reply,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let Some(oldest) = reply.read_from.filter(|_| !reply.answers.is_empty()) else {
        return Ok(0);
    };
    let unread = tx.mark_older(conversation.id, oldest).await?;
    if unread > 0 {
        let none = Phi::default();
        tx.hold(conversation, &none, &none, "too many texts at once", now)
            .await?;
    }
    Ok(unread)
}

impl House {
    /// Sets a job aside whose every attempt failed, even the one to leave it to staff: the audit log
    /// and the count of parked conversations tell of it.
    pub(crate) async fn park(&self, job: ReplyJob, now: Timestamp) -> Result<(), StoreError> {
        metrics::counter!("anteroom_parked_total").increment(1);
        self.store()
            .write(move |tx| {
                let job = job.clone();
                Box::pin(async move { park_in(tx, &job, now).await })
            })
            .await
    }
}

async fn park_in(tx: &mut Tx, job: &ReplyJob, now: Timestamp) -> Result<(), StoreError> {
    if !tx.park_reply(job).await? {
        return Ok(());
    }
    let practice = tx.practice_id_of(job.conversation).await?;
    tx.append_audit(&Entry::new(
        &practice,
        now,
        "anteroom",
        "reply.parked",
        &format!("conversation/{}", job.conversation),
        &serde_json::json!({ "attempts": job.attempts }),
    ))
    .await
}

/// Puts the cleared text into the outbox and what moved behind the link into the portal.
async fn send(
    tx: &mut Tx,
    conversation: &Conversation,
    reply: &Reply,
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let Some(cleared) = &reply.cleared else {
        return Ok(None);
    };
    let proof = conversation.proof(now).filter(|_| cleared.holds_phi());
    let id = tx
        .enqueue(conversation, cleared, reply.kind, (proof, &reply.law), now)
        .await?;
    if let (Some(body), Some(link), Some(patient)) = (cleared.portal(), &reply.link, &reply.patient)
        && let Some(message) = link.message(conversation, patient, body, now)
    {
        tx.create_portal_message(&link.hash, &message, conversation.id)
            .await?;
        let whom = (&patient.id, message.language);
        mail::tell(tx, conversation, whom, (link.letter, &link.url), now).await?;
    }
    Ok(Some(id.0))
}

fn entry(
    conversation: &Conversation,
    reply: &Reply,
    outbox: Option<i64>,
    unread: u64,
    now: Timestamp,
) -> Entry {
    let action = match (&reply.cleared, &reply.hold) {
        (Some(_), _) => "message.cleared",
        (None, Some(_)) => "message.held",
        (None, None) => "message.silenced",
    };
    let actor = if reply.kind == OutboundKind::Reply {
        "agent"
    } else {
        "anteroom"
    };
    Entry::new(
        &conversation.practice,
        now,
        actor,
        action,
        &format!("conversation/{}", conversation.id),
        &serde_json::json!({
            "kind": reply.kind.as_str(),
            "outbox": outbox,
            "answers": reply.answers.iter().map(|turn| turn.0).collect::<Vec<_>>(),
            "phi": reply.cleared.as_ref().is_some_and(Cleared::holds_phi),
            "portal": reply.cleared.as_ref().is_some_and(|cleared| cleared.portal().is_some()),
            "proof": reply.cleared.as_ref().and_then(Cleared::proof),
            "consent": conversation.consent.state.as_str(),
            "notice": reply.notice.as_ref().map(|notice| serde_json::json!({
                "text_id": notice.text_id, "sha256": notice.sha256,
            })),
            "held": reply.hold.as_ref().map(|(_, reason)| *reason),
            "unread": unread,
            "patient_known": reply.patient.is_some(),
            "epoch": conversation.epoch,
            "law": {
                "state": reply.law.state.map(|state| state.as_str().to_owned()),
                "rules": reply.law.rules,
                "policy": reply.law.policy,
            },
            "review": reply.detail,
        }),
    )
}
