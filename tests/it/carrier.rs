//! Carriers: what is posted, what an answer means, what a webhook says.

#![cfg(test)]

/// One test for each name, and one that no name is missing.
macro_rules! vectors {
    ($($kind:ident { $($name:ident),+ $(,)? })+) => {$(
        mod $kind {
            $(#[test] fn $name() { super::check(stringify!($kind), stringify!($name)); })+

            #[test]
            fn every_vector_is_a_test() {
                let vectors: serde_json::Value = serde_json::from_str(super::VECTORS).unwrap();
                let cases = vectors[stringify!($kind)].as_array().unwrap().iter();
                let names: Vec<_> = cases.map(|case| case["name"].as_str().unwrap()).collect();
                assert_eq!(names, [$(stringify!($name)),+]);
            }
        }
    )+};
}

mod bad_input;
mod fakes;
mod media;
mod official;
mod prism;
mod sending;
mod shown;
mod signature;
mod trying;
mod twilio;
mod twilio_account;
mod vectors;
mod whatsapp;

use anteroom::carrier::Carrier as _;
use anteroom::carrier::at_once::{AtOnce, REPORTS_MAX};
use anteroom::carrier::codes::{Codes, ErrorClass, class_in, ending};
use anteroom::carrier::twilio::codes_table::CODES;
use anteroom::carrier::twilio::hook::{self, Fields};
use anteroom::carrier::twilio::listing::{Page, Search, search};
use anteroom::carrier::{bandwidth, bird, messagebird};
use anteroom::domain::message::{Delivery, INBOUND_CHARS_MAX, Outbound, SendOutcome};
use anteroom::policy::words::Channel;
use jiff::Timestamp;

pub(crate) const SID: &str = "SM00000000000000000000000000000042";

pub(crate) fn outbound(channel: Channel, body: &str) -> Outbound {
    Outbound {
        reference: "lakeside-7".to_owned(),
        channel,
        from: "+14155550101".parse().unwrap(),
        to: "+14155550142".parse().unwrap(),
        body: body.into(),
        template: None,
        files: Vec::new(),
        valid_s: None,
    }
}

fn now() -> Timestamp {
    "2026-12-01T18:00:00Z".parse().unwrap()
}

fn form(body: &str) -> Fields {
    Fields::from_form(body.as_bytes())
}

#[test]
fn each_error_code_has_one_class() {
    let tables: [Codes; 4] = [CODES, messagebird::CODES, bird::CODES, bandwidth::CODES];
    for table in tables {
        let codes = table.iter().flat_map(|(_, codes)| *codes).copied();
        let mut codes: Vec<&str> = codes.collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        assert!(codes.iter().all(|code| class_in(table, code).is_some()));
        // Each table says what an opt-out looks like: it must never be missed.
        assert!(
            table
                .iter()
                .any(|(class, _)| *class == ErrorClass::OptedOut)
        );
    }
}

#[test]
fn an_error_ends_in_retry_fail_suppress_or_doubt() {
    let said = |outcome: SendOutcome| match outcome {
        SendOutcome::Retry { code, after_ms } => format!("retry {code} {after_ms:?}"),
        SendOutcome::Fail { code } => format!("fail {code}"),
        SendOutcome::Suppress { code } => format!("suppress {code}"),
        SendOutcome::Unknown { code } => format!("unknown {code}"),
        SendOutcome::Accepted { .. } => "accepted".to_owned(),
    };
    for (status, code, after_ms, expected) in [
        (400, Some(21610), None, "suppress 21610"),
        (400, Some(63014), None, "suppress 63014"),
        (400, Some(21211), None, "fail 21211"),
        (400, Some(30007), None, "fail 30007"),
        (400, Some(63016), None, "fail 63016"),
        (400, Some(30036), None, "fail 30036"),
        (400, Some(99999), None, "fail 99999"),
        (401, Some(20003), None, "fail 20003"),
        (404, None, None, "fail http_404"),
        (302, None, None, "fail http_302"),
        (429, Some(20429), Some(2000), "retry 20429 Some(2000)"),
        (429, None, None, "retry http_429 None"),
        (429, Some(99999), None, "retry 99999 None"),
        (500, Some(20500), None, "retry 20500 None"),
        (503, None, Some(1000), "retry http_503 Some(1000)"),
        (500, None, None, "unknown http_500"),
        (504, None, None, "unknown http_504"),
        (408, None, None, "unknown http_408"),
    ] {
        assert_eq!(
            said(ending(
                CODES,
                status,
                code.map(|code: u32| code.to_string()).as_deref(),
                after_ms
            )),
            expected,
            "{status} {code:?}"
        );
    }
    assert_eq!(class_in(CODES, "21610"), Some(ErrorClass::OptedOut));
    assert_eq!((class_in(CODES, ""), class_in(CODES, "x")), (None, None));
}

#[test]
fn a_text_is_read_from_its_form() {
    let base = format!("MessageSid={SID}&From=%2B14155550142&To=%2B14155550101");
    for (rest, channel, body, media) in [
        ("&Body=hi", Channel::Sms, "hi", 0),
        ("&Body=", Channel::Sms, "", 0),
        ("&Body=++STOP+%0D%0A", Channel::Sms, "  STOP \r\n", 0),
        ("&Body=a%00b", Channel::Sms, "a\0b", 0),
        (
            "&Body=%ED%A0%80!",
            Channel::Sms,
            "\u{fffd}\u{fffd}\u{fffd}!",
            0,
        ),
        ("&Body=hi&Body=second", Channel::Sms, "hi", 0),
        (
            "&Body=look&NumMedia=2&MediaUrl0=https%3A%2F%2Fx&MediaUrl1=https%3A%2F%2Fy",
            Channel::Mms,
            "look",
            2,
        ),
        (
            "&Body=look&NumMedia=4000&MediaUrl9=https%3A%2F%2Fx&MediaUrl10=https%3A%2F%2Fy",
            Channel::Mms,
            "look",
            1,
        ),
        ("&Body=look&NumMedia=", Channel::Sms, "look", 0),
        ("&Body=Basta+ya&OptOutType=STOP", Channel::Sms, "STOP", 0),
        ("&Body=hi&OptOutType=OTHER", Channel::Sms, "hi", 0),
        ("&Body=%D7%A9%D7%9C%D7%95%D7%9D", Channel::Sms, "שלום", 0),
    ] {
        let inbound = hook::inbound(&form(&format!("{base}{rest}")), now()).unwrap();
        assert_eq!(inbound.body.as_str(), body, "{rest}");
        assert_eq!(
            (inbound.channel, inbound.media.len()),
            (channel, media),
            "{rest}"
        );
        assert_eq!((inbound.carrier_id.as_str(), inbound.at), (SID, now()));
    }
    let whatsapp = format!(
        "MessageSid={SID}&From=whatsapp%3A%2B14155550142&To=whatsapp%3A%2B14155550101&Body=hola"
    );
    let inbound = hook::inbound(&form(&whatsapp), now()).unwrap();
    assert_eq!(inbound.channel, Channel::Whatsapp);
    assert_eq!(inbound.from.as_str(), "+14155550142");
    let long = format!("{base}&Body={}", "é".repeat(INBOUND_CHARS_MAX + 10));
    let inbound = hook::inbound(&form(&long), now()).unwrap();
    assert_eq!(inbound.body.as_str().chars().count(), INBOUND_CHARS_MAX);
}

#[test]
fn a_webhook_that_cannot_be_read_says_which_field() {
    let sid = format!("MessageSid={SID}");
    for (body, expected) in [
        ("Body=hi".to_owned(), "the field `MessageSid` is missing"),
        (
            "MessageSid=SM1".to_owned(),
            "the field `MessageSid` is not `SM` or `MM` and 32 hexadecimal digits",
        ),
        (sid.clone(), "the field `From` is missing"),
        (
            format!("{sid}&From=262966"),
            "the field `From` is not a phone number such as +14155550100",
        ),
        (
            format!("{sid}&From=%2B14155550142"),
            "the field `To` is missing",
        ),
        (
            format!("{sid}&From=%2B14155550142&To=%2B14155550101"),
            "the field `Body` is missing",
        ),
        (
            format!("{sid}&From=%2B14155550142&To=%2B14155550101&Body=x&NumMedia=two"),
            "the field `NumMedia` is not a whole number",
        ),
    ] {
        let error = hook::inbound(&form(&body), now()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let error = hook::report(&form(&format!("{sid}&MessageStatus=lost"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the field `MessageStatus` is not a status that Twilio documents"
    );
}

#[test]
fn a_report_is_read_from_its_form() {
    for (rest, delivery, code) in [
        ("MessageStatus=sent", Delivery::Sent, None),
        (
            "MessageStatus=delivered&ErrorCode=",
            Delivery::Delivered,
            None,
        ),
        (
            "MessageStatus=undelivered&ErrorCode=30003",
            Delivery::Undelivered,
            Some("30003"),
        ),
        (
            "MessageStatus=failed&ErrorCode=a+name",
            Delivery::Failed,
            None,
        ),
        ("MessageStatus=canceled", Delivery::Failed, None),
        ("MessageStatus=read", Delivery::Read, None),
    ] {
        let report = hook::report(&form(&format!("MessageSid={SID}&{rest}"))).unwrap();
        assert_eq!(
            (report.delivery, report.code.as_deref()),
            (delivery, code),
            "{rest}"
        );
    }
}

#[test]
fn nothing_that_a_patient_wrote_is_in_a_debug_print() {
    let fields = form(&format!(
        "MessageSid={SID}&From=%2B14155550142&To=%2B14155550101&Body=metformin"
    ));
    let printed = format!("{fields:?} {:?}", hook::inbound(&fields, now()).unwrap());
    assert!(
        !printed.contains("metformin") && !printed.contains("555"),
        "{printed}"
    );
}

#[test]
fn a_doubtful_text_is_found_or_proven_absent_or_neither() {
    let page = |messages: serde_json::Value, next: Option<&str>| -> Page {
        serde_json::from_value(serde_json::json!({"messages": messages, "next_page_uri": next}))
            .unwrap()
    };
    let text = |body: &str, at: &str| serde_json::json!({"sid": SID, "status": "sent", "body": body, "date_created": at});
    let (late, early) = (
        "Tue, 01 Dec 2026 18:00:30 +0000",
        "Tue, 01 Dec 2026 17:30:00 +0000",
    );
    let found = Search::Found(SendOutcome::Accepted {
        carrier_id: SID.to_owned(),
        delivery: Delivery::Sent,
    });
    for (name, page, expected) in [
        (
            "there",
            page(
                serde_json::json!([text("other", late), text("Hello ", late)]),
                None,
            ),
            found.clone(),
        ),
        (
            "a minute before, by their clock",
            page(
                serde_json::json!([text("Hello", "Tue, 01 Dec 2026 17:59:00 +0000")]),
                None,
            ),
            found,
        ),
        (
            "before that",
            page(serde_json::json!([text("Hello", early)]), None),
            Search::Absent,
        ),
        (
            "nothing listed",
            page(serde_json::json!([]), None),
            Search::Absent,
        ),
        (
            "another page",
            page(serde_json::json!([text("other", late)]), Some("/x")),
            Search::Older,
        ),
        (
            "far enough back",
            page(serde_json::json!([text("other", early)]), Some("/x")),
            Search::Absent,
        ),
        (
            "redacted",
            page(serde_json::json!([text("", late)]), None),
            Search::CannotTell,
        ),
        (
            "no date",
            page(serde_json::json!([text("Hello", "yesterday")]), None),
            Search::CannotTell,
        ),
    ] {
        assert_eq!(search(&page, "Hello", now()), expected, "{name}");
    }
}

#[tokio::test]
async fn a_story_carrier_takes_a_text_and_reports_its_course() {
    let (carrier, mut reports) = AtOnce::new();
    let taken = carrier.send(&outbound(Channel::Sms, "Hello")).await;
    let carrier_id = "SIMlakeside-7".to_owned();
    assert_eq!(
        taken,
        SendOutcome::Accepted {
            carrier_id: carrier_id.clone(),
            delivery: Delivery::Accepted
        }
    );
    for delivery in [Delivery::Queued, Delivery::Sent, Delivery::Delivered] {
        assert_eq!(reports.try_recv().unwrap(), (carrier_id.clone(), delivery));
    }
    assert!(reports.try_recv().is_err());
    assert_eq!(
        carrier.find(&outbound(Channel::Sms, "Hello"), now()).await,
        Some(None)
    );
}

#[tokio::test]
async fn a_story_carrier_puts_texts_off_when_nobody_drains_its_reports() {
    let (carrier, reports) = AtOnce::new();
    let text = outbound(Channel::Sms, "Hello");
    for _ in 0..REPORTS_MAX / 3 {
        assert!(matches!(
            carrier.send(&text).await,
            SendOutcome::Accepted { .. }
        ));
    }
    assert!(matches!(
        carrier.send(&text).await,
        SendOutcome::Retry { .. }
    ));
    drop(reports);
    assert!(matches!(
        carrier.send(&text).await,
        SendOutcome::Retry { .. }
    ));
}
