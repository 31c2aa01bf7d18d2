//! The readers of whole sentences: what they add to the rules, their models, and how those are made.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anteroom::guardrail::finding::Category;
use anteroom::guardrail::finding::Finding;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::setting::Author;
use anteroom::guardrail::setting::Consent;
use anteroom::guardrail::setting::Relation;
use anteroom::guardrail::setting::Setting;
use anteroom::policy::fold::fold;
use anteroom::policy::linear::Model;
use anteroom::policy::sentence;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::policy::words::Purpose;
use anteroom::screen::Intent;
use anteroom::screen::Screen;
use proptest::prelude::*;
use sha2::Digest as _;
use sha2::Sha256;

#[path = "../../training/sentences/recipe/mod.rs"]
mod recipe;

const MODELS: [(&str, &[u8]); 2] = [
    ("alarms", include_bytes!("../../guardrails/alarms.model")),
    ("advice", include_bytes!("../../guardrails/advice.model")),
];

#[test]
fn each_model_is_the_one_that_its_provenance_tells_of_and_small_enough() {
    let text = fs::read_to_string("training/sentences/provenance.toml").unwrap();
    let provenance: toml::Table = toml::from_str(&text).unwrap();
    for ((name, bytes), reader) in MODELS.iter().zip(&recipe::READERS) {
        assert_eq!(*name, reader.name);
        let digest = hex::encode(Sha256::digest(bytes));
        let told = provenance[*name]["model"].as_str();
        assert_eq!(told, Some(digest.as_str()), "{name}: run `make sentences`");
        assert!(bytes.len() < 1_500_000);
        let model = Model::read(reader.shape, name, bytes).unwrap();
        assert_eq!(model.write(reader.shape), *bytes, "{name}: written again");
        assert_eq!(model.thresholds(), &reader.high);
        assert_eq!(model.lower(), &reader.lower);
        // What it was made of is what lies here.
        for (file, text) in recipe::texts::SOURCES {
            if reader.files.contains(file) {
                let told = provenance[*name][*file].as_str();
                let digest = hex::encode(Sha256::digest(text));
                assert_eq!(told, Some(digest.as_str()), "{file}: run `make sentences`");
            }
        }
    }
}

#[test]
fn a_spoilt_model_is_refused_with_file_reason_and_remedy() {
    let (_, bytes) = MODELS[0];
    let mut flipped = bytes.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    for (bytes, reason) in [
        (Vec::new(), "no header"),
        (flipped, "checksum"),
        (bytes[..bytes.len() - 1].to_vec(), "bytes of weights"),
        (MODELS[1].1.to_vec(), "no alarms model"),
    ] {
        let error = Model::read(&sentence::ALARMS, "alarms.model", &bytes).unwrap_err();
        assert!(error.message.contains(reason), "{error}");
        assert_eq!(error.file, "alarms.model");
        assert!(error.remedy.contains("make sentences"), "{error}");
    }
}

#[test]
fn the_same_seed_trains_the_same_bytes_and_another_does_not() {
    let small = |seed: u64| {
        let how = recipe::Settings {
            bits: 10,
            rounds: 1,
            seed,
            ..recipe::SETTINGS
        };
        let evals = Path::new("evals");
        recipe::train(&recipe::READERS[1], how, 40, evals, None).unwrap()
    };
    let (one, two, other) = (small(1), small(1), small(2));
    assert_eq!(one.model, two.model);
    assert_eq!(one.provenance, two.provenance);
    assert_ne!(one.model, other.model);
    let left_out = "sgd_appointments = \"left out\"";
    assert!(one.provenance.contains(left_out), "{}", one.provenance);
}

/// Words that no rule knows; each is heard by the reader alone, and says so.
#[test]
fn an_alarm_in_words_that_no_rule_foresaw_is_heard_and_named() {
    let screen = Screen::embedded().unwrap();
    let mut heard = 0;
    for line in include_str!("../../evals/screen/unseen.jsonl").lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["text"].as_str().unwrap();
        let reading = screen.read(text, None, Language::En);
        let voted = |rule: &str| reading.rules.iter().any(|it| &**it == rule);
        for (rule, intent) in [
            ("emergency.sentence", Intent::Emergency),
            ("crisis.sentence", Intent::Crisis),
            ("poison.sentence", Intent::Poison),
        ] {
            if voted(rule) {
                assert_eq!(reading.intent, intent, "{text}");
                heard += 1;
            }
        }
        // It speaks only where no rule raises an alarm.
        let by_rule = |it: &str| {
            let alarm = ["emergency.", "crisis.", "poison.", "abuse.", "harm."];
            alarm.iter().any(|kind| it.starts_with(kind)) && !it.ends_with(".sentence")
        };
        if reading.rules.iter().any(|it| by_rule(it)) {
            let silent = !reading.rules.iter().any(|it| it.ends_with(".sentence"));
            assert!(silent, "{text} {:?}", reading.rules);
        }
    }
    assert!(heard > 10, "{heard}");
}

/// A number to call is no alarm to the reader, however it is written; what is said beside it is.
#[test]
fn a_phone_number_is_no_alarm_and_hides_none() {
    let screen = Screen::embedded().unwrap();
    let alarm = |intent| matches!(intent, Intent::Emergency | Intent::Crisis | Intent::Poison);
    for text in [
        "call 847.555.0121",
        "call 847 555 0121",
        "cell 847.555.0121 home 847.555.0144",
        "cell 847.555.012\u{0}\u{2}\u{0}1 home 847.555.0144",
        "my new number is (847) 555-0121",
        "please call +1 847 555 0121",
        "text 847-555-0121 instead",
        "llame al 847.555.0121",
        "mi numero nuevo es 847 555 0121",
        "home 8475550121, work 8475550144",
    ] {
        let reading = screen.read(text, None, Language::En);
        assert!(!alarm(reading.intent), "{text}: {reading:?}");
        assert!(
            !reading.rules.iter().any(|it| it.ends_with(".sentence")),
            "{text}: {reading:?}"
        );
    }
}

/// A greeting turns off nothing that the reader hears.
#[test]
fn a_greeting_before_an_alarm_leaves_it_one() {
    let screen = Screen::embedded().unwrap();
    let mut heard = 0;
    for line in include_str!("../../evals/screen/unseen.jsonl").lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["text"].as_str().unwrap();
        let reading = screen.read(text, None, Language::En);
        let alarm = |intent| matches!(intent, Intent::Emergency | Intent::Crisis | Intent::Poison);
        if !alarm(reading.intent) || !reading.rules.iter().any(|it| it.ends_with(".sentence")) {
            continue;
        }
        heard += 1;
        for greeting in [
            "hi. ",
            "Hello, ",
            "hey ",
            "Good morning! ",
            "Hola, ",
            "buenas tardes. ",
            // Marks before what is said are none of it.
            "\u{14}''''",
            "hi. ''''",
        ] {
            let greeted = screen.read(&format!("{greeting}{text}"), None, Language::En);
            assert!(alarm(greeted.intent), "{greeting}{text}: {greeted:?}");
        }
    }
    assert!(heard > 10, "{heard}");
}

/// Where a text becomes too long for commas to be slips, and where it becomes a letter, its greeting is not
/// counted, however many it has.
#[test]
fn a_greeting_makes_no_letter_of_an_alarm() {
    let screen = Screen::embedded().unwrap();
    let mut kinds = BTreeSet::new();
    for told in [
        "my chest hurts and my left arm is numb",
        "he cannot breathe well when he lies down",
        "me duele el pecho y tengo el brazo dormido",
        "she took too many of her pills",
        "my tongue, since I ate shrimp, is thick",
        "his sugar, I looked twice, is at 38",
    ] {
        for more in 5..50 {
            let text = format!("{told}{}", " and the garden".repeat(more / 3));
            let text = format!("{text}{}", " too".repeat(more % 3));
            let bare = screen.read(&text, None, Language::En);
            kinds.insert(format!("{:?}", bare.intent));
            for greeting in [
                "hi. ",
                "Hello ",
                "hey, hi. ",
                "Good morning! ",
                "Hola, buenos dias. ",
                "buenas tardes ",
            ] {
                let greeted = screen.read(&format!("{greeting}{text}"), None, Language::En);
                assert_eq!(bare.intent, greeted.intent, "{greeting}{text}");
            }
        }
    }
    // Both sides of the threshold were met.
    assert!(kinds.len() > 1, "{kinds:?}");
}

/// Few words behind a greeting are heard as without it, with a stop between them and without.
#[test]
fn a_greeting_before_a_few_words_changes_nothing() {
    let screen = Screen::embedded().unwrap();
    for (text, intent) in [
        ("911", Intent::Emergency),
        ("9 1 1", Intent::Emergency),
        ("emergency", Intent::Emergency),
        ("S T O P", Intent::OptOut),
        ("s.t.o.p", Intent::OptOut),
        ("A L T O", Intent::OptOut),
        ("stop", Intent::OptOut),
        ("H E L P", Intent::Help),
    ] {
        let bare = screen.read(text, None, Language::En);
        assert_eq!(bare.intent, intent, "{text} {bare:?}");
        for greeting in ["hi. ", "hi ", "Hello, ", "hola ", "good morning! hi "] {
            let greeted = screen.read(&format!("{greeting}{text}"), None, Language::En);
            assert_eq!(greeted.intent, intent, "{greeting}{text} {greeted:?}");
        }
    }
}

/// A long question of health brings a person and no alarm; the same with what is so now does.
#[test]
fn a_letter_is_read_by_a_person_unless_it_says_that_it_is_so_now() {
    let screen = Screen::embedded().unwrap();
    let letter = |when: &str| {
        format!(
            "Dear doctors, my father is 71 and has lived with diabetes and a bad back for most of his life. \
             He walks with a cane, likes to garden and takes several medicines that you know of. \
             His chest hurts and his left arm is numb {when}. We would be glad of a name of a specialist."
        )
    };
    let read = |when: &str| screen.read(&letter(when), None, Language::En);
    let calm = read("on some days of the week");
    assert_eq!(calm.intent, Intent::Human, "{:?}", calm.rules);
    assert!(calm.worries(), "{:?}", calm.rules);
    for when in [
        "right now",
        "since this morning and we wait",
        "and he just collapsed",
    ] {
        let told = read(when);
        assert_eq!(told.intent, Intent::Emergency, "{when} {:?}", told.rules);
    }
}

/// Drafts in words that no rule was written for: 49 % of the advice was held by the rules alone.
#[test]
fn advice_that_no_rule_foresaw_is_held_and_office_talk_is_not() {
    let guardrail = Guardrail::embedded().unwrap();
    let (mut held, mut advice, mut wrong, mut plain) = (0, 0, Vec::new(), 0);
    for line in include_str!("../../evals/advice/unseen.jsonl").lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["draft"].as_str().unwrap();
        let review = guardrail.review(text, &setting());
        let advises = |it: &Finding| it.category == Category::MedicalAdvice;
        let told = review.findings.iter().any(advises);
        match case["expect"].as_str() {
            Some("advice") => {
                advice += 1;
                held += usize::from(told);
            }
            Some("ok") => {
                plain += 1;
                wrong.extend(told.then(|| text.to_owned()));
            }
            _ => {}
        }
    }
    assert!(advice == 100 && held >= 75, "{held} of {advice} held");
    assert!(plain == 150 && wrong.len() * 100 <= plain * 4, "{wrong:#?}");
}

fn setting() -> Setting<'static> {
    Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: "https://portal.example.com",
        channel: Channel::Sms,
        consent: Consent::Granted { proof: "sha256:1" },
        covered: false,
        state: Jurisdiction::UNKNOWN,
        language: Language::En,
        timezone: "America/Los_Angeles",
        now: "2026-12-01T10:00:00-08:00".parse().unwrap(),
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Agent,
        facts: &[],
        told: &[],
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_alike_twice(text in "\\PC{0,200}|[a-z .,!?']{0,400}") {
        for ((name, bytes), reader) in MODELS.iter().zip(&recipe::READERS) {
            let model = Model::read(reader.shape, name, bytes).unwrap();
            let folded = fold(&text);
            let one = sentence::read(&model, &folded);
            prop_assert_eq!(one, sentence::read(&model, &folded));
        }
    }
}
