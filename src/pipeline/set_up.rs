//! The set-up: what an owner answers becomes a configuration file, with each fault told at its field.

mod chat;

use std::collections::BTreeMap;

use url::Url;

use crate::carrier::account::{Accounts, Advice, Site};
use crate::domain::phone::E164;
use crate::domain::practice::{CarrierKind, Practice};
use crate::policy::words::{Channel, Jurisdiction};

/// Longest answer: an address or opening hours in one line.
pub const ANSWER_CHARS_MAX: usize = 300;

/// The steps, in their order, with their titles.
pub const STEPS: &[(&str, &str)] = &[
    ("practice", "Practice"),
    ("number", "Number"),
    ("carrier", "Carrier"),
    ("agreement", "Agreements"),
    ("model", "Model"),
    ("notice", "Notice"),
    ("file", "Start"),
    ("test", "Test"),
];

/// The fields of each step.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "practice",
        &[
            "name", "id", "type", "phone", "state", "timezone", "address", "hours", "hours_es",
        ],
    ),
    (
        "number",
        &["carrier", "channel", "number", "number_type", "sites"],
    ),
    (
        "carrier",
        &[
            "public_url",
            "account_sid",
            "product",
            "account_id",
            "application_id",
            "user",
            "webhook_user",
        ],
    ),
    ("model", &["llm_kind", "llm_base_url", "llm_model"]),
];

/// What each carrier's section holds that is no secret, and which secrets come from the environment.
const ACCOUNTS: &[(CarrierKind, &[&str], &[&str])] = &[
    (CarrierKind::Twilio, &["account_sid"], &["auth_tokens"]),
    (
        CarrierKind::Messagebird,
        &[],
        &["access_key", "signing_keys"],
    ),
    (
        CarrierKind::Bird,
        &["product"],
        &["access_key", "signing_keys"],
    ),
    (
        CarrierKind::Bandwidth,
        &["account_id", "application_id", "user", "webhook_user"],
        &["password", "webhook_passwords"],
    ),
];

/// Fields with what is wrong with them.
type Faults = Vec<(&'static str, &'static str)>;

/// What was answered, by field, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(pub BTreeMap<String, String>);

/// The fields of a step; none for a step that only shows.
pub fn fields_of(step: &str) -> &'static [&'static str] {
    let found = FIELDS.iter().find(|(name, _)| *name == step);
    found.map_or(&[], |(_, fields)| fields)
}

/// Every field of every step.
pub fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().flat_map(|(_, fields)| fields.iter().copied())
}

impl Answers {
    /// An answer, empty where there is none.
    pub fn get(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    /// Who carries.
    pub fn carrier(&self) -> Option<CarrierKind> {
        self.get("carrier").parse().ok()
    }

    /// Takes the answers of a form; what is too long is cut, nothing else is refused.
    pub fn take(&mut self, step: &str, given: impl Fn(&str) -> String) {
        for field in fields_of(step) {
            let answer = given(field);
            let answer: String = answer.trim().chars().take(ANSWER_CHARS_MAX).collect();
            self.0.insert((*field).to_owned(), answer);
        }
        if step == "practice" && self.get("id").is_empty() {
            let id = slug(self.get("name"));
            self.0.insert("id".to_owned(), id);
        }
    }

    /// What is wrong with the answers of a step, by field, and how to mend it.
    pub fn faults(&self, step: &str, types: &[String]) -> Vec<(&'static str, String)> {
        let found = match step {
            "practice" => self.wrong_practice(types),
            "number" => self.wrong_number(),
            "carrier" => self.wrong_carrier(),
            "model" => self.wrong_model(),
            _ => Vec::new(),
        };
        let told = found.into_iter();
        told.map(|(field, text)| (field, text.to_owned())).collect()
    }

    fn wrong_practice(&self, types: &[String]) -> Faults {
        let mut faults = Faults::new();
        if self.get("name").is_empty() {
            faults.push(("name", "Write the name that patients know."));
        }
        let id = self.get("id");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if id.is_empty() || !id.bytes().all(plain) {
            let text =
                "Use only a to z and 0 to 9, such as lakeside; it is part of the webhook address.";
            faults.push(("id", text));
        }
        if !types.iter().any(|it| it == self.get("type")) {
            let text =
                "Choose what the practice does; it decides what its name and its providers reveal.";
            faults.push(("type", text));
        }
        if E164::typed(self.get("phone")).is_err() {
            let text =
                "Write the number of the front desk with its area code, such as 415-555-0100.";
            faults.push(("phone", text));
        }
        let state = self.get("state");
        if state.is_empty() || state.parse::<Jurisdiction>().is_err() {
            faults.push(("state", "Write the two letters of the state, such as CA."));
        }
        if jiff::tz::TimeZone::get(self.get("timezone")).is_err() {
            faults.push(("timezone", "Choose a time zone, such as America/Chicago."));
        }
        faults
    }

    fn wrong_number(&self) -> Faults {
        let mut faults = Faults::new();
        if self.carrier().is_none() {
            faults.push(("carrier", "Choose who carries the texts."));
        }
        if self.get("channel").parse::<Channel>().is_err() {
            faults.push(("channel", "Choose text messages or WhatsApp."));
        }
        if E164::typed(self.get("number")).is_err() {
            let text =
                "Write the number that patients text, with its area code, such as 415-555-0101.";
            faults.push(("number", text));
        }
        faults.extend(self.wrong_sites().map(|text| ("sites", text)));
        faults
    }

    fn wrong_carrier(&self) -> Faults {
        let mut faults = Faults::new();
        let given = self.get("public_url");
        let url = Url::parse(given).ok();
        let simulated = self.carrier() == Some(CarrierKind::Simulator);
        let fits = url.is_some_and(|it| it.has_host() && (simulated || it.scheme() == "https"));
        let left_out = simulated && given.is_empty();
        if !fits && !left_out {
            let text = "Write the address under which this server is reached from outside, such as https://text.example.com.";
            faults.push(("public_url", text));
        }
        let own = self.carrier().and_then(account);
        for field in own.map_or(&[][..], |(_, plain, _)| plain) {
            if self.get(field).is_empty() {
                faults.push((field, "Copy it from the carrier's console."));
            }
        }
        faults
    }

    fn wrong_model(&self) -> Faults {
        let mut faults = Faults::new();
        let kind = self.get("llm_kind");
        if !["offline", "openai"].contains(&kind) {
            faults.push(("llm_kind", "Choose who drafts."));
        }
        if kind != "openai" {
            return faults;
        }
        let url = Url::parse(self.get("llm_base_url")).ok();
        if !url.is_some_and(|it| it.has_host() && matches!(it.scheme(), "http" | "https")) {
            let text = "Write the address of the model server, such as https://api.openai.com/v1.";
            faults.push(("llm_base_url", text));
        }
        if self.get("llm_model").is_empty() {
            let text = "Write the model's name, as its server knows it.";
            faults.push(("llm_model", text));
        }
        faults
    }

    /// The configuration file. It holds no secret.
    pub fn file(&self) -> String {
        let mut lines = vec![
            "# Written by anteroom's set-up. Secrets are not in it: they come from the environment.".to_owned(),
        ];
        let mut line = |key: &str, value: &str| {
            if !value.is_empty() {
                lines.push(format!("{key} = {}", toml::Value::from(value)));
            }
        };
        line("public_url", self.get("public_url").trim_end_matches('/'));
        let id = self.get("id");
        let number = |field: &str| {
            let typed = self.get(field);
            E164::typed(typed).map_or_else(|_wrong| typed.to_owned(), |it| it.as_str().to_owned())
        };
        let mut section = |head: &str, fields: &[(&str, String)]| {
            lines.push(format!("\n{head}"));
            for (key, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
                lines.push(format!("{key} = {}", toml::Value::from(value.as_str())));
            }
        };
        let as_is = |field: &str| self.get(field).to_owned();
        if self.get("llm_kind") == "openai" {
            let fields = [
                ("kind", as_is("llm_kind")),
                ("base_url", as_is("llm_base_url")),
                ("model", as_is("llm_model")),
            ];
            section("[llm]", &fields);
        } else {
            section("[llm]", &[("kind", "offline".to_owned())]);
        }
        section(
            "[[practice]]",
            &[
                ("id", as_is("id")),
                ("name", as_is("name")),
                ("type", as_is("type")),
                ("phone", number("phone")),
                ("state", self.get("state").to_uppercase()),
                ("timezone", as_is("timezone")),
                ("address", as_is("address")),
                ("hours", as_is("hours")),
                ("hours_es", as_is("hours_es")),
            ],
        );
        section(
            "[[practice.sender]]",
            &[
                ("carrier", as_is("carrier")),
                ("channel", as_is("channel")),
                ("number", number("number")),
                ("number_type", as_is("number_type")),
            ],
        );
        if let Some((kind, plain, _)) = self.carrier().and_then(account) {
            let fields: Vec<(&str, String)> =
                plain.iter().map(|field| (*field, as_is(field))).collect();
            section(&format!("[{kind}.{id}]"), &fields);
        }
        if let Some(chat) = self.chat() {
            lines.push("\n[practice.webchat]".to_owned());
            lines.push(format!("origins = {}", toml::Value::from(chat.origins)));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// The variables that bring the secrets.
    pub fn secrets(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Some((kind, _, secrets)) = self.carrier().and_then(account) {
            let id = self.get("id").to_uppercase();
            let kind = kind.as_str().to_uppercase();
            for secret in *secrets {
                let list = secret.ends_with('s');
                let value = if list { r#"'["..."]'"# } else { "'...'" };
                names.push(format!(
                    "ANTEROOM_{kind}__{id}__{}={value}",
                    secret.to_uppercase()
                ));
            }
        }
        if self.get("llm_kind") == "openai" {
            names.push("ANTEROOM_LLM__API_KEY='...'".to_owned());
        }
        names
    }

    /// The practice as it would be; none while an answer is missing.
    pub fn practice(&self) -> Option<Practice> {
        let mut table: toml::Table = toml::from_str(&self.file()).ok()?;
        let all = table.remove("practice")?;
        all.as_array()?.first()?.clone().try_into().ok()
    }

    /// What to paste at the carrier, in the carrier's own words.
    pub fn to_paste(&self) -> Vec<String> {
        let Some((practice, mut table)) = self.practice().zip(toml::from_str(&self.file()).ok())
        else {
            return Vec::new();
        };
        let Some((kind, url)) = self.carrier().zip(Url::parse(self.get("public_url")).ok()) else {
            return Vec::new();
        };
        let Ok(accounts) = Accounts::take(&mut table) else {
            return Vec::new();
        };
        let site = Site {
            kind,
            practice: &practice,
            public_url: &url,
        };
        let Some(account) = accounts.get(kind, &practice.id) else {
            return Vec::new();
        };
        // What is good or wrong with the secrets is seen once they are there.
        let notes = account.advise(&site).into_iter();
        notes
            .filter_map(|it| match it {
                Advice::Note(text) if text.contains(&site.texts_url()) => Some(text),
                Advice::Good(_) | Advice::Note(_) | Advice::Bad(_) => None,
            })
            .collect()
    }
}

fn account(
    kind: CarrierKind,
) -> Option<&'static (
    CarrierKind,
    &'static [&'static str],
    &'static [&'static str],
)> {
    ACCOUNTS.iter().find(|(it, ..)| *it == kind)
}

/// An id from a name: "Lakeside Family Medicine" gives `lakeside`.
fn slug(name: &str) -> String {
    let word = name.split_whitespace().next().unwrap_or_default();
    let plain = word.chars().filter(char::is_ascii_alphanumeric);
    plain
        .map(|sign| sign.to_ascii_lowercase())
        .take(24)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(given: &[(&str, &str)]) -> Answers {
        let own = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Answers(own.collect())
    }

    fn whole() -> Answers {
        answers(&[
            ("name", "Lakeside \"Family\" Médica 🙂"),
            ("id", "lakeside"),
            ("type", "primary_care"),
            ("phone", "(415) 555-0100"),
            ("state", "ca"),
            ("timezone", "America/Los_Angeles"),
            ("carrier", "twilio"),
            ("channel", "sms"),
            ("number", "415.555.0101"),
            ("number_type", "toll_free"),
            ("sites", "https://www.example.com/, https://example.com"),
            ("public_url", "https://text.example.com/"),
            ("account_sid", "AC00000000000000000000000000000000"),
            ("llm_kind", "openai"),
            ("llm_base_url", "https://llm.example.com/v1"),
            ("llm_model", "m"),
        ])
    }

    #[test]
    fn answers_become_a_file_that_reads_back_as_they_were_given() {
        let types = ["primary_care".to_owned()];
        for (step, _) in STEPS {
            assert_eq!(whole().faults(step, &types), [], "{step}");
        }
        let practice = whole().practice().unwrap();
        assert_eq!(practice.name, "Lakeside \"Family\" Médica 🙂");
        assert_eq!(practice.phone.as_str(), "+14155550100");
        assert_eq!(practice.senders[0].number.as_str(), "+14155550101");
        let chat = practice.webchat.unwrap();
        assert_eq!(
            chat.origins,
            ["https://www.example.com", "https://example.com"]
        );
        let line =
            "<script src=\"https://text.example.com/chat/lakeside/widget.js\" async></script>";
        assert_eq!(whole().script().as_deref(), Some(line));
        let mut without = whole();
        without.0.remove("sites");
        assert_eq!(
            (without.practice().unwrap().webchat, without.script()),
            (None, None)
        );
        let paste = whole().to_paste();
        let address = "https://text.example.com/webhooks/twilio/lakeside";
        assert!(paste.len() == 1 && paste[0].contains(address), "{paste:?}");
        let secrets = whole().secrets();
        assert!(
            secrets[0].starts_with("ANTEROOM_TWILIO__LAKESIDE__AUTH_TOKENS="),
            "{secrets:?}"
        );
    }

    #[test]
    fn each_wrong_answer_is_told_at_its_field() {
        let types = ["primary_care".to_owned()];
        for (step, field, wrong) in [
            ("practice", "name", ""),
            ("practice", "id", "Lake side"),
            ("practice", "type", "wizardry"),
            ("practice", "phone", "555-0100"),
            ("practice", "state", "XX"),
            ("practice", "state", ""),
            ("practice", "timezone", "Mars/Olympus"),
            ("number", "carrier", "pigeon"),
            ("number", "channel", ""),
            ("number", "number", "five"),
            ("number", "sites", "www.example.com"),
            (
                "number",
                "sites",
                "https://example.com/ http://other.example.com",
            ),
            ("carrier", "public_url", "http://text.example.com"),
            ("carrier", "public_url", "text"),
            ("carrier", "account_sid", ""),
            ("model", "llm_kind", ""),
            ("model", "llm_base_url", "llm"),
            ("model", "llm_model", ""),
        ] {
            let mut given = whole();
            given.0.insert(field.to_owned(), wrong.to_owned());
            let faults = given.faults(step, &types);
            let fields: Vec<&str> = faults.iter().map(|(field, _)| *field).collect();
            assert_eq!(fields, [field], "{step}: {wrong:?}");
        }
    }

    #[test]
    fn a_name_gives_an_id() {
        for (name, id) in [
            ("Lakeside Family Medicine", "lakeside"),
            ("St. Mary's", "st"),
            ("", ""),
            ("Ñandú", "and"),
        ] {
            let mut answers = Answers::default();
            answers.take("practice", |field| {
                if field == "name" {
                    name.to_owned()
                } else {
                    String::new()
                }
            });
            assert_eq!(answers.get("id"), id, "{name}");
        }
    }
}
