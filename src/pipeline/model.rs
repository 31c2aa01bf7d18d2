//! Every conversation within bounds, walked breadth first: the real screen reads the words, the real
//! consent, plan and last questions before a hand-over decide; only the rows in between are a model.

mod world;

use std::collections::{BTreeMap, VecDeque};

use jiff::SignedDuration;

use crate::agent::texts::TextId;
use crate::domain::consent::{Act, ConsentEvent, Doubt, Evidence, Notice, RISK_NOTICE_ASKS};
use crate::domain::conversation::PendingKind;
use crate::domain::ids::PatientId;
use crate::domain::message::{Inbound, OutboundKind};
use crate::domain::phi::Phi;
use crate::domain::practice::CarrierKind;
use crate::domain::record::Patient;
use crate::pipeline::consent::{self, CarrierDid, KEEP, question};
use crate::pipeline::dispatch::bar;
use crate::pipeline::model::world::{Asks, BORN, Draft, World, key, row, turn, world};
use crate::pipeline::person;
use crate::pipeline::plan::{Plan, plan};
use crate::policy::words::{Channel, Jurisdiction, Language};
use crate::screen::{Pending, Reading, Screen};

/// What is texted; the last is the birth date of the first person on file.
const WORDS: [&str; 13] = [
    "YES",
    "NO",
    "OK",
    "SI",
    "1",
    "C",
    "CANCEL",
    "STOP",
    "START",
    "too many texts",
    "wrong number",
    "When is my appointment?",
    BORN,
];

/// Words that agree when the notice has asked.
const AGREES: [&str; 3] = ["YES", "OK", "SI"];

/// Texts that wait, in either direction, before no more is done.
const QUEUE_MAX: usize = 2;

struct Rules {
    readings: BTreeMap<(Option<Pending>, &'static str), Reading>,
    people: Vec<Patient>,
    did: fn(&str, bool) -> CarrierDid,
}

fn rules(born: &[&str], did: fn(&str, bool) -> CarrierDid) -> Rules {
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
            Step::Commit => commit(&mut next)?,
            Step::Dispatch => dispatch(&mut next)?,
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
        if next.waiting.len() >= QUEUE_MAX {
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
        let after = &next.conversation.consent.proof;
        if after.is_some() && *after != before {
            assert_eq!(open, Some(PendingKind::Consent), "{word} answered {open:?}");
            assert!(AGREES.contains(&word) && heard, "{word} granted");
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
        let silent = did == CarrierDid::Stopped || (!allowed && meaning.intent != "opt_in");
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
        let arrival = person::arrive(&mut copy, &self.people, &world.waiting, world.now);
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
            Plan::Staff { answers, .. } => draft.answers = answers,
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
                draft.phi = copy.proof(world.now).is_some() && copy.patient.is_some();
                let who = copy.patient.is_none();
                draft.pending = Asks::Set(if who { Some(PendingKind::Person) } else { asks });
                draft.answers = if who { vec![] } else { answers };
            }
        }
        Some(draft)
    }
}

/// As `dispatch` does; and the promises, at the moment a text leaves.
fn dispatch(next: &mut World) -> Option<()> {
    if next.outbox.is_empty() {
        return None;
    }
    let row = next.outbox.remove(0);
    let it = &next.conversation;
    if bar(&row, it, next.now).is_some() {
        return Some(());
    }
    if let Some(confirmed) = &mut next.confirmed {
        assert_eq!(
            row.kind,
            OutboundKind::OptOutConfirmation,
            "a text after STOP"
        );
        *confirmed += 1;
        assert!(*confirmed <= 1, "STOP was confirmed twice");
    }
    if row.phi {
        let standing = it.consent.allows_phi(next.now);
        let proof = standing.expect("PHI left without a standing proof");
        assert_eq!(row.proof.as_ref(), Some(proof));
        assert!(it.patient.is_some(), "PHI left for nobody in particular");
        let theirs = proof.patient.is_none() || proof.patient == it.patient;
        assert!(theirs, "PHI of one left on the word of another");
        assert!(it.speaker.doubt.is_none(), "PHI left for a number in doubt");
        assert!(!it.is_silent(next.now), "PHI left for a number long silent");
    }
    Some(())
}

/// As `commit` does.
fn commit(next: &mut World) -> Option<()> {
    let draft = next.draft.take()?;
    if draft.epoch != next.conversation.epoch || next.outbox.len() >= QUEUE_MAX {
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
    assert!(
        !draft.phi || proof.is_some(),
        "PHI was enqueued without a proof"
    );
    next.outbox
        .push(row(&next.conversation, draft.kind, proof, now));
    next.waiting
        .retain(|turn| !draft.answers.contains(&turn.id));
    Some(())
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

/// Walks everything within `depth` steps; how many worlds there are.
fn walk(name: &str, rules: &Rules, depth: usize) -> usize {
    let root = world();
    let mut seen = BTreeMap::from([(key(&root), 0)]);
    let mut queue = VecDeque::from([(root, 0)]);
    let (mut moves, mut deepest) = (0, 0);
    let steps = steps();
    while let Some((world, at)) = queue.pop_front() {
        if at >= depth {
            continue;
        }
        for step in &steps {
            let Some(next) = rules.after(&world, *step) else {
                continue;
            };
            moves += 1;
            if let std::collections::btree_map::Entry::Vacant(slot) = seen.entry(key(&next)) {
                slot.insert(at + 1);
                deepest = deepest.max(at + 1);
                queue.push_back((next, at + 1));
            }
        }
    }
    println!(
        "{name}: {} states, {moves} transitions, depth {deepest}",
        seen.len()
    );
    seen.len()
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
    let states = walk("one person", &rules(&["1970-01-01"], we_reply), 7);
    assert!(states > 2_000, "{states}");
}

#[test]
fn two_people_on_a_number_are_texted_each_on_their_own_word() {
    let states = walk(
        "two people",
        &rules(&["1970-01-01", "1980-02-02"], we_reply),
        7,
    );
    assert!(states > 2_000, "{states}");
}

#[test]
fn where_the_carrier_answers_keywords_nothing_at_all_follows_stop() {
    let states = walk(
        "carrier replies",
        &rules(&["1970-01-01"], carrier_replies),
        7,
    );
    assert!(states > 2_000, "{states}");
}
