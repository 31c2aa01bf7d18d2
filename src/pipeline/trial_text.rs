//! A text by which staff try the line out: to a phone of their own, by the way that every text goes.

use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::agent::texts::TextId;
use crate::audit::Entry;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::ids::{ConversationId, PracticeId};
use crate::domain::message::{Delivery, OutboundKind};
use crate::domain::phone::E164;
use crate::domain::staff::Staff;
use crate::pipeline::house::House;
use crate::pipeline::reply::Reply;
use crate::policy::words::{Jurisdiction, Language};
use crate::store::{NewConversation, StoreError, Tx};

/// A second click within this time is the first one's.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// What became of the wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It is on its way.
    Sent,
    /// The practice has no number.
    NoSender,
    /// The number is a patient's.
    Patients,
    /// Whoever has the number said STOP.
    OptedOut,
    /// The last one left just now.
    JustNow,
    /// The guardrail does not let it go.
    Held,
    /// The record does not answer, so nobody knows whose the number is.
    NoRecord,
}

/// Where the last one stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialText {
    /// The last digits of the number.
    pub tail: String,
    /// Where it stands.
    pub delivery: Delivery,
    /// With which code it failed.
    pub code: Option<String>,
}

impl House {
    /// Texts a test to a phone of staff's own: by the practice's first number, its carrier, the guardrail
    /// and the outbox, as every text goes. Never to a number of a patient's.
    pub async fn try_text(&self, staff: &Staff, number: &E164) -> Result<Tried, StoreError> {
        let now = self.clock().now();
        let practice = self.practice(&staff.practice);
        let Some((practice, sender)) = practice
            .as_ref()
            .and_then(|it| Some((it, it.senders.first()?)))
        else {
            return Ok(Tried::NoSender);
        };
        let known = self.records().patients_by_phone(&practice.id, number).await;
        match known {
            Ok(people) if people.is_empty() => {}
            Ok(_) => return Ok(Tried::Patients),
            Err(_no_answer) => return Ok(Tried::NoRecord),
        }
        let line = NewConversation {
            practice: practice.id.clone(),
            carrier: sender.carrier,
            channel: sender.channel,
            sender: sender.number.clone(),
            number: number.clone(),
            language: Language::En,
        };
        let conversation = self
            .store()
            .write(move |tx| {
                let line = line.clone();
                Box::pin(async move { tx.conversation_for(&line, now).await })
            })
            .await?;
        if conversation.consent.state == ConsentState::OptedOut {
            return Ok(Tried::OptedOut);
        }
        let turns = self.store().turns(conversation.id, 1).await?;
        if turns.last().is_some_and(|it| {
            it.direction == Direction::Outbound && now.duration_since(it.at) < AGAIN_AFTER
        }) {
            return Ok(Tried::JustNow);
        }
        let rendered = self.fixed_text(TextId::TrialText, practice, Language::En);
        let mut reply = self.fixed(practice, &conversation, &rendered, now);
        reply.tag(&self.governed_in(&conversation, practice, Jurisdiction::UNKNOWN, now));
        if reply.cleared.is_none() {
            return Ok(Tried::Held);
        }
        let id = conversation.id;
        let work = Arc::new((conversation, reply, staff.clone()));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { keep(tx, &work, now).await })
            })
            .await?;
        self.with_tried(|tried| tried.insert(staff.practice.clone(), id));
        self.outbox.notify_one();
        self.changed();
        Ok(Tried::Sent)
    }

    /// Where the last test of a practice stands; none since this process began.
    pub async fn tried_text(&self, practice: &PracticeId) -> Result<Option<TrialText>, StoreError> {
        let last = self.with_tried(|tried| tried.get(practice).copied());
        let Some(id) = last else {
            return Ok(None);
        };
        let Some(conversation) = self.store().conversation(id).await? else {
            return Ok(None);
        };
        let turns = self.store().turns(id, 6).await?;
        let ours = |it: &&Turn| it.direction == Direction::Outbound;
        let Some(turn) = turns.iter().rev().find(ours) else {
            return Ok(None);
        };
        let number = conversation.number.as_str();
        let tail = number.get(number.len().saturating_sub(2)..);
        Ok(Some(TrialText {
            tail: tail.unwrap_or_default().to_owned(),
            delivery: turn.delivery.unwrap_or(Delivery::Pending),
            code: turn.code.clone(),
        }))
    }

    fn with_tried<T>(&self, with: impl FnOnce(&mut Tests) -> T) -> T {
        with(&mut self.tried.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts the test into the outbox, with its audit entry.
async fn keep(
    tx: &mut Tx,
    (conversation, reply, staff): &(Conversation, Reply, Staff),
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(cleared) = &reply.cleared else {
        return Ok(());
    };
    let law = (None, &reply.law);
    let outbox = tx
        .enqueue(conversation, cleared, OutboundKind::Reply, law, now)
        .await?;
    tx.append_audit(&Entry::new(
        &conversation.practice,
        now,
        &staff.actor(),
        "setup.tested",
        &format!("conversation/{}", conversation.id),
        &serde_json::json!({ "outbox": outbox.0 }),
    ))
    .await
}

/// The conversation of the last test, by practice.
pub(crate) type Tests = std::collections::BTreeMap<PracticeId, ConversationId>;
