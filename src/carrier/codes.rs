//! Twilio's error codes as data: what each means for the text that met it.

use crate::domain::message::SendOutcome;

/// What an error means for the text and its number
/// (<https://www.twilio.com/docs/api/errors>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// The person opted out, or the number is blocked: never again, and the ledger must say so.
    OptedOut,
    /// The number cannot receive texts.
    BadAddress,
    /// Our request or the account's settings are wrong.
    OurRequest,
    /// Registration, filtering or suspension: a person must act at the carrier.
    Registration,
    /// WhatsApp's 24-hour window is closed.
    Window,
    /// Passes by itself: try again later.
    Transient,
}

/// Each code that is known, by class.
pub const CODES: &[(ErrorClass, &[u32])] = &[
    (ErrorClass::OptedOut, &[21610, 63014]),
    (
        ErrorClass::BadAddress,
        &[
            21211, 21612, 21614, 21635, 30003, 30005, 30006, 63003, 63024,
        ],
    ),
    (
        ErrorClass::OurRequest,
        &[
            20003, 20404, 21408, 21602, 21604, 21606, 21608, 21609, 21617, 21621, 21654, 21655,
            21656, 21664, 21666, 21667, 21703, 30029, 30030, 63020, 63021,
        ],
    ),
    (
        ErrorClass::Registration,
        &[
            30002, 30004, 30007, 30032, 30034, 30450, 30610, 30640, 63013,
        ],
    ),
    (ErrorClass::Window, &[63016]),
    (
        ErrorClass::Transient,
        &[
            20429, 20500, 20503, 21611, 30001, 30008, 30036, 30410, 63018,
        ],
    ),
];

/// The class of a code, if the code is known.
pub fn class_of(code: u32) -> Option<ErrorClass> {
    CODES
        .iter()
        .find(|(_, codes)| codes.contains(&code))
        .map(|(class, _)| *class)
}

/// Whether an error code, as a delivery report spells it, says that the person opted out.
pub fn says_opted_out(code: &str) -> bool {
    code.parse().ok().and_then(class_of) == Some(ErrorClass::OptedOut)
}

/// Codes that tell of a number that is gone or another's: unreachable for good, unknown, no mobile
/// any more, no account on this channel.
const GONE: &[u32] = &[21211, 21614, 21635, 30003, 30005, 30006, 63003, 63024];

/// Whether an error code says that the number may belong to nobody or somebody else now.
pub fn says_number_gone(code: &str) -> bool {
    code.parse().is_ok_and(|code| GONE.contains(&code))
}

/// What becomes of a text that the carrier refused with this HTTP status and, where the answer had
/// one, this code. `after_ms` is the carrier's wish.
pub fn ending(status: u16, code: Option<u32>, after_ms: Option<u64>) -> SendOutcome {
    let spelled = code.map_or_else(|| format!("http_{status}"), |code| code.to_string());
    match (code.and_then(class_of), status) {
        (Some(ErrorClass::OptedOut), _) => SendOutcome::Suppress { code: spelled },
        (Some(ErrorClass::Transient), _) | (_, 429 | 503) => SendOutcome::Retry {
            code: spelled,
            after_ms,
        },
        // Something between us and the carrier gave up; the carrier may have taken the text.
        (None, 408 | 500..=599) => SendOutcome::Unknown { code: spelled },
        (
            Some(
                ErrorClass::BadAddress
                | ErrorClass::OurRequest
                | ErrorClass::Registration
                | ErrorClass::Window,
            )
            | None,
            _,
        ) => SendOutcome::Fail { code: spelled },
    }
}
