//! The way in: what a patient's text asks for, decided by rules before any model sees it.
//!
//! Pure and infallible once built: no I/O, no clock, no randomness. Uses `policy` and nothing else
//! of the crate. The rules are data (`guardrails/{keywords,emergency,signs,crisis,peril,injection}.toml`), and each
//! carries examples that are checked when it is loaded.

mod decide;
mod file;
mod fire;
mod forms;
mod greeting;
mod hidden;
mod phrase;
mod rules;
mod therapy;
mod view;
mod vocabulary;
mod vote;
pub mod wire;

use std::sync::Arc;

use crate::policy::words::Language;
use crate::policy::words::vocabulary;
use crate::screen::rules::Book;
use crate::screen::vote::Vote;

pub use crate::screen::rules::ScreenError;

vocabulary! {
    /// The question that is open in a conversation; a bare YES, NO or number answers it.
    Pending, "pending question" {
        /// The risk notice: may we text health details?
        Consent = "consent",
        /// A reminder: will you come?
        AppointmentConfirm = "appointment_confirm",
        /// Several times were offered.
        RescheduleChoice = "reschedule_choice",
        /// Shall we really cancel the visit?
        CancelConfirm = "cancel_confirm",
    }
}

vocabulary! {
    /// What a text asks for.
    Intent, "intent" {
        /// No more texts (47 CFR 64.1200(a)(10)).
        OptOut = "opt_out",
        /// Texts again, after an opt-out.
        OptIn = "opt_in",
        /// YES to the risk notice, and nothing else.
        ConsentYes = "consent_yes",
        /// NO to the risk notice.
        ConsentNo = "consent_no",
        /// The HELP keyword.
        Help = "help",
        /// A member of staff, also for abuse and threats to others.
        Human = "human",
        /// A medical emergency: 911.
        Emergency = "emergency",
        /// Suicide or self-harm: 988.
        Crisis = "crisis",
        /// Poison or overdose: Poison Help.
        Poison = "poison",
        /// Will come to the visit.
        Confirm = "confirm",
        /// Wants a visit cancelled.
        CancelAppointment = "cancel_appointment",
        /// Wants a visit moved, or chooses one of the times that were offered.
        Reschedule = "reschedule",
        /// Wants a medicine refilled.
        Refill = "refill",
        /// Asks something else.
        Question = "question",
        /// Anything else.
        Other = "other",
    }
}

/// What the rules read in one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it asks for; safety comes first, then the opt-out.
    pub intent: Intent,
    /// It tries to give the agent orders, or hides something: for the agent it is quoted data.
    pub injection: bool,
    /// The language it is written in, or the hint when it is too short to tell.
    pub language: Language,
    /// Which of the offered choices it names, counted from 1.
    pub choice: Option<u8>,
    /// The open question was not clearly answered, or the wish is in doubt: ask once.
    pub ambiguous: bool,
    /// It takes back the consent to be texted in words that leave no doubt, whatever else it asks.
    pub revoking: bool,
    /// Every rule that fired, by id, sorted.
    pub rules: Vec<Arc<str>>,
}

impl Reading {
    /// Whether the text takes back the consent to be texted, alone or beside what else it asks for.
    /// A doubtful one (rule `opt_out.doubt`; intent `other`, [`Reading::ambiguous`]) does not: it is
    /// asked once whether it meant that.
    pub fn revokes(&self) -> bool {
        self.intent == Intent::OptOut || self.revoking
    }

    /// Whether the text tells of abuse: the answer must be neutral, another may read the phone.
    pub fn tells_of_abuse(&self) -> bool {
        self.any("abuse.")
    }

    /// Whether the text tells of something that may be serious: a person looks, no alarm rings.
    pub fn worries(&self) -> bool {
        self.any("symptom.")
    }

    /// Whether the text asks who or what writes: a person, a machine, somebody of a health profession.
    pub fn asks_who_writes(&self) -> bool {
        self.any("identity.")
    }

    /// The language in which the text asks to be written to.
    pub fn wished_language(&self) -> Option<Language> {
        match (self.any("language.en"), self.any("language.es")) {
            (true, false) => Some(Language::En),
            (false, true) => Some(Language::Es),
            (false, false) | (true, true) => None,
        }
    }

    /// Whether the text threatens somebody else.
    pub fn threatens(&self) -> bool {
        self.any("harm.")
    }

    fn any(&self, prefix: &str) -> bool {
        self.rules.iter().any(|rule| rule.starts_with(prefix))
    }
}

/// The rules of the way in, compiled once; cheap to clone.
#[derive(Clone, Debug)]
pub struct Screen {
    book: Arc<Book>,
    therapy: Arc<Book>,
    vote: Arc<Vote>,
}

impl Screen {
    /// The files that are compiled into the binary, as name and text.
    pub const EMBEDDED: [(&'static str, &'static str); 7] = [
        (
            "guardrails/ordinary.toml",
            include_str!("../../guardrails/ordinary.toml"),
        ),
        (
            "guardrails/keywords.toml",
            include_str!("../../guardrails/keywords.toml"),
        ),
        (
            "guardrails/emergency.toml",
            include_str!("../../guardrails/emergency.toml"),
        ),
        (
            "guardrails/signs.toml",
            include_str!("../../guardrails/signs.toml"),
        ),
        (
            "guardrails/crisis.toml",
            include_str!("../../guardrails/crisis.toml"),
        ),
        (
            "guardrails/peril.toml",
            include_str!("../../guardrails/peril.toml"),
        ),
        (
            "guardrails/injection.toml",
            include_str!("../../guardrails/injection.toml"),
        ),
    ];

    /// The rules that are compiled into the binary. Their examples are checked by the tests of the
    /// build, not again at every start.
    pub fn embedded() -> Result<Self, ScreenError> {
        Ok(Self {
            book: Arc::new(Book::compile(&Self::EMBEDDED)?),
            therapy: Arc::new(therapy::book()?),
            vote: Arc::new(Vote::embedded()?),
        })
    }

    /// The rules in these files, given as name and text. One bad rule or one example that fails
    /// refuses them all.
    pub fn load(files: &[(&str, &str)]) -> Result<Self, ScreenError> {
        let book = Book::compile(files)?;
        book.check_examples()?;
        Ok(Self {
            book: Arc::new(book),
            therapy: Arc::new(therapy::book()?),
            vote: Arc::new(Vote::embedded()?),
        })
    }

    /// Reads one inbound text against the question that is open.
    pub fn read(&self, text: &str, pending: Option<Pending>, language_hint: Language) -> Reading {
        decide::read((&self.book, &self.vote), text, pending, language_hint)
    }

    /// How many rules, phrases and examples are in force, for `doctor` and the log.
    pub fn size(&self) -> (usize, usize, usize) {
        self.book.size()
    }
}
