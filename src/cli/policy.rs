//! `policy`: the law and the house rules as people read, compare and check them.

mod diff;
mod lint;
mod page;
mod publish;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::cli::policy::page::Page;
use crate::cli::{FINDINGS, HOLDS, NOTHING, USAGE, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::guardrail::detect::examples;
use crate::guardrail::review::Guardrail;
use crate::policy::law::file::LawRule;
use crate::policy::law::terms::Standing;
use crate::policy::law::{Law, Whereabouts};
use crate::policy::words::Jurisdiction;
use crate::policy::{Policy, PolicyError};

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a terminal.
    Text,
    /// For programs.
    Json,
    /// For a repository or a mail.
    Markdown,
    /// One file that needs nothing else, to read and to print.
    Html,
}

/// What is done with the policy.
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check the policy - law, rules, lists - and the fixed texts; exit 1 when something must be mended.
    Lint {
        /// A folder laid over the built-in policy; `policy_dir` of the configuration without it.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// Name each rule that a warning is about, with its file and line.
        #[arg(long)]
        all: bool,
    },
    /// What applies in a state, on a day, to a type of practice; with citations and marks.
    Show {
        /// The patient's state; without it every state at once, as for a patient whose state is not known.
        #[arg(long, value_name = "XX", default_value = "US")]
        state: Jurisdiction,
        /// The day; today when not given.
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
        /// The type of practice.
        #[arg(long, value_name = "TYPE", default_value = "primary_care")]
        practice_type: String,
        /// A folder laid over the built-in policy; `policy_dir` of the configuration without it.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// The files: how many rules each has, and how many are verified.
    States {
        /// A folder laid over the built-in policy; `policy_dir` of the configuration without it.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Compare two policies (folders, or `built-in`): rules, lists and patterns, and which stored
    /// messages would be judged otherwise; exit 1 when anything differs.
    Diff {
        /// The one.
        a: String,
        /// The other.
        b: String,
        /// Also look at this many of the newest stored messages.
        #[arg(long, value_name = "N")]
        messages: Option<u32>,
    },
    /// Publish an overlay or a changed word list, once the suites and a replay of stored drafts let
    /// it pass.
    Publish(Box<publish::Publish>),
    /// List the overlays that were published.
    Versions {
        /// Whose; may be left out where there is one practice.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
    },
    /// Put the overlay on trial into the policy folder, for every conversation.
    Promote(publish::Promote),
    /// End a trial, or put an earlier version into the policy folder again.
    Rollback(publish::RollBack),
    /// The whole policy as one page for counsel to read.
    Book {
        /// A folder laid over the built-in policy; `policy_dir` of the configuration without it.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        #[arg(long, value_enum, default_value = "html")]
        format: Format,
    },
}

impl PolicyCommand {
    /// Whether it looks at stored messages.
    pub(super) const fn needs_store(&self) -> bool {
        matches!(
            self,
            Self::Diff {
                messages: Some(_),
                ..
            } | Self::Publish(_)
                | Self::Versions { .. }
                | Self::Promote(_)
                | Self::Rollback(_)
        )
    }
}

fn load(dir: Option<&Path>) -> Result<Policy, PolicyError> {
    match dir {
        Some(dir) if !dir.is_dir() => Err(PolicyError {
            file: dir.display().to_string(),
            line: 1,
            rule: "folder".to_owned(),
            message: "there is no such folder".to_owned(),
            remedy: "name a folder with default.toml, house.toml, channels.toml or states/"
                .to_owned(),
        }),
        Some(dir) => {
            let policy = Policy::from_dir(dir)?;
            examples::hold(&policy)?;
            Ok(policy)
        }
        None => Policy::embedded(),
    }
}

/// The digest that reviews, messages and the audit log carry: over the law and the lists, and over what
/// the guardrail itself decides by.
fn digest(policy: &Arc<Policy>) -> String {
    Guardrail::new(Arc::clone(policy)).map_or_else(
        |_refused| policy.digest().to_owned(),
        |guardrail| guardrail.digest().to_owned(),
    )
}

fn today() -> Date {
    SystemClock.now().to_zoned(TimeZone::UTC).date()
}

/// Commands that need no store; `configured` is the policy folder of the configuration, empty where there
/// is none.
pub(super) fn run(command: &PolicyCommand, configured: &Path) -> u8 {
    let configured = Some(configured).filter(|it| !it.as_os_str().is_empty());
    match command {
        PolicyCommand::Lint { dir, all } => lint_command(dir.as_deref().or(configured), *all),
        PolicyCommand::Show {
            state,
            on,
            practice_type,
            dir,
            format,
        } => with_policy(dir.as_deref().or(configured), |policy| {
            let day = on.unwrap_or_else(today);
            if *format == Format::Json {
                return json(policy, *state, day, practice_type);
            }
            let page = show::page(policy.law(), &digest(policy), *state, day, practice_type);
            print(&page, *format)
        }),
        PolicyCommand::Book { dir, format } => {
            with_policy(dir.as_deref().or(configured), |policy| {
                if *format == Format::Json {
                    return refuse("a book is for people; use --format html, markdown or text");
                }
                print(&show::book(policy.law(), &digest(policy)), *format)
            })
        }
        PolicyCommand::States { dir } => {
            let dir = dir.as_deref().or(configured);
            with_policy(dir, |policy| table(policy.law()))
        }
        // These have looked at the store, in `with_store`.
        PolicyCommand::Publish(_)
        | PolicyCommand::Versions { .. }
        | PolicyCommand::Promote(_)
        | PolicyCommand::Rollback(_) => USAGE,
        PolicyCommand::Diff { a, b, .. } => match (named(a), named(b)) {
            (Ok(a), Ok(b)) => diff::rules(&a, &b),
            (Err(error), _) | (_, Err(error)) => refuse(&error.to_string()),
        },
    }
}

fn with_policy(dir: Option<&Path>, then: impl FnOnce(&Arc<Policy>) -> u8) -> u8 {
    match load(dir) {
        Ok(policy) => then(&Arc::new(policy)),
        Err(error) => refuse(&error.to_string()),
    }
}

fn named(policy: &str) -> Result<Policy, PolicyError> {
    if policy == "built-in" {
        load(None)
    } else {
        load(Some(Path::new(policy)))
    }
}

fn print(page: &Page, format: Format) -> u8 {
    print!(
        "{}",
        match format {
            Format::Text | Format::Json => page.text(),
            Format::Markdown => page.markdown(),
            Format::Html => page.html(),
        }
    );
    HOLDS
}

fn lint_command(dir: Option<&Path>, all: bool) -> u8 {
    let policy = match load(dir) {
        Ok(policy) => policy,
        Err(error) => {
            // What is refused at load is the first finding.
            println!("error    {error}");
            return FINDINGS;
        }
    };
    let report = lint::lint(policy.law(), today());
    for error in &report.errors {
        println!("error    {error}");
    }
    print!("{}", report.told(all));
    eprintln!(
        "{} rules examined: {} errors, {} warnings{}",
        report.examined,
        report.errors.len(),
        report.warned(),
        if all || report.warned() == 0 {
            ""
        } else {
            " (--all names each)"
        }
    );
    match (report.examined, report.errors.is_empty()) {
        (0, _) => NOTHING,
        (_, true) => HOLDS,
        (_, false) => FINDINGS,
    }
}

fn table(law: &Law) -> u8 {
    println!("file            rules  verified  secondary  unverified  house  examples  reviewed");
    for file in law.files() {
        let counts = show::counted(file.rules.iter().map(LawRule::standing));
        let of = |it| counts.get(&it).copied().unwrap_or(0);
        println!(
            "{:<15} {:>5} {:>9} {:>10} {:>11} {:>6} {:>9}  {}",
            file.name,
            file.rules.len(),
            of(Standing::Verified),
            of(Standing::Secondary),
            of(Standing::Unverified),
            of(Standing::House),
            file.examples.len(),
            file.last_reviewed
        );
    }
    let counts = show::counted(law.rules().map(LawRule::standing));
    let of = |it| counts.get(&it).copied().unwrap_or(0);
    println!(
        "{:<15} {:>5} {:>9} {:>10} {:>11} {:>6}",
        "all",
        law.rules().count(),
        of(Standing::Verified),
        of(Standing::Secondary),
        of(Standing::Unverified),
        of(Standing::House)
    );
    HOLDS
}

fn json(policy: &Arc<Policy>, state: Jurisdiction, day: Date, practice_type: &str) -> u8 {
    let at = Whereabouts {
        practice: state,
        residence: state,
        practice_type,
        day,
    };
    let rules = policy.law().applying(at);
    let out = serde_json::json!({
        "state": state.as_str(),
        "on": day.to_string(),
        "practice_type": practice_type,
        "policy": digest(policy),
        "rules": rules.iter().map(|rule| serde_json::json!({
            "id": &*rule.id, "kind": rule.kind().as_str(), "summary": rule.summary,
            "basis": rule.basis.as_str(), "cite": rule.cite,
            "effective": rule.effective.to_string(),
            "until": rule.until.map(|it| it.to_string()),
            "confidence": rule.confidence.as_str(), "standing": rule.standing().as_str(),
        })).collect::<Vec<_>>(),
    });
    println!("{out:#}");
    HOLDS
}

/// Commands that look at stored messages.
pub(super) async fn with_store(loaded: &Loaded, command: &PolicyCommand) -> u8 {
    match command {
        PolicyCommand::Publish(args) => return Box::pin(publish::publish(loaded, args)).await,
        PolicyCommand::Versions { practice } => {
            return publish::versions(loaded, practice.as_deref()).await;
        }
        PolicyCommand::Promote(args) => return publish::promote(loaded, args).await,
        PolicyCommand::Rollback(args) => return publish::roll_back(loaded, args).await,
        PolicyCommand::Lint { .. }
        | PolicyCommand::Show { .. }
        | PolicyCommand::States { .. }
        | PolicyCommand::Diff { .. }
        | PolicyCommand::Book { .. } => {}
    }
    let PolicyCommand::Diff {
        a,
        b,
        messages: Some(limit),
    } = command
    else {
        return run(command, &loaded.config.policy_dir);
    };
    match (named(a), named(b)) {
        (Ok(a), Ok(b)) => diff::messages(loaded, a, b, *limit).await,
        (Err(error), _) | (_, Err(error)) => refuse(&error.to_string()),
    }
}
