//! The house as the pages and webhooks see it: `web`'s port over `pipeline`.

use std::sync::Arc;

use jiff::civil::Date;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use crate::agent::ports::BoxFuture;
use crate::carrier::hear::Report;
use crate::cli::assemble;
use crate::domain::conversation::{Conversation, Direction, PortalMessage, Turn};
use crate::domain::ids::PracticeId;
use crate::domain::message::{Delivery, Inbound};
use crate::domain::phone::E164;
use crate::domain::practice::{CarrierKind, Practice};
use crate::guardrail::review::Guardrail;
use crate::pipeline::house::House;
use crate::pipeline::portal::{LinkState, Opening};
use crate::pipeline::portal_room::SECURE_REPLY;
use crate::pipeline::price;
use crate::pipeline::receive;
use crate::pipeline::wish::{Wish, Wished};
use crate::store::StoreError;
use crate::web::port::{
    Asked, Cover, Person, PortalOpening, PortalState, Received, Request, ThreadTurn, Unavailable,
};

/// How much of a thread a page shows.
const THREAD_TURNS_MAX: u32 = 200;

/// How many drafts the glass shows.
const GLASS_MAX: u32 = 30;

/// The running house behind the front door.
pub struct Served {
    /// The house.
    pub house: Arc<House>,
    /// The sample patients, for the phone's picker.
    pub people: Vec<Person>,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served").finish_non_exhaustive()
    }
}

/// Logs what went wrong; the caller is only told to come back.
#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn unavailable(error: StoreError) -> Unavailable {
    tracing::error!(%error, "the store did not answer");
    Unavailable
}

impl Served {
    fn cover(&self, message: &PortalMessage) -> Option<Cover> {
        let practice = self.house.practice(&message.practice)?;
        Some(Cover {
            practice_name: practice.said_name(message.language).to_owned(),
            practice_phone: practice.phone.clone(),
            language: message.language,
        })
    }

    fn closed(&self, state: &LinkState) -> PortalState {
        let (LinkState::Asking(message)
        | LinkState::Locked(message)
        | LinkState::Expired(message)
        | LinkState::Revoked(message)) = state
        else {
            return PortalState::Missing;
        };
        let Some(cover) = self.cover(message) else {
            return PortalState::Missing;
        };
        match state {
            LinkState::Asking(message) => PortalState::Asking {
                cover,
                tries_left: left(message.tries_left),
                zip: self.house.portal_asks_zip(&message.practice),
            },
            LinkState::Locked(_) => PortalState::Locked(cover),
            LinkState::Expired(_) => PortalState::Expired(cover),
            LinkState::Revoked(_) => PortalState::Revoked(cover),
            LinkState::Missing => PortalState::Missing,
        }
    }

    fn opening(&self, opening: Opening) -> PortalOpening {
        let missing = PortalOpening::Missing;
        match opening {
            Opening::Shown(message, session) => match self.cover(&message) {
                Some(cover) => PortalOpening::Shown {
                    cover,
                    body: message.body,
                    session,
                },
                None => missing,
            },
            Opening::Coded {
                message,
                session,
                tail,
            } => match self.cover(&message) {
                Some(cover) => PortalOpening::CodeAsked {
                    cover,
                    session,
                    tail,
                },
                None => missing,
            },
            Opening::Uncodable(message) => self
                .cover(&message)
                .map_or(missing, PortalOpening::Uncodable),
            Opening::Wrong {
                tries_left,
                message,
            } => match self.cover(&message) {
                Some(cover) => PortalOpening::Wrong {
                    cover,
                    tries_left: left(tries_left),
                    zip: self.house.portal_asks_zip(&message.practice),
                },
                None => missing,
            },
            Opening::Closed(state) => match self.closed(&state) {
                PortalState::Locked(cover) => PortalOpening::Locked(cover),
                PortalState::Expired(cover) => PortalOpening::Expired(cover),
                PortalState::Revoked(cover) => PortalOpening::Revoked(cover),
                PortalState::Asking { .. } | PortalState::Missing => missing,
            },
        }
    }

    async fn turns(
        &self,
        with: &E164,
        practice: Option<&PracticeId>,
    ) -> Result<Vec<ThreadTurn>, StoreError> {
        let (mut thread, mut conversations) = (Vec::new(), 0);
        for own in self
            .house
            .practices()
            .filter(|own| practice.is_none_or(|id| own.id == *id))
        {
            for conversation in self.house.store().conversations_with(&own.id, with).await? {
                if conversation.carrier == CarrierKind::Web {
                    // What is said in the chat of the web site is on no phone.
                    continue;
                }
                conversations += 1;
                let line = own.sender_by(
                    conversation.carrier,
                    conversation.channel,
                    &conversation.sender,
                );
                let turns = self
                    .house
                    .store()
                    .turns(conversation.id, THREAD_TURNS_MAX)
                    .await?;
                // What was written in the portal was no text.
                let texts = turns.into_iter().filter(|it| it.intent != SECURE_REPLY);
                thread.extend(texts.map(|turn| {
                    let (patient, sender) = (with.clone(), conversation.sender.clone());
                    let inbound = turn.direction == Direction::Inbound;
                    let reason = self.reason(&conversation, &turn);
                    let (from, to) = if inbound {
                        (patient, sender)
                    } else {
                        (sender, patient)
                    };
                    ThreadTurn {
                        id: turn.carrier_id.unwrap_or_else(|| turn.id.to_string()),
                        direction: turn.direction,
                        from,
                        to,
                        body: turn.body,
                        at: turn.at,
                        status: turn.delivery,
                        reason,
                        segments: turn.segments,
                        price: line
                            .zip(turn.segments)
                            .and_then(|(line, segments)| price::estimate(line, segments))
                            .map(price::dollars),
                    }
                }));
            }
        }
        // Several conversations with one number are one thread on the phone.
        if conversations > 1 {
            thread.sort_by_key(|turn| turn.at);
        }
        Ok(thread)
    }

    /// Why a text did not arrive, in the words that staff read.
    fn reason(&self, conversation: &Conversation, turn: &Turn) -> Option<String> {
        let code = turn.code.as_deref()?;
        let ended = turn.delivery.is_some_and(Delivery::is_final);
        let arrived = matches!(turn.delivery, Some(Delivery::Delivered | Delivery::Read));
        let key = (conversation.practice.clone(), conversation.carrier);
        let class = self
            .house
            .carriers()
            .get(&key)
            .and_then(|it| it.class_of(code));
        let told = class.map_or_else(|| code.to_owned(), |it| format!("{} ({code})", it.told()));
        (ended && !arrived).then_some(told)
    }

    async fn reports(&self, with: &E164) -> Result<Vec<serde_json::Value>, StoreError> {
        let mut reports = Vec::new();
        for own in self.house.practices() {
            for conversation in self.house.store().conversations_with(&own.id, with).await? {
                let sealed = self.house.store().glass(conversation.id, GLASS_MAX).await?;
                reports.extend(
                    sealed
                        .iter()
                        .filter_map(|report| serde_json::from_str(report.as_str()).ok()),
                );
            }
        }
        // Each conversation's come oldest first; the phone shows the newest of all first.
        let at = |report: &serde_json::Value| {
            let at = report.get("at").and_then(serde_json::Value::as_str);
            at.and_then(|at| at.parse::<jiff::Timestamp>().ok())
        };
        reports.sort_by_key(at);
        reports.reverse();
        Ok(reports)
    }
}

fn left(tries: i64) -> u32 {
    u32::try_from(tries).unwrap_or(0)
}

impl crate::web::port::House for Served {
    fn practices(&self) -> Vec<Arc<Practice>> {
        self.house.practices().map(Arc::clone).collect()
    }

    fn practice(&self, id: &str) -> Option<Arc<Practice>> {
        self.house.practice(&PracticeId::new(id))
    }

    fn practice_by_sender(&self, carrier: CarrierKind, number: &E164) -> Option<Arc<Practice>> {
        let owns = |practice: &&Arc<Practice>| {
            practice
                .sender(number)
                .is_some_and(|sender| sender.carrier == carrier)
        };
        self.house.practices().find(owns).map(Arc::clone)
    }

    fn receive(
        &self,
        practice: Arc<Practice>,
        inbound: Inbound,
    ) -> BoxFuture<'_, Result<Received, Unavailable>> {
        Box::pin(async move {
            match self
                .house
                .receive(practice, inbound)
                .await
                .map_err(unavailable)?
            {
                receive::Received::New => Ok(Received::New),
                receive::Received::Duplicate => Ok(Received::Duplicate),
            }
        })
    }

    fn ask(&self, request: Request) -> BoxFuture<'_, Result<Asked, Unavailable>> {
        let wish = Wish {
            practice: request.practice,
            request: request.key,
            number: request.number,
            errand: request.errand,
        };
        Box::pin(async move {
            Ok(match self.house.wish(wish).await.map_err(unavailable)? {
                Wished::Taken(id) => Asked::Taken { id, before: false },
                Wished::Repeated(id) => Asked::Taken { id, before: true },
                Wished::Refused(refusal) => Asked::Refused(refusal),
                Wished::Clash => Asked::Clash,
                Wished::NoRecord => Asked::NoRecord,
            })
        })
    }

    fn delivery<'a>(
        &'a self,
        practice: &'a PracticeId,
        carrier: CarrierKind,
        report: &'a Report,
    ) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(async move {
            self.house
                .delivery(practice, carrier, report)
                .await
                .map_err(unavailable)
        })
    }

    fn refused<'a>(
        &'a self,
        practice: &'a PracticeId,
        carrier: CarrierKind,
        reason: &'static str,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.house.webhook_refused(practice, carrier, reason).await {
                tracing::warn!(%error, "a refused webhook is not in the audit log");
            }
        })
    }

    fn thread<'a>(
        &'a self,
        with: &'a E164,
        practice: Option<&'a PracticeId>,
    ) -> BoxFuture<'a, Result<Vec<ThreadTurn>, Unavailable>> {
        Box::pin(async move { self.turns(with, practice).await.map_err(unavailable) })
    }

    fn glass<'a>(
        &'a self,
        with: &'a E164,
    ) -> BoxFuture<'a, Result<Vec<serde_json::Value>, Unavailable>> {
        Box::pin(async move { self.reports(with).await.map_err(unavailable) })
    }

    fn people(&self) -> BoxFuture<'_, Result<Vec<Person>, Unavailable>> {
        Box::pin(async move { Ok(self.people.clone()) })
    }

    fn portal_state<'a>(
        &'a self,
        token: &'a str,
    ) -> BoxFuture<'a, Result<PortalState, Unavailable>> {
        Box::pin(async move {
            let state = self.house.portal_state(token).await.map_err(unavailable)?;
            Ok(self.closed(&state))
        })
    }

    fn portal_open<'a>(
        &'a self,
        token: &'a str,
        birth_date: Date,
        zip: &'a str,
    ) -> BoxFuture<'a, Result<PortalOpening, Unavailable>> {
        Box::pin(async move {
            let opening = self
                .house
                .portal_open(token, birth_date, zip)
                .await
                .map_err(unavailable)?;
            Ok(self.opening(opening))
        })
    }

    fn portal_code<'a>(
        &'a self,
        token: &'a str,
        cookie: &'a str,
        code: &'a str,
    ) -> BoxFuture<'a, Result<PortalOpening, Unavailable>> {
        Box::pin(async move {
            let opening = self.house.portal_code(token, cookie, code).await;
            Ok(self.opening(opening.map_err(unavailable)?))
        })
    }

    fn mail_bounced<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<bool, Unavailable>> {
        Box::pin(async move {
            let known = self.house.mail_bounced(message).await;
            known.map_err(unavailable)
        })
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.house.changes()
    }

    fn ready(&self) -> BoxFuture<'_, Result<serde_json::Value, serde_json::Value>> {
        Box::pin(async move {
            let store = self.house.store().ping().await;
            let details = serde_json::json!({
                "store": if store.is_ok() { "ok" } else { "does not answer" },
                "policy": self.house.policy_digest(),
                "policy_refused": self.house.policy_refused().map(|it| serde_json::json!({
                    "since": it.since.to_string(),
                    "file": it.error.file,
                    "line": it.error.line,
                    "rule": it.error.rule,
                    "message": it.error.message,
                    "remedy": it.error.remedy,
                })),
                "model": self.house.model_name(),
                "practices": self.house.practices().count(),
                "remarks": assemble::remarks(&self.house).await,
            });
            if store.is_ok() {
                Ok(details)
            } else {
                Err(details)
            }
        })
    }

    fn guardrail(&self) -> Arc<Guardrail> {
        self.house.guardrail()
    }

    fn metrics(&self) -> String {
        self.metrics.render()
    }
}
