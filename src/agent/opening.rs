//! When a practice is open, read from its opening hours as it tells them to patients.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::agent::when;
use crate::domain::record::Fact;
use crate::policy::law::deadline::federal_holiday;
use crate::policy::words::Language;

/// How far ahead the next opening is looked for.
const DAYS_AHEAD: i64 = 8;

/// Read from hours such as `Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM`. None when any part of
/// them is written another way: then nothing is concluded, and the hours speak for themselves.
pub fn is_open(hours: &str, day: Weekday) -> Option<bool> {
    let mut open = Vec::new();
    for (days, times) in parts(hours)? {
        if times
            .to_lowercase()
            .contains(|c: char| c.is_alphabetic() && !"amp".contains(c))
        {
            return None;
        }
        open.extend(span(days)?);
    }
    (!open.is_empty()).then(|| open.contains(&day))
}

/// The coming days by their weekdays, and whether the practice is open: `today Thu holiday, in 1 day Fri open`.
/// Where the hours are written another way, only the days.
pub(super) fn days_ahead(hours: &str, local: &jiff::Zoned, count: usize) -> String {
    let days = local.date().series(Span::new().days(1)).take(count);
    let told: Vec<String> = (0..)
        .zip(days)
        .map(|(ahead, day)| {
            let open = match is_open(hours, day.weekday()) {
                Some(true) if federal_holiday(day) => " holiday",
                Some(true) => " open",
                Some(false) => " closed",
                None => "",
            };
            let when = match ahead {
                0 => "today".to_owned(),
                1 => "in 1 day".to_owned(),
                more => format!("in {more} days"),
            };
            format!("{when} {}{open}", day.strftime("%a"))
        })
        .collect();
    told.join(", ")
}

/// When staff answer, as it follows "They answer": `now, until 6:00 PM`, `from Mon, Nov 30 at 8:00
/// AM`. None when the hours are written another way, or a holiday stands between: nothing is
/// promised then.
pub fn answering(
    hours: &str,
    now: Timestamp,
    zone: &TimeZone,
    language: Language,
) -> Option<String> {
    let (at, open) = staffed(hours, now, zone)?;
    let local = at.to_zoned(zone.clone());
    Some(match (open, language) {
        (true, Language::En) => format!("now, until {}", when::clock(&local, language)),
        (true, Language::Es) => format!("ahora, hasta {}", when::clock(&local, language)),
        (false, Language::En) => format!("from {}", when::spoken(at, zone, language)),
        (false, Language::Es) => format!("a partir del {}", when::spoken(at, zone, language)),
    })
}

/// Until when staff answer, if they do now; else from when on.
fn staffed(hours: &str, now: Timestamp, zone: &TimeZone) -> Option<(Timestamp, bool)> {
    let week = week(hours)?;
    let local = now.to_zoned(zone.clone());
    for ahead in 0..DAYS_AHEAD {
        let day = local.date().checked_add(Span::new().days(ahead)).ok()?;
        let mut opens: Vec<(Time, Time)> = week
            .iter()
            .filter(|(weekday, ..)| *weekday == day.weekday())
            .map(|(_, from, to)| (*from, *to))
            .filter(|(_, to)| ahead > 0 || local.time() < *to)
            .collect();
        opens.sort_unstable();
        let Some((from, to)) = opens.first().copied() else {
            continue;
        };
        if federal_holiday(day) {
            return None;
        }
        let open = ahead == 0 && from <= local.time();
        let at = day.to_datetime(if open { to } else { from });
        return Some((at.to_zoned(zone.clone()).ok()?.timestamp(), open));
    }
    None
}

/// When staff answer, as the reviewer needs it to hold a draft against.
pub fn answering_fact(hours: &str, now: Timestamp, zone: &TimeZone) -> Option<Fact> {
    let (at, _) = staffed(hours, now, zone)?;
    Some(Fact::new("practice.answering", when::rfc3339(at, zone)))
}

/// Each weekday with its hours.
fn week(hours: &str) -> Option<Vec<(Weekday, Time, Time)>> {
    let mut week = Vec::new();
    for (days, times) in parts(hours)? {
        let (from, to) = times.split_once(['-', '\u{2013}'])?;
        let (from, to) = (time(from)?, time(to)?);
        if from >= to {
            return None;
        }
        week.extend(span(days)?.into_iter().map(|day| (day, from, to)));
    }
    (!week.is_empty()).then_some(week)
}

/// `8:00 AM`, `8 am`, `1 p.m.`
fn time(text: &str) -> Option<Time> {
    let text = text.trim().to_lowercase().replace('.', "");
    let (clock, noon) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(clock), _) => (clock, 0),
        (_, Some(clock)) => (clock, 12),
        (None, None) => return None,
    };
    let clock = clock.trim();
    let (hour, minute) = clock.split_once(':').unwrap_or((clock, "0"));
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    if !(1..=12).contains(&hour) {
        return None;
    }
    Time::new(hour % 12 + noon, minute, 0, 0).ok()
}

/// The parts of hours, each in days and times.
fn parts(hours: &str) -> Option<Vec<(&str, &str)>> {
    hours
        .split([',', ';'])
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .map(|part| {
            let cut = part.find(|c: char| c.is_ascii_digit())?;
            let (days, times) = part.split_at_checked(cut)?;
            Some((days.trim().trim_end_matches(':'), times))
        })
        .collect()
}

/// `Mon-Thu`, `Mon to Thu`, `Sat`, `Mon & Wed`.
fn span(days: &str) -> Option<Vec<Weekday>> {
    let words: Vec<String> = days
        .to_lowercase()
        .replace(['-', '\u{2013}'], " to ")
        .replace('&', " and ")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["daily"] | ["every", "day"] => Some(Weekday::Monday.cycle_forward().take(7).collect()),
        [one] => Some(vec![weekday(one)?]),
        [first, "to" | "through", last] => {
            let (first, last) = (weekday(first)?, weekday(last)?);
            let length = first.until(last);
            let length = usize::try_from(length).ok()?;
            Some(first.cycle_forward().take(length + 1).collect())
        }
        [first, "and", last] => Some(vec![weekday(first)?, weekday(last)?]),
        _ => None,
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    let start: String = word.trim_end_matches('.').chars().take(3).collect();
    match start.as_str() {
        "mon" => Some(Weekday::Monday),
        "tue" => Some(Weekday::Tuesday),
        "wed" => Some(Weekday::Wednesday),
        "thu" => Some(Weekday::Thursday),
        "fri" => Some(Weekday::Friday),
        "sat" => Some(Weekday::Saturday),
        "sun" => Some(Weekday::Sunday),
        _ => None,
    }
}
