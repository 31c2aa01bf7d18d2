//! Receive: an authenticated text becomes one committed inbound, whatever the carrier repeats.

use std::sync::Arc;

use crate::audit::Entry;
use crate::domain::consent::{ConsentEvent, ConsentState};
use crate::domain::conversation::{Conversation, PendingKind};
use crate::domain::message::{INBOUND_CHARS_MAX, Inbound, OutboundKind};
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::policy::words::Language;
use crate::screen::{Intent, Pending, Reading};
use crate::store::{NewConversation, StoreError, Tx};

/// Kept as the intent of a text that tells of abuse: a person answers, and the text to the patient
/// tells nothing to whoever else reads the phone.
pub(crate) const ABUSE: &str = "abuse";

/// What still leaves after STOP: its one confirmation, what HELP asked for, and safety.
const AFTER_STOP: &[OutboundKind] = &[
    OutboundKind::Safety,
    OutboundKind::OptOutConfirmation,
    OutboundKind::Help,
];

/// What became of an inbound text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Committed now.
    New,
    /// Committed before; nothing changed.
    Duplicate,
}

impl House {
    /// Commits an inbound text, its consent event and the wish for a reply, in one transaction.
    pub async fn receive(
        self: &Arc<Self>,
        practice: Arc<Practice>,
        inbound: Inbound,
    ) -> Result<Received, StoreError> {
        let house = Arc::clone(self);
        let inbound = Arc::new(inbound);
        let received = self
            .store()
            .write(move |tx| {
                let (house, practice, inbound) = (
                    Arc::clone(&house),
                    Arc::clone(&practice),
                    Arc::clone(&inbound),
                );
                Box::pin(async move { house.receive_in(tx, &practice, &inbound).await })
            })
            .await?;
        if received == Received::New {
            metrics::counter!("anteroom_inbound_total").increment(1);
            self.replies.notify_one();
            self.changed();
        }
        Ok(received)
    }

    async fn receive_in(
        &self,
        tx: &mut Tx,
        practice: &Practice,
        inbound: &Inbound,
    ) -> Result<Received, StoreError> {
        if !tx
            .admit(&practice.id, inbound.carrier, &inbound.carrier_id)
            .await?
        {
            return Ok(Received::Duplicate);
        }
        let now = inbound.at;
        let mut conversation = tx.conversation_for(&key_of(practice, inbound), now).await?;
        let pending = conversation
            .pending
            .as_ref()
            .map(|question| asked(question.kind));
        let reading = self
            .parts
            .screen
            .read(inbound.body.as_str(), pending, conversation.language);
        let wants_reply = wants_reply(&conversation, &reading);
        let intent = if reading.tells_of_abuse() {
            ABUSE
        } else {
            reading.intent.as_str()
        };
        let turn = tx
            .append_inbound(&conversation, inbound, intent, now)
            .await?;
        // A YES to a notice that has not left answers something else.
        let heard = reading.intent != Intent::ConsentYes || tx.notice_left(conversation.id).await?;
        let consent = Self::apply_consent(&mut conversation, &reading, inbound, heard);
        conversation.language = reading.language;
        conversation.last_inbound = Some(now);
        let mut suppressed = 0;
        if conversation.consent.state == ConsentState::OptedOut {
            suppressed = tx.suppress_queued(conversation.id, AFTER_STOP).await?;
        }
        tx.save_conversation(&conversation).await?;
        if wants_reply {
            tx.want_reply(conversation.id, now).await?;
        } else {
            tx.mark_answered(conversation.id, &[turn]).await?;
        }
        tx.append_audit(&Entry::new(
            &practice.id,
            now,
            "patient",
            "message.received",
            &format!("conversation/{}", conversation.id),
            &serde_json::json!({
                "turn": turn.0,
                "carrier": inbound.carrier.as_str(),
                "channel": inbound.channel.as_str(),
                "intent": intent,
                "injection": reading.injection,
                "language": reading.language.as_str(),
                "rules": reading.rules,
                "consent": consent,
                "suppressed": suppressed,
                "at_length_limit": inbound.body.as_str().chars().count() >= INBOUND_CHARS_MAX,
                "outcome": if wants_reply { "queued" } else { "silence: opted out" },
            }),
        ))
        .await?;
        Ok(Received::New)
    }

    /// Lets a keyword or an answer move the consent of this conversation; says what moved.
    fn apply_consent(
        conversation: &mut Conversation,
        reading: &Reading,
        inbound: &Inbound,
        heard: bool,
    ) -> Option<serde_json::Value> {
        let open = conversation.pending.as_ref().map(|question| question.kind);
        let asked = open == Some(PendingKind::Consent);
        let event = if reading.revokes() {
            ConsentEvent::Stop { at: inbound.at }
        } else if reading.intent == Intent::OptIn {
            ConsentEvent::Start { at: inbound.at }
        } else if asked && heard && reading.intent == Intent::ConsentYes {
            ConsentEvent::Yes {
                practice: conversation.practice.clone(),
                patient: conversation.patient.clone(),
                number: conversation.number.clone(),
                channel: conversation.channel,
                reply_id: inbound.carrier_id.clone(),
                at: inbound.at,
            }
        } else if asked && reading.intent == Intent::ConsentNo {
            ConsentEvent::No { at: inbound.at }
        } else {
            return None;
        };
        let before = conversation.consent.state;
        let after = conversation.consent.apply(&event).ok()?;
        let word = matches!(
            event,
            ConsentEvent::Stop { .. } | ConsentEvent::Start { .. }
        );
        if word && after == conversation.consent {
            // A second STOP, or START where nothing was stopped: no open question is closed by it
            // and nothing on its way, such as the one confirmation, is overtaken.
            return None;
        }
        conversation.consent = after;
        conversation.pending = None;
        conversation.epoch += 1;
        Some(serde_json::json!({
            "from": before.as_str(),
            "to": conversation.consent.state.as_str(),
            "notice": conversation.consent.notice.as_ref().map(|notice| &notice.text_id),
            "proof": conversation.consent.proof.as_ref().map(crate::domain::consent::ConsentProof::digest),
            "epoch": conversation.epoch,
        }))
    }
}

/// What the conversation of a text is found by.
fn key_of(practice: &Practice, inbound: &Inbound) -> NewConversation {
    NewConversation {
        practice: practice.id.clone(),
        carrier: inbound.carrier,
        channel: inbound.channel,
        sender: inbound.to.clone(),
        number: inbound.from.clone(),
        language: Language::En,
    }
}

/// After STOP only START, HELP and an emergency are answered; a second STOP is not.
fn wants_reply(conversation: &Conversation, reading: &Reading) -> bool {
    conversation.consent.state != ConsentState::OptedOut
        || matches!(
            reading.intent,
            Intent::OptIn | Intent::Help | Intent::Emergency | Intent::Crisis | Intent::Poison
        )
}

pub(crate) const fn asked(kind: PendingKind) -> Pending {
    match kind {
        PendingKind::Consent => Pending::Consent,
        PendingKind::AppointmentConfirm => Pending::AppointmentConfirm,
        PendingKind::RescheduleChoice => Pending::RescheduleChoice,
        PendingKind::CancelConfirm => Pending::CancelConfirm,
    }
}
