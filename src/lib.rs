//! An AI chat-agent runtime with compliance guardrails for medical practices whose patients text them.

pub mod agent;
pub mod audit;
pub mod carrier;
pub mod cli;
pub mod config;
pub mod domain;
pub mod fhir;
pub mod guardrail;
pub mod llm;
pub mod pipeline;
pub mod policy;
pub mod screen;
pub mod seal;
pub mod store;
pub mod web;
