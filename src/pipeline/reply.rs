//! Reply: what waits in one conversation gets its one outcome: a cleared text, or staff.

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::agent;
use crate::agent::ports::RecordsError;
use crate::agent::texts::{RenderedText, TextId};
use crate::domain::consent::{Notice, RISK_NOTICE_ASKS};
use crate::domain::conversation::{Conversation, PendingKind, PendingQuestion, ReplyJob, Turn};
use crate::domain::ids::TurnId;
use crate::domain::message::{LawTag, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::domain::publication::Side;
use crate::domain::record::Patient;
use crate::guardrail::finding::Verdict;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::Author;
use crate::pipeline::cases::{self, Case};
use crate::pipeline::clear::Writing;
use crate::pipeline::consent::question;
use crate::pipeline::draft::{Asking, may_ask_who};
use crate::pipeline::family;
use crate::pipeline::handoff::{self, Aside};
use crate::pipeline::house::House;
use crate::pipeline::interim::Drafting;
use crate::pipeline::law::Governed;
use crate::pipeline::person::{self, Arrival, Move};
use crate::pipeline::plan::{
    ABUSED, ASKED_FOR_PERSON, Plan, TWICE, UNKNOWN_WRITER, plan, twice, waiting,
};
use crate::pipeline::portal::PortalLink;
use crate::pipeline::shelter::{Shelter, Watch};
use crate::pipeline::ward::{Whose, whose_are};
use crate::pipeline::work::{LEASE, Step, caught, renewing};
use crate::policy::words::{Channel, Jurisdiction, Language, Purpose};
use crate::store::StoreError;
use crate::store::recordings::Digests;

/// After so many leases without an end the conversation is parked for staff: the text may be one
/// that breaks us each time.
const ATTEMPTS_MAX: i64 = 5;

/// First wait after an answer that failed; doubled each time.
const BACKOFF: SignedDuration = SignedDuration::from_secs(1);

/// How much of the conversation is read: enough for any context, bounded for the model's sake.
const TURNS_MAX: u32 = 40;

/// What becomes of the open question.
pub(crate) enum Pending {
    /// It stays open.
    Keep,
    /// It is closed, or another takes its place.
    Set(Option<PendingQuestion>),
}

/// What one reply will commit.
pub(crate) struct Reply {
    pub(crate) kind: OutboundKind,
    pub(crate) answers: Vec<TurnId>,
    pub(crate) cleared: Option<Cleared<'static>>,
    pub(crate) notice: Option<Notice>,
    pub(crate) pending: Pending,
    /// Steps in who is taken for the writer.
    pub(crate) moves: Vec<Move>,
    pub(crate) acted: bool,
    /// The language that the patient chose.
    pub(crate) language: Option<Language>,
    pub(crate) patient: Option<Patient>,
    pub(crate) link: Option<PortalLink>,
    pub(crate) hold: Option<(Phi<String>, &'static str)>,
    pub(crate) report: Option<Phi<String>>,
    /// Whether the agent leaves the conversation to a person.
    pub(crate) aside: Option<Aside>,
    /// The copy of the record that it promises.
    pub(crate) case: Option<Case>,
    /// What staff read first of what is left to them.
    pub(crate) summary: Option<serde_json::Value>,
    /// Whether the conversation moved on before anything was done or said.
    pub(crate) overtaken: bool,
    /// Whether texts are left that this reply does not answer and that wait for nobody.
    pub(crate) more: bool,
    /// The oldest turn that was read; older ones that still wait will never be.
    pub(crate) read_from: Option<TurnId>,
    /// By which law the text was cleared.
    pub(crate) law: LawTag,
    /// The trials of a wording and of a policy that the draft was a part of, and what became of it.
    pub(crate) trials: Vec<(i64, Side, Verdict)>,
    /// What the models were sent, and what made it.
    pub(crate) recording: Option<(Digests, Phi<String>)>,
    pub(crate) detail: serde_json::Value,
}

impl House {
    /// Answers what waits in one conversation, if any does. An answer that fails or panics is put
    /// off, and after a few times left to staff, so that it can stop neither this worker nor others.
    pub async fn reply_once(self: &Arc<Self>) -> Result<Step, StoreError> {
        let now = self.clock().now();
        let Some(job) = self.store().lease_reply(now, now + LEASE).await? else {
            return Ok(Step::Idle);
        };
        let began = Instant::now();
        match caught("reply", Box::pin(self.answer(&job, now))).await {
            Some(Ok(committed)) => {
                metrics::histogram!("anteroom_reply_seconds").record(began.elapsed().as_secs_f64());
                if committed {
                    self.outbox.notify_one();
                } else {
                    metrics::counter!("anteroom_reply_fenced_total").increment(1);
                    self.replies.notify_one();
                }
            }
            Some(Err(error)) => {
                tracing::error!(conversation = %job.conversation, %error, "an answer failed");
                self.put_off(job).await?;
            }
            None => self.put_off(job).await?,
        }
        self.changed();
        Ok(Step::Worked)
    }

    async fn answer(self: &Arc<Self>, job: &ReplyJob, now: Timestamp) -> Result<bool, StoreError> {
        let conversation = self.store().conversation(job.conversation).await?;
        let conversation = conversation.ok_or(StoreError::NoConversation(job.conversation.0))?;
        let turns = self.store().turns(conversation.id, TURNS_MAX).await?;
        let reply = match self.practice_of(&conversation) {
            _ if job.attempts > ATTEMPTS_MAX => left_to_staff(&turns, "parked"),
            None => left_to_staff(&turns, "practice not configured"),
            Some(practice) => {
                let renew = || self.store().renew_reply(job, self.clock().now() + LEASE);
                let drafting = self.draft_begins(job, conversation.epoch);
                let made = self.make(&practice, conversation.clone(), &turns, (&drafting, now));
                Box::pin(renewing(renew, made)).await?
            }
        };
        let reply = reply.map(|reply| Reply {
            read_from: turns.first().map(|turn| turn.id),
            ..reply
        });
        let patient = reply.as_ref().and_then(|reply| reply.patient.clone());
        let offered = |it: &PendingQuestion| it.kind == PendingKind::SlotOffer;
        let frees = reply.as_ref().is_some_and(|reply| reply.acted)
            || conversation.pending.as_ref().is_some_and(offered);
        let committed = self
            .commit(job.clone(), conversation.epoch, reply, now)
            .await?;
        if committed && frees {
            self.freed.notify_one();
        }
        if let (true, Some(patient)) = (committed, patient) {
            // The answer is on its way: what only concerns people on file delays it for nobody.
            self.outbox.notify_one();
            self.copy_consent(&conversation, &patient, &turns).await;
        }
        Ok(committed)
    }

    /// Gives a job back for later; one that never ends well is set aside for staff.
    async fn put_off(&self, job: ReplyJob) -> Result<(), StoreError> {
        let now = self.clock().now();
        if job.attempts > ATTEMPTS_MAX {
            return self.park(job, now).await;
        }
        let doubled = 1_i32 << u32::try_from(job.attempts.clamp(0, 10)).unwrap_or(10);
        let due = now + BACKOFF * doubled;
        self.store()
            .write(move |tx| {
                let job = job.clone();
                Box::pin(async move { tx.postpone_reply(&job, due).await.map(drop) })
            })
            .await
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each plan")]
    async fn make(
        &self,
        practice: &Arc<Practice>,
        mut conversation: Conversation,
        turns: &[Turn],
        (drafting, now): (&Drafting<'_>, Timestamp),
    ) -> Result<Option<Reply>, StoreError> {
        let (mut arrival, failed) = match self.people_at(practice, &conversation.number).await {
            Ok(people) => {
                let by = (&*people, practice.identify_by);
                let mut arrival = person::arrive(&mut conversation, by, turns, now);
                family::take_lead(&mut conversation, &mut arrival, &people, turns, now);
                (arrival, None)
            }
            Err(why) => (Arrival::default(), Some(why)),
        };
        let conversation = &conversation;
        let patient = arrival.patient.take();
        let residence = patient.as_ref().map(|patient| patient.state);
        let residence = residence.unwrap_or(Jurisdiction::UNKNOWN);
        let law = self.governed_in(conversation, practice, residence, now);
        let mut planned = plan(conversation, turns, now);
        if arrival.twice && matches!(planned, Plan::Person { .. } | Plan::Agent { .. }) {
            planned = twice(turns);
        }
        let mut reply = match planned {
            Plan::Nothing | Plan::Wait => return Ok(None),
            Plan::Person { answers } => {
                let mut reply = self.ask_who(practice, conversation, now);
                reply.answers = answers;
                reply
            }
            Plan::Staff { answers, reason } => Reply::held(answers, reason),
            Plan::Quiet { answers, why } => Reply::silent(answers, why),
            Plan::Notice => self.notice(practice, conversation, now),
            Plan::Fixed {
                text,
                kind,
                answers,
                staff,
            } => {
                let (text, staff) = match staff {
                    Some(ASKED_FOR_PERSON) => {
                        let who = (conversation, patient.as_ref());
                        let called = self.file_callback(practice, who, turns, &answers).await;
                        called.unwrap_or((text, staff))
                    }
                    _ => (text, staff),
                };
                let asks = (text == TextId::ClarifyStop).then_some(PendingKind::StopConfirm);
                let mut text = self.fixed_text(text, practice, conversation.language);
                let session = self.session(turns, patient.as_ref(), &law, now);
                if kind == OutboundKind::Reply && session.asked {
                    text = self.with_intro(text, practice, conversation.language);
                }
                let mut reply = self.fixed(practice, conversation, &text, now);
                if kind == OutboundKind::Reply && self.parts.texts.tells_ai(&text.text) {
                    let obeyed = law.obeyed_by_intro(&session);
                    reply.law.rules = obeyed.iter().map(ToString::to_string).collect();
                }
                if let Some(kind) = asks.filter(|_| reply.cleared.is_some()) {
                    reply.pending = Pending::Set(Some(question(kind, now)));
                } else if staff == Some(UNKNOWN_WRITER) || staff == Some(TWICE) {
                    reply.pending = Pending::Set(None);
                }
                reply.kind = kind;
                // An answer to some of the texts leaves the others to the next round.
                reply.more = !answers.is_empty() && answers.len() < waiting(turns).count();
                reply.answers = answers;
                if matches!(staff, Some(ASKED_FOR_PERSON | ABUSED)) {
                    reply.aside = Some(Aside::of(practice, now));
                }
                reply.hold = staff
                    .map(|reason| (Phi::default(), reason))
                    .or_else(|| reply.hold.take());
                reply
            }
            Plan::Agent { asked, answers } => {
                let told = self.told(conversation.id).await?;
                let watch = patient
                    .as_ref()
                    .and_then(|it| Watch::over(practice, it, conversation, &law, now));
                let shelter = watch.map(|watch| Shelter::new(self.records(), watch));
                let whose = whose_are(
                    practice,
                    conversation,
                    patient.as_ref(),
                    (turns, &asked),
                    now,
                );
                let asking = Asking {
                    practice,
                    conversation,
                    patient: patient.as_ref(),
                    turns,
                    told: &told,
                    now,
                    law: &law,
                    covered: self.covered(practice, conversation, now).await?,
                    records: match &shelter {
                        Some(shelter) => shelter,
                        None => &**self.records(),
                    },
                    whose,
                };
                let told = &arrival.told;
                let asked: Vec<TurnId> =
                    asked.into_iter().filter(|it| !told.contains(it)).collect();
                let mut reply = if let Some(reply) = self.settled(&asking).await? {
                    reply
                } else if asked.is_empty() {
                    let text = self.fixed_text(TextId::ConsentYes, practice, conversation.language);
                    self.fixed(practice, conversation, &text, now)
                } else if whose == Whose::OtherChild && may_ask_who(conversation) {
                    // Whoever was known on this shared phone asks for somebody else on it.
                    arrival.moves.push(Move::Forget);
                    self.ask_who(practice, conversation, now)
                } else {
                    let reply = self.ask_agent(&asking, &asked, drafting).await?;
                    match &shelter {
                        Some(it) if !reply.overtaken => {
                            self.sheltered(reply, it, practice, conversation, now)
                        }
                        _ => reply,
                    }
                };
                if reply.overtaken {
                    return Ok(Some(reply));
                }
                if let (true, Some(why)) = (reply.asks_who(), failed) {
                    // Nobody is asked who they are while nobody could look.
                    let chosen = self.wording(conversation);
                    let (language, wording) = (conversation.language, &chosen.wording);
                    let down = agent::record_down(practice, (language, now), why, wording);
                    reply = self.judge(&asking, down, (law.bars_therapy(), &chosen));
                }
                // Where nobody is known yet, what was asked waits for it.
                reply.answers = if reply.asks_who() {
                    Vec::new()
                } else {
                    answers
                };
                reply
            }
        };
        reply.tag(&law);
        if reply.hold.is_some() {
            reply.summary = Some(handoff::summary(
                (conversation, patient.as_ref()),
                turns,
                (&reply.answers, &reply.detail),
            ));
        }
        reply.case = cases::opened_by(
            &reply,
            (practice, patient.as_ref().map(|it| &it.id)),
            turns,
            now,
        );
        Ok(Some(Reply {
            patient,
            moves: arrival.moves,
            ..reply
        }))
    }

    /// Asks whose record it is about, in the same words whoever is on file.
    pub(crate) fn ask_who(
        &self,
        practice: &Practice,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Reply {
        let text = self.fixed_text(TextId::AskPerson, practice, conversation.language);
        let mut reply = self.fixed(practice, conversation, &text, now);
        if reply.cleared.is_some() {
            reply.pending = Pending::Set(Some(question(PendingKind::Person, now)));
        }
        reply
    }

    /// The people at this number.
    async fn people_at(
        &self,
        practice: &Practice,
        number: &E164,
    ) -> Result<Vec<Patient>, RecordsError> {
        let found = self.records().patients_by_phone(&practice.id, number);
        found.await
    }

    pub(crate) fn fixed(
        &self,
        practice: &Practice,
        conversation: &Conversation,
        rendered: &RenderedText,
        now: Timestamp,
    ) -> Reply {
        let written = self.clear(&Writing {
            practice,
            conversation,
            patient: None,
            author: Author::Approved,
            purpose: Purpose::Reply,
            text: &rendered.text,
            facts: &[],
            link: None,
            told: &[],
            before: &[],
            now,
            law: &self.governed_in(conversation, practice, Jurisdiction::UNKNOWN, now),
            session: None,
            covered: true,
        });
        let mut reply = Reply::silent(Vec::new(), "approved text");
        reply.detail = serde_json::json!({
            "text_id": rendered.text_id,
            "sha256": rendered.sha256,
            "verdict": written.review.verdict.as_str(),
            "policy": written.review.policy,
        });
        reply.report = Some(written.report("approved"));
        if written.review.cleared.is_none() {
            reply.hold = Some((Phi::from(rendered.text.as_str()), "approved text was held"));
        }
        reply.cleared = written.review.cleared;
        reply
    }

    pub(crate) fn notice(
        &self,
        practice: &Practice,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Reply {
        // A chat page is encrypted, and nobody pays for its texts: it is asked what is true of it.
        let asks = match conversation.channel {
            Channel::Webchat => TextId::ChatNotice,
            Channel::Sms | Channel::Mms | Channel::Whatsapp => TextId::RiskNotice,
        };
        let rendered = self.fixed_text(asks, practice, conversation.language);
        let mut reply = self.fixed(practice, conversation, &rendered, now);
        reply.kind = OutboundKind::Notice;
        if reply.cleared.is_none() {
            // Nobody was asked anything; a YES to it must not count.
            return reply;
        }
        reply.notice = Some(Notice {
            text_id: rendered.text_id,
            sha256: rendered.sha256,
            language: conversation.language,
            at: now,
            asks: RISK_NOTICE_ASKS.to_vec(),
        });
        reply.pending = Pending::Set(Some(question(PendingKind::Consent, now)));
        reply
    }
}

impl Reply {
    /// Says by which law its text was cleared.
    pub(crate) fn tag(&mut self, law: &Governed) {
        let rules = self.law.rules.iter();
        let by = rules.map(|id| id.as_str().into()).collect();
        self.law = law.tag(self.kind, &by);
    }

    /// Whether it was cleared under another policy than this.
    pub(crate) fn is_stale(&self, house: &House) -> bool {
        self.cleared.is_some() && !house.judges(&self.law.policy)
    }

    /// Whether it asks whose record it is about.
    fn asks_who(&self) -> bool {
        matches!(&self.pending, Pending::Set(Some(it)) if it.kind == PendingKind::Person)
    }

    pub(crate) fn silent(answers: Vec<TurnId>, how: &'static str) -> Self {
        Self {
            kind: OutboundKind::Reply,
            answers,
            cleared: None,
            notice: None,
            pending: Pending::Keep,
            moves: Vec::new(),
            acted: false,
            language: None,
            patient: None,
            link: None,
            hold: None,
            report: None,
            aside: None,
            case: None,
            summary: None,
            overtaken: false,
            more: false,
            read_from: None,
            law: LawTag::default(),
            trials: Vec::new(),
            recording: None,
            detail: serde_json::json!({ "how": how }),
        }
    }

    /// A person answers; nothing leaves.
    fn held(answers: Vec<TurnId>, reason: &'static str) -> Self {
        Self {
            hold: Some((Phi::default(), reason)),
            ..Self::silent(answers, reason)
        }
    }
}

/// Staff have all that waits, if anything does.
fn left_to_staff(turns: &[Turn], reason: &'static str) -> Option<Reply> {
    let answers: Vec<TurnId> = waiting(turns).map(|turn| turn.id).collect();
    (!answers.is_empty()).then(|| Reply::held(answers, reason))
}
