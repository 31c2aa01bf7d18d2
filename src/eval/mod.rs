//! Evals: suites of cases against the detector, the screen, the guardrail, the whole pipeline and
//! prompts; deterministic where it can be, statistical where it must be, local always.

pub mod assertion;
pub mod baseline;
pub mod case;
mod embedded;
mod grade;
pub mod inventory;
mod judge;
mod level;
pub mod load;
pub mod redteam;
pub mod report;

pub mod run;
pub mod score;
mod stage;
pub mod suite;
