//! Passwords of staff: argon2id, a hash that says how it was made, and words too common to be one.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

use crate::seal::SealError;

/// Shortest password (NIST SP 800-63B-4 asks for 15 where it is the only factor, 8 beside another;
/// here it stands beside another, and a sentence is easier to keep than a riddle).
pub const CHARS_MIN: usize = 12;
/// Longest: far beyond any password manager's; more is work for whoever sends it to us.
pub const CHARS_MAX: usize = 200;

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too short.
    #[error("use at least {CHARS_MIN} characters; a short sentence is easy to keep")]
    Short,
    /// Too long.
    #[error("use at most {CHARS_MAX} characters")]
    Long,
    /// One that guessers try first, or the account's own name.
    #[error("this one is among the first that a guesser tries; choose another")]
    Common,
}

/// What guessers try first, besides repetitions and the account's own words.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "contrasena",
    "qwerty",
    "letmein",
    "welcome",
    "iloveyou",
    "admin",
    "123456",
    "abc123",
    "anteroom",
    "doctor",
    "clinic",
];

/// Says what is wrong with a password for somebody with these words in their name and address.
pub fn weakness(password: &str, own: &[&str]) -> Option<Weak> {
    let count = password.chars().count();
    if count < CHARS_MIN {
        return Some(Weak::Short);
    }
    if count > CHARS_MAX {
        return Some(Weak::Long);
    }
    // What remains when everything that is guessed anyway is taken out must still be a password.
    let mut rest = password.to_lowercase();
    let own = own.iter().map(|it| it.to_lowercase());
    for word in COMMON.iter().map(|it| (*it).to_owned()).chain(own) {
        if word.chars().count() >= 3 {
            rest = rest.replace(&word, "");
        }
    }
    let mut signs: Vec<char> = rest.chars().collect();
    signs.sort_unstable();
    signs.dedup();
    (signs.len() < 5 || rest.chars().count() < 6).then_some(Weak::Common)
}

/// The hash that is kept.
pub fn hash(password: &str) -> Result<String, SealError> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed
        .map(|it| it.to_string())
        .map_err(|_no_randomness| SealError::NoRandomness)
}

/// Whether the password is the one that was hashed. Without a hash the same work is done for
/// nothing, so that the time tells nobody which accounts exist.
pub fn verify(password: &str, kept: Option<&str>) -> bool {
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBvdGhlciBzYWx0$\
                          4rV0OQXVtQPp7F0OBcWVpIuWwl4Xg2o1WGi0qLP9M4k";
    let right = PasswordHash::new(kept.unwrap_or(NOBODY)).is_ok_and(|kept| {
        Argon2::default()
            .verify_password(password.as_bytes(), &kept)
            .is_ok()
    });
    right && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_another_is_not() {
        let kept = hash("three herons by the lake").unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert!(verify("three herons by the lake", Some(&kept)));
        assert!(!verify("three herons by the lak", Some(&kept)));
        assert!(!verify("", Some(&kept)));
        assert!(!verify("three herons by the lake", None));
        assert_ne!(hash("three herons by the lake").unwrap(), kept, "salted");
    }

    #[test]
    fn weak_ones_are_refused_with_the_reason() {
        let own = ["Dana", "Whitfield", "dana", "example"];
        for (password, weak) in [
            ("short", Some(Weak::Short)),
            ("elevenchars", Some(Weak::Short)),
            ("aaaaaaaaaaaa", Some(Weak::Common)),
            ("ababababababab", Some(Weak::Common)),
            ("password1234", Some(Weak::Common)),
            ("Password!!!123456", Some(Weak::Common)),
            ("DanaWhitfield1", Some(Weak::Common)),
            ("dana@example.com", None),
            ("qwertyqwerty1", Some(Weak::Common)),
            ("three herons by the lake", None),
            ("xK4#mP9!vQ2z", None),
            ("la garza del lago azul", None),
        ] {
            let found = weakness(password, &own);
            // An address leaves ".com" and "@": too little to be a password.
            let wanted = if password.contains('@') {
                Some(Weak::Common)
            } else {
                weak
            };
            assert_eq!(found, wanted, "{password}");
        }
        assert_eq!(weakness(&"ab1".repeat(100), &[]), Some(Weak::Long));
    }
}
