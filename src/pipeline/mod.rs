//! The way of a message, a file a step: receive, reply, dispatch, housekeep.
//!
//! A step reads, decides with pure rooms, and commits what it decided together with its audit entry
//! in one transaction. No transaction is open while a model, a record or a carrier is asked.

pub mod alarm;
mod clear;
mod commit;
mod consent;
pub mod dispatch;
mod draft;
pub mod house;
pub mod housekeep;
mod law;
#[cfg(test)]
mod model;
mod outcome;
pub mod papers;
mod person;
mod plan;
pub mod portal;
pub mod receive;
pub mod remind;
pub mod reply;
pub mod report;
pub mod wish;
pub mod work;
