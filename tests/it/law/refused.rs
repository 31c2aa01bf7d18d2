//! A law file with a mistake is refused with its line and a remedy.

use anteroom::policy::law::Law;

const HEAD: &str = r#"schema        = 1
jurisdiction  = "US-CA"
title         = "California"
inherits      = ["default"]
last_reviewed = 2026-11-22
reviewed_by   = "nobody"
"#;

const RULE: &str = r#"
[[rule]]
id            = "ca.breach"
kind          = "deadline"
summary       = "In thirty days."
basis         = "statute"
cite          = "Cal. Civ. Code 1798.82"
effective     = 2026-01-01
last_reviewed = 2026-11-22
confidence    = "memory"
[rule.params]
event = "breach"
n = 30
"#;

/// A file with one piece of its text changed.
fn changed(from: &str, to: &str) -> String {
    let whole = format!("{HEAD}{RULE}");
    assert!(whole.contains(from), "the case changes nothing: {from}");
    whole.replacen(from, to, 1)
}

#[test]
fn every_mistake_is_refused_with_its_line_and_a_remedy() {
    // What is changed, into what, the line that is named, and a word of the message.
    let cases: &[(&str, &str, usize, &str)] = &[
        ("US-CA", "US-ZZ", 2, "no such jurisdiction"),
        ("US-CA", "California", 2, "no such jurisdiction"),
        ("US-CA", "US-NV", 2, "its jurisdiction is US-NV"),
        ("US-CA", "US", 2, "its jurisdiction is US"),
        ("= [\"default\"]", "= []", 1, "federal floor"),
        ("schema        = 1", "schema = 2", 1, "schema 1"),
        ("\"nobody\"", "\" \"", 6, "empty"),
        ("title ", "titel ", 3, "titel"),
        ("Cal. Civ. Code 1798.82", " ", 13, "no citation"),
        (
            "cite          = \"Cal. Civ. Code 1798.82\"\n",
            "",
            8,
            "cite",
        ),
        ("In thirty days.", "", 11, "no summary"),
        (
            "= 2026-01-01\n",
            "= 2026-01-01\nuntil = 2025-12-31\n",
            15,
            "ends before it begins",
        ),
        ("2026-01-01", "2026-02-30", 14, ""),
        ("2026-01-01", "\"soon\"", 14, ""),
        ("\"statute\"", "\"custom\"", 12, "custom"),
        ("\"memory\"", "\"sure\"", 16, "sure"),
        ("\"deadline\"", "\"dedline\"", 10, "dedline"),
        ("\"ca.breach\"", "\"CA breach\"", 9, "malformed"),
        ("n = 30", "n = 0", 8, "no time"),
        ("n = 30", "n = 30\nunit = \"week\"", 20, "week"),
        ("n = 30", "n = 30\nthreshhold = 500", 20, "threshhold"),
        ("n = 30", "n = 30\nthreshold = 0", 8, "threshold is 0"),
        ("n = 30", "n = \"thirty\"", 19, "thirty"),
        (
            "n = 30",
            "n = 30\npractice_type = [\"zoo\"]",
            8,
            "no practice type `zoo`",
        ),
        ("[rule.params]", "[rule.parms]", 17, "parms"),
        ("\"breach\"", "\"flood\"", 18, "flood"),
        ("[[rule]]", "[rule]", 8, "list of tables"),
        (
            "= \"memory\"",
            "= \"memory\"\nrelaxes = \"policy.hours\"",
            17,
            "only a rule of the house",
        ),
        (
            "n = 30",
            "n = 30\n[[test]]\nname = \"x\"\ngiven = { stat = \"CA\" }\nexpect = {}",
            22,
            "stat",
        ),
    ];
    for (from, to, line, word) in cases {
        let text = changed(from, to);
        let refused = Law::read(&[("states/CA.toml", &text)]);
        let error = refused.expect_err(&format!("accepted: {from} -> {to}"));
        assert_eq!(error.line, *line, "{from} -> {to}: {error}");
        assert!(error.message.contains(word), "{from} -> {to}: {error}");
        assert!(
            !error.remedy.is_empty() && error.file == "states/CA.toml",
            "{error}"
        );
    }
}

/// Kinds with a mistake of their own: kind, parameters, a word of the message.
const MEANINGLESS: &[(&str, &str, &str)] = &[
    (
        "send_window",
        "open = \"21:00\"\nclose = \"08:00\"\nclock = \"recipient\"\napplies_to = [\"solicitation\"]",
        "opens after",
    ),
    (
        "send_window",
        "open = \"8am\"\nclose = \"21:00\"\nclock = \"recipient\"\napplies_to = [\"solicitation\"]",
        "08:00",
    ),
    (
        "send_window",
        "open = \"08:00\"\nclose = \"21:00\"\nclock = \"recipient\"\napplies_to = [\"safety\"]",
        "never waits",
    ),
    (
        "send_window",
        "open = \"08:00\"\nclose = \"21:00\"\nclock = \"recipient\"\napplies_to = [\"reply\"]",
        "never waits",
    ),
    (
        "send_window",
        "open = \"08:00\"\nclose = \"21:00\"\nclock = \"recipient\"\napplies_to = []",
        "nothing",
    ),
    ("content_block", "channel = [\"sms\"]", "blocks nothing"),
    (
        "content_block",
        "channel = []\nnever = [\"hiv\"]",
        "no channel",
    ),
    (
        "content_block",
        "channel = [\"pigeon\"]\nnever = [\"hiv\"]",
        "pigeon",
    ),
    (
        "content_block",
        "channel = [\"sms\"]\nnever = [\"hivv\"]",
        "hivv",
    ),
    (
        "disclosure",
        "element = \"ai_identity\"\nwhen = []",
        "no moment",
    ),
    (
        "disclosure",
        "element = \"ai_identity\"\nwhen = [\"every_hours:0\"]",
        "every_hours",
    ),
    (
        "disclosure",
        "element = \"ai_identity\"\nwhen = [\"sometimes\"]",
        "session_start",
    ),
    ("prohibit_ai", "acts = []", "bars nothing"),
    (
        "opt_out",
        "confirm = { text_id = \"stop\", max = 2, within_seconds = 300 }",
        "more than once",
    ),
    (
        "opt_out",
        "confirm = { text_id = \"stop\", max = 1, within_seconds = 300, marketing = true }",
        "sells",
    ),
];

#[test]
fn a_rule_that_cannot_mean_what_it_says_is_refused() {
    for (kind, params, word) in MEANINGLESS {
        let (start, _) = RULE.split_once("event").unwrap();
        let text = format!("{HEAD}{}{params}\n", start.replace("deadline", kind));
        let error = Law::read(&[("states/CA.toml", &text)]).expect_err(params);
        assert!(error.message.contains(word), "{params}: {error}");
    }
}

#[test]
fn two_rules_with_one_id_are_refused_over_all_files() {
    let one = format!("{HEAD}{RULE}");
    let other = one.replace("US-CA", "US-NV");
    let error = Law::read(&[("states/CA.toml", &one), ("states/NV.toml", &other)]).unwrap_err();
    assert!(
        error.message.contains("taken by states/CA.toml:8"),
        "{error}"
    );
}

#[test]
fn an_example_that_fails_refuses_the_policy() {
    let test = "[[test]]\nname = \"thirty days\"\ngiven = { event = \"breach\", on = 2026-01-01 }\n\
                expect = { due = 2026-03-01 }\n";
    let law = Law::read(&[("states/CA.toml", &format!("{HEAD}{RULE}{test}"))]).unwrap();
    let error = law.run_examples().unwrap_err();
    assert!(
        error.message.contains("due on 2026-01-31 by `ca.breach`"),
        "{error}"
    );
    assert_eq!(error.line, 20, "{error}");
}
