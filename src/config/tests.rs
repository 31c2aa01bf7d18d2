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
            "[log]\nformat = \"yaml\"\n".into(),
            &[],
            "log.format: use `json` or `text`",
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
            "practice `a`: timezone `America/Nowhere` is not known",
        ),
        (
            format!("{practice}timezone = \"America/Chicago\"\nstate = \"XX\"\n"),
            &[],
            "unknown state",
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
    }
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
