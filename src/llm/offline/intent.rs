//! What a patient wants, read from keywords clause by clause.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::agent::tools::HandOver;
use crate::llm::offline::Turn;
use crate::llm::offline::days::{self, Wish};
use crate::llm::offline::keywords::{self, MOVE, REFUSED, UNABLE};
use crate::llm::offline::others;
use crate::llm::offline::words::{self, Clause};

/// Words of a text that says little more than a day.
const BRIEF: usize = 8;

/// One thing that a burst of texts asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// When the next visit is.
    When,
    /// Where it is.
    Place,
    /// Whom it is with.
    Who,
    /// Another time for it.
    Move(Option<Wish>),
    /// No visit after all.
    Cancel,
    /// The patient will come.
    Confirm,
    /// A public fact, by the topic's name.
    Fact(&'static str),
    /// Test results.
    Results,
    /// Something for staff.
    Staff(HandOver),
    /// Who is texting.
    Assistant,
    /// The patient wants nothing changed.
    Keep,
    /// Thanks or agreement.
    Thanks,
    /// A greeting, or a bare yes or number that answers nothing.
    Hello,
}

impl Topic {
    const fn wish_mut(&mut self) -> Option<&mut Option<Wish>> {
        if let Self::Move(wish) = self {
            Some(wish)
        } else {
            None
        }
    }

    /// The reason, when it is for staff.
    pub(super) const fn staff(&self) -> Option<HandOver> {
        if let Self::Staff(reason) = self {
            Some(*reason)
        } else {
            None
        }
    }

    /// Whether the answer tells of this patient's own visits or results, or changes them.
    const fn own(&self) -> bool {
        match self {
            Self::When
            | Self::Place
            | Self::Who
            | Self::Move(_)
            | Self::Cancel
            | Self::Confirm
            | Self::Results => true,
            Self::Fact(_)
            | Self::Staff(_)
            | Self::Assistant
            | Self::Keep
            | Self::Thanks
            | Self::Hello => false,
        }
    }

    const fn small_talk(&self) -> bool {
        matches!(self, Self::Keep | Self::Thanks | Self::Hello)
    }
}

/// What the texts ask for, in order, and the days they name.
#[derive(Debug, Default)]
pub(super) struct Understood {
    pub(super) topics: Vec<Topic>,
    /// Single days named, in order.
    pub(super) days: Vec<Date>,
}

/// Reads the texts of a turn.
pub(super) fn understand(turn: &Turn<'_>) -> Understood {
    let zone = TimeZone::get(&turn.request.timezone).unwrap_or(TimeZone::UTC);
    let today = turn.request.now.to_zoned(zone).date();
    let mut found = Understood::default();
    for text in &turn.texts {
        let clauses = words::clauses(text);
        let whole = Clause::join(&clauses);
        found.days.extend(days::named(&whole, today));
        if whole.has(&["now", "ahora"]) && keywords::is_hours(&whole) {
            found.days.push(today);
        }
        let mut known = false;
        let mut puzzled = false;
        for clause in &clauses {
            match topic(clause, text) {
                Some(Topic::Keep) if turn.done() => {
                    // What is done is not undone by "never mind": staff read it.
                    known = true;
                    found.topics.push(Topic::Staff(HandOver::Other));
                }
                Some(Topic::Move(_)) if found.topics.contains(&Topic::Move(None)) => known = true,
                Some(topic) => {
                    known = true;
                    found.topics.push(topic);
                }
                None => {
                    let asks = clause.question && clause.words.len() > 2;
                    puzzled |= asks || keywords::is_wish(clause);
                }
            }
        }
        if !known && let Some(topic) = topic(&whole, text) {
            known = true;
            puzzled = false;
            found.topics.push(topic);
        }
        if !known && is_smile(text) {
            known = true;
            found.topics.push(Topic::Thanks);
        }
        let wish = meant(turn, &clauses, known, today);
        let moves = found.topics.iter_mut().rev().find_map(Topic::wish_mut);
        match moves {
            Some(slot) => *slot = wish.or_else(|| slot.take()),
            // A bare day after an offer or a visit asks for another one: "what about Friday".
            None if !known && wish.is_some() && whole.words.len() <= BRIEF && turn.told_visit() => {
                known = true;
                puzzled = false;
                found.topics.push(Topic::Move(wish));
            }
            None => {}
        }
        if puzzled || !known {
            found.topics.push(Topic::Staff(HandOver::Other));
        }
    }
    settle(&mut found.topics, !turn.results.is_empty());
    found
}

/// The days wished for, read beside our last text: "that day", "none of those", "the other one".
fn meant(turn: &Turn<'_>, clauses: &[Clause], known: bool, today: Date) -> Option<Wish> {
    let whole = Clause::join(clauses);
    let said = Clause::join(&words::clauses(turn.last_said));
    let same = days::offered(&said, today, false);
    let mut wish = wish(clauses, today);
    if whole.has(&["that day", "same day", "mismo dia"]) && !whole.has(UNABLE) {
        wish = wish.or(same);
    }
    if !turn.last_said.contains("1) ") {
        return wish;
    }
    if let (Some(wished), Some(same)) = (wish.as_mut(), same) {
        // "The morning one": of the days on offer.
        wished.settle_on(same, today);
    }
    if whole.has(REFUSED) {
        wish.or_else(|| days::offered(&said, today, true))
    } else if !known && whole.words.len() <= BRIEF {
        // "The other one": the numbers again, so that one of them can be named.
        wish.or(same)
    } else {
        wish
    }
}

/// A text of friendly emoji and nothing else.
fn is_smile(text: &str) -> bool {
    const FRIENDLY: &str = "\u{1f44d}\u{1f64f}\u{2764}\u{1f60a}\u{1f642}\u{1f600}\u{1f603}\u{1f604}\u{1f601}\u{1f44c}\u{1f389}\u{1f970}\u{1f499}\u{1f49c}\u{1f60d}\u{1f917}\u{2705}";
    const JOINERS: &str = "\u{fe0f}\u{1f3fb}\u{1f3fc}\u{1f3fd}\u{1f3fe}\u{1f3ff}";
    let mut seen = text
        .chars()
        .filter(|c| !c.is_whitespace() && !JOINERS.contains(*c))
        .peekable();
    seen.peek().is_some() && seen.all(|c| FRIENDLY.contains(c))
}

/// Keeps each topic once, small talk only when there is nothing else, and the gentler of two wishes.
fn settle(topics: &mut Vec<Topic>, acted: bool) {
    let mut kept: Vec<Topic> = Vec::new();
    let last_move = topics
        .iter()
        .rposition(|topic| matches!(topic, Topic::Move(_)));
    for (index, topic) in topics.drain(..).enumerate() {
        let replaced = matches!(topic, Topic::Move(_)) && Some(index) != last_move;
        if !replaced && !kept.contains(&topic) {
            kept.push(topic);
        }
    }
    let serious = |topic: &Topic| !topic.small_talk() && *topic != Topic::Staff(HandOver::Other);
    if kept.iter().any(serious) || acted {
        kept.retain(|topic| !topic.small_talk());
    } else if kept.contains(&Topic::Staff(HandOver::Other)) {
        kept.retain(|topic| *topic == Topic::Staff(HandOver::Other));
    } else {
        kept.truncate(1);
    }
    if kept.contains(&Topic::Staff(HandOver::SomeoneElse)) {
        // What is told of a visit here would be taken for theirs.
        kept.retain(|topic| !topic.own());
    }
    if kept.contains(&Topic::When) {
        // The visit is told with whom it is.
        kept.retain(|topic| *topic != Topic::Who);
    }
    if kept.iter().any(|topic| matches!(topic, Topic::Move(_))) {
        kept.retain(|topic| !matches!(topic, Topic::Cancel | Topic::Confirm));
    }
    if acted {
        // The machine has carried out the answer to the open question: "2, please" needs no more.
        kept.retain(|topic| *topic != Topic::Staff(HandOver::Other));
    }
    *topics = kept;
}

/// The days wished for, from everything but the clause that says when the patient cannot come.
fn wish(clauses: &[Clause], today: Date) -> Option<Wish> {
    let able: Vec<Clause> = clauses
        .iter()
        .filter(|clause| !clause.has(UNABLE) || clause.has(MOVE))
        .cloned()
        .collect();
    days::wish(&Clause::join(&able), today)
}

type Reading = (Topic, fn(&Clause) -> bool);

/// In order: the first that fits is the clause's topic.
fn readings(another: bool) -> Vec<Reading> {
    use HandOver as Why;
    let someone_else: fn(&Clause) -> bool = if another {
        others::is_personal
    } else {
        others::is_someone_elses
    };
    vec![
        (Topic::Assistant, keywords::is_assistant),
        (Topic::Staff(Why::Medical), keywords::is_medical),
        (Topic::Staff(Why::Late), keywords::is_late),
        (Topic::Staff(Why::SomeoneElse), someone_else),
        (Topic::Keep, keywords::is_keep),
        (Topic::When, keywords::asks_whether_done),
        (Topic::Cancel, keywords::is_cancel),
        (Topic::When, keywords::asks_whether_confirmed),
        (Topic::Confirm, keywords::is_confirm),
        (Topic::Staff(Why::Paperwork), keywords::is_paperwork),
        (Topic::Staff(Why::Other), keywords::is_own_details),
        (Topic::Move(None), keywords::is_move),
        (Topic::Staff(Why::Refill), keywords::is_refill),
        (Topic::Results, keywords::is_results),
        (Topic::Fact("insurance"), keywords::is_insurance),
        (Topic::Staff(Why::Billing), keywords::is_billing),
        (Topic::Fact("parking"), keywords::is_parking),
        (Topic::Staff(Why::NewAppointment), keywords::is_new),
        (Topic::Fact("closures"), keywords::is_holiday),
        (Topic::Fact("hours"), keywords::is_hours),
        (Topic::Fact("fax"), keywords::is_fax),
        (Topic::Fact("email"), keywords::is_email),
        (Topic::Fact("website"), keywords::is_website),
        (Topic::Fact("languages"), keywords::is_languages),
        (Topic::Fact("accessibility"), keywords::is_accessibility),
        (Topic::Fact("phone"), keywords::is_phone),
        (Topic::Staff(Why::Person), keywords::is_person),
        (Topic::Who, keywords::is_who),
        (Topic::Place, keywords::is_place),
        (Topic::Fact("address"), keywords::is_address),
        (Topic::When, keywords::is_when),
        (Topic::Staff(Why::Refill), keywords::is_medicine),
        (Topic::Staff(Why::Medical), keywords::is_about_medicine),
        (Topic::Thanks, keywords::is_thanks),
        (Topic::Hello, keywords::is_hello),
        (Topic::Keep, keywords::is_no),
        (Topic::Hello, keywords::is_bare),
    ]
}

fn topic(clause: &Clause, text: &str) -> Option<Topic> {
    let another = others::names_another(text);
    readings(another)
        .into_iter()
        .find(|(_, fits)| fits(clause))
        .map(|(topic, _)| topic)
}
