//! The practice (the covered entity), the numbers it texts from, and what it says in public.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::agreement::Agreement;
use crate::domain::ids::PracticeId;
use crate::domain::phone::E164;
use crate::domain::sign_on::OidcProvider;
use crate::domain::webchat::Webchat;
use crate::policy::words::{Channel, Jurisdiction, Language, practice_type, vocabulary};

pub use crate::policy::law::channels::NumberType;

vocabulary! {
    /// A company that carries texts, or the simulator.
    CarrierKind, "carrier" {
        /// Twilio Programmable Messaging: SMS, MMS and WhatsApp Business.
        Twilio = "twilio",
        /// `MessageBird`'s classic REST API: SMS and MMS.
        Messagebird = "messagebird",
        /// Bird: the Channels API or the platform API; SMS and WhatsApp Business.
        Bird = "bird",
        /// Bandwidth Messaging v2: SMS and MMS.
        Bandwidth = "bandwidth",
        /// The phone page of this product; nothing leaves the machine.
        Simulator = "simulator",
        /// The practice's own chat page, which this program serves: no company carries it.
        Web = "web",
    }
}

vocabulary! {
    /// What the portal asks beside the birth date before it shows anything; a link that was forwarded
    /// opens for nobody else.
    #[derive(Default)]
    PortalFactor, "second factor" {
        /// A code that is texted to the number that got the link.
        #[default]
        Code = "code",
        /// The ZIP code of the address on file; a code by text where there is none on file.
        Zip = "zip",
        /// Nothing more.
        None = "none",
    }
}

/// A practice whose patients text it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Practice {
    /// Slug, also the last part of its webhook addresses.
    pub id: PracticeId,
    /// The name that patients know; it opens fixed texts.
    pub name: String,
    /// The name in texts; empty: `name`, or where that tells a condition by itself, words that tell
    /// nothing. Must tell nothing of a condition.
    #[serde(default)]
    pub text_name: String,
    /// Whether `name` tells a condition by itself, as the policy in force reads it.
    #[serde(skip)]
    pub discreet: bool,
    /// `primary_care`, `behavioral_health`, `oncology`, ...: decides what its name and providers reveal.
    #[serde(
        rename = "type",
        default = "primary_care",
        deserialize_with = "practice_type"
    )]
    pub kind: String,
    /// The voice number of the front desk.
    pub phone: E164,
    /// The state it practises in.
    #[serde(default = "unknown_state")]
    pub state: Jurisdiction,
    /// IANA time zone, such as `America/Los_Angeles`.
    pub timezone: String,
    /// An outside patient portal; empty means the built-in one.
    #[serde(default)]
    pub portal_url: String,
    /// What the built-in portal asks beside the birth date.
    #[serde(default)]
    pub portal_factor: PortalFactor,
    /// A page of the practice about its texts, which the answer to HELP names; empty: the portal's
    /// address where that is an outside one, else the page that is served at `public_url`.
    #[serde(default)]
    pub help_url: String,
    /// Street address, as told to patients.
    #[serde(default)]
    pub address: String,
    /// Opening hours, as told to patients in English.
    #[serde(default)]
    pub hours: String,
    /// Opening hours, as told to patients in Spanish; empty means as in English.
    #[serde(default)]
    pub hours_es: String,
    /// Public facts told to anyone: parking, insurance networks, notices. Key is the fact's name.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// The numbers it texts from.
    #[serde(default, rename = "sender")]
    pub senders: Vec<Sender>,
    /// Agreements on file.
    #[serde(default, rename = "agreement")]
    pub agreements: Vec<Agreement>,
    /// Hours of notice that it asks for when a visit is cancelled; 0: none.
    #[serde(default)]
    pub cancel_notice_h: u32,
    /// Tools that the agent may not use here, by name: `book_appointment`, `cancel_appointment`, ...
    #[serde(default)]
    pub tools_off: Vec<String>,
    /// What a language model on another machine sees of the record.
    #[serde(default)]
    pub model_sees: ModelSees,
    /// US dollars that language models may cost it in a calendar month; then the offline model
    /// answers. None: no cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_cap_usd: Option<f64>,
    /// What becomes of conversations that the agent hands over.
    #[serde(default)]
    pub handoff: Handoff,
    /// What shows who writes from a number at which the record knows one person.
    #[serde(default)]
    pub identify_by: IdentifyBy,
    /// When patients are reminded of their visits; none: never by ourselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outreach: Option<Outreach>,
    /// The FHIR server that keeps its record; none: the embedded record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fhir: Option<FhirServer>,
    /// Who vouches for its staff; none: they sign in with a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcProvider>,
    /// The chat on its web site; none: there is no chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webchat: Option<Webchat>,
}

/// What a language model on another machine sees of the record, under its vendor's agreement; without
/// one it sees no identifier of anybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelSees {
    /// References with a gloss; the values are filled in here.
    #[default]
    References,
    /// The values.
    Values,
}

/// What becomes of conversations that a person has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handoff {
    /// Hours after which the agent is back where staff have not given the conversation back; 0: only
    /// staff bring it back.
    #[serde(default = "a_day")]
    pub returns_after_h: u32,
}

impl Default for Handoff {
    fn default() -> Self {
        Self {
            returns_after_h: a_day(),
        }
    }
}

/// Who asked for a person yesterday and writes today wants an answer more than silence.
const fn a_day() -> u32 {
    24
}

/// What shows who writes from a number at which the record knows one person (45 CFR 164.514(h)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifyBy {
    /// The number itself: answers go to the phone that the practice has on file.
    #[default]
    Number,
    /// The date of birth, once: until then nobody can tell a number on file from any other.
    BirthDate,
}

/// When patients are reminded of their visits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outreach {
    /// Hours before a visit, each a reminder.
    #[serde(default = "three_days_and_one")]
    pub before_h: Vec<u32>,
    /// Texts of the practice's own to one number in a day; what is over waits for the next.
    #[serde(default = "one_a_day")]
    pub daily_max: u32,
    /// Whether who has confirmed is spared the later reminders.
    #[serde(default)]
    pub skip_confirmed: bool,
    /// Hours after the end of a missed visit until a new time is offered, once; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_after_h: Option<u32>,
    /// Minutes for which a time that became free is one person's on the waitlist to take; then the
    /// next is asked. None: staff offer such times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waitlist_answer_min: Option<u32>,
    /// Who is asked to come again, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recall: Vec<Recall>,
}

impl Default for Outreach {
    fn default() -> Self {
        Self {
            before_h: three_days_and_one(),
            daily_max: one_a_day(),
            skip_confirmed: false,
            missed_after_h: None,
            waitlist_answer_min: None,
            recall: Vec::new(),
        }
    }
}

/// A rule by which patients are asked to come again: so long after a visit of a kind, where none is
/// ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Its name, by which it is known once: letters, digits, `-` and `_`.
    pub name: String,
    /// Which visits count: those whose type or reason in the record holds these words; empty: any.
    #[serde(default)]
    pub visit_type: String,
    /// Months after such a visit.
    pub after_months: u32,
    /// What the text calls the visit, such as `your yearly visit`; where none is given, or what is
    /// given would tell of the patient's health, it is called by words that tell nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub visit: BTreeMap<Language, String>,
}

impl Recall {
    /// The most months: after ten years nobody remembers the practice.
    pub const MONTHS_MAX: u32 = 120;
    /// The longest words for a visit: the text shall stay within two segments.
    pub const WORDS_MAX: usize = 40;

    /// Why it cannot be used, and how to mend it.
    pub fn check(&self) -> Result<(), String> {
        let Self { name, .. } = self;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!(
                "name `{name}`: a name of letters, digits, `-` and `_`, such as `yearly`"
            ));
        }
        if !(1..=Self::MONTHS_MAX).contains(&self.after_months) {
            let (months, most) = (self.after_months, Self::MONTHS_MAX);
            return Err(format!(
                "recall `{name}`: after_months = {months}; months from 1 to {most}"
            ));
        }
        let bad = |it: &&String| it.trim().is_empty() || it.chars().count() > Self::WORDS_MAX;
        if let Some(words) = self.visit.values().find(bad) {
            let most = Self::WORDS_MAX;
            return Err(format!(
                "recall `{name}`: visit `{words}`; 1 to {most} characters, such as `your yearly visit`"
            ));
        }
        Ok(())
    }
}

impl Outreach {
    /// Why it cannot be used, and how to mend it.
    pub fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for rule in &self.recall {
            rule.check()?;
            if !names.insert(rule.name.as_str()) {
                let name = &rule.name;
                return Err(format!(
                    "recall `{name}` stands twice; give each rule its own name"
                ));
            }
        }
        Ok(())
    }
}

fn three_days_and_one() -> Vec<u32> {
    vec![72, 24]
}

/// 47 CFR 64.1200(a)(9)(iv) allows a health care provider one exempted text a day.
const fn one_a_day() -> u32 {
    1
}

/// A FHIR R4 server and how we sign in to it (SMART Backend Services).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FhirServer {
    /// Its base address, such as `https://fhir.example.com/r4`.
    pub base_url: String,
    /// What we are registered as; empty: it wants nobody to sign in.
    #[serde(default)]
    pub client_id: String,
    /// The private key that is registered there by its public half: RSA or P-384, PEM, PKCS#8.
    #[serde(default)]
    pub private_key_file: std::path::PathBuf,
    /// The `kid` of that key; empty: none is told.
    #[serde(default)]
    pub key_id: String,
    /// Its token endpoint; empty: the one in its smart-configuration.
    #[serde(default)]
    pub token_url: String,
    /// What is asked for.
    #[serde(default = "scope")]
    pub scope: String,
    /// Seconds for one exchange.
    #[serde(default = "fhir_timeout_s")]
    pub timeout_s: u64,
}

fn scope() -> String {
    "system/*.read system/*.write".to_owned()
}

/// Of the ten seconds that a patient waits gladly.
const fn fhir_timeout_s() -> u64 {
    8
}

fn primary_care() -> String {
    "primary_care".to_owned()
}

fn unknown_state() -> Jurisdiction {
    Jurisdiction::UNKNOWN
}

/// A number that the practice texts from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// Who carries it.
    pub carrier: CarrierKind,
    /// What kind of texts it carries.
    #[serde(default = "sms")]
    pub channel: Channel,
    /// The number.
    pub number: E164,
    /// What kind of number it is: agreements cover some kinds only.
    #[serde(default = "long_code")]
    pub number_type: NumberType,
    /// Who answers STOP, START and HELP on this number.
    #[serde(default = "we_reply")]
    pub keywords: KeywordReplies,
    /// Segments a second that its registration grants; none: the least that carriers give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
    /// Segments a day that its registration grants; none: the least that carriers give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<i64>,
    /// What one segment costs, in US dollars, where it is not the carrier's list price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// The public https address of the practice's contact card (vCard) or logo, which goes along
    /// with the first text to a patient where the carrier takes pictures out (MMS), so that the
    /// phone shows a name. Everybody can read it: it must hold nothing of a patient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_card: Option<String>,
    /// What becomes of a text outside WhatsApp's 24-hour window.
    #[serde(default)]
    pub outside_window: OutsideWindow,
    /// The approved templates that ask the patient to write, by language.
    #[serde(
        default,
        rename = "template",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub templates: BTreeMap<Language, TemplateText>,
}

/// What becomes of a text outside WhatsApp's 24-hour window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutsideWindow {
    /// Staff decide.
    #[default]
    Hold,
    /// An approved template asks the patient to write; the text waits with staff.
    Template,
    /// It goes by SMS from another number of the practice, unless it holds PHI.
    Sms,
}

/// A template that Meta approved, word for word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateText {
    /// The carrier's id of it: Twilio's `HX...`, the Bird platform's `wat_...` or its slug, or the
    /// Bird project (`PROJECT`, or `PROJECT/VERSION`; else the latest).
    pub id: String,
    /// The language as it was approved, such as `en-US`, where that is more than the key tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub locale: String,
    /// Its words, with places such as `{{1}}`.
    pub text: String,
    /// What stands in each place.
    #[serde(default)]
    pub variables: BTreeMap<String, TemplateValue>,
}

vocabulary! {
    /// What may stand in a place of a template: public facts only.
    TemplateValue, "template value" {
        /// The practice's name.
        PracticeName = "practice_name",
        /// The front desk's number, as people read it.
        PracticePhone = "practice_phone",
    }
}

vocabulary! {
    /// Who answers the keywords STOP, START and HELP.
    KeywordReplies, "keyword replies" {
        /// We do: the carrier's own answers are switched off, as Twilio's Message Redaction needs,
        /// or there are none. Where the carrier answers all the same, it refuses our confirmation
        /// and nobody is texted twice.
        WeReply = "we_reply",
        /// The carrier does, and blocks the number: we keep the ledger and stay silent.
        CarrierReplies = "carrier_replies",
    }
}

const fn we_reply() -> KeywordReplies {
    KeywordReplies::WeReply
}

const fn long_code() -> NumberType {
    NumberType::LongCode
}

fn sms() -> Channel {
    Channel::Sms
}

impl Practice {
    /// The name in texts: on a bare number, a name that tells a condition would tell it to whoever
    /// holds the phone (45 CFR 164.522(b); 42 CFR 2.12).
    pub fn said_name(&self, language: Language) -> &str {
        match (self.text_name.is_empty(), self.discreet, language) {
            (false, _, _) => &self.text_name,
            (true, false, _) => &self.name,
            (true, true, Language::En) => "Your Care Team",
            (true, true, Language::Es) => "Su equipo de salud",
        }
    }

    /// The sender with this number, if it is one of the practice's.
    pub fn sender(&self, number: &E164) -> Option<&Sender> {
        self.senders.iter().find(|sender| sender.number == *number)
    }

    /// The sender with this number, carrier and channel.
    pub fn sender_by(
        &self,
        carrier: CarrierKind,
        channel: Channel,
        number: &E164,
    ) -> Option<&Sender> {
        let whatsapp = |it: Channel| it == Channel::Whatsapp;
        self.senders.iter().find(|it| {
            it.number == *number
                && it.carrier == carrier
                && whatsapp(it.channel) == whatsapp(channel)
        })
    }

    /// The kind of number that it texts from by a carrier and a channel; none when there are
    /// several kinds, or no such number.
    pub fn number_type(&self, carrier: CarrierKind, channel: Channel) -> Option<NumberType> {
        let mut kinds = self
            .senders
            .iter()
            .filter(|it| it.carrier == carrier && it.channel == channel)
            .map(|it| it.number_type);
        let first = kinds.next()?;
        kinds.all(|kind| kind == first).then_some(first)
    }

    /// The carriers and channels that it texts by, each once.
    pub fn channels(&self) -> BTreeSet<(CarrierKind, Channel)> {
        let senders = self.senders.iter();
        senders.map(|it| (it.carrier, it.channel)).collect()
    }
}
