//! `simulate-carrier --run`: many texts through every fake carrier while everything goes wrong, and
//! what became of each. The whole house runs: signed webhooks over HTTP, the store, the guardrail,
//! dispatch, REST, reports, catching up. Only waits are skipped.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::carrier::exchange::Poster;
use crate::carrier::fake::{Fake, Faults, Sending};
use crate::cli::assemble::{self, Assembled};
use crate::cli::served::Served;
use crate::cli::{FINDINGS, HOLDS, refuse};
use crate::config;
use crate::domain::clock::{Clock as _, SkippingClock};
use crate::domain::message::Delivery;
use crate::pipeline::house::House;
use crate::pipeline::price;
use crate::pipeline::work::Step;
use crate::web::fake::{FakeSite, Hooks, Way, fake_router};
use crate::web::gate::GuardSettings;
use crate::web::router::{ConsoleParts, WebSettings, router};

/// Hand-overs and replies at the same time; more than in service, so that the waits for answers
/// that never come lie side by side.
const DISPATCHERS: usize = 48;
const REPLIERS: usize = 8;

/// How long a worker without work waits for a hint.
const REST: Duration = Duration::from_millis(500);

/// How often it is looked whether anything goes on.
const LOOK: Duration = Duration::from_millis(15);

/// How far the clock is moved at least when everybody only waits.
const SKIP: SignedDuration = SignedDuration::from_secs(1);

/// Texts that are let in at once.
const BATCH: usize = 250;

/// Rounds of catching up after which the run is given up.
const ROUNDS_MAX: u32 = 40;

/// The practices of the run, one on each carrier.
const LINES: [(&str, &str); 4] = [
    ("twilio", "+14155550101"),
    ("bandwidth", "+14155550102"),
    ("messagebird", "+14155550103"),
    ("bird", "+14155550104"),
];

fn configuration(web: u16, fake: u16, folder: &Path, database: Option<&str>) -> String {
    let database = database.map_or_else(String::new, |it| format!("database_url = {it:?}\n"));
    let folder = folder.display().to_string();
    let head = format!(
        "listen = \"127.0.0.1:{web}\"\npublic_url = \"http://127.0.0.1:{web}\"\n\
         data_dir = {folder:?}\n{database}[llm]\nkind = \"offline\"\n"
    );
    let practices: Vec<String> = LINES
        .iter()
        .map(|(carrier, number)| {
            format!(
                "[[practice]]\nid = \"run-{carrier}\"\nname = \"Lakeside Family Medicine\"\n\
                 phone = \"+14155550100\"\nstate = \"CA\"\ntimezone = \"America/Los_Angeles\"\n\
                 [[practice.sender]]\ncarrier = \"{carrier}\"\nnumber = \"{number}\"\n\
                 per_second = 100000.0\nper_day = 1000000000\n"
            )
        })
        .collect();
    let base = format!("base_url = \"http://127.0.0.1:{fake}\"\ntimeout_s = 1\n");
    let accounts = format!(
        "[twilio.run-twilio]\naccount_sid = \"AC00000000000000000000000000000001\"\n\
         auth_tokens = [\"FAKE\"]\nredact = true\n{base}\
         [bandwidth.run-bandwidth]\naccount_id = \"9900000\"\napplication_id = \"fake\"\n\
         user = \"fake\"\npassword = \"FAKE\"\nwebhook_user = \"fake\"\n\
         webhook_passwords = [\"FAKE\"]\n{base}\
         [messagebird.run-messagebird]\naccess_key = \"FAKE\"\nsigning_keys = [\"FAKE\"]\n{base}\
         [bird.run-bird]\nproduct = \"platform\"\naccess_key = \"bk_us_FAKE\"\n\
         signing_keys = [\"whsec_RkFLRQ==\"]\n{base}"
    );
    format!("{head}{}{accounts}", practices.concat())
}

/// An invented patient's number: 555-01xx of some area.
fn patient(number: usize) -> String {
    format!("+1{}55501{:02}", 201 + number / 100, number % 100)
}

/// Whether anything goes on: a count of what was done, and how far it was when each worker last
/// looked for work and found none. Nothing does when every worker looked after the last deed.
struct Stir {
    done: AtomicU64,
    idle_at: Vec<AtomicU64>,
}

impl Stir {
    fn new(workers: usize) -> Self {
        Self {
            done: AtomicU64::new(1),
            idle_at: (0..workers).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn is_still(&self) -> bool {
        let done = self.done.load(Ordering::SeqCst);
        let seen = self.idle_at.iter();
        seen.map(|it| it.load(Ordering::SeqCst))
            .all(|it| it == done)
    }
}

/// What runs.
struct Run {
    house: Arc<House>,
    clock: Arc<SkippingClock>,
    fake: Arc<Fake>,
    /// Whether anything goes on.
    stir: Arc<Stir>,
    /// Webhooks that are on their way.
    hooks: TaskTracker,
    site: FakeSite,
    stop: CancellationToken,
}

/// Sends `count` texts through the fake carriers and prints what became of them.
pub(super) async fn run(count: usize, (seed, share): (u64, f64), database: Option<String>) -> u8 {
    let folder = std::env::temp_dir().join(format!("anteroom-run-{}", std::process::id()));
    let code = match run_in(&folder, count, (seed, share), database.as_deref()).await {
        Ok(true) => HOLDS,
        Ok(false) => FINDINGS,
        Err(error) => refuse(&error),
    };
    // Invented people only; a folder that stays behind does no harm.
    drop(std::fs::remove_dir_all(&folder));
    code
}

async fn run_in(
    folder: &PathBuf,
    count: usize,
    (seed, share): (u64, f64),
    database: Option<&str>,
) -> Result<bool, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    std::fs::create_dir_all(folder).map_err(|error| told(&error))?;
    let bind = || TcpListener::bind(("127.0.0.1", 0));
    let (web, carrier) = (
        bind().await.map_err(|error| told(&error))?,
        bind().await.map_err(|error| told(&error))?,
    );
    let port = |it: &TcpListener| it.local_addr().map_or(0, |address| address.port());
    let file = folder.join("anteroom.toml");
    let text = configuration(port(&web), port(&carrier), folder, database);
    std::fs::write(&file, text).map_err(|error| told(&error))?;
    let loaded = config::load(Some(&file), std::iter::empty()).map_err(|error| told(&error))?;
    let clock = Arc::new(SkippingClock::default());
    let accounts = loaded.config.accounts.clone();
    let practices = loaded.config.practice.clone();
    let assembled = assemble::assemble_at(loaded.config, Arc::clone(&clock) as _).await?;
    let base = format!("http://127.0.0.1:{}", port(&carrier));
    let lines = accounts.fakes(&practices, &assembled.public_url, &base);
    let fake = Arc::new(Fake::new(lines, Faults::new(seed, share)));
    let run = start(
        &assembled,
        Arc::clone(&clock),
        Arc::clone(&fake),
        web,
        carrier,
    )?;
    let began = Instant::now();
    eprintln!(
        "{count} invented patients text {} invented practices at {base}; what it finds out comes at the end",
        LINES.len()
    );
    // From here on the carriers' lists are ours to read.
    let tell = |error: crate::store::StoreError| error.to_string();
    run.house.catch_up_once().await.map_err(tell)?;
    run.write_all(count).await;
    run.settle().await.map_err(tell)?;
    let (mut found, mut nothing) = ((0, 0), 0);
    for round in 1..=ROUNDS_MAX {
        clock.skip(SignedDuration::from_mins(6));
        let caught = run.house.catch_up_once().await.map_err(tell)?;
        found = (found.0 + caught.texts, found.1 + caught.reports);
        run.settle().await.map_err(tell)?;
        eprintln!(
            "catching up, round {round}: {} texts, {} reports and {} texts in doubt found",
            caught.texts, caught.reports, caught.doubts
        );
        // What is in doubt at one round is judged at the next.
        let idle = caught == crate::pipeline::catch_up::CaughtUp::default();
        nothing = if idle { nothing + 1 } else { 0 };
        if nothing == 2 {
            break;
        }
    }
    let good = run
        .report(count, (seed, share), found, began.elapsed())
        .await?;
    run.stop.cancel();
    Ok(good)
}

fn start(
    assembled: &Assembled,
    clock: Arc<SkippingClock>,
    fake: Arc<Fake>,
    web: TcpListener,
    carrier: TcpListener,
) -> Result<Run, String> {
    let (tracker, stop) = (&assembled.tracker, &assembled.stop);
    let house = Arc::clone(&assembled.house);
    let served = Arc::new(Served {
        house: Arc::clone(&house),
        people: Vec::new(),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
    });
    let settings = WebSettings {
        public_url: assembled.public_url.clone(),
        phone: None,
        carriers: house.carriers().clone(),
        guard: GuardSettings::default(),
        desk: None,
        clock: Arc::clone(&clock) as _,
        shutdown: stop.clone(),
        suites: None,
        console: ConsoleParts::default(),
    };
    let front = router(served, settings);
    tracker.spawn(crate::web::serve::serve(web, front, stop.clone()));
    let hooks = TaskTracker::new();
    let site = FakeSite {
        fake: Arc::clone(&fake),
        clock: Arc::clone(&clock) as _,
        way: Way::Http(Poster::new().ok_or("no HTTP client can be made on this machine")?),
        hooks: Hooks::default(),
        tracker: hooks.clone(),
        stop: stop.clone(),
    };
    tracker.spawn(crate::web::serve::serve(
        carrier,
        fake_router(site.clone()),
        stop.clone(),
    ));
    let stir = Arc::new(Stir::new(DISPATCHERS + REPLIERS));
    for number in 0..DISPATCHERS + REPLIERS {
        let (house, stir, stop) = (Arc::clone(&house), Arc::clone(&stir), stop.clone());
        tracker.spawn(async move {
            while !stop.is_cancelled() {
                let before = stir.done.load(Ordering::SeqCst);
                let (step, hint) = if number < REPLIERS {
                    (Box::pin(house.reply_once()).await, &house.replies)
                } else {
                    (Box::pin(house.dispatch_once()).await, &house.outbox)
                };
                if matches!(step, Ok(Step::Worked)) {
                    stir.done.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                if let (Ok(Step::Idle), Some(seen)) = (&step, stir.idle_at.get(number)) {
                    seen.store(before, Ordering::SeqCst);
                }
                tokio::select! {
                    () = hint.notified() => {}
                    () = tokio::time::sleep(REST) => {}
                }
            }
        });
    }
    Ok(Run {
        house,
        clock,
        fake,
        stir,
        hooks,
        site,
        stop: stop.clone(),
    })
}

impl Run {
    /// Lets every patient write once, and tells how far that is: on a terminal in one line that is
    /// written over, else ten times.
    async fn write_all(&self, count: usize) {
        let terminal = std::io::stderr().is_terminal();
        let mut told = 0;
        for (number, (carrier, to)) in (0..count).zip(LINES.into_iter().cycle()) {
            let sending = Sending {
                from: patient(number),
                to: to.to_owned(),
                body: "Hello, when is my next visit?".to_owned(),
                ..Sending::default()
            };
            let line = format!("{carrier}.run-{carrier}");
            let now = self.clock.now();
            if let Some((_, posts)) = self.fake.write(&line, sending, Vec::new(), now) {
                for (after, post) in posts {
                    self.site.later(after, post);
                }
            }
            while self.hooks.len() > BATCH {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let (done, steps) = (number + 1, if terminal { 200 } else { 10 });
            let step = done * steps / count.max(1);
            if step > told {
                told = step;
                let (start, end) = if terminal {
                    ("\r", "\u{1b}[K")
                } else {
                    ("", "\n")
                };
                eprint!("{start}{done} of {count} texts written{end}");
            }
        }
        if terminal {
            eprintln!();
        }
    }

    /// Works until nothing is left to be done, skipping the waits.
    async fn settle(&self) -> Result<(), crate::store::StoreError> {
        let mut hooks = usize::MAX;
        loop {
            // Everybody looks once more.
            self.house.replies.notify_waiters();
            self.house.outbox.notify_waiters();
            tokio::time::sleep(LOOK).await;
            if !self.hooks.is_empty() || hooks > 0 {
                // What they brought is new work, also what came with the last of them.
                hooks = self.hooks.len();
                self.stir.done.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            if !self.stir.is_still() {
                continue;
            }
            let Some(due) = self.house.store().next_due().await? else {
                return Ok(());
            };
            self.clock
                .skip(due.duration_since(self.clock.now()).max(SKIP));
            self.stir.done.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Answers that a phone got more than once.
    fn given_twice(&self) -> usize {
        let mut given: BTreeMap<(String, String), usize> = BTreeMap::new();
        for text in self.fake.texts().into_iter().filter(|text| !text.inbound) {
            *given.entry((text.sent.from, text.sent.to)).or_default() += 1;
        }
        given.values().filter(|times| **times > 1).count()
    }

    /// Prints what became of everything; whether all is as it must be.
    async fn report(
        &self,
        count: usize,
        (seed, share): (u64, f64),
        found: (u64, u64),
        took: Duration,
    ) -> Result<bool, String> {
        let standings = self.house.store().standings().await;
        let standings = standings.map_err(|error| error.to_string())?;
        let sight = self.fake.sight();
        println!(
            "{count} texts from patients, each fault {:.0} %, seed {seed}, {:.0} s",
            share * 100.0,
            took.as_secs_f64()
        );
        println!("\nfaults that happened:");
        for (fault, times) in &sight.faults {
            println!("  {fault:<14} {times:>6}");
        }
        println!("\nfound by asking: {} texts, {} reports", found.0, found.1);
        println!("\nwhat became of the answers:");
        let (mut ours, mut open, mut segments) = (0, 0, 0);
        for it in &standings {
            ours += it.count;
            if it.taken {
                segments += it.segments;
            }
            let ended =
                it.delivery.is_final() && (it.delivery != Delivery::Failed || !it.code.is_empty());
            open += if ended { 0 } else { it.count };
            println!(
                "  {:<12} {:<12} {:<24} {:>6}",
                it.carrier.as_str(),
                it.delivery.as_str(),
                it.code,
                it.count
            );
        }
        // All at the price of the carrier that publishes one.
        let mut senders = self.house.practices().flat_map(|it| &it.senders);
        let price = senders.find_map(|it| price::estimate(it, segments));
        println!(
            "\n{segments} segments taken by the carriers, about ${} at Twilio's list price with the \
             networks' fees",
            price.map_or_else(|| "?".to_owned(), price::dollars)
        );
        let twice = self.given_twice();
        let known: i64 = standings
            .iter()
            .filter(|it| it.taken)
            .map(|it| it.count)
            .sum();
        let lost = i64::try_from(count).unwrap_or(i64::MAX) - ours;
        let unknown = i64::try_from(sight.taken).unwrap_or(i64::MAX) - known;
        println!(
            "\nseen by the carrier: {} texts taken in {} requests",
            sight.taken, sight.requests
        );
        for (what, number) in [
            ("texts of patients without an answer (lost)", lost),
            ("answers without an end", open),
            (
                "answers that a phone got twice",
                i64::try_from(twice).unwrap_or(i64::MAX),
            ),
            ("texts that the carrier has and we do not know of", unknown),
        ] {
            println!("  {number:>6}  {what}");
        }
        let good = lost == 0 && open == 0 && twice == 0 && unknown == 0;
        let told = if good { "all is" } else { "NOT" };
        println!("\n{told} as it must be");
        Ok(good)
    }
}
