//! What only invented histories need: a text that left long ago, by no carrier.

use crate::domain::ids::OutboxId;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::error::StoreError;
use crate::store::link::args;
use crate::store::tx::Tx;

const ARRIVED: &str = "UPDATE outbox SET due = NULL, attempts = 1, delivery = 'delivered' \
    WHERE id = $1 AND delivery = 'pending' AND leased_until = 0";
/// What the planner of either engine knows of the tables.
const ANALYZE: Sql = Sql {
    lite: "ANALYZE",
    pg: "ANALYZE",
};

impl Tx {
    /// A text of this transaction counts as delivered and never leaves.
    pub async fn arrived(&mut self, id: OutboxId) -> Result<(), StoreError> {
        self.run(ARRIVED, args![id.0]).await.map(drop)
    }
}

impl Store {
    /// Lets the engine count its tables anew: after many rows at once its plans rest on old counts.
    pub async fn analyze(&self) -> Result<(), StoreError> {
        self.write(|tx| Box::pin(async move { tx.run(ANALYZE, args![]).await.map(drop) }))
            .await
    }
}
