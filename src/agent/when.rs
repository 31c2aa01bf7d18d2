//! Instants in words: local time with weekday, as a front desk would text it.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::policy::words::Language;

/// RFC 3339 with the practice's offset, the form in which facts carry instants.
pub fn rfc3339(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%:z")
        .to_string()
}

/// `Wed, Dec 2 at 3:00 PM` or `mié 2 dic a las 3:00 p. m.`
pub fn spoken(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let local = at.to_zoned(zone.clone());
    match language {
        Language::En => local.strftime("%a, %b %-d at %-I:%M %p").to_string(),
        Language::Es => {
            let article = if matches!(local.hour(), 1 | 13) {
                "a la"
            } else {
                "a las"
            };
            let (day, clock) = spanish(&local);
            format!("{day} {article} {clock}")
        }
    }
}

/// `Thu Dec 3, 9:00 AM` or `jue 3 dic, 9:00 a. m.`: the short form for numbered offers.
pub fn offered(at: Timestamp, zone: &TimeZone, language: Language) -> String {
    let local = at.to_zoned(zone.clone());
    match language {
        Language::En => local.strftime("%a %b %-d, %-I:%M %p").to_string(),
        Language::Es => {
            let (day, clock) = spanish(&local);
            format!("{day}, {clock}")
        }
    }
}

/// `6:00 PM` or `las 6:00 p. m.`
pub fn clock(local: &jiff::Zoned, language: Language) -> String {
    match language {
        Language::En => local.strftime("%-I:%M %p").to_string(),
        Language::Es => {
            let article = if matches!(local.hour(), 1 | 13) {
                "la"
            } else {
                "las"
            };
            format!("{article} {}", spanish(local).1)
        }
    }
}

/// A weekday as it recurs: `Saturdays`, `los sábados`.
pub const fn weekdays(day: Weekday, language: Language) -> &'static str {
    match (language, day) {
        (Language::En, Weekday::Monday) => "Mondays",
        (Language::En, Weekday::Tuesday) => "Tuesdays",
        (Language::En, Weekday::Wednesday) => "Wednesdays",
        (Language::En, Weekday::Thursday) => "Thursdays",
        (Language::En, Weekday::Friday) => "Fridays",
        (Language::En, Weekday::Saturday) => "Saturdays",
        (Language::En, Weekday::Sunday) => "Sundays",
        (Language::Es, Weekday::Monday) => "los lunes",
        (Language::Es, Weekday::Tuesday) => "los martes",
        (Language::Es, Weekday::Wednesday) => "los miércoles",
        (Language::Es, Weekday::Thursday) => "los jueves",
        (Language::Es, Weekday::Friday) => "los viernes",
        (Language::Es, Weekday::Saturday) => "los sábados",
        (Language::Es, Weekday::Sunday) => "los domingos",
    }
}

fn spanish(local: &jiff::Zoned) -> (String, String) {
    let weekday = match local.weekday() {
        Weekday::Monday => "lun",
        Weekday::Tuesday => "mar",
        Weekday::Wednesday => "mié",
        Weekday::Thursday => "jue",
        Weekday::Friday => "vie",
        Weekday::Saturday => "sáb",
        Weekday::Sunday => "dom",
    };
    let month = match local.month() {
        1 => "ene",
        2 => "feb",
        3 => "mar",
        4 => "abr",
        5 => "may",
        6 => "jun",
        7 => "jul",
        8 => "ago",
        9 => "sep",
        10 => "oct",
        11 => "nov",
        _ => "dic",
    };
    let half = if local.hour() < 12 { "a. m." } else { "p. m." };
    (
        format!("{weekday} {} {month}", local.day()),
        format!("{} {half}", local.strftime("%-I:%M")),
    )
}
