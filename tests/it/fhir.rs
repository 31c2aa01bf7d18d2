//! Tests of fhir.
