//! The JSON lines of the `screen` command; unknown keys are refused.

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::policy::words::Language;
use crate::screen::Intent;
use crate::screen::Pending;
use crate::screen::Reading;
use crate::screen::Screen;

/// One line in: `{"id","text","pending","language"}`; the last two may be left out.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenRequest {
    /// The caller's own id, given back as it came.
    pub id: serde_json::Value,
    /// What the patient wrote.
    pub text: String,
    /// The open question, or null.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// The language of the conversation so far.
    #[serde(default = "english")]
    pub language: Language,
}

impl std::fmt::Debug for ScreenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScreenRequest")
            .field("pending", &self.pending)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

fn english() -> Language {
    Language::En
}

/// One line out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScreenResponse {
    /// The id of the request.
    pub id: serde_json::Value,
    /// What it asks for.
    pub intent: Intent,
    /// Whether it tries to give the agent orders.
    pub injection: bool,
    /// The language it is written in.
    pub language: Language,
    /// Every rule that fired.
    pub rules: Vec<Arc<str>>,
}

impl ScreenRequest {
    /// Answers the line.
    pub fn answer(self, screen: &Screen) -> ScreenResponse {
        let reading = screen.read(&self.text, self.pending, self.language);
        ScreenResponse::new(self.id, reading)
    }
}

impl ScreenResponse {
    /// The line for a reading.
    pub fn new(id: serde_json::Value, reading: Reading) -> Self {
        Self {
            id,
            intent: reading.intent,
            injection: reading.injection,
            language: reading.language,
            rules: reading.rules,
        }
    }
}
