//! The map of addresses, and what lies around each of them: limits, headers, request ids.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{any, get, post};
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use crate::carrier::Carrier;
use crate::domain::clock::Clock;
use crate::domain::ids::PracticeId;
use crate::domain::practice::CarrierKind;
use crate::mail::BOUNCE_BYTES_MAX;
use crate::sso::Provider;
use crate::web::assets;
use crate::web::bounce;
use crate::web::chat;
use crate::web::console;
use crate::web::edge;
use crate::web::gate::{self, GuardSettings};
use crate::web::guard;
use crate::web::health;
use crate::web::home;
use crate::web::message;
use crate::web::openapi;
use crate::web::port::House;
use crate::web::portal;
use crate::web::problem::Problem;
use crate::web::set_up::{Lights, SetUp};
use crate::web::simulator;
use crate::web::simulator::Phone;
use crate::web::webhook;
use crate::web::widget;

/// Largest body of a simulator text: 100,000 characters of any script, so that a monstrous text
/// can be tried.
pub const SIMULATOR_BYTES_MAX: usize = 1024 * 1024;

/// Largest body of a portal form: the longest text that a patient may write, several times over.
pub const PORTAL_BYTES_MAX: usize = 64 * 1024;

/// Longest work on one request; carriers give up after 10 to 15 s.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest work on one guarded chat completion, whatever patience with the model server is
/// configured.
pub const CHAT_TIMEOUT: Duration = Duration::from_mins(6);

/// The whole front door, as whoever may not know of its making holds it.
pub type FrontDoor = Router;

/// The lines to carriers, by practice.
pub type Carriers = BTreeMap<(PracticeId, CarrierKind), Arc<dyn Carrier>>;

/// What the front door needs to know.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// The address under which carriers and patients reach us; it is what carriers sign.
    pub public_url: Url,
    /// The phone page and its JSON, where they exist.
    pub phone: Option<Phone>,
    /// The carriers that may post.
    pub carriers: Carriers,
    /// The guard's addresses.
    pub guard: GuardSettings,
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
    /// The house behind the console; without it there is no console.
    pub desk: Option<Arc<crate::pipeline::house::House>>,
    /// The suites that a wording must hold before the console publishes it; none: the program's own.
    pub suites: Option<Arc<crate::eval::load::Files>>,
    /// What the console asks beyond the house.
    pub console: ConsoleParts,
    /// Ends the event streams, which would otherwise never end.
    pub shutdown: CancellationToken,
}

/// What the console asks beyond the house; each may be missing, and then so is its page.
#[derive(Clone, Debug, Default)]
pub struct ConsoleParts {
    /// Whoever knows the configuration, for the set-up and its findings.
    pub set_up: Option<Arc<dyn SetUp>>,
    /// Who vouches for the staff of which practice.
    pub sso: BTreeMap<PracticeId, Arc<Provider>>,
}

/// What every address can reach.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    pub(crate) house: Arc<dyn House>,
    pub(crate) settings: Arc<WebSettings>,
    pub(crate) lights: Arc<Lights>,
}

/// The whole front door.
pub fn router(house: Arc<dyn House>, settings: WebSettings) -> FrontDoor {
    let simulated = settings.phone.is_some();
    let secure = settings.public_url.scheme() == "https";
    let door = Door {
        house,
        settings: Arc::new(settings),
        lights: Arc::default(),
    };
    let webhooks = Router::new()
        // Which methods there are is the carrier's to say; how much is read as well.
        .route("/webhooks/{carrier}/{practice}", any(webhook::texts))
        .route(
            "/webhooks/{carrier}/{practice}/status",
            any(webhook::reports),
        )
        .layer(DefaultBodyLimit::disable());
    let bounces = Router::new()
        .route("/v1/mail/bounces", post(bounce::take))
        .route_layer(middleware::from_fn_with_state(door.clone(), gate::guard))
        .layer(DefaultBodyLimit::max(BOUNCE_BYTES_MAX));
    let check = Router::new()
        .route("/v1/guard/check", post(guard::check))
        .route_layer(middleware::from_fn_with_state(door.clone(), gate::guard))
        .layer(DefaultBodyLimit::max(guard::CHECK_BYTES_MAX));
    let messages = Router::new()
        .route("/v1/messages", post(message::ask))
        .route_layer(middleware::from_fn_with_state(door.clone(), gate::guard))
        .layer(DefaultBodyLimit::max(message::BODY_BYTES_MAX));
    let chat = Router::new()
        .route(
            chat::ADDRESS,
            post(chat::completions).fallback(chat::only_post),
        )
        .route_layer(middleware::from_fn_with_state(door.clone(), gate::guard))
        .layer(DefaultBodyLimit::max(chat::CHAT_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            CHAT_TIMEOUT,
        ));
    let console = if door.settings.desk.is_some() {
        console::router(door.clone())
    } else {
        Router::new()
    };
    let mut router = Router::new()
        .merge(console)
        .merge(webhooks)
        .merge(portal_routes().merge(widget::routes()))
        .merge(bounces)
        .merge(check)
        .merge(messages)
        .route("/assets/{version}/{name}", get(assets::asset))
        .route("/", get(home::page))
        .route("/openapi.json", get(openapi::page))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics));
    if simulated {
        router = router.merge(simulator_routes());
    }
    router
        .fallback(|| std::future::ready(Problem::not_found()))
        .method_not_allowed_fallback(|| {
            std::future::ready(Problem::new(StatusCode::METHOD_NOT_ALLOWED))
        })
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_TIMEOUT,
        ))
        // Beside the timeout, not under it: a model takes its time.
        .merge(chat)
        .layer(middleware::from_fn_with_state(secure, edge::around))
        .with_state(door)
}

/// The portal: its page, and files both ways. How much is read of a form with files is for its handler to
/// say, which asks first who sends it.
fn portal_routes() -> Router<Door> {
    let page = Router::new()
        .route("/p/{token}", get(portal::ask).post(portal::open))
        .layer(DefaultBodyLimit::max(PORTAL_BYTES_MAX));
    Router::new()
        .route("/p/{token}/reply", post(portal::reply))
        .route("/p/{token}/file/{id}", get(portal::file))
        .layer(DefaultBodyLimit::disable())
        .merge(page)
}

/// The phone page and its JSON.
fn simulator_routes() -> Router<Door> {
    Router::new()
        .route("/simulator", get(simulator::page))
        .route(
            "/simulator/messages",
            get(simulator::thread).post(simulator::text),
        )
        .route(
            "/simulator/phone",
            get(simulator::reach).post(simulator::set_reach),
        )
        .route("/simulator/people", get(simulator::people))
        .route("/simulator/glass", get(simulator::glass))
        .route("/simulator/events", get(simulator::events))
        .layer(DefaultBodyLimit::max(SIMULATOR_BYTES_MAX))
}
