//! The console: where a practice's staff sign in, read, answer and decide.
//!
//! One table says what each address needs; one gate asks it. A page works without a script; the
//! script adds the live inbox, the verdict while typing, and keys.

mod actions;
mod audit;
mod beside;
mod breach;
mod cases;
mod changes;
mod compliance;
mod export;
mod inbox;
mod looked;
mod overlay;
mod overview;
mod papers;
mod prompts;
mod retention;
mod rights;
mod search;
mod seat;
mod secure;
mod setup;
mod sign;
mod single;
mod team;
mod thread;
mod triage;
mod used;
mod versions;

use axum::Extension;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::domain::staff::Right;
use crate::web::router::Door;

/// Largest body of a console form: the longest text that staff may write, several times over.
const CONSOLE_BYTES_MAX: usize = 64 * 1024;

/// What an address needs of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it is how one gets in.
    Nothing,
    /// A session, also one that lacks its second factor.
    Session,
    /// A whole session, whatever the role.
    SignedIn,
    /// A whole session and this right.
    May(Right),
}

/// Every address of the console: its method, its route, and what it needs. What is not here does
/// not open.
pub const TABLE: &[(&str, &str, Need)] = &[
    ("GET", "/console", Need::SignedIn),
    ("GET", "/console/sign-in", Need::Nothing),
    ("POST", "/console/sign-in", Need::Nothing),
    ("GET", "/console/sso", Need::Nothing),
    ("GET", "/console/sso/back", Need::Nothing),
    ("GET", "/console/join/{token}", Need::Nothing),
    ("POST", "/console/join/{token}", Need::Nothing),
    ("GET", "/console/second", Need::Session),
    ("POST", "/console/second", Need::Session),
    ("POST", "/console/sign-out", Need::Session),
    ("GET", "/console/events", Need::SignedIn),
    ("GET", "/console/here", Need::SignedIn),
    ("GET", "/console/inbox/{queue}", Need::May(Right::Read)),
    ("POST", "/console/inbox/{queue}", Need::May(Right::Read)),
    ("POST", "/console/review/{id}", Need::May(Right::Answer)),
    ("POST", "/console/answer/{id}", Need::May(Right::Answer)),
    ("POST", "/console/portal/{id}", Need::May(Right::Answer)),
    ("POST", "/console/revoke/{id}", Need::May(Right::Answer)),
    ("GET", "/console/file/{id}", Need::May(Right::Read)),
    ("POST", "/console/override/{id}", Need::May(Right::Override)),
    ("POST", "/console/judge/{id}", Need::May(Right::Release)),
    ("POST", "/console/take/{id}", Need::May(Right::Answer)),
    ("POST", "/console/unread/{id}", Need::May(Right::Answer)),
    ("POST", "/console/aside/{id}", Need::May(Right::Release)),
    (
        "POST",
        "/console/acknowledge/{id}",
        Need::May(Right::Acknowledge),
    ),
    ("POST", "/console/note/{id}", Need::May(Right::Answer)),
    ("POST", "/console/assign/{id}", Need::May(Right::Answer)),
    ("POST", "/console/done/{id}", Need::May(Right::Answer)),
    ("POST", "/console/snooze/{id}", Need::May(Right::Answer)),
    ("POST", "/console/label/{id}", Need::May(Right::Answer)),
    ("GET", "/console/labels", Need::May(Right::Answer)),
    ("POST", "/console/labels", Need::May(Right::Answer)),
    ("GET", "/console/replies", Need::May(Right::Answer)),
    ("POST", "/console/replies", Need::May(Right::Answer)),
    ("GET", "/console/team", Need::May(Right::Accounts)),
    ("POST", "/console/team", Need::May(Right::Accounts)),
    ("POST", "/console/team/{id}", Need::May(Right::Accounts)),
    ("GET", "/console/audit", Need::May(Right::Audit)),
    ("POST", "/console/audit", Need::May(Right::Read)),
    ("GET", "/console/audit/export", Need::May(Right::Audit)),
    ("GET", "/console/compliance", Need::May(Right::Audit)),
    ("POST", "/console/compliance", Need::May(Right::Read)),
    ("GET", "/console/requests/{id}", Need::May(Right::Audit)),
    ("POST", "/console/requests/{id}", Need::May(Right::Comply)),
    (
        "GET",
        "/console/requests/{id}/copy",
        Need::May(Right::Comply),
    ),
    ("GET", "/console/patients/{id}", Need::May(Right::Read)),
    (
        "POST",
        "/console/patients/{id}/disclosures",
        Need::May(Right::Disclose),
    ),
    (
        "POST",
        "/console/patients/{id}/strike",
        Need::May(Right::Comply),
    ),
    (
        "GET",
        "/console/patients/{id}/accounting",
        Need::May(Right::Comply),
    ),
    (
        "GET",
        "/console/patients/{id}/copy",
        Need::May(Right::Comply),
    ),
    (
        "POST",
        "/console/patients/{id}/case",
        Need::May(Right::Comply),
    ),
    (
        "POST",
        "/console/patients/{id}/hold",
        Need::May(Right::Comply),
    ),
    ("GET", "/console/retention", Need::May(Right::Audit)),
    ("POST", "/console/retention", Need::May(Right::Comply)),
    ("GET", "/console/breach", Need::May(Right::Audit)),
    ("POST", "/console/breach", Need::May(Right::Comply)),
    ("GET", "/console/breach/{id}", Need::May(Right::Audit)),
    ("GET", "/console/overview", Need::SignedIn),
    ("GET", "/console/overview/changes", Need::SignedIn),
    ("GET", "/console/agreements", Need::May(Right::Audit)),
    ("GET", "/console/prompts", Need::May(Right::Policy)),
    (
        "GET",
        "/console/prompts/version/{id}",
        Need::May(Right::Policy),
    ),
    (
        "GET",
        "/console/prompts/edit/{language}/{name}",
        Need::May(Right::Prompts),
    ),
    (
        "POST",
        "/console/prompts/edit/{language}/{name}",
        Need::May(Right::Prompts),
    ),
    (
        "POST",
        "/console/prompts/try/{language}/{name}",
        Need::May(Right::Prompts),
    ),
    (
        "POST",
        "/console/prompts/recent/{language}/{name}",
        Need::May(Right::Prompts),
    ),
    (
        "POST",
        "/console/prompts/discard",
        Need::May(Right::Prompts),
    ),
    ("GET", "/console/prompts/gate", Need::May(Right::Policy)),
    ("POST", "/console/prompts/gate", Need::May(Right::Prompts)),
    (
        "POST",
        "/console/prompts/publish",
        Need::May(Right::Prompts),
    ),
    ("POST", "/console/prompts/back", Need::May(Right::Prompts)),
    ("GET", "/console/setup", Need::May(Right::Accounts)),
    ("GET", "/console/setup/light", Need::May(Right::Accounts)),
    ("GET", "/console/setup/{step}", Need::May(Right::Accounts)),
    ("POST", "/console/setup/{step}", Need::May(Right::Accounts)),
    ("GET", "/console/findings", Need::May(Right::Accounts)),
    ("GET", "/console/policy", Need::May(Right::Policy)),
    ("GET", "/console/policy/overlay", Need::May(Right::Policy)),
    ("POST", "/console/policy/overlay", Need::May(Right::Comply)),
    (
        "GET",
        "/console/policy/overlay/gate",
        Need::May(Right::Policy),
    ),
    (
        "POST",
        "/console/policy/overlay/gate",
        Need::May(Right::Comply),
    ),
    (
        "POST",
        "/console/policy/overlay/publish",
        Need::May(Right::Comply),
    ),
    (
        "POST",
        "/console/policy/overlay/discard",
        Need::May(Right::Comply),
    ),
    (
        "POST",
        "/console/policy/overlay/back",
        Need::May(Right::Comply),
    ),
    ("GET", "/console/policy/{id}", Need::May(Right::Policy)),
];

/// From nothing to the first text, and what is amiss.
fn first_run() -> Router<Door> {
    Router::new()
        .route("/console/setup", get(setup::begin))
        .route("/console/setup/light", get(setup::watch))
        .route(
            "/console/setup/{step}",
            get(setup::page).post(setup::answer),
        )
        .route("/console/findings", get(setup::findings))
}

/// The console's addresses, behind the gate.
pub(crate) fn router(door: Door) -> Router<Door> {
    Router::new()
        .route("/console", get(inbox::home))
        .route("/console/sign-in", get(sign::page).post(sign::sign_in))
        .route("/console/sso", get(single::begin))
        .route("/console/sso/back", get(single::back))
        .route(
            "/console/join/{token}",
            get(sign::invitation).post(sign::join),
        )
        .route("/console/second", get(sign::second_page).post(sign::second))
        .route("/console/sign-out", post(sign::sign_out))
        .route("/console/events", get(inbox::events))
        .route("/console/here", get(seat::here))
        .route(
            "/console/inbox/{queue}",
            get(inbox::page).post(inbox::search),
        )
        .route("/console/review/{id}", post(actions::review))
        .route("/console/answer/{id}", post(actions::answer))
        .route("/console/portal/{id}", post(actions::by_portal))
        .route("/console/revoke/{id}", post(secure::revoke))
        .route("/console/file/{id}", get(secure::file))
        .route("/console/override/{id}", post(actions::over))
        .route("/console/judge/{id}", post(actions::judge))
        .route("/console/take/{id}", post(actions::take))
        .route("/console/unread/{id}", post(actions::unread))
        .route("/console/aside/{id}", post(actions::aside))
        .route("/console/acknowledge/{id}", post(actions::acknowledge))
        .route("/console/note/{id}", post(beside::note))
        .route("/console/assign/{id}", post(triage::assign))
        .route("/console/done/{id}", post(triage::done))
        .route("/console/snooze/{id}", post(triage::snooze))
        .route("/console/label/{id}", post(triage::label))
        .route("/console/labels", get(triage::labels).post(triage::change))
        .route("/console/replies", get(beside::list).post(beside::change))
        .route("/console/team", get(team::page).post(team::invite))
        .route("/console/team/{id}", post(team::change))
        .route("/console/overview", get(overview::page))
        .route("/console/overview/changes", get(changes::page))
        .route("/console/agreements", get(papers::page))
        .route("/console/prompts", get(prompts::list))
        .route("/console/prompts/version/{id}", get(prompts::version))
        .route(
            "/console/prompts/edit/{language}/{name}",
            get(prompts::edit).post(prompts::save),
        )
        .route(
            "/console/prompts/try/{language}/{name}",
            post(prompts::try_out),
        )
        .route(
            "/console/prompts/recent/{language}/{name}",
            post(prompts::recent),
        )
        .route("/console/prompts/discard", post(prompts::discard))
        .route(
            "/console/prompts/gate",
            get(prompts::progress).post(prompts::run),
        )
        .route("/console/prompts/publish", post(prompts::publish))
        .route("/console/prompts/back", post(prompts::roll_back))
        .merge(first_run())
        .merge(compliance())
        .merge(overlays())
        .route_layer(middleware::from_fn_with_state(door, seat::gate))
        .layer(Extension(prompts::Runs::default()))
        .layer(Extension(audit::Checks::default()))
        .layer(Extension(looked::Looks::default()))
        .layer(DefaultBodyLimit::max(CONSOLE_BYTES_MAX))
}

/// What an officer's pages are at: the audit log, requests, patients, breaches.
fn compliance() -> Router<Door> {
    Router::new()
        .route("/console/audit", get(audit::page).post(audit::find))
        .route("/console/audit/export", get(export::export))
        .route(
            "/console/compliance",
            get(compliance::page).post(compliance::find),
        )
        .route("/console/requests/{id}", get(cases::page).post(cases::act))
        .route("/console/requests/{id}/copy", get(rights::of_case))
        .route("/console/patients/{id}", get(rights::page))
        .route("/console/patients/{id}/disclosures", post(rights::record))
        .route("/console/patients/{id}/strike", post(rights::strike))
        .route("/console/patients/{id}/accounting", get(rights::account))
        .route("/console/patients/{id}/copy", get(rights::copy))
        .route("/console/patients/{id}/case", post(rights::open_case))
        .route("/console/patients/{id}/hold", post(rights::hold))
        .route(
            "/console/retention",
            get(retention::page).post(retention::destroy),
        )
        .route("/console/breach", get(breach::list).post(breach::save))
        .route("/console/breach/{id}", get(breach::open))
}

/// Where a practice's own words and rules are written and published.
fn overlays() -> Router<Door> {
    Router::new()
        .route("/console/policy", get(versions::list))
        .route("/console/policy/{id}", get(versions::tried))
        .route(
            "/console/policy/overlay",
            get(overlay::page).post(overlay::save),
        )
        .route(
            "/console/policy/overlay/gate",
            get(overlay::progress).post(overlay::run),
        )
        .route("/console/policy/overlay/publish", post(overlay::publish))
        .route("/console/policy/overlay/discard", post(overlay::discard))
        .route("/console/policy/overlay/back", post(overlay::roll_back))
}
