//! The signatures of `MessageBird`, Bird and Bandwidth, one test for each case that the official
//! packages were asked about, and `MessageBird`'s own 43.

#![cfg(test)]

use anteroom::carrier::bird::signature::{channels_fits, standard_fits};
use anteroom::carrier::mac::basic_fits;
use anteroom::carrier::messagebird::jwt::{Used, verify};
use anteroom::carrier::messagebird::legacy;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

const VECTORS: &str = include_str!("../vectors/carriers.json");
const OFFICIAL: &str = include_str!("../vectors/messagebird_jwt_reference.json");

fn text<'a>(case: &'a Value, pointer: &str) -> &'a str {
    case.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{case}: no `{pointer}`"))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn keys(key: &str) -> [SecretString; 3] {
    // During rotation the right one is any of them, and an empty one opens nothing.
    ["another key", key, ""].map(SecretString::from)
}

fn query_of(case: &Value) -> String {
    let pairs = case["query"].as_array().unwrap().iter();
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs.map(|pair| (text(pair, "/0"), text(pair, "/1"))))
        .finish()
}

fn answer(kind: &str, case: &Value) -> bool {
    let body = text(case, "/body").as_bytes();
    match kind {
        "messagebird_jwt" => {
            let keys = keys(text(case, "/signing_key"));
            let now = at(case["now"].as_i64().unwrap());
            verify(&keys, text(case, "/token"), text(case, "/url"), body, now).is_ok()
        }
        "messagebird_legacy_hmac" => {
            let time = text(case, "/timestamp");
            let keys = keys(text(case, "/signing_key"));
            let now = at(time.parse().unwrap());
            let query = query_of(case);
            legacy::fits(&keys, time, &query, body, text(case, "/signature"), now)
        }
        "bird_hmac" => {
            let time = text(case, "/timestamp");
            let keys = keys(text(case, "/signing_key"));
            let (url, signature) = (text(case, "/url"), text(case, "/signature"));
            // Bird repeats with the first time on it.
            let late = at(time.parse::<i64>().unwrap() + 23 * 3600);
            let far = at(time.parse::<i64>().unwrap() + 25 * 3600);
            assert!(!channels_fits(&keys, time, url, body, signature, far));
            channels_fits(&keys, time, url, body, signature, late)
        }
        "bird_standard_webhooks" => {
            let header = |name: &str| text(&case["headers"], &format!("/webhook-{name}"));
            let secrets = ["whsec_YW5vdGhlcg==", text(case, "/secret")].map(SecretString::from);
            let now = at(case["now"].as_i64().unwrap());
            let (id, time) = (header("id"), header("timestamp"));
            standard_fits(&secrets, id, time, body, header("signature"), now)
        }
        _ => {
            let right = SecretString::from(text(case, "/password"));
            let (older, empty) = (SecretString::from("older"), SecretString::from(""));
            let user = text(case, "/username");
            let pairs = [(user, &older), (user, &right), (user, &empty)];
            basic_fits(text(case, "/authorization"), &pairs)
        }
    }
}

fn check(kind: &str, name: &str) {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut cases = vectors[kind].as_array().unwrap().iter();
    let case = cases.find(|case| case["name"] == name);
    let case = case.unwrap_or_else(|| panic!("no vector `{name}`"));
    assert_eq!(Value::from(answer(kind, case)), case["valid"], "{case:#}");
}

vectors! {
messagebird_jwt {
    valid_post,
    valid_get_no_body,
    valid_hs384,
    valid_hs512,
    valid_port_in_url,
    valid_edge_exp_plus_1s,
    expired,
    not_yet_valid,
    wrong_payload_hash,
    wrong_url,
    url_with_standard_port,
    payload_removed,
    payload_added,
    wrong_key,
    wrong_issuer,
    alg_none,
    missing_exp,
    missing_nbf,
}
messagebird_legacy_hmac {
    legacy_get_status_report,
    legacy_post,
    legacy_bad_body,
}
bird_hmac {
    bird_ok,
    bird_bad_body,
    bird_bad_url,
}
bird_standard_webhooks {
    sw_ok,
    sw_two_signatures,
    sw_stale,
    sw_future,
    sw_bad_body,
    sw_bad_secret,
    sw_wrong_version,
}
bandwidth_basic {
    bw_ok,
    bw_bad_password,
    bw_missing,
    bw_bearer,
}
}

#[test]
fn messagebirds_own_43_cases_are_answered_as_it_answers_them() {
    let cases: Vec<Value> = serde_json::from_str(OFFICIAL).unwrap();
    assert_eq!(cases.len(), 43);
    for case in cases {
        // Python's package signs and checks with the secret as text; `none` has no secret.
        let keys = keys(case["secret"].as_str().unwrap_or_default());
        let now: Timestamp = text(&case, "/timestamp").parse().unwrap();
        let body = case["payload"].as_str().unwrap_or_default().as_bytes();
        let told = verify(&keys, text(&case, "/token"), text(&case, "/url"), body, now);
        assert_eq!(
            Value::from(told.is_ok()),
            case["valid"],
            "{case:#}: {told:?}"
        );
    }
}

#[test]
fn a_token_is_good_for_one_call() {
    let used = Used::default();
    assert!(used.first("a".to_owned(), 60, at(0)));
    assert!(!used.first("a".to_owned(), 60, at(30)));
    assert!(used.first("b".to_owned(), 60, at(30)));
    // Forgotten when the token itself has expired.
    assert!(used.first("a".to_owned(), 200, at(62)));
}

#[test]
fn credentials_are_split_at_the_first_colon_and_an_empty_password_opens_nothing() {
    let pair = SecretString::from("a:b:c");
    let empty = SecretString::from("");
    for (header, fits) in [
        ("Basic dXNlcjphOmI6Yw==", true),
        ("basic dXNlcjphOmI6Yw==", true),
        ("Basic  dXNlcjphOmI6Yw== ", true),
        ("Basic dXNlcjo=", false),
        ("Basic dXNlcg==", false),
        ("Basic", false),
        ("Basic !!!", false),
        ("", false),
    ] {
        let pairs = [("user", &pair), ("user", &empty)];
        assert_eq!(basic_fits(header, &pairs), fits, "{header}");
    }
}
