//! Recording: what the models of a turn were sent, kept so that the same bytes can be made again.
//!
//! A conversation grows from one question to the next, so each is kept as what it adds to the one
//! before. Tools and templates are the program's own: their digests are kept beside, not they.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::agent::ports::{Message, Model, Request, ToolCall};
use crate::agent::prompts::Wording;
use crate::agent::tools::TOOLS;
use crate::domain::conversation::PendingKind;
use crate::domain::phi::Phi;
use crate::policy::words::Language;

/// One question to a model.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Which model, and on which host where it is not this machine: `offline`, `gpt-...@api...`.
    pub model: String,
    /// What it was asked.
    pub request: Request,
    /// SHA-256 of the bytes that went out, in hexadecimal.
    pub sha256: String,
}

/// A recording that this program cannot read: one of a newer program, or a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recording of this turn cannot be read; was it kept by a newer version?")]
pub struct Unreadable;

/// A model as a recording names it.
pub fn name(model: &dyn Model) -> String {
    match model.host() {
        Some(host) => format!("{}@{host}", model.name()),
        None => model.name().to_owned(),
    }
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &str) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A request as JSON, for models that are sent nothing over a wire.
pub fn plain(model: &str, request: &Request) -> Phi<String> {
    let messages: Vec<Kept> = request.messages.iter().map(Kept::of).collect();
    let tools: Vec<serde_json::Value> = request
        .tools
        .iter()
        .map(|it| serde_json::json!({ "name": it.name, "description": it.description, "parameters": it.parameters }))
        .collect();
    let body = serde_json::json!({
        "model": model,
        "system": request.system,
        "messages": messages,
        "tools": tools,
        "language": request.language,
        "now": request.now,
        "timezone": request.timezone,
        "answer_tokens_max": request.answer_tokens_max,
        "for_patient": request.for_patient,
        "open": request.open,
        "affirmed": request.affirmed,
    });
    Phi::new(body.to_string())
}

/// The questions of a turn as JSON, to be sealed.
pub fn keep(sent: &[Sent]) -> Phi<String> {
    let mut rounds = Vec::new();
    let mut before: Option<&Request> = None;
    for one in sent {
        let request = &one.request;
        let old: &[Message] = before.map_or(&[], |it| &it.messages);
        let same = old
            .iter()
            .zip(&request.messages)
            .take_while(|(old, new)| old == new)
            .count();
        let said = before.map_or("", |it| it.system.as_str());
        let (keeps, adds) = match request.system.strip_prefix(said) {
            Some(adds) => (said.len(), adds),
            None => (0, request.system.as_str()),
        };
        rounds.push(Round {
            model: one.model.clone(),
            sha256: one.sha256.clone(),
            system_keeps: keeps,
            system_adds: adds.to_owned(),
            keeps: same,
            adds: request.messages.iter().skip(same).map(Kept::of).collect(),
            language: request.language,
            now: request.now,
            timezone: request.timezone.clone(),
            answer_tokens_max: request.answer_tokens_max,
            for_patient: request.for_patient,
            open: request.open,
            affirmed: request.affirmed,
        });
        before = Some(request);
    }
    Phi::new(serde_json::to_string(&rounds).unwrap_or_default())
}

/// The questions of a turn, from what [`keep`] made.
pub fn read(kept: &Phi<String>) -> Result<Vec<Sent>, Unreadable> {
    let rounds: Vec<Round> = serde_json::from_str(kept.as_str()).map_err(|_detail| Unreadable)?;
    let mut all: Vec<Sent> = Vec::new();
    for round in rounds {
        let before = all.last().map(|it| &it.request);
        let said = before.map_or("", |it| it.system.as_str());
        let mut system = said.get(..round.system_keeps).ok_or(Unreadable)?.to_owned();
        system.push_str(&round.system_adds);
        let old: &[Message] = before.map_or(&[], |it| &it.messages);
        let mut messages = old.get(..round.keeps).ok_or(Unreadable)?.to_vec();
        messages.extend(round.adds.into_iter().map(Kept::open));
        all.push(Sent {
            model: round.model,
            sha256: round.sha256,
            request: Request {
                system,
                messages,
                tools: TOOLS,
                language: round.language,
                now: round.now,
                timezone: round.timezone,
                answer_tokens_max: round.answer_tokens_max,
                wording: Wording::default(),
                for_patient: round.for_patient,
                open: round.open,
                affirmed: round.affirmed,
            },
        });
    }
    Ok(all)
}

/// A question as it is kept. No `Debug`: it holds what a patient wrote.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Round {
    model: String,
    sha256: String,
    system_keeps: usize,
    system_adds: String,
    keeps: usize,
    adds: Vec<Kept>,
    language: Language,
    now: Timestamp,
    timezone: String,
    answer_tokens_max: u32,
    for_patient: bool,
    open: Option<PendingKind>,
    affirmed: bool,
}

/// A message as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
enum Kept {
    Patient {
        text: String,
    },
    Agent {
        text: String,
    },
    Calls {
        calls: Vec<KeptCall>,
    },
    Tool {
        id: String,
        tool: String,
        json: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptCall {
    id: String,
    name: String,
    arguments: String,
}

impl Kept {
    fn of(message: &Message) -> Self {
        let plain = |text: &Phi<String>| text.as_str().to_owned();
        match message {
            Message::Patient(text) => Self::Patient { text: plain(text) },
            Message::Agent(text) => Self::Agent { text: plain(text) },
            Message::ToolCalls(calls) => Self::Calls {
                calls: calls
                    .iter()
                    .map(|it| KeptCall {
                        id: it.id.clone(),
                        name: it.name.clone(),
                        arguments: plain(&it.arguments),
                    })
                    .collect(),
            },
            Message::ToolResult {
                call_id,
                tool,
                json,
            } => Self::Tool {
                id: call_id.clone(),
                tool: tool.clone(),
                json: plain(json),
            },
        }
    }

    fn open(self) -> Message {
        match self {
            Self::Patient { text } => Message::Patient(Phi::new(text)),
            Self::Agent { text } => Message::Agent(Phi::new(text)),
            Self::Calls { calls } => Message::ToolCalls(
                calls
                    .into_iter()
                    .map(|it| ToolCall {
                        id: it.id,
                        name: it.name,
                        arguments: Phi::new(it.arguments),
                    })
                    .collect(),
            ),
            Self::Tool { id, tool, json } => Message::ToolResult {
                call_id: id,
                tool,
                json: Phi::new(json),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(system: &str, messages: Vec<Message>) -> Request {
        Request {
            system: system.to_owned(),
            messages,
            tools: TOOLS,
            language: Language::Es,
            now: "2026-11-29T18:00:00Z".parse().unwrap(),
            timezone: "America/Los_Angeles".to_owned(),
            answer_tokens_max: 700,
            wording: Wording::default(),
            for_patient: true,
            open: Some(PendingKind::CancelConfirm),
            affirmed: true,
        }
    }

    #[test]
    fn what_is_kept_makes_the_same_bytes_again() {
        let asked = vec![
            Message::Agent("Hola.".into()),
            Message::Patient("¿Cuándo es mi cita? \"ya\"".into()),
        ];
        let call = ToolCall {
            id: "c1".to_owned(),
            name: "list_appointments".to_owned(),
            arguments: "{}".into(),
        };
        let told = Message::ToolResult {
            call_id: "c1".to_owned(),
            tool: "list_appointments".to_owned(),
            json: r#"{"appointments":[]}"#.into(),
        };
        let mut more = asked.clone();
        more.extend([Message::ToolCalls(vec![call]), told]);
        let veiled = vec![Message::Patient("{said1.day: a day}".into())];
        let requests = [
            request("Be brief.", asked),
            request("Be brief.", more.clone()),
            request("Be brief.\nWrite another one.", more),
            request("Said otherwise, día.", veiled),
            request("", Vec::new()),
        ];
        let sent: Vec<Sent> = requests
            .into_iter()
            .map(|request| Sent {
                model: "some-model@llm.example.com".to_owned(),
                sha256: sha256(plain("some-model", &request).as_str()),
                request,
            })
            .collect();
        let kept = keep(&sent);
        let again = read(&kept).unwrap();
        assert_eq!(again.len(), sent.len());
        for (then, now) in sent.iter().zip(&again) {
            let bytes = |it: &Sent| plain("some-model", &it.request);
            assert_eq!(bytes(then), bytes(now));
            assert_eq!(now.sha256, sha256(bytes(now).as_str()));
        }
        // What the second question shares with the first is kept once.
        assert_eq!(kept.as_str().matches("¿Cuándo").count(), 1);
    }

    #[test]
    fn a_damaged_recording_is_refused() {
        for damaged in ["", "{}", r#"[{"model":"offline"}]"#] {
            assert_eq!(read(&damaged.into()).err(), Some(Unreadable), "{damaged}");
        }
        let one = Sent {
            model: "offline".to_owned(),
            sha256: String::new(),
            request: request("Be brief.", Vec::new()),
        };
        let kept = keep(&[one]);
        let shifted = kept.as_str().replace("\"keeps\":0", "\"keeps\":9");
        assert_eq!(read(&shifted.into()).err(), Some(Unreadable));
    }
}
