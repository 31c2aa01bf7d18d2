//! A model that is down, and Ctrl-C: what ran is reported, what did not is no pass.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use super::suite_in;

/// One story that the program answers, and so many that ask the model of the configuration.
fn suites(folder: &Path, stories: usize) {
    let mine = "description: d\nlevel: conversation\ntests:\n  - {id: own, why: w, vars: {agreed: true, turns: [{says: thank you}]}, assert: [{type: sent-once}]}\n";
    let root = suite_in(folder, mine);
    let asked = (0..stories).map(|n| {
        format!("  - {{id: asked-{n}, why: w, vars: {{agreed: true, turns: [{{says: what about parking}}]}}, assert: [{{type: sent-once}}]}}\n")
    });
    let text = format!(
        "description: d\nlevel: conversation\nproviders: [configured]\ntests:\n{}",
        asked.collect::<String>()
    );
    std::fs::write(root.join("t.yaml"), text).unwrap();
}

const REPORTS: [&str; 6] = ["r.json", "r.jsonl", "r.xml", "r.sarif", "r.md", "r.html"];

fn eval(folder: &Path, port: u16) -> Command {
    let mut command = crate::support::server::anteroom(folder);
    command
        .args(["eval", "--model", "--no-baseline"])
        .args(REPORTS.iter().flat_map(|it| ["-o", it]))
        .env("ANTEROOM_LLM__KIND", "openai")
        .env("ANTEROOM_LLM__MODEL", "small")
        .env(
            "ANTEROOM_LLM__BASE_URL",
            format!("http://127.0.0.1:{port}/v1"),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn a_model_that_is_down_gives_no_verdict_and_the_rest_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    suites(folder.path(), 2);
    // A port that was ours a moment ago: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let out = eval(folder.path(), port).output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(
        out.status.code(),
        Some(3),
        "{told}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(
        told.contains("1 passed") && told.contains("2 without a verdict"),
        "{told}"
    );
    let junit = std::fs::read_to_string(folder.path().join("r.xml")).unwrap();
    assert_eq!(junit.matches("<error").count(), 2, "{junit}");
    assert!(!junit.contains("<failure"), "{junit}");
}

/// Answers a request of the model with a refusal that is not tried again.
fn refuse(mut stream: TcpStream) {
    let mut request = vec![0; 64 << 10];
    let _read = stream.read(&mut request).unwrap();
    let answer = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(answer.as_bytes()).unwrap();
}

#[test]
fn ctrl_c_leaves_a_report_in_every_form_marked_as_partial() {
    let folder = tempfile::tempdir().unwrap();
    suites(folder.path(), 400);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let child = eval(folder.path(), port).spawn().unwrap();
    // A story is under way as soon as it asks the model.
    let (stream, _) = listener.accept().unwrap();
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    refuse(stream);
    std::thread::spawn(move || listener.incoming().flatten().for_each(refuse));
    let out = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(
        out.status.code(),
        Some(3),
        "{told}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(told.contains("broken off before its end"), "{told}");
    let marks = [
        "\"partial\": true",
        "\"partial\":true",
        "name=\"partial\" value=\"true\"",
        "\"executionSuccessful\": false",
        "broken off",
        "broken off",
    ];
    for (name, mark) in REPORTS.into_iter().zip(marks) {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.contains(mark), "{name}: {text:.2000}");
        let stories = text.matches("asked-").count();
        assert!(stories < 400 * 2, "{name}: {stories}");
    }
}
