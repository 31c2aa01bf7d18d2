//! Therapeutic talk: what an AI has no part in where the law says so; in patients' texts and in drafts.

use std::sync::Arc;

use crate::screen::Screen;
use crate::screen::rules::Book;
use crate::screen::rules::Kind;
use crate::screen::rules::ScreenError;

/// The files with the rules; a book of their own, so that their words change no other reading.
const FILES: [(&str, &str); 2] = [
    (
        "guardrails/ordinary.toml",
        include_str!("../../guardrails/ordinary.toml"),
    ),
    (
        "guardrails/therapy.toml",
        include_str!("../../guardrails/therapy.toml"),
    ),
];

/// The rules, compiled.
pub(super) fn book() -> Result<Book, ScreenError> {
    Book::compile(&FILES)
}

impl Screen {
    /// The rules by which a text is therapeutic talk, sorted; none when it is not. A patient's text
    /// and a draft are read alike.
    pub fn therapeutic(&self, text: &str) -> Vec<Arc<str>> {
        let fired = self.therapy.fired(text).into_iter();
        let talk = fired.filter(|it| it.kind == Kind::Therapy);
        let mut rules: Vec<Arc<str>> = talk.map(|it| it.id).collect();
        if self.vote.hears_therapy(text) {
            rules.push(Arc::from("therapy.sentence"));
        }
        rules.sort();
        rules.dedup();
        rules
    }

    /// Reads every example of the rules of therapeutic talk; tells which do not hold.
    pub fn check_therapy(&self) -> Result<(), ScreenError> {
        self.therapy.check_examples()
    }
}
