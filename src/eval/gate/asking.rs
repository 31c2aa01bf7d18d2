//! What publishing asks of the gate, from the command line and from the console alike: the suites
//! that a change touches, with progress, then a replay of stored turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jiff::Timestamp;

use crate::agent::prompts::{Prompts, Sources, Wording};
use crate::agent::texts::Texts;
use crate::domain::ids::PracticeId;
use crate::domain::publication::{Published, Standing};
use crate::eval::case::Suite;
use crate::eval::gate::{Gate, changed, set_aside, touched};
use crate::eval::inventory::inventory;
use crate::eval::load;
use crate::eval::run::{Bench, Plan};
use crate::eval::score::{Score, Status};
use crate::eval::shadow::{Shadow, Wanted, shadow};
use crate::guardrail::review::Guardrail;
use crate::pipeline::house::House;
use crate::policy::Policy;
use crate::screen::Screen;
use crate::store::{Store, StoreError};

/// How the gate is run.
#[derive(Debug)]
pub struct Asking {
    /// Whose stored turns are replayed.
    pub practice: PracticeId,
    /// At most so many of them, the newest.
    pub replay: u32,
    /// The suites, those that the change does not touch among them; [`shipped`] gives the program's.
    pub suites: Vec<Suite>,
    /// Cases at the same time. A server that answers patients meanwhile gives one.
    pub threads: usize,
    /// Now.
    pub now: Timestamp,
}

/// How far the gate is, for whoever shows it, and the way to break it off. What was broken off
/// never passes.
#[derive(Debug, Default)]
pub struct Progress {
    of: AtomicUsize,
    done: AtomicUsize,
    wrong: AtomicUsize,
    stop: AtomicBool,
}

impl Progress {
    /// Cases that are asked; none before the suites are read.
    pub fn of(&self) -> usize {
        self.of.load(Ordering::Relaxed)
    }

    /// Cases that were asked.
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// Cases of them that did not hold.
    pub fn wrong(&self) -> usize {
        self.wrong.load(Ordering::Relaxed)
    }

    /// Ends the run between two cases.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn note(&self, score: &Score) {
        self.done.fetch_add(1, Ordering::Relaxed);
        let wrong = matches!(score.status, Status::Failed | Status::Error);
        self.wrong.fetch_add(usize::from(wrong), Ordering::Relaxed);
    }
}

/// The suites in the program.
pub fn shipped() -> Result<Vec<Suite>, String> {
    suites(&load::embedded())
}

/// The suites of a folder; the first mistake in them is told.
pub fn suites(files: &load::Files) -> Result<Vec<Suite>, String> {
    let tell = |errors: &[load::LoadError]| {
        let first = errors.first().map(ToString::to_string);
        format!("the suites cannot be read: {}", first.unwrap_or_default())
    };
    let suites = load::suites(files, &[]).map_err(|errors| tell(&errors))?;
    match load::check_vars(&suites).as_slice() {
        [] => Ok(suites),
        errors => Err(tell(errors)),
    }
}

/// Asks the gate about another wording: every story and prompt case under it, its samples at the
/// guardrail, and stored texts answered in both wordings. Nothing is kept and nothing is sent.
///
/// Where [`Gate::refusal`] is none, publish with [`Gate::report_digest`] as the version's report.
pub async fn wording(
    house: &House,
    asking: Asking,
    (before, after): (&Wording, &Wording),
    progress: &Arc<Progress>,
) -> Result<Gate, String> {
    let (Ok(old), Ok(new), Ok(built_in)) = (before.prompts(), after.prompts(), Prompts::embedded())
    else {
        return Err("the prompts cannot be read".to_owned());
    };
    let (practice, replay) = (asking.practice.clone(), asking.replay);
    let mut asking = asking;
    asking.suites = touched(asking.suites, Published::Prompt);
    // What was published before is what staff have chosen; their words are no mistake either.
    let mut aside = set_aside(&mut asking.suites, built_in.sources(), new);
    aside += set_aside(&mut asking.suites, old.sources(), new);
    let bench = Bench::embedded()?.speaking(after.clone());
    let ran = run(Published::Prompt, new.digest(), bench, asking, progress);
    let mut gate = ran.await?.with_wording(&Bench::embedded()?, old, new);
    gate.set_aside = aside;
    if gate.partial {
        return Ok(gate);
    }
    let rehearsed = house.rehearse(&practice, replay, (before, after)).await;
    Ok(gate.with_rehearsal(&rehearsed.map_err(|error| error.to_string())?))
}

/// Asks the gate about another policy: every case that a policy touches, what has left it, and
/// stored drafts judged by both. `accepted` says why what is lost or looser is right.
pub async fn policy(
    store: &Store,
    asking: Asking,
    (before, after): (Policy, Policy),
    accepted: Option<&str>,
    progress: &Arc<Progress>,
) -> Result<(Gate, Shadow), String> {
    let texts = Texts::embedded().map_err(|error| error.to_string())?;
    let screen = Screen::embedded().map_err(|error| error.to_string())?;
    let (was, is) = (inventory(&before, &texts), inventory(&after, &texts));
    let (before, after) = (Arc::new(before), Arc::new(after));
    let bench = Bench::new(Arc::clone(&after), screen, texts)?;
    let (practice, replay) = (asking.practice.clone(), asking.replay);
    let mut asking = asking;
    asking.suites = touched(asking.suites, Published::Policy);
    let digest = after.digest().to_owned();
    let ran = run(Published::Policy, digest, bench, asking, progress);
    let mut gate = ran.await?.with_inventory(&was, &is);
    gate.accepted = accepted.map(str::to_owned);
    if gate.partial {
        return Ok((gate, Shadow::default()));
    }
    let guardrail = |policy| Guardrail::new(policy).map_err(|error| error.to_string());
    let both = (guardrail(before)?, guardrail(after)?);
    let wanted = Wanted {
        since: Timestamp::UNIX_EPOCH,
        most: usize::try_from(replay).unwrap_or(usize::MAX),
        texts: false,
    };
    let replayed = shadow(store, &practice, (&both.0, &both.1), wanted).await;
    let replayed = replayed.map_err(|error| error.to_string())?;
    Ok((gate.with_shadow(&replayed), replayed))
}

/// Runs the suites on threads of their own, so that nobody else's answer waits for them.
async fn run(
    kind: Published,
    digest: String,
    bench: Bench,
    asking: Asking,
    progress: &Arc<Progress>,
) -> Result<Gate, String> {
    let all: usize = asking.suites.iter().map(|suite| suite.cases.len()).sum();
    progress.of.store(all, Ordering::Relaxed);
    let plan = Plan {
        repeat: 1,
        threads: asking.threads,
        bail: false,
        today: asking.now.to_zoned(jiff::tz::TimeZone::UTC).date(),
        at: asking.now,
    };
    let progress = Arc::clone(progress);
    let ran = move || {
        let tick = |score: &Score| progress.note(score);
        let stop = &progress.stop;
        Gate::of((kind, &digest), &bench, &asking.suites, &plan, stop, &tick)
    };
    tokio::task::spawn_blocking(ran)
        .await
        .map_err(|error| error.to_string())
}

/// What a practice's conversations are answered in today, trials apart.
pub async fn wording_in_force(store: &Store, practice: &PracticeId) -> Result<Wording, StoreError> {
    let versions = store.versions(practice, Published::Prompt).await?;
    let live = versions.iter().find(|it| it.standing == Standing::Live);
    let Some(live) = live else {
        return Ok(Wording::default());
    };
    let content = store.content(practice, live.id).await?;
    let read = Prompts::with(&content.unwrap_or_default().files);
    Ok(read.map_or_else(|_newer| Wording::default(), Wording::published))
}

/// The templates that a set has otherwise than the program: what a version keeps.
pub fn differing(prompts: &Prompts) -> Sources {
    let Ok(built_in) = Prompts::embedded() else {
        return prompts.sources().clone();
    };
    let own = changed(built_in, prompts);
    let all = prompts.sources().iter();
    all.filter(|(place, _)| own.contains(*place))
        .map(|(place, source)| (place.clone(), source.clone()))
        .collect()
}
