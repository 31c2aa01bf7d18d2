//! Models that draft: offline rules, an OpenAI-compatible server, a script for tests, and a breaker around them; and the way to a server for others' requests.

pub mod breaker;
pub mod offline;
pub mod openai;
pub mod scripted;
pub mod tokens;
pub mod upstream;
