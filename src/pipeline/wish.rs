//! Wish: a practice's system asks for a text; what its person has said about texts decides.

use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::domain::consent::{Act, ConsentEvent, ConsentPurpose, ConsentState, Doubt, Evidence};
use crate::domain::conversation::{Conversation, Direction};
use crate::domain::ids::{PatientId, PracticeId, TurnId};
use crate::domain::message::OutboundKind;
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::Sender;
use crate::domain::waiting::{Errand, Waiting};
use crate::pipeline::commit;
use crate::pipeline::consent;
use crate::pipeline::house::House;
use crate::pipeline::remind::Fate;
use crate::policy::words::{Channel, Language};
use crate::store::{NewConversation, StoreError, Tx};

/// How much of a conversation is read to find questions that wait.
const TURNS_MAX: u32 = 40;

/// A text that a practice's system asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which practice.
    pub practice: PracticeId,
    /// The request's own id: the same one is taken once.
    pub request: String,
    /// To which number.
    pub number: E164,
    /// What; [`Errand::Question`] is the patient's alone and is refused.
    pub errand: Errand,
}

/// What became of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wished {
    /// It leaves as soon as consent, hours and the guardrail allow; if they never do, staff are told.
    Taken,
    /// It was taken before.
    Repeated,
    /// It cannot be done; why, without PHI.
    Refused(&'static str),
}

impl House {
    /// Takes a wish, or says why not. Nothing leaves here: what may leave is looked at by
    /// [`House::remind_once`].
    pub async fn wish(self: &Arc<Self>, wish: Wish) -> Result<Wished, StoreError> {
        let now = self.clock().now();
        let Some(practice) = self.practice(&wish.practice) else {
            return Ok(Wished::Refused("unknown practice"));
        };
        let sms = |it: &&Sender| it.channel == Channel::Sms;
        let sender = practice.senders.iter().find(sms);
        let Some(sender) = sender.or_else(|| practice.senders.first()) else {
            return Ok(Wished::Refused("the practice has no number to text from"));
        };
        let patient = match person_of(&wish.errand) {
            Some(id) => self.records().patient(&practice.id, id).await,
            None => return Ok(Wished::Refused("a question is the patient's own")),
        };
        let Ok(Some(patient)) = patient else {
            return Ok(Wished::Refused(
                "no such patient, or the record does not answer",
            ));
        };
        let acts = patient.guardians.iter().any(|it| it.phone == wish.number);
        if !acts && !patient.phones.contains(&wish.number) {
            return Ok(Wished::Refused(
                "the number is not on file for this patient",
            ));
        }
        let Some(expires) = self.expiry(&practice, &wish.errand, now).await else {
            return Ok(Wished::Refused("no such visit, or it is over"));
        };
        let asked = Arc::new(Asked {
            key: NewConversation {
                practice: practice.id.clone(),
                carrier: sender.carrier,
                channel: sender.channel,
                sender: sender.number.clone(),
                number: wish.number,
                language: patient.language.unwrap_or(Language::En),
            },
            request: wish.request,
            errand: wish.errand,
            expires,
            now,
        });
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
}

const fn person_of(errand: &Errand) -> Option<&PatientId> {
    match errand {
        Errand::Visit { patient, .. } | Errand::Words { patient, .. } => Some(patient),
        Errand::Question => None,
    }
}

struct Asked {
    key: NewConversation,
    request: String,
    errand: Errand,
    expires: Timestamp,
    now: Timestamp,
}

async fn wish_in(tx: &mut Tx, asked: &Asked) -> Result<Wished, StoreError> {
    let now = asked.now;
    if !tx
        .take_request(&asked.key.practice, &asked.request, now)
        .await?
    {
        return Ok(Wished::Repeated);
    }
    let mut conversation = tx.conversation_for(&asked.key, now).await?;
    let mut moved = Vec::new();
    moved.extend(consent::doubt_silence(tx, &mut conversation, now).await?);
    let refused = refusal(&conversation);
    if refused.is_none() {
        for purpose in [ConsentPurpose::Contact, ConsentPurpose::Confirmations] {
            let evidence = Evidence::of_practice(now, &asked.request, "number on file");
            let event = ConsentEvent::new(Act::Recorded(purpose), evidence);
            moved.extend(consent::record(tx, &mut conversation, &event).await?);
        }
        tx.wait_for_yes(&conversation, &asked.errand, now, asked.expires, now)
            .await?;
    }
    tx.save_conversation(&conversation).await?;
    let detail = serde_json::json!({ "refused": refused, "consent": moved });
    let action = if refused.is_some() {
        "message.refused"
    } else {
        "message.requested"
    };
    tx.append_audit(&entry(&conversation, "practice", action, now, &detail))
        .await?;
    Ok(refused.map_or(Wished::Taken, Wished::Refused))
}

/// What forbids a text that the practice begins, whatever it says. A number that was only silent
/// may be asked again.
fn refusal(conversation: &Conversation) -> Option<&'static str> {
    let contact = conversation.consent.contact.state;
    match conversation.speaker.doubt {
        _ if !conversation.consent.allows_texts() => Some("opted out"),
        _ if contact == ConsentState::Declined => Some("declined texts"),
        Some(Doubt::WrongNumber | Doubt::Carrier) => Some("the number may be another's"),
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
        let policy = self.policy_digest();
        let fate = match fate {
            // Cleared under a policy that is in force no more: it is composed anew.
            Fate::Send(reply) | Fate::Ask(reply) if reply.is_stale(&policy) => Fate::Wait(now),
            other => other,
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
        Fate::Send(reply) => {
            if tx.end_waiting(waiting).await? {
                commit::settle(tx, &mut conversation, reply, now).await?;
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
        Errand::Visit { .. } => {}
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
