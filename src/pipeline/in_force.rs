//! In force: the policy that judges now, swapped whole; and what is wrong with the one that was to
//! take its place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::ids::PracticeId;
use crate::guardrail::review::Guardrail;
use crate::pipeline::house::House;
use crate::pipeline::law::Key;
use crate::policy::PolicyError;
use crate::policy::law::duties::Duties;
use crate::store::StoreError;

/// The guardrail over one policy, and the duties merged from its law so far: one never outlives the
/// other.
#[derive(Debug)]
pub struct Judge {
    /// The way out.
    pub guardrail: Arc<Guardrail>,
    duties: Mutex<BTreeMap<Key, Arc<Duties>>>,
}

impl Judge {
    pub(crate) fn new(guardrail: Guardrail) -> Self {
        Self {
            guardrail: Arc::new(guardrail),
            duties: Mutex::default(),
        }
    }

    fn of(guardrail: Arc<Guardrail>) -> Self {
        Self {
            guardrail,
            duties: Mutex::default(),
        }
    }

    /// Duties that were merged already.
    pub(crate) fn lock_duties(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Duties>>> {
        self.duties.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A policy that was refused while another is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Since when it has been tried in vain.
    pub since: Timestamp,
    /// File, line, rule, what is wrong and how to mend it.
    pub error: PolicyError,
}

/// The policy that judges now.
#[derive(Debug)]
pub struct InForce {
    judge: RwLock<Arc<Judge>>,
    refused: Mutex<Option<Refused>>,
}

impl From<Guardrail> for InForce {
    fn from(guardrail: Guardrail) -> Self {
        Self {
            judge: RwLock::new(Arc::new(Judge::new(guardrail))),
            refused: Mutex::default(),
        }
    }
}

impl InForce {
    pub(crate) fn judge(&self) -> Arc<Judge> {
        let judge = self.judge.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&judge)
    }

    fn swap(&self, next: Arc<Guardrail>) -> Arc<Judge> {
        let next = Arc::new(Judge::of(next));
        let mut judge = self.judge.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *judge, next)
    }

    fn lock_refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl House {
    /// What judges at this instant. Who reads it once and keeps it judges by one policy throughout.
    pub fn in_force(&self) -> Arc<Judge> {
        self.parts.guardrail.judge()
    }

    /// The guardrail of the policy that is in force.
    pub fn guardrail(&self) -> Arc<Guardrail> {
        Arc::clone(&self.in_force().guardrail)
    }

    /// The digest of the policy that is in force.
    pub fn policy_digest(&self) -> String {
        self.in_force().guardrail.digest().to_owned()
    }

    /// The policy that should have taken the place of the one in force, and why it did not.
    pub fn policy_refused(&self) -> Option<Refused> {
        self.parts.guardrail.lock_refused().clone()
    }

    /// Puts another policy in force, at once and whole. What was cleared under the old one and is
    /// not committed yet is made anew; what waits in the outbox is looked at again before it leaves.
    pub async fn take_policy(&self, next: Guardrail, now: Timestamp) -> Result<(), StoreError> {
        let digest = next.digest().to_owned();
        let mended = self.parts.guardrail.lock_refused().take().is_some();
        metrics::gauge!("anteroom_policy_refused").set(0.0);
        if self.policy_digest() == digest {
            if mended {
                tracing::info!(policy = digest, "the policy folder is as it was again");
                self.changed();
            }
            return Ok(());
        }
        // Taken only with every practice's overlay laid over it, all at once.
        let next = Arc::new(next);
        let overlays = match self.overlays_over(&next).await {
            Ok(overlays) => overlays,
            Err(error) => return self.refuse_policy(error, now).await,
        };
        let before = {
            let mut own = self.lock_overlays();
            *own = overlays;
            self.parts.guardrail.swap(next)
        };
        let before = before.guardrail.digest().to_owned();
        metrics::counter!("anteroom_policy_loads_total", "outcome" => "taken").increment(1);
        tracing::info!(policy = digest, before, "another policy is in force");
        self.changed();
        let detail = serde_json::json!({ "policy": digest, "before": before });
        self.note_policy("policy.taken", detail, now).await
    }

    /// Notes that a policy was refused; the one in force stays.
    pub async fn refuse_policy(
        &self,
        error: PolicyError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let stays = self.policy_digest();
        metrics::gauge!("anteroom_policy_refused").set(1.0);
        metrics::counter!("anteroom_policy_loads_total", "outcome" => "refused").increment(1);
        tracing::error!(
            file = error.file,
            line = error.line,
            rule = error.rule,
            in_force = stays,
            "the policy was refused and the last good one stays in force: {error}"
        );
        let detail = serde_json::json!({
            "file": error.file, "line": error.line, "rule": error.rule, "message": error.message,
            "in_force": stays,
        });
        {
            let mut refused = self.parts.guardrail.lock_refused();
            let since = refused.as_ref().map_or(now, |it| it.since);
            *refused = Some(Refused { since, error });
        }
        self.changed();
        self.note_policy("policy.refused", detail, now).await
    }

    /// Every practice's audit log says by which policy it was judged from when on.
    async fn note_policy(
        &self,
        action: &'static str,
        detail: serde_json::Value,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ids: Vec<PracticeId> = self.practices().map(|it| it.id.clone()).collect();
        let work = Arc::new((ids, detail));
        self.store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    for id in &work.0 {
                        let entry = Entry::new(id, now, "anteroom", action, "policy", &work.1);
                        tx.append_audit(&entry).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
