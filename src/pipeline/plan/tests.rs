//! Plans, as a table.

use super::*;
use crate::domain::consent::{Consent, Notice, RISK_NOTICE_ASKS};
use crate::domain::ids::{ConversationId, PracticeId};
use crate::domain::phi::Phi;
use crate::domain::practice::CarrierKind;
use crate::domain::speaker::Speaker;
use crate::policy::words::{Channel, Language};

const NOTICE_AT: i64 = 1_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(in crate::pipeline) fn conversation(state: ConsentState, human: bool) -> Conversation {
    Conversation {
        id: ConversationId(1),
        practice: PracticeId::new("lakeside"),
        carrier: CarrierKind::Simulator,
        channel: Channel::Sms,
        sender: "+14155550101".parse().unwrap(),
        number: "+14155550142".parse().unwrap(),
        patient: None,
        epoch: 1,
        language: Language::En,
        speaker: Speaker::default(),
        consent: Consent {
            state,
            notice: (state == NoticeSent).then(|| Notice {
                text_id: "risk_notice/1".to_owned(),
                sha256: "00".repeat(32),
                language: Language::En,
                at: at(NOTICE_AT),
                asks: RISK_NOTICE_ASKS.to_vec(),
            }),
            ..Consent::unknown(at(0))
        },
        pending: None,
        human,
        human_until: None,
        last_inbound: None,
        closed: false,
    }
}

pub(in crate::pipeline) fn turn(
    id: i64,
    direction: Direction,
    intent: &str,
    delivery: Option<Delivery>,
) -> Turn {
    Turn {
        id: TurnId(id),
        direction,
        body: Phi::from("text"),
        intent: intent.to_owned(),
        at: at(NOTICE_AT),
        answered: false,
        delivery,
        code: None,
        segments: None,
        carrier_id: None,
    }
}

/// A plan in a word or two: what leaves, `/` which texts it answers, `+` why staff look.
pub(in crate::pipeline) fn told(plan: &Plan) -> String {
    let list = |ids: &[TurnId]| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.join(",")
    };
    match plan {
        Plan::Fixed {
            text,
            kind,
            answers,
            staff,
        } => {
            let staff = staff.map_or_else(String::new, |it| format!(" +{it}"));
            format!("{text:?} {kind} /{}{staff}", list(answers))
        }
        Plan::Notice => "notice".to_owned(),
        Plan::Person { answers } => format!("who /{}", list(answers)),
        Plan::Agent { asked, answers } => format!("agent {} /{}", list(asked), list(answers)),
        Plan::Staff { answers, reason } => format!("staff /{} +{reason}", list(answers)),
        Plan::Quiet { answers, .. } => format!("quiet /{}", list(answers)),
        Plan::Wait => "wait".to_owned(),
        Plan::Nothing => "nothing".to_owned(),
    }
}

use ConsentState::{Declined, Expired, Granted, NoticeSent, OptedOut, Reassigned, Unknown};

/// Consent, the intents that wait, and what is to be done.
const CASES: &[(ConsentState, &[&str], &str)] = &[
    (Unknown, &[], "nothing"),
    (Granted, &[], "nothing"),
    (Unknown, &["question"], "notice"),
    (Expired, &["question"], "notice"),
    (Reassigned, &["question"], "notice"),
    (Granted, &[STOP_DOUBT], "ClarifyStop reply /1"),
    (Granted, &[KEEP], "ConsentYes reply /1"),
    (Declined, &[KEEP], "ConsentNo reply /1"),
    (NoticeSent, &[KEEP], "ClarifyConsent reply /"),
    (
        OptedOut,
        &[STOP_VISIT],
        "StopVisit opt_out_confirmation /1 +CANCEL ended texts; the visit was open",
    ),
    (
        OptedOut,
        &["question", STOP_WRONG],
        "Stop opt_out_confirmation /1,2 +wrong number",
    ),
    (Unknown, &["consent_yes"], "notice"),
    (Unknown, &["help"], "Help help /1"),
    (Unknown, &["question", "help"], "Help help /2"),
    (Unknown, &["emergency"], "Emergency safety /1 +emergency"),
    (
        Unknown,
        &["question", "crisis"],
        "Crisis safety /1,2 +crisis",
    ),
    (
        Granted,
        &["emergency", "poison"],
        "Poison safety /1,2 +poison",
    ),
    (OptedOut, &["emergency"], "Emergency safety /1 +emergency"),
    (NoticeSent, &["question"], "ClarifyConsent reply /"),
    (NoticeSent, &["question", "help"], "Help help /2"),
    (Granted, &["question"], "agent 1 /1"),
    (Granted, &["consent_yes"], "ConsentYes reply /1"),
    (Granted, &["question", "consent_yes"], "agent 1 /1,2"),
    (Granted, &["opt_in", "question"], "agent 2 /1,2"),
    (Granted, &["human"], "Handoff reply /1 +asked for a person"),
    (
        Granted,
        &["question", ABUSE],
        "HandoffPrivate reply /2 +abuse",
    ),
    (Declined, &["consent_no"], "ConsentNo reply /1"),
    (Declined, &["question"], "agent 1 /1"),
    (OptedOut, &["opt_out"], "Stop opt_out_confirmation /1"),
    (
        OptedOut,
        &["question", "opt_out"],
        "Stop opt_out_confirmation /1,2",
    ),
    (
        OptedOut,
        &["opt_out", "help"],
        "Stop opt_out_confirmation /1,2",
    ),
    (OptedOut, &["help"], "Help help /1"),
    (OptedOut, &["question"], "staff /1 +opted out"),
];

#[test]
fn each_consent_and_each_intent_have_their_plan() {
    for (state, intents, want) in CASES {
        let turns: Vec<Turn> = (1_i64..)
            .zip(*intents)
            .map(|(id, intent)| turn(id, Direction::Inbound, intent, None))
            .collect();
        let later = at(NOTICE_AT + 3_600);
        let got = told(&plan(&conversation(*state, false), &turns, later));
        assert_eq!(got, *want, "{state} {intents:?}");
    }
}

#[test]
fn a_person_who_took_over_answers_all_but_an_emergency() {
    let taken = conversation(Granted, true);
    for (intent, want) in [
        ("question", "staff /1 +taken over"),
        ("help", "Help help /1"),
        ("human", "staff /1 +taken over"),
        ("crisis", "Crisis safety /1 +crisis"),
    ] {
        let turns = [turn(1, Direction::Inbound, intent, None)];
        assert_eq!(told(&plan(&taken, &turns, at(NOTICE_AT))), want, "{intent}");
    }
}

#[test]
fn a_notice_that_did_not_arrive_is_asked_again_and_one_on_its_way_is_awaited() {
    let asked = conversation(NoticeSent, false);
    let (soon, late) = (NOTICE_AT + 5, NOTICE_AT + 3_600);
    for (delivery, now, want) in [
        (Delivery::Pending, soon, "wait"),
        (Delivery::Delivered, soon, "wait"),
        (Delivery::Delivered, late, "ClarifyConsent reply /"),
        (Delivery::Unknown, late, "ClarifyConsent reply /"),
        (Delivery::Failed, soon, "notice"),
        (Delivery::Undelivered, late, "notice"),
        (Delivery::Suppressed, soon, "notice"),
    ] {
        let turns = [
            turn(1, Direction::Outbound, "", Some(delivery)),
            turn(2, Direction::Inbound, "question", None),
        ];
        assert_eq!(told(&plan(&asked, &turns, at(now))), want, "{delivery}");
    }
}

#[test]
fn two_machines_that_answer_each_other_are_stopped() {
    let granted = conversation(Granted, false);
    let mut turns: Vec<Turn> = (1..=20)
        .map(|id| turn(id, Direction::Outbound, "", None))
        .collect();
    turns.push(turn(21, Direction::Inbound, "question", None));
    assert_eq!(
        told(&plan(&granted, &turns, at(NOTICE_AT + 60))),
        "staff /21 +loop"
    );
    assert_eq!(
        told(&plan(&granted, &turns, at(NOTICE_AT + 3_600))),
        "agent 21 /21"
    );
}
