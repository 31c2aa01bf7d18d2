//! The carriers' official Python packages as the other side: their clients call the fake carrier, so
//! that it is known to be faithful, and their validators and models read what it posts.

#![cfg(test)]

use anteroom::carrier::fake::{Faults, Post, Reach, Sending};
use anteroom::carrier::hear::{Door, Event};
use anteroom::domain::clock::Clock as _;
use anteroom::domain::message::{Delivery, Outbound};
use anteroom::domain::practice::CarrierKind;
use serde_json::{Value, json};

use super::fakes::{World, accepted};
use super::outbound;
use super::twilio_account::HOSTS;
use anteroom::policy::words::Channel;

const WANTED: &str = "\
twilio create queued 2 outbound-api True
twilio fetch True delivered Gracias 😀 señora + 100 %
twilio template queued whatsapp:+14155550142
twilio list [True, False]
twilio redact ''
twilio account active
twilio media inbound 1 ['image/jpeg']
twilio media delete True
twilio media again []
twilio no body 400 21602
twilio foreign number 400 21606
twilio too long 400 21617
twilio unknown 404 20404
twilio wrong token 401 20003
HOSTS
messagebird balance prepaid
messagebird create mt lakeside-8 14155550142
messagebird fetch delivered True
messagebird list [True]
messagebird mms mt lakeside-10 ['https://example.com/card.vcf']
messagebird unknown [20]
messagebird wrong key [2]
bird create accepted outbound lakeside-11
bird once True
bird fetch delivered
bird list [True]
bird whatsapp accepted +14155550142 Hola
bird template ask_to_write Lakeside
bird whatsapp fetch delivered
bird media my rash True
bird unknown 404 not_found_error not_found
bird foreign number 422 validation_error SMSSenderNotConfigured
bird wrong key 401 auth_error unauthorized
bandwidth create out lakeside-9 ['https://example.com/card.vcf'] 1
bandwidth list ['DELIVERED']
bandwidth no text 400 request-validation
bandwidth no media 404 not-found
twilio webhook True False
twilio webhook True False
twilio webhook True False
twilio webhook True False
messagebird webhook MessageBird 60 invalid jwt: claim url_hash is invalid
messagebird webhook MessageBird 60 invalid jwt: claim url_hash is invalid
messagebird webhook MessageBird 60 invalid jwt: claim url_hash is invalid
messagebird webhook MessageBird 60 invalid jwt: claim url_hash is invalid
bandwidth webhook message-received in +14155550101
bandwidth webhook message-sending out +14155550101
bandwidth webhook message-sent out +14155550101
bandwidth webhook message-delivered out +14155550101
bird webhook sms.received ¿Cuándo es mi cita? 😀 + 100 %
bird webhook no matching v1 signature
bird webhook whatsapp.received None
bird webhook no matching v1 signature
bird webhook sms.accepted None
bird webhook no matching v1 signature
bird webhook sms.sent None
bird webhook no matching v1 signature
bird webhook sms.undelivered None
bird webhook no matching v1 signature
bird webhook whatsapp.accepted None
bird webhook no matching v1 signature
bird webhook whatsapp.sent None
bird webhook no matching v1 signature
bird webhook whatsapp.failed None
bird webhook no matching v1 signature
bird webhook whatsapp.read None
bird webhook no matching v1 signature
";

fn spelled(kind: CarrierKind, post: &Post) -> Value {
    let headers = post.headers.iter();
    let headers: serde_json::Map<_, _> = headers
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    json!({
        "kind": kind.as_str(),
        "url": post.url,
        "headers": headers,
        "body": String::from_utf8(post.body.clone()).unwrap(),
    })
}

/// The webhooks of a text from a patient with a picture, and of a report on a text to one.
async fn posts(world: &World) -> Vec<Value> {
    let mut hooks = Vec::new();
    for kind in [
        CarrierKind::Twilio,
        CarrierKind::Messagebird,
        CarrierKind::Bandwidth,
    ] {
        let sending = Sending {
            from: "+14155550142".to_owned(),
            to: "+14155550101".to_owned(),
            body: "¿Cuándo es mi cita? 😀 + 100 %".to_owned(),
            ..Sending::default()
        };
        let pictures = vec![b"\xff\xd8\xffpicture".to_vec()];
        let now = world.clock.now();
        let line = format!("{kind}.lakeside");
        let (_, brought) = world.fake.write(&line, sending, pictures, now).unwrap();
        hooks.extend(brought.iter().map(|(_, post)| spelled(kind, post)));
        let id = accepted(
            world
                .line(kind)
                .send(&outbound(Channel::Sms, "Hello"))
                .await,
        );
        hooks.extend(
            world
                .fake
                .reports_on(&id, now)
                .iter()
                .map(|it| spelled(kind, it)),
        );
    }
    bird_posts(world, &mut hooks).await;
    hooks
}

/// Bird's: an SMS, a picture by WhatsApp, and the reports on a text by each to a phone that is off.
async fn bird_posts(world: &World, hooks: &mut Vec<Value>) {
    let kind = CarrierKind::Bird;
    let now = world.clock.now();
    let mut write = |whatsapp: bool, body: &str, files: Vec<Vec<u8>>| {
        let sending = Sending {
            from: "+14155550142".to_owned(),
            to: "+14155550101".to_owned(),
            body: body.to_owned(),
            whatsapp,
            ..Sending::default()
        };
        let written = world.fake.write("bird.lakeside", sending, files, now);
        hooks.extend(
            written
                .unwrap()
                .1
                .iter()
                .map(|(_, post)| spelled(kind, post)),
        );
    };
    write(false, "¿Cuándo es mi cita? 😀 + 100 %", Vec::new());
    write(true, "my rash", vec![b"\xff\xd8\xffpicture".to_vec()]);
    world.fake.set_reach("+14155550143", Reach::Off);
    for channel in [Channel::Sms, Channel::Whatsapp] {
        let text = Outbound {
            reference: format!("lakeside-{channel}"),
            to: "+14155550143".parse().unwrap(),
            ..outbound(channel, "Hello")
        };
        let id = accepted(world.line(kind).send(&text).await);
        for state in [Delivery::Accepted, Delivery::Sent, Delivery::Undelivered] {
            let post = world.fake.report_on(&id, state, now).unwrap();
            hooks.push(spelled(kind, &post));
        }
        if channel == Channel::Whatsapp {
            let post = world.fake.report_on(&id, Delivery::Read, now).unwrap();
            hooks.push(spelled(kind, &post));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_clients_find_the_fake_carrier_faithful() {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/.venv/bin/python");
    assert!(
        std::path::Path::new(&python).exists(),
        "the carriers' packages are not installed: run tests/install.sh"
    );
    let world = World::new("platform", Faults::none()).await;
    let hooks = tempfile::NamedTempFile::new().unwrap();
    let posts = posts(&world).await;
    std::fs::write(hooks.path(), Value::from(posts).to_string()).unwrap();
    let output = std::process::Command::new(python)
        .arg(format!("{root}/tests/python/carrier_clients.py"))
        .arg(&world.base)
        .arg(hooks.path())
        .arg(world.clock.now().as_second().to_string())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let (theirs, told): (Vec<&str>, Vec<&str>) =
        told.lines().partition(|line| line.starts_with("hook "));
    let error = String::from_utf8_lossy(&output.stderr);
    let hosts: Vec<String> = HOSTS
        .iter()
        .map(|(edge, region, host)| format!("twilio host {edge}/{region} {host}\n"))
        .collect();
    let wanted = WANTED.replace("HOSTS\n", &hosts.concat());
    assert_eq!(told, wanted.lines().collect::<Vec<_>>(), "{error}");
    assert!(output.status.success(), "{error}");

    // What their own models and libraries spell and sign is believed and read here.
    let mut heard = Vec::new();
    for line in theirs {
        let hook: Value = serde_json::from_str(line.trim_start_matches("hook ")).unwrap();
        let kind: CarrierKind = hook["kind"].as_str().unwrap().parse().unwrap();
        let told = |name: &str| hook[name].as_str().unwrap_or_default().to_owned();
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("authorization", told("authorization")),
            ("messagebird-signature-jwt", told("jwt")),
        ];
        let standard = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        headers.extend(standard.map(|name| (name, told(name))));
        let post = Post {
            method: http::Method::POST,
            url: told("url"),
            headers,
            body: hook["body"].as_str().unwrap().as_bytes().to_vec(),
        };
        let events = world.hear(&*world.line(kind), Door::Texts, &post).unwrap();
        heard.extend(events.into_iter().map(|event| match event {
            Event::Text(text) => format!("{kind} {} {}", text.from.as_str(), text.body.as_str()),
            Event::Report(report) => format!("{kind} {} {:?}", report.delivery, report.code),
            Event::Nothing | Event::Odd(_) => panic!("{event:?}"),
        }));
    }
    assert_eq!(
        heard,
        [
            "bandwidth +14155550142 ¿Cuándo? 😀",
            "bandwidth failed Some(\"4775\")",
            "messagebird +14155550142 ¿Cuándo? 😀",
            "bird +14155550142 Sí 😀",
        ]
    );
}
