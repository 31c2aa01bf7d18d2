//! Plan: what is to be done with what waits in one conversation; pure.

use jiff::{SignedDuration, Timestamp};

use crate::agent::texts::TextId;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::ids::TurnId;
use crate::domain::message::{Delivery, OutboundKind};
use crate::pipeline::consent::{ABUSE, KEEP, STOP_DOUBT, STOP_VISIT, STOP_WRONG};
use crate::screen::Intent;

/// More texts than this to one number within [`LOOP_WINDOW`] means that two machines are talking.
const LOOP_TEXTS_MAX: usize = 20;

/// A person needs this long to read the notice; before, nobody is reminded to answer it.
const REMINDER_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// See [`LOOP_TEXTS_MAX`].
const LOOP_WINDOW: SignedDuration = SignedDuration::from_mins(30);

/// What is to be done with what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// An approved text answers these turns.
    Fixed {
        text: TextId,
        kind: OutboundKind,
        answers: Vec<TurnId>,
        staff: Option<&'static str>,
    },
    /// The risk notice goes out; what was asked keeps waiting for YES.
    Notice,
    /// The agent answers what was asked; bare YES and START among the turns are settled with it.
    Agent {
        asked: Vec<TurnId>,
        answers: Vec<TurnId>,
    },
    /// A person answers; nothing leaves.
    Staff {
        answers: Vec<TurnId>,
        reason: &'static str,
    },
    /// The notice has only just gone out; what came since waits for YES with the rest.
    Wait,
    /// Nothing waits.
    Nothing,
}

/// The inbound texts that have no outcome yet.
pub(crate) fn waiting(turns: &[Turn]) -> impl DoubleEndedIterator<Item = &Turn> {
    turns
        .iter()
        .filter(|turn| turn.direction == Direction::Inbound && !turn.answered)
}

/// Decides what is to be done; pure.
pub(crate) fn plan(conversation: &Conversation, turns: &[Turn], now: Timestamp) -> Plan {
    let all = || waiting(turns).map(|turn| turn.id).collect::<Vec<_>>();
    let with = |intents: &[Intent]| -> Vec<TurnId> {
        let named = |turn: &&Turn| intents.iter().any(|intent| turn.intent == intent.as_str());
        waiting(turns).filter(named).map(|turn| turn.id).collect()
    };
    let Some(_) = waiting(turns).next() else {
        return Plan::Nothing;
    };
    let safety = [
        (Intent::Crisis, TextId::Crisis, "crisis"),
        (Intent::Poison, TextId::Poison, "poison"),
        (Intent::Emergency, TextId::Emergency, "emergency"),
    ];
    for (intent, text, reason) in safety {
        if !with(&[intent]).is_empty() {
            let kind = OutboundKind::Safety;
            return Plan::Fixed {
                text,
                kind,
                answers: all(),
                staff: Some(reason),
            };
        }
    }
    if conversation.human {
        return Plan::Staff {
            answers: all(),
            reason: "taken over",
        };
    }
    if looping(turns, now) {
        return Plan::Staff {
            answers: all(),
            reason: "loop",
        };
    }
    let fixed = |text, kind, answers| Plan::Fixed {
        text,
        kind,
        answers,
        staff: None,
    };
    let state = conversation.consent.state;
    if state == ConsentState::OptedOut {
        let stop = waiting(turns).rfind(|turn| is_stop(&turn.intent));
        return match with(&[Intent::Help]) {
            _ if let Some(stop) = stop => Plan::Fixed {
                text: TextId::Stop,
                kind: OutboundKind::OptOutConfirmation,
                answers: all(),
                staff: told_to_staff(&stop.intent),
            },
            help if !help.is_empty() => fixed(TextId::Help, OutboundKind::Help, all()),
            _ => Plan::Staff {
                answers: all(),
                reason: "opted out",
            },
        };
    }
    by_request(turns).unwrap_or_else(|| by_consent(conversation, turns, now))
}

fn is_stop(intent: &str) -> bool {
    intent == Intent::OptOut.as_str() || [STOP_VISIT, STOP_WRONG].contains(&intent)
}

/// Why staff look at a text that ended texting, if they must: the patient may now be waited for, or
/// the number be another's.
pub(crate) fn told_to_staff(intent: &str) -> Option<&'static str> {
    match intent {
        STOP_VISIT => Some("CANCEL ended texts; the visit was open"),
        STOP_WRONG => Some("wrong number"),
        _ => None,
    }
}

/// What some texts ask for whatever the consent: help, a person.
fn by_request(turns: &[Turn]) -> Option<Plan> {
    let with = |intent: &str| -> Vec<TurnId> {
        waiting(turns)
            .filter(|turn| turn.intent == intent)
            .map(|turn| turn.id)
            .collect()
    };
    let wishes = [
        (
            Intent::Help.as_str(),
            TextId::Help,
            OutboundKind::Help,
            None,
        ),
        (
            Intent::Human.as_str(),
            TextId::Handoff,
            OutboundKind::Reply,
            Some("asked for a person"),
        ),
        (
            ABUSE,
            TextId::HandoffPrivate,
            OutboundKind::Reply,
            Some("abuse"),
        ),
        (STOP_DOUBT, TextId::ClarifyStop, OutboundKind::Reply, None),
    ];
    wishes.into_iter().find_map(|(intent, text, kind, staff)| {
        let answers = with(intent);
        (!answers.is_empty()).then_some(Plan::Fixed {
            text,
            kind,
            answers,
            staff,
        })
    })
}

/// What consent allows for the rest.
fn by_consent(conversation: &Conversation, turns: &[Turn], now: Timestamp) -> Plan {
    let all = || waiting(turns).map(|turn| turn.id).collect::<Vec<_>>();
    let with = |intent: Intent| -> Vec<TurnId> {
        waiting(turns)
            .filter(|turn| turn.intent == intent.as_str())
            .map(|turn| turn.id)
            .collect()
    };
    let fixed = |text, kind, answers| Plan::Fixed {
        text,
        kind,
        answers,
        staff: None,
    };
    let starts = with(Intent::OptIn);
    let yes = with(Intent::ConsentYes);
    let no = with(Intent::ConsentNo);
    let kept: Vec<TurnId> = waiting(turns)
        .filter(|turn| turn.intent == KEEP)
        .map(|turn| turn.id)
        .collect();
    let rest: Vec<TurnId> = all()
        .into_iter()
        .filter(|id| !yes.contains(id) && !starts.contains(id) && !kept.contains(id))
        .collect();
    match conversation.consent.state {
        ConsentState::Unknown | ConsentState::Expired | ConsentState::Reassigned => Plan::Notice,
        ConsentState::NoticeSent if never_arrived(conversation, turns) => Plan::Notice,
        ConsentState::NoticeSent if just_asked(conversation, now) => Plan::Wait,
        ConsentState::NoticeSent => fixed(TextId::ClarifyConsent, OutboundKind::Reply, Vec::new()),
        ConsentState::Declined if !no.is_empty() => {
            fixed(TextId::ConsentNo, OutboundKind::Reply, all())
        }
        ConsentState::Granted if rest.is_empty() && !(yes.is_empty() && kept.is_empty()) => {
            fixed(TextId::ConsentYes, OutboundKind::Reply, all())
        }
        ConsentState::Declined if rest.is_empty() && !kept.is_empty() => {
            fixed(TextId::ConsentNo, OutboundKind::Reply, all())
        }
        ConsentState::Granted | ConsentState::Declined | ConsentState::OptedOut => Plan::Agent {
            asked: rest,
            answers: all(),
        },
    }
}

/// Whether the notice is known not to have reached the phone: then nobody was asked.
fn never_arrived(conversation: &Conversation, turns: &[Turn]) -> bool {
    let notice = conversation.consent.notice.as_ref();
    let sent = notice.and_then(|notice| {
        turns
            .iter()
            .rfind(|turn| turn.direction == Direction::Outbound && same_time(turn.at, notice.at))
    });
    sent.and_then(|turn| turn.delivery).is_some_and(|state| {
        matches!(
            state,
            Delivery::Suppressed | Delivery::Undelivered | Delivery::Failed
        )
    })
}

/// The store keeps microseconds.
fn same_time(kept: Timestamp, made: Timestamp) -> bool {
    kept.as_microsecond() == made.as_microsecond()
}

/// A text that crosses the notice on its way is no reason to ask again.
fn just_asked(conversation: &Conversation, now: Timestamp) -> bool {
    let notice = conversation.consent.notice.as_ref();
    notice.is_some_and(|notice| now.duration_since(notice.at) < REMINDER_AFTER)
}

/// Whether so many texts went out just now that a machine must be on the other side.
fn looping(turns: &[Turn], now: Timestamp) -> bool {
    let recent = |turn: &&Turn| {
        turn.direction == Direction::Outbound && now.duration_since(turn.at) < LOOP_WINDOW
    };
    turns.iter().filter(recent).count() >= LOOP_TEXTS_MAX
}

#[cfg(test)]
mod tests {
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

    fn conversation(state: ConsentState, human: bool) -> Conversation {
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
            last_inbound: None,
        }
    }

    fn turn(id: i64, direction: Direction, intent: &str, delivery: Option<Delivery>) -> Turn {
        Turn {
            id: TurnId(id),
            direction,
            body: Phi::from("text"),
            intent: intent.to_owned(),
            at: at(NOTICE_AT),
            answered: false,
            delivery,
            segments: None,
            carrier_id: None,
        }
    }

    /// A plan in a word or two: what leaves, `/` which texts it answers, `+` why staff look.
    fn told(plan: &Plan) -> String {
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
            Plan::Agent { asked, answers } => format!("agent {} /{}", list(asked), list(answers)),
            Plan::Staff { answers, reason } => format!("staff /{} +{reason}", list(answers)),
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
            "Stop opt_out_confirmation /1 +CANCEL ended texts; the visit was open",
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
            ("help", "staff /1 +taken over"),
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
}
