//! `seed`: fills a store with invented conversations, to look at pages and to time them.

use std::io::IsTerminal as _;
use std::sync::Arc;

use clap::Args;
use tokio_util::task::TaskTracker;

use crate::cli::assemble::{open_store, practices};
use crate::cli::{HOLDS, NO_VERDICT, guardrail, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::practice::Practice;
use crate::pipeline::seed::{self, CONVERSATIONS_MAX, Seeding};
use crate::store::inbox::{Queue, Wanted};

/// How a store is filled.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ANTEROOM_DATA_DIR=/tmp/full anteroom seed --conversations 100000
  ANTEROOM_DATA_DIR=/tmp/full anteroom seed --conversations 10000 --days 30 --practice lakeside

Everything in it is invented, and nothing of it leaves. Refused where a real carrier is configured, and
in a store that holds conversations already.")]
pub(super) struct SeedArgs {
    /// How many conversations, each with a person in the embedded record and some texts.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(CONVERSATIONS_MAX)))]
    conversations: u32,
    /// Over how many days until now.
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// The same seed gives the same conversations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// At which practice; the first one, where it is left out.
    #[arg(long, value_name = "ID")]
    practice: Option<String>,
}

/// Fills the store.
pub(super) async fn seed(loaded: &Loaded, args: &SeedArgs) -> u8 {
    let practice = match practice(loaded, args.practice.as_deref()) {
        Ok(practice) => Arc::new(practice),
        Err(error) => return refuse(&error),
    };
    let guardrail = match guardrail::configured(&loaded.config) {
        Ok(guardrail) => Arc::new(guardrail),
        Err(error) => return refuse(&error.to_string()),
    };
    let tracker = TaskTracker::new();
    let store = match open_store(&loaded.config, &tracker).await {
        Ok(store) => store,
        Err(error) => return refuse(&error),
    };
    match store
        .inbox(&practice.id, Wanted::first(Queue::All, 1))
        .await
    {
        Ok(lines) if lines.is_empty() => {}
        Ok(_) => {
            let text = "this store holds conversations already; name an empty data_dir or database";
            return refuse(text);
        }
        Err(error) => return failed(&error),
    }
    let wanted = Seeding {
        conversations: args.conversations,
        days: args.days,
        seed: args.seed,
    };
    let began = std::time::Instant::now();
    let shown = std::io::stderr().is_terminal();
    let told = |done: u32| {
        if shown {
            eprint!("\r{done} of {} conversations", args.conversations);
        }
    };
    let when = (wanted, SystemClock.now());
    let done = seed::seed(&store, &guardrail, &practice, when, told).await;
    if shown {
        eprintln!();
    }
    let it = match done {
        Ok(seeded) => seeded,
        Err(error) => return failed(&error),
    };
    println!(
        "{} conversations, {} texts, {} unread, {} held, {} alarms, {} taken over, in {:.1} s",
        it.conversations,
        it.texts,
        it.unread,
        it.held,
        it.alarms,
        it.taken,
        began.elapsed().as_secs_f64()
    );
    HOLDS
}

/// The practice that is meant, where nothing real is carried.
fn practice(loaded: &Loaded, named: Option<&str>) -> Result<Practice, String> {
    let mut all = practices(&loaded.config)?;
    let mut senders = all.iter().flat_map(|it| &it.senders);
    if senders.any(|it| it.carrier.is_company()) {
        return Err(
            "a real carrier is configured: invented conversations do not go beside real ones; use \
             another configuration and data_dir"
                .to_owned(),
        );
    }
    let known: Vec<String> = all.iter().map(|it| it.id.to_string()).collect();
    let at = known.iter().position(|id| named.is_none_or(|it| it == id));
    match at {
        Some(at) => Ok(all.swap_remove(at)),
        None => Err(format!("--practice: one of {}", known.join(", "))),
    }
}

fn failed(error: &dyn std::fmt::Display) -> u8 {
    eprintln!("anteroom: {error}");
    NO_VERDICT
}
