//! Person: who is taken for the writer, by the record, by the session, or by a birth date.
//!
//! The question for the birth date is the same text whether the record knows nobody, one or several
//! people at the number: whoever asks learns nothing of who is on file.

use jiff::Timestamp;

use crate::domain::birth;
use crate::domain::consent::{Act, ConsentEvent, Evidence, Who};
use crate::domain::conversation::{Conversation, PendingKind, Turn};
use crate::domain::ids::{PatientId, TurnId};
use crate::domain::practice::IdentifyBy;
use crate::domain::record::Patient;
use crate::domain::speaker::Writer;
use crate::pipeline::plan::waiting;
use crate::screen::Intent;
use crate::store::{StoreError, Tx};

/// A step in who is taken for the writer. Made on a copy of the conversation, done again on the
/// locked one when the reply is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Whether the record knows several people at the number.
    Shared(bool),
    /// Nobody is taken for the writer.
    Forget,
    /// The only person at the number is.
    Take(PatientId),
    /// This person gave their birth date in this text.
    Shown(PatientId, String),
    /// A birth date of nobody here, or no date where one was asked for.
    Miss,
}

/// What was made of who writes.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    pub(crate) moves: Vec<Move>,
    pub(crate) patient: Option<Patient>,
    /// The texts that only told who writes: nothing of them is answered.
    pub(crate) told: Vec<TurnId>,
    /// The birth date is that of two entries with one name: one person, on file twice.
    pub(crate) twice: bool,
}

/// Decides who writes, given the people at the number; changes the copy of the conversation. Pure.
pub(crate) fn arrive(
    conversation: &mut Conversation,
    (candidates, by): (&[Patient], IdentifyBy),
    turns: &[Turn],
    now: Timestamp,
) -> Arrival {
    let mut arrival = Arrival::default();
    let ids: Vec<PatientId> = candidates.iter().map(|it| it.id.clone()).collect();
    let shared = ids.len() > 1;
    let mut step = |conversation: &mut Conversation, it: Move| {
        apply(conversation, &it, now);
        arrival.moves.push(it);
    };
    if conversation.speaker.shared != shared {
        step(conversation, Move::Shared(shared));
    }
    let last = conversation.last_inbound;
    let writer = conversation
        .speaker
        .writer(conversation.patient.as_ref(), (&ids, by), last, now);
    match writer {
        Writer::Known(who) if conversation.patient.as_ref() != Some(&who) => {
            step(conversation, Move::Take(who));
        }
        Writer::Unsure if conversation.patient.is_some() => step(conversation, Move::Forget),
        Writer::Known(_) | Writer::Unsure => {}
    }
    if let Some(answer) = answer_to_who(conversation, turns) {
        let given = birth::in_text(answer.body.as_str());
        // Every candidate is compared, so that the work tells nothing.
        let mut same = candidates.iter().filter(|it| {
            let born = it.birth_date.as_ref().map(|born| *born.expose());
            born.is_some() && born == given
        });
        match (same.next(), same.next()) {
            (Some(only), None) => {
                let reference = answer.carrier_id.clone().unwrap_or_default();
                step(conversation, Move::Shown(only.id.clone(), reference));
                arrival.told.push(answer.id);
            }
            (Some(one), Some(other)) if namesakes(one, other) => arrival.twice = true,
            _ => step(conversation, Move::Miss),
        }
    }
    let known = conversation.patient.as_ref();
    arrival.patient = candidates.iter().find(|it| Some(&it.id) == known).cloned();
    arrival
}

fn namesakes(one: &Patient, other: &Patient) -> bool {
    let name = |it: &Patient| {
        let (first, last) = (it.first_name.as_str(), it.last_name.as_str());
        format!("{first} {last}").to_lowercase()
    };
    name(one) == name(other)
}

/// The newest text, where it answers the open question who this is about.
pub(crate) fn answer_to_who<'a>(
    conversation: &Conversation,
    turns: &'a [Turn],
) -> Option<&'a Turn> {
    let question = conversation.pending.as_ref()?;
    if question.kind != PendingKind::Person || conversation.patient.is_some() {
        return None;
    }
    let own = [Intent::Question, Intent::Other, Intent::Confirm].map(Intent::as_str);
    waiting(turns)
        .next_back()
        .filter(|turn| turn.at >= question.asked && own.contains(&turn.intent.as_str()))
}

/// Takes a step; what it says of consent, for the ledger. Pure.
pub(crate) fn apply(
    conversation: &mut Conversation,
    it: &Move,
    now: Timestamp,
) -> Option<ConsentEvent> {
    match it {
        Move::Shared(shared) => {
            conversation.speaker.shared = *shared;
            None
        }
        Move::Forget => {
            conversation.forget_writer(now);
            conversation.epoch += 1;
            None
        }
        Move::Take(who) => {
            let other = conversation.patient.is_some();
            let rule = Evidence::of_rule(now, "the only person at this number");
            conversation.take_for_writer(who, &rule);
            conversation.epoch += i64::from(other);
            None
        }
        Move::Shown(who, reference) => {
            let evidence = Evidence {
                who: Who::Patient,
                message: Some(reference.clone()),
                ..Evidence::of_rule(now, "gave the birth date on file")
            };
            conversation.take_for_writer(who, &evidence);
            conversation.speaker.shown = Some(now);
            conversation.speaker.doubt = None;
            conversation.speaker.misses = 0;
            conversation.pending = None;
            conversation.epoch += 1;
            Some(ConsentEvent::new(Act::Identified(who.clone()), evidence))
        }
        Move::Miss => {
            conversation.speaker.misses = conversation.speaker.misses.saturating_add(1);
            None
        }
    }
}

/// Takes the steps on a locked conversation and keeps what they say of consent.
pub(crate) async fn commit(
    tx: &mut Tx,
    conversation: &mut Conversation,
    moves: &[Move],
    now: Timestamp,
) -> Result<(), StoreError> {
    for it in moves {
        if let Some(event) = apply(conversation, it, now) {
            let patient = conversation.patient.clone();
            let notice = conversation.consent.notice.clone();
            tx.record_consent(conversation, &event, notice.as_ref(), patient.as_ref())
                .await?;
            // What waited for this may go.
            tx.wake_waiting(conversation.id, now).await?;
        }
    }
    Ok(())
}
