//! A chat-completions server as others' requests pass to it: bytes in, bytes out, within limits.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::llm::openai::BadSettings;

/// Longest answer that is read: several choices with their tool calls.
pub const ANSWER_BYTES_MAX: usize = 4_000_000;

/// Longest refusal that is read: it holds a code word or two.
const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// Longest code word that is repeated.
const WORD_BYTES_MAX: usize = 64;

/// Longest `Retry-After` that is repeated, in seconds: an hour.
const RETRY_AFTER_MAX: u64 = 3_600;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no answer. Carries no sentence of the server's: it may quote a patient or a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server refused.
    Refused {
        /// Its HTTP status.
        status: u16,
        /// Its `error.code`, where that is one word.
        code: Option<String>,
        /// Its `error.param`, where that is one word.
        param: Option<String>,
        /// Seconds after which it may be asked again.
        retry_after: Option<u64>,
    },
    /// It took too long.
    Timeout,
    /// It is not there.
    Unreachable,
    /// Its answer is longer than one that is read.
    TooLong,
}

/// The server.
#[derive(Debug)]
pub struct Upstream {
    http: reqwest::Client,
    address: reqwest::Url,
    model: String,
}

impl Upstream {
    /// A server by its base address, such as `https://api.openai.com/v1`, or a resource of Azure with
    /// the version of its deployments API; the key may be empty.
    pub fn new(
        (base_url, azure): (&str, Option<&str>),
        key: &SecretString,
        model: &str,
        timeout: Duration,
    ) -> Result<Self, BadSettings> {
        let base = base_url.trim_end_matches('/');
        let address = match azure {
            Some(version) => {
                format!("{base}/openai/deployments/{model}/chat/completions?api-version={version}")
            }
            None => format!("{base}/chat/completions"),
        };
        let address = reqwest::Url::parse(&address).map_err(|_detail| BadSettings::Address)?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(BadSettings::Address);
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let key = key.expose_secret();
        if !key.is_empty() {
            let (name, key) = match azure {
                Some(_) => (HeaderName::from_static("api-key"), key.to_owned()),
                None => (AUTHORIZATION, format!("Bearer {key}")),
            };
            let mut key = HeaderValue::from_str(&key).map_err(|_detail| BadSettings::Key)?;
            key.set_sensitive(true);
            headers.insert(name, key);
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers)
            .build()
            .map_err(|_detail| BadSettings::Client)?;
        Ok(Self {
            http,
            address,
            model: model.to_owned(),
        })
    }

    /// The model that is asked when a request names none.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Posts one request. It is made once: callers of chat completions repeat by themselves.
    pub async fn complete(&self, request: Vec<u8>) -> Result<Vec<u8>, Fault> {
        let sending = self.http.post(self.address.clone()).body(request).send();
        let mut response = sending.await.map_err(|error| broken(&error))?;
        let status = response.status();
        if status.is_success() {
            return read(&mut response, ANSWER_BYTES_MAX).await;
        }
        let retry_after = asked_wait(response.headers());
        let body = read(&mut response, REFUSAL_BYTES_MAX).await;
        let body: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
        Err(Fault::Refused {
            status: status.as_u16(),
            code: word(&body, "code"),
            param: word(&body, "param"),
            retry_after,
        })
    }
}

fn broken(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        Fault::Timeout
    } else {
        Fault::Unreachable
    }
}

async fn read(response: &mut Response, bytes_max: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Fault::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// `Retry-After` in whole seconds (RFC 9110, 10.2.3); a date is rare here and read as absent.
fn asked_wait(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = text.trim().parse().ok()?;
    Some(seconds.min(RETRY_AFTER_MAX))
}

/// One word of an error: `rate_limit_exceeded`, `messages[0].content`. Anything else is a sentence.
fn word(body: &Value, name: &str) -> Option<String> {
    let text = body.get("error").unwrap_or(body).get(name)?.as_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    let is_word = !text.is_empty() && text.len() <= WORD_BYTES_MAX && text.bytes().all(plain);
    is_word.then(|| text.to_owned())
}
