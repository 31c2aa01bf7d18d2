//! Our requests, and the fake carrier's answers, against the descriptions that Twilio and Bandwidth
//! publish: Prism stands between the two and refuses what the description does not allow.

#![cfg(test)]

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use anteroom::carrier::account::Accounts;
use anteroom::carrier::exchange::FetchFault;
use anteroom::carrier::fake::{Faults, Sending};
use anteroom::carrier::hear::Event;
use anteroom::domain::clock::Clock as _;
use anteroom::domain::message::{Attachment, Outbound, SendOutcome, Template};
use anteroom::domain::practice::CarrierKind;
use anteroom::policy::words::Channel;

use super::fakes::{World, accepted, accounts};
use super::outbound;
use super::twilio::ACCOUNT;

const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");

/// A running Prism; it ends with the test.
struct Prism {
    child: Child,
    base: String,
    output: Option<BufReader<ChildStdout>>,
}

impl Prism {
    /// Between us and `upstream`, with this carrier's description.
    fn before(upstream: &str, description: &str) -> Self {
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
            .args([&program, "proxy", "--errors", "-h", "127.0.0.1", "-p"])
            .arg(port.to_string())
            .arg(format!("{NODE}/descriptions/{description}.openapi.json"))
            .arg(upstream)
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

/// Requests that a description forbids, to show that Prism looks.
async fn refused(requests: Vec<(reqwest::RequestBuilder, u16)>) {
    for (number, (request, status)) in requests.into_iter().enumerate() {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "request {number}: {answer:?}");
        // The fake carrier has no such words: it never saw the request.
        let told = answer.text().await.unwrap();
        assert!(told.contains("prism/errors"), "request {number}: {told}");
    }
}

fn picture(body: &str) -> Outbound {
    Outbound {
        files: vec![
            "https://example.com/card.vcf".to_owned(),
            "https://example.com/map.png".to_owned(),
        ],
        ..outbound(Channel::Mms, body)
    }
}

fn template() -> Outbound {
    let template = Template {
        id: format!("HX{:032x}", 7),
        locale: "en".to_owned(),
        variables: [("1".to_owned(), "Lakeside".into())].into_iter().collect(),
    };
    Outbound {
        template: Some(template),
        ..outbound(Channel::Whatsapp, "Lakeside: please write to us.")
    }
}

fn account(section: &str) -> Accounts {
    Accounts::take(&mut toml::from_str(section).unwrap()).unwrap()
}

/// A text from a patient with a picture.
fn written(world: &World, kind: CarrierKind) {
    let sending = Sending {
        from: "+14155550142".to_owned(),
        to: "+14155550101".to_owned(),
        body: "my rash".to_owned(),
        ..Sending::default()
    };
    let picture = vec![b"\xff\xd8\xffpicture".to_vec()];
    let line = format!("{kind}.lakeside");
    let now = world.clock.now();
    world.fake.write(&line, sending, picture, now).unwrap();
}

#[tokio::test]
async fn every_request_to_twilio_and_every_answer_fits_its_published_description() {
    let world = World::new("platform", Faults::none()).await;
    let prism = Prism::before(&world.base, "twilio");
    let twilio = World::line_of(&accounts(&prism.base, "platform"), CarrierKind::Twilio);
    let since = world.clock.now();
    let mut ids = Vec::new();
    for text in [
        outbound(Channel::Sms, "Señora, tome 1½ pastillas & descanse 😀"),
        outbound(Channel::Whatsapp, "hola"),
        picture("Save this card."),
        template(),
    ] {
        ids.push(accepted(twilio.send(&text).await));
    }
    let seen = world.fake.texts();
    assert_eq!(seen[2].sent.files.len(), 2);
    assert_eq!(seen[2].channel(), Channel::Mms);

    let found = twilio
        .find(&outbound(Channel::Whatsapp, "hola"), since)
        .await;
    assert_eq!(accepted(found.flatten().unwrap()), ids[1]);
    assert!(matches!(twilio.look(&ids[0]).await, Some(Event::Report(_))));
    assert!(twilio.redact(&ids[0]).await);
    assert_eq!(world.fake.texts()[0].sent.body, "");

    written(&world, CarrierKind::Twilio);
    let listed = twilio.list(since, world.clock.now()).await.unwrap();
    let [Event::Text(inbound)] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    let file = &inbound.media[0];
    // The picture itself is no part of the description; its entry is.
    let direct = Attachment {
        address: file.address.replace(&prism.base, &world.base),
        ..file.clone()
    };
    let at_fake = world.line(CarrierKind::Twilio);
    assert!(at_fake.fetch(&direct).await.is_ok());
    assert!(twilio.discard(file).await);
    assert_eq!(at_fake.fetch(&direct).await, Err(FetchFault::Gone));

    let service = account(&format!(
        "[twilio.lakeside]\naccount_sid = \"{ACCOUNT}\"\nauth_tokens = [\"FAKE\"]\n\
         messaging_service_sid = \"MG00000000000000000000000000000003\"\nbase_url = \"{}\"",
        prism.base
    ));
    let through = World::line_of(&service, CarrierKind::Twilio);
    accepted(
        through
            .send(&outbound(Channel::Sms, "by the service"))
            .await,
    );

    forbidden_to_twilio(&prism.base).await;
}

async fn forbidden_to_twilio(base: &str) {
    let address = format!("{base}/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    let client = reqwest::Client::builder().build().unwrap();
    let post = |form: &[(&str, &str)]| {
        let form = [&[("From", "+14155550101"), ("Body", "x")], form].concat();
        client.post(&address).form(&form)
    };
    let to = ("To", "+14155550142");
    refused(vec![
        (post(&[]).basic_auth(ACCOUNT, Some("FAKE")), 422),
        (
            post(&[to, ("SmartEncoded", "True")]).basic_auth(ACCOUNT, Some("FAKE")),
            422,
        ),
        (
            post(&[to, ("ValidityPeriod", "soon")]).basic_auth(ACCOUNT, Some("FAKE")),
            422,
        ),
        (
            post(&[to, ("StatusCallback", "not an address")]).basic_auth(ACCOUNT, Some("FAKE")),
            422,
        ),
        (
            post(&[to, ("ContentSid", "HX1")]).basic_auth(ACCOUNT, Some("FAKE")),
            422,
        ),
        (post(&[to]), 401),
    ])
    .await;
}

#[tokio::test]
async fn every_request_to_bandwidth_and_every_answer_fits_its_published_description() {
    let world = World::new("platform", Faults::none()).await;
    // The description leaves the version of the interface to the server's address.
    let prism = Prism::before(&format!("{}/api/v2", world.base), "bandwidth");
    let at_prism = account(&format!(
        "[bandwidth.lakeside]\naccount_id = \"9900000\"\napplication_id = \"fake\"\n\
         user = \"api\"\npassword = \"FAKE\"\nbase_url = \"{}\"",
        prism.base
    ));
    let bandwidth = World::line_of(&at_prism, CarrierKind::Bandwidth);
    let since = world.clock.now();
    let text = outbound(Channel::Sms, "Señora, tome 1½ pastillas & descanse 😀");
    let never = bandwidth.find(&text, since).await;
    assert_eq!(never, Some(None::<SendOutcome>));
    let id = accepted(bandwidth.send(&text).await);
    accepted(bandwidth.send(&picture("Save this card.")).await);
    assert_eq!(world.fake.texts()[1].sent.files.len(), 2);
    assert!(matches!(bandwidth.look(&id).await, Some(Event::Report(_))));
    assert!(!bandwidth.examine().await.is_empty());

    written(&world, CarrierKind::Bandwidth);
    let id = world.fake.texts()[2].files[0].clone();
    let file = Attachment {
        address: format!("{}/users/9900000/media/{id}", prism.base),
        kind: "image/jpeg".to_owned(),
    };
    assert!(bandwidth.fetch(&file).await.is_ok());
    assert!(bandwidth.discard(&file).await);
    assert_eq!(bandwidth.fetch(&file).await, Err(FetchFault::Gone));

    let address = format!("{}/users/9900000/messages", prism.base);
    let client = reqwest::Client::builder().build().unwrap();
    let post = |body: serde_json::Value| client.post(&address).json(&body);
    let right = serde_json::json!({
        "applicationId": "fake", "to": ["+14155550142"], "from": "+14155550101", "text": "x",
    });
    let but = |name: &str, value: serde_json::Value| {
        let mut body = right.clone();
        body[name] = value;
        post(body).basic_auth("api", Some("FAKE"))
    };
    refused(vec![
        (but("to", "+14155550142".into()), 422),
        (but("from", serde_json::Value::Null), 422),
        (but("priority", "low".into()), 422),
        (but("expiration", "soon".into()), 422),
        (post(right.clone()), 401),
    ])
    .await;
}
