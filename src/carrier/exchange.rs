//! Exchanges with a carrier over HTTP: one client, capped answers, honest endings.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, redirect};

use crate::domain::message::SendOutcome;

/// Longest wait for a connection; a text that did not get this far was surely not sent.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for the whole exchange; carriers answer within a second or two.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(20);

/// The most of an answer that is read; a message takes about 1 KiB, a text of 1,600 characters up
/// to 10 KiB, and a page holds many.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bounds of the carrier's `Retry-After` wish that we follow: long enough to help, short enough
/// that a wrong header cannot park a text for a day.
pub const RETRY_AFTER_MS: std::ops::RangeInclusive<u64> = 1_000..=300_000;

/// How long an adapter waits; a parameter for tests.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the whole exchange.
    pub exchange: Duration,
}

impl Patience {
    /// This patience for the whole exchange; 0: the usual one.
    pub fn seconds(seconds: u64) -> Self {
        if seconds == 0 {
            return Self::default();
        }
        Self {
            exchange: Duration::from_secs(seconds),
            ..Self::default()
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            exchange: EXCHANGE_TIMEOUT,
        }
    }
}

/// A client with timeouts and without redirects, which would carry the password elsewhere.
pub fn client(patience: Patience) -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(patience.connect)
        .timeout(patience.exchange)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// The body of an answer, unless it breaks off or is longer than any that is due.
pub async fn read_capped(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// The carrier's wish of when to come back, within bounds.
pub fn retry_after_ms(response: &Response) -> Option<u64> {
    let seconds: u64 = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let wish = seconds.saturating_mul(1_000);
    Some(wish.clamp(*RETRY_AFTER_MS.start(), *RETRY_AFTER_MS.end()))
}

/// The ending of an exchange that broke. Only a failure to connect proves that nothing was sent.
pub fn broken(error: &reqwest::Error) -> SendOutcome {
    if error.is_builder() {
        SendOutcome::Fail {
            code: "request_not_built".to_owned(),
        }
    } else if error.is_connect() {
        SendOutcome::Retry {
            code: if error.is_timeout() {
                "timeout_before_send"
            } else {
                "not_connected"
            }
            .to_owned(),
            after_ms: None,
        }
    } else {
        SendOutcome::Unknown {
            code: if error.is_timeout() {
                "timeout_after_send"
            } else {
                "connection_broken"
            }
            .to_owned(),
        }
    }
}

/// A channel, an address or a length that the carrier does not carry.
pub fn not_carried(code: &'static str) -> SendOutcome {
    SendOutcome::Fail {
        code: code.to_owned(),
    }
}

/// Taken, but under a name that we could not read.
pub fn unreadable() -> SendOutcome {
    SendOutcome::Unknown {
        code: "unreadable_answer".to_owned(),
    }
}

/// Why a picture or file was not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFault {
    /// This carrier has none.
    #[error("the carrier has no files")]
    NotHere,
    /// The address is none of the carrier's.
    #[error("the address is not the carrier's")]
    Elsewhere,
    /// Larger than is kept.
    #[error("the file is larger than is kept")]
    TooLarge,
    /// The carrier says that it is gone.
    #[error("the file is gone")]
    Gone,
    /// Not now.
    #[error("the carrier does not answer")]
    Later,
}

/// What posts the fake carrier's webhooks.
#[derive(Clone, Debug)]
pub struct Poster(Client);

impl Poster {
    /// A poster with a carrier's patience; none when no client can be made.
    pub fn new() -> Option<Self> {
        client(Patience::default()).ok().map(Self)
    }

    /// Posts a webhook; the status of the answer, if there is one.
    pub async fn post(&self, post: &crate::carrier::fake::Post) -> Option<u16> {
        let mut request = self.0.request(post.method.clone(), &post.url);
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(post.body.clone()).send().await.ok()?;
        Some(answer.status().as_u16())
    }
}
