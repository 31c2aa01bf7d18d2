//! Carriers' error codes as data: what each means for the text that met it. Each carrier has its
//! own table beside its adapter.

use crate::domain::message::SendOutcome;
use crate::policy::words::vocabulary;

vocabulary! {
    /// What an error means for the text and its number.
    ErrorClass, "error class" {
        /// The person opted out, or the number is blocked: never again, and the ledger must say so.
        OptedOut = "opted_out",
        /// The number is gone or another's: unreachable for good, unknown, no mobile any more, no
        /// account on this channel.
        Gone = "gone",
        /// The phone is switched off or out of reach: it may be back tomorrow.
        Unreachable = "unreachable",
        /// The number cannot be texted from here.
        BadAddress = "bad_address",
        /// Our request or the account's settings are wrong.
        OurRequest = "our_request",
        /// Registration, filtering or suspension: a person must act at the carrier.
        Registration = "registration",
        /// WhatsApp's 24-hour window is closed.
        Window = "window",
        /// It waited too long at the carrier.
        Expired = "expired",
        /// Nobody knows whether it arrived: never repeated.
        InDoubt = "in_doubt",
        /// Passes by itself: try again later.
        Transient = "transient",
    }
}

impl ErrorClass {
    /// Whether a person must act at the carrier before anything else arrives.
    pub const fn alerts(self) -> bool {
        matches!(self, Self::Registration | Self::OurRequest)
    }

    /// What staff are told.
    pub const fn told(self) -> &'static str {
        match self {
            Self::OptedOut => "the person opted out at the carrier",
            Self::Gone => "the number is gone or another's",
            Self::Unreachable => "the phone is switched off or out of reach",
            Self::BadAddress => "the number cannot receive texts",
            Self::OurRequest => "the carrier refused the request: check the account",
            Self::Registration => "the carrier filtered it or suspended the number: act there",
            Self::Window => "WhatsApp's 24-hour window is closed",
            Self::Expired => "it waited too long at the carrier",
            Self::InDoubt => "nobody knows whether it arrived",
            Self::Transient => "the carrier had trouble",
        }
    }
}

/// A carrier's codes by class.
pub type Codes = &'static [(ErrorClass, &'static [&'static str])];

/// The class of a code in a table.
pub fn class_in(codes: Codes, code: &str) -> Option<ErrorClass> {
    codes
        .iter()
        .find(|(_, codes)| codes.contains(&code))
        .map(|(class, _)| *class)
}

/// What becomes of a text that the carrier refused with this HTTP status and, where the answer had
/// one, this code. `after_ms` is the carrier's wish.
pub fn ending(codes: Codes, status: u16, code: Option<&str>, after_ms: Option<u64>) -> SendOutcome {
    let class = code.and_then(|code| class_in(codes, code));
    let code = code.map_or_else(|| format!("http_{status}"), str::to_owned);
    match (class, status) {
        (Some(ErrorClass::OptedOut), _) => SendOutcome::Suppress { code },
        (Some(ErrorClass::Transient), _) | (_, 429 | 503) => SendOutcome::Retry { code, after_ms },
        // Something between us and the carrier gave up; the carrier may have taken the text.
        (Some(ErrorClass::InDoubt), _) | (None, 408 | 500..=599) => SendOutcome::Unknown { code },
        (
            Some(
                ErrorClass::Gone
                | ErrorClass::Unreachable
                | ErrorClass::BadAddress
                | ErrorClass::OurRequest
                | ErrorClass::Registration
                | ErrorClass::Window
                | ErrorClass::Expired,
            )
            | None,
            _,
        ) => SendOutcome::Fail { code },
    }
}
