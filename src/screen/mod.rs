//! The way in: what a patient's text asks for, decided by rules before any model sees it.
