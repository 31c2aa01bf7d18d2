//! Keyed hashes of webhooks, compared in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How far a carrier's clock and ours may differ where the protocol names no figure.
pub const CLOCK_SLACK_S: i64 = 300;

/// Whether two byte strings are the same, without telling where they differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// Whether `claimed` is the HMAC-SHA256 of the parts, in order. An empty key signs nothing: with it
/// anybody could.
pub fn hmac_sha256_fits(key: &[u8], parts: &[&[u8]], claimed: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return false;
    };
    for part in parts {
        mac.update(part);
    }
    let fits = mac.finalize().into_bytes().as_slice().ct_eq(claimed);
    (fits & subtle::Choice::from(u8::from(!key.is_empty()))).into()
}

/// The SHA-256 of a body.
pub fn digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// Whether an `Authorization` header carries one of these user and password pairs (RFC 7617). The
/// pair is split at the first colon, so a password may hold colons. Every pair is compared, so that
/// the time taken tells nothing. A pair with an empty password opens nothing.
pub fn basic_fits(header: &str, pairs: &[(&str, &SecretString)]) -> bool {
    let Some(encoded) = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .map(|(_, encoded)| encoded.trim())
    else {
        return false;
    };
    let Ok(decoded) = STANDARD.decode(encoded) else {
        return false;
    };
    let Some(colon) = decoded.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let (user, rest) = decoded.split_at(colon);
    let password = rest.get(1..).unwrap_or_default();
    let mut fits = subtle::Choice::from(0);
    for (right_user, right_password) in pairs {
        let right = right_password.expose_secret().as_bytes();
        let usable = subtle::Choice::from(u8::from(!right.is_empty()));
        fits |= user.ct_eq(right_user.as_bytes()) & password.ct_eq(right) & usable;
    }
    fits.into()
}
