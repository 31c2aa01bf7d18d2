//! `MessageBird-Signature-JWT`: a token that binds address and body of a webhook to the account's
//! signing key. The token is no login and travels with its own expiry, so it is read here in full
//! rather than by a general library: every claim is required.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Sha256, Sha384, Sha512};

use crate::carrier::mac;

/// How far the clocks may differ; what `MessageBird`'s own packages allow.
const LEEWAY_S: i64 = 1;

/// Tokens remembered until they expire, a minute each: far more than an account sends in one.
const REMEMBERED_MAX: usize = 100_000;

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not three parts of base64url and JSON with every claim.
    #[error("no token")]
    Shape,
    /// None of HS256, HS384 and HS512.
    #[error("an algorithm that is not allowed")]
    Algorithm,
    /// No key fits.
    #[error("the signature does not fit")]
    Signature,
    /// Not from `MessageBird`.
    #[error("another issuer")]
    Issuer,
    /// Before `nbf` or after `exp`.
    #[error("outside of its time: check the clock")]
    Time,
    /// Made for another address.
    #[error("made for another address")]
    Address,
    /// Made for another body.
    #[error("made for another body")]
    Body,
    /// Seen before.
    #[error("used before")]
    Replayed,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    nbf: i64,
    exp: i64,
    jti: String,
    url_hash: String,
    payload_hash: Option<String>,
}

/// Whether a token was made under one of the keys for this address and body, now; its id and when
/// it expires.
pub fn verify(
    keys: &[SecretString],
    token: &str,
    url: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(String, i64), JwtError> {
    let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Shape)?;
    let (header, claims) = signed.split_once('.').ok_or(JwtError::Shape)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_bad| JwtError::Shape);
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_bad| JwtError::Shape)?;
    let signature = decode(signature)?;
    let mut fits = false;
    for key in keys {
        let key = key.expose_secret().as_bytes();
        // Every key is tried; an empty one fits nothing.
        fits |= hmac_fits(&header.alg, key, signed.as_bytes(), &signature)? && !key.is_empty();
    }
    if !fits {
        return Err(JwtError::Signature);
    }
    let claims: Claims =
        serde_json::from_slice(&decode(claims)?).map_err(|_bad| JwtError::Shape)?;
    if claims.iss != "MessageBird" {
        return Err(JwtError::Issuer);
    }
    let seconds = now.as_second();
    if seconds.saturating_add(LEEWAY_S) < claims.nbf
        || seconds >= claims.exp.saturating_add(LEEWAY_S)
    {
        return Err(JwtError::Time);
    }
    let hashed = |bytes: &[u8]| hex::encode(mac::digest(bytes));
    if !mac::same(
        hashed(url.as_bytes()).as_bytes(),
        claims.url_hash.as_bytes(),
    ) {
        return Err(JwtError::Address);
    }
    let body_fits = match &claims.payload_hash {
        Some(claimed) => !body.is_empty() && mac::same(hashed(body).as_bytes(), claimed.as_bytes()),
        None => body.is_empty(),
    };
    if !body_fits {
        return Err(JwtError::Body);
    }
    if claims.jti.is_empty() {
        return Err(JwtError::Shape);
    }
    Ok((claims.jti, claims.exp))
}

fn hmac_fits(algorithm: &str, key: &[u8], signed: &[u8], claimed: &[u8]) -> Result<bool, JwtError> {
    macro_rules! fits {
        ($hash:ty) => {{
            let Ok(mut mac) = Hmac::<$hash>::new_from_slice(key) else {
                return Ok(false);
            };
            mac.update(signed);
            mac::same(mac.finalize().into_bytes().as_slice(), claimed)
        }};
    }
    Ok(match algorithm {
        "HS256" => fits!(Sha256),
        "HS384" => fits!(Sha384),
        "HS512" => fits!(Sha512),
        _ => return Err(JwtError::Algorithm),
    })
}

/// The tokens that were used, until they expire anyway.
#[derive(Debug, Default)]
pub struct Used(Mutex<BTreeMap<String, i64>>);

impl Used {
    /// Takes note of a token; false when it was used before, or when more are in use than anybody
    /// sends.
    pub fn first(&self, id: String, expires: i64, now: Timestamp) -> bool {
        let mut used = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let seconds = now.as_second();
        used.retain(|_, expires| expires.saturating_add(LEEWAY_S) >= seconds);
        used.len() < REMEMBERED_MAX && used.insert(id, expires).is_none()
    }

    /// Forgets a token: what it came with could not be kept.
    pub fn forget(&self, id: &str) {
        let mut used = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        used.remove(id);
    }
}
