//! The policy as data: what loads, what is refused and how, and every rule's own examples.

#![cfg(test)]

use std::fs;

use anteroom::guardrail::detect::Known;
use anteroom::guardrail::detect::detect;
use anteroom::guardrail::finding::Category;
use anteroom::policy::CATEGORIES;
use anteroom::policy::Policy;

/// A setting in which nothing is dropped as nobody's own.
const SETTING: Known<'static> = Known {
    facts: &[],
    practice_name: "Quillon Quarry Practice",
    practice_phone: "",
    portal_url: "",
    voters: &[],
};

#[test]
fn every_example_of_a_rule_is_found_or_left_alone_as_the_rule_says() {
    let policy = Policy::embedded().unwrap();
    let mut wrong = Vec::new();
    for rule in policy.rules() {
        for text in &rule.flags {
            let found = detect(&policy, text, &SETTING);
            if !found
                .iter()
                .any(|finding| finding.category.as_str() == rule.category)
            {
                wrong.push(format!("{} misses {text:?}", rule.id));
            }
        }
        for text in &rule.allows {
            if detect(&policy, text, &SETTING)
                .iter()
                .any(|finding| finding.rule == rule.id)
            {
                wrong.push(format!("{} fires on {text:?}", rule.id));
            }
        }
    }
    assert!(policy.rules().len() > 50);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_category_a_list_may_use_is_one_the_guardrail_knows() {
    let known: Vec<&str> = Category::ALL
        .iter()
        .map(|category| category.as_str())
        .collect();
    assert_eq!(CATEGORIES, &known[..CATEGORIES.len()]);
}

#[test]
fn the_same_sources_give_the_same_digest_and_a_changed_one_another() {
    let base = Policy::embedded().unwrap();
    assert_eq!(base.digest(), Policy::embedded().unwrap().digest());
    assert_eq!(base.digest().len(), 64);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        base.digest(),
        Policy::from_dir(dir.path()).unwrap().digest()
    );
    let lists = dir.path().join("lexicons");
    fs::create_dir(&lists).unwrap();
    fs::write(
        lists.join("house.txt"),
        "[medication certain any]\nquillonol\n",
    )
    .unwrap();
    let overlaid = Policy::from_dir(dir.path()).unwrap();
    assert_ne!(base.digest(), overlaid.digest());
    let found = detect(&overlaid, "Your quillonol is ready.", &Known::default());
    assert_eq!(found[0].category, Category::Medication);
}

/// A rule file whose only rule has `line` in place of one of its lines.
fn refused(change: &str, by: &str) -> String {
    let sound = "[[rule]]\nid = 'x'\ncategory = 'mrn'\nsummary = 'A number.'\ncite = 'house policy'\n\
                 pattern = 'q\\d+'\nconfidence = 'certain'\nflags = ['q1']\nallows = ['q']\n";
    assert!(sound.contains(change));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("identifiers");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("house.toml"),
        format!("# house\n{}", sound.replace(change, by)),
    )
    .unwrap();
    match Policy::from_dir(dir.path()) {
        Ok(_) => "loaded".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// What is changed in a sound rule, into what, what is said of it, and the remedy.
const SLIPS: &[(&str, &str, &str, &str)] = &[
    (
        "'mrn'",
        "'quark'",
        "the category is unknown",
        "use one of name, geographic",
    ),
    (
        "'house policy'",
        "''",
        "cite or summary is empty",
        "name the law",
    ),
    (
        "['q1']",
        "[]",
        "it has no examples",
        "add at least one text",
    ),
    ("'q\\d+'", "'q(\\d'", "unclosed group", "write a pattern"),
    (
        "confidence",
        "confidense",
        "unknown field `confidense`",
        "a rule has id",
    ),
    (
        "confidence = 'certain'",
        "needs = 'keyword'\nconfidence = 'certain'",
        "it needs a keyword",
        "fill `keywords`",
    ),
    (
        "confidence = 'certain'",
        "",
        "it can never be sure",
        "give `confidence`",
    ),
    ("'x'", "'ssn'", "the id is taken", "its own id"),
    (
        "['q1']",
        "['z1']",
        "example `z1` is not flagged",
        "widen `pattern`",
    ),
    ("cite", "site", "unknown field `site`", "a rule has id"),
    (
        "cite = 'house policy'\n",
        "",
        "missing field `cite`",
        "a rule has id",
    ),
    (
        "'A number.'",
        "'A number.",
        "invalid literal string",
        "a rule has id",
    ),
    (
        "'certain'",
        "'sure'",
        "unknown variant `sure`",
        "a rule has id",
    ),
    ("'q\\d+'", "'q(?=\\d)'", "look-around", "write a pattern"),
];

#[test]
fn a_bad_rule_is_refused_with_its_file_its_line_and_a_remedy() {
    assert_eq!(refused("'x'", "'x'"), "loaded");
    for (change, by, what, remedy) in SLIPS {
        let message = refused(change, by);
        assert!(message.contains("house.toml:"), "{message}");
        assert!(message.contains(what), "{what:?} not in {message}");
        assert!(message.contains(remedy), "{remedy:?} not in {message}");
    }
}

#[test]
fn a_bad_list_is_refused_with_its_line() {
    let cases = [
        ("aspirin\n", 1, "an entry before any section"),
        ("# a\n[medication certainly any]\n", 2, "unknown confidence"),
        ("[medication certain xx]\n", 1, "unknown language"),
        ("[potion certain any]\n", 1, "the category is unknown"),
    ];
    let bytes: [(&[u8], usize, &str); 2] = [
        (b"[medication certain any]\nparac\xe9tamol\n", 2, "no UTF-8"),
        (b"\xff\xfe[\0m\0", 1, "save the file as UTF-8"),
    ];
    for (text, line, what) in bytes {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("lexicons")).unwrap();
        fs::write(dir.path().join("lexicons/house.txt"), text).unwrap();
        let error = Policy::from_dir(dir.path()).unwrap_err();
        assert_eq!(error.line, line);
        assert!(error.to_string().contains(what), "{error}");
    }
    // What some editors put before a text is no part of it.
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("lexicons")).unwrap();
    let marked = "\u{feff}[medication certain any]\nquillonol\n";
    fs::write(dir.path().join("lexicons/house.txt"), marked).unwrap();
    let policy = Policy::from_dir(dir.path()).unwrap();
    assert_eq!(
        detect(&policy, "Your quillonol is ready.", &Known::default()).len(),
        1
    );
    for (text, line, what) in cases {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("lexicons");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("house.txt"), text).unwrap();
        let error = Policy::from_dir(dir.path()).unwrap_err();
        assert_eq!(error.line, line);
        assert!(error.to_string().contains(what), "{error}");
    }
}
