//! `simulate-patients`: thousands of conversations while everything goes wrong.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::domain::clock::{Clock as _, SystemClock};
use crate::eval::crowd::{Crowd, CrowdReport, Played, Stories, page, play, stories};
use crate::eval::run::Bench;

/// How often the progress is told.
const TOLD_EACH: usize = 100;

/// What `anteroom simulate-patients` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  anteroom simulate-patients                                     ten thousand conversations with faults
  anteroom simulate-patients --faults 0 --folder /var/tmp        the runtime's overhead on a disk
  anteroom simulate-patients --seed 1 --seed 2 --report docs/simulation.md   two crowds, and the page of them

At the end every multi-turn story that `eval` plays is played too.
Everybody and everything in it is invented; no configured account, record or model is touched.

Exit codes: 0 all that must hold held; 1 something did not; 3 a world broke; 4 nothing was played.")]
pub(super) struct CrowdArgs {
    /// How many conversations.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    conversations: usize,
    /// Where the choices come from: the same seed plays the same patients, who meet the same faults; only
    /// where a worker dies is the machine's. Given several times, a crowd for each.
    #[arg(long, default_values_t = [1], value_name = "N")]
    seed: Vec<u64>,
    /// Share of calls of the model, the record and the carrier that go wrong, 0 to 1.
    #[arg(long, default_value_t = 0.03, value_name = "SHARE")]
    faults: f64,
    /// Where the databases lie; without it in memory, where the machine has a folder in it.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Worlds that are played at the same time; without it, one for each processor.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// The report as JSON, a line for each seed.
    #[arg(long)]
    json: bool,
    /// Also writes the report as a page in Markdown, such as docs/simulation.md.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
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
    let began = Instant::now();
    let now = SystemClock.now();
    let threads = args
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let mut told_stories = None;
    let mut crowds = Vec::new();
    for seed in &args.seed {
        let played = one(args, &bench, (*seed, threads), &mut told_stories, now);
        match played {
            Ok(report) => crowds.push((*seed, report)),
            Err(message) => {
                eprintln!("anteroom: {message}");
                return NO_VERDICT;
            }
        }
    }
    for (seed, report) in &crowds {
        if args.json {
            match serde_json::to_string(&report) {
                Ok(json) => println!("{json}"),
                Err(error) => return refuse(&error.to_string()),
            }
        } else {
            if crowds.len() > 1 {
                println!("Seed {seed}\n");
            }
            println!("{}", report.table());
        }
        for breach in report.breaches.iter().chain(&report.lost) {
            eprintln!(
                "anteroom: {}: {}: {:?}",
                breach.who, breach.what, breach.text
            );
        }
    }
    if let Some(path) = &args.report {
        let played = played(args, threads, (began, now));
        if let Err(error) = std::fs::write(path, page(&played, &crowds)) {
            return refuse(&format!("{}: {error}", path.display()));
        }
    }
    if crowds.iter().all(|(_, report)| report.holds()) {
        HOLDS
    } else {
        FINDINGS
    }
}

/// Plays one crowd; the stories, which know no seed, with the first.
fn one(
    args: &CrowdArgs,
    bench: &Bench,
    (seed, threads): (u64, usize),
    told_stories: &mut Option<(Stories, BTreeMap<String, Stories>)>,
    now: Timestamp,
) -> Result<CrowdReport, String> {
    let crowd = Crowd {
        conversations: args.conversations,
        seed,
        faults: in_thousand(args.faults),
        folder: args.folder.as_deref(),
        threads,
    };
    let shown = std::io::stderr().is_terminal();
    let told = |over: usize| {
        if shown && over.is_multiple_of(TOLD_EACH) {
            let all = args.conversations;
            eprint!("\ranteroom: seed {seed}: {over} of {all} conversations");
        }
    };
    let never = AtomicBool::new(false);
    let report = play(bench, &crowd, &never, &told);
    if shown {
        eprintln!();
    }
    let report = report?;
    let (all, families) = match told_stories {
        Some(known) => known.clone(),
        None => told_stories
            .insert(stories(bench, (now, threads), &never)?)
            .clone(),
    };
    Ok(CrowdReport {
        stories: all,
        families,
        ..report
    })
}

/// How they were played, for the page.
fn played(args: &CrowdArgs, threads: usize, (began, now): (Instant, Timestamp)) -> Played {
    let seeds: Vec<String> = args.seed.iter().map(|it| format!("--seed {it}")).collect();
    let build = if cfg!(debug_assertions) {
        "debug build"
    } else {
        "release build"
    };
    Played {
        command: format!(
            "anteroom simulate-patients --conversations {} --faults {} {} --report docs/simulation.md",
            args.conversations,
            args.faults,
            seeds.join(" ")
        ),
        version: format!("anteroom {}, {build}", env!("CARGO_PKG_VERSION")),
        processors: threads,
        seconds: began.elapsed().as_secs(),
        day: now.to_zoned(TimeZone::UTC).date().to_string(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1"
)]
fn in_thousand(share: f64) -> u64 {
    (share * 1_000.0).round() as u64
}
