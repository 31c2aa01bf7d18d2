//! The embedded record.
