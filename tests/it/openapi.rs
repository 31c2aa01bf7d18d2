//! The description of the addresses for programs: whole, true, and held by a stranger's questions.

#![cfg(test)]

use std::collections::BTreeSet;
use std::process::Command;

use anteroom::guardrail::finding::{Action, Category, Confidence, Verdict};
use anteroom::guardrail::setting::Relation;
use anteroom::policy::words::{Channel, Language, Purpose};
use anteroom::web::openapi::DESCRIPTION;
use regex::Regex;
use serde_json::{Value, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::simulator::fake::{Fake, get};
use crate::support::server::Server;

/// What people open: pages, their files, and what only the pages' own scripts ask.
const PAGES: &[&str] = &[
    "/",
    "/p/{token}",
    "/p/{token}/reply",
    "/p/{token}/file/{id}",
    "/simulator",
    "/assets/{version}/{name}",
    "/chat/{practice}",
    "/chat/{practice}/widget.js",
    "/chat/{practice}/number",
    "/chat/{practice}/code",
    "/chat/{practice}/messages",
    "/chat/{practice}/events",
    "/chat/{practice}/here",
    "/chat/{practice}/session",
];

fn description() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

fn described() -> BTreeSet<String> {
    let paths = description()["paths"].as_object().unwrap().clone();
    paths.into_iter().map(|(path, _)| path).collect()
}

/// Every address that the program's text gives the router.
fn routed() -> BTreeSet<String> {
    let route = Regex::new(r#"\.route\(\s*(?:"([^"]+)"|chat::ADDRESS)"#).unwrap();
    let mut found = BTreeSet::new();
    for file in [
        "src/web/router.rs",
        "src/web/widget.rs",
        "src/web/console/mod.rs",
    ] {
        let text = std::fs::read_to_string(file).unwrap();
        for taken in route.captures_iter(&text) {
            let path = taken
                .get(1)
                .map_or("/v1/chat/completions", |it| it.as_str());
            found.insert(path.to_owned());
        }
    }
    found
}

#[test]
fn every_address_for_programs_is_described_and_no_other() {
    let routed = routed();
    assert!(
        routed.len() > 40,
        "the addresses are written otherwise now: {routed:?}"
    );
    let for_people = |path: &String| path.starts_with("/console") || PAGES.contains(&path.as_str());
    let for_programs: BTreeSet<_> = routed.into_iter().filter(|it| !for_people(it)).collect();
    assert_eq!(described(), for_programs);
}

#[test]
fn the_description_speaks_the_words_of_the_code() {
    let described = description();
    assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    let schemas = &described["components"]["schemas"];
    let words = |pointer: &str| schemas.pointer(pointer).unwrap().clone();
    macro_rules! all {
        ($word:ty) => {
            json!(
                <$word>::ALL
                    .iter()
                    .map(|it| it.as_str())
                    .collect::<Vec<_>>()
            )
        };
    }
    assert_eq!(words("/Finding/properties/category/enum"), all!(Category));
    assert_eq!(words("/Finding/properties/action/enum"), all!(Action));
    assert_eq!(
        words("/Finding/properties/confidence/enum"),
        all!(Confidence)
    );
    assert_eq!(words("/Verdict/enum"), all!(Verdict));
    assert_eq!(words("/Context/properties/channel/enum"), all!(Channel));
    assert_eq!(words("/Context/properties/language/enum"), all!(Language));
    assert_eq!(words("/Context/properties/purpose/enum"), all!(Purpose));
    assert_eq!(words("/Context/properties/relation/enum"), all!(Relation));
}

#[tokio::test]
async fn the_server_and_the_command_give_the_same_description() {
    let told = get(&Fake::new().router(), "/openapi.json").await;
    assert_eq!(told.status, 200);
    assert_eq!(told.header("content-type"), "application/json");
    assert_eq!(told.text(), DESCRIPTION);
    let folder = tempfile::tempdir().unwrap();
    let printed = crate::support::server::anteroom(folder.path())
        .arg("openapi")
        .output()
        .unwrap();
    assert!(printed.status.success());
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), DESCRIPTION);
}

/// A model server that always drafts the same.
async fn model() -> MockServer {
    let server = MockServer::start().await;
    let completion = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000_u64, "model": "m",
        "choices": [{ "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": "Please call us.", "refusal": null } }],
        "usage": { "prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13 },
    });
    let answer = ResponseTemplate::new(200).set_body_json(completion);
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

/// Schemathesis reads the description and asks a running server thousands of questions that fit it or
/// just do not: no 5xx, no undocumented status, media type, header or body, no key that is not asked for.
#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_gets_no_5xx_and_no_undocumented_answer() {
    let root = env!("CARGO_MANIFEST_DIR");
    let model = model().await;
    let folder = tempfile::tempdir().unwrap();
    let upstream = format!("{}/v1", model.uri());
    let server = Server::start_with(
        folder.path(),
        &[
            ("ANTEROOM_LLM__KIND", "openai"),
            ("ANTEROOM_LLM__BASE_URL", &upstream),
            ("ANTEROOM_LLM__API_KEY", "a-key-for-the-model-server"),
            (
                "ANTEROOM_GUARD__API_KEYS",
                r#"["a-key-of-the-practice-0123456789"]"#,
            ),
            ("ANTEROOM_LOG__LEVEL", "error"),
        ],
    );
    let asked = Command::new(format!("{root}/.venv/bin/schemathesis"))
        .current_dir(folder.path())
        .env(
            "SCHEMATHESIS_HOOKS",
            format!("{root}/tests/python/schemathesis_hooks.py"),
        )
        .args([
            "--config-file",
            &format!("{root}/tests/python/schemathesis.toml"),
            "run",
        ])
        .arg(format!("{}/openapi.json", server.base))
        .args([
            "--header",
            "Authorization: Bearer a-key-of-the-practice-0123456789",
        ])
        .args(["--max-examples", "20", "--generation-deterministic"])
        .output()
        .expect("schemathesis is not installed: run tests/install.sh");
    let told = String::from_utf8_lossy(&asked.stdout);
    assert!(
        asked.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&asked.stderr)
    );
    // A run that asked nothing would hold as well.
    let operations: usize = description()["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|path| path.as_object().unwrap().len())
        .sum();
    // All but the stream that does not end, and the description that it reads first.
    let tested = format!("Tested: {}", operations - 2);
    assert!(told.contains(&tested), "{told}");
}
