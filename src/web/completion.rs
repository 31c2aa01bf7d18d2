//! A chat completion, rebuilt from what may leave: cleared texts, tool calls, counts.

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Guardrail;
use crate::guardrail::wire::{CheckIn, ContextIn};
use crate::web::guard;
use crate::web::json;

/// What is repeated of the answer's head. Everything else a server may add (reasoning, log
/// probabilities, audio, annotations) could tell the draft before its review, and stays away.
const HEAD: &[&str] = &[
    "id",
    "created",
    "model",
    "system_fingerprint",
    "service_tier",
];

/// The ends that OpenAI's API knows.
const ENDS: &[&str] = &[
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "function_call",
];

/// Calls of the caller's tools; they are for programs, not for patients.
const CALLS: &[&str] = &["tool_calls", "function_call"];

/// A reviewed completion. No `Debug`: it holds what is meant for a patient.
pub(crate) struct Completion {
    head: Map<String, Value>,
    usage: Value,
    choices: Vec<Choice>,
}

struct Choice {
    index: u64,
    content: Value,
    refusal: Value,
    calls: Map<String, Value>,
    finish_reason: Value,
    /// What the review came to; null where there was no text to review.
    anteroom: Value,
}

impl Completion {
    /// Reads a model server's answer and reviews every text in it; none when it is no completion.
    pub(crate) fn cleared(
        answer: &[u8],
        context: &ContextIn,
        guardrail: &Guardrail,
    ) -> Option<Self> {
        let answer: Value = serde_json::from_slice(&json::without_lone_surrogates(answer)).ok()?;
        let mut head = Map::new();
        for key in HEAD {
            let value = answer.get(*key).filter(|it| it.is_string() || it.is_u64());
            if let Some(value) = value {
                head.insert((*key).to_owned(), value.clone());
            }
        }
        let given = answer.get("choices")?.as_array()?;
        let mut choices = Vec::with_capacity(given.len());
        for (place, choice) in (0..).zip(given) {
            choices.push(Choice::cleared(place, choice, context, guardrail)?);
        }
        let usage = answer.get("usage").filter(|it| it.is_object()).cloned();
        (!choices.is_empty()).then(|| Self {
            head,
            usage: usage.unwrap_or_default(),
            choices,
        })
    }

    /// The answer in one piece.
    pub(crate) fn as_json(&self) -> Value {
        let mut whole = self.head("chat.completion");
        let choices = self.choices.iter().map(Choice::as_json).collect();
        whole.insert("choices".to_owned(), choices);
        if self.usage.is_object() {
            whole.insert("usage".to_owned(), self.usage.clone());
        }
        Value::Object(whole)
    }

    /// The answer as server-sent events, as a client that asked for a stream reads it. Nothing of
    /// it is sent before all of it is cleared.
    pub(crate) fn as_stream(&self, with_usage: bool) -> Response {
        let mut events = String::new();
        let mut tell = |choices: Value, usage: Option<&Value>| {
            let mut chunk = self.head("chat.completion.chunk");
            chunk.insert("choices".to_owned(), choices);
            if let Some(usage) = usage {
                chunk.insert("usage".to_owned(), usage.clone());
            }
            events.push_str("data: ");
            events.push_str(&Value::Object(chunk).to_string());
            events.push_str("\n\n");
        };
        let none = with_usage.then_some(&Value::Null);
        for choice in &self.choices {
            for delta in choice.deltas() {
                tell(json!([delta]), none);
            }
        }
        if with_usage {
            tell(json!([]), Some(&self.usage));
        }
        events.push_str("data: [DONE]\n\n");
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        ([(CONTENT_TYPE, kind)], events).into_response()
    }

    fn head(&self, object: &str) -> Map<String, Value> {
        let mut head = self.head.clone();
        head.insert("object".to_owned(), object.into());
        head
    }
}

impl Choice {
    fn cleared(
        place: u64,
        given: &Value,
        context: &ContextIn,
        guardrail: &Guardrail,
    ) -> Option<Self> {
        let message = given.get("message")?.as_object()?;
        let mut calls = Map::new();
        for key in CALLS {
            if let Some(call) = message.get(*key).filter(|it| is_call(it)) {
                calls.insert((*key).to_owned(), call.clone());
            }
        }
        let end = given.get("finish_reason").and_then(Value::as_str);
        let end = end.filter(|end| ENDS.contains(end)).unwrap_or("stop");
        let mut choice = Self {
            index: given.get("index").and_then(Value::as_u64).unwrap_or(place),
            content: Value::Null,
            refusal: Value::Null,
            calls,
            finish_reason: end.into(),
            anteroom: Value::Null,
        };
        let content = said(message.get("content"));
        let refusal = message.get("refusal").and_then(Value::as_str);
        match (content, refusal.filter(|text| !text.trim().is_empty())) {
            (Said::Nothing, None) if !choice.calls.is_empty() => {}
            (Said::Nothing, Some(refusal)) => {
                choice.refusal = choice.review(refusal.to_owned(), context, guardrail);
            }
            (Said::Text(text), _) => {
                choice.content = choice.review(text, context, guardrail);
            }
            // Nothing that can be examined, and a review of nothing holds.
            (Said::Unreadable | Said::Nothing, _) => {
                choice.content = choice.review(String::new(), context, guardrail);
            }
        }
        Some(choice)
    }

    /// Reviews one text; what may stand in its place.
    fn review(&mut self, draft: String, context: &ContextIn, guardrail: &Guardrail) -> Value {
        let line = CheckIn {
            id: Value::Null,
            draft,
            context: context.clone(),
        };
        let out = guard::timed(guardrail, &line);
        self.anteroom = json!({
            "verdict": out.verdict,
            "findings": out.findings,
            "portal": out.portal,
            "policy": out.policy,
            "micros": out.micros,
        });
        match out.text {
            Some(text) if out.verdict != Verdict::Hold => text.into(),
            _ => {
                self.finish_reason = "content_filter".into();
                "".into()
            }
        }
    }

    fn as_json(&self) -> Value {
        let mut message = self.calls.clone();
        message.insert("role".to_owned(), "assistant".into());
        message.insert("content".to_owned(), self.content.clone());
        message.insert("refusal".to_owned(), self.refusal.clone());
        json!({
            "index": self.index,
            "message": message,
            "logprobs": null,
            "finish_reason": self.finish_reason,
            "anteroom": self.anteroom,
        })
    }

    /// The same in chunks: who speaks and what, each tool call, the end.
    fn deltas(&self) -> Vec<Value> {
        let delta = |delta: Value| json!({ "index": self.index, "delta": delta, "logprobs": null, "finish_reason": null });
        let mut deltas = vec![delta(json!({
            "role": "assistant",
            "content": self.content,
            "refusal": self.refusal,
        }))];
        let calls = self.calls.get("tool_calls").and_then(Value::as_array);
        for (place, call) in (0_u64..).zip(calls.into_iter().flatten()) {
            let mut call = call.clone();
            if let Some(call) = call.as_object_mut() {
                call.insert("index".to_owned(), place.into());
            }
            deltas.push(delta(json!({ "tool_calls": [call] })));
        }
        if let Some(call) = self.calls.get("function_call") {
            deltas.push(delta(json!({ "function_call": call })));
        }
        deltas.push(json!({
            "index": self.index,
            "delta": {},
            "logprobs": null,
            "finish_reason": self.finish_reason,
            "anteroom": self.anteroom,
        }));
        deltas
    }
}

/// What an assistant's `content` says.
enum Said {
    Nothing,
    Text(String),
    Unreadable,
}

/// A string, or a list of text parts as some servers send it.
fn said(content: Option<&Value>) -> Said {
    let text = match content {
        None | Some(Value::Null) => return Said::Nothing,
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let text = |part: &Value| match (part.get("type")?.as_str()?, part.get("text")?) {
                ("text" | "output_text", Value::String(text)) => Some(text.clone()),
                _ => None,
            };
            match parts.iter().map(text).collect::<Option<Vec<_>>>() {
                Some(texts) => texts.concat(),
                None => return Said::Unreadable,
            }
        }
        Some(_) => return Said::Unreadable,
    };
    if text.trim().is_empty() {
        Said::Nothing
    } else {
        Said::Text(text)
    }
}

fn is_call(value: &Value) -> bool {
    let calls = value.as_array();
    value.is_object()
        || calls.is_some_and(|calls| !calls.is_empty() && calls.iter().all(Value::is_object))
}
