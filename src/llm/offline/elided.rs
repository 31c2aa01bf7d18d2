//! Elided: "Actually take me off" says off what by what was said before.

use jiff::civil::Date;

use crate::agent::tools::HandOver;
use crate::llm::offline::Turn;
use crate::llm::offline::days;
use crate::llm::offline::intent::{self, Topic};
use crate::llm::offline::rules::{self, list};
use crate::llm::offline::words::{self, Clause};

/// A longer text that begins with "no" says more than no.
const BRIEF: usize = 8;

/// What a text wishes by what was said before it, where it does not say so itself.
pub(super) fn topic(turn: &Turn<'_>, text: &str, clauses: &[Clause], today: Date) -> Option<Topic> {
    if speaks_of_waitlist(turn.last_said) && takes_off(text) {
        return Some(Topic::Waitlist(false));
    }
    (turn.asks_for_new() && declines(clauses, today)).then_some(Topic::Keep)
}

/// Whether a text says that no new time is wanted, now at least, and names none.
fn declines(clauses: &[Clause], today: Date) -> bool {
    let whole = Clause::join(clauses);
    let no = |clause: &Clause| rules::fits("no", clause);
    let refuses = clauses.iter().any(no) && days::wish(&whole, today).is_none();
    let later = whole.has(list("not_now")) && !whole.has(list("day_names"));
    (refuses || later) && !whole.question && whole.words.len() <= BRIEF
}

/// Whether a text asks when, where or with whom the visit is, in few words, and nothing else: the look of
/// its sentence needs no person.
pub fn asks_of_visit(text: &str) -> bool {
    const FEW: usize = 12;
    let clauses = words::clauses(text);
    let words: usize = clauses.iter().map(|it| it.words.len()).sum();
    let asks = |clause: &Clause| {
        matches!(
            intent::topic(clause, text, false),
            Some(Topic::When | Topic::Place | Topic::Who)
        )
    };
    !clauses.is_empty() && words <= FEW && clauses.iter().all(asks)
}

/// Whether a text tells of a place on the waitlist, or offers one.
pub fn speaks_of_waitlist(text: &str) -> bool {
    let whole = Clause::join(&words::clauses(text));
    whole.has(list("waitlist"))
}

/// Whether a text asks to be taken off something that it does not name: it says no more than that, so
/// that it could be the list that was just spoken of or these texts.
pub fn takes_off(text: &str) -> bool {
    let whole = Clause::join(&words::clauses(text));
    let known = |word: &String| {
        let word = word.as_str();
        let among = |name| list(name).iter().any(|it| it == word);
        among("take_off") || among("take_off_filler")
    };
    whole.has(list("take_off")) && whole.words.iter().all(known)
}

/// Another time than those offered for a new visit is another time for the same new visit. A yes to
/// "a new time?", in whatever words, asks for one, and "a new time would be great" for no visit that
/// stands.
pub(super) fn for_new_visit(turn: &Turn<'_>, topics: &mut Vec<Topic>) {
    const NEW: &[&str] = &[
        "new time",
        "new date",
        "new day",
        "new appointment",
        "new appt",
        "nueva hora",
        "nueva fecha",
        "nueva cita",
        "hora nueva",
        "cita nueva",
    ];
    let asked = turn.asks_for_new();
    let new = |text: &&str| Clause::join(&words::clauses(text)).has(NEW);
    let named = asked && turn.texts.iter().any(new);
    let idle = |topic: &Topic| topic.small_talk() || *topic == Topic::Staff(HandOver::Other);
    let agrees = asked && turn.request.affirmed && topics.iter().all(idle);
    for topic in topics.iter_mut() {
        if let Topic::Move(wish) = topic
            && (asked || turn.offered_new())
        {
            *topic = Topic::Book(wish.take());
        } else if named && *topic == Topic::When {
            *topic = Topic::Book(None);
        }
    }
    if agrees {
        topics.insert(0, Topic::Book(None));
    }
}

/// Whether a text said no more than "sure" so far, where we asked if a new time is wanted.
pub(super) fn only_polite(turn: &Turn<'_>, topics: Option<&[Topic]>) -> bool {
    turn.asks_for_new() && topics.is_some_and(|it| it.iter().all(Topic::small_talk))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_the_visit_is_known_by_its_words() {
        let asks = [
            "con quien me toca y a que hora",
            "a que hora me toca y con quien",
            "cuando es mi cita y con quien",
            "donde es mi cita y a que hora",
            "con que doctor me toca",
            "who am i seeing and what time",
            "what time is my appt and who with",
        ];
        for text in asks {
            assert!(asks_of_visit(text), "{text}");
        }
        let not = [
            "me duele el pecho y a que hora es mi cita",
            "quiero hablar con una persona",
            "con quien hablo para un reclamo",
            "when does this pain stop",
            "can I talk to someone about my results",
            "tengo miedo",
            "",
        ];
        for text in not {
            assert!(!asks_of_visit(text), "{text}");
        }
    }

    #[test]
    fn only_a_text_that_names_nothing_leaves_open_what_it_would_be_taken_off() {
        let open = [
            "Actually take me off",
            "take me off the list please",
            "remove me",
            "oh never mind, take me off",
            "can you take my name off that list",
            "changed my mind, remove me please",
            "qu\u{ed}teme de la lista por favor",
            "mejor s\u{e1}queme",
            "ya no, b\u{f3}rreme",
        ];
        for text in open {
            assert!(takes_off(text), "{text}");
        }
        let clear = [
            "STOP",
            "stop",
            "unsubscribe",
            "take me off your texts",
            "remove my number",
            "remove me and stop texting me",
            "take me off your list",
            "take me off the texting list",
            "no more messages, remove me",
            "delete me from your system",
            "quiteme de sus mensajes",
            "no me escriban mas",
            "when is my visit",
            "I will take the first one",
            "yes",
        ];
        for text in clear {
            assert!(!takes_off(text), "{text}");
        }
        for text in [
            "You are on our waitlist.",
            "Est\u{e1} en nuestra lista de espera.",
        ] {
            assert!(speaks_of_waitlist(text), "{text}");
        }
        assert!(!speaks_of_waitlist("Your visit is booked."));
    }
}
