//! Housekeeping: the audit chain grows within a second, and queues are measured.

use std::sync::Arc;

use crate::pipeline::house::House;
use crate::store::StoreError;

impl House {
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
        ] {
            metrics::gauge!("anteroom_queue_depth", "queue" => queue).set(rows as f64);
        }
        Ok(())
    }
}
