//! Twilio's REST API: what is posted, and what each ending of the exchange means.

#![cfg(test)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use anteroom::carrier::Carrier as _;
use anteroom::carrier::exchange::Patience;
use anteroom::carrier::twilio::{Twilio, TwilioSettings};
use anteroom::domain::message::{Delivery, SendOutcome};
use anteroom::policy::words::Channel;
use secrecy::SecretString;
use wiremock::matchers::{basic_auth, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{SID, outbound};

pub(super) const ACCOUNT: &str = "AC00000000000000000000000000000001";
const KEY: &str = "SK00000000000000000000000000000002";
const MESSAGES: &str = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";

pub(super) fn settings(api_base: &str) -> TwilioSettings {
    TwilioSettings {
        api_base: api_base.parse().unwrap(),
        account_sid: ACCOUNT.to_owned(),
        user: ACCOUNT.to_owned(),
        password: SecretString::from("FAKE_TOKEN"),
        auth_tokens: Vec::new(),
        messaging_service: None,
        validity_s: 14_400,
        redact: true,
        texts_url: "https://text.example.com/webhooks/twilio/lakeside".to_owned(),
        numbers: vec![
            (Channel::Sms, "+14155550101".parse().unwrap()),
            (Channel::Whatsapp, "+14155550101".parse().unwrap()),
        ],
        status_callback: Some(
            "https://text.example.com/webhooks/twilio/lakeside/status"
                .parse()
                .unwrap(),
        ),
    }
}

fn taken(status: &str) -> serde_json::Value {
    serde_json::json!({"sid": SID, "status": status, "body": "Hello", "num_segments": "1"})
}

async fn answer(template: ResponseTemplate) -> SendOutcome {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(template)
        .expect(1)
        .mount(&server)
        .await;
    let twilio = Twilio::new(settings(&server.uri()), Patience::default()).unwrap();
    twilio.send(&outbound(Channel::Sms, "Hello")).await
}

#[tokio::test]
async fn a_text_is_posted_as_a_form_with_the_callback_and_without_smart_encoding() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(MESSAGES))
        .and(basic_auth(KEY, "FAKE_TOKEN"))
        .respond_with(ResponseTemplate::new(201).set_body_json(taken("queued")))
        .expect(2)
        .mount(&server)
        .await;
    let mut settings = settings(&server.uri());
    KEY.clone_into(&mut settings.user);
    let twilio = Twilio::new(settings, Patience::default()).unwrap();
    let accepted = SendOutcome::Accepted {
        carrier_id: SID.to_owned(),
        delivery: Delivery::Queued,
    };
    assert_eq!(
        twilio.send(&outbound(Channel::Sms, "Take 1½ & rest")).await,
        accepted
    );
    assert_eq!(
        twilio.send(&outbound(Channel::Whatsapp, "hola")).await,
        accepted
    );
    let requests = server.received_requests().await.unwrap();
    let forms: Vec<Vec<(String, String)>> = requests
        .iter()
        .map(|request| form_urlencoded::parse(&request.body).into_owned().collect())
        .collect();
    let callback = "https://text.example.com/webhooks/twilio/lakeside/status?ref=lakeside-7#rc=3&rp=4xx,5xx,ct,rt";
    let form = |to: &str, from: &str, body: &str| {
        [
            ("To", to),
            ("From", from),
            ("Body", body),
            ("StatusCallback", callback),
            ("ValidityPeriod", "14400"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    assert_eq!(
        forms[0],
        form("+14155550142", "+14155550101", "Take 1½ & rest")
    );
    assert_eq!(
        forms[1],
        form("whatsapp:+14155550142", "whatsapp:+14155550101", "hola")
    );
}

fn refused(status: u16, code: u32) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(serde_json::json!({
        "code": code, "message": "to +14155550142", "status": status,
    }))
}

fn retry(code: &str, after_ms: Option<u64>) -> SendOutcome {
    SendOutcome::Retry {
        code: code.to_owned(),
        after_ms,
    }
}

#[tokio::test]
async fn a_carrier_that_asks_to_wait_is_heeded_within_bounds() {
    for (wish, after_ms) in [
        ("7", Some(7_000)),
        ("0", Some(1_000)),
        ("86400", Some(300_000)),
        ("soon", None),
    ] {
        let template = refused(429, 20429).insert_header("Retry-After", wish);
        assert_eq!(answer(template).await, retry("20429", after_ms), "{wish}");
    }
}

#[tokio::test]
async fn each_answer_has_its_ending() {
    let unknown = |code: &str| SendOutcome::Unknown {
        code: code.to_owned(),
    };
    for (template, expected) in [
        (
            ResponseTemplate::new(201).set_body_json(taken("accepted")),
            SendOutcome::Accepted {
                carrier_id: SID.to_owned(),
                delivery: Delivery::Accepted,
            },
        ),
        (
            ResponseTemplate::new(201).set_body_json(taken("a new word")),
            SendOutcome::Accepted {
                carrier_id: SID.to_owned(),
                delivery: Delivery::Accepted,
            },
        ),
        (
            ResponseTemplate::new(201).set_body_string("<html>"),
            unknown("unreadable_answer"),
        ),
        (
            ResponseTemplate::new(201).set_body_string("x".repeat(5 * 1024 * 1024)),
            unknown("unreadable_answer"),
        ),
        (
            refused(400, 21610),
            SendOutcome::Suppress {
                code: "21610".to_owned(),
            },
        ),
        (
            refused(400, 21211),
            SendOutcome::Fail {
                code: "21211".to_owned(),
            },
        ),
        (
            refused(401, 20003),
            SendOutcome::Fail {
                code: "20003".to_owned(),
            },
        ),
        (ResponseTemplate::new(503), retry("http_503", None)),
        (ResponseTemplate::new(502), unknown("http_502")),
        (
            ResponseTemplate::new(307).insert_header("Location", "https://elsewhere.example/"),
            SendOutcome::Fail {
                code: "http_307".to_owned(),
            },
        ),
    ] {
        let told = format!("{template:?}");
        assert_eq!(answer(template).await, expected, "{told}");
    }
}

#[tokio::test]
async fn a_text_that_never_left_is_tried_again() {
    let unused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let twilio = Twilio::new(settings(&format!("http://{unused}")), Patience::default()).unwrap();
    let outcome = twilio.send(&outbound(Channel::Sms, "Hello")).await;
    assert_eq!(
        outcome,
        SendOutcome::Retry {
            code: "not_connected".to_owned(),
            after_ms: None
        }
    );
}

#[tokio::test]
async fn a_text_that_may_have_left_is_in_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let carrier = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = [0; 64];
        let count = stream.read(&mut read).unwrap();
        stream.write_all(b"HTTP/1.1 201 Cre").unwrap();
        count
    });
    let twilio = Twilio::new(settings(&format!("http://{address}")), Patience::default()).unwrap();
    let outcome = twilio.send(&outbound(Channel::Sms, "Hello")).await;
    assert_eq!(
        outcome,
        SendOutcome::Unknown {
            code: "connection_broken".to_owned()
        }
    );
    assert!(carrier.join().unwrap() > 0);
}

#[tokio::test]
async fn a_carrier_that_takes_a_text_and_stays_silent_leaves_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let patience = Duration::from_millis(300);
    let settings = settings(&format!("http://{address}"));
    let twilio = Twilio::new(
        settings,
        Patience {
            exchange: patience,
            ..Patience::default()
        },
    )
    .unwrap();
    let outcome = twilio.send(&outbound(Channel::Sms, "Hello")).await;
    assert_eq!(
        outcome,
        SendOutcome::Unknown {
            code: "timeout_after_send".to_owned()
        }
    );
    assert!(Patience::default().exchange > patience);
}

#[tokio::test]
async fn web_chat_is_not_carried() {
    let twilio = Twilio::new(settings("http://127.0.0.1:9"), Patience::default()).unwrap();
    let outcome = twilio.send(&outbound(Channel::Webchat, "Hello")).await;
    assert_eq!(
        outcome,
        SendOutcome::Fail {
            code: "channel_not_carried".to_owned()
        }
    );
}

#[tokio::test]
async fn a_doubtful_text_is_looked_up_page_by_page_on_the_same_host() {
    let server = MockServer::start().await;
    let text = |body: &str, at: &str| serde_json::json!({"sid": SID, "status": "delivered", "body": body, "date_created": at});
    let page = |messages: serde_json::Value, next: Option<String>| {
        ResponseTemplate::new(200)
            .set_body_json(serde_json::json!({"messages": messages, "next_page_uri": next}))
    };
    let late = "Tue, 01 Dec 2026 18:00:30 +0000";
    Mock::given(method("GET"))
        .and(path(MESSAGES))
        .and(query_param("To", "+14155550142"))
        .and(query_param("From", "+14155550101"))
        .and(query_param("PageSize", "50"))
        .respond_with(page(
            serde_json::json!([text("other", late)]),
            Some(format!("{MESSAGES}?Page=1&PageToken=PASM1")),
        ))
        .mount(&server)
        .await;
    Mock::given(query_param("PageToken", "PASM1"))
        .respond_with(page(
            serde_json::json!([
                text("Hello", late),
                text("old", "Tue, 01 Dec 2026 10:00:00 +0000")
            ]),
            Some("https://elsewhere.example/".to_owned()),
        ))
        .mount(&server)
        .await;
    let twilio = Twilio::new(settings(&server.uri()), Patience::default()).unwrap();
    let since = "2026-12-01T18:00:00Z".parse().unwrap();
    let found = SendOutcome::Accepted {
        carrier_id: SID.to_owned(),
        delivery: Delivery::Delivered,
    };
    assert_eq!(
        twilio.find(&outbound(Channel::Sms, "Hello"), since).await,
        Some(Some(found))
    );
    assert_eq!(
        twilio.find(&outbound(Channel::Sms, "Never"), since).await,
        Some(None)
    );
    let long_ago = "2026-11-01T18:00:00Z".parse().unwrap();
    assert_eq!(
        twilio
            .find(&outbound(Channel::Sms, "Never"), long_ago)
            .await,
        None
    );
}

#[test]
fn wrong_settings_are_refused_with_the_remedy() {
    let refused = |change: fn(&mut TwilioSettings)| {
        let mut settings = settings("https://api.twilio.com");
        change(&mut settings);
        Twilio::new(settings, Patience::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(|it| "AC1".clone_into(&mut it.account_sid)),
        "`account_sid` is not a Twilio account: it is `AC` and 32 hexadecimal digits (Console, start page)"
    );
    assert_eq!(
        refused(|it| "me".clone_into(&mut it.user)),
        "`api_key_sid` is not an API key: it is `SK` and 32 hexadecimal digits"
    );
    assert_eq!(
        refused(|it| it.api_base = "mailto:a@example.com".parse().unwrap()),
        "`base_url` is not an http or https address"
    );
}
