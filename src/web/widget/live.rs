//! What is said in a chat, as it comes: server-sent events, which the page reads by `fetch`, because a
//! browser's own reader of them sends no header.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::json;
use tokio::sync::watch;

use super::{Chat, Visitor, token};
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::pipeline::webchat::ChatTurn;
use crate::store::StoreError;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// How often it is looked without a hint: another process may have taken the answer in, and a session
/// ends without anybody doing anything.
const LOOK: Duration = Duration::from_secs(1);

/// The shortest time between two looks, however much else happens in the house.
const REST: Duration = Duration::from_millis(100);

/// A page that listens.
struct Listener {
    house: Arc<House>,
    practice: Arc<Practice>,
    token: String,
    changes: watch::Receiver<u64>,
    /// What it was sent.
    sent: BTreeSet<i64>,
    /// Whether YES or NO is waited for, as it was last told; none: it was told nothing yet.
    asks: Option<bool>,
    over: bool,
}

/// A stream of what is said, oldest first; all of it to begin with.
pub(super) async fn events(
    State(door): State<Door>,
    _in_it: Visitor,
    chat: Chat,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let listener = Listener {
        token: token(&headers).unwrap_or_default().to_owned(),
        changes: chat.house.changes(),
        house: chat.house,
        practice: chat.practice,
        sent: BTreeSet::new(),
        asks: None,
        over: false,
    };
    let stop = door.settings.shutdown.clone().cancelled_owned();
    let told = stream::unfold(listener, |mut it| async move {
        let event = it.next().await?;
        Some((Ok(event), it))
    });
    Ok(Sse::new(told.take_until(stop)).keep_alive(KeepAlive::default()))
}

impl Listener {
    /// What is next; none when there is nothing more.
    async fn next(&mut self) -> Option<Event> {
        while !self.over {
            self.changes.mark_unchanged();
            match self.look().await {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(error) => {
                    // The page connects anew and is told everything.
                    tracing::error!(%error, "the store did not answer");
                    return None;
                }
            }
            tokio::time::sleep(REST).await;
            let hint = self.changes.changed();
            // No hint comes any more when the house ends; the look still does.
            drop(tokio::time::timeout(LOOK, hint).await);
        }
        None
    }

    async fn look(&mut self) -> Result<Option<Event>, StoreError> {
        let guest = self.house.chat_guest(&self.practice, &self.token).await?;
        let Some(guest) = guest else {
            self.over = true;
            return Ok(Some(Event::default().event("ended").data("{}")));
        };
        let thread = self.house.chat_thread(&guest).await?;
        let sent = &mut self.sent;
        let turns: Vec<_> = thread
            .turns
            .into_iter()
            .filter(|it| sent.insert(it.id))
            .collect();
        if turns.is_empty() && self.asks == Some(thread.asks) {
            return Ok(None);
        }
        self.asks = Some(thread.asks);
        let turns: Vec<_> = turns.iter().map(told).collect();
        let data = json!({ "turns": turns, "asks": thread.asks });
        Ok(Some(Event::default().event("said").data(data.to_string())))
    }
}

fn told(turn: &ChatTurn) -> serde_json::Value {
    json!({
        "id": turn.id,
        "ours": turn.ours,
        "key": turn.key,
        "text": turn.body.as_str(),
        "at": turn.at.to_string(),
        "fresh": turn.fresh,
    })
}
