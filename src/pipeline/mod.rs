//! The way of a message, a file a step: receive, reply, dispatch, housekeep.
//!
//! A step reads, decides with pure rooms, and commits what it decided together with its audit entry
//! in one transaction. No transaction is open while a model, a record or a carrier is asked.

pub mod accounts;
pub mod again;
pub mod alarm;
pub mod attachments;
pub mod breach;
pub mod catch_up;
mod clear;
mod closing;
mod commit;
pub mod company;
mod consent;
mod copies;
pub mod desk;
pub mod desk_review;
mod desk_secure;
pub mod dispatch;
mod door;
mod draft;
mod handoff;
mod hours;
pub mod house;
pub mod housekeep;
pub mod in_force;
mod interim;
mod law;
pub mod mail;
pub mod mail_choice;
pub mod media;
mod missed;
#[cfg(test)]
mod model;
mod models;
mod outcome;
pub mod outreach;
pub mod pace;
mod page;
pub mod papers;
mod person;
mod plan;
mod policy_trial;
pub mod portal;
mod portal_code;
pub mod portal_room;
pub mod price;
pub mod receive;
pub mod rehearse;
pub mod remind;
pub mod replay;
pub mod reply;
pub mod report;
pub mod seed;
pub mod set_up;
mod shelter;
pub mod sign_in;
pub mod single;
pub mod triage;
pub mod trial_text;
mod waitlist;
mod ward;
pub mod window;
pub mod wish;
mod wording;
pub mod work;
