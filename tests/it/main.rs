//! One test binary: every test of the house, by room.

mod agent;
mod audit;
mod carrier;
mod cli;
mod consent;
mod fhir;
mod fuzz;
mod gold;
mod guardrail;
mod judgement;
mod llm;
mod mutation;
mod pipeline;
mod policy;
mod portal;
mod precision;
mod prompts;
mod properties;
mod screen;
mod seal;
mod simulator;
mod store;
mod support;
mod texts;
mod tidy;
mod webhook;
