//! `POST /v1/mail/bounces`: a mail server passes on what came back of our e-mails (RFC 3464).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::web::problem::Problem;
use crate::web::router::Door;

/// Takes one message as it came. What is no bounce, or about no e-mail of ours, is taken as well: a mail
/// server would send it again.
pub(crate) async fn take(
    State(door): State<Door>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let message = body.map_err(|rejection| Problem::new(rejection.status()))?;
    if message.is_empty() {
        let how = "the body is empty; send one message as it came";
        return Err(Problem::because(StatusCode::BAD_REQUEST, how));
    }
    let known = door.house.mail_bounced(&message).await;
    let known = known.map_err(|_unavailable| Problem::unavailable())?;
    Ok(Json(json!({ "recorded": known })).into_response())
}
