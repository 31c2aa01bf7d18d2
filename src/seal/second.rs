//! The second factor: time-based codes (RFC 6238) and recovery codes.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use totp_rs::{Builder, Secret, Totp};

use crate::seal::SealError;

/// Bytes of an authenticator's secret (RFC 4226, section 4, R6 recommends 160 bits).
const SECRET_BYTES: usize = 20;
/// Recovery codes that are given out.
pub const RECOVERY_CODES: usize = 8;

/// A fresh secret.
pub fn secret() -> Result<Vec<u8>, SealError> {
    let mut bytes = vec![0_u8; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|_no_randomness| SealError::NoRandomness)?;
    Ok(bytes)
}

fn totp(secret: &[u8], issuer: &str, account: &str) -> Option<Totp> {
    // A colon separates the two in the address.
    let plain = |text: &str| text.replace(':', " ");
    Builder::new()
        .with_secret(Secret::from(secret.to_vec()))
        .with_issuer(Some(plain(issuer)))
        .with_account_name(plain(account))
        .build()
        .ok()
}

/// What an authenticator app reads: the address for its camera, and the secret for typing.
pub fn enrolment(secret: &[u8], issuer: &str, account: &str) -> Option<(String, String)> {
    let totp = totp(secret, issuer, account)?;
    let typed = Secret::from(secret.to_vec()).to_base32();
    let groups: Vec<String> = typed
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Some((totp.to_url().ok()?, groups.join(" ")))
}

/// The time step of a right code that was not used before; one step of drift either way is
/// forgiven (RFC 6238, section 6).
pub fn step_of(secret: &[u8], code: &str, unix_seconds: i64, last_step: u64) -> Option<u64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let totp = totp(secret, "anteroom", "console")?;
    let step = totp.check(&code, u64::try_from(unix_seconds).ok()?)?;
    (step > last_step).then_some(step)
}

/// Recovery codes as they are shown once, and the hashes that are kept.
pub fn recovery_codes() -> Result<(Vec<String>, Vec<[u8; 32]>), SealError> {
    // No signs that look like others on paper.
    const SIGNS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut codes = Vec::new();
    for _ in 0..RECOVERY_CODES {
        let mut bytes = [0_u8; 10];
        getrandom::fill(&mut bytes).map_err(|_no_randomness| SealError::NoRandomness)?;
        let signs: String = bytes
            .iter()
            .filter_map(|byte| SIGNS.get(usize::from(byte % 32)).copied().map(char::from))
            .collect();
        let (head, tail) = signs.split_at(5);
        codes.push(format!("{head}-{tail}"));
    }
    let hashes = codes.iter().map(|code| recovery_hash(code)).collect();
    Ok((codes, hashes))
}

/// The hash of a recovery code, however it was typed.
fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    Sha256::digest(plain.as_bytes()).into()
}

/// Which of the kept codes this is.
pub fn recovery_of(kept: &[[u8; 32]], code: &str) -> Option<usize> {
    let given = recovery_hash(code);
    let mut found = None;
    for (at, hash) in kept.iter().enumerate() {
        if bool::from(hash.ct_eq(&given)) {
            found = Some(at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, SHA-1: the last six of the eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let step = u64::try_from(at).unwrap() / 30;
            assert_eq!(step_of(secret, code, at, 0), Some(step), "{at}");
            let (head, tail) = code.split_at(3);
            let spaced = format!(" {head} {tail}");
            assert_eq!(step_of(secret, &spaced, at, 0), Some(step), "{at} spaced");
            assert_eq!(step_of(secret, code, at + 30, 0), Some(step), "late");
            assert_eq!(step_of(secret, code, at + 90, 0), None, "too late");
            assert_eq!(step_of(secret, code, at, step), None, "used already");
        }
        assert_eq!(step_of(secret, "", 59, 0), None);
        assert_eq!(step_of(secret, "28708", 59, 0), None);
    }

    #[test]
    fn a_recovery_code_is_known_however_it_is_typed() {
        let (codes, hashes) = recovery_codes().unwrap();
        assert_eq!(
            (codes.len(), hashes.len()),
            (RECOVERY_CODES, RECOVERY_CODES)
        );
        let typed = codes[3].to_uppercase().replace('-', " ");
        assert_eq!(recovery_of(&hashes, &typed), Some(3));
        assert_eq!(recovery_of(&hashes, "aaaaa-aaaaa"), None);
        assert_eq!(recovery_of(&hashes, ""), None);
    }

    #[test]
    fn an_app_gets_the_practice_and_the_account() {
        let (url, typed) = enrolment(&[7; 20], "Lakeside: Family", "dana@example.com").unwrap();
        assert!(url.starts_with("otpauth://totp/Lakeside"), "{url}");
        assert!(url.contains("secret=") && url.contains("issuer="), "{url}");
        assert_eq!(typed.replace(' ', "").len(), 32);
    }
}
