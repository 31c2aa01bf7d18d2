//! A model that plays a script, for tests and evals.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::agent::ports::{Answer, BoxFuture, Model, ModelError, Request, ToolCall};
use crate::domain::phi::Phi;

/// Plays its answers in order; past the end it cannot be reached.
#[derive(Debug, Default)]
pub struct Scripted {
    left: Mutex<VecDeque<Result<Answer, ModelError>>>,
    asked: Mutex<Vec<Request>>,
}

impl Scripted {
    /// A script.
    pub fn new(answers: impl IntoIterator<Item = Result<Answer, ModelError>>) -> Self {
        Self {
            left: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
        }
    }

    /// A draft, as an entry of a script.
    pub fn text(draft: &str) -> Result<Answer, ModelError> {
        Ok(Answer::Text(Phi::from(draft)))
    }

    /// One tool call, as an entry of a script.
    pub fn tool(name: &str, arguments: &str) -> Result<Answer, ModelError> {
        Ok(Answer::Tools(vec![ToolCall {
            id: format!("script-{name}"),
            name: name.to_owned(),
            arguments: Phi::from(arguments),
        }]))
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Request> {
        lock(&self.asked).clone()
    }

    /// How many answers were not played.
    pub fn left(&self) -> usize {
        lock(&self.left).len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Model for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        lock(&self.asked).push(request.clone());
        let answer = lock(&self.left).pop_front();
        Box::pin(async move { answer.unwrap_or(Err(ModelError::Unreachable)) })
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.len() / 2 + 1
    }
}
