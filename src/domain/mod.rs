//! The words of the trade: parties, messages, consent and the record, with no I/O in sight.

pub mod agreement;
pub mod alarm;
pub mod birth;
pub mod clock;
pub mod consent;
pub mod conversation;
pub mod dice;
pub mod fault;
pub mod ids;
pub mod json;
pub mod message;
pub mod phi;
pub mod phone;
pub mod practice;
pub mod publication;
pub mod reach;
pub mod record;
pub mod rights;
pub mod secret;
pub mod share;
pub mod sign_on;
pub mod speaker;
pub mod staff;
pub mod waiting;
pub mod webchat;
