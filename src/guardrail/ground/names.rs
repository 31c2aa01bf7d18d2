//! The names of days, months and small numbers, in English and Spanish.

use std::ops::Range;

use jiff::civil::Weekday;

use crate::guardrail::ground::table::Table;
use crate::guardrail::ground::view::Kind;
use crate::guardrail::ground::view::View;

pub(super) static WEEKDAYS: Table<Weekday> = Table::new(&[
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
]);

pub(super) static SHORT_WEEKDAYS: Table<Weekday> = Table::new(&[
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
]);

pub(super) static MONTHS: Table<i8> = Table::new(&[
    ("january", 1),
    ("february", 2),
    ("march", 3),
    ("april", 4),
    ("may", 5),
    ("june", 6),
    ("july", 7),
    ("august", 8),
    ("september", 9),
    ("october", 10),
    ("november", 11),
    ("december", 12),
    ("enero", 1),
    ("febrero", 2),
    ("marzo", 3),
    ("abril", 4),
    ("mayo", 5),
    ("junio", 6),
    ("julio", 7),
    ("agosto", 8),
    ("septiembre", 9),
    ("setiembre", 9),
    ("octubre", 10),
    ("noviembre", 11),
    ("diciembre", 12),
    ("jan", 1),
    ("feb", 2),
    ("mar", 3),
    ("apr", 4),
    ("jun", 6),
    ("jul", 7),
    ("aug", 8),
    ("sep", 9),
    ("sept", 9),
    ("oct", 10),
    ("nov", 11),
    ("dec", 12),
    ("ene", 1),
    ("abr", 4),
    ("ago", 8),
    ("dic", 12),
]);

pub(super) static NUMBERS: Table<i8> = Table::new(&[
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("a", 1),
    ("an", 1),
    ("un", 1),
    ("una", 1),
    ("dos", 2),
    ("tres", 3),
    ("cuatro", 4),
    ("cinco", 5),
    ("seis", 6),
    ("siete", 7),
    ("ocho", 8),
    ("nueve", 9),
    ("diez", 10),
    ("once", 11),
    ("doce", 12),
]);

pub(super) fn weekday(view: &View<'_>, index: usize) -> Option<Weekday> {
    let word = view.word(index);
    if word.len() < 3 || view.kind(index) != Some(Kind::Word) {
        return None;
    }
    let full = WEEKDAYS.get(word.strip_suffix("'s").unwrap_or(word));
    if full.is_some() || word != "mar" && !SHORT_WEEKDAYS.has(word) {
        return full;
    }
    let dated = before_date(view, index);
    // "mar 1 dic" is a Tuesday in December, "mar 1" the first of March.
    let tuesday = (dated && word == "mar").then_some(Weekday::Tuesday);
    tuesday.or_else(|| {
        (dated || view.capital(index))
            .then(|| SHORT_WEEKDAYS.get(word))
            .flatten()
    })
}

/// Whether a day and a month follow: "mié 2 dic", "mar. 1 de dic".
fn before_date(view: &View<'_>, index: usize) -> bool {
    let day = index + 1 + usize::from(matches!(view.word(index + 1), "." | ","));
    let next = day + 1 + usize::from(view.word(day + 1) == "de");
    day_number(view, day).is_some() && month(view, next).is_some()
}

pub(super) fn repeated(word: &str) -> Option<Weekday> {
    let single = word.strip_suffix('s')?;
    let english = single.ends_with("day") || single == "sabado" || single == "domingo";
    english.then(|| WEEKDAYS.get(single)).flatten()
}

pub(super) fn month(view: &View<'_>, index: usize) -> Option<i8> {
    MONTHS.get(view.word(index))
}

pub(super) fn digits(view: &View<'_>, index: usize, width: usize) -> Option<i16> {
    let word = view.word(index);
    let fits = view.kind(index) == Some(Kind::Number) && word.len() <= width;
    fits.then(|| word.parse().ok()).flatten()
}

pub(super) fn small(view: &View<'_>, index: usize) -> Option<i8> {
    digits(view, index, 2).and_then(|n| i8::try_from(n).ok())
}

pub(super) fn year(view: &View<'_>, index: usize) -> Option<i16> {
    match digits(view, index, 4)? {
        year @ 1900..=2100 => Some(year),
        short @ 0..=99 if view.word(index).len() == 2 => Some(2000 + short),
        _ => None,
    }
}

pub(super) fn day_number(view: &View<'_>, index: usize) -> Option<i8> {
    small(view, index).filter(|day| (1..=31).contains(day))
}

/// Speaks the sentence of openings and slots rather than of a visit that stands?
pub(super) fn speaks_of_openings(view: &View<'_>, at: &Range<usize>) -> bool {
    let sentence = view.sentence_of(at.start);
    let mut words = (0..view.tokens.len())
        .filter(|token| view.sentence_of(view.reach(*token, *token).start) == sentence);
    words.any(|token| {
        let next = view.word(token + 1);
        // "We can see you Friday at 9": an offer, whatever visit stands.
        let offers = match view.word(token) {
            "can" | "could" => next == "see" && view.word(token + 2) == "you",
            "puede" | "pueden" | "podemos" | "podria" => next.starts_with("ver"),
            _ => false,
        };
        offers
            || matches!(
                view.word(token),
                "opening"
                    | "openings"
                    | "slot"
                    | "slots"
                    | "available"
                    | "availability"
                    | "spot"
                    | "spots"
                    | "espacio"
                    | "espacios"
                    | "disponible"
                    | "disponibles"
                    | "hueco"
                    | "huecos"
                    | "cupo"
                    | "instead"
                    | "gap"
                    | "lugar"
            )
    })
}
