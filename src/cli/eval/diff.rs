//! `eval diff`: two JSON reports compared.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{FINDINGS, HOLDS, refuse};
use crate::eval::diff::{Read, diff as compare};

/// What `anteroom eval diff` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing got worse; 1 a case that held does not hold any more, or is gone; 2 a report cannot be read."
)]
pub(super) struct DiffArgs {
    /// The report of before, as `anteroom eval -o report.json` wrote it.
    before: PathBuf,
    /// The report of now.
    now: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Compares.
pub(super) fn diff(args: &DiffArgs) -> u8 {
    let (before, now) = match (read(&args.before), read(&args.now)) {
        (Ok(before), Ok(now)) => (before, now),
        (Err(message), _) | (_, Err(message)) => return refuse(&message),
    };
    let found = compare(&before, &now);
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&found).unwrap_or_default()
        );
    } else {
        print!("{}", found.told());
    }
    eprintln!(
        "anteroom: {} cases and {} figures changed",
        found.cases.len(),
        found.figures.len()
    );
    if found.worse() { FINDINGS } else { HOLDS }
}

fn read(path: &Path) -> Result<Read, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("{shown}: {error}; name a report that `anteroom eval -o report.json` wrote")
    })?;
    Read::parse(&text).map_err(|error| format!("{shown}: {error}"))
}
