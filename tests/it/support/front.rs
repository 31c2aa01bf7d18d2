//! The front door of a house in a test, as the program opens it: every address, on the real store.

#![cfg(test)]

use std::sync::Arc;

use anteroom::cli::served::Served;
use anteroom::web::router::{WebSettings, router};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::app::App;
use crate::simulator::fake::{Fake, Told, ask};

/// The addresses of a house, under settings that a test changes.
pub(crate) fn front(app: &App, change: impl FnOnce(&mut WebSettings)) -> Router {
    let served = Served {
        house: Arc::clone(&app.house),
        people: Vec::new(),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
    };
    let mut settings = WebSettings {
        desk: Some(Arc::clone(&app.house)),
        ..Fake::new().settings()
    };
    change(&mut settings);
    router(Arc::new(served) as _, settings)
}

/// A form, posted from a page of the same site.
pub(crate) async fn posted(router: &Router, path: &str, fields: &[(&str, &str)]) -> Told {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let request = Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin");
    ask(router, request.body(Body::from(body)).unwrap()).await
}
