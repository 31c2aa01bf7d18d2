//! A policy on trial: which conversations it judges, how it fares beside the one in force, and its
//! end when it leaves its band.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::ids::{ConversationId, PracticeId};
use crate::domain::publication::{Published, Side, Standing, Version, side};
use crate::guardrail::review::Guardrail;
use crate::pipeline::house::House;
use crate::pipeline::in_force::Judge;
use crate::policy::Policy;
use crate::store::StoreError;

/// A policy on trial; without a judge where this program cannot read it (it is of a newer one).
#[derive(Clone, Debug)]
pub(crate) struct OnTrial {
    version: i64,
    share: u8,
    /// The version of the overlay that lies over it too.
    overlay: Option<i64>,
    judge: Option<Arc<Judge>>,
}

/// By practice.
pub(crate) type ByPractice = BTreeMap<PracticeId, OnTrial>;

/// A trial that a conversation is a part of, and on which side.
pub(crate) type Part = (i64, Side);

impl House {
    /// What judges a conversation: the policy in force, or the one on trial for it; the same for as
    /// long as the trial runs.
    pub(crate) fn judge_of(
        &self,
        practice: &PracticeId,
        conversation: ConversationId,
    ) -> (Arc<Judge>, Option<Part>) {
        let trials = self.lock_trials();
        let Some(OnTrial {
            version,
            share,
            judge: Some(judge),
            ..
        }) = trials.get(practice)
        else {
            return (self.judge_for(practice), None);
        };
        let side = side(*version, *share, conversation);
        let judge = match side {
            Side::New => Arc::clone(judge),
            Side::Old => self.judge_for(practice),
        };
        (judge, Some((*version, side)))
    }

    /// Whether a policy judges anybody now: the one in force, or one on trial.
    pub(crate) fn judges(&self, digest: &str) -> bool {
        let trials = self.lock_trials();
        let mut judges = trials.values().filter_map(|it| it.judge.as_ref());
        judges.any(|it| it.guardrail.digest() == digest)
            || self.in_force().guardrail.digest() == digest
            || self.overlay_judges(digest)
    }

    /// Ends trials of a policy whose rates have left their band, and takes up what was put on trial
    /// since.
    pub async fn tend_policies_once(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut standing = self.store().standing_versions().await?;
        self.tend_overlays(&standing).await?;
        standing.retain(|(_, it)| it.kind == Published::Policy && it.standing == Standing::Trial);
        let before = self.lock_trials().clone();
        let mut all = ByPractice::new();
        for (practice, version) in &standing {
            if self.end_trial(practice, version).await? {
                continue;
            }
            let overlay = self.overlay_of(practice).map(|it| it.version);
            let known = before
                .get(practice)
                .filter(|it| it.version == version.id && it.overlay == overlay);
            let on_trial = match known {
                Some(known) => known.clone(),
                None => OnTrial {
                    version: version.id,
                    share: version.share,
                    overlay,
                    judge: self.read_policy(practice, version).await?,
                },
            };
            all.insert(practice.clone(), on_trial);
        }
        *self.lock_trials() = all;
        Ok(())
    }

    /// The policy of a version, with the voters of the one in force.
    async fn read_policy(
        &self,
        practice: &PracticeId,
        version: &Version,
    ) -> Result<Option<Arc<Judge>>, StoreError> {
        let content = self.store().content(practice, version.id).await?;
        let files = content.unwrap_or_default().files;
        let now = self.guardrail();
        let overlay = self.overlay_of(practice).map(|it| it.files);
        // Compiling takes a while, and texts wait for nobody.
        let read = tokio::task::spawn_blocking(move || -> Result<Guardrail, String> {
            let mut policy = Policy::from_files(&files).map_err(|error| error.to_string())?;
            if let Some(overlay) = overlay {
                policy = policy.with(&overlay).map_err(|error| error.to_string())?;
            }
            now.over(Arc::new(policy))
                .map_err(|error| error.to_string())
        });
        let read = read.await.map_err(|error| error.to_string());
        match read.and_then(|it| it) {
            Ok(guardrail) => Ok(Some(Arc::new(Judge::new(guardrail)))),
            Err(error) => {
                tracing::error!(
                    version = version.id,
                    error,
                    "a policy on trial cannot be used"
                );
                Ok(None)
            }
        }
    }
}
