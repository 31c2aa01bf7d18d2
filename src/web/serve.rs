//! The listener: one connection after another, with time limits and a graceful end.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::web::gate::Peer;

/// Longest wait for a request's headers, so that a slow client cannot hold a connection.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for open requests after shutdown was asked for.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(15);

/// Rest after a failed accept, so that running out of file descriptors does not spin.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is cancelled, then lets open requests end.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    let connections = TaskTracker::new();
    let graceful = GracefulShutdown::new();
    let mut ended = pin!(shutdown.cancelled());
    loop {
        let accepted = tokio::select! {
            () = &mut ended => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            tracing::warn!("a connection could not be accepted");
            tokio::time::sleep(ACCEPT_REST).await;
            continue;
        };
        // Answers are small and waited for; Nagle's algorithm would only delay them.
        let undelayed = stream.set_nodelay(true).is_ok();
        tracing::trace!(undelayed, "connected");
        let peer = Peer(address.ip());
        let known = router
            .clone()
            .map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                request
            });
        let service = TowerToHyperService::new(known);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        connections.spawn(async move {
            if watched.await.is_err() {
                // A client that went away or spoke no HTTP; the error may quote what it sent.
                tracing::debug!("a connection broke");
            }
        });
    }
    drop(listener);
    let drained = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
    if drained.is_err() {
        tracing::warn!("requests were still open at the end of the drain time");
    }
}
