//! Housekeeping: the audit chain grows within a second, and queues are measured.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::domain::consent::{Act, ConsentEvent, Doubt, Evidence};
use crate::domain::ids::ConversationId;
use crate::pipeline::consent;
use crate::pipeline::house::House;
use crate::store::{StoreError, Tx};

/// How long a dead link still says that it has expired, before nothing is known of it.
const EXPIRED_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Conversations whose consent is looked at in one round; the next round takes the rest.
const CONSENTS_MAX: u32 = 500;

/// Rows of before the search that are made to be found in one round.
const INDEXED_MAX: u32 = 200;

impl House {
    /// Ends consents whose term is over, and calls into doubt those of numbers that were silent for
    /// long; how many moved.
    pub async fn tend_consents_once(self: &Arc<Self>) -> Result<u64, StoreError> {
        let now = self.clock().now();
        let due = self
            .store()
            .write(move |tx| Box::pin(async move { tx.consents_due(now, CONSENTS_MAX).await }))
            .await?;
        let mut moved = 0;
        for id in due {
            moved += self
                .store()
                .write(move |tx| Box::pin(async move { tend(tx, id, now).await }))
                .await?;
        }
        Ok(moved)
    }

    /// Erases e-mails and sessions of the portal long past their time, and delivery reports that never met
    /// their text.
    pub async fn erase_once(self: &Arc<Self>) -> Result<(), StoreError> {
        let now = self.clock().now();
        let before = now.saturating_sub(EXPIRED_KEPT).unwrap_or(now);
        let erased = self.store().erase_expired(before).await?;
        metrics::counter!("anteroom_erased_total").increment(erased);
        self.store().forget_sessions(now).await?;
        Ok(())
    }

    /// Chains what was appended to the audit log and signs a checkpoint; measures the queues.
    pub async fn housekeep_once(self: &Arc<Self>) -> Result<(), StoreError> {
        self.store().checkpoint().await?;
        self.store().index_for_search(INDEXED_MAX).await?;
        let chained = self.store().sequence_audit(self.clock().now()).await?;
        metrics::counter!("anteroom_audit_chained_total").increment(chained);
        let depth = self.store().depth().await?;
        let waiting = self.store().waiting_count().await?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge; queues do not reach 2^52"
        )]
        for (queue, rows) in [
            ("reply", depth.replies),
            ("outbox", depth.outbox),
            ("hold", depth.holds),
            ("parked", depth.parked),
            ("unknown", depth.unknown),
            ("waiting", waiting),
        ] {
            metrics::gauge!("anteroom_queue_depth", "queue" => queue).set(rows as f64);
        }
        Ok(())
    }
}

async fn tend(tx: &mut Tx, id: ConversationId, now: Timestamp) -> Result<u64, StoreError> {
    let Some(mut conversation) = tx.lock_conversation(id).await? else {
        return Ok(0);
    };
    let rule = |act, why| ConsentEvent::new(act, Evidence::of_rule(now, why));
    let mut events = Vec::new();
    if conversation.is_silent(now) && conversation.doubt_may_begin() {
        events.push(rule(Act::Reassigned(Doubt::Silent), "silent too long"));
    }
    events.push(rule(Act::Expire, "the term of the proof is over"));
    let mut moved = 0;
    for event in events {
        if let Some(detail) = consent::record(tx, &mut conversation, &event).await? {
            tx.append_audit(&consent::entry(&conversation, &event, &detail))
                .await?;
            moved += 1;
        }
    }
    for other in &mut conversation.speaker.others {
        if let Ok(next) = other.consent.apply(&rule(Act::Expire, "the term is over")) {
            other.consent = next;
        }
    }
    // Also where nothing moved: when to look again is kept with the row.
    tx.save_conversation(&conversation).await?;
    Ok(moved)
}
