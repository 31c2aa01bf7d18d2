//! Telephone numbers as carriers write them.

use serde::{Deserialize, Serialize};

/// A telephone number in E.164 form: `+`, then 8 to 15 digits (ITU-T E.164). It identifies a
/// person, so `Debug` shows only the last two digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

/// Not a telephone number in E.164 form; the offending text is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a phone number in E.164 form; write it as +14155550100")]
pub struct NotE164;

impl E164 {
    /// The number as carriers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as people in the United States read it, `415-555-0100`; foreign numbers stay as they are.
    pub fn display_us(&self) -> String {
        match self
            .0
            .strip_prefix("+1")
            .map(|rest| (rest.get(..3), rest.get(3..6), rest.get(6..10)))
        {
            Some((Some(area), Some(exchange), Some(line))) if self.0.len() == 12 => {
                format!("{area}-{exchange}-{line}")
            }
            _ => self.0.clone(),
        }
    }
}

impl E164 {
    /// Reads a number as people type it: with spaces, dots, dashes and brackets, and in the United
    /// States without its `+1`.
    pub fn typed(text: &str) -> Result<Self, NotE164> {
        let apart = |c: char| c.is_whitespace() || "()-./".contains(c);
        let bare: String = text.chars().filter(|c| !apart(*c)).collect();
        let national = bare.len() == 10 && bare.bytes().all(|b| b.is_ascii_digit());
        if national {
            format!("+1{bare}").parse()
        } else {
            bare.parse()
        }
    }
}

impl std::str::FromStr for E164 {
    type Err = NotE164;
    fn from_str(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?;
        let well_formed = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotE164)
        }
    }
}

impl TryFrom<String> for E164 {
    type Error = NotE164;
    fn try_from(text: String) -> Result<Self, NotE164> {
        text.parse()
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

impl std::fmt::Debug for E164 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tail = self
            .0
            .len()
            .checked_sub(2)
            .and_then(|from| self.0.get(from..))
            .unwrap_or("");
        write!(f, "E164(..{tail})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_taken_and_debug_hides_it() {
        for bad in [
            "",
            "+",
            "4155550100",
            "+1 415 555 0100",
            "+0155550100",
            "+1234567",
            "+1234567890123456",
        ] {
            assert_eq!(bad.parse::<E164>(), Err(NotE164), "{bad}");
        }
        let number: E164 = "+14155550142".parse().unwrap();
        for typed in [
            "+1 (415) 555-0142",
            "415-555-0142",
            "(415) 555.0142",
            "+1 415 555 0142",
        ] {
            assert_eq!(E164::typed(typed), Ok(number.clone()), "{typed}");
        }
        assert_eq!(E164::typed("555-0142"), Err(NotE164));
        assert_eq!(format!("{number:?}"), "E164(..42)");
        assert_eq!(number.display_us(), "415-555-0142");
        assert_eq!(
            "+442079460123".parse::<E164>().unwrap().display_us(),
            "+442079460123"
        );
    }
}
