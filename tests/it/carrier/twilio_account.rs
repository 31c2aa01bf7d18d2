//! A Twilio account as it is configured: which host is called, who signs in, who may sign, and what
//! is asked of Twilio and what never is.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use anteroom::carrier::Carrier;
use anteroom::carrier::account::{Accounts, Site};
use anteroom::carrier::fake::{Fake, Faults, Post, Sending};
use anteroom::carrier::hear::{Call, Door, Event};
use anteroom::domain::clock::{Clock as _, SystemClock};
use anteroom::domain::message::{Attachment, Outbound, SendOutcome, Template};
use anteroom::domain::practice::{CarrierKind, Practice};
use anteroom::policy::words::Channel;
use wiremock::matchers::{any, basic_auth, method};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::outbound;
use super::twilio::ACCOUNT;
use crate::support::server::anteroom;

const KEY: &str = "SK00000000000000000000000000000002";
const NEXT_KEY: &str = "SK00000000000000000000000000000003";
const PUBLIC: &str = "https://text.example.com/";

fn practice() -> Practice {
    toml::from_str(
        "id = \"lakeside\"\nname = \"Lakeside\"\nphone = \"+14155550100\"\n\
         timezone = \"America/Los_Angeles\"\n[[sender]]\ncarrier = \"twilio\"\n\
         number = \"+14155550101\"\n[[sender]]\ncarrier = \"twilio\"\nchannel = \"whatsapp\"\n\
         number = \"+14155550101\"",
    )
    .unwrap()
}

fn accounts(section: &str) -> Accounts {
    let text = format!("[twilio.lakeside]\naccount_sid = \"{ACCOUNT}\"\n{section}");
    Accounts::take(&mut toml::from_str(&text).unwrap()).unwrap()
}

fn opened(section: &str) -> Result<Arc<dyn Carrier>, String> {
    let practice = practice();
    let site = Site {
        kind: CarrierKind::Twilio,
        practice: &practice,
        public_url: &PUBLIC.parse().unwrap(),
    };
    let accounts = accounts(section);
    let account = accounts.get(CarrierKind::Twilio, &practice.id).unwrap();
    account.open(&site).map_err(|error| error.to_string())
}

/// A text from a patient as an account with these auth tokens gets it: the first one signs.
fn signed_with(token: &str) -> Post {
    let section = format!("auth_tokens = [\"{token}\"]");
    let lines = accounts(&section).fakes(&[practice()], &PUBLIC.parse().unwrap(), "http://x");
    let fake = Fake::new(lines, Faults::none());
    let sending = Sending {
        from: "+14155550142".to_owned(),
        to: "+14155550101".to_owned(),
        body: "Hello".to_owned(),
        ..Sending::default()
    };
    let now = SystemClock.now();
    let (_, mut posts) = fake
        .write("twilio.lakeside", sending, Vec::new(), now)
        .unwrap();
    posts.remove(0).1
}

fn believes(line: &dyn Carrier, post: &Post) -> bool {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &post.headers {
        headers.insert(*name, value.parse().unwrap());
    }
    let told = line.hear(&Call {
        door: Door::Texts,
        method: &post.method,
        url: &post.url,
        headers: &headers,
        body: &post.body,
        now: SystemClock.now(),
    });
    match told {
        Ok(events) => matches!(events.as_slice(), [Event::Text(_)]),
        Err(refusal) => {
            assert_eq!(refusal.status.as_u16(), 403);
            false
        }
    }
}

/// Every call that the adapter makes, once.
async fn everything(line: &dyn Carrier, base: &str) {
    let sid = "SM00000000000000000000000000000042";
    let now = SystemClock.now();
    let file = Attachment {
        address: format!("{base}/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/ME1"),
        kind: "image/jpeg".to_owned(),
    };
    drop(line.send(&outbound(Channel::Sms, "Hello")).await);
    drop(line.find(&outbound(Channel::Sms, "Hello"), now).await);
    drop(line.list(now, now).await);
    drop(line.look(sid).await);
    line.redact(sid).await;
    drop(line.fetch(&file).await);
    line.discard(&file).await;
    drop(line.examine().await);
}

#[tokio::test]
async fn an_api_key_signs_in_to_every_call_and_only_auth_tokens_are_believed() {
    let server = MockServer::start().await;
    let base = server.uri();
    for (key, secret) in [(KEY, "first secret"), (NEXT_KEY, "next secret")] {
        server.reset().await;
        Mock::given(any())
            .and(basic_auth(key, secret))
            .respond_with(ResponseTemplate::new(404))
            .mount(&server)
            .await;
        let section = format!(
            "auth_tokens = [\"newer\", \"older\"]\napi_key_sid = \"{key}\"\n\
             api_key_secret = \"{secret}\"\nredact = true\nbase_url = \"{base}\""
        );
        let line = opened(&section).unwrap();
        everything(&*line, &base).await;
        let seen = server.received_requests().await.unwrap();
        let methods: BTreeSet<&str> = seen.iter().map(|it| it.method.as_str()).collect();
        assert_eq!(methods, BTreeSet::from(["DELETE", "GET", "POST"]));
        assert!(seen.len() >= 8, "{}", seen.len());
        for request in &seen {
            let given = request.headers.get("authorization").unwrap();
            assert_eq!(given, &basic(key, secret), "{}", request.url.path());
        }
        // Both auth tokens may sign while one takes the other's place; nothing else may.
        for (token, believed) in [
            ("newer", true),
            ("older", true),
            ("oldest", false),
            (secret, false),
        ] {
            assert_eq!(believes(&*line, &signed_with(token)), believed, "{token}");
        }
    }
}

fn basic(user: &str, password: &str) -> http::HeaderValue {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {pair}").parse().unwrap()
}

#[tokio::test]
async fn without_an_api_key_the_first_auth_token_signs_in() {
    let server = MockServer::start().await;
    let base = server.uri();
    let line = opened(&format!(
        "auth_tokens = [\"newer\", \"older\"]\nbase_url = \"{base}\""
    ))
    .unwrap();
    everything(&*line, &base).await;
    for request in server.received_requests().await.unwrap() {
        let given = request.headers.get("authorization").unwrap();
        assert_eq!(given, &basic(ACCOUNT, "newer"));
    }
}

#[test]
fn an_api_key_alone_sends_and_believes_nobody() {
    let line = opened(&format!(
        "api_key_sid = \"{KEY}\"\napi_key_secret = \"secret\""
    ))
    .unwrap();
    assert!(!believes(&*line, &signed_with("secret")));
    let refused = |section: &str| opened(section).unwrap_err();
    let no_secret = refused(&format!("auth_tokens = [\"a\"]\napi_key_sid = \"{KEY}\""));
    assert!(
        no_secret.contains("`api_key_secret` is empty"),
        "{no_secret}"
    );
    assert!(refused("").contains("`auth_tokens` is empty"));
}

/// Which hosts a program asks for, by the lines that it opens through a proxy.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            told.lock().unwrap().push(line.trim().to_owned());
            // Whoever asked hears that nobody is there.
            let nobody = b"HTTP/1.1 502 Bad Gateway\r\n\r\n";
            std::io::Write::write_all(&mut stream, nobody).ok();
        }
    });
    (address, seen)
}

/// Edge, region, and the host that is called; the official client calls the same ones.
pub(super) const HOSTS: [(&str, &str, &str); 6] = [
    ("", "", "api.twilio.com"),
    ("", "us1", "api.us1.twilio.com"),
    ("", "ie1", "api.ie1.twilio.com"),
    ("dublin", "ie1", "api.dublin.ie1.twilio.com"),
    ("ashburn", "", "api.ashburn.us1.twilio.com"),
    ("sydney", "au1", "api.sydney.au1.twilio.com"),
];

#[test]
fn each_region_and_edge_has_its_host() {
    let (proxy, seen) = proxy();
    let dir = tempfile::tempdir().unwrap();
    let mut practices = String::new();
    let mut sections = String::new();
    for (number, (edge, region, _)) in HOSTS.iter().enumerate() {
        write!(
            practices,
            "[[practice]]\nid = \"p{number}\"\nname = \"Lakeside\"\nphone = \"+14155550100\"\n\
             state = \"CA\"\ntimezone = \"America/Los_Angeles\"\n[[practice.sender]]\n\
             carrier = \"twilio\"\nnumber = \"+1415555010{number}\"\n"
        )
        .unwrap();
        write!(
            sections,
            "[twilio.p{number}]\naccount_sid = \"{ACCOUNT}\"\nauth_tokens = [\"FAKE\"]\n\
             edge = \"{edge}\"\nregion = \"{region}\"\n"
        )
        .unwrap();
    }
    let head = "public_url = \"https://text.example.com\"\n[llm]\nkind = \"offline\"\n";
    let text = format!("{head}{practices}{sections}");
    std::fs::write(dir.path().join("anteroom.toml"), text).unwrap();
    let output = anteroom(dir.path())
        .arg("doctor")
        .env("HTTPS_PROXY", &proxy)
        .env("NO_PROXY", "")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let wanted: Vec<String> = HOSTS
        .iter()
        .map(|(_, _, host)| format!("CONNECT {host}:443 HTTP/1.1"))
        .collect();
    assert_eq!(*seen.lock().unwrap(), wanted, "{told}");
    assert!(told.contains("Twilio cannot be reached: check the network, and region and edge"));
}

#[test]
fn a_region_that_would_change_the_host_is_refused() {
    for wrong in ["ie1.evil.example/", "ie1@evil", "ie1:8080", "ie 1"] {
        let section = format!("auth_tokens = [\"FAKE\"]\nregion = \"{wrong}\"");
        let error = opened(&section).unwrap_err();
        assert!(
            error.contains("plain words such as `ie1`"),
            "{wrong}: {error}"
        );
    }
}

/// The fields of every text that was posted, by name.
fn forms(seen: &[Request]) -> Vec<Vec<(String, String)>> {
    let posts = seen.iter().filter(|it| it.method.as_str() == "POST");
    posts
        .map(|it| form_urlencoded::parse(&it.body).into_owned().collect())
        .collect()
}

async fn posted(section: &str, texts: &[Outbound]) -> Vec<Vec<(String, String)>> {
    let server = MockServer::start().await;
    let taken = serde_json::json!({"sid": super::SID, "status": "queued"});
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(201).set_body_json(taken))
        .mount(&server)
        .await;
    let line = opened(&format!("{section}\nbase_url = \"{}\"", server.uri())).unwrap();
    for text in texts {
        let ended = line.send(text).await;
        assert!(matches!(ended, SendOutcome::Accepted { .. }), "{ended:?}");
    }
    forms(&server.received_requests().await.unwrap())
}

#[tokio::test]
async fn nothing_is_scheduled_at_twilio_where_an_opt_out_would_not_reach_it() {
    let template = Template {
        id: format!("HX{:032x}", 7),
        locale: "en".to_owned(),
        variables: [("1".to_owned(), "Lakeside".into())].into_iter().collect(),
    };
    let texts = [
        outbound(Channel::Sms, "Hello"),
        outbound(Channel::Whatsapp, "Hello"),
        Outbound {
            files: vec!["https://example.com/card.vcf".to_owned()],
            ..outbound(Channel::Mms, "Hello")
        },
        Outbound {
            template: Some(template),
            ..outbound(Channel::Whatsapp, "Hello")
        },
        Outbound {
            valid_s: Some(600),
            ..outbound(Channel::Sms, "Hello")
        },
    ];
    let service = "auth_tokens = [\"FAKE\"]\nredact = true\n\
                   messaging_service_sid = \"MG00000000000000000000000000000003\"";
    for section in ["auth_tokens = [\"FAKE\"]", service] {
        let forms = posted(section, &texts).await;
        assert_eq!(forms.len(), texts.len());
        let names: BTreeSet<&str> = forms.iter().flatten().map(|(name, _)| &**name).collect();
        let mut wanted = BTreeSet::from([
            "Body",
            "ContentSid",
            "ContentVariables",
            "From",
            "MediaUrl",
            "StatusCallback",
            "To",
            "ValidityPeriod",
        ]);
        if section == service {
            wanted.insert("MessagingServiceSid");
        }
        // No ScheduleType, no SendAt, no SmartEncoded.
        assert_eq!(names, wanted);
    }
}

#[tokio::test]
async fn twilio_gives_a_waiting_text_up_after_its_validity() {
    let texts = |valid_s| {
        [Outbound {
            valid_s,
            ..outbound(Channel::Sms, "Hello")
        }]
    };
    for (section, own, wanted) in [
        ("", None, "14400"),
        ("validity_s = 600", None, "600"),
        ("validity_s = 36000", None, "36000"),
        // A text that is worth less sooner says so itself, within Twilio's bounds.
        ("validity_s = 600", Some(60), "60"),
        ("", Some(0), "1"),
        ("", Some(90_000), "36000"),
    ] {
        let section = format!("auth_tokens = [\"FAKE\"]\n{section}");
        let forms = posted(&section, &texts(own)).await;
        let validity = forms[0].iter().find(|(name, _)| name == "ValidityPeriod");
        assert_eq!(validity.unwrap().1, wanted, "{section} {own:?}");
    }
    let error = opened("auth_tokens = [\"FAKE\"]\nvalidity_s = 36001").unwrap_err();
    assert_eq!(error, "`validity_s` is between 1 and 36000");
}

#[tokio::test]
async fn words_are_redacted_where_the_practice_wants_it_and_nowhere_else() {
    for (section, wants) in [("redact = true", true), ("", false)] {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(200).set_body_json(serde_json::json!({})))
            .mount(&server)
            .await;
        let line = opened(&format!(
            "auth_tokens = [\"FAKE\"]\n{section}\nbase_url = \"{}\"",
            server.uri()
        ))
        .unwrap();
        assert_eq!(line.capabilities().redacts, wants);
        assert_eq!(line.redact(super::SID).await, wants);
        // No id of a text of Twilio's: nothing is asked.
        assert!(!line.redact("../Accounts").await);
        let seen = server.received_requests().await.unwrap();
        let path = format!(
            "/2010-04-01/Accounts/{ACCOUNT}/Messages/{}.json",
            super::SID
        );
        let wanted: &[&str] = if wants { &[&path] } else { &[] };
        let paths: Vec<&str> = seen.iter().map(|it| it.url.path()).collect();
        assert_eq!(paths, wanted);
        if wants {
            assert_eq!(forms(&seen), [[("Body".to_owned(), String::new())]]);
        }
    }
}
