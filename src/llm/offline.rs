//! The offline model: deterministic rules over the same requests and tools as a language model.

mod days;
mod elided;
mod intent;
mod others;
mod plan;
mod reply;
mod rules;
mod words;

pub use days::Wish;
pub use elided::{asks_of_visit, speaks_of_waitlist, takes_off};
pub use intent::{Closing, Topic, closing};
pub use others::{Spoken, speaks_of};

use crate::agent::ports::{Answer, BoxFuture, Message, Model, ModelError, Request};
use crate::domain::conversation::PendingKind;
use crate::domain::phi::Phi;

/// Understands the front desk's everyday questions in English and Spanish, and fills templates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Offline {
    /// The model.
    pub const fn new() -> Self {
        Self
    }
}

/// What is asked about: texts since our last answer, and what tools gave for them.
struct Turn<'a> {
    request: &'a Request,
    texts: Vec<&'a str>,
    last_said: &'a str,
    results: Vec<(&'a str, serde_json::Value)>,
}

impl<'a> Turn<'a> {
    fn of(request: &'a Request) -> Self {
        let said = request
            .messages
            .iter()
            .rposition(|message| matches!(message, Message::Agent(_)));
        let mut turn = Self {
            request,
            texts: Vec::new(),
            last_said: "",
            results: Vec::new(),
        };
        for (index, message) in request.messages.iter().enumerate() {
            match message {
                Message::Agent(text) => turn.last_said = text.as_str(),
                Message::Patient(text) if Some(index) > said => turn.texts.push(text.as_str()),
                Message::ToolResult { tool, json, .. } if Some(index) > said => {
                    let json = serde_json::from_str(json.as_str()).unwrap_or_default();
                    turn.results.push((tool, json));
                }
                Message::Patient(_) | Message::ToolCalls(_) | Message::ToolResult { .. } => {}
            }
        }
        turn
    }

    /// Whether one of our last texts told of a visit or offered times.
    fn told_visit(&self) -> bool {
        const VISIT: &[&str] = &[
            "1) ",
            "our visit ",
            "our next visit",
            "u cita",
            "iguiente cita",
            "iguientes citas",
            "You will see",
        ];
        // Who waits for a call tells when to call.
        const CALLS: &[&str] = &["call you", "le llame"];
        if self.asks_for_new() {
            return true;
        }
        if CALLS.iter().any(|words| self.last_said.contains(words)) {
            return false;
        }
        let said = self
            .request
            .messages
            .iter()
            .rev()
            .filter_map(|message| match message {
                Message::Agent(text) => Some(text.as_str()),
                Message::Patient(_) | Message::ToolCalls(_) | Message::ToolResult { .. } => None,
            });
        said.take(5)
            .any(|text| VISIT.iter().any(|word| text.contains(word)))
    }

    /// Whether our last text offered times for a new visit.
    fn offered_new(&self) -> bool {
        const NEW: &[&str] = &[
            "new visit: 1)",
            "new visit. The nearest: 1)",
            "nueva cita: 1)",
            "nueva cita. Horas cercanas: 1)",
        ];
        NEW.iter().any(|words| self.last_said.contains(words))
    }

    /// Whether our last text was the reminder of a visit.
    fn reminded(&self) -> bool {
        ["or MOVE for", "o CAMBIAR para"]
            .iter()
            .any(|words| self.last_said.contains(words))
    }

    /// Whether we asked if a new time is wanted.
    fn asks_for_new(&self) -> bool {
        self.request.open == Some(PendingKind::NewVisit)
    }

    /// Whether a time that became free was offered.
    fn offered_freed(&self) -> bool {
        self.request.open == Some(PendingKind::SlotOffer)
    }

    /// Whether our last text told of something done.
    fn done(&self) -> bool {
        const DONE: &[&str] = &["Done.", "Listo.", "is cancelled", "cancelada"];
        DONE.iter().any(|word| self.last_said.contains(word))
    }

    /// What a tool gave, the last time.
    fn result(&self, tool: &str) -> Option<&serde_json::Value> {
        self.results
            .iter()
            .rev()
            .find(|(name, _)| *name == tool)
            .map(|(_, json)| json)
    }
}

impl Model for Offline {
    fn name(&self) -> &'static str {
        "offline"
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(async move {
            let turn = Turn::of(request);
            let topics = intent::understand(&turn);
            let calls = plan::calls(&turn, &topics);
            if !calls.is_empty() {
                return Ok(Answer::Tools(calls));
            }
            let wording = request.wording.prompts();
            let prompts = wording.map_err(|_broken| ModelError::Unreachable)?;
            let said = reply::words(&turn, &topics, prompts).ok_or(ModelError::Empty)?;
            Ok(Answer::Text(Phi::new(said)))
        })
    }

    /// Half the bytes: more than any vocabulary gives for English or Spanish.
    fn count_tokens(&self, text: &str) -> usize {
        text.len() / 2 + 1
    }
}
