//! Instants among the facts, in the practice's time zone, and whether a moment in a draft is one.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::guardrail::ground::when::Day;
use crate::guardrail::ground::when::Hour;
use crate::guardrail::ground::when::Moment;
use crate::guardrail::setting::Fact;
use crate::policy::words::Language;

/// One fact that names a day or an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant<'a> {
    /// The fact's field.
    pub(crate) field: &'a str,
    /// The day, in the practice's zone.
    pub(crate) date: Date,
    /// The time, when the fact has one.
    pub(crate) time: Option<Time>,
}

/// The instants among the facts; several facts may name the same one.
pub(crate) fn instants<'a>(
    facts: &'a [Fact<'a>],
    zone: &TimeZone,
) -> impl Iterator<Item = Instant<'a>> {
    facts.iter().filter_map(move |fact| instant(fact, zone))
}

/// Whether a fact's value is a date, or a date and a time, and nothing else.
pub(crate) fn is_one(value: &str) -> bool {
    let value = value.trim();
    is_dated(value) && !value.contains(',') && value.len() <= "2026-12-02T15:00:00.000-08:00".len()
}

fn instant<'a>(fact: &Fact<'a>, zone: &TimeZone) -> Option<Instant<'a>> {
    let value = fact.value.trim();
    if !is_dated(value) {
        return None;
    }
    let zoned = value
        .get(10..)
        .is_some_and(|time| time.contains(['Z', 'z', '+', '-', '\u{2212}']));
    if zoned && let Ok(at) = value.parse::<Timestamp>() {
        let local = zone.to_datetime(at);
        return Some(Instant {
            field: fact.field,
            date: local.date(),
            time: Some(local.time()),
        });
    }
    // A plain date and time is meant in the practice's zone.
    if let Ok(local) = value
        .parse::<DateTime>()
        .or_else(|_| value.replacen(' ', "T", 1).parse())
    {
        let time = (value.len() > 10).then(|| local.time());
        return Some(Instant {
            field: fact.field,
            date: local.date(),
            time,
        });
    }
    value.parse::<Date>().ok().map(|date| Instant {
        field: fact.field,
        date,
        time: None,
    })
}

/// Does a value begin as dates of ISO 8601 do, `2026-12-02` or `20261202`? What does not is not
/// worth an error that is thrown away.
fn is_dated(value: &str) -> bool {
    let digit = |at: usize| value.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let dashed = value.as_bytes().get(4) == Some(&b'-');
    value.len() >= 10 && (0..4).all(digit) && (dashed || (4..8).all(digit) && !digit(8))
}

impl Day {
    /// Whether `date` is meant.
    pub(crate) fn agrees(&self, date: Date) -> bool {
        match self {
            Self::On(day) => *day == date,
            Self::Either(first, second) => *first == date || *second == date,
            Self::Span(from, to) => *from <= date && date <= *to,
            Self::Partial {
                year,
                month,
                day,
                swap,
            } => {
                let month_first = month.is_none_or(|m| m == date.month()) && *day == date.day();
                let day_first = *swap && *month == Some(date.day()) && *day == date.month();
                year.is_none_or(|y| y == date.year()) && (month_first || day_first)
            }
            Self::Term => false,
        }
    }
}

impl Hour {
    /// Whether `time` is meant; without "am" or "pm" both halves of the day are.
    pub(crate) fn agrees(self, time: Time) -> bool {
        match self {
            Self::At {
                hour,
                minute,
                twelve,
            } => {
                let same = hour == time.hour() || twelve && hour % 12 == time.hour() % 12;
                same && minute == time.minute()
            }
            Self::Between(from, to) => from <= time.hour() && time.hour() < to,
        }
    }
}

/// Which parts of a moment an instant does not bear out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Differs {
    pub(crate) weekday: bool,
    pub(crate) day: bool,
    pub(crate) hour: bool,
}

impl Differs {
    /// Every part agrees.
    pub(crate) const fn nowhere(self) -> bool {
        !self.weekday && !self.day && !self.hour
    }
}

/// Compares part by part.
pub(crate) fn compare(moment: &Moment, instant: &Instant<'_>) -> Differs {
    let weekday = instant.date.weekday();
    let one = moment
        .weekday
        .as_ref()
        .is_some_and(|(day, _)| *day != weekday);
    let many = moment
        .weekdays
        .as_ref()
        .is_some_and(|(days, _)| !days.contains(weekday));
    Differs {
        weekday: one || many,
        day: moment
            .day
            .as_ref()
            .is_some_and(|(day, _)| !day.agrees(instant.date)),
        hour: moment
            .hour
            .as_ref()
            .is_some_and(|(hour, _)| instant.time.is_none_or(|time| !hour.agrees(time))),
    }
}

const EN_DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const ES_DAYS: [&str; 7] = [
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];
const EN_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const ES_MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

fn pick(names: &[&'static str], number: i8) -> &'static str {
    usize::try_from(number - 1)
        .ok()
        .and_then(|at| names.get(at))
        .copied()
        .unwrap_or_default()
}

/// A weekday in words, long or in three letters as the draft had it.
pub(crate) fn weekday_words(
    day: Weekday,
    language: Language,
    short: bool,
    capital: bool,
) -> String {
    let names = match language {
        Language::En => &EN_DAYS,
        Language::Es => &ES_DAYS,
    };
    let full = pick(names, day.to_monday_one_offset());
    let text: String = if short {
        full.chars().take(3).collect()
    } else {
        full.to_owned()
    };
    if capital && language == Language::Es {
        let mut chars = text.chars();
        let first = chars.next().map(|c| c.to_uppercase().collect::<String>());
        return first.unwrap_or_default() + chars.as_str();
    }
    text
}

/// A date in the manner of the draft's words.
pub(crate) fn date_words(date: Date, written: &str, language: Language) -> String {
    let numeric = written
        .bytes()
        .all(|b| b.is_ascii_digit() || b"/-.".contains(&b));
    let year = written.bytes().filter(u8::is_ascii_digit).count() >= 5;
    let (month, day) = (date.month(), date.day());
    if numeric
        && written
            .split(['-', '/'])
            .next()
            .is_some_and(|first| first.len() == 4)
    {
        return date.to_string();
    }
    if numeric {
        let stated = if year {
            format!("/{}", date.year())
        } else {
            String::new()
        };
        return format!("{month}/{day}{stated}");
    }
    let named = written.bytes().any(|b| b.is_ascii_digit());
    match language {
        Language::En => {
            let full = pick(&EN_MONTHS, month);
            let short = written
                .trim_end_matches(['.', ' '])
                .chars()
                .take_while(|c| c.is_alphabetic())
                .count()
                == 3;
            let name = if short {
                full.get(..3).unwrap_or(full)
            } else {
                full
            };
            let stated = if year {
                format!(", {}", date.year())
            } else {
                String::new()
            };
            let words = format!("{name} {day}{stated}");
            if named {
                words
            } else {
                format!(
                    "on {}, {words}",
                    weekday_words(date.weekday(), language, false, true)
                )
            }
        }
        Language::Es => {
            let stated = if year {
                format!(" de {}", date.year())
            } else {
                String::new()
            };
            let words = format!("{day} de {}{stated}", pick(&ES_MONTHS, month));
            if named {
                words
            } else {
                format!(
                    "el {} {words}",
                    weekday_words(date.weekday(), language, false, false)
                )
            }
        }
    }
}

/// A time of day: "3 PM", "3:30 PM".
pub(crate) fn time_words(time: Time, written: &str) -> String {
    let half = if time.hour() < 12 { "AM" } else { "PM" };
    let hour = if time.hour() % 12 == 0 {
        12
    } else {
        time.hour() % 12
    };
    if time.minute() == 0 && !written.contains(':') {
        format!("{hour} {half}")
    } else {
        format!("{hour}:{:02} {half}", time.minute())
    }
}
