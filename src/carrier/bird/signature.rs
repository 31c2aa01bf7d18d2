//! Bird's two signatures: the Channels API's HMAC over the address, and Standard Webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::carrier::mac;

/// Bird repeats a webhook with its first time on it, seen up to a day old; what is older is refused.
const CHANNELS_AGE_MAX_S: i64 = 24 * 3_600;

/// Whether `signature` fits the time, the whole address and the body, under one of the keys
/// (<https://docs.bird.com/api/notifications-api/api-reference/webhook-subscriptions/verifying-a-webhook-subscription>).
pub fn channels_fits(
    keys: &[SecretString],
    timestamp: &str,
    url: &str,
    body: &[u8],
    signature: &str,
    now: Timestamp,
) -> bool {
    let Some(claimed) = STANDARD.decode(signature).ok() else {
        return false;
    };
    let timely = timestamp.parse::<i64>().is_ok_and(|at| {
        let age = now.as_second().saturating_sub(at);
        (-mac::CLOCK_SLACK_S..=CHANNELS_AGE_MAX_S).contains(&age)
    });
    let digest = mac::digest(body);
    let parts: [&[u8]; 5] = [timestamp.as_bytes(), b"\n", url.as_bytes(), b"\n", &digest];
    let mut fit = false;
    for key in keys {
        fit |= mac::hmac_sha256_fits(key.expose_secret().as_bytes(), &parts, &claimed);
    }
    fit && timely
}

/// Whether one of the signatures fits id, time and body under one of the secrets (`whsec_...`), and
/// the time is the present (<https://www.standardwebhooks.com>).
pub fn standard_fits(
    secrets: &[SecretString],
    id: &str,
    timestamp: &str,
    body: &[u8],
    signatures: &str,
    now: Timestamp,
) -> bool {
    let recent = timestamp
        .parse::<i64>()
        .is_ok_and(|at| at.abs_diff(now.as_second()) <= mac::CLOCK_SLACK_S.unsigned_abs());
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let mut fit = false;
    for secret in secrets {
        let secret = secret.expose_secret();
        let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
        let Ok(key) = STANDARD.decode(encoded) else {
            continue;
        };
        for claimed in signatures
            .split(' ')
            .filter_map(|it| it.strip_prefix("v1,"))
        {
            let claimed = STANDARD.decode(claimed).unwrap_or_default();
            fit |= mac::hmac_sha256_fits(&key, &parts, &claimed);
        }
    }
    fit && recent
}
