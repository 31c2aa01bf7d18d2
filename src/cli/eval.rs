//! `eval`: the suites under `evals/`, run and reported; the gate that CI and every publish stand at.

mod diff;
mod import;
pub(super) mod models;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clap::{Args, Subcommand};

use crate::agent::texts::Texts;
use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::domain::clock::{Clock as _, SystemClock};
use crate::eval::baseline::{Baseline, Change, Extent};
use crate::eval::case::Suite;
use crate::eval::load::{self, Files};
use crate::eval::matrix;
use crate::eval::models::REPEATS;
use crate::eval::report::{Format, Report};
use crate::eval::run::{Bench, Plan, run};
use crate::eval::score::{Run, Status};
use crate::eval::suite;
use crate::eval::totals::Totals;
use crate::policy::Policy;
use crate::screen::Screen;

/// The folder that is looked at without being named, and before the suites in the binary.
const FOLDER: &str = "evals";
/// Mistakes that are told; whoever mends these sees the rest next time.
const ERRORS_SHOWN: usize = 20;
/// The committed figures, in the folder of the suites.
const BASELINE: &str = "baseline.json";

/// What `anteroom eval` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  anteroom eval                                       every suite
  anteroom eval conduct safety                        two of them
  anteroom eval --dir my-evals -o report.html -o junit.xml
  anteroom eval --policy my-guardrails                under another policy
  anteroom eval --write-baseline                      take today's figures as the bar
  anteroom eval conversations --matrix state=CA,TX    every story once in each state
  anteroom eval import promptfooconfig.yaml -o evals/mine.yaml
  anteroom eval diff before.json after.json

Exit codes: 0 all hold; 1 a case failed or a figure fell behind the baseline; 2 a suite cannot be
read; 3 a case had no verdict (the rest is still reported); 4 nothing was examined.")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that a person may give"
)]
#[command(subcommand_precedence_over_arg = true)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: Option<EvalCommand>,
    /// Suites by name, by path or by folder; all of them without one.
    suites: Vec<String>,
    /// Where the suites lie; without it ./evals where there is one, else those in the program.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// What is printed; several with commas.
    #[arg(
        long,
        value_name = "FORMAT",
        value_delimiter = ',',
        default_value = "human"
    )]
    format: Vec<Format>,
    /// A report into a file, in the form of its ending (.json .jsonl .xml .sarif .md .html, .txt for
    /// people); may be given several times.
    #[arg(short, long, value_name = "FILE", value_parser = output)]
    output: Vec<(PathBuf, Format)>,
    /// Policy files that lie over those in the program.
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// The figures to compare with; without it baseline.json beside the suites.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Compare with no baseline.
    #[arg(long, conflicts_with = "baseline")]
    no_baseline: bool,
    /// Write the figures of this run as the baseline.
    #[arg(long)]
    write_baseline: bool,
    /// Run each case so many times; stops early once the outcome is clear.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// Stop at the first case that fails.
    #[arg(long)]
    bail: bool,
    /// Play each story once for each value of a key of its vars; may be given several times.
    #[arg(long, value_name = "KEY=A,B", value_parser = matrix::typed)]
    matrix: Vec<(String, Vec<serde_json::Value>)>,
    /// Ask the model of the configuration (`[llm]`) where a suite's providers say `configured`. Cases
    /// hold invented people only; what they say goes to that model.
    #[arg(long)]
    model: bool,
    /// Let the model of the configuration judge `llm-rubric`; refused unless it runs on this
    /// machine or its vendor has signed an agreement. Never the only gate of a case.
    #[arg(long)]
    judge: bool,
    /// Judgements of each output; an odd number has a majority.
    #[arg(long, value_name = "N", default_value_t = REPEATS, requires = "judge", value_parser = clap::value_parser!(u32).range(1..=25))]
    judge_repeats: u32,
    /// Print no progress.
    #[arg(long, short)]
    quiet: bool,
    /// Print the JSON Schema of suite files.
    #[arg(long)]
    schema: bool,
    /// List the suites with how many cases they have and how many of those are harmless, by suite
    /// and by level, and run nothing.
    #[arg(long)]
    list: bool,
}

/// A report's file and form, told before anything is run.
fn output(path: &str) -> Result<(PathBuf, Format), String> {
    let format = Format::of_path(path).ok_or(
        "its ending is no form of a report; use .json, .jsonl, .xml (JUnit), .sarif, .md, .html or \
         .txt (for people)",
    )?;
    Ok((PathBuf::from(path), format))
}

/// What else is done with suites and reports.
#[derive(Debug, Subcommand)]
enum EvalCommand {
    /// Convert a promptfoo configuration; what cannot be converted is listed.
    Import(import::ImportArgs),
    /// Compare two JSON reports: cases that changed, figures that moved.
    Diff(diff::DiffArgs),
}

/// Runs the suites, by the configuration at `config` where a model is asked.
pub(super) fn eval(args: &EvalArgs, config: Option<&Path>) -> u8 {
    if args.command.is_some() && !args.suites.is_empty() {
        return refuse("suites and `import` or `diff` in one command; give one of them");
    }
    match &args.command {
        Some(EvalCommand::Import(args)) => return import::import(args),
        Some(EvalCommand::Diff(args)) => return diff::diff(args),
        None => {}
    }
    if args.schema {
        let schema = serde_json::to_string_pretty(&suite::schema()).unwrap_or_default();
        println!("{schema}");
        return HOLDS;
    }
    let (files, root, wanted) = match files(args) {
        Ok(found) => found,
        Err(message) => return refuse(&message),
    };
    let mut suites = match load::suites(&files, &wanted) {
        Ok(suites) => suites,
        Err(errors) => return refuse_all(&errors, &root),
    };
    let permutations = args.matrix.iter().cloned().collect();
    if let Err(message) = matrix::permute(&mut suites, &permutations) {
        return refuse(&message);
    }
    let errors = load::check_vars(&suites);
    if !errors.is_empty() {
        return refuse_all(&errors, &root);
    }
    if args.list {
        return list(&suites, &args.format);
    }
    if suites.iter().all(|suite| suite.cases.is_empty()) {
        eprintln!("anteroom: no test was found in {root}; nothing was examined");
        return NOTHING;
    }
    let bench = match bench(args, config) {
        Ok(bench) => bench,
        Err(message) => return refuse(&message),
    };
    let run = watched(&bench, &suites, args);
    told(args, &run, &root, wanted.is_empty())
}

/// The files, the folder that they lie in, and the suites of them that are meant.
fn files(args: &EvalArgs) -> Result<(Files, String, Vec<String>), String> {
    let here = Path::new(FOLDER);
    let dir = args
        .dir
        .as_deref()
        .or_else(|| here.is_dir().then_some(here));
    let Some(dir) = dir else {
        return Ok((load::embedded(), FOLDER.to_owned(), args.suites.clone()));
    };
    let (files, one) = load::read(dir).map_err(|error| error.to_string())?;
    let folder = match &one {
        Some(_) => dir.parent().filter(|it| !it.as_os_str().is_empty()),
        None => Some(dir),
    };
    let root = folder
        .unwrap_or_else(|| Path::new("."))
        .display()
        .to_string();
    // A path that the shell completed has the folder before it.
    let within = |it: &String| {
        let below = Path::new(it).strip_prefix(&root).ok();
        let below = below.and_then(Path::to_str).filter(|it| !it.is_empty());
        below.unwrap_or(it).to_owned()
    };
    let mut wanted: Vec<String> = args.suites.iter().map(within).collect();
    // The folder itself is all of it.
    if args
        .suites
        .iter()
        .any(|it| Path::new(it) == Path::new(&root))
    {
        wanted.clear();
    }
    if wanted.is_empty() {
        wanted.extend(one);
    }
    Ok((files, root, wanted))
}

fn refuse_all(errors: &[load::LoadError], root: &str) -> u8 {
    for error in errors.iter().take(ERRORS_SHOWN) {
        eprintln!("{}", error.under(root));
    }
    let count = errors.len();
    if count > ERRORS_SHOWN {
        eprintln!("... and {} more", count - ERRORS_SHOWN);
    }
    let places = if count == 1 { "place" } else { "places" };
    refuse(&format!("the suites cannot be read: {count} {places}"))
}

fn list(suites: &[Suite], formats: &[Format]) -> u8 {
    let totals = Totals::of(suites);
    for format in formats {
        match format {
            Format::Human => print!("{}", totals.told()),
            Format::Json => {
                let json = serde_json::to_string_pretty(&totals).unwrap_or_default();
                println!("{json}");
            }
            Format::Jsonl | Format::Junit | Format::Sarif | Format::Markdown | Format::Html => {
                return refuse(&format!("--list has no form `{format}`; use human or json"));
            }
        }
    }
    HOLDS
}

fn bench(args: &EvalArgs, config: Option<&Path>) -> Result<Bench, String> {
    let policy = match &args.policy {
        Some(dir) => Policy::from_dir(dir),
        None => Policy::embedded(),
    };
    let policy = policy.map_err(|error| error.to_string())?;
    let screen = Screen::embedded().map_err(|error| error.to_string())?;
    let texts = Texts::embedded().map_err(|error| error.to_string())?;
    let bench = Bench::new(Arc::new(policy), screen, texts)?;
    if !args.model && !args.judge {
        return Ok(bench);
    }
    let wanted = models::Wanted {
        configured: args.model,
        judge: args.judge.then_some(args.judge_repeats),
        agreed: args.judge.then_some("--judge"),
    };
    Ok(bench.asking(models::open(&wanted, config)?))
}

/// Runs with a progress line on a terminal, until the end or Ctrl-C.
fn watched(bench: &Bench, suites: &[Suite], args: &EvalArgs) -> Run {
    let all: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_interrupt(&stop);
    let (done, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let shows = !args.quiet && std::io::stderr().is_terminal();
    let tick = |score: &crate::eval::score::Score| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(score.status, Status::Failed | Status::Error) {
            wrong.fetch_add(1, Ordering::Relaxed);
        }
        if shows && (done % 25 == 0 || done == all) {
            let wrong = wrong.load(Ordering::Relaxed);
            eprint!("\r{done} of {all} cases, {wrong} did not hold \u{1b}[K");
        }
    };
    let now = SystemClock.now();
    let plan = Plan {
        repeat: args.repeat,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        bail: args.bail,
        today: now.to_zoned(jiff::tz::TimeZone::UTC).date(),
        at: now,
    };
    let run = run(bench, suites, &plan, &stop, &tick);
    if shows {
        eprint!("\r\u{1b}[K");
    }
    run
}

/// The first Ctrl-C breaks the run off between two cases; the report is then marked as partial.
pub(super) fn stop_on_interrupt(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    let waits = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    };
    drop(
        std::thread::Builder::new()
            .name("interrupt".to_owned())
            .spawn(waits),
    );
}

fn told(args: &EvalArgs, run: &Run, root: &str, all: bool) -> u8 {
    let mut remarks = Vec::new();
    if run.partial {
        remarks.push("broken off before its end: the figures are of the cases that ran".to_owned());
    }
    let place = args
        .baseline
        .clone()
        .unwrap_or_else(|| Path::new(root).join(BASELINE));
    let extent = match (args.matrix.is_empty(), all) {
        (false, _) => Extent::Other,
        (true, true) if !run.partial => Extent::Whole,
        (true, _) => Extent::Part,
    };
    let (changes, lost) = match compared(args, run, &place, extent, &mut remarks) {
        Ok(compared) => compared,
        Err(message) => return refuse(&message),
    };
    let report = Report {
        run,
        changes: &changes,
        lost: &lost,
        remarks: &remarks,
        root,
        version: env!("CARGO_PKG_VERSION"),
    };
    if let Err(message) = written(args, &report) {
        return refuse(&message);
    }
    if args.write_baseline {
        if extent != Extent::Whole {
            return refuse("--write-baseline wants a whole run: name no suites, and let it end");
        }
        if let Err(error) = std::fs::write(&place, Baseline::of(run).to_json()) {
            return refuse(&format!("{}: {error}", place.display()));
        }
        eprintln!("anteroom: wrote {}", place.display());
        return HOLDS;
    }
    let count = run.count();
    let worse = changes.iter().any(|it| it.worse) || !lost.is_empty();
    if count.errors > 0 || (run.partial && count.failed == 0) {
        return NO_VERDICT;
    }
    match (count.failed > 0 || worse, count.passed) {
        (true, _) => FINDINGS,
        (false, 0) => NOTHING,
        (false, _) => HOLDS,
    }
}

fn compared(
    args: &EvalArgs,
    run: &Run,
    place: &Path,
    extent: Extent,
    remarks: &mut Vec<String>,
) -> Result<(Vec<Change>, Vec<String>), String> {
    if args.no_baseline || args.write_baseline {
        return Ok((Vec::new(), Vec::new()));
    }
    let text = match std::fs::read_to_string(place) {
        Ok(text) => text,
        Err(_) if args.baseline.is_none() => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(format!("{}: {error}", place.display())),
    };
    let baseline =
        Baseline::parse(&text).map_err(|error| format!("{}: {error}", place.display()))?;
    if baseline.policy != run.policy {
        remarks.push(
            "the baseline is of another policy; when its figures are meant, renew it with \
             `anteroom eval --write-baseline`"
                .to_owned(),
        );
    }
    Ok((baseline.changes(run, extent), baseline.lost(run)))
}

fn written(args: &EvalArgs, report: &Report<'_>) -> Result<(), String> {
    for (path, format) in &args.output {
        let text = report.render(*format, false)?;
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut out = std::io::stdout().lock();
    for format in &args.format {
        let text = report.render(*format, colour && *format == Format::Human)?;
        // A closed pipe downstream is no fault of the run.
        drop(out.write_all(text.as_bytes()));
    }
    Ok(())
}
