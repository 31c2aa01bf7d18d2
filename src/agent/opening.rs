//! Whether a practice is open on a weekday, read from its opening hours.

use jiff::civil::Weekday;

/// Read from hours such as `Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM`. None when any part of
/// them is written another way: then nothing is concluded, and the hours speak for themselves.
pub fn is_open(hours: &str, day: Weekday) -> Option<bool> {
    let mut open = Vec::new();
    for part in hours
        .split([',', ';'])
        .map(str::trim)
        .filter(|it| !it.is_empty())
    {
        let cut = part.find(|c: char| c.is_ascii_digit())?;
        let (days, times) = part.split_at_checked(cut)?;
        if times
            .to_lowercase()
            .contains(|c: char| c.is_alphabetic() && !"amp".contains(c))
        {
            return None;
        }
        open.extend(span(days.trim().trim_end_matches(':'))?);
    }
    (!open.is_empty()).then(|| open.contains(&day))
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
