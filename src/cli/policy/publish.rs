//! `policy publish`: an overlay or a changed word list goes into the policy folder, once the gate
//! lets it pass; `serve` takes it up from there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::cli::publish::{self, Gating, Opened};
use crate::cli::{HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::publication::{BUILT_IN, Content, NewVersion, Published, Standing};
use crate::eval::gate::{self, Gate};
use crate::guardrail::detect::examples;
use crate::policy::Policy;
use crate::store::{RolledBack, StoreError};

/// Folders of a policy, the top one included.
const FOLDERS: &[&str] = &["", "identifiers", "lexicons", "states"];
/// Largest file that is read: the longest word list has a third of it.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// What is published.
#[derive(Debug, Args)]
#[command(
    after_help = "The folder is shaped like guardrails/; files that are absent stay as they are built in.

What would be lost, or let more leave than today, is refused unless --accept says why; that reason is
kept with the report.

Exit codes: 0 published (or would be); 1 refused; 2 usage; 3 an error on the way; 4 nothing differs."
)]
pub(in crate::cli) struct Publish {
    /// A folder shaped like guardrails/.
    folder: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Who publishes.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why, for those who read the versions later.
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Why it is right that something leaves the policy, or that more may leave the practice.
    #[arg(long, value_name = "REASON")]
    accept: Option<String>,
    /// Try it on this share of the conversations first, in hundredths; it is taken back by itself
    /// when its rate of holds or rewrites leaves the band around the others'.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=99))]
    canary: Option<u8>,
    #[command(flatten)]
    gating: Gating,
}

/// Where versions are kept and go to.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Whose stored drafts are judged again, and whose audit log has it; may be left out where there
    /// is one practice.
    #[arg(long, value_name = "ID")]
    practice: Option<String>,
    /// The policy folder that the server reads; `policy_dir` of the configuration without it.
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

impl Place {
    /// The folder.
    fn folder(&self, loaded: &Loaded) -> Result<PathBuf, String> {
        let configured = Some(&loaded.config.policy_dir).filter(|it| !it.as_os_str().is_empty());
        self.into.as_ref().or(configured).cloned().ok_or_else(|| {
            "no policy folder is known: set policy_dir in anteroom.toml (serve reads it), or name \
             it with --into DIR"
                .to_owned()
        })
    }
}

/// Publishes an overlay.
pub(super) async fn publish(loaded: &Loaded, args: &Publish) -> u8 {
    if args.by.trim().is_empty() {
        return refuse("--by is empty; name who publishes");
    }
    let opened = match publish::open(loaded, args.place.practice.as_deref()).await {
        Ok(opened) => opened,
        Err(message) => return refuse(&message),
    };
    let into = match args.place.folder(loaded) {
        Ok(into) => into,
        Err(message) => return refuse(&message),
    };
    match Box::pin(publish_in(&opened, &into, args)).await {
        Ok(code) => match opened.chained().await {
            Ok(()) => code,
            Err(error) => failed(&error),
        },
        Err(message) => refuse(&message),
    }
}

async fn publish_in(opened: &Opened, into: &Path, args: &Publish) -> Result<u8, String> {
    let files = read(&args.folder)?;
    let shown = args.folder.display();
    let after = Policy::from_dir(&args.folder)
        .and_then(|policy| examples::hold(&policy).map(|()| policy))
        .map_err(|error| format!("{shown}/{error}"))?;
    let before = if into.is_dir() {
        Policy::from_dir(into).map_err(|error| format!("{}/{error}", into.display()))?
    } else {
        Policy::embedded().map_err(|error| error.to_string())?
    };
    if before.digest() == after.digest() {
        eprintln!("anteroom: {shown}: nothing differs from what is in force");
        return Ok(NOTHING);
    }
    let digest = after.digest().to_owned();
    let gate = Box::pin(gated(opened, args, before, after)).await?;
    if let Some(code) = args.gating.closed(&gate) {
        return Ok(code);
    }
    let version = NewVersion {
        kind: Published::Policy,
        author: args.by.trim().to_owned(),
        digest,
        report: gate.report_digest(),
        trial: args.canary,
        content: Content {
            files,
            note: args.note.clone(),
        },
    };
    let now = SystemClock.now();
    let practice = &opened.practice.id;
    let kept = opened.store.publish(practice, &version, now).await;
    let id = kept.map_err(|error| error.to_string())?;
    if let Some(share) = args.canary {
        println!(
            "version {id} is on trial for {share} % of the conversations of `{practice}`; policy {}, \
             report {}",
            version.digest, version.report
        );
        return Ok(HOLDS);
    }
    if let Err(message) = put(into, &version.content.files) {
        let why = (
            version.author.as_str(),
            "the policy folder could not be written",
        );
        let kind = Published::Policy;
        let back = opened.store.roll_back(practice, kind, None, why, now).await;
        back.map_err(|error| error.to_string())?;
        return Err(message);
    }
    println!(
        "version {id} is in {}; policy {}, report {}",
        into.display(),
        version.digest,
        version.report
    );
    Ok(HOLDS)
}

async fn gated(
    opened: &Opened,
    args: &Publish,
    before: Policy,
    after: Policy,
) -> Result<Gate, String> {
    let asking = args.gating.asking(&opened.practice)?;
    let (progress, accepted) = (Arc::default(), args.accept.as_deref());
    let asked = gate::policy(&opened.store, asking, (before, after), accepted, &progress);
    let (gate, replayed) = publish::watched(&progress, Box::pin(asked)).await?;
    print!("{}", replayed.table());
    Ok(gate)
}

/// Lists the versions of the policy.
pub(super) async fn versions(loaded: &Loaded, practice: Option<&str>) -> u8 {
    let opened = match publish::open(loaded, practice).await {
        Ok(opened) => opened,
        Err(message) => return refuse(&message),
    };
    match opened.versions(Published::Policy).await {
        Ok(versions) if versions.is_empty() => {
            println!("no overlay was published");
            HOLDS
        }
        Ok(versions) => {
            for version in &versions {
                publish::line(version);
                if version.standing == Standing::Trial {
                    match opened.store.trial(version.id).await {
                        Ok(sides) => publish::fares(version, &sides),
                        Err(error) => return failed(&error),
                    }
                }
            }
            HOLDS
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &StoreError) -> u8 {
    eprintln!("anteroom: {error}");
    NO_VERDICT
}

/// Puts a trial in force.
#[derive(Debug, Args)]
pub(in crate::cli) struct Promote {
    #[command(flatten)]
    place: Place,
    /// Who decides.
    #[arg(long, value_name = "NAME")]
    by: String,
}

/// Puts the version on trial into the folder, for every conversation.
pub(super) async fn promote(loaded: &Loaded, args: &Promote) -> u8 {
    let opened = match publish::open(loaded, args.place.practice.as_deref()).await {
        Ok(opened) => opened,
        Err(message) => return refuse(&message),
    };
    let into = match args.place.folder(loaded) {
        Ok(into) => into,
        Err(message) => return refuse(&message),
    };
    match promoted(&opened, &into, &args.by).await {
        Ok(Ok(version)) => {
            println!("version {version} is in {}", into.display());
            HOLDS
        }
        Ok(Err(message)) => refuse(&message),
        Err(error) => failed(&error),
    }
}

async fn promoted(
    opened: &Opened,
    into: &Path,
    by: &str,
) -> Result<Result<i64, String>, StoreError> {
    let practice = &opened.practice.id;
    let versions = opened.versions(Published::Policy).await?;
    let on_trial = versions.iter().find(|it| it.standing == Standing::Trial);
    let Some(version) = on_trial else {
        return Ok(Err(format!("`{practice}` has no policy on trial")));
    };
    let content = opened.store.content(practice, version.id).await?;
    // The folder first: a trial that could not be written stays one.
    if let Err(message) = put(into, &content.unwrap_or_default().files) {
        return Ok(Err(message));
    }
    let now = SystemClock.now();
    opened
        .store
        .promote(practice, Published::Policy, by, now)
        .await?;
    opened.chained().await?;
    Ok(Ok(version.id))
}

/// Takes a version back.
#[derive(Debug, Args)]
pub(in crate::cli) struct RollBack {
    #[command(flatten)]
    place: Place,
    /// To this version instead of the one before; 0 is the program's own policy.
    #[arg(long, value_name = "NUMBER")]
    to: Option<i64>,
    /// Who decides.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why.
    #[arg(long, value_name = "TEXT", default_value = "taken back by hand")]
    why: String,
}

/// Puts an earlier version into the folder again.
pub(super) async fn roll_back(loaded: &Loaded, args: &RollBack) -> u8 {
    let opened = match publish::open(loaded, args.place.practice.as_deref()).await {
        Ok(opened) => opened,
        Err(message) => return refuse(&message),
    };
    let into = match args.place.folder(loaded) {
        Ok(into) => into,
        Err(message) => return refuse(&message),
    };
    let (practice, kind) = (&opened.practice.id, Published::Policy);
    let why = (args.by.as_str(), args.why.as_str());
    let now = SystemClock.now();
    let done = opened
        .store
        .roll_back(practice, kind, args.to, why, now)
        .await;
    let target = match done {
        Ok(RolledBack::To(version)) => version,
        Ok(RolledBack::TrialEnded(version)) => {
            if let Err(error) = opened.chained().await {
                return failed(&error);
            }
            println!("the trial of version {version} has ended; what was in force stays so");
            return HOLDS;
        }
        Ok(RolledBack::Nothing) => {
            return refuse("nothing was published that could be taken back");
        }
        Ok(RolledBack::Unknown) => {
            return refuse("there is no such version; see `anteroom policy versions`");
        }
        Err(error) => return failed(&error),
    };
    let files = if target == BUILT_IN {
        BTreeMap::new()
    } else {
        match opened.store.content(practice, target).await {
            Ok(content) => content.unwrap_or_default().files,
            Err(error) => return failed(&error),
        }
    };
    if let Err(error) = opened.chained().await {
        return failed(&error);
    }
    match put(&into, &files) {
        Ok(()) => {
            println!("version {target} is in {}", into.display());
            HOLDS
        }
        Err(message) => refuse(&message),
    }
}

/// The files of a policy folder, by their place in it.
fn read(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    if !folder.is_dir() {
        return Err(format!(
            "{}: there is no such folder; it is shaped like guardrails/",
            folder.display()
        ));
    }
    let mut files = BTreeMap::new();
    for below in FOLDERS {
        let Ok(entries) = std::fs::read_dir(folder.join(below)) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            let path = entry.path();
            let ending = path.extension().and_then(std::ffi::OsStr::to_str);
            let tell = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
            if path.is_dir() {
                continue;
            }
            if !matches!(ending, Some("toml" | "txt")) {
                return Err(tell(&"only .toml and .txt files are published"));
            }
            let length = entry.metadata().map_err(|error| tell(&error))?.len();
            if length > FILE_BYTES_MAX {
                return Err(tell(&format!("larger than {FILE_BYTES_MAX} bytes")));
            }
            let text = std::fs::read_to_string(&path).map_err(|error| tell(&error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let place = Path::new(below).join(name);
            files.insert(place.to_string_lossy().into_owned(), text);
        }
    }
    Ok(files)
}

/// Puts the files in place of what is in the folder, all at once: a reader finds the old ones or the
/// new ones.
fn put(into: &Path, files: &BTreeMap<String, String>) -> Result<(), String> {
    let tell = |error: std::io::Error| format!("{}: {error}", into.display());
    let beside = |ending: &str| {
        let name = into.file_name().map(|it| it.to_string_lossy().into_owned());
        into.with_file_name(format!("{}.{ending}", name.unwrap_or_default()))
    };
    let (new, old) = (beside("new"), beside("old"));
    for path in [&new, &old] {
        if path.exists() {
            std::fs::remove_dir_all(path).map_err(tell)?;
        }
    }
    std::fs::create_dir_all(&new).map_err(tell)?;
    for (place, text) in files {
        let path = new.join(place);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(tell)?;
        }
        std::fs::write(path, text).map_err(tell)?;
    }
    if into.exists() {
        std::fs::rename(into, &old).map_err(tell)?;
    }
    std::fs::rename(&new, into).map_err(tell)?;
    if old.exists() {
        std::fs::remove_dir_all(&old).map_err(tell)?;
    }
    Ok(())
}
