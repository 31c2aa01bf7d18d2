//! Evals: suites of cases against the detector, the screen, the guardrail, the whole pipeline and
//! prompts; deterministic where it can be, statistical where it must be, local always.

pub mod assertion;
pub mod baseline;
pub mod case;
pub mod crowd;
pub mod diff;
mod embedded;
pub mod gate;
mod grade;
pub mod import;
pub mod inventory;
mod judge;
mod level;
pub mod load;
pub mod matrix;
pub mod models;
pub mod preview;
pub mod redteam;
pub mod report;

pub mod run;
pub mod score;
pub mod shadow;
mod stage;
pub mod suite;
pub mod totals;
