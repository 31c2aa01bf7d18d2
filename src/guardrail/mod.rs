//! The way out: finds protected health information in a draft and makes the only text that may leave.
