//! Housekeeping: the audit chain grows within a second, and queues are measured.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::pipeline::house::House;
use crate::store::StoreError;

/// How long a dead link still says that it has expired, before nothing is known of it.
const EXPIRED_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

impl House {
    /// Erases portal messages long past their time, and delivery reports that never met their text.
    pub async fn erase_once(self: &Arc<Self>) -> Result<(), StoreError> {
        let now = self.clock().now();
        let before = now.saturating_sub(EXPIRED_KEPT).unwrap_or(now);
        let erased = self.store().erase_expired(before).await?;
        metrics::counter!("anteroom_erased_total").increment(erased);
        Ok(())
    }

    /// Chains what was appended to the audit log and signs a checkpoint; measures the queues.
    pub async fn housekeep_once(self: &Arc<Self>) -> Result<(), StoreError> {
        let chained = self.store().sequence_audit(self.clock().now()).await?;
        metrics::counter!("anteroom_audit_chained_total").increment(chained);
        let depth = self.store().depth().await?;
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
        ] {
            metrics::gauge!("anteroom_queue_depth", "queue" => queue).set(rows as f64);
        }
        Ok(())
    }
}
