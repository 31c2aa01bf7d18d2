//! Tests of the fixed texts.
