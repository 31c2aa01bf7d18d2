//! The console: who gets in, what each role may do, and what staff do in a conversation.

#![cfg(test)]

mod beside;
mod browser;
mod compliance;
mod desk;
mod hand;
mod policy;
mod prompts;
mod sign;
mod table;
mod triage;
