//! Any draft to the review: no panic inside, and what is cleared passes again.

#![no_main]

use std::sync::LazyLock;

use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::wire;
use libfuzzer_sys::fuzz_target;

static GUARDRAIL: LazyLock<Guardrail> = LazyLock::new(|| Guardrail::embedded().unwrap());
static CONTEXT: LazyLock<wire::ContextIn> = LazyLock::new(|| {
    serde_json::from_value(serde_json::json!({
        "practice": {
            "name": "Lakeside Family Medicine", "phone": "+14155550100",
            "type": "primary_care", "portal_url": "https://portal.example.com",
        },
        "channel": "sms", "consent": "granted", "state": "CA", "language": "en",
        "timezone": "America/Los_Angeles", "now": "2026-12-01T10:00:00-08:00", "purpose": "reply",
        "facts": [{ "field": "appointment.start", "value": "2026-12-02T15:00:00-08:00" }],
    }))
    .unwrap()
});

fn check(draft: String) -> wire::CheckOut {
    let line = wire::CheckIn { id: 1.into(), draft, context: CONTEXT.clone() };
    wire::check_line(&GUARDRAIL, &line)
}

fuzz_target!(|bytes: &[u8]| {
    let first = check(String::from_utf8_lossy(bytes).into_owned());
    assert!(first.findings.iter().all(|it| it.rule != "review.panic"));
    if let Some(text) = first.text {
        assert_eq!(check(text).verdict, Verdict::Pass);
    }
});
