//! FHIR R4: a Bundle to load, and a server as the record of a practice.

pub mod bundle;
pub mod capability;
mod client;
mod directory;
pub mod fault;
mod names;
mod people;
pub mod records;
mod requests;
mod resource;
pub mod sign_in;
mod visits;
