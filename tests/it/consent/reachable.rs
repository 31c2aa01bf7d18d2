//! Every state of consent that any events can reach, walked breadth first over the real transitions.

#![cfg(test)]

use std::collections::{BTreeMap, VecDeque};

use anteroom::domain::consent::{CONSENT_DAYS, Consent, ConsentPurpose, ConsentState};
use jiff::Timestamp;

use super::{EVENTS, day, event};

#[derive(Clone)]
struct Node {
    consent: Consent,
    clock: i64,
    /// Days on which a notice was sent.
    notices: Vec<i64>,
    stopped: bool,
    depth: usize,
}

/// Two nodes that can never be told apart by what follows: ages matter, dates do not.
fn key(node: &Node) -> String {
    let age = |at: Timestamp| day(node.clock).duration_since(at).as_hours() / 24;
    let age = |at: Timestamp| age(at).min(CONSENT_DAYS + 100);
    let notice = node.consent.notice.as_ref().map(|n| age(n.at));
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

fn check(node: &Node) {
    let now = day(node.clock);
    if let Some(proof) = node.consent.allows_phi(now) {
        assert!(!node.stopped && node.consent.allows_texts());
        assert!(proof.notice.at <= proof.at && proof.at <= now && now < proof.expires);
        assert!(
            node.notices
                .iter()
                .any(|sent| day(*sent) == proof.notice.at)
        );
        assert_eq!(
            node.consent.standing(ConsentPurpose::Contact),
            ConsentState::Granted,
            "whoever reads health details by text agreed to texts"
        );
    }
    for purpose in ConsentPurpose::ALL {
        let out = node.consent.standing(*purpose) == ConsentState::OptedOut;
        assert_eq!(
            node.stopped, out,
            "STOP ends {purpose} and only START lifts it"
        );
    }
    assert_eq!(node.stopped, !node.consent.allows_texts());
    assert!(!(node.stopped && node.consent.allows_reminders()));
    assert_eq!(
        node.consent.proof.is_some(),
        node.consent.state == ConsentState::Granted
    );
}

#[test]
fn no_reachable_state_sends_phi_without_proof_or_texts_after_stop() {
    let root = Node {
        consent: Consent::unknown(day(0)),
        clock: 0,
        notices: vec![],
        stopped: false,
        depth: 0,
    };
    let mut seen = BTreeMap::from([(key(&root), 0)]);
    let mut queue = VecDeque::from([root]);
    let (mut steps, mut refused) = (0, 0);
    while let Some(node) = queue.pop_front() {
        for name in EVENTS.iter().chain(&["wait", "late yes"]) {
            steps += 1;
            let mut next = node.clone();
            next.depth += 1;
            match *name {
                "wait" => next.clock += 73,
                _ => {
                    let (name, at) = if *name == "late yes" {
                        ("yes", node.clock - 73)
                    } else {
                        (*name, node.clock)
                    };
                    match node.consent.apply(&event(name, day(at))) {
                        Ok(consent) => next.consent = consent,
                        Err(_) => refused += 1,
                    }
                    next.stopped = name == "stop" || node.stopped && name != "start";
                    if name == "notice" {
                        next.notices.push(at);
                    }
                    let granted = next.consent.proof.is_some() && node.consent.proof.is_none();
                    assert!(!granted || name == "yes", "{name} granted");
                }
            }
            check(&next);
            let key = key(&next);
            if let std::collections::btree_map::Entry::Vacant(slot) = seen.entry(key) {
                slot.insert(next.depth);
                queue.push_back(next);
            }
        }
    }
    let depth = seen.values().max().unwrap();
    println!(
        "consent machine: {} states, {steps} transitions, {refused} refused, deepest {depth}",
        seen.len()
    );
    assert!(seen.len() > 200 && *depth >= 8, "{} {depth}", seen.len());
}
