//! Interim: what goes on while an answer is made. The patient who waits long is told once that it
//! takes a moment; one who writes again, or whom a person takes over, ends the draft.

use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::agent;
use crate::agent::ports::{BoxFuture, Meanwhile};
use crate::agent::texts::TextId;
use crate::domain::conversation::ReplyJob;
use crate::domain::ids::ConversationId;
use crate::domain::message::OutboundKind;
use crate::pipeline::commit;
use crate::pipeline::draft::Asking;
use crate::pipeline::house::House;
use crate::pipeline::reply::Reply;
use crate::store::{StoreError, Tx};

/// A patient waits so long gladly; then they are told that it takes a moment.
const INTERIM_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// A draft that was begun anew may be there at once: then nothing needs to be told.
const FRESH: SignedDuration = SignedDuration::from_secs(2);

/// How often another process is asked whether the conversation moved on; this one tells by itself.
const POLL: Duration = Duration::from_secs(2);

/// An answer in the making.
pub(crate) struct Drafting<'a> {
    house: &'a House,
    job: &'a ReplyJob,
    epoch: i64,
    ended: CancellationToken,
}

impl Drop for Drafting<'_> {
    fn drop(&mut self) {
        let mut drafting = self.house.drafting();
        drafting.remove(&self.job.conversation);
    }
}

impl Meanwhile for Drafting<'_> {
    fn overtaken(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            loop {
                let store = self.house.store();
                match store.reply_is_overtaken(self.job, self.epoch).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    // The commit will tell.
                    Err(error) => tracing::warn!(%error, "a draft may be out of date"),
                }
                tokio::select! {
                    () = self.ended.cancelled() => return,
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        })
    }

    fn until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        self.house.clock().until(at)
    }
}

impl House {
    fn drafting(
        &self,
    ) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<ConversationId, CancellationToken>>
    {
        self.drafting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that an answer is being made here.
    pub(crate) fn draft_begins<'a>(&'a self, job: &'a ReplyJob, epoch: i64) -> Drafting<'a> {
        let ended = CancellationToken::new();
        self.drafting().insert(job.conversation, ended.clone());
        Drafting {
            house: self,
            job,
            epoch,
            ended,
        }
    }

    /// Ends the draft that is being made here for a conversation that moved on, unless it has done
    /// something that must be told.
    pub(crate) fn overtake(&self, conversation: ConversationId) {
        if let Some(ended) = self.drafting().get(&conversation) {
            ended.cancel();
        }
    }

    /// Waits for the agent, and tells the patient once that it takes a moment where it does.
    pub(crate) async fn while_waiting(
        &self,
        asking: &Asking<'_>,
        drafting: &Drafting<'_>,
        run: impl Future<Output = agent::Outcome>,
    ) -> agent::Outcome {
        let mut run = std::pin::pin!(run);
        let due = drafting.job.begun.saturating_add(INTERIM_AFTER);
        let fresh = asking.now.saturating_add(FRESH);
        let due = due.unwrap_or(asking.now).max(fresh.unwrap_or(asking.now));
        tokio::select! {
            biased;
            outcome = &mut run => return outcome,
            () = self.clock().until(due) => {}
        }
        if let Err(error) = self.tell_of_waiting(asking, drafting).await {
            tracing::warn!(%error, "a patient could not be told that the answer takes a moment");
        }
        run.await
    }

    async fn tell_of_waiting(
        &self,
        asking: &Asking<'_>,
        drafting: &Drafting<'_>,
    ) -> Result<(), StoreError> {
        let (practice, conversation) = (asking.practice, asking.conversation);
        let now = self.clock().now();
        let mut text = self.fixed_text(TextId::OneMoment, practice, conversation.language);
        if self
            .session(asking.turns, asking.patient, asking.law, now)
            .asked
        {
            text = self.with_intro(text, practice, conversation.language);
        }
        let mut reply = self.fixed(practice, conversation, &text, now);
        if reply.cleared.is_none() {
            return Ok(());
        }
        reply.kind = OutboundKind::Interim;
        reply.tag(asking.law);
        let work = Arc::new((drafting.job.clone(), drafting.epoch, reply));
        let told = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { tell_in(tx, &work, now).await })
            })
            .await?;
        if told {
            metrics::counter!("anteroom_interim_total").increment(1);
            self.outbox.notify_one();
            self.changed();
        }
        Ok(())
    }
}

/// Tells it if nobody did, the answer is not there, and the conversation has not moved on.
async fn tell_in(
    tx: &mut Tx,
    (job, epoch, reply): &(ReplyJob, i64, Reply),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut conversation) = tx.lock_conversation(job.conversation).await? else {
        return Ok(false);
    };
    if conversation.epoch != *epoch || !tx.take_interim(job).await? {
        return Ok(false);
    }
    commit::settle(tx, &mut conversation, reply, now).await?;
    Ok(true)
}
