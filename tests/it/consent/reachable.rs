//! Every state of consent that any events can reach, walked breadth first over the real transitions.

#![cfg(test)]

use std::collections::{BTreeSet, VecDeque};

use anteroom::domain::consent::{
    Act, CONSENT_DAYS, Consent, ConsentEvent, ConsentPurpose, ConsentState, InvalidTransition,
    RISK_NOTICE_ASKS,
};
use jiff::Timestamp;

use super::{EVENTS, day, event};

#[derive(Clone)]
struct Node {
    consent: Consent,
    clock: i64,
    /// Days on which a notice was sent.
    notices: Vec<i64>,
    stopped: bool,
    /// What led here.
    path: Vec<&'static str>,
}

/// Two nodes that can never be told apart by what follows: ages matter, dates do not.
fn key(node: &Node) -> String {
    let age = |at: Timestamp| day(node.clock).duration_since(at).as_hours() / 24;
    let age = |at: Timestamp| age(at).min(CONSENT_DAYS + 100);
    let notice = node.consent.notice.as_ref().map(|n| (age(n.at), &n.asks));
    let proof = node
        .consent
        .proof
        .as_ref()
        .map(|p| (age(p.at), age(p.notice.at)));
    let standings: Vec<&str> = ConsentPurpose::ALL
        .iter()
        .map(|it| node.consent.standing(*it).as_str())
        .collect();
    format!("{standings:?} {notice:?} {proof:?} {}", node.stopped)
}

/// What is promised of each state that can be reached; the first promise that is broken.
fn broken(node: &Node) -> Option<&'static str> {
    let now = day(node.clock);
    let consent = &node.consent;
    let contact = consent.standing(ConsentPurpose::Contact);
    if let Some(proof) = consent.allows_phi(now) {
        let sent = node.notices.iter().any(|it| day(*it) == proof.notice.at);
        if !sent || !proof.notice.asks.contains(&ConsentPurpose::Phi) {
            return Some("PHI without a notice that asked for it");
        }
        if proof.notice.at > proof.at || proof.at > now || now >= proof.expires {
            return Some("PHI without a proof that stands");
        }
        if node.stopped || !consent.allows_texts() {
            return Some("PHI after STOP");
        }
    }
    let out = |it: &ConsentPurpose| consent.standing(*it) == ConsentState::OptedOut;
    if !ConsentPurpose::ALL.iter().all(|it| out(it) == node.stopped)
        || node.stopped == consent.allows_texts()
        || (node.stopped && consent.allows_reminders())
    {
        return Some("STOP ends every purpose, and only START or its like lifts it");
    }
    if consent.proof.is_some() != (consent.state == ConsentState::Granted) {
        return Some("a proof stands where PHI is granted, and nowhere else");
    }
    if consent.allows_reminders() && contact != ConsentState::Granted {
        return Some("reminders without contact");
    }
    None
}

/// What is promised of each step: nothing becomes granted that was not asked for and answered.
fn overreach(before: &Node, name: &str, next: &Consent) -> Option<&'static str> {
    let granted = |consent: &Consent, purpose| consent.standing(purpose) == ConsentState::Granted;
    let open = before.consent.notice.as_ref();
    for purpose in ConsentPurpose::ALL {
        let newly = granted(next, *purpose) && !granted(&before.consent, *purpose);
        let asked = open.is_some_and(|notice| notice.asks.contains(purpose));
        let may = match (name, purpose) {
            ("yes" | "late yes", _) => asked,
            ("wrote" | "start", ConsentPurpose::Contact)
            | ("recorded", ConsentPurpose::Confirmations) => true,
            _ => false,
        };
        if newly && !may {
            return Some("a grant of what was not asked");
        }
    }
    None
}

/// The machine, or one that is broken on purpose.
type Machine = fn(&Consent, &ConsentEvent) -> Result<Consent, InvalidTransition>;

/// Walks every state that can be reached, to the end; what was counted, or the broken promise with
/// the steps that lead to it.
fn walk(machine: Machine) -> Result<(usize, usize, usize), String> {
    let root = Node {
        consent: Consent::unknown(day(0)),
        clock: 0,
        notices: vec![],
        stopped: false,
        path: vec![],
    };
    let mut seen = BTreeSet::from([key(&root)]);
    let mut queue = VecDeque::from([root]);
    let (mut steps, mut deepest) = (0, 0);
    while let Some(node) = queue.pop_front() {
        deepest = deepest.max(node.path.len());
        for name in EVENTS.iter().chain(&["wait", "late yes"]) {
            steps += 1;
            let mut next = node.clone();
            next.path.push(name);
            let told = |what: &str| Err(format!("{what}: {}", next.path.join(", ")));
            let (event_name, at) = match *name {
                "late yes" => ("yes", node.clock - 73),
                other => (other, node.clock),
            };
            if *name == "wait" {
                next.clock += 73;
            } else if let Ok(consent) = machine(&node.consent, &event(event_name, day(at))) {
                if let Some(what) = overreach(&node, name, &consent) {
                    return told(what);
                }
                next.consent = consent;
                next.stopped = match *name {
                    "stop" => true,
                    "start" | "lifted" => false,
                    _ => node.stopped,
                };
                if name.starts_with("asks") || *name == "notice" {
                    next.notices.push(at);
                }
            }
            if let Some(what) = broken(&next) {
                return told(what);
            }
            if seen.insert(key(&next)) {
                queue.push_back(next);
            }
        }
    }
    Ok((seen.len(), steps, deepest))
}

#[test]
fn no_reachable_state_sends_phi_without_proof_or_texts_after_stop_or_grants_what_was_not_asked() {
    let (states, steps, deepest) = walk(Consent::apply).unwrap();
    println!(
        "consent machine: {states} states, {steps} transitions, deepest {deepest}, none left to walk"
    );
    assert!(states > 500 && deepest >= 8, "{states} {deepest}");
}

/// Machines that are broken on purpose, and the promise that each breaks: the promises can fail.
const BROKEN: &[(&str, Machine, &str)] = &[
    (
        "STOP leaves the proof",
        |it, event| {
            let mut next = it.apply(event)?;
            if event.act == Act::Stop && it.proof.is_some() {
                next.proof.clone_from(&it.proof);
                next.state = it.state;
            }
            Ok(next)
        },
        "PHI after STOP",
    ),
    (
        "STOP leaves reminders on",
        |it, event| {
            let mut next = it.apply(event)?;
            if event.act == Act::Stop {
                next.confirmations = it.confirmations;
            }
            Ok(next)
        },
        "STOP ends every purpose",
    ),
    (
        "a text lifts STOP",
        |it, event| {
            if event.act == Act::Wrote && !it.allows_texts() {
                Ok(Consent::unknown(event.at()))
            } else {
                it.apply(event)
            }
        },
        "STOP ends every purpose",
    ),
    (
        "START brings the old YES back",
        |it, event| {
            let mut next = it.apply(event)?;
            if event.act == Act::Start && !it.allows_texts() {
                next.state = ConsentState::Granted;
            }
            Ok(next)
        },
        "a grant of what was not asked",
    ),
    (
        "YES grants reminders too",
        |it, event| {
            let mut next = it.apply(event)?;
            if matches!(event.act, Act::Yes(_)) {
                next.confirmations.state = ConsentState::Granted;
            }
            Ok(next)
        },
        "a grant of what was not asked",
    ),
    (
        "YES to reminders grants PHI",
        |it, event| {
            let mut asked = it.clone();
            if let (Act::Yes(_), Some(notice)) = (&event.act, &mut asked.notice) {
                notice.asks = RISK_NOTICE_ASKS.to_vec();
            }
            asked.apply(event)
        },
        "a grant of what was not asked",
    ),
    (
        "a YES from before the notice counts",
        |it, event| {
            let mut early = it.clone();
            if let (Act::Yes(_), Some(notice)) = (&event.act, &mut early.notice) {
                notice.at = notice.at.min(event.at());
            }
            early.apply(event)
        },
        "PHI without a notice that asked",
    ),
];

#[test]
fn a_machine_that_is_broken_on_purpose_is_caught() {
    for (name, machine, promise) in BROKEN {
        let caught = walk(*machine).expect_err(name);
        assert!(caught.starts_with(promise), "{name}: {caught}");
        println!("{name}: {caught}");
    }
}
