//! Tests of portal.
