//! The front door: webhooks, the phone simulator, the portal, the guarded gateway, and the pages' own files.

pub(crate) mod assets;
pub(crate) mod bounce;
pub(crate) mod chat;
pub(crate) mod completion;
pub mod console;
pub(crate) mod edge;
pub mod fake;
mod form;
pub mod gate;
pub(crate) mod guard;
pub(crate) mod health;
pub(crate) mod home;
pub mod json;
pub mod message;
pub mod openapi;
pub(crate) mod pages;
pub mod port;
pub(crate) mod portal;
pub mod problem;
pub mod router;
pub mod serve;
pub mod set_up;
pub mod simulator;
pub(crate) mod webhook;
mod widget;
