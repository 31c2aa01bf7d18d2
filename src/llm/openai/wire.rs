//! Requests and answers on the wire, read tolerantly: compatible servers differ in what they leave out.

use serde_json::{Value, json};

use crate::agent::ports::{Answer, Message, ModelError, Request, ToolCall};
use crate::domain::phi::Phi;
use crate::llm::openai::Settings;

/// Longest tool name that servers accept.
const TOOL_NAME_MAX: usize = 64;

/// The request. `store: false`: the provider keeps nothing for itself.
pub(super) fn body(request: &Request, messages: &[Message], settings: &Settings) -> Value {
    let mut all = vec![json!({ "role": "system", "content": request.system })];
    all.extend(messages.iter().map(message));
    let limit = if settings.legacy_max_tokens {
        "max_tokens"
    } else {
        "max_completion_tokens"
    };
    json!({
        "model": settings.model,
        "messages": all,
        "tools": tools(request),
        "tool_choice": "auto",
        "store": false,
        "stream": false,
        limit: request.answer_tokens_max,
    })
}

fn tools(request: &Request) -> Vec<Value> {
    let tool = |spec: &crate::agent::tools::ToolSpec| {
        let parameters: Value = serde_json::from_str(spec.parameters).unwrap_or_default();
        json!({ "type": "function", "function": {
            "name": spec.name, "description": spec.description, "parameters": parameters,
        }})
    };
    request.tools.iter().map(tool).collect()
}

/// The tools as text, for the budget.
pub(super) fn tools_text(request: &Request) -> Option<String> {
    serde_json::to_string(&tools(request)).ok()
}

fn message(message: &Message) -> Value {
    match message {
        Message::Patient(text) => {
            // A patient cannot close the mark from inside.
            let text = text.as_str().replace("patient_text>", "patient_text");
            let marked = format!("<patient_text>{text}</patient_text>");
            json!({ "role": "user", "content": marked })
        }
        Message::Agent(text) => json!({ "role": "assistant", "content": text.as_str() }),
        Message::ToolCalls(calls) => {
            let calls: Vec<Value> = calls.iter().map(tool_call).collect();
            json!({ "role": "assistant", "content": null, "tool_calls": calls })
        }
        Message::ToolResult { call_id, json, .. } => {
            json!({ "role": "tool", "tool_call_id": call_id, "content": json.as_str() })
        }
    }
}

/// Servers refuse a conversation with a broken call in it, so it is sent back without its faults.
fn tool_call(call: &ToolCall) -> Value {
    let arguments = call.arguments.as_str();
    let readable = serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok();
    let name: String = call
        .name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c))
        .take(TOOL_NAME_MAX)
        .collect();
    json!({ "id": call.id, "type": "function", "function": {
        "name": if name.is_empty() { "unknown" } else { &name },
        "arguments": if readable { arguments } else { "{}" },
    }})
}

/// The first choice: tools before text, the reason why it ended before both.
pub(super) fn answer(body: &Value) -> Result<Answer, ModelError> {
    let choice = body
        .get("choices")
        .and_then(|choices| choices.get(0))
        .ok_or(ModelError::Malformed)?;
    match choice.get("finish_reason").and_then(Value::as_str) {
        Some("length") => return Err(ModelError::Truncated),
        Some("content_filter") => return Err(ModelError::Filtered),
        _ => {}
    }
    let message = choice.get("message").ok_or(ModelError::Malformed)?;
    if message.get("refusal").and_then(Value::as_str).is_some() {
        return Err(ModelError::Filtered);
    }
    let calls = message.get("tool_calls").and_then(Value::as_array);
    if let Some(calls) = calls.filter(|calls| !calls.is_empty()) {
        let calls: Option<Vec<_>> = calls.iter().zip(1..).map(called).collect();
        return calls.map(Answer::Tools).ok_or(ModelError::Malformed);
    }
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect(),
        None | Some(Value::Null) => String::new(),
        Some(_) => return Err(ModelError::Malformed),
    };
    // Some servers leave a model's thoughts in the text; they are not for the patient.
    let spoken = text
        .rsplit_once("</think>")
        .map_or(text.as_str(), |(_, after)| after)
        .trim();
    if spoken.is_empty() {
        return Err(ModelError::Empty);
    }
    Ok(Answer::Text(Phi::from(spoken)))
}

fn called((call, number): (&Value, u32)) -> Option<ToolCall> {
    let function = call.get("function")?;
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(object) => object.to_string(),
    };
    Some(ToolCall {
        id: call
            .get("id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())
            .map_or_else(|| format!("call-{number}"), str::to_owned),
        name: function.get("name")?.as_str()?.to_owned(),
        arguments: Phi::new(arguments),
    })
}
