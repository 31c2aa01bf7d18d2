//! Remind: what the practice wants to tell, or was asked, waits sealed for YES, is looked at again
//! when YES comes, and leaves if it is still true; when YES does not come, staff are told.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, PendingKind};
use crate::domain::ids::PatientId;
use crate::domain::message::OutboundKind;
use crate::domain::phi::Phi;
use crate::domain::practice::{IdentifyBy, Practice};
use crate::domain::record::Patient;
use crate::domain::speaker::SESSION;
use crate::domain::waiting::{Errand, Waiting};
use crate::guardrail::setting::Author;
use crate::pipeline::clear::Writing;
use crate::pipeline::draft::{Asking, closed_page};
use crate::pipeline::family;
use crate::pipeline::house::House;
use crate::pipeline::person::{self, Move};
use crate::pipeline::recall;
use crate::pipeline::reply::{Pending, Reply};
use crate::pipeline::shelter::{SHELTERED, Watch};
use crate::pipeline::told::{About, allowed};
use crate::pipeline::waitlist;
use crate::pipeline::ward::Whose;
use crate::pipeline::work::{LEASE, Step};
use crate::policy::words::Purpose;
use crate::store::StoreError;

/// How long a patient's question waits for YES before staff are told: the next working day is the
/// latest that a practice lets a question lie.
pub(crate) const QUESTION_WAITS: SignedDuration = SignedDuration::from_hours(24);

/// A question of ours that lay unanswered so long gives way to the next text: otherwise one reminder
/// that nobody answered would keep back every later one.
const QUESTION_STANDS: SignedDuration = SignedDuration::from_hours(12);

/// When texts of the practice's own begin on a day: with most front desks.
const MORNING: SignedDuration = SignedDuration::from_hours(9);

/// What is to be done with a waiting thing.
pub(crate) enum Fate {
    /// This leaves, and the waiting ends.
    Send(Box<Reply>),
    /// This leaves first: the notice, or the question who it is.
    Ask(Box<Reply>),
    /// It goes on waiting until then.
    Wait(Timestamp),
    /// It ends without a text; staff are told why where a reason is given to them.
    End { outcome: &'static str, staff: bool },
}

impl House {
    /// Looks at one waiting thing whose time has come, if there is one.
    pub async fn remind_once(self: &Arc<Self>) -> Result<Step, StoreError> {
        let now = self.clock().now();
        let Some(waiting) = self.store().lease_waiting(now, now + LEASE).await? else {
            return Ok(Step::Idle);
        };
        let found = self.store().conversation(waiting.conversation).await?;
        let conversation = found.ok_or(StoreError::NoConversation(waiting.conversation.0))?;
        let epoch = conversation.epoch;
        let fate = self.fate(&waiting, conversation, now).await;
        let offers = matches!(waiting.errand, Errand::Offer { .. });
        let fate = recall::quietly(&waiting.errand, waitlist::at_once(offers, fate));
        self.settle_waiting(waiting, epoch, fate, now).await?;
        self.outbox.notify_one();
        if offers {
            self.freed.notify_one();
        }
        self.changed();
        Ok(Step::Worked)
    }

    #[expect(clippy::too_many_lines, reason = "one decision, told in order")]
    async fn fate(&self, waiting: &Waiting, conversation: Conversation, now: Timestamp) -> Fate {
        let patient = match &waiting.errand {
            Errand::Question => {
                return Fate::End {
                    outcome: "no YES came",
                    staff: true,
                };
            }
            Errand::Visit { patient, .. }
            | Errand::Missed { patient, .. }
            | Errand::Recall { patient, .. }
            | Errand::Offer { patient, .. }
            | Errand::Words { patient, .. } => patient,
        };
        let end = |outcome, staff| Fate::End { outcome, staff };
        let Some(practice) = self.practice_of(&conversation) else {
            return end("practice not configured", true);
        };
        let people = self
            .records()
            .patients_by_phone(&practice.id, &conversation.number);
        let Ok(people) = people.await else {
            return Fate::Wait(now + RECORD_DOWN);
        };
        let Some(patient) = people.iter().find(|it| it.id == *patient) else {
            return end("the number is not on file any more", true);
        };
        if let Some(mark) = family::own_mark(conversation.id, &waiting.errand) {
            match self.store().request(&practice.id, &mark, &[]).await {
                Ok(None) => {}
                Ok(Some(_)) => return end(family::TOLD, false),
                Err(_) => return Fate::Wait(now + RECORD_DOWN),
            }
        }
        let late = now >= waiting.expires;
        let mut conversation = conversation;
        if conversation.last_inbound.is_none() {
            // Who has never written is written to as the record says now.
            conversation.language = patient.language.unwrap_or(conversation.language);
        }
        let lead = family::lead(&conversation, patient, now);
        let (mut moves, ready) = take_over(
            &mut conversation,
            (&people, practice.identify_by),
            &lead,
            now,
        );
        match ready {
            Some(_) if late => return end("too late, and another question was open", true),
            Some(later) => return Fate::Wait(later.min(waiting.expires)),
            None => {}
        }
        let Ok(covered) = self.covered(&practice, &conversation, now).await else {
            return Fate::Wait(now + RECORD_DOWN);
        };
        let law = self.governed_in(&conversation, &practice, patient.state, now);
        let Ok(told) = self.told(conversation.id).await else {
            return Fate::Wait(now + RECORD_DOWN);
        };
        let watch = Watch::over(&practice, patient, &conversation, &law, now);
        match self
            .is_hidden(&practice, patient, &waiting.errand, (watch, now))
            .await
        {
            Ok(true) => return end(SHELTERED, true),
            Ok(false) => {}
            Err(_) => return Fate::Wait(now + RECORD_DOWN),
        }
        if let Some(tomorrow) = self.told_enough(&practice, &conversation, now).await {
            return Fate::Wait(tomorrow.min(waiting.expires.max(now + RECORD_DOWN)));
        }
        let about = About {
            law: &law,
            told: &told,
            covered,
            practice: &practice,
            conversation: &conversation,
            patient,
            now,
        };
        let fate = match conversation.consent.state {
            ConsentState::OptedOut => end("opted out", false),
            ConsentState::Declined => end("declined", true),
            _ if !allowed(&conversation, &waiting.errand) => end("no consent to reminders", true),
            ConsentState::Granted if conversation.speaker.doubt.is_some() => {
                self.who_first(&about, waiting, late)
            }
            ConsentState::Granted if conversation.proof(now).is_some() => {
                self.compose(&about, waiting).await
            }
            _ if late => end("no YES came", true),
            ConsentState::NoticeSent => Fate::Wait(waiting.expires),
            ConsentState::Granted
            | ConsentState::Unknown
            | ConsentState::Expired
            | ConsentState::Reassigned => {
                let mut reply = self.notice(&practice, &conversation, now);
                reply.kind = OutboundKind::Invitation;
                Fate::Ask(Box::new(reply))
            }
        };
        match fate {
            Fate::Send(mut reply) => {
                reply.tag(&law);
                reply.moves.append(&mut moves);
                Fate::Send(reply)
            }
            Fate::Ask(mut reply) => {
                reply.tag(&law);
                reply.moves.append(&mut moves);
                Fate::Ask(reply)
            }
            other @ (Fate::Wait(_) | Fate::End { .. }) => other,
        }
    }

    /// When the practice may begin again, where this number has had its texts of the day.
    async fn told_enough(
        &self,
        practice: &Practice,
        conversation: &Conversation,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let most = practice.outreach.as_ref()?.daily_max;
        let zone = TimeZone::get(&practice.timezone).ok()?;
        let midnight = now.to_zoned(zone).start_of_day().ok()?;
        let begun = self
            .store()
            .begun_since(
                &conversation.practice,
                &conversation.number,
                midnight.timestamp(),
            )
            .await
            .ok()?;
        let tomorrow = midnight.tomorrow().ok()?.timestamp();
        (begun >= i64::from(most.max(1))).then_some(tomorrow + MORNING)
    }

    /// A number that may be another's: who it is comes first, and nothing of a visit before.
    fn who_first(&self, about: &About<'_>, waiting: &Waiting, late: bool) -> Fate {
        let asked = about.conversation.pending.is_some();
        if late {
            return Fate::End {
                outcome: "nobody showed who they are",
                staff: true,
            };
        }
        if asked {
            return Fate::Wait(waiting.expires);
        }
        let mut reply = self.ask_who(about.practice, about.conversation, about.now);
        reply.kind = OutboundKind::Initiated;
        Fate::Ask(Box::new(reply))
    }

    /// The text as the record has it now.
    async fn compose(&self, about: &About<'_>, waiting: &Waiting) -> Fate {
        let &About {
            practice,
            conversation,
            patient,
            now,
            ..
        } = about;
        if let Some(fate) = self.closed_hours(practice, patient, waiting, now) {
            return fate;
        }
        let (text, known, pending) = match self.told_now(about, waiting).await {
            Ok(told) => told,
            Err(fate) => return fate,
        };
        let link = self.portal_link(practice);
        let written = self.clear(&Writing {
            practice,
            conversation,
            patient: Some(patient),
            author: Author::Staff,
            purpose: Purpose::Scheduling,
            text: &text,
            facts: &known,
            link: link.as_ref(),
            told: about.told,
            before: &[],
            now,
            law: about.law,
            session: None,
            covered: about.covered,
        });
        let mut reply = Reply::silent(Vec::new(), "waited for YES");
        reply.kind = OutboundKind::Initiated;
        reply.law.rules = written.law.iter().map(ToString::to_string).collect();
        reply.report = Some(written.report("initiated"));
        let asking = Asking {
            practice,
            conversation,
            patient: Some(patient),
            turns: &[],
            told: about.told,
            now,
            law: about.law,
            covered: about.covered,
            records: &**self.records(),
            whose: Whose::Own,
        };
        let closed = match &written.review.cleared {
            _ if written.barred.is_some() => written.barred,
            None => Some("guardrail"),
            Some(cleared) => cleared
                .portal()
                .and_then(|_| closed_page(&asking, link.as_ref())),
        };
        if let Some(reason) = closed {
            reply.hold = Some((Phi::new(text), reason));
            return Fate::Send(Box::new(reply));
        }
        reply.cleared = written.review.cleared;
        reply.link = link;
        reply.patient = Some(patient.clone());
        reply.pending = pending.map_or(Pending::Keep, |question| Pending::Set(Some(question)));
        Fate::Send(Box::new(reply))
    }
}

/// How soon a record that does not answer is asked again.
pub(crate) const RECORD_DOWN: SignedDuration = SignedDuration::from_mins(1);

/// Takes the person whom the text is for, for the reader; on a copy. Until when to wait instead,
/// where another is writing or a question is open: one question at a time. Pure.
fn take_over(
    conversation: &mut Conversation,
    (people, by): (&[Patient], IdentifyBy),
    who: &PatientId,
    now: Timestamp,
) -> (Vec<Move>, Option<Timestamp>) {
    let mut moves = person::arrive(conversation, (people, by), &[], now).moves;
    let busy = match &conversation.pending {
        Some(question) => {
            let waits = matches!(question.kind, PendingKind::Consent | PendingKind::Person);
            !waits && now.duration_since(question.asked) < QUESTION_STANDS
        }
        None => false,
    };
    let another = conversation.patient.as_ref().is_some_and(|it| it != who);
    if busy || another {
        return (moves, Some(now + SESSION));
    }
    if conversation.patient.is_none() && conversation.speaker.doubt.is_none() {
        let take = Move::Take(who.clone());
        let _no_event = person::apply(conversation, &take, now);
        moves.push(take);
    }
    (moves, None)
}
