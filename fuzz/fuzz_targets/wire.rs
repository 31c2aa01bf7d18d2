//! Any line to the wire of `check` and `detect`: read or refused, never a panic.

#![no_main]

use std::sync::LazyLock;

use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::wire;
use libfuzzer_sys::fuzz_target;

static GUARDRAIL: LazyLock<Guardrail> = LazyLock::new(|| Guardrail::embedded().unwrap());

fuzz_target!(|bytes: &[u8]| {
    if let Ok(line) = serde_json::from_slice::<wire::CheckIn>(bytes) {
        wire::check_line(&GUARDRAIL, &line);
    }
    if let Ok(line) = serde_json::from_slice::<wire::DetectIn>(bytes) {
        wire::detect_line(&GUARDRAIL, &line);
    }
});
