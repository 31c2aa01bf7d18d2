//! What a person who configures the house notices.

use super::*;

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("anteroom.toml");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
    let (_dir, path) = file(text);
    let environment = environment
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let error = load(Some(&path), environment).unwrap_err().to_string();
    error.replace(&path.display().to_string(), "FILE")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of slips")]
fn a_typo_is_told_with_line_and_nearest_key() {
    type Case<'a> = (String, &'a [(&'a str, &'a str)], &'a str);
    let practice = "[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"+14155550100\"\n";
    let cases: &[Case<'_>] = &[
        (
            "\nlistn = \"1\"\n".into(),
            &[],
            "FILE:2: unknown key `listn`; did you mean `listen`?",
        ),
        (
            "[llm]\nmodle = \"x\"\n".into(),
            &[],
            "FILE:2: unknown key `modle`; did you mean `model`?",
        ),
        ("listen = \n".into(), &[], "FILE:1: "),
        (
            "[llm]\nkind = \"azur\"\n".into(),
            &[],
            "FILE:2: llm.kind: use `auto`, `offline`, `openai` or `azure`",
        ),
        (
            "[llm]\nkind = \"azure\"\nbase_url = \"https://a.example.com/openai/v1\"\n".into(),
            &[],
            "FILE:3: llm.base_url: with kind = \"azure\" write the resource alone, as https://NAME.openai.azure.com",
        ),
        (
            "[llm]\nkind = \"azure\"\nbase_url = \"https://a.example.com\"\napi_version = \"latest\"\n".into(),
            &[],
            "FILE:4: llm.api_version: write the version of Azure's API, such as 2024-10-21",
        ),
        (
            "[[llm.fallback]]\nkind = \"azure\"\nbase_url = \"https://a.example.com\"\nmodel = \"m\"\n".into(),
            &[],
            "llm.fallback[0].api_version: write the version of Azure's API",
        ),
        (
            format!("{practice}timezone = \"America/Los_Angeles\"\n[[practice.outreach.recall]]\nname = \"x\"\nafter_months = 0\n"),
            &[],
            "recall `x`: after_months = 0; months from 1 to 120",
        ),
        (
            format!("{practice}timezone = \"America/Los_Angeles\"\n[[practice.outreach.recall]]\nname = \"my rule\"\nafter_months = 6\n"),
            &[],
            "name `my rule`: a name of letters, digits, `-` and `_`, such as `yearly`",
        ),
        (
            format!("{practice}timezone = \"America/Los_Angeles\"\n[[practice.outreach.recall]]\nname = \"x\"\nafter_months = 6\n\
                [[practice.outreach.recall]]\nname = \"x\"\nafter_months = 9\n"),
            &[],
            "recall `x` stands twice; give each rule its own name",
        ),
        (
            format!("{practice}timezone = \"America/Los_Angeles\"\n[[practice.outreach.recall]]\nname = \"x\"\nafter_months = 6\nvisit.en = \" \"\n"),
            &[],
            "recall `x`: visit ` `; 1 to 40 characters, such as `your yearly visit`",
        ),
        (
            format!("{practice}timezone = \"America/Los_Angeles\"\n[[practice.outreach.recall]]\nname = \"x\"\nafter_month = 6\n"),
            &[],
            "unknown key `after_month`; did you mean `after_months`?",
        ),
        (
            "[log]\nformat = \"yaml\"\n".into(),
            &[],
            "log.format: use `json` or `text`",
        ),
        (
            "[llm]\nprice_out = -1.0\n".into(),
            &[],
            "FILE:2: llm.price_out: US dollars for a million tokens, 0 to 10000",
        ),
        (
            "[llm]\n[[llm.fallback]]\nbase_url = \"llm.example.com\"\nmodel = \"m\"\n".into(),
            &[],
            "FILE:3: llm.fallback[0].base_url: write it as https://llm.example.com/v1",
        ),
        (
            "[[llm.fallback]]\nbase_url = \"https://llm.example.com/v1\"\nmodle = \"m\"\n".into(),
            &[],
            "FILE:3: unknown key `modle`; did you mean `model`?",
        ),
        (
            "[[llm.fallback]]\nbase_url = \"https://llm.example.com/v1\"\nmodel = \"m\"\ntimeout_s = 0\n".into(),
            &[],
            "FILE:4: llm.fallback[0].timeout_s: use 1 to 120",
        ),
        (
            format!("{practice}timezone = \"America/Chicago\"\nmodel_cap_usd = -5.0\n"),
            &[],
            "FILE:6: practice `a`: model_cap_usd is US dollars a calendar month",
        ),
        (
            "public_url = \"text.example.com\"\n".into(),
            &[],
            "public_url: write it as https://",
        ),
        (
            String::new(),
            &[("ANTEROOM_LISEN", "x")],
            "environment variable ANTEROOM_LISEN: unknown key `lisen`; did you mean `listen`?",
        ),
        (
            format!("{practice}timezone = \"America/Nowhere\"\n"),
            &[],
            "FILE:5: practice `a`: timezone `America/Nowhere` is not known",
        ),
        (
            format!("{practice}timezone = \"America/Chicago\"\nstate = \"XX\"\n"),
            &[],
            "FILE:6: practice[0].state: unknown state; use one of the two-letter codes",
        ),
        (
            "[log]\nformat = \"yaml\"\n".into(),
            &[],
            "FILE:2: log.format: use `json` or `text`",
        ),
        (
            "listen = \"8080\"\n".into(),
            &[],
            "FILE:1: listen: not an address to listen on; write an address and a port, such as \"127.0.0.1:8080\"",
        ),
        (
            "shutdown_s = \"ten\"\n".into(),
            &[],
            "FILE:1: shutdown_s: a value of the wrong kind; write ",
        ),
        (
            "[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"415-555-0100\"\ntimezone = \"America/Chicago\"\n".into(),
            &[],
            "FILE:4: practice[0].phone: ",
        ),
        (
            "[[practice]]\nid = \"a\"\nphone = \"+14155550100\"\ntimezone = \"America/Chicago\"\n".into(),
            &[],
            "FILE:1: practice[0] has no `name`; add it",
        ),
        (
            format!(
                "{practice}timezone = \"America/Chicago\"\n\n[[practice.sender]]\ncarrier = \"simulator\"\nnumber = \"+14155550101\"\n[[practice.sender]]\ncarrier = \"twillio\"\nnumber = \"+14155550102\"\n"
            ),
            &[],
            "FILE:11: practice[0].sender[1].carrier: there is no `twillio`, did you mean `twilio`?; use one of twilio, messagebird",
        ),
        (
            "[twilio.a]\nacount_sid = \"AC\"\n".into(),
            &[],
            "FILE:2: unknown key `acount_sid`; did you mean `account_sid`?",
        ),
        (
            format!("{practice}timezone = \"America/Chicago\"\ntype = \"behavoral_health\"\n"),
            &[],
            "FILE:6: practice `a`: type `behavoral_health` is not listed; did you mean `behavioral_health`? Use one of abortion, ",
        ),
        (
            format!("{practice}timezone = \"America/Chicago\"\ntype = \"abortion_clinic\"\n"),
            &[],
            "FILE:6: practice `a`: type `abortion_clinic` is not listed; did you mean `abortion`? Use one of",
        ),
        (
            format!("{practice}timezone = \"America/Chicago\"\ntype = \"spaceship\"\n"),
            &[],
            "FILE:6: practice `a`: type `spaceship` is not listed; use one of abortion, ",
        ),
        (
            "[guard]\napi_keys = \"hush-hush-hush\"\n".into(),
            &[],
            "FILE:2: guard.api_keys: a value of the wrong kind; write a sequence",
        ),
        (
            format!(
                "{practice}timezone = \"America/Chicago\"\n[[practice.sender]]\ncarrier = \"twilio\"\nnumber = \"+14155550101\"\n"
            ),
            &[],
            "practice `a` sends by twilio: add a [twilio.a] section",
        ),
    ];
    for (text, environment, want) in cases {
        let got = refusal(text, environment);
        assert!(got.contains(want), "{text}: got {got}");
        assert!(!got.contains("hush"), "a value is repeated: {got}");
    }
}

#[test]
fn a_type_of_practice_is_known_in_any_writing() {
    for written in [
        "behavioral_health",
        "Behavioral Health",
        "behavioral-health",
        " BEHAVIORAL  HEALTH ",
        "Behavioral/Health",
    ] {
        let practice = "[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"+14155550100\"\n";
        let (_dir, path) = file(&format!(
            "{practice}timezone = \"America/Chicago\"\nstate = \"il\"\ntype = \"{written}\"\n"
        ));
        let loaded = load(Some(&path), std::iter::empty()).unwrap();
        assert_eq!(loaded.config.practice[0].kind, "behavioral_health");
        assert_eq!(loaded.config.practice[0].state.as_str(), "IL");
    }
}

#[test]
fn a_policy_folder_may_list_a_type_of_its_own() {
    let (dir, path) = file("");
    std::fs::write(
        dir.path().join("house.toml"),
        "[practice_types]\naudiology = [\"clinic\"]\n",
    )
    .unwrap();
    let text = format!(
        "policy_dir = {:?}\n[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"+14155550100\"\ntimezone = \"America/Chicago\"\ntype = \"audiology\"\n",
        dir.path()
    );
    std::fs::write(&path, text).unwrap();
    load(Some(&path), std::iter::empty()).unwrap();
}

#[test]
fn the_environment_wins_over_the_file_and_explain_says_so_without_secrets() {
    let (_dir, path) = file("listen = \"127.0.0.1:9000\"\n[llm]\nmodel = \"m\"\n");
    let environment = [
        ("ANTEROOM_LISTEN", "127.0.0.1:9001"),
        ("ANTEROOM_LLM__API_KEY", "sk-secret"),
        (
            "ANTEROOM_DATABASE_URL",
            "postgres://u:pass-word@db.example.com/a",
        ),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()));
    let loaded = load(Some(&path), environment.into_iter()).unwrap();
    assert_eq!(loaded.config.listen.port(), 9001);
    assert_eq!(loaded.config.llm.model, "m");
    let told = loaded.explain();
    assert!(
        told.contains("listen = \"127.0.0.1:9001\"  # environment ANTEROOM_LISTEN"),
        "{told}"
    );
    assert!(told.contains("anteroom.toml:3"), "{told}");
    assert!(
        !told.contains("sk-secret") && !told.contains("pass-word"),
        "{told}"
    );
}

#[test]
fn real_and_simulated_senders_do_not_mix() {
    let text = "[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"+14155550100\"\ntimezone = \"America/Chicago\"\n\
        [[practice.sender]]\ncarrier = \"simulator\"\nnumber = \"+14155550101\"\n\
        [[practice.sender]]\ncarrier = \"twilio\"\nnumber = \"+14155550102\"\n\
        [twilio.a]\naccount_sid = \"AC\"\nauth_tokens = [\"t\"]\n";
    assert!(refusal(text, &[]).contains("keep only one kind"));
}

#[test]
fn keys_of_the_guard_cannot_be_guessed_and_are_not_shown() {
    let practice = "[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"+14155550100\"\ntimezone = \"America/Chicago\"\n";
    for (text, want) in [
        (
            "[guard]\napi_keys = [\"\"]\n",
            "guard.api_keys: a key has at least 20",
        ),
        (
            "[guard]\napi_keys = [\"short-secret\"]\n",
            "guard.api_keys: a key has",
        ),
        (
            "[guard]\napi_keys = [\"a long secret with spaces in it\"]\n",
            "guard.api_keys: a key has",
        ),
        (
            "[guard]\npractice = \"b\"\n",
            "guard.practice: there is no practice `b`",
        ),
        ("[guard]\ntimeout_s = 0\n", "guard.timeout_s: use 1 to 300"),
        (
            "[guard]\napi_key = []\n",
            "FILE:2: unknown key `api_key`; did you mean `api_keys`?",
        ),
    ] {
        let got = refusal(&format!("{text}{practice}"), &[]);
        assert!(got.contains(want), "{text}: got {got}");
        assert!(!got.contains("secret"), "{got}");
    }
    let keys = (
        "ANTEROOM_GUARD__API_KEYS".to_owned(),
        "[\"0123456789-secret-0123456789\"]".to_owned(),
    );
    let (_dir, path) = file("");
    let loaded = load(Some(&path), [keys].into_iter()).unwrap();
    assert_eq!(loaded.config.guard.api_keys.len(), 1);
    assert!(
        !loaded.explain().contains("secret-"),
        "{}",
        loaded.explain()
    );
}
