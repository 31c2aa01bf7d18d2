//! The console: who gets in, what each role may do, and what staff do in a conversation.

#![cfg(test)]

mod beside;
mod breach;
mod browser;
mod compliance;
mod desk;
mod explorer;
mod gallery;
pub(crate) mod hand;
mod head;
mod held;
mod looks;
mod overlay;
mod overview;
mod policy;
mod prompts;
mod rights;
mod search;
mod secure;
mod setup;
mod sign;
mod table;
mod triage;
mod waiting;
