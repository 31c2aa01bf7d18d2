//! Models that draft: offline rules, an OpenAI-compatible server, and a script for tests; and the way to a server for others' requests.

pub mod offline;
pub mod openai;
pub mod scripted;
pub mod tokens;
pub mod upstream;
