//! What is read in a patient's text: keywords, safety, answers, wishes, injection and language.

#![cfg(test)]

mod measured;

use anteroom::policy::words::Language;
use anteroom::screen::Pending;
use anteroom::screen::Screen;

#[test]
fn every_example_of_every_rule_holds() {
    let screen = Screen::load(&Screen::EMBEDDED).map_err(|e| e.to_string());
    let (rules, phrases, examples) = screen.unwrap().size();
    println!("{rules} rules, {phrases} phrases, {examples} examples");
    assert!(examples > 400);
}

#[test]
fn each_text_is_read_as_a_person_would() {
    let screen = Screen::embedded().unwrap();
    let mut wrong = Vec::new();
    for line in include_str!("screen/gold.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
    {
        let [intent, pending, text] = line.splitn(3, " | ").collect::<Vec<_>>()[..] else {
            panic!("not three columns: {line}");
        };
        let pending = (pending != "-").then(|| pending.parse::<Pending>().unwrap());
        let reading = screen.read(text, pending, Language::En);
        if reading.intent.as_str() != intent {
            wrong.push(format!("{line} -> {} {:?}", reading.intent, reading.rules));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn language_follows_the_words_and_a_short_text_keeps_the_hint() {
    let screen = Screen::embedded().unwrap();
    for (text, hint, language) in [
        ("When is my appointment?", Language::Es, Language::En),
        ("¿Cuándo es mi cita?", Language::En, Language::Es),
        (
            "necesito un refill de mi medicina",
            Language::En,
            Language::Es,
        ),
        ("STOP", Language::Es, Language::Es),
        ("STOP", Language::En, Language::En),
        ("YES", Language::Es, Language::Es),
        // A yes in the other language is no change of language.
        ("si", Language::En, Language::En),
        ("si", Language::Es, Language::Es),
        ("no", Language::En, Language::En),
        ("actually no", Language::En, Language::En),
        ("Y", Language::En, Language::En),
        ("9 am", Language::Es, Language::Es),
        ("no", Language::Es, Language::Es),
        ("no puedo ir", Language::En, Language::Es),
        ("no gracias", Language::En, Language::Es),
    ] {
        assert_eq!(screen.read(text, None, hint).language, language, "{text}");
    }
}

#[test]
fn choices_doubts_and_revocations_are_told_apart() {
    let screen = Screen::embedded().unwrap();
    let read = |text: &str, pending| screen.read(text, pending, Language::En);
    for (text, choice) in [
        ("2", Some(2)),
        ("la primera", Some(1)),
        ("the third one", Some(3)),
        ("12", None),
    ] {
        assert_eq!(
            read(text, Some(Pending::RescheduleChoice)).choice,
            choice,
            "{text}"
        );
    }
    for text in ["yes but who is this?", "👍", "no problem"] {
        let reading = read(text, Some(Pending::Consent));
        assert!(reading.ambiguous, "{text}: {reading:?}");
    }
    assert!(read("stop texting me i want to die", None).revokes());
    for text in [
        "too many texts!",
        "not interested",
        "don't text me before 9am",
    ] {
        let reading = read(text, None);
        assert!(
            reading.ambiguous && !reading.revokes(),
            "{text}: {reading:?}"
        );
    }
    assert!(read("my husband hits me", None).tells_of_abuse());
}

/// Revocations heard, of all: the rest is asked once, or in the list of known misses.
const HEARD_MIN: f64 = 0.985;

#[test]
fn revocations_in_peoples_own_words_are_heard_and_the_rest_goes_on() {
    let screen = Screen::embedded().unwrap();
    let (mut heard, mut all, mut wrong) = (0_u32, 0_u32, Vec::new());
    let lines = include_str!("screen/revocations.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (mark, text) = line.split_once(' ').unwrap();
        let reading = screen.read(text, None, Language::En);
        let revokes = reading.revokes();
        let asks = reading.rules.iter().any(|rule| &**rule == "opt_out.doubt");
        let right = match mark {
            "+" => revokes,
            "?" => !revokes && asks,
            "-" => !revokes,
            "!" => !revokes && !asks,
            _ => panic!("{line}"),
        };
        all += u32::from(mark != "-");
        heard += u32::from(mark != "-" && revokes);
        if !right {
            wrong.push(format!("{line} -> {} {:?}", reading.intent, reading.rules));
        }
    }
    println!("{heard} of {all} revocations heard");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        f64::from(heard) >= HEARD_MIN * f64::from(all),
        "{heard} of {all}"
    );
}

#[test]
fn odd_texts_are_read_without_a_crash() {
    let screen = Screen::embedded().unwrap();
    let long = "no chest pain or stop my yes ".repeat(4_000);
    for text in [
        "",
        " ",
        "\u{0}",
        "🙂🙂🙂",
        "مرحبا",
        "\u{202e}abc",
        "....",
        "?",
        &long,
    ] {
        let reading = screen.read(text, Some(Pending::Consent), Language::Es);
        assert!(!reading.intent.as_str().is_empty());
    }
}

#[test]
fn therapeutic_talk_is_told_from_an_errand_in_texts_and_in_drafts() {
    let screen = Screen::embedded().unwrap();
    screen
        .check_therapy()
        .unwrap_or_else(|error| panic!("{error}"));
    let (mut wrong, mut seen) = (Vec::new(), [0, 0]);
    for line in include_str!("screen/therapy.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let (want, text) = line.split_once(" | ").expect("two columns");
        let fired = screen.therapeutic(text);
        let talk = want == "talk";
        seen[usize::from(talk)] += 1;
        if fired.is_empty() == talk {
            wrong.push(format!("{line} -> {fired:?}"));
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
