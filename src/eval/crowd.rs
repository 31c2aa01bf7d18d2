//! A crowd: thousands of scripted patients who text a practice at once while models, records and
//! carriers fail by a seed; and what must hold whatever happens.

mod faults;
mod oracle;
mod page;
mod play;
mod report;
mod script;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::eval::load;
use crate::eval::run::{self, Bench, Plan};
use crate::eval::score::Status;
use crate::eval::suite::Level;

pub use crate::eval::crowd::page::{Played, page};
pub use crate::eval::crowd::report::{Breach, CrowdReport};
pub use crate::eval::crowd::script::Goal;

/// Conversations of one world: as many patients as there are invented numbers for.
const WORLD: usize = world::PATIENTS_MAX;

/// What a crowd is made of.
#[derive(Clone, Copy, Debug)]
pub struct Crowd<'a> {
    /// How many conversations.
    pub conversations: usize,
    /// Where the choices come from: the same seed plays the same crowd.
    pub seed: u64,
    /// Chance of each fault, in a thousand.
    pub faults: u64,
    /// Where the databases lie; none: in memory, where the machine has a folder in it.
    pub folder: Option<&'a Path>,
    /// Worlds that are played at the same time.
    pub threads: usize,
}

/// Plays a crowd to its end, or until `stop`; `told` is told how many conversations are over.
pub fn play(
    bench: &Bench,
    crowd: &Crowd<'_>,
    stop: &AtomicBool,
    told: &(dyn Fn(usize) + Sync),
) -> Result<CrowdReport, String> {
    let worlds: Vec<usize> = (0..crowd.conversations)
        .step_by(WORLD)
        .map(|from| (crowd.conversations - from).min(WORLD))
        .collect();
    let next = AtomicUsize::new(0);
    let over = AtomicUsize::new(0);
    let all = Mutex::new(Ok(CrowdReport::default()));
    std::thread::scope(|scope| {
        for _ in 0..crowd.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(count) = worlds.get(number).copied() else {
                        return;
                    };
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let played = play::world(bench, crowd, number, count, &|| {
                        told(over.fetch_add(1, Ordering::Relaxed) + 1);
                    });
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    match played {
                        Ok(more) => {
                            if let Ok(report) = &mut *all {
                                report.add(more);
                            }
                        }
                        Err(error) => {
                            if all.is_ok() {
                                *all = Err(error);
                            }
                        }
                    }
                }
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// How many stories ended as they should, and how many there are.
pub type Stories = (usize, usize);

/// Plays every story of several texts that is part of the program: how they ended, all and by family.
pub fn stories(
    bench: &Bench,
    (now, threads): (Timestamp, usize),
    stop: &AtomicBool,
) -> Result<(Stories, BTreeMap<String, Stories>), String> {
    let mut suites = load::suites(&load::embedded(), &[]).map_err(|errors| {
        let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
        told.join("\n")
    })?;
    suites.retain(|suite| suite.level == Level::Conversation);
    let plan = Plan {
        repeat: 1,
        threads,
        bail: false,
        today: now.to_zoned(TimeZone::UTC).date(),
        at: now,
    };
    let report = run::run(bench, &suites, &plan, stop, &|_| ());
    let mut families: BTreeMap<String, Stories> = BTreeMap::new();
    for score in &report.scores {
        let (passed, all) = families.entry(score.suite.clone()).or_default();
        *passed += usize::from(score.status == Status::Passed);
        *all += usize::from(score.status != Status::Skipped);
    }
    let count = report.count();
    let all = (count.passed, count.passed + count.failed + count.errors);
    Ok((all, families))
}
