//! Plan: what is to be done with what waits in one conversation; pure.

use jiff::{SignedDuration, Timestamp};

use crate::agent::texts::TextId;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, Direction, PendingKind, Turn};
use crate::domain::ids::TurnId;
use crate::domain::message::{Delivery, OutboundKind};
use crate::domain::speaker::{MISSES_MAX, PersonConsent};
use crate::pipeline::closing::closes;
use crate::pipeline::consent::{
    ABUSE, ASKS_WHO, ASKS_WHO_TOO, KEEP, STOP_DOUBT, STOP_VISIT, STOP_WRONG,
};
use crate::pipeline::person::answer_to_who;
use crate::screen::Intent;

/// More texts than this to one number within [`LOOP_WINDOW`] means that two machines are talking.
const LOOP_TEXTS_MAX: usize = 20;

/// A person needs this long to read the notice; before, nobody is reminded to answer it.
const REMINDER_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Why staff look where nobody could be taken for the writer.
pub(crate) const UNKNOWN_WRITER: &str = "who writes is not known";

/// Why staff look where a patient wants a person.
pub(crate) const ASKED_FOR_PERSON: &str = "asked for a person";

/// Why staff look where a patient tells of abuse.
pub(crate) const ABUSED: &str = "abuse";

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
    /// The birth date is asked for again; what was asked keeps waiting for it.
    Person { answers: Vec<TurnId> },
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
    /// Nothing needs to be said to these.
    Quiet {
        answers: Vec<TurnId>,
        why: &'static str,
    },
    /// Nothing waits.
    Nothing,
}

/// Why staff look: one person has two records, and nobody can tell which is theirs.
pub(crate) const TWICE: &str = "on file twice";

/// Nothing of either record is told; staff merge them.
pub(crate) fn twice(turns: &[Turn]) -> Plan {
    Plan::Fixed {
        text: TextId::Handoff,
        kind: OutboundKind::Reply,
        answers: waiting(turns).map(|turn| turn.id).collect(),
        staff: Some(TWICE),
    }
}

/// The inbound texts that have no outcome yet.
pub(crate) fn waiting(turns: &[Turn]) -> impl DoubleEndedIterator<Item = &Turn> {
    turns
        .iter()
        .filter(|turn| turn.direction == Direction::Inbound && !turn.answered)
}

/// Decides what is to be done; pure.
#[expect(
    clippy::too_many_lines,
    reason = "the order of precedence, told in one place"
)]
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
    if !conversation.human && looping(turns, now) {
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
                text: if stop.intent == STOP_VISIT {
                    TextId::StopVisit
                } else {
                    TextId::Stop
                },
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
    if conversation.human {
        // HELP is a machine's to answer whoever has the conversation (CTIA Messaging Principles 5.1).
        let help = with(&[Intent::Help]);
        return if help.is_empty() {
            Plan::Staff {
                answers: all(),
                reason: "taken over",
            }
        } else {
            fixed(TextId::Help, OutboundKind::Help, help)
        };
    }
    by_request(turns)
        .or_else(|| closes(conversation, turns, now))
        .unwrap_or_else(|| by_consent(conversation, turns, now))
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
            Some(ASKED_FOR_PERSON),
        ),
        (
            ABUSE,
            TextId::HandoffPrivate,
            OutboundKind::Reply,
            Some(ABUSED),
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
    let only = |intent: &str| -> Vec<TurnId> {
        waiting(turns)
            .filter(|turn| turn.intent == intent)
            .map(|turn| turn.id)
            .collect()
    };
    let fixed = |text, kind, answers| Plan::Fixed {
        text,
        kind,
        answers,
        staff: None,
    };
    if let Some(answer) = answer_to_who(conversation, turns) {
        return if conversation.speaker.misses < MISSES_MAX {
            Plan::Person {
                answers: vec![answer.id],
            }
        } else {
            Plan::Fixed {
                text: TextId::Handoff,
                kind: OutboundKind::Reply,
                answers: all(),
                staff: Some(UNKNOWN_WRITER),
            }
        };
    }
    let starts = only(Intent::OptIn.as_str());
    let yes = only(Intent::ConsentYes.as_str());
    let no = only(Intent::ConsentNo.as_str());
    let kept = only(KEEP);
    let rest: Vec<TurnId> = all()
        .into_iter()
        .filter(|id| !yes.contains(id) && !starts.contains(id) && !kept.contains(id))
        .collect();
    // Somebody on this shared phone has read the notice and agreed. Who writes now has not, so
    // nothing of anybody is told; but what anybody may know is, and who it is can be asked.
    let warned = |it: &PersonConsent| it.consent.allows_phi(now).is_some();
    let phone_warned =
        conversation.patient.is_none() && conversation.speaker.others.iter().any(warned);
    match conversation.consent.state {
        ConsentState::Unknown if phone_warned && conversation.speaker.doubt.is_none() => {
            Plan::Agent {
                asked: rest,
                answers: all(),
            }
        }
        ConsentState::Unknown | ConsentState::Expired | ConsentState::Reassigned => Plan::Notice,
        ConsentState::NoticeSent => after_notice(conversation, turns, now),
        ConsentState::Declined if !no.is_empty() => {
            fixed(TextId::ConsentNo, OutboundKind::Reply, all())
        }
        ConsentState::Granted if rest.is_empty() && !(yes.is_empty() && kept.is_empty()) => {
            fixed(TextId::ConsentYes, OutboundKind::Reply, all())
        }
        ConsentState::Declined if rest.is_empty() && !kept.is_empty() => {
            fixed(TextId::ConsentNo, OutboundKind::Reply, all())
        }
        // One approved answer, whatever model drafts the others.
        ConsentState::Granted | ConsentState::Declined
            if !rest.is_empty() && rest == only(ASKS_WHO) =>
        {
            fixed(TextId::AiIntro, OutboundKind::Reply, all())
        }
        ConsentState::Granted | ConsentState::Declined | ConsentState::OptedOut => Plan::Agent {
            asked: rest,
            answers: all(),
        },
    }
}

/// While the notice has no answer yet.
fn after_notice(conversation: &Conversation, turns: &[Turn], now: Timestamp) -> Plan {
    // One question at a time: whether to text at all comes before health details.
    let waits = asks_to_stop(conversation);
    if never_arrived(conversation, turns) {
        return Plan::Notice;
    }
    if !waits && asks_who(turns) {
        // Who writes is told whenever it is asked: that takes nobody's consent.
        let asked = waiting(turns).filter(|turn| turn.intent == ASKS_WHO);
        return Plan::Fixed {
            text: TextId::AiIntro,
            kind: OutboundKind::Reply,
            answers: asked.map(|turn| turn.id).collect(),
            staff: None,
        };
    }
    // A question in a language that they do not write in was not put to them.
    if !waits && in_another_language(conversation) {
        return Plan::Notice;
    }
    if waits || still_here(conversation, turns) || just_asked(conversation, now) {
        return Plan::Wait;
    }
    Plan::Fixed {
        text: TextId::ClarifyConsent,
        kind: OutboundKind::Reply,
        answers: Vec::new(),
        staff: None,
    }
}

/// Whether somebody asks who or what writes, and has not been told since.
fn asks_who(turns: &[Turn]) -> bool {
    let told = turns
        .iter()
        .rposition(|turn| turn.direction == Direction::Outbound && is_out(turn));
    let since = turns.iter().skip(told.map_or(0, |at| at + 1));
    let asks = |turn: &Turn| [ASKS_WHO, ASKS_WHO_TOO].contains(&turn.intent.as_str());
    since.filter(|turn| !turn.answered).any(asks)
}

/// Whether a text of ours has left, or is about to.
fn is_out(turn: &Turn) -> bool {
    !matches!(turn.delivery, Some(Delivery::Suppressed | Delivery::Failed))
}

/// Whether the notice was put in another language than the one that they write in.
fn in_another_language(conversation: &Conversation) -> bool {
    let notice = conversation.consent.notice.as_ref();
    notice.is_some_and(|notice| notice.language != conversation.language)
}

/// How far the notice is that was last sent.
fn notice_delivery(conversation: &Conversation, turns: &[Turn]) -> Option<Delivery> {
    let notice = conversation.consent.notice.as_ref()?;
    let sent = turns
        .iter()
        .rfind(|turn| turn.direction == Direction::Outbound && same_time(turn.at, notice.at));
    sent?.delivery
}

/// Whether the notice has not left yet: nobody has read it who could be reminded.
fn still_here(conversation: &Conversation, turns: &[Turn]) -> bool {
    notice_delivery(conversation, turns) == Some(Delivery::Pending)
}

/// Whether the notice is known not to have reached the phone: then nobody was asked.
fn never_arrived(conversation: &Conversation, turns: &[Turn]) -> bool {
    notice_delivery(conversation, turns).is_some_and(|state| {
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

fn asks_to_stop(conversation: &Conversation) -> bool {
    let open = conversation.pending.as_ref();
    open.is_some_and(|question| question.kind == PendingKind::StopConfirm)
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
pub(super) mod tests;
