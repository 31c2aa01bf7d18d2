//! The words that rules, the guardrail and the rest of the house share: channel, language, purpose, state.

use serde::{Deserialize, Serialize};

/// Defines a closed vocabulary: an enum, its stable spelling, parsing and printing.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable spelling used in files, columns and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::policy::words::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::policy::words::UnknownWord { what: $what, known: &[$($text),+] }),
                }
            }
        }
    };
}
pub(crate) use vocabulary;

/// A spelling outside a closed vocabulary; the offending text is not kept, it may be PHI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what}; use one of {}", known.join(", "))]
pub struct UnknownWord {
    /// Which vocabulary.
    pub what: &'static str,
    /// The spellings that are known.
    pub known: &'static [&'static str],
}

vocabulary! {
    /// How a text reaches the patient.
    Channel, "channel" {
        /// Plain text message.
        Sms = "sms",
        /// Multimedia message.
        Mms = "mms",
        /// WhatsApp Business.
        Whatsapp = "whatsapp",
        /// The practice's own web chat.
        Webchat = "webchat",
    }
}

vocabulary! {
    /// A language that patients are answered in; both are first class.
    Language, "language" {
        /// English.
        En = "en",
        /// Spanish.
        Es = "es",
    }
}

vocabulary! {
    /// Why a text is written; minimum necessary depends on it.
    Purpose, "purpose" {
        /// An answer inside a conversation that the patient began.
        Reply = "reply",
        /// Appointments.
        Scheduling = "scheduling",
        /// Money.
        Billing = "billing",
        /// Medication refills.
        Refill = "refill",
        /// Test results.
        Results = "results",
        /// Symptoms and urgency.
        Triage = "triage",
        /// Anything else.
        General = "general",
    }
}

/// A US state or DC by its two-letter code, or unknown (which reads as the union of the strictest).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Jurisdiction(Option<[u8; 2]>);

/// The codes of the 50 states and DC.
pub const STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO \
MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY";

impl Jurisdiction {
    /// Residence not known: every rule that could apply does.
    pub const UNKNOWN: Self = Self(None);

    /// The two-letter code, or `US` when the state is unknown.
    pub fn as_str(&self) -> &str {
        self.0
            .as_ref()
            .and_then(|code| std::str::from_utf8(code).ok())
            .unwrap_or("US")
    }
}

impl std::str::FromStr for Jurisdiction {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        if text.is_empty() || text.eq_ignore_ascii_case("US") {
            return Ok(Self::UNKNOWN);
        }
        let mut codes = STATES.split(' ');
        let code = codes.find(|code| code.eq_ignore_ascii_case(text));
        let bytes = code.and_then(|code| <[u8; 2]>::try_from(code.as_bytes()).ok());
        bytes.map(|bytes| Self(Some(bytes))).ok_or(UnknownWord {
            what: "state",
            known: &[
                "the two-letter codes of the US states and DC, such as CA",
                "US when it is not known",
            ],
        })
    }
}

impl TryFrom<String> for Jurisdiction {
    type Error = UnknownWord;
    fn try_from(text: String) -> Result<Self, UnknownWord> {
        text.parse()
    }
}

impl From<Jurisdiction> for String {
    fn from(state: Jurisdiction) -> Self {
        state.as_str().to_owned()
    }
}

impl std::fmt::Display for Jurisdiction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads a type of practice as the policy lists it: small letters, words joined by `_`, so that
/// "Behavioral Health" and `behavioral-health` are `behavioral_health`.
pub fn practice_type<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let joins = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '/');
    let words: Vec<String> = text
        .split(joins)
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    Ok(words.join("_"))
}
