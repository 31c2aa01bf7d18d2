//! Models that draft: offline rules, an OpenAI-compatible server, and a script for tests.

pub mod offline;
pub mod openai;
pub mod scripted;
pub mod tokens;
