//! Trains the tagger, or tells what it makes of a text; `make tagger` and `docs/tagger.md`.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a desk: a mistake may end it"
)]

mod recipe;

use std::fmt::Display;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anteroom::guardrail::detect::tagger;
use anteroom::policy::Policy;
use anteroom::policy::tagger::LABELS;

const USAGE: &str = "usage: train_tagger [--data DIR] [--out FILE] [--provenance FILE] [--seed N] \
                     [--generated N], or train_tagger --explain TEXT";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("train_tagger: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let policy = Policy::embedded().map_err(|error| error.to_string())?;
    let mut how = recipe::SETTINGS;
    let mut generated = recipe::GENERATED;
    let mut data: Option<PathBuf> = None;
    let mut out = PathBuf::from("guardrails/tagger.model");
    let mut provenance: Option<PathBuf> = None;
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given
            .next()
            .ok_or_else(|| format!("{name} needs a value; {USAGE}"))?;
        let wrong = |error: &dyn Display| format!("{name} {value}: {error}");
        match name.as_str() {
            "--data" => data = Some(value.into()),
            "--out" => out = value.into(),
            "--provenance" => provenance = Some(value.into()),
            "--seed" => how.seed = value.parse().map_err(|error| wrong(&error))?,
            "--generated" => generated = value.parse().map_err(|error| wrong(&error))?,
            "--explain" => {
                explain(&policy, &value);
                return Ok(());
            }
            _ => return Err(format!("{name} is unknown; {USAGE}")),
        }
    }
    if let Some(dir) = data.as_deref().filter(|dir| !dir.is_dir()) {
        return Err(format!("--data {}: no such folder", dir.display()));
    }
    let trained = recipe::train(&policy, how, generated, data.as_deref())?;
    let write = |path: &PathBuf, bytes: &[u8]| {
        fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    write(&out, &trained.model)?;
    if let Some(path) = &provenance {
        write(path, trained.provenance.as_bytes())?;
    }
    print!("{}", trained.provenance);
    Ok(())
}

/// What the tagger makes of each word, and by how much it leads the next best.
fn explain(policy: &Policy, text: &str) {
    for word in tagger::examples(policy, text) {
        let (label, lead) = word.told;
        let told = if word.candidate {
            format!("{} by {lead}", LABELS[label])
        } else {
            "not asked".to_owned()
        };
        println!("{:24} {told}", &text[word.span]);
    }
}
