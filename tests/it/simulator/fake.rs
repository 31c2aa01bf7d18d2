//! A house of cardboard: answers from memory, remembers what it was asked.

#![cfg(test)]

use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use anteroom::agent::ports::BoxFuture;
use anteroom::carrier;
use anteroom::carrier::account::{Accounts, Site};
use anteroom::carrier::fake::Faults;
use anteroom::carrier::hear::Report;
use anteroom::carrier::simulator::Simulation;
use anteroom::domain::clock::{Clock as _, ManualClock};
use anteroom::domain::conversation::Direction;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::message::{Delivery, Inbound};
use anteroom::domain::phone::E164;
use anteroom::domain::practice::{CarrierKind, Practice};
use anteroom::guardrail::review::Guardrail;
use anteroom::policy::words::Language;
use anteroom::web::gate::GuardSettings;
use anteroom::web::port::{
    Asked, Cover, House, Person, PortalOpening, PortalState, Received, Request, ThreadTurn,
    Unavailable,
};
use anteroom::web::router::{Carriers, ConsoleParts, WebSettings, router};
use anteroom::web::simulator::Phone;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{self, HeaderMap, StatusCode};
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use url::Url;

use super::script::script;

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const TOKEN: &str = "FAKE_TWILIO_AUTH_TOKEN_do_not_use_0001";
pub(crate) const PUBLIC_URL: &str = "https://text.example.com/chat/";
pub(crate) const PORTAL_TOKEN: &str = "fake-portal-token-0123456789-abcdefghijklmno";
pub(crate) const BIRTH_DATE: Date = date(1961, 4, 12);
pub(crate) const SECRET_BODY: &str = "Your A1c was 7.2.\n<b>Next step</b>: keep taking metformin.";

/// What the house remembers and how it behaves.
#[derive(Debug)]
pub(crate) struct State {
    /// Whether the store is gone.
    pub(crate) down: bool,
    /// Every text that was received.
    pub(crate) received: Vec<Inbound>,
    /// Every report.
    pub(crate) reports: Vec<(String, Delivery, Option<String>)>,
    /// What was not believed or not understood.
    pub(crate) refused: Vec<(CarrierKind, &'static str)>,
    /// Ids that reports may be about.
    pub(crate) known: Vec<String>,
    /// The portal link.
    pub(crate) portal: Portal,
    /// How often the portal was looked at, and tried.
    pub(crate) portal_asked: (u32, u32),
    turns: Vec<ThreadTurn>,
    panes: Vec<Value>,
}

/// Where the portal link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Portal {
    Open { tries_left: u32, language: Language },
    Expired,
    Revoked,
}

#[derive(Debug)]
pub(crate) struct Fake {
    practice: Arc<Practice>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) phone: Arc<carrier::fake::Fake>,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

const ACCOUNTS: &str = r#"
[twilio.lakeside]
account_sid = "AC00000000000000000000000000000001"
auth_tokens = ["an older token", "FAKE_TWILIO_AUTH_TOKEN_do_not_use_0001"]
[bandwidth.lakeside]
account_id = "9900000"
application_id = "93de2206-9669-4e07-948d-329f4b722ee2"
user = "api"
password = "FAKE"
webhook_user = "fakehook"
webhook_passwords = ["an older one", "fake:pass:ü"]
[messagebird.lakeside]
access_key = "FAKE"
signing_keys = ["FAKE_messagebird_signing_key"]
legacy_signatures = true
[bird.lakeside]
product = "channels"
workspace = "w"
channel = "c"
access_key = "FAKE"
signing_keys = ["FAKE_bird_signing_key"]
"#;

fn practice() -> Practice {
    toml::from_str(
        r#"
        id = "lakeside"
        name = "Lakeside Family Medicine"
        phone = "+14155550100"
        state = "CA"
        timezone = "America/Los_Angeles"
        [[sender]]
        carrier = "twilio"
        number = "+14155550101"
        [[sender]]
        carrier = "twilio"
        channel = "whatsapp"
        number = "+14155550103"
        [[sender]]
        carrier = "simulator"
        number = "+14155550102"
        [[sender]]
        carrier = "bandwidth"
        number = "+14155550104"
        [[sender]]
        carrier = "messagebird"
        number = "+14155550105"
        [[sender]]
        carrier = "bird"
        number = "+14155550106"
        "#,
    )
    .unwrap()
}

/// The simulator's account, whose other side nobody serves: what the house of cardboard answers,
/// no carrier takes.
fn simulation() -> Simulation {
    Simulation::new("http://127.0.0.1:9", &"FAKE".into())
}

const fn simulated<'a>(practice: &'a Practice, public_url: &'a Url) -> Site<'a> {
    Site {
        kind: CarrierKind::Simulator,
        practice,
        public_url,
    }
}

impl Fake {
    pub(crate) fn new() -> Arc<Self> {
        let practice = practice();
        let line = simulation().line(&simulated(&practice, &PUBLIC_URL.parse().unwrap()));
        let lines = vec![line.unwrap()];
        Arc::new(Self {
            practice: Arc::new(practice),
            phone: Arc::new(carrier::fake::Fake::new(lines, Faults::none())),
            clock: Arc::new(ManualClock::new("2026-12-01T18:00:00Z".parse().unwrap())),
            state: Mutex::new(State {
                down: false,
                received: Vec::new(),
                reports: Vec::new(),
                refused: Vec::new(),
                known: vec!["SM00000000000000000000000000000042".to_owned()],
                portal: Portal::Open {
                    tries_left: 5,
                    language: Language::En,
                },
                portal_asked: (0, 0),
                turns: Vec::new(),
                panes: Vec::new(),
            }),
            changes: watch::Sender::new(0),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn settings(&self) -> WebSettings {
        WebSettings {
            desk: None,
            public_url: PUBLIC_URL.parse().unwrap(),
            phone: Some(Phone {
                fake: Arc::clone(&self.phone),
                tracker: TaskTracker::new(),
                stop: CancellationToken::new(),
            }),
            carriers: self.carriers(),
            guard: GuardSettings::default(),
            clock: Arc::clone(&self.clock) as _,
            shutdown: CancellationToken::new(),
            suites: None,
            console: ConsoleParts::default(),
        }
    }

    /// The lines of the practice, each with an account of its own.
    fn carriers(&self) -> Carriers {
        let mut table: toml::Table = toml::from_str(ACCOUNTS).unwrap();
        let accounts = Accounts::take(&mut table).unwrap();
        let mut carriers = Carriers::new();
        for kind in CarrierKind::ALL {
            let Some(account) = accounts.get(*kind, &self.practice.id) else {
                continue;
            };
            let line = account.open(&Site {
                kind: *kind,
                practice: &self.practice,
                public_url: &PUBLIC_URL.parse().unwrap(),
            });
            carriers.insert((self.practice.id.clone(), *kind), line.unwrap());
        }
        let public_url = PUBLIC_URL.parse().unwrap();
        let site = simulated(&self.practice, &public_url);
        let line = simulation().open(&site).unwrap();
        carriers.insert((self.practice.id.clone(), CarrierKind::Simulator), line);
        carriers
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        router(Arc::clone(self) as _, self.settings())
    }

    fn check(&self) -> Result<MutexGuard<'_, State>, Unavailable> {
        let state = self.state();
        if state.down {
            Err(Unavailable)
        } else {
            Ok(state)
        }
    }

    fn answer(&self, state: &mut State, inbound: &Inbound) {
        let at = |seconds| self.clock.now() + SignedDuration::from_secs(seconds);
        let turn = |id, direction, body: &str, at, outbound: bool| ThreadTurn {
            id,
            direction,
            from: if outbound {
                inbound.to.clone()
            } else {
                inbound.from.clone()
            },
            to: if outbound {
                inbound.from.clone()
            } else {
                inbound.to.clone()
            },
            body: body.into(),
            at,
            status: outbound.then_some(Delivery::Delivered),
            reason: None,
            segments: outbound.then(|| i64::try_from(body.len() / 153 + 1).unwrap()),
            price: outbound.then(|| "0.0128".to_owned()),
        };
        let (pane, text) = script(inbound.body.as_str(), at(1));
        state.turns.push(turn(
            inbound.carrier_id.clone(),
            Direction::Inbound,
            inbound.body.as_str(),
            at(0),
            false,
        ));
        if let Some(text) = text {
            let id = format!("out-{}", state.turns.len());
            state
                .turns
                .push(turn(id, Direction::Outbound, &text, at(1), true));
        }
        state.panes.insert(0, pane);
        self.clock.advance(SignedDuration::from_secs(20));
        self.changes.send_modify(|tick| *tick += 1);
    }

    fn cover(&self, language: Language) -> Cover {
        Cover {
            practice_name: self.practice.name.clone(),
            practice_phone: self.practice.phone.clone(),
            language,
        }
    }
}

fn done<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl House for Fake {
    fn practices(&self) -> Vec<Arc<Practice>> {
        vec![Arc::clone(&self.practice)]
    }

    fn practice(&self, id: &str) -> Option<Arc<Practice>> {
        (id == "lakeside").then(|| Arc::clone(&self.practice))
    }

    fn practice_by_sender(&self, carrier: CarrierKind, number: &E164) -> Option<Arc<Practice>> {
        let sender = self.practice.sender(number)?;
        (sender.carrier == carrier).then(|| Arc::clone(&self.practice))
    }

    fn receive(
        &self,
        _: Arc<Practice>,
        inbound: Inbound,
    ) -> BoxFuture<'_, Result<Received, Unavailable>> {
        done(self.check().map(|mut state| {
            if state
                .received
                .iter()
                .any(|known| known.carrier_id == inbound.carrier_id)
            {
                return Received::Duplicate;
            }
            self.answer(&mut state, &inbound);
            state.received.push(inbound);
            Received::New
        }))
    }

    fn ask(&self, _request: Request) -> BoxFuture<'_, Result<Asked, Unavailable>> {
        let taken = Asked::Taken {
            id: 1,
            before: false,
        };
        done(self.check().map(|_| taken))
    }

    fn delivery<'a>(
        &'a self,
        _: &'a PracticeId,
        _: CarrierKind,
        report: &'a Report,
    ) -> BoxFuture<'a, Result<bool, Unavailable>> {
        done(self.check().map(|mut state| {
            let known = state.known.contains(&report.carrier_id);
            let Report {
                carrier_id,
                delivery,
                code,
                ..
            } = report.clone();
            state.reports.push((carrier_id, delivery, code));
            known
        }))
    }

    fn refused<'a>(
        &'a self,
        _: &'a PracticeId,
        carrier: CarrierKind,
        reason: &'static str,
    ) -> BoxFuture<'a, ()> {
        self.state().refused.push((carrier, reason));
        Box::pin(std::future::ready(()))
    }

    fn thread<'a>(
        &'a self,
        with: &'a E164,
        _: Option<&'a PracticeId>,
    ) -> BoxFuture<'a, Result<Vec<ThreadTurn>, Unavailable>> {
        done(self.check().map(|state| {
            let turns = state.turns.iter();
            turns
                .filter(|turn| turn.from == *with || turn.to == *with)
                .cloned()
                .collect()
        }))
    }

    fn glass<'a>(&'a self, with: &'a E164) -> BoxFuture<'a, Result<Vec<Value>, Unavailable>> {
        done(self.check().map(|state| {
            let any = state.received.iter().any(|inbound| inbound.from == *with);
            if any { state.panes.clone() } else { Vec::new() }
        }))
    }

    fn people(&self) -> BoxFuture<'_, Result<Vec<Person>, Unavailable>> {
        let person = |name: &str, number: &str, note: &str| Person {
            name: name.to_owned(),
            number: number.parse().unwrap(),
            practice_id: self.practice.id.clone(),
            practice_name: self.practice.name.clone(),
            practice_number: "+14155550102".parse().unwrap(),
            note: note.to_owned(),
        };
        done(self.check().map(|_| {
            vec![
                person(
                    "Maria Sample",
                    "+14155550142",
                    "Visit on Thursday, biopsy result is in",
                ),
                person("José Ejemplo", "+14155550143", "Escribe en español"),
                person("Dev Placeholder", "+14155550144", "Takes metformin"),
                person("Rosa Invented", "+14155550145", "No visit booked"),
            ]
        }))
    }

    fn portal_state<'a>(
        &'a self,
        token: &'a str,
    ) -> BoxFuture<'a, Result<PortalState, Unavailable>> {
        done(self.check().map(|mut state| {
            state.portal_asked.0 += 1;
            match state.portal {
                _ if token != PORTAL_TOKEN => PortalState::Missing,
                Portal::Expired => PortalState::Expired(self.cover(Language::En)),
                Portal::Revoked => PortalState::Revoked(self.cover(Language::En)),
                Portal::Open {
                    tries_left: 0,
                    language,
                } => PortalState::Locked(self.cover(language)),
                Portal::Open {
                    tries_left,
                    language,
                } => PortalState::Asking {
                    cover: self.cover(language),
                    tries_left,
                    zip: false,
                },
            }
        }))
    }

    fn portal_open<'a>(
        &'a self,
        token: &'a str,
        birth_date: Date,
        _zip: &'a str,
    ) -> BoxFuture<'a, Result<PortalOpening, Unavailable>> {
        done(self.check().map(|mut state| {
            state.portal_asked.1 += 1;
            let Portal::Open {
                tries_left,
                language,
            } = state.portal
            else {
                return PortalOpening::Expired(self.cover(Language::En));
            };
            let cover = self.cover(language);
            if token != PORTAL_TOKEN {
                PortalOpening::Missing
            } else if tries_left == 0 {
                PortalOpening::Locked(cover)
            } else if birth_date == BIRTH_DATE {
                PortalOpening::Shown {
                    cover,
                    body: SECRET_BODY.into(),
                    session: None,
                }
            } else {
                let tries_left = tries_left - 1;
                state.portal = Portal::Open {
                    tries_left,
                    language,
                };
                if tries_left == 0 {
                    PortalOpening::Locked(cover)
                } else {
                    PortalOpening::Wrong {
                        cover,
                        tries_left,
                        zip: false,
                    }
                }
            }
        }))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn ready(&self) -> BoxFuture<'_, Result<Value, Value>> {
        let ready = self.check().map(|_| json!({"store": "answers"}));
        done(ready.map_err(|Unavailable| json!({"store": "does not answer"})))
    }

    fn guardrail(&self) -> Arc<Guardrail> {
        static GUARDRAIL: LazyLock<Arc<Guardrail>> =
            LazyLock::new(|| Arc::new(Guardrail::embedded().unwrap()));
        Arc::clone(&GUARDRAIL)
    }

    fn metrics(&self) -> String {
        "# TYPE anteroom_up gauge\nanteroom_up 1\n".to_owned()
    }
}

/// A request's answer.
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Told {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends one request to the router in process.
pub(crate) async fn ask(router: &Router, request: http::Request<Body>) -> Told {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 8 * 1024 * 1024).await.unwrap();
    Told {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// A GET.
pub(crate) async fn get(router: &Router, path: &str) -> Told {
    ask(
        router,
        http::Request::get(path).body(Body::empty()).unwrap(),
    )
    .await
}
