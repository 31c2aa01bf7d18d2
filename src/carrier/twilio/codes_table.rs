//! Twilio's error codes as data (<https://www.twilio.com/docs/api/errors>).

use crate::carrier::codes::{Codes, ErrorClass};

/// Each code that is known, by class.
pub const CODES: Codes = &[
    // 21610 also comes for numbers that Compliance Toolkit knows to have been reassigned.
    (ErrorClass::OptedOut, &["21610", "63014"]),
    (
        ErrorClass::Gone,
        &[
            "21211", "21614", "21635", "30005", "30006", "63003", "63024",
        ],
    ),
    // Switched off or out of service; 30005 is the number that nobody knows.
    (ErrorClass::Unreachable, &["30003"]),
    (ErrorClass::BadAddress, &["21612"]),
    (
        ErrorClass::OurRequest,
        &[
            "20003", "20404", "21408", "21602", "21604", "21606", "21608", "21609", "21617",
            "21621", "21654", "21655", "21656", "21664", "21666", "21667", "21703", "21711",
            "30029", "30030", "63020", "63021",
        ],
    ),
    (
        ErrorClass::Registration,
        &[
            "30002", "30004", "30007", "30032", "30034", "30450", "30610", "30640", "63013",
        ],
    ),
    (ErrorClass::Window, &["63016"]),
    // Its validity ended in the queue: whether it is still of use is a new decision.
    (ErrorClass::Expired, &["30036"]),
    (
        ErrorClass::Transient,
        &[
            "20429", "20500", "20503", "21611", "30001", "30008", "30410", "63018",
        ],
    ),
];
