//! What publishing has in common: the practice, the store, the suites of the gate, and its report.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::agent::texts::Texts;
use crate::cli::{FINDINGS, HOLDS, assemble, refuse};
use crate::config::{Config, Loaded};
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::practice::Practice;
use crate::domain::publication::{Published, Verdicts, Version};
use crate::eval::case::Suite;
use crate::eval::gate::{self, Asking, Gate, Progress};
use crate::eval::load;
use crate::guardrail::review::Guardrail;
use crate::llm::offline::Offline;
use crate::pipeline::house::{Carriers, House, Parts};
use crate::screen::Screen;
use crate::store::records::EmbeddedRecords;
use crate::store::{Store, StoreError};

/// How often the progress line is renewed.
const BEAT: Duration = Duration::from_millis(200);

/// What every publish takes for its gate.
#[derive(Debug, Args)]
pub(super) struct Gating {
    /// Stored turns that are judged again, the newest.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(super) replay: u32,
    /// Where the suites lie; without it ./evals where there is one, else those in the program.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The report into a file; its SHA-256 is kept with the version.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Run the gate and publish nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Gating {
    /// What the gate is asked with.
    pub(super) fn asking(&self, practice: &Practice) -> Result<Asking, String> {
        Ok(Asking {
            practice: practice.id.clone(),
            replay: self.replay,
            suites: self.suites()?,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            now: SystemClock.now(),
        })
    }

    fn suites(&self) -> Result<Vec<Suite>, String> {
        let here = Path::new("evals");
        let dir = self
            .dir
            .as_deref()
            .or_else(|| here.is_dir().then_some(here));
        let Some(dir) = dir else {
            return gate::shipped();
        };
        let (files, _) = load::read(dir).map_err(|error| error.to_string())?;
        gate::suites(&files)
    }

    /// Tells what the gate found, and writes it where a report is asked for. The exit code where
    /// nothing is to be published: it is refused, or only tried.
    pub(super) fn closed(&self, gate: &Gate) -> Option<u8> {
        if let Some(path) = &self.report
            && let Err(error) = std::fs::write(path, gate.to_json())
        {
            return Some(refuse(&format!("{}: {error}", path.display())));
        }
        print!("{}", gate.told());
        if let Some(why) = gate.refusal() {
            eprintln!("anteroom: refused: {why}");
            return Some(FINDINGS);
        }
        if self.dry_run {
            eprintln!("anteroom: it would be published (--dry-run)");
            return Some(HOLDS);
        }
        None
    }
}

/// Shows how far the gate is, on a terminal, until it has an answer.
pub(super) async fn watched<T>(
    progress: &Progress,
    answer: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let shows = std::io::stderr().is_terminal();
    let mut answer = std::pin::pin!(answer);
    let mut beat = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            answered = &mut answer => {
                if shows {
                    eprint!("\r\u{1b}[K");
                }
                return answered;
            }
            _ = beat.tick() => {
                let (done, of, wrong) = (progress.done(), progress.of(), progress.wrong());
                if shows && of > 0 {
                    eprint!("\r{done} of {of} cases, {wrong} did not hold \u{1b}[K");
                }
            }
        }
    }
}

/// A practice with the store that it is kept in.
pub(super) struct Opened {
    pub(super) practice: Practice,
    pub(super) store: Store,
    public_url: Url,
    _tracker: TaskTracker,
}

/// Opens the store for a practice of the configuration.
pub(super) async fn open(loaded: &Loaded, practice: Option<&str>) -> Result<Opened, String> {
    let practice = one(&assemble::practices(&loaded.config)?, practice)?;
    let public_url = url(&loaded.config)?;
    let tracker = TaskTracker::new();
    let store = assemble::open_store(&loaded.config, &tracker).await?;
    Ok(Opened {
        practice,
        store,
        public_url,
        _tracker: tracker,
    })
}

fn url(config: &Config) -> Result<Url, String> {
    Url::parse(&config.public_url()).map_err(|error| format!("public_url: {error}"))
}

/// The practice of that id; the only one where none is named.
pub(super) fn one(practices: &[Practice], wanted: Option<&str>) -> Result<Practice, String> {
    let ids: Vec<&str> = practices.iter().map(|it| it.id.as_str()).collect();
    let known = ids.join(", ");
    match (wanted, practices) {
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(format!(
            "name a practice with --practice; there are {known}"
        )),
        (Some(wanted), _) => {
            let found = practices.iter().find(|it| it.id.as_str() == wanted);
            found
                .cloned()
                .ok_or_else(|| format!("there is no practice `{wanted}`; there are {known}"))
        }
    }
}

impl Opened {
    /// The versions of one kind, oldest first.
    pub(super) async fn versions(&self, kind: Published) -> Result<Vec<Version>, StoreError> {
        self.store.versions(&self.practice.id, kind).await
    }

    /// Chains what was appended to the audit log, so that it can be exported and verified at once.
    pub(super) async fn chained(&self) -> Result<(), StoreError> {
        let now = SystemClock.now();
        self.store.sequence_audit(now).await.map(drop)
    }

    /// A house that sends nothing: it only rehearses.
    pub(super) fn house(&self) -> Result<Arc<House>, String> {
        let tell = |error: &dyn std::fmt::Display| error.to_string();
        let practice = Arc::new(self.practice.clone());
        Ok(House::new(Parts {
            store: self.store.clone(),
            clock: Arc::new(SystemClock),
            guardrail: Guardrail::embedded().map_err(|it| tell(&it))?.into(),
            screen: Screen::embedded().map_err(|it| tell(&it))?,
            texts: Texts::embedded().map_err(|it| tell(&it))?,
            records: Arc::new(EmbeddedRecords::new(self.store.clone())),
            model: Arc::new(Offline::new()),
            fallbacks: Vec::new(),
            offline: Arc::new(Offline::new()),
            carriers: Carriers::new(),
            practices: BTreeMap::from([(practice.id.clone(), practice)]),
            public_url: self.public_url.clone(),
            entropy: assemble::entropy(),
            pager: None,
            mail: None,
        }))
    }
}

/// How a version on trial fares, as two lines.
pub(super) fn fares(version: &Version, (new, old): &(Verdicts, Verdicts)) {
    let side = |it: &Verdicts| {
        let drafts = it.pass + it.rewrite + it.hold;
        format!(
            "{drafts} drafts, {} rewritten, {} held",
            it.rewrite, it.hold
        )
    };
    println!("      {} % on trial: {}", version.share, side(new));
    println!("      the others: {}", side(old));
}

/// One version as a line.
pub(super) fn line(version: &Version) {
    println!(
        "{:>4}  {:<11}  {}  {}  digest {:.12}  report {:.12}",
        version.id,
        version.standing.as_str(),
        version.at,
        version.author,
        version.digest,
        version.report
    );
}
