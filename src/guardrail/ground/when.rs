//! Dates, weekdays and times of day as people write them, in English and Spanish.

use std::ops::Range;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Weekday;

use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;

/// A date as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Day {
    /// One day.
    On(Date),
    /// One of two days: "next Tuesday" is said of both.
    Either(Date, Date),
    /// Any day from one to another, both included.
    Span(Date, Date),
    /// A day and perhaps month and year; `swap` when day and month may be the other way round.
    Partial { year: Option<i16>, month: Option<i8>, day: i8, swap: bool },
    /// A term such as "within 2 business days" that only the practice's own words can back.
    Term,
}

/// A time of day as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Hour {
    /// Hour and minute; `twelve` when morning or afternoon is not said.
    At { hour: i8, minute: i8, twelve: bool },
    /// Any time from one hour to another.
    Between(i8, i8),
}

/// One element and its place in the folded text.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    /// A weekday.
    Weekday(Weekday),
    /// Several or repeated weekdays, as in opening hours.
    Weekdays(Vec<Weekday>),
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
    pub(crate) weekdays: Option<(Vec<Weekday>, Range<usize>)>,
    /// The date and its place.
    pub(crate) day: Option<(Day, Range<usize>)>,
    /// The time and its place.
    pub(crate) hour: Option<(Hour, Range<usize>)>,
    /// The whole, in the folded text.
    pub(crate) at: Range<usize>,
    /// "today", "hoy" and nothing else: said in courtesies too.
    pub(crate) soft: bool,
    /// Weekday and date are those of the moment before ("3 to 3:30 PM").
    pub(crate) inherits: bool,
}

/// The present, in the practice's time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Present {
    /// Date and time.
    pub(crate) now: DateTime,
}

const WEEKDAYS: &[(&str, Weekday)] = &[
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
    ("lunes", Weekday::Monday),
    ("martes", Weekday::Tuesday),
    ("miercoles", Weekday::Wednesday),
    ("jueves", Weekday::Thursday),
    ("viernes", Weekday::Friday),
    ("sabado", Weekday::Saturday),
    ("domingo", Weekday::Sunday),
];

const SHORT_WEEKDAYS: &[(&str, Weekday)] = &[
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("tues", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("thur", Weekday::Thursday),
    ("thurs", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
    ("lun", Weekday::Monday),
    ("mie", Weekday::Wednesday),
    ("jue", Weekday::Thursday),
    ("vie", Weekday::Friday),
    ("sab", Weekday::Saturday),
    ("dom", Weekday::Sunday),
];

const MONTHS: &[(&str, i8)] = &[
    ("january", 1), ("february", 2), ("march", 3), ("april", 4), ("may", 5), ("june", 6),
    ("july", 7), ("august", 8), ("september", 9), ("october", 10), ("november", 11),
    ("december", 12), ("enero", 1), ("febrero", 2), ("marzo", 3), ("abril", 4), ("mayo", 5),
    ("junio", 6), ("julio", 7), ("agosto", 8), ("septiembre", 9), ("setiembre", 9),
    ("octubre", 10), ("noviembre", 11), ("diciembre", 12), ("jan", 1), ("feb", 2), ("mar", 3),
    ("apr", 4), ("jun", 6), ("jul", 7), ("aug", 8), ("sep", 9), ("sept", 9), ("oct", 10),
    ("nov", 11), ("dec", 12), ("ene", 1), ("abr", 4), ("ago", 8), ("dic", 12),
];

const NUMBERS: &[(&str, i8)] = &[
    ("one", 1), ("two", 2), ("three", 3), ("four", 4), ("five", 5), ("six", 6), ("seven", 7),
    ("eight", 8), ("nine", 9), ("ten", 10), ("eleven", 11), ("twelve", 12), ("a", 1), ("an", 1),
    ("un", 1), ("una", 1), ("dos", 2), ("tres", 3), ("cuatro", 4), ("cinco", 5), ("seis", 6),
    ("siete", 7), ("ocho", 8), ("nueve", 9), ("diez", 10), ("once", 11), ("doce", 12),
];

fn look<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}

fn weekday(view: &View<'_>, index: usize) -> Option<Weekday> {
    let word = view.word(index);
    if word.len() < 3 || view.kind(index) != Some(Kind::Word) {
        return None;
    }
    let full = look(WEEKDAYS, word.strip_suffix("'s").unwrap_or(word));
    full.or_else(|| view.capital(index).then(|| look(SHORT_WEEKDAYS, word)).flatten())
}

fn repeated(word: &str) -> Option<Weekday> {
    let single = word.strip_suffix('s')?;
    let english = single.ends_with("day") || single == "sabado" || single == "domingo";
    english.then(|| look(WEEKDAYS, single)).flatten()
}

fn month(view: &View<'_>, index: usize) -> Option<i8> {
    look(MONTHS, view.word(index))
}

fn digits(view: &View<'_>, index: usize, width: usize) -> Option<i16> {
    let word = view.word(index);
    let fits = view.kind(index) == Some(Kind::Number) && word.len() <= width;
    fits.then(|| word.parse().ok()).flatten()
}

fn small(view: &View<'_>, index: usize) -> Option<i8> {
    digits(view, index, 2).and_then(|n| i8::try_from(n).ok())
}

fn year(view: &View<'_>, index: usize) -> Option<i16> {
    match digits(view, index, 4)? {
        year @ 1900..=2100 => Some(year),
        short @ 0..=99 if view.word(index).len() == 2 => Some(2000 + short),
        _ => None,
    }
}

fn day_number(view: &View<'_>, index: usize) -> Option<i8> {
    small(view, index).filter(|day| (1..=31).contains(day))
}

/// "Dec 2nd, 2026", "2 de diciembre de 2026", "the 2nd of December": the tokens used, and the day.
fn written_day(view: &View<'_>, i: usize) -> Option<(usize, Day)> {
    if let Some(month) = month(view, i) {
        let mut next = if view.word(i + 1) == "." { i + 2 } else { i + 1 };
        let day = day_number(view, next)?;
        if view.word(next + 1) == ":" || matches!(view.word(next + 1), "am" | "pm") {
            return None;
        }
        next += 1;
        if matches!(view.word(next), "st" | "nd" | "rd" | "th") {
            next += 1;
        }
        let comma = usize::from(view.word(next) == ",");
        if let Some(year) = year(view, next + comma).filter(|_| view.word(next + comma).len() == 4) {
            let day = Day::Partial { year: Some(year), month: Some(month), day, swap: false };
            return Some((next + comma + 1 - i, day));
        }
        return Some((next - i, Day::Partial { year: None, month: Some(month), day, swap: false }));
    }
    let day = day_number(view, i)?;
    let ordinal = matches!(view.word(i + 1), "st" | "nd" | "rd" | "th");
    let mut next = i + 1 + usize::from(ordinal);
    if matches!(view.word(next), "of" | "de") {
        next += 1;
    }
    if let Some(month) = month(view, next) {
        let mut used = next + 1;
        let link = usize::from(matches!(view.word(used), "de" | "del" | "," | "of"));
        let mut stated = None;
        if view.word(used + link).len() == 4 {
            stated = year(view, used + link);
            used += if stated.is_some() { link + 1 } else { 0 };
        }
        return Some((used - i, Day::Partial { year: stated, month: Some(month), day, swap: false }));
    }
    (ordinal && matches!(view.word_before(i, 1), "the" | "on")).then_some((
        2,
        Day::Partial { year: None, month: None, day, swap: false },
    ))
}

/// "12/2", "12/02/2026", "2026-12-02".
fn numeric_day(view: &View<'_>, i: usize) -> Option<(usize, Day)> {
    let sign = view.word(i + 1);
    let tight = |first: usize, last: usize| {
        let range = view.reach(first, last);
        !view.slice(&range).contains(' ')
    };
    if !matches!(sign, "/" | "-" | ".") || matches!(view.word_before(i, 1), "/" | "$") {
        return None;
    }
    let long = view.word(i + 3) == sign && view.kind(i + 4) == Some(Kind::Number) && tight(i, i + 4);
    if long && view.word(i).len() == 4 {
        let date = Date::new(year(view, i)?, small(view, i + 2)?, day_number(view, i + 4)?).ok()?;
        return Some((5, Day::On(date)));
    }
    let first = small(view, i)?;
    let second = small(view, i + 2)?;
    let (month, day) = if first > 12 { (second, first) } else { (first, second) };
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day);
    let swap = first <= 12 && second <= 12;
    if long {
        let year = year(view, i + 4)?;
        return plausible.then_some((5, Day::Partial { year: Some(year), month: Some(month), day, swap }));
    }
    // Without a year only the slash is a date: "9-5" are hours, "24/7" is neither.
    let short = sign == "/" && tight(i, i + 2) && plausible && view.slice(&view.reach(i, i + 2)) != "24/7";
    let measured = matches!(view.word(i + 3), "/" | "%" | "mg" | "ml");
    (short && !measured).then_some((3, Day::Partial { year: None, month: Some(month), day, swap }))
}

fn amount(view: &View<'_>, i: usize) -> Option<i64> {
    small(view, i).map(i64::from).or_else(|| look(NUMBERS, view.word(i)).map(i64::from))
}

/// "in 3 days", "within 2 business days", "en 3 dias", "hace dos semanas", "3 days ago".
fn term(view: &View<'_>, i: usize, present: Present) -> Option<(usize, Day)> {
    let lead = view.word(i);
    let spanish_two = lead == "dentro" && view.word(i + 1) == "de";
    let leads = matches!(lead, "in" | "within" | "en" | "hace") || spanish_two;
    let mut next = if spanish_two { i + 2 } else { i + usize::from(leads) };
    let mut loose = lead == "within";
    if view.word(next) == "the" && view.word(next + 1) == "next" || view.word(next) == "about" {
        next += if view.word(next) == "the" { 2 } else { 1 };
        loose = true;
    }
    let count = amount(view, next)?;
    next += 1;
    if matches!(view.word(next), "-" | "to" | "a") && amount(view, next + 1).is_some() {
        next += 2;
        loose = true;
    }
    if matches!(view.word(next), "business" | "working") {
        next += 1;
        loose = true;
    }
    let unit = view.word(next);
    let used = next + 1;
    if matches!(view.word(used), "habiles" | "laborables") {
        return leads.then_some((used + 1 - i, Day::Term));
    }
    let ago = view.word(used) == "ago";
    if !leads && !ago {
        return None;
    }
    let used = used + usize::from(ago);
    let sign = if ago || lead == "hace" { -1 } else { 1 };
    let today = present.now.date();
    let day = match unit {
        "day" | "days" | "dia" | "dias" => today.checked_add((sign * count).days()).ok().map(Day::On),
        "week" | "weeks" | "semana" | "semanas" => {
            today.checked_add((sign * count).weeks()).ok().map(Day::On)
        }
        "month" | "months" | "mes" | "meses" => {
            let near = today.checked_add((sign * count).months()).ok()?;
            let low = near.checked_sub(3.days()).ok()?;
            near.checked_add(3.days()).ok().map(|high| Day::Span(low, high))
        }
        "hour" | "hours" | "hora" | "horas" | "minute" | "minutes" | "minuto" | "minutos" => {
            loose = true;
            Some(Day::Term)
        }
        _ => None,
    }?;
    Some((used - i, if loose { Day::Term } else { day }))
}

fn ahead(present: Present, weekday: Weekday) -> Option<Date> {
    let today = present.now.date();
    if today.weekday() == weekday {
        return Some(today);
    }
    today.nth_weekday(1, weekday).ok()
}

/// "today", "tomorrow", "next Tuesday", "pasado mañana", "la próxima semana".
fn relative_day(view: &View<'_>, i: usize, present: Present) -> Option<(usize, Day)> {
    let today = present.now.date();
    let plus = |days: i64| today.checked_add(days.days()).ok();
    let (used, day) = match (view.word(i), view.word(i + 1)) {
        ("today" | "tonight" | "hoy", _) => (1, Day::On(today)),
        ("tomorrow", _) => (1, Day::On(plus(1)?)),
        ("yesterday" | "ayer", _) => (1, Day::On(plus(-1)?)),
        ("pasado", "manana") => (2, Day::On(plus(2)?)),
        ("day", "after") if view.word(i + 2) == "tomorrow" => (3, Day::On(plus(2)?)),
        ("manana", _) if !matches!(view.word_before(i, 1), "la" | "las" | "una" | "cada") => {
            (1, Day::On(plus(1)?))
        }
        ("next" | "proxima" | "proximo" | "this" | "este" | "esta", word) => {
            let next = matches!(view.word(i), "next" | "proxima" | "proximo");
            if let Some(weekday) = weekday(view, i + 1) {
                let first = ahead(present, weekday)?;
                let second = first.checked_add(7.days()).ok()?;
                let day = if next { Day::Either(first, second) } else { Day::On(first) };
                return Some((2, day));
            }
            let monday = today.tomorrow().ok()?.nth_weekday(-1, Weekday::Monday).ok()?;
            let shift = if next { 7 } else { 0 };
            match word {
                "week" | "semana" => {
                    let start = monday.checked_add(shift.days()).ok()?;
                    (2, Day::Span(start, start.checked_add(6.days()).ok()?))
                }
                "month" | "mes" => {
                    let start = today.first_of_month().checked_add((shift / 7).months()).ok()?;
                    (2, Day::Span(start, start.last_of_month()))
                }
                _ => return None,
            }
        }
        ("semana", "que") if view.word(i + 2) == "viene" => {
            let monday = today.tomorrow().ok()?.nth_weekday(1, Weekday::Monday).ok()?;
            (3, Day::Span(monday, monday.checked_add(6.days()).ok()?))
        }
        _ => return None,
    };
    Some((used, day))
}

/// Half of the day behind a time: "pm", "p.m.", "de la tarde", "in the morning".
fn half(view: &View<'_>, i: usize) -> Option<(usize, i8, i8)> {
    let (morning, afternoon, evening) = ((0, 12), (12, 18), (17, 24));
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
    let _ = afternoon;
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
    matches!(view.kind(next), None | Some(Kind::Mark)) && !matches!(word, "/" | "%" | "-" | "$" | "+")
        || weekday(view, next).is_some()
        || matches!(
            word,
            "on" | "with" | "el" | "con" | "de" | "in" | "tomorrow" | "today" | "for" | "to" | "or"
                | "and" | "y" | "o" | "at" | "en" | "para" | "hoy" | "manana" | "hasta" | "until" | "a"
                | "is" | "es" | "works" | "this" | "next"
        )
}

fn hour_at(hour: i8, minute: i8, half: Option<(usize, i8, i8)>) -> Option<Hour> {
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    Some(match half {
        Some((_, from, _)) if (1..=12).contains(&hour) => {
            let base = hour % 12;
            Hour::At { hour: if from >= 12 { base + 12 } else { base }, minute, twelve: false }
        }
        _ => Hour::At { hour, minute, twelve: (1..=12).contains(&hour) },
    })
}

/// "3 PM", "3:30", "15:00", "at 3", "a las tres y media de la tarde", "noon".
fn hour(view: &View<'_>, i: usize) -> Option<(usize, Hour)> {
    match view.word(i) {
        "noon" | "midday" | "mediodia" => return Some((1, Hour::At { hour: 12, minute: 0, twelve: false })),
        "midnight" | "medianoche" => return Some((1, Hour::At { hour: 0, minute: 0, twelve: false })),
        _ => {}
    }
    let before = view.word_before(i, 1);
    let lead = matches!(
        before,
        "at" | "@" | "las" | "by" | "until" | "from" | "between" | "before" | "after" | "around"
    ) || before == "la" && matches!(view.word_before(i, 2), "a" | "de" | "hasta" | "desde");
    let stated = small(view, i);
    let number = stated.or_else(|| lead.then(|| look(NUMBERS, view.word(i))).flatten())?;
    if view.word(i).len() > 2 && stated.is_some() || matches!(before, "/" | "$" | "." | ":") {
        return None;
    }
    let mut next = i + 1;
    let mut minute = 0;
    let mut clock = false;
    if view.word(next) == ":" && view.word(next + 1).len() == 2 {
        minute = small(view, next + 1)?;
        next += 2;
        clock = true;
    } else if view.word(next) == "y" && matches!(view.word(next + 1), "media" | "cuarto" | "treinta" | "quince") {
        minute = if matches!(view.word(next + 1), "media" | "treinta") { 30 } else { 15 };
        next += 2;
        clock = lead;
    } else if view.word(next) == "o'clock" {
        next += 1;
        clock = true;
    }
    let half = half(view, next);
    if let Some((used, _, _)) = half {
        if lead || clock || used == 1 || used >= 3 && !matches!(view.word(next), "in" | "de" | "por") {
            return hour_at(number, minute, Some((used, half?.1, half?.2))).map(|hour| (next + used - i, hour));
        }
        return None;
    }
    let bare = lead && (1..=12).contains(&number) && bare_hour_follows(view, next);
    (clock || bare).then(|| hour_at(number, minute, None)).flatten().map(|hour| (next - i, hour))
}

/// A part of the day beside a day: "tomorrow morning", "el martes por la tarde", "tonight".
fn part_of_day(view: &View<'_>, i: usize) -> Option<(usize, Hour)> {
    let between = |word: &str| match word {
        "morning" | "manana" => Some(Hour::Between(0, 12)),
        "afternoon" | "tarde" => Some(Hour::Between(12, 19)),
        "evening" | "night" | "noche" => Some(Hour::Between(17, 24)),
        _ => None,
    };
    match (view.word(i), view.word(i + 1)) {
        ("in" | "por" | "en", "the" | "la") => between(view.word(i + 2)).map(|hour| (3, hour)),
        (word @ ("morning" | "afternoon" | "evening" | "night"), _) => between(word).map(|hour| (1, hour)),
        _ => None,
    }
}

fn weekdays(view: &View<'_>, i: usize) -> Option<(usize, Vec<Weekday>)> {
    if let Some(day) = repeated(view.word(i)) {
        return Some((1, vec![day]));
    }
    let first = weekday(view, i)?;
    let dot = usize::from(view.word(i + 1) == ".");
    let joined = matches!(view.word(i + 1 + dot), "-" | "to" | "through" | "thru" | "a" | "al");
    if joined && let Some(last) = weekday(view, i + 2 + dot) {
        let mut days = vec![first];
        let mut day = first;
        while day != last && days.len() < 7 {
            day = day.next();
            days.push(day);
        }
        return Some((3 + dot, days));
    }
    matches!(view.word_before(i, 1), "los" | "every" | "cada").then(|| (1, vec![first]))
}

fn element(view: &View<'_>, i: usize, after_day: bool, present: Present) -> Option<(usize, Element)> {
    let word = view.word(i);
    if view.kind(i) == Some(Kind::Mark) {
        return None;
    }
    if after_day && let Some((used, hour)) = part_of_day(view, i) {
        return Some((used, Element::Hour(hour)));
    }
    if view.kind(i) == Some(Kind::Number) {
        return term(view, i, present)
            .or_else(|| numeric_day(view, i))
            .or_else(|| hour(view, i).is_none().then(|| written_day(view, i)).flatten())
            .map(|(used, day)| (used, Element::Day(day)))
            .or_else(|| hour(view, i).map(|(used, hour)| (used, Element::Hour(hour))));
    }
    if let Some((used, days)) = weekdays(view, i) {
        return Some((used, Element::Weekdays(days)));
    }
    if let Some(day) = weekday(view, i) {
        return Some((1 + usize::from(view.word(i + 1) == "." && word.len() <= 5), Element::Weekday(day)));
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
            matches!(view.word(i), "," | "at" | "on" | "el" | "a" | "las" | "la" | "the" | "@" | "(" | "de" | "del" | "of" | "dia")
        })
}

fn ranges(view: &View<'_>, from: usize, to: usize) -> bool {
    from < to
        && to - from <= 3
        && (from..to).all(|i| {
            matches!(view.word(i), "to" | "-" | "a" | "until" | "hasta" | "or" | "o" | "and" | "y" | "las" | "la" | "at" | ",")
        })
}

impl Moment {
    fn take(&mut self, element: &Element, at: Range<usize>) -> bool {
        let free = match element {
            Element::Weekday(_) => self.weekday.is_none() && self.weekdays.is_none(),
            Element::Weekdays(_) => self.weekday.is_none() && self.weekdays.is_none(),
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
        match element.clone() {
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

/// Every moment that the text names, in order.
pub(crate) fn moments(view: &View<'_>, present: Present) -> Vec<Moment> {
    let mut found: Vec<Moment> = Vec::new();
    let mut end = 0;
    let mut i = 0;
    while i < view.tokens.len() {
        let near = found.last().is_some_and(|last| {
            last.has_day() && last.hour.is_none() && connects(view, end, i)
        });
        let Some((used, element)) = element(view, i, near, present) else {
            i += 1;
            continue;
        };
        let at = view.reach(i, i + used - 1);
        let adjacent = !found.is_empty() && connects(view, end, i);
        let joined = adjacent && found.last_mut().is_some_and(|last| last.take(&element, at.clone()));
        if !joined {
            let follows = matches!(element, Element::Hour(_)) && !found.is_empty() && ranges(view, end, i);
            let mut moment = Moment::default();
            moment.take(&element, at);
            if let Some(last) = found.last().filter(|_| follows) {
                moment.weekday.clone_from(&last.weekday);
                moment.weekdays.clone_from(&last.weekdays);
                moment.day.clone_from(&last.day);
                moment.inherits = true;
            }
            moment.soft = matches!(view.word(i), "today" | "hoy");
            found.push(moment);
        } else if let Some(last) = found.last_mut() {
            last.soft = false;
        }
        i += used;
        end = i;
    }
    found
}
