//! The fixed texts: approved words in two languages, rendered with a practice's own name and number.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::Digest;
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;

use crate::policy::words::Language;
use crate::policy::words::vocabulary;

vocabulary! {
    /// Which fixed text. Each exists in every language; a missing one is refused at load.
    TextId, "fixed text" {
        /// May we text you? The risk, and YES.
        RiskNotice = "risk_notice",
        /// May we speak of your care in this chat? What the chat risks, and YES.
        ChatNotice = "chat_notice",
        /// After YES.
        ConsentYes = "consent_yes",
        /// After NO.
        ConsentNo = "consent_no",
        /// The one confirmation after STOP.
        Stop = "stop",
        /// The same after CANCEL, while a visit was talked about.
        StopVisit = "stop_visit",
        /// The answer to HELP.
        Help = "help",
        /// The answer to START.
        Start = "start",
        /// 911.
        Emergency = "emergency",
        /// 988.
        Crisis = "crisis",
        /// Poison Help.
        Poison = "poison",
        /// To an "ok" after 911 was told.
        AfterEmergency = "after_emergency",
        /// To an "ok" after 988 was told.
        AfterCrisis = "after_crisis",
        /// To an "ok" after Poison Help was told.
        AfterPoison = "after_poison",
        /// Staff will answer.
        Handoff = "handoff",
        /// Staff will call.
        Callback = "callback",
        /// As above, but tells nothing to whoever else reads the phone.
        HandoffPrivate = "handoff_private",
        /// Before an answer that touches health and that no clinician read.
        AiClinicalPrefix = "ai_clinical_prefix",
        /// AI helps in the patient's care.
        AiInCareTx = "ai_in_care_tx",
        /// An AI is writing.
        AiIntro = "ai_intro",
        /// With what a part 2 program discloses.
        Part2NoticeShort = "part2_notice_short",
        /// With what is disclosed of HIV in New York.
        Ny27fNotice = "ny_27f_notice",
        /// Not understood.
        Clarify = "clarify",
        /// The risk notice was answered, but not with a clear YES or NO.
        ClarifyConsent = "clarify_consent",
        /// Perhaps an opt-out; asked once.
        ClarifyStop = "clarify_stop",
        /// Whose record? The same words whether anybody is on file or nobody.
        AskPerson = "ask_person",
        /// Coming or not?
        ClarifyVisit = "clarify_visit",
        /// The answer takes longer than a patient waits gladly.
        OneMoment = "one_moment",
        /// No answer can be made now.
        Unavailable = "unavailable",
        /// The code that the portal asks for.
        PortalCode = "portal_code",
        /// An answer waits in the chat of the web site.
        ChatWaits = "chat_waits",
        /// What staff text themselves to try the line out.
        TrialText = "trial_text",
        /// What an e-mail of a practice is about.
        MailSubject = "mail_subject",
        /// By e-mail: a secure message is there.
        MailNotice = "mail_notice",
        /// By e-mail: the code that shows whose an address is.
        MailCode = "mail_code",
    }
}

impl TextId {
    /// Whether it says all that the introduction of the AI says, and more.
    pub const fn tells_more_than_intro(self) -> bool {
        matches!(self, Self::AiClinicalPrefix | Self::AiInCareTx)
    }
}

/// How a text tells that an AI writes, in each language: every text of which `ai` is an element
/// has one of these.
const TELLING: &[&str] = &[
    "AI assistant",
    "Written by AI",
    "asistente de IA",
    "Escrito por IA",
];

/// What a practice puts into its fixed texts.
#[derive(Clone, Copy, Debug)]
pub struct TextContext<'a> {
    /// The name that patients know.
    pub practice: &'a str,
    /// The voice number, as people read it.
    pub phone: &'a str,
    /// Where to read more; empty leaves it out.
    pub url: &'a str,
    /// Opening hours in the text's language; empty leaves them out.
    pub hours: &'a str,
    /// The portal's code; empty in every text but its own.
    pub code: &'a str,
    /// When staff answer, as it follows "They answer"; empty leaves it out.
    pub when: &'a str,
}

impl TextContext<'static> {
    /// What tests and previews render with.
    pub const fn sample() -> Self {
        Self {
            practice: "Lakeside Family Medicine",
            phone: "415-555-0100",
            url: "https://text.example.com",
            hours: "Mon-Fri 8-5",
            code: "000000",
            when: "from Mon, Nov 30 at 8:00 AM",
        }
    }
}

/// A fixed text as one patient gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedText {
    /// The words.
    pub text: String,
    /// Name and version: `risk_notice/1`.
    pub text_id: String,
    /// SHA-256 of the words, in hexadecimal.
    pub sha256: String,
}

/// Why the fixed texts cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextsError {
    /// Not the shape that is expected.
    #[error("{file}: {problem}")]
    Malformed {
        /// Which file.
        file: String,
        /// What is wrong, with its line.
        problem: String,
    },
    /// One text is wrong.
    #[error("{file}:{line}: [text.{text}]: {problem}")]
    Text {
        /// Which file.
        file: String,
        /// The line where the text begins, from 1.
        line: usize,
        /// Which text.
        text: String,
        /// What is wrong, and how to mend it.
        problem: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    language: Language,
    #[expect(dead_code, reason = "read by people and checked for its shape")]
    last_reviewed: toml::value::Datetime,
    #[expect(dead_code, reason = "read by people and checked for its shape")]
    translation_review: String,
    text: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    body: String,
    short: Option<String>,
    elements: Vec<String>,
    cite: String,
    max_septets: usize,
}

/// The fixed texts of every language, read once.
#[derive(Clone, Debug)]
pub struct Texts {
    entries: BTreeMap<(TextId, Language), Entry>,
}

const PLACEHOLDERS: [&str; 6] = ["practice", "phone", "url", "hours", "when", "code"];

impl Texts {
    /// The texts that are compiled into the binary.
    pub fn embedded() -> Result<Self, TextsError> {
        Self::load(&[
            (
                "prompts/en/texts.toml",
                include_str!("../../prompts/en/texts.toml"),
            ),
            (
                "prompts/es/texts.toml",
                include_str!("../../prompts/es/texts.toml"),
            ),
        ])
    }

    /// The texts in these files, given as name and content; every text in every language, with
    /// known placeholders, in the GSM-7 alphabet and within its budget.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, TextsError> {
        let mut entries = BTreeMap::new();
        let mut last_file = "";
        for (file, content) in files {
            last_file = file;
            let malformed = |problem: String| TextsError::Malformed {
                file: (*file).to_owned(),
                problem,
            };
            let read: File = toml::from_str(content).map_err(|e| malformed(e.to_string()))?;
            if read.schema != 1 {
                return Err(malformed(
                    "schema is not 1; this version reads 1".to_owned(),
                ));
            }
            for (name, entry) in read.text {
                let wrong = |problem: String| TextsError::Text {
                    file: (*file).to_owned(),
                    line: line_of(content, &name),
                    text: name.clone(),
                    problem,
                };
                let id: TextId = name
                    .parse()
                    .map_err(|_e| wrong("unknown text".to_owned()))?;
                entry.check().map_err(wrong)?;
                entries.insert((id, read.language), entry);
            }
        }
        for id in TextId::ALL {
            for language in Language::ALL {
                if !entries.contains_key(&(*id, *language)) {
                    return Err(TextsError::Text {
                        file: last_file.to_owned(),
                        line: 1,
                        text: id.to_string(),
                        problem: format!("missing in language {language}; add it"),
                    });
                }
            }
        }
        Ok(Self { entries })
    }

    /// The text as one patient gets it. When the practice's own words would break the budget, the
    /// short form without them is used.
    pub fn render(
        &self,
        id: TextId,
        language: Language,
        context: &TextContext<'_>,
    ) -> RenderedText {
        let Some(entry) = self.entries.get(&(id, language)) else {
            return rendered(id, 0, String::new());
        };
        let full = fill(&entry.body, context);
        let lacking = (context.hours.is_empty() && entry.body.contains("{hours}"))
            || (context.url.is_empty() && entry.body.contains("{url}"))
            || (context.when.is_empty() && entry.body.contains("{when}"));
        let text = match &entry.short {
            Some(short) if lacking || septets(&full).is_none_or(|n| n > entry.max_septets) => {
                fill(short, context)
            }
            Some(_) | None => full,
        };
        rendered(id, entry.version, text)
    }

    /// Which texts break their budget of septets with this practice's words: a lint for its
    /// configuration, never a reason not to send.
    pub fn over_budget(&self, context: &TextContext<'_>) -> Vec<(TextId, Language)> {
        self.entries
            .iter()
            .filter(|((id, language), entry)| {
                let text = self.render(*id, *language, context).text;
                septets(&text).is_none_or(|n| n > entry.max_septets)
            })
            .map(|(key, _)| *key)
            .collect()
    }

    /// Whether a text that was sent told that an AI writes.
    pub fn tells_ai(&self, text: &str) -> bool {
        TELLING.iter().any(|words| text.contains(words))
    }

    /// Whether a text says already all that the introduction of the AI would say before it.
    pub fn tells_who_writes(&self, text: &str, practice: &str) -> bool {
        let not_human = ["not a person", "no una persona"];
        let ways_out = ["PERSON", "PERSONA"];
        let holds = |words: &[&str]| words.iter().any(|it| text.contains(it));
        self.tells_ai(text) && holds(&not_human) && holds(&ways_out) && text.contains(practice)
    }

    /// What the law or the carriers want said in this text, by name.
    pub fn elements(&self, id: TextId, language: Language) -> &[String] {
        self.entries
            .get(&(id, language))
            .map_or(&[], |entry| &entry.elements)
    }
}

/// The line on which a text begins; 1 when it does not.
fn line_of(content: &str, name: &str) -> usize {
    let header = format!("[text.{name}]");
    let mut lines = content.lines();
    lines
        .position(|line| line.trim() == header)
        .map_or(1, |at| at + 1)
}

impl Entry {
    fn check(&self) -> Result<(), String> {
        if self.version == 0 || self.cite.is_empty() || self.elements.is_empty() {
            return Err("needs a version from 1, elements and a cite".to_owned());
        }
        for body in std::iter::once(&self.body).chain(&self.short) {
            for piece in body.split('{').skip(1) {
                let name = piece.split_once('}').map(|(name, _)| name);
                if !name.is_some_and(|name| PLACEHOLDERS.contains(&name)) {
                    return Err(format!(
                        "unknown placeholder; use one of {{{}}}",
                        PLACEHOLDERS.join("} {")
                    ));
                }
            }
            let used = septets(&fill(body, &TextContext::sample()))
                .ok_or("has a character outside GSM-7; write it without the accent")?;
            if used > self.max_septets {
                return Err(format!(
                    "takes {used} septets, over its {}; shorten it",
                    self.max_septets
                ));
            }
        }
        Ok(())
    }
}

fn rendered(id: TextId, version: u32, text: String) -> RenderedText {
    RenderedText {
        text_id: format!("{id}/{version}"),
        sha256: hex::encode(Sha256::digest(&text)),
        text,
    }
}

/// Puts values in by one pass over the body, so that a value with braces is not read as a placeholder.
fn fill(body: &str, context: &TextContext<'_>) -> String {
    let mut pieces = body.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or(("", piece));
        let value = match name {
            "practice" => context.practice,
            "phone" => context.phone,
            "url" => context.url,
            "hours" => context.hours,
            "code" => context.code,
            "when" => context.when,
            _ => "",
        };
        text.push_str(&plain(value));
        text.push_str(rest);
    }
    text
}

/// A value with its accents taken off where GSM-7 lacks them: `Clínica` would turn the whole text
/// into UCS-2 and more than double its segments.
fn plain(value: &str) -> String {
    value
        .chars()
        .map(|c| {
            let base = c.nfd().next().unwrap_or(c);
            match c {
                _ if gsm7(c).is_some() => c,
                '\u{2018}' | '\u{2019}' => '\'',
                '\u{2013}' | '\u{2014}' => '-',
                '\u{a0}' => ' ',
                _ if gsm7(base).is_some() => base,
                _ => c,
            }
        })
        .collect()
}

/// Septets of a text in the GSM-7 alphabet (3GPP TS 23.038), or none when it does not fit there.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(gsm7).sum()
}

fn gsm7(c: char) -> Option<usize> {
    match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' | '\u{c}' => Some(2),
        '`' => None,
        ' '..='_' | 'a'..='z' | '\n' | '\r' => Some(1),
        _ if "@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà".contains(c) => {
            Some(1)
        }
        _ => None,
    }
}
