//! An AI chat-agent runtime with compliance guardrails for medical practices whose patients text them.
//!
//! A patient's text is answered by an agent, and nothing leaves until it is **cleared**: checked for
//! protected health information (PHI), cut to the minimum necessary, grounded in the record, and
//! permitted by the patient's consent. Clinical detail goes behind a secure-portal link.
//!
//! # The map
//!
//! Imports go down only; rooms on one floor do not see each other; one heavy crate has one owner.
//! `tests/it/tidy.rs` checks it.
//!
//! ```text
//! cli        one file a command; the only place that prints                        floor 8
//! config     one commented TOML with the defaults embedded, environment over file  floor 7
//! web        the only owner of axum: webhooks, simulator, portal, gateway          floor 6
//! eval       suites of cases, assertions, figures, reports; the gate               floor 5
//! pipeline   receive, reply, commit, dispatch, housekeep; a file a step            floor 4
//! store      the only owner of sqlx: one SQL text, SQLite and PostgreSQL           floor 3
//! carrier    carrier HTTP: signatures, errors -> Retry | Fail | Suppress           floor 3
//! llm        models: offline rules, OpenAI-compatible, scripted                    floor 3
//! fhir       R4 resources to the words of the trade                                floor 3
//! mail       one relay for e-mail: SMTP over TLS, bounces; nothing of health in it   floor 3
//! sso        single sign-on: one OpenID provider of one practice                   floor 3
//! guardrail  the way out: findings, grounding, minimum necessary, Cleared; pure    floor 2
//! screen     the way in: keywords, emergencies, injection, language; pure          floor 2
//! agent      the conversation machine, sans-I/O; tools; prompts; its ports         floor 2
//! seal       envelope encryption: AES-256-GCM, data keys, AAD                      floor 2
//! audit      entries, hash chain, signed checkpoints, verify; pure                 floor 2
//! domain     words of the trade: parties, messages, consent, the record            floor 1
//! policy     what may be said, as data; the words that rules use                   floor 0
//! ```
//!
//! `domain` stands one floor above `policy` so that channel, language and state have one spelling;
//! `guardrail` and `screen` use `policy` and nothing else, so that they can be lifted out.
//!
//! # The way of a message
//!
//! ```text
//! carrier HTTP -> web::webhook -> signature, parse -> Inbound
//!    -> pipeline::receive   [one Tx: dedupe, screen, consent event, turn, audit entry, reply job] -> 200
//!    -> pipeline::reply     lease -> fixed text | agent::run (step <-> Model / Tool) -> draft
//!                           -> guardrail::review -> Pass, Rewrite -> Cleared | Hold
//!    -> pipeline::commit    [one Tx: fence, outbox row, portal message, hold, audit entry]
//!    -> pipeline::dispatch  lease -> fence, consent, quiet hours, agreement -> Carrier::send
//!                           -> [one Tx: attempt, audit entry]
//! carrier status webhook -> Delivery
//! ```
//!
//! # The promise (architecture invariants)
//!
//! 1. **Only `Cleared` text can be enqueued.** Its constructor is private to `guardrail::rewrite`;
//!    `store::Tx::enqueue` takes nothing else.
//! 2. **PHI needs a `ConsentProof`.** The type demands it, a database constraint demands it, and
//!    dispatch checks it again.
//! 3. **The guardrail does no I/O, reads no clock, draws no random number, cannot fail and does not
//!    panic.** Same text, setting and policy digest: same bytes out.
//! 4. **Doubt holds.** A caught panic, an exceeded limit, an unknown category, channel or state
//!    gives `Hold`, never `Pass`. "Nothing was examined" is never a pass.
//! 5. **Rules only tighten.** The strictest of all that apply wins, in `Pass < Rewrite < Hold`.
//! 6. **Review is idempotent.** Reviewing cleared text in the same setting gives `Pass`.
//! 7. **The fence.** A conversation carries an epoch; STOP, a consent change or a human taking over
//!    raises it; a text cleared under an older epoch never leaves.
//! 8. **The record is the source of every fact.** Dates, times, people, places, phone numbers and
//!    links in a draft equal a value that a tool or the practice's public facts gave; "booked" and
//!    "cancelled" need a receipt.
//! 9. **No transaction is held across a network call.** Work is leased by a row with an expiry.
//! 10. **Every state change and its audit entry share one transaction.** No entry, no change.
//! 11. **PHI never reaches a log, a span, a metric, a panic message, an error or a plain-text column.**
//!     `Phi<T>` has no `Display`, no revealing `Debug`, no `Serialize`.
//! 12. **Everything has a limit**, a named constant with its reason.
//! 13. **Time and randomness are parameters.**
//! 14. **An inbound text has exactly one committed outcome**: a reply, a hold for staff, or a
//!     recorded reason for silence. After STOP: one confirmation, then nothing.

pub mod agent;
pub mod audit;
pub mod carrier;
pub mod cli;
pub mod config;
pub mod domain;
pub mod eval;
pub mod fhir;
pub mod guardrail;
pub mod llm;
pub mod mail;
pub mod pipeline;
pub mod policy;
pub mod screen;
pub mod seal;
pub mod sso;
pub mod store;
pub mod web;
