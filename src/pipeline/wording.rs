//! Wording: which published version of the prompts a conversation is answered in, how a version on
//! trial fares, and its end when it leaves its band.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agent::prompts::{PromptError, Prompts, Wording};
use crate::domain::conversation::Conversation;
use crate::domain::ids::PracticeId;
use crate::domain::publication::{BUILT_IN, Published, Side, Standing, Version, left_band, side};
use crate::pipeline::house::House;
use crate::store::StoreError;

/// The actor of what the program does by itself.
const ACTOR: &str = "anteroom";

/// A version of the prompts that is in use.
#[derive(Clone, Debug)]
pub(crate) struct InUse {
    pub(crate) version: i64,
    pub(crate) wording: Wording,
}

/// What a practice's conversations are answered in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wordings {
    live: Option<InUse>,
    trial: Option<(InUse, u8)>,
}

/// By practice.
pub(crate) type ByPractice = BTreeMap<PracticeId, Wordings>;

/// What one conversation is answered in.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) version: i64,
    pub(crate) wording: Wording,
    /// The trial that this conversation is a part of, and on which side.
    pub(crate) trial: Option<(i64, Side)>,
}

impl House {
    /// What a conversation is answered in: the same version for as long as it stands.
    pub(crate) fn wording(&self, conversation: &Conversation) -> Chosen {
        let all = self.lock_wordings();
        let own = all.get(&conversation.practice);
        let live = own.and_then(|it| it.live.clone());
        let trial = own.and_then(|it| it.trial.as_ref()).map(|(new, share)| {
            let side = side(new.version, *share, conversation.id);
            (new, side)
        });
        let used = match trial {
            Some((new, Side::New)) => Some(new.clone()),
            Some((_, Side::Old)) | None => live,
        };
        let used = used.unwrap_or_else(|| InUse {
            version: BUILT_IN,
            wording: Wording::default(),
        });
        Chosen {
            version: used.version,
            wording: used.wording,
            trial: trial.map(|(new, side)| (new.version, side)),
        }
    }

    /// Answers every conversation of a practice in this wording, as a published one would.
    pub fn speak(&self, practice: &PracticeId, wording: Wording) {
        let live = InUse {
            version: BUILT_IN,
            wording,
        };
        let own = Wordings {
            live: Some(live),
            trial: None,
        };
        self.lock_wordings().insert(practice.clone(), own);
    }

    /// Ends trials whose rates have left their band, and takes up what was published since.
    pub async fn tend_wordings_once(self: &Arc<Self>) -> Result<(), StoreError> {
        let mut standing = self.store().standing_versions().await?;
        standing.retain(|(_, it)| it.kind == Published::Prompt);
        let mut ended = Vec::new();
        for (practice, version) in &standing {
            if version.standing == Standing::Trial && self.end_trial(practice, version).await? {
                ended.push(version.id);
            }
        }
        standing.retain(|(_, it)| !ended.contains(&it.id));
        self.take_up(&standing).await
    }

    /// Takes a version on trial back where its rates have left their band; whether they have.
    pub(crate) async fn end_trial(
        self: &Arc<Self>,
        practice: &PracticeId,
        version: &Version,
    ) -> Result<bool, StoreError> {
        let (new, old) = self.store().trial(version.id).await?;
        let Some(why) = left_band(&new, &old) else {
            return Ok(false);
        };
        let now = self.clock().now();
        let by = (ACTOR, why.as_str());
        self.store()
            .roll_back(practice, version.kind, None, by, now)
            .await?;
        metrics::counter!("anteroom_trials_ended_total").increment(1);
        tracing::warn!(version = version.id, %practice, why, "a version on trial was taken back");
        Ok(true)
    }

    /// A version that this program cannot read (of a newer program) leaves what was in use before.
    async fn take_up(&self, standing: &[(PracticeId, Version)]) -> Result<(), StoreError> {
        let before = self.lock_wordings().clone();
        let mut all = ByPractice::new();
        for (practice, version) in standing {
            let own = before.get(practice);
            let known = own.and_then(|it| it.known(version.id));
            let used = match known {
                Some(known) => Some(known),
                None => self.read_version(practice, version).await?,
            };
            let entry = all.entry(practice.clone()).or_default();
            match (used, version.standing) {
                (Some(used), Standing::Trial) => entry.trial = Some((used, version.share)),
                (Some(used), _) => entry.live = Some(used),
                (None, Standing::Trial) => {}
                (None, _) => entry.live = own.and_then(|it| it.live.clone()),
            }
        }
        *self.lock_wordings() = all;
        Ok(())
    }

    async fn read_version(
        &self,
        practice: &PracticeId,
        version: &Version,
    ) -> Result<Option<InUse>, StoreError> {
        let content = self.store().content(practice, version.id).await?;
        let read: Result<Prompts, PromptError> = Prompts::with(&content.unwrap_or_default().files);
        match read {
            Ok(prompts) => Ok(Some(InUse {
                version: version.id,
                wording: Wording::published(prompts),
            })),
            Err(error) => {
                tracing::error!(version = version.id, %error, "a published version cannot be used");
                Ok(None)
            }
        }
    }
}

impl Wordings {
    fn known(&self, version: i64) -> Option<InUse> {
        let trial = self.trial.as_ref().map(|(it, _)| it);
        let mut all = self.live.iter().chain(trial);
        all.find(|it| it.version == version).cloned()
    }
}
