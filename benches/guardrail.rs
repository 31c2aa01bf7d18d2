//! Speed of detection: short, long and accented texts, and the loading of the policy.

use std::sync::LazyLock;

use anteroom::guardrail::detect::Known;
use anteroom::guardrail::detect::detect;
use anteroom::policy::Policy;
use divan::Bencher;
use divan::black_box;

static POLICY: LazyLock<Option<Policy>> = LazyLock::new(|| Policy::embedded().ok());

const SHORT: &str = "Hi Maria Gonzalez, your A1c came back at 9.2% and Dr. Patel would like to see you on 03/14/2026 at 10.";
const ACCENTED: &str = "Hola María González, su A1c salió en 9.2% y la Dra. Peña quisiera verla el 14/03/2026 a las 10 mañana.";

fn main() {
    divan::main();
}

fn run(bencher: Bencher<'_, '_>, text: &str) {
    if let Some(policy) = POLICY.as_ref() {
        bencher.bench(|| detect(policy, black_box(text), &Known::default()));
    }
}

#[divan::bench]
fn short(bencher: Bencher<'_, '_>) {
    run(bencher, SHORT);
}

#[divan::bench]
fn accented(bencher: Bencher<'_, '_>) {
    run(bencher, ACCENTED);
}

#[divan::bench]
fn long(bencher: Bencher<'_, '_>) {
    run(bencher, &SHORT.repeat(16));
}

#[divan::bench(sample_count = 10)]
fn load() -> bool {
    Policy::embedded().is_ok()
}
