//! What may be said, as data: rules with citations, compiled once, and the words they use.

pub mod words;
