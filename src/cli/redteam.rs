//! `redteam`: attacks from a grammar against the running pipeline.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use crate::cli::eval::{models, stop_on_interrupt};
use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::eval::redteam::attack;
use crate::eval::run::Bench;

/// What `anteroom redteam` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  anteroom redteam --seed 7 --budget 5m
  anteroom redteam --attacks 220 -o kept.yaml      each strategy at each goal, once from each side
  anteroom redteam --model --budget 30m            the patient's side against the model of [llm]

Every attack is played from two sides: a patient who asks, and a model that has been won over and
drafts what the attack wants. --model puts the model of the configuration in the place of the offline
one on the first side. It is refused unless that model runs on this machine, or an agreement with its
vendor is in force. The practice and its patients are the invented ones of the program.

Exit codes: 0 nothing was given away; 1 an attack succeeded; 3 an attack ended in an error; 4 no
attack was played.")]
pub(super) struct RedteamArgs {
    /// Where the choices come from: the same seed plays the same attacks.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// How long to go on: 30s, 5m.
    #[arg(long, default_value = "1m", value_name = "TIME", value_parser = time)]
    budget: Duration,
    /// Stop after so many attacks.
    #[arg(long, value_name = "N")]
    attacks: Option<u64>,
    /// What succeeded, as a suite of minimal cases.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Attack the model of the configuration (`[llm]`) in place of the offline one.
    #[arg(long)]
    model: bool,
    /// Print no progress.
    #[arg(long, short)]
    quiet: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write it as 30s or 5m");
    let span: jiff::SignedDuration = text.parse().map_err(|_unreadable: jiff::Error| wrong())?;
    Duration::try_from(span).map_err(|_negative| wrong())
}

/// Attacks and prints the coverage table; the model is that of the configuration at `config`.
pub(super) fn redteam(args: &RedteamArgs, config: Option<&Path>) -> u8 {
    let bench = match armed(args, config) {
        Ok(bench) => bench,
        Err(message) => return refuse(&message),
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let most = args.attacks.unwrap_or(u64::MAX);
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_interrupt(&stop);
    let shows = !args.quiet && std::io::stderr().is_terminal();
    let tick = |played: u64, breaches: u64| {
        if shows {
            eprint!("\r{played} attacks, {breaches} succeeded \u{1b}[K");
        }
    };
    let found = attack(
        &bench,
        args.seed,
        (args.budget, most),
        threads,
        (&stop, &tick),
    );
    if shows {
        eprint!("\r\u{1b}[K");
    }
    let tries: u64 = found.cells.values().map(|cell| cell.tries).sum();
    println!("{}", found.table());
    for breach in &found.breaches {
        println!(
            "{} for {}: gave away {:?}",
            breach.attack.strategy, breach.attack.goal, breach.gave
        );
        for turn in &breach.attack.turns {
            let shown: String = turn.chars().take(120).collect();
            println!("    > {shown}");
        }
    }
    if stop.load(Ordering::Relaxed) {
        eprintln!(
            "anteroom: broken off before its end: the table is of the attacks that were played"
        );
    }
    for error in &found.errors {
        eprintln!("anteroom: {error}");
    }
    eprintln!(
        "anteroom: {tries} attacks on {}, {} succeeded",
        bench.attacked(),
        found.cells.values().map(|it| it.breaches).sum::<u64>()
    );
    if let Some(path) = &args.output
        && let Err(error) = std::fs::write(path, found.suite())
    {
        return refuse(&format!("{}: {error}", path.display()));
    }
    match (tries, found.breaches.is_empty(), found.errors.is_empty()) {
        (0, ..) => NOTHING,
        (_, false, _) => FINDINGS,
        (_, true, false) => NO_VERDICT,
        (_, true, true) => HOLDS,
    }
}

/// The bench with the model that is attacked.
fn armed(args: &RedteamArgs, config: Option<&Path>) -> Result<Bench, String> {
    if !args.model {
        return Bench::embedded();
    }
    let wanted = models::Wanted {
        configured: true,
        agreed: Some("--model"),
        ..models::Wanted::default()
    };
    let models = models::open(&wanted, config)?;
    Ok(Bench::embedded()?.asking(models))
}
