//! A wrapper that keeps protected health information out of logs by having no way to print it.

use zeroize::Zeroize;

/// Protected health information. No `Display`, no revealing `Debug`, no `Serialize`: whoever needs
/// the value says so with [`Phi::expose`], and that call is greppable.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Marks a value as protected.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for a use that is itself allowed to see it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, given up.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl Phi<String> {
    /// The text, for a use that is itself allowed to see it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Phi<String> {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Phi<String> {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl<T> std::fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phi(..)")
    }
}

impl<T: Zeroize> Zeroize for Phi<T> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
