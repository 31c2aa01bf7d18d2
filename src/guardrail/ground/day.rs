//! Days as people write them: by date, by number, or from today.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::civil::Weekday;

use crate::guardrail::ground::names::NUMBERS;
use crate::guardrail::ground::names::day_number;
use crate::guardrail::ground::names::month;
use crate::guardrail::ground::names::small;
use crate::guardrail::ground::names::weekday;
use crate::guardrail::ground::names::year;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;
use crate::guardrail::ground::when::Day;
use crate::guardrail::ground::when::Present;

/// "Dec 2nd, 2026", "2 de diciembre de 2026", "the 2nd of December": the tokens used, and the day.
pub(super) fn written_day(view: &View<'_>, i: usize) -> Option<(usize, Day)> {
    if let Some(month) = month(view, i) {
        let mut next = if view.word(i + 1) == "." {
            i + 2
        } else {
            i + 1
        };
        let day = day_number(view, next)?;
        if view.word(next + 1) == ":" || matches!(view.word(next + 1), "am" | "pm") {
            return None;
        }
        next += 1;
        if matches!(view.word(next), "st" | "nd" | "rd" | "th") {
            next += 1;
        }
        let comma = usize::from(view.word(next) == ",");
        if let Some(year) = year(view, next + comma).filter(|_| view.word(next + comma).len() == 4)
        {
            let day = Day::Partial {
                year: Some(year),
                month: Some(month),
                day,
                swap: false,
            };
            return Some((next + comma + 1 - i, day));
        }
        return Some((
            next - i,
            Day::Partial {
                year: None,
                month: Some(month),
                day,
                swap: false,
            },
        ));
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
        return Some((
            used - i,
            Day::Partial {
                year: stated,
                month: Some(month),
                day,
                swap: false,
            },
        ));
    }
    (ordinal && matches!(view.word_before(i, 1), "the" | "on")).then_some((
        2,
        Day::Partial {
            year: None,
            month: None,
            day,
            swap: false,
        },
    ))
}

/// "12/2", "12/02/2026", "2026-12-02".
pub(super) fn numeric_day(view: &View<'_>, i: usize) -> Option<(usize, Day)> {
    let sign = view.word(i + 1);
    let tight = |first: usize, last: usize| {
        let range = view.reach(first, last);
        !view.slice(&range).contains(' ')
    };
    if !matches!(sign, "/" | "-" | ".") || matches!(view.word_before(i, 1), "/" | "$") {
        return None;
    }
    let long =
        view.word(i + 3) == sign && view.kind(i + 4) == Some(Kind::Number) && tight(i, i + 4);
    if long && view.word(i).len() == 4 {
        let date = Date::new(
            year(view, i)?,
            small(view, i + 2)?,
            day_number(view, i + 4)?,
        )
        .ok()?;
        return Some((5, Day::On(date)));
    }
    let first = small(view, i)?;
    let second = small(view, i + 2)?;
    let (month, day) = if first > 12 {
        (second, first)
    } else {
        (first, second)
    };
    let plausible = (1..=12).contains(&month) && (1..=31).contains(&day);
    let swap = first <= 12 && second <= 12;
    if long {
        let year = year(view, i + 4)?;
        return plausible.then_some((
            5,
            Day::Partial {
                year: Some(year),
                month: Some(month),
                day,
                swap,
            },
        ));
    }
    // Without a year only the slash is a date: "9-5" are hours, "24/7" is neither.
    let short =
        sign == "/" && tight(i, i + 2) && plausible && view.slice(&view.reach(i, i + 2)) != "24/7";
    let measured = matches!(view.word(i + 3), "/" | "%" | "mg" | "ml");
    (short && !measured).then_some((
        3,
        Day::Partial {
            year: None,
            month: Some(month),
            day,
            swap,
        },
    ))
}

fn amount(view: &View<'_>, i: usize) -> Option<i64> {
    small(view, i)
        .map(i64::from)
        .or_else(|| NUMBERS.get(view.word(i)).map(i64::from))
}

/// "in 3 days", "within 2 business days", "en 3 dias", "hace dos semanas", "3 days ago".
pub(super) fn term(view: &View<'_>, i: usize, present: Present) -> Option<(usize, Day)> {
    let lead = view.word(i);
    // "Please reply within 24 hours" asks, and "we reply within 24 hours" promises.
    let asked = matches!(
        view.word_before(i, 1),
        "reply" | "respond" | "confirm" | "conteste" | "responda" | "confirme"
    ) && matches!(
        view.word_before(i, 2),
        "" | "please" | "favor" | "." | "," | "!" | "?"
    );
    if asked && matches!(lead, "within" | "in" | "en" | "dentro") {
        return None;
    }
    let spanish_two = lead == "dentro" && view.word(i + 1) == "de";
    let leads = matches!(lead, "in" | "within" | "en" | "hace") || spanish_two;
    let mut next = if spanish_two {
        i + 2
    } else {
        i + usize::from(leads)
    };
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
    if !leads && view.word(used) == "from" {
        return counted_from(view, (i, used), (count, unit), present);
    }
    let ago = view.word(used) == "ago";
    if !leads && !ago {
        return None;
    }
    let used = used + usize::from(ago);
    let sign = if ago || lead == "hace" { -1 } else { 1 };
    let today = present.now.date();
    let day = match unit {
        "day" | "days" | "dia" | "dias" => {
            today.checked_add((sign * count).days()).ok().map(Day::On)
        }
        "week" | "weeks" | "semana" | "semanas" => {
            today.checked_add((sign * count).weeks()).ok().map(Day::On)
        }
        "month" | "months" | "mes" | "meses" => {
            let near = today.checked_add((sign * count).months()).ok()?;
            let low = near.checked_sub(3.days()).ok()?;
            near.checked_add(3.days())
                .ok()
                .map(|high| Day::Span(low, high))
        }
        "hour" | "hours" | "hora" | "horas" | "minute" | "minutes" | "minuto" | "minutos" => {
            loose = true;
            Some(Day::Term)
        }
        _ => None,
    }?;
    Some((used - i, if loose { Day::Term } else { day }))
}

/// "a week from tomorrow", "two days from today".
fn counted_from(
    view: &View<'_>,
    (first, from): (usize, usize),
    (count, unit): (i64, &str),
    present: Present,
) -> Option<(usize, Day)> {
    let base = match view.word(from + 1) {
        "today" | "now" => 0,
        "tomorrow" => 1,
        _ => return None,
    };
    let days = match unit {
        "day" | "days" => count,
        "week" | "weeks" => 7 * count,
        _ => return None,
    };
    let date = present.now.date().checked_add((base + days).days()).ok()?;
    Some((from + 2 - first, Day::On(date)))
}

fn ahead(present: Present, weekday: Weekday) -> Option<Date> {
    let today = present.now.date();
    if today.weekday() == weekday {
        return Some(today);
    }
    today.nth_weekday(1, weekday).ok()
}

/// "the first Monday of January", "el último viernes de mayo": the next such day; of any month, a term.
fn ordinal_weekday(view: &View<'_>, i: usize, present: Present) -> Option<(usize, Day)> {
    let nth = match view.word(i) {
        "first" | "primer" => 1,
        "second" | "segundo" => 2,
        "third" | "tercer" => 3,
        "fourth" => 4,
        _ => -1,
    };
    let weekday = weekday(view, i + 1)?;
    if !matches!(view.word(i + 2), "of" | "in" | "de" | "del") {
        return None;
    }
    let Some(month) = month(view, i + 3) else {
        let each = matches!(view.word(i + 3), "the" | "each" | "every" | "cada");
        return Some((if each { 5 } else { 4 }, Day::Term));
    };
    let today = present.now.date();
    let in_year = |year: i16| {
        Date::new(year, month, 1)
            .ok()?
            .nth_weekday_of_month(nth, weekday)
            .ok()
    };
    let this_year = in_year(today.year()).filter(|date| *date >= today);
    let date = this_year.or_else(|| in_year(today.year() + 1))?;
    Some((4, Day::On(date)))
}

/// "today", "tomorrow", "next Tuesday", "pasado mañana", "la próxima semana".
pub(super) fn relative_day(view: &View<'_>, i: usize, present: Present) -> Option<(usize, Day)> {
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
        ("this", "morning" | "afternoon" | "evening") | ("esta", "manana" | "tarde" | "noche") => {
            (2, Day::On(today))
        }
        (
            "first" | "second" | "third" | "fourth" | "last" | "primer" | "segundo" | "tercer"
            | "ultimo",
            _,
        ) => return ordinal_weekday(view, i, present),
        ("next" | "proxima" | "proximo" | "this" | "este" | "esta", word) => {
            let next = matches!(view.word(i), "next" | "proxima" | "proximo");
            if let Some(weekday) = weekday(view, i + 1) {
                let first = ahead(present, weekday)?;
                let second = first.checked_add(7.days()).ok()?;
                let day = if next {
                    Day::Either(first, second)
                } else {
                    Day::On(first)
                };
                return Some((2, day));
            }
            let monday = today
                .tomorrow()
                .ok()?
                .nth_weekday(-1, Weekday::Monday)
                .ok()?;
            let shift = if next { 7 } else { 0 };
            match word {
                "week" | "semana" => {
                    let start = monday.checked_add(shift.days()).ok()?;
                    (2, Day::Span(start, start.checked_add(6.days()).ok()?))
                }
                "month" | "mes" => {
                    let start = today
                        .first_of_month()
                        .checked_add((shift / 7).months())
                        .ok()?;
                    (2, Day::Span(start, start.last_of_month()))
                }
                _ => return None,
            }
        }
        ("semana", "que") if view.word(i + 2) == "viene" => {
            let monday = today
                .tomorrow()
                .ok()?
                .nth_weekday(1, Weekday::Monday)
                .ok()?;
            (3, Day::Span(monday, monday.checked_add(6.days()).ok()?))
        }
        _ => return None,
    };
    Some((used, day))
}
