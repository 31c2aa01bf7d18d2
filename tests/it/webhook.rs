//! Tests of webhook.
