//! FHIR R4 resources to the words of the trade.

pub mod bundle;
