//! Dates of birth as people type them: three fields, or the whole date in one.

use jiff::civil::Date;

/// Why no date could be read; none of these counts as a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BirthDateError {
    /// Nothing, or not enough, was typed.
    #[error("the month, the day or the year is missing")]
    Missing,
    /// The year has fewer than four digits, and guessing a century could lock somebody out.
    #[error("the year needs four digits")]
    ShortYear,
    /// No such day.
    #[error("there is no such date")]
    NoSuchDate,
}

/// Longest field that is read.
const FIELD_CHARS_MAX: usize = 40;

/// Months by the letters that tell them apart, English and Spanish.
const MONTHS: &[(&str, i8)] = &[
    ("jan", 1),
    ("ene", 1),
    ("feb", 2),
    ("mar", 3),
    ("apr", 4),
    ("abr", 4),
    ("may", 5),
    ("jun", 6),
    ("jul", 7),
    ("aug", 8),
    ("ago", 8),
    ("sep", 9),
    ("oct", 10),
    ("nov", 11),
    ("dec", 12),
    ("dic", 12),
];

/// Reads a date of birth from the fields of the form. A field that holds a whole date
/// (`4/12/1961`, `1961-04-12`, `04121961`, `12 abril 1961`) wins over the three.
pub fn read(month: &str, day: &str, year: &str) -> Result<Date, BirthDateError> {
    for field in [month, day, year] {
        if let [first, second, third] = parts(field).as_slice() {
            return whole(first, second, third);
        }
        if let Some((month, day, year)) = run_of_digits(field) {
            return date(number(year)?, number(month)?, number(day)?);
        }
    }
    let [month] = parts(month)
        .try_into()
        .map_err(|_not_one| BirthDateError::Missing)?;
    let [day] = parts(day)
        .try_into()
        .map_err(|_not_one| BirthDateError::Missing)?;
    let [year] = parts(year)
        .try_into()
        .map_err(|_not_one| BirthDateError::Missing)?;
    date(full_year(&year)?, month_number(&month)?, number(&day)?)
}

/// How much of a text is searched for a date.
const TEXT_CHARS_MAX: usize = 160;

/// The date of birth in a text, if it holds just one: alone, or among other words (`it's 7/4/1978`).
pub fn in_text(text: &str) -> Option<Date> {
    if let Ok(date) = read(text, "", "") {
        return Some(date);
    }
    let short: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let words: Vec<&str> = short
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !matches!(*word, "de" | "del" | "of"))
        .collect();
    let mut found = words.windows(3).filter_map(|three| {
        let digits = three
            .iter()
            .flat_map(|word| word.chars())
            .filter(char::is_ascii_digit);
        let full = (5..=8).contains(&digits.count());
        full.then(|| read(&three.join(" "), "", "").ok()).flatten()
    });
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Runs of letters and digits; `de` and ordinal endings are no part of a date.
fn parts(field: &str) -> Vec<String> {
    let short: String = field.chars().take(FIELD_CHARS_MAX).collect();
    short
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty() && !matches!(*part, "de" | "del" | "of"))
        .map(|part| {
            let ordinal = ["st", "nd", "rd", "th"]
                .iter()
                .find_map(|ending| part.strip_suffix(ending));
            ordinal
                .filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
                .unwrap_or(part)
                .to_owned()
        })
        .collect()
}

fn run_of_digits(field: &str) -> Option<(&str, &str, &str)> {
    let field = field.trim();
    if field.len() != 8 || !field.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // 1961... can be no month and day, so the year comes first.
    match field.get(..2)? {
        "19" | "20" => Some((field.get(4..6)?, field.get(6..)?, field.get(..4)?)),
        _ => Some((field.get(..2)?, field.get(2..4)?, field.get(4..)?)),
    }
}

fn whole(first: &str, second: &str, third: &str) -> Result<Date, BirthDateError> {
    if first.len() == 4 && first.bytes().all(|b| b.is_ascii_digit()) {
        return date(number(first)?, month_number(second)?, number(third)?);
    }
    let year = full_year(third)?;
    match (month_number(first), month_number(second)) {
        // As labelled: month, day, year; unless the first can be no month (`23/4/1961`) or the
        // second is a month's name (`12 abril 1961`).
        (Ok(_), Ok(month)) if second.starts_with(char::is_alphabetic) => {
            date(year, month, number(first)?)
        }
        (Ok(month), _) => date(year, month, number(second)?),
        (Err(_), Ok(month)) => date(year, month, number(first)?),
        (Err(error), Err(_)) => Err(error),
    }
}

fn full_year(text: &str) -> Result<i16, BirthDateError> {
    if text.len() < 4 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BirthDateError::ShortYear);
    }
    number(text)
}

fn month_number(text: &str) -> Result<i8, BirthDateError> {
    let named = MONTHS
        .iter()
        .find(|(letters, _)| text.starts_with(letters))
        .map(|(_, number)| *number);
    match named {
        Some(month) => Ok(month),
        None => number(text).and_then(|month: i8| {
            if (1..=12).contains(&month) {
                Ok(month)
            } else {
                Err(BirthDateError::NoSuchDate)
            }
        }),
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, BirthDateError> {
    text.parse()
        .map_err(|_not_a_number| BirthDateError::NoSuchDate)
}

fn date(year: i16, month: i8, day: i8) -> Result<Date, BirthDateError> {
    if year < 1000 {
        return Err(BirthDateError::ShortYear);
    }
    Date::new(year, month, day).map_err(|_no_such_day| BirthDateError::NoSuchDate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_date_is_found_among_other_words() {
        let want = jiff::civil::date(1978, 7, 4);
        for text in [
            "7/4/1978",
            "07-04-1978",
            "1978-07-04",
            "07041978",
            "July 4, 1978",
            "4 de julio de 1978",
            "it's 7/4/1978 thanks",
            "My son's birthday is July 4 1978.",
        ] {
            assert_eq!(in_text(text), Some(want), "{text}");
        }
        for text in [
            "",
            "YES",
            "7/4/78",
            "tomorrow at 3",
            "call 415 555 0100",
            "7/4/1978 or 8/4/1978",
        ] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }
}
