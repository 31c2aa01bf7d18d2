//! Bird's error codes as data: words on the platform, numbers on the Channels API.

use crate::carrier::codes::{Codes, ErrorClass};

/// Each code that is known, by class.
pub const CODES: Codes = &[
    (
        ErrorClass::OptedOut,
        &["recipient_opted_out", "blocked_by_recipient", "103"],
    ),
    (
        ErrorClass::Gone,
        &["landline_unreachable", "invalid_destination", "1", "5"],
    ),
    // Absent subscriber, as networks number it (3GPP TS 29.002).
    (ErrorClass::Unreachable, &["6", "27"]),
    (
        ErrorClass::BadAddress,
        &["2", "3", "9", "11", "12", "13", "21"],
    ),
    (
        ErrorClass::OurRequest,
        &["SMSUnsupportedFeature", "unauthorized", "invalid_request"],
    ),
    (
        ErrorClass::Registration,
        &[
            "blocked_by_carrier",
            "sender_unregistered",
            "content_rejected",
            "104",
            "105",
        ],
    ),
    (
        ErrorClass::Transient,
        &["provider_unavailable", "31", "34", "106", "107"],
    ),
];
