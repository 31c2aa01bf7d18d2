//! The chats on the practices' web sites: what to paste there.

use super::{Finding, real};
use crate::config::Config;
use crate::domain::webchat::script_line;

/// What to paste into the web site of each practice that has a chat.
pub(super) fn chats(config: &Config) -> Vec<(&'static str, Finding)> {
    let url = config.public_url();
    let mut findings = Vec::new();
    for practice in &config.practice {
        let Some(chat) = &practice.webchat else {
            continue;
        };
        let id = &practice.id;
        let finding = if real(config) && !url.starts_with("https://") {
            Finding::Bad(format!(
                "[{id}] browsers open the chat over https only: set public_url to what they open"
            ))
        } else {
            Finding::Note(format!(
                "[{id}] paste into the pages of {}: {}",
                chat.origins.join(", "),
                script_line(&url, id.as_str())
            ))
        };
        findings.push(("web chat", finding));
    }
    findings
}
