//! Looks at the inbox, in the audit log. A list shows names and words, so opening one is told of like
//! opening a conversation: once a view and quarter of an hour of a session, for the page draws itself anew
//! at each click. What was typed into the search is told by a keyed digest, never by its words.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::Entry;
use crate::domain::staff::SHIFT;
use crate::pipeline::house::House;
use crate::store::StoreError;
use crate::web::console::seat::Seat;

/// How long the same view of the same session is one look.
const ONE_LOOK: SignedDuration = SignedDuration::from_mins(15);

/// Which looks the log has already: by session and view, and since when. Another replica tells of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks(Arc<Mutex<BTreeMap<(String, String), Timestamp>>>);

/// What somebody looks at.
pub(super) struct View<'a> {
    pub(super) queue: &'a str,
    pub(super) label: Option<i64>,
    pub(super) before: Option<i64>,
    /// What is searched for; empty: nothing.
    pub(super) search: &'a str,
    /// Conversations that are shown.
    pub(super) shown: usize,
}

impl Looks {
    /// Tells the log of a look, unless it knows of it. Nothing is to be shown before this is done.
    pub(super) async fn note(
        &self,
        desk: &House,
        seat: &Seat,
        view: View<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = &seat.staff.practice;
        let (action, detail) = if view.search.is_empty() {
            let detail = json!({
                "queue": view.queue, "label": view.label, "before": view.before,
                "shown": view.shown,
            });
            ("inbox.viewed", detail)
        } else {
            let term = desk.store().search_digest(practice, view.search).await?;
            (
                "inbox.searched",
                json!({ "term": term, "shown": view.shown }),
            )
        };
        let mut same = detail.clone();
        if let Some(fields) = same.as_object_mut() {
            // A text that comes in meanwhile makes no other view.
            fields.insert("shown".to_owned(), Value::Null);
        }
        // The secret of the session's forms is a hash of its token.
        let view = (seat.csrf(), format!("{action} {same}"));
        if self.knows(&view, now) {
            return Ok(());
        }
        let by = seat.staff.actor();
        let entry = Entry::new(practice, now, &by, action, "inbox", &detail);
        desk.note(entry).await?;
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.retain(|_, at| now.duration_since(*at) < SHIFT);
        looks.insert(view, now);
        Ok(())
    }

    fn knows(&self, view: &(String, String), now: Timestamp) -> bool {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = looks.get(view).map(|at| now.duration_since(*at));
        since.is_some_and(|since| since < ONE_LOOK && !since.is_negative())
    }
}
