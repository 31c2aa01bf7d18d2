//! The law in one conversation: what applies, what is told along with a text, when it may leave,
//! what its channel and its model may see.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::agent::Input;
use crate::agent::texts::{RenderedText, TextId};
use crate::domain::agreement::Agreement;
use crate::domain::conversation::{Conversation, Direction, OutboxRow, Turn};
use crate::domain::message::{LawTag, OutboundKind};
use crate::domain::practice::Practice;
use crate::domain::record::Patient;
use crate::guardrail::finding::{Action, Finding, Group};
use crate::guardrail::review::Review;
use crate::pipeline::house::House;
use crate::pipeline::in_force::Judge;
use crate::pipeline::papers::{ENDING_DAYS, Missing, Register};
use crate::pipeline::policy_trial::Part;
use crate::policy::law::Whereabouts;
use crate::policy::law::answer::{Session, told};
use crate::policy::law::duties::Duties;
use crate::policy::law::join::Ids;
use crate::policy::law::minors::Care;
use crate::policy::law::terms::{Act, Class, Content, MessageClass, Surface, Writer};
use crate::policy::law::zones;
use crate::policy::words::{Channel, Jurisdiction, Language, Purpose};
use crate::store::StoreError;

/// Merged duties that are kept; one practice and its patients' states on one day take a few.
const KEPT_MAX: usize = 256;

/// What duties are kept by.
pub(crate) type Key = (Jurisdiction, Jurisdiction, String, jiff::civil::Date);

/// What applies to one patient of one practice.
#[derive(Clone, Debug)]
pub(crate) struct Governed {
    pub(crate) duties: Arc<Duties>,
    pub(crate) residence: Jurisdiction,
    /// By what it is judged, from first to last.
    pub(crate) judge: Arc<Judge>,
    /// The trial of a policy that it is a part of.
    pub(crate) trial: Option<Part>,
}

/// What is told along with a text, and by which rules.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    pub(crate) texts: Vec<TextId>,
    pub(crate) rules: Ids,
}

impl House {
    /// The law that applies now to this patient; not known who it is means every state's.
    pub(crate) fn governed(
        &self,
        practice: &Practice,
        residence: Jurisdiction,
        now: Timestamp,
    ) -> Governed {
        let judge = self.judge_for(&practice.id);
        Self::governed_by(practice, residence, now, (judge, None))
    }

    /// The same in one conversation, which a policy on trial may judge.
    pub(crate) fn governed_in(
        &self,
        conversation: &Conversation,
        practice: &Practice,
        residence: Jurisdiction,
        now: Timestamp,
    ) -> Governed {
        let judge = self.judge_of(&practice.id, conversation.id);
        Self::governed_by(practice, residence, now, judge)
    }

    fn governed_by(
        practice: &Practice,
        residence: Jurisdiction,
        now: Timestamp,
        (judge, trial): (Arc<Judge>, Option<Part>),
    ) -> Governed {
        let day = day_of(residence, now);
        let key = (practice.state, residence, practice.kind.clone(), day);
        let governed = |duties: &Arc<Duties>| Governed {
            duties: Arc::clone(duties),
            residence,
            judge: Arc::clone(&judge),
            trial,
        };
        let mut kept = judge.lock_duties();
        if let Some(duties) = kept.get(&key) {
            return governed(duties);
        }
        let at = Whereabouts {
            practice: practice.state,
            residence,
            practice_type: &practice.kind,
            day,
        };
        let duties = Arc::new(judge.guardrail.law().duties(at));
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&duties));
        governed(&duties)
    }

    /// Who asks for agreements, now.
    pub fn register(&self, now: Timestamp) -> Register<'_> {
        Register {
            law: Arc::clone(self.in_force().guardrail.law()),
            store: Some(self.store()),
            now,
        }
    }

    /// Every agreement that is missing now, of every practice.
    pub async fn missing_papers(&self, now: Timestamp) -> Result<Vec<Missing>, StoreError> {
        let mut missing = Vec::new();
        let hosts = self.model_hosts();
        for practice in self.practices() {
            missing.extend(self.register(now).missing(practice, &hosts).await?);
        }
        Ok(missing)
    }

    /// Agreements of a practice that end soon with none recorded to follow.
    pub async fn ending_papers(
        &self,
        practice: &Practice,
        now: Timestamp,
    ) -> Result<Vec<Agreement>, StoreError> {
        self.register(now).ending(practice, ENDING_DAYS).await
    }

    /// Whether the channel of this conversation may carry PHI now.
    pub(crate) async fn covered(
        &self,
        practice: &Practice,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (carrier, channel) = (conversation.carrier, conversation.channel);
        let lacks = self
            .register(now)
            .channel(practice, carrier, channel)
            .await?;
        Ok(lacks.is_empty())
    }

    /// Where the session stands: what decides when something is told again.
    pub(crate) fn session(
        &self,
        turns: &[Turn],
        patient: Option<&Patient>,
        governed: &Governed,
        now: Timestamp,
    ) -> Session {
        let outbound = |turn: &&Turn| turn.direction == Direction::Outbound;
        let told = turns
            .iter()
            .rev()
            .filter(outbound)
            .find(|turn| self.parts.texts.tells_ai(turn.body.as_str()));
        let before = turns
            .iter()
            .rev()
            .find(|turn| turn.answered || outbound(turn));
        let whole = |since: Timestamp, unit: SignedDuration| {
            let spent = now.duration_since(since).as_secs() / unit.as_secs().max(1);
            u32::try_from(spent.max(0)).unwrap_or(u32::MAX)
        };
        let asks = |turn: &Turn| {
            let said = plain(turn.body.as_str());
            let mut phrases = governed.duties.asked.iter();
            phrases.any(|phrase| said.contains(phrase.as_str()))
        };
        let waiting = |turn: &&Turn| turn.direction == Direction::Inbound && !turn.answered;
        Session {
            first: told.is_none(),
            asked: turns.iter().filter(waiting).any(asks),
            minor: patient.and_then(|patient| patient.is_minor(now)),
            minutes_since_told: told.map(|turn| whole(turn.at, SignedDuration::from_mins(1))),
            idle_hours: before.map(|turn| whole(turn.at, SignedDuration::from_hours(1))),
        }
    }

    /// An approved text behind the one that says that an AI writes: to whoever asks for a person by
    /// asking whether it is one.
    pub(crate) fn with_intro(
        &self,
        text: RenderedText,
        practice: &Practice,
        language: Language,
    ) -> RenderedText {
        if self.parts.texts.tells_ai(&text.text) {
            return text;
        }
        let intro = self.fixed_text(TextId::AiIntro, practice, language);
        let words = format!("{} {}", intro.text, text.text);
        RenderedText {
            text_id: format!("{}+{}", intro.text_id, text.text_id),
            sha256: hex::encode(Sha256::digest(&words)),
            text: words,
        }
    }
}

impl Governed {
    /// By which law a text was cleared.
    pub(crate) fn tag(&self, kind: OutboundKind, by: &Ids) -> LawTag {
        let duties = &self.duties;
        let mut rules = by.clone();
        match kind {
            OutboundKind::OptOutConfirmation => rules.extend(duties.opt_out.by.iter().cloned()),
            OutboundKind::Safety => {
                rules.extend(duties.routes.values().flat_map(|it| it.by.iter().cloned()));
            }
            OutboundKind::Initiated | OutboundKind::Invitation => {
                let windows = duties.windows.iter();
                let own =
                    windows.filter(|((class, _), _)| *class == MessageClass::OutboundInitiated);
                rules.extend(own.flat_map(|(_, week)| week.by.iter().cloned()));
            }
            OutboundKind::Notice
            | OutboundKind::Reply
            | OutboundKind::Help
            | OutboundKind::Interim => {}
        }
        if kind != OutboundKind::Safety && kind != OutboundKind::OptOutConfirmation {
            rules.extend(
                duties
                    .consents
                    .values()
                    .filter(|it| it.forms.is_empty())
                    .flat_map(|it| it.by.iter().cloned()),
            );
        }
        LawTag {
            state: (self.residence != Jurisdiction::UNKNOWN).then_some(self.residence),
            rules: rules.iter().map(ToString::to_string).collect(),
            policy: self.judge.guardrail.digest().to_owned(),
        }
    }

    /// What must be told along with a text of the agent.
    pub(crate) fn telling(
        &self,
        (review, purpose): (&Review<'_>, Purpose),
        session: &Session,
    ) -> Telling {
        let contents = contents(review, purpose);
        let mut telling = Telling::default();
        for (_, duty) in told(&self.duties, &contents, Writer::Ai, session) {
            telling.rules.extend(duty.by.iter().cloned());
            for text in &duty.texts {
                if let Ok(id) = text.as_str().parse::<TextId>()
                    && !telling.texts.contains(&id)
                {
                    telling.texts.push(id);
                }
            }
        }
        // A text that says more stands for one that says less.
        if telling.texts.iter().any(|id| id.tells_more_than_intro()) {
            telling.texts.retain(|id| *id != TextId::AiIntro);
        }
        telling.texts.sort_unstable();
        telling
    }

    /// The rules that an approved text obeys by saying that an AI writes.
    pub(crate) fn obeyed_by_intro(&self, session: &Session) -> Ids {
        let due = told(&self.duties, Content::ALL, Writer::Ai, session);
        let intro = TextId::AiIntro.as_str();
        due.filter(|(_, duty)| duty.texts.iter().any(|id| id.as_str() == intro))
            .flat_map(|(_, duty)| duty.by.iter().cloned())
            .collect()
    }

    /// Whether the law keeps something that the texts of a turn speak of out of a model's prompt
    /// (740 ILCS 110; Cal. Civ. Code 56.05).
    pub(crate) fn keeps_from_prompts(&self, input: &Input<'_>) -> bool {
        let said = input.history.iter().map(|(_, text)| text);
        let mut said = said.chain(&input.waiting);
        said.any(|text| {
            let found = self.judge.guardrail.detect(text.as_str());
            found.iter().any(|it| {
                let name = it.category.as_str();
                let classes = Class::ALL.iter();
                let mut classes = classes.filter(|class| class.categories().contains(&name));
                classes.any(|class| {
                    let duties = &self.duties;
                    duties
                        .blocked(Surface::ModelPrompt, *class, Writer::Ai)
                        .is_some()
                })
            })
        })
    }

    /// From which age a minor decides on this care alone, on this channel.
    pub(crate) fn minor_decides_from(&self, care: Care, channel: Channel) -> u8 {
        self.duties.minor_decides_from(care, surface(channel))
    }

    /// Whether an AI may take part in talk that could be therapy.
    pub(crate) fn bars_therapy(&self) -> Option<&Ids> {
        let acts = &self.duties.ai.acts;
        acts.get(&Act::TherapeuticCommunication)
            .or_else(|| acts.get(&Act::DirectCare))
    }

    /// The rules by which something that the review left in a text may not leave by this channel.
    pub(crate) fn forbids(
        &self,
        review: &Review<'_>,
        text: &str,
        channel: Channel,
        public: &[(String, String)],
    ) -> Option<Ids> {
        let kept = review.findings.iter();
        let mut kept = kept.filter(|it| it.action == Action::Keep);
        self.forbidden(&mut kept, text, channel, public)
    }

    /// The rules by which one of these may not leave by this channel.
    fn forbidden(
        &self,
        findings: &mut dyn Iterator<Item = &Finding>,
        text: &str,
        channel: Channel,
        public: &[(String, String)],
    ) -> Option<Ids> {
        let surface = surface(channel);
        for finding in findings {
            let said = text
                .get(finding.span.clone())
                .unwrap_or_default()
                .to_lowercase();
            let is_public = is_public(&said, public);
            let blocked = Class::ALL
                .iter()
                .filter(|class| class.categories().contains(&finding.category.as_str()));
            for class in blocked {
                if let Some(block) = self.duties.blocked(surface, *class, Writer::Ai)
                    && !is_public
                {
                    return Some(block.by.clone());
                }
            }
        }
        None
    }

    /// Whether the policy of today finds in a text that another policy cleared what may not leave:
    /// what the law keeps away from the channel, or health in a text that was to hold none.
    pub(crate) fn finds_fault(
        &self,
        row: &OutboxRow,
        channel: Channel,
        public: &[(String, String)],
    ) -> bool {
        let text = row.body.as_str();
        let findings = self.judge.guardrail.detect(text);
        let clinical = |it: &Finding| {
            let said = text.get(it.span.clone()).unwrap_or_default();
            it.category.group() != Group::Identifier && !is_public(&said.to_lowercase(), public)
        };
        (!row.phi && findings.iter().any(clinical))
            || self
                .forbidden(&mut findings.iter(), text, channel, public)
                .is_some()
    }

    /// The rules that keep what the review took out away from this channel.
    pub(crate) fn kept_away(&self, review: &Review<'_>, channel: Channel) -> Ids {
        let surface = surface(channel);
        let mut by = Ids::new();
        for finding in review
            .findings
            .iter()
            .filter(|it| it.action != Action::Keep)
        {
            for class in Class::ALL {
                if class.categories().contains(&finding.category.as_str())
                    && let Some(block) = self.duties.blocked(surface, *class, Writer::Ai)
                {
                    by.extend(block.by.iter().cloned());
                }
            }
        }
        by
    }
}

/// A law is in force as soon as its day has come anywhere where the patient may be.
pub(crate) fn day_of(residence: Jurisdiction, now: Timestamp) -> jiff::civil::Date {
    let zones = zones::possible(None, residence).into_iter();
    let days = zones.map(|zone| now.to_zoned(zone).date());
    days.max()
        .unwrap_or_else(|| now.to_zoned(TimeZone::UTC).date())
}

/// Whether anybody may know these words, in lower case, from the practice's own facts.
fn is_public(said: &str, public: &[(String, String)]) -> bool {
    let mut values = public.iter();
    values.any(|(_, value)| value.to_lowercase().contains(said))
}

/// Lower case, without the accents of Spanish.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    lower
        .chars()
        .map(|c| match c {
            'á' => 'a',
            'é' => 'e',
            'í' => 'i',
            'ó' => 'o',
            'ú' | 'ü' => 'u',
            '\u{2019}' => '\'',
            _ => c,
        })
        .collect()
}

const fn surface(channel: Channel) -> Surface {
    match channel {
        Channel::Sms => Surface::Sms,
        Channel::Mms => Surface::Mms,
        Channel::Whatsapp => Surface::Whatsapp,
        Channel::Webchat => Surface::Webchat,
    }
}

/// What a text is about. Whatever touches health is clinical, also when the detail went behind the
/// link.
fn contents(review: &Review<'_>, purpose: Purpose) -> Vec<Content> {
    let clinical = matches!(
        purpose,
        Purpose::Results | Purpose::Refill | Purpose::Triage
    ) || review.findings.iter().any(|it| {
        it.category.group() != Group::Identifier && it.category.group() != Group::Conduct
    });
    let mut contents = vec![match purpose {
        Purpose::Billing => Content::Billing,
        Purpose::Scheduling
        | Purpose::Reply
        | Purpose::Refill
        | Purpose::Results
        | Purpose::Triage
        | Purpose::General => Content::Scheduling,
    }];
    if clinical {
        contents.push(Content::Clinical);
    }
    contents
}
