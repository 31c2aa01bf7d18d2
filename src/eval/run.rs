//! A run: every case of the chosen suites, in parallel, repeated where asked, broken off when told.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use crate::agent::prompts::Wording;
use crate::agent::texts::Texts;
use crate::eval::assertion::{Assertion, Check};
use crate::eval::case::{Case, Suite, acts};
use crate::eval::inventory::inventory;
use crate::eval::judge::judge;
use crate::eval::level::{self, Outcome};
use crate::eval::models::{Judgement, Models};
use crate::eval::score::{Run, Score, Share, Status};
use crate::eval::stage::Setup;
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Guardrail;
use crate::policy::Policy;
use crate::screen::Screen;

/// An interval this narrow is known well enough: repeats stop.
const NARROW: f64 = 0.1;

/// What cases are run against.
pub struct Bench {
    /// The way out.
    pub guardrail: Guardrail,
    /// The way in.
    pub screen: Screen,
    policy: Arc<Policy>,
    texts: Texts,
    pub(crate) wording: Wording,
    pub(crate) models: Models,
    setup: OnceLock<Result<Setup, String>>,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench")
            .field("policy", &self.guardrail.digest())
            .finish_non_exhaustive()
    }
}

/// How a run goes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How often each case is run; repeats stop early once the outcome is clear.
    pub repeat: u32,
    /// Cases at the same time.
    pub threads: usize,
    /// Stop at the first case that fails.
    pub bail: bool,
    /// The day, for quarantines that expire.
    pub today: Date,
    /// When the run begins.
    pub at: Timestamp,
}

impl Bench {
    /// A bench over a policy, with the built-in wording and no model to ask.
    pub fn new(policy: Arc<Policy>, screen: Screen, texts: Texts) -> Result<Self, String> {
        let guardrail = Guardrail::new(Arc::clone(&policy)).map_err(|error| error.to_string())?;
        Ok(Self {
            guardrail,
            screen,
            policy,
            texts,
            wording: Wording::default(),
            models: Models::default(),
            setup: OnceLock::new(),
        })
    }

    /// The bench with everything that is built in.
    pub fn embedded() -> Result<Self, String> {
        let policy = Policy::embedded().map_err(|error| error.to_string())?;
        let screen = Screen::embedded().map_err(|error| error.to_string())?;
        let texts = Texts::embedded().map_err(|error| error.to_string())?;
        Self::new(Arc::new(policy), screen, texts)
    }

    /// What stories begin from.
    pub(crate) fn setup(&self) -> Result<&Setup, String> {
        self.setup
            .get_or_init(|| {
                let rules = (self.guardrail.clone(), self.screen.clone());
                Setup::new(rules, self.texts.clone(), self.wording.clone())
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The same bench under another wording of the prompts.
    #[must_use]
    pub fn speaking(mut self, wording: Wording) -> Self {
        self.wording = wording;
        self.setup = OnceLock::new();
        self
    }

    /// The name of the model that a red team attacks.
    pub fn attacked(&self) -> String {
        let configured = self.models.configured.as_ref();
        configured.map_or_else(|| "the offline model".to_owned(), |it| it.name().to_owned())
    }

    /// The same bench with models to ask.
    #[must_use]
    pub fn asking(mut self, models: Models) -> Self {
        self.models = models;
        self
    }
}

/// Runs every case. `tick` is called after each; `stop` breaks the run off between cases.
pub fn run(
    bench: &Bench,
    suites: &[Suite],
    plan: &Plan,
    stop: &AtomicBool,
    tick: &(dyn Fn(&Score) + Sync),
) -> Run {
    let began = Instant::now();
    let all: Vec<(&Suite, &Case)> = suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
        .collect();
    let done: Mutex<Vec<Option<Score>>> = Mutex::new(vec![None; all.len()]);
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..plan.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let broken_off = stop.load(Ordering::Relaxed)
                        || (plan.bail && failed.load(Ordering::Relaxed));
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((suite, case)) = all.get(at).filter(|_| !broken_off) else {
                        return;
                    };
                    let score = score(bench, suite, case, plan);
                    if matches!(score.status, Status::Failed | Status::Error) {
                        failed.store(true, Ordering::Relaxed);
                    }
                    tick(&score);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(place) = done.get_mut(at) {
                        *place = Some(score);
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let scores: Vec<Score> = done.into_iter().flatten().collect();
    Run {
        policy: bench.guardrail.digest().to_owned(),
        inventory: inventory(&bench.policy, &bench.texts),
        cases: digest(suites),
        asked: suites
            .iter()
            .map(|suite| (suite.name.clone(), suite.cases.len()))
            .collect(),
        at: plan.at.to_string(),
        partial: scores.len() < all.len(),
        seconds: began.elapsed().as_secs_f64(),
        scores,
    }
}

/// A digest of what the cases ask, so that two runs can be told to be of the same cases.
fn digest(suites: &[Suite]) -> String {
    let mut hash = Sha256::new();
    for case in suites.iter().flat_map(|suite| &suite.cases) {
        let asked = format!("{}\0{:?}\0{:?}\0", case.id, case.vars, case.assertions);
        hash.update(asked.as_bytes());
    }
    hex::encode(hash.finalize())
}

fn score(bench: &Bench, suite: &Suite, case: &Case, plan: &Plan) -> Score {
    let mut score = Score {
        suite: suite.name.clone(),
        id: case.id.clone(),
        file: Arc::clone(&case.file),
        line: case.line,
        level: suite.level,
        category: case.category.clone(),
        language: case.language.clone(),
        kind: case.kind,
        acted: None,
        status: Status::Skipped,
        score: 0.0,
        reasons: Vec::new(),
        why: case.why.clone(),
        input: String::new(),
        marks: Vec::new(),
        expected: case.rules(),
        output: String::new(),
        micros: 0,
        agreement: (0, 0),
        judgements: Vec::new(),
    };
    if let Some(quarantine) = &case.quarantine {
        if plan.today < quarantine.until {
            score.reasons.push(format!(
                "set aside until {} ({}): {}",
                quarantine.until, quarantine.owner, quarantine.reason
            ));
            return score;
        }
        score.reasons.push(format!(
            "its quarantine ended on {} ({})",
            quarantine.until, quarantine.owner
        ));
    }
    repeated(bench, suite, case, plan, &mut score);
    score
}

fn repeated(bench: &Bench, suite: &Suite, case: &Case, plan: &Plan, score: &mut Score) {
    let mut tally = Share::default();
    let before = score.reasons.clone();
    let mut worst: Option<Score> = None;
    for _ in 0..plan.repeat.max(1) {
        let mut once = score.clone();
        once.reasons.clone_from(&before);
        match level::run(bench, suite, case).and_then(|it| judged(bench, case, it, &mut once)) {
            Ok(()) => {}
            Err(error) => {
                once.status = Status::Error;
                once.reasons.push(error);
            }
        }
        tally.of += 1;
        tally.hits += u64::from(once.status == Status::Passed);
        let worse = worst
            .as_ref()
            .is_none_or(|it| rank(once.status) > rank(it.status));
        if worse {
            worst = Some(once);
        }
        let (low, high) = tally.interval();
        if high - low <= NARROW {
            break;
        }
    }
    if let Some(worst) = worst {
        *score = worst;
    }
    let of = u32::try_from(tally.of).unwrap_or(u32::MAX);
    let hits = u32::try_from(tally.hits).unwrap_or(u32::MAX);
    let agreed = if score.status == Status::Passed {
        hits
    } else {
        of - hits
    };
    score.agreement = (agreed, of);
}

/// A case that fails in one repeat fails: a gate that is passed by luck is none.
const fn rank(status: Status) -> u8 {
    match status {
        Status::Skipped => 0,
        Status::Passed => 1,
        Status::Failed => 2,
        Status::Error => 3,
    }
}

fn judged(bench: &Bench, case: &Case, outcome: Outcome, score: &mut Score) -> Result<(), String> {
    let (mut held, mut whole) = (0.0, 0.0);
    let mut missed = outcome.missed.clone();
    for assertion in &case.assertions {
        whole += assertion.weight;
        if let Check::Judged(rubric) = &assertion.check {
            let asked = bench.models.judge.as_ref();
            let asked = asked.ok_or("llm-rubric asks a model: run with --judge")?;
            let judgement = asked.ask(rubric, &outcome.output)?;
            let reason = unmet(assertion, &judgement);
            score.judgements.push(judgement);
            match reason {
                None => held += assertion.weight,
                Some(reason) => missed.push(reason),
            }
            continue;
        }
        match judge(bench, assertion, &outcome)? {
            None => held += assertion.weight,
            Some(reason) => missed.push(reason),
        }
    }
    score.score = match (whole > 0.0, missed.is_empty()) {
        (true, _) => held / whole,
        (false, true) => 1.0,
        (false, false) => 0.0,
    };
    let enough = case
        .threshold
        .is_some_and(|least| score.score >= least && outcome.missed.is_empty());
    let passed = missed.is_empty() || enough;
    score.status = if passed {
        Status::Passed
    } else {
        Status::Failed
    };
    score.acted = acted(&outcome);
    if !passed {
        score.reasons.extend(missed);
    }
    score.input = outcome.input;
    score.marks = outcome.marks;
    score.output = outcome.output;
    score.micros = outcome.micros;
    Ok(())
}

/// A judge fails a case only when all its judgements say so: one that wavers is told, and gates
/// nothing.
fn unmet(assertion: &Assertion, judgement: &Judgement) -> Option<String> {
    let against = if assertion.negated {
        judgement.agreed
    } else {
        judgement.of - judgement.agreed
    };
    (against == judgement.of).then(|| {
        format!(
            "{}: {} of {} judgements meet it: {}",
            assertion.name, judgement.agreed, judgement.of, judgement.rubric
        )
    })
}

/// Whether the part under test did something about the text.
fn acted(outcome: &Outcome) -> Option<bool> {
    if let Some(verdict) = outcome.verdict {
        return Some(verdict != Verdict::Pass);
    }
    if let Some(intent) = outcome.intent {
        return Some(acts(intent) || outcome.injection == Some(true));
    }
    outcome
        .context
        .is_none()
        .then_some(!outcome.marks.is_empty())
}
