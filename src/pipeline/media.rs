//! Media: a picture or file that a patient sent is fetched, freed of what the camera wrote, sealed,
//! and deleted at the carrier. What is not kept is told to staff, never silently dropped.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::audit::Entry;
use crate::carrier::exchange::FetchFault;
use crate::carrier::media::{Kind, strip};
use crate::domain::phi::Phi;
use crate::pipeline::house::House;
use crate::pipeline::work::Step;
use crate::store::{MediaJob, StoreError};

/// Tries before a file is given up: with the waits below about a day, less than carriers keep one.
const ATTEMPTS_MAX: i64 = 12;

/// First wait after a try that failed; doubled each time, capped at [`BACKOFF_MAX`].
const BACKOFF: SignedDuration = SignedDuration::from_secs(10);

/// See [`BACKOFF`].
const BACKOFF_MAX: SignedDuration = SignedDuration::from_hours(4);

/// How long a file is its worker's: longer than every exchange that it may take.
const FETCH_LEASE: SignedDuration = SignedDuration::from_mins(3);

/// How the fetching of a file ended.
enum Fetched {
    Kept(Kind, Vec<u8>),
    Refused(&'static str),
    Later,
}

impl House {
    /// Fetches the next file that is due, or deletes one at its carrier.
    pub async fn media_once(self: &Arc<Self>) -> Result<Step, StoreError> {
        let now = self.clock().now();
        let Some(job) = self.store().lease_media(now, now + FETCH_LEASE).await? else {
            return Ok(Step::Idle);
        };
        if job.kept {
            self.discard(job).await?;
            return Ok(Step::Worked);
        }
        let fetched = self.fetch(&job).await;
        let job = Arc::new(job);
        let kept = match fetched {
            Fetched::Later if job.attempts < ATTEMPTS_MAX => {
                self.media_later(&job).await?;
                return Ok(Step::Worked);
            }
            Fetched::Later => Err("not_fetched"),
            Fetched::Refused(why) => Err(why),
            Fetched::Kept(kind, bytes) => Ok((kind, bytes)),
        };
        let kept = Arc::new(kept);
        let work = Arc::clone(&job);
        let committed = self
            .store()
            .write(move |tx| {
                let (job, kept) = (Arc::clone(&work), Arc::clone(&kept));
                Box::pin(async move { Self::keep_media_in(tx, &job, &kept, now).await })
            })
            .await?;
        if committed {
            self.changed();
        }
        Ok(Step::Worked)
    }

    async fn keep_media_in(
        tx: &mut crate::store::Tx,
        job: &MediaJob,
        kept: &Result<(Kind, Vec<u8>), &'static str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let held = match kept {
            Ok((kind, bytes)) => {
                if !tx.keep_media(job, kind.media_type(), bytes).await? {
                    return Ok(false);
                }
                None
            }
            Err(why) => {
                if !tx.refuse_media(job, why).await? {
                    return Ok(false);
                }
                let conversation = tx.lock_conversation(job.conversation).await?;
                if let Some(conversation) = conversation {
                    let none = Phi::default();
                    let reason = format!("a file from the patient was not kept: {}", told(why));
                    tx.hold(&conversation, &none, &none, &reason, now).await?;
                }
                Some(*why)
            }
        };
        let detail = serde_json::json!({
            "media": job.id,
            "turn": job.turn.0,
            "kept": held.is_none(),
            "kind": kept.as_ref().ok().map(|(kind, _)| kind.media_type()),
            "bytes": kept.as_ref().ok().map(|(_, bytes)| bytes.len()),
            "why": held,
        });
        let subject = format!("conversation/{}", job.conversation);
        let entry = Entry::new(
            &job.practice,
            now,
            "anteroom",
            "media.fetched",
            &subject,
            &detail,
        );
        tx.append_audit(&entry).await?;
        metrics::counter!("anteroom_media_total", "outcome" => held.unwrap_or("kept")).increment(1);
        Ok(true)
    }

    async fn fetch(&self, job: &MediaJob) -> Fetched {
        let key = (job.practice.clone(), job.carrier);
        let Some(carrier) = self.carriers().get(&key) else {
            return Fetched::Refused("carrier_not_configured");
        };
        let bytes = match carrier.fetch(&job.source).await {
            Ok(bytes) => bytes,
            Err(FetchFault::Later) => return Fetched::Later,
            Err(FetchFault::TooLarge) => return Fetched::Refused("too_large"),
            Err(FetchFault::Elsewhere) => return Fetched::Refused("wrong_address"),
            Err(FetchFault::Gone) => return Fetched::Refused("gone"),
            Err(FetchFault::NotHere) => return Fetched::Refused("no_files"),
        };
        let Some(kind) = Kind::of(&bytes) else {
            return Fetched::Refused("unknown_kind");
        };
        match strip(kind, &bytes) {
            Some(stripped) => Fetched::Kept(kind, stripped),
            None => Fetched::Refused("broken"),
        }
    }

    /// Deletes at the carrier what is kept here.
    async fn discard(self: &Arc<Self>, job: MediaJob) -> Result<(), StoreError> {
        let key = (job.practice.clone(), job.carrier);
        let gone = match self.carriers().get(&key) {
            Some(carrier) => carrier.discard(&job.source).await,
            None => false,
        };
        if !gone && job.attempts < ATTEMPTS_MAX {
            return self.media_later(&job).await;
        }
        let job = Arc::new(job);
        self.store()
            .write(move |tx| {
                let job = Arc::clone(&job);
                Box::pin(async move { tx.media_done(&job).await.map(drop) })
            })
            .await
    }

    async fn media_later(&self, job: &MediaJob) -> Result<(), StoreError> {
        let doubled = 1_i32 << u32::try_from(job.attempts.clamp(1, 12) - 1).unwrap_or(0);
        let due = self.clock().now() + (BACKOFF * doubled).min(BACKOFF_MAX);
        let job = job.clone();
        self.store()
            .write(move |tx| {
                let job = job.clone();
                Box::pin(async move { tx.media_later(&job, due).await.map(drop) })
            })
            .await
    }
}

/// What staff read.
fn told(why: &str) -> &'static str {
    match why {
        "too_large" => "it is larger than 16 MB",
        "unknown_kind" => "it is no JPEG, PNG, GIF, WebP or PDF",
        "broken" => "it is broken",
        "wrong_address" => "its address is not the carrier's",
        "gone" => "the carrier has deleted it",
        _ => "the carrier did not give it",
    }
}
