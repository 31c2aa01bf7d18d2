//! `prompt`: versions of what is said; nothing goes live but through the gate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::agent::prompts::{Prompts, Sources, Wording};
use crate::cli::publish::{self, Gating, Opened};
use crate::cli::{HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::ids::PracticeId;
use crate::domain::publication::{BUILT_IN, Content, NewVersion, Published, Standing};
use crate::eval::gate::{self, Gate};
use crate::store::{RolledBack, StoreError};

/// Largest file that is read: a template may have 6,000 characters.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What is done with prompts.
#[derive(Debug, Subcommand)]
pub(super) enum PromptCommand {
    /// Publish the templates in a folder, once the suites and a rehearsal of stored texts let them
    /// pass.
    #[command(
        after_help = "The folder is shaped like prompts/: en/visit.tera, es/visit.tera, ... Files that are absent stay
as they are built in, so a version is everything that differs.

Examples:
  anteroom prompt publish my-prompts --by \"R. Vega\" --note \"warmer farewell\"
  anteroom prompt publish my-prompts --by \"R. Vega\" --canary 10
  anteroom prompt publish my-prompts --by \"R. Vega\" --dry-run

Exit codes: 0 published (or would be); 1 refused; 2 usage; 3 an error on the way; 4 nothing differs."
    )]
    Publish(Box<Publish>),
    /// List the versions of a practice, the newest last.
    List {
        /// Whose; may be left out where there is one practice.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
    },
    /// Print what a version changes; without a number, the one in force.
    Show {
        /// Its number, from `prompt list`; 0 is the program's own.
        version: Option<i64>,
        /// Whose; may be left out where there is one practice.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
    },
    /// Put the version on trial in force for every conversation.
    Promote {
        /// Whose; may be left out where there is one practice.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
        /// Who decides.
        #[arg(long, value_name = "NAME")]
        by: String,
    },
    /// End a trial, or go back to the version before.
    Rollback {
        /// To this version instead; 0 is the program's own.
        #[arg(long, value_name = "NUMBER")]
        to: Option<i64>,
        /// Whose; may be left out where there is one practice.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
        /// Who decides.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why.
        #[arg(long, value_name = "TEXT", default_value = "taken back by hand")]
        why: String,
    },
}

/// What is published.
#[derive(Debug, Args)]
pub(super) struct Publish {
    /// A folder shaped like prompts/.
    folder: PathBuf,
    /// Whose; may be left out where there is one practice.
    #[arg(long, value_name = "ID")]
    practice: Option<String>,
    /// Who publishes.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why, for those who read the versions later.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Try it on this share of the conversations first, in hundredths; it is taken back by itself
    /// when its rate of holds or rewrites leaves the band around the others'.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    canary: Option<u8>,
    #[command(flatten)]
    gating: Gating,
}

/// Does it.
pub(super) async fn prompt(loaded: &Loaded, command: &PromptCommand) -> u8 {
    let asked = match command {
        PromptCommand::Publish(it) => &it.practice,
        PromptCommand::List { practice }
        | PromptCommand::Show { practice, .. }
        | PromptCommand::Promote { practice, .. }
        | PromptCommand::Rollback { practice, .. } => practice,
    };
    let opened = match publish::open(loaded, asked.as_deref()).await {
        Ok(opened) => opened,
        Err(message) => return refuse(&message),
    };
    let done = match command {
        PromptCommand::Publish(it) => Box::pin(publish_one(&opened, it)).await,
        PromptCommand::List { .. } => list(&opened).await,
        PromptCommand::Show { version, .. } => show(&opened, *version).await,
        PromptCommand::Promote { by, .. } => promote(&opened, by).await,
        PromptCommand::Rollback { to, by, why, .. } => {
            roll_back(&opened, *to, (by.as_str(), why.as_str())).await
        }
    };
    let chained = opened.chained().await;
    let done = done.and_then(|code| chained.map(|()| code));
    done.unwrap_or_else(|error| {
        eprintln!("anteroom: {error}");
        NO_VERDICT
    })
}

async fn publish_one(opened: &Opened, args: &Publish) -> Result<u8, StoreError> {
    if args.by.trim().is_empty() {
        return Ok(refuse("--by is empty; name who publishes"));
    }
    let files = match read(&args.folder) {
        Ok(files) => files,
        Err(message) => return Ok(refuse(&message)),
    };
    let before = gate::wording_in_force(&opened.store, &opened.practice.id).await?;
    let (old, new) = match (before.prompts(), Prompts::with(&files)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) => return Ok(refuse(&error.to_string())),
        (_, Err(error)) => {
            return Ok(refuse(&format!("{}: {error}", args.folder.display())));
        }
    };
    let changed = gate::changed(old, &new);
    if changed.is_empty() {
        eprintln!(
            "anteroom: {}: nothing differs from what is in force",
            args.folder.display()
        );
        return Ok(NOTHING);
    }
    for place in &changed {
        eprintln!("changes  {place}");
    }
    let digest = new.digest();
    let content = Content {
        files: gate::differing(&new),
        note: args.note.clone(),
    };
    let after = Wording::published(new);
    let gate = match gated(opened, args, (&before, &after)).await {
        Ok(gate) => gate,
        Err(message) => {
            eprintln!("anteroom: {message}");
            return Ok(NO_VERDICT);
        }
    };
    if let Some(code) = args.gating.closed(&gate) {
        return Ok(code);
    }
    let version = NewVersion {
        kind: Published::Prompt,
        author: args.by.trim().to_owned(),
        digest,
        report: gate.report_digest(),
        trial: args.canary,
        content,
    };
    let now = SystemClock.now();
    let id = opened
        .store
        .publish(&opened.practice.id, &version, now)
        .await?;
    let how = match args.canary {
        Some(share) => format!("on trial for {share} % of the conversations"),
        None => "in force".to_owned(),
    };
    println!(
        "version {id} of `{}` is {how}; digest {}, report {}",
        opened.practice.id, version.digest, version.report
    );
    Ok(HOLDS)
}

async fn gated(
    opened: &Opened,
    args: &Publish,
    wordings: (&Wording, &Wording),
) -> Result<Gate, String> {
    let asking = args.gating.asking(&opened.practice)?;
    let (house, progress) = (opened.house()?, Arc::default());
    let asked = gate::wording(&house, asking, wordings, &progress);
    publish::watched(&progress, Box::pin(asked)).await
}

/// The templates of a folder, by `en/visit`.
fn read(folder: &Path) -> Result<Sources, String> {
    let shown = folder.display();
    if !folder.is_dir() {
        return Err(format!(
            "{shown}: there is no such folder; it is shaped like prompts/: en/visit.tera, es/visit.tera"
        ));
    }
    let mut files = BTreeMap::new();
    for language in ["en", "es"] {
        let Ok(entries) = std::fs::read_dir(folder.join(language)) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(".tera") else {
                eprintln!(
                    "left out  {}: only .tera files are published; the approved texts of texts.toml \
                     come with the program",
                    path.display()
                );
                continue;
            };
            let tell = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            let length = entry.metadata().map_err(|error| tell(&error))?.len();
            if length > FILE_BYTES_MAX {
                return Err(tell(&format!("larger than {FILE_BYTES_MAX} bytes")));
            }
            let source = std::fs::read_to_string(&path).map_err(|error| tell(&error))?;
            files.insert(format!("{language}/{stem}"), source);
        }
    }
    if files.is_empty() {
        return Err(format!(
            "{shown}: holds no template; it is shaped like prompts/: en/visit.tera, es/visit.tera"
        ));
    }
    Ok(files)
}

async fn list(opened: &Opened) -> Result<u8, StoreError> {
    let versions = opened.versions(Published::Prompt).await?;
    if versions.is_empty() {
        println!("`{}` speaks in the built-in wording", opened.practice.id);
        return Ok(HOLDS);
    }
    for version in &versions {
        publish::line(version);
        if version.standing == Standing::Trial {
            publish::fares(version, &opened.store.trial(version.id).await?);
        }
    }
    Ok(HOLDS)
}

async fn show(opened: &Opened, version: Option<i64>) -> Result<u8, StoreError> {
    let versions = opened.versions(Published::Prompt).await?;
    let live = versions.iter().find(|it| it.standing == Standing::Live);
    let wanted = version.unwrap_or_else(|| live.map_or(BUILT_IN, |it| it.id));
    if wanted == BUILT_IN {
        let Ok(built_in) = Prompts::embedded() else {
            return Ok(NO_VERDICT);
        };
        println!("the program's own wording; digest {}", built_in.digest());
        return Ok(HOLDS);
    }
    let Some(version) = versions.iter().find(|it| it.id == wanted) else {
        return Ok(unknown(&opened.practice.id, wanted));
    };
    publish::line(version);
    let content = opened.store.content(&opened.practice.id, wanted).await?;
    let content = content.unwrap_or_default();
    if !content.note.is_empty() {
        println!("      {}", content.note);
    }
    for (place, source) in &content.files {
        println!("\n--- {place}.tera\n{}", source.trim_end());
    }
    Ok(HOLDS)
}

fn unknown(practice: &PracticeId, version: i64) -> u8 {
    refuse(&format!(
        "`{practice}` has no version {version}; see `anteroom prompt list`"
    ))
}

async fn promote(opened: &Opened, by: &str) -> Result<u8, StoreError> {
    let (practice, now) = (&opened.practice.id, SystemClock.now());
    match opened
        .store
        .promote(practice, Published::Prompt, by, now)
        .await?
    {
        Some(version) => {
            println!("version {version} of `{practice}` is in force");
            Ok(HOLDS)
        }
        None => Ok(refuse(&format!("`{practice}` has no version on trial"))),
    }
}

async fn roll_back(opened: &Opened, to: Option<i64>, why: (&str, &str)) -> Result<u8, StoreError> {
    let (practice, now) = (&opened.practice.id, SystemClock.now());
    let kind = Published::Prompt;
    Ok(
        match opened.store.roll_back(practice, kind, to, why, now).await? {
            RolledBack::To(BUILT_IN) => {
                println!("`{practice}` speaks in the built-in wording again");
                HOLDS
            }
            RolledBack::To(version) => {
                println!("version {version} of `{practice}` is in force");
                HOLDS
            }
            RolledBack::TrialEnded(version) => {
                println!("the trial of version {version} has ended; what was in force stays so");
                HOLDS
            }
            RolledBack::Nothing => refuse(&format!(
                "`{practice}` has published nothing that could be taken back"
            )),
            RolledBack::Unknown => unknown(practice, to.unwrap_or_default()),
        },
    )
}
