//! `simulate`: what another policy would have decided of the drafts that are stored.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::{Span, Timestamp};
use tokio_util::task::TaskTracker;

use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, assemble, publish, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::ids::PracticeId;
use crate::eval::shadow::{Look, Shadow, Shown, Wanted, note, shadow};
use crate::guardrail::review::Guardrail;
use crate::policy::Policy;
use crate::store::StoreError;

/// What `anteroom simulate` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  anteroom simulate --policy new-guardrails --since 30d
  anteroom simulate --policy new-guardrails --since 2026-11-01 --json > changes.jsonl

Standard output holds numbers, rules and counts, and no text of anybody; --show-text adds the texts,
which are PHI, and the audit log says so.

Exit codes: 0 no decision would change; 1 some would; 2 usage; 3 an error on the way; 4 there is no
draft to judge.")]
pub(super) struct SimulateArgs {
    /// Policy files that lie over those in the program, as `eval --policy` takes them.
    #[arg(long, value_name = "DIR")]
    policy: PathBuf,
    /// How far back: 30d, 12h, or a day as 2026-11-01.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = since)]
    since: Since,
    /// At most so many drafts of each practice, the newest.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    most: usize,
    /// Whose; every practice without it.
    #[arg(long, value_name = "ID")]
    practice: Option<String>,
    /// One JSON object a line for each draft that would be decided otherwise.
    #[arg(long)]
    json: bool,
    /// Show the drafts and what would be sent. They are PHI: mind where they go.
    #[arg(long)]
    show_text: bool,
}

/// A point in the past, as it is typed.
#[derive(Clone, Copy, Debug)]
enum Since {
    Ago(Span),
    Day(jiff::civil::Date),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return Ok(Since::Day(day));
    }
    let span: Result<Span, _> = text.parse();
    span.map(|it| Since::Ago(it.abs()))
        .map_err(|_unreadable| format!("`{text}`: write it as 30d, 12h or 2026-11-01"))
}

impl Since {
    fn instant(self, now: Timestamp) -> Option<Timestamp> {
        let utc = jiff::tz::TimeZone::UTC;
        match self {
            Self::Ago(span) => {
                let then = now.to_zoned(utc).checked_sub(span).ok()?;
                Some(then.timestamp())
            }
            Self::Day(day) => Some(day.to_zoned(utc).ok()?.timestamp()),
        }
    }
}

/// Judges the stored drafts again.
pub(super) async fn simulate(loaded: &Loaded, args: &SimulateArgs) -> u8 {
    let practices = match assemble::practices(&loaded.config) {
        Ok(practices) => practices,
        Err(message) => return refuse(&message),
    };
    let practices = match &args.practice {
        None => practices,
        Some(id) => match publish::one(&practices, Some(id)) {
            Ok(practice) => vec![practice],
            Err(message) => return refuse(&message),
        },
    };
    let (today, other) = match guardrails(args) {
        Ok(both) => both,
        Err(message) => return refuse(&message),
    };
    let now = SystemClock.now();
    let Some(from) = args.since.instant(now) else {
        return refuse("--since lies before all time");
    };
    let tracker = TaskTracker::new();
    let store = match assemble::open_store(&loaded.config, &tracker).await {
        Ok(store) => store,
        Err(error) => return refuse(&error),
    };
    let wanted = Wanted {
        since: from,
        most: args.most,
        texts: args.show_text,
    };
    let (mut drafts, mut changes, mut unreadable) = (0, 0, 0);
    for practice in &practices {
        let found = match shadow(&store, &practice.id, (&today, &other), wanted).await {
            Ok(found) => found,
            Err(error) => return failed(&error),
        };
        let look = Look {
            actor: "operator",
            policy: other.digest(),
            shown: if args.show_text {
                Shown::All
            } else {
                Shown::Nothing
            },
        };
        if let Err(error) = note(&store, &practice.id, &found, &look, now).await {
            return failed(&error);
        }
        told(&practice.id, &found, args);
        drafts += found.drafts;
        unreadable += found.unreadable;
        changes += found.changes.len();
    }
    if let Err(error) = store.sequence_audit(now).await {
        return failed(&error);
    }
    eprintln!("anteroom: {drafts} drafts judged again, {changes} would be decided otherwise");
    if unreadable > 0 {
        eprintln!(
            "anteroom: {unreadable} older reviews keep no setting, and cannot be judged again"
        );
    }
    match (drafts, changes) {
        (0, _) => NOTHING,
        (_, 0) => HOLDS,
        (..) => FINDINGS,
    }
}

fn failed(error: &StoreError) -> u8 {
    eprintln!("anteroom: {error}");
    NO_VERDICT
}

fn guardrails(args: &SimulateArgs) -> Result<(Guardrail, Guardrail), String> {
    let shown = args.policy.display();
    if !args.policy.is_dir() {
        return Err(format!("--policy {shown}: there is no such folder"));
    }
    let today = Guardrail::embedded().map_err(|error| error.to_string())?;
    let policy = Policy::from_dir(&args.policy).map_err(|error| format!("{shown}/{error}"))?;
    let other = Guardrail::new(Arc::new(policy)).map_err(|error| error.to_string())?;
    Ok((today, other))
}

fn told(practice: &PracticeId, found: &Shadow, args: &SimulateArgs) {
    if args.json {
        for change in &found.changes {
            let mut line = serde_json::to_value(change).unwrap_or_default();
            if let Some(line) = line.as_object_mut() {
                line.insert("practice".to_owned(), practice.as_str().into());
            }
            println!("{line}");
        }
        return;
    }
    println!(
        "{practice}: {} drafts, {} would be decided otherwise ({} differ already from what was decided then)",
        found.drafts,
        found.changes.len(),
        found.drifted
    );
    print!("{}", found.table());
    for change in found.changes.iter().filter(|_| args.show_text) {
        let Some(texts) = &change.texts else {
            continue;
        };
        let or_none =
            |text: &Option<String>| text.clone().unwrap_or_else(|| "(nothing)".to_owned());
        println!(
            "\nreview {} ({} -> {})",
            change.review, change.before, change.after
        );
        println!("  draft: {}", texts.draft);
        println!("  today: {}", or_none(&texts.before));
        println!("  then:  {}", or_none(&texts.after));
    }
}
