//! The guard over HTTP: who may ask, what a broken question is told, and what a model server's drafts become.

#![cfg(test)]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anteroom::llm::openai::BadSettings;
use anteroom::llm::upstream::{Fault, Upstream};
use anteroom::web::gate::{GuardSettings, Peer};
use anteroom::web::router::router;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use secrecy::SecretString;
use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::simulator::fake::{Fake, Told, ask};
use crate::support::server::Server;

const KEY: &str = "a-key-of-the-practice-0123456789";
const CHECK: &str = "/v1/guard/check";
const CHAT: &str = "/v1/chat/completions";
const CLEAN: &str = "See you Wednesday at 3 PM with Dr. Ana Reyes.";
const CLINICAL: &str = "Your metformin 500 mg refill is ready.";
const ADVICE: &str = "You should stop taking your lisinopril.";

fn door(guard: GuardSettings) -> Router {
    let fake = Fake::new();
    let mut settings = fake.settings();
    settings.guard = guard;
    router(Arc::clone(&fake) as _, settings)
}

fn open() -> Router {
    door(GuardSettings {
        open_here: true,
        ..GuardSettings::default()
    })
}

fn keyed() -> Router {
    let keys = ["another-key-of-the-practice-987", KEY];
    door(GuardSettings {
        api_keys: keys.map(SecretString::from).to_vec(),
        ..GuardSettings::default()
    })
}

fn context() -> Value {
    json!({
        "practice": {
            "name": "Lakeside Family Medicine",
            "phone": "+14155550100",
            "type": "primary_care",
            "portal_url": "https://portal.example.com",
        },
        "channel": "sms", "consent": "granted", "state": "CA", "language": "en",
        "timezone": "America/Los_Angeles", "now": "2026-12-01T10:00:00-08:00", "purpose": "reply",
        "facts": [
            { "field": "appointment.start", "value": "2026-12-02T15:00:00-08:00" },
            { "field": "appointment.provider", "value": "Dr. Ana Reyes" },
        ],
    })
}

fn line(draft: &str) -> Value {
    json!({ "id": "7", "draft": draft, "context": context() })
}

async fn post(router: &Router, path: &str, headers: &[(&str, &str)], body: String) -> Told {
    let here: IpAddr = "127.0.0.1".parse().unwrap();
    post_from(router, Some(here), path, headers, body).await
}

async fn post_from(
    router: &Router,
    peer: Option<IpAddr>,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Told {
    let mut request = Request::post(path);
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::from(body)).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer));
    }
    ask(router, request).await
}

#[tokio::test]
async fn a_draft_is_answered_as_the_command_answers_it() {
    let router = open();
    for (draft, verdict, text) in [
        (CLEAN, "pass", true),
        (CLINICAL, "rewrite", true),
        (ADVICE, "hold", false),
        ("", "hold", false),
        (r"half 😀 a pair", "pass", true),
    ] {
        let told = post(&router, CHECK, &[], line(draft).to_string()).await;
        assert_eq!(told.status, 200, "{}", told.text());
        let out = told.json();
        assert_eq!(out["id"], "7");
        assert_eq!(out["verdict"], verdict, "{draft}: {out}");
        assert_eq!(out["text"].is_string(), text, "{out}");
        assert!(out["micros"].as_u64().unwrap() > 0);
        assert_eq!(out["policy"].as_str().unwrap().len(), 64);
    }
    let out = post(&router, CHECK, &[], line(CLINICAL).to_string())
        .await
        .json();
    assert_eq!(out["portal"], CLINICAL);
    assert!(!out["text"].as_str().unwrap().contains("metformin"));
    let first = &out["findings"][0];
    assert_eq!((&first["start"], &first["end"]), (&json!(5), &json!(14)));
    let lone = line("x")
        .to_string()
        .replace("\"x\"", r#""See you soon \ud83d!""#);
    assert_eq!(post(&router, CHECK, &[], lone).await.status, 200);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_broken_check_names_the_key_and_never_the_value() {
    let with = |pointer: &str, key: &str, value: Value| {
        let mut line = line(CLEAN);
        let at = line.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        at.insert(key.to_owned(), value);
        line.to_string()
    };
    let without = |pointer: &str, key: &str| {
        let mut line = line(CLEAN);
        let at = line.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        at.remove(key).unwrap();
        line.to_string()
    };
    let marta = || json!("Marta Quispe");
    let (c, p) = ("/context", "/context/practice");
    let cases = [
        (
            with("", "drfat", marta()),
            422,
            "unknown key `drfat`; expected one of `id`, `draft`, `context`",
        ),
        (
            with(c, "constent", marta()),
            422,
            "unknown key `constent` in `context`",
        ),
        (
            with(p, "url", marta()),
            422,
            "unknown key `url` in `context.practice`",
        ),
        (
            with("/context/facts/1", "Marta Quispe", json!(1)),
            422,
            "unknown key `(not a word)` in `context.facts[1]`",
        ),
        (
            with("", "draft", json!({"Marta": "Quispe"})),
            422,
            "`draft` has a value that cannot be read",
        ),
        (
            with("", "draft", Value::Null),
            422,
            "`draft` has a value that cannot be read; expected a string",
        ),
        (
            with(c, "consent", marta()),
            422,
            "`context.consent` has a value that cannot be read; expected one of `granted`, `none`",
        ),
        (
            with(c, "consent", json!("x`, expected Marta Quispe")),
            422,
            "expected one of `granted`",
        ),
        (with(c, "channel", marta()), 422, "`context.channel`"),
        (with(c, "language", marta()), 422, "`context.language`"),
        (with(c, "purpose", marta()), 422, "`context.purpose`"),
        (with(c, "state", marta()), 422, "`context.state`"),
        (with(c, "now", marta()), 422, "`context.now`"),
        (with(c, "facts", marta()), 422, "`context.facts`"),
        (
            with(p, "phone", json!(["Marta Quispe"])),
            422,
            "`context.practice.phone`",
        ),
        (without("", "id"), 422, "the key `id` is missing"),
        (
            without(c, "consent"),
            422,
            "the key `consent` in `context` is missing",
        ),
        (
            without(p, "type"),
            422,
            "the key `type` in `context.practice` is missing",
        ),
        (
            r#"{"id":1,"id":2}"#.to_owned(),
            422,
            "the key `id` stands there twice",
        ),
        (r#"["Marta Quispe"]"#.to_owned(), 422, ""),
        (
            r#""Marta Quispe""#.to_owned(),
            422,
            "the body is not a JSON object",
        ),
        (
            String::new(),
            400,
            "the body is not JSON (line 1, column 0)",
        ),
        (
            "Marta Quispe".to_owned(),
            400,
            "the body is not JSON (line 1, column 1)",
        ),
        (
            format!("{0}\n{0}", line(CLEAN)),
            400,
            "more than one JSON object; send one",
        ),
        (
            line(&"a".repeat(64 * 1024)).to_string(),
            413,
            "the body is larger than 64 KiB",
        ),
    ];
    let router = open();
    for (body, status, detail) in cases {
        let told = post(&router, CHECK, &[], body.clone()).await;
        let shown: String = body.chars().take(200).collect();
        assert_eq!(told.status, status, "{shown}: {}", told.text());
        assert_eq!(told.header("content-type"), "application/problem+json");
        let problem = told.json();
        assert!(
            problem["detail"].as_str().unwrap().contains(detail),
            "{shown}: {problem}"
        );
        assert!(!told.text().contains("Quispe"), "{shown}: {problem}");
    }
    let told = post(
        &router,
        CHECK,
        &[("content-type", "text/plain")],
        line(CLEAN).to_string(),
    )
    .await;
    assert_eq!(told.status, 415);
    let request = Request::get(CHECK).body(Body::empty()).unwrap();
    assert_eq!(ask(&router, request).await.status, 405);
    let mut request = Request::get(CHAT).body(Body::empty()).unwrap();
    request
        .extensions_mut()
        .insert(Peer("::1".parse().unwrap()));
    let told = ask(&router, request).await;
    assert_eq!(told.status, 405);
    assert_eq!(told.json()["error"]["type"], "invalid_request_error");
}

/// What, at which door, from where, with which headers, and the status.
type Knock<'a> = (&'a str, Router, &'a str, &'a [(&'a str, &'a str)], u16);

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_stranger_is_turned_away_before_the_body_is_read() {
    let bearer = format!("Bearer {KEY}");
    let lower = format!("bearer {KEY}");
    let wrong = format!("Bearer {KEY}x");
    let basic = format!("Basic {KEY}");
    let off = || door(GuardSettings::default());
    let no: &[(&str, &str)] = &[];
    let (here, six, mapped) = ("127.0.0.1", "::1", "::ffff:127.0.0.1");
    let cases: &[Knock<'_>] = &[
        ("real, no key", off(), here, no, 404),
        (
            "real, any key",
            off(),
            here,
            &[("authorization", "Bearer ")],
            404,
        ),
        ("simulator, here", open(), here, no, 200),
        ("simulator, here by IPv6", open(), six, no, 200),
        (
            "simulator, here by a mapped address",
            open(),
            mapped,
            no,
            200,
        ),
        ("simulator, elsewhere", open(), "192.0.2.7", no, 401),
        (
            "simulator, elsewhere by IPv6",
            open(),
            "2001:db8::7",
            no,
            401,
        ),
        (
            "simulator, behind a proxy",
            open(),
            here,
            &[("x-forwarded-for", "192.0.2.7")],
            401,
        ),
        (
            "simulator, behind another",
            open(),
            here,
            &[("forwarded", "for=192.0.2.7")],
            401,
        ),
        (
            "simulator, a web page",
            open(),
            here,
            &[("origin", "http://127.0.0.1:8080")],
            401,
        ),
        (
            "key",
            keyed(),
            "192.0.2.7",
            &[("authorization", &bearer)],
            200,
        ),
        (
            "key, scheme in lower case",
            keyed(),
            here,
            &[("authorization", &lower)],
            200,
        ),
        ("no key from here", keyed(), here, no, 401),
        (
            "wrong key",
            keyed(),
            here,
            &[("authorization", &wrong)],
            401,
        ),
        (
            "empty key",
            keyed(),
            here,
            &[("authorization", "Bearer ")],
            401,
        ),
        ("short", keyed(), here, &[("authorization", "B")], 401),
        (
            "wrong scheme",
            keyed(),
            here,
            &[("authorization", &basic)],
            401,
        ),
        (
            "two",
            keyed(),
            here,
            &[("authorization", &bearer), ("authorization", &bearer)],
            401,
        ),
    ];
    for (what, router, peer, headers, status) in cases {
        let peer: IpAddr = peer.parse().unwrap();
        let told = post_from(router, Some(peer), CHECK, headers, line(CLEAN).to_string()).await;
        assert_eq!(told.status, *status, "{what}: {}", told.text());
        if *status != 200 {
            assert_eq!(
                told.header("content-type"),
                "application/problem+json",
                "{what}"
            );
            let asks = if *status == 401 { "Bearer" } else { "" };
            assert_eq!(told.header("www-authenticate"), asks, "{what}");
            let told = post_from(router, Some(peer), CHAT, headers, "nonsense".to_owned()).await;
            assert_eq!(told.status, *status, "{what}");
            assert!(
                told.json()["error"]["message"].is_string(),
                "{what}: {}",
                told.text()
            );
        }
        assert!(!told.text().contains(KEY), "{what}");
    }
    let unknown = post_from(&open(), None, CHECK, no, line(CLEAN).to_string()).await;
    assert_eq!(
        unknown.status, 401,
        "a connection nobody vouches for is not this machine"
    );
    let huge = "a".repeat(2 * 1024 * 1024);
    assert_eq!(post(&keyed(), CHECK, no, huge).await.status, 401);
}

#[tokio::test]
async fn without_a_model_server_a_chat_is_told_what_to_set() {
    let told = post(&open(), CHAT, &[], json!({"messages": []}).to_string()).await;
    assert_eq!(told.status, 503);
    let error = &told.json()["error"];
    assert_eq!(error["code"], "upstream_missing");
    assert!(
        error["message"].as_str().unwrap().contains("[llm]"),
        "{error}"
    );
}

/// A model server that says what its last message asks for.
async fn model_server() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .and(header("authorization", "Bearer sk-of-the-house"))
        .respond_with(|request: &wiremock::Request| answer(&request.body_json().unwrap()))
        .mount(&server)
        .await;
    server
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn answer(request: &Value) -> ResponseTemplate {
    assert_eq!(request["stream"], false, "{request}");
    for ours in ["anteroom", "stream_options"] {
        assert!(request.get(ours).is_none(), "{request}");
    }
    let last = request["messages"].as_array().unwrap().last().unwrap();
    let last = last["content"].as_str().unwrap();
    let (what, rest) = last.split_once(' ').unwrap_or((last, ""));
    let error = |status, error: Value| {
        ResponseTemplate::new(status).set_body_json(json!({ "error": error }))
    };
    let text = |text: &str| json!({ "role": "assistant", "content": text });
    let call = json!([{ "id": "call_1", "type": "function",
        "function": { "name": "slots", "arguments": "{\"day\":\"2026-12-02\"}" } }]);
    let message = match what {
        "say" => text(rest),
        "parts" => json!({ "role": "assistant", "content": [{ "type": "text", "text": rest }] }),
        "picture" => json!({ "role": "assistant", "content": [{ "type": "image", "text": rest }] }),
        "refuse" => json!({ "role": "assistant", "content": null, "refusal": rest }),
        "think" => json!({ "role": "assistant", "content": CLEAN, "reasoning_content": rest,
            "reasoning": rest, "annotations": [rest], "audio": { "transcript": rest } }),
        "tools" if request["tools"].is_array() => {
            json!({ "role": "assistant", "content": null, "tool_calls": call })
        }
        "both" => json!({ "role": "assistant", "content": rest, "tool_calls": call }),
        "nothing" => json!({ "role": "assistant", "content": null, "tool_calls": [] }),
        "limit" => {
            return error(
                429,
                json!({ "message": rest, "code": "rate_limit_exceeded" }),
            )
            .insert_header("retry-after", "7");
        }
        "refused" => {
            return error(
                rest.parse().unwrap(),
                json!({ "message": "secret words", "code": "two words", "param": "messages[0].content" }),
            );
        }
        "html" => return ResponseTemplate::new(200).set_body_string("<html>secret words</html>"),
        "empty" => return ResponseTemplate::new(200).set_body_json(json!({ "choices": [] })),
        "moved" => {
            return ResponseTemplate::new(302).insert_header("location", "http://192.0.2.1/");
        }
        "long" => return ResponseTemplate::new(200).set_body_string(" ".repeat(4_000_001)),
        other => panic!("{other}"),
    };
    let end = if message["tool_calls"].is_array() {
        "tool_calls"
    } else {
        "stop"
    };
    let choice = |index: u64, message: &Value| {
        json!({ "index": index, "message": message, "finish_reason": end,
            "logprobs": { "content": [{ "token": rest }] } })
    };
    let choices: Vec<Value> = match request["n"].as_u64() {
        None => vec![choice(0, &message)],
        Some(count) => (0..count)
            .map(|index| {
                choice(
                    index,
                    &if index == 1 {
                        text(ADVICE)
                    } else {
                        message.clone()
                    },
                )
            })
            .collect(),
    };
    ResponseTemplate::new(200).set_body_json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000_u64,
        "model": request["model"], "choices": choices, "x_debug": rest,
        "usage": { "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13 },
    }))
}

/// The binary in front of a model server.
struct Gateway {
    upstream: MockServer,
    server: Server,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Gateway {
    async fn start(keys: &str) -> Self {
        let upstream = model_server().await;
        let folder = tempfile::tempdir().unwrap();
        let base = format!("{}/v1/", upstream.uri());
        let server = Server::start_with(
            folder.path(),
            &[
                ("ANTEROOM_LLM__BASE_URL", &base),
                ("ANTEROOM_LLM__API_KEY", "sk-of-the-house"),
                ("ANTEROOM_LLM__MODEL", "a-model"),
                ("ANTEROOM_GUARD__API_KEYS", keys),
            ],
        );
        Self {
            upstream,
            server,
            http: reqwest::Client::builder().build().unwrap(),
            _folder: folder,
        }
    }

    async fn post(&self, request: &Value) -> reqwest::Response {
        let url = format!("{}{CHAT}", self.server.base);
        self.http.post(url).json(request).send().await.unwrap()
    }

    async fn chat(&self, words: &str, more: &Value) -> (u16, Value) {
        let answer = self.post(&asking(words, more)).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn asking(words: &str, more: &Value) -> Value {
    let mut request = json!({ "messages": [{ "role": "user", "content": words }] });
    let fields = request.as_object_mut().unwrap();
    fields.append(&mut more.as_object().unwrap().clone());
    request
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_draft_of_a_model_server_leaves_cleared_or_not_at_all() {
    let gateway = Gateway::start("[]").await;
    let granted = json!({ "anteroom": context() });
    let link =
        "Your refill is ready. Details are in your secure message: https://portal.example.com";
    let cases = [
        ("say", CLEAN, &granted, "pass", "stop", CLEAN),
        ("parts", CLEAN, &granted, "pass", "stop", CLEAN),
        ("think", CLINICAL, &granted, "pass", "stop", CLEAN),
        ("say", CLINICAL, &granted, "rewrite", "stop", link),
        ("say", ADVICE, &granted, "hold", "content_filter", ""),
        ("picture", CLINICAL, &granted, "hold", "content_filter", ""),
        ("nothing", "", &granted, "hold", "content_filter", ""),
        // The configured setting: nobody has agreed to anything, and no visit is known.
        ("say", CLEAN, &json!({}), "hold", "content_filter", ""),
        ("say", CLINICAL, &json!({}), "hold", "content_filter", ""),
        (
            "say",
            "We are open Mon-Fri 8:00 AM-6:00 PM.",
            &json!({}),
            "pass",
            "stop",
            "We are open Mon-Fri 8:00 AM-6:00 PM.",
        ),
        // Part of a setting goes over the configured one.
        (
            "say",
            CLEAN,
            &json!({ "anteroom": { "consent": "granted", "now": context()["now"], "facts": context()["facts"] } }),
            "pass",
            "stop",
            CLEAN,
        ),
        (
            "say",
            CLEAN,
            &json!({ "metadata": { "anteroom": context().to_string() } }),
            "pass",
            "stop",
            CLEAN,
        ),
        (
            "say",
            CLEAN,
            &json!({ "metadata": { "anteroom": json!({ "consent": "opted_out" }).to_string(), "x": "y" } }),
            "hold",
            "content_filter",
            "",
        ),
    ];
    for (what, draft, more, verdict, end, content) in cases {
        let (status, out) = gateway.chat(&format!("{what} {draft}"), more).await;
        assert_eq!(status, 200, "{what} {draft}: {out}");
        let choice = &out["choices"][0];
        assert_eq!(
            choice["anteroom"]["verdict"], verdict,
            "{what} {draft}: {out}"
        );
        assert_eq!(choice["finish_reason"], end, "{what} {draft}: {out}");
        assert_eq!(
            choice["message"]["content"], content,
            "{what} {draft}: {out}"
        );
        assert_eq!(out["model"], "a-model");
        assert_eq!(out["usage"]["total_tokens"], 13);
        let portal = if verdict == "rewrite" {
            json!(CLINICAL)
        } else {
            Value::Null
        };
        assert_eq!(choice["anteroom"]["portal"], portal);
        if verdict != "rewrite" {
            assert!(!out.to_string().contains("metformin"), "{what}: {out}");
        }
    }
    let (_, out) = gateway.chat(&format!("refuse {CLEAN}"), &granted).await;
    assert_eq!(out["choices"][0]["message"]["refusal"], CLEAN);
    assert_eq!(out["choices"][0]["message"]["content"], Value::Null);
    let log = gateway.server.log();
    for secret in ["metformin", "lisinopril", "sk-of-the-house"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    for request in gateway.upstream.received_requests().await.unwrap() {
        let body = request.body_json::<Value>().unwrap();
        let metadata = body.get("metadata");
        assert!(
            metadata.is_none_or(|it| *it == json!({ "x": "y" })),
            "{body}"
        );
    }
    gateway.server.stop();
}

#[tokio::test]
async fn tool_calls_pass_untouched_and_each_choice_is_reviewed() {
    let gateway = Gateway::start("[]").await;
    let mut more = json!({ "anteroom": context(), "tools": [{ "type": "function", "function": { "name": "slots" } }] });
    let call = json!([{ "id": "call_1", "type": "function",
        "function": { "name": "slots", "arguments": "{\"day\":\"2026-12-02\"}" } }]);
    for (words, content, end, verdict) in [
        ("tools".to_owned(), Value::Null, "tool_calls", Value::Null),
        (
            format!("both {CLEAN}"),
            json!(CLEAN),
            "tool_calls",
            json!("pass"),
        ),
        (
            format!("both {ADVICE}"),
            json!(""),
            "content_filter",
            json!("hold"),
        ),
    ] {
        let (_, out) = gateway.chat(&words, &more).await;
        let choice = &out["choices"][0];
        assert_eq!(choice["message"]["tool_calls"], call, "{words}: {out}");
        assert_eq!(choice["message"]["content"], content, "{words}");
        assert_eq!(choice["finish_reason"], end, "{words}");
        assert_eq!(
            choice["anteroom"]
                .get("verdict")
                .cloned()
                .unwrap_or_default(),
            verdict
        );
    }
    more["n"] = json!(3);
    let (_, out) = gateway.chat(&format!("say {CLEAN}"), &more).await;
    let ends: Vec<&Value> = (0..3)
        .map(|at| &out["choices"][at]["finish_reason"])
        .collect();
    assert_eq!(ends, ["stop", "content_filter", "stop"], "{out}");
    assert!(!out.to_string().contains("lisinopril"), "{out}");
    gateway.server.stop();
}

#[tokio::test]
async fn a_stream_comes_only_when_the_whole_draft_is_cleared() {
    let gateway = Gateway::start("[]").await;
    let mut more = json!({ "anteroom": context(), "stream": true, "stream_options": { "include_usage": true }, "tools": [] });
    for (words, content, end, calls) in [
        (format!("say {CLEAN}"), CLEAN, "stop", 0),
        (format!("say {ADVICE}"), "", "content_filter", 0),
        ("tools".to_owned(), "", "tool_calls", 1),
    ] {
        let answer = gateway.post(&asking(&words, &more)).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.headers()["content-type"],
            "text/event-stream; charset=utf-8"
        );
        let text = answer.text().await.unwrap();
        let events: Vec<&str> = text
            .split_terminator("\n\n")
            .map(|it| it.strip_prefix("data: ").unwrap())
            .collect();
        let (done, chunks) = events.split_last().unwrap();
        assert_eq!(*done, "[DONE]");
        let chunks: Vec<Value> = chunks
            .iter()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        let said: String = chunks
            .iter()
            .filter_map(|it| it["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(said, content, "{words}");
        let called: Vec<&Value> = chunks
            .iter()
            .filter_map(|it| it["choices"][0]["delta"].get("tool_calls"))
            .collect();
        assert_eq!(called.len(), calls, "{words}");
        assert!(
            called
                .iter()
                .all(|it| it[0]["index"] == 0 && it[0]["id"] == "call_1")
        );
        let ends: Vec<&str> = chunks
            .iter()
            .filter_map(|it| it["choices"][0]["finish_reason"].as_str())
            .collect();
        assert_eq!(ends, [end], "{words}");
        let (last, before) = chunks.split_last().unwrap();
        assert_eq!(
            (&last["choices"], &last["usage"]["total_tokens"]),
            (&json!([]), &json!(13))
        );
        assert!(
            before
                .iter()
                .all(|it| it["object"] == "chat.completion.chunk"
                    && it.get("usage") == Some(&Value::Null))
        );
        assert!(!text.contains("lisinopril"), "{text}");
    }
    more["stream_options"] = Value::Null;
    let text = gateway
        .post(&asking(&format!("say {CLEAN}"), &more))
        .await
        .text()
        .await
        .unwrap();
    assert!(!text.contains("usage"), "{text}");
    let failed = gateway.post(&asking("refused 500", &more)).await;
    assert_eq!(failed.status(), 500);
    assert!(failed.json::<Value>().await.unwrap()["error"].is_object());
    gateway.server.stop();
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_fault_of_a_chat_has_a_status_and_our_own_words() {
    let gateway = Gateway::start("[]").await;
    let none = json!({});
    let cases = [
        (
            "limit secret words",
            &none,
            429,
            "rate_limit_error",
            "rate_limit_exceeded",
        ),
        ("refused 400", &none, 400, "invalid_request_error", ""),
        ("refused 404", &none, 404, "invalid_request_error", ""),
        ("refused 401", &none, 502, "server_error", "upstream_auth"),
        ("refused 403", &none, 502, "server_error", "upstream_auth"),
        ("refused 500", &none, 500, "server_error", ""),
        ("refused 503", &none, 503, "server_error", ""),
        ("moved", &none, 502, "server_error", ""),
        ("html", &none, 502, "server_error", "upstream_malformed"),
        ("empty", &none, 502, "server_error", "upstream_malformed"),
        ("long", &none, 502, "server_error", "upstream_too_long"),
        (
            "say x",
            &json!({ "anteroom": { "consent": "secret words" } }),
            400,
            "invalid_request_error",
            "",
        ),
        (
            "say x",
            &json!({ "anteroom": { "constent": "secret words" } }),
            400,
            "invalid_request_error",
            "",
        ),
        (
            "say x",
            &json!({ "anteroom": "secret words" }),
            400,
            "invalid_request_error",
            "",
        ),
        (
            "say x",
            &json!({ "anteroom": {}, "metadata": { "anteroom": "{}" } }),
            400,
            "invalid_request_error",
            "",
        ),
        (
            "say x",
            &json!({ "stream": "secret words" }),
            400,
            "invalid_request_error",
            "",
        ),
        (
            "say x",
            &json!({ "logprobs": true }),
            400,
            "invalid_request_error",
            "",
        ),
        (
            "say x",
            &json!({ "audio": { "voice": "alloy" } }),
            400,
            "invalid_request_error",
            "",
        ),
        (
            "say x",
            &json!({ "messages": "secret words" }),
            400,
            "invalid_request_error",
            "",
        ),
    ];
    for (words, more, status, kind, code) in cases {
        let (got, out) = gateway.chat(words, more).await;
        let error = &out["error"];
        assert_eq!(got, status, "{words} {more}: {out}");
        assert_eq!(error["type"], kind, "{words} {more}: {out}");
        assert_eq!(
            error["code"].as_str().unwrap_or(""),
            code,
            "{words} {more}: {out}"
        );
        assert!(error["message"].is_string(), "{out}");
        assert!(!out.to_string().contains("secret words"), "{out}");
    }
    let answer = gateway.post(&asking("limit", &none)).await;
    assert_eq!(answer.headers()["retry-after"], "7");
    let (_, out) = gateway.chat("refused 400", &none).await;
    assert_eq!(out["error"]["param"], "messages[0].content");
    assert!(!gateway.server.log().contains("secret words"));
    gateway.server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_gets_answers_tools_streams_and_errors() {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/.venv/bin/python");
    let client = format!("{root}/tests/python/openai_client.py");
    assert!(
        std::path::Path::new(&python).exists(),
        "the `openai` package is not installed: run tests/install.sh"
    );
    let gateway = Gateway::start(&format!("[\"{KEY}\"]")).await;
    let output = std::process::Command::new(python)
        .arg(client)
        .args([
            &format!("{}/v1", gateway.server.base),
            KEY,
            &context().to_string(),
        ])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{errors}");
    let link =
        "Your refill is ready. Details are in your secure message: https://portal.example.com";
    assert_eq!(
        told.lines().collect::<Vec<_>>(),
        [
            &format!("plain: stop pass {CLEAN}"),
            &format!("rewritten: stop rewrite {link}"),
            &format!("behind the link: {CLINICAL}"),
            "held: content_filter hold '' medical_advice",
            "tools: tool_calls slots {\"day\":\"2026-12-02\"} None",
            &format!("stream: {CLEAN} stop 13"),
            "stream held: '' content_filter",
            "stream tools: slots {\"day\":\"2026-12-02\"} tool_calls",
            &format!("stream helper: {CLEAN} stop chunk content.delta content.done"),
            "after a tool: stop pass",
            "choices: stop content_filter stop",
            "async: stop pass",
            "429: RateLimitError rate_limit_exceeded",
            "500: InternalServerError",
            "400: BadRequestError anteroom",
            "401: AuthenticationError",
        ]
    );
    gateway.server.stop();
}

#[tokio::test]
async fn a_model_server_that_is_late_gone_or_misnamed_is_told_apart() {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    Mock::given(method("POST"))
        .respond_with(late)
        .mount(&server)
        .await;
    let none = SecretString::default();
    let brief = Duration::from_millis(50);
    let upstream = Upstream::new((&server.uri(), None), &none, "m", brief).unwrap();
    assert_eq!(upstream.complete(Vec::new()).await, Err(Fault::Timeout));
    let sent = server.received_requests().await.unwrap();
    assert!(!sent[0].headers.contains_key("authorization"));
    // Bound and let go: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let upstream = Upstream::new((&gone, None), &none, "m", Duration::from_secs(5)).unwrap();
    assert_eq!(upstream.complete(Vec::new()).await, Err(Fault::Unreachable));
    for (base, key, want) in [
        ("", "", BadSettings::Address),
        ("api.example.com/v1", "", BadSettings::Address),
        ("ftp://api.example.com", "", BadSettings::Address),
        ("https://api.example.com", "a\nb", BadSettings::Key),
    ] {
        let made = Upstream::new((base, None), &SecretString::from(key), "m", brief);
        assert_eq!(made.unwrap_err(), want, "{base}");
    }
}
