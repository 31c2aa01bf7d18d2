//! Triage: staff give a conversation to somebody, label it, or put it out of the way; it comes back
//! when its time is over, and at once when the patient writes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::Entry;
use crate::domain::ids::{ConversationId, HoldId, PracticeId, StaffId};
use crate::domain::staff::{Right, Staff};
use crate::pipeline::desk::{locked, settle};
use crate::pipeline::house::House;
use crate::store::triage::Color;
use crate::store::{StoreError, Tx};

/// How a hold is settled that nobody sends.
const SET_ASIDE: &str = "set aside";
/// How long "done" and "set aside" can be taken back by whoever said it.
const UNDO_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// What staff do with a conversation as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Somebody looks after it, or nobody.
    Assign(Option<StaffId>),
    /// Out of the way until the patient writes, or back.
    Done(bool),
    /// Out of the way until then, or back.
    Snooze(Option<Timestamp>),
    /// Bears a label, or no more.
    Label(i64, bool),
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It is so.
    Now,
    /// The practice has no such conversation.
    Unknown,
    /// It cannot be so, and why.
    Refused(&'static str),
}

impl House {
    /// Does something with a conversation as a whole.
    pub async fn desk_move(
        &self,
        staff: &Staff,
        id: ConversationId,
        what: Move,
    ) -> Result<Moved, StoreError> {
        let now = self.clock().now();
        if let Move::Snooze(Some(until)) = what
            && until <= now
        {
            return Ok(Moved::Refused("That time is over. Choose a later one."));
        }
        if let Move::Assign(Some(to)) = what {
            let all = self.store().all_staff(&staff.practice).await?;
            let able = |it: &Staff| it.id == to && it.active && it.role.may(Right::Answer);
            if !all.iter().any(able) {
                return Ok(Moved::Refused(
                    "Only a colleague with an active account who may answer can look after it.",
                ));
            }
        }
        let work = Arc::new(staff.clone());
        let moved = self
            .store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move { move_in(tx, &staff, id, what, now).await })
            })
            .await?;
        self.changed();
        Ok(moved)
    }

    /// Sets a held draft aside: nothing of it leaves, and the log says who decided and why.
    pub async fn desk_set_aside(
        &self,
        staff: &Staff,
        id: ConversationId,
        hold: HoldId,
    ) -> Result<bool, StoreError> {
        self.aside(staff, (id, hold), true).await
    }

    /// Brings a hold back that this person set aside a moment ago; false when it is too late.
    pub async fn desk_reopen(
        &self,
        staff: &Staff,
        id: ConversationId,
        hold: HoldId,
    ) -> Result<bool, StoreError> {
        self.aside(staff, (id, hold), false).await
    }

    async fn aside(
        &self,
        staff: &Staff,
        (id, hold): (ConversationId, HoldId),
        aside: bool,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let work = Arc::new(staff.clone());
        let moved = self
            .store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    if locked(tx, &staff, id).await?.is_none() {
                        return Ok(false);
                    }
                    if aside {
                        return settle(tx, &staff, id, hold, SET_ASIDE, now).await;
                    }
                    reopen(tx, &staff, id, (SET_ASIDE, Some(hold)), now).await
                })
            })
            .await?;
        self.changed();
        Ok(moved)
    }

    /// Brings conversations back whose snooze is over; how many.
    pub async fn wake_once(&self) -> Result<usize, StoreError> {
        let now = self.clock().now();
        let due = self.store().waking(now).await?;
        for (practice, id) in &due {
            let work = (practice.clone(), *id);
            self.store()
                .write(move |tx| {
                    let (practice, id) = work.clone();
                    Box::pin(async move {
                        if !tx.wake(id, now).await? {
                            return Ok(());
                        }
                        tx.append_audit(&Entry::new(
                            &practice,
                            now,
                            "anteroom",
                            "conversation.woken",
                            &format!("conversation/{id}"),
                            &json!({}),
                        ))
                        .await
                    })
                })
                .await?;
        }
        if !due.is_empty() {
            self.changed();
        }
        Ok(due.len())
    }

    /// Keeps a label of the practice: a new one, or another name and colour for one; false when
    /// there is no such label.
    pub async fn keep_label(
        &self,
        staff: &Staff,
        id: Option<i64>,
        (name, color): (&str, Color),
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let work = Arc::new((staff.clone(), name.to_owned()));
        let kept = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (staff, name) = &*work;
                    if let Some(id) = id
                        && !known(tx, &staff.practice, id).await?
                    {
                        return Ok(false);
                    }
                    let id = tx.keep_label(&staff.practice, id, (name, color)).await?;
                    noted(
                        tx,
                        staff,
                        ("label.kept", &format!("label/{id}")),
                        &json!({}),
                        now,
                    )
                    .await?;
                    Ok(true)
                })
            })
            .await?;
        self.changed();
        Ok(kept)
    }

    /// Takes a label of the practice away, from every conversation too.
    pub async fn drop_label(&self, staff: &Staff, id: i64) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let work = Arc::new(staff.clone());
        let dropped = self
            .store()
            .write(move |tx| {
                let staff = Arc::clone(&work);
                Box::pin(async move {
                    if !known(tx, &staff.practice, id).await? {
                        return Ok(false);
                    }
                    tx.drop_label(&staff.practice, id).await?;
                    let what = ("label.removed", &*format!("label/{id}"));
                    noted(tx, &staff, what, &json!({}), now).await?;
                    Ok(true)
                })
            })
            .await?;
        self.changed();
        Ok(dropped)
    }
}

async fn known(tx: &mut Tx, practice: &PracticeId, label: i64) -> Result<bool, StoreError> {
    let all = tx.labels(practice).await?;
    Ok(all.iter().any(|it| it.id == label))
}

async fn noted(
    tx: &mut Tx,
    staff: &Staff,
    (action, subject): (&str, &str),
    detail: &Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (practice, actor) = (&staff.practice, staff.actor());
    let entry = Entry::new(practice, now, &actor, action, subject, detail);
    tx.append_audit(&entry).await
}

async fn move_in(
    tx: &mut Tx,
    staff: &Staff,
    id: ConversationId,
    what: Move,
    now: Timestamp,
) -> Result<Moved, StoreError> {
    if locked(tx, staff, id).await?.is_none() {
        return Ok(Moved::Unknown);
    }
    let (action, detail) = match what {
        Move::Assign(to) => {
            tx.assign(id, to).await?;
            let to = to.map(|it| format!("staff/{it}"));
            ("conversation.assigned", json!({ "to": to }))
        }
        Move::Done(true) => {
            let holds = tx.holds_of(id).await?;
            if holds.iter().any(|it| !it.draft.as_str().is_empty()) {
                return Ok(Moved::Refused(
                    "A held draft waits here. Send it or set it aside first.",
                ));
            }
            for hold in holds {
                settle(tx, staff, id, hold.id, "done", now).await?;
            }
            tx.set_done(id, true).await?;
            ("conversation.done", json!({}))
        }
        Move::Done(false) => {
            reopen(tx, staff, id, ("done", None), now).await?;
            tx.set_done(id, false).await?;
            ("conversation.reopened", json!({}))
        }
        Move::Snooze(until) => {
            tx.snooze(id, until).await?;
            let until = until.map(|it| it.to_string());
            ("conversation.snoozed", json!({ "until": until }))
        }
        Move::Label(label, on) => {
            if !known(tx, &staff.practice, label).await? {
                return Ok(Moved::Refused("There is no such label any more."));
            }
            if !tx.put_label(id, label, on).await? {
                return Ok(Moved::Now);
            }
            ("conversation.labelled", json!({ "label": label, "on": on }))
        }
    };
    let subject = format!("conversation/{id}");
    noted(tx, staff, (action, &subject), &detail, now).await?;
    Ok(Moved::Now)
}

/// Opens what this person settled so a moment ago: one hold, or all of the conversation.
async fn reopen(
    tx: &mut Tx,
    staff: &Staff,
    id: ConversationId,
    (how, hold): (&'static str, Option<HoldId>),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let since = now.saturating_sub(UNDO_WITHIN).unwrap_or(now);
    let opened = tx.reopen_holds(id, hold, (staff.id, how), since).await?;
    if opened == 0 {
        return Ok(false);
    }
    let detail = json!({ "holds": opened, "hold": hold.map(|it| it.0) });
    let subject = format!("conversation/{id}");
    noted(tx, staff, ("hold.reopened", &subject), &detail, now).await?;
    Ok(true)
}
