//! Bird's error codes as data: words on the platform, numbers on the Channels API.

use crate::carrier::codes::{Codes, ErrorClass};

/// Each code that is known, by class.
pub const CODES: Codes = &[
    (
        ErrorClass::OptedOut,
        &[
            "recipient_opted_out",
            "blocked_by_recipient",
            "recipient_suppressed",
            "103",
        ],
    ),
    (
        ErrorClass::Gone,
        &["landline_unreachable", "invalid_destination", "1", "5"],
    ),
    // Absent subscriber, as networks number it (3GPP TS 29.002).
    (
        ErrorClass::Unreachable,
        &["unreachable", "undeliverable", "6", "27"],
    ),
    (
        ErrorClass::BadAddress,
        &["SMSInvalidRecipient", "2", "3", "9", "11", "12", "13", "21"],
    ),
    (
        ErrorClass::OurRequest,
        &[
            "SMSUnsupportedFeature",
            "SMSSenderNotConfigured",
            "unauthorized",
            "invalid_request",
            "insufficient_balance",
            "price_not_found",
            "media_rejected",
        ],
    ),
    (
        ErrorClass::Registration,
        &[
            "blocked_by_carrier",
            "blocked_by_fraud_protection",
            "sender_unregistered",
            "SenderCategoryNotPermitted",
            "content_rejected",
            "104",
            "105",
        ],
    ),
    (ErrorClass::Window, &["service_window_expired"]),
    (
        ErrorClass::Transient,
        &[
            "provider_unavailable",
            "internal_error",
            "rate_limited",
            "31",
            "34",
            "106",
            "107",
        ],
    ),
];
