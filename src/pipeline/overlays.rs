//! Overlays: a practice's own words and rules over the policy in force, published in the console and
//! taken up whole; another policy is taken only with every overlay laid over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::ids::PracticeId;
use crate::domain::publication::{Published, Standing, Version};
use crate::guardrail::detect::examples;
use crate::guardrail::review::Guardrail;
use crate::pipeline::house::House;
use crate::pipeline::in_force::Judge;
use crate::policy::PolicyError;
use crate::store::StoreError;

/// An overlay that judges.
#[derive(Clone, Debug)]
pub(crate) struct Overlaid {
    pub(crate) version: i64,
    pub(crate) files: BTreeMap<String, String>,
    /// The digest of the policy that it lies over.
    base: String,
    pub(crate) judge: Arc<Judge>,
}

/// What is known of the overlays of all practices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlays {
    live: BTreeMap<PracticeId, Overlaid>,
    /// Versions that are in force and that this program cannot use, and why.
    faults: BTreeMap<PracticeId, (i64, PolicyError)>,
}

/// A guardrail with an overlay, or what is wrong with it. Compiling takes a moment of the processor;
/// nobody's answer waits for it.
pub async fn laid(
    base: Arc<Guardrail>,
    files: BTreeMap<String, String>,
) -> Result<Guardrail, PolicyError> {
    let compiled = tokio::task::spawn_blocking(move || {
        let policy = base.policy().with(&files)?;
        examples::hold(&policy)?;
        base.over(Arc::new(policy))
    });
    compiled.await.unwrap_or_else(|_stopped| {
        let (message, remedy) = ("it was not read to its end", "try again");
        Err(PolicyError::at("rules.toml", 1, "rules", message, remedy))
    })
}

impl House {
    /// What judges the texts of a practice, trials apart: the policy in force under its overlay.
    pub fn judge_for(&self, practice: &PracticeId) -> Arc<Judge> {
        let overlays = self.lock_overlays();
        let own = overlays.live.get(practice);
        own.map_or_else(|| self.in_force(), |it| Arc::clone(&it.judge))
    }

    /// The files of the overlay that is in force, and its version.
    pub(crate) fn overlay_of(&self, practice: &PracticeId) -> Option<Overlaid> {
        self.lock_overlays().live.get(practice).cloned()
    }

    /// Whether a policy is that of an overlay in force.
    pub(crate) fn overlay_judges(&self, digest: &str) -> bool {
        let overlays = self.lock_overlays();
        let mut live = overlays.live.values();
        live.any(|it| it.judge.guardrail.digest() == digest)
    }

    /// Overlays that are in force and that this program cannot use: by practice, version, and why.
    pub fn overlay_faults(&self) -> Vec<(PracticeId, i64, PolicyError)> {
        let overlays = self.lock_overlays();
        let faults = overlays.faults.iter();
        faults
            .map(|(practice, (version, error))| (practice.clone(), *version, error.clone()))
            .collect()
    }

    /// Takes up what was published and taken back since.
    pub(crate) async fn tend_overlays(
        &self,
        standing: &[(PracticeId, Version)],
    ) -> Result<(), StoreError> {
        let before = self.lock_overlays().clone();
        let base = self.guardrail();
        let mut all = Overlays::default();
        let live = |it: &&(PracticeId, Version)| {
            it.1.kind == Published::Overlay && it.1.standing == Standing::Live
        };
        for (practice, version) in standing.iter().filter(live) {
            let known = before.live.get(practice);
            let same = |it: &&Overlaid| it.version == version.id && it.base == base.digest();
            if let Some(known) = known.filter(same) {
                all.live.insert(practice.clone(), known.clone());
                continue;
            }
            let content = self.store().content(practice, version.id).await?;
            let files = content.unwrap_or_default().files;
            match laid(Arc::clone(&base), files.clone()).await {
                Ok(guardrail) => {
                    let own = Overlaid {
                        version: version.id,
                        files,
                        base: base.digest().to_owned(),
                        judge: Arc::new(Judge::new(guardrail)),
                    };
                    all.live.insert(practice.clone(), own);
                }
                Err(error) => {
                    tracing::error!(version = version.id, %practice, %error, "an overlay cannot be used");
                    // What was in force before stays: an overlay is never dropped by a fault.
                    if let Some(known) = known {
                        all.live.insert(practice.clone(), known.clone());
                    }
                    all.faults.insert(practice.clone(), (version.id, error));
                }
            }
        }
        *self.lock_overlays() = all;
        Ok(())
    }

    /// Every overlay in force laid over another policy, or what keeps one from it.
    pub(crate) async fn overlays_over(
        &self,
        next: &Arc<Guardrail>,
    ) -> Result<Overlays, PolicyError> {
        let before = self.lock_overlays().clone();
        let mut all = Overlays::default();
        for (practice, own) in before.live {
            let guardrail = laid(Arc::clone(next), own.files.clone()).await?;
            let own = Overlaid {
                base: next.digest().to_owned(),
                judge: Arc::new(Judge::new(guardrail)),
                ..own
            };
            all.live.insert(practice, own);
        }
        Ok(all)
    }
}
