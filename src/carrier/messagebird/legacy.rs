//! `MessageBird-Signature`: the scheme before the token, off unless the account still uses it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::carrier::mac;

/// Whether `signature` fits the time, the sorted query and the body, under one of the keys, and the
/// time is the present.
pub fn fits(
    keys: &[SecretString],
    timestamp: &str,
    query: &str,
    body: &[u8],
    signature: &str,
    now: Timestamp,
) -> bool {
    let Some(claimed) = STANDARD.decode(signature).ok() else {
        return false;
    };
    let recent = timestamp
        .parse::<i64>()
        .is_ok_and(|at| at.abs_diff(now.as_second()) <= mac::CLOCK_SLACK_S.unsigned_abs());
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    pairs.sort();
    let sorted = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let digest = mac::digest(body);
    let parts: [&[u8]; 5] = [
        timestamp.as_bytes(),
        b"\n",
        sorted.as_bytes(),
        b"\n",
        &digest,
    ];
    let mut fit = false;
    for key in keys {
        fit |= mac::hmac_sha256_fits(key.expose_secret().as_bytes(), &parts, &claimed);
    }
    fit && recent
}
