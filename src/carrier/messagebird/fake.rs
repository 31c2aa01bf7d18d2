//! `MessageBird`'s classic API as the fake carrier speaks it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::carrier::fake::{Asked, Dialect, Filter, Post, Reply, Said, Sending, Text, Wish};
use crate::carrier::mac;
use crate::domain::message::Delivery;

/// Seconds for which a token is good.
const TOKEN_S: i64 = 60;

/// One account on the fake `MessageBird`.
#[derive(Debug)]
pub(super) struct FakeMessagebird {
    pub(super) access_key: SecretString,
    pub(super) signing_key: SecretString,
    pub(super) texts_url: String,
}

fn bare(number: &str) -> &str {
    number.trim_start_matches('+')
}

impl FakeMessagebird {
    fn sign(&self, method: Method, url: String, body: Vec<u8>, now: Timestamp, id: &str) -> Post {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let seconds = now.as_second();
        let mut claims = json!({
            "iss": "MessageBird",
            "nbf": seconds,
            "exp": seconds + TOKEN_S,
            "jti": hex::encode(mac::digest(format!("{id} {url} {now}").as_bytes())),
            "url_hash": hex::encode(mac::digest(url.as_bytes())),
        });
        if !body.is_empty()
            && let Some(fields) = claims.as_object_mut()
        {
            let hash = hex::encode(mac::digest(&body));
            fields.insert("payload_hash".to_owned(), hash.into());
        }
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let mut token = format!("{}.{}", encode(&header), encode(&claims));
        let key = self.signing_key.expose_secret().as_bytes();
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
            mac.update(token.as_bytes());
            token.push('.');
            token.push_str(&URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
        }
        let mut headers = vec![("messagebird-signature-jwt", token)];
        if !body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        Post {
            method,
            url,
            headers,
            body,
        }
    }

    fn message(text: &Text, state: Delivery) -> Value {
        json!({
            "id": text.id,
            "href": format!("https://rest.messagebird.com/messages/{}", text.id),
            "direction": if text.inbound { "mo" } else { "mt" },
            "type": if text.sent.files.is_empty() { "sms" } else { "mms" },
            "mediaUrls": text.sent.files,
            "originator": bare(&text.sent.from),
            "body": text.sent.body,
            "reference": text.sent.reference,
            "createdDatetime": format!("{:.0}", text.at),
            "recipients": {
                "totalCount": 1,
                "totalSentCount": 1,
                "totalDeliveredCount": u8::from(state == Delivery::Delivered),
                "totalDeliveryFailedCount": u8::from(state == Delivery::Undelivered),
                "items": [{
                    "recipient": bare(&text.sent.to).parse::<u64>().unwrap_or(0),
                    "status": status(state),
                    "statusDatetime": format!("{:.0}", text.at),
                    "statusErrorCode": text.code.and_then(|code| code.parse::<u32>().ok()),
                }],
            },
        })
    }
}

const fn status(state: Delivery) -> &'static str {
    match state {
        Delivery::Pending | Delivery::Unknown | Delivery::Accepted => "scheduled",
        Delivery::Queued | Delivery::Sending => "buffered",
        Delivery::Sent => "sent",
        Delivery::Delivered | Delivery::Read => "delivered",
        Delivery::Undelivered | Delivery::Suppressed | Delivery::Failed => "delivery_failed",
    }
}

fn refusal(status: StatusCode, code: u32) -> Reply {
    let body = json!({"errors": [{
        "code": code, "description": "refused by the fake carrier", "parameter": null,
    }]});
    Reply::json(status, &body)
}

impl Dialect for FakeMessagebird {
    fn id(&self, number: u64, _sent: &Sending) -> String {
        format!("{number:032x}")
    }

    fn codes(&self) -> (&'static str, &'static str) {
        ("103", "1")
    }

    fn refuses_opted_out(&self) -> bool {
        false
    }

    fn repeats(&self) -> bool {
        false
    }

    fn read(&self, asked: &Asked<'_>) -> Option<Wish> {
        let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
        if !matches!(parts.first(), Some(&"messages" | &"mms" | &"balance")) {
            return None;
        }
        let right = format!("AccessKey {}", self.access_key.expose_secret());
        let given = asked.header("authorization").unwrap_or_default();
        if !mac::same(given.as_bytes(), right.as_bytes()) {
            return Some(Wish::Unauthorized);
        }
        Some(match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["balance"]) => Wish::Say(Reply::json(
                StatusCode::OK,
                &json!({"payment": "prepaid", "type": "credits", "amount": 100}),
            )),
            ("POST", ["messages" | "mms"]) => {
                let Ok(body) = serde_json::from_slice::<Value>(asked.body) else {
                    return Some(Wish::Refuse("21"));
                };
                let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
                // A list of numbers or texts, or, as the official client has it, one text with commas.
                let to = body.get("recipients");
                let to = to.and_then(|it| it.get(0)).or(to);
                let to = to.map(|to| match to.as_str() {
                    Some(text) => text.split(',').next().unwrap_or_default().to_owned(),
                    None => to.to_string(),
                });
                let (Some(to), Some(from), Some(words)) = (to, text("originator"), text("body"))
                else {
                    return Some(Wish::Refuse("9"));
                };
                let reference = text("reference");
                let files = body.get("mediaUrls").and_then(Value::as_array);
                let files = files.into_iter().flatten().filter_map(Value::as_str);
                let files: Vec<String> = files.map(str::to_owned).collect();
                // An MMS is one by its files, and names no address for reports.
                let picture = asked.path.ends_with("mms");
                if picture == files.is_empty() {
                    return Some(Wish::Refuse("10"));
                }
                Wish::Send(Sending {
                    from: format!("+{}", bare(&from)),
                    to: format!("+{}", bare(&to)),
                    body: words,
                    // As the real one: without a reference there are no reports.
                    callback: text("reportUrl").filter(|_| reference.is_some() && !picture),
                    files,
                    reference,
                    ..Sending::default()
                })
            }
            ("GET", [resource @ ("messages" | "mms")]) => {
                let number = |name: &str| asked.param(name).and_then(|it| it.parse().ok());
                Wish::List(Filter {
                    to: asked.param("recipient").map(|to| format!("+{}", bare(&to))),
                    mms: Some(*resource == "mms"),
                    page: (number("limit").unwrap_or(20), number("offset").unwrap_or(0)),
                    ..Filter::default()
                })
            }
            ("GET", ["messages" | "mms", id]) => Wish::Look((*id).to_owned()),
            _ => Wish::Refuse("20"),
        })
    }

    fn reply(&self, said: &Said<'_>) -> Reply {
        match said {
            Said::Taken(text) => {
                let message = Self::message(text, Delivery::Sent);
                Reply::json(StatusCode::CREATED, &message)
            }
            Said::One(text) | Said::Files(text) => {
                Reply::json(StatusCode::OK, &Self::message(text, text.state))
            }
            Said::Page(texts, _, filter) => {
                let items: Vec<Value> = texts
                    .iter()
                    .map(|text| Self::message(text, text.state))
                    .collect();
                let body = json!({
                    "offset": filter.page.1, "limit": filter.page.0,
                    "count": items.len(), "totalCount": items.len(), "items": items,
                });
                Reply::json(StatusCode::OK, &body)
            }
            Said::Missing => refusal(StatusCode::NOT_FOUND, 20),
            Said::Unauthorized => refusal(StatusCode::UNAUTHORIZED, 2),
            Said::Refused(code) => {
                refusal(StatusCode::UNPROCESSABLE_ENTITY, code.parse().unwrap_or(10))
            }
            Said::Busy(seconds) => {
                let mut reply = refusal(StatusCode::TOO_MANY_REQUESTS, 99);
                reply.headers.push(("retry-after", seconds.to_string()));
                reply
            }
            Said::Broken => Reply::bare(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    fn report(&self, text: &Text, state: Delivery, now: Timestamp) -> Option<Post> {
        let callback = text.sent.callback.as_ref()?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("id", &text.id);
        query.append_pair("recipient", bare(&text.sent.to));
        query.append_pair("status", status(state));
        query.append_pair("statusDatetime", &format!("{now:.0}"));
        if let Some(reference) = &text.sent.reference {
            query.append_pair("reference", reference);
        }
        if let Some(code) = text.code.filter(|_| state == Delivery::Undelivered) {
            query.append_pair("statusErrorCode", code);
        }
        let url = format!("{callback}?{}", query.finish());
        Some(self.sign(Method::GET, url, Vec::new(), now, &text.id))
    }

    fn bring(&self, text: &Text, now: Timestamp) -> Post {
        let body = json!({
            "id": text.id,
            "originator": bare(&text.sent.from),
            "recipient": bare(&text.sent.to),
            "body": text.sent.body,
            "createdDatetime": format!("{now:.0}"),
        });
        let body = body.to_string().into_bytes();
        self.sign(Method::POST, self.texts_url.clone(), body, now, &text.id)
    }
}
