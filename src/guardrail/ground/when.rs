//! Dates, weekdays and times of day as people write them, in English and Spanish.

use std::ops::Range;

use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Weekday;

use crate::guardrail::ground::day::numeric_day;
use crate::guardrail::ground::day::relative_day;
use crate::guardrail::ground::day::term;
use crate::guardrail::ground::day::written_day;
use crate::guardrail::ground::hour::hour;
use crate::guardrail::ground::hour::part_of_day;
use crate::guardrail::ground::names::MONTHS;
use crate::guardrail::ground::names::NUMBERS;
use crate::guardrail::ground::names::SHORT_WEEKDAYS;
use crate::guardrail::ground::names::WEEKDAYS;
use crate::guardrail::ground::names::repeated;
use crate::guardrail::ground::names::weekday;
use crate::guardrail::ground::table::Heads;
use crate::guardrail::ground::table::Table;
use crate::guardrail::ground::table::words;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;

/// A date as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Day {
    /// One day.
    On(Date),
    /// One of two days: "next Tuesday" is said of both.
    Either(Date, Date),
    /// Any day from one to another, both included.
    Span(Date, Date),
    /// A day and perhaps month and year; `swap` when day and month may be the other way round.
    Partial {
        year: Option<i16>,
        month: Option<i8>,
        day: i8,
        swap: bool,
    },
    /// A term such as "within 2 business days" that only the practice's own words can back.
    Term,
}

/// A time of day as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hour {
    /// Hour and minute; `twelve` when morning or afternoon is not said.
    At { hour: i8, minute: i8, twelve: bool },
    /// Any time from one hour to another.
    Between(i8, i8),
}

/// A set of weekdays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weekdays(u8);

impl Weekdays {
    fn add(&mut self, day: Weekday) {
        self.0 |= Self::bit(day);
    }

    fn bit(day: Weekday) -> u8 {
        1 << day.to_monday_zero_offset()
    }

    /// Is the day one of them?
    pub(crate) fn contains(self, day: Weekday) -> bool {
        self.0 & Self::bit(day) != 0
    }

    /// Is each of them as `is` wants it?
    pub(crate) fn all(self, is: impl Fn(Weekday) -> bool) -> bool {
        Weekday::Monday
            .cycle_forward()
            .take(7)
            .all(|day| !self.contains(day) || is(day))
    }
}

/// One element and its place in the folded text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Element {
    /// A weekday.
    Weekday(Weekday),
    /// Several or repeated weekdays, as in opening hours.
    Weekdays(Weekdays),
    /// A date.
    Day(Day),
    /// A time.
    Hour(Hour),
}

/// Elements that stand together and mean one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moment {
    /// The weekday and its place.
    pub(crate) weekday: Option<(Weekday, Range<usize>)>,
    /// Repeated weekdays and their place.
    pub(crate) weekdays: Option<(Weekdays, Range<usize>)>,
    /// The date and its place.
    pub(crate) day: Option<(Day, Range<usize>)>,
    /// The time and its place.
    pub(crate) hour: Option<(Hour, Range<usize>)>,
    /// The whole, in the folded text.
    pub(crate) at: Range<usize>,
    /// "today", "hoy" and nothing else: said in courtesies too.
    pub(crate) soft: bool,
    /// Told as an end: "until 5", "we close at 5".
    pub(crate) ends: bool,
    /// Weekday and date are those of the moment before ("3 to 3:30 PM").
    pub(crate) inherits: bool,
}

/// The present, in the practice's time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    /// Date and time.
    pub(crate) now: DateTime,
}

fn weekdays(view: &View<'_>, i: usize) -> Option<(usize, Weekdays)> {
    let mut days = Weekdays::default();
    if let Some(day) = repeated(view.word(i)) {
        days.add(day);
        return Some((1, days));
    }
    let first = weekday(view, i)?;
    days.add(first);
    let dot = usize::from(view.word(i + 1) == ".");
    let joined = matches!(
        view.word(i + 1 + dot),
        "-" | "to" | "through" | "thru" | "a" | "al"
    );
    if joined && let Some(last) = weekday(view, i + 2 + dot) {
        let mut day = first;
        while day != last {
            day = day.next();
            days.add(day);
        }
        return Some((3 + dot, days));
    }
    matches!(view.word_before(i, 1), "los" | "every" | "cada").then_some((1, days))
}

/// Other words with which an element begins: those of `relative_day`, `term`, `hour`, `part_of_day`.
static OPENING: Table<()> = words![
    "today",
    "tonight",
    "hoy",
    "tomorrow",
    "yesterday",
    "ayer",
    "pasado",
    "day",
    "manana",
    "next",
    "proxima",
    "proximo",
    "this",
    "este",
    "esta",
    "semana",
    "in",
    "within",
    "en",
    "hace",
    "dentro",
    "the",
    "about",
    "half",
    "quarter",
    "twenty",
    "first",
    "second",
    "third",
    "fourth",
    "last",
    "primer",
    "segundo",
    "tercer",
    "ultimo",
    "noon",
    "midday",
    "mediodia",
    "midnight",
    "medianoche",
    "por",
    "morning",
    "afternoon",
    "evening",
    "night",
];

/// The first letters of every word with which an element can begin; most words end here.
static OPENINGS: Heads = OPENING
    .heads
    .and(&WEEKDAYS.heads)
    .and(&SHORT_WEEKDAYS.heads)
    .and(&MONTHS.heads)
    .and(&NUMBERS.heads);

fn element(
    view: &View<'_>,
    i: usize,
    after_day: bool,
    present: Present,
) -> Option<(usize, Element)> {
    let word = view.word(i);
    let silent = match view.kind(i) {
        Some(Kind::Mark) => true,
        Some(Kind::Word) => !OPENINGS.begin(word),
        Some(Kind::Number) | None => false,
    };
    if silent {
        return None;
    }
    if after_day && let Some((used, hour)) = part_of_day(view, i) {
        return Some((used, Element::Hour(hour)));
    }
    if view.kind(i) == Some(Kind::Number) {
        return term(view, i, present)
            .or_else(|| numeric_day(view, i))
            .or_else(|| {
                hour(view, i)
                    .is_none()
                    .then(|| written_day(view, i))
                    .flatten()
            })
            .map(|(used, day)| (used, Element::Day(day)))
            .or_else(|| hour(view, i).map(|(used, hour)| (used, Element::Hour(hour))));
    }
    if let Some((used, days)) = weekdays(view, i) {
        return Some((used, Element::Weekdays(days)));
    }
    if let Some(day) = weekday(view, i) {
        return Some((
            1 + usize::from(view.word(i + 1) == "." && word.len() <= 5),
            Element::Weekday(day),
        ));
    }
    relative_day(view, i, present)
        .or_else(|| term(view, i, present))
        .or_else(|| written_day(view, i))
        .map(|(used, day)| (used, Element::Day(day)))
        .or_else(|| hour(view, i).map(|(used, hour)| (used, Element::Hour(hour))))
}

fn connects(view: &View<'_>, from: usize, to: usize) -> bool {
    to - from <= 3
        && (from..to).all(|i| {
            matches!(
                view.word(i),
                "," | "at"
                    | "on"
                    | "el"
                    | "a"
                    | "las"
                    | "la"
                    | "the"
                    | "@"
                    | "("
                    | "de"
                    | "del"
                    | "of"
                    | "dia"
            )
        })
}

fn ranges(view: &View<'_>, from: usize, to: usize) -> bool {
    from < to
        && to - from <= 3
        && (from..to).all(|i| {
            matches!(
                view.word(i),
                "to" | "-"
                    | "a"
                    | "until"
                    | "hasta"
                    | "or"
                    | "o"
                    | "and"
                    | "y"
                    | "las"
                    | "la"
                    | "at"
                    | ","
            )
        })
}

impl Moment {
    fn take(&mut self, element: &Element, at: Range<usize>) -> bool {
        let free = match element {
            Element::Weekday(_) | Element::Weekdays(_) => {
                self.weekday.is_none() && self.weekdays.is_none()
            }
            Element::Day(_) => self.day.is_none(),
            Element::Hour(_) => self.hour.is_none(),
        };
        if !free {
            return false;
        }
        if self.at.is_empty() {
            self.at = at.clone();
        }
        self.at.end = at.end;
        match *element {
            Element::Weekday(day) => self.weekday = Some((day, at)),
            Element::Weekdays(days) => self.weekdays = Some((days, at)),
            Element::Day(day) => self.day = Some((day, at)),
            Element::Hour(hour) => self.hour = Some((hour, at)),
        }
        true
    }

    fn has_day(&self) -> bool {
        self.weekday.is_some() || self.weekdays.is_some() || self.day.is_some()
    }
}

/// "until 5", "we close at 5", "hasta las 5".
fn ends(view: &View<'_>, i: usize) -> bool {
    (1..=3).any(|back| {
        matches!(
            view.word_before(i, back),
            "until" | "till" | "hasta" | "close" | "closes" | "closing" | "cierra" | "cerramos"
        )
    })
}

/// Every moment that the text names, in order, behind what `found` holds already.
pub(crate) fn moments(view: &View<'_>, present: Present, found: &mut Vec<Moment>) {
    let before = found.len();
    let mut end = 0;
    let mut i = 0;
    while i < view.tokens.len() {
        let near = found
            .get(before..)
            .and_then(<[_]>::last)
            .is_some_and(|last| last.has_day() && last.hour.is_none() && connects(view, end, i));
        let Some((used, element)) = element(view, i, near, present) else {
            i += 1;
            continue;
        };
        let at = view.reach(i, i + used - 1);
        let adjacent = found.len() > before && connects(view, end, i);
        let joined = adjacent
            && found
                .last_mut()
                .is_some_and(|last| last.take(&element, at.clone()));
        if !joined {
            let follows =
                matches!(element, Element::Hour(_)) && found.len() > before && ranges(view, end, i);
            let mut moment = Moment::default();
            moment.take(&element, at);
            if let Some(last) = found.last().filter(|_| follows) {
                moment.weekday.clone_from(&last.weekday);
                moment.weekdays.clone_from(&last.weekdays);
                moment.day.clone_from(&last.day);
                moment.inherits = true;
            }
            moment.soft = matches!(view.word(i), "today" | "hoy" | "this");
            moment.ends = ends(view, i);
            found.push(moment);
        } else if let Some(last) = found.last_mut() {
            last.soft = false;
        }
        i += used;
        end = i;
    }
}
