//! Consent: the table of transitions, and every reachable state checked against its promises.

#![cfg(test)]

mod reachable;

use anteroom::domain::consent::{
    Act, CONSENT_DAYS, Consent, ConsentEvent, ConsentPurpose, ConsentState, Doubt, Evidence,
    Notice, Party, RISK_NOTICE_ASKS,
};
use anteroom::domain::ids::{PatientId, PracticeId};
use anteroom::policy::words::{Channel, Language};
use jiff::{SignedDuration, Timestamp};

fn day(n: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * n)
}

/// A notice of this day; it asks for these purposes.
fn notice(at: Timestamp, asks: &[ConsentPurpose]) -> Act {
    Act::NoticeSent(Notice {
        text_id: "risk_notice/1".to_owned(),
        sha256: "00".repeat(32),
        language: Language::En,
        at,
        asks: asks.to_vec(),
    })
}

fn party(patient: Option<&str>) -> Party {
    Party {
        practice: PracticeId::new("lakeside"),
        patient: patient.map(PatientId::new),
        number: "+14155550142".parse().unwrap(),
        channel: Channel::Sms,
    }
}

fn event(name: &str, at: Timestamp) -> ConsentEvent {
    let act = match name {
        "notice" => notice(at, &RISK_NOTICE_ASKS),
        "yes" => Act::Yes(party(None)),
        "no" => Act::No,
        "stop" => Act::Stop,
        "start" => Act::Start,
        "wrote" => Act::Wrote,
        "recorded" => Act::Recorded(ConsentPurpose::Confirmations),
        "expire" => Act::Expire,
        "reassigned" => Act::Reassigned(Doubt::Carrier),
        "lifted" => Act::Lifted,
        "asks texts" => notice(at, &[ConsentPurpose::Contact]),
        "asks reminders" => notice(at, &[ConsentPurpose::Confirmations]),
        "no reminders" => Act::Refused(ConsentPurpose::Confirmations),
        _ => panic!("unknown event {name}"),
    };
    ConsentEvent::new(act, Evidence::of_text(at, "SM1", name, Language::En))
}

const EVENTS: [&str; 13] = [
    "notice",
    "yes",
    "no",
    "stop",
    "start",
    "wrote",
    "recorded",
    "expire",
    "reassigned",
    "lifted",
    "asks texts",
    "asks reminders",
    "no reminders",
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
        ConsentState::Reassigned => &[("notice", 1), ("yes", 2), ("reassigned", 3)],
    };
    let start = Consent::unknown(day(-600));
    let end = path.iter().fold(start, |c, (name, at)| {
        c.apply(&event(name, day(*at))).unwrap()
    });
    assert_eq!(end.state, state);
    end
}

/// State of PHI by text, then what each event makes of `contact phi confirmations`, each by its
/// first letters; `-` is refused.
const TABLE: &str = "
state        notice    yes       no        stop      start     wrote     recorded  expire    reassigned lifted
unknown      un/no/un  -         -         op/op/op  un/un/un  gr/un/un  un/un/gr  -         re/re/re   -
notice_sent  un/no/un  gr/gr/un  de/de/de  op/op/op  un/no/un  gr/no/un  un/no/gr  -         re/re/re   -
granted      gr/gr/un  gr/gr/un  de/de/de  op/op/op  gr/gr/un  gr/gr/un  gr/gr/gr  -         re/re/re   -
declined     de/no/de  -         de/de/de  op/op/op  gr/un/un  de/de/de  -         -         re/re/re   -
opted_out    -         -         -         op/op/op  gr/un/un  -         -         -         -          un/un/un
expired      gr/no/un  -         gr/de/un  op/op/op  gr/ex/un  gr/ex/un  gr/ex/gr  -         re/re/re   -
reassigned   re/no/re  -         -         op/op/op  re/re/re  gr/re/re  -         -         re/re/re   -
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
            let got = consent
                .apply(&event(name, day(10)))
                .map_or_else(|_| "-".to_owned(), |next| letters(&next));
            assert_eq!(got, *expected, "{} on {name}", row[0]);
            seen += 1;
        }
    }
    assert_eq!(seen, ConsentState::ALL.len() * (head.len() - 1));
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

#[test]
fn a_yes_grants_only_what_the_notice_asked() {
    let asks = notice(day(1), &[ConsentPurpose::Contact]);
    let by_rule = |act, n| ConsentEvent::new(act, Evidence::of_rule(day(n), "a test"));
    let asked = Consent::unknown(day(0)).apply(&by_rule(asks, 1)).unwrap();
    let agreed = asked.apply(&event("yes", day(2))).unwrap();
    assert_eq!(
        agreed.standing(ConsentPurpose::Contact),
        ConsentState::Granted
    );
    assert_eq!(agreed.allows_phi(day(3)), None);
    assert!(!agreed.allows_reminders());
    let stated = by_rule(Act::Recorded(ConsentPurpose::Phi), 3);
    let told = by_rule(Act::Refused(ConsentPurpose::Contact), 3);
    assert!(agreed.apply(&told).is_err(), "no texts at all is STOP");
    assert!(
        agreed.apply(&stated).is_err(),
        "no record of the practice's stands for a warning that was read"
    );
}

/// What was said one after the other, and where contact, PHI and reminders stand then.
const STORIES: &[(&[&str], &str)] = &[
    // Each question is answered by itself.
    (&["wrote", "asks reminders", "yes"], "gr/un/gr"),
    (&["wrote", "asks reminders", "no"], "gr/un/de"),
    (&["notice", "yes", "asks reminders", "no"], "gr/gr/de"),
    (&["notice", "yes", "asks reminders", "yes"], "gr/gr/gr"),
    (&["notice", "no", "asks texts", "yes"], "gr/de/un"),
    (&["asks texts", "no"], "de/un/de"),
    // A NO to reminders, told to the practice, stands until the person themselves says otherwise.
    (&["notice", "yes", "recorded", "no reminders"], "gr/gr/de"),
    (
        &["notice", "yes", "no reminders", "notice", "yes"],
        "gr/gr/de",
    ),
    (
        &["notice", "yes", "no reminders", "asks reminders", "yes"],
        "gr/gr/gr",
    ),
    // STOP ends all; START begins anew.
    (&["recorded", "stop", "start"], "gr/un/un"),
    (&["notice", "yes", "stop", "lifted"], "un/un/un"),
    (&["notice", "stop", "start", "yes"], "-"),
];

#[test]
fn purposes_are_asked_answered_and_declined_apart() {
    for (events, want) in STORIES {
        let mut consent = Ok(Consent::unknown(day(0)));
        for (at, name) in (1..).zip(*events) {
            consent = consent.and_then(|it| it.apply(&event(name, day(at))));
        }
        let got = consent.map_or_else(|_| "-".to_owned(), |it| letters(&it));
        assert_eq!(got, *want, "{events:?}");
    }
}

fn letters(consent: &Consent) -> String {
    let letters: Vec<&str> = ConsentPurpose::ALL
        .iter()
        .map(|it| consent.standing(*it).as_str().split_at(2).0)
        .collect();
    letters.join("/")
}

#[test]
fn what_one_person_agreed_to_is_not_anothers() {
    let asked = in_state(ConsentState::NoticeSent);
    let yes = |patient| {
        let evidence = Evidence::of_text(day(2), "SM1", "YES", Language::En);
        asked.apply(&ConsentEvent::new(Act::Yes(party(patient)), evidence))
    };
    let named = |patient: &str| {
        let evidence = Evidence::of_text(day(3), "SM2", "7/4/1978", Language::En);
        ConsentEvent::new(Act::Identified(PatientId::new(patient)), evidence)
    };
    let nobodys = yes(None).unwrap();
    let tom = nobodys.apply(&named("tom")).unwrap();
    assert_eq!(
        tom.proof.as_ref().unwrap().patient,
        Some(PatientId::new("tom"))
    );
    assert!(tom.apply(&named("eva")).is_err());
    assert!(yes(Some("tom")).unwrap().apply(&named("eva")).is_err());
}

#[test]
fn rows_from_before_purposes_were_kept_apart_are_carried_over() {
    let proof = serde_json::json!({
        "practice": "lakeside", "patient": "tom", "number": "+14155550142", "channel": "sms",
        "notice": {"text_id": "risk_notice/1", "sha256": "00", "language": "en", "at": "2026-01-01T00:00:00Z"},
        "reply_id": "SM1", "at": "2026-01-02T00:00:00Z", "expires": "2027-01-02T00:00:00Z",
    });
    for (state, proof, want) in [
        ("unknown", None, ["unknown", "unknown", "unknown"]),
        ("notice_sent", None, ["granted", "notice_sent", "unknown"]),
        ("granted", Some(proof), ["granted", "granted", "unknown"]),
        ("declined", None, ["declined", "declined", "declined"]),
        ("opted_out", None, ["opted_out", "opted_out", "opted_out"]),
        ("expired", None, ["granted", "expired", "unknown"]),
    ] {
        let old = serde_json::json!({
            "state": state, "notice": null, "proof": proof, "since": "2026-01-02T00:00:00Z",
        });
        let read: Consent = serde_json::from_value(old).unwrap();
        let got: Vec<&str> = ConsentPurpose::ALL
            .iter()
            .map(|it| read.standing(*it).as_str())
            .collect();
        assert_eq!(got, want, "{state}");
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        assert_eq!(read.allows_phi(now).is_some(), state == "granted");
        let again: Consent = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
        assert_eq!(again, read);
    }
}
