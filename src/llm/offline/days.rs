//! Days and parts of the day as patients name them, in English and Spanish.

use jiff::ToSpan;
use jiff::civil::{Date, Time, Weekday};

use crate::agent::tools::Part;
use crate::llm::offline::words::{Clause, same};

/// When most people are free again.
const WORK_ENDS: Time = Time::constant(17, 0, 0, 0);
const AFTER_WORK: &[&str] = &[
    "after work",
    "after hours",
    "in the evening",
    "despues del trabajo",
    "saliendo del trabajo",
    "despues de trabajar",
];

/// Days searched when a text names no day: two working weeks.
const ANY_DAYS: i64 = 14;

/// The days that would suit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// First.
    pub from: Date,
    /// Last.
    pub to: Date,
    /// Morning or afternoon.
    pub part: Option<Part>,
    /// Not before this time of day.
    pub not_before: Option<Time>,
    /// Before this time of day.
    pub before: Option<Time>,
}

impl Wish {
    /// A wish for a part of the day only is meant for the days that were offered last.
    pub(super) fn settle_on(&mut self, offered: Self, today: Date) {
        let any = any(today);
        if (self.from, self.to) == (any.from, any.to) {
            (self.from, self.to) = (offered.from, offered.to);
        }
    }
}

const WEEKDAYS: &[(Weekday, &[&str])] = &[
    (
        Weekday::Monday,
        &["monday", "mon", "mondays", "lunes", "lun"],
    ),
    (
        Weekday::Tuesday,
        &["tuesday", "tue", "tues", "tuesdays", "martes"],
    ),
    (
        Weekday::Wednesday,
        &[
            "wednesday",
            "wed",
            "weds",
            "wednesdays",
            "wendsday",
            "miercoles",
            "mie",
        ],
    ),
    (
        Weekday::Thursday,
        &[
            "thursday",
            "thu",
            "thur",
            "thurs",
            "thursdays",
            "jueves",
            "jue",
        ],
    ),
    (
        Weekday::Friday,
        &["friday", "fri", "fridays", "viernes", "vie"],
    ),
    (
        Weekday::Saturday,
        &["saturday", "sat", "saturdays", "sabado", "sab"],
    ),
    (
        Weekday::Sunday,
        &["sunday", "sun", "sundays", "domingo", "dom"],
    ),
];

const MONTHS: &[&[&str]] = &[
    &["january", "jan", "enero", "ene"],
    &["february", "feb", "febrero"],
    &["march", "mar", "marzo"],
    &["april", "apr", "abril", "abr"],
    &["may", "mayo"],
    &["june", "jun", "junio"],
    &["july", "jul", "julio"],
    &["august", "aug", "agosto", "ago"],
    &["september", "sept", "sep", "septiembre", "setiembre"],
    &["october", "oct", "octubre"],
    &["november", "nov", "noviembre"],
    &["december", "dec", "diciembre", "dic"],
];

/// One mention: where it ends, and the days it means.
struct Mention {
    start: usize,
    end: usize,
    from: Date,
    to: Date,
}

/// The single days that a text names, in order.
pub(super) fn named(clause: &Clause, today: Date) -> Vec<Date> {
    let found = mentions(clause, today).into_iter();
    found
        .filter(|mention| mention.from == mention.to)
        .map(|mention| mention.from)
        .collect()
}

/// The days wished for: the last ones named ("my Tuesday visit to Thursday"), or both around an
/// "or"; what follows "instead of" is not wished for.
pub(super) fn wish(clause: &Clause, today: Date) -> Option<Wish> {
    let wished = before_instead(clause);
    let part = part(&wished);
    let not_before = limit(&wished, &["after", "past", "despues", "partir"]).or_else(|| {
        let evening = wished.has(AFTER_WORK);
        evening.then_some(WORK_ENDS)
    });
    let before = limit(&wished, &["before", "antes"]);
    let found = mentions(&wished, today);
    let Some(last) = found.last() else {
        let tomorrow = today.saturating_add(1.day());
        return (part.is_some() || not_before.is_some() || before.is_some()).then(|| Wish {
            from: tomorrow,
            to: today.saturating_add(ANY_DAYS.days()),
            part: part.filter(|_| not_before.is_none() && before.is_none()),
            not_before,
            before,
        });
    };
    let other = found.iter().rev().nth(1).filter(|before| {
        before.end + 1 == last.start
            && wished
                .words
                .get(before.end)
                .is_some_and(|word| matches!(word.as_str(), "or" | "o"))
    });
    let from = other.map_or(last.from, |before| before.from.min(last.from));
    let to = other.map_or(last.to, |before| before.to.max(last.to));
    Some(Wish {
        from,
        to,
        part: part.filter(|_| not_before.is_none() && before.is_none()),
        not_before,
        before,
    })
}

/// The days of an earlier offer, or those behind them.
pub(super) fn offered(offer: &Clause, today: Date, behind: bool) -> Option<Wish> {
    let days = named(offer, today);
    let (first, last) = (*days.iter().min()?, *days.iter().max()?);
    let next = last.saturating_add(1.day());
    Some(Wish {
        from: if behind { next } else { first },
        to: if behind {
            last.saturating_add(ANY_DAYS.days())
        } else {
            last
        },
        part: None,
        not_before: None,
        before: None,
    })
}

/// The calendar week behind the days of an earlier offer.
pub(super) fn week_after(offer: &Clause, today: Date) -> Option<Wish> {
    let last = *named(offer, today).iter().max()?;
    let monday = week(last);
    Some(Wish {
        from: monday,
        to: monday.saturating_add(6.days()),
        part: None,
        not_before: None,
        before: None,
    })
}

/// `after 3`, `despues de las 3:30`, `before 10 am`. Hours that no practice keeps at night are
/// those of the afternoon.
fn limit(clause: &Clause, words: &[&str]) -> Option<Time> {
    let at = clause
        .words
        .iter()
        .position(|word| words.contains(&word.as_str()))?;
    let mut rest = clause.words.iter().skip(at + 1).map(String::as_str);
    let word = rest.find(|word| !matches!(*word, "de" | "las" | "la" | "a" | "like" | "about"))?;
    let (digits, half) = ["am", "pm"]
        .iter()
        .find_map(|half| Some((word.strip_suffix(half)?, Some(*half))))
        .unwrap_or_else(|| (word, rest.next().filter(|it| matches!(*it, "am" | "pm"))));
    let (hour, minute) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match (hour, half) {
        (12, Some("am")) => 0,
        (1..=11, Some("pm")) | (1..=6, None) => hour + 12,
        _ => hour,
    };
    Time::new(hour, minute, 0, 0).ok()
}

/// Days without a wish: from tomorrow on.
pub(super) fn any(today: Date) -> Wish {
    Wish {
        from: today.saturating_add(1.day()),
        to: today.saturating_add(ANY_DAYS.days()),
        part: None,
        not_before: None,
        before: None,
    }
}

fn before_instead(clause: &Clause) -> Clause {
    let words = &clause.words;
    let cut = words.windows(2).position(|pair| {
        let pair = pair.join(" ");
        ["instead of", "rather than", "en vez", "en lugar"].contains(&pair.as_str())
    });
    let mut kept = clause.clone();
    // "Instead of Tuesday, Thursday": nothing before it, so all of it counts.
    if let Some(cut) = cut.filter(|cut| *cut > 2) {
        kept.words.truncate(cut);
    }
    kept
}

fn mentions(clause: &Clause, today: Date) -> Vec<Mention> {
    let words: Vec<&str> = clause.words.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let rest = words.get(at..).unwrap_or_default();
        let before = at.checked_sub(1).and_then(|i| words.get(i)).copied();
        match mention(rest, before, today) {
            Some((length, from, to)) => {
                found.push(Mention {
                    start: at,
                    end: at + length,
                    from,
                    to,
                });
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// How many words the mention at the beginning takes, and its days.
fn mention(rest: &[&str], before: Option<&str>, today: Date) -> Option<(usize, Date, Date)> {
    let single = |length, day: Date| Some((length, day, day));
    let plus = |days: i64| today.saturating_add(days.days());
    match rest {
        ["today" | "hoy" | "tonight", ..] => single(1, today),
        ["right", "now", ..] => single(2, today),
        ["weekend" | "weekends", ..] => single(1, after(today, Weekday::Saturday)),
        ["fin" | "fines", "de", "semana", ..] => single(3, after(today, Weekday::Saturday)),
        [
            "in" | "en",
            count,
            "weeks" | "week" | "semanas" | "semana",
            ..,
        ] => {
            let weeks = i64::from(small_number(count)?);
            Some((3, plus(7 * weeks), plus(7 * weeks + 6)))
        }
        ["day", "after", "tomorrow", ..] => single(3, plus(2)),
        ["pasado", "manana", ..] => single(2, plus(2)),
        ["manana", ..] if before == Some("la") => None,
        [
            "tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tmrw" | "tmr" | "tmw" | "manana",
            ..,
        ] => single(1, plus(1)),
        ["next", "week", ..]
        | ["proxima", "semana", ..]
        | ["semana", "proxima" | "entrante", ..] => {
            Some((2, week(today), week(today).saturating_add(6.days())))
        }
        ["semana", "que", "viene", ..] => {
            Some((3, week(today), week(today).saturating_add(6.days())))
        }
        ["this" | "esta", "week" | "semana", ..] => Some((
            2,
            plus(1).min(week(today)),
            week(today).saturating_sub(1.day()),
        )),
        ["next", "month", ..] | ["proximo", "mes", ..] => {
            let first = today.first_of_month().saturating_add(1.month());
            Some((2, first, first.last_of_month()))
        }
        ["next" | "proximo", name, ..] => {
            weekday(name).and_then(|day| single(2, in_week(week(today), day)))
        }
        [name, "next", "week", ..] => {
            weekday(name).and_then(|day| single(3, in_week(week(today), day)))
        }
        [name, "de", "la", "proxima", "semana", ..] | [name, "de", "la", "semana", "que", ..] => {
            weekday(name).and_then(|day| single(5, in_week(week(today), day)))
        }
        _ => calendar(rest, today).or_else(|| {
            let day = weekday(rest.first()?)?;
            single(1, after(today, day))
        }),
    }
}

/// `dec 3`, `3 de diciembre`, `3 dic`, `12/3`, `the 3rd`, `el 3`, `el dia 3`.
fn calendar(rest: &[&str], today: Date) -> Option<(usize, Date, Date)> {
    let (length, date) = match rest {
        [month_name, day, ..] if month(month_name).is_some() && number(day).is_some() => {
            (2, upcoming(today, month(month_name)?, number(day)?)?)
        }
        [day, "de" | "of", month_name, ..] if month(month_name).is_some() => {
            (3, upcoming(today, month(month_name)?, number(day)?)?)
        }
        [day, month_name, ..] if month(month_name).is_some() && number(day).is_some() => {
            (2, upcoming(today, month(month_name)?, number(day)?)?)
        }
        ["el", "dia", day, ..] => (3, of_month(today, number(day)?)?),
        ["the", day, ..] if !day.ends_with(|c: char| c.is_ascii_digit()) => {
            (2, of_month(today, number(day)?)?)
        }
        ["el", day, ..] => (2, of_month(today, number(day)?)?),
        [slashed, ..] => {
            let mut parts = slashed.split('/').map(str::parse::<i8>);
            let (Some(Ok(first)), Some(Ok(second))) = (parts.next(), parts.next()) else {
                return None;
            };
            let (month, day) = if first > 12 {
                (second, first)
            } else {
                (first, second)
            };
            (1, upcoming(today, month, day)?)
        }
        [] => return None,
    };
    Some((length, date, date))
}

fn month(word: &str) -> Option<i8> {
    let found = MONTHS
        .iter()
        .zip(1..)
        .find(|(names, _)| names.iter().any(|name| same(word, name)));
    found.map(|(_, number)| number)
}

fn small_number(word: &str) -> Option<i8> {
    match word {
        "a" | "one" | "una" => Some(1),
        "two" | "dos" => Some(2),
        "three" | "tres" => Some(3),
        "four" | "cuatro" => Some(4),
        other => other.parse().ok().filter(|count| (1..=8).contains(count)),
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    let exact = WEEKDAYS.iter().find(|(_, names)| names.contains(&word));
    exact
        .or_else(|| {
            WEEKDAYS
                .iter()
                .find(|(_, names)| names.iter().any(|name| same(word, name)))
        })
        .map(|(day, _)| *day)
}

/// A day of a month, with or without its English ordinal ending.
fn number(word: &str) -> Option<i8> {
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending))
        .unwrap_or(word);
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

/// The next such date, this year or the next.
fn upcoming(today: Date, month: i8, day: i8) -> Option<Date> {
    let this = Date::new(today.year(), month, day).ok();
    match this.filter(|date| *date >= today) {
        Some(date) => Some(date),
        None => Date::new(today.year() + 1, month, day).ok(),
    }
}

fn of_month(today: Date, day: i8) -> Option<Date> {
    let this = Date::new(today.year(), today.month(), day).ok();
    match this.filter(|date| *date >= today) {
        Some(date) => Some(date),
        None => {
            let next = today.first_of_month().saturating_add(1.month());
            Date::new(next.year(), next.month(), day).ok()
        }
    }
}

/// Monday of the next calendar week.
fn week(today: Date) -> Date {
    let ahead = 7 - i64::from(today.weekday().to_monday_zero_offset());
    today.saturating_add(ahead.days())
}

fn in_week(monday: Date, day: Weekday) -> Date {
    monday.saturating_add(i64::from(day.to_monday_zero_offset()).days())
}

/// The next such weekday after today.
fn after(today: Date, day: Weekday) -> Date {
    let ahead = i64::from(today.weekday().until(day));
    today.saturating_add(if ahead == 0 { 7 } else { ahead }.days())
}

fn part(clause: &Clause) -> Option<Part> {
    let clock = |ending: &str| {
        clause.words.iter().any(|word| {
            word.strip_suffix(ending).is_some_and(|hour| {
                hour.is_empty() || hour.starts_with(|c: char| c.is_ascii_digit())
            })
        })
    };
    if clause.has(&["morning", "mornings", "early", "temprano", "la manana"]) || clock("am") {
        Some(Part::Morning)
    } else if clause.has(&[
        "afternoon",
        "afternoons",
        "evening",
        "after lunch",
        "la tarde",
        "after work",
        "after school",
        "later in the day",
        "later that day",
        "later in the afternoon",
        "mas tarde ese dia",
        "mas de tarde",
    ]) || clock("pm")
    {
        Some(Part::Afternoon)
    } else {
        None
    }
}
