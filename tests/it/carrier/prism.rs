//! Our requests against a mock server that refuses what Twilio's description does not allow.

#![cfg(test)]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use anteroom::carrier::Carrier as _;
use anteroom::carrier::exchange::Patience;
use anteroom::carrier::twilio::Twilio;
use anteroom::domain::message::{Delivery, SendOutcome};
use anteroom::policy::words::Channel;

use super::outbound;
use super::twilio::{ACCOUNT, settings};

const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");

/// A running mock server; it ends with the test.
struct Prism {
    child: Child,
    base: String,
    output: Option<BufReader<ChildStdout>>,
}

impl Prism {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let program = format!("{NODE}/node_modules/@stoplight/prism-cli/dist/index.js");
        assert!(
            std::path::Path::new(&program).exists(),
            "Prism is not installed: run tests/install.sh"
        );
        let mut command = Command::new("node");
        command
            .args([&program, "mock", "--errors", "-h", "127.0.0.1", "-p"])
            .arg(port.to_string())
            .arg(format!("{NODE}/twilio_messages.openapi.json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = Self {
            child: command
                .spawn()
                .expect("node is not installed: run tests/install.sh"),
            base: format!("http://127.0.0.1:{port}"),
            output: None,
        };
        child.wait_until_listening();
        child
    }

    fn wait_until_listening(&mut self) {
        let mut output = BufReader::new(self.child.stdout.take().unwrap());
        let mut told = String::new();
        while !told.contains("Prism is listening") {
            let read = output.read_line(&mut told).unwrap();
            assert!(read > 0, "Prism did not start: {told}");
        }
        // Kept: a closed pipe would end the server at its next log line.
        self.output = Some(output);
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        drop(self.output.take());
        // Already ended is as good.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
async fn our_requests_fit_the_published_description() {
    let prism = Prism::start();
    let twilio = Twilio::new(settings(&prism.base), Patience::default()).unwrap();
    for (channel, body) in [
        (
            Channel::Sms,
            "Lakeside Family Medicine: your visit is Wed Dec 2, 3:00 PM.",
        ),
        (Channel::Sms, "Señora, tome 1½ pastillas & descanse 😀"),
        (Channel::Whatsapp, "hola"),
    ] {
        let outcome = twilio.send(&outbound(channel, body)).await;
        let SendOutcome::Accepted {
            carrier_id,
            delivery,
        } = outcome
        else {
            panic!("{body}: {outcome:?}");
        };
        assert_eq!(
            (carrier_id.as_str(), delivery),
            ("SM00000000000000000000000000000001", Delivery::Queued)
        );
    }
    let since = "2026-12-01T18:00:00Z".parse().unwrap();
    let found = twilio
        .find(&outbound(Channel::Sms, "Your visit is confirmed."), since)
        .await;
    assert!(
        matches!(found, Some(Some(SendOutcome::Accepted { .. }))),
        "{found:?}"
    );

    // The mock does refuse: the same call without `To`, with a wrong flag, without a password.
    let address = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", prism.base);
    let client = reqwest::Client::builder().build().unwrap();
    let post = |form: &'static [(&str, &str)]| client.post(&address).form(form);
    for (request, status) in [
        (
            post(&[("From", "+14155550101"), ("Body", "x")]).basic_auth(ACCOUNT, Some("t")),
            400,
        ),
        (
            post(&[
                ("To", "+14155550142"),
                ("From", "+14155550101"),
                ("Body", "x"),
                ("SmartEncoded", "True"),
            ])
            .basic_auth(ACCOUNT, Some("t")),
            400,
        ),
        (
            post(&[
                ("To", "+14155550142"),
                ("From", "+14155550101"),
                ("Body", "x"),
            ]),
            401,
        ),
    ] {
        assert_eq!(request.send().await.unwrap().status(), status);
    }
}
