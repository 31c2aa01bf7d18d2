//! Tests of consent.
