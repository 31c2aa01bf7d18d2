//! Every figure of the guardrail in one run: times of review and detection over clinic-like texts,
//! allocations, time to load, memory, and a raw search beside them, so that ratios can be compared
//! between machines.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;
use anteroom::guardrail::detect::tagger;
use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::setting::Author;
use anteroom::guardrail::setting::Consent;
use anteroom::guardrail::setting::Fact;
use anteroom::guardrail::setting::Relation;
use anteroom::guardrail::setting::Setting;
use anteroom::policy::Policy;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::policy::words::Purpose;

/// 60 to 160 characters each, the practice's voice; the first thirty are ASCII, the others accented.
const TEXTS: &str = include_str!("texts.txt");
const ROUNDS: usize = 200;

const FACTS: &[Fact<'static>] = &[
    Fact {
        field: "patient.first_name",
        value: "Maria",
    },
    Fact {
        field: "appointment.start",
        value: "2026-12-02T15:00:00-08:00",
    },
    Fact {
        field: "appointment.provider",
        value: "Dr. Ana Reyes",
    },
    Fact {
        field: "practice.hours",
        value: "Monday to Friday, 8:00 AM to 5:00 PM",
    },
];

fn setting() -> Setting<'static> {
    Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: "https://portal.example.com",
        channel: Channel::Sms,
        consent: Consent::Granted { proof: "bench" },
        state: Jurisdiction::UNKNOWN,
        language: Language::En,
        timezone: "America/Los_Angeles",
        now: jiff::Timestamp::from_second(1_796_148_000).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Agent,
        facts: FACTS,
        told: &[],
        covered: false,
    }
}

/// Terms for the raw search.
const TERMS: [&str; 3] = [
    include_str!("../guardrails/lexicons/medications.txt"),
    include_str!("../guardrails/lexicons/conditions.txt"),
    include_str!("../guardrails/lexicons/names.txt"),
];

/// What the figures may be: p50 and p99 in microseconds.
const SHORT: (f64, f64) = (20.0, 80.0);
const LONG: (f64, f64) = (400.0, f64::INFINITY);
const NONE: (f64, f64) = (f64::INFINITY, f64::INFINITY);
const LOAD_MS: f64 = 150.0;
const MEMORY_MB: f64 = 40.0;

/// The times of a run, in microseconds, sorted.
struct Times(Vec<f64>);

impl Times {
    /// Each text in turn, so many rounds; the first round warms and is not counted.
    fn measure(texts: &[String], rounds: usize, mut run: impl FnMut(&str)) -> Self {
        let mut times = Vec::with_capacity(texts.len() * rounds);
        for round in 0..=rounds {
            for text in texts {
                let began = Instant::now();
                run(black_box(text));
                let spent = began.elapsed().as_secs_f64() * 1e6;
                if round > 0 {
                    times.push(spent);
                }
            }
        }
        times.sort_unstable_by(f64::total_cmp);
        Self(times)
    }

    fn at(&self, share: usize) -> f64 {
        let place = (self.0.len() * share / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// Says whether a figure keeps its budget.
fn verdict(kept: bool) -> &'static str {
    if kept { "" } else { "  OVER" }
}

fn row(name: &str, times: &Times, budget: (f64, f64), probe: f64) {
    let (p50, p99) = (times.at(50), times.at(99));
    let ratio = p50 / probe.max(0.001);
    let kept = verdict(p50 <= budget.0 && p99 <= budget.1);
    println!("{name:<36} {p50:>9.1} {p99:>9.1} {ratio:>9.1}{kept}");
}

/// Resident memory of this process in megabytes, where the system tells it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn probe() -> Option<AhoCorasick> {
    let terms = TERMS.iter().flat_map(|list| list.split(['\n', ',']));
    let terms = terms.map(str::trim).filter(|term| term.len() > 2);
    let kind = Some(AhoCorasickKind::ContiguousNFA);
    AhoCorasick::builder().kind(kind).build(terms).ok()
}

/// Six texts, one behind the other, cut at 1,600 characters.
fn long(texts: &[String]) -> Vec<String> {
    let starts = 0..texts.len().min(6);
    let from = starts.map(|at| texts.iter().cycle().skip(at * 5).take(20));
    from.map(|some| {
        let joined: Vec<&str> = some.map(String::as_str).collect();
        joined.join(" ").chars().cycle().take(1_600).collect()
    })
    .collect()
}

/// What each text costs when it is met for the first time.
fn first_sight(guardrail: &Guardrail, texts: &[String]) -> Times {
    let setting = setting();
    let mut times = Vec::with_capacity(texts.len());
    for text in texts {
        let began = Instant::now();
        black_box(guardrail.review(black_box(text), &setting));
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_unstable_by(f64::total_cmp);
    Times(times)
}

/// The tagger with folding and cutting, which it shares with the rules; no part of the memory above.
fn tagger_alone(texts: &[String]) {
    let Ok(policy) = Policy::embedded() else {
        return;
    };
    let times = Times::measure(texts, ROUNDS, |text| {
        black_box(tagger::told(&policy, text));
    });
    row("the tagger alone, every short text", &times, NONE, 1.0);
}

fn main() {
    let before = resident().unwrap_or_default();
    let began = Instant::now();
    let Ok(guardrail) = Guardrail::embedded() else {
        println!("the built-in policy does not load");
        return;
    };
    let load = began.elapsed().as_secs_f64() * 1e3;
    let setting = setting();
    let lines: Vec<String> = TEXTS.lines().map(str::to_owned).collect();
    // Before anything else, while every text is the first of its kind.
    let first = first_sight(&guardrail, &lines);
    let (ascii, accented): (Vec<String>, Vec<String>) =
        lines.iter().cloned().partition(|line| line.is_ascii());
    let passes = |text: &&String| guardrail.review(text, &setting).verdict == Verdict::Pass;
    let passing: Vec<String> = lines.iter().filter(passes).cloned().collect();
    let (long_ascii, long_accented) = (long(&ascii), long(&accented));
    let Some(raw) = probe() else { return };
    println!(
        "{:<36} {:>9} {:>9} {:>9}",
        "microseconds", "p50", "p99", "x raw"
    );
    let mut medians = Vec::new();
    for (name, texts, rounds, budget) in [
        ("60-160 characters, ASCII", &ascii, ROUNDS, SHORT),
        ("60-160 characters, accented", &accented, ROUNDS, SHORT),
        ("60-160 characters, passing", &passing, ROUNDS, SHORT),
        ("1,600 characters, ASCII", &long_ascii, ROUNDS, LONG),
        ("1,600 characters, accented", &long_accented, ROUNDS, LONG),
    ] {
        let search = Times::measure(texts, rounds, |text| {
            black_box(raw.find_iter(text).count());
        });
        let base = search.at(50);
        let detect = Times::measure(texts, rounds, |text| {
            black_box(guardrail.detect(text));
        });
        let review = Times::measure(texts, rounds, |text| {
            black_box(guardrail.review(text, &setting));
        });
        row(&format!("raw search, {name}"), &search, NONE, base);
        row(&format!("detect, {name}"), &detect, budget, base);
        row(&format!("review, {name}"), &review, budget, base);
        medians.push(review.at(50));
    }
    row("review, each text for the first time", &first, NONE, 1.0);
    if let [ascii, accented, _, long_ascii, long_accented] = medians.as_slice() {
        let (short, long) = (accented / ascii, long_accented / long_ascii);
        let kept = verdict(short <= 1.5 && long <= 1.5);
        println!("accented to ASCII                    {short:>9.2} {long:>9.2} (1,600){kept}");
    }
    let of_a_pass = allocation_counter::measure(|| {
        for text in &passing {
            black_box(guardrail.review(black_box(text), &setting));
        }
    });
    let kept = verdict(of_a_pass.count_total == 0);
    let (count, texts) = (of_a_pass.count_total, passing.len());
    println!("allocations of {texts} reviews that pass  {count:>7}{kept}");
    println!(
        "load                               {load:>8.0} ms{}",
        verdict(load <= LOAD_MS)
    );
    let memory = resident().unwrap_or_default() - before;
    let kept = verdict(memory <= MEMORY_MB);
    println!("memory, everything loaded and used {memory:>8.1} MB{kept}");
    tagger_alone(&lines);
}
