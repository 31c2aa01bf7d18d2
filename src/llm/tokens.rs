//! Token counts, and the conversation cut to a budget: oldest first, never the texts to be answered.

use tokenizers::Tokenizer;

use crate::agent::ports::{Message, ModelError};

/// What a message costs beyond its text: role and separators, a little more than any known format.
const MESSAGE_OVERHEAD: usize = 8;

/// How texts become tokens.
#[derive(Debug)]
pub enum Tokens {
    /// `o200k_base`, the vocabulary of OpenAI's present models; loaded at first use.
    O200k,
    /// A `tokenizer.json` of another model.
    File(Box<Tokenizer>),
}

/// A `tokenizer.json` that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tokenizer file is not a tokenizer.json: take the one that comes with the model")]
pub struct NotATokenizer;

impl Tokens {
    /// Reads a `tokenizer.json`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, NotATokenizer> {
        Tokenizer::from_bytes(bytes)
            .map(|tokenizer| Self::File(Box::new(tokenizer)))
            .map_err(|_detail| NotATokenizer)
    }

    /// How many tokens a text takes. Where the tokenizer fails, every byte counts.
    pub fn count(&self, text: &str) -> usize {
        match self {
            Self::O200k => tiktoken_rs::o200k_base_singleton().count_ordinary(text),
            Self::File(tokenizer) => tokenizer
                .encode_fast(text, false)
                .map_or(text.len(), |encoding| encoding.len()),
        }
    }
}

/// The longest end of the conversation that fits into `budget` tokens. The texts to be answered and
/// what tools gave for them always stay; [`ModelError::OverBudget`] when they alone do not fit.
pub fn fit(
    messages: &[Message],
    budget: usize,
    count: impl Fn(&str) -> usize,
) -> Result<&[Message], ModelError> {
    let present = messages
        .iter()
        .rposition(|message| matches!(message, Message::Agent(_)))
        .map_or(0, |last| last + 1);
    let mut used = 0_usize;
    let mut first = messages.len();
    for (index, message) in messages.iter().enumerate().rev() {
        used = used.saturating_add(cost(message, &count));
        if used > budget {
            break;
        }
        first = index;
    }
    if first > present {
        return Err(ModelError::OverBudget);
    }
    messages.get(first..).ok_or(ModelError::OverBudget)
}

/// What a message costs.
pub(super) fn cost(message: &Message, count: impl Fn(&str) -> usize) -> usize {
    let text = match message {
        Message::Patient(text) | Message::Agent(text) => count(text.as_str()),
        Message::ToolCalls(calls) => calls
            .iter()
            .map(|call| count(call.arguments.as_str()) + count(&call.name) + MESSAGE_OVERHEAD)
            .sum(),
        Message::ToolResult { json, .. } => count(json.as_str()),
    };
    text + MESSAGE_OVERHEAD
}
