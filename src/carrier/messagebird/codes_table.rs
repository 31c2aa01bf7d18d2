//! `MessageBird`'s error codes as data: those of status reports
//! (<https://docs.bird.com/api/channels-api/message-status-and-interactions/message-failure-sources/sms-platform-extended-error-codes>),
//! and those of refused requests as `rest_N`.

use crate::carrier::codes::{Codes, ErrorClass};

/// Each code that is known, by class.
pub const CODES: Codes = &[
    (ErrorClass::OptedOut, &["103"]),
    // Unknown and unidentified subscribers.
    (ErrorClass::Gone, &["1", "5"]),
    // Absent subscriber, as networks number it (3GPP TS 29.002).
    (ErrorClass::Unreachable, &["6", "27"]),
    (
        ErrorClass::BadAddress,
        &["2", "3", "9", "11", "12", "13", "21"],
    ),
    (
        ErrorClass::OurRequest,
        // Access denied, missing or invalid parameter, not found, no credit.
        &[
            "rest_2", "rest_9", "rest_10", "rest_20", "rest_21", "rest_25",
        ],
    ),
    (ErrorClass::Registration, &["104", "105"]),
    (
        ErrorClass::Transient,
        &["rest_98", "rest_99", "31", "34", "106", "107"],
    ),
];
