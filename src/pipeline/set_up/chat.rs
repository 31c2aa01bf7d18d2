//! The chat on the practice's web sites, as the set-up asks for it.

use crate::domain::webchat::{Webchat, script_line};
use crate::pipeline::set_up::Answers;
use crate::policy::words::Channel;

impl Answers {
    /// The chat; none where no site is named.
    pub(super) fn chat(&self) -> Option<Webchat> {
        let typed = self.get("sites").split([' ', ',']);
        let sites = typed.filter(|it| !it.is_empty());
        // As it is copied from the address bar.
        let plain = |it: &str| it.strip_suffix('/').unwrap_or(it).to_owned();
        let origins: Vec<String> = sites.map(plain).collect();
        (!origins.is_empty()).then_some(Webchat { origins })
    }

    /// What is wrong with its sites, and how to mend it.
    pub(super) fn wrong_sites(&self) -> Option<&'static str> {
        let chat = self.chat()?;
        if chat.check().is_err() {
            return Some(
                "Write each web site as its address bar has it, such as https://www.example.com, \
                 with a space between two.",
            );
        }
        let channel: Option<Channel> = self.get("channel").parse().ok();
        channel.filter(|it| *it != Channel::Sms).map(|_| {
            "The chat texts a code to each visitor: choose a number for text messages, or leave \
             this empty."
        })
    }

    /// The line to paste into the practice's web sites.
    pub fn script(&self) -> Option<String> {
        self.chat()?;
        Some(script_line(self.get("public_url"), self.get("id")))
    }
}
