//! What a patient wants, read from keywords clause by clause.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::agent::tools::HandOver;
use crate::llm::offline::Turn;
use crate::llm::offline::days::{self, Wish};
use crate::llm::offline::elided;
use crate::llm::offline::others;
use crate::llm::offline::rules::{self, list};
use crate::llm::offline::words::{self, Clause};
use crate::policy::words::Language;

/// Words of a text that says little more than a day.
const BRIEF: usize = 8;
/// Words of a greeting with a name or a courtesy in it.
const GREETING: usize = 7;
/// Words of a text that wraps a day into a sentence or two.
const LONG: usize = 30;

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
    /// A new visit.
    Book(Option<Wish>),
    /// On the waitlist, or off it.
    Waitlist(bool),
    /// To be written to in this language.
    Language(Language),
    /// How to get ready for a visit.
    Preparation,
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
        if let Self::Move(wish) | Self::Book(wish) = self {
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
            | Self::Book(_)
            | Self::Waitlist(_)
            | Self::Preparation
            | Self::Cancel
            | Self::Confirm
            | Self::Results => true,
            Self::Fact(_)
            | Self::Language(_)
            | Self::Staff(_)
            | Self::Assistant
            | Self::Keep
            | Self::Thanks
            | Self::Hello => false,
        }
    }

    pub(super) const fn small_talk(&self) -> bool {
        matches!(self, Self::Keep | Self::Thanks | Self::Hello)
    }
}

/// What closes a talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// "Ok", "got it", a thumb.
    Noted,
    /// "Thank you".
    Thanks,
}

/// What a text says that closes a talk and says nothing else.
pub fn closing(text: &str) -> Option<Closing> {
    const THANKS: &[&str] = &[
        "thanks",
        "thank",
        "thankyou",
        "thx",
        "ty",
        "tysm",
        "gracias",
        "appreciate",
    ];
    if words::is_smile(text) {
        return Some(Closing::Noted);
    }
    let clauses = words::clauses(text);
    let closes = |clause: &Clause| {
        clause.words.len() <= BRIEF
            && !clause.question
            && rules::fits("thanks", clause)
            && topic(clause, text, false) == Some(Topic::Thanks)
    };
    let all = !clauses.is_empty() && clauses.iter().all(closes);
    let thanks = clauses.iter().any(|it| it.has(THANKS));
    all.then_some(if thanks {
        Closing::Thanks
    } else {
        Closing::Noted
    })
}

/// What the texts ask for, in order, and the days they name.
#[derive(Debug, Default)]
pub(super) struct Understood {
    pub(super) topics: Vec<Topic>,
    /// Single days named, in order.
    pub(super) days: Vec<Date>,
    /// The days wished for last.
    pub(super) wish: Option<Wish>,
}

/// Reads the texts of a turn.
pub(super) fn understand(turn: &Turn<'_>) -> Understood {
    let zone = TimeZone::get(&turn.request.timezone).unwrap_or(TimeZone::UTC);
    let today = turn.request.now.to_zoned(zone).date();
    let mut found = Understood::default();
    for text in &turn.texts {
        read(turn, text, today, &mut found);
    }
    elided::for_new_visit(turn, &mut found.topics);
    settle(&mut found.topics, !turn.results.is_empty());
    found
}

/// Reads one of them.
fn read(turn: &Turn<'_>, text: &str, today: Date, found: &mut Understood) {
    let clauses = words::clauses(text);
    if let Some(topic) = elided::topic(turn, text, &clauses, today) {
        found.topics.push(topic);
        return;
    }
    let whole = Clause::join(&clauses);
    found.days.extend(days::named(&whole, today));
    if whole.has(&["now", "ahora"]) && rules::fits("hours", &whole) {
        found.days.push(today);
    }
    let before = found.topics.len();
    let (mut known, mut puzzled) = (false, false);
    if (turn.reminded() || turn.asks_for_new()) && text.trim().eq_ignore_ascii_case("r") {
        known = true;
        found.topics.push(Topic::Move(None));
    }
    for clause in &clauses {
        match topic(clause, text, turn.request.for_patient) {
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
                let asks = clause.words.len() > 2 && (clause.question || begins_asking(clause));
                puzzled |= asks || is_wish(clause);
            }
        }
    }
    if !known && let Some(topic) = topic(&whole, text, turn.request.for_patient) {
        known = true;
        puzzled = false;
        found.topics.push(topic);
    }
    if !known && words::is_smile(text) {
        known = true;
        found.topics.push(Topic::Thanks);
    }
    let wish = meant(turn, &clauses, known, today);
    if known && wish.is_some() && refuses_offer(turn, &clauses) {
        known = false;
        found.topics.truncate(before);
    }
    if is_reason(&found.topics, &clauses, wish.as_ref()) {
        found.topics.retain(|it| *it != Topic::Move(None));
    }
    found.wish = wish.or(found.wish);
    let polite = elided::only_polite(turn, found.topics.get(before..));
    let moves = found.topics.iter_mut().rev().find_map(Topic::wish_mut);
    match moves {
        Some(slot) => *slot = wish.or_else(|| slot.take()),
        // A bare day after an offer or a visit asks for another one: "what about Friday".
        None if (!known || polite) && wish.is_some() && asks_other(turn, &clauses, &whole) => {
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

/// The days wished for, read beside our last text: "that day", "none of those", "the other one".
fn meant(turn: &Turn<'_>, clauses: &[Clause], known: bool, today: Date) -> Option<Wish> {
    let whole = Clause::join(clauses);
    let said = Clause::join(&words::clauses(turn.last_said));
    let same = days::offered(&said, today, false);
    let mut wish = wish(clauses, today);
    if whole.has(&["that day", "same day", "mismo dia"]) && !whole.has(list("unable")) {
        wish = wish.or(same);
    }
    if !turn.last_said.contains("1) ") {
        return wish;
    }
    if let (Some(wished), Some(same)) = (wish.as_mut(), same) {
        // "The morning one": of the days on offer.
        wished.settle_on(same, today);
    }
    if whole.has(list("week_after")) {
        days::week_after(&said, today).or(wish)
    } else if whole.has(list("refused")) {
        wish.or_else(|| days::offered(&said, today, true))
    } else if !known && whole.words.len() <= BRIEF {
        // "The other one": the numbers again, so that one of them can be named.
        wish.or(same)
    } else {
        wish
    }
}

/// "Can't make it, cancel please": whether that the patient cannot come is why the visit is to be
/// cancelled, and no wish for another.
fn is_reason(topics: &[Topic], clauses: &[Clause], wish: Option<&Wish>) -> bool {
    let cancels = topics.contains(&Topic::Cancel);
    let wishes = |clause: &Clause| {
        clause.has(list("move")) && !rules::fits("cancel", clause) || clause.has(list("refused"))
    };
    cancels && wish.is_none() && !clauses.iter().any(wishes)
}

/// Whether a day that a text names is one for the visit that was told or the times that were offered:
/// a few words, or more of them behind an offer that they decline or ask beside.
fn asks_other(turn: &Turn<'_>, clauses: &[Clause], whole: &Clause) -> bool {
    if whole.has(list("about_coming")) {
        return false;
    }
    if whole.words.len() <= BRIEF {
        return turn.told_visit();
    }
    if turn.asks_for_new() && whole.words.len() <= LONG {
        return true;
    }
    let offered = turn.last_said.contains("1) ");
    let declines = clauses.iter().any(|clause| rules::fits("no", clause));
    offered && whole.words.len() <= LONG && (declines || whole.has(list("asks_beside")))
}

/// "No, what about Friday": whether a text says "no" to what was offered in one of its clauses, and
/// nothing that is known in the others, so that a day in it is the wish.
fn refuses_offer(turn: &Turn<'_>, clauses: &[Clause]) -> bool {
    let offered = turn.last_said.contains("1) ");
    let refuses = |clause: &Clause| rules::fits("no", clause);
    let polite = |clause: &Clause| {
        let mut readings = READINGS.iter();
        let known = readings.find(|(_, name)| rules::fits(name, clause));
        known.is_none_or(|(topic, _)| matches!(topic, Topic::Thanks | Topic::Hello))
    };
    let all = |clause: &Clause| refuses(clause) || polite(clause);
    offered && clauses.iter().any(refuses) && clauses.iter().all(all)
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
        // "Book me another time" moves the visit that there is.
        kept.retain(|topic| !matches!(topic, Topic::Book(_)));
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
        .filter(|clause| !clause.has(list("unable")) || clause.has(list("move")))
        .cloned()
        .collect();
    days::wish(&Clause::join(&able), today)
}

/// The intents in order: the first that fits is the clause's topic.
const READINGS: &[(Topic, &str)] = &[
    (Topic::Assistant, "assistant"),
    (Topic::Staff(HandOver::Medical), "medical"),
    (Topic::Staff(HandOver::Late), "late"),
    (Topic::Staff(HandOver::SomeoneElse), SOMEONE_ELSE),
    (Topic::Keep, "keep"),
    (Topic::When, "whether_done"),
    (Topic::Cancel, "cancel"),
    (Topic::When, "whether_confirmed"),
    (Topic::Confirm, "confirm"),
    (Topic::Waitlist(false), "leaves_waitlist"),
    (Topic::Waitlist(true), "waitlist"),
    (Topic::Preparation, "preparation"),
    (Topic::Staff(HandOver::Records), "records"),
    (Topic::Staff(HandOver::Accessibility), "needs"),
    (Topic::Staff(HandOver::Paperwork), "paperwork"),
    (Topic::Staff(HandOver::Other), "own_details"),
    (Topic::Move(None), "move"),
    (Topic::Staff(HandOver::Refill), "refill"),
    (Topic::Results, "results"),
    (Topic::Fact("insurance"), "insurance"),
    (Topic::Staff(HandOver::Billing), "billing"),
    (Topic::Fact("parking"), "parking"),
    (Topic::Staff(HandOver::NewAppointment), "new_patient"),
    (Topic::Book(None), "new_visit"),
    (Topic::Fact("closures"), "holiday"),
    (Topic::Fact("hours"), "hours"),
    (Topic::Fact("fax"), "fax"),
    (Topic::Fact("email"), "email"),
    (Topic::Fact("website"), "website"),
    (Topic::Language(Language::Es), "spanish"),
    (Topic::Language(Language::En), "english"),
    (Topic::Fact("languages"), "languages"),
    (Topic::Fact("accessibility"), "accessibility"),
    (Topic::Fact("phone"), "phone"),
    (Topic::Staff(HandOver::Callback), "callback"),
    (Topic::Staff(HandOver::Message), "message"),
    (Topic::Staff(HandOver::Person), "person"),
    (Topic::Who, "who"),
    (Topic::Place, "place"),
    (Topic::Fact("address"), "address"),
    (Topic::When, "when"),
    (Topic::Staff(HandOver::Refill), "medicine"),
    (Topic::Staff(HandOver::Medical), "about_medicine"),
    (Topic::Thanks, "thanks"),
    (Topic::Hello, "hello"),
    (Topic::Keep, "no"),
    (Topic::Hello, "bare"),
];

/// The intent that is read from the people that a text names, not from words of a file.
const SOMEONE_ELSE: &str = "someone_else";

/// The intents that files must have.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let all = READINGS.iter().map(|(_, name)| *name);
    all.filter(|name| *name != SOMEONE_ELSE)
}

/// A question without its mark: "can i bring my kid".
fn begins_asking(clause: &Clause) -> bool {
    const ASKING: &[&str] = &[
        "can", "could", "do", "does", "did", "is", "are", "will", "would", "should", "how", "what",
        "whats", "when", "where", "why", "which", "puedo", "puede", "pueden", "como", "cual",
        "cuando", "cuanto", "cuantos", "donde", "quien",
    ];
    // "Could we do Friday" is a wish, and read as one.
    if clause.has(list("day_names")) || clause.has(list("parts")) {
        return false;
    }
    let first = clause.words.first().map_or("", String::as_str);
    let second = clause.words.get(1).map_or("", String::as_str);
    ASKING.contains(&first) && second != "not"
}

/// A wish that none of the topics covers.
fn is_wish(clause: &Clause) -> bool {
    let wishes = [
        "i need",
        "i want",
        "i would like",
        "id like",
        "necesito",
        "quiero",
        "quisiera",
        "me gustaria",
    ];
    clause.has(&wishes) && clause.words.len() > 2 && !clause.has(list("day_names"))
}

pub(super) fn topic(clause: &Clause, text: &str, for_patient: bool) -> Option<Topic> {
    let another = others::names_another(text);
    let fits = |name: &str| match name {
        SOMEONE_ELSE if for_patient => false,
        SOMEONE_ELSE if another => others::is_personal(clause),
        SOMEONE_ELSE => others::is_someone_elses(clause),
        name => rules::fits(name, clause),
    };
    let found = READINGS.iter().find(|(_, name)| fits(name));
    // A greeting before a long sentence that nobody understood is no answer to it.
    let lost = |topic: &Topic| *topic == Topic::Hello && clause.words.len() > GREETING;
    found
        .map(|(topic, _)| topic.clone())
        .filter(|topic| !lost(topic))
}
