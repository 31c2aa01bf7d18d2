//! Times of day as people write them.

use crate::guardrail::ground::names::NUMBERS;
use crate::guardrail::ground::names::small;
use crate::guardrail::ground::names::weekday;
use crate::guardrail::ground::table::Table;
use crate::guardrail::ground::table::words;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;
use crate::guardrail::ground::when::Hour;

/// Half of the day behind a time: "pm", "p.m.", "de la tarde", "in the morning".
fn half(view: &View<'_>, i: usize) -> Option<(usize, i8, i8)> {
    let (morning, evening) = ((0, 12), (17, 24));
    let part = |word: &str| match word {
        "morning" | "manana" | "madrugada" => Some(morning),
        "afternoon" | "tarde" => Some((12, 20)),
        "evening" | "night" | "noche" => Some(evening),
        _ => None,
    };
    match view.word(i) {
        "am" => return Some((1, 0, 12)),
        "pm" => return Some((1, 12, 24)),
        letter @ ("a" | "p") if view.word(i + 1) == "." && view.word(i + 2) == "m" => {
            let dot = usize::from(view.word(i + 3) == ".");
            let (from, to) = if letter == "a" { morning } else { (12, 24) };
            return Some((3 + dot, from, to));
        }
        "in" | "de" | "por" if matches!(view.word(i + 1), "the" | "la") => {
            return part(view.word(i + 2)).map(|(from, to)| (3, from, to));
        }
        _ => {}
    }
    None
}

fn bare_hour_follows(view: &View<'_>, next: usize) -> bool {
    let word = view.word(next);
    let decimal = matches!(word, "." | ",")
        && view.kind(next + 1) == Some(Kind::Number)
        && view.reach(next, next).end == view.reach(next + 1, next + 1).start;
    if decimal {
        return false;
    }
    matches!(view.kind(next), None | Some(Kind::Mark))
        && !matches!(word, "/" | "%" | "-" | "$" | "+")
        || weekday(view, next).is_some()
        || matches!(
            word,
            "on" | "with"
                | "el"
                | "con"
                | "de"
                | "in"
                | "tomorrow"
                | "today"
                | "for"
                | "to"
                | "or"
                | "and"
                | "y"
                | "o"
                | "at"
                | "en"
                | "para"
                | "hoy"
                | "manana"
                | "hasta"
                | "until"
                | "a"
                | "is"
                | "es"
                | "works"
                | "this"
                | "next"
                | "tonight"
                | "sharp"
                | "daily"
                | "each"
                | "every"
                | "cada"
        )
}

fn hour_at(hour: i8, minute: i8, half: Option<(usize, i8, i8)>) -> Option<Hour> {
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    Some(match half {
        Some((_, from, _)) if (1..=12).contains(&hour) => {
            let base = hour % 12;
            Hour::At {
                hour: if from >= 12 { base + 12 } else { base },
                minute,
                twelve: false,
            }
        }
        _ => Hour::At {
            hour,
            minute,
            twelve: (1..=12).contains(&hour),
        },
    })
}

const fn sharp(hour: i8) -> Hour {
    Hour::At {
        hour,
        minute: 0,
        twelve: false,
    }
}

/// Minutes behind an hour, ":30", "y media": where they end, how many, and whether they prove a clock.
fn minutes(view: &View<'_>, next: usize, lead: bool) -> (usize, i8, bool) {
    let second = view.word(next + 1);
    match view.word(next) {
        ":" if second.len() == 2 => match small(view, next + 1) {
            Some(minute) => (next + 2, minute, true),
            None => (next, 0, false),
        },
        "y" => match clock_part(second) {
            Some(minute) => (next + 2, minute, lead),
            None => (next, 0, false),
        },
        // "at three thirty", "at four forty five".
        "fifteen" if lead => (next + 1, 15, lead),
        "thirty" if lead => (next + 1, 30, lead),
        "forty" if lead && second == "five" => (next + 2, 45, lead),
        "o'clock" => (next + 1, 0, true),
        _ => (next, 0, false),
    }
}

/// Minutes of a clock in words.
fn clock_part(word: &str) -> Option<i8> {
    Some(match word {
        "five" | "cinco" => 5,
        "ten" | "diez" => 10,
        "quarter" | "cuarto" | "fifteen" | "quince" => 15,
        "twenty" | "veinte" => 20,
        "veinticinco" => 25,
        "half" | "media" | "thirty" | "treinta" => 30,
        _ => return None,
    })
}

/// "half past four", "a quarter to five", "ten past four"; "ten to four" may be hours of opening.
fn past_or_to(view: &View<'_>, i: usize) -> Option<(usize, Hour)> {
    let part = clock_part(view.word(i)).or_else(|| small(view, i))?;
    let link = i + 1 + usize::from(matches!(view.word(i + 1), "minutes" | "min"));
    let to = match view.word(link) {
        "past" | "after" => false,
        "to" | "till" | "before" if view.word(i) == "quarter" => true,
        _ => return None,
    };
    let stated = small(view, link + 1).or_else(|| NUMBERS.get(view.word(link + 1)))?;
    let base = if to { stated - 1 } else { stated };
    let (hour, minute) = (
        if base == 0 { 12 } else { base },
        if to { 60 - part } else { part },
    );
    if !(1..=12).contains(&hour) {
        return None;
    }
    let next = link + 2;
    let half = half(view, next);
    let used = next + half.map_or(0, |(used, ..)| used) - i;
    hour_at(hour, minute, half).map(|hour| (used, hour))
}

/// Words before a time.
static LEADS: Table<()> = words![
    "at", "@", "las", "by", "until", "from", "between", "before", "after", "around",
];

/// "Rate us from 1 to 5": a scale, and no hours.
fn is_rated(view: &View<'_>, i: usize) -> bool {
    (0..i).any(|at| {
        matches!(
            view.word(at),
            "rate"
                | "rating"
                | "scale"
                | "score"
                | "stars"
                | "grade"
                | "rank"
                | "escala"
                | "califique"
        )
    })
}

/// "3 PM", "3:30", "15:00", "at 3", "a las tres y media de la tarde", "noon".
pub(super) fn hour(view: &View<'_>, i: usize) -> Option<(usize, Hour)> {
    match view.word(i) {
        "noon" | "midday" | "mediodia" => return Some((1, sharp(12))),
        "midnight" | "medianoche" => return Some((1, sharp(0))),
        _ => {}
    }
    if let Some(told) = past_or_to(view, i) {
        return Some(told);
    }
    let before = view.word_before(i, 1);
    let one = before == "la" && matches!(view.word_before(i, 2), "a" | "de" | "hasta" | "desde");
    let lead = one || LEADS.has(before);
    let stated = small(view, i);
    let number = stated.or_else(|| lead.then(|| NUMBERS.get(view.word(i))).flatten())?;
    if view.word(i).len() > 2 && stated.is_some() || matches!(before, "/" | "$" | "." | ":") {
        return None;
    }
    // "a las tres menos diez": ten to three.
    if lead
        && view.word(i + 1) == "menos"
        && let Some(part) = clock_part(view.word(i + 2))
    {
        let hour = if number == 1 { 12 } else { number - 1 };
        let half = half(view, i + 3);
        let used = 3 + half.map_or(0, |(used, ..)| used);
        return hour_at(hour, 60 - part, half).map(|hour| (used, hour));
    }
    let (next, minute, clock) = minutes(view, i + 1, lead);
    if let Some((used, from, to)) = half(view, next) {
        // "3 de la mañana" alone could be three of something.
        let spoken = matches!(view.word(next), "in" | "de" | "por");
        if !lead && !clock && spoken {
            return None;
        }
        return hour_at(number, minute, Some((used, from, to))).map(|hour| (next + used - i, hour));
    }
    let rated = matches!(before, "from" | "between" | "las" | "la") && is_rated(view, i);
    let bare = lead && !rated && (1..=12).contains(&number) && bare_hour_follows(view, next);
    let hour = hour_at(number, minute, None).filter(|_| clock || bare);
    hour.map(|hour| (next - i, hour))
}

/// A part of the day beside a day: "tomorrow morning", "el martes por la tarde", "tonight".
pub(super) fn part_of_day(view: &View<'_>, i: usize) -> Option<(usize, Hour)> {
    let between = |word: &str| match word {
        "morning" | "manana" => Some(Hour::Between(0, 12)),
        "afternoon" | "tarde" => Some(Hour::Between(12, 19)),
        "evening" | "night" | "noche" => Some(Hour::Between(17, 24)),
        _ => None,
    };
    match (view.word(i), view.word(i + 1)) {
        ("in" | "por" | "en", "the" | "la") => between(view.word(i + 2)).map(|hour| (3, hour)),
        (word @ ("morning" | "afternoon" | "evening" | "night"), _) => {
            between(word).map(|hour| (1, hour))
        }
        _ => None,
    }
}
