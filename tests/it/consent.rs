//! Consent: the table of transitions, and every reachable state checked against its promises.

#![cfg(test)]

use std::collections::BTreeMap;
use std::collections::VecDeque;

use anteroom::domain::consent::CONSENT_DAYS;
use anteroom::domain::consent::Consent;
use anteroom::domain::consent::ConsentEvent;
use anteroom::domain::consent::ConsentState;
use anteroom::domain::consent::Notice;
use anteroom::domain::ids::PracticeId;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Language;
use jiff::SignedDuration;
use jiff::Timestamp;

fn day(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * n)
}

fn event(name: &str, at: Timestamp) -> ConsentEvent {
    match name {
        "notice" => ConsentEvent::NoticeSent(Notice {
            text_id: "risk_notice/1".to_owned(),
            sha256: "00".repeat(32),
            language: Language::En,
            at,
        }),
        "yes" => ConsentEvent::Yes {
            reply_id: "SM1".to_owned(),
            at,
            number: "+14155550142".parse().unwrap(),
            channel: Channel::Sms,
            practice: PracticeId::new("lakeside"),
            patient: None,
        },
        "no" => ConsentEvent::No { at },
        "stop" => ConsentEvent::Stop { at },
        "start" => ConsentEvent::Start { at },
        "expire" => ConsentEvent::Expire { at },
        "reassigned" => ConsentEvent::Reassigned { at },
        _ => panic!("unknown event {name}"),
    }
}

const EVENTS: [&str; 7] = [
    "notice",
    "yes",
    "no",
    "stop",
    "start",
    "expire",
    "reassigned",
];

/// A consent in each state, at day 10, with the events that led there.
fn in_state(state: ConsentState) -> Consent {
    let path: &[(&str, i64)] = match state {
        ConsentState::Unknown => &[],
        ConsentState::NoticeSent => &[("notice", 1)],
        ConsentState::Granted => &[("notice", 1), ("yes", 2)],
        ConsentState::Declined => &[("notice", 1), ("no", 2)],
        ConsentState::OptedOut => &[("notice", 1), ("yes", 2), ("stop", 3)],
        ConsentState::Expired => &[("notice", -500), ("yes", -500), ("expire", 9)],
    };
    let start = Consent::unknown(day(-600));
    let end = path.iter().fold(start, |c, (name, at)| {
        c.apply(&event(name, day(*at))).unwrap()
    });
    assert_eq!(end.state, state);
    end
}

/// State, then what each event makes of it; `-` is refused.
const TABLE: &str = "
state        notice       yes      no        stop       start        expire  reassigned
unknown      notice_sent  -        -         opted_out  unknown      -       unknown
notice_sent  notice_sent  granted  declined  opted_out  notice_sent  -       unknown
granted      granted      granted  declined  opted_out  granted      -       unknown
declined     notice_sent  -        declined  opted_out  declined     -       unknown
opted_out    -            -        -         opted_out  unknown      -       -
expired      notice_sent  -        declined  opted_out  expired      -       unknown
";

#[test]
fn every_state_and_event_moves_as_the_table_says() {
    let mut rows = TABLE
        .trim()
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let head = rows.next().unwrap();
    let mut seen = 0;
    for row in rows {
        let consent = in_state(row[0].parse().unwrap());
        for (name, expected) in head.iter().zip(&row).skip(1) {
            let next = consent.apply(&event(name, day(10)));
            let got = next.map_or_else(|_| "-".to_owned(), |next| next.state.to_string());
            assert_eq!(got, *expected, "{} on {name}", row[0]);
            seen += 1;
        }
    }
    assert_eq!(seen, ConsentState::ALL.len() * EVENTS.len());
}

#[test]
fn proof_ends_after_its_term_and_a_second_yes_does_not_stretch_it() {
    let granted = in_state(ConsentState::Granted);
    let last = day(2 + CONSENT_DAYS) - SignedDuration::from_secs(1);
    assert!(granted.allows_phi(day(1)).is_none());
    assert!(granted.allows_phi(last).is_some());
    assert!(granted.allows_phi(day(2 + CONSENT_DAYS)).is_none());
    let again = granted.apply(&event("yes", day(300))).unwrap();
    assert_eq!(again, granted);
    let asked = granted.apply(&event("notice", day(300))).unwrap();
    let renewed = asked.apply(&event("yes", day(301))).unwrap();
    assert!(renewed.allows_phi(day(600)).is_some());
    assert_ne!(
        renewed.proof.unwrap().digest(),
        granted.proof.clone().unwrap().digest()
    );
    let expired = asked.apply(&event("expire", day(400))).unwrap();
    assert_eq!(expired.state, ConsentState::NoticeSent);
    assert_eq!(granted.proof.unwrap().digest().len(), 64);
}

#[test]
fn yes_from_before_the_notice_grants_nothing() {
    let asked = in_state(ConsentState::NoticeSent);
    assert!(asked.apply(&event("yes", day(0))).is_err());
}

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
    format!(
        "{} {notice:?} {proof:?} {}",
        node.consent.state, node.stopped
    )
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
    }
    assert_eq!(node.stopped, node.consent.state == ConsentState::OptedOut);
    assert_eq!(node.stopped, !node.consent.allows_texts());
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
        "{} states, {steps} transitions, {refused} refused, deepest {depth}",
        seen.len()
    );
    assert!(seen.len() > 40 && *depth >= 8, "{} {depth}", seen.len());
}
