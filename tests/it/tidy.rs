//! Conventions as tests: each is one that the compiler cannot state.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// The floors, lowest first. A room may name rooms on lower floors only, and itself.
const FLOORS: &[&[&str]] = &[
    &["policy"],
    &["domain"],
    &["guardrail", "screen", "seal", "audit", "agent"],
    &["store", "carrier", "llm", "fhir", "mail", "sso"],
    &["pipeline"],
    &["eval"],
    &["web"],
    &["config"],
    &["cli"],
];

/// Rooms that can be lifted out: they use `policy` and nothing else of the crate.
const LIFTED: &[&str] = &["guardrail", "screen"];

/// Each heavy crate has its owners; nobody else may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("aes_gcm", &["seal"]),
    ("aho_corasick", &["policy", "guardrail", "screen"]),
    ("argon2", &["seal"]),
    ("async_openai", &["llm"]),
    ("axum", &["web"]),
    ("candle_core", &["guardrail"]),
    ("candle_nn", &["guardrail"]),
    ("candle_transformers", &["guardrail"]),
    ("clap", &["cli"]),
    ("ed25519_dalek", &["audit"]),
    ("jsonwebtoken", &["fhir", "sso"]),
    ("lettre", &["mail"]),
    ("metrics_exporter_prometheus", &["cli"]),
    ("pdf_writer", &["web"]),
    ("qrcode", &["web"]),
    ("quick_junit", &["eval"]),
    ("regex_automata", &["policy"]),
    ("regex_syntax", &["policy"]),
    ("reqwest", &["carrier", "fhir", "llm", "sso"]),
    ("schemars", &["eval"]),
    ("serde_saphyr", &["eval"]),
    ("similar", &["web"]),
    ("sqlx", &["store"]),
    ("tera", &["agent", "web"]),
    ("tiktoken_rs", &["llm"]),
    ("totp_rs", &["seal"]),
    ("tokenizers", &["guardrail", "llm"]),
];

/// Calls that have a better name here. `(text, where it is right, what to use)`.
const BANNED: &[(&str, &[&str], &str)] = &[
    (
        "Timestamp::now(",
        &["src/domain/clock.rs"],
        "take a `Clock`",
    ),
    ("FIXME", &[], "do it, or write an issue"),
    ("TODO", &[], "do it, or write an issue"),
    ("#[ignore", &[], "a test runs or does not exist"),
    (
        "\\b(?u",
        &[],
        "a Unicode word boundary costs 75 us: use (?-u:\\b)",
    ),
];

/// Lines that a file may have; beyond, it owns two things.
const LINES_MAX: usize = 500;

#[test]
fn rooms_import_downwards_only() {
    let mut errors = Vec::new();
    for path in sources(Path::new("src")) {
        let room = room_of(&path);
        let Some(floor) = floor_of(&room) else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for used in text.split("crate::").skip(1).map(first_word) {
            let below = floor_of(used).is_some_and(|below| below < floor);
            let allowed =
                used == room || (below && (!LIFTED.contains(&room.as_str()) || used == "policy"));
            if !allowed {
                errors.push(format!(
                    "{}: `{room}` must not use `{used}`",
                    path.display()
                ));
            }
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn heavy_crates_have_one_owner() {
    let mut errors = Vec::new();
    for path in sources(Path::new("src")) {
        let room = room_of(&path);
        let text = fs::read_to_string(&path).unwrap();
        for (krate, owners) in OWNERS {
            let named = text.match_indices(&format!("{krate}::")).any(|(at, _)| {
                !text
                    .split_at(at)
                    .0
                    .ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            if named && !owners.contains(&room.as_str()) {
                errors.push(format!(
                    "{}: `{krate}` belongs to `{}`",
                    path.display(),
                    owners[0]
                ));
            }
        }
        if text.contains("crate::{") {
            errors.push(format!(
                "{}: one `use crate::room` a line, so that floors are greppable",
                path.display()
            ));
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_stays_small() {
    let mut errors = Vec::new();
    for path in sources(Path::new("src")) {
        let text = fs::read_to_string(&path).unwrap();
        if !text.starts_with("//!") {
            errors.push(format!(
                "{}: begin with a `//!` line that says what it owns",
                path.display()
            ));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            errors.push(format!(
                "{}: {lines} lines; split by responsibility",
                path.display()
            ));
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn banned_calls_are_absent_and_their_replacement_is_named() {
    let mut errors = Vec::new();
    for path in sources(Path::new("src")) {
        let text = fs::read_to_string(&path).unwrap();
        for (banned, right, instead) in BANNED {
            let here = path.display().to_string();
            if text.contains(banned) && !right.contains(&here.as_str()) {
                errors.push(format!("{here}: `{banned}`: {instead}"));
            }
        }
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn the_map_names_every_room() {
    let map = fs::read_to_string("src/lib.rs").unwrap();
    for entry in fs::read_dir("src").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "main"].contains(&name.as_str()) {
            continue;
        }
        assert!(floor_of(&name).is_some(), "`{name}` stands on no floor");
        assert!(
            map.contains(&format!("//! {name}")),
            "src/lib.rs: the map lacks `{name}`"
        );
    }
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn room_of(path: &Path) -> String {
    let second = path
        .components()
        .nth(1)
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    second.trim_end_matches(".rs").to_owned()
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn first_word(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    text.split_at(end).0
}
