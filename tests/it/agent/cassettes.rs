//! Cassettes: what the servers that people run answer, word for word in the form that their makers
//! document, played to the whole loop. A cassette is a conversation's exchanges in order.

#![cfg(test)]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use anteroom::llm::openai::{OpenAi, Settings};
use secrecy::SecretString;
use serde_json::Value;
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::{Phone, Screened, draft};

const CASSETTES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/agent/cassettes");

/// Plays the answers in order; past the end the server has nothing to say.
struct Tape(Mutex<VecDeque<Value>>);

impl Respond for Tape {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let Some(next) = self.0.lock().unwrap().pop_front() else {
            return ResponseTemplate::new(404);
        };
        let status = u16::try_from(next["status"].as_u64().unwrap()).unwrap();
        let mut answer = ResponseTemplate::new(status);
        for (name, value) in next["headers"].as_object().into_iter().flatten() {
            answer = answer.insert_header(name.as_str(), value.as_str().unwrap());
        }
        answer.set_body_json(&next["body"])
    }
}

async fn server(cassette: &Value) -> (MockServer, Settings) {
    let server = MockServer::start().await;
    let azure = cassette["api_version"].as_str();
    let (at, base) = match azure {
        Some(_) => (
            "/openai/deployments/some-model/chat/completions",
            server.uri(),
        ),
        None => ("/v1/chat/completions", format!("{}/v1", server.uri())),
    };
    let exchanges = cassette["exchanges"].as_array().unwrap().clone();
    let mut mock = Mock::given(method("POST")).and(path(at));
    if let Some(version) = azure {
        mock = mock.and(query_param("api-version", version));
    }
    mock.respond_with(Tape(Mutex::new(exchanges.into())))
        .mount(&server)
        .await;
    let mut settings = Settings::new(&base, SecretString::from("sk-test"), "some-model", 7);
    settings.retry.base = Duration::from_millis(1);
    settings.retry.cap = Duration::from_millis(2);
    settings.azure = azure.map(str::to_owned);
    (server, settings)
}

#[tokio::test]
async fn the_answers_of_the_servers_that_people_run_end_in_a_true_text() {
    let mut played = 0;
    for file in std::fs::read_dir(CASSETTES).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let cassette: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let (server, settings) = server(&cassette).await;
        let model = OpenAi::new(settings).unwrap();
        let mut phone = Phone::of_maria();
        let text = cassette["text"].as_str().unwrap();
        let told = phone.says_to(text, Screened::default(), &model).await;
        assert_eq!(draft(&told), cassette["draft"].as_str().unwrap(), "{name}");
        let failed = told.model_error.map(|it| it.to_string());
        assert_eq!(
            failed.as_deref(),
            cassette["model_error"].as_str(),
            "{name}"
        );
        let received = server.received_requests().await.unwrap();
        let exchanges = cassette["exchanges"].as_array().unwrap();
        assert_eq!(received.len(), exchanges.len(), "{name}: played to its end");
        answered_calls(&name, &received);
        played += 1;
    }
    assert_eq!(played, 9);
}

/// Every call that goes back to a server has its answer behind it, by its id: servers refuse others.
fn answered_calls(name: &str, received: &[Request]) {
    for request in received {
        let body: Value = request.body_json().unwrap();
        let messages = body["messages"].as_array().unwrap();
        let calls = messages.iter().filter_map(|it| it["tool_calls"].as_array());
        let mut asked: Vec<&str> = calls
            .flatten()
            .map(|it| it["id"].as_str().unwrap())
            .collect();
        let answers = messages.iter().filter_map(|it| it["tool_call_id"].as_str());
        let mut answered: Vec<&str> = answers.collect();
        asked.sort_unstable();
        answered.sort_unstable();
        assert_eq!(asked, answered, "{name}");
        assert!(!asked.contains(&""), "{name}: a call has an id");
    }
}
