//! Paging: every open alarm is told to whoever is on call when it is raised and at each repetition,
//! until somebody has it. A page that is not taken is tried again within seconds, then each minute.
//! What was told is remembered by this process only: after a restart, or by another replica, an open
//! alarm is told once more, under the same id. Nobody is left untold.

use std::sync::{Arc, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::alarm::Alarm;
use crate::pipeline::house::{House, Page};
use crate::store::StoreError;

/// First pause after a page that was not taken; it doubles up to [`PAUSE_MAX`].
const PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// Longest pause: a receiver that is back is told within a minute.
const PAUSE_MAX: SignedDuration = SignedDuration::from_secs(60);

impl House {
    /// Tells every alarm whose page is due; does nothing where nobody is to be paged. Gives how many
    /// pages were taken.
    pub async fn page_once(self: &Arc<Self>) -> Result<u32, StoreError> {
        let Some(pager) = &self.parts.pager else {
            return Ok(0);
        };
        let open = self.store().open_alarms().await?;
        let now = self.clock().now();
        self.with_paged(|paged| paged.retain(|id, _| open.iter().any(|alarm| alarm.id == *id)));
        let mut taken = 0;
        for alarm in open.iter().filter(|alarm| self.is_page_due(alarm, now)) {
            let told = pager.page(alarm, now).await;
            self.with_paged(|paged| {
                let page = paged.entry(alarm.id).or_default();
                *page = after(*page, told.is_ok(), alarm.repeated, now);
            });
            match told {
                Ok(()) => {
                    taken += 1;
                    metrics::counter!("anteroom_pages_total", "outcome" => "taken").increment(1);
                }
                Err(error) => {
                    metrics::counter!("anteroom_pages_total", "outcome" => "failed").increment(1);
                    tracing::error!(
                        alarm = alarm.id.0,
                        ?error,
                        "the page of an alarm was not taken; tried again within a minute"
                    );
                }
            }
        }
        Ok(taken)
    }

    fn is_page_due(&self, alarm: &Alarm, now: Timestamp) -> bool {
        let page = self.with_paged(|paged| paged.get(&alarm.id).copied().unwrap_or_default());
        page.told <= alarm.repeated && page.next.is_none_or(|next| next <= now)
    }

    fn with_paged<T>(&self, with: impl FnOnce(&mut crate::pipeline::house::Paged) -> T) -> T {
        with(&mut self.paged.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn after(page: Page, taken: bool, repeated: u32, now: Timestamp) -> Page {
    if taken {
        return Page {
            told: repeated.saturating_add(1),
            ..Page::default()
        };
    }
    let factor = 1_i32.checked_shl(page.failed).unwrap_or(i32::MAX);
    let pause = PAUSE.saturating_mul(factor).min(PAUSE_MAX);
    Page {
        failed: page.failed.saturating_add(1).min(16),
        next: now.checked_add(pause).ok(),
        ..page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_taken_is_tried_again_within_a_minute_for_ever() {
        let now = Timestamp::UNIX_EPOCH;
        let mut page = Page::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            page = after(page, false, 0, now);
            pauses.push(page.next.unwrap().duration_since(now).as_secs());
        }
        assert_eq!(pauses[..6], [2, 4, 8, 16, 32, 60]);
        assert!(pauses[6..].iter().all(|pause| *pause == 60));
        assert_eq!(after(page, true, 3, now).told, 4);
    }
}
