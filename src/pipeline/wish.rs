//! Wish: a practice's system asks for a text; what its person has said about texts decides.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::agent::ports::RecordsError;

use crate::audit::Entry;
use crate::domain::consent::{Act, ConsentEvent, ConsentPurpose, ConsentState, Doubt, Evidence};
use crate::domain::conversation::{Conversation, Direction};
use crate::domain::ids::{PatientId, PracticeId, TurnId};
use crate::domain::message::OutboundKind;
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::Sender;
use crate::domain::record::Patient;
use crate::domain::waiting::{Errand, Refusal, Waiting};
use crate::pipeline::commit;
use crate::pipeline::consent::{self, lines};
use crate::pipeline::family;
use crate::pipeline::house::House;
use crate::pipeline::remind::Fate;
use crate::pipeline::reply::{Pending, Reply};
use crate::pipeline::waitlist;
use crate::policy::words::{Channel, Language};
use crate::store::waitlist::OfferState;
use crate::store::{NewConversation, Requested, StoreError, Tx};

/// How much of a conversation is read to find questions that wait.
const TURNS_MAX: u32 = 40;

/// A text that a practice's system asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// Which practice.
    pub practice: PracticeId,
    /// The request's own id: the same one is taken once.
    #[serde(skip)]
    pub request: String,
    /// To which number; none: the only one on file for the patient.
    pub number: Option<E164>,
    /// What; [`Errand::Question`] is the patient's alone and is refused.
    pub errand: Errand,
}

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wished {
    /// It leaves as soon as consent, hours and the guardrail allow; if they never do, staff are
    /// told. The id of what waits.
    Taken(i64),
    /// The same was taken before, under this id.
    Repeated(i64),
    /// It cannot be done.
    Refused(Refusal),
    /// Another wish was taken under this request's id.
    Clash,
    /// The record does not answer; nothing is kept, and the same request may be sent again.
    NoRecord,
}

impl House {
    /// Takes a wish, or says why not. Nothing leaves here: what may leave is looked at by
    /// [`House::remind_once`]. The same request is told the same, whatever has changed since.
    pub async fn wish(self: &Arc<Self>, wish: Wish) -> Result<Wished, StoreError> {
        let now = self.clock().now();
        let content = serde_json::to_vec(&wish).unwrap_or_default();
        let known = self
            .store()
            .request(&wish.practice, &wish.request, &content)
            .await?;
        if let Some(known) = known {
            return Ok(again(&known));
        }
        let asked = match self.asked(wish, content, now).await {
            Ok(asked) => Arc::new(asked),
            Err(told) => return Ok(told),
        };
        let wished = self
            .store()
            .write(move |tx| {
                let asked = Arc::clone(&asked);
                Box::pin(async move { wish_in(tx, &asked).await })
            })
            .await?;
        self.waiting.notify_one();
        Ok(wished)
    }

    /// What the record says to a wish.
    async fn asked(&self, wish: Wish, content: Vec<u8>, now: Timestamp) -> Result<Asked, Wished> {
        let refuse = |it| Err(Wished::Refused(it));
        let Some(practice) = self.practice(&wish.practice) else {
            return refuse(Refusal::UnknownPractice);
        };
        let sms = |it: &&Sender| it.channel == Channel::Sms;
        let sender = practice.senders.iter().find(sms);
        let Some(sender) = sender.or_else(|| practice.senders.first()) else {
            return refuse(Refusal::NoSender);
        };
        let patient = match person_of(&wish.errand) {
            Some(id) => self.records().patient(&practice.id, id).await,
            None => return refuse(Refusal::Question),
        };
        let patient = match patient {
            Ok(Some(patient)) => patient,
            Ok(None) | Err(RecordsError::NotFound) => return refuse(Refusal::UnknownPatient),
            Err(_) => return Err(Wished::NoRecord),
        };
        let number = number_of(wish.number, &patient).map_err(Wished::Refused)?;
        let expires = match self.expiry(&practice, &wish.errand, now).await {
            Ok(Some(expires)) if expires > now => expires,
            Ok(_) => return refuse(Refusal::UnknownAppointment),
            Err(_) => return Err(Wished::NoRecord),
        };
        Ok(Asked {
            key: NewConversation {
                practice: practice.id.clone(),
                carrier: sender.carrier,
                channel: sender.channel,
                sender: sender.number.clone(),
                number,
                language: patient.language.unwrap_or(Language::En),
            },
            request: wish.request,
            content,
            errand: wish.errand,
            expires,
            now,
        })
    }
}

const fn again(known: &Requested) -> Wished {
    match known {
        Requested { same: false, .. } => Wished::Clash,
        Requested {
            refused: Some(refused),
            ..
        } => Wished::Refused(*refused),
        // A row from before ids were kept has none.
        Requested {
            waiting: Some(id), ..
        } => Wished::Repeated(*id),
        Requested { waiting: None, .. } => Wished::Repeated(0),
    }
}

pub(crate) const fn person_of(errand: &Errand) -> Option<&PatientId> {
    match errand {
        Errand::Visit { patient, .. }
        | Errand::Missed { patient, .. }
        | Errand::Recall { patient, .. }
        | Errand::Offer { patient, .. }
        | Errand::Words { patient, .. } => Some(patient),
        Errand::Question => None,
    }
}

/// The number that was named, if it is on file; else the only one on file.
fn number_of(named: Option<E164>, patient: &Patient) -> Result<E164, Refusal> {
    let guardians = || patient.guardians.iter().map(|it| &it.phone);
    let Some(named) = named else {
        let own = patient.phones.iter();
        let on_file: BTreeSet<&E164> = match patient.phones.len() {
            0 => guardians().collect(),
            _ => own.collect(),
        };
        let mut on_file = on_file.into_iter();
        return match (on_file.next(), on_file.next()) {
            (Some(only), None) => Ok(only.clone()),
            (None, _) => Err(Refusal::NoNumber),
            (Some(_), Some(_)) => Err(Refusal::SeveralNumbers),
        };
    };
    if patient.phones.contains(&named) || guardians().any(|it| *it == named) {
        Ok(named)
    } else {
        Err(Refusal::NumberNotOnFile)
    }
}

struct Asked {
    key: NewConversation,
    request: String,
    content: Vec<u8>,
    errand: Errand,
    expires: Timestamp,
    now: Timestamp,
}

async fn wish_in(tx: &mut Tx, asked: &Asked) -> Result<Wished, StoreError> {
    let now = asked.now;
    let practice = &asked.key.practice;
    if !tx
        .take_request(practice, &asked.request, &asked.content, now)
        .await?
    {
        // Another was first, a moment ago.
        let known = tx.request(practice, &asked.request, &asked.content).await?;
        return Ok(known.as_ref().map_or(Wished::Clash, again));
    }
    let mut conversation = tx.conversation_for(&asked.key, now).await?;
    let mut moved = Vec::new();
    moved.extend(lines::close_if_opted_out(tx, &mut conversation, now).await?);
    moved.extend(consent::doubt_silence(tx, &mut conversation, now).await?);
    let told = match refusal(&conversation, &asked.errand) {
        Some(refusal) => Err(refusal),
        None => {
            for purpose in [ConsentPurpose::Contact, ConsentPurpose::Confirmations] {
                let evidence = Evidence::of_practice(now, &asked.request, "number on file");
                let event = ConsentEvent::new(Act::Recorded(purpose), evidence);
                moved.extend(consent::record(tx, &mut conversation, &event).await?);
            }
            let until = asked.expires;
            Ok(tx
                .wait_for_yes(&conversation, &asked.errand, now, until, now)
                .await?)
        }
    };
    tx.tell_request(practice, &asked.request, told).await?;
    tx.save_conversation(&conversation).await?;
    let refused = told.err().map(Refusal::as_str);
    let detail = serde_json::json!({
        "refused": refused, "waiting": told.ok(), "consent": moved,
    });
    let action = if refused.is_some() {
        "message.refused"
    } else {
        "message.requested"
    };
    tx.append_audit(&entry(&conversation, "practice", action, now, &detail))
        .await?;
    Ok(told.map_or_else(Wished::Refused, Wished::Taken))
}

/// What forbids a text that the practice begins, whatever it says. A number that was only silent
/// may be asked again.
fn refusal(conversation: &Conversation, errand: &Errand) -> Option<Refusal> {
    let contact = conversation.consent.contact.state;
    let reminders = conversation.consent.confirmations.state;
    let visit = !matches!(errand, Errand::Words { .. } | Errand::Question);
    match conversation.speaker.doubt {
        _ if !conversation.allows_texts() => Some(Refusal::OptedOut),
        _ if contact == ConsentState::Declined => Some(Refusal::Declined),
        _ if visit && reminders == ConsentState::Declined => Some(Refusal::Declined),
        Some(Doubt::WrongNumber | Doubt::Carrier) => Some(Refusal::NumberInDoubt),
        Some(Doubt::Silent) | None => None,
    }
}

fn entry(
    conversation: &Conversation,
    actor: &str,
    action: &str,
    now: Timestamp,
    detail: &serde_json::Value,
) -> Entry {
    let subject = format!("conversation/{}", conversation.id);
    Entry::new(&conversation.practice, now, actor, action, &subject, detail)
}

impl House {
    /// Commits what becomes of a waiting thing, if the conversation is still as it was.
    pub(crate) async fn settle_waiting(
        self: &Arc<Self>,
        waiting: Waiting,
        epoch: i64,
        fate: Fate,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let fate = match fate {
            // Cleared under a policy that is in force no more: it is composed anew.
            Fate::Send(reply) | Fate::Ask(reply) if reply.is_stale(self) => Fate::Wait(now),
            other @ (Fate::Send(_) | Fate::Ask(_) | Fate::Wait(_) | Fate::End { .. }) => other,
        };
        let work = Arc::new((waiting, fate));
        let outcome = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { settle_in(tx, &work.0, epoch, &work.1, now).await })
            })
            .await?;
        metrics::counter!("anteroom_waiting_total", "outcome" => outcome).increment(1);
        Ok(())
    }
}

async fn settle_in(
    tx: &mut Tx,
    waiting: &Waiting,
    epoch: i64,
    fate: &Fate,
    now: Timestamp,
) -> Result<&'static str, StoreError> {
    let Some(mut conversation) = tx.lock_conversation(waiting.conversation).await? else {
        return Err(StoreError::NoConversation(waiting.conversation.0));
    };
    if conversation.epoch != epoch {
        tx.put_back(waiting, now, waiting.expires).await?;
        return Ok("overtaken");
    }
    match fate {
        Fate::Wait(due) => {
            tx.put_back(waiting, *due, waiting.expires.max(*due))
                .await?;
            Ok("waits")
        }
        Fate::Send(_) if told_meanwhile(tx, &conversation, waiting).await? => {
            end_in(tx, &conversation, waiting, family::TOLD, false, now).await?;
            Ok("ended")
        }
        Fate::Send(reply) => {
            if tx.end_waiting(waiting).await? {
                mark_told(tx, &conversation, &waiting.errand, reply, now).await?;
                commit::settle(tx, &mut conversation, reply, now).await?;
                if let Errand::Offer { offer, minutes, .. } = &waiting.errand {
                    let until = now + SignedDuration::from_mins(i64::from(*minutes));
                    tx.offer_sent(&waiting.practice, offer, until).await?;
                }
            }
            Ok("sent")
        }
        Fate::Ask(reply) => {
            if tx
                .put_back(waiting, waiting.expires, waiting.expires)
                .await?
            {
                commit::settle(tx, &mut conversation, reply, now).await?;
            }
            Ok("asked")
        }
        Fate::End { outcome, staff } => {
            end_in(tx, &conversation, waiting, outcome, *staff, now).await?;
            Ok("ended")
        }
    }
}

/// Whether a text about several visits has told of this one since it was looked at.
async fn told_meanwhile(
    tx: &mut Tx,
    conversation: &Conversation,
    waiting: &Waiting,
) -> Result<bool, StoreError> {
    match family::own_mark(conversation.id, &waiting.errand) {
        Some(mark) => {
            let known = tx.request(&waiting.practice, &mark, &[]).await?;
            Ok(known.is_some())
        }
        None => Ok(false),
    }
}

/// Keeps which visits a reminder has told, so that each is told once.
async fn mark_told(
    tx: &mut Tx,
    conversation: &Conversation,
    errand: &Errand,
    reply: &Reply,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (
        Errand::Visit {
            before_h: Some(before_h),
            ..
        },
        Pending::Set(Some(question)),
    ) = (errand, &reply.pending)
    else {
        return Ok(());
    };
    let told = question.visits.iter();
    let told = told.map(|it| family::mark(conversation.id, it, *before_h));
    for mark in told.chain(family::own_mark(conversation.id, errand)) {
        tx.take_request(&conversation.practice, &mark, &[], now)
            .await?;
    }
    Ok(())
}

async fn end_in(
    tx: &mut Tx,
    conversation: &Conversation,
    waiting: &Waiting,
    outcome: &str,
    staff: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !tx.end_waiting(waiting).await? {
        return Ok(());
    }
    let mut staff = staff;
    let mut unanswered: Vec<TurnId> = Vec::new();
    let mut draft = Phi::default();
    match &waiting.errand {
        Errand::Question => {
            let granted = conversation.consent.state == ConsentState::Granted;
            let turns = tx.turns(conversation.id, TURNS_MAX).await?;
            let waits = turns
                .iter()
                .filter(|it| it.direction == Direction::Inbound && !it.answered);
            unanswered.extend(waits.map(|it| it.id));
            if unanswered.is_empty() || granted {
                return Ok(());
            }
            staff = true;
            tx.mark_answered(conversation.id, &unanswered).await?;
        }
        Errand::Words { text, .. } => draft = Phi::from(text.as_str()),
        Errand::Offer { offer, .. } => {
            let state = OfferState::Passed;
            waitlist::end_offer(tx, &waiting.practice, offer, state, now).await?;
        }
        Errand::Visit { .. } | Errand::Missed { .. } | Errand::Recall { .. } => {}
    }
    if staff {
        let report = Phi::default();
        tx.hold(conversation, &draft, &report, outcome, now).await?;
    }
    let detail = serde_json::json!({
        "kind": OutboundKind::Initiated.as_str(),
        "outcome": outcome,
        "held": staff,
        "answers": unanswered.iter().map(|turn| turn.0).collect::<Vec<_>>(),
        "consent": conversation.consent.state.as_str(),
    });
    tx.append_audit(&entry(
        conversation,
        "anteroom",
        "waiting.ended",
        now,
        &detail,
    ))
    .await
}
