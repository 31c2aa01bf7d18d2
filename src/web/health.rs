//! For machines that watch: alive, ready, metrics.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::web::router::Door;

/// Alive: the program answers. Looks at nothing, so that a slow database does not get it killed.
pub(crate) async fn livez() -> Json<serde_json::Value> {
    Json(serde_json::json!({"status": "alive"}))
}

/// Ready: work can be taken.
pub(crate) async fn readyz(State(door): State<Door>) -> Response {
    match door.house.ready().await {
        Ok(details) => Json(details).into_response(),
        Err(details) => (StatusCode::SERVICE_UNAVAILABLE, Json(details)).into_response(),
    }
}

/// Metrics in Prometheus' text format.
pub(crate) async fn metrics(State(door): State<Door>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(CONTENT_TYPE, kind)], door.house.metrics()).into_response()
}
