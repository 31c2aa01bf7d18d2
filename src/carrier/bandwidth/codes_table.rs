//! Bandwidth's error codes as data (<https://dev.bandwidth.com/docs/messaging/errors/>), and the
//! words of its refusals.

use crate::carrier::codes::{Codes, ErrorClass};

/// Each code that is known, by class.
pub const CODES: Codes = &[
    (ErrorClass::OptedOut, &["4775", "4482", "4772"]),
    // Destination invalid, and no such subscriber.
    (ErrorClass::Gone, &["4720", "4721"]),
    (
        ErrorClass::BadAddress,
        &["4303", "4350", "4404", "4406", "4701", "4702", "4753"],
    ),
    (
        ErrorClass::OurRequest,
        &[
            "request-validation",
            "4001",
            "4302",
            "4401",
            "4403",
            "4405",
            "4407",
            "4410",
            "4411",
            "4412",
            "4421",
            "4431",
            "4432",
            "4433",
            "4434",
            "4435",
            "4451",
            "4452",
            "4493",
            "4711",
            "4712",
        ],
    ),
    (
        ErrorClass::Registration,
        &[
            "4470", "4750", "4751", "4752", "4770", "4771", "4773", "4774", "4780", "4781", "4785",
            "4795",
        ],
    ),
    (ErrorClass::Expired, &["4360"]),
    (ErrorClass::InDoubt, &["9902", "9999"]),
    (
        ErrorClass::Transient,
        &[
            "max-message-queue-size-exceeded",
            "5100",
            "5101",
            "5102",
            "5103",
            "5106",
            "5111",
            "5201",
            "5211",
            "5212",
            "5213",
            "5220",
            "5221",
            "5231",
            "5500",
            "5501",
            "5600",
            "5610",
            "5620",
            "5630",
            "5650",
            "5999",
        ],
    ),
];
