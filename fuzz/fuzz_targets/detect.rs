//! Any text to the detector: no panic, and every finding lies on characters.

#![no_main]

use std::sync::LazyLock;

use anteroom::guardrail::review::Guardrail;
use libfuzzer_sys::fuzz_target;

static GUARDRAIL: LazyLock<Guardrail> = LazyLock::new(|| Guardrail::embedded().unwrap());

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for finding in GUARDRAIL.detect(&text) {
        assert!(text.get(finding.span.clone()).is_some_and(|it| !it.is_empty()));
    }
});
