//! Trying carriers out without an account: what `simulate-carrier` says when it reaches nobody, and
//! what `doctor` says of numbers that no agreement covers.

#![cfg(test)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;

use anteroom::carrier::exchange::Poster;
use anteroom::carrier::fake::{Fake, Faults};
use anteroom::domain::clock::SystemClock;
use anteroom::web::fake::{FakeSite, Hooks, Way, fake_router};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::fakes::{accounts, practice};
use crate::simulator::fake::{ask, get};
use crate::support::server::anteroom;

const WRITTEN: &str = r#"{"line":"twilio.lakeside","from":"+14155550142","to":"+14155550101","body":"Is this rash bad?"}"#;

/// Nothing listens there.
const NOBODY: &str = "http://127.0.0.1:9";

const SENDER: &str = r#"
[llm]
kind = "offline"
[[practice]]
id = "lakeside"
name = "Lakeside Family Medicine"
phone = "+14155550100"
state = "CA"
timezone = "America/Los_Angeles"
[[practice.sender]]
"#;

/// A child that ends with the test.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        // Already ended is as good.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test]
async fn a_played_carrier_that_reaches_nobody_says_what_to_mend() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "public_url = \"{NOBODY}\"\n{SENDER}carrier = \"twilio\"\nnumber = \"+14155550101\"\n\
         [twilio.lakeside]\naccount_sid = \"AC00000000000000000000000000000001\"\n\
         auth_tokens = [\"FAKE\"]\n"
    );
    std::fs::write(dir.path().join("anteroom.toml"), text).unwrap();
    let child = anteroom(dir.path())
        .args(["simulate-carrier", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = Ends(child.unwrap());
    let mut told = BufReader::new(child.0.stderr.take().unwrap()).lines();
    let mut line = |wanted: &str| {
        let mut lines = told.by_ref().map(Result::unwrap);
        lines.find(|line| line.contains(wanted)).unwrap()
    };
    let first = line("anteroom plays twilio.lakeside at ");
    let base = first.rsplit(' ').next().unwrap();
    let client = reqwest::Client::builder().build().unwrap();
    let written = client
        .post(format!("{base}/fake/messages"))
        .header("content-type", "application/json")
        .body(WRITTEN);
    assert_eq!(written.send().await.unwrap().status(), 202);
    let warned = line("a webhook was not taken");
    let wanted = "nothing takes it at http://127.0.0.1:9/webhooks/twilio/lakeside: start `anteroom \
                  serve` with the same configuration, and while you try it on this machine set \
                  public_url to where it listens, such as http://127.0.0.1:8080";
    assert!(warned.contains(wanted), "{warned}");
    assert!(
        !warned.contains("rash") && !warned.contains("555"),
        "{warned}"
    );
}

/// Where a text stands that a patient wrote, and the webhooks, once all is over: at a house that
/// answers so, or where there is none.
async fn after_all(status: Option<u16>) -> (Value, Value) {
    let house = wiremock::MockServer::start().await;
    if let Some(status) = status {
        wiremock::Mock::given(wiremock::matchers::any())
            .respond_with(wiremock::ResponseTemplate::new(status))
            .mount(&house)
            .await;
    }
    let public = match status {
        Some(_) => house.uri(),
        None => NOBODY.to_owned(),
    };
    let lines = accounts("http://127.0.0.1:1", "platform").fakes(
        &[practice()],
        &public.parse().unwrap(),
        "http://127.0.0.1:1",
    );
    let tracker = TaskTracker::new();
    let router = fake_router(FakeSite {
        fake: Arc::new(Fake::new(lines, Faults::none())),
        clock: Arc::new(SystemClock),
        way: Way::Http(Poster::new().unwrap()),
        hooks: Hooks::default(),
        tracker: tracker.clone(),
        stop: CancellationToken::new(),
    });
    let request = Request::post("/fake/messages")
        .header("content-type", "application/json")
        .body(Body::from(WRITTEN))
        .unwrap();
    assert_eq!(ask(&router, request).await.status, 202);
    tracker.close();
    tracker.wait().await;
    let text = get(&router, "/fake/messages").await.json()[0].clone();
    let report = get(&router, "/fake/report").await.json();
    (text["status"].clone(), report["webhooks"].clone())
}

#[tokio::test]
async fn a_text_that_nobody_took_is_not_called_delivered() {
    for (status, stands, webhooks) in [
        (Some(200), "delivered", json!({"taken": 1, "given_up": 0})),
        (Some(403), "failed", json!({"taken": 0, "given_up": 1})),
        (None, "failed", json!({"taken": 0, "given_up": 1})),
    ] {
        assert_eq!(
            after_all(status).await,
            (json!(stands), webhooks),
            "{status:?}"
        );
    }
}

/// What `doctor` says of agreements for a number of Bandwidth's.
fn papers(number_type: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        "public_url = \"https://text.example.com\"\n{SENDER}carrier = \"bandwidth\"\n\
         number = \"+14155550101\"\nnumber_type = \"{number_type}\"\n[bandwidth.lakeside]\n\
         account_id = \"9900000\"\napplication_id = \"a\"\nuser = \"api\"\npassword = \"FAKE\"\n\
         webhook_user = \"hook\"\nwebhook_passwords = [\"FAKE\"]\nbase_url = \"{NOBODY}\"\n"
    );
    std::fs::write(dir.path().join("anteroom.toml"), text).unwrap();
    let output = anteroom(dir.path()).arg("doctor").output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let lines = told.lines().filter(|line| line.contains("  agreements "));
    lines.map(str::to_owned).collect()
}

#[test]
fn doctor_asks_for_no_agreement_where_none_would_help() {
    let [line] = &papers("long_code")[..] else {
        panic!("one line");
    };
    let wanted = "practice `lakeside`, bandwidth sms: carries nothing about a patient, whatever is \
                  signed; under an agreement a number of number_type `short_code` or `toll_free` may";
    assert!(line.starts_with("note") && line.ends_with(wanted), "{line}");
    let [line] = &papers("toll_free")[..] else {
        panic!("one line");
    };
    assert!(line.starts_with("BAD"), "{line}");
    assert!(
        line.contains("until `anteroom agreement add` records it"),
        "{line}"
    );
}
