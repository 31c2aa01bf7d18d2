//! WhatsApp Business by every carrier that carries it, and by none that does not.

#![cfg(test)]

use std::collections::BTreeMap;

use anteroom::carrier::Carrier;
use anteroom::carrier::exchange::FetchFault;
use anteroom::carrier::fake::{Faults, Post, Sending};
use anteroom::carrier::hear::{Door, Event};
use anteroom::domain::clock::Clock as _;
use anteroom::domain::message::{Attachment, Delivery, Inbound, Outbound, SendOutcome, Template};
use anteroom::domain::practice::CarrierKind;
use anteroom::policy::words::Channel;
use serde_json::{Value, json};

use super::fakes::{KINDS, World, accepted};
use super::outbound;

/// Who carries WhatsApp, with the id of a template there.
const CARRY: [(CarrierKind, &str, &str); 3] = [
    (
        CarrierKind::Twilio,
        "platform",
        "HX00000000000000000000000000000007",
    ),
    (CarrierKind::Bird, "platform", "ask_to_write"),
    (
        CarrierKind::Bird,
        "channels",
        "00000000-0000-4000-8000-000000000007",
    ),
];

fn template(id: &str, variables: &[(&str, &str)]) -> Outbound {
    let variables = variables.iter();
    let variables: BTreeMap<_, _> = variables
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    Outbound {
        template: Some(Template {
            id: id.to_owned(),
            locale: "en".to_owned(),
            variables,
        }),
        ..outbound(Channel::Whatsapp, "Lakeside: please write to us.")
    }
}

fn heard(world: &World, line: &dyn Carrier, post: &Post) -> Event {
    let mut events = world.hear(line, Door::Texts, post).unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn written(world: &World, kind: CarrierKind, sending: Sending, files: Vec<Vec<u8>>) -> Inbound {
    let line = format!("{kind}.lakeside");
    let sending = Sending {
        from: "+14155550142".to_owned(),
        to: "+14155550101".to_owned(),
        whatsapp: true,
        ..sending
    };
    let now = world.clock.now();
    let (_, mut posts) = world.fake.write(&line, sending, files, now).unwrap();
    let event = heard(world, &*world.line(kind), &posts.remove(0).1);
    let Event::Text(inbound) = event else {
        panic!("{kind}: {event:?}");
    };
    inbound
}

#[tokio::test]
async fn free_text_and_a_template_go_where_whatsapp_is_carried_and_nowhere_else() {
    for (kind, product) in KINDS {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let can = line.capabilities();
        let text = outbound(Channel::Whatsapp, "Hola, tome 1½ pastillas 😀");
        let ended = line.send(&text).await;
        let carries = CARRY
            .iter()
            .find(|(it, of, _)| *it == kind && *of == product);
        assert_eq!(
            can.channels.contains(&Channel::Whatsapp),
            carries.is_some(),
            "{kind}"
        );
        assert_eq!(
            can.templates.contains(&Channel::Whatsapp),
            carries.is_some(),
            "{kind}"
        );
        assert_eq!(
            can.window.contains(&Channel::Whatsapp),
            carries.is_some(),
            "{kind}"
        );
        let Some((_, _, id)) = carries else {
            assert!(
                matches!(ended, SendOutcome::Fail { .. }),
                "{kind}: {ended:?}"
            );
            let ended = line.send(&template("any", &[("1", "Lakeside")])).await;
            assert!(
                matches!(ended, SendOutcome::Fail { .. }),
                "{kind}: {ended:?}"
            );
            assert!(world.fake.texts().is_empty(), "{kind}");
            continue;
        };
        accepted(ended);
        let second = Outbound {
            reference: "lakeside-8".to_owned(),
            ..template(id, &[("10", "ten"), ("2", "two")])
        };
        accepted(line.send(&second).await);
        let [free, approved] = &world.fake.texts()[..] else {
            panic!("{kind} {product}");
        };
        assert_eq!(free.sent.body, text.body.as_str(), "{kind} {product}");
        assert_eq!(free.sent.to, "+14155550142");
        assert!(
            free.sent.whatsapp && approved.sent.whatsapp,
            "{kind} {product}"
        );
        assert_eq!(
            approved.sent.template.as_deref(),
            Some(*id),
            "{kind} {product}"
        );
        let values: Value = serde_json::from_str(&approved.sent.body).unwrap();
        let expected = places(kind, product);
        assert_eq!(values, expected, "{kind} {product}");
        let reference = approved.sent.reference.as_deref();
        assert_eq!(reference, Some("lakeside-8"), "{kind} {product}");
    }
}

#[tokio::test]
async fn a_template_is_whatsapps_and_goes_by_no_sms() {
    for product in ["platform", "channels"] {
        let world = World::new(product, Faults::none()).await;
        let stray = Outbound {
            channel: Channel::Sms,
            ..template("any", &[])
        };
        let ended = world.line(CarrierKind::Bird).send(&stray).await;
        assert!(
            matches!(ended, SendOutcome::Fail { .. }),
            "{product}: {ended:?}"
        );
        assert!(world.fake.texts().is_empty(), "{product}");
    }
}

/// How each carrier wants the places `2` and `10` of a template.
fn places(kind: CarrierKind, product: &str) -> Value {
    match (kind, product) {
        (CarrierKind::Twilio, _) => json!({"10": "ten", "2": "two"}),
        // In the order of their places.
        (_, "platform") => json!([
            {"type": "text", "text": "two"}, {"type": "text", "text": "ten"},
        ]),
        _ => json!([
            {"type": "string", "key": "2", "value": "two"},
            {"type": "string", "key": "10", "value": "ten"},
        ]),
    }
}

#[tokio::test]
async fn named_places_and_ids_of_templates_are_spelled_as_bird_wants_them() {
    let world = World::new("platform", Faults::none()).await;
    let line = world.line(CarrierKind::Bird);
    let id = "wat_01krdgeqcxet5s7t44vh8rt9mg";
    accepted(line.send(&template(id, &[("practice", "Lakeside")])).await);
    let sent = world.fake.texts().remove(0).sent;
    assert_eq!(sent.template.as_deref(), Some(id));
    let values: Value = serde_json::from_str(&sent.body).unwrap();
    let named = json!([{"type": "text", "text": "Lakeside", "name": "practice"}]);
    assert_eq!(values, named);
}

#[tokio::test]
async fn states_come_back_up_to_read_and_an_answer_to_whoever_asks() {
    for (kind, product, id) in CARRY {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let sent = accepted(line.send(&template(id, &[("1", "Lakeside")])).await);
        let now = world.clock.now();
        for state in [Delivery::Sent, Delivery::Delivered, Delivery::Read] {
            let post = world.fake.report_on(&sent, state, now).unwrap();
            let door = if kind == CarrierKind::Twilio {
                Door::Reports
            } else {
                Door::Texts
            };
            let events = world.hear(&*line, door, &post).unwrap();
            let [Event::Report(report)] = events.as_slice() else {
                panic!("{kind} {product}: {events:?}");
            };
            assert_eq!(
                (&report.carrier_id, report.delivery),
                (&sent, state),
                "{kind} {product}"
            );
        }
        let Some(Event::Report(report)) = line.look(&sent).await else {
            panic!("{kind} {product}: it is asked for");
        };
        assert_eq!(report.delivery, Delivery::Delivered, "{kind} {product}");
    }
}

#[tokio::test]
async fn a_failure_is_told_with_its_code_by_report_and_when_asked() {
    use anteroom::carrier::codes::ErrorClass;
    use anteroom::carrier::fake::Reach;
    for (kind, product, class) in [
        (CarrierKind::Twilio, "platform", ErrorClass::Unreachable),
        (CarrierKind::Bird, "platform", ErrorClass::Unreachable),
        (CarrierKind::Bird, "channels", ErrorClass::Gone),
    ] {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        world.fake.set_reach("+14155550142", Reach::Off);
        let sent = accepted(line.send(&outbound(Channel::Whatsapp, "Hello")).await);
        let Some(Event::Report(asked)) = line.look(&sent).await else {
            panic!("{kind} {product}");
        };
        assert!(asked.delivery.has_failed(), "{kind} {product}");
        let code = asked.code.unwrap_or_default();
        assert_eq!(line.class_of(&code), Some(class), "{kind} {product} {code}");
    }
}

#[tokio::test]
async fn texts_buttons_and_pictures_come_in() {
    for (kind, product, _) in CARRY {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let words = Sending {
            body: "¿Cuándo es mi cita? 😀".to_owned(),
            ..Sending::default()
        };
        let inbound = written(&world, kind, words, Vec::new());
        assert_eq!(
            inbound.body.as_str(),
            "¿Cuándo es mi cita? 😀",
            "{kind} {product}"
        );
        assert_eq!(inbound.channel, Channel::Whatsapp, "{kind} {product}");
        assert_eq!(inbound.from.as_str(), "+14155550142");
        assert_eq!(inbound.to.as_str(), "+14155550101", "{kind} {product}");
        assert_eq!((inbound.button.as_deref(), inbound.media.len()), (None, 0));

        let pressed = Sending {
            body: "I agree".to_owned(),
            button: Some("consent.yes".to_owned()),
            ..Sending::default()
        };
        let inbound = written(&world, kind, pressed, Vec::new());
        assert_eq!(
            inbound.button.as_deref(),
            Some("consent.yes"),
            "{kind} {product}"
        );
        assert_eq!(inbound.body.as_str(), "I agree", "{kind} {product}");

        let picture = b"\xff\xd8\xffpicture".to_vec();
        let caption = Sending {
            body: "my rash".to_owned(),
            ..Sending::default()
        };
        let inbound = written(&world, kind, caption, vec![picture.clone()]);
        assert_eq!(inbound.body.as_str(), "my rash", "{kind} {product}");
        let [file] = inbound.media.as_slice() else {
            panic!("{kind} {product}: {inbound:?}");
        };
        assert_eq!(line.fetch(file).await, Ok(picture), "{kind} {product}");
        for elsewhere in [
            "http://169.254.169.254/latest/meta-data/",
            "https://platform.bird.com.evil.example/v1/whatsapp/messages/x/media/y",
            "https://user:pw@platform.bird.com/v1/whatsapp/messages/x/media/y",
            "https://media.api.bird.com/workspaces/another/messages/x/media/y",
            "http://media.api.bird.com/workspaces/w/messages/x/media/y",
        ] {
            let file = Attachment {
                address: elsewhere.to_owned(),
                ..file.clone()
            };
            let fault = line.fetch(&file).await;
            assert_eq!(
                fault,
                Err(FetchFault::Elsewhere),
                "{kind} {product} {elsewhere}"
            );
        }
    }
}

/// A webhook of the fake Bird with another body, signed again.
fn signed(product: &str, body: &Value) -> Post {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::{Digest as _, Sha256};
    let url = "http://127.0.0.1:9/webhooks/bird/lakeside".to_owned();
    let (body, time) = (body.to_string().into_bytes(), "1796148000");
    let (key, parts) = if product == "platform" {
        (
            b"FAKE".to_vec(),
            [format!("msg_1.{time}.").into_bytes(), body.clone()],
        )
    } else {
        let head = format!("{time}\n{url}\n").into_bytes();
        (
            b"whsec_RkFLRQ==".to_vec(),
            [head, Sha256::digest(&body).to_vec()],
        )
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    for part in &parts {
        mac.update(part);
    }
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let headers = if product == "platform" {
        vec![
            ("webhook-id", "msg_1".to_owned()),
            ("webhook-timestamp", time.to_owned()),
            ("webhook-signature", format!("v1,{signature}")),
        ]
    } else {
        vec![
            ("messagebird-signature", signature),
            ("messagebird-request-timestamp", time.to_owned()),
        ]
    };
    Post {
        method: http::Method::POST,
        url,
        headers,
        body,
    }
}

fn platform(kind: &str, more: &Value) -> Value {
    let mut data = json!({
        "whatsapp_id": "wam_00000000000000000000000009", "sms_id": "sms_00000000000000000000000009",
        "direction": "inbound", "from": {"phone_number": "+14155550142"},
        "to": {"phone_number": "+14155550101"}, "tags": null, "metadata": null,
    });
    for (name, value) in more.as_object().unwrap() {
        data[name] = value.clone();
    }
    json!({"type": kind, "timestamp": "2026-12-01T18:00:00Z", "data": data})
}

fn workspace(event: &str, payload: &Value) -> Value {
    let mut whole = json!({
        "id": "00000000-0000-4000-8000-000000000009", "channelId": "w",
        "sender": {"contact": {"identifierKey": "phonenumber", "identifierValue": "+14155550142"}},
        "receiver": {"connector": {"id": "x"}}, "direction": "incoming", "status": "delivered",
    });
    for (name, value) in payload.as_object().unwrap() {
        whole[name] = value.clone();
    }
    json!({"service": "channels", "event": event, "payload": whole})
}

/// What is made of an event: its words and files, nothing, or the field that is wrong.
async fn made(product: &str, body: &Value) -> String {
    let world = World::new(product, Faults::none()).await;
    let line = world.line(CarrierKind::Bird);
    match world.hear(&*line, Door::Texts, &signed(product, body)) {
        Err(refusal) => refusal.detail,
        Ok(events) => match events.as_slice() {
            [Event::Text(text)] => {
                let files: Vec<&str> = text.media.iter().map(|it| it.kind.as_str()).collect();
                format!("{} {:?} {files:?}", text.channel, text.body.as_str())
            }
            [Event::Report(report)] => format!("{} {:?}", report.delivery, report.code),
            [Event::Nothing] => "nothing".to_owned(),
            other => format!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn whatever_whatsapp_brings_by_the_platform_is_kept_or_known_to_be_nothing() {
    let sms = json!({"from": "+14155550142", "to": "+14155550101"});
    for (kind, more, expected) in [
        (
            "whatsapp.received",
            json!({"text": {"body": "hi"}}),
            r#"whatsapp "hi" []"#,
        ),
        (
            "whatsapp.received",
            json!({"audio": {"url": "https://platform.bird.com/x", "mime_type": "audio/ogg"}}),
            r#"whatsapp "" ["audio/ogg"]"#,
        ),
        // Staff are told that something came which cannot be shown.
        (
            "whatsapp.received",
            json!({"location": {"latitude": 1.0, "longitude": 2.0}}),
            r#"whatsapp "" ["location"]"#,
        ),
        (
            "whatsapp.received",
            json!({"unsupported": {"type": "order"}}),
            r#"whatsapp "" ["unsupported"]"#,
        ),
        (
            "whatsapp.received",
            json!({"interactive_reply": {"type": "list", "list": {"slug": "s", "text": "Row"}}}),
            r#"whatsapp "Row" []"#,
        ),
        // Pictures by SMS come without words and without an address.
        ("sms.received", sms, r#"sms "" [""]"#),
        (
            "whatsapp.received",
            json!({"to": {"phone_number": "+14155550101", "group_id": "wag_1"}, "text": {"body": "x"}}),
            "nothing",
        ),
        ("whatsapp.reacted", json!({}), "nothing"),
        ("whatsapp.read", json!({}), "nothing"),
        (
            "whatsapp.read",
            json!({"direction": "outbound"}),
            "read None",
        ),
        (
            "whatsapp.failed",
            json!({"direction": "outbound", "error": {"code": "service_window_expired"}}),
            r#"failed Some("service_window_expired")"#,
        ),
        (
            "whatsapp.rejected",
            json!({"direction": "outbound", "error": {"code": "recipient_suppressed"}}),
            r#"failed Some("recipient_suppressed")"#,
        ),
        (
            "whatsapp.invented",
            json!({"direction": "outbound"}),
            "nothing",
        ),
        (
            "whatsapp.received",
            json!({"from": {"bsuid": "US.1"}, "text": {"body": "x"}}),
            "the field `data.from.phone_number` is missing",
        ),
    ] {
        assert_eq!(
            made("platform", &platform(kind, &more)).await,
            expected,
            "{kind} {more}"
        );
    }
}

#[tokio::test]
async fn whatever_whatsapp_brings_by_a_workspace_is_kept_or_known_to_be_nothing() {
    let words = json!({"body": {"type": "text", "text": {"text": "hi"}}});
    let mut elsewhere = words.clone();
    elsewhere["channelId"] = json!("another");
    let file =
        json!({"mediaUrl": "https://media.api.bird.com/x", "contentType": "application/pdf"});
    for (event, payload, expected) in [
        ("whatsapp.inbound", words, r#"whatsapp "hi" []"#),
        (
            "whatsapp.inbound",
            json!({"body": {"type": "file", "file": {"files": [file]}}}),
            r#"whatsapp "" ["application/pdf"]"#,
        ),
        (
            "whatsapp.inbound",
            json!({"body": {"type": "image", "image": {"images": []}}}),
            r#"whatsapp "" ["image"]"#,
        ),
        (
            "whatsapp.inbound",
            json!({"body": {"type": "location", "location": {}}}),
            r#"whatsapp "" ["location"]"#,
        ),
        // Another number of the same workspace: not this practice's.
        (
            "whatsapp.inbound",
            elsewhere,
            "the field `payload.receiver.connector.identifierValue` is missing",
        ),
        (
            "whatsapp.inbound",
            json!({}),
            "the field `payload.body.type` is missing",
        ),
        (
            "whatsapp.outbound",
            json!({"status": "delivery_failed", "failure": {"code": 27}}),
            r#"undelivered Some("27")"#,
        ),
        (
            "whatsapp.interaction",
            json!({"type": "read", "messageId": "00000000-0000-4000-8000-000000000001"}),
            "read None",
        ),
        (
            "whatsapp.interaction",
            json!({"type": "clicked"}),
            "nothing",
        ),
        ("whatsapp.deleted", json!({}), "nothing"),
        ("line.inbound", json!({}), "nothing"),
    ] {
        let told = made("channels", &workspace(event, &payload)).await;
        assert_eq!(told, expected, "{event} {payload}");
    }
}
