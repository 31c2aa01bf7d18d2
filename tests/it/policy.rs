//! The policy as data: what loads, what is refused and how, and every rule's own examples.

#![cfg(test)]

use std::fs;
use std::sync::Arc;

use anteroom::guardrail::detect::Known;
use anteroom::guardrail::detect::detect;
use anteroom::guardrail::finding::Category;
use anteroom::guardrail::review::Guardrail;
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
    match Policy::from_dir(dir.path()).and_then(|policy| Guardrail::new(Arc::new(policy))) {
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
    ("[[rule]]", "[rule]", "invalid type: map", "in two brackets"),
    (
        "['q1']",
        "'q1'",
        "expected a sequence",
        "write a list of texts",
    ),
    (
        "'q\\d+'",
        "\"q\\d+\"",
        "missing escaped value",
        "between single quotes",
    ),
    (
        "['q']",
        "['call q7 now']",
        "example `call q7 now` of `allows` is flagged",
        "narrow `pattern`",
    ),
    (
        "confidence = 'certain'",
        "checksum = 'luhn'\nconfidence = 'certain'",
        "example `q1` is not flagged, though the pattern matches",
        "see whether `checksum`",
    ),
    (
        "['q1']",
        "['q1', 'aq12']",
        "example `aq12` is not flagged, though",
        "a letter or digit goes on",
    ),
    (
        "'q\\d+'\nconfidence = 'certain'\nflags = ['q1']",
        "'\\d+-\\d+-\\d+'\nconfidence = 'possible'\nflags = ['Call 415-555-0132']",
        "finds it as phone already",
        "give an example that only this rule finds",
    ),
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

#[test]
fn a_folder_may_find_more_than_the_built_in_lists_and_never_less() {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["lexicons", "identifiers"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
    }
    let harmless = include_str!("../../guardrails/lexicons/harmless.txt");
    let labs = include_str!("../../guardrails/lexicons/labs.txt");
    let numbers = include_str!("../../guardrails/identifiers/numbers.toml");
    let lab = labs
        .lines()
        .rev()
        .find(|line| !line.is_empty() && !line.starts_with(['#', '[']))
        .unwrap();
    let owner = numbers.replacen("owner = \"contact\"", "owner = \"calendar\"", 1);
    let words = numbers.replacen("keywords = [", "keywords = [\"zzz\", ", 1);
    // A file, what is in it, a word of what is told.
    let cases = [
        (
            "lexicons/harmless.txt",
            format!("{harmless}\nyour biopsy\n"),
            "would hide",
        ),
        (
            "lexicons/mine.txt",
            "[harmless certain en]\nyour biopsy\n".to_owned(),
            "would hide",
        ),
        (
            "lexicons/labs.txt",
            labs.replacen(lab, "", 1),
            "is left out",
        ),
        ("identifiers/numbers.toml", words, "could find less"),
        ("identifiers/numbers.toml", owner, "could find less"),
        (
            "identifiers/numbers.toml",
            "rule = []\n".to_owned(),
            "the rule is left out",
        ),
        ("cues.toml", "[words]\n".to_owned(), "not the built-in one"),
        (
            "hose.toml",
            String::new(),
            "nothing of the policy is named so",
        ),
        (
            "lexicons/labs.toml",
            String::new(),
            "nothing of the policy is named so",
        ),
    ];
    for (file, text, word) in cases {
        assert_ne!(text, numbers, "the case changes nothing");
        let path = dir.path().join(file);
        fs::write(&path, &text).unwrap();
        let error = Policy::from_dir(dir.path()).expect_err(file);
        let name = file.rsplit('/').next().unwrap();
        assert!(error.message.contains(word), "{file}: {error}");
        assert!(
            error.file.ends_with(name) && !error.remedy.is_empty(),
            "{file}: {error}"
        );
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn what_people_leave_beside_the_policy_is_no_policy_and_no_folder_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for aside in [".house.toml.swp", "README.md", "house.toml~"] {
        fs::write(dir.path().join(aside), "notes").unwrap();
    }
    let built_in = Policy::embedded().unwrap();
    assert_eq!(
        Policy::from_dir(dir.path()).unwrap().digest(),
        built_in.digest()
    );
    let error = Policy::from_dir(&dir.path().join("nowhere")).unwrap_err();
    assert!(error.remedy.contains("name a folder"), "{error}");
}
