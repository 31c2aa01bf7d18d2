//! Closing: words that end a talk and ask nothing. Few of them want an answer; after a call for help
//! they do.

use jiff::{SignedDuration, Timestamp};

use crate::agent::texts::TextId;
use crate::domain::consent::ConsentState;
use crate::domain::conversation::{Conversation, Direction, Turn};
use crate::domain::message::OutboundKind;
use crate::llm::offline::{Closing, closing};
use crate::pipeline::plan::{Plan, waiting};
use crate::screen::Intent;

/// So long after our text a bare "ok" is about it; later it may be about anything.
const ABOUT_OURS: SignedDuration = SignedDuration::from_hours(1);

/// So long after a call for help nobody is told "you're welcome".
const AFTER_ALARM: SignedDuration = SignedDuration::from_hours(3);

/// Why nothing is answered.
pub(crate) const NOTED: &str = "a bare ok or thanks needs no answer";

/// What is done with texts that only close a talk; none where they are more than that.
pub(crate) fn closes(conversation: &Conversation, turns: &[Turn], now: Timestamp) -> Option<Plan> {
    if conversation.pending.is_some() || conversation.consent.state == ConsentState::NoticeSent {
        return None;
    }
    let ours = turns
        .iter()
        .rfind(|turn| turn.direction == Direction::Outbound)?;
    let closings: Option<Vec<Closing>> = waiting(turns)
        .map(|turn| closing(turn.body.as_str()))
        .collect();
    let closings = closings.filter(|it| !it.is_empty())?;
    let answers = || waiting(turns).map(|turn| turn.id).collect::<Vec<_>>();
    let quiet = || Plan::Quiet {
        answers: answers(),
        why: NOTED,
    };
    let heard = |turn: &&Turn| turn.direction == Direction::Inbound && turn.answered;
    let before = turns.iter().rfind(heard);
    let closed = before.is_some_and(|turn| closing(turn.body.as_str()).is_some());
    if let Some(text) = alarm(turns, now) {
        // Staff were told with the first answer: said once more, calmly, and not again and again.
        return Some(if closed {
            quiet()
        } else {
            Plan::Fixed {
                text,
                kind: OutboundKind::Safety,
                answers: answers(),
                staff: None,
            }
        });
    }
    let asks = ours.body.as_str().trim_end().ends_with('?');
    if asks || now.duration_since(ours.at) > ABOUT_OURS {
        return None;
    }
    let thanks = closings.contains(&Closing::Thanks);
    let unknown = conversation.consent.state == ConsentState::Unknown;
    (!thanks || closed || unknown).then(quiet)
}

/// What is told after the last call for help, where it was a short while ago and nothing else was
/// asked since.
fn alarm(turns: &[Turn], now: Timestamp) -> Option<TextId> {
    let mut before = turns
        .iter()
        .rev()
        .filter(|turn| turn.direction == Direction::Inbound && turn.answered)
        .skip_while(|turn| closing(turn.body.as_str()).is_some());
    let last = before.next()?;
    let texts = [
        (Intent::Emergency, TextId::AfterEmergency),
        (Intent::Crisis, TextId::AfterCrisis),
        (Intent::Poison, TextId::AfterPoison),
    ];
    let found = texts.iter().find(|(it, _)| it.as_str() == last.intent);
    let fresh = now.duration_since(last.at) < AFTER_ALARM;
    found.filter(|_| fresh).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phi::Phi;
    use crate::pipeline::plan::plan;
    use crate::pipeline::plan::tests::{conversation, told, turn};
    use ConsentState::{Declined, Granted, NoticeSent, Unknown};

    /// Consent, what was written before (with its intent) and answered, what is written now, the plan.
    type Case = (
        ConsentState,
        (&'static str, &'static str),
        &'static [&'static str],
        &'static str,
    );

    #[rustfmt::skip]
    const CASES: &[Case] = &[
        (Granted, ("when is my visit", "question"), &["ok"], "quiet /3"),
        (Granted, ("when is my visit", "question"), &["OK!"], "quiet /3"),
        (Granted, ("when is my visit", "question"), &["\u{1f44d}"], "quiet /3"),
        (Granted, ("a que hora es", "question"), &["vale"], "quiet /3"),
        (Granted, ("a que hora es", "question"), &["ok", "listo"], "quiet /3,4"),
        (Granted, ("when is my visit", "question"), &["thanks"], "agent 3 /3"),
        (Granted, ("when is my visit", "question"), &["ok gracias"], "agent 3 /3"),
        (Granted, ("thank you!", "other"), &["thanks again"], "quiet /3"),
        (Granted, ("thanks", "other"), &["ok", "bye"], "quiet /3,4"),
        (Granted, ("when is my visit", "question"), &["ok and where"], "agent 3 /3"),
        (Granted, ("when is my visit", "question"), &["ok", "where is it"], "agent 3,4 /3,4"),
        (Declined, ("hours?", "question"), &["ok"], "quiet /3"),
        (Unknown, ("call me", "human"), &["thanks!"], "quiet /3"),
        (Unknown, ("call me", "human"), &["ok gracias"], "quiet /3"),
        (Unknown, ("call me", "human"), &["thanks, when is my visit"], "notice"),
        (NoticeSent, ("hi", "other"), &["thanks"], "ClarifyConsent reply /"),
        (Unknown, ("chest pain", "emergency"), &["ok"], "AfterEmergency safety /3"),
        (Granted, ("chest pain", "emergency"), &["ok gracias"], "AfterEmergency safety /3"),
        (Granted, ("chest pain", "emergency"), &["thank you so much"], "AfterEmergency safety /3"),
        (Granted, ("I want to die", "crisis"), &["ok thanks"], "AfterCrisis safety /3"),
        (Unknown, ("he drank bleach", "poison"), &["ok"], "AfterPoison safety /3"),
        (Granted, ("chest pain", "emergency"), &["ok where do I park"], "agent 3 /3"),
    ];

    #[test]
    fn few_closing_words_are_answered_and_those_after_a_call_for_help_calmly() {
        for (state, (before, intent), now, want) in CASES {
            let mut turns = vec![
                turn(1, Direction::Inbound, intent, None),
                turn(2, Direction::Outbound, "", None),
            ];
            turns[0].answered = true;
            turns[0].body = Phi::from(*before);
            for (id, text) in (3..).zip(*now) {
                let mut waits = turn(id, Direction::Inbound, "other", None);
                waits.body = Phi::from(*text);
                turns.push(waits);
            }
            let soon = turns[0].at + SignedDuration::from_mins(5);
            let got = told(&plan(&conversation(*state, false), &turns, soon));
            assert_eq!(got, *want, "{state} {before:?} {now:?}");
        }
    }

    #[test]
    fn an_ok_that_comes_late_or_to_a_question_is_no_closing_word() {
        let mut turns = vec![
            turn(1, Direction::Outbound, "", None),
            turn(2, Direction::Inbound, "other", None),
        ];
        turns[1].body = Phi::from("ok");
        let granted = conversation(Granted, false);
        let began = turns[0].at;
        let soon = began + SignedDuration::from_mins(5);
        assert_eq!(told(&plan(&granted, &turns, soon)), "quiet /2");
        let late = began + SignedDuration::from_hours(2);
        assert_eq!(told(&plan(&granted, &turns, late)), "agent 2 /2");
        turns[0].body = Phi::from("How can we help?");
        assert_eq!(told(&plan(&granted, &turns, soon)), "agent 2 /2");
    }
}
