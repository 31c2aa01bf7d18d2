//! Trains the readers of sentences, measures them, or tells what they make of a text; `make sentences`
//! and `docs/sentences.md`.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a desk: a mistake may end it"
)]

mod measure;
mod recipe;

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anteroom::policy::fold::fold;
use anteroom::policy::linear::Model;
use anteroom::policy::sentence;

const USAGE: &str = "usage: train_sentences [--data DIR] [--evals DIR] [--out DIR] [--provenance FILE] \
                     [--seed N], or train_sentences [--data DIR] --measure NAME, or train_sentences --explain TEXT";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("train_sentences: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let mut how = recipe::SETTINGS;
    let mut data: Option<PathBuf> = None;
    let mut evals = PathBuf::from("evals");
    let mut out = PathBuf::from("guardrails");
    let mut provenance: Option<PathBuf> = None;
    let mut measured: Option<String> = None;
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given
            .next()
            .ok_or_else(|| format!("{name} needs a value; {USAGE}"))?;
        let wrong = |error: &dyn Display| format!("{name} {value}: {error}");
        match name.as_str() {
            "--data" => data = Some(value.into()),
            "--evals" => evals = value.into(),
            "--out" => out = value.into(),
            "--provenance" => provenance = Some(value.into()),
            "--seed" => how.seed = value.parse().map_err(|error| wrong(&error))?,
            "--measure" => measured = Some(value),
            "--explain" => return explain(&out, &value),
            _ => return Err(format!("{name} is unknown; {USAGE}")),
        }
    }
    if let Some(dir) = data.as_deref().filter(|dir| !dir.is_dir()) {
        return Err(format!("--data {}: no such folder", dir.display()));
    }
    if let Some(name) = measured {
        let reader = recipe::READERS.iter().find(|it| it.name == name);
        let reader = reader.ok_or("--measure takes alarms or advice")?;
        return measure::run(reader, how, &evals, data.as_deref());
    }
    let write = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut told = Vec::new();
    for reader in &recipe::READERS {
        let trained = recipe::train(reader, how, 1, &evals, data.as_deref())?;
        write(&out.join(format!("{}.model", reader.name)), &trained.model)?;
        told.push(trained.provenance);
    }
    let told = told.join("\n");
    if let Some(path) = &provenance {
        write(path, told.as_bytes())?;
    }
    print!("{told}");
    Ok(())
}

/// By how much each label of each reader leads, and what it needs to be told.
fn explain(dir: &Path, text: &str) -> Result<(), String> {
    for reader in &recipe::READERS {
        let file = dir.join(format!("{}.model", reader.name));
        let bytes = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let model = Model::read(reader.shape, &file.to_string_lossy(), &bytes);
        let model = model.map_err(|error| error.to_string())?;
        let leads = sentence::read(&model, &fold(text));
        for (label, name) in reader.shape.labels.iter().enumerate().skip(1) {
            println!(
                "{:8} {name:10} {:6} of {}",
                reader.name,
                leads[label],
                model.thresholds()[label]
            );
        }
    }
    Ok(())
}
