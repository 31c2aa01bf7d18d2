//! The house: everything a step needs, put together once at start.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::agent::facts;
use crate::agent::ports::{Model, Records};
use crate::agent::texts::{RenderedText, TextContext, TextId, Texts};
use crate::carrier::Carrier;
use crate::carrier::pager::Pager;
use crate::domain::clock::Clock;
use crate::domain::conversation::Conversation;
use crate::domain::ids::{AlarmId, ConversationId, OutboxId, PracticeId};
use crate::domain::phi::Phi;
use crate::domain::practice::{CarrierKind, Practice};
use crate::mail::Relay;
use crate::pipeline::company::Company;
use crate::pipeline::handoff;
use crate::pipeline::in_force::InForce;
use crate::pipeline::overlays::Overlays;
use crate::pipeline::policy_trial;
use crate::pipeline::recall::LookedThrough;
use crate::pipeline::sign_in::Strangers;
use crate::pipeline::trial_text::Tests;
use crate::pipeline::webchat;
use crate::pipeline::wording;
use crate::policy::words::Language;
use crate::screen::Screen;
use crate::store::Store;

/// Fills a buffer with random bytes, or says that it cannot; a parameter, so that tests can be
/// reproduced.
pub type Entropy = Arc<dyn Fn(&mut [u8]) -> bool + Send + Sync>;

/// The carriers of one practice, by kind.
pub type Carriers = BTreeMap<(PracticeId, CarrierKind), Arc<dyn Carrier>>;

/// When each kind of refused webhook was last written down, and how many came since.
pub(crate) type Remarks = BTreeMap<(PracticeId, CarrierKind, &'static str), (Timestamp, u64)>;

/// The last text of each line whose end was asked for, so that the next round goes on behind it.
pub(crate) type Looked = BTreeMap<(PracticeId, CarrierKind), OutboxId>;

/// Which open alarms were told to whoever is on call, and when those that were not are next tried.
pub(crate) type Paged = BTreeMap<AlarmId, Page>;

/// How far the pages of one alarm are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Page {
    /// How many pages were taken: one when it is raised, one for each repetition.
    pub(crate) told: u32,
    /// Tries in a row that failed.
    pub(crate) failed: u32,
    /// When the next try is due.
    pub(crate) next: Option<Timestamp>,
}

/// What the house is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Store,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// The way out, by the policy that is in force.
    pub guardrail: InForce,
    /// The way in.
    pub screen: Screen,
    /// The approved fixed texts.
    pub texts: Texts,
    /// The record.
    pub records: Arc<dyn Records>,
    /// The model that drafts.
    pub model: Arc<dyn Model>,
    /// The models that draft when it cannot, in this order.
    pub fallbacks: Vec<Arc<dyn Model>>,
    /// The model that drafts when no other one can.
    pub offline: Arc<dyn Model>,
    /// Who carries texts.
    pub carriers: Carriers,
    /// The practices, by id.
    pub practices: BTreeMap<PracticeId, Arc<Practice>>,
    /// What carriers sign and patients open.
    pub public_url: Url,
    /// Where tokens come from.
    pub entropy: Entropy,
    /// Who is told of alarms at once.
    pub pager: Option<Pager>,
    /// The relay for e-mail; none: nobody is mailed.
    pub mail: Option<Relay>,
}

/// The running house.
pub struct House {
    pub(crate) parts: Parts,
    pub(crate) replies: Notify,
    pub(crate) outbox: Notify,
    pub(crate) waiting: Notify,
    /// Something was done in a calendar, or a time that was offered is to be offered on.
    pub(crate) freed: Notify,
    pub(crate) files: Notify,
    pub(crate) letters: Notify,
    pub(crate) remarks: Mutex<Remarks>,
    pub(crate) paged: Mutex<Paged>,
    pub(crate) looked: Mutex<Looked>,
    /// Until which day it was looked who is to be asked back.
    pub(crate) recalled: LookedThrough,
    /// Which conversations are being answered here, and how that is ended when they move on.
    pub(crate) drafting: Mutex<BTreeMap<ConversationId, CancellationToken>>,
    /// When texts in doubt were first met by catching up.
    pub(crate) doubted: Mutex<BTreeMap<OutboxId, Timestamp>>,
    /// Who of staff writes where.
    pub(crate) company: Company,
    /// Addresses without an account that were tried at the sign-in.
    pub(crate) strangers: Strangers,
    /// Practices whose reminders wait for their record, and why.
    pub(crate) unreminded: Mutex<BTreeMap<PracticeId, Phi<String>>>,
    /// The conversation of the last test that staff sent themselves.
    pub(crate) tried: Mutex<Tests>,
    changes: watch::Sender<u64>,
    wordings: Mutex<wording::ByPractice>,
    trials: Mutex<policy_trial::ByPractice>,
    overlays: Mutex<Overlays>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("House")
            .field("practices", &self.parts.practices.len())
            .finish_non_exhaustive()
    }
}

impl House {
    /// Puts the parts together.
    pub fn new(mut parts: Parts) -> Arc<Self> {
        webchat::open(&mut parts);
        let judge = parts.guardrail.judge();
        for practice in parts.practices.values_mut() {
            let (name, said) = (&practice.name, &practice.text_name);
            let tells = |name: &str| judge.guardrail.name_tells(name);
            if tells(said) || (said.is_empty() && tells(name)) {
                let practice = Arc::make_mut(practice);
                practice.discreet = true;
                // `doctor` says so; texts never do.
                practice.text_name.clear();
            }
        }
        let (changes, _) = watch::channel(0);
        Arc::new(Self {
            parts,
            replies: Notify::new(),
            outbox: Notify::new(),
            waiting: Notify::new(),
            freed: Notify::new(),
            files: Notify::new(),
            letters: Notify::new(),
            remarks: Mutex::default(),
            paged: Mutex::default(),
            looked: Mutex::default(),
            recalled: LookedThrough::default(),
            drafting: Mutex::default(),
            doubted: Mutex::default(),
            company: Company::default(),
            strangers: Strangers::default(),
            tried: Mutex::default(),
            unreminded: Mutex::default(),
            changes,
            wordings: Mutex::default(),
            trials: Mutex::default(),
            overlays: Mutex::default(),
        })
    }

    /// What each practice's conversations are answered in.
    pub(crate) fn lock_wordings(&self) -> MutexGuard<'_, wording::ByPractice> {
        self.wordings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which policy is on trial at each practice.
    pub(crate) fn lock_trials(&self) -> MutexGuard<'_, policy_trial::ByPractice> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What lies over the policy at each practice.
    pub(crate) fn lock_overlays(&self) -> MutexGuard<'_, Overlays> {
        self.overlays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.parts.store
    }

    /// The record.
    pub fn records(&self) -> &Arc<dyn Records> {
        &self.parts.records
    }

    /// The lines to carriers.
    pub fn carriers(&self) -> &Carriers {
        &self.parts.carriers
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    /// The name of the model that drafts.
    pub fn model_name(&self) -> &str {
        self.parts.model.name()
    }

    /// The practice with this id.
    pub fn practice(&self, id: &PracticeId) -> Option<Arc<Practice>> {
        self.parts.practices.get(id).map(Arc::clone)
    }

    /// All practices, in the order of their ids.
    pub fn practices(&self) -> impl Iterator<Item = &Arc<Practice>> {
        self.parts.practices.values()
    }

    /// Ticks whenever something that a page shows has changed.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn changed(&self) {
        self.changes
            .send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    /// The practice of a conversation; gone from the configuration means the conversation rests.
    pub(crate) fn practice_of(&self, conversation: &Conversation) -> Option<Arc<Practice>> {
        self.practice(&conversation.practice)
    }

    /// An approved text in the patient's language.
    pub(crate) fn fixed_text(
        &self,
        id: TextId,
        practice: &Practice,
        language: Language,
    ) -> RenderedText {
        let url = [&practice.help_url, &practice.portal_url]
            .into_iter()
            .find(|url| !url.is_empty())
            .map_or(self.parts.public_url.as_str(), String::as_str);
        let when = handoff::answering(practice, self.parts.clock.now(), language);
        self.parts.texts.render(
            id,
            language,
            &TextContext {
                practice: practice.said_name(language),
                phone: &practice.phone.display_us(),
                url,
                hours: facts::hours(practice, language),
                code: "",
                when: when.as_deref().unwrap_or_default(),
            },
        )
    }

    /// The text with the code that the portal asks for.
    pub(crate) fn portal_code_text(
        &self,
        practice: &str,
        code: &str,
        language: Language,
    ) -> RenderedText {
        self.code_text(TextId::PortalCode, (practice, code), language)
    }

    /// The words with the code that shows whose an e-mail address is.
    pub(crate) fn mail_code_text(
        &self,
        practice: &str,
        code: &str,
        language: Language,
    ) -> RenderedText {
        self.code_text(TextId::MailCode, (practice, code), language)
    }

    fn code_text(
        &self,
        id: TextId,
        (practice, code): (&str, &str),
        language: Language,
    ) -> RenderedText {
        let context = TextContext {
            practice,
            phone: "",
            url: "",
            hours: "",
            when: "",
            code,
        };
        self.parts.texts.render(id, language, &context)
    }

    /// The facts that anybody may be told about a practice.
    pub(crate) fn public_facts(practice: &Practice, public_url: &Url) -> Vec<(String, String)> {
        let mut facts: Vec<(String, String)> = Language::ALL
            .iter()
            .map(|language| practice.said_name(*language))
            .map(|name| ("practice.name".to_owned(), name.to_owned()))
            .collect();
        facts.dedup();
        facts.extend([
            (
                "practice.phone".to_owned(),
                practice.phone.as_str().to_owned(),
            ),
            ("practice.phone".to_owned(), practice.phone.display_us()),
            ("practice.url".to_owned(), public_url.as_str().to_owned()),
        ]);
        let texts = [
            ("practice.address", &practice.address),
            ("practice.hours", &practice.hours),
            ("practice.hours", &practice.hours_es),
            ("practice.url", &practice.portal_url),
            ("practice.url", &practice.help_url),
        ];
        facts.extend(
            texts
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(field, value)| (field.to_owned(), value.clone())),
        );
        facts.extend(
            practice
                .facts
                .iter()
                .map(|(name, value)| (format!("practice.{name}"), value.clone())),
        );
        facts
    }
}
