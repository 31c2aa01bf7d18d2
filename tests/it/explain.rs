//! `check --explain`: what people read about a review.

#![cfg(test)]

use std::io::Write as _;
use std::process::Stdio;

use crate::support::server::anteroom;

/// The setting of a line.
const CONTEXT: &str = r#"{"practice":{"name":"Lakeside Family Medicine","phone":"+14155550100","type":"primary_care","portal_url":"https://portal.example.com"},"channel":"sms","consent":"granted","state":"CA","language":"en","timezone":"America/Los_Angeles","now":"2026-12-01T10:00:00-08:00","purpose":"reply"}"#;

/// What the command tells for drafts on the command line or lines on standard input.
fn told(arguments: &[&str], input: &str) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = anteroom(folder.path())
        .args(["check", "--explain"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn what_was_found_is_underlined_whatever_the_script() {
    let cases: &[(&str, &str)] = &[
        (
            "Your metformin refill is ready.",
            "  | Your metformin refill is ready.\n  |      ^^^^^^^^^1\n",
        ),
        (
            "Ésta es: metformin.",
            "  | Ésta es: metformin.\n  |          ^^^^^^^^^1\n",
        ),
        // Wide characters take two columns, combining ones none, emoji two.
        (
            "薬の metformin",
            "  | 薬の metformin\n  |      ^^^^^^^^^1\n",
        ),
        (
            "e\u{301}e metformin",
            "  | e\u{301}e metformin\n  |    ^^^^^^^^^1\n",
        ),
        ("💊 metformin", "  | 💊 metformin\n"),
        // What cannot be seen is shown, under the line that spans it as well.
        (
            "met\u{200b}formin",
            "  | met<U+200B>formin\n  | ^^^^^^^^^^^^^^^^^1\n",
        ),
        ("\u{1b}[31m metformin", "  | <U+001B>[31m metformin\n"),
        ("\u{202e}metformin", "  | <U+202E>metformin\n"),
        // A second line has underlines of its own.
        (
            "Hello.\nYour metformin",
            "  | Hello.\n  | Your metformin\n  |      ^^^^^^^^^1\n",
        ),
    ];
    let context: serde_json::Value = serde_json::from_str(CONTEXT).unwrap();
    let line = |(draft, _): &(&str, &str)| {
        serde_json::json!({ "id": 1, "draft": draft, "context": context }).to_string()
    };
    let input: Vec<String> = cases.iter().map(line).collect();
    let (code, out) = told(&[], &input.join("\n"));
    assert_eq!(code, 1, "{out}");
    for (draft, shown) in cases {
        assert!(out.contains(shown), "{draft:?}: {out}");
    }
    assert!(!out.contains('\u{1b}'), "no colour, no draft steers: {out}");
}

#[test]
fn each_finding_says_why_and_what_becomes_of_the_text() {
    let (code, out) = told(&["--draft", "Your metformin 500 mg refill is ready."], "");
    assert_eq!(code, 1);
    for part in [
        "REWRITE  (",
        "1  drop  medication  certain  rule lexicon.medications  [5, 14)",
        "because: a phrase of the list lexicon.medications",
        "cites:   45 CFR 164.502(b)",
        "sent instead:\n  > Your refill is ready. Details are in your secure message: https://portal.example.com\n",
        "behind the link:\n  > Your metformin 500 mg refill is ready.\n",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (code, out) = told(&["--draft", "You should stop taking your lisinopril."], "");
    assert_eq!(code, 1);
    assert!(
        out.contains("HOLD  (") && out.contains("nothing is sent: the draft waits for staff"),
        "{out}"
    );
    let (code, out) = told(
        &["--draft", "See you Wednesday at 3 PM with Dr. Ana Reyes."],
        "",
    );
    assert_eq!(code, 0);
    assert!(
        out.contains("PASS  (") && out.contains("sent as it stands:\n"),
        "{out}"
    );
}

#[test]
fn overlapping_findings_stand_below_each_other() {
    let (_, out) = told(&["--draft", "Results from 3/14 are in."], "");
    let drawn: Vec<&str> = out.lines().filter(|line| line.contains('^')).collect();
    let places: Vec<_> = drawn.iter().map(|line| line.find('^')).collect();
    assert!(
        drawn.len() >= 2 && places.iter().filter(|it| **it == places[0]).count() >= 2,
        "{out}"
    );
}

#[test]
fn lines_on_standard_input_are_explained_in_order_and_broken_ones_told() {
    let context = CONTEXT;
    let input = format!(
        "{{\"id\":\"first\",\"draft\":\"Hello.\",\"context\":{context}}}\n{{\"id\":2,\"drfat\":1}}\n{{\"id\":3,\"draft\":\"Hello.\",\"context\":{context}}}\n"
    );
    let (code, out) = told(&[], &input);
    assert_eq!(code, 3, "{out}");
    let places = ["first  PASS", "line 2: unknown key `drfat`", "3  PASS"].map(|it| out.find(it));
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{out}"
    );
}
