//! What the set-up pages of the console ask of the configuration: findings, a judgement, a place.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use crate::agent::ports::BoxFuture;
use crate::cli::doctor::{self, Finding};
use crate::config::{self, Loaded};
use crate::store::Store;
use crate::web::set_up::{Examined, Mark, SetUp};

/// The configuration that this server runs with.
#[derive(Debug)]
pub(super) struct Running {
    /// As it was loaded.
    pub(super) loaded: Loaded,
    /// What is open already, and what an embedded database opens once only.
    pub(super) store: Store,
}

impl Running {
    fn file(&self) -> PathBuf {
        let usual = || PathBuf::from("anteroom.toml");
        self.loaded.file.clone().unwrap_or_else(usual)
    }
}

impl SetUp for Running {
    fn examine(&self) -> BoxFuture<'_, Vec<Examined>> {
        Box::pin(async move {
            let found = doctor::examine(&self.loaded, Some(&self.store)).await;
            let told = found.into_iter().map(|(what, finding)| {
                let (mark, text) = match finding {
                    Finding::Good(text) => (Mark::Good, text),
                    Finding::Note(text) => (Mark::Note, text),
                    Finding::Bad(text) => (Mark::Bad, text),
                };
                Examined { what, mark, text }
            });
            told.collect()
        })
    }

    fn check(&self, file: &str) -> Result<(), String> {
        config::check_text(file).map_err(|error| error.to_string())
    }

    fn place(&self) -> (String, bool) {
        let file = self.file();
        let whole = std::path::absolute(&file).unwrap_or(file);
        (whole.display().to_string(), whole.exists())
    }

    fn write(&self, file: &str) -> Result<(), String> {
        let path = self.file();
        let tell = |error: std::io::Error| {
            format!(
                "{}: {error}; copy the lines below into a file and name it with --config",
                path.display()
            )
        };
        // Never over a configuration that somebody wrote.
        let mut options = std::fs::OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        let mut opened = options.open(&path).map_err(tell)?;
        let written = opened.write_all(file.as_bytes());
        written.and_then(|()| opened.sync_all()).map_err(tell)
    }
}
