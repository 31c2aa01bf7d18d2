//! The conversation machine, sans-I/O: events in, actions out; and the ports it needs.

pub mod choice;
pub mod facts;
mod handed;
pub mod layer;
pub mod machine;
pub mod opening;
pub mod ports;
pub mod prompts;
pub mod recording;
pub mod references;
pub mod run;
pub mod sayings;
pub mod texts;
pub mod tools;
mod turn;
mod veil;
pub mod when;

pub use handed::record_down;
pub use machine::Limits;
pub use run::Input;
pub use run::Outcome;
pub use run::ToolUse;
pub use run::run;
pub use run::run_reviewed;
