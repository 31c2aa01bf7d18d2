//! Tests of carrier.
