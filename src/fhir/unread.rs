//! Entries of the record that could not be read, kept for staff until they can: a visit whose time is
//! not clear is told to nobody, and somebody must mend it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::phi::Phi;
use crate::fhir::fault::Fault;
use crate::fhir::resource::{At, BundleError};

/// So long an entry is told after it was met last: each round of reminders meets it anew.
const TOLD: SignedDuration = SignedDuration::from_hours(1);

/// More than these are a fault of the server, and one of them says it.
const ENTRIES_MAX: usize = 50;

/// What could not be read, by its place on the server.
#[derive(Debug, Default)]
pub(super) struct Unread(Mutex<BTreeMap<String, (Timestamp, Phi<String>)>>);

impl Unread {
    /// What was read of an entry; one that cannot be is kept for staff.
    pub(super) fn sift<T>(
        &self,
        resource: &Value,
        read: Result<T, BundleError>,
        now: Timestamp,
    ) -> Result<T, BundleError> {
        let at = At::alone(resource);
        let kind = at.text("/resourceType").unwrap_or_default();
        let place = format!("{kind}/{}", at.text("/id").unwrap_or_default());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &read {
            Ok(_) => {
                kept.remove(&place);
            }
            Err(error) => {
                kept.retain(|_, (met, _)| now.duration_since(*met) < TOLD);
                if kept.len() < ENTRIES_MAX || kept.contains_key(&place) {
                    let told = Fault::Unreadable(error.to_string()).told();
                    if kept.insert(place, (now, told)).is_none() {
                        metrics::counter!("anteroom_record_unread_total").increment(1);
                        tracing::warn!("an entry of the record cannot be read; the inbox shows it");
                    }
                }
            }
        }
        read
    }

    /// What staff are to mend.
    pub(super) fn told(&self, now: Timestamp) -> Vec<Phi<String>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = kept
            .values()
            .filter(|(met, _)| now.duration_since(*met) < TOLD);
        fresh.map(|(_, told)| told.clone()).collect()
    }
}
