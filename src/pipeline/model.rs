//! Every conversation that can be, walked breadth first until no new one is found or there are very
//! many: the real screen
//! reads the words, the real consent, plan and last questions before a hand-over decide; only the rows
//! in between are a model. Two conversations are one where nothing that follows can tell them apart.

mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};

use crate::agent::texts::TextId;
use crate::domain::consent::{
    Act, ConsentEvent, ConsentProof, Doubt, Evidence, Notice, RISK_NOTICE_ASKS,
};
use crate::domain::conversation::PendingKind;
use crate::domain::ids::PatientId;
use crate::domain::message::{Inbound, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::{CarrierKind, IdentifyBy};
use crate::domain::record::Patient;
use crate::pipeline::consent::{self, CarrierDid, KEEP, question};
use crate::pipeline::dispatch::bar;
use crate::pipeline::model::world::{Asks, BORN, Draft, World, key, row, turn, world};
use crate::pipeline::person;
use crate::pipeline::plan::{Plan, plan};
use crate::policy::words::{Channel, Jurisdiction, Language};
use crate::screen::{Pending, Reading, Screen};

/// What is texted; the last is the birth date of the first person on file.
const WORDS: [&str; 11] = [
    "YES",
    "NO",
    "OK",
    "1",
    "CANCEL",
    "STOP",
    "START",
    "too many texts",
    "wrong number",
    "When is my appointment?",
    BORN,
];

/// Words that agree when the notice has asked.
const AGREES: [&str; 2] = ["YES", "OK"];

/// Texts that wait for an answer before no more is heard: a question that waits for YES, and the YES.
const WAITING_MAX: usize = 2;

/// Texts on their way out before no more is made: one, beside the draft that is being made, is enough
/// for each to overtake the other.
const OUTBOX_MAX: usize = 1;

/// A walk that has found so many ends, and says so: a few seconds of work.
const STATES_MAX: usize = 20_000;

/// What is broken on purpose, to see that the promises can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// The questions before a hand-over are not asked.
    NoBar,
    /// PHI is drafted whatever the consent, and the store takes it without a proof.
    NoConstraint,
    /// Neither is an overtaken draft dropped nor are the questions before a hand-over asked.
    NoFence,
    /// STOP is confirmed each time.
    ConfirmsAgain,
}

struct Rules {
    broken: Option<Broken>,
    readings: BTreeMap<(Option<Pending>, &'static str), Reading>,
    people: Vec<Patient>,
    did: fn(&str, bool) -> CarrierDid,
}

fn rules(born: &[&str], did: fn(&str, bool) -> CarrierDid) -> Rules {
    let broken = None;
    let screen = Screen::embedded().unwrap();
    let mut readings = BTreeMap::new();
    let open = Pending::ALL.iter().copied().map(Some).chain([None]);
    for pending in open {
        for word in WORDS {
            readings.insert((pending, word), screen.read(word, pending, Language::En));
        }
    }
    let person = |(n, born): (usize, &&str)| Patient {
        id: PatientId::new(format!("pat-{n}")),
        first_name: Phi::from("Ana"),
        last_name: Phi::from("Invented"),
        birth_date: Some(Phi::new(born.parse().unwrap())),
        phones: vec![],
        guardians: vec![],
        language: None,
        state: Jurisdiction::UNKNOWN,
        mrn: None,
        email: None,
        address: None,
    };
    Rules {
        broken,
        readings,
        people: born.iter().enumerate().map(person).collect(),
        did,
    }
}

/// What can happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Text(&'static str),
    /// An answer is drafted; the agent asks this.
    Draft(Option<PendingKind>),
    Commit,
    Dispatch,
    CarrierSaysStopped,
    CarrierSaysGone,
    Rest,
    HalfYear,
}

fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = WORDS.into_iter().map(Step::Text).collect();
    steps.extend([
        Step::Draft(None),
        Step::Draft(Some(PendingKind::RescheduleChoice)),
        Step::Commit,
        Step::Dispatch,
        Step::CarrierSaysStopped,
        Step::CarrierSaysGone,
        Step::Rest,
        Step::HalfYear,
    ]);
    steps
}

impl Rules {
    /// The world after a step; none where the step cannot happen or leads out of bounds.
    fn after(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        match step {
            Step::Text(word) => return self.text(next, word),
            Step::Draft(asks) => {
                if next.draft.is_some() {
                    return None;
                }
                next.draft = Some(self.draft(&next, asks)?);
            }
            Step::Commit => {
                let done = self.commit(&mut next);
                done.or_else(|| next.broken.map(drop))?;
            }
            Step::Dispatch => self.dispatch(&mut next)?,
            Step::CarrierSaysStopped => told(&mut next, Act::Stop)?,
            Step::CarrierSaysGone => told(&mut next, Act::Reassigned(Doubt::Carrier))?,
            Step::Rest => {
                let silence = next.conversation.last_inbound?;
                if next.now.duration_since(silence) >= SignedDuration::from_hours(1) {
                    return None;
                }
                next.now += SignedDuration::from_hours(1);
            }
            Step::HalfYear => {
                if next.conversation.is_silent(next.now) || next.conversation.last_inbound.is_none()
                {
                    return None;
                }
                next.now += SignedDuration::from_hours(24 * 181);
            }
        }
        Some(next)
    }

    /// As `receive` does.
    fn text(&self, mut next: World, word: &'static str) -> Option<World> {
        if next.waiting.len() >= WAITING_MAX {
            return None;
        }
        next.now += SignedDuration::from_mins(2);
        let now = next.now;
        if next.conversation.is_silent(now) && next.conversation.doubt_may_begin() {
            let rule = Evidence::of_rule(now, "silent");
            let doubt = ConsentEvent::new(Act::Reassigned(Doubt::Silent), rule);
            drop(consent::shift(&mut next.conversation, &doubt));
        }
        next.conversation.end_session(now);
        let open = next.conversation.pending.as_ref().map(|it| it.kind);
        let reading = self.readings.get(&(open.and_then(consent::asked), word))?;
        let inbound = Inbound::text(
            (CarrierKind::Simulator, format!("SM{word}")),
            Channel::Sms,
            next.conversation.number.clone(),
            next.conversation.sender.clone(),
            Phi::from(word),
            now,
        );
        let allowed = next.conversation.consent.allows_texts();
        let did = (self.did)(word, allowed);
        let notices = [OutboundKind::Notice, OutboundKind::Invitation];
        let heard = !next.outbox.iter().any(|row| notices.contains(&row.kind));
        let meaning = consent::meaning(&next.conversation, reading, &inbound, did, heard);
        let before = next.conversation.consent.proof.clone();
        for act in meaning.acts {
            let event = ConsentEvent::new(act, consent::evidence(&inbound, reading));
            drop(consent::shift(&mut next.conversation, &event));
        }
        let after = next.conversation.consent.proof.clone();
        if after.is_some() && after != before {
            let asked = open == Some(PendingKind::Consent) && heard && AGREES.contains(&word);
            next.promise(asked, "a grant of what was not asked");
        }
        if meaning.intent == KEEP {
            let waits = next.conversation.consent.notice.is_some() && after.is_none();
            next.conversation.pending = waits.then(|| question(PendingKind::Consent, now));
        }
        next.conversation.last_inbound = Some(now);
        let stopped = !next.conversation.consent.allows_texts();
        match (allowed, stopped) {
            (true, true) => next.confirmed = Some(0),
            (false, false) => next.confirmed = None,
            _ => {}
        }
        if stopped {
            let stays = [OutboundKind::OptOutConfirmation, OutboundKind::Help];
            next.outbox.retain(|row| stays.contains(&row.kind));
        }
        let again = self.broken == Some(Broken::ConfirmsAgain) && meaning.intent == "opt_out";
        let silent =
            did == CarrierDid::Stopped || (!allowed && meaning.intent != "opt_in" && !again);
        if !silent {
            next.waiting
                .push(turn(&next.waiting, meaning.intent, word, now));
        }
        Some(next)
    }

    /// As `reply` does.
    fn draft(&self, world: &World, asks: Option<PendingKind>) -> Option<Draft> {
        let mut copy = world.conversation.clone();
        let epoch = copy.epoch;
        let arrival = person::arrive(
            &mut copy,
            (&self.people, IdentifyBy::Number),
            &world.waiting,
            world.now,
        );
        let mut draft = Draft {
            epoch,
            moves: arrival.moves,
            kind: OutboundKind::Reply,
            notice: false,
            phi: false,
            pending: Asks::Keep,
            answers: vec![],
        };
        match plan(&copy, &world.waiting, world.now) {
            Plan::Nothing | Plan::Wait => return None,
            Plan::Staff { answers, .. } | Plan::Quiet { answers, .. } => draft.answers = answers,
            Plan::Person { answers } => {
                draft.answers = answers;
                draft.pending = Asks::Set(Some(PendingKind::Person));
            }
            Plan::Notice => {
                draft.kind = OutboundKind::Notice;
                draft.notice = true;
                draft.pending = Asks::Set(Some(PendingKind::Consent));
            }
            Plan::Fixed {
                text,
                kind,
                answers,
                ..
            } => {
                draft.kind = kind;
                draft.answers = answers;
                if text == TextId::ClarifyStop {
                    draft.pending = Asks::Set(Some(PendingKind::StopConfirm));
                }
            }
            Plan::Agent { answers, .. } => {
                // The worst agent: it tells PHI wherever consent and the record let it.
                let proof = copy.proof(world.now).is_some();
                draft.phi =
                    (proof || self.broken == Some(Broken::NoConstraint)) && copy.patient.is_some();
                let who = copy.patient.is_none();
                draft.pending = Asks::Set(if who { Some(PendingKind::Person) } else { asks });
                draft.answers = if who { vec![] } else { answers };
            }
        }
        Some(draft)
    }
}

impl Rules {
    /// As `dispatch` does; and the promises, at the moment a text leaves.
    fn dispatch(&self, next: &mut World) -> Option<()> {
        if next.outbox.is_empty() {
            return None;
        }
        let row = next.outbox.remove(0);
        let barred = bar(&row, &next.conversation, next.now).is_some();
        let asks = !matches!(self.broken, Some(Broken::NoBar | Broken::NoFence));
        if barred && asks {
            return Some(());
        }
        if let Some(confirmed) = next.confirmed {
            let confirms = row.kind == OutboundKind::OptOutConfirmation;
            next.promise(
                confirms && confirmed == 0,
                "nothing but one confirmation follows STOP",
            );
            next.confirmed = Some(1);
        }
        if row.phi {
            let it = &next.conversation;
            let standing = it.consent.allows_phi(next.now);
            let theirs = |proof: &&ConsentProof| {
                row.proof.as_ref() == Some(*proof)
                    && it.patient.is_some()
                    && (proof.patient.is_none() || proof.patient == it.patient)
            };
            let sure = it.speaker.doubt.is_none() && !it.is_silent(next.now);
            let kept = standing.as_ref().is_some_and(theirs) && sure;
            next.promise(kept, "PHI leaves on a standing proof of its own reader");
        }
        Some(())
    }

    /// As `commit` does.
    fn commit(&self, next: &mut World) -> Option<()> {
        let draft = next.draft.take()?;
        let overtaken = draft.epoch != next.conversation.epoch;
        if (overtaken && self.broken != Some(Broken::NoFence)) || next.outbox.len() >= OUTBOX_MAX {
            return Some(());
        }
        let now = next.now;
        for it in &draft.moves {
            drop(person::apply(&mut next.conversation, it, now));
        }
        if draft.notice {
            let notice = Notice {
                text_id: "risk_notice/1".to_owned(),
                sha256: "00".repeat(32),
                language: Language::En,
                at: now,
                asks: RISK_NOTICE_ASKS.to_vec(),
            };
            let event = ConsentEvent::new(Act::NoticeSent(notice), Evidence::of_rule(now, "asked"));
            drop(consent::shift(&mut next.conversation, &event));
        }
        if let Asks::Set(kind) = draft.pending {
            next.conversation.pending = kind.map(|kind| question(kind, now));
        }
        let proof = next.conversation.proof(now).cloned().filter(|_| draft.phi);
        if draft.phi && proof.is_none() {
            // The store refuses it, and with it all that the answer is.
            next.promise(
                self.broken != Some(Broken::NoConstraint),
                "PHI is enqueued with a proof",
            );
            return None;
        }
        next.outbox
            .push(row(&next.conversation, draft.kind, proof, now));
        next.waiting
            .retain(|turn| !draft.answers.contains(&turn.id));
        Some(())
    }
}

/// What a carrier reports.
fn told(next: &mut World, act: Act) -> Option<()> {
    let event = ConsentEvent::new(act, Evidence::of_carrier(next.now, "code"));
    consent::shift(&mut next.conversation, &event)?;
    if !next.conversation.consent.allows_texts() {
        next.confirmed = next.confirmed.or(Some(0));
    }
    next.outbox.clear();
    Some(())
}

/// What a walk counted.
struct Walked {
    states: usize,
    moves: usize,
    deepest: usize,
    left: usize,
}

/// Walks until no new state is found, or [`STATES_MAX`] are; the first broken promise ends it.
fn walk(rules: &Rules) -> Result<Walked, String> {
    let root = world();
    let mut seen = BTreeSet::from([digest(&key(&root))]);
    let mut queue = VecDeque::from([(root, 0)]);
    let (mut moves, mut deepest) = (0, 0);
    let steps = steps();
    while let Some((world, at)) = queue.pop_front() {
        deepest = deepest.max(at);
        for step in &steps {
            let Some(next) = rules.after(&world, *step) else {
                continue;
            };
            moves += 1;
            if let Some(promise) = next.broken {
                return Err(format!("{promise}: {step:?} after {at} steps"));
            }
            if seen.insert(digest(&key(&next))) {
                queue.push_back((next, at + 1));
            }
        }
        if seen.len() >= STATES_MAX {
            break;
        }
    }
    Ok(Walked {
        states: seen.len(),
        moves,
        deepest,
        left: queue.len(),
    })
}

/// Keys are long and many: 128 bits of their SHA-256 tell them apart.
fn digest(key: &str) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(key).into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

fn walked(name: &str, rules: &Rules) {
    let it = walk(rules).unwrap();
    println!(
        "{name}: {} states, {} transitions, deepest {}, {} left to walk",
        it.states, it.moves, it.deepest, it.left
    );
    assert!(it.states > 2_000, "{}", it.states);
}

fn we_reply(_word: &str, _allowed: bool) -> CarrierDid {
    CarrierDid::Nothing
}

fn carrier_replies(word: &str, allowed: bool) -> CarrierDid {
    match word {
        "STOP" | "CANCEL" => CarrierDid::Stopped,
        "START" | "YES" if !allowed => CarrierDid::Started,
        _ => CarrierDid::Nothing,
    }
}

#[test]
fn one_person_on_a_number_is_texted_only_with_a_proof_and_never_after_stop() {
    walked("one person", &rules(&["1970-01-01"], we_reply));
}

#[test]
fn two_people_on_a_number_are_texted_each_on_their_own_word() {
    walked(
        "two people",
        &rules(&["1970-01-01", "1980-02-02"], we_reply),
    );
}

#[test]
fn where_the_carrier_answers_keywords_nothing_at_all_follows_stop() {
    walked("carrier replies", &rules(&["1970-01-01"], carrier_replies));
}

#[test]
fn a_house_that_is_broken_on_purpose_is_caught() {
    for (broken, promise) in [
        (Broken::NoBar, "nothing but one confirmation follows STOP"),
        (Broken::NoFence, "nothing but one confirmation follows STOP"),
        (Broken::NoConstraint, "PHI is enqueued with a proof"),
        (
            Broken::ConfirmsAgain,
            "nothing but one confirmation follows STOP",
        ),
    ] {
        let mut rules = rules(&["1970-01-01"], we_reply);
        rules.broken = Some(broken);
        let caught = walk(&rules).err().unwrap_or_default();
        assert!(caught.starts_with(promise), "{broken:?}: {caught}");
        println!("{broken:?}: {caught}");
    }
}
