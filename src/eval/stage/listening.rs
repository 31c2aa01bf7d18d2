//! A model that is listened to: what it was shown, what it said, and whether it failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::agent::ports::{Answer, BoxFuture, Message, Model, ModelError, Request};
use crate::llm::offline::Offline;

/// A model that keeps what it is shown.
#[derive(Debug)]
pub(super) struct Listening {
    model: Arc<dyn Model>,
    /// What comes before the story is no part of its script.
    before: AtomicBool,
    asked: Mutex<Vec<String>>,
    said: Mutex<Vec<Answer>>,
    failed: Mutex<Option<ModelError>>,
}

impl Listening {
    /// Listens to a model.
    pub(super) fn new(model: Arc<dyn Model>) -> Self {
        Self {
            model,
            before: AtomicBool::new(false),
            asked: Mutex::default(),
            said: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Whether what comes now is before the story.
    pub(super) fn before(&self, before: bool) {
        self.before.store(before, Ordering::Relaxed);
    }

    /// Why it gave no answer, the last time that it gave none.
    pub(super) fn failed(&self) -> Option<ModelError> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it answered, in order.
    pub(super) fn said(&self) -> Vec<Answer> {
        let said = self.said.lock();
        said.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it was shown.
    pub(super) fn heard(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Model for Listening {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        if self.before.load(Ordering::Relaxed) {
            return Box::pin(async move { Offline::new().complete(request).await });
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(spelled(request));
        drop(asked);
        Box::pin(async move {
            let answer = self.model.complete(request).await;
            match &answer {
                Ok(answer) => {
                    let said = self.said.lock();
                    let mut said = said.unwrap_or_else(PoisonError::into_inner);
                    said.push(answer.clone());
                }
                Err(error) => {
                    let failed = self.failed.lock();
                    *failed.unwrap_or_else(PoisonError::into_inner) = Some(*error);
                }
            }
            answer
        })
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.count_tokens(text)
    }
}

/// Everything in a request that is text.
fn spelled(request: &Request) -> String {
    let mut text = request.system.clone();
    for message in &request.messages {
        text.push('\n');
        match message {
            Message::Patient(body) | Message::Agent(body) => text.push_str(body.as_str()),
            Message::ToolCalls(calls) => {
                for call in calls {
                    text.push_str(&call.name);
                    text.push_str(call.arguments.as_str());
                }
            }
            Message::ToolResult { json, .. } => text.push_str(json.as_str()),
        }
    }
    text
}
