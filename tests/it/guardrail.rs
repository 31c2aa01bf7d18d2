//! Tests of guardrail.
