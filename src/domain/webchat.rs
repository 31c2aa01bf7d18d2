//! The chat on a practice's web site: where it may stand, and the line that it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::domain::practice::{CarrierKind, KeywordReplies, NumberType, Practice, Sender};
use crate::policy::words::Channel;

/// The chat on a practice's web site, as it is configured: `[practice.webchat]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webchat {
    /// The web sites whose pages may show it, each as scheme and host.
    pub origins: Vec<String>,
}

impl Webchat {
    /// More sites than any practice has, and as many as fit well into a header.
    pub const ORIGINS_MAX: usize = 20;

    /// Why it cannot be used, and how to mend it.
    pub fn check(&self) -> Result<(), String> {
        if self.origins.is_empty() {
            return Err(
                "origins is empty, so no web site could show the chat; write \
                 origins = [\"https://www.example.com\"], or leave [practice.webchat] out for no chat"
                    .to_owned(),
            );
        }
        if self.origins.len() > Self::ORIGINS_MAX {
            let most = Self::ORIGINS_MAX;
            return Err(format!("origins names more than {most} web sites"));
        }
        self.origins.iter().try_for_each(|it| plain_origin(it))
    }
}

/// The line that a practice pastes into its web site.
pub fn script_line(public_url: &str, practice: &str) -> String {
    let base = public_url.trim_end_matches('/');
    format!("<script src=\"{base}/chat/{practice}/widget.js\" async></script>")
}

/// Whether a text is the origin of a web site as browsers write it.
fn plain_origin(text: &str) -> Result<(), String> {
    let wrong = |why: &str| Err(format!("origins: `{text}` {why}"));
    let Ok(url) = Url::parse(text) else {
        return wrong("is not a web site; write it as https://www.example.com");
    };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return wrong("must be https; plain http is taken on this machine only");
    }
    if text.contains('*') {
        return wrong("names no single site; write each site by itself");
    }
    let plain = url.origin().ascii_serialization();
    if plain != text {
        return Err(format!(
            "origins: `{text}` is more than a site, or not as browsers write it; write `{plain}`"
        ));
    }
    Ok(())
}

impl CarrierKind {
    /// Whether a company carries the texts; else they stay within this program and the browser of
    /// whoever reads them.
    pub const fn is_company(self) -> bool {
        match self {
            Self::Twilio | Self::Messagebird | Self::Bird | Self::Bandwidth => true,
            Self::Simulator | Self::Web => false,
        }
    }
}

impl Practice {
    /// The number that codes are texted from: the first that carries SMS.
    pub fn text_sender(&self) -> Option<&Sender> {
        self.senders.iter().find(|it| it.channel == Channel::Sms)
    }

    /// The chat as a line of the practice, once it is open.
    pub fn chat_sender(&self) -> Option<&Sender> {
        let mut senders = self.senders.iter();
        senders.find(|it| it.carrier == CarrierKind::Web)
    }

    /// Opens the chat as a line of the practice, where it has one. It goes by the number that the
    /// practice texts from: that is how patients know it.
    pub fn open_chat(&mut self) {
        if self.webchat.is_none() || self.chat_sender().is_some() {
            return;
        }
        let Some(number) = self.text_sender().map(|it| it.number.clone()) else {
            return;
        };
        self.senders.push(Sender {
            carrier: CarrierKind::Web,
            channel: Channel::Webchat,
            number,
            number_type: NumberType::LongCode,
            keywords: KeywordReplies::WeReply,
            per_second: None,
            per_day: None,
            price: Some(0.0),
            contact_card: None,
            outside_window: crate::domain::practice::OutsideWindow::Hold,
            templates: BTreeMap::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_site_as_browsers_write_it() {
        for good in [
            "https://www.example.com",
            "https://example.com:8443",
            "http://localhost:4000",
            "http://127.0.0.1:4000",
            "https://xn--clnica-zva.example",
        ] {
            assert_eq!(plain_origin(good), Ok(()), "{good}");
        }
        for (bad, mend) in [
            (
                "https://www.example.com/",
                "write `https://www.example.com`",
            ),
            (
                "https://www.example.com/chat",
                "write `https://www.example.com`",
            ),
            ("https://WWW.example.com", "write `https://www.example.com`"),
            (
                "https://www.example.com:443",
                "write `https://www.example.com`",
            ),
            (
                "https://me@www.example.com",
                "write `https://www.example.com`",
            ),
            ("http://www.example.com", "must be https"),
            ("www.example.com", "write it as https://www.example.com"),
            ("https://*.example.com", "write each site by itself"),
            ("*", "write it as https://www.example.com"),
            ("https://a.example;script-src *", "not a web site"),
        ] {
            let error = plain_origin(bad).unwrap_err();
            assert!(error.contains(mend), "{bad}: {error}");
        }
    }
}
