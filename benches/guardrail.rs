//! Speed and memory of review and detection: percentiles over clinic-like texts, load, allocations.

use std::hint::black_box;
use std::time::Duration;
use std::time::Instant;

use anteroom::guardrail::detect::tagger;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::setting::Author;
use anteroom::guardrail::setting::Consent;
use anteroom::guardrail::setting::Fact;
use anteroom::guardrail::setting::Setting;
use anteroom::policy::Policy;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::policy::words::Purpose;
use divan::AllocProfiler;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

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
        author: Author::Agent,
        facts: FACTS,
        told: &[],
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| {
        let place = (times.len() * share / 100).min(times.len().saturating_sub(1));
        times.get(place).copied().unwrap_or_default()
    };
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "{name:<34} p50 {:>8.1} us   p99 {:>8.1} us   ({} runs)",
        micros(at(50)),
        micros(at(99)),
        times.len()
    );
}

fn measure(texts: &[String], mut run: impl FnMut(&str)) -> Vec<Duration> {
    for text in texts {
        run(text);
    }
    let mut times = Vec::with_capacity(texts.len() * ROUNDS);
    for _ in 0..ROUNDS {
        for text in texts {
            let began = Instant::now();
            run(black_box(text));
            times.push(began.elapsed());
        }
    }
    times
}

/// Resident memory of this process in megabytes, where the system tells it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let before = resident().unwrap_or_default();
    let began = Instant::now();
    let Ok(guardrail) = Guardrail::embedded() else {
        println!("the built-in policy does not load");
        return;
    };
    println!(
        "load {:.0} ms, resident {before:.1} MB before and {:.1} MB after",
        began.elapsed().as_secs_f64() * 1e3,
        resident().unwrap_or_default()
    );
    let lines: Vec<String> = TEXTS.lines().map(str::to_owned).collect();
    let (ascii, accented): (Vec<String>, Vec<String>) =
        lines.iter().cloned().partition(|line| line.is_ascii());
    let long = |texts: &[String]| -> Vec<String> {
        let all = texts.join(" ");
        let cut: String = all.chars().cycle().take(1_600).collect();
        vec![cut]
    };
    let setting = setting();
    // The tagger with folding and cutting, which it shares with the rules.
    let Ok(policy) = Policy::embedded() else {
        return;
    };
    for (name, texts) in [
        ("60-160 chars, ASCII", ascii.clone()),
        ("60-160 chars, accented", accented.clone()),
        ("1,600 chars, ASCII", long(&ascii)),
        ("1,600 chars, accented", long(&accented)),
    ] {
        row(
            &format!("tagger  {name}"),
            measure(&texts, |text| {
                black_box(tagger::told(&policy, text));
            }),
        );
        row(
            &format!("detect  {name}"),
            measure(&texts, |text| {
                black_box(guardrail.detect(text));
            }),
        );
        row(
            &format!("review  {name}"),
            measure(&texts, |text| {
                black_box(guardrail.review(text, &setting));
            }),
        );
    }
    println!(
        "resident {:.1} MB at the end",
        resident().unwrap_or_default()
    );
    println!("allocations a call (the Pass path first):");
    divan::main();
}

mod allocations {
    use std::sync::LazyLock;

    use anteroom::guardrail::detect::tagger;
    use anteroom::guardrail::review::Guardrail;
    use anteroom::policy::Policy;
    use divan::Bencher;
    use divan::black_box;

    static GUARDRAIL: LazyLock<Option<Guardrail>> = LazyLock::new(|| Guardrail::embedded().ok());
    const PASS: &str =
        "Please bring a photo ID and your insurance card, and use the door next to the lobby.";

    #[divan::bench(sample_count = 20, sample_size = 20)]
    fn a_review_that_passes(bencher: Bencher<'_, '_>) {
        if let Some(guardrail) = GUARDRAIL.as_ref() {
            let setting = super::setting();
            bencher.bench(|| guardrail.review(black_box(PASS), &setting));
        }
    }

    static POLICY: LazyLock<Option<Policy>> = LazyLock::new(|| Policy::embedded().ok());
    const NAMED: &str = "Nobody told Kweku Amponsah that velotramib is ready in Tallinnvik.";

    #[divan::bench(sample_count = 20, sample_size = 20)]
    fn c_the_tagger_that_finds_some(bencher: Bencher<'_, '_>) {
        if let Some(policy) = POLICY.as_ref() {
            bencher.bench(|| tagger::told(policy, black_box(NAMED)));
        }
    }

    #[divan::bench(sample_count = 20, sample_size = 20)]
    fn b_detection_that_finds_nothing(bencher: Bencher<'_, '_>) {
        if let Some(guardrail) = GUARDRAIL.as_ref() {
            bencher.bench(|| guardrail.detect(black_box(PASS)));
        }
    }
}
