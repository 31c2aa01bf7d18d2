//! Twilio as the fake carrier speaks it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha1::Sha1;
use url::Url;

use crate::carrier::fake::{Asked, Dialect, Filter, Post, Reply, Said, Sending, Text, Wish};
use crate::carrier::mac::basic_fits;
use crate::carrier::twilio::{REFERENCE, hook};
use crate::domain::message::Delivery;

/// One account on the fake Twilio.
#[derive(Debug)]
pub(super) struct FakeTwilio {
    pub(super) account: String,
    /// Users and passwords that may call.
    pub(super) users: Vec<(String, SecretString)>,
    /// The token that webhooks are signed with.
    pub(super) token: SecretString,
    /// Where texts are posted to, as the account was told.
    pub(super) texts_url: String,
    /// Where media lie: the address under which this server is reached.
    pub(super) base: String,
    pub(super) numbers: Vec<String>,
}

const ID_DIGITS: usize = 32;

impl FakeTwilio {
    fn root(&self) -> String {
        format!("/2010-04-01/Accounts/{}", self.account)
    }

    fn sign(&self, url: &str, fields: &[(&str, String)]) -> Post {
        let mut sorted: Vec<_> = fields.iter().map(|(name, value)| (*name, value)).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let address = url.split('#').next().unwrap_or_default();
        let mut signature = String::new();
        if let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(self.token.expose_secret().as_bytes()) {
            mac.update(address.as_bytes());
            for (name, value) in sorted {
                mac.update(name.as_bytes());
                mac.update(value.as_bytes());
            }
            signature = STANDARD.encode(mac.finalize().into_bytes());
        }
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Post {
            method: Method::POST,
            url: address.to_owned(),
            headers: vec![
                (
                    "content-type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
                ("user-agent", "TwilioProxy/1.1".to_owned()),
                ("x-twilio-signature", signature),
            ],
            body: body.into_bytes(),
        }
    }

    fn message(&self, text: &Text) -> Value {
        let date = rfc2822::to_string(&text.at.to_zoned(TimeZone::UTC)).unwrap_or_default();
        let spell = |number: &str| address(text, number);
        json!({
            "sid": text.id,
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": text.sent.body,
            "from": spell(&text.sent.from),
            "to": spell(&text.sent.to),
            "direction": if text.inbound { "inbound" } else { "outbound-api" },
            "status": if text.inbound { "received" } else { status(text.state) },
            "error_code": text.code.and_then(|code| code.parse::<u32>().ok()),
            "error_message": null,
            "num_media": (text.files.len() + text.sent.files.len()).to_string(),
            "num_segments": "1",
            "date_created": date,
            "date_sent": date,
            "date_updated": date,
            "price": null,
            "price_unit": "USD",
            "messaging_service_sid": null,
            "uri": format!("{}/Messages/{}.json", self.root(), text.id),
            "subresource_uris": {
                "media": format!("{}/Messages/{}/Media.json", self.root(), text.id),
            },
        })
    }

    fn send(&self, asked: &Asked<'_>) -> Wish {
        let strip = |text: &str| text.strip_prefix(hook::WHATSAPP).unwrap_or(text).to_owned();
        let Some(to) = asked.field("To").filter(|to| !to.is_empty()) else {
            return Wish::Refuse("21604");
        };
        let from = asked.field("From").unwrap_or_default();
        if from.is_empty() && asked.field("MessagingServiceSid").is_none() {
            return Wish::Refuse("21603");
        }
        // Nothing may wait there past an opt-out, nor be spelled anew.
        let never = ["ScheduleType", "SendAt", "SmartEncoded"];
        if never.iter().any(|name| asked.field(name).is_some()) {
            return Wish::Refuse("21602");
        }
        let template = asked.field("ContentSid");
        let body = asked.field("Body").unwrap_or_default();
        if body.is_empty() && template.is_none() && asked.field("MediaUrl").is_none() {
            return Wish::Refuse("21602");
        }
        if body.chars().count() > super::TEXT_CHARS_MAX {
            return Wish::Refuse("21617");
        }
        if !self.numbers.contains(&strip(&from)) && !from.is_empty() {
            return Wish::Refuse("21606");
        }
        let callback = asked.field("StatusCallback");
        let reference = callback.as_ref().and_then(|url| {
            let url = Url::parse(url).ok()?;
            let (_, value) = url.query_pairs().find(|(name, _)| name == REFERENCE)?;
            Some(value.into_owned())
        });
        Wish::Send(Sending {
            whatsapp: to.starts_with(hook::WHATSAPP),
            from: strip(&from),
            to: strip(&to),
            body: match asked.field("ContentVariables") {
                Some(variables) if body.is_empty() => variables,
                _ => body,
            },
            template,
            files: asked.fields("MediaUrl"),
            callback,
            reference,
            ..Sending::default()
        })
    }

    fn list(asked: &Asked<'_>) -> Wish {
        let strip = |text: String| {
            text.strip_prefix(hook::WHATSAPP)
                .unwrap_or(&text)
                .to_owned()
        };
        let size = asked.param("PageSize").and_then(|it| it.parse().ok());
        let size = size.unwrap_or(50).clamp(1, 1_000);
        let skip = asked.param("PageToken").and_then(|it| it.parse().ok());
        let since = asked.param("DateSent>").and_then(|it| it.parse().ok());
        Wish::List(Filter {
            whatsapp: asked.param("To").map(|to| to.starts_with(hook::WHATSAPP)),
            to: asked.param("To").map(strip),
            from: asked.param("From").map(strip),
            since,
            reference: None,
            mms: None,
            page: (size, skip.unwrap_or(0)),
        })
    }
}

fn address(text: &Text, number: &str) -> String {
    if text.sent.whatsapp {
        format!("{}{number}", hook::WHATSAPP)
    } else {
        number.to_owned()
    }
}

const fn status(state: Delivery) -> &'static str {
    match state {
        Delivery::Pending | Delivery::Unknown | Delivery::Accepted => "accepted",
        Delivery::Queued => "queued",
        Delivery::Sending => "sending",
        Delivery::Sent => "sent",
        Delivery::Suppressed | Delivery::Failed => "failed",
        Delivery::Undelivered => "undelivered",
        Delivery::Delivered => "delivered",
        Delivery::Read => "read",
    }
}

fn refusal(status: StatusCode, code: &str) -> Reply {
    let number = code.parse::<u32>().unwrap_or(0);
    Reply::json(
        status,
        &json!({
            "code": number,
            "message": "refused by the fake carrier",
            "more_info": format!("https://www.twilio.com/docs/errors/{number}"),
            "status": status.as_u16(),
        }),
    )
}

impl Dialect for FakeTwilio {
    fn id(&self, number: u64, _sent: &Sending) -> String {
        format!("SM{number:0ID_DIGITS$x}")
    }

    fn codes(&self) -> (&'static str, &'static str) {
        ("21610", "30003")
    }

    fn repeats(&self) -> bool {
        false
    }

    fn read(&self, asked: &Asked<'_>) -> Option<Wish> {
        let root = self.root();
        let path = asked.path.strip_prefix(&root)?;
        let users: Vec<_> = self.users.iter().map(|(user, it)| (&**user, it)).collect();
        let given = asked.header("authorization").unwrap_or_default();
        if !basic_fits(given, &users) {
            return Some(Wish::Unauthorized);
        }
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        Some(match (asked.method.as_str(), parts.as_slice()) {
            ("GET", [".json"]) => Wish::Say(Reply::json(
                StatusCode::OK,
                &json!({"sid": self.account, "status": "active", "type": "Full"}),
            )),
            ("GET", ["IncomingPhoneNumbers.json"]) => {
                let number = asked.param("PhoneNumber").unwrap_or_default();
                let found: Vec<Value> = self
                    .numbers
                    .iter()
                    .filter(|it| **it == number)
                    .map(|_| json!({"sms_url": self.texts_url, "sms_method": "POST"}))
                    .collect();
                let body = json!({"incoming_phone_numbers": found});
                Wish::Say(Reply::json(StatusCode::OK, &body))
            }
            ("POST", ["Messages.json"]) => self.send(asked),
            ("GET", ["Messages.json"]) => Self::list(asked),
            ("GET", ["Messages", id, "Media.json"]) => Wish::Files((*id).to_owned()),
            ("GET" | "DELETE", ["Messages", _, "Media", file]) => Wish::File {
                id: file.trim_end_matches(".json").to_owned(),
                delete: asked.method == Method::DELETE,
            },
            ("GET", ["Messages", id]) => Wish::Look(id.trim_end_matches(".json").to_owned()),
            ("POST", ["Messages", id]) if asked.field("Body").as_deref() == Some("") => {
                Wish::Redact(id.trim_end_matches(".json").to_owned())
            }
            _ => Wish::Refuse("20404"),
        })
    }

    fn reply(&self, said: &Said<'_>) -> Reply {
        match said {
            Said::Taken(text) => {
                let mut message = self.message(text);
                if let Some(fields) = message.as_object_mut() {
                    fields.insert("status".to_owned(), "queued".into());
                    fields.insert("error_code".to_owned(), Value::Null);
                }
                Reply::json(StatusCode::CREATED, &message)
            }
            Said::One(text) => Reply::json(StatusCode::OK, &self.message(text)),
            Said::Page(texts, more, filter) => {
                let (size, skip) = filter.page;
                let mut query = form_urlencoded::Serializer::new(String::new());
                query.append_pair("PageSize", &size.to_string());
                query.append_pair("PageToken", &(skip + size).to_string());
                for (name, value) in [("To", &filter.to), ("From", &filter.from)] {
                    if let Some(value) = value {
                        let whatsapp = filter.whatsapp == Some(true);
                        let prefix = if whatsapp { hook::WHATSAPP } else { "" };
                        query.append_pair(name, &format!("{prefix}{value}"));
                    }
                }
                if let Some(since) = filter.since {
                    query.append_pair("DateSent>", &since.to_string());
                }
                let next = format!("{}/Messages.json?{}", self.root(), query.finish());
                let messages: Vec<Value> = texts.iter().map(|it| self.message(it)).collect();
                let body = json!({
                    "messages": messages, "page_size": size,
                    "next_page_uri": more.then_some(next),
                });
                Reply::json(StatusCode::OK, &body)
            }
            Said::Files(text) => {
                let files: Vec<Value> = text
                    .files
                    .iter()
                    .map(|id| {
                        let uri = format!("{}/Messages/{}/Media/{id}.json", self.root(), text.id);
                        json!({"sid": id, "content_type": "image/jpeg", "uri": uri})
                    })
                    .collect();
                Reply::json(StatusCode::OK, &json!({"media_list": files}))
            }
            Said::Missing => refusal(StatusCode::NOT_FOUND, "20404"),
            Said::Unauthorized => refusal(StatusCode::UNAUTHORIZED, "20003"),
            Said::Refused(code) => refusal(StatusCode::BAD_REQUEST, code),
            Said::Busy(seconds) => {
                let mut reply = refusal(StatusCode::TOO_MANY_REQUESTS, "20429");
                reply.headers.push(("retry-after", seconds.to_string()));
                reply
            }
            Said::Broken => Reply::bare(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    fn report(&self, text: &Text, state: Delivery, _now: Timestamp) -> Option<Post> {
        let callback = text.sent.callback.as_ref()?;
        let mut fields = vec![
            ("AccountSid", self.account.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("From", address(text, &text.sent.from)),
            ("MessageSid", text.id.clone()),
            ("MessageStatus", status(state).to_owned()),
            ("SmsSid", text.id.clone()),
            ("SmsStatus", status(state).to_owned()),
            ("To", address(text, &text.sent.to)),
        ];
        if let Some(code) = text.code.filter(|_| state == Delivery::Undelivered) {
            fields.push(("ErrorCode", code.to_owned()));
        }
        Some(self.sign(callback, &fields))
    }

    fn bring(&self, text: &Text, _now: Timestamp) -> Post {
        let mut fields = vec![
            ("AccountSid", self.account.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("Body", text.sent.body.clone()),
            ("From", address(text, &text.sent.from)),
            ("MessageSid", text.id.clone()),
            ("NumMedia", text.files.len().to_string()),
            ("NumSegments", "1".to_owned()),
            ("SmsMessageSid", text.id.clone()),
            ("SmsSid", text.id.clone()),
            ("SmsStatus", "received".to_owned()),
            ("To", address(text, &text.sent.to)),
        ];
        if let Some(payload) = &text.sent.button {
            fields.push(("ButtonPayload", payload.clone()));
            fields.push(("ButtonText", text.sent.body.clone()));
        }
        let files: Vec<(String, String)> = text
            .files
            .iter()
            .enumerate()
            .map(|(number, id)| {
                let root = self.root();
                let at = format!("{}{root}/Messages/{}/Media/{id}", self.base, text.id);
                (format!("MediaUrl{number}"), at)
            })
            .collect();
        let kinds: Vec<String> = (0..files.len())
            .map(|number| format!("MediaContentType{number}"))
            .collect();
        for ((name, address), kind) in files.iter().zip(&kinds) {
            fields.push((name, address.clone()));
            fields.push((kind, "image/jpeg".to_owned()));
        }
        self.sign(&self.texts_url, &fields)
    }
}
