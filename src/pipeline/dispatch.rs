//! Dispatch: a leased outbox row is checked once more and handed to its carrier.

use std::sync::Arc;

use jiff::Timestamp;

use crate::carrier::Carrier;
use crate::domain::consent::ConsentProof;
use crate::domain::conversation::{Conversation, OutboxRow};
use crate::domain::ids::ConversationId;
use crate::domain::message::{Outbound, OutboundKind, SendOutcome};
use crate::domain::practice::{Practice, Sender};
use crate::pipeline::house::House;
use crate::pipeline::outcome::{about, tell_staff};
use crate::pipeline::pace::Pace;
use crate::pipeline::report::reference_of;
use crate::pipeline::window::{self, Way};
use crate::pipeline::work::{LEASE, Step, caught, renewing};
use crate::policy::law::window::Opening;
use crate::policy::words::{Channel, Jurisdiction};
use crate::store::StoreError;

/// Hand-overs of one text before it is given up and staff are told.
pub(crate) const ATTEMPTS_MAX: i64 = 6;

/// Why a text that was cleared does not leave after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    /// The conversation moved on: its epoch is higher than the text's.
    Fence,
    /// The person opted out.
    OptedOut,
    /// The text holds PHI and its proof no longer stands.
    Consent,
    /// The text holds PHI and no agreement with the carrier is in force.
    Agreement,
    /// No hour is open wherever the reader may be.
    Hours,
    /// The practice is no longer configured here.
    Practice,
    /// WhatsApp's 24-hour window is closed.
    Window,
    /// Another policy is in force than the one that cleared it, and it finds a fault.
    Policy,
    /// It said that an answer takes a moment, and the answer is there.
    Answered,
}

impl Bar {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::OptedOut => "opted_out",
            Self::Consent => "consent",
            Self::Agreement => "agreement",
            Self::Hours => "no open hour",
            Self::Practice => "practice not configured",
            Self::Window => "WhatsApp's window is closed",
            Self::Policy => "the policy changed",
            Self::Answered => "the answer is there",
        }
    }
}

impl House {
    /// Hands over the oldest text that is due, if any is. A hand-over that panics leaves its text in
    /// doubt; it is looked for when the lease has run out.
    pub async fn dispatch_once(self: &Arc<Self>) -> Result<Step, StoreError> {
        let now = self.clock().now();
        let Some(row) = self.store().lease_outbox(now, now + LEASE).await? else {
            return Ok(Step::Idle);
        };
        if let Some(done) = caught("dispatch", Box::pin(self.dispatch(row))).await {
            done?;
        }
        self.changed();
        Ok(Step::Worked)
    }

    #[expect(clippy::too_many_lines, reason = "one question after another")]
    async fn dispatch(&self, row: OutboxRow) -> Result<(), StoreError> {
        // What may be with the carrier already is looked for before anything else: it can be
        // neither withdrawn nor sent again.
        if row.in_doubt {
            let conversation = self.conversation_of(&row).await?;
            let renew = || self.store().renew_outbox(&row, self.clock().now() + LEASE);
            if let Some(outcome) = renewing(renew, self.look_for(&row, &conversation)).await {
                return self.settle(row, outcome).await;
            }
        }
        if row.attempts > ATTEMPTS_MAX {
            let code = "too_many_tries".to_owned();
            return self.record(row, SendOutcome::Fail { code }, None).await;
        }
        // Read last, so that only an instant lies between these questions and the hand-over.
        let conversation = self.conversation_of(&row).await?;
        let now = self.clock().now();
        let Some(practice) = self.practice_of(&conversation) else {
            return self.withdraw(row, Bar::Practice, now).await;
        };
        if let Some(bar) = bar(&row, &conversation, now) {
            return self.withdraw(row, bar, now).await;
        }
        if row.kind == OutboundKind::Interim && self.store().has_later(&row).await? {
            return self.withdraw(row, Bar::Answered, now).await;
        }
        if row.phi && !self.covered(&practice, &conversation, now).await? {
            return self.withdraw(row, Bar::Agreement, now).await;
        }
        if self.is_overruled(&row, &conversation, &practice, now) {
            return self.withdraw(row, Bar::Policy, now).await;
        }
        match self.opening_for(&row, &conversation, &practice, now) {
            Opening::Open => {}
            Opening::Never(_) => return self.withdraw(row, Bar::Hours, now).await,
            Opening::At(until, _) => {
                let outcome = SendOutcome::Retry {
                    code: "quiet_hours".to_owned(),
                    after_ms: None,
                };
                return self.record(row, outcome, Some(until)).await;
            }
        }
        let own = practice.sender_by(
            conversation.carrier,
            conversation.channel,
            &conversation.sender,
        );
        let (text, sender) = match window::way(self, &row, &conversation, &practice, now) {
            Way::Free => (
                self.with_card(outbound(&row, &conversation), &row, own),
                own,
            ),
            Way::Sms(sender) => {
                let line = (sender.channel, &sender.number);
                if self.is_closed(&conversation, line.0, line.1).await? {
                    return self.withdraw(row, Bar::Window, now).await;
                }
                (window::by_sms(&row, &conversation, sender), Some(sender))
            }
            Way::Closed => return self.withdraw(row, Bar::Window, now).await,
            Way::Template(language, template) => {
                let template = (language, template);
                return self
                    .send_template(row, &conversation, &practice, template, now)
                    .await;
            }
        };
        if self.pace(&row, sender, now).await? == Pace::Later {
            return Ok(());
        }
        let renew = || self.store().renew_outbox(&row, self.clock().now() + LEASE);
        let outcome = renewing(renew, self.hand_over(&conversation, &text)).await;
        self.settle(row, outcome).await
    }

    /// Whether another policy came into force since a text was cleared, and forbids it.
    fn is_overruled(
        &self,
        row: &OutboxRow,
        conversation: &Conversation,
        practice: &Practice,
        now: Timestamp,
    ) -> bool {
        let drafted = matches!(row.kind, OutboundKind::Reply | OutboundKind::Initiated);
        let residence = row.law.state.unwrap_or(Jurisdiction::UNKNOWN);
        let law = self.governed_in(conversation, practice, residence, now);
        if !drafted || row.law.policy == law.judge.guardrail.digest() {
            return false;
        }
        let public = Self::public_facts(practice, &self.parts.public_url);
        law.finds_fault(row, conversation.channel, &public)
    }

    /// The text with the practice's contact card, where it is the first that a patient gets and the
    /// carrier takes files.
    fn with_card(&self, text: Outbound, row: &OutboxRow, sender: Option<&Sender>) -> Outbound {
        let first = matches!(row.kind, OutboundKind::Notice | OutboundKind::Invitation);
        let card = sender
            .filter(|sender| first && sender.channel == Channel::Sms)
            .and_then(|sender| {
                sender
                    .contact_card
                    .clone()
                    .map(|card| (sender.carrier, card))
            });
        let Some((kind, card)) = card else {
            return text;
        };
        let key = (row.practice.clone(), kind);
        let carries = self.parts.carriers.get(&key);
        if !carries.is_some_and(|it| it.capabilities().media_out) {
            return text;
        }
        Outbound {
            channel: Channel::Mms,
            files: vec![card],
            ..text
        }
    }

    async fn conversation_of(&self, row: &OutboxRow) -> Result<Conversation, StoreError> {
        let found = self.store().conversation(row.conversation).await?;
        found.ok_or(StoreError::NoConversation(row.conversation.0))
    }

    pub(crate) fn carrier_of(&self, conversation: &Conversation) -> Option<&Arc<dyn Carrier>> {
        let key = (conversation.practice.clone(), conversation.carrier);
        self.parts.carriers.get(&key)
    }

    /// The line that a conversation goes by.
    pub(crate) async fn line_of(
        &self,
        id: ConversationId,
    ) -> Result<Option<Arc<dyn Carrier>>, StoreError> {
        let conversation = self.store().conversation(id).await?;
        Ok(conversation.and_then(|it| self.carrier_of(&it).map(Arc::clone)))
    }

    /// What became of an earlier hand-over that has no recorded end: a worker that died may have
    /// sent the text. None is proof of absence, and only that allows another try.
    pub(crate) async fn look_for(
        &self,
        row: &OutboxRow,
        conversation: &Conversation,
    ) -> Option<SendOutcome> {
        let unknown = |code: &str| SendOutcome::Unknown {
            code: code.to_owned(),
        };
        let Some(carrier) = self.carrier_of(conversation) else {
            return Some(unknown("carrier_not_configured"));
        };
        // It may have gone by SMS, when WhatsApp's window was closed.
        let practice = self.practice_of(conversation);
        let sms = practice.iter().flat_map(|practice| &practice.senders);
        let sms = sms
            .filter(|it| {
                conversation.channel == Channel::Whatsapp
                    && it.channel == Channel::Sms
                    && it.carrier == conversation.carrier
            })
            .map(|sender| window::by_sms(row, conversation, sender));
        for text in std::iter::once(outbound(row, conversation)).chain(sms) {
            match carrier.find(&text, row.at).await {
                Some(None) => {}
                Some(Some(found)) => return Some(found),
                None => return Some(unknown("lost_worker")),
            }
        }
        None
    }

    async fn hand_over(&self, conversation: &Conversation, text: &Outbound) -> SendOutcome {
        match self.carrier_of(conversation) {
            Some(carrier) => carrier.send(text).await,
            None => SendOutcome::Fail {
                code: "carrier_not_configured".to_owned(),
            },
        }
    }

    pub(crate) async fn withdraw(
        &self,
        row: OutboxRow,
        bar: Bar,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        metrics::counter!("anteroom_withdrawn_total", "bar" => bar.as_str()).increment(1);
        let row = Arc::new(row);
        self.store()
            .write(move |tx| {
                let row = Arc::clone(&row);
                Box::pin(async move {
                    if !tx.withdraw(&row, now).await? {
                        return Ok(());
                    }
                    let reason = format!("withdrawn: {}", bar.as_str());
                    let held =
                        needs_staff(row.kind, bar) && tell_staff(tx, &row, &reason, now).await?;
                    let detail = serde_json::json!({
                        "outbox": row.id.0, "bar": bar.as_str(), "held": held,
                    });
                    tx.append_audit(&about(&row, now, "message.withdrawn", &detail))
                        .await
                })
            })
            .await
    }
}

/// Whether somebody waits for a text that was withdrawn. After STOP nobody does, and what the house
/// itself asks or confirms is out of date with the conversation.
fn needs_staff(kind: OutboundKind, bar: Bar) -> bool {
    match bar {
        Bar::OptedOut | Bar::Answered => false,
        Bar::Fence
        | Bar::Consent
        | Bar::Agreement
        | Bar::Hours
        | Bar::Practice
        | Bar::Window
        | Bar::Policy => {
            matches!(kind, OutboundKind::Reply | OutboundKind::Initiated)
        }
    }
}

/// What the carrier is given.
pub(crate) fn outbound(row: &OutboxRow, conversation: &Conversation) -> Outbound {
    Outbound {
        reference: reference_of(&conversation.practice, row.id),
        channel: conversation.channel,
        from: conversation.sender.clone(),
        to: conversation.number.clone(),
        body: row.body.clone(),
        template: row.template.clone(),
        files: Vec::new(),
        valid_s: None,
    }
}

/// Whether anything forbids the text now; the same questions as at clearing, asked again.
pub(crate) fn bar(row: &OutboxRow, conversation: &Conversation, now: Timestamp) -> Option<Bar> {
    let exempt = matches!(
        row.kind,
        OutboundKind::Safety | OutboundKind::OptOutConfirmation | OutboundKind::Help
    );
    if !conversation.allows_texts() && !exempt {
        return Some(Bar::OptedOut);
    }
    if row.epoch < conversation.epoch && row.kind != OutboundKind::Safety {
        return Some(Bar::Fence);
    }
    if !row.phi {
        return None;
    }
    let standing = conversation.proof(now).map(ConsentProof::digest);
    if standing.is_none() || standing != row.proof.as_ref().map(ConsentProof::digest) {
        return Some(Bar::Consent);
    }
    None
}
