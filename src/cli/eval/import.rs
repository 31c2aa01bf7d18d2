//! `eval import`: a promptfoo configuration as a suite.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{FINDINGS, HOLDS, NOTHING, refuse};
use crate::eval::import;

/// What `anteroom eval import` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Each test becomes one text of a patient to the whole pipeline. What has no counterpart is listed on
standard error, and never dropped in silence.

Exit codes: 0 all of it was converted; 1 something was left out; 2 the file cannot be read; 4 not
one test could be converted."
)]
pub(super) struct ImportArgs {
    /// The configuration, such as promptfooconfig.yaml.
    config: PathBuf,
    /// Where the suite goes; standard output without it. An existing file is not overwritten.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The variable that holds what the patient writes, where its name does not tell.
    #[arg(long, value_name = "NAME")]
    said: Option<String>,
}

/// Converts.
pub(super) fn import(args: &ImportArgs) -> u8 {
    let shown = args.config.display().to_string();
    let text = match std::fs::read_to_string(&args.config) {
        Ok(text) => text,
        Err(error) => return refuse(&format!("{shown}: {error}")),
    };
    let name = args
        .config
        .file_name()
        .map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
    let imported = match import::import(&name, &text, args.said.as_deref()) {
        Ok(imported) => imported,
        Err(message) => return refuse(&message),
    };
    for line in &imported.left_out {
        eprintln!("left out  {line}");
    }
    let Some(suite) = imported.suite else {
        eprintln!("anteroom: {shown}: not one test could be converted");
        return NOTHING;
    };
    match &args.output {
        None => print!("{suite}"),
        Some(path) if path.exists() => {
            return refuse(&format!(
                "{}: is there already; name another file",
                path.display()
            ));
        }
        Some(path) => {
            if let Err(error) = std::fs::write(path, suite) {
                return refuse(&format!("{}: {error}", path.display()));
            }
        }
    }
    eprintln!(
        "anteroom: {} tests with {} assertions converted, {} things left out",
        imported.tests,
        imported.assertions,
        imported.left_out.len()
    );
    if imported.left_out.is_empty() {
        HOLDS
    } else {
        FINDINGS
    }
}
