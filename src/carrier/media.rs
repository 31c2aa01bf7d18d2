//! Pictures and files that patients send: fetched from the carrier and nowhere else, within a size,
//! of a kind that is known by its bytes, without what the camera wrote about place and person.

mod guard;
mod strip;

use http::StatusCode;
use http::header::LOCATION;
use reqwest::{Client, RequestBuilder, Response};
use url::Url;

use crate::carrier::exchange::FetchFault;

pub use guard::is_public;
pub use strip::strip;

/// Largest file that is kept: what WhatsApp carries; SMS and MMS carry 5 MB.
pub const MEDIA_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How often a carrier may send us on to where the file lies.
const REDIRECTS_MAX: usize = 3;

/// A kind of file that is kept. What a carrier or a patient calls it is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A photo.
    Jpeg,
    /// A picture.
    Png,
    /// A picture that may move.
    Gif,
    /// A picture.
    Webp,
    /// A document.
    Pdf,
}

impl Kind {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }

    /// The kind of these bytes, by their first ones; a page that calls itself a picture is none.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// Fetches a file. The first address is the carrier's and asked with its password, which `sign`
/// adds; where it sends us on, the next host must be a public one, and is told nothing.
pub async fn fetch(
    http: &Client,
    address: Url,
    sign: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Result<Vec<u8>, FetchFault> {
    let mut answer = ask(sign(http.get(address.clone()))).await?;
    let mut here = address;
    for _ in 0..REDIRECTS_MAX {
        if !answer.status().is_redirection() {
            return read(answer).await;
        }
        let next = answer.headers().get(LOCATION);
        let next = next.and_then(|next| next.to_str().ok());
        here = next
            .and_then(|next| here.join(next).ok())
            .filter(guard::may_follow)
            .ok_or(FetchFault::Elsewhere)?;
        let outside = guard::client().ok_or(FetchFault::Later)?;
        answer = ask(outside.get(here.clone())).await?;
    }
    Err(FetchFault::Elsewhere)
}

async fn ask(request: RequestBuilder) -> Result<Response, FetchFault> {
    request.send().await.map_err(|error| {
        if guard::refused(&error) {
            FetchFault::Elsewhere
        } else {
            FetchFault::Later
        }
    })
}

async fn read(mut answer: Response) -> Result<Vec<u8>, FetchFault> {
    match answer.status() {
        status if status.is_success() => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchFault::Gone),
        _ => return Err(FetchFault::Later),
    }
    let told = answer.content_length().unwrap_or(0);
    if usize::try_from(told).map_or(true, |told| told > MEDIA_BYTES_MAX) {
        return Err(FetchFault::TooLarge);
    }
    let mut bytes = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > MEDIA_BYTES_MAX => {
                return Err(FetchFault::TooLarge);
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(_broken) => return Err(FetchFault::Later),
        }
    }
}
