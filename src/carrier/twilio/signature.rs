//! `X-Twilio-Signature`: whether a webhook comes from the holder of the account's auth token.
//!
//! Twilio signs the public address it was given, followed by the form's parameters
//! (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>). Pure: no I/O, no clock.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The query parameter by which a JSON webhook carries the digest of its body.
pub const BODY_DIGEST: &str = "bodySHA256";

/// Length of an HMAC-SHA1.
const SIGNATURE_BYTES: usize = 20;

/// Whether `signature` fits a form body posted to `url`, under any of the tokens (two are valid
/// while a token is rotated). `url` is the public address with its query, byte for byte.
pub fn form_is_signed(tokens: &[SecretString], url: &str, body: &[u8], signature: &str) -> bool {
    let suffix = signed_form(&decode_form(body));
    any_fits(tokens, url, &suffix, signature)
}

/// Whether `signature` fits a JSON body posted to `url`. Then the address alone is signed, and the
/// body is bound by its digest in the query; a body without one is never accepted.
pub fn json_is_signed(tokens: &[SecretString], url: &str, body: &[u8], signature: &str) -> bool {
    let Some(claimed) = body_digest(url) else {
        return false;
    };
    let actual = hex::encode(Sha256::digest(body));
    let body_fits = bool::from(actual.as_bytes().ct_eq(claimed.as_bytes()));
    any_fits(tokens, url, b"", signature) && body_fits
}

/// The digest that a JSON webhook's address claims for its body.
pub fn body_digest(url: &str) -> Option<String> {
    let (_, query) = without_fragment(url).split_once('?')?;
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == BODY_DIGEST)
        .map(|(_, digest)| digest.into_owned())
}

/// A form body as pairs of bytes, percent and plus decoded once. Bytes, not text: what Twilio
/// signed must survive even where it is not UTF-8.
pub fn decode_form(body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    body.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            (decode_percent(name), decode_percent(value))
        })
        .collect()
}

fn decode_percent(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        decoded.push(match (first, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (byte, _) => *byte,
        });
    }
    decoded
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Names in byte order, each followed by one of its distinct values in byte order.
fn signed_form(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut grouped: BTreeMap<&[u8], BTreeSet<&[u8]>> = BTreeMap::new();
    for (name, value) in pairs {
        grouped.entry(name).or_default().insert(value);
    }
    let mut signed = Vec::new();
    for (name, values) in grouped {
        for value in values {
            signed.extend_from_slice(name);
            signed.extend_from_slice(value);
        }
    }
    signed
}

/// Tries every token on every spelling of the address, without stopping at the first that fits,
/// so that the time taken tells nothing.
fn any_fits(tokens: &[SecretString], url: &str, suffix: &[u8], signature: &str) -> bool {
    let Some(claimed) = STANDARD
        .decode(signature)
        .ok()
        .filter(|bytes| bytes.len() == SIGNATURE_BYTES)
    else {
        return false;
    };
    let spellings = spellings(url);
    let mut fits = subtle::Choice::from(0);
    for token in tokens {
        for spelling in &spellings {
            // An empty token would let anybody sign; HMAC itself takes keys of any length.
            let key = token.expose_secret().as_bytes();
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else {
                continue;
            };
            mac.update(spelling.as_bytes());
            mac.update(suffix);
            let usable = subtle::Choice::from(u8::from(!key.is_empty()));
            fits |= mac.finalize().into_bytes().as_slice().ct_eq(&claimed) & usable;
        }
    }
    fits.into()
}

fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

/// The address without and with its port: Twilio drops it for some calls and adds the standard one
/// for others. The fragment and any `user:password@` are never signed.
fn spellings(url: &str) -> [String; 2] {
    let url = without_fragment(url);
    let Some((scheme, rest)) = url.split_once("://") else {
        return [url.to_owned(), url.to_owned()];
    };
    let authority_len = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(authority_len).unwrap_or((rest, ""));
    let authority = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        // A colon inside the brackets of an IPv6 address begins no port.
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, if scheme == "http" { "80" } else { "443" }),
    };
    [
        format!("{scheme}://{host}{path}"),
        format!("{scheme}://{host}:{port}{path}"),
    ]
}
