//! What a walk looks at: one conversation, the rows around it, and what makes two of them one.

use jiff::Timestamp;

use crate::domain::consent::{Consent, ConsentProof};
use crate::domain::conversation::{Conversation, Direction, OutboxRow, PendingKind, Turn};
use crate::domain::ids::{ConversationId, OutboxId, PracticeId, TurnId};
use crate::domain::message::{LawTag, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::CarrierKind;
use crate::domain::speaker::{MISSES_MAX, Speaker};
use crate::pipeline::person::Move;
use crate::policy::words::{Channel, Language};

/// The birth date of the first person on file, as they text it.
pub(super) const BORN: &str = "1/1/1970";

/// What becomes of the open question.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asks {
    Keep,
    Set(Option<PendingKind>),
}

/// A made answer that is not committed yet.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) epoch: i64,
    pub(super) moves: Vec<Move>,
    pub(super) kind: OutboundKind,
    pub(super) notice: bool,
    pub(super) phi: bool,
    pub(super) pending: Asks,
    pub(super) answers: Vec<TurnId>,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) conversation: Conversation,
    pub(super) waiting: Vec<Turn>,
    pub(super) outbox: Vec<OutboxRow>,
    pub(super) draft: Option<Draft>,
    pub(super) now: Timestamp,
    /// Confirmations that left since the last STOP; none while texts are on.
    pub(super) confirmed: Option<u8>,
    /// The promise that was broken on the way here.
    pub(super) broken: Option<&'static str>,
}

impl World {
    /// Takes note of a promise that is not kept.
    pub(super) fn promise(&mut self, kept: bool, promise: &'static str) {
        if !kept {
            self.broken = self.broken.or(Some(promise));
        }
    }
}

fn start() -> Timestamp {
    "2026-11-29T18:00:00Z".parse().unwrap()
}

pub(super) fn world() -> World {
    World {
        conversation: Conversation {
            id: ConversationId(1),
            practice: PracticeId::new("lakeside"),
            carrier: CarrierKind::Simulator,
            channel: Channel::Sms,
            sender: "+14155550101".parse().unwrap(),
            number: "+14155550142".parse().unwrap(),
            patient: None,
            speaker: Speaker::default(),
            epoch: 0,
            language: Language::En,
            consent: Consent::unknown(start()),
            pending: None,
            human: false,
            human_until: None,
            last_inbound: None,
            closed: false,
        },
        waiting: vec![],
        outbox: vec![],
        draft: None,
        now: start(),
        confirmed: None,
        broken: None,
    }
}

pub(super) fn turn(waiting: &[Turn], intent: &str, body: &str, at: Timestamp) -> Turn {
    let last = waiting.last().map_or(0, |turn| turn.id.0);
    Turn {
        id: TurnId(last + 1),
        direction: Direction::Inbound,
        body: Phi::from(body),
        intent: intent.to_owned(),
        at,
        answered: false,
        delivery: None,
        code: None,
        segments: None,
        carrier_id: Some("SM".to_owned()),
    }
}

pub(super) fn row(
    it: &Conversation,
    kind: OutboundKind,
    proof: Option<ConsentProof>,
    at: Timestamp,
) -> OutboxRow {
    OutboxRow {
        id: OutboxId(1),
        practice: it.practice.clone(),
        conversation: it.id,
        epoch: it.epoch,
        kind,
        body: Phi::default(),
        phi: proof.is_some(),
        proof,
        law: LawTag::default(),
        segments: 1,
        slot: None,
        template: None,
        attempts: 1,
        in_doubt: false,
        at,
        lease: 1,
    }
}

/// How old something is, as far as any rule can tell.
fn age(now: Timestamp, at: Timestamp) -> u8 {
    match now.duration_since(at).as_mins() {
        0 => 0,
        1..30 => 1,
        30..86_400 => 2,
        86_400..260_000 => 3,
        _ => 4,
    }
}

fn consent_key(it: &Consent, now: Timestamp) -> String {
    let notice = it.notice.as_ref().map(|notice| age(now, notice.at));
    let proof = it.proof.as_ref();
    let same = proof.is_some_and(|proof| Some(&proof.notice) == it.notice.as_ref());
    let proof = proof.map(|proof| (age(now, proof.at), proof.patient.clone(), same));
    let states = (it.state, it.contact.state, it.confirmations.state);
    format!("{:?}", (states, notice, proof))
}

/// Two worlds that nothing that follows can tell apart have one key: ages matter, dates do not.
pub(super) fn key(world: &World) -> String {
    let now = world.now;
    let it = &world.conversation;
    let others = it.speaker.others.iter();
    let others: Vec<_> = others
        .map(|other| (other.patient.as_str(), consent_key(&other.consent, now)))
        .collect();
    let draft = world.draft.as_ref().map(|draft| {
        let current = it.epoch == draft.epoch;
        let what = (draft.kind, draft.notice, draft.phi, draft.pending);
        (current, &draft.moves, what, draft.answers.len())
    });
    let born = |turn: &Turn| turn.body.as_str() == BORN;
    let waiting = world.waiting.iter();
    let waiting: Vec<_> = waiting
        .map(|turn| (&turn.intent, age(now, turn.at), born(turn)))
        .collect();
    let outbox = world.outbox.iter();
    let outbox: Vec<_> = outbox
        .map(|row| {
            let stands = row.proof == it.consent.proof;
            (row.kind, row.epoch == it.epoch, row.phi, stands)
        })
        .collect();
    let open = it.pending.as_ref();
    let open = open.map(|open| (open.kind, age(now, open.asked)));
    let speaker = &it.speaker;
    let shown = speaker.shown.is_some();
    let misses = speaker.misses.min(MISSES_MAX);
    format!(
        "{:?}",
        (
            (consent_key(&it.consent, now), &it.patient, open),
            (speaker.doubt, speaker.shared, shown, misses, others),
            (it.last_inbound.map(|last| age(now, last)), world.confirmed),
            (draft, waiting, outbox),
        )
    )
}
