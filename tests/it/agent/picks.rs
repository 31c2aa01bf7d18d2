//! Which of the offered times a text picks, and on which weekdays a practice is open.

#![cfg(test)]

use anteroom::agent::choice::chosen;
use anteroom::agent::opening::is_open;
use jiff::civil::Weekday;

const ENGLISH: &str = "1) Mon Nov 23, 9:00 AM 2) Mon Nov 23, 10:30 AM 3) Thu Nov 26, 3:00 PM - Reply with the number.";
const SPANISH: &str = "1) lun 23 nov, 9:00 a. m. 2) lun 23 nov, 10:30 a. m. 3) mar 24 nov, 3:00 p. m. - Responda con el número.";

#[test]
fn a_time_picked_in_words_is_the_one_meant_and_doubt_picks_none() {
    let rows = [
        ("9 works", Some(1)),
        ("9am", Some(1)),
        ("9 AM please", Some(1)),
        ("10:30", Some(2)),
        ("1030 is good", Some(2)),
        ("3pm", Some(3)),
        ("3 o'clock works", Some(3)),
        ("thursday works", Some(3)),
        ("Thurs pls", Some(3)),
        ("the 26th", Some(3)),
        ("the later one", Some(3)),
        ("no the later one", Some(3)),
        ("no, the last one", Some(3)),
        ("the earliest", Some(1)),
        ("earlier one please", Some(1)),
        ("the afternoon one", Some(3)),
        ("monday at 10:30", Some(2)),
        ("can I do 9?", Some(1)),
        ("Monday", None),
        ("monday morning", None),
        ("the morning one", None),
        ("the other one", None),
        ("9pm", None),
        ("11", None),
        ("is 9 a video visit?", None),
        ("not the 9", None),
        ("9 doesn't work", None),
        ("anything after 3", None),
        ("do you have something later", None),
        ("friday", None),
        ("what about thursday", None),
        ("dec 9", None),
        ("thursday next week", None),
        ("none of those", None),
        ("tomorrow", None),
        ("cancel the later one", None),
        ("", None),
        ("\u{1f44d}", None),
        (
            "my number changed, it is 555 now and I will be there at nine",
            None,
        ),
    ];
    for (text, number) in rows {
        assert_eq!(chosen(ENGLISH, text), number, "{text}");
    }
    assert_eq!(
        chosen("Your next visit is Mon, Nov 23 at 9:00 AM.", "9"),
        None
    );
}

#[test]
fn a_time_picked_in_spanish_words_is_the_one_meant() {
    let rows = [
        ("a las 9", Some(1)),
        ("a las 3 por favor", Some(3)),
        ("10:30 a. m.", Some(2)),
        ("el martes", Some(3)),
        ("la última", Some(3)),
        ("no, la última", Some(3)),
        ("la más tarde", Some(3)),
        ("en la tarde", Some(3)),
        ("el 24", Some(3)),
        ("la más temprano", Some(1)),
        ("la otra", None),
        ("el lunes", None),
        ("mañana en la tarde", None),
        ("ninguna me sirve", None),
        ("el 9 de diciembre", None),
        ("el 9", None),
        ("después de las 3", None),
        ("a las 2", None),
        ("no puedo a las 9", None),
        ("el miércoles", None),
    ];
    for (text, number) in rows {
        assert_eq!(chosen(SPANISH, text), number, "{text}");
    }
}

#[test]
fn open_days_are_concluded_only_from_hours_that_are_understood() {
    use Weekday::{Friday, Monday, Saturday, Sunday, Wednesday};
    let rows = [
        ("Mon-Fri 8:00 AM-6:00 PM", Saturday, Some(false)),
        ("Mon-Fri 8:00 AM-6:00 PM", Friday, Some(true)),
        (
            "Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM",
            Friday,
            Some(true),
        ),
        (
            "Mon-Thu 8:00 AM-5:00 PM; Sat 9 AM-12 PM",
            Friday,
            Some(false),
        ),
        (
            "Mon-Thu 8:00 AM-5:00 PM; Sat 9 AM-12 PM",
            Saturday,
            Some(true),
        ),
        ("Monday to Friday: 8-5", Sunday, Some(false)),
        ("Mon & Wed 9 AM-5 PM", Wednesday, Some(true)),
        ("Fri-Mon 9 AM-5 PM", Sunday, Some(true)),
        ("Daily 9 AM-9 PM", Sunday, Some(true)),
        (
            "Mon-Fri 8:00 AM-6:00 PM, closed on holidays",
            Saturday,
            None,
        ),
        ("Mon-Fri 8-6 except the first Monday", Monday, None),
        ("24/7", Monday, None),
        ("by appointment", Monday, None),
        ("", Monday, None),
    ];
    for (hours, day, open) in rows {
        assert_eq!(is_open(hours, day), open, "{hours} on {day:?}");
    }
}
