//! Desk: what staff do in a conversation. Their words pass the same guardrail as the agent's.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::audit::Entry;
use crate::domain::alarm::AlarmKind;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::ids::{AlarmId, ConversationId, HoldId, OutboxId, TurnId};
use crate::domain::phi::Phi;
use crate::domain::staff::{Right, Staff};
use crate::guardrail::rewrite::Cleared;
use crate::pipeline::desk_review::{Ready, Verdicted, verdicted};
use crate::pipeline::desk_secure;
use crate::pipeline::handoff::Aside;
use crate::pipeline::house::House;
use crate::pipeline::plan::waiting;
use crate::policy::words::vocabulary;
use crate::store::{NewAttachment, StoreError, Tx};

/// The same words within this time are one answer that was sent twice.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// How much of a conversation is read to find what waits.
const TURNS_MAX: u32 = 40;

vocabulary! {
    /// Why somebody sends what was held as it stands. A closed list, for the audit log holds no
    /// patient's words; whatever else there is to say is a note beside the conversation.
    Reason, "reason" {
        /// What was found is none: the hold was wrong.
        FalseAlarm = "false_alarm",
        /// Checked against the record by a person.
        Checked = "checked",
        /// The patient asked for it in this conversation.
        Asked = "asked",
        /// A clinician decides so for this patient.
        Clinical = "clinical",
    }
}

/// What became of an answer.
#[derive(Clone, Debug)]
pub enum Answered {
    /// It is on its way.
    Sent,
    /// Something else than what was written would leave: to be looked at first.
    Changed(Verdicted),
    /// Nothing may leave.
    Held(Verdicted),
    /// The words are those of the held draft: they need a reason, and somebody who may give one.
    NeedsReason,
    /// No such conversation at this practice.
    Unknown,
}

/// An answer of staff.
#[derive(Clone, Debug)]
pub struct Answer {
    /// In which conversation.
    pub conversation: ConversationId,
    /// The words.
    pub text: Phi<String>,
    /// What the sender saw would leave instead; then that leaves without another look.
    pub seen: Option<Phi<String>>,
    /// The held draft that it settles, if one.
    pub hold: Option<HoldId>,
    /// Whether all of it goes behind the portal's link, and only the link by text.
    pub behind: bool,
    /// Why what was held goes as it stands.
    pub reason: Option<Reason>,
    /// Files that go behind the link with the words.
    pub files: Vec<NewAttachment>,
}

impl Answer {
    /// Words as they are written, of no held draft's fate but this one's.
    pub const fn of(conversation: ConversationId, text: Phi<String>, hold: Option<HoldId>) -> Self {
        Self {
            conversation,
            text,
            seen: None,
            hold,
            behind: false,
            reason: None,
            files: Vec::new(),
        }
    }
}

impl House {
    /// Sends an answer of staff if what would leave is what they wrote or what they have seen.
    /// Whoever answers has taken the conversation over: a draft of the agent can cross no more.
    pub async fn desk_answer(&self, staff: &Staff, answer: Answer) -> Result<Answered, StoreError> {
        let text = answer.text.as_str();
        let ready = self
            .desk_ready(&staff.practice, answer.conversation, (text, answer.behind))
            .await?;
        let Some(ready) = ready else {
            return Ok(Answered::Unknown);
        };
        if let (Some(hold), false) = (answer.hold, answer.behind) {
            let holds = self.store().open_holds(answer.conversation).await?;
            let held = holds.iter().find(|it| it.id == hold);
            let as_held = held.is_some_and(|it| it.draft.as_str().trim() == text.trim());
            let excused = answer.reason.is_some() && staff.role.may(Right::Override);
            if as_held && !excused {
                return Ok(Answered::NeedsReason);
            }
        }
        let shown = verdicted(&ready, text);
        let leaves = match &shown.text {
            Some(leaves) if ready.closed.is_none() => leaves.as_str(),
            _ => return Ok(Answered::Held(shown)),
        };
        // Each review draws a new link, so the text is compared without its token.
        let same = |seen: &Phi<String>| without(seen.as_str(), "/p/") == without(leaves, "/p/");
        let verbatim = leaves == text && shown.portal.is_none();
        // Whoever sends by portal has asked for the link and has seen the words behind it.
        if !verbatim && !answer.behind && !answer.seen.as_ref().is_some_and(same) {
            return Ok(Answered::Changed(shown));
        }
        let now = self.clock().now();
        let epoch = ready.conversation.epoch;
        let until = self.practice(&staff.practice).map(|it| Aside::of(&it, now));
        let until = until.and_then(|it| it.until);
        let work = Arc::new((ready, staff.clone(), answer, until));
        let sent = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { answer_in(tx, &work, epoch, now).await })
            })
            .await?;
        if !sent {
            // The patient wrote, or a colleague did, while this was sent: to be looked at again.
            return Ok(Answered::Changed(shown));
        }
        self.outbox.notify_one();
        self.changed();
        Ok(Answered::Sent)
    }

    /// Takes a conversation over, or gives it back to the agent; false when there is none.
    pub async fn desk_take(
        &self,
        staff: &Staff,
        id: ConversationId,
        taken: bool,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let aside = self.practice(&staff.practice).map(|it| Aside::of(&it, now));
        let until = aside.and_then(|it| it.until).filter(|_| taken);
        let work = Arc::new(staff.clone());
        let known = self
            .store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    let Some(mut conversation) = locked(tx, &staff, id).await? else {
                        return Ok(false);
                    };
                    take(tx, &staff, &mut conversation, (taken, until), now).await?;
                    Ok(true)
                })
            })
            .await?;
        self.overtake(id);
        self.changed();
        Ok(known)
    }

    /// Marks a conversation as read up to this text, or as unread; a look at it is audited.
    pub async fn desk_see(
        &self,
        staff: &Staff,
        id: ConversationId,
        upto: Option<i64>,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        let work = Arc::new(staff.clone());
        self.store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    let Some(turn) = upto else {
                        return tx.unsee(id).await;
                    };
                    tx.see(id, turn).await?;
                    tx.looked_at_mentions(staff.id, id).await?;
                    let subject = format!("conversation/{id}");
                    let entry = Entry::new(
                        &staff.practice,
                        now,
                        &staff.actor(),
                        "record.viewed",
                        &subject,
                        &serde_json::json!({ "upto": turn }),
                    );
                    tx.append_audit(&entry).await
                })
            })
            .await?;
        self.changed();
        Ok(())
    }

    /// Keeps an audit entry of its own: that somebody of staff looked at something.
    pub async fn note(&self, entry: Entry) -> Result<(), StoreError> {
        let entry = Arc::new(entry);
        self.store()
            .write(move |tx| {
                let entry = Arc::clone(&entry);
                Box::pin(async move { tx.append_audit(&entry).await })
            })
            .await
    }

    /// Keeps what staff say of a hold: whether it was wrong, and why; false when there is none.
    pub async fn desk_judge_hold(
        &self,
        staff: &Staff,
        (id, hold): (ConversationId, HoldId),
        wrong: bool,
        why: &str,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let work = Arc::new((staff.clone(), why.to_owned()));
        let kept = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (staff, why) = &*work;
                    let judged = (id, hold, wrong, why.as_str());
                    if locked(tx, staff, id).await?.is_none()
                        || !tx
                            .judge_hold(&staff.practice, judged, staff.id, now)
                            .await?
                    {
                        return Ok(false);
                    }
                    tx.append_audit(&Entry::new(
                        &staff.practice,
                        now,
                        &staff.actor(),
                        "hold.judged",
                        &format!("conversation/{id}"),
                        &serde_json::json!({ "hold": hold.0, "wrong": wrong }),
                    ))
                    .await?;
                    Ok(true)
                })
            })
            .await?;
        self.changed();
        Ok(kept)
    }

    /// Says that somebody has the open alarms of a conversation; how many there were.
    pub async fn desk_acknowledge(
        &self,
        staff: &Staff,
        id: ConversationId,
    ) -> Result<usize, StoreError> {
        let now = self.clock().now();
        let open = self.store().open_alarms().await?;
        let own = open
            .iter()
            .filter(|it| it.conversation == id && it.practice == staff.practice);
        let alarms: Vec<(AlarmId, AlarmKind)> = own.map(|it| (it.id, it.kind)).collect();
        for (alarm, _) in &alarms {
            let by = staff.id.to_string();
            self.store().acknowledge_alarm(*alarm, &by, now).await?;
        }
        self.changed();
        Ok(alarms.len())
    }
}

/// Whether a text says what was just said: the second click of a double click, or a form that was
/// sent again.
fn repeats(last: &Turn, text: &str, now: Timestamp) -> bool {
    last.direction == Direction::Outbound
        && without(last.body.as_str(), "/p/") == without(text, "/p/")
        && now.duration_since(last.at) < REPEATED_WITHIN
}

/// The text without the token of its link, which differs each time.
fn without(text: &str, before: &str) -> String {
    let Some((head, tail)) = text.split_once(before) else {
        return text.to_owned();
    };
    let rest = tail.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
    format!("{head}{before}{rest}")
}

/// A conversation of this person's practice, locked.
pub(super) async fn locked(
    tx: &mut Tx,
    staff: &Staff,
    id: ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    let found = tx.lock_conversation(id).await?;
    Ok(found.filter(|it| it.practice == staff.practice))
}

/// Takes a conversation over or gives it back: the epoch rises, so that no draft crosses.
async fn take(
    tx: &mut Tx,
    staff: &Staff,
    conversation: &mut Conversation,
    (taken, until): (bool, Option<Timestamp>),
    now: Timestamp,
) -> Result<(), StoreError> {
    conversation.epoch += 1;
    conversation.human = taken;
    conversation.human_until = until;
    tx.save_conversation(conversation).await?;
    tx.taken_by(conversation.id, taken.then_some(staff.id))
        .await?;
    if !taken {
        tx.want_reply(conversation.id, now).await?;
    }
    let action = if taken {
        "conversation.taken"
    } else {
        "conversation.given_back"
    };
    let detail = serde_json::json!({ "epoch": conversation.epoch });
    let subject = format!("conversation/{}", conversation.id);
    let entry = Entry::new(
        &staff.practice,
        now,
        &staff.actor(),
        action,
        &subject,
        &detail,
    );
    tx.append_audit(&entry).await
}

pub(super) async fn settle(
    tx: &mut Tx,
    staff: &Staff,
    conversation: ConversationId,
    hold: HoldId,
    how: &'static str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !tx
        .settle_hold(conversation, hold, staff.id, how, now)
        .await?
    {
        return Ok(false);
    }
    let entry = Entry::new(
        &staff.practice,
        now,
        &staff.actor(),
        "hold.settled",
        &format!("conversation/{conversation}"),
        &serde_json::json!({ "hold": hold.0, "how": how }),
    );
    tx.append_audit(&entry).await?;
    Ok(true)
}

async fn answer_in(
    tx: &mut Tx,
    (ready, staff, answer, until): &(Ready, Staff, Answer, Option<Timestamp>),
    epoch: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut conversation) = locked(tx, staff, answer.conversation).await? else {
        return Ok(false);
    };
    let Some(cleared) = &ready.written.review.cleared else {
        return Ok(false);
    };
    if conversation.epoch != epoch {
        return Ok(false);
    }
    let turns = tx.turns(conversation.id, TURNS_MAX).await?;
    let twice = if ready.texted {
        let last = turns.last();
        last.is_some_and(|it| repeats(it, cleared.text(), now))
    } else {
        desk_secure::kept_already(tx, &conversation, ready, now - REPEATED_WITHIN).await?
    };
    if twice {
        return Ok(true);
    }
    if !conversation.human {
        take(tx, staff, &mut conversation, (true, *until), now).await?;
    } else if conversation.human_until != *until {
        // Whoever answers has it for as long again.
        conversation.human_until = *until;
        tx.save_conversation(&conversation).await?;
    }
    let id = if ready.texted {
        let proof = conversation.proof(now).filter(|_| cleared.holds_phi());
        let law = (proof, &ready.law);
        let left = tx.enqueue(&conversation, cleared, ready.kind, law, now);
        Some(left.await?)
    } else {
        None
    };
    desk_secure::keep_behind(tx, &conversation, (ready, &answer.files), now).await?;
    tx.keep_glass(&conversation, &ready.written.report("staff"), now)
        .await?;
    let answers: Vec<TurnId> = waiting(&turns).map(|turn| turn.id).collect();
    tx.mark_answered(conversation.id, &answers).await?;
    settle_answered(tx, (staff, answer), now).await?;
    if let Some(last) = turns.last() {
        tx.see(conversation.id, last.id.0).await?;
    }
    log_cleared(tx, (ready, staff, answer), (id, &answers), now).await?;
    Ok(true)
}

/// The log says what left, or waits behind its link, and by which rules.
async fn log_cleared(
    tx: &mut Tx,
    (ready, staff, answer): (&Ready, &Staff, &Answer),
    (id, answers): (Option<OutboxId>, &[TurnId]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let review = &ready.written.review;
    let cleared = review.cleared.as_ref();
    let detail = serde_json::json!({
        "kind": ready.kind.as_str(),
        "outbox": id.map(|it| it.0),
        "answers": answers.iter().map(|turn| turn.0).collect::<Vec<_>>(),
        "phi": cleared.is_some_and(Cleared::holds_phi),
        "portal": cleared.is_some_and(|it| it.portal().is_some()),
        "proof": cleared.and_then(Cleared::proof),
        "verdict": review.verdict.as_str(),
        "hold": answer.hold.map(|it| it.0),
        "reason": answer.reason.map(Reason::as_str),
        "law": { "rules": ready.law.rules, "policy": ready.law.policy },
    });
    tx.append_audit(&Entry::new(
        &staff.practice,
        now,
        &staff.actor(),
        "message.cleared",
        &format!("conversation/{}", answer.conversation),
        &detail,
    ))
    .await
}

/// The log says who let go what was held, and why.
async fn overridden(
    tx: &mut Tx,
    staff: &Staff,
    (conversation, hold, reason): (ConversationId, HoldId, Reason),
    now: Timestamp,
) -> Result<(), StoreError> {
    let entry = Entry::new(
        &staff.practice,
        now,
        &staff.actor(),
        "hold.overridden",
        &format!("conversation/{conversation}"),
        &serde_json::json!({ "hold": hold.0, "reason": reason.as_str() }),
    );
    tx.append_audit(&entry).await
}

/// What only asked for an answer has one now; a draft is settled by whoever decides on it.
async fn settle_answered(
    tx: &mut Tx,
    (staff, answer): (&Staff, &Answer),
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = answer.conversation;
    for hold in tx.holds_of(id).await? {
        let decided = Some(hold.id) == answer.hold;
        if !decided && !hold.draft.as_str().is_empty() {
            continue;
        }
        let how = match answer.reason {
            Some(_) if decided => "overridden",
            None if decided && answer.behind => "by portal",
            _ => "answered",
        };
        settle(tx, staff, id, hold.id, how, now).await?;
    }
    match (answer.hold, answer.reason) {
        (Some(hold), Some(reason)) => overridden(tx, staff, (id, hold, reason), now).await,
        _ => Ok(()),
    }
}
