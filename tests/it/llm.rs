//! Tests of llm.
