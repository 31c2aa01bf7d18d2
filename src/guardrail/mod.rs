//! The way out: finds protected health information in a draft and makes the only text that may leave.
//!
//! Pure, synchronous, infallible: no I/O, no clock, no randomness. Uses `policy` and nothing else
//! of the crate, so that both can be lifted out.
//!
//! Alone, without the rest of the house: [`review::Guardrail::embedded`] once, then
//! [`review::Guardrail::review`] with a [`setting::Setting`] for each draft, from any thread;
//! `examples/review.rs` is the whole of it.

pub mod accumulate;
pub(crate) mod conduct;
pub mod continues;
pub mod detect;
mod disguise;
pub mod finding;
pub mod findings;
pub(crate) mod ground;
#[cfg(feature = "hf")]
pub mod hf;
mod introduce;
pub(crate) mod judge;
pub mod label;
pub(crate) mod minimum;
pub mod review;
pub mod rewrite;
mod scratch;
pub mod segment;
pub mod setting;
mod text;
pub mod wire;
