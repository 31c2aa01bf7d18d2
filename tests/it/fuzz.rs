//! Any bytes at all to the detector, the review, the way in and the wire: the bounded twin of `fuzz/`.
//!
//! cargo-fuzz wants a nightly compiler; this runs on stable: the same few hundred texts each time, or
//! new ones for `ANTEROOM_FUZZ_SECONDS` each (`make fuzz` gives 60).

#![cfg(test)]

use std::sync::LazyLock;
use std::time::Duration;
use std::time::Instant;

use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::wire;
use anteroom::policy::words::Language;
use anteroom::screen::{Intent, Pending, Screen};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

static GUARDRAIL: LazyLock<Guardrail> = LazyLock::new(|| Guardrail::embedded().unwrap());

const CONTEXT: &str = r#"{"practice":{"name":"Lakeside Family Medicine","phone":"+14155550100","type":"primary_care","portal_url":"https://portal.example.com"},"channel":"sms","consent":"granted","state":"CA","language":"en","timezone":"America/Los_Angeles","now":"2026-12-01T10:00:00-08:00","purpose":"reply","facts":[{"field":"patient.first_name","value":"Maria"},{"field":"appointment.start","value":"2026-12-02T15:00:00-08:00"}]}"#;

/// Pieces that lead somewhere, between bytes that lead nowhere.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = prop::sample::select(vec![
        "Your ",
        "metformin",
        " 9.2%",
        "555-0142",
        "mañana",
        "a las 3",
        "Dr. ",
        "\u{200b}",
        "İ",
        "ﬁ",
        "Dec 2 ",
        "{\"id\":",
        "\"draft\":\"",
        "}",
        "\\u",
        "\n",
        "1/2",
        "@x.com",
        "١٢٣",
        "tomorrow at ",
        "booked",
        "😀",
        "STOP",
        "24:00",
        "-08:00",
        "31 Feb",
        "$",
        "http://",
        "chest pain ",
        "no puedo respirar",
        "kill myself",
        "hace 3 ",
        " not ",
        "stop ",
        "?!",
    ]);
    let noise = prop::collection::vec(any::<u8>(), 0..24);
    let piece = prop_oneof![telling.prop_map(|it: &str| it.as_bytes().to_vec()), noise];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn run(mut target: impl FnMut(&[u8])) {
    let seconds = std::env::var("ANTEROOM_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|it| it.parse().ok()).unwrap_or(0);
    let (began, mut runner) = (Instant::now(), TestRunner::default());
    let mut runs = 0_u32;
    while runs < 300 || began.elapsed() < Duration::from_secs(seconds) {
        let tree = bytes().new_tree(&mut runner).unwrap();
        target(&tree.current());
        runs += 1;
    }
}

#[test]
fn any_bytes_are_searched_without_harm() {
    run(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        for finding in GUARDRAIL.detect(&text) {
            assert!(
                text.get(finding.span.clone())
                    .is_some_and(|it| !it.is_empty())
            );
        }
    });
}

#[test]
fn any_bytes_are_reviewed_without_harm_and_what_is_cleared_passes_again() {
    let context: wire::ContextIn = serde_json::from_str(CONTEXT).unwrap();
    run(|bytes| {
        let check = |draft: String| {
            let line = wire::CheckIn {
                id: 1.into(),
                draft,
                context: context.clone(),
            };
            wire::check_line(&GUARDRAIL, &line)
        };
        let first = check(String::from_utf8_lossy(bytes).into_owned());
        let broke = first.findings.iter().any(|it| it.rule == "review.panic");
        assert!(!broke, "the review broke off on {bytes:?}");
        assert_eq!(first.text.is_none(), first.verdict == Verdict::Hold);
        if let Some(text) = first.text {
            let again = check(text.clone());
            assert_eq!(again.verdict, Verdict::Pass, "{text:?} of {bytes:?}");
        }
    });
}

#[test]
fn any_bytes_are_read_without_harm_and_a_greeting_turns_no_alarm_off() {
    let screen = Screen::embedded().unwrap();
    let alarm = |intent| matches!(intent, Intent::Emergency | Intent::Crisis | Intent::Poison);
    run(|bytes| {
        let text = String::from_utf8_lossy(bytes);
        let place = usize::from(bytes.first().copied().unwrap_or_default() % 8);
        let pending = Pending::ALL.get(place).copied();
        let reading = screen.read(&text, pending, Language::En);
        assert_eq!(
            reading,
            screen.read(&text, pending, Language::En),
            "{text:?}"
        );
        if alarm(reading.intent) {
            let greeted = screen.read(&format!("hi. {text}"), pending, Language::En);
            assert!(alarm(greeted.intent), "{text:?}");
        }
    });
}

#[test]
fn any_line_is_read_or_refused_without_harm() {
    run(|bytes| {
        if let Ok(line) = serde_json::from_slice::<wire::CheckIn>(bytes) {
            wire::check_line(&GUARDRAIL, &line);
        }
        let text = String::from_utf8_lossy(bytes);
        let whole = serde_json::json!({ "id": 1, "draft": text }).to_string();
        let whole = whole.replacen('}', &format!(",\"context\":{CONTEXT}}}"), 1);
        if let Ok(line) = serde_json::from_str::<wire::CheckIn>(&whole) {
            wire::check_line(&GUARDRAIL, &line);
        }
    });
}
