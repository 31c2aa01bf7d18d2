//! `simulate-patients`: thousands of conversations while everything goes wrong.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::domain::clock::{Clock as _, SystemClock};
use crate::eval::crowd::{Crowd, CrowdReport, play, stories};
use crate::eval::run::Bench;

/// How often the progress is told.
const TOLD_EACH: usize = 100;

/// What `anteroom simulate-patients` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  anteroom simulate-patients                                     ten thousand conversations with faults
  anteroom simulate-patients --faults 0 --folder /var/tmp        the runtime's overhead on a disk

At the end every multi-turn story that `eval` plays is played too.
Everybody and everything in it is invented; no configured account, record or model is touched.

Exit codes: 0 all that must hold held; 1 something did not; 3 a world broke; 4 nothing was played.")]
pub(super) struct CrowdArgs {
    /// How many conversations.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    conversations: usize,
    /// Where the choices come from: the same seed plays the same patients, who meet the same faults; only
    /// where a worker dies is the machine's.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Share of calls of the model, the record and the carrier that go wrong, 0 to 1.
    #[arg(long, default_value_t = 0.03, value_name = "SHARE")]
    faults: f64,
    /// Where the databases lie; without it in memory, where the machine has a folder in it.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Worlds that are played at the same time; without it, one for each processor.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// The report as JSON.
    #[arg(long)]
    json: bool,
}

/// Plays the crowd and prints its report.
pub(super) fn crowd(args: &CrowdArgs) -> u8 {
    if !(0.0..=1.0).contains(&args.faults) {
        return refuse("--faults is a share: write it from 0 to 1, as 0.03");
    }
    if args.conversations == 0 {
        return NOTHING;
    }
    let bench = match Bench::embedded() {
        Ok(bench) => bench,
        Err(message) => return refuse(&message),
    };
    let crowd = Crowd {
        conversations: args.conversations,
        seed: args.seed,
        faults: in_thousand(args.faults),
        folder: args.folder.as_deref(),
        threads: args
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
    };
    let shown = std::io::stderr().is_terminal();
    let told = |over: usize| {
        if shown && over.is_multiple_of(TOLD_EACH) {
            eprint!("\ranteroom: {over} of {} conversations", args.conversations);
        }
    };
    let played = play(&bench, &crowd, &AtomicBool::new(false), &told);
    if shown {
        eprintln!();
    }
    let stories = || {
        stories(
            &bench,
            (SystemClock.now(), crowd.threads),
            &AtomicBool::new(false),
        )
    };
    let played = played.and_then(|report| {
        let stories = stories()?;
        Ok(CrowdReport { stories, ..report })
    });
    let report = match played {
        Ok(report) => report,
        Err(message) => {
            eprintln!("anteroom: {message}");
            return NO_VERDICT;
        }
    };
    if args.json {
        match serde_json::to_string(&report) {
            Ok(json) => println!("{json}"),
            Err(error) => return refuse(&error.to_string()),
        }
    } else {
        println!("{}", report.table());
    }
    for breach in report.breaches.iter().chain(&report.lost) {
        eprintln!(
            "anteroom: {}: {}: {:?}",
            breach.who, breach.what, breach.text
        );
    }
    if report.holds() { HOLDS } else { FINDINGS }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1"
)]
fn in_thousand(share: f64) -> u64 {
    (share * 1_000.0).round() as u64
}
