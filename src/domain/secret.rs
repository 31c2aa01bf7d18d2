//! A value that is never printed: a token, a password, a signing key.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// A value that is never printed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "String")]
pub struct Secret(SecretString);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Secret {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    /// The secret, for the client that needs it.
    pub const fn secret(&self) -> &SecretString {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_empty() {
            ""
        } else {
            "(set, not shown)"
        })
    }
}
