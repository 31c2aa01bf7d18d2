//! The words that a carrier answers by itself, where it is set to: our ledger follows what it did.

use crate::policy::words::vocabulary;

vocabulary! {
    /// What a carrier does at a keyword.
    Keyword, "carrier keyword" {
        /// Blocks the number and confirms it.
        Stop = "stop",
        /// Lifts the block and says so; without a block the word is an answer like any other.
        Start = "start",
        /// Answers with help.
        Help = "help",
    }
}

/// Twilio's defaults; the other carriers' words are among them
/// (<https://help.twilio.com/articles/223134027>). STOP is also what `OptOutType` is read as.
const WORDS: &[(Keyword, &[&str])] = &[
    (
        Keyword::Stop,
        &[
            "stop",
            "stopall",
            "unsubscribe",
            "cancel",
            "end",
            "quit",
            "revoke",
            "optout",
        ],
    ),
    (Keyword::Start, &["start", "yes", "unstop"]),
    (Keyword::Help, &["help", "info"]),
];

/// The keyword that a carrier reads in a text: one word alone, in any case. "STOP please" is none
/// to it, and so ours to honour and to confirm.
pub fn keyword(text: &str) -> Option<Keyword> {
    let word = text.trim();
    WORDS
        .iter()
        .find(|(_, words)| words.iter().any(|it| it.eq_ignore_ascii_case(word)))
        .map(|(keyword, _)| *keyword)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carrier_reads_one_word_alone() {
        for (text, want) in [
            ("STOP", Some(Keyword::Stop)),
            (" stop\n", Some(Keyword::Stop)),
            ("Cancel", Some(Keyword::Stop)),
            ("OptOut", Some(Keyword::Stop)),
            ("yes", Some(Keyword::Start)),
            ("INFO", Some(Keyword::Help)),
            ("STOP please", None),
            ("stop.", None),
            ("Alto", None),
            ("", None),
        ] {
            assert_eq!(keyword(text), want, "{text}");
        }
    }
}
