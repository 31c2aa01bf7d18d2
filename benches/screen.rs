//! Speed of the way in: percentiles over the gold texts of `evals/screen/`, and over one long text.

use std::hint::black_box;
use std::time::Duration;
use std::time::Instant;

use anteroom::policy::words::Language;
use anteroom::screen::Screen;

const GOLD: &str = include_str!("../evals/screen/gold.jsonl");
const ROUNDS: usize = 20;

#[derive(serde::Deserialize)]
struct Case {
    text: String,
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: usize| {
        let place = (times.len() * share / 1000).min(times.len().saturating_sub(1));
        times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e6
    };
    println!(
        "{name:<24} p50 {:>8.1} us   p99 {:>8.1} us   p99.9 {:>8.1} us   ({} runs)",
        at(500),
        at(990),
        at(999),
        times.len()
    );
}

fn measure(screen: &Screen, texts: &[String]) -> Vec<Duration> {
    let mut times = Vec::with_capacity(texts.len() * ROUNDS);
    for _ in 0..ROUNDS {
        for text in texts {
            let began = Instant::now();
            black_box(screen.read(black_box(text), None, Language::En));
            times.push(began.elapsed());
        }
    }
    times
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn main() {
    let began = Instant::now();
    let Ok(screen) = Screen::embedded() else {
        println!("the built-in rules do not load");
        return;
    };
    println!("load {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let case = |line: &str| serde_json::from_str::<Case>(line).ok();
    let texts: Vec<String> = GOLD.lines().filter_map(case).map(|it| it.text).collect();
    let long: String = texts.join(" ").chars().take(1_600).collect();
    row("gold texts", measure(&screen, &texts));
    row("1,600 characters", measure(&screen, &[long]));
}
