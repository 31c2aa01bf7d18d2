//! Twilio's signature, one test for each case that the official packages were asked about.

#![cfg(test)]

use anteroom::carrier::twilio::signature::{decode_form, form_is_signed, json_is_signed};
use secrecy::SecretString;
use serde_json::Value;

const VECTORS: &str = include_str!("../vectors/twilio.json");

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key]
        .as_str()
        .unwrap_or_else(|| panic!("{case}: no `{key}`"))
}

fn check(kind: &str, name: &str) {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let case = vectors[kind]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["name"] == name);
    let case = case.unwrap_or_else(|| panic!("no vector `{name}`"));
    let tokens = [SecretString::from(text(case, "auth_token"))];
    let (url, signature) = (text(case, "url"), text(case, "signature"));
    let signed = match kind {
        "form" => form_is_signed(&tokens, url, text(case, "raw_body").as_bytes(), signature),
        _ => json_is_signed(&tokens, url, text(case, "body").as_bytes(), signature),
    };
    assert_eq!(Value::from(signed), case["valid"], "{case:#}");
}

vectors! {
form {
    sdk_reference_vector,
    sms_all_params,
    unicode_body,
    empty_values,
    no_params,
    repeated_params,
    repeated_params_sdk_reference,
    query_string,
    same_name_in_query_and_body,
    get_webhook,
    name_order_is_bytewise,
    whitespace_kept,
    plus_and_percent,
    status_callback,
    whatsapp_button_unknown_fields,
    port_443_signed_seen_without,
    port_443_seen_signed_without,
    port_8443_signed_without,
    port_8443_signed_with,
    http_port_80_signed_seen_without,
    proxy_public_url,
    proxy_internal_url_refused,
    fragment_not_signed,
    userinfo_dropped,
    bad_trailing_slash,
    bad_scheme,
    bad_tampered_body,
    bad_param_added,
    bad_param_removed,
    bad_token,
    bad_empty_signature,
    bad_base64url_signature,
}
json {
    json_ok,
    json_unicode,
    json_only_query,
    json_bad_body,
    json_bad_reserialised,
    json_bad_url,
    json_port,
}
}

#[test]
fn any_token_may_sign_during_rotation_and_an_empty_one_never() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let case = &vectors["form"][0];
    let body = text(case, "raw_body").as_bytes();
    let fits = |tokens: &[&str], signature: &str| {
        let tokens: Vec<_> = tokens
            .iter()
            .map(|token| SecretString::from(*token))
            .collect();
        form_is_signed(&tokens, text(case, "url"), body, signature)
    };
    let right = text(case, "auth_token");
    let signature = text(case, "signature");
    assert!(fits(&["old", right], signature));
    assert!(fits(&[right, "new"], signature));
    assert!(!fits(&["old", "new"], signature));
    assert!(!fits(&[], signature));
    // HMAC-SHA1 of an empty body under the empty key, over this very address.
    let empty = form_is_signed(
        &[SecretString::from("")],
        "https://x.example/",
        b"",
        "5MhBAdKAcHAODZWZg7FvvPiezQI=",
    );
    assert!(!empty);
}

#[test]
fn a_form_is_decoded_once_and_byte_for_byte() {
    let decode = |body: &str| {
        let pairs = decode_form(body.as_bytes()).into_iter();
        pairs
            .map(|(name, value)| (String::from_utf8_lossy(&name).into_owned(), value))
            .collect::<Vec<_>>()
    };
    for (body, value) in [
        ("Body=a+b%2Bc", b"a b+c".as_slice()),
        ("Body=%2525", b"%25"),
        ("Body=100%", b"100%"),
        ("Body=%zz%4", b"%zz%4"),
        ("Body=%ED%A0%80%00", b"\xed\xa0\x80\x00"),
        ("Body", b""),
        ("&&Body==&", b"="),
    ] {
        assert_eq!(
            decode(body),
            [("Body".to_owned(), value.to_vec())],
            "{body}"
        );
    }
}
