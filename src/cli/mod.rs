//! The commands: what a person types, and the only place that prints.
#![expect(clippy::print_stderr, reason = "output belongs here")]

/// As the standard one, but a closed pipe ends the command quietly. Shadows it in every command.
macro_rules! print {
    ($($text:tt)*) => { $crate::cli::out::print(format_args!($($text)*), "") };
}

/// As the standard one, but a closed pipe ends the command quietly. Shadows it in every command.
macro_rules! println {
    () => { $crate::cli::out::print(format_args!(""), "\n") };
    ($($text:tt)*) => { $crate::cli::out::print(format_args!($($text)*), "\n") };
}

mod agreement;
mod alarm;
mod assemble;
mod audit;
mod carrier_run;
mod chat;
mod consent;
mod crowd;
mod doctor;
mod eval;
mod explain;
mod gateway;
mod guardrail;
mod import;
mod jsonl;
mod log;
mod out;
mod phone;
mod policy;
mod prompt;
mod publish;
mod records;
mod redteam;
mod reload;
mod replay;
mod seed;
mod serve;
pub mod served;
mod set_up;
mod simulate;
mod simulate_carrier;
mod staff;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::{self, Loaded};
use crate::domain::phone::E164;

/// Ends well.
pub(crate) const HOLDS: u8 = 0;
/// Findings, or a failed gate.
pub(crate) const FINDINGS: u8 = 1;
/// Usage or configuration.
pub(crate) const USAGE: u8 = 2;
/// No verdict: an error on the way.
pub(crate) const NO_VERDICT: u8 = 3;
/// Nothing was examined.
pub(crate) const NOTHING: u8 = 4;

const EXAMPLES: &str = "Examples:
  anteroom                                  the server on embedded defaults, with a phone to try it
  anteroom chat --as +14155550111           text the sample practice from the terminal
  echo '{\"id\":\"1\",\"text\":\"Your A1c is 7.2\"}' | anteroom detect
  anteroom check --explain --draft \"See you Wednesday at 3 PM\"
  anteroom doctor                           what is missing before real patients text
  anteroom audit verify                     prove that the audit log is whole

Exit codes: 0 holds; 1 findings or a failed gate; 2 usage or configuration; 3 no verdict (an error
on the way); 4 nothing was examined.";

/// An AI chat-agent runtime with compliance guardrails for medical practices whose patients text them.
#[derive(Debug, Parser)]
#[command(name = "anteroom", version, about, after_help = EXAMPLES)]
struct Cli {
    /// Configuration file; without it ./anteroom.toml where there is one, else embedded defaults.
    #[arg(long, global = true, value_name = "FILE", env = "ANTEROOM_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server (the default).
    Serve,
    /// A phone in the terminal: text the sample practice as one of its invented patients.
    #[command(
        after_help = "Type a text and press Enter; /glass shows what the guardrail did; Ctrl-D leaves."
    )]
    Chat {
        /// The number to text from.
        #[arg(long = "as", value_name = "NUMBER", default_value = "+14155550111", value_parser = E164::typed)]
        number: E164,
        /// Show what the guardrail did to each draft.
        #[arg(long)]
        glass: bool,
    },
    /// Review drafts: JSONL on standard input (or --draft) to JSONL reviews.
    Check {
        /// One draft, reviewed as an SMS of the sample practice to a patient who agreed and whose
        /// visit is on Wednesday, December 2, 2026 at 3 PM with Dr. Ana Reyes.
        #[arg(long, value_name = "TEXT")]
        draft: Option<String>,
        /// For people: the draft with what was found underlined, why, and what would be sent.
        #[arg(long)]
        explain: bool,
        /// A folder with a Hugging Face token-classification model that votes too (feature `hf`).
        #[arg(long, value_name = "DIR")]
        token_model: Option<PathBuf>,
    },
    /// Find identifiers and clinical detail: JSONL texts on standard input to JSONL findings.
    Detect {
        /// One text.
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
        /// A folder with a Hugging Face token-classification model that votes too (feature `hf`).
        #[arg(long, value_name = "DIR")]
        token_model: Option<PathBuf>,
    },
    /// Read inbound texts: JSONL on standard input to JSONL intents.
    Screen {
        /// One text, with no question pending.
        #[arg(long, value_name = "TEXT")]
        text: Option<String>,
    },
    /// Run the suites under evals/ against the guardrail, the screen and the whole pipeline.
    Eval(eval::EvalArgs),
    /// Let thousands of scripted patients text a practice while models, records and carriers fail by
    /// a seed, and report what must never happen.
    SimulatePatients(crowd::CrowdArgs),
    /// Attack the pipeline: a grammar of strategies and goals, with a hostile model among them.
    Redteam(redteam::RedteamArgs),
    /// Accounts of the console: invite, list, reset.
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Load a FHIR R4 Bundle into the embedded record of one practice.
    Import {
        /// The Bundle, as JSON.
        bundle: PathBuf,
        /// The practice's id.
        #[arg(long, value_name = "ID")]
        practice: String,
    },
    /// Alarms that patients' texts raised and that nobody has yet.
    #[command(subcommand)]
    Alarm(Alarm),
    /// The register of agreements with carriers and vendors; without one, nothing about a patient goes.
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// The law and the house rules as data: show, compare, check.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Versions of what is said: published through the gate, tried, taken back.
    #[command(subcommand)]
    Prompt(prompt::PromptCommand),
    /// Fill an empty store with invented conversations, to look at pages and to time them.
    Seed(seed::SeedArgs),
    /// What another policy would have decided of the drafts that are stored.
    Simulate(simulate::SimulateArgs),
    /// What the model was sent for one text, made again byte for byte; and what has moved since.
    Replay(replay::ReplayArgs),
    /// The audit log.
    #[command(subcommand)]
    Audit(Audit),
    /// What patients agreed to, with its evidence.
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// Play the configured carriers on this machine: they take texts, report on them, bring texts
    /// from patients, and go wrong by a seed.
    SimulateCarrier {
        /// Address to listen on; each account's `base_url` must point there.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9100")]
        listen: std::net::SocketAddr,
        /// The same seed and the same texts go wrong in the same way.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Share of texts and webhooks that meet each fault, 0 to 1.
        #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
        faults: f64,
        /// Instead: let so many invented patients text four invented practices, one on each
        /// carrier, and report what became of every answer. Touches no configured account.
        #[arg(long, value_name = "TEXTS")]
        run: Option<usize>,
        /// With --run: an empty database for it, postgres://...; without, SQLite in a temporary
        /// folder.
        #[arg(long, value_name = "URL", requires = "run")]
        database: Option<String>,
    },
    /// Look for what is missing or wrong: clock, key, database, public address, model, agreements.
    Doctor,
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the description of the addresses for programs, as /openapi.json serves it.
    Openapi,
    /// Print shell completions.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum Alarm {
    /// Print the open alarms as JSONL, oldest first; exit 1 while there is one.
    List,
    /// Say that somebody has an alarm: its clock stops, and the audit log keeps the name.
    Ack {
        /// The alarm's number.
        alarm: i64,
        /// Who has it.
        #[arg(long, value_name = "NAME")]
        by: String,
    },
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Verify every chain and checkpoint; names the first bad entry of each practice.
    Verify,
    /// Print the entries as JSONL, oldest first.
    Export {
        /// Only this practice.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum ConsentCommand {
    /// Print where a number's consent stands and every event that led there, oldest first.
    ///
    /// Shows the number, patient ids, carrier ids and hashes, for the compliance officer; no text
    /// of a message and no name. Exit 4 when nothing was ever exchanged with the number.
    Show {
        /// The patient's number, as +14155550114.
        #[arg(long, value_name = "NUMBER", value_parser = E164::typed)]
        number: E164,
        /// Only this practice.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print each value and where it came from; secrets are not shown.
    Explain,
    /// Print every key with its meaning and default.
    Default,
}

/// Runs the command line.
pub fn run() -> ExitCode {
    log::quiet_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own exit codes: 0 for --help, 2 for usage.
            let code = if error.use_stderr() { USAGE } else { HOLDS };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    ExitCode::from(run_command(cli))
}

fn run_command(cli: Cli) -> u8 {
    match cli.command {
        Some(Command::Check {
            draft,
            explain,
            token_model,
        }) => {
            return judging(cli.config.as_deref(), token_model, |guardrail| {
                jsonl::check(guardrail, draft, explain)
            });
        }
        Some(Command::Detect { text, token_model }) => {
            return judging(cli.config.as_deref(), token_model, |guardrail| {
                jsonl::detect(guardrail, text)
            });
        }
        Some(Command::Screen { text }) => return jsonl::screen(text),
        Some(Command::Eval(args)) => return eval::eval(&args, cli.config.as_deref()),
        Some(Command::Redteam(args)) => {
            return redteam::redteam(&args, cli.config.as_deref());
        }
        Some(Command::SimulatePatients(args)) => return crowd::crowd(&args),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "anteroom",
                &mut std::io::stdout(),
            );
            return HOLDS;
        }
        Some(Command::Policy(command)) if !command.needs_store() => {
            return match configured(cli.config.as_deref()) {
                Ok(loaded) => policy::run(&command, &loaded.config.policy_dir),
                Err(message) => refuse(&message),
            };
        }
        Some(Command::Openapi) => {
            print!("{}", crate::web::openapi::DESCRIPTION);
            return HOLDS;
        }
        Some(Command::Config(ConfigCommand::Default)) => {
            print!("{}", config::DEFAULTS);
            return HOLDS;
        }
        _ => {}
    }
    let loaded = match configured(cli.config.as_deref()) {
        Ok(loaded) => loaded,
        Err(message) => return refuse(&message),
    };
    let mut log = loaded.config.log.clone();
    let trial = matches!(
        cli.command,
        Some(Command::SimulateCarrier { run: Some(_), .. })
    );
    if trial && log.level == "info" {
        // A trial run goes wrong on purpose; its report tells how.
        "error".clone_into(&mut log.level);
    }
    if let Err(error) = log::start(&log) {
        return refuse(&error);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(with_config(cli.command.unwrap_or(Command::Serve), loaded)),
        Err(error) => refuse(&format!("cannot start: {error}")),
    }
}

/// The configuration in this file, under what the environment says.
fn configured(file: Option<&std::path::Path>) -> Result<Loaded, String> {
    // Not `vars`, which panics on any variable that is no Unicode, also on one that is not ours.
    let environment = std::env::vars_os().map(|(name, value)| {
        let text = |it: std::ffi::OsString| it.to_string_lossy().into_owned();
        (text(name), text(value))
    });
    config::load(file, environment).map_err(|error| error.to_string())
}

/// Runs `work` with the guardrail that a server with this configuration judges by; the model that is
/// named here counts before the configured one.
fn judging(
    config: Option<&std::path::Path>,
    model: Option<PathBuf>,
    work: impl FnOnce(&crate::guardrail::review::Guardrail) -> u8,
) -> u8 {
    let mut loaded = match configured(config) {
        Ok(loaded) => loaded,
        Err(message) => return refuse(&message),
    };
    if let Some(model) = model {
        loaded.config.guard.token_model = model.to_string_lossy().into_owned();
    }
    match guardrail::configured(&loaded.config) {
        Ok(guardrail) => work(&guardrail),
        Err(error) => refuse(&error.to_string()),
    }
}

async fn with_config(command: Command, loaded: Loaded) -> u8 {
    match command {
        Command::Serve => Box::pin(serve::serve(loaded)).await,
        Command::Chat { number, glass } => Box::pin(chat::chat(number, glass)).await,
        Command::Import { bundle, practice } => import::import(&loaded, &bundle, &practice).await,
        Command::Staff(command) => staff::run(loaded, command).await,
        Command::Alarm(Alarm::List) => alarm::list(&loaded).await,
        Command::Alarm(Alarm::Ack { alarm, by }) => alarm::acknowledge(&loaded, alarm, &by).await,
        Command::Audit(Audit::Verify) => audit::verify(&loaded).await,
        Command::Audit(Audit::Export { practice }) => {
            audit::export(&loaded, practice.as_deref()).await
        }
        Command::Agreement(command) => Box::pin(agreement::agreement(&loaded, &command)).await,
        Command::Policy(command) => Box::pin(policy::with_store(&loaded, &command)).await,
        Command::Prompt(command) => Box::pin(prompt::prompt(&loaded, &command)).await,
        Command::Seed(args) => Box::pin(seed::seed(&loaded, &args)).await,
        Command::Simulate(args) => Box::pin(simulate::simulate(&loaded, &args)).await,
        Command::Replay(args) => Box::pin(replay::replay(&loaded, &args)).await,
        Command::Consent(ConsentCommand::Show {
            number,
            practice,
            json,
        }) => consent::show(&loaded, &number, practice.as_deref(), json).await,
        Command::SimulateCarrier {
            listen,
            seed,
            faults,
            run,
            database,
        } => {
            if let Some(count) = run {
                return Box::pin(carrier_run::run(count, (seed, faults), database)).await;
            }
            let faults = crate::carrier::fake::Faults::new(seed, faults);
            simulate_carrier::simulate(&loaded, listen, faults).await
        }
        Command::Doctor => Box::pin(doctor::doctor(&loaded)).await,
        Command::Config(ConfigCommand::Explain) => {
            print!("{}", loaded.explain());
            HOLDS
        }
        // Answered before a configuration was needed.
        Command::Check { .. }
        | Command::Detect { .. }
        | Command::Screen { .. }
        | Command::Eval(_)
        | Command::Redteam(_)
        | Command::SimulatePatients(_)
        | Command::Openapi
        | Command::Completions { .. }
        | Command::Config(ConfigCommand::Default) => USAGE,
    }
}

/// Tells a person what is wrong and how to mend it; exit 2.
fn refuse(message: &str) -> u8 {
    eprintln!("anteroom: {message}");
    USAGE
}
