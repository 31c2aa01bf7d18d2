//! A policy folder under a running server: read again when it changes, and a mistake in it changes
//! nothing but what everybody is told.

#![cfg(test)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::server::{Server, anteroom};

const HOUSE: &str = r#"schema = 1
jurisdiction = "US"
title = "Our house"
last_reviewed = 2026-11-22
reviewed_by = "the compliance officer"

[[rule]]
id = "house.evenings"
kind = "send_window"
summary = "Reminders leave by day."
basis = "policy"
cite = "practice policy"
effective = 2026-11-22
last_reviewed = 2026-11-22
confidence = "policy"
[rule.params]
open = "09:00"
close = "18:00"
clock = "recipient"
applies_to = ["outbound_initiated"]
"#;

const WORDS: &str = "[medication certain any]\nquillonol\n";

/// A rule that wants a text told which does not exist.
const NOWHERE: &str = r#"[[rule]]
id = "house.greeting"
kind = "disclosure"
summary = "Say who writes."
basis = "policy"
cite = "practice policy"
effective = 2026-11-22
last_reviewed = 2026-11-22
confidence = "policy"
[rule.params]
element = "ai_identity"
when = ["session_start"]
text_id = "no_such_text"
"#;

fn ready(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

fn digest(body: &str) -> String {
    ready(body)["policy"].as_str().unwrap().to_owned()
}

/// How a running server judges a draft that names a medicine which no built-in list has.
async fn verdict(server: &Server) -> String {
    let line = json!({ "id": "1", "draft": "Do you want quillonol?", "context": {
        "practice": { "name": "Lakeside Family Medicine", "phone": "+14155550100",
                      "type": "primary_care", "portal_url": "https://text.example.com" },
        "channel": "sms", "consent": "none", "state": "CA", "language": "en",
        "timezone": "America/Los_Angeles", "now": "2026-12-01T10:00:00-08:00",
        "purpose": "reply", "facts": [] } });
    let out = server.ask("/v1/guard/check", &line).await;
    out["verdict"].as_str().unwrap_or_default().to_owned()
}

fn server(data: &Path, policy: &Path) -> Server {
    let policy = policy.to_str().unwrap();
    Server::start_with(data, &[("ANTEROOM_POLICY_DIR", policy)])
}

#[tokio::test]
async fn a_changed_folder_is_in_force_and_a_broken_one_leaves_the_last_good_policy() {
    let (data, policy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(policy.path().join("house.toml"), HOUSE).unwrap();
    fs::create_dir(policy.path().join("lexicons")).unwrap();
    let server = server(data.path(), policy.path());
    let first = digest(&server.get("/readyz").await.1);
    assert_eq!(verdict(&server).await, "pass");

    // Another list: the same draft is judged otherwise.
    fs::write(policy.path().join("lexicons/house.txt"), WORDS).unwrap();
    let body = server.until("/readyz", |body| digest(body) != first).await;
    let second = digest(&body);
    assert_eq!(ready(&body)["policy_refused"], Value::Null);
    assert_ne!(verdict(&server).await, "pass");

    // A mistake: refused with its place and a remedy, everywhere; what was in force stays.
    let broken = HOUSE.replace("\"18:00\"", "\"08:00\"");
    fs::write(policy.path().join("house.toml"), &broken).unwrap();
    let refused = |body: &str| !ready(body)["policy_refused"].is_null();
    let body = ready(&server.until("/readyz", refused).await);
    let told = &body["policy_refused"];
    assert_eq!(
        (&told["file"], &told["line"]),
        (&json!("house.toml"), &json!(7))
    );
    assert_eq!(told["rule"], "house.evenings");
    assert_eq!(told["message"], "it opens after it shuts");
    assert!(
        told["remedy"]
            .as_str()
            .unwrap()
            .contains("open before close"),
        "{told}"
    );
    assert_eq!(body["policy"], second);
    assert_ne!(verdict(&server).await, "pass");
    let remarks = body["remarks"].to_string();
    assert!(
        remarks.contains("house.toml:7: rule `house.evenings`"),
        "{remarks}"
    );
    let (status, _) = server.get("/readyz").await;
    assert_eq!(status, 200, "it goes on working");
    let metrics = server.get("/metrics").await.1;
    assert!(metrics.contains("anteroom_policy_refused 1"), "{metrics}");
    assert!(metrics.contains(r#"anteroom_policy_loads_total{outcome="refused"} 1"#));
    server.logged(&["last good one stays in force", "house.toml:7"]);

    // Mended: in force again, and nobody is told of a mistake any more.
    fs::write(
        policy.path().join("house.toml"),
        HOUSE.replace("18:00", "19:00"),
    )
    .unwrap();
    let mended = |body: &str| !refused(body) && digest(body) != second;
    server.until("/readyz", mended).await;
    let metrics = server.get("/metrics").await.1;
    assert!(metrics.contains("anteroom_policy_refused 0"), "{metrics}");
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn what_loosens_the_built_in_policy_is_refused_while_the_server_runs() {
    let (data, policy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(policy.path().join("states")).unwrap();
    let server = server(data.path(), policy.path());
    let first = digest(&server.get("/readyz").await.1);
    let statute = include_str!("../../guardrails/states/CA.toml");
    // A file, what is in it, a word of what is told.
    let cases = [
        (
            "states/CA.toml",
            statute.replacen("n = 30\n", "n = 45\n", 1),
            "less than the built-in",
        ),
        (
            "hose.toml",
            HOUSE.to_owned(),
            "nothing of the policy is named so",
        ),
        (
            "house.toml",
            format!("{HOUSE}\n{NOWHERE}"),
            "no fixed text `no_such_text`",
        ),
    ];
    for (file, text, word) in cases {
        let path = policy.path().join(file);
        fs::write(&path, &text).unwrap();
        let told = |body: &str| {
            ready(body)["policy_refused"]["message"]
                .as_str()
                .is_some_and(|it| it.contains(word))
        };
        let body = ready(&server.until("/readyz", told).await);
        let name = file.rsplit('/').next().unwrap();
        let refused = &body["policy_refused"];
        assert!(
            refused["file"].as_str().unwrap().ends_with(name),
            "{file}: {refused}"
        );
        assert!(
            !refused["remedy"].as_str().unwrap().is_empty(),
            "{file}: {refused}"
        );
        assert_eq!(body["policy"], first, "{file}");
        fs::remove_file(&path).unwrap();
        server
            .until("/readyz", |body| ready(body)["policy_refused"].is_null())
            .await;
    }
}

#[tokio::test]
async fn sighup_reads_the_folder_and_ends_nothing() {
    let (data, policy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = server(data.path(), policy.path());
    let first = digest(&server.get("/readyz").await.1);
    fs::write(policy.path().join("house.toml"), HOUSE).unwrap();
    server.signal("-HUP");
    server.until("/readyz", |body| digest(body) != first).await;
    assert_eq!(server.stop(), Some(0));
    // Without a folder there is nothing to read, and the server goes on.
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &[]);
    server.signal("-HUP");
    assert_eq!(server.get("/readyz").await.0, 200);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn doctor_tells_of_a_broken_folder() {
    let (data, policy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(
        policy.path().join("house.toml"),
        HOUSE.replace("\"18:00\"", "\"08:00\""),
    )
    .unwrap();
    let doctor = anteroom(data.path())
        .env("ANTEROOM_POLICY_DIR", policy.path())
        .arg("doctor")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        said.contains("house.toml:7: rule `house.evenings`: it opens after it shuts"),
        "{said}"
    );
    assert_eq!(doctor.status.code(), Some(1));
}

#[test]
fn a_server_does_not_start_on_a_broken_folder() {
    let (data, policy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(
        policy.path().join("house.toml"),
        HOUSE.replace("cite", "site"),
    )
    .unwrap();
    let run = anteroom(data.path())
        .env("ANTEROOM_LISTEN", "127.0.0.1:0")
        .env("ANTEROOM_POLICY_DIR", policy.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(2), "{said}");
    assert!(
        said.contains("house.toml:12") && said.contains("site"),
        "{said}"
    );
}

/// What the command line says of a draft is what the server would do with it.
#[test]
fn check_and_detect_judge_by_the_folder_that_is_configured() {
    let (home, policy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(policy.path().join("lexicons")).unwrap();
    fs::write(policy.path().join("lexicons/house.txt"), WORDS).unwrap();
    let run = |folder: Option<&Path>, args: &[&str]| {
        let mut command = anteroom(home.path());
        if let Some(folder) = folder {
            command.env("ANTEROOM_POLICY_DIR", folder);
        }
        let out = command.args(args).output().unwrap();
        String::from_utf8(out.stdout).unwrap() + std::str::from_utf8(&out.stderr).unwrap()
    };
    for args in [
        ["check", "--draft", "Do you want quillonol?"],
        ["detect", "--text", "Do you want quillonol?"],
    ] {
        assert!(!run(None, &args).contains("medication"), "{args:?}");
        assert!(
            run(Some(policy.path()), &args).contains("medication"),
            "{args:?}"
        );
    }
    fs::write(
        policy.path().join("house.toml"),
        format!("{HOUSE}\n{NOWHERE}"),
    )
    .unwrap();
    let told = run(Some(policy.path()), &["check", "--draft", "Hello"]);
    assert!(
        told.contains("house.toml") && told.contains("no_such_text"),
        "{told}"
    );
}
