//! `POST /v1/chat/completions`: what a model server drafts leaves here only when it is cleared.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::domain::fault::told;
use crate::guardrail::wire::ContextIn;
use crate::web::completion::Completion;
use crate::web::json;
use crate::web::port::UpstreamFault;
use crate::web::router::Door;

/// Where it is.
pub(crate) const ADDRESS: &str = "/v1/chat/completions";

/// Largest request: a long conversation with its tools takes a tenth of it.
pub(crate) const CHAT_BYTES_MAX: usize = 1024 * 1024;

/// The key under which a request names its setting.
const SETTING: &str = "anteroom";

/// An error as OpenAI's clients read it. Its words are ours, never the model server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChatError {
    status: StatusCode,
    message: String,
    param: Option<String>,
    code: Option<String>,
    retry_after: Option<u64>,
}

impl ChatError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            param: None,
            code: None,
            retry_after: None,
        }
    }

    fn about(param: &str, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.to_owned()),
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    fn coded(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..Self::new(status, message)
        }
    }

    /// The model server's answer is no chat completion.
    pub(crate) fn malformed() -> Self {
        let message = "the model server's answer is not a chat completion";
        Self::coded(StatusCode::BAD_GATEWAY, "upstream_malformed", message)
    }
}

impl From<UpstreamFault> for ChatError {
    fn from(fault: UpstreamFault) -> Self {
        let told = fault.to_string();
        match fault {
            UpstreamFault::Timeout => {
                Self::coded(StatusCode::GATEWAY_TIMEOUT, "upstream_timeout", told)
            }
            UpstreamFault::Unreachable => {
                Self::coded(StatusCode::BAD_GATEWAY, "upstream_unreachable", told)
            }
            UpstreamFault::TooLong => {
                Self::coded(StatusCode::BAD_GATEWAY, "upstream_too_long", told)
            }
            // The caller's key is not the one that was refused.
            UpstreamFault::Refused {
                status: 401 | 403, ..
            } => Self::coded(
                StatusCode::BAD_GATEWAY,
                "upstream_auth",
                "the model server refused anteroom's own key: mend [llm] api_key",
            ),
            UpstreamFault::Refused {
                status,
                code,
                param,
                retry_after,
            } => {
                let known = StatusCode::from_u16(status).ok();
                Self {
                    status: known
                        .filter(|it| it.is_client_error() || it.is_server_error())
                        .unwrap_or(StatusCode::BAD_GATEWAY),
                    message: told,
                    param,
                    code,
                    retry_after,
                }
            }
        }
    }
}

impl IntoResponse for ChatError {
    fn into_response(self) -> Response {
        let kind = match self.status.as_u16() {
            401 => "authentication_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        };
        let error = json!({
            "message": self.message,
            "type": kind,
            "param": self.param,
            "code": self.code,
        });
        let mut response = (self.status, Json(json!({ "error": error }))).into_response();
        if let Some(seconds) = self.retry_after {
            let value = HeaderValue::from(seconds);
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }
}

/// Asks the model server, reviews what it drafts, and answers with what may be sent.
pub(crate) async fn completions(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ChatError> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ChatError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 1 MiB",
        ),
        _ => ChatError::new(StatusCode::BAD_REQUEST, "the body broke off"),
    })?;
    if !json::is_json(&headers) {
        let message = "send application/json";
        return Err(ChatError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let Some(upstream) = &door.settings.guard.upstream else {
        return Err(ChatError::coded(
            StatusCode::SERVICE_UNAVAILABLE,
            "upstream_missing",
            "no model server is configured: set [llm] base_url, model and api_key",
        ));
    };
    let mut asked = Asked::read(&body)?;
    let context = asked.context(&door)?;
    asked
        .request
        .entry("model")
        .or_insert_with(|| upstream.model().into());
    let request = Value::Object(asked.request).to_string().into_bytes();
    let answer = upstream.complete(request).await.map_err(|fault| {
        tracing::warn!(%fault, "the model server gave no answer");
        ChatError::from(fault)
    })?;
    let completion = Completion::cleared(&answer, &context, &door.house.guardrail())
        .ok_or_else(ChatError::malformed)?;
    Ok(match asked.stream {
        Some(usage) => completion.as_stream(usage),
        None => Json(completion.as_json()).into_response(),
    })
}

/// The answer to every method but POST.
pub(crate) async fn only_post() -> ChatError {
    ChatError::new(StatusCode::METHOD_NOT_ALLOWED, "only POST is known here")
}

/// A request, parted into what goes to the model server and what is for us.
struct Asked {
    request: Map<String, Value>,
    setting: Map<String, Value>,
    /// Whether a stream was asked for, and with it whether the usage.
    stream: Option<bool>,
}

impl Asked {
    fn read(body: &[u8]) -> Result<Self, ChatError> {
        let value = serde_json::from_slice(&json::without_lone_surrogates(body));
        let Ok(Value::Object(mut request)) = value else {
            let message = "the body is not a JSON object";
            return Err(ChatError::new(StatusCode::BAD_REQUEST, message));
        };
        if !request.get("messages").is_some_and(Value::is_array) {
            return Err(ChatError::about("messages", "`messages` is not a list"));
        }
        if matches!(request.get("logprobs"), Some(it) if !matches!(it, Value::Null | Value::Bool(false)))
        {
            let message = "`logprobs` would tell the draft before its review: leave it out";
            return Err(ChatError::about("logprobs", message));
        }
        if request.get("audio").is_some_and(|it| !it.is_null()) {
            let message = "`audio` cannot be reviewed: ask for text";
            return Err(ChatError::about("audio", message));
        }
        let options = request.remove("stream_options");
        let usage = options
            .as_ref()
            .and_then(|options| options.get("include_usage"))
            .is_some_and(|it| *it == Value::Bool(true));
        let stream = match request.insert("stream".to_owned(), Value::Bool(false)) {
            None | Some(Value::Null | Value::Bool(false)) => None,
            Some(Value::Bool(true)) => Some(usage),
            Some(_) => {
                return Err(ChatError::about(
                    "stream",
                    "`stream` is neither true nor false",
                ));
            }
        };
        let setting = setting(&mut request)?;
        Ok(Self {
            request,
            setting,
            stream,
        })
    }

    /// What the request says of its setting, over the configured one.
    fn context(&mut self, door: &Door) -> Result<ContextIn, ChatError> {
        let mut context = door.settings.guard.context.clone();
        let now = door.settings.clock.now().to_string();
        context.entry("now").or_insert_with(|| now.into());
        context.append(&mut self.setting);
        serde_path_to_error::deserialize(Value::Object(context))
            .map_err(|fault| ChatError::about(SETTING, told(&fault, "the body")))
    }
}

/// Takes the setting out of a request: `anteroom` beside the other keys (the Python package's
/// `extra_body`), or in `metadata`, whose values are strings, as JSON in a string.
fn setting(request: &mut Map<String, Value>) -> Result<Map<String, Value>, ChatError> {
    let beside = request.remove(SETTING);
    let metadata = request.get_mut("metadata").and_then(Value::as_object_mut);
    let (within, bare) = match metadata {
        Some(metadata) => (metadata.remove(SETTING), metadata.is_empty()),
        None => (None, false),
    };
    if within.is_some() && bare {
        request.remove("metadata");
    }
    let given = match (beside, within) {
        (Some(_), Some(_)) => {
            let message = "`anteroom` stands beside `metadata` and in it: send one";
            return Err(ChatError::about(SETTING, message));
        }
        (Some(given), None) | (None, Some(given)) => given,
        (None, None) => return Ok(Map::new()),
    };
    let read = match given.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => given,
    };
    if let Value::Object(setting) = read {
        return Ok(setting);
    }
    let message = "`anteroom` is not a JSON object with the keys of a check's context";
    Err(ChatError::about(SETTING, message))
}
