//! The conversation machine, sans-I/O: events in, actions out; and the ports it needs.

pub mod ports;
pub mod texts;
pub mod tools;
