//! The binary as people, machines and power cuts meet it.

#![cfg(test)]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use crate::support::server::{Server, anteroom};
use crate::support::{browser, postgres};

const TOM: &str = "+14155550114";

fn output(command: &mut std::process::Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test]
async fn nothing_is_lost_or_sent_twice_when_the_power_goes_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", dir.path().join("anteroom.db").display());
    power_cuts(dir.path(), &database).await;
}

#[tokio::test]
async fn nothing_is_lost_or_sent_twice_when_the_power_goes_on_postgres() {
    let dir = tempfile::tempdir().unwrap();
    let database = postgres::new_database().await;
    power_cuts(dir.path(), &database).await;
}

/// Kills the server in the middle of twelve conversations, at several moments, and starts it again.
async fn power_cuts(dir: &std::path::Path, database: &str) {
    let numbers: Vec<String> = (111..=122).map(|n| format!("+14155550{n}")).collect();
    let mut server = Server::start(dir, database);
    for number in &numbers {
        server.text(number, "When is my appointment?").await;
    }
    server.kill();
    server = Server::start(dir, database);
    for number in &numbers {
        assert_eq!(server.answers(number, 1).await.len(), 1, "one notice each");
        server.text(number, "YES").await;
    }
    server.kill();
    server = Server::start(dir, database);
    for number in &numbers {
        let answers = server.answers(number, 2).await;
        assert_eq!(answers.len(), 2, "one answer each: {answers:?}");
    }
    let (status, metrics) = server.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(metrics.contains("anteroom_queue_depth"), "{metrics}");
    let log = server.log();
    assert_eq!(server.stop(), Some(0), "{log}");
    for secret in ["555-01", "4155550114", "When is my", "Nguyen", "Tom"] {
        assert!(!log.contains(secret), "{secret} in the log");
    }
    let (code, out, err) = output(
        anteroom(dir)
            .args(["audit", "verify"])
            .env("ANTEROOM_DATABASE_URL", database),
    );
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("entries whole"), "{out}");
}

#[tokio::test]
async fn a_server_says_where_it_is_is_ready_and_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), &[]);
    assert_eq!(server.get("/livez").await.0, 200);
    let (status, ready) = server.get("/readyz").await;
    assert_eq!(status, 200, "{ready}");
    assert!(server.log().contains("/simulator"), "{}", server.log());
    assert_eq!(server.get("/webhooks/twilio/nobody").await.0, 404);
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn the_audit_log_can_be_verified_while_the_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, err) = output(anteroom(dir.path()).args(["audit", "verify"]));
    assert_eq!(code, Some(4), "nothing was ever kept: {err}");
    let server = Server::start_with(dir.path(), &[]);
    server.text(TOM, "When is my appointment?").await;
    server.answers(TOM, 1).await;
    let chained = "anteroom_audit_chained_total ";
    loop {
        let (_, metrics) = server.get("/metrics").await;
        let count = metrics.lines().find_map(|line| line.strip_prefix(chained));
        if count.is_some_and(|count| count != "0") {
            break;
        }
    }
    let (code, out, err) = output(anteroom(dir.path()).args(["audit", "verify"]));
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("entries whole"), "{out}");
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn what_a_model_was_sent_is_made_again_while_the_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), &[]);
    for (count, text) in (1..).zip(["Hello", "YES", "When is my appointment?"]) {
        server.text(TOM, text).await;
        server.answers(TOM, count).await;
    }
    let replay = |args: &[&str]| output(anteroom(dir.path()).arg("replay").args(args));
    let mut codes = Vec::new();
    let mut newest = String::new();
    for turn in 1..=6 {
        let (code, out, err) = replay(&[&turn.to_string()]);
        assert!(!out.contains("appointment?") && !err.contains("appointment?"));
        if code == Some(0) {
            assert!(out.contains("the same again"), "{out}{err}");
            assert!(out.contains("prompt ") && !out.contains("moved"), "{out}");
            newest = turn.to_string();
        }
        codes.push(code);
    }
    // Hello waited for YES and was answered with it; the notice is an approved text.
    let (none, made) = (Some(4), Some(0));
    assert_eq!(codes, [none, none, made, made, made, made]);
    let (code, _, err) = replay(&["999999"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("audit export"), "{err}");
    assert_eq!(server.stop(), Some(0));
    let (_, out, err) = replay(&[&newest, "--show-text"]);
    assert!(out.contains("When is my appointment?"), "{out}{err}");
    let (_, log, _) = output(anteroom(dir.path()).args(["audit", "export"]));
    assert!(log.contains("turn.replayed"), "{log}");
}

#[tokio::test]
async fn an_alarm_is_listed_and_taken_while_the_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let list = || output(anteroom(dir.path()).args(["alarm", "list"]));
    assert_eq!(list().0, Some(0), "nothing was ever kept");
    let server = Server::start_with(dir.path(), &[]);
    assert_eq!(list().0, Some(0));
    server.text(TOM, "I have chest pain").await;
    let (code, out, err) = list();
    assert_eq!(code, Some(1), "{out}{err}");
    let alarm: serde_json::Value = serde_json::from_str(out.trim()).unwrap();
    assert_eq!(alarm["kind"], "emergency");
    assert!(!out.contains("chest") && !out.contains("555"), "{out}");
    let id = alarm["alarm"].to_string();
    let ack = |by: &str| output(anteroom(dir.path()).args(["alarm", "ack", &id, "--by", by]));
    assert_eq!(ack(" ").0, Some(2), "a name is needed");
    let (code, out, err) = ack("Ana");
    assert_eq!(code, Some(0), "{out}{err}");
    while list().0 != Some(0) {}
    assert_eq!(server.stop(), Some(0));
    let (code, _, err) = ack("Ben");
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("somebody has alarm"), "{err}");
    let (code, _, err) = output(anteroom(dir.path()).args(["alarm", "ack", "77", "--by", "Ben"]));
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("alarm list"), "{err}");
}

#[tokio::test]
async fn a_stop_while_a_slow_model_thinks_ends_in_time_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let model = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", model.local_addr().unwrap());
    let server = Server::start_with(
        dir.path(),
        &[
            ("ANTEROOM_LLM__KIND", "openai"),
            ("ANTEROOM_LLM__BASE_URL", &url),
            ("ANTEROOM_SHUTDOWN_S", "1"),
        ],
    );
    server.text(TOM, "When is my appointment?").await;
    server.answers(TOM, 1).await;
    server.text(TOM, "YES").await;
    let asked = model.accept().await.unwrap();
    let began = std::time::Instant::now();
    assert_eq!(server.stop(), Some(3), "some work did not end in time");
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    drop(asked);
    let server = Server::start_with(dir.path(), &[]);
    let answers = server.answers(TOM, 2).await;
    assert_eq!(answers.len(), 2, "answered once: {answers:?}");
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_server_without_its_postgres_says_so_and_goes_on_when_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = postgres::Cluster::start();
    let server = Server::start(dir.path(), &cluster.url());
    server.text(TOM, "When is my appointment?").await;
    server.answers(TOM, 1).await;
    cluster.control(&["-m", "immediate", "stop"]);
    assert_eq!(server.post(TOM, "YES").await, 503);
    assert_eq!(server.get("/readyz").await.0, 503);
    assert_eq!(server.get("/livez").await.0, 200);
    cluster.run();
    while server.get("/readyz").await.0 != 200 {}
    server.text(TOM, "YES").await;
    let answers = server.answers(TOM, 2).await;
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn variables_that_are_no_keys_are_told_with_their_remedy() {
    let dir = tempfile::tempdir().unwrap();
    for (variable, told) in [
        ("ANTEROOM_LISTE", "did you mean `listen`?; unset it"),
        ("ANTEROOM_NONSENSE", "unknown key `nonsense`"),
        (
            "ANTEROOM_PRACTICE__0__NAME",
            "write them as [[practice]] in the file",
        ),
        ("ANTEROOM_LLM__KIND__X", "`kind` is not a section"),
    ] {
        let (code, _, err) = output(
            anteroom(dir.path())
                .arg("config")
                .arg("explain")
                .env(variable, "x"),
        );
        assert_eq!(code, Some(2), "{variable}");
        assert!(
            err.contains(variable) && err.contains(told),
            "{variable}: {err}"
        );
    }
}

#[test]
fn a_variable_that_is_no_text_stops_nothing() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let (code, _, err) = output(
        anteroom(dir.path())
            .args(["config", "explain"])
            .env("STRAY", odd),
    );
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn a_second_server_on_one_folder_is_told_why_it_cannot_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = Server::start_with(dir.path(), &[]);
    let (code, _, err) = output(anteroom(dir.path()).env("ANTEROOM_LISTEN", "127.0.0.1:0"));
    assert_eq!(code, Some(2));
    assert!(err.contains("in use by another process"), "{err}");
    drop(first);
}

#[test]
fn key_trouble_is_told_with_its_remedy() {
    let dir = tempfile::tempdir().unwrap();
    drop(Server::start_with(dir.path(), &[]));
    let key = dir.path().join("master.key");
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&key), 0o600, "made for its owner only");
    let run = || output(anteroom(dir.path()).env("ANTEROOM_LISTEN", "127.0.0.1:0"));

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, err) = run();
    assert_eq!(code, Some(2));
    assert!(err.contains("chmod 600"), "{err}");

    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, "00".repeat(32)).unwrap();
    let (code, _, err) = run();
    assert_eq!(code, Some(2));
    assert!(
        err.contains("not the one that this database was sealed with"),
        "{err}"
    );

    std::fs::remove_file(&key).unwrap();
    let (code, _, err) = run();
    assert_eq!(code, Some(2));
    assert!(err.contains("restore the key file"), "{err}");
}

#[test]
fn a_typo_in_the_configuration_names_file_line_and_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("anteroom.toml");
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:0\"\n\n[llm]\nbase_ulr = \"x\"\n",
    )
    .unwrap();
    let (code, out, err) = output(anteroom(dir.path()).args(["config", "explain"]));
    assert_eq!(code, Some(2));
    assert!(
        err.contains("anteroom.toml:4: unknown key `base_ulr`; did you mean `base_url`?"),
        "{err}"
    );
    assert!(out.is_empty(), "stdout is for machines: {out}");
}

#[test]
fn a_taken_port_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, err) = output(anteroom(dir.path()).env("ANTEROOM_LISTEN", &address));
    assert_eq!(code, Some(2));
    assert!(err.contains("free it or choose another"), "{err}");
}

#[test]
fn doctor_names_what_real_patients_still_need() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, _) = output(anteroom(dir.path()).arg("doctor"));
    assert_eq!(code, Some(0), "the sample practice is fine: {out}");
    std::fs::write(
        dir.path().join("anteroom.toml"),
        "[[practice]]\nid = \"a\"\nname = \"A\"\nphone = \"+14155550100\"\ntimezone = \"America/Chicago\"\n\
         [[practice.sender]]\ncarrier = \"twilio\"\nnumber = \"+14155550101\"\n\
         [twilio.a]\naccount_sid = \"AC00000000000000000000000000000000\"\nauth_tokens = [\"t\"]\n",
    )
    .unwrap();
    let (code, out, _) = output(anteroom(dir.path()).arg("doctor"));
    assert_eq!(code, Some(1), "{out}");
    for want in [
        "https",
        "twilio sms: no executed agreement with twilio (programmable-messaging) is recorded",
    ] {
        assert!(out.contains(want), "{want} in {out}");
    }
}

#[test]
fn help_shows_examples_and_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, _) = output(anteroom(dir.path()).arg("--help"));
    assert_eq!(code, Some(0));
    assert!(
        out.contains("Examples:") && out.contains("Exit codes:"),
        "{out}"
    );
    let (code, _, err) = output(anteroom(dir.path()).arg("serv"));
    assert_eq!(code, Some(2));
    assert!(err.contains("serve"), "a near miss is suggested: {err}");
    let (code, out, _) = output(anteroom(dir.path()).args(["completions", "bash"]));
    assert_eq!(code, Some(0));
    assert!(out.contains("complete"), "completions");
}

#[tokio::test]
async fn chat_answers_in_the_terminal() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let mut child = anteroom(dir.path())
        .args(["chat", "--as", TOM, "--glass"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut typed = child.stdin.take().unwrap();
    typed
        .write_all("Are my biopsy results in?\nYES\n".as_bytes())
        .unwrap();
    drop(typed);
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(out.contains("Reply YES"), "{out}");
    assert!(out.contains("/p/"), "{out}");
    assert!(out.contains("verdict  rewrite"), "{out}");
    assert!(
        std::fs::read_dir(dir.path()).unwrap().next().is_none(),
        "nothing stays behind"
    );
}

#[test]
fn the_main_story_works_in_a_browser_against_the_real_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start_with(dir.path(), &[]);
    browser::played("story", &[&server.base, &browser::shots("story")]);
}

#[test]
fn a_conversation_through_signed_twilio_webhooks_goes_as_it_must() {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = std::path::Path::new(root).join(".venv/bin/python");
    assert!(
        python.exists(),
        "the official client is not installed: run tests/install.sh"
    );
    let mut recording = std::process::Command::new(python);
    let script = format!("{root}/tests/python/recording.py");
    let (code, out, err) = output(recording.args([&script, env!("CARGO_BIN_EXE_anteroom")]));
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("entries whole"), "{out}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        vec!["config", "default"],
        vec!["policy", "show", "--state", "CA", "--on", "2027-01-01"],
    ] {
        // Nobody reads: the first line that is printed finds the pipe closed.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let told = anteroom(folder.path())
            .args(&command)
            .stdout(writer)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert_eq!(
            (told.status.code(), said.as_str()),
            (Some(141), ""),
            "{command:?}"
        );
    }
}
