//! The data keys in memory: one per practice, unwrapped once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::audit;
use crate::seal::DataKey;
use crate::seal::MasterKey;

/// Whose key: a practice's, or (with a patient's id) one patient's.
pub(super) type Owner = (String, String);

/// The master key and the data keys that are known to be committed.
pub(super) struct KeyRing {
    pub(super) master: MasterKey,
    pub(super) signer: audit::Signer,
    known: Mutex<BTreeMap<Owner, Arc<DataKey>>>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRing(..)")
    }
}

impl KeyRing {
    pub(super) fn new(master: MasterKey) -> Self {
        let signer = audit::Signer::from_seed(&master.derive(audit::KEY_LABEL));
        Self {
            master,
            signer,
            known: Mutex::default(),
        }
    }

    pub(super) fn get(&self, owner: &Owner) -> Option<Arc<DataKey>> {
        self.lock().get(owner).map(Arc::clone)
    }

    /// Adds keys whose rows are committed; an uncommitted key could vanish after data was sealed
    /// with it.
    pub(super) fn add(&self, keys: impl IntoIterator<Item = (Owner, Arc<DataKey>)>) {
        self.lock().extend(keys);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Owner, Arc<DataKey>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
