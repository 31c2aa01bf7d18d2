//! The law as data: a federal floor, the house's own rules, and an overlay for each state.

pub mod example;
pub mod file;
pub mod params;
pub mod terms;

