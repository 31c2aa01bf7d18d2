//! What the house of cardboard drafts, and what its guardrail makes of it.

#![cfg(test)]

use jiff::Timestamp;
use serde_json::{Value, json};

const POLICY: &str = "9f31c2d07a55e1b4";
const LINK: &str = "https://text.example.com/p/fake-portal-token-0123456789-abcdefghijklmno";
const MINIMUM: &str = "45 CFR 164.502(b)";

/// A finding over `words`, wherever they stand in the draft: category, action, rule, citation.
fn finding(draft: &str, words: &str, [category, action, rule, cite]: [&str; 4]) -> Value {
    let (before, _) = draft.split_once(words).unwrap();
    let start = before.chars().count();
    json!({
        "start": start, "end": start + words.chars().count(), "category": category, "action": action,
        "rule": rule, "cite": cite, "confidence": "certain", "evidence": ["record", "lexicon"],
    })
}

fn pane(
    at: Timestamp,
    verdict: &str,
    draft: &str,
    text: Option<&str>,
    findings: &[Value],
) -> Value {
    let kind = if findings.is_empty() {
        "notice"
    } else {
        "reply"
    };
    json!({
        "at": at, "kind": kind, "verdict": verdict, "draft": draft, "text": text, "portal": null,
        "findings": findings, "policy": POLICY, "micros": 184,
    })
}

/// What the guardrail made of the draft, and what the patient gets.
pub(super) fn script(body: &str, at: Timestamp) -> (Value, Option<String>) {
    let lower = body.to_lowercase();
    if lower.contains("biopsy") {
        result(at)
    } else if lower.contains("appointment") {
        visit(at)
    } else if lower.contains("dose") {
        dose(at)
    } else {
        let draft = "Lakeside Family Medicine: texts are not fully private; others may see them. May we answer by text? Reply YES, or STOP to end. HELP for help.";
        (
            pane(at, "pass", draft, Some(draft), &[]),
            Some(draft.to_owned()),
        )
    }
}

fn result(at: Timestamp) -> (Value, Option<String>) {
    let draft = "Hi Maria 🌷, your skin biopsy from Nov 20 was benign. Dr. Ana Reyes says no treatment is needed.";
    let text = format!("Lakeside Family Medicine: you have a new message. Read it here: {LINK}");
    let found = |words, category, rule, cite| finding(draft, words, [category, "drop", rule, cite]);
    let findings = [
        found(
            "Maria",
            "name",
            "identifier.name",
            "45 CFR 164.514(b)(2)(i)(A)",
        ),
        found("skin biopsy", "procedure", "minimum.procedure", MINIMUM),
        found(
            "Nov 20",
            "date",
            "identifier.date",
            "45 CFR 164.514(b)(2)(i)(C)",
        ),
        found("benign", "lab_value", "minimum.lab_value", MINIMUM),
        found("treatment", "treatment", "minimum.treatment", MINIMUM),
    ];
    let mut pane = pane(at, "rewrite", draft, Some(&text), &findings);
    pane["portal"] = draft.into();
    (pane, Some(text))
}

fn visit(at: Timestamp) -> (Value, Option<String>) {
    let draft = "Your next visit is Thursday, Dec 3 at 3:00 PM with Dr. Ana Reyes at Lakeside Family Medicine. Reply YES to confirm.";
    let found = |words, category, rule| {
        finding(draft, words, [category, "keep", rule, "45 CFR 164.506(c)"])
    };
    let findings = [
        found(
            "Thursday, Dec 3 at 3:00 PM",
            "date",
            "minimum.appointment_start",
        ),
        found("Dr. Ana Reyes", "name", "minimum.provider"),
    ];
    (
        pane(at, "pass", draft, Some(draft), &findings),
        Some(draft.to_owned()),
    )
}

fn dose(at: Timestamp) -> (Value, Option<String>) {
    let draft = "You should double your metformin to 1000 mg tonight.";
    let advice = [
        "medical_advice",
        "hold",
        "conduct.medical_advice",
        "house policy",
    ];
    let findings = [
        finding(draft, "double your metformin", advice),
        finding(draft, "1000 mg", ["dose", "drop", "minimum.dose", MINIMUM]),
    ];
    (pane(at, "hold", draft, None, &findings), None)
}
