//! Bandwidth as the fake carrier speaks it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::carrier::fake::{Asked, Dialect, Filter, Post, Reply, Said, Sending, Text, Wish};
use crate::carrier::mac::basic_fits;
use crate::domain::message::Delivery;

/// One account on the fake Bandwidth.
#[derive(Debug)]
pub(super) struct FakeBandwidth {
    /// `/users/{accountId}`, behind whatever path the address has.
    pub(super) root: String,
    pub(super) application: String,
    pub(super) user: (String, SecretString),
    /// What webhooks come with.
    pub(super) hook: (String, SecretString),
    pub(super) texts_url: String,
    pub(super) reports_url: String,
    pub(super) base: String,
}

impl FakeBandwidth {
    fn post(&self, url: &str, event: Value) -> Post {
        let (user, password) = &self.hook;
        let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        Post {
            method: Method::POST,
            url: url.to_owned(),
            headers: vec![
                ("authorization", format!("Basic {pair}")),
                ("content-type", "application/json; charset=utf-8".to_owned()),
                ("user-agent", "BandwidthAPI/v2".to_owned()),
            ],
            // Always an array, whatever the description shows.
            body: Value::Array(vec![event]).to_string().into_bytes(),
        }
    }

    fn message(&self, text: &Text) -> Value {
        let here = text.files.iter();
        let here = here.map(|id| format!("{}{}/media/{id}", self.base, self.root));
        let media: Vec<String> = here.chain(text.sent.files.iter().cloned()).collect();
        let (direction, owner) = if text.inbound {
            ("in", &text.sent.to)
        } else {
            ("out", &text.sent.from)
        };
        json!({
            "id": text.id,
            "owner": owner,
            "applicationId": self.application,
            "time": format!("{:.3}", text.at),
            "segmentCount": 1,
            "direction": direction,
            "to": [text.sent.to],
            "from": text.sent.from,
            "text": text.sent.body,
            "media": media,
            "tag": text.sent.reference,
        })
    }
}

/// The texts of a list.
fn texts(list: Option<&Value>) -> Vec<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn refusal(status: StatusCode, kind: &str) -> Reply {
    let body = json!({"type": kind, "description": "refused by the fake carrier"});
    Reply::json(status, &body)
}

/// As Bandwidth's own: what was sent to whom, and not one word of it.
fn page(texts: &[Text]) -> Reply {
    let messages: Vec<Value> = texts
        .iter()
        .map(|it| {
            let status = match it.state {
                Delivery::Delivered | Delivery::Read => "DELIVERED",
                Delivery::Undelivered | Delivery::Failed | Delivery::Suppressed => "FAILED",
                Delivery::Sent => "SENT",
                Delivery::Sending => "SENDING",
                Delivery::Pending | Delivery::Accepted | Delivery::Queued | Delivery::Unknown => {
                    "QUEUED"
                }
            };
            json!({
                "messageId": it.id,
                "sourceTn": it.sent.from,
                "destinationTn": it.sent.to,
                "messageStatus": status,
                "messageDirection": if it.inbound { "INBOUND" } else { "OUTBOUND" },
                "errorCode": it.code.and_then(|code| code.parse::<u32>().ok()).unwrap_or(0),
            })
        })
        .collect();
    let body = json!({"totalCount": messages.len(), "pageInfo": {}, "messages": messages});
    Reply::json(StatusCode::OK, &body)
}

impl Dialect for FakeBandwidth {
    fn id(&self, number: u64, _sent: &Sending) -> String {
        format!("fake{number:025}")
    }

    fn codes(&self) -> (&'static str, &'static str) {
        ("4775", "4720")
    }

    fn read(&self, asked: &Asked<'_>) -> Option<Wish> {
        let path = asked.path.strip_prefix(&self.root)?;
        let (user, password) = &self.user;
        let given = asked.header("authorization").unwrap_or_default();
        if !basic_fits(given, &[(user, password)]) {
            return Some(Wish::Unauthorized);
        }
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        Some(match (asked.method.as_str(), parts.as_slice()) {
            ("POST", ["messages"]) => {
                let Ok(body) = serde_json::from_slice::<Value>(asked.body) else {
                    return Some(Wish::Refuse("request-validation"));
                };
                let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
                let to = body.pointer("/to/0").and_then(Value::as_str);
                let (Some(to), Some(from)) = (to, text("from")) else {
                    return Some(Wish::Refuse("request-validation"));
                };
                if text("applicationId").as_deref() != Some(self.application.as_str()) {
                    return Some(Wish::Refuse("request-validation"));
                }
                Wish::Send(Sending {
                    from,
                    to: to.to_owned(),
                    body: text("text").unwrap_or_default(),
                    reference: text("tag"),
                    files: texts(body.get("media")),
                    ..Sending::default()
                })
            }
            ("GET", ["messages"]) => match asked.param("messageId") {
                Some(id) => Wish::Look(id),
                None => Wish::List(Filter {
                    to: asked.param("destinationTn"),
                    from: asked.param("sourceTn"),
                    since: asked.param("fromDateTime").and_then(|it| it.parse().ok()),
                    page: (50, 0),
                    ..Filter::default()
                }),
            },
            ("GET" | "DELETE", ["media", id]) => Wish::File {
                id: (*id).to_owned(),
                delete: asked.method == Method::DELETE,
            },
            _ => Wish::Refuse("request-validation"),
        })
    }

    fn reply(&self, said: &Said<'_>) -> Reply {
        match said {
            Said::Taken(text) => Reply::json(StatusCode::ACCEPTED, &self.message(text)),
            Said::Files(text) => Reply::json(StatusCode::OK, &self.message(text)),
            Said::One(text) => page(std::slice::from_ref(*text)),
            Said::Page(texts, _, _) => page(texts),
            Said::Missing => refusal(StatusCode::NOT_FOUND, "not-found"),
            Said::Unauthorized => refusal(StatusCode::UNAUTHORIZED, "unauthorized"),
            Said::Refused(code) => refusal(StatusCode::BAD_REQUEST, code),
            Said::Busy(seconds) => {
                let mut reply = refusal(
                    StatusCode::TOO_MANY_REQUESTS,
                    "max-message-queue-size-exceeded",
                );
                reply.headers.push(("retry-after", seconds.to_string()));
                reply
            }
            Said::Broken => Reply::bare(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    fn report(&self, text: &Text, state: Delivery, now: Timestamp) -> Option<Post> {
        let kind = match state {
            Delivery::Queued | Delivery::Sending => "message-sending",
            Delivery::Sent => "message-sent",
            Delivery::Delivered => "message-delivered",
            Delivery::Undelivered | Delivery::Failed => "message-failed",
            Delivery::Pending
            | Delivery::Accepted
            | Delivery::Unknown
            | Delivery::Suppressed
            | Delivery::Read => return None,
        };
        let mut message = self.message(text);
        if let Some(fields) = message.as_object_mut() {
            fields.insert("text".to_owned(), "".into());
        }
        let mut event = json!({
            "type": kind,
            "time": format!("{now:.3}"),
            "description": "told by the fake carrier",
            "to": text.sent.to,
            "message": message,
        });
        if kind == "message-failed"
            && let Some(fields) = event.as_object_mut()
        {
            let code = text.code.and_then(|code| code.parse::<u32>().ok());
            fields.insert("errorCode".to_owned(), code.into());
        }
        Some(self.post(&self.reports_url, event))
    }

    fn bring(&self, text: &Text, now: Timestamp) -> Post {
        let event = json!({
            "type": "message-received",
            "time": format!("{now:.3}"),
            "description": "Incoming message received",
            "to": text.sent.to,
            "message": self.message(text),
        });
        self.post(&self.texts_url, event)
    }
}
