//! What the tests share.

#![cfg(test)]

pub(crate) mod app;
pub(crate) mod browser;
pub(crate) mod exim;
pub(crate) mod front;
pub(crate) mod page;
pub(crate) mod postgres;
pub(crate) mod records;
pub(crate) mod sample;
pub(crate) mod server;
pub(crate) mod stores;
pub(crate) mod town;
pub(crate) mod transcript;
